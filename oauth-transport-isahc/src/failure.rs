//! From the engine's errors to ours: what happened, whether the request may have arrived, and a line that helps.
//!
//! isahc passes libcurl's codes on, and not its words: which of several reasons it was is often not known here.

use crate::upload::Progress;
use crate::way::Way;
use http::HeaderName;
use isahc::error::ErrorKind;
use oauth_core::{Delivered, Endpoint, Unreachable, UnreachableKind};
use oauth_transport::{Cause, Settings};
use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What an error of the engine does not tell by itself.
pub(crate) struct Route<'a> {
    /// Host and port.
    server: String,
    through: Option<&'static str>,
    settings: &'a Settings,
    progress: Progress,
}

impl<'a> Route<'a> {
    pub(crate) fn new(endpoint: &Endpoint, settings: &'a Settings, way: Way<'_>, progress: Progress) -> Self {
        Self {
            server: endpoint.uri().authority().map_or_else(String::new, ToString::to_string),
            through: match way {
                Way::Straight => None,
                Way::Proxy(..) => Some("proxy"),
                Way::Firewall(_) => Some("firewall"),
            },
            settings,
            progress,
        }
    }

    fn delivered(&self, stage: Stage) -> Delivered {
        let nothing_sent = stage == Stage::Connecting || !self.progress.has_begun();
        if nothing_sent { Delivered::No } else { Delivered::Unknown }
    }
}

/// libcurl's verdict on a request, or isahc's where libcurl was not asked.
pub(crate) fn engine(error: isahc::Error, route: &Route<'_>) -> Unreachable {
    let curl = error.source().and_then(|source| source.downcast_ref::<curl::Error>());
    let (kind, stage) = curl.map_or_else(|| (of_isahc(error.kind()), Stage::Any), of_libcurl);
    let delivered = route.delivered(stage);
    let kind = match kind {
        // Who did not answer, refused or talked nonsense was the proxy.
        UnreachableKind::Connect
        | UnreachableKind::Broken
        | UnreachableKind::NotHttp
        | UnreachableKind::TooLarge
            if route.through.is_some() && delivered == Delivered::No =>
        {
            UnreachableKind::Proxy
        }
        kind => kind,
    };
    let text = match curl.map(curl::Error::code) {
        // BAD_FUNCTION_ARGUMENT, which a key that OpenSSL does not take is; SSL_CERTPROBLEM.
        Some(43 | 58) => {
            "OpenSSL cannot use the client certificate; check that its key belongs to it".to_owned()
        }
        // SSL_CLIENTCERT
        Some(98) => format!(
            "{} demands a client certificate, or refuses this one; give one of an authority that it knows",
            route.server
        ),
        // SSL_CIPHER
        Some(59) => "OpenSSL knows none of the cipher suites; name others".to_owned(),
        // INTERFACE_FAILED
        Some(45) => {
            let address =
                route.settings.tcp().local_address.map_or_else(String::new, |address| address.to_string());
            format!(
                "connections cannot come from {address}; take an address of this machine, of the server's family"
            )
        }
        _ => explain(kind, delivered, route, &innermost(&error)),
    };
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
        crate::response::MAX_HEAD,
        crate::response::MAX_HEADER_LINES
    )))
}

pub(crate) fn line_too_long(limit: NonZeroUsize) -> Unreachable {
    Unreachable::new(UnreachableKind::TooLarge, Delivered::Unknown)
        .because(Cause::new(format!("a line of its head has more than {limit} bytes")))
}

/// No byte has moved for too long.
pub(crate) fn silent(route: &Route<'_>) -> Unreachable {
    let limit = route.settings.inactivity_timeout().unwrap_or_default();
    Unreachable::new(UnreachableKind::Timeout, route.delivered(Stage::Any))
        .because(Cause::new(format!("{}: no byte moved for {limit:?}, which is the limit", route.server)))
}

/// The limit for the whole ran out while bytes were held back for the rate.
pub(crate) fn too_slow(route: &Route<'_>) -> Unreachable {
    let text = explain(UnreachableKind::Timeout, Delivered::Unknown, route, "");
    Unreachable::new(UnreachableKind::Timeout, Delivered::Unknown).because(Cause::new(text))
}

/// The address is written out, so that libcurl would take it whatever family it may look for.
pub(crate) fn of_another_family(host: &str) -> Unreachable {
    Unreachable::new(UnreachableKind::Connect, Delivered::No).because(Cause::new(format!(
        "{host} is not of the address family that the settings allow; allow the other or take a name"
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

pub(crate) fn needs_two_attempts() -> Unreachable {
    unsupported(
        "libcurl would send a request over plain http without its body first, to be asked for Digest by the proxy; use \
         https, or the transport hyper",
    )
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
        // UNSUPPORTED_PROTOCOL (which HTTP/0.9 is), WEIRD_SERVER_REPLY, HTTP2 (its framing), BAD_CONTENT_ENCODING;
        // WRITE_ERROR is how isahc refuses a line of the head.
        1 | 8 | 16 | 23 | 61 => (Kind::NotHttp, Stage::Any),
        // COULDNT_RESOLVE_PROXY, PROXY
        5 | 97 => (Kind::Proxy, Stage::Connecting),
        // COULDNT_RESOLVE_HOST
        6 => (Kind::Name, Stage::Connecting),
        // COULDNT_CONNECT, INTERFACE_FAILED
        7 | 45 => (Kind::Connect, Stage::Connecting),
        // PARTIAL_FILE, GOT_NOTHING, SEND_ERROR, RECV_ERROR, SEND_FAIL_REWIND, HTTP2_STREAM. Broken chunks, too, are a
        // RECV_ERROR.
        18 | 52 | 55 | 56 | 65 | 92 => (Kind::Broken, Stage::Any),
        // OPERATION_TIMEDOUT
        28 => (Kind::Timeout, Stage::Any),
        // SSL_CONNECT_ERROR, BAD_FUNCTION_ARGUMENT (a key), SSL_CERTPROBLEM, SSL_CIPHER, PEER_FAILED_VERIFICATION, SSL_ENGINE_INITFAILED,
        // SSL_CACERT_BADFILE, SSL_ISSUER_ERROR
        35 | 43 | 58 | 59 | 60 | 66 | 77 | 83 => (Kind::Tls, Stage::Connecting),
        // SSL_CLIENTCERT: in TLS 1.3 the server says so when the request is under way already.
        98 => (Kind::Tls, Stage::Any),
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
fn explain(kind: UnreachableKind, delivered: Delivered, route: &Route<'_>, says: &str) -> String {
    let server = &route.server;
    let connect_timeout = route.settings.connect_timeout();
    let total_timeout = route.settings.total_timeout();
    match kind {
        UnreachableKind::Name => {
            format!(
                "{server}: there is no such name, or no name server answers; check it and this machine's network"
            )
        }
        UnreachableKind::Connect => {
            format!("{server}: nobody listens there, or the network does not lead there; check the address")
        }
        UnreachableKind::Proxy => format!(
            "the {} could not be reached, or would not connect to the server; check its address, user name and password",
            route.through.unwrap_or("proxy")
        ),
        UnreachableKind::Tls => format!(
            "{server} did not prove who it is: its certificate is of an authority that is not trusted (if it is your \
             own, add its root certificate), for another name, or out of date; or it does not speak TLS 1.2 or later \
             there ({says})"
        ),
        UnreachableKind::Timeout if delivered == Delivered::No => {
            format!(
                "no connection to {server} stood within {:?}",
                connect_timeout.min(total_timeout.unwrap_or(Duration::MAX))
            )
        }
        UnreachableKind::Timeout => {
            let all = total_timeout.map_or_else(String::new, |limit| format!(" and {limit:?} in all"));
            format!(
                "no whole response came from {server}; the limits are {connect_timeout:?} to connect{all}"
            )
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
