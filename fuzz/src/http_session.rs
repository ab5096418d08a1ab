//! Any responses in any order, into an HTTP session with any settings.

use arbitrary::Arbitrary;
use http::{HeaderMap, HeaderName, HeaderValue};
use oauth_core::{
    Delivered, Endpoint, OptOut, Policy, Purpose, Request, SecretBytes, Unreachable, UnreachableKind,
};
use oauth_transport::session::{Coding, Exchange, ExtraHeaders, Memory, Recording, Redirects, Step};
use oauth_transport::{EventSink, SessionSettings};
use std::sync::Arc;

/// Servers. The first two may share cookies; nobody else may.
const HOSTS: [&str; 6] = [
    "https://as.example",
    "https://login.as.example",
    "https://other.example",
    "https://a.github.io",
    "https://b.github.io",
    "http://127.0.0.1:8080",
];
const SECRET: &str = "planted-secret";

/// A session, and what is done to it.
#[derive(Arbitrary, Debug)]
pub struct Story<'a> {
    settings: Told,
    calls: Vec<Call<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Told {
    redirects: u8,
    max_redirects: u8,
    get_on_302: bool,
    header: bool,
    authorization: bool,
    max_body: Option<u16>,
    decodes: bool,
    compresses: bool,
    cookies: bool,
}

#[derive(Arbitrary, Debug)]
struct Call<'a> {
    host: u8,
    kind: Kind,
    operations: Vec<Operation<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Kind {
    Document,
    Token,
    Resource { bearer: bool },
    Post { bearer: bool },
}

#[derive(Arbitrary, Debug)]
enum Operation<'a> {
    Poll,
    Respond {
        status: u16,
        location: Location<'a>,
        cookie: Option<Cookie>,
        encoding: Option<&'a str>,
        body: &'a [u8],
    },
    Fail,
}

#[derive(Arbitrary, Debug)]
enum Location<'a> {
    None,
    Host(u8),
    Path,
    Text(&'a str),
}

#[derive(Arbitrary, Debug)]
struct Cookie {
    domain: Option<u8>,
    secure: bool,
}

impl Told {
    fn settings(&self) -> SessionSettings {
        let mut settings = SessionSettings::new();
        settings.redirects =
            [Redirects::Never, Redirects::Always, Redirects::SameScheme][usize::from(self.redirects % 3)];
        settings.max_redirects = u32::from(self.max_redirects % 8);
        settings.get_on_302 = self.get_on_302;
        if self.header {
            settings.headers = ExtraHeaders::from_lines("x-key: planted-secret").expect("it is a header");
        }
        settings.authorization = self.authorization.then(|| HeaderValue::from_static("Basic planted-secret"));
        settings.max_body = self.max_body.map(usize::from);
        if self.decodes {
            settings.accept_encodings = vec![Coding::Gzip, Coding::Deflate, Coding::Brotli];
        }
        settings.compress_requests = self.compresses;
        settings.keep_cookies = self.cookies;
        settings.recording = Recording::Everything;
        settings
    }
}

impl Call<'_> {
    fn request(&self) -> Request {
        let url = format!("{}/start", HOSTS[usize::from(self.host) % HOSTS.len()]);
        let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
        let endpoint = Arc::new(Endpoint::new(&url, &policy).expect("it is an endpoint"));
        let form = || SecretBytes::new(*b"grant_type=x&client_secret=planted-secret");
        let bearer = |request: Request, wanted| {
            let mut value = HeaderValue::from_static("Bearer planted-secret");
            value.set_sensitive(true);
            if wanted { request.with_header(http::header::AUTHORIZATION, value) } else { request }
        };
        match self.kind {
            Kind::Document => Request::get(Purpose::Discovery, endpoint),
            Kind::Token => Request::form(Purpose::Token, endpoint, form()),
            Kind::Resource { bearer: wanted } => bearer(Request::get(Purpose::Resource, endpoint), wanted),
            Kind::Post { bearer: wanted } => {
                bearer(Request::form(Purpose::Resource, endpoint, form()), wanted)
            }
        }
    }
}

/// Plays a story.
///
/// # Panics
/// A secret left its origin, a request went where none may, a cookie to somebody else, or there is no end.
pub fn run(story: &Story<'_>) {
    let settings = Arc::new(story.settings.settings());
    let memory = Arc::new(Memory::default());
    for call in &story.calls {
        play(call, &settings, &memory);
    }
}

fn play(call: &Call<'_>, settings: &Arc<SessionSettings>, memory: &Arc<Memory>) {
    let request = call.request();
    let (start, purpose, max_body) =
        (request.endpoint().url().clone(), request.purpose(), request.max_body());
    let max_body = settings.max_body.unwrap_or(max_body);
    let mut exchange = Exchange::new(
        Arc::clone(settings),
        Arc::clone(memory),
        EventSink::none(),
        &|_| HeaderMap::new(),
        request,
    );
    let (mut sends, mut owed, mut at, mut over) = (0, false, start.clone(), false);
    for operation in &call.operations {
        match operation {
            Operation::Poll => match exchange.poll() {
                Step::Send(request) => {
                    assert!(!owed && !over, "sent, out of order");
                    owed = true;
                    sends += 1;
                    at = request.endpoint().url().clone();
                    let plain_start = start.scheme() == "http";
                    assert!(at.scheme() == "https" || plain_start, "{at} over plain http");
                    if at.origin() != start.origin() {
                        assert_ne!(purpose, Purpose::Token, "a token request was redirected");
                        holds_no_secret(&request);
                    }
                    assert!(request.max_body() <= max_body.max(1 << 20));
                    cookies_are_its_own(&request);
                }
                Step::Done(result) => {
                    if let Ok(response) = &result {
                        assert!(
                            over || response.body().len() <= max_body.max(64 << 10),
                            "the limit was passed"
                        );
                    }
                    over = true;
                }
            },
            Operation::Respond { status, location, cookie, encoding, body } => {
                let Some(response) = respond(&at, *status, location, cookie.as_ref(), *encoding, body) else {
                    continue;
                };
                exchange.handle(Ok(response.into()));
                owed = false;
            }
            Operation::Fail => {
                exchange.handle(Err(Unreachable::new(UnreachableKind::Broken, Delivered::Unknown)));
                owed = false;
            }
        }
    }
    assert!(sends <= settings.max_redirects + 1, "{sends} requests for one call");
    assert!(purpose != Purpose::Token || sends <= 1);
    let shown = memory.transcript().to_string();
    assert!(!shown.contains(SECRET) || shown.len() > 1 << 16, "{shown}");
}

fn respond(
    at: &url::Url,
    status: u16,
    location: &Location<'_>,
    cookie: Option<&Cookie>,
    encoding: Option<&str>,
    body: &[u8],
) -> Option<http::Response<Vec<u8>>> {
    // A body that repeats a secret which was sent in a header is beyond what a transcript can know.
    if String::from_utf8_lossy(body).contains(SECRET) {
        return None;
    }
    let mut response = http::Response::new(body.to_vec());
    *response.status_mut() = http::StatusCode::from_u16(300 + status % 20).ok()?;
    let headers = response.headers_mut();
    let location = match location {
        Location::None => None,
        Location::Host(host) => Some(format!("{}/next", HOSTS[usize::from(*host) % HOSTS.len()])),
        Location::Path => Some("/other?x=1".to_owned()),
        Location::Text(text) if text.contains(SECRET) => return None,
        Location::Text(text) => Some((*text).to_owned()),
    };
    if let Some(location) = location {
        headers.insert("location", HeaderValue::from_str(&location).ok()?);
    }
    if let Some(cookie) = cookie {
        let domain = cookie.domain.map_or_else(String::new, |host| {
            let host = HOSTS[usize::from(host) % HOSTS.len()].rsplit_once('/').expect("it is a URL").1;
            format!("; Domain={host}")
        });
        let secure = if cookie.secure { "; Secure" } else { "" };
        let line = format!("from={}; Path=/{domain}{secure}", at.host_str().unwrap_or_default());
        headers.insert("set-cookie", HeaderValue::from_str(&line).ok()?);
    }
    if let Some(encoding) = encoding {
        headers.insert("content-encoding", HeaderValue::from_str(encoding).ok()?);
    }
    Some(response)
}

fn holds_no_secret(request: &Request) {
    assert!(request.body().is_empty(), "a body left its origin");
    for (name, value) in request.headers() {
        assert!(!String::from_utf8_lossy(value.as_bytes()).contains(SECRET), "{name} left its origin");
    }
}

/// Each cookie says who set it: the same host, or its like under the one domain that two of them share.
fn cookies_are_its_own(request: &Request) {
    let cookie = HeaderName::from_static("cookie");
    let host = request.endpoint().url().host_str().unwrap_or_default();
    for (_, value) in request.headers().filter(|(name, _)| **name == cookie) {
        for pair in value.to_str().expect("it was made of text").split("; ") {
            let from = pair.strip_prefix("from=").expect("no other cookie was set");
            let shared = |host: &str| host == "as.example" || host.ends_with(".as.example");
            assert!(from == host || (shared(from) && shared(host)), "{host} got the cookie of {from}");
        }
    }
}
