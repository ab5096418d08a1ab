//! Ours, as a flow has it: the core writes what is to be signed, a keyring signs it, the core writes the signature behind it.

use super::{Kind, Library, SECRET, Signs, Verifies, input, pem};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::{Algorithm, ClientSecret, Input, KeyId, KeyTask, SignTask};
use oauth_jwt::{Accepted, Jws, KeySet, Keyring, PublicKey, SharedKey, SigningKey};
use std::hint::black_box;

pub(crate) struct Ours;

impl Library for Ours {
    const WHO: &'static str = super::OURS;
    type Claims = Vec<u8>;

    fn signer(kind: Kind) -> Signs {
        let (name, algorithm, key) = (KeyId::new("assertions"), algorithm(kind), key(kind));
        let mut keyring = Keyring::new();
        keyring.insert(name.clone(), key);
        Box::new(move || {
            let mut token = input(kind, 256);
            let task = SignTask::new(name.clone(), algorithm.clone(), token.as_bytes().to_vec());
            let Input::Signature(signature) = keyring.answer(KeyTask::Sign(task)) else {
                unreachable!("the key is there")
            };
            token.push('.');
            URL_SAFE_NO_PAD.encode_string(signature, &mut token);
            token
        })
    }

    fn verifier(kind: Kind) -> Verifies<Vec<u8>> {
        let algorithms = [algorithm(kind)];
        if let Kind::Hs256 = kind {
            let key = SharedKey::from_secret(&ClientSecret::new(SECRET), Algorithm::HS256);
            let keys = KeySet::new([key.expect("it is long enough")]);
            return Box::new(move |token| {
                let message = Jws::parse(token).expect("a signed message");
                message.verify(&keys, &Accepted::new(&algorithms)).expect("it is right")
            });
        }
        let public = key(kind).public_key().expect("it has one").with_kid(super::KID);
        let document = format!(r#"{{"keys":[{}]}}"#, public.to_jwk());
        let keys = KeySet::<PublicKey>::from_jwks(document).expect("a document of keys");
        Box::new(move |token| {
            let message = Jws::parse(token).expect("a signed message");
            message.verify(&keys, &Accepted::new(&algorithms)).expect("it is right")
        })
    }

    fn text(claims: &Vec<u8>) -> String {
        String::from_utf8_lossy(claims).into()
    }
}

fn algorithm(kind: Kind) -> Algorithm {
    Algorithm::from_text(kind.name())
}

fn key(kind: Kind) -> SigningKey {
    let key = match kind {
        Kind::Hs256 => SigningKey::from_secret(&ClientSecret::new(SECRET), Algorithm::HS256),
        _ => SigningKey::from_pem(pem(kind)),
    };
    key.expect("the key is right")
}

/// Whether the engine that is built in is the one that this program says: another package in the same build may have turned
/// the feature on. Only one of the two knows this curve.
pub(crate) fn engine_is_as_told() -> bool {
    let pem = include_str!("../../../oauth-jwt/tests/keys/p521.pkcs8.pem");
    SigningKey::from_pem(pem).is_ok() == cfg!(feature = "aws-lc-rs")
}

/// A header of a little more than 64 kB, and one of the most that is read, full of members.
pub(crate) fn refused_header(times: u32) {
    let message = format!("{}.e30.AAAA", "A".repeat(64 * 1024 + 1));
    refused(times, &message);
}

pub(crate) fn refused_members(times: u32) {
    let mut json = String::from(r#"{"alg":"RS256""#);
    for member in 0.. {
        json += &format!(r#","{member}":0"#);
        if json.len() > 48 * 1024 - 16 {
            break;
        }
    }
    refused(times, &format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(json + "}")));
}

pub(crate) fn refused_dots(times: u32) {
    refused(times, &".".repeat(1_000_000));
}

fn refused(times: u32, message: &str) {
    for _ in 0..times {
        assert!(black_box(Jws::parse(black_box(message))).is_err());
    }
}
