//! What can be wrong with an encrypted message. Nothing here holds a secret; what is shown of a message is made printable
//! first.

use super::algorithm::{ContentEncryption, KeyManagement};
use crate::verify_error::shown;
use oauth_core::Malformed;
use std::error::Error as StdError;
use std::fmt;

/// Why an encrypted message is not opened, or none is made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JweError {
    /// A header of more than 64 kB, or 1 MiB in all.
    TooLarge,
    /// Not five parts with dots between them: the JSON form, say, whose unprotected headers anyone can change.
    NotCompact,
    /// Three parts: it is signed, and not encrypted.
    NotEncrypted,
    /// A part is not base64url (RFC 7515 section 2).
    Encoding(&'static str),
    /// The header is not JSON, or has a member twice.
    Header(Malformed),
    /// A member of the header is missing, or not what it may be: an `epk` that is no point on its curve is one.
    Member(&'static str),
    /// The header has something critical in it that is not understood (RFC 7516 section 4.1.13).
    Critical,
    /// The content is compressed (`zip`), which is not supported: a small message could become a large one.
    Compressed,
    /// The `alg` is one that is not supported here, whatever is accepted.
    UnsupportedAlgorithm(String),
    /// The `enc` is one that is not supported here, whatever is accepted.
    UnsupportedEncryption(String),
    /// The `alg` is not accepted here.
    Algorithm(KeyManagement),
    /// The `enc` is not accepted here.
    Encryption(ContentEncryption),
    /// There is an encrypted key where the `alg` has none, or none where it has one.
    EncryptedKey(KeyManagement),
    /// No key has the name that the header says.
    UnknownKid(String),
    /// No key is for this `alg`, this `enc` and the curve of the message.
    NoKey(KeyManagement),
    /// More than one key comes into question.
    SeveralKeys,
    /// It was encrypted for another key, or changed on its way. Which of the two is not told (RFC 7516 section 11.5).
    Decryption,
    /// The engine failed: the system's source of randomness did, or a computation.
    Engine,
}

impl fmt::Display for JweError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str(
                "the encrypted message is too large: more than 64 kB of header or 1 MiB in all is refused",
            ),
            Self::NotCompact => f.write_str(
                "the encrypted message has not five parts with dots between them: ask for the compact form",
            ),
            Self::NotEncrypted => f.write_str(
                "the message is signed, and not encrypted: verify it, or ask the server's operator to encrypt it",
            ),
            Self::Encoding(part) => {
                write!(f, "the {part} of the encrypted message is not base64url without padding")
            }
            Self::Header(why) => write!(f, "the header of the encrypted message cannot be read: {why}"),
            Self::Member(name) => write!(f, "{name} of the header is missing or not what it may be"),
            Self::Critical => f.write_str("the header demands what is not understood (crit)"),
            Self::Compressed => f.write_str(
                "the content is compressed (zip), which is refused, for a small message could become a large one: \
                 ask the sender to leave zip out",
            ),
            Self::UnsupportedAlgorithm(alg) => {
                let why = match alg.as_str() {
                    "RSA1_5" => ", because what is learned of its padding opens messages",
                    text if text.starts_with("PBES2-") => {
                        ", because a password is no key, and p2c lets the sender choose how long it takes"
                    }
                    _ => "",
                };
                let alg = shown(alg);
                write!(f, "its alg is {alg}, which is not supported{why}: ask for RSA-OAEP-256 or ECDH-ES")
            }
            Self::UnsupportedEncryption(enc) => {
                write!(f, "its enc is {}, which is not supported: ask for A256GCM", shown(enc))
            }
            Self::Algorithm(alg) => write!(f, "its alg is {alg}, which is not accepted here"),
            Self::Encryption(enc) => write!(f, "its enc is {enc}, which is not accepted here"),
            Self::EncryptedKey(alg) if alg.encrypts_a_key() => {
                write!(f, "there is no encrypted key in it, and {alg} has one")
            }
            Self::EncryptedKey(alg) => write!(f, "there is an encrypted key in it, and {alg} has none"),
            Self::UnknownKid(kid) => write!(f, "no key is named {}", shown(kid)),
            Self::NoKey(alg) => {
                write!(f, "no key is for {alg} with this enc and curve: give the one that was registered")
            }
            Self::SeveralKeys => {
                f.write_str("more than one key comes into question, and the message does not say which")
            }
            Self::Decryption => f.write_str(
                "it cannot be decrypted: it was encrypted for another key, or changed on its way",
            ),
            Self::Engine => f.write_str(
                "the engine failed, most likely for want of randomness from the system: try again",
            ),
        }
    }
}

impl StdError for JweError {}
