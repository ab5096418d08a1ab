//! One call as a machine: a request goes in, hops come out, and their responses go in, until there is a response.

use super::headers;
use super::redirect::{Blueprint, Next};
use super::settings::{Recording, SessionSettings};
use super::transcript::{Hop, Secrets, Transcript, secrets};
use crate::Cause;
use crate::events::{EventSink, LogLevel, LogType};
use http::header::{AUTHORIZATION, IF_MODIFIED_SINCE};
use http::{HeaderMap, HeaderValue, Method};
use oauth_core::{Delivered, Purpose, Request, Response, Unreachable, UnreachableKind};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a session remembers from one call to the next.
#[derive(Default)]
pub struct Memory(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    #[cfg(feature = "cookies")]
    jar: super::cookies::Jar,
    transcript: Transcript,
}

impl Memory {
    /// What went over the wire with the call that ended last; empty where nothing is
    /// [recorded](SessionSettings::recording).
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        self.locked().transcript.clone()
    }

    /// The cookies there are: those that responses set, and those that were added.
    #[cfg(feature = "cookies")]
    #[must_use]
    pub fn cookies(&self) -> Vec<super::Cookie> {
        self.locked().jar.all()
    }

    /// The cookies that responses set.
    #[cfg(feature = "cookies")]
    #[must_use]
    pub fn received_cookies(&self) -> Vec<super::Cookie> {
        self.locked().jar.received()
    }

    /// Forgets the cookies that were [added](Self::add_cookie), and keeps those that responses set.
    #[cfg(feature = "cookies")]
    pub fn forget_added_cookies(&self) {
        self.locked().jar.forget_added();
    }

    /// Adds a cookie for every request to the origin of this URL. Says whether it is one: a name and a value that a header
    /// can carry.
    #[cfg(feature = "cookies")]
    #[must_use]
    pub fn add_cookie(&self, url: &url::Url, name: &str, value: &str) -> bool {
        self.locked().jar.add(url.origin(), name, value)
    }

    /// Forgets every cookie.
    #[cfg(feature = "cookies")]
    pub fn clear_cookies(&self) {
        self.locked().jar.clear();
    }

    /// Whether no request would be different for it.
    pub(super) fn is_empty(&self) -> bool {
        #[cfg(feature = "cookies")]
        let empty = self.locked().jar.is_empty();
        #[cfg(not(feature = "cookies"))]
        let empty = true;
        empty
    }

    fn locked(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// What a driver has to do next.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a driver that passes over one is wrong")]
pub enum Step {
    /// Send this, once, and give what came to [`Exchange::handle`].
    Send(Request),
    /// It is over.
    Done(Result<Response, Unreachable>),
}

/// What an engine adds to a request, for the transcript; see [`Transport::added_headers`](crate::Transport::added_headers).
pub type AddedHeaders<'a> = dyn Fn(&Request) -> HeaderMap + Sync + 'a;

/// One call of a session, without I/O. [`Session`](super::Session) drives it over a transport; so can anybody.
pub struct Exchange<'a> {
    settings: Arc<SessionSettings>,
    memory: Arc<Memory>,
    events: EventSink,
    added: &'a AddedHeaders<'a>,
    state: State,
    redirects: u32,
    max_body: usize,
    /// What the transcript must not show; gathered before the body is compressed.
    secrets: Secrets,
    transcript: Transcript,
}

enum State {
    /// A hop is to be sent.
    Ready(Box<Request>),
    /// A hop is on its way.
    Sent(Box<Blueprint>),
    /// The call is over, and its result is to be had once.
    Over(Option<Result<Response, Unreachable>>),
}

impl<'a> Exchange<'a> {
    /// A call that sends this request.
    #[must_use]
    pub fn new(
        settings: Arc<SessionSettings>,
        memory: Arc<Memory>,
        events: EventSink,
        added: &'a AddedHeaders<'a>,
        request: Request,
    ) -> Self {
        let max_body = settings.max_body.unwrap_or_else(|| request.max_body());
        let mut exchange = Self {
            settings,
            memory,
            events,
            added,
            state: State::Over(None),
            redirects: 0,
            max_body,
            secrets: Secrets::default(),
            transcript: Transcript::default(),
        };
        let request = exchange.first(request);
        exchange.state = State::Ready(Box::new(request));
        exchange
    }

    /// What to do next. A call whose hop was not answered yet, or whose result was had, fails.
    pub fn poll(&mut self) -> Step {
        match std::mem::replace(&mut self.state, State::Over(None)) {
            State::Ready(request) => {
                let request = self.hop(*request);
                self.state = State::Sent(Box::new(Blueprint::of(&request)));
                Step::Send(request)
            }
            State::Over(Some(result)) => {
                if self.settings.recording != Recording::Nothing {
                    self.memory.locked().transcript = std::mem::take(&mut self.transcript);
                }
                Step::Done(result)
            }
            State::Sent(_) | State::Over(None) => {
                Step::Done(Err(Unreachable::new(UnreachableKind::Other, Delivered::Unknown).because(
                    Cause::new(
                        "the call was asked for more than it has; answer its hop before it is asked again",
                    ),
                )))
            }
        }
    }

    /// Takes the outcome of the hop that was sent. Ignored where none was.
    pub fn handle(&mut self, outcome: Result<Response, Unreachable>) {
        let blueprint = match std::mem::replace(&mut self.state, State::Over(None)) {
            State::Sent(blueprint) => blueprint,
            other => {
                self.state = other;
                return;
            }
        };
        self.state = match outcome {
            Ok(response) => self.answered(response, &blueprint),
            Err(error) => State::Over(Some(Err(error))),
        };
    }

    /// What is added to a request once, before its first hop.
    fn first(&mut self, request: Request) -> Request {
        let settings = Arc::clone(&self.settings);
        let mut request = headers::replace(request.with_max_body(self.max_body), settings.headers.lines());
        let authenticates =
            !matches!(request.purpose(), Purpose::Discovery | Purpose::Keys | Purpose::Resource);
        if let Some(value) = settings.authorization.as_ref().filter(|_| authenticates) {
            let mut value = value.clone();
            value.set_sensitive(true);
            request = request.with_header_replaced(AUTHORIZATION, value);
        }
        if self.records() {
            self.secrets = secrets(&request);
        }
        #[cfg(feature = "compression")]
        if settings.compress_requests && !request.body().is_empty() {
            let body = oauth_core::SecretBytes::new(super::encoding::gzip(request.body()));
            request = request
                .with_body(body)
                .with_header_replaced(http::header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        request
    }

    /// Whether somebody wants to see what goes over the wire.
    fn records(&self) -> bool {
        self.settings.recording != Recording::Nothing || self.events.logs(LogLevel::Verbose)
    }

    /// What is added to each hop, and is of that hop's server.
    fn hop(&mut self, request: Request) -> Request {
        let settings = Arc::clone(&self.settings);
        let mut request = request;
        if *request.method() == Method::GET
            && let Some(moment) = settings.if_modified_since
            && let Ok(value) = HeaderValue::from_str(&httpdate::fmt_http_date(writable(moment)))
        {
            request = request.with_header_replaced(IF_MODIFIED_SINCE, value);
        }
        #[cfg(feature = "compression")]
        if !settings.accept_encodings.is_empty()
            && let Ok(value) = HeaderValue::from_str(&super::encoding::accept(&settings.accept_encodings))
        {
            request = request.with_header_replaced(http::header::ACCEPT_ENCODING, value);
        }
        #[cfg(feature = "cookies")]
        if let Some(value) = self.memory.locked().jar.header(request.endpoint().url()) {
            request = request.with_header_replaced(http::header::COOKIE, value);
        }
        if self.records() {
            let whole = settings.recording == Recording::Everything;
            let hop = Hop::sent(&request, &(self.added)(&request), Arc::clone(&self.secrets), whole);
            let shown = settings.dangerously_log_secrets;
            self.events.log(LogLevel::Verbose, LogType::RequestHeaders, || hop.request_head(shown));
            self.events.log(LogLevel::Debug, LogType::RequestBody, || {
                super::transcript::body(request.body(), request.purpose(), shown)
            });
            self.transcript.push(hop);
        }
        request
    }

    fn answered(&mut self, response: Response, blueprint: &Blueprint) -> State {
        self.cookies(&response, blueprint);
        let response = match self.decoded(response) {
            Ok(response) => response,
            Err(error) => return State::Over(Some(Err(error))),
        };
        self.record(&response);
        match blueprint.next(&response, self.settings.redirects, self.settings.get_on_302) {
            Next::Here => State::Over(Some(Ok(response))),
            Next::There { location, request, wanted } => {
                let mut accept = wanted && request.is_ok();
                self.events.tell(|handler| handler.on_redirect(&location, &mut accept));
                match request {
                    Ok(request) if accept => self.redirected(request),
                    Ok(_) => State::Over(Some(Ok(response))),
                    Err(why) => {
                        let shown = location.host_str().unwrap_or_default();
                        self.events.log(LogLevel::Info, LogType::Info, || {
                            format!("the redirect to {shown} was not followed: {why}")
                        });
                        State::Over(Some(Ok(response)))
                    }
                }
            }
        }
    }

    fn redirected(&mut self, request: Box<Request>) -> State {
        if self.redirects >= self.settings.max_redirects {
            let text = format!("it was redirected more than {} times", self.settings.max_redirects);
            return State::Over(Some(Err(
                Unreachable::new(UnreachableKind::Other, Delivered::Unknown).because(Cause::new(text))
            )));
        }
        self.redirects += 1;
        State::Ready(request)
    }

    #[cfg_attr(not(feature = "cookies"), expect(clippy::unused_self, reason = "the feature uses it"))]
    fn cookies(&self, response: &Response, blueprint: &Blueprint) {
        #[cfg(not(feature = "cookies"))]
        let _ = (response, blueprint);
        #[cfg(feature = "cookies")]
        for line in response.headers().get_all(http::header::SET_COOKIE) {
            let Ok(line) = line.to_str() else { continue };
            if self.events.is_active() {
                super::cookies::read(line, |cookie| {
                    self.events.tell(|handler| handler.on_set_cookie(cookie))
                });
            }
            if self.settings.keep_cookies {
                self.memory.locked().jar.keep(line, blueprint.endpoint.url());
            }
        }
    }

    #[cfg(feature = "compression")]
    fn decoded(&self, response: Response) -> Result<Response, Unreachable> {
        use super::encoding::{Undecodable, decode};
        use http::header::CONTENT_ENCODING;
        // What was not asked for stays as it is: whoever reads it finds no JSON, and says so.
        if self.settings.accept_encodings.is_empty() || !response.headers().contains_key(CONTENT_ENCODING) {
            return Ok(response);
        }
        let encodings: Vec<_> = response
            .headers()
            .get_all(CONTENT_ENCODING)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        match decode(response.body(), &encodings.join(","), self.max_body) {
            Ok(None) => Ok(response),
            Ok(Some(mut decoded)) => {
                let mut plain = http::Response::new(std::mem::take(&mut *decoded));
                *plain.version_mut() = response.version();
                *plain.status_mut() = response.status();
                *plain.headers_mut() = response.headers().clone();
                Ok(plain.into())
            }
            Err(why) => {
                let kind = match why {
                    Undecodable::TooLarge => UnreachableKind::TooLarge,
                    _ => UnreachableKind::NotHttp,
                };
                Err(Unreachable::new(kind, Delivered::Unknown)
                    .because(Cause::new(format!("its body cannot be read: {why}"))))
            }
        }
    }

    #[cfg(not(feature = "compression"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the feature uses them")]
    const fn decoded(&self, response: Response) -> Result<Response, Unreachable> {
        Ok(response)
    }

    fn record(&mut self, response: &Response) {
        let shown = self.settings.dangerously_log_secrets;
        let Some(hop) = self.transcript.last_mut() else { return };
        hop.answered(response);
        self.events.log(LogLevel::Verbose, LogType::ResponseHeaders, || hop.response_head(shown));
        self.events.log(LogLevel::Debug, LogType::ResponseBody, || hop.response_body(shown));
    }
}

/// The same moment, or the nearest that HTTP can write: the years 1970 to 9999.
fn writable(moment: SystemTime) -> SystemTime {
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    UNIX_EPOCH + moment.duration_since(UNIX_EPOCH).unwrap_or_default().min(LAST)
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("redirects", &self.redirects).finish_non_exhaustive()
    }
}
