//! From the engine's errors to ours: what happened, whether the request may have arrived, and a line that helps.
//!
//! isahc passes libcurl's codes on, and not its words: which of several reasons it was is often not known here.

use crate::upload::Progress;
use http::HeaderName;
use isahc::error::ErrorKind;
use oauth_core::{Delivered, Endpoint, Unreachable, UnreachableKind};
use oauth_transport::{Cause, Settings};
use std::error::Error;
use std::time::Duration;

/// What an error of the engine does not tell by itself.
pub(crate) struct Route {
    /// Host and port.
    server: String,
    proxied: bool,
    connect_timeout: Duration,
    total_timeout: Option<Duration>,
    progress: Progress,
}

impl Route {
    pub(crate) fn new(endpoint: &Endpoint, settings: &Settings, proxied: bool, progress: Progress) -> Self {
        Self {
            server: endpoint.uri().authority().map_or_else(String::new, ToString::to_string),
            proxied,
            connect_timeout: settings.connect_timeout(),
            total_timeout: settings.total_timeout(),
            progress,
        }
    }
}

/// libcurl's verdict on a request, or isahc's where libcurl was not asked.
pub(crate) fn engine(error: isahc::Error, route: &Route) -> Unreachable {
    let curl = error.source().and_then(|source| source.downcast_ref::<curl::Error>());
    let (kind, stage) = curl.map_or_else(|| (of_isahc(error.kind()), Stage::Any), of_libcurl);
    let nothing_sent = stage == Stage::Connecting || !route.progress.has_begun();
    let kind = match kind {
        // Who did not answer, refused or talked nonsense was the proxy.
        UnreachableKind::Connect
        | UnreachableKind::Broken
        | UnreachableKind::NotHttp
        | UnreachableKind::TooLarge
            if route.proxied && nothing_sent =>
        {
            UnreachableKind::Proxy
        }
        kind => kind,
    };
    let delivered = if nothing_sent { Delivered::No } else { Delivered::Unknown };
    let text = explain(kind, delivered, route, &innermost(&error));
    Unreachable::new(kind, delivered).because(Cause::new(text).with_source(error))
}

/// The connection ended where libcurl takes that for the end of the response, and it may not be.
pub(crate) fn cut_short() -> Unreachable {
    Unreachable::new(UnreachableKind::Broken, Delivered::Unknown)
        .because(Cause::new("it ends in its head, or has fewer bytes of body than its Content-Length"))
}

pub(crate) fn head_too_large() -> Unreachable {
    Unreachable::new(UnreachableKind::TooLarge, Delivered::Unknown).because(Cause::new(format!(
        "its head has more than {} bytes or {} lines",
        crate::MAX_HEAD,
        crate::MAX_HEADER_LINES
    )))
}

pub(crate) fn body_too_large(limit: usize) -> Unreachable {
    Unreachable::new(UnreachableKind::TooLarge, Delivered::Unknown)
        .because(Cause::new(format!("its body has more than {limit} bytes")))
}

pub(crate) fn no_engine(error: isahc::Error) -> Unreachable {
    let text = format!("libcurl could not be started: {}", innermost(&error));
    Unreachable::new(UnreachableKind::Other, Delivered::No).because(Cause::new(text).with_source(error))
}

pub(crate) fn not_ascii(name: &HeaderName) -> Unreachable {
    unsupported(&format!("the header {name} holds characters beyond ASCII, which isahc cannot send"))
}

pub(crate) fn unreadable_request() -> Unreachable {
    unsupported("isahc cannot read its address, or the proxy's")
}

fn unsupported(text: &str) -> Unreachable {
    Unreachable::new(UnreachableKind::Unsupported, Delivered::No).because(Cause::new(text))
}

/// When libcurl gives up with a code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Only before a connection stands that could carry the request.
    Connecting,
    Any,
}

fn of_libcurl(error: &curl::Error) -> (UnreachableKind, Stage) {
    use UnreachableKind as Kind;
    // The numbers are part of libcurl's interface (`CURLE_…` in curl.h); the crate `curl` names some of them only.
    match error.code() {
        // UNSUPPORTED_PROTOCOL (which HTTP/0.9 is), WEIRD_SERVER_REPLY, BAD_CONTENT_ENCODING; WRITE_ERROR is how isahc
        // refuses a line of the head.
        1 | 8 | 23 | 61 => (Kind::NotHttp, Stage::Any),
        // COULDNT_RESOLVE_PROXY, PROXY
        5 | 97 => (Kind::Proxy, Stage::Connecting),
        // COULDNT_RESOLVE_HOST
        6 => (Kind::Name, Stage::Connecting),
        // COULDNT_CONNECT
        7 => (Kind::Connect, Stage::Connecting),
        // PARTIAL_FILE, GOT_NOTHING, SEND_ERROR, RECV_ERROR, SEND_FAIL_REWIND. Broken chunks, too, are a RECV_ERROR.
        18 | 52 | 55 | 56 | 65 => (Kind::Broken, Stage::Any),
        // OPERATION_TIMEDOUT
        28 => (Kind::Timeout, Stage::Any),
        // SSL_CONNECT_ERROR, SSL_CERTPROBLEM, SSL_CIPHER, PEER_FAILED_VERIFICATION, SSL_ENGINE_INITFAILED,
        // SSL_CACERT_BADFILE, SSL_ISSUER_ERROR
        35 | 58 | 59 | 60 | 66 | 77 | 83 => (Kind::Tls, Stage::Connecting),
        // FILESIZE_EXCEEDED, TOO_LARGE
        63 | 100 => (Kind::TooLarge, Stage::Any),
        _ => (Kind::Other, Stage::Any),
    }
}

const fn of_isahc(kind: &ErrorKind) -> UnreachableKind {
    match kind {
        ErrorKind::Timeout => UnreachableKind::Timeout,
        ErrorKind::Io => UnreachableKind::Broken,
        ErrorKind::InvalidRequest => UnreachableKind::Unsupported,
        _ => UnreachableKind::Other,
    }
}

/// For people: what is wrong with whom, and what to do.
fn explain(kind: UnreachableKind, delivered: Delivered, route: &Route, says: &str) -> String {
    let Route { server, proxied: _, connect_timeout, total_timeout, progress: _ } = route;
    match kind {
        UnreachableKind::Name => {
            format!("{server}: there is no such name, or no name server answers; check it and this machine's network")
        }
        UnreachableKind::Connect => {
            format!("{server}: nobody listens there, or the network does not lead there; check the address")
        }
        UnreachableKind::Proxy => {
            "it could not be reached, or would not connect to the server; check its address, user name and password"
                .to_owned()
        }
        UnreachableKind::Tls => format!(
            "{server} did not prove who it is: its certificate is of an authority that is not trusted (if it is your \
             own, add its root certificate), for another name, or out of date; or it does not speak TLS 1.2 or later \
             there ({says})"
        ),
        UnreachableKind::Timeout if delivered == Delivered::No => {
            format!("no connection to {server} stood within {:?}", (*connect_timeout).min(total_timeout.unwrap_or(Duration::MAX)))
        }
        UnreachableKind::Timeout => {
            let all = total_timeout.map_or_else(String::new, |limit| format!(" and {limit:?} in all"));
            format!("no whole response came from {server}; the limits are {connect_timeout:?} to connect{all}")
        }
        _ => format!("{server}: {says}"),
    }
}

/// What the innermost error says, without libcurl's number.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| (*error).source()).last().unwrap_or(error);
    last.downcast_ref::<curl::Error>()
        .map_or_else(|| last.to_string(), |error| error.description().to_owned())
}
