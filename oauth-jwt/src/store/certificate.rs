//! X.509 certificates (RFC 5280): whose they are, who issued them, and which key is in them.

use crate::base64url;
use crate::jwk::PublicKey;
use pkcs8::der::asn1::{SequenceRef, UintRef};
use pkcs8::der::{Decode as _, Encode as _, SliceReader};
use pkcs8::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use std::sync::Arc;

pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The curves, by their names in JOSE: RFC 5480 section 2.1.1.1, SEC 2, RFC 7518 section 6.2.1.1, RFC 8812 section 3.1.
const CURVES: [(ObjectIdentifier, &str); 4] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), "P-256"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), "P-384"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), "P-521"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.10"), "secp256k1"),
];

/// One certificate, and what is needed of it.
pub(super) struct Certificate {
    pub(super) der: Arc<[u8]>,
    /// As RFC 4514 writes it.
    pub(super) subject: String,
    pub(super) public_key: Option<PublicKey>,
    pub(super) thumbprint: Option<String>,
    names: [Vec<u8>; 2],
}

impl Certificate {
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let read = x509_cert::Certificate::from_der(der).ok()?;
        let fields = read.tbs_certificate();
        let public_key = public_key(&fields.subject_public_key_info().to_der().ok()?);
        Some(Self {
            der: der.into(),
            subject: fields.subject().to_string(),
            thumbprint: public_key.as_ref().map(PublicKey::thumbprint),
            public_key,
            names: [fields.subject().to_der().ok()?, fields.issuer().to_der().ok()?],
        })
    }

    /// Whether the other one's subject is the issuer of this one: by name alone.
    pub(super) fn is_issued_by(&self, other: &Self) -> bool {
        self.names[1] == other.names[0]
    }
}

/// A `SubjectPublicKeyInfo` (RFC 5280 section 4.1); `None` for a key that is not supported.
pub(super) fn public_key(der: &[u8]) -> Option<PublicKey> {
    let info = SubjectPublicKeyInfoRef::try_from(der).ok()?;
    let key = info.subject_public_key.as_bytes()?;
    match info.algorithm.oid {
        RSA => rsa_public_key(key),
        EC => ec_public_key(info.algorithm.parameters_oid().ok()?, key),
        ED25519 => ed25519_public_key(key),
        _ => None,
    }
}

/// An `RSAPublicKey` (RFC 8017 appendix A.1.1).
pub(super) fn rsa_public_key(der: &[u8]) -> Option<PublicKey> {
    let mut reader = SliceReader::new(<&SequenceRef>::from_der(der).ok()?.as_bytes()).ok()?;
    let n = UintRef::decode(&mut reader).ok()?;
    let e = UintRef::decode(&mut reader).ok()?;
    PublicKey::from_rsa(n.as_bytes(), e.as_bytes()).ok()
}

/// A point on a curve, uncompressed.
pub(super) fn ec_public_key(curve: ObjectIdentifier, point: &[u8]) -> Option<PublicKey> {
    let (_, name) = CURVES.into_iter().find(|(known, _)| *known == curve)?;
    // SEC 1 section 2.3.3: 4 begins an uncompressed point.
    let (4, numbers) = point.split_first()? else { return None };
    let (x, y) = numbers.split_at(numbers.len() / 2);
    let (x, y) = (base64url::encode(x), base64url::encode(y));
    PublicKey::from_jwk(format!(r#"{{"kty":"EC","crv":"{name}","x":"{x}","y":"{y}"}}"#)).ok()
}

pub(super) fn ed25519_public_key(key: &[u8]) -> Option<PublicKey> {
    (key.len() == 32).then(|| PublicKey::from_ed25519(key))
}
