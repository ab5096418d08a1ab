//! ECDSA signatures as others spell them: in DER (RFC 3279 section 2.2.3).

use crate::curve::Curve;
use oauth_core::Algorithm;
#[cfg(feature = "stores")]
use pkcs8::der::Encode as _;
use pkcs8::der::asn1::{SequenceRef, UintRef};
use pkcs8::der::{Decode as _, Reader as _, Result as DerResult, SliceReader};
use std::error::Error as StdError;
use std::fmt;

/// Turns an ECDSA signature in DER, as a KMS or an HSM answers, into what JWS wants: the two numbers side by side
/// (RFC 7518 section 3.4), for [`Input::Signature`](oauth_core::Input::Signature).
///
/// It is taken apart strictly: lengths and numbers in their one spelling, and nothing behind. It is not verified.
///
/// ```
/// use oauth_core::Algorithm;
/// use oauth_jwt::ecdsa_signature_from_der;
///
/// // SEQUENCE { INTEGER 1, INTEGER 128 }
/// let signature = ecdsa_signature_from_der(&Algorithm::ES256, &[0x30, 7, 2, 1, 1, 2, 2, 0, 128])?;
/// assert_eq!((signature.len(), signature[31], signature[63]), (64, 1, 128));
/// # Ok::<(), oauth_jwt::DerSignatureError>(())
/// ```
///
/// # Errors
/// The algorithm is none of ECDSA, or this is no signature of its curve.
pub fn ecdsa_signature_from_der(algorithm: &Algorithm, der: &[u8]) -> Result<Vec<u8>, DerSignatureError> {
    let curve = Curve::of_algorithm(algorithm)
        .ok_or_else(|| DerSignatureError::NotEcdsa { algorithm: algorithm.clone() })?;
    let (r, s) = numbers(der)
        .map_err(|_| DerSignatureError::Malformed { why: "it is not a SEQUENCE of two INTEGERs" })?;
    let mut signature = Vec::with_capacity(2 * curve.size());
    for number in [r, s] {
        let number = number.as_bytes();
        // FIPS 186-5 section 6.4.2: neither is zero. CVE-2022-21449 was a verifier that took them.
        if number.iter().all(|byte| *byte == 0) {
            return Err(DerSignatureError::Malformed { why: "one of its numbers is zero" });
        }
        let Some(zeros) = curve.size().checked_sub(number.len()) else {
            return Err(DerSignatureError::Malformed {
                why: "one of its numbers is longer than its curve allows",
            });
        };
        signature.resize(signature.len() + zeros, 0);
        signature.extend_from_slice(number);
    }
    Ok(signature)
}

/// The other way round, for TLS: two numbers side by side become DER.
#[cfg(feature = "stores")]
pub(crate) fn ecdsa_signature_to_der(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at(signature.len() / 2);
    [UintRef::new(r).ok()?, UintRef::new(s).ok()?].to_der().ok()
}

fn numbers(der: &[u8]) -> DerResult<(UintRef<'_>, UintRef<'_>)> {
    let mut reader = SliceReader::new(<&SequenceRef>::from_der(der)?.as_bytes())?;
    let numbers = (UintRef::decode(&mut reader)?, UintRef::decode(&mut reader)?);
    reader.finish()?;
    Ok(numbers)
}

/// Why what a key holder answered is no signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DerSignatureError {
    /// The algorithm signs in another way than ECDSA.
    NotEcdsa {
        /// The algorithm that was asked for.
        algorithm: Algorithm,
    },
    /// It is no signature in DER, or of another curve.
    Malformed {
        /// What is wrong with it.
        why: &'static str,
    },
}

impl fmt::Display for DerSignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEcdsa { algorithm } => write!(
                f,
                "{:?} is no algorithm of ECDSA: take its signature as it is, or ask for ES256, ES384, ES512 or ES256K",
                algorithm.as_str()
            ),
            Self::Malformed { why } => write!(
                f,
                "the key holder's answer is no ECDSA signature in DER ({why}): check the key's curve, and that the answer is decoded"
            ),
        }
    }
}

impl StdError for DerSignatureError {}
