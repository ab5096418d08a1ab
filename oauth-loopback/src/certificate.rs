//! The certificate that a listener with https shows.

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// How long a certificate made for the occasion holds, and how far back, for a browser whose clock is another's.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
const SKEW: Duration = Duration::from_secs(24 * 3600);

/// A certificate and its key, checked to fit; for [`Address::https`](crate::Address::https).
#[derive(Clone)]
pub struct Certificate {
    pub(crate) config: Arc<ServerConfig>,
    fingerprint: String,
}

impl Certificate {
    /// A certificate of yours: the chain as DER, the listener's own first, and its key as DER (PKCS#8, SEC 1 or PKCS#1).
    ///
    /// Whether the browser trusts it, and whether it names the host of the redirect URI, is for you to see to.
    ///
    /// # Errors
    /// There is no certificate, it or the key cannot be read, or the two do not belong together.
    pub fn new(chain: impl IntoIterator<Item = Vec<u8>>, key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        let first = chain.first().ok_or(CertificateError::NoCertificate)?;
        let fingerprint = fingerprint(first);
        let key = PrivateKeyDer::try_from(key).map_err(|_| CertificateError::Key)?.clone_key();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has every version")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| CertificateError::Refused(error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // One request a connection, and one login a listener: a ticket would be for nothing.
        config.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), fingerprint })
    }

    /// A certificate for 127.0.0.1, \[::1\] and `localhost`, made here and now, signed by nobody else, good for a week.
    ///
    /// No browser trusts it: the person is warned, and has to go on in spite of it. Show them the
    /// [`fingerprint`](Self::fingerprint), so that they can tell it from a stranger's. The key never leaves this process.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn throw_away() -> Result<Self, CertificateError> {
        let made = || {
            let key = KeyPair::generate()?;
            let names = ["127.0.0.1", "::1", "localhost"].map(str::to_owned);
            let mut parameters = CertificateParams::new(names)?;
            parameters.distinguished_name.push(DnType::CommonName, "Sign-in on this machine (throw-away)");
            parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            let now = SystemTime::now();
            parameters.not_before = (now - SKEW).into();
            parameters.not_after = (now + LIFETIME).into();
            let certificate = parameters.self_signed(&key)?;
            Ok((certificate.der().to_vec(), Zeroizing::new(key.serialize_der())))
        };
        let (certificate, key) =
            made().map_err(|error: rcgen::Error| CertificateError::Made(error.to_string()))?;
        Self::new([certificate], &key)
    }

    /// The SHA-256 fingerprint of the listener's own certificate, as browsers show it: `AB:CD:…`.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

fn fingerprint(certificate: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(certificate) {
        let colon = if text.is_empty() { "" } else { ":" };
        write!(text, "{colon}{byte:02X}").expect("a String takes any text");
    }
    text
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// Why there is no certificate to show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// The chain is empty.
    NoCertificate,
    /// The key is not DER of PKCS#8, SEC 1 or PKCS#1.
    Key,
    /// The certificate cannot be read, the key is of a kind that is not known, or they do not belong together; with
    /// what the TLS library says.
    Refused(String),
    /// None could be made; with what the library says.
    Made(String),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str(
                "the listener's certificate chain is empty: give its own certificate first, then those above it",
            ),
            Self::Key => f.write_str(
                "the key of the listener's certificate cannot be read: give it as DER of PKCS#8, SEC 1 or PKCS#1",
            ),
            Self::Refused(why) => {
                write!(f, "the listener's certificate cannot be used ({why}): give a certificate and the key of it")
            }
            Self::Made(why) => {
                write!(f, "no certificate could be made for the listener ({why}): try again, or give one")
            }
        }
    }
}

impl std::error::Error for CertificateError {}

#[cfg(test)]
mod tests {
    use super::{Certificate, CertificateError};

    #[test]
    fn a_throw_away_certificate_is_another_each_time() {
        let (one, other) = (Certificate::throw_away().unwrap(), Certificate::throw_away().unwrap());
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_eq!((one.fingerprint().len(), one.fingerprint().matches(':').count()), (95, 31));
        assert!(format!("{one:?}").len() < 160, "{one:?}");
    }

    #[test]
    fn what_does_not_fit_is_refused_before_anything_listens() {
        let made = || {
            let key = rcgen::KeyPair::generate().unwrap();
            let certificate =
                rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key);
            (certificate.unwrap().der().to_vec(), key.serialize_der())
        };
        let ((certificate, key), (_, another)) = (made(), made());
        assert!(Certificate::new([certificate.clone()], &key).is_ok());
        assert_eq!(Certificate::new([], &key).err(), Some(CertificateError::NoCertificate));
        assert_eq!(Certificate::new([certificate.clone()], b"planted").err(), Some(CertificateError::Key));
        for error in [
            Certificate::new([certificate], &another).unwrap_err(),
            Certificate::new([b"planted".to_vec()], &key).unwrap_err(),
        ] {
            assert!(matches!(error, CertificateError::Refused(_)), "{error}");
            assert!(!error.to_string().contains("planted"), "{error}");
        }
    }
}
