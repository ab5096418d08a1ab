//! Private keys that open messages: parsed and checked once.

use super::algorithm::{ContentEncryption, KeyManagement};
use super::header::Agreement;
use super::key_management::{self, Secret, agreement_key, agreement_on, random};
use super::symmetric::SymmetricKey;
use super::{JweError, JweHeader};
use crate::error::KeyError;
use crate::jwk::{bytes, serves, text};
use crate::signing_key::{self, KeyPair, SigningKey};
use crate::verify_error::JwkError;
use aws_lc_rs::agreement::PrivateKey;
use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _};
use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
use oauth_core::{ClientSecret, JsonValue as Value};
use std::fmt;
use zeroize::Zeroizing;

/// A key that decrypts, of one kind: RSA for RSA-OAEP, EC on P-256, P-384 or P-521 and X25519 for ECDH-ES, a secret for AES
/// Key Wrap or `dir`.
///
/// A key of one kind is never used for an algorithm of another. A JWK that names its `alg` is used for that one alone.
pub struct DecryptionKey {
    material: Material,
    algorithm: Option<KeyManagement>,
    kid: Option<String>,
}

enum Material {
    Rsa(OaepPrivateDecryptingKey),
    Agreement(PrivateKey),
    Symmetric(SymmetricKey),
}

/// What `key_ops` may say of a key that decrypts (RFC 7517 section 4.3).
const OPERATIONS: [&str; 4] = ["decrypt", "unwrapKey", "deriveKey", "deriveBits"];

impl DecryptionKey {
    /// Reads the one private key of a PEM file, as [`SigningKey::from_pem`] does: RSA, or EC on P-256, P-384 or P-521.
    ///
    /// A key that signs should not decrypt as well: give each its own.
    ///
    /// # Errors
    /// As `SigningKey::from_pem`; or it is of a kind that cannot decrypt.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::of(SigningKey::from_pem(pem)?)
    }

    /// Reads one private JWK (RFC 7518 section 6, RFC 8037): RSA with all its numbers, EC on P-256, P-384 or P-521, X25519,
    /// or a secret (`oct`) whose `alg` is told: `A128KW`, `A256KW`, `dir`, or the `enc` that it is for by `dir`.
    ///
    /// # Errors
    /// It is no such key, lacks a member, its numbers do not fit together, or it is for something else (`use`, `key_ops`,
    /// `alg`).
    pub fn from_jwk(jwk: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let jwk = Value::read(jwk.as_ref()).map_err(|why| KeyError::Jwk(JwkError::Json(why)))?;
        let key = Self::read(&jwk)?;
        let kid = text(&jwk, "kid").map_err(KeyError::Jwk)?.map(str::to_owned);
        Ok(Self { kid, ..key })
    }

    /// Takes a client secret: a key for AES Key Wrap or `dir` is derived from it (OpenID Connect Core section 10.2).
    ///
    /// With `dir`, the key is for this `enc` and no other; with AES Key Wrap the `enc` does not matter.
    ///
    /// # Errors
    /// The algorithm is not one of a secret.
    pub fn from_secret(
        secret: &ClientSecret,
        algorithm: KeyManagement,
        encryption: ContentEncryption,
    ) -> Result<Self, KeyError> {
        let key = SymmetricKey::derived(secret, algorithm, encryption)?;
        Ok(Self { material: Material::Symmetric(key), algorithm: None, kid: None })
    }

    /// Names the key (`kid`).
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    fn read(jwk: &Value<'_>) -> Result<Self, KeyError> {
        let kind = text(jwk, "kty").and_then(|kind| kind.ok_or(JwkError::Member("kty")));
        let kind = kind.map_err(KeyError::Jwk)?;
        if !serves(jwk, "enc", &OPERATIONS).map_err(KeyError::Jwk)? {
            return Err(KeyError::Jwk(JwkError::OtherUse));
        }
        if kind == "oct" {
            let key = SymmetricKey::read(jwk).map_err(KeyError::Jwk)?;
            return Ok(Self { material: Material::Symmetric(key), algorithm: None, kid: None });
        }
        let algorithm = text(jwk, "alg").map_err(KeyError::Jwk)?.map(|alg| {
            KeyManagement::from_text(alg).ok_or_else(|| KeyError::Jwk(JwkError::unsupported("alg", alg)))
        });
        let algorithm = algorithm.transpose()?;
        let key = match text(jwk, "crv").map_err(KeyError::Jwk)? {
            Some("X25519") if kind == "OKP" => x25519(jwk)?,
            _ => Self::of(signing_key::from_jwk(jwk)?)?,
        };
        if algorithm.is_some_and(|algorithm| !key.is_for(algorithm)) {
            return Err(KeyError::Jwk(JwkError::Member("alg")));
        }
        Ok(Self { algorithm, ..key })
    }

    /// The same numbers, for decrypting.
    fn of(key: SigningKey) -> Result<Self, KeyError> {
        // The library wrote these itself a moment ago.
        let refused = || KeyError::Rejected { cause: "the engine does not take it for decrypting".into() };
        let material = match key.into_pair() {
            KeyPair::Rsa(pair) => {
                let der = pair.as_der().map_err(|_| refused())?;
                let key = PrivateDecryptingKey::from_pkcs8(der.as_ref()).map_err(|_| refused())?;
                Material::Rsa(OaepPrivateDecryptingKey::new(key).map_err(|_| refused())?)
            }
            KeyPair::Ec(curve, pair) => {
                let algorithm =
                    agreement_on(curve).ok_or(KeyError::CannotDecrypt { found: curve.described() })?;
                let private = pair.private_key().as_be_bytes().map_err(|_| refused())?;
                let key = PrivateKey::from_private_key(algorithm, private.as_ref());
                Material::Agreement(key.map_err(|_| refused())?)
            }
            KeyPair::Ed25519(_) => return Err(KeyError::CannotDecrypt { found: "an Ed25519 key" }),
            KeyPair::Hmac(_) => return Err(KeyError::CannotDecrypt { found: "a secret for signatures" }),
            #[cfg(feature = "pkcs11")]
            KeyPair::Token(_) => {
                return Err(KeyError::CannotDecrypt { found: "a key that stays in its token" });
            }
        };
        Ok(Self { material, algorithm: None, kid: None })
    }

    /// Whether a key of this kind is for this algorithm.
    const fn is_for(&self, algorithm: KeyManagement) -> bool {
        match &self.material {
            Material::Rsa(_) => algorithm.is_rsa(),
            Material::Agreement(_) => algorithm.is_agreement(),
            Material::Symmetric(_) => !algorithm.is_rsa() && !algorithm.is_agreement(),
        }
    }

    /// Whether it may open a message with this header, by its kind and by its own word.
    pub(super) fn fits(&self, header: &JweHeader, agreement: Option<&Agreement>) -> bool {
        self.is_for(header.alg)
            && self.algorithm.is_none_or(|own| own == header.alg)
            && match &self.material {
                Material::Rsa(_) => true,
                Material::Agreement(key) => {
                    agreement.is_some_and(|agreement| agreement.epk.alg() == key.algorithm())
                }
                Material::Symmetric(key) => key.fits(header.alg, header.enc),
            }
    }

    /// The key of the content. What goes wrong here is not told: another key is handed out, which opens nothing, so that
    /// nobody learns more than that the message could not be opened (RFC 7516 section 11.5).
    pub(super) fn content_key(
        &self,
        header: &JweHeader,
        agreement: Option<&Agreement>,
        encrypted_key: &[u8],
    ) -> Result<Secret, JweError> {
        let length = header.enc.key_length();
        let other = random(length).ok_or(JweError::Engine)?;
        let found = match &self.material {
            Material::Rsa(key) => key_management::rsa_decrypted(key, header.alg, encrypted_key),
            Material::Agreement(key) => agreement.and_then(|with| {
                let parties = (&*with.apu, &*with.apv);
                let agreed = key_management::agreed(key, &with.epk, header.alg, header.enc, parties)?;
                if header.alg.encrypts_a_key() {
                    key_management::unwrapped(&agreed, encrypted_key, length)
                } else {
                    Some(agreed)
                }
            }),
            Material::Symmetric(symmetric) if header.alg.encrypts_a_key() => {
                key_management::unwrapped(&symmetric.key, encrypted_key, length)
            }
            Material::Symmetric(symmetric) => Some(symmetric.key.clone()),
        };
        Ok(found.filter(|cek| cek.len() == length).unwrap_or(other))
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.material {
            Material::Rsa(_) => "RSA",
            Material::Agreement(_) => "ECDH",
            Material::Symmetric(_) => "oct",
        };
        write!(f, "DecryptionKey({kind}, {:?}, [redacted])", self.kid)
    }
}

/// RFC 8037 section 2: the private half in `d`, the public one in `x`, and they have to fit.
fn x25519(jwk: &Value<'_>) -> Result<DecryptionKey, KeyError> {
    let public = agreement_key(jwk).map_err(KeyError::Jwk)?;
    let private = bytes(jwk, "d").map(Zeroizing::new).map_err(KeyError::Jwk)?;
    let rejected = |cause: &'static str| KeyError::Rejected { cause: cause.into() };
    let key = PrivateKey::from_private_key(public.alg(), &private)
        .map_err(|_| rejected("its private half has not 32 bytes"))?;
    let own = key.compute_public_key().map_err(|_| rejected("it has no public half"))?;
    if own.as_ref() != public.as_ref() {
        return Err(rejected("InconsistentComponents"));
    }
    Ok(DecryptionKey { material: Material::Agreement(key), algorithm: None, kid: None })
}
