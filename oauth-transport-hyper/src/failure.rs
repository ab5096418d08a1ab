//! From the engine's errors to ours: what happened, whether the request may have arrived, and a line that helps.

use crate::connect::{Address, Gate, Role};
use http::StatusCode;
use oauth_core::{Delivered, KeyId, Unreachable, UnreachableKind};
use oauth_transport::Cause;
use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

pub(crate) fn no_runtime() -> Unreachable {
    nothing_sent(UnreachableKind::Unsupported).because(Cause::new(
        "this transport runs inside a tokio runtime, and there is none; send from within one",
    ))
}

pub(crate) fn connect_timeout(limit: Duration) -> Unreachable {
    nothing_sent(UnreachableKind::Timeout)
        .because(Cause::new(format!("no connection stood within {limit:?}")))
}

pub(crate) fn response_timeout(limit: Duration, delivered: Delivered) -> Unreachable {
    let text = match delivered {
        Delivered::No => format!("no connection stood within {limit:?}"),
        Delivered::Unknown => format!("the request was sent, and no whole response came within {limit:?}"),
    };
    Unreachable::new(UnreachableKind::Timeout, delivered).because(Cause::new(text))
}

/// The request comes from inside the handler that is told of it.
pub(crate) fn inside_handler() -> Unreachable {
    unsupported("a handler of its events cannot send through it; note what is to be sent, and send it later")
}

/// A setting and a request that do not go together.
pub(crate) fn unsupported(text: &str) -> Unreachable {
    nothing_sent(UnreachableKind::Unsupported).because(Cause::new(text))
}

/// The name could not be resolved.
pub(crate) fn name(name: &Address<'_>, error: io::Error) -> Unreachable {
    let text = format!("{}: {error}; check the name and this machine's network", name.host);
    nothing_sent(UnreachableKind::Name).because(Cause::new(text).with_source(error))
}

/// It has addresses, and none that the settings allow.
pub(crate) fn no_such_address(name: &Address<'_>) -> Unreachable {
    let text = format!(
        "{} has no address of the family that the settings allow; allow both IPv4 and IPv6",
        name.host
    );
    nothing_sent(UnreachableKind::Name).because(Cause::new(text))
}

/// No connection came about.
pub(crate) fn tcp(address: &Address<'_>, error: io::Error) -> Unreachable {
    let kind = match error.kind() {
        io::ErrorKind::TimedOut => UnreachableKind::Timeout,
        _ => UnreachableKind::Connect,
    };
    nothing_sent(kind).because(Cause::new(format!("{address}: {error}")).with_source(error))
}

/// The server did not choose HTTP/2, and nothing else is to be spoken.
pub(crate) fn no_http2(host: &str) -> Unreachable {
    unsupported(&format!("{host} does not choose HTTP/2, and the settings allow no other version"))
}

/// Whether a handshake failed because the server speaks nothing that was offered (RFC 7301 section 3.2).
pub(crate) fn is_no_common_protocol(error: &Unreachable) -> bool {
    find::<io::Error>(error)
        .and_then(rustls_error)
        .is_some_and(|error| *error == rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol))
}

/// The handshake failed.
pub(crate) fn tls(host: &str, error: io::Error) -> Unreachable {
    let (kind, text) = match rustls_error(&error) {
        Some(error) => (UnreachableKind::Tls, explain(host, error)),
        None => (
            UnreachableKind::Connect,
            format!("{host} ended the connection during the TLS handshake: {}", deepest(&error)),
        ),
    };
    nothing_sent(kind).because(Cause::new(text).with_source(error))
}

/// The host is nothing that a certificate can name.
pub(crate) fn unnameable(host: &str) -> Unreachable {
    nothing_sent(UnreachableKind::Tls)
        .because(Cause::new(format!("{host} is no name that a certificate can carry")))
}

/// A request names a certificate, and none of that name is held.
pub(crate) fn not_held(name: &KeyId) -> Unreachable {
    nothing_sent(UnreachableKind::Unsupported)
        .because(Cause::new(format!("it holds no client certificate named {}", name.as_str())))
}

/// A request names a certificate, and goes where none can be shown.
pub(crate) fn certificate_without_tls(name: &KeyId) -> Unreachable {
    nothing_sent(UnreachableKind::Unsupported).because(Cause::new(format!(
        "the client certificate {} cannot be shown over plain http; use an https URL",
        name.as_str()
    )))
}

/// A failure on the way to the proxy, where we are not yet on the way to the server.
pub(crate) fn to_the_proxy(mut error: Unreachable) -> Unreachable {
    if error.kind != UnreachableKind::Timeout {
        error.kind = UnreachableKind::Proxy;
    }
    error
}

/// A failure on the way to a firewall or a SOCKS proxy.
pub(crate) fn to_the_gate(gate: &Gate, error: Unreachable) -> Unreachable {
    let mut error = to_the_proxy(error);
    if gate.role() == Role::Firewall
        && let Some(cause) = error.cause.take()
    {
        let text = format!("the firewall cannot be reached: {cause}");
        error.cause = Some(Cause::new(text).with_source(cause).into());
    }
    error
}

/// A firewall or a SOCKS proxy does not connect us.
pub(crate) fn gate(gate: &Gate, why: impl fmt::Display) -> Unreachable {
    let text = format!("{}{}: {why}", subject(gate.role()), gate.address());
    nothing_sent(UnreachableKind::Proxy).because(Cause::new(text))
}

/// A proxy, or a firewall, does not do as it should.
pub(crate) fn refused(role: Role, why: &str) -> Unreachable {
    nothing_sent(UnreachableKind::Proxy).because(Cause::new(format!("{}{why}", subject(role))))
}

/// It did not answer `CONNECT` in HTTP.
pub(crate) fn tunnel(role: Role, error: hyper::Error) -> Unreachable {
    let text = format!("{}it opened no tunnel: {}", subject(role), chain(&error));
    nothing_sent(UnreachableKind::Proxy).because(Cause::new(text).with_source(error))
}

/// It answered `CONNECT` with a no.
pub(crate) fn tunnel_refused(role: Role, status: StatusCode) -> Unreachable {
    let hint = match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED if role == Role::Proxy => {
            "; give its user name and password in the proxy's URL, and the scheme that it asks for"
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => "; give its user name and password",
        _ => "",
    };
    refused(role, &format!("it refused to connect to the server (status {status}){hint}"))
}

/// What a proxy that is sent requests themselves asks for cannot be answered. Whether the request got further than to it is
/// for it to know.
pub(crate) fn unanswered(why: &str) -> Unreachable {
    Unreachable::new(UnreachableKind::Proxy, Delivered::Unknown).because(Cause::new(why))
}

/// Messages begin with the proxy already.
const fn subject(role: Role) -> &'static str {
    match role {
        Role::Proxy => "",
        Role::Firewall => "the firewall: ",
    }
}

/// The connection stood, and hyper did not take it.
pub(crate) fn http_handshake(error: hyper::Error) -> Unreachable {
    let text = chain(&error);
    nothing_sent(UnreachableKind::Connect).because(Cause::new(text).with_source(error))
}

/// The server hung up on a new connection before anything was written to it.
pub(crate) fn closed_unused() -> Unreachable {
    nothing_sent(UnreachableKind::Connect)
        .because(Cause::new("the server closed the connection before the request was sent"))
}

/// The request was sent, at least in part, and no head came.
pub(crate) fn exchange(error: hyper::Error) -> Unreachable {
    let kind = if error.is_parse() {
        // hyper says it in words alone; with others it would be `NotHttp`, and the contract suite fails.
        if error.to_string().contains("too large") {
            UnreachableKind::TooLarge
        } else {
            UnreachableKind::NotHttp
        }
    } else {
        broken_or_tls(&error)
    };
    maybe_delivered(kind, error)
}

/// A head came, and the body is not whole.
pub(crate) fn body(error: hyper::Error) -> Unreachable {
    let kind = match find::<io::Error>(&error) {
        // How hyper reports broken chunks.
        Some(io)
            if matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
                && rustls_error(io).is_none() =>
        {
            UnreachableKind::NotHttp
        }
        _ => broken_or_tls(&error),
    };
    maybe_delivered(kind, error)
}

/// No byte moved for so long.
pub(crate) fn silence(limit: Duration, delivered: Delivered) -> Unreachable {
    let text = format!("the request was sent, and no byte moved for {limit:?}");
    Unreachable::new(UnreachableKind::Timeout, delivered).because(Cause::new(text))
}

pub(crate) fn line_too_long(limit: NonZeroUsize) -> Unreachable {
    Unreachable::new(UnreachableKind::TooLarge, Delivered::Unknown)
        .because(Cause::new(format!("a line of its head has more than {limit} bytes")))
}

pub(crate) fn body_too_large(limit: usize) -> Unreachable {
    Unreachable::new(UnreachableKind::TooLarge, Delivered::Unknown)
        .because(Cause::new(format!("its body has more than {limit} bytes")))
}

const fn nothing_sent(kind: UnreachableKind) -> Unreachable {
    Unreachable::new(kind, Delivered::No)
}

fn maybe_delivered(kind: UnreachableKind, error: hyper::Error) -> Unreachable {
    let text = find::<io::Error>(&error)
        .and_then(rustls_error)
        .map_or_else(|| chain(&error), |error| explain("the server", error));
    Unreachable::new(kind, Delivered::Unknown).because(Cause::new(text).with_source(error))
}

fn broken_or_tls(error: &hyper::Error) -> UnreachableKind {
    match find::<io::Error>(error).and_then(rustls_error) {
        Some(_) => UnreachableKind::Tls,
        None => UnreachableKind::Broken,
    }
}

/// What rustls says, for people: what is wrong with whom, and what to do.
fn explain(host: &str, error: &rustls::Error) -> String {
    use CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            C::Expired | C::ExpiredContext { .. } => format!(
                "the certificate of {host} has expired; its operator must renew it, or the clock of this machine is wrong"
            ),
            C::NotValidYet | C::NotValidYetContext { .. } => {
                format!("the certificate of {host} is not valid yet; check the clock of this machine")
            }
            C::UnknownIssuer => format!(
                "the certificate of {host} was issued by an authority that is not trusted; if it is your own, add its \
                 root certificate"
            ),
            C::NotValidForName | C::NotValidForNameContext { .. } => {
                format!("the certificate of {host} is for another name; check the URL ({certificate})")
            }
            C::Revoked => format!("the certificate of {host} was revoked; its operator must replace it"),
            _ => format!("the certificate of {host} cannot be accepted: {certificate}"),
        },
        rustls::Error::NoCertificatesPresented => format!("{host} showed no certificate"),
        rustls::Error::InvalidMessage(_) => {
            format!("{host} does not speak TLS on this port; check the URL ({error})")
        }
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            format!(
                "{host} and this client share no TLS version or cipher; it must offer TLS 1.2 or 1.3 ({error})"
            )
        }
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            format!("{host} demands a client certificate")
        }
        _ => format!("{host}: {error}"),
    }
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// The first error of this type in the chain.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    sources(error).find_map(|error| error.downcast_ref())
}

/// What the innermost error says: the system's own words.
fn deepest(error: &(dyn Error + 'static)) -> String {
    sources(error).last().unwrap_or(error).to_string()
}

/// What each error of the chain says.
fn chain(error: &(dyn Error + 'static)) -> String {
    sources(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The error, its source, and so on.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{InvalidMessage, PeerIncompatible};

    #[test]
    fn tls_failures_say_what_is_wrong_and_what_to_do() {
        let certificate = |error| rustls::Error::InvalidCertificate(error);
        for (error, says) in [
            (
                certificate(CertificateError::Expired),
                "the certificate of as.example has expired; its operator must renew it",
            ),
            (certificate(CertificateError::NotValidYet), "is not valid yet; check the clock"),
            (certificate(CertificateError::UnknownIssuer), "if it is your own, add its root certificate"),
            (
                certificate(CertificateError::NotValidForName),
                "the certificate of as.example is for another name; check the URL",
            ),
            (certificate(CertificateError::Revoked), "the certificate of as.example was revoked"),
            (
                certificate(CertificateError::BadSignature),
                "the certificate of as.example cannot be accepted: BadSignature",
            ),
            (rustls::Error::NoCertificatesPresented, "as.example showed no certificate"),
            (
                rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType),
                "does not speak TLS on this port",
            ),
            (
                rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
                "share no TLS version or cipher; it must offer TLS 1.2 or 1.3",
            ),
            (rustls::Error::AlertReceived(AlertDescription::ProtocolVersion), "it must offer TLS 1.2 or 1.3"),
            (
                rustls::Error::AlertReceived(AlertDescription::CertificateRequired),
                "demands a client certificate",
            ),
            (
                rustls::Error::AlertReceived(AlertDescription::HandshakeFailure),
                "as.example: received fatal alert",
            ),
        ] {
            let text = explain("as.example", &error);
            assert!(text.contains(says), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_handshake_that_breaks_off_is_no_verdict_on_the_certificate() {
        let error = tls("as.example", io::ErrorKind::UnexpectedEof.into());
        assert_eq!((error.kind, error.delivered), (UnreachableKind::Connect, Delivered::No));
    }
}
