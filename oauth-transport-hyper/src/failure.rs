//! From the engine's errors to ours: what happened, whether the request may have arrived, and a line that helps.

use crate::connect::{Address, Gate, Role};
use crate::tls::fault;
use http::StatusCode;
use oauth_core::{Delivered, KeyId, Unreachable, UnreachableKind};
use oauth_transport::{Cause, IdentityError};
use rustls::{AlertDescription, InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved};
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

/// The handshake failed, before or after the server's first answer.
pub(crate) fn tls(host: &str, error: io::Error, server_answered: bool) -> Unreachable {
    let (kind, text) = match rustls_error(&error) {
        // Most servers have one alert for a cipher that is missing and a certificate that is: the time tells which it is.
        Some(rustls::Error::AlertReceived(AlertDescription::HandshakeFailure)) if server_answered => (
            UnreachableKind::Tls,
            explain(host, &rustls::Error::AlertReceived(AlertDescription::CertificateRequired)),
        ),
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

/// In the middle of an authentication that takes several messages.
pub(crate) const ENDED_HALFWAY: &str =
    "it ended the connection before it was told who we are, which takes several requests on one connection";

/// The connection stood, and hyper did not take it.
pub(crate) fn http_handshake(error: hyper::Error) -> Unreachable {
    let text = chain(&error);
    nothing_sent(UnreachableKind::Connect).because(Cause::new(text).with_source(error))
}

/// The server hung up on a new connection before anything was written to it.
pub(crate) fn closed_unused(broken: Option<&io::Error>) -> Unreachable {
    match broken.and_then(rustls_error) {
        Some(error) => {
            let cause = Cause::new(explain("the server", error)).with_source(error.clone());
            nothing_sent(UnreachableKind::Tls).because(cause)
        }
        None => nothing_sent(UnreachableKind::Connect)
            .because(Cause::new("the server closed the connection before the request was sent")),
    }
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
    // How h2 says that it was it who found something wrong, such as a head that is too large; it says no more.
    if sources(error).any(|error| error.to_string().contains("error detected: ")) {
        return UnreachableKind::NotHttp;
    }
    match find::<io::Error>(error).and_then(rustls_error) {
        Some(_) => UnreachableKind::Tls,
        None => UnreachableKind::Broken,
    }
}

/// What rustls says, for people: what is wrong with whom, and what to do.
fn explain(host: &str, error: &rustls::Error) -> String {
    use AlertDescription as A;
    match error {
        rustls::Error::InvalidCertificate(certificate) => {
            format!("the certificate of {host} {}{}", fault::what(certificate), fault::advice(certificate))
        }
        rustls::Error::NoCertificatesPresented => format!("{host} showed no certificate"),
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge,
        ) => format!("{host} does not speak TLS on this port; check the URL ({error})"),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | rustls::Error::AlertReceived(A::ProtocolVersion) => {
            format!("{host} and this client share no TLS version; it must offer TLS 1.2 or 1.3 ({error})")
        }
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(A::HandshakeFailure | A::InsufficientSecurity) => format!(
            "{host} and this client share no cipher suite, key exchange group or signature algorithm; its operator must \
             offer current ones ({error})"
        ),
        rustls::Error::AlertReceived(A::CertificateRequired) => {
            format!("{host} demands a client certificate; give the one that it knows this client by")
        }
        rustls::Error::AlertReceived(
            A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied,
        ) => format!(
            "{host} refuses this client's certificate; give the one that it knows this client by ({error})"
        ),
        // RFC 8446 section 6.2: also of what somebody on the way has changed.
        rustls::Error::AlertReceived(A::DecryptError) => format!(
            "{host} cannot verify what this client signed or sent; if it shows a client certificate, give the key that belongs \
             to it ({error})"
        ),
        rustls::Error::Other(OtherError(cause)) if cause.is::<IdentityError>() => {
            format!("{host} asks for a client certificate, and {cause}")
        }
        rustls::Error::AlertReceived(A::UnrecognisedName) => {
            format!("{host} knows no server of that name; check the URL ({error})")
        }
        rustls::Error::AlertReceived(A::NoApplicationProtocol) | rustls::Error::NoApplicationProtocol => {
            format!("{host} and this client share no version of HTTP; choose another ({error})")
        }
        rustls::Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme) => format!(
            "{host} signed the handshake by an algorithm that is not allowed; allow it, or have its operator change it"
        ),
        rustls::Error::InvalidMessage(_)
        | rustls::Error::InappropriateMessage { .. }
        | rustls::Error::InappropriateHandshakeMessage { .. }
        | rustls::Error::PeerMisbehaved(_)
        | rustls::Error::DecryptError => {
            format!("{host} breaks the rules of TLS; something on the way may disturb it ({error})")
        }
        rustls::Error::AlertReceived(_) => format!("{host} ended the TLS connection ({error})"),
        _ => format!("{host}: {error}"),
    }
}

/// What rustls says of a request that failed.
pub(crate) fn rustls_cause(error: &Unreachable) -> Option<&rustls::Error> {
    find::<io::Error>(&**error.cause.as_ref()?).and_then(rustls_error)
}

/// What rustls says, where it is from there.
pub(crate) fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
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
    use crate::tls::fault::Fault;
    use rustls::CertificateError;
    use rustls::pki_types::ServerName;
    use std::sync::Arc;

    #[test]
    fn tls_failures_say_what_is_wrong_and_what_to_do() {
        use AlertDescription as A;
        use CertificateError as C;
        let certificate = |error| rustls::Error::InvalidCertificate(error);
        let for_names = |presented: &[&str]| {
            certificate(C::NotValidForNameContext {
                expected: ServerName::try_from("as.example").unwrap(),
                presented: presented.iter().map(|name| (*name).to_owned()).collect(),
            })
        };
        let alert = rustls::Error::AlertReceived;
        for (error, says) in [
            (
                certificate(C::Expired),
                "the certificate of as.example has expired; its operator must renew it",
            ),
            (certificate(C::NotValidYet), "is not valid yet; check the clock"),
            (
                certificate(C::UnknownIssuer),
                "was issued by an authority that is not trusted; if it is your own, add its root certificate",
            ),
            (Fault::SelfSigned.into(), "the certificate of as.example is self-signed; if it is your own"),
            (Fault::NotForServers.into(), "the certificate of as.example is not for servers; its operator"),
            (Fault::KeyNotHeld.into(), "is not the server's: it cannot prove that it holds the key"),
            (
                for_names(&["DnsName(\"a.example\")", "IpAddress(127.0.0.2)"]),
                "the certificate of as.example is for another name: a.example, 127.0.0.2; check the URL",
            ),
            (for_names(&[]), "is for another name: it names no server at all; check the URL"),
            (for_names(&["DnsName(\"a\")"; 7]), "is for another name: a, a, a, a, a and 2 more; check"),
            (certificate(C::Revoked), "the certificate of as.example was revoked; its operator must replace"),
            (
                Fault::NoList("; http://l.example/: gone".to_owned()).into(),
                "has no revocation list that speaks for it; http://l.example/: gone; its operator",
            ),
            (
                certificate(C::BadSignature),
                "was not signed by the authority that it names; if it is your own",
            ),
            (
                certificate(C::ApplicationVerificationFailure),
                "the certificate of as.example was refused by the handler of the events",
            ),
            (
                Fault::Unjudged.into(),
                "cannot be asked, as it panicked, or waits for this connection; set one",
            ),
            (rustls::Error::NoCertificatesPresented, "as.example showed no certificate"),
            (
                rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType),
                "does not speak TLS on this port",
            ),
            (
                rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
                "share no TLS version; it must offer TLS 1.2 or 1.3",
            ),
            (alert(A::ProtocolVersion), "it must offer TLS 1.2 or 1.3"),
            (alert(A::HandshakeFailure), "share no cipher suite, key exchange group or signature algorithm"),
            (alert(A::CertificateRequired), "as.example demands a client certificate"),
            (alert(A::UnknownCA), "as.example refuses this client's certificate"),
            (alert(A::DecryptError), "if it shows a client certificate, give the key that belongs to it"),
            (
                rustls::Error::Other(OtherError(Arc::new(IdentityError::new("it is unplugged; plug it in")))),
                "as.example asks for a client certificate, and the key of the client certificate gave no signature: it is \
                 unplugged; plug it in",
            ),
            (alert(A::UnrecognisedName), "as.example knows no server of that name"),
            (alert(A::NoApplicationProtocol), "share no version of HTTP"),
            (alert(A::InternalError), "as.example ended the TLS connection (received fatal alert"),
            (
                rustls::Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme),
                "as.example signed the handshake by an algorithm that is not allowed",
            ),
            (rustls::Error::DecryptError, "as.example breaks the rules of TLS"),
        ] {
            let text = explain("as.example", &error);
            assert!(text.contains(says), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn an_alert_after_the_server_s_answer_is_about_the_client() {
        let error = || {
            let alert = rustls::Error::AlertReceived(AlertDescription::HandshakeFailure);
            io::Error::new(io::ErrorKind::InvalidData, alert)
        };
        for (answered, says) in [(false, "share no cipher suite"), (true, "demands a client certificate")] {
            let text = tls("as.example", error(), answered).to_string();
            assert!(text.contains(says), "{text}");
        }
    }

    #[test]
    fn a_handshake_that_breaks_off_is_no_verdict_on_the_certificate() {
        let error = tls("as.example", io::ErrorKind::UnexpectedEof.into(), false);
        assert_eq!((error.kind, error.delivered), (UnreachableKind::Connect, Delivered::No));
    }
}
