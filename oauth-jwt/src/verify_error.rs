//! What can be wrong with keys and messages of others. Nothing here holds a secret; what is shown of a message is made
//! printable first.

use crate::error::KeyError;
#[cfg(feature = "aws-lc-rs")]
use crate::jwe::KeyManagement;
use oauth_core::{Algorithm, Malformed};
use std::error::Error as StdError;
use std::fmt;

/// Why a JWK, or a document of them, is of no use.
#[derive(Debug)]
#[non_exhaustive]
pub enum JwkError {
    /// Not JSON, or with a member twice.
    Json(Malformed),
    /// A member is missing, or has a value that it may not have.
    Member(&'static str),
    /// A kind of key, or a curve, that is not supported.
    Unsupported {
        /// The member that says so.
        member: &'static str,
        /// What it says, printable characters only.
        found: String,
    },
    /// A secret, where a public key is due.
    Symmetric,
    /// A public key, where a secret is due: the two do not belong in one document.
    Mixed,
    /// A secret that cannot be used.
    Shared(Box<KeyError>),
    /// Fewer than the 2048 bits that RFC 7518 section 3.3 demands.
    RsaTooSmall {
        /// The size of its modulus.
        bits: usize,
    },
    /// More than 8192 bits.
    RsaTooLarge {
        /// The size of its modulus.
        bits: usize,
    },
    /// Made by a generator whose keys can be broken (CVE-2017-15361).
    Roca,
    /// More than a hundred keys, or 256 KiB of them.
    TooManyKeys,
    /// The key is not for encryption, as it says itself (`use`, `key_ops`).
    #[cfg(feature = "aws-lc-rs")]
    OtherUse,
    /// No key of the document is for encrypting by this algorithm, or none that is has the name asked for.
    #[cfg(feature = "aws-lc-rs")]
    NoEncryptionKey {
        /// The algorithm.
        algorithm: KeyManagement,
    },
}

impl JwkError {
    pub(crate) fn unsupported(member: &'static str, found: &str) -> Self {
        Self::Unsupported { member, found: shown(found) }
    }
}

impl fmt::Display for JwkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(why) => write!(f, "the keys cannot be read: {why}"),
            Self::Member(name) => {
                write!(f, "{name} is missing among the keys, or of a key, or not what it may be")
            }
            Self::Unsupported { member, found } => {
                write!(f, "{member} of the key is {found}, which is not supported")
            }
            Self::Symmetric => {
                f.write_str("the key is a secret, and a public key is due: nobody may publish this one")
            }
            Self::Mixed => f.write_str("there is a key among the secrets that is none: keep the two apart"),
            Self::Shared(why) => write!(f, "{why}"),
            Self::RsaTooSmall { bits } => {
                write!(f, "the RSA key has {bits} bits, and fewer than 2048 are not safe")
            }
            Self::RsaTooLarge { bits } => {
                write!(f, "the RSA key has {bits} bits, and more than 8192 are not supported")
            }
            Self::Roca => {
                f.write_str("the RSA key was made by a generator whose keys can be broken (CVE-2017-15361)")
            }
            Self::TooManyKeys => f.write_str("there are more than 100 keys, or more than 256 KiB of them"),
            #[cfg(feature = "aws-lc-rs")]
            Self::OtherUse => f.write_str(
                "the key is not for encryption, as it says itself (use or key_ops): give the one that is",
            ),
            #[cfg(feature = "aws-lc-rs")]
            Self::NoEncryptionKey { algorithm } => {
                write!(
                    f,
                    "no key there is for encrypting by {algorithm}: get the keys anew, or use another algorithm"
                )
            }
        }
    }
}

impl StdError for JwkError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        if let Self::Shared(why) = self { Some(&**why) } else { None }
    }
}

/// Why a signed message is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwsError {
    /// A part of more than 64 kB, or 1 MiB in all.
    TooLarge,
    /// Not three parts with dots between them.
    NotCompact,
    /// Five parts: it is encrypted, and has to be decrypted first.
    Encrypted,
    /// A part is not base64url (RFC 7515 section 2).
    Encoding(&'static str),
    /// The header is not JSON, or has a member twice.
    Header(Malformed),
    /// A member of the header is missing, or of the wrong type.
    Member(&'static str),
    /// The header has something critical in it that is not understood (RFC 7515 section 4.1.11).
    Critical,
    /// Signed by an algorithm that is not accepted here; `none` is one.
    Algorithm(Algorithm),
    /// Of another kind than is accepted here (RFC 8725 section 3.11).
    Typ(Option<String>),
    /// No key has the name that the header says.
    UnknownKid(String),
    /// No key verifies by this algorithm.
    NoKey(Algorithm),
    /// More than one key comes into question.
    SeveralKeys,
    /// The signature is not right.
    Signature,
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the signed message is too large"),
            Self::NotCompact => f.write_str("the signed message has not three parts with dots between them"),
            Self::Encrypted => f.write_str("the message is encrypted, and has to be decrypted first"),
            Self::Encoding(part) => {
                write!(f, "the {part} of the signed message is not base64url without padding")
            }
            Self::Header(why) => write!(f, "the header of the signed message cannot be read: {why}"),
            Self::Member(name) => write!(f, "{name} of the header is missing or not what it may be"),
            Self::Critical => f.write_str("the header demands what is not understood (crit or b64)"),
            Self::Algorithm(algorithm) => {
                write!(f, "it is signed by {}, which is not accepted here", shown(algorithm.as_str()))
            }
            Self::Typ(Some(typ)) => write!(f, "its typ is {}, which is not accepted here", shown(typ)),
            Self::Typ(None) => f.write_str("its typ is missing"),
            Self::UnknownKid(kid) => write!(f, "no key is named {}", shown(kid)),
            Self::NoKey(algorithm) => write!(f, "no key verifies by {}", shown(algorithm.as_str())),
            Self::SeveralKeys => {
                f.write_str("more than one key comes into question, and the message does not say which")
            }
            Self::Signature => f.write_str("the signature is not right"),
        }
    }
}

impl StdError for JwsError {}

/// What a message says of itself, short and on one line.
pub(crate) fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(60).collect::<String>())
}
