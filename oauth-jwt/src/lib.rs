//! Keys, signatures and encrypted messages for OAuth 2.0 clients.
//!
//! The core writes headers and claims and asks for a signature by [`KeyTask`](oauth_core::KeyTask); a [`Keyring`]
//! answers. Each [`SigningKey`] is parsed once, when it is loaded, and signs with one algorithm only.
//!
//! ```
//! use oauth_core::{Algorithm, Input, KeyId, KeyTask, SignTask};
//! use oauth_jwt::{Keyring, SigningKey};
//!
//! # let pem = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/p256.pkcs8.pem"));
//! let service = KeyId::new("service");
//! let mut keyring = Keyring::new();
//! keyring.insert(service.clone(), SigningKey::from_pem(pem)?);
//!
//! // A flow makes this task, as `Output::Key`; what the keyring says goes to `Flow::handle`.
//! let task = KeyTask::Sign(SignTask::new(service, Algorithm::ES256, b"header.claims".to_vec()));
//! assert!(matches!(keyring.answer(task), Input::Signature(signature) if signature.len() == 64));
//! # Ok::<(), oauth_jwt::KeyError>(())
//! ```
//!
//! A message of the other side is taken apart by [`Jws::parse`] and verified by a [`KeySet`]: of [`PublicKey`]s, or of
//! [`SharedKey`]s, which are two types, so that the one can never be taken for the other. An ID token is believed when its
//! signature is right and its claims are, which the core checks. The flows of the core do both, and ask a [`Keyring`] for the
//! first; by hand it is:
//!
//! ```
//! use oauth_core::{Algorithm, IdTokenRules, Unix};
//! use oauth_jwt::{Accepted, Jws, KeySet, PublicKey};
//!
//! fn who_signed_in(id_token: &str, jwks: &[u8], nonce: &str, now: Unix) -> Result<String, Box<dyn std::error::Error>> {
//!     let keys = KeySet::<PublicKey>::from_jwks(jwks)?;
//!     // What was agreed on with the server, and nothing else.
//!     let payload = Jws::parse(id_token)?.verify(&keys, &Accepted::new(&[Algorithm::RS256]))?;
//!     let rules = IdTokenRules::new("https://login.example.com", "my-app").with_nonce(nonce);
//!     Ok(rules.check(&payload, now)?.sub)
//! }
//! # assert!(who_signed_in("e30.e30.e30", br#"{"keys":[]}"#, "n", Unix(0)).is_err());
//! ```
//!
//! With the feature `aws-lc-rs` the library of that name computes in place of ring: there are two more curves, and encrypted
//! messages, which `Jwe::parse` takes apart and a `DecryptionKey` opens; `Encryption` makes them. An encrypted ID token has a
//! signed one inside, to be verified as above. The feature is built by a C compiler and nothing else.
//!
//! With the feature `stores`, a `CertificateStore` finds a key by the subject of its certificate, in whatever file people
//! have it; with the feature `pkcs11`, in a security key as well, which signs by itself.
//!
//! - **In scope**: reading private keys (RSA, EC on P-256 and P-384, Ed25519: PEM, JWK, Java key stores, key files of service
//!   accounts; with the feature `encrypted`, PKCS#12 and encrypted PEM; with the feature `aws-lc-rs`, EC on P-521 and
//!   secp256k1), choosing one by its name, signing; reading public keys, verifying; encrypted messages, both ways.
//! - **Out of scope**: headers, claims and their rules, which are the core's; where files and passwords come
//!   from, which is the program's; keys that live elsewhere (a KMS), whose holder answers the same tasks in its own way:
//!   [`ecdsa_signature_from_der`] is for the spelling of its signatures.

mod base64url;
mod curve;
mod der_signature;
#[cfg(feature = "encrypted")]
mod encrypted;
mod engine;
mod error;
mod jks;
#[cfg(feature = "aws-lc-rs")]
mod jwe;
mod jwk;
mod jws;
mod key_set;
mod keyring;
mod open;
mod pem;
mod roca;
mod service_account;
mod shared_key;
mod signing_key;
#[cfg(feature = "stores")]
mod store;
mod verify_error;

pub use der_signature::{DerSignatureError, ecdsa_signature_from_der};
pub use error::{KeyError, SigningError};
#[cfg(feature = "aws-lc-rs")]
pub use jwe::{
    AcceptedEncryption, ContentEncryption, DecryptionKey, Encryption, EncryptionKey, Jwe, JweError,
    JweHeader, KeyManagement,
};
pub use jwk::PublicKey;
pub use jws::{Accepted, Header, Jws};
pub use key_set::{KeySet, Verifier};
pub use keyring::Keyring;
pub use service_account::{ServiceAccount, ServiceAccountError};
pub use shared_key::SharedKey;
pub use signing_key::SigningKey;
#[cfg(feature = "stores")]
pub use store::{CertificateStore, Entry, StoreError, StoreKind};
pub use verify_error::{JwkError, JwsError};
