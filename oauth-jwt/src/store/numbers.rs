//! Private keys from their numbers: written as PKCS#8, which the reader of all other keys takes.

use super::certificate::{EC, ED25519, RSA};
use crate::error::KeyError;
use crate::jwk::trimmed;
use crate::signing_key::{SigningKey, pkcs8};
use crypto_bigint::{BoxedUint, NonZero};
use pkcs8::der::asn1::{AnyRef, OctetStringRef, UintRef};
use pkcs8::der::{self, Encode as _};
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfoRef};
use sec1::EcPrivateKey;
use zeroize::{Zeroize as _, Zeroizing};

/// How long a number of an RSA key may be: twice what can be used.
const MAX_NUMBER: usize = 1024;

/// The numbers of an RSA key (RFC 8017 section 3.2), big-endian.
pub(super) struct Rsa<'a> {
    pub(super) n: &'a [u8],
    pub(super) e: &'a [u8],
    pub(super) d: &'a [u8],
    pub(super) p: &'a [u8],
    pub(super) q: &'a [u8],
    /// The inverse of q modulo p.
    pub(super) q_inverse: &'a [u8],
}

impl Rsa<'_> {
    /// What is left out of the numbers, some formats leave out: the exponents of the two primes.
    pub(super) fn key(&self) -> Result<SigningKey, KeyError> {
        let numbers = [self.n, self.e, self.d, self.p, self.q, self.q_inverse];
        if numbers.iter().any(|number| number.len() > MAX_NUMBER) {
            return Err(KeyError::RsaTooLarge { bits: self.n.len() * 8 });
        }
        let (dp, dq) = (exponent(self.d, self.p)?, exponent(self.d, self.q)?);
        let numbers = [&[0][..], self.n, self.e, self.d, self.p, self.q, &dp, &dq, self.q_inverse];
        let encode = || {
            let mut integers = [UintRef::new(&[0])?; 9];
            for (integer, number) in integers.iter_mut().zip(numbers) {
                *integer = UintRef::new(number)?;
            }
            integers.to_der()
        };
        of_pkcs1(&Zeroizing::new(encode().map_err(unwritten)?))
    }
}

/// The private exponent modulo one less than a prime.
fn exponent(d: &[u8], prime: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // Odd as it is: one less, without a carry.
    let mut less = Zeroizing::new(trimmed(prime).to_vec());
    match less.last_mut() {
        Some(last) if *last % 2 == 1 => *last -= 1,
        _ => return Err(KeyError::Rejected { cause: "a prime of it is even".into() }),
    }
    let mut less = BoxedUint::from_be_slice_vartime(&less);
    let mut d = BoxedUint::from_be_slice_vartime(d);
    let divisor = NonZero::new(less.clone()).into_option();
    less.zeroize();
    let Some(mut divisor) = divisor else {
        return Err(KeyError::Rejected { cause: "a prime of it is 1".into() });
    };
    let mut rest = d.rem(&divisor);
    let bytes = Zeroizing::new(rest.to_be_bytes().into_vec());
    d.zeroize();
    rest.zeroize();
    divisor.zeroize();
    Ok(bytes)
}

/// An EC key: its curve, how many bytes a coordinate of that has, and its public point.
pub(super) struct Ec<'a> {
    pub(super) curve: ObjectIdentifier,
    pub(super) size: usize,
    pub(super) point: &'a [u8],
}

impl Ec<'_> {
    pub(super) fn key(&self, private: &[u8]) -> Result<SigningKey, KeyError> {
        let private = trimmed(private);
        // RFC 5915 section 3: as long as the curve demands.
        let Some(zeros) = self.size.checked_sub(private.len()) else {
            return Err(KeyError::Malformed { why: "its private number is longer than its curve allows" });
        };
        let mut padded = Zeroizing::new(vec![0; self.size]);
        padded[zeros..].copy_from_slice(private);
        let key = EcPrivateKey { private_key: &padded, parameters: None, public_key: Some(self.point) };
        of_sec1(self.curve, &Zeroizing::new(key.to_der().map_err(unwritten)?))
    }
}

/// An Ed25519 key, if both halves belong together.
pub(super) fn ed25519(seed: &[u8], public: &[u8]) -> Result<SigningKey, KeyError> {
    let seed = OctetStringRef::new(seed).and_then(|seed| seed.to_der()).map_err(unwritten)?;
    let key = wrapped(AlgorithmIdentifierRef { oid: ED25519, parameters: None }, &Zeroizing::new(seed))?;
    let belongs = key.public_key().is_some_and(|own| {
        super::certificate::ed25519_public_key(public)
            .is_some_and(|told| own.thumbprint() == told.thumbprint())
    });
    if belongs {
        Ok(key)
    } else {
        Err(KeyError::Rejected { cause: "its halves do not belong together".into() })
    }
}

/// An `RSAPrivateKey` (RFC 8017 appendix A.1.2).
pub(super) fn of_pkcs1(der: &[u8]) -> Result<SigningKey, KeyError> {
    wrapped(AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) }, der)
}

/// An `ECPrivateKey` (RFC 5915 section 3).
pub(super) fn of_sec1(curve: ObjectIdentifier, der: &[u8]) -> Result<SigningKey, KeyError> {
    wrapped(AlgorithmIdentifierRef { oid: EC, parameters: Some(AnyRef::from(&curve)) }, der)
}

fn wrapped(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<SigningKey, KeyError> {
    let key = OctetStringRef::new(key).map_err(unwritten)?;
    let der = PrivateKeyInfoRef::new(algorithm, key).to_der().map_err(unwritten)?;
    pkcs8(&Zeroizing::new(der))
}

fn unwritten(_: der::Error) -> KeyError {
    KeyError::Malformed { why: "its numbers are not what they may be" }
}
