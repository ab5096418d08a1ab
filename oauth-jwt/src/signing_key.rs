//! One private key: parsed and checked once, then ready to sign.

use crate::error::KeyError;
use crate::pem::{self, Format};
use oauth_core::{Algorithm, ClientSecret};
use pkcs8::der::asn1::{OctetStringRef, SequenceRef, UintRef};
use pkcs8::der::{Decode as _, SliceReader};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use sec1::EcPrivateKey;
use std::fmt;

/// A key that signs with one algorithm: RS256 for RSA, ES256 for EC on curve P-256, HS256 to HS512 for a client secret.
///
/// The copies made while it is read are wiped. The signing engine keeps the numbers in memory of its own, which it does
/// not wipe. The text given to [`from_pem`](Self::from_pem) stays the caller's to wipe.
pub struct SigningKey(KeyPair);

enum KeyPair {
    Rs256(Box<RsaKeyPair>),
    Es256(Box<EcdsaKeyPair>),
    Hmac(hmac::Key, Algorithm),
}

impl SigningKey {
    /// Reads the one private key of a PEM file, and makes sure that it can sign.
    ///
    /// Takes RSA keys of 2048 to 4096 bits as PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`), and EC keys on
    /// curve P-256 as PKCS#8 or SEC1 (`EC PRIVATE KEY`). Certificates beside the key are passed over. Nothing is
    /// decrypted.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what is wrong and what to do, and never holds a byte of the key.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let key = pem::private_key(pem.as_ref())?;
        match key.format {
            Format::Pkcs8 => pkcs8(&key.der),
            Format::Pkcs1 => rsa(&key.der),
            Format::Sec1 => ec(&key.der, None),
        }
        .map(Self)
    }

    /// Takes a client secret for `client_secret_jwt`: HS256, HS384 or HS512 (OpenID Connect Core section 9).
    ///
    /// # Errors
    ///
    /// The algorithm is no HMAC, or the secret is shorter than its hash, which RFC 7518 section 3.2 forbids: such a secret
    /// can be guessed from one signature.
    pub fn from_secret(secret: &ClientSecret, algorithm: Algorithm) -> Result<Self, KeyError> {
        let (kind, needed) = match () {
            () if algorithm == Algorithm::HS256 => (hmac::HMAC_SHA256, 32),
            () if algorithm == Algorithm::HS384 => (hmac::HMAC_SHA384, 48),
            () if algorithm == Algorithm::HS512 => (hmac::HMAC_SHA512, 64),
            () => return Err(KeyError::NotAnHmac { asked: algorithm }),
        };
        let secret = secret.expose().as_bytes();
        if secret.len() < needed {
            return Err(KeyError::SecretTooShort { bytes: secret.len(), needed });
        }
        Ok(Self(KeyPair::Hmac(hmac::Key::new(kind, secret), algorithm)))
    }

    /// The one algorithm that it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            KeyPair::Rs256(_) => Algorithm::RS256,
            KeyPair::Es256(_) => Algorithm::ES256,
            KeyPair::Hmac(_, algorithm) => algorithm.clone(),
        }
    }

    /// The signature as JWS spells it; `None` when the signing engine fails.
    pub(crate) fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        match &self.0 {
            KeyPair::Rs256(pair) => rs256(pair, input),
            // RFC 7518 section 3.4: R and S side by side, 64 bytes.
            KeyPair::Es256(pair) => Some(pair.sign(&SystemRandom::new(), input).ok()?.as_ref().to_vec()),
            KeyPair::Hmac(key, _) => Some(hmac::sign(key, input).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, [redacted])", self.algorithm())
    }
}

fn rs256(pair: &RsaKeyPair, input: &[u8]) -> Option<Vec<u8>> {
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature).ok()?;
    Some(signature)
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// What people do bring, and is not supported: for the error's text.
const OTHERS: [(ObjectIdentifier, &str); 5] = [
    // A key that its maker restricted to PSS may not make the older signatures (RFC 4055 section 1.2).
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"), "an RSA key for PSS only"),
    (ObjectIdentifier::new_unwrap("1.3.101.112"), "an Ed25519 key"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), "an EC key on curve P-384"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), "an EC key on curve P-521"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.10"), "an EC key on curve secp256k1"),
];

fn pkcs8(der: &[u8]) -> Result<KeyPair, KeyError> {
    let info = PrivateKeyInfoRef::try_from(der)
        .map_err(|_| KeyError::Malformed { why: "it is not the PKCS#8 structure that its label names" })?;
    match info.algorithm.oid {
        RSA => rsa(info.private_key.as_bytes()),
        EC => match info.algorithm.parameters_oid() {
            Ok(curve) => ec(info.private_key.as_bytes(), Some(curve)),
            Err(_) => Err(KeyError::EcCurveNotNamed),
        },
        other => Err(unsupported(other, "of an unknown algorithm")),
    }
}

fn unsupported(oid: ObjectIdentifier, otherwise: &'static str) -> KeyError {
    let found = OTHERS.into_iter().find(|(known, _)| *known == oid).map_or(otherwise, |(_, name)| name);
    KeyError::Unsupported { found }
}

fn rsa(der: &[u8]) -> Result<KeyPair, KeyError> {
    let malformed = |_| KeyError::Malformed { why: "it is not the RSA structure that its label names" };
    let (version, bits) = rsa_size(der).map_err(malformed)?;
    // RFC 8017 appendix A.1.2: version 1 has three primes or more.
    if version != 0 {
        return Err(KeyError::Unsupported { found: "an RSA key with more than two primes" });
    }
    // RFC 7518 section 3.3: a key of 2048 bits or larger MUST be used. The engine rounds up to whole bytes.
    if bits < 2048 {
        return Err(KeyError::RsaTooSmall { bits });
    }
    if bits > 4096 {
        return Err(KeyError::RsaTooLarge { bits });
    }
    let pair = RsaKeyPair::from_der(der).map_err(|cause| KeyError::Rejected { cause: cause.into() })?;
    // The engine finds a damaged exponent only when it signs: better now than in the middle of a flow.
    if rs256(&pair, b"").is_none() {
        return Err(KeyError::Rejected { cause: "it cannot sign".into() });
    }
    Ok(KeyPair::Rs256(Box::new(pair)))
}

/// The version of the structure, and how many bits its modulus has; the engine reads the rest.
fn rsa_size(der: &[u8]) -> pkcs8::der::Result<(u8, usize)> {
    let sequence = <&SequenceRef>::from_der(der)?;
    let mut reader = SliceReader::new(sequence.as_bytes())?;
    let version = u8::decode(&mut reader)?;
    let modulus = UintRef::decode(&mut reader)?;
    let bytes = modulus.as_bytes();
    let unused = bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
    Ok((version, bytes.len() * 8 - unused))
}

/// `curve`: what a PKCS#8 wrapper says. Without one the key itself must name its curve (RFC 5915 section 3).
fn ec(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<KeyPair, KeyError> {
    let key = EcPrivateKey::try_from(der).map_err(|_| match begins_as_ec(der) {
        Ok(true) => KeyError::EcCurveNotNamed,
        _ => KeyError::Malformed { why: "it is not the EC structure that its label names" },
    })?;
    for named in [curve, key.parameters.and_then(sec1::EcParameters::named_curve)].into_iter().flatten() {
        if named != P256 {
            return Err(unsupported(named, "an EC key on an unknown curve"));
        }
    }
    if curve.is_none() && key.parameters.is_none() {
        return Err(KeyError::EcCurveNotNamed);
    }
    // SEC 1 section 2.3.3: 4 begins an uncompressed point.
    let Some(public @ [4, ..]) = key.public_key else { return Err(KeyError::EcPublicKeyMissing) };
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    EcdsaKeyPair::from_private_key_and_public_key(algorithm, key.private_key, public, &SystemRandom::new())
        .map(|pair| KeyPair::Es256(Box::new(pair)))
        .map_err(|cause| KeyError::Rejected { cause: cause.into() })
}

/// Whether a structure that is none of ours is an EC key all the same: what it lacks then is the name of its curve.
fn begins_as_ec(der: &[u8]) -> pkcs8::der::Result<bool> {
    let sequence = <&SequenceRef>::from_der(der)?;
    let mut reader = SliceReader::new(sequence.as_bytes())?;
    Ok(u8::decode(&mut reader)? == 1 && <&OctetStringRef>::decode(&mut reader).is_ok())
}
