//! The component's events: to one handler, with a say, and to observers, without.
//!
//! A relay stands between the transport and them. It keeps what the properties show of the events (the server's certificate,
//! the bytes that came), and where the handler is served by `do_events`, it keeps what the handler has no say in until then.

use super::lock;
use super::values::Secret;
use http::{HeaderName, HeaderValue, StatusCode, Version};
use oauth_transport::session::redacted_header;
use oauth_transport::{
    BrowserLaunch, BrowserReturn, ConnectionStatus, CookieSet, Direction, EventHandler, EventSink, LogEntry,
    LogLevel, LogType, Outcome, ServerCertificate, Transfer,
};
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread::{self, ThreadId};
use url::Url;

/// How many events wait for `do_events` at most; the oldest go first.
const MOST_QUEUED: usize = 10_000;

/// Something that happened, for whoever only looks on. No secret is in it, but in the log where
/// [`set_dangerously_log_secrets`](super::OAuth::set_dangerously_log_secrets) wants them there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// `on_connected`: a connection stands, or could not be made for this reason.
    Connected(Option<String>),
    /// `on_connection_status`: a step on the way to a connection, or its end.
    ConnectionStatus(ConnectionStatus, Option<String>),
    /// `on_disconnected`: a connection is gone.
    Disconnected(Option<String>),
    /// `on_start_transfer`: a body is about to move.
    StartTransfer(Direction),
    /// `on_transfer`: so many bytes of a body have moved, of so many, where that is known.
    Transfer(Direction, u64, Option<u64>),
    /// `on_end_transfer`: the last byte of a body has moved.
    EndTransfer(Direction),
    /// `on_error`: a request fails.
    Error(String),
    /// `on_header`: a line of a response's head; what may be a credential of its value is `[redacted]`.
    Header(HeaderName, String),
    /// `on_launch_browser`: a browser is about to be opened by this command.
    LaunchBrowser(String),
    /// `on_log`: something for the log.
    Log(LogLevel, LogType, String),
    /// `on_redirect`: the server sends the request to this origin, and whether it may go there.
    Redirect(String, bool),
    /// `on_return_url`: the browser came back to this path; the names of what it brought, without the values.
    ReturnUrl(String, String),
    /// `on_set_cookie`: a response sets a cookie of this name, for this domain.
    SetCookie(String, String),
    /// `on_ssl_server_authentication`: a server shows a certificate of this subject, by this issuer, of this status, and whether it
    /// is accepted.
    SslServerAuthentication(String, String, String, bool),
    /// `on_ssl_status`: how a TLS handshake goes.
    SslStatus(String),
    /// `on_status`: the first line of a response.
    Status(Version, StatusCode),
}

/// What the properties show of the events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    /// The port on this machine of the last connection.
    pub(crate) local_port: Option<u16>,
    pub(crate) server_certificate: Option<Vec<u8>>,
    pub(crate) bytes_received: u64,
    /// The code that the browser brought to the embedded web server. It is spent.
    pub(crate) authorization_code: Option<Secret>,
}

/// Where the component's events come together.
#[derive(Clone, Default)]
pub(crate) struct Hub(Arc<Inner>);

#[derive(Default)]
struct Inner {
    handler: Mutex<Place>,
    /// Whether a handler was set since an engine asked.
    is_new: AtomicBool,
    /// Held while the handler is called: it hears one event at a time.
    turn: Mutex<()>,
    /// The thread on which it is called.
    inside: Mutex<Option<ThreadId>>,
    observers: Mutex<Vec<Sender<Event>>>,
    queue: Mutex<Queue>,
    seen: Mutex<Seen>,
}

/// Where the handler is.
#[derive(Default)]
enum Place {
    /// None was ever set.
    #[default]
    Empty,
    Here(Box<dyn EventHandler>),
    /// Out of its place while it is called, so that it can be replaced from inside itself.
    Called,
    /// It panicked. It might have refused certificates, so that nobody accepts any in its stead.
    Gone,
}

/// What the handler has not heard yet.
#[derive(Default)]
struct Queue {
    waits_for_do_events: bool,
    events: VecDeque<Kept>,
}

/// An event that the handler has no say in: what it is called with.
type Kept = Box<dyn FnOnce(&mut dyn EventHandler) + Send>;

impl Hub {
    /// The sink that a transport tells. A handler may refuse certificates; it may accept bad ones where it `accepts`.
    pub(crate) fn sink(&self, level: LogLevel, accepts: bool) -> EventSink {
        let relay = Relay { hub: self.clone(), accepts, could_ask: true };
        // Observers have no say: where they are alone, nothing is lost by a session that is taken up without a certificate.
        if matches!(*lock(&self.0.handler), Place::Empty) {
            EventSink::onlooker(relay, level)
        } else {
            EventSink::new(relay, level)
        }
    }

    pub(crate) fn set_handler(&self, handler: Box<dyn EventHandler>) {
        let before = std::mem::replace(&mut *lock(&self.0.handler), Place::Here(handler));
        self.0.is_new.store(true, Ordering::Release);
        drop(before);
    }

    /// Whether a handler was set since this was asked last: connections and sessions of before it has not seen.
    pub(crate) fn take_new(&self) -> bool {
        self.0.is_new.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn observe(&self) -> Receiver<Event> {
        let (sender, receiver) = channel();
        lock(&self.0.observers).push(sender);
        receiver
    }

    pub(crate) fn set_queued(&self, queued: bool) {
        lock(&self.0.queue).waits_for_do_events = queued;
        if !queued {
            // Nothing is lost when the way is changed.
            self.run_queue();
        }
    }

    /// Tells the handler what has waited; nothing from inside itself.
    fn run_queue(&self) {
        if let Some(turn) = self.turn() {
            self.tell_all(&turn);
        }
    }

    /// Tells the handler what has waited, and says how much that was: nothing while it is called on another thread, which may wait
    /// for what this one does next.
    pub(crate) fn run_queue_now(&self) -> usize {
        match self.0.turn.try_lock() {
            Ok(turn) => self.tell_all(&turn),
            Err(TryLockError::Poisoned(turn)) => self.tell_all(&turn.into_inner()),
            Err(TryLockError::WouldBlock) => 0,
        }
    }

    fn tell_all(&self, _turn: &MutexGuard<'_, ()>) -> usize {
        let mut count = 0;
        while let Some(event) = self.next() {
            self.call(event);
            count += 1;
        }
        count
    }

    pub(crate) fn seen(&self) -> Seen {
        lock(&self.0.seen).clone()
    }

    pub(crate) fn forget(&self) {
        *lock(&self.0.seen) = Seen::default();
        let untold = std::mem::take(&mut lock(&self.0.queue).events);
        drop(untold);
    }

    pub(crate) fn forget_code(&self) {
        lock(&self.0.seen).authorization_code = None;
    }

    fn next(&self) -> Option<Kept> {
        lock(&self.0.queue).events.pop_front()
    }

    /// Now, or when `do_events` is called.
    fn tell(&self, event: impl FnOnce(&mut dyn EventHandler) + Send + 'static) {
        let waits = {
            let mut queue = lock(&self.0.queue);
            if queue.events.len() >= MOST_QUEUED {
                queue.events.pop_front();
            }
            queue.events.push_back(Box::new(event));
            queue.waits_for_do_events
        };
        if !waits {
            self.run_queue();
        }
    }

    /// Asks the handler, now. What it makes of the question counts unless it panics half way. Says whether it answered, or there
    /// was never one.
    fn ask<T: Clone>(&self, question: &mut T, event: impl FnOnce(&mut dyn EventHandler, &mut T)) -> bool {
        let Some(_turn) = self.turn() else { return false };
        let mut answer = question.clone();
        let has_answered = self.call(|handler| event(handler, &mut answer));
        if has_answered {
            *question = answer;
        }
        has_answered || matches!(*lock(&self.0.handler), Place::Empty)
    }

    /// The right to call the handler; `None` from inside it, which would wait for itself.
    fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        let is_inside = *lock(&self.0.inside) == Some(thread::current().id());
        (!is_inside).then(|| lock(&self.0.turn))
    }

    /// Calls the handler, whose turn it is, and says whether it came back. One that panics is not called again.
    fn call(&self, event: impl FnOnce(&mut dyn EventHandler)) -> bool {
        let mut handler = {
            let mut place = lock(&self.0.handler);
            match std::mem::replace(&mut *place, Place::Called) {
                Place::Here(handler) => handler,
                other => {
                    *place = other;
                    return false;
                }
            }
        };
        *lock(&self.0.inside) = Some(thread::current().id());
        let came_back = catch_unwind(AssertUnwindSafe(|| event(&mut *handler))).is_ok();
        *lock(&self.0.inside) = None;
        let mut place = lock(&self.0.handler);
        // Another one may have taken its place meanwhile.
        if matches!(*place, Place::Called) {
            *place = if came_back { Place::Here(handler) } else { Place::Gone };
        }
        came_back
    }

    fn show(&self, event: impl FnOnce() -> Event) {
        let mut observers = lock(&self.0.observers);
        if !observers.is_empty() {
            let event = event();
            observers.retain(|observer| observer.send(event.clone()).is_ok());
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hub")
    }
}

/// What the transport tells, handed on.
struct Relay {
    hub: Hub,
    /// Whether the handler may accept certificates that the checks refuse.
    accepts: bool,
    /// Whether the handler could be asked about the last certificate, where there is one.
    could_ask: bool,
}

impl Relay {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.hub.0.seen)
    }
}

impl EventHandler for Relay {
    fn on_connected(&mut self, outcome: &Outcome<'_>) {
        let why = reason(outcome);
        if why.is_none() {
            self.seen().connections += 1;
        }
        self.hub.show(|| Event::Connected(why.as_ref().map(Told::to_string)));
        self.hub.tell(move |handler| with_outcome(why.as_ref(), |outcome| handler.on_connected(outcome)));
    }

    fn on_local_address(&mut self, address: SocketAddr) {
        self.seen().local_port = Some(address.port());
        self.hub.tell(move |handler| handler.on_local_address(address));
    }

    fn on_connection_status(&mut self, status: ConnectionStatus, outcome: &Outcome<'_>) {
        let why = reason(outcome);
        self.hub.show(|| Event::ConnectionStatus(status, why.as_ref().map(Told::to_string)));
        self.hub.tell(move |handler| {
            with_outcome(why.as_ref(), |outcome| handler.on_connection_status(status, outcome));
        });
    }

    fn on_disconnected(&mut self, outcome: &Outcome<'_>) {
        let why = reason(outcome);
        {
            let mut seen = self.seen();
            seen.connections = seen.connections.saturating_sub(1);
        }
        self.hub.show(|| Event::Disconnected(why.as_ref().map(Told::to_string)));
        self.hub.tell(move |handler| with_outcome(why.as_ref(), |outcome| handler.on_disconnected(outcome)));
    }

    fn on_start_transfer(&mut self, direction: Direction) {
        self.hub.show(|| Event::StartTransfer(direction));
        self.hub.tell(move |handler| handler.on_start_transfer(direction));
    }

    fn on_transfer(&mut self, transfer: &Transfer<'_>) {
        let (direction, bytes, total) = (transfer.direction, transfer.bytes, transfer.total);
        if direction == Direction::Received {
            self.seen().bytes_received = bytes;
        }
        self.hub.show(|| Event::Transfer(direction, bytes, total));
        let text = oauth_core::SecretBytes::new(transfer.text);
        self.hub
            .tell(move |handler| handler.on_transfer(&Transfer::new(direction, bytes, total, text.expose())));
    }

    fn on_end_transfer(&mut self, direction: Direction) {
        self.hub.show(|| Event::EndTransfer(direction));
        self.hub.tell(move |handler| handler.on_end_transfer(direction));
    }

    fn on_error(&mut self, error: &(dyn Error + 'static)) {
        let told = Told::of(error);
        self.hub.show(|| Event::Error(told.to_string()));
        self.hub.tell(move |handler| handler.on_error(&told));
    }

    fn on_header(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.hub.show(|| Event::Header(name.clone(), redacted_header(name, value)));
        let (name, value) = (name.clone(), value.clone());
        self.hub.tell(move |handler| handler.on_header(&name, &value));
    }

    fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {
        let _either = self.hub.ask(launch, |handler, launch| handler.on_launch_browser(launch));
        self.hub.show(|| Event::LaunchBrowser(launch.command.clone()));
    }

    fn on_log(&mut self, entry: &LogEntry<'_>) {
        let (level, kind, message) = (entry.level, entry.kind, entry.message.to_owned());
        self.hub.show(|| Event::Log(level, kind, message.clone()));
        self.hub.tell(move |handler| handler.on_log(&LogEntry::new(level, kind, &message)));
    }

    fn on_redirect(&mut self, location: &Url, accept: &mut bool) {
        let _either = self.hub.ask(accept, |handler, accept| handler.on_redirect(location, accept));
        self.hub.show(|| Event::Redirect(location.origin().ascii_serialization(), *accept));
    }

    fn on_return_url(&mut self, back: &mut BrowserReturn<'_>) {
        let mut brought = url::form_urlencoded::parse(back.expose_query().as_bytes());
        self.seen().authorization_code =
            brought.find(|(name, _)| name == "code").map(|(_, code)| Secret::new(code));
        let _either = self.hub.ask(back, |handler, back| handler.on_return_url(back));
        self.hub.show(|| Event::ReturnUrl(back.path.to_owned(), back.query()));
    }

    fn on_set_cookie(&mut self, cookie: &CookieSet<'_>) {
        self.hub.show(|| Event::SetCookie(cookie.name.to_owned(), cookie.domain.to_owned()));
        let kept = oauth_core::Password::new(cookie.value);
        let texts =
            [cookie.name, cookie.expires, cookie.domain, cookie.path, cookie.same_site].map(str::to_owned);
        let (secure, http_only) = (cookie.secure, cookie.http_only);
        self.hub.tell(move |handler| {
            let [name, expires, domain, path, same_site] = &texts;
            let mut cookie = CookieSet::new(name, kept.expose());
            (cookie.expires, cookie.domain, cookie.path, cookie.same_site) =
                (expires, domain, path, same_site);
            (cookie.secure, cookie.http_only) = (secure, http_only);
            handler.on_set_cookie(&cookie);
        });
    }

    fn on_ssl_server_authentication(&mut self, certificate: &ServerCertificate<'_>, accept: &mut bool) {
        self.seen().server_certificate = Some(certificate.der.to_vec());
        let mut word = *accept;
        self.could_ask = self
            .hub
            .ask(&mut word, |handler, accept| handler.on_ssl_server_authentication(certificate, accept));
        *accept = self.could_ask && word && (*accept || self.accepts);
        self.hub.show(|| {
            let [subject, issuer, status] =
                [certificate.subject, certificate.issuer, certificate.status].map(str::to_owned);
            Event::SslServerAuthentication(subject, issuer, status, *accept)
        });
    }

    fn is_gone(&self) -> bool {
        !self.could_ask
    }

    fn on_ssl_status(&mut self, message: &str) {
        self.hub.show(|| Event::SslStatus(message.to_owned()));
        let message = message.to_owned();
        self.hub.tell(move |handler| handler.on_ssl_status(&message));
    }

    fn on_status(&mut self, version: Version, status: StatusCode) {
        // A response without a body tells of no transfer.
        self.seen().bytes_received = 0;
        self.hub.show(|| Event::Status(version, status));
        self.hub.tell(move |handler| handler.on_status(version, status));
    }
}

/// An error in its own words, with the system's number, where it had one.
#[derive(Clone, Debug)]
struct Told {
    text: String,
    system: Option<Arc<std::io::Error>>,
}

impl Told {
    fn of(error: &(dyn Error + 'static)) -> Self {
        let mut source = Some(error);
        let mut system = None;
        while let Some(error) = source {
            if let Some(number) = error.downcast_ref().and_then(std::io::Error::raw_os_error) {
                system = Some(Arc::new(std::io::Error::from_raw_os_error(number)));
            }
            source = error.source();
        }
        Self { text: error.to_string(), system }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.system.as_deref().map(|error| error as _)
    }
}

fn reason(outcome: &Outcome<'_>) -> Option<Told> {
    match outcome {
        Outcome::Failed(error) => Some(Told::of(*error)),
        _ => None,
    }
}

fn with_outcome(why: Option<&Told>, tell: impl FnOnce(&Outcome<'_>)) {
    match why {
        None => tell(&Outcome::Ok),
        Some(told) => tell(&Outcome::Failed(told)),
    }
}
