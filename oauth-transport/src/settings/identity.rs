//! Who the client is towards a TLS server (RFC 8705).

use crate::settings::SettingsError;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A client certificate with its chain and its private key. Cheap to clone; the key is shown by nobody.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    chain: Vec<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
}

impl Identity {
    /// From DER: the certificate first, then those that lead to a root, and the key as PKCS#8, SEC1 or PKCS#1.
    ///
    /// # Errors
    /// No certificate, or a key that is none of the three. Whether they belong together is seen when a transport is made.
    pub fn new(chain: Vec<Vec<u8>>, key: &[u8]) -> Result<Self, SettingsError> {
        let key = Zeroizing::new(key.to_vec());
        if chain.is_empty() {
            return Err(SettingsError::Identity { why: "it holds no certificate" });
        }
        PrivateKeyDer::try_from(&**key)
            .map_err(|_| SettingsError::Identity { why: "its key is neither PKCS#8 nor SEC1 nor PKCS#1" })?;
        Ok(Self(Arc::new(Inner { chain, key })))
    }

    /// From PEM text that holds the certificates, the client's own first, and the key, not encrypted.
    ///
    /// # Errors
    /// A certificate or the key is missing or broken.
    pub fn from_pem(pem: &[u8]) -> Result<Self, SettingsError> {
        let broken = |_| SettingsError::Identity { why: "its PEM text cannot be read" };
        let chain = CertificateDer::pem_slice_iter(pem)
            .map(|der| der.map(|der| der.to_vec()))
            .collect::<Result<_, _>>()
            .map_err(broken)?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| SettingsError::Identity {
            why: "its PEM text holds no private key that can be read without a password",
        })?;
        Self::new(chain, key.secret_der())
    }

    /// The certificate and those that lead to a root, as DER.
    pub fn chain(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.0.chain.iter().map(Vec::as_slice)
    }

    /// The private key as DER: PKCS#8, SEC1 or PKCS#1.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.0.key
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("chain", &format_args!("[{} certificates]", self.0.chain.len()))
            .field("key", &"[redacted]")
            .finish()
    }
}
