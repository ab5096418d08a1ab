//! The library that computes. There is ring, and with the feature `aws-lc-rs` the library of that name, which speaks the
//! language of ring and knows more curves.

use crate::curve::Curve;
#[cfg(feature = "aws-lc-rs")]
use aws_lc_rs as library;
#[cfg(feature = "aws-lc-rs")]
use aws_lc_rs::signature::ParsedPublicKey;
#[cfg(not(feature = "aws-lc-rs"))]
use ring as library;
#[cfg(feature = "aws-lc-rs")]
use std::sync::{Arc, OnceLock};

pub(crate) use library::error::KeyRejected;
#[cfg(not(feature = "aws-lc-rs"))]
use library::signature::UnparsedPublicKey;
use library::signature::VerificationAlgorithm;
pub(crate) use library::signature::{
    EcdsaKeyPair, EcdsaVerificationAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
    RsaParameters, RsaPublicKeyComponents,
};
pub(crate) use library::{digest, hmac, rand, rsa, signature};

/// An EC key from its two halves, which have to fit each other; `None` for a curve that the library does not know.
pub(crate) fn ecdsa(
    curve: Curve,
    private: &[u8],
    public: &[u8],
) -> Option<Result<EcdsaKeyPair, KeyRejected>> {
    let algorithm = match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        #[cfg(feature = "aws-lc-rs")]
        Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        #[cfg(feature = "aws-lc-rs")]
        Curve::Secp256k1 => &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
        #[cfg(not(feature = "aws-lc-rs"))]
        Curve::P521 | Curve::Secp256k1 => return None,
    };
    #[cfg(feature = "aws-lc-rs")]
    let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public);
    #[cfg(not(feature = "aws-lc-rs"))]
    let pair = {
        let random = rand::SystemRandom::new();
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public, &random)
    };
    Some(pair)
}

/// What verifies on a curve; `None` for one that the library does not know.
pub(crate) const fn ecdsa_verification(curve: Curve) -> Option<&'static EcdsaVerificationAlgorithm> {
    match curve {
        Curve::P256 => Some(&signature::ECDSA_P256_SHA256_FIXED),
        Curve::P384 => Some(&signature::ECDSA_P384_SHA384_FIXED),
        #[cfg(feature = "aws-lc-rs")]
        Curve::P521 => Some(&signature::ECDSA_P521_SHA512_FIXED),
        #[cfg(feature = "aws-lc-rs")]
        Curve::Secp256k1 => Some(&signature::ECDSA_P256K1_SHA256_FIXED),
        #[cfg(not(feature = "aws-lc-rs"))]
        Curve::P521 | Curve::Secp256k1 => None,
    }
}

/// A public key as the library has it, read when it verifies for the first time. ring has no such form: it reads the bytes
/// each time, and computes with an RSA modulus what it needs.
#[derive(Clone, Default)]
pub(crate) struct Verifying(#[cfg(feature = "aws-lc-rs")] OnceLock<Option<Arc<ParsedPublicKey>>>);

#[cfg(feature = "aws-lc-rs")]
impl Verifying {
    pub(crate) fn rsa(
        &self,
        key: RsaPublicKeyComponents<&[u8]>,
        algorithm: &'static RsaParameters,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let read = || key.to_parsed_public_key(algorithm).ok().map(Arc::new);
        match self.0.get_or_init(read) {
            Some(read) if std::ptr::addr_eq(read.algorithm(), algorithm) => {
                read.verify_sig(message, signature).is_ok()
            }
            // A key that says no algorithm verifies by six, and is kept for the first.
            _ => key.verify(algorithm, message, signature).is_ok(),
        }
    }

    pub(crate) fn bytes(
        &self,
        key: &[u8],
        algorithm: &'static dyn VerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let read = || ParsedPublicKey::new(algorithm, key).ok().map(Arc::new);
        self.0.get_or_init(read).as_ref().is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

#[cfg(not(feature = "aws-lc-rs"))]
#[expect(clippy::unused_self, reason = "the other one keeps something")]
impl Verifying {
    pub(crate) fn rsa(
        &self,
        key: RsaPublicKeyComponents<&[u8]>,
        algorithm: &'static RsaParameters,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        key.verify(algorithm, message, signature).is_ok()
    }

    pub(crate) fn bytes(
        &self,
        key: &[u8],
        algorithm: &'static dyn VerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
    }
}
