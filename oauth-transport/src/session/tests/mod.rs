//! The session over a transport that is a list of answers.

#[cfg(feature = "compression")]
mod compressed;
#[cfg(feature = "cookies")]
mod kept;
mod redirected;
mod told;

use super::*;
use crate::{EventHandler, LogEntry, LogLevel};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use oauth_core::{Endpoint, OptOut, Policy, Purpose, SecretBytes};
use std::collections::VecDeque;
use std::future::ready;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use url::Url;

/// What was sent.
#[derive(Debug)]
struct Sent {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Vec<u8>,
    max_body: usize,
}

impl Sent {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Answers requests from a list, and notes them.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<Sent>>,
}

type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

impl Scripted {
    fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

impl Transport for Scripted {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        let (url, max_body) = (request.endpoint().url().to_string(), request.max_body());
        let (parts, body) = request.into_http().into_parts();
        self.sent.lock().unwrap().push(Sent {
            method: parts.method,
            url,
            headers: parts.headers,
            body,
            max_body,
        });
        let (status, headers, body) = self.answers.lock().unwrap().pop_front().expect("there is an answer");
        let mut response = http::Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().append(name, HeaderValue::from_str(&value).unwrap());
        }
        Box::pin(ready(Ok(response.into())))
    }

    fn name(&self) -> &'static str {
        "scripted"
    }

    fn added_headers(&self, _: &Request) -> HeaderMap {
        HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("as.example"))])
    }
}

fn session(settings: SessionSettings, answers: impl IntoIterator<Item = Answer>) -> Session<Scripted> {
    session_with(&EventSink::none(), settings, answers)
}

fn session_with(
    events: &EventSink,
    settings: SessionSettings,
    answers: impl IntoIterator<Item = Answer>,
) -> Session<Scripted> {
    let transport = Scripted { answers: Mutex::new(answers.into_iter().collect()), ..Scripted::default() };
    Session::new(transport, settings, events.clone())
}

fn send(session: &Session<Scripted>, request: Request) -> Result<Response, Unreachable> {
    let mut future = pin!(session.send(request));
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the answers are there"),
    }
}

fn ok(body: &str) -> Answer {
    (200, Vec::new(), body.as_bytes().to_vec())
}

fn endpoint(url: &str) -> Arc<Endpoint> {
    Arc::new(Endpoint::new(url, &Policy::strict().waive(OptOut::PlainHttpOnLoopback)).unwrap())
}

fn get(url: &str) -> Request {
    Request::get(Purpose::Discovery, endpoint(url))
}

fn post(url: &str) -> Request {
    Request::form(
        Purpose::Token,
        endpoint(url),
        SecretBytes::new(*b"grant_type=authorization_code&code=planted-code&client_id=c1"),
    )
}

fn secret(value: &'static str) -> HeaderValue {
    let mut value = HeaderValue::from_static(value);
    value.set_sensitive(true);
    value
}

#[test]
fn a_plain_session_changes_nothing() {
    let session =
        session(SessionSettings::new(), [ok("{}"), (302, vec![("location", "/x".to_owned())], vec![])]);
    let response = send(&session, post("https://as.example/token")).unwrap();
    assert_eq!((response.status().as_u16(), response.body()), (200, &b"{}"[..]));
    assert_eq!(send(&session, get("https://as.example/")).unwrap().status().as_u16(), 302);
    let sent = session.transport().sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].headers.len(), 2, "{sent:?}");
    assert_eq!(sent[0].max_body, 1 << 20);
    assert!(session.memory().transcript().hops().is_empty());
}

#[test]
fn headers_of_every_request_are_sent() {
    let mut settings = SessionSettings::new();
    settings.headers = ExtraHeaders::from_lines(
        "X-Tenant: 42\r\nx-api-key:\tplanted\r\n\r\nAccept: application/jwt\r\nx-tenant: 43",
    )
    .unwrap();
    settings.authorization = Some(HeaderValue::from_static("Verbatim planted"));
    settings.max_body = Some(5);
    let session = session(settings, [ok("{}")]);
    let request = post("https://as.example/token").with_header(AUTHORIZATION, secret("Basic x"));
    send(&session, request).unwrap();
    let sent = &session.transport().sent()[0];
    assert_eq!(sent.headers.get_all("x-tenant").iter().collect::<Vec<_>>(), ["42", "43"]);
    assert_eq!(sent.header("x-api-key"), Some("planted"));
    assert_eq!(sent.headers.get_all(ACCEPT).iter().collect::<Vec<_>>(), ["application/jwt"]);
    assert_eq!(sent.headers.get_all(AUTHORIZATION).iter().collect::<Vec<_>>(), ["Verbatim planted"]);
    assert!(sent.headers["authorization"].is_sensitive() && sent.headers["x-api-key"].is_sensitive());
    assert_eq!(sent.max_body, 5);
}

#[test]
fn lines_that_are_no_headers_of_every_request_are_refused_by_their_number() {
    for (lines, says) in [
        ("X: 1\r\nnonsense", "header line 2 cannot be sent: it has no colon"),
        ("a b: 1", "its name holds a character no name may hold"),
        (": 1", "its name holds a character no name may hold"),
        ("X: a\rb: c", "its value holds a character no value may hold"),
        ("X: \u{0}", "its value holds a character no value may hold"),
        ("Host: evil", "it frames the request"),
        ("content-length: 0", "it frames the request"),
        ("Transfer-Encoding: chunked", "it frames the request"),
        ("Authorization: Bearer planted", "an Authorization header is a setting of its own"),
        ("proxy-authorization: Basic planted", "a setting of the proxies"),
        ("Cookie: a=planted", "cookies are added to the session"),
        ("accept-encoding: br", "the encodings to ask for are a setting of their own"),
    ] {
        let error = ExtraHeaders::from_lines(lines).unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("planted"), "{lines:?}: {error}");
    }
    assert!(!format!("{:?}", ExtraHeaders::from_lines("X-Key: planted").unwrap()).contains("planted"));
}

#[test]
fn gets_ask_for_what_is_new_and_304_is_a_success() {
    let mut settings = SessionSettings::new();
    settings.if_modified_since = Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(784_111_777));
    let session = session(settings, [(304, vec![], vec![]), ok("{}")]);
    assert_eq!(send(&session, get("https://as.example/")).unwrap().status().as_u16(), 304);
    send(&session, post("https://as.example/token")).unwrap();
    let sent = session.transport().sent();
    assert_eq!(sent[0].header("if-modified-since"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(sent[1].header("if-modified-since"), None);
}

#[test]
fn a_moment_that_http_cannot_write_is_the_nearest_that_it_can() {
    use std::time::{Duration, UNIX_EPOCH};
    for (moment, written) in [
        (UNIX_EPOCH - Duration::from_secs(1), "Thu, 01 Jan 1970 00:00:00 GMT"),
        (UNIX_EPOCH + Duration::from_secs(1 << 40), "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] {
        let mut settings = SessionSettings::new();
        settings.if_modified_since = Some(moment);
        let session = session(settings, [ok("{}")]);
        send(&session, get("https://as.example/")).unwrap();
        assert_eq!(session.transport().sent()[0].header("if-modified-since"), Some(written));
    }
}

#[test]
fn responses_are_written_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("response");
    let mut settings = SessionSettings::new();
    settings.file = Some(ResponseFile::new(&path));
    let replacing = session(settings.clone(), [ok("first"), ok("2nd")]);
    for _ in 0..2 {
        send(&replacing, get("https://as.example/")).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "2nd");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    settings.file = Some(ResponseFile::new(&path).appending());
    send(&session(settings.clone(), [ok("+3")]), get("https://as.example/")).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "2nd+3");

    settings.file = Some(ResponseFile::new(folder.path()));
    let nowhere = session(settings, []);
    let error = send(&nowhere, get("https://as.example/")).unwrap_err();
    assert_eq!((error.kind, error.delivered), (UnreachableKind::Unsupported, Delivered::No));
    assert!(nowhere.transport().sent().is_empty(), "it is told before anything is sent");
}

#[test]
fn an_interrupt_ends_what_is_under_way_and_nothing_else() {
    struct Silent;
    impl Transport for Silent {
        fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
            Box::pin(std::future::pending())
        }
        fn name(&self) -> &'static str {
            "silent"
        }
    }
    for recording in [Recording::Nothing, Recording::Responses] {
        let mut settings = SessionSettings::new();
        settings.recording = recording;
        let session = Session::new(Silent, settings, EventSink::none());
        let mut context = Context::from_waker(Waker::noop());
        let mut call = session.send(get("https://as.example/"));
        assert!(call.as_mut().poll(&mut context).is_pending());
        let handle = session.interrupt().clone();
        std::thread::spawn(move || handle.raise()).join().unwrap();
        let Poll::Ready(Err(error)) = call.as_mut().poll(&mut context) else { panic!("it is over") };
        assert_eq!((error.kind, error.delivered), (UnreachableKind::Cancelled, Delivered::Unknown));
        let mut next = session.send(get("https://as.example/"));
        assert!(next.as_mut().poll(&mut context).is_pending(), "it began afterwards");
    }
}
