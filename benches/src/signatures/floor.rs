//! The least that a signed message can cost with an engine: its primitive between passes of base64url, and one allocation for
//! what comes out. The header is decoded and not looked at, and nothing is checked but the signature.

use super::{Kind, Library, SECRET, Signs, Verifies, der, input};
use aws_lc_rs::signature::{ParsedPublicKey, VerificationAlgorithm as AwsLcAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{UnparsedPublicKey, VerificationAlgorithm as RingAlgorithm};
use std::hint::black_box;

/// The bytes of an RSA signature of 2048 bits, the longest here.
const LONGEST: usize = 256;

/// The two engines speak one language, save what is given here.
macro_rules! floor {
    ($name:ident, $who:literal, $engine:ident, $public:ty, $read:expr, $verify:ident, ($($random:tt)*)) => {
        pub(crate) struct $name;

        impl Library for $name {
            const WHO: &'static str = $who;
            type Claims = Vec<u8>;

            fn signer(kind: Kind) -> Signs {
                use $engine::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
                use $engine::{hmac, rand};
                let (der, random) = (der(kind), rand::SystemRandom::new());
                match kind {
                    Kind::Rs256 => {
                        let key = RsaKeyPair::from_pkcs8(&der).expect("an RSA key");
                        Box::new(move || {
                            let (mut token, mut signature) = (input(kind, LONGEST), [0; LONGEST]);
                            key.sign(&signature::RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signature)
                                .expect("it signs");
                            append(&mut token, &signature);
                            token
                        })
                    }
                    Kind::Es256 => {
                        let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                        let key = EcdsaKeyPair::from_pkcs8(algorithm, &der $($random)*).expect("an EC key");
                        Box::new(move || {
                            let mut token = input(kind, 64);
                            let signature = key.sign(&random, token.as_bytes()).expect("it signs");
                            append(&mut token, signature.as_ref());
                            token
                        })
                    }
                    Kind::EdDsa => {
                        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).expect("an Ed25519 key");
                        Box::new(move || {
                            let mut token = input(kind, 64);
                            let signature = key.sign(token.as_bytes());
                            append(&mut token, signature.as_ref());
                            token
                        })
                    }
                    Kind::Hs256 => {
                        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                        Box::new(move || {
                            let mut token = input(kind, 32);
                            let signature = hmac::sign(&key, token.as_bytes());
                            append(&mut token, signature.as_ref());
                            token
                        })
                    }
                }
            }

            fn verifier(kind: Kind) -> Verifies<Self::Claims> {
                use $engine::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
                use $engine::hmac;
                let der = der(kind);
                let read: fn(&'static _, &[u8]) -> $public = $read;
                let public = match kind {
                    Kind::Rs256 => {
                        let pair = RsaKeyPair::from_pkcs8(&der).expect("an RSA key");
                        read(&signature::RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
                    }
                    Kind::Es256 => {
                        let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                        let pair = EcdsaKeyPair::from_pkcs8(algorithm, &der $($random)*).expect("an EC key");
                        read(&signature::ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())
                    }
                    Kind::EdDsa => {
                        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).expect("an Ed25519 key");
                        read(&signature::ED25519, pair.public_key().as_ref())
                    }
                    Kind::Hs256 => {
                        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                        return Box::new(move |token| {
                            verified(token, |input, tag| hmac::verify(&key, input, tag).is_ok())
                        });
                    }
                };
                Box::new(move |token| {
                    verified(token, |input, signature| public.$verify(input, signature).is_ok())
                })
            }

            fn text(claims: &Self::Claims) -> String {
                String::from_utf8_lossy(claims).into()
            }
        }
    };
}

// It has no form for a public key but its bytes, which it reads for each signature.
floor!(
    Ring,
    "ring alone",
    ring,
    UnparsedPublicKey<Vec<u8>>,
    |algorithm: &'static dyn RingAlgorithm, bytes| {
        UnparsedPublicKey::new(algorithm, bytes.to_vec())
    },
    verify,
    (, &SystemRandom::new())
);
floor!(
    AwsLc,
    "aws-lc-rs alone",
    aws_lc_rs,
    ParsedPublicKey,
    |algorithm: &'static dyn AwsLcAlgorithm, bytes| {
        ParsedPublicKey::new(algorithm, bytes).expect("a public key")
    },
    verify_sig,
    ()
);

fn append(token: &mut String, signature: &[u8]) {
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, token);
}

fn verified(token: &str, verifies: impl Fn(&[u8], &[u8]) -> bool) -> Vec<u8> {
    let (input, encoded) = token.rsplit_once('.').expect("a signed message");
    let (header, claims) = input.split_once('.').expect("a header and claims");
    // The decoder wants room for what it guesses, which may be two bytes more than there is.
    let (mut json, mut signature) = ([0; LONGEST + 2], [0; LONGEST + 2]);
    black_box(URL_SAFE_NO_PAD.decode_slice(header, &mut json).expect("base64url"));
    let length = URL_SAFE_NO_PAD.decode_slice(encoded, &mut signature).expect("base64url");
    assert!(verifies(input.as_bytes(), &signature[..length]));
    URL_SAFE_NO_PAD.decode(claims).expect("base64url")
}
