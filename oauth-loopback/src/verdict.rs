//! A request in, a verdict out: what counts as the callback, and what everything else is told.

use crate::note::Note;
use crate::page::Page;
use crate::request::{Request, only};
use crate::text;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use oauth_core::AuthorizationResponse;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use subtle::ConstantTimeEq as _;
use url::{Origin, Url};

pub use crate::answer::Answer;

/// What a listener answers to: one path, its own names, and the way in which a response comes.
#[derive(Clone)]
pub struct Rules {
    path: String,
    authority: String,
    /// The port that goes without saying, where the redirect URI does not say it.
    default_port: Option<u16>,
    scheme: String,
    port: u16,
    mode: Mode,
    /// The origins whose preflights are granted.
    private_network: Vec<String>,
}

#[derive(Clone)]
enum Mode {
    Query,
    FormPost,
    /// The path that takes the fragment: nobody but the page that was served knows it.
    Fragment(String),
}

impl Rules {
    /// For a listener on this port, to which the browser is sent by this redirect URI; responses come in the query.
    #[must_use]
    pub fn new(redirect_uri: &Url, port: u16) -> Self {
        Self {
            path: redirect_uri.path().to_owned(),
            authority: redirect_uri.authority().to_ascii_lowercase(),
            default_port: redirect_uri.port_or_known_default().filter(|_| redirect_uri.port().is_none()),
            scheme: redirect_uri.scheme().to_owned(),
            port,
            mode: Mode::Query,
            private_network: Vec::new(),
        }
    }

    /// Takes responses that the browser posts, and no others (`response_mode=form_post`).
    #[must_use]
    pub fn form_post(mut self) -> Self {
        self.mode = Mode::FormPost;
        self
    }

    /// Takes responses in the fragment, and no others (`response_mode=fragment`).
    ///
    /// `token` makes the path to which the page posts it. It has to be of this login alone, impossible to guess, and
    /// such as a path may hold without escapes.
    #[must_use]
    pub fn fragment(mut self, token: &str) -> Self {
        self.mode = Mode::Fragment(format!("{}/{token}", self.path.trim_end_matches('/')));
        self
    }

    /// Grants the preflights of this origin to send a browser from the public network to this machine.
    ///
    /// An origin that is nobody's (that of `data:` and the like) is granted nothing.
    #[must_use]
    pub fn private_network_for(mut self, origin: &Origin) -> Self {
        if origin.is_tuple() {
            self.private_network.push(origin.ascii_serialization());
        }
        self
    }

    /// Says what a request is. Whether a response is *ours* is for its `state` to say, and not decided here.
    #[must_use]
    pub fn verdict<'a>(&self, request: &'a Request) -> Verdict<'a> {
        let Some((host, path, query)) = split_target(request, &self.scheme) else {
            return Verdict::Answer(Answer::page(StatusCode::BAD_REQUEST, Page::NotOurs), None);
        };
        let verdict = self.decide(request, host, path, query);
        match verdict {
            Verdict::Answer(answer, note) if request.method == Method::HEAD => {
                Verdict::Answer(answer.without_body(), note)
            }
            verdict => verdict,
        }
    }

    fn decide<'a>(&self, request: &'a Request, host: &str, path: &str, query: &'a str) -> Verdict<'a> {
        // A page that rebinds its own name to this address still sends its own name.
        if !self.is_host(host) {
            let note = Note::OtherHost(text::for_terminal(host));
            return Verdict::Answer(Answer::page(StatusCode::MISDIRECTED_REQUEST, Page::NotOurs), Some(note));
        }
        if let Mode::Fragment(own) = &self.mode
            // The time that it takes tells nothing of how much was right.
            && bool::from(own.as_bytes().ct_eq(path.as_bytes()))
        {
            return self.handed_over(request, host);
        }
        if path != self.path {
            return answered(if path == "/favicon.ico" {
                Answer::empty(StatusCode::NO_CONTENT)
            } else {
                Answer::page(StatusCode::NOT_FOUND, Page::NotOurs)
            });
        }
        let method = if matches!(self.mode, Mode::FormPost) { Method::POST } else { Method::GET };
        if request.method != method {
            return self.in_another_mode(request, query, self.other_method(request, &method));
        }
        if let Some(verdict) = not_a_person(&request.headers) {
            return verdict;
        }
        match self.mode {
            Mode::Query => Verdict::Response(AuthorizationResponse::Query(query)),
            Mode::FormPost if request.is_form() => {
                Verdict::Response(AuthorizationResponse::Form(&request.body))
            }
            Mode::FormPost => answered(Answer::page(StatusCode::UNSUPPORTED_MEDIA_TYPE, Page::NotOurs)),
            Mode::Fragment(ref path) => self.in_another_mode(request, query, Answer::hand_over(path)),
        }
    }

    /// A response that a server sends as it always does, whatever it was asked: the person has to know, or waits in vain.
    fn in_another_mode<'a>(&self, request: &'a Request, query: &'a str, answer: Answer) -> Verdict<'a> {
        let response = match request.method {
            Method::GET if !query.is_empty() => AuthorizationResponse::Query(query),
            Method::POST if request.is_form() => AuthorizationResponse::Form(&request.body),
            _ => return answered(answer),
        };
        not_a_person(&request.headers).unwrap_or(Verdict::OtherMode(response, answer))
    }

    /// At the path that takes a fragment: the script of our page posts it, and then goes there itself.
    fn handed_over<'a>(&self, request: &'a Request, host: &str) -> Verdict<'a> {
        match request.method {
            Method::GET => not_a_person(&request.headers).unwrap_or(Verdict::Return),
            // A page of another origin knows no token; should it, it still cannot lie about where it is from.
            Method::POST if !self.is_same_origin(&request.headers, host) => Verdict::Answer(
                Answer::page(StatusCode::FORBIDDEN, Page::NotOurs),
                Some(Note::NotANavigation),
            ),
            Method::POST if !request.is_form() => {
                answered(Answer::page(StatusCode::UNSUPPORTED_MEDIA_TYPE, Page::NotOurs))
            }
            Method::POST => match std::str::from_utf8(&request.body) {
                Ok(fragment) => Verdict::Response(AuthorizationResponse::Fragment(fragment)),
                Err(_) => answered(Answer::page(StatusCode::BAD_REQUEST, Page::NotOurs)),
            },
            _ => answered(self.other_method(request, &Method::POST)),
        }
    }

    /// For a request whose method is not the one that may bring the response.
    fn other_method(&self, request: &Request, method: &Method) -> Answer {
        match request.method {
            Method::HEAD => Answer::empty(StatusCode::OK),
            Method::OPTIONS => {
                let answer = Answer::empty(StatusCode::NO_CONTENT).allow(method);
                self.preflight(&request.headers, answer, method)
            }
            _ => Answer::page(StatusCode::METHOD_NOT_ALLOWED, Page::NotOurs).allow(method),
        }
    }

    /// Says yes to a browser that asks whether a page of the server may send it here (Private Network Access).
    fn preflight(&self, headers: &HeaderMap, answer: Answer, method: &Method) -> Answer {
        // The draft that came after it asked by another name.
        const NAMES: [(HeaderName, HeaderName); 2] = [
            (
                HeaderName::from_static("access-control-request-private-network"),
                HeaderName::from_static("access-control-allow-private-network"),
            ),
            (
                HeaderName::from_static("access-control-request-local-network"),
                HeaderName::from_static("access-control-allow-local-network"),
            ),
        ];
        let asked = |(ask, _): &(HeaderName, HeaderName)| {
            only(headers, ask).is_some_and(|value| value.as_bytes() == b"true")
        };
        let granted = |origin: &&HeaderValue| {
            self.private_network.iter().any(|granted| granted.as_bytes() == origin.as_bytes())
        };
        let (Some((_, allow)), Some(origin)) =
            (NAMES.into_iter().find(asked), only(headers, &header::ORIGIN).filter(granted))
        else {
            return answer;
        };
        let method = HeaderValue::from_static(if method == Method::POST { "POST" } else { "GET" });
        answer
            .with(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone())
            .with(header::ACCESS_CONTROL_ALLOW_METHODS, method)
            .with(allow, HeaderValue::from_static("true"))
            .with(header::VARY, HeaderValue::from_static("Origin"))
    }

    /// A loopback literal or `localhost` with the bound port, or the redirect URI's authority to the letter, whether or not
    /// a port that goes without saying is said.
    fn is_host(&self, host: &str) -> bool {
        let said = self.default_port.and_then(|port| host.strip_suffix(&format!(":{port}")));
        if [Some(host), said].into_iter().flatten().any(|host| host.eq_ignore_ascii_case(&self.authority)) {
            return true;
        }
        let (name, port) = match host.rfind(':') {
            Some(colon) if !host.ends_with(']') => (&host[..colon], host[colon + 1..].parse().ok()),
            _ => (host, Some(if self.scheme == "https" { 443 } else { 80 })),
        };
        port == Some(self.port) && is_loopback(name)
    }

    /// Whether a script of this very listener asks, as far as the browser says. Silence is fine.
    fn is_same_origin(&self, headers: &HeaderMap, host: &str) -> bool {
        const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
        let own = format!("{}://{host}", self.scheme);
        [(SITE, "same-origin"), (header::ORIGIN, &own)].iter().all(|(name, expected)| {
            !headers.contains_key(name)
                || only(headers, name)
                    .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(expected.as_bytes()))
        })
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path of a fragment is a secret of its login.
        f.debug_struct("Rules").field("path", &self.path).field("port", &self.port).finish_non_exhaustive()
    }
}

/// What a request is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict<'a> {
    /// It may be the authorization response: ask whether it is ours.
    Response(AuthorizationResponse<'a>),
    /// The page that handed a fragment over comes for the end of the login.
    Return,
    /// It may be the authorization response, and came in a way that was not asked for: send this, say so where it is ours,
    /// and keep waiting.
    OtherMode(AuthorizationResponse<'a>, Answer),
    /// It is neither: send this, say the note, and keep waiting.
    Answer(Answer, Option<Note>),
}

const fn answered<'a>(answer: Answer) -> Verdict<'a> {
    Verdict::Answer(answer, None)
}

/// What a browser is told that asks ahead of the person, or for a page that is not what the person looks at.
fn not_a_person<'a>(headers: &HeaderMap) -> Option<Verdict<'a>> {
    if is_speculative(headers) {
        return Some(answered(Answer::empty(StatusCode::NO_CONTENT)));
    }
    let answer = || Answer::page(StatusCode::FORBIDDEN, Page::NotOurs);
    (!is_navigation(headers)).then(|| Verdict::Answer(answer(), Some(Note::NotANavigation)))
}

/// Host, path and query of the request's target; `None` where it has no single host or no such form.
fn split_target<'a>(request: &'a Request, scheme: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let target = request.target.as_str();
    // RFC 9112 section 3.2: a request without a Host, or with two, is answered with 400.
    let host = request.host()?;
    let (host, rest) = if target.starts_with('/') || target == "*" {
        (host, target)
    } else {
        // RFC 9112 section 3.2.2: the absolute form has to be accepted, and its host counts.
        let (own, rest) = target.split_once("://")?;
        if !own.eq_ignore_ascii_case(scheme) {
            return None;
        }
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
