//! The ways from a key to the key of the content, the CEK (RFC 7518 section 4), and back.

use super::algorithm::{ContentEncryption, KeyManagement};
use crate::base64url;
use crate::curve::Curve;
use crate::engine::{digest, rand};
use crate::jwk::{self, bytes, text};
use crate::verify_error::JwkError;
use aws_lc_rs::agreement::{self, ParsedPublicKey, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap as _};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey,
};
use oauth_core::JsonValue as Value;
use zeroize::Zeroizing;

/// Bytes that are wiped on drop.
pub(super) type Secret = Zeroizing<Vec<u8>>;

/// From the system; `None` where it has none.
pub(super) fn random(length: usize) -> Option<Secret> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

const fn oaep(algorithm: KeyManagement) -> Option<&'static OaepAlgorithm> {
    match algorithm {
        KeyManagement::RsaOaep => Some(&OAEP_SHA1_MGF1SHA1),
        KeyManagement::RsaOaep256 => Some(&OAEP_SHA256_MGF1SHA256),
        KeyManagement::EcdhEs
        | KeyManagement::EcdhEsA128Kw
        | KeyManagement::EcdhEsA256Kw
        | KeyManagement::A128Kw
        | KeyManagement::A256Kw
        | KeyManagement::Dir => None,
    }
}

/// RFC 7518 section 4.3.
pub(super) fn rsa_decrypted(
    key: &OaepPrivateDecryptingKey,
    algorithm: KeyManagement,
    encrypted: &[u8],
) -> Option<Secret> {
    let mut cek = Zeroizing::new(vec![0; key.min_output_size()]);
    let length = key.decrypt(oaep(algorithm)?, encrypted, &mut cek, None).ok()?.len();
    cek.truncate(length);
    Some(cek)
}

/// RFC 7518 section 4.3.
pub(super) fn rsa_encrypted(
    key: &OaepPublicEncryptingKey,
    algorithm: KeyManagement,
    cek: &[u8],
) -> Option<Vec<u8>> {
    let mut encrypted = vec![0; key.ciphertext_size()];
    let length = key.encrypt(oaep(algorithm)?, cek, &mut encrypted, None).ok()?.len();
    encrypted.truncate(length);
    Some(encrypted)
}

/// A key for AES Key Wrap, whose length tells the cipher.
fn wrapping_key(key: &[u8]) -> Option<AesKek> {
    let cipher = if key.len() == 16 { &key_wrap::AES_128 } else { &key_wrap::AES_256 };
    AesKek::new(cipher, key).ok()
}

/// RFC 7518 section 4.4.
pub(super) fn wrapped(key: &[u8], cek: &[u8]) -> Option<Vec<u8>> {
    let mut wrapped = vec![0; cek.len() + 8];
    let length = wrapping_key(key)?.wrap(cek, &mut wrapped).ok()?.len();
    wrapped.truncate(length);
    Some(wrapped)
}

/// RFC 7518 section 4.4.
pub(super) fn unwrapped(key: &[u8], wrapped: &[u8], length: usize) -> Option<Secret> {
    if wrapped.len() != length + 8 {
        return None;
    }
    let mut cek = Zeroizing::new(vec![0; length]);
    wrapping_key(key)?.unwrap(wrapped, &mut cek).ok()?;
    Some(cek)
}

/// What both sides agree on (RFC 7518 section 4.6): the key of the content, or the key that wraps it.
pub(super) fn agreed(
    private: &PrivateKey,
    public: &ParsedPublicKey,
    algorithm: KeyManagement,
    encryption: ContentEncryption,
    (apu, apv): (&[u8], &[u8]),
) -> Option<Secret> {
    let (name, length) = match algorithm.wrapping_key_length() {
        Some(length) => (algorithm.as_str(), length),
        None => (encryption.as_str(), encryption.key_length()),
    };
    agreement::agree(private, public.clone(), (), |shared| Ok(derived(shared, name, length, apu, apv))).ok()
}

/// The Concat KDF with SHA-256 (NIST SP 800-56A section 5.8.1) as RFC 7518 section 4.6.2 fills it in.
fn derived(shared: &[u8], name: &str, length: usize, apu: &[u8], apv: &[u8]) -> Secret {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let mut key = Zeroizing::new(Vec::with_capacity(length + digest::SHA256_OUTPUT_LEN));
    for round in 1_u32.. {
        if key.len() >= length {
            break;
        }
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&round.to_be_bytes());
        context.update(shared);
        for part in [name.as_bytes(), apu, apv] {
            context.update(&number(part.len()));
            context.update(part);
        }
        context.update(&number(length * 8));
        key.extend_from_slice(context.finish().as_ref());
    }
    key.truncate(length);
    key
}

/// What agrees on a curve; `None` for one that is for signatures alone.
pub(super) const fn agreement_on(curve: Curve) -> Option<&'static agreement::Algorithm> {
    match curve {
        Curve::P256 => Some(&agreement::ECDH_P256),
        Curve::P384 => Some(&agreement::ECDH_P384),
        Curve::P521 => Some(&agreement::ECDH_P521),
        Curve::Secp256k1 => None,
    }
}

/// A public key to agree with: a point on its curve, which is made sure of, or X25519 (RFC 8037 section 3.2).
pub(super) fn agreement_key(jwk: &Value<'_>) -> Result<ParsedPublicKey, JwkError> {
    let (algorithm, point) = match text(jwk, "kty")?.ok_or(JwkError::Member("kty"))? {
        "EC" => {
            let (curve, point) = jwk::ec_point(jwk)?;
            (agreement_on(curve).ok_or_else(|| JwkError::unsupported("crv", curve.name()))?, point)
        }
        "OKP" => match text(jwk, "crv")?.ok_or(JwkError::Member("crv"))? {
            "X25519" => (&agreement::X25519, bytes(jwk, "x")?),
            other => return Err(JwkError::unsupported("crv", other)),
        },
        other => return Err(JwkError::unsupported("kty", other)),
    };
    // The library would read a whole certificate's key as well.
    if *algorithm == agreement::X25519 && point.len() != 32 {
        return Err(JwkError::Member("x"));
    }
    ParsedPublicKey::try_from(UnparsedPublicKey::new(algorithm, point)).map_err(|_| JwkError::Member("x"))
}

/// The public half of an ephemeral key as the member `epk` (RFC 7518 section 4.6.1.1).
pub(super) fn agreement_jwk(key: &PrivateKey) -> Option<String> {
    let public = key.compute_public_key().ok()?;
    let bytes = public.as_ref();
    let curve = [Curve::P256, Curve::P384, Curve::P521]
        .into_iter()
        .find(|curve| agreement_on(*curve).is_some_and(|on| on == key.algorithm()));
    let Some(curve) = curve else {
        return Some(format!(r#"{{"kty":"OKP","crv":"X25519","x":"{}"}}"#, base64url::encode(bytes)));
    };
    let (x, y) = bytes.get(1..)?.split_at_checked(curve.size())?;
    let (x, y) = (base64url::encode(x), base64url::encode(y));
    Some(format!(r#"{{"kty":"EC","crv":"{}","x":"{x}","y":"{y}"}}"#, curve.name()))
}
