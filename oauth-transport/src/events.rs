//! What happens on the way, told as it happens: one handler, one event at a time, in order.

mod browser;

pub use browser::{BrowserLaunch, BrowserReturn};

use http::{HeaderName, HeaderValue, StatusCode, Version};
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use url::Url;

/// Whoever wants to know what happens, and to decide where something is to be decided.
///
/// Every method does nothing by default. One is called at a time, from whatever thread the event happens on; while it runs,
/// everything that would cause another event waits. A request that a handler starts itself, through the transport that
/// called it, is refused. A handler that panics is not called again, and the request goes on; but whoever could refuse a
/// certificate and is gone has not accepted it: connections that show one fail from then on.
///
/// Connections, TLS, heads and bodies are told by the engine; errors, redirects, cookies and what a log shows of requests and
/// responses by the [`Session`](crate::Session) around it; the browser's leaving and coming back by the sign-in of the facade.
#[allow(unused_variables, reason = "the defaults ignore what they are told")]
pub trait EventHandler: Send {
    /// A connection to a server stands, or could not be made.
    fn on_connected(&mut self, outcome: &Outcome<'_>) {}

    /// The end on this machine of the connection that is told next, where the engine knows it.
    fn on_local_address(&mut self, address: SocketAddr) {}

    /// A step on the way to a connection, or its end.
    fn on_connection_status(&mut self, status: ConnectionStatus, outcome: &Outcome<'_>) {}

    /// A connection is gone: because nobody needed it any longer, or for a reason.
    fn on_disconnected(&mut self, outcome: &Outcome<'_>) {}

    /// The first byte of a body is about to move.
    fn on_start_transfer(&mut self, direction: Direction) {}

    /// A part of a body has moved.
    fn on_transfer(&mut self, transfer: &Transfer<'_>) {}

    /// The last byte of a body has moved.
    fn on_end_transfer(&mut self, direction: Direction) {}

    /// A request fails; its caller gets the same error.
    fn on_error(&mut self, error: &(dyn Error + 'static)) {}

    /// A line of a response's head. Each of several with one name is an event of its own.
    fn on_header(&mut self, name: &HeaderName, value: &HeaderValue) {}

    /// A browser is about to be opened, or would be if the program wanted one. Its URL and its command can be rewritten; an
    /// empty command opens none.
    fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {}

    /// Something for the log. Secrets are out of it, unless the settings say otherwise.
    fn on_log(&mut self, entry: &LogEntry<'_>) {}

    /// The server sends the request elsewhere. `accept` says whether it will go there, and has the last word where that is
    /// possible at all: no token request and no credential goes to another origin, whatever it says (RFC 9700 section 4.12).
    fn on_redirect(&mut self, location: &Url, accept: &mut bool) {}

    /// The browser came back to the listener on this machine with the answer of this login. The headers and the page that it
    /// is shown can be set, for a login that then succeeds: the page of one that fails tells the truth.
    fn on_return_url(&mut self, back: &mut BrowserReturn<'_>) {}

    /// A response sets a cookie.
    fn on_set_cookie(&mut self, cookie: &CookieSet<'_>) {}

    /// A server shows its certificate. `accept` comes as what the checks say. Setting it to `false` refuses the certificate,
    /// always; setting it to `true` accepts one that the checks refuse only where
    /// [`Tls::dangerously_handler_accepts`](crate::Tls::dangerously_handler_accepts) is on.
    ///
    /// Not told by engines that show nobody a certificate, as isahc: there nothing can be refused.
    fn on_ssl_server_authentication(&mut self, certificate: &ServerCertificate<'_>, accept: &mut bool) {}

    /// Whether it could not ask whom it stands for about the certificate just told, as one that hands events on to a handler
    /// that panicked. No event; the certificate is refused then. Never, by default.
    fn is_gone(&self) -> bool {
        false
    }

    /// How a TLS handshake goes, in words.
    fn on_ssl_status(&mut self, message: &str) {}

    /// The first line of a response.
    fn on_status(&mut self, version: Version, status: StatusCode) {}
}

/// How something ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// Well.
    Ok,
    /// With an error; the system's number, where it has one, is
    /// [`raw_os_error`](std::io::Error::raw_os_error) of the [`std::io::Error`] among its sources.
    Failed(&'a (dyn Error + 'static)),
}

/// A step on the way to a connection, or its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionStatus {
    /// The firewall or proxy has connected us, or is connected.
    FirewallConnected,
    /// The TLS handshake is over.
    TlsComplete,
    /// The server is connected.
    HostConnected,
    /// The server is disconnected.
    HostDisconnected,
    /// TLS broke off.
    TlsBroken,
    /// The firewall or proxy is disconnected.
    FirewallDisconnected,
}

/// Which way a body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ways")]
pub enum Direction {
    /// From here to the server.
    Sent,
    /// From the server to here.
    Received,
}

/// A part of a body that has moved.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Transfer<'a> {
    /// Which way.
    pub direction: Direction,
    /// How many bytes of the body have moved by now, this part with them, as they are on the wire.
    pub bytes: u64,
    /// How many there are in all, where that is known.
    pub total: Option<u64>,
    /// The part itself where it was received; empty where it was sent. It may hold credentials.
    pub text: &'a [u8],
}

impl<'a> Transfer<'a> {
    /// A part that has moved.
    #[must_use]
    pub const fn new(direction: Direction, bytes: u64, total: Option<u64>, text: &'a [u8]) -> Self {
        Self { direction, bytes, total, text }
    }
}

impl<'a> LogEntry<'a> {
    /// A line.
    #[must_use]
    pub const fn new(level: LogLevel, kind: LogType, message: &'a str) -> Self {
        Self { level, kind, message }
    }
}

impl fmt::Debug for Transfer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfer")
            .field("direction", &self.direction)
            .field("bytes", &self.bytes)
            .field("total", &self.total)
            .field("text", &format_args!("[{} bytes]", self.text.len()))
            .finish()
    }
}

/// How much a log is to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the component's levels are these")]
pub enum LogLevel {
    /// Nothing.
    None = 0,
    /// What happens.
    #[default]
    Info = 1,
    /// In detail: with the heads of requests and responses.
    Verbose = 2,
    /// Everything: with their bodies.
    Debug = 3,
}

/// What a line of a log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogType {
    /// What happens.
    Info,
    /// The head of a request.
    RequestHeaders,
    /// The head of a response.
    ResponseHeaders,
    /// The body of a request.
    RequestBody,
    /// The body of a response.
    ResponseBody,
    /// What a proxy was sent.
    ProxyRequest,
    /// What a proxy answered.
    ProxyResponse,
    /// What a firewall was sent.
    FirewallRequest,
    /// What a firewall answered.
    FirewallResponse,
}

/// A line for a log.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LogEntry<'a> {
    /// From which level on it is told.
    pub level: LogLevel,
    /// What it is about.
    pub kind: LogType,
    /// The text.
    pub message: &'a str,
}

/// A cookie that a response sets (RFC 6265 section 4.1).
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct CookieSet<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, which may be a credential.
    pub value: &'a str,
    /// When it ends, in the server's words; empty where it lasts as long as the session.
    pub expires: &'a str,
    /// The domain it is for; empty where it is for the server alone.
    pub domain: &'a str,
    /// The path it is for.
    pub path: &'a str,
    /// Whether it goes over TLS alone.
    pub secure: bool,
    /// Whether scripts are kept from it.
    pub http_only: bool,
    /// Its `SameSite` attribute, in the server's words; empty where there is none.
    pub same_site: &'a str,
}

impl fmt::Debug for CookieSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieSet")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// A server's certificate, as it is shown in a TLS handshake.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ServerCertificate<'a> {
    /// The server's name, as the certificate has to carry it.
    pub host: &'a str,
    /// The certificate as DER.
    pub der: &'a [u8],
    /// The certificates above it, as the server sent them; empty unless the settings ask for them.
    pub chain: &'a [&'a [u8]],
    /// Whom it was issued to (RFC 4514).
    pub subject: &'a str,
    /// Who issued it (RFC 4514).
    pub issuer: &'a str,
    /// `OK`, or what is wrong with it.
    pub status: &'a str,
}

/// What came of asking about a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an engine that passes over one is wrong")]
pub enum Decision {
    /// It is accepted. Where the checks refuse it, that counts by
    /// [`Tls::dangerously_handler_accepts`](crate::Tls::dangerously_handler_accepts) alone.
    Accepted,
    /// It is refused.
    Refused,
    /// There is a handler that could refuse it, and it cannot be asked: it panicked, or waits for this very connection. What
    /// nobody could look at is refused.
    Unjudged,
}

/// Where events go: to one handler, or nowhere. Cheap to clone; all clones lead to the same handler.
#[derive(Clone, Default)]
pub struct EventSink(Option<Arc<Inner>>);

struct Inner {
    handler: Mutex<Box<dyn EventHandler>>,
    level: LogLevel,
    may_refuse: bool,
    running_on: Mutex<Option<ThreadId>>,
    broken: AtomicBool,
}

impl EventSink {
    /// Nowhere.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// To this handler, with log entries up to this level. It may refuse certificates, and so no TLS session is taken up
    /// again: each connection shows one.
    #[must_use]
    pub fn new(handler: impl EventHandler + 'static, level: LogLevel) -> Self {
        Self::to(handler, level, true)
    }

    /// To this handler, which only looks on: TLS sessions may be taken up again, and it hears of no certificate then.
    #[must_use]
    pub fn onlooker(handler: impl EventHandler + 'static, level: LogLevel) -> Self {
        Self::to(handler, level, false)
    }

    fn to(handler: impl EventHandler + 'static, level: LogLevel, may_refuse: bool) -> Self {
        Self(Some(Arc::new(Inner {
            handler: Mutex::new(Box::new(handler)),
            level,
            may_refuse,
            running_on: Mutex::new(None),
            broken: AtomicBool::new(false),
        })))
    }

    /// Whether somebody listens. Events that cost something to make are not made where nobody does.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// Whether there is somebody who may refuse a certificate, and so has to be shown each.
    #[must_use]
    pub fn may_refuse(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.may_refuse)
    }

    /// Whether log entries of this level are told.
    #[must_use]
    pub fn logs(&self, level: LogLevel) -> bool {
        self.0.as_ref().is_some_and(|inner| level <= inner.level)
    }

    /// Whether the handler is running on this very thread: a request from inside it would wait for itself.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| *inner.running() == Some(thread::current().id()))
    }

    /// Tells the handler something, and waits until it has heard it.
    ///
    /// Does nothing where there is no handler, where it panicked before, and from inside itself.
    pub fn tell(&self, event: impl FnOnce(&mut dyn EventHandler)) {
        let Some(inner) = &self.0 else { return };
        if self.is_inside() || inner.broken.load(Ordering::Relaxed) {
            return;
        }
        let mut handler = inner.handler.lock().unwrap_or_else(PoisonError::into_inner);
        *inner.running() = Some(thread::current().id());
        if catch_unwind(AssertUnwindSafe(|| event(&mut **handler))).is_err() {
            inner.broken.store(true, Ordering::Relaxed);
        }
        *inner.running() = None;
    }

    /// Logs a line, if its level is wanted; the text is made only then.
    pub fn log<T: AsRef<str>>(&self, level: LogLevel, kind: LogType, message: impl FnOnce() -> T) {
        if self.logs(level) {
            let message = message();
            self.tell(|handler| handler.on_log(&LogEntry { level, kind, message: message.as_ref() }));
        }
    }

    /// The whole of a request's body went out: the three events of it.
    pub fn sent(&self, bytes: u64) {
        let direction = Direction::Sent;
        self.tell(|handler| {
            handler.on_start_transfer(direction);
            handler.on_transfer(&Transfer { direction, bytes, total: Some(bytes), text: &[] });
            handler.on_end_transfer(direction);
        });
    }

    /// A part of a response's body came in.
    pub fn received(&self, text: &[u8], bytes: u64, total: Option<u64>) {
        self.tell(|handler| {
            handler.on_transfer(&Transfer { direction: Direction::Received, bytes, total, text });
        });
    }

    /// A response's head came: its first line, and each of its headers.
    pub fn head(&self, version: Version, status: StatusCode, headers: &http::HeaderMap) {
        self.tell(|handler| {
            handler.on_status(version, status);
            for (name, value) in headers {
                handler.on_header(name, value);
            }
        });
    }

    /// A browser is about to be opened; the answer is the same launch, or what the handler makes of it.
    #[must_use]
    pub fn launch_browser(&self, launch: BrowserLaunch) -> BrowserLaunch {
        let mut decided = launch;
        self.tell(|handler| {
            // A handler that panics half way has changed nothing.
            let mut changed = decided.clone();
            handler.on_launch_browser(&mut changed);
            decided = changed;
        });
        decided
    }

    /// The browser came back; what it is to be shown is set as the handler wants it.
    pub fn return_url(&self, back: &mut BrowserReturn<'_>) {
        self.tell(|handler| {
            let mut changed = back.clone();
            handler.on_return_url(&mut changed);
            *back = changed;
        });
    }

    /// Asks about a server's certificate; the answer is what the checks say, or what the handler makes of it.
    #[must_use]
    pub fn decide(&self, certificate: &ServerCertificate<'_>, recommended: bool) -> Decision {
        let word = |accept| if accept { Decision::Accepted } else { Decision::Refused };
        let mut decision = None;
        self.tell(|handler| {
            let mut accept = recommended;
            handler.on_ssl_server_authentication(certificate, &mut accept);
            decision = Some(if handler.is_gone() { Decision::Unjudged } else { word(accept) });
        });
        decision.unwrap_or_else(|| if self.may_refuse() { Decision::Unjudged } else { word(recommended) })
    }
}

impl<'a> ServerCertificate<'a> {
    /// A certificate without its chain; the fields can be set afterwards.
    #[must_use]
    pub const fn new(host: &'a str, der: &'a [u8], status: &'a str) -> Self {
        Self { host, der, chain: &[], subject: "", issuer: "", status }
    }
}

impl<'a> CookieSet<'a> {
    /// A cookie without attributes; the fields can be set afterwards.
    #[must_use]
    pub const fn new(name: &'a str, value: &'a str) -> Self {
        Self {
            name,
            value,
            expires: "",
            domain: "",
            path: "/",
            secure: false,
            http_only: false,
            same_site: "",
        }
    }
}

impl Inner {
    fn running(&self) -> std::sync::MutexGuard<'_, Option<ThreadId>> {
        self.running_on.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_active() { "EventSink(to a handler)" } else { "EventSink(nowhere)" })
    }
}
