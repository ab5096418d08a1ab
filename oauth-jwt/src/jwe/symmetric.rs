//! A secret of both sides, for one algorithm.

use super::algorithm::{ContentEncryption, KeyManagement};
use super::key_management::Secret;
use crate::base64url;
use crate::engine::digest;
use crate::error::KeyError;
use crate::jwk::text;
use crate::verify_error::JwkError;
use oauth_core::{ClientSecret, JsonValue as Value};
use zeroize::Zeroizing;

#[derive(Clone)]
pub(super) struct SymmetricKey {
    pub(super) key: Secret,
    algorithm: KeyManagement,
    /// With `dir`, the one encryption that it is for, if it says so.
    encryption: Option<ContentEncryption>,
}

impl SymmetricKey {
    /// OpenID Connect Core section 10.2: the left bytes of the smallest SHA-2 hash that has enough of them.
    pub(super) fn derived(
        secret: &ClientSecret,
        algorithm: KeyManagement,
        encryption: ContentEncryption,
    ) -> Result<Self, KeyError> {
        let (length, encryption) = match (algorithm.wrapping_key_length(), algorithm) {
            (_, KeyManagement::Dir) => (encryption.key_length(), Some(encryption)),
            (Some(length), KeyManagement::A128Kw | KeyManagement::A256Kw) => (length, None),
            _ => return Err(KeyError::NotSymmetric { asked: algorithm }),
        };
        let hash = match length {
            0..=32 => &digest::SHA256,
            33..=48 => &digest::SHA384,
            _ => &digest::SHA512,
        };
        let mut key = Zeroizing::new(digest::digest(hash, secret.expose().as_bytes()).as_ref().to_vec());
        key.truncate(length);
        Ok(Self { key, algorithm, encryption })
    }

    /// RFC 7518 section 6.4. Its `alg` has to be told (RFC 8725 section 3.1: one algorithm for one key): a key wrap, `dir`,
    /// or the encryption that it is for by `dir`.
    pub(super) fn read(jwk: &Value<'_>) -> Result<Self, JwkError> {
        let alg = text(jwk, "alg")?.ok_or(JwkError::Member("alg"))?;
        let k = text(jwk, "k")?.ok_or(JwkError::Member("k"))?;
        let key = Zeroizing::new(base64url::decode(k.as_bytes()).ok_or(JwkError::Member("k"))?);
        let encryption = ContentEncryption::from_text(alg);
        let algorithm =
            encryption.map_or_else(|| KeyManagement::from_text(alg), |_| Some(KeyManagement::Dir));
        let algorithm = algorithm.ok_or_else(|| JwkError::unsupported("alg", alg))?;
        let length = match algorithm {
            KeyManagement::A128Kw | KeyManagement::A256Kw => algorithm.wrapping_key_length(),
            KeyManagement::Dir => encryption.map(ContentEncryption::key_length),
            KeyManagement::RsaOaep
            | KeyManagement::RsaOaep256
            | KeyManagement::EcdhEs
            | KeyManagement::EcdhEsA128Kw
            | KeyManagement::EcdhEsA256Kw => return Err(JwkError::Member("alg")),
        };
        if length.is_some_and(|length| key.len() != length) {
            return Err(JwkError::Member("k"));
        }
        Ok(Self { key, algorithm, encryption })
    }

    pub(super) fn fits(&self, algorithm: KeyManagement, encryption: ContentEncryption) -> bool {
        let direct = algorithm == KeyManagement::Dir;
        algorithm == self.algorithm
            && self.encryption.is_none_or(|own| own == encryption)
            && (!direct || self.key.len() == encryption.key_length())
    }
}
