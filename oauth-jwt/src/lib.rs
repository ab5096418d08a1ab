//! Keys and signatures for OAuth 2.0 clients.
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
//! - **In scope**: reading private keys (RSA and EC P-256, in PEM), choosing one by its name, signing (RS256 and ES256).
//! - **Out of scope**: headers, claims and their rules, which are the core's; files and passwords, which are the
//!   program's; keys that live elsewhere (an HSM, a KMS), whose holder answers the same tasks in its own way.

mod error;
mod keyring;
mod pem;
mod signing_key;

pub use error::{KeyError, SigningError};
pub use keyring::Keyring;
pub use signing_key::SigningKey;
