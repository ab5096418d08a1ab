//! What is in a store: a key, a certificate, or both.

use super::certificate::Certificate;
use super::error::StoreError;
use super::kind::StoreKind;
use crate::base64url;
use crate::engine::digest;
use crate::error::KeyError;
use crate::jwk::PublicKey;
use crate::signing_key::SigningKey;
use std::sync::Arc;

/// One entry of a [`CertificateStore`](crate::CertificateStore): a key, a certificate, or both.
#[derive(Debug)]
pub struct Entry {
    kind: StoreKind,
    label: Option<String>,
    subject: String,
    certificates: Vec<Arc<[u8]>>,
    public_key: Option<PublicKey>,
    key: Option<Result<SigningKey, KeyError>>,
}

impl Entry {
    /// A private key, without a certificate so far.
    pub(super) fn private(kind: StoreKind, key: Result<SigningKey, KeyError>) -> Self {
        let public_key = key.as_ref().ok().and_then(SigningKey::public_key);
        Self { public_key, key: Some(key), ..Self::public(kind, None) }
    }

    /// A public key; `None` for one that is not supported.
    pub(super) fn public(kind: StoreKind, public_key: Option<PublicKey>) -> Self {
        let (subject, certificates) = (String::new(), Vec::new());
        Self { kind, label: None, subject, certificates, public_key, key: None }
    }

    /// What the store calls it; an empty text is no name.
    pub(super) fn named(mut self, label: Option<String>) -> Self {
        self.label = label.filter(|label| !label.is_empty());
        self
    }

    /// With a certificate of its own, and those of its issuers.
    pub(super) fn certified(mut self, leaf: &Certificate, issuers: impl Iterator<Item = Arc<[u8]>>) -> Self {
        self.subject.clone_from(&leaf.subject);
        self.certificates = std::iter::once(Arc::clone(&leaf.der)).chain(issuers).collect();
        self.public_key = self.public_key.or_else(|| leaf.public_key.clone());
        self
    }

    /// What the store calls it: an alias, a friendly name, a `kid`, a comment.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The subject of its certificate (RFC 4514); empty without one.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Its certificate as DER, then those of its issuers as far as the store has them: the names tell who issued which,
    /// and no signature is verified.
    pub fn certificates(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.certificates.iter().map(|certificate| &**certificate)
    }

    /// The SHA-256 thumbprint of its certificate, base64url (`x5t#S256`, RFC 7515 section 4.1.8): what access tokens are bound
    /// to (RFC 8705 section 3.1). `None` without a certificate.
    #[must_use]
    pub fn certificate_thumbprint(&self) -> Option<String> {
        let certificate = self.certificates.first()?;
        Some(base64url::encode(digest::digest(&digest::SHA256, certificate).as_ref()))
    }

    /// Its public key; `None` for one of a kind that is not supported, and for a secret, which has none.
    #[must_use]
    pub const fn public_key(&self) -> Option<&PublicKey> {
        self.public_key.as_ref()
    }

    /// Whether the store holds its private key, be it one that can be used or not.
    #[must_use]
    pub const fn has_private_key(&self) -> bool {
        self.key.is_some()
    }

    /// Its private key where it has a certificate too, for TLS, which shows its [`certificates`](Self::certificates) beside:
    /// as [DER](SigningKey::expose_der), or by [asking it to sign](SigningKey::sign_for_tls) where it stays in its token.
    ///
    /// # Errors
    /// There is no certificate, or as [`into_signing_key`](Self::into_signing_key).
    pub fn into_signing_key_of_certificate(self) -> Result<SigningKey, StoreError> {
        if self.certificates.is_empty() {
            return Err(StoreError::NoCertificate { kind: self.kind });
        }
        self.into_signing_key()
    }

    /// Its private key.
    ///
    /// # Errors
    /// There is none, or it cannot be used: it is weak, of a kind that is not supported, or has a password of its own.
    pub fn into_signing_key(self) -> Result<SigningKey, StoreError> {
        self.key.ok_or(StoreError::NoPrivateKey { kind: self.kind })?.map_err(StoreError::Key)
    }
}
