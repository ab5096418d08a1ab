//! A request in, a verdict out: what counts as the callback, and what everything else is told.

use crate::note::Note;
use crate::page::{Page, STYLE_SHA256};
use crate::request::{Refusal, Request, only};
use crate::text;
use http::header::{HeaderMap, HeaderName};
use http::{Method, StatusCode};
use oauth_core::AuthorizationResponse;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use url::Url;

/// What a listener answers to: one path, its own names, and the ways in which a response may come.
#[derive(Clone, Debug)]
pub struct Rules {
    path: String,
    authority: String,
    port: u16,
    form_post: bool,
}

impl Rules {
    /// For a listener on this port, to which the browser is sent by this redirect URI.
    #[must_use]
    pub fn new(redirect_uri: &Url, port: u16) -> Self {
        let authority = redirect_uri.authority().to_ascii_lowercase();
        Self { path: redirect_uri.path().to_owned(), authority, port, form_post: false }
    }

    /// Takes responses that the browser posts as well (`response_mode=form_post`).
    #[must_use]
    pub const fn form_post(mut self) -> Self {
        self.form_post = true;
        self
    }

    /// Says what a request is. Whether a response is *ours* is for its `state` to say, and not decided here.
    #[must_use]
    pub fn verdict<'a>(&self, request: &'a Request) -> Verdict<'a> {
        let Some((host, path, query)) = split_target(request) else {
            return Verdict::Answer(Answer::page(StatusCode::BAD_REQUEST, Page::NotOurs), None);
        };
        let answer = self.answer(request, host, path);
        match answer {
            Some((answer, note)) => {
                let answer = if request.method == Method::HEAD { answer.without_body() } else { answer };
                Verdict::Answer(answer, note)
            }
            None if request.method == Method::POST => {
                Verdict::Response(AuthorizationResponse::Form(&request.body))
            }
            None => Verdict::Response(AuthorizationResponse::Query(query)),
        }
    }

    /// The answer to whatever is no authorization response.
    fn answer(&self, request: &Request, host: &str, path: &str) -> Option<(Answer, Option<Note>)> {
        // A page that rebinds its own name to this address still sends its own name.
        if !self.is_host(host) {
            let note = Note::OtherHost(text::for_terminal(host));
            return Some((Answer::page(StatusCode::MISDIRECTED_REQUEST, Page::NotOurs), Some(note)));
        }
        if path != self.path {
            let answer = if path == "/favicon.ico" {
                Answer::empty(StatusCode::NO_CONTENT)
            } else {
                Answer::page(StatusCode::NOT_FOUND, Page::NotOurs)
            };
            return Some((answer, None));
        }
        match request.method {
            Method::GET => {}
            Method::POST if self.form_post && request.is_form() => {}
            Method::POST if self.form_post => {
                return Some((Answer::page(StatusCode::UNSUPPORTED_MEDIA_TYPE, Page::NotOurs), None));
            }
            Method::HEAD => return Some((Answer::empty(StatusCode::OK), None)),
            Method::OPTIONS => {
                return Some((Answer::empty(StatusCode::NO_CONTENT).allow(self.methods()), None));
            }
            _ => {
                let answer = Answer::page(StatusCode::METHOD_NOT_ALLOWED, Page::NotOurs);
                return Some((answer.allow(self.methods()), None));
            }
        }
        if is_speculative(&request.headers) {
            return Some((Answer::empty(StatusCode::NO_CONTENT), None));
        }
        if !is_navigation(&request.headers) {
            let answer = Answer::page(StatusCode::FORBIDDEN, Page::NotOurs);
            return Some((answer, Some(Note::NotANavigation)));
        }
        None
    }

    /// A loopback literal or `localhost` with the bound port, or the redirect URI's authority to the letter.
    fn is_host(&self, host: &str) -> bool {
        if host.eq_ignore_ascii_case(&self.authority) {
            return true;
        }
        let (name, port) = match host.rfind(':') {
            Some(colon) if !host.ends_with(']') => (&host[..colon], host[colon + 1..].parse().ok()),
            _ => (host, Some(80)),
        };
        port == Some(self.port) && is_loopback(name)
    }

    const fn methods(&self) -> &'static str {
        if self.form_post { "GET, HEAD, OPTIONS, POST" } else { "GET, HEAD, OPTIONS" }
    }
}

/// What a request is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict<'a> {
    /// It may be the authorization response: ask whether it is ours.
    Response(AuthorizationResponse<'a>),
    /// It is not: send this, say the note, and keep waiting.
    Answer(Answer, Option<Note>),
}

/// An HTTP response of fixed texts.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    page: Option<Page>,
    allow: Option<&'static str>,
}

impl Answer {
    pub(crate) const fn page(status: StatusCode, page: Page) -> Self {
        Self { status, page: Some(page), allow: None }
    }

    const fn empty(status: StatusCode) -> Self {
        Self { status, page: None, allow: None }
    }

    const fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    const fn without_body(mut self) -> Self {
        self.page = None;
        self
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The response as it goes over the wire, the application's name in its page.
    ///
    /// It has no `Date`: nothing here keeps a clock (RFC 9110 section 6.6.1).
    #[must_use]
    pub fn to_bytes(&self, application: Option<&str>) -> Vec<u8> {
        let body = self.page.map(|page| page.html(application));
        let reason = self.status.canonical_reason().unwrap_or_default();
        let mut text = format!("HTTP/1.1 {} {reason}\r\n", self.status.as_u16());
        if let Some(allow) = self.allow {
            // RFC 9110 section 15.5.6: a 405 names the methods that would do.
            text.push_str("Allow: ");
            text.push_str(allow);
            text.push_str("\r\n");
        }
        if let Some(body) = &body {
            text.push_str("Content-Type: text/html; charset=utf-8\r\n");
            // Without a body there is no length either: RFC 9110 section 8.6 forbids it in a 204, and in a HEAD
            // response that would differ from the GET.
            write!(text, "Content-Length: {}\r\n", body.len()).expect("a String takes any text");
        }
        write!(
            text,
            "Content-Security-Policy: default-src 'none'; style-src 'sha256-{STYLE_SHA256}'; img-src data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
             X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\n\
             Connection: close\r\n\r\n"
        )
        .expect("a String takes any text");
        text.push_str(&body.unwrap_or_default());
        text.into_bytes()
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::page(refusal.status(), Page::NotOurs)
    }
}

/// Host, path and query of the request's target; `None` where it has no single host or no such form.
fn split_target(request: &Request) -> Option<(&str, &str, &str)> {
    let target = request.target.as_str();
    // RFC 9112 section 3.2: a request without a Host, or with two, is answered with 400.
    let host = request.host()?;
    let (host, rest) = if target.starts_with('/') || target == "*" {
        (host, target)
    } else {
        // RFC 9112 section 3.2.2: the absolute form has to be accepted, and its host counts.
        let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"))?;
        let rest = &target[scheme.len()..];
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.split_at(end)
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Some((host, if path.is_empty() { "/" } else { path }, query))
}

/// The name of a loopback address in `Host`: compared whole, so that no longer name starts with it.
fn is_loopback(name: &str) -> bool {
    if let Some(literal) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return literal.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Whether the browser asks ahead of the person: the page would be thrown away, and the code be used up.
fn is_speculative(headers: &HeaderMap) -> bool {
    const NAMES: [HeaderName; 4] = [
        HeaderName::from_static("sec-purpose"),
        HeaderName::from_static("purpose"),
        HeaderName::from_static("x-purpose"),
        HeaderName::from_static("x-moz"),
    ];
    NAMES.iter().flat_map(|name| headers.get_all(name)).any(|value| {
        let value = value.as_bytes().to_ascii_lowercase();
        [&b"prefetch"[..], b"prerender", b"preview"]
            .iter()
            .any(|purpose| value.windows(purpose.len()).any(|window| window == *purpose))
    })
}

/// Whether the browser loads a page for a person, as far as it says (W3C Fetch Metadata). Silence is fine.
fn is_navigation(headers: &HeaderMap) -> bool {
    const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
    const DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
    [(MODE, "navigate"), (DEST, "document")].iter().all(|(name, expected)| {
        !headers.contains_key(name)
            || only(headers, name).is_some_and(|value| value.as_bytes() == expected.as_bytes())
    })
}

#[cfg(test)]
mod tests;
