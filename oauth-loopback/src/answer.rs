//! What goes back to a browser: a status, headers, and a page of fixed text or one of the program's own.

use crate::own_page::OwnPage;
use crate::page::{self, Page};
use crate::reply::Ending;
use crate::request::Refusal;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use std::fmt::{self, Write as _};

/// An HTTP response. Nothing in it comes from the request, save the `Origin` of a preflight that is granted.
#[derive(Clone)]
pub struct Answer {
    status: StatusCode,
    body: Body,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Clone)]
enum Body {
    Empty,
    Page(Page),
    /// The page that hands a fragment over to this path.
    HandOver(String),
    Own(OwnPage),
    Line(&'static str),
}

impl Answer {
    pub(crate) const fn page(status: StatusCode, page: Page) -> Self {
        Self { status, body: Body::Page(page), headers: Vec::new() }
    }

    pub(crate) const fn empty(status: StatusCode) -> Self {
        Self { status, body: Body::Empty, headers: Vec::new() }
    }

    /// The page whose script posts the fragment to this path.
    pub(crate) fn hand_over(path: &str) -> Self {
        Self { status: StatusCode::OK, body: Body::HandOver(path.to_owned()), headers: Vec::new() }
    }

    /// The end of a login, with the page that the options or the reply put in place of the built-in one.
    pub(crate) fn ending(ending: Ending, own: Option<&OwnPage>) -> Self {
        let body = ending.body.or_else(|| own.cloned()).map_or(Body::Page(ending.page), Body::Own);
        Self { status: StatusCode::OK, body, headers: ending.headers }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn without_body(self) -> Self {
        Self { body: Body::Empty, ..self }
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
        let (kind, body) = match &self.body {
            Body::Empty => (None, String::new()),
            Body::Page(page) => (Some("html"), page.html(application)),
            Body::HandOver(path) => (Some("html"), page::hand_over(application, path)),
            Body::Own(page) => (Some("html"), page.html().to_owned()),
            Body::Line(line) => (Some("plain"), (*line).to_owned()),
        };
        let reason = self.status.canonical_reason().unwrap_or_default();
        let mut text = format!("HTTP/1.1 {} {reason}\r\n", self.status.as_u16());
        for (name, value) in &self.headers {
            // What is no text was refused where it came from.
            let value = value.to_str().unwrap_or_default();
            write!(text, "{}: {value}\r\n", name.as_str()).expect("a String takes any text");
        }
        if let Some(kind) = kind {
            // Without a body there is no length either: RFC 9110 section 8.6 forbids it in a 204, and in a HEAD
            // response that would differ from the GET.
            write!(text, "Content-Type: text/{kind}; charset=utf-8\r\nContent-Length: {}\r\n", body.len())
                .expect("a String takes any text");
        }
        write!(
            text,
            "Content-Security-Policy: default-src 'none'; {}; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'\r\n\
             X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\n\
             Connection: close\r\n\r\n",
            self.policy()
        )
        .expect("a String takes any text");
        text.push_str(&body);
        text.into_bytes()
    }

    /// The directives that are not the same for all.
    fn policy(&self) -> String {
        let scripts = match &self.body {
            Body::Own(page) => return page.policy(),
            Body::Page(page) => format!("script-src 'sha256-{}'; ", page.script().sha256),
            Body::HandOver(_) => {
                format!("script-src 'sha256-{}'; connect-src 'self'; ", page::HAND_OVER.sha256)
            }
            Body::Empty | Body::Line(_) => String::new(),
        };
        format!("style-src 'sha256-{}'; {scripts}img-src data:", page::STYLE_SHA256)
    }

    /// RFC 9110 section 15.5.6: a 405 names the methods that would do.
    pub(crate) fn allow(self, method: &Method) -> Self {
        let methods = match *method {
            Method::POST => "POST, HEAD, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        };
        self.with(header::ALLOW, HeaderValue::from_static(methods))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let body = match refusal {
            Refusal::NotTls => Body::Line("This address speaks https: open it with https:// in front.\n"),
            _ => Body::Page(Page::NotOurs),
        };
        Self { status: refusal.status(), body, headers: Vec::new() }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path of a fragment and the program's own headers are nobody's business.
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}
