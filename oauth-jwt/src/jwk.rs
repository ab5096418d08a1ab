//! Public keys as servers publish them (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use crate::base64url;
use crate::curve::Curve;
use crate::engine::{
    self, RsaParameters, RsaPublicKeyComponents, Verifying, digest, signature as algorithms,
};
use crate::roca;
use crate::verify_error::JwkError;
use oauth_core::{Algorithm, JsonValue as Value};
use std::fmt;

/// A public key, and what it may be used for. It verifies; it can never become the key of a MAC.
///
/// Only the public members of a JWK are read: that a private one came along changes nothing and is kept nowhere.
#[derive(Clone)]
pub struct PublicKey {
    material: Material,
    usage: Usage,
    verifying: Verifying,
}

#[derive(Clone)]
enum Material {
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The point, uncompressed: 4, x, y.
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519 {
        x: Vec<u8>,
    },
}

/// What every kind of key says beside its numbers (RFC 7517 section 4).
#[derive(Clone, Default)]
pub(crate) struct Usage {
    pub(crate) kid: Option<String>,
    pub(crate) algorithm: Option<Algorithm>,
    verifies: bool,
}

impl Usage {
    pub(crate) fn read(jwk: &Value<'_>) -> Result<Self, JwkError> {
        Ok(Self {
            kid: text(jwk, "kid")?.map(str::to_owned),
            algorithm: text(jwk, "alg")?.map(Algorithm::from_text),
            verifies: serves(jwk, "sig", &["verify"])?,
        })
    }

    /// For verifying by this algorithm, and without a name.
    pub(crate) const fn of(algorithm: Algorithm) -> Self {
        Self { kid: None, algorithm: Some(algorithm), verifies: true }
    }

    /// Whether the key is for verifying by this algorithm, as far as it says so itself.
    pub(crate) fn allows(&self, algorithm: &Algorithm) -> bool {
        self.verifies && self.algorithm.as_ref().is_none_or(|own| own == algorithm)
    }
}

impl PublicKey {
    /// Reads one JWK.
    ///
    /// # Errors
    /// It is no JSON object, of a kind or on a curve that is not known, lacks a member, or is a key that is not safe: RSA
    /// of fewer than 2048 bits (RFC 7518 section 3.3), with an exponent that hides nothing, or of the flawed generator
    /// known as ROCA (CVE-2017-15361).
    pub fn from_jwk(jwk: impl AsRef<[u8]>) -> Result<Self, JwkError> {
        Self::read(&Value::read(jwk.as_ref()).map_err(JwkError::Json)?)
    }

    pub(crate) fn read(jwk: &Value<'_>) -> Result<Self, JwkError> {
        let material = match text(jwk, "kty")?.ok_or(JwkError::Member("kty"))? {
            "RSA" => {
                let (n, e) = rsa_numbers(jwk)?;
                Material::Rsa { n, e }
            }
            "EC" => {
                let (curve, point) = ec_point(jwk)?;
                Material::Ec { curve, point }
            }
            "OKP" => match text(jwk, "crv")?.ok_or(JwkError::Member("crv"))? {
                "Ed25519" => {
                    let x = bytes(jwk, "x")?;
                    if x.len() != 32 {
                        return Err(JwkError::Member("x"));
                    }
                    Material::Ed25519 { x }
                }
                other => return Err(JwkError::unsupported("crv", other)),
            },
            "oct" => return Err(JwkError::Symmetric),
            other => return Err(JwkError::unsupported("kty", other)),
        };
        Ok(Self { usage: Usage::read(jwk)?, ..Self::of(material) })
    }

    /// An RSA key: modulus and exponent, big-endian.
    pub(crate) fn from_rsa(n: &[u8], e: &[u8]) -> Result<Self, JwkError> {
        let (n, e) = (trimmed(n).to_vec(), trimmed(e).to_vec());
        safe_rsa(&n, &e)?;
        Ok(Self::of(Material::Rsa { n, e }))
    }

    /// An uncompressed point on this curve.
    pub(crate) fn from_point(curve: Curve, point: &[u8]) -> Self {
        Self::of(Material::Ec { curve, point: point.to_vec() })
    }

    pub(crate) fn from_ed25519(x: &[u8]) -> Self {
        Self::of(Material::Ed25519 { x: x.to_vec() })
    }

    /// The uncompressed point of an EC key, and its curve.
    pub(crate) fn point(&self) -> Option<(Curve, &[u8])> {
        if let Material::Ec { curve, point } = &self.material { Some((*curve, point)) } else { None }
    }

    fn of(material: Material) -> Self {
        let usage = Usage { kid: None, algorithm: None, verifies: true };
        Self { material, usage, verifying: Verifying::default() }
    }

    /// Names the key (`kid`).
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.usage.kid = Some(kid.into());
        self
    }

    /// Says by which algorithm it verifies, whatever the JWK says: for servers whose `alg` is wrong.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.usage.algorithm = Some(algorithm);
        self
    }

    /// Its name at the server.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.usage.kid.as_deref()
    }

    pub(crate) const fn usage(&self) -> &Usage {
        &self.usage
    }

    /// The JWK with its required members alone, in the order of RFC 7638 section 3.2.
    fn required_members(&self) -> String {
        let text = |bytes: &[u8]| base64url::encode(bytes);
        match &self.material {
            Material::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
            Material::Ec { curve, point } => {
                let (x, y) = point[1..].split_at(curve.size());
                format!(r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#, curve.name(), text(x), text(y))
            }
            Material::Ed25519 { x } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x))
            }
        }
    }

    /// The SHA-256 thumbprint, base64url: the same for every spelling of one key (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let digest = digest::digest(&digest::SHA256, self.required_members().as_bytes());
        base64url::encode(digest.as_ref())
    }

    /// The key as a JWK, with `kid` and `alg` where it has them. There is nothing private in it.
    #[must_use]
    pub fn to_jwk(&self) -> String {
        let mut jwk = self.required_members();
        jwk.pop();
        for (name, value) in
            [("kid", self.kid()), ("alg", self.usage.algorithm.as_ref().map(Algorithm::as_str))]
        {
            if let Some(value) = value {
                jwk.push_str(&format!(r#","{name}":{}"#, Value::text(value)));
            }
        }
        jwk.push('}');
        jwk
    }

    /// Whether the numbers of this key can verify by this algorithm.
    pub(crate) fn fits(&self, algorithm: &Algorithm) -> bool {
        match &self.material {
            Material::Rsa { .. } => rsa_parameters(algorithm).is_some(),
            Material::Ec { curve, .. } => {
                curve.algorithm() == *algorithm && engine::ecdsa_verification(*curve).is_some()
            }
            Material::Ed25519 { .. } => [Algorithm::EDDSA, Algorithm::ED25519].contains(algorithm),
        }
    }

    /// Whether this is the signature of `message`, as JWS spells it.
    pub(crate) fn verifies(&self, algorithm: &Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { n, e } => rsa_parameters(algorithm).is_some_and(|rsa| {
                self.verifying.rsa(RsaPublicKeyComponents { n, e }, rsa, message, signature)
            }),
            Material::Ec { curve, point } => engine::ecdsa_verification(*curve)
                .is_some_and(|ec| self.verifying.bytes(point, ec, message, signature)),
            Material::Ed25519 { x } => self.verifying.bytes(x, &algorithms::ED25519, message, signature),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_jwk())
    }
}

fn rsa_parameters(algorithm: &Algorithm) -> Option<&'static RsaParameters> {
    let known: [(Algorithm, &RsaParameters); 6] = [
        (Algorithm::RS256, &algorithms::RSA_PKCS1_2048_8192_SHA256),
        (Algorithm::RS384, &algorithms::RSA_PKCS1_2048_8192_SHA384),
        (Algorithm::RS512, &algorithms::RSA_PKCS1_2048_8192_SHA512),
        (Algorithm::PS256, &algorithms::RSA_PSS_2048_8192_SHA256),
        (Algorithm::PS384, &algorithms::RSA_PSS_2048_8192_SHA384),
        (Algorithm::PS512, &algorithms::RSA_PSS_2048_8192_SHA512),
    ];
    known.into_iter().find(|(name, _)| name == algorithm).map(|(_, rsa)| rsa)
}

/// Modulus and exponent, big-endian, without leading zeros, of a key that is safe to use.
pub(crate) fn rsa_numbers(jwk: &Value<'_>) -> Result<(Vec<u8>, Vec<u8>), JwkError> {
    let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
    safe_rsa(&n, &e)?;
    Ok((n, e))
}

fn safe_rsa(n: &[u8], e: &[u8]) -> Result<(), JwkError> {
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if bits < 2048 {
        return Err(JwkError::RsaTooSmall { bits });
    }
    if bits > 8192 {
        return Err(JwkError::RsaTooLarge { bits });
    }
    // 1 encrypts nothing; an even one undoes nothing.
    if matches!(e, [] | [1]) || e.last().is_some_and(|byte| byte % 2 == 0) || e.len() > 4 {
        return Err(JwkError::Member("e"));
    }
    if roca::made(n) {
        return Err(JwkError::Roca);
    }
    Ok(())
}

/// A curve and a point, uncompressed, that has the length of the curve and need not be on it.
pub(crate) fn ec_point(jwk: &Value<'_>) -> Result<(Curve, Vec<u8>), JwkError> {
    let name = text(jwk, "crv")?.ok_or(JwkError::Member("crv"))?;
    let curve = Curve::named(name).ok_or_else(|| JwkError::unsupported("crv", name))?;
    let mut point = vec![4];
    for name in ["x", "y"] {
        let coordinate = bytes(jwk, name)?;
        if coordinate.len() != curve.size() {
            return Err(JwkError::Member(name));
        }
        point.extend(coordinate);
    }
    Ok((curve, point))
}

/// Whether a key is for this use and one of these operations, as far as it says so itself (RFC 7517 sections 4.2 and 4.3).
pub(crate) fn serves(jwk: &Value<'_>, usage: &str, operations: &[&str]) -> Result<bool, JwkError> {
    let said = match jwk.member("key_ops") {
        None => None,
        Some(Value::Array(said)) => Some(said),
        Some(_) => return Err(JwkError::Member("key_ops")),
    };
    // The operations are said one by one; some have them in one text, with commas.
    let wanted = |operation: &Value<'_>| {
        operation.as_str().is_some_and(|text| text.split(',').any(|one| operations.contains(&one.trim())))
    };
    Ok(text(jwk, "use")?.is_none_or(|said| said == usage) && said.is_none_or(|said| said.iter().any(wanted)))
}

/// A text; `None` where there is none, and an error where there is something else.
pub(crate) fn text<'a>(jwk: &'a Value<'_>, name: &'static str) -> Result<Option<&'a str>, JwkError> {
    match jwk.member(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(JwkError::Member(name)),
    }
}

pub(crate) fn bytes(jwk: &Value<'_>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    let text = text(jwk, name)?.ok_or(JwkError::Member(name))?;
    base64url::decode(text.as_bytes()).ok_or(JwkError::Member(name))
}

/// A number: RFC 7518 section 2 has it without leading zeros, and the field does not.
fn number(jwk: &Value<'_>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    Ok(trimmed(&bytes(jwk, name)?).to_vec())
}

pub(crate) fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
