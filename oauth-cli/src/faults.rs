//! `oauth demo --fault`: what goes wrong on the way, how it is brought about, and what is said of it.

use crate::args::Fault;
use crate::exit::Problem;
use crate::network::Wire;
use crate::report::Report;
use oauth::transport::{BrowserReturn, EventHandler, EventSink, LogEntry, LogLevel};
use oauth_testserver::{Browser, Builder, Endpoint, Fault as ServerFault};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// Longer than the browser is held for the end of the login.
const SLOW: Duration = Duration::from_secs(6);

impl Fault {
    /// What the server does of it.
    pub(crate) fn at(self, server: Builder, device: bool) -> Result<Builder, Problem> {
        let endpoint = if device { Endpoint::Device } else { Endpoint::Authorize };
        Ok(match self {
            Self::Denied => server.fault_once(endpoint, ServerFault::Denied),
            Self::Expired if device => server.device_code_lifetime(Duration::from_secs(2)),
            Self::Expired => server.code_lifetime(Duration::ZERO),
            Self::Slow => server.fault_once(Endpoint::Token, ServerFault::Slow(SLOW)),
            _ if device => {
                return Err(Problem::usage(
                    "this fault happens in the browser that comes back here",
                    "leave out --device",
                ));
            }
            Self::WrongState => server.fault_once(Endpoint::Authorize, ServerFault::WrongState),
            Self::WrongIss => server.fault_once(Endpoint::Authorize, ServerFault::WrongIssuer),
            Self::Duplicate | Self::Prefetch | Self::Favicon | Self::HttpsUpgrade => server,
        })
    }

    /// What a person should look out for.
    pub(crate) const fn story(self) -> &'static str {
        match self {
            Self::Denied => "the server will refuse, whatever you agree to",
            Self::WrongState => {
                "the first answer will carry the state of another login: it is noted and waited over; open the address again"
            }
            Self::WrongIss => "the answer will come in another server's name, and no code is sent anywhere",
            Self::Duplicate => "the browser will bring its answer twice, and it is used once",
            Self::Prefetch => "the browser will fetch the callback ahead, and that uses nothing up",
            Self::Favicon => "the browser will ask for an icon first, and that is no answer",
            Self::Slow => {
                "the token takes its time, and the page does not say that you are signed in before you are"
            }
            Self::Expired => "what you agree to will be too old when it is used",
            Self::HttpsUpgrade => {
                "the browser will make https of the callback's address, and that is told apart"
            }
        }
    }

    /// How often a pretend person has to sign in.
    pub(crate) const fn attempts(self) -> usize {
        if matches!(self, Self::WrongState) { 2 } else { 1 }
    }

    /// What a browser does at the listener before the person has signed in.
    pub(crate) fn before(self, redirect_uri: &Url, report: &Report) {
        let told = match self {
            Self::Prefetch => {
                status_of(redirect_uri, "/callback?code=c&state=s", "Sec-Purpose: prefetch\r\n").map(
                    |status| {
                        format!("a prefetch of the callback was answered with {status}, and used nothing up")
                    },
                )
            }
            Self::Favicon => status_of(redirect_uri, "/favicon.ico", "").map(|status| {
                format!("a request for an icon was answered with {status}, and the wait goes on")
            }),
            Self::HttpsUpgrade => hello(redirect_uri).map(|()| {
                "a TLS handshake on the plain port was turned away, and the wait goes on".to_owned()
            }),
            _ => return,
        };
        tell(report, told);
    }

    /// Where to hear of the browser, for what it does after it has come back.
    pub(crate) fn events(self, report: &Report) -> Option<(EventSink, Again)> {
        if self != Self::Duplicate {
            return None;
        }
        let again = Again { redirect_uri: Arc::default(), report: report.clone() };
        let level = if report.tells_wire() { LogLevel::Debug } else { LogLevel::None };
        Some((EventSink::onlooker(again.clone(), level), again))
    }
}

/// Brings the same answer a second time.
#[derive(Clone)]
pub(crate) struct Again {
    redirect_uri: Arc<Mutex<Option<Url>>>,
    report: Report,
}

impl Again {
    pub(crate) fn at(&self, redirect_uri: &Url) {
        *self.redirect_uri.lock().unwrap_or_else(PoisonError::into_inner) = Some(redirect_uri.clone());
    }
}

impl EventHandler for Again {
    fn on_log(&mut self, entry: &LogEntry<'_>) {
        Wire(self.report.clone()).on_log(entry);
    }

    fn on_return_url(&mut self, back: &mut BrowserReturn<'_>) {
        let redirect_uri = self.redirect_uri.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(redirect_uri) = redirect_uri else { return };
        let (target, report) = (format!("{}?{}", back.path, back.expose_query()), self.report.clone());
        std::thread::spawn(move || {
            let told = status_of(&redirect_uri, &target, "").map(|status| {
                format!(
                    "the same answer came again, was answered with {status}, and was not used a second time"
                )
            });
            tell(&report, told);
        });
    }
}

fn tell(report: &Report, told: io::Result<String>) {
    match told {
        Ok(told) => report.step("fault", told),
        Err(error) => report.note(format_args!("the fault did not come about: {error}")),
    }
}

fn connect(redirect_uri: &Url) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(SocketAddr::from((
        [127, 0, 0, 1],
        redirect_uri.port_or_known_default().unwrap_or_default(),
    )))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// The status that a GET of the listener is answered with.
fn status_of(redirect_uri: &Url, target: &str, headers: &str) -> io::Result<u16> {
    let mut stream = connect(redirect_uri)?;
    let host = redirect_uri.authority();
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let status = answer.get(9..12).and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
    status.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The beginning of a TLS handshake (RFC 8446 section 4.1.2), until it is turned away.
fn hello(redirect_uri: &Url) -> io::Result<()> {
    let mut stream = connect(redirect_uri)?;
    stream.write_all(&[0x16, 3, 1, 0, 4, 1, 0, 0, 0])?;
    match stream.read_to_end(&mut Vec::new()) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(()),
    }
}

/// A pretend person who clicks through the pages, as often as it takes.
pub(crate) fn sign_in(person: &str, url: &str, attempts: usize, report: &Report) {
    for _ in 0..attempts {
        match Browser::new().sign_in(person, url) {
            Ok(landing) => report.step(
                "browser",
                format_args!(
                    "{person} signs in and agrees; the last page says {}",
                    landing.status.unwrap_or_default()
                ),
            ),
            Err(error) => report.note(format_args!("the pretend browser got stuck: {error}")),
        }
    }
}
