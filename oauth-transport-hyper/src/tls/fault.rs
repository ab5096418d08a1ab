//! What can be wrong with a server's certificate, in words.

use rustls::{CertificateError, Error, OtherError};
use std::fmt;
use std::sync::Arc;

/// What rustls has no word for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is its own issuer, and nobody vouches for it.
    SelfSigned,
    /// Its usages are others (RFC 5280 section 4.2.1.12).
    NotForServers,
    /// The server signed by another key.
    KeyNotHeld,
    /// Revocation lists have to be asked first. Not a verdict: they are fetched, and the handshake is begun again.
    ListsNeeded(Vec<String>),
    /// Lists are required, and none speaks for it. Says which could not be had, and why.
    NoList(String),
    /// The handler of the events could refuse it, and cannot be asked.
    Unjudged,
}

impl Fault {
    /// The fault in an error of a handshake.
    pub(crate) fn of(error: &CertificateError) -> Option<&Self> {
        let CertificateError::Other(OtherError(error)) = error else { return None };
        error.downcast_ref()
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        CertificateError::Other(OtherError(Arc::new(fault))).into()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SelfSigned => f.write_str("is self-signed"),
            Self::NotForServers => f.write_str("is not for servers"),
            Self::KeyNotHeld => f.write_str("is not the server's: it cannot prove that it holds the key"),
            Self::ListsNeeded(urls) => write!(f, "needs revocation lists: {}", urls.join(", ")),
            Self::Unjudged => f.write_str(
                "was refused unseen: the handler of the events, which could refuse it, cannot be asked",
            ),
            Self::NoList(why) => write!(f, "has no revocation list that speaks for it{why}"),
        }
    }
}

impl std::error::Error for Fault {}

/// What is wrong with a certificate, to be read after "it".
pub(crate) fn what(error: &CertificateError) -> String {
    use CertificateError as C;
    match error {
        C::Expired | C::ExpiredContext { .. } => "has expired".to_owned(),
        C::NotValidYet | C::NotValidYetContext { .. } => "is not valid yet".to_owned(),
        C::UnknownIssuer => "was issued by an authority that is not trusted".to_owned(),
        C::BadSignature => "was not signed by the authority that it names".to_owned(),
        C::NotValidForName => "is for another name".to_owned(),
        C::NotValidForNameContext { presented, .. } => {
            format!("is for another name: {}", names(presented))
        }
        C::Revoked => "was revoked".to_owned(),
        C::UnsupportedSignatureAlgorithmContext { .. }
        | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "is signed by an algorithm that is weak or not supported".to_owned()
        }
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => Fault::NotForServers.to_string(),
        C::ApplicationVerificationFailure => "was refused by the handler of the events".to_owned(),
        C::BadEncoding => "cannot be read".to_owned(),
        C::Other(OtherError(error)) => match error.downcast_ref::<Fault>() {
            Some(fault) => fault.to_string(),
            None => format!("cannot be accepted: {error}"),
        },
        _ => format!("cannot be accepted: {error}"),
    }
}

/// What can be done about it.
pub(crate) fn advice(error: &CertificateError) -> &'static str {
    use CertificateError as C;
    match error {
        C::Expired | C::ExpiredContext { .. } => {
            "; its operator must renew it, or the clock of this machine is wrong"
        }
        C::NotValidYet | C::NotValidYetContext { .. } => "; check the clock of this machine",
        C::UnknownIssuer | C::BadSignature => "; if it is your own, add its root certificate",
        C::NotValidForName | C::NotValidForNameContext { .. } => "; check the URL",
        C::Revoked | C::InvalidPurpose | C::InvalidPurposeContext { .. } => "; its operator must replace it",
        C::UnsupportedSignatureAlgorithmContext { .. }
        | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => "; its operator must replace it",
        _ => match Fault::of(error) {
            Some(Fault::SelfSigned) => {
                "; if it is your own, have it issued by an authority and add that one's root certificate, or accept this \
                 one certificate"
            }
            Some(Fault::NotForServers) => "; its operator must replace it",
            Some(Fault::NoList(_)) => {
                "; its operator must publish one, or let lists be asked only where they are known"
            }
            Some(Fault::Unjudged) => {
                ", as it panicked, or waits for this connection; set one that does neither"
            }
            Some(Fault::KeyNotHeld | Fault::ListsNeeded(_)) | None => "",
        },
    }
}

/// rustls quotes them as its debugging output does.
fn names(presented: &[String]) -> String {
    let names: Vec<_> = presented
        .iter()
        .map(|name| match name.split_once('(') {
            Some((_, name)) => name.trim_end_matches(')').trim_matches('"'),
            None => name,
        })
        .take(5)
        .collect();
    match (names.len(), presented.len()) {
        (0, _) => "it names no server at all".to_owned(),
        (shown, all) if shown < all => format!("{} and {} more", names.join(", "), all - shown),
        _ => names.join(", "),
    }
}

/// webpki's errors as rustls tells them.
pub(super) fn from_webpki(error: webpki::Error) -> Error {
    use webpki::Error as E;
    match error {
        E::CertExpired { time, not_after } => CertificateError::ExpiredContext { time, not_after }.into(),
        E::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }.into()
        }
        E::InvalidCertValidity => CertificateError::Expired.into(),
        E::UnknownIssuer => CertificateError::UnknownIssuer.into(),
        E::InvalidSignatureForPublicKey => CertificateError::BadSignature.into(),
        E::CertRevoked => CertificateError::Revoked.into(),
        E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => Fault::NotForServers.into(),
        E::BadDer | E::BadDerTime | E::TrailingData(_) => CertificateError::BadEncoding.into(),
        error => CertificateError::Other(OtherError(Arc::new(error))).into(),
    }
}
