//! Keys that both sides know: what HS256 and its like verify by.

use crate::base64url;
use crate::engine::hmac;
use crate::error::KeyError;
use crate::jwk::{Usage, text};
use crate::verify_error::JwkError;
use oauth_core::{Algorithm, ClientSecret, JsonValue as Value};
use std::fmt;
use zeroize::Zeroizing;

/// A secret that both sides know, for one algorithm: HS256, HS384 or HS512.
#[derive(Clone)]
pub struct SharedKey {
    key: hmac::Key,
    algorithm: Algorithm,
    usage: Usage,
}

impl SharedKey {
    /// Takes a client secret: ID tokens may be signed by it (OpenID Connect Core section 10.1).
    ///
    /// # Errors
    /// The algorithm is no HMAC, or the secret is shorter than its hash (RFC 7518 section 3.2).
    pub fn from_secret(secret: &ClientSecret, algorithm: Algorithm) -> Result<Self, KeyError> {
        let key = key(secret.expose().as_bytes(), &algorithm)?;
        Ok(Self { key, usage: Usage::of(algorithm.clone()), algorithm })
    }

    pub(crate) fn read(jwk: &Value<'_>) -> Result<Self, JwkError> {
        if text(jwk, "kty")? != Some("oct") {
            return Err(JwkError::Mixed);
        }
        let usage = Usage::read(jwk)?;
        let secret = text(jwk, "k")?.ok_or(JwkError::Member("k"))?;
        let secret = Zeroizing::new(base64url::decode(secret.as_bytes()).ok_or(JwkError::Member("k"))?);
        // RFC 8725 section 3.1: one algorithm for one key, and it has to be told.
        let algorithm = usage.algorithm.clone().ok_or(JwkError::Member("alg"))?;
        let key = key(&secret, &algorithm).map_err(|why| JwkError::Shared(why.into()))?;
        Ok(Self { key, algorithm, usage })
    }

    /// The one algorithm that it verifies by.
    #[must_use]
    pub const fn algorithm(&self) -> &Algorithm {
        &self.algorithm
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.usage.kid.as_deref()
    }

    pub(crate) const fn usage(&self) -> &Usage {
        &self.usage
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.key, message, signature).is_ok()
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedKey({}, [redacted])", self.algorithm)
    }
}

/// A MAC key that is no shorter than its hash.
pub(crate) fn key(secret: &[u8], algorithm: &Algorithm) -> Result<hmac::Key, KeyError> {
    let (kind, needed) = match () {
        () if *algorithm == Algorithm::HS256 => (hmac::HMAC_SHA256, 32),
        () if *algorithm == Algorithm::HS384 => (hmac::HMAC_SHA384, 48),
        () if *algorithm == Algorithm::HS512 => (hmac::HMAC_SHA512, 64),
        () => return Err(KeyError::NotAnHmac { asked: algorithm.clone() }),
    };
    if secret.len() < needed {
        return Err(KeyError::SecretTooShort { bytes: secret.len(), needed });
    }
    Ok(hmac::Key::new(kind, secret))
}
