//! Who the client is towards a TLS server (RFC 8705).

use crate::settings::SettingsError;
use crate::settings::signer::IdentitySigner;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A client certificate with its chain, and its private key or who signs by it. Cheap to clone; the key is shown by nobody.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    chain: Vec<Vec<u8>>,
    key: Key,
}

enum Key {
    Der(Zeroizing<Vec<u8>>),
    Signer(Arc<dyn IdentitySigner>),
}

/// How an engine comes to the signatures of an [`Identity`].
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a key is at hand, or it is not")]
pub enum IdentityKey<'a> {
    /// By the private key itself, as DER: PKCS#8, SEC1 or PKCS#1.
    Der(&'a [u8]),
    /// By asking for each: the key stays where it is.
    Signer(&'a Arc<dyn IdentitySigner>),
}

impl Identity {
    /// From DER: the certificate first, then those that lead to a root, and the key as PKCS#8, SEC1 or PKCS#1.
    ///
    /// # Errors
    /// No certificate, or a key that is none of the three. Whether they belong together is seen when a transport is made.
    pub fn new(chain: Vec<Vec<u8>>, key: &[u8]) -> Result<Self, SettingsError> {
        PrivateKeyDer::try_from(key)
            .map_err(|_| SettingsError::Identity { why: "its key is neither PKCS#8 nor SEC1 nor PKCS#1" })?;
        Self::of(chain, Key::Der(Zeroizing::new(key.to_vec())))
    }

    /// From the certificates as DER, the client's own first, and somebody who signs by its key, which stays where it is.
    ///
    /// Not every engine can ask for signatures: [`Setting::ClientKeyInToken`](crate::Setting::ClientKeyInToken).
    ///
    /// # Errors
    /// No certificate. Whether key and certificate are of one kind is seen when a transport is made, and whether they
    /// belong together by the server.
    pub fn with_signer(chain: Vec<Vec<u8>>, signer: Arc<dyn IdentitySigner>) -> Result<Self, SettingsError> {
        Self::of(chain, Key::Signer(signer))
    }

    fn of(chain: Vec<Vec<u8>>, key: Key) -> Result<Self, SettingsError> {
        if chain.is_empty() {
            return Err(SettingsError::Identity { why: "it holds no certificate" });
        }
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

    /// The private key, or who signs by it.
    #[must_use]
    pub fn key(&self) -> IdentityKey<'_> {
        match &self.0.key {
            Key::Der(der) => IdentityKey::Der(der),
            Key::Signer(signer) => IdentityKey::Signer(signer),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("chain", &format_args!("[{} certificates]", self.0.chain.len()))
            .field("key", &self.key())
            .finish()
    }
}

impl fmt::Debug for IdentityKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Der(_) => "[redacted]",
            Self::Signer(_) => "[in its token]",
        })
    }
}
