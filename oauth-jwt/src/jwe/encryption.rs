//! Public keys that messages are encrypted to, and how it is done: request objects, for one.

use super::JweError;
use super::algorithm::{ContentEncryption, KeyManagement};
use super::key_management::{self, Secret, agreement_jwk, agreement_key, random};
use super::symmetric::SymmetricKey;
use crate::base64url;
use crate::error::KeyError;
use crate::jwk::{rsa_numbers, serves, text};
use crate::key_set::members;
use crate::verify_error::JwkError;
use aws_lc_rs::agreement::{ParsedPublicKey, PrivateKey};
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents};
use oauth_core::{ClientSecret, JsonValue as Value};
use std::fmt;

/// A key that messages are encrypted to: the public key of a server, or a secret that both sides know.
pub struct EncryptionKey {
    material: Material,
    algorithm: Option<KeyManagement>,
    kid: Option<String>,
}

enum Material {
    Rsa(OaepPublicEncryptingKey),
    Agreement(ParsedPublicKey),
    Symmetric(SymmetricKey),
}

/// What `key_ops` may say of a key that encrypts (RFC 7517 section 4.3).
const OPERATIONS: [&str; 4] = ["encrypt", "wrapKey", "deriveKey", "deriveBits"];

impl EncryptionKey {
    /// Reads one public JWK: RSA, EC on P-256, P-384 or P-521, or X25519.
    ///
    /// # Errors
    /// It is no such key, one that is not safe, as of [`PublicKey::from_jwk`](crate::PublicKey::from_jwk), or it is for
    /// something else (`use`, `key_ops`, `alg`).
    pub fn from_jwk(jwk: impl AsRef<[u8]>) -> Result<Self, JwkError> {
        Self::read(&Value::read(jwk.as_ref()).map_err(JwkError::Json)?)
    }

    /// The first key of a document (JWKS, RFC 7517 section 5) that is for this algorithm and has this name, if one is given.
    ///
    /// Keys that are not understood, not safe, or for something else are passed over.
    ///
    /// # Errors
    /// It is no such document, has more than a hundred keys or 256 KiB, or no such key.
    pub fn from_jwks(
        document: impl AsRef<[u8]>,
        algorithm: KeyManagement,
        kid: Option<&str>,
    ) -> Result<Self, JwkError> {
        let keys = members(document.as_ref(), |jwk| Ok(Self::read(jwk).ok()))?;
        let wanted = |key: &Self| key.is_for(algorithm) && kid.is_none_or(|kid| key.kid() == Some(kid));
        keys.into_iter().find(wanted).ok_or(JwkError::NoEncryptionKey { algorithm })
    }

    /// Takes a client secret: a key for AES Key Wrap or `dir` is derived from it (OpenID Connect Core section 10.2).
    ///
    /// # Errors
    /// The algorithm is not one of a secret.
    pub fn from_secret(
        secret: &ClientSecret,
        algorithm: KeyManagement,
        encryption: ContentEncryption,
    ) -> Result<Self, KeyError> {
        let key = SymmetricKey::derived(secret, algorithm, encryption)?;
        Ok(Self { material: Material::Symmetric(key), algorithm: Some(algorithm), kid: None })
    }

    /// Names the key (`kid`), as the header of a message will.
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

    fn read(jwk: &Value<'_>) -> Result<Self, JwkError> {
        let material = match text(jwk, "kty")?.ok_or(JwkError::Member("kty"))? {
            "RSA" => {
                let (n, e) = rsa_numbers(jwk)?;
                let key: Result<PublicEncryptingKey, _> = PublicKeyComponents { n, e }.try_into();
                let key = key.and_then(OaepPublicEncryptingKey::new).map_err(|_| JwkError::Member("n"))?;
                Material::Rsa(key)
            }
            "oct" => return Err(JwkError::Symmetric),
            _ => Material::Agreement(agreement_key(jwk)?),
        };
        if !serves(jwk, "enc", &OPERATIONS)? {
            return Err(JwkError::OtherUse);
        }
        let alg = text(jwk, "alg")?;
        let algorithm =
            alg.map(|alg| KeyManagement::from_text(alg).ok_or_else(|| JwkError::unsupported("alg", alg)));
        let kid = text(jwk, "kid")?.map(str::to_owned);
        Ok(Self { material, algorithm: algorithm.transpose()?, kid })
    }

    /// Whether it is for this algorithm, by its kind and by its own word.
    fn is_for(&self, algorithm: KeyManagement) -> bool {
        let kind = match &self.material {
            Material::Rsa(_) => algorithm.is_rsa(),
            Material::Agreement(_) => algorithm.is_agreement(),
            Material::Symmetric(_) => !algorithm.is_rsa() && !algorithm.is_agreement(),
        };
        kind && self.algorithm.is_none_or(|own| own == algorithm)
    }

    fn fits(&self, algorithm: KeyManagement, encryption: ContentEncryption) -> bool {
        self.is_for(algorithm)
            && match &self.material {
                Material::Rsa(_) | Material::Agreement(_) => true,
                Material::Symmetric(key) => key.fits(algorithm, encryption),
            }
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.material {
            Material::Rsa(_) => "RSA",
            Material::Agreement(_) => "ECDH",
            Material::Symmetric(_) => "oct, [redacted]",
        };
        write!(f, "EncryptionKey({kind}, {:?})", self.kid)
    }
}

/// How messages are encrypted: by which algorithms, and what their header says.
///
/// A message inside, signed first, is told by [`with_cty`](Self::with_cty):
///
/// ```
/// use oauth_jwt::{ContentEncryption, Encryption, EncryptionKey, JweError, KeyManagement};
///
/// fn to_the_server(request_object: &str, key: &EncryptionKey) -> Result<String, JweError> {
///     Encryption::new(KeyManagement::RsaOaep256, ContentEncryption::A256Gcm)
///         .with_cty("JWT")
///         .encrypt(request_object, key)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Encryption {
    algorithm: KeyManagement,
    encryption: ContentEncryption,
    typ: Option<String>,
    cty: Option<String>,
}

/// What is made anew for each message.
pub(super) struct Fresh {
    pub(super) cek: Secret,
    pub(super) iv: Vec<u8>,
    pub(super) ephemeral: Option<PrivateKey>,
}

impl Encryption {
    /// By these two algorithms.
    #[must_use]
    pub const fn new(algorithm: KeyManagement, encryption: ContentEncryption) -> Self {
        Self { algorithm, encryption, typ: None, cty: None }
    }

    /// Says of what kind the message is (`typ`).
    #[must_use]
    pub fn with_typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = Some(typ.into());
        self
    }

    /// Says of what kind the content is (`cty`): `JWT` for a signed message, which RFC 7519 section 5.2 demands.
    #[must_use]
    pub fn with_cty(mut self, cty: impl Into<String>) -> Self {
        self.cty = Some(cty.into());
        self
    }

    /// Encrypts to this key; the message in its compact form (RFC 7516 section 7.1). The `kid` is the name of the key.
    ///
    /// # Errors
    /// The key is not for these algorithms, or the engine fails.
    pub fn encrypt(&self, content: impl AsRef<[u8]>, key: &EncryptionKey) -> Result<String, JweError> {
        if !key.fits(self.algorithm, self.encryption) {
            return Err(JweError::NoKey(self.algorithm));
        }
        let fresh = self.fresh(key).ok_or(JweError::Engine)?;
        self.sealed(content.as_ref(), key, &fresh).ok_or(JweError::Engine)
    }

    /// From the system, for each message: no key and no IV is used twice.
    fn fresh(&self, key: &EncryptionKey) -> Option<Fresh> {
        let ephemeral = match &key.material {
            Material::Agreement(public) => Some(PrivateKey::generate(public.alg()).ok()?),
            Material::Rsa(_) | Material::Symmetric(_) => None,
        };
        let iv = random(self.encryption.iv_length())?.to_vec();
        Some(Fresh { cek: random(self.encryption.key_length())?, iv, ephemeral })
    }

    /// The message that comes of these random values (RFC 7516 section 5.1).
    pub(super) fn sealed(&self, content: &[u8], key: &EncryptionKey, fresh: &Fresh) -> Option<String> {
        let (alg, enc) = (self.algorithm, self.encryption);
        let wrapped = |by: &[u8]| Some((fresh.cek.clone(), key_management::wrapped(by, &fresh.cek)?));
        let (cek, encrypted_key) = match &key.material {
            Material::Rsa(key) => (fresh.cek.clone(), key_management::rsa_encrypted(key, alg, &fresh.cek)?),
            Material::Agreement(public) => {
                let ephemeral = fresh.ephemeral.as_ref()?;
                let agreed = key_management::agreed(ephemeral, public, alg, enc, (&[], &[]))?;
                if alg.encrypts_a_key() { wrapped(&agreed)? } else { (agreed, Vec::new()) }
            }
            Material::Symmetric(symmetric) if alg.encrypts_a_key() => wrapped(&symmetric.key)?,
            Material::Symmetric(symmetric) => (symmetric.key.clone(), Vec::new()),
        };
        let header = base64url::encode(self.header(key, fresh)?.as_bytes());
        let (encrypted, tag) = enc.seal(&cek, &fresh.iv, header.as_bytes(), content)?;
        let [encrypted_key, iv, encrypted, tag] =
            [&encrypted_key, &fresh.iv, &encrypted, &tag].map(|part| base64url::encode(part));
        Some([header, encrypted_key, iv, encrypted, tag].join("."))
    }

    fn header(&self, key: &EncryptionKey, fresh: &Fresh) -> Option<String> {
        let mut header = format!(r#"{{"alg":"{}""#, self.algorithm);
        let texts = [("kid", key.kid()), ("typ", self.typ.as_deref()), ("cty", self.cty.as_deref())];
        for (name, value) in texts {
            if let Some(value) = value {
                header.push_str(&format!(r#","{name}":{}"#, Value::text(value)));
            }
        }
        if let Some(ephemeral) = &fresh.ephemeral {
            header.push_str(&format!(r#","epk":{}"#, agreement_jwk(ephemeral)?));
        }
        header.push_str(&format!(r#","enc":"{}"}}"#, self.encryption));
        Some(header)
    }
}

#[cfg(test)]
mod vectors;
