//! What can be wrong with a key, when it is loaded and when it is used. No text here ever holds a byte of a key.

#[cfg(feature = "aws-lc-rs")]
use crate::jwe::KeyManagement;
use crate::verify_error::JwkError;
use oauth_core::{Algorithm, KeyId};
use std::error::Error as StdError;
use std::fmt;

/// Why a private key could not be loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no PEM section in it at all.
    NotPem,
    /// PEM, and not whole: a section without its end, broken Base64, or a structure that cannot be read.
    Malformed {
        /// What is wrong with it.
        why: &'static str,
    },
    /// There are PEM sections, and none is a private key, a public key or a certificate.
    NoPrivateKey,
    /// There are certificates, and no private key.
    Certificate,
    /// There is a public key, and no private one.
    PublicKey,
    /// There is more than one private key, and which one is meant would be a guess.
    SeveralPrivateKeys {
        /// How many.
        count: usize,
    },
    /// The private key is encrypted with a password, and none was given.
    Encrypted,
    /// The password is not the one that the private key is encrypted with, or the file is damaged.
    Password,
    /// The private key is of a kind that is not supported.
    Unsupported {
        /// Of which kind it is.
        found: &'static str,
    },
    /// The RSA key has fewer than the 2048 bits that RFC 7518 section 3.3 demands.
    RsaTooSmall {
        /// The size of its modulus.
        bits: usize,
    },
    /// The RSA key has more than 4096 bits, the largest that ring takes.
    RsaTooLarge {
        /// The size of its modulus.
        bits: usize,
    },
    /// A JWK that cannot be read.
    Jwk(JwkError),
    /// The key cannot sign with the algorithm that was asked for.
    OtherAlgorithm {
        /// The algorithm that was asked for.
        asked: Algorithm,
        /// What it signs with.
        own: Algorithm,
    },
    /// A client secret signs with HS256, HS384 or HS512, and with nothing else.
    NotAnHmac {
        /// The algorithm that was asked for.
        asked: Algorithm,
    },
    /// A client secret is a key for AES Key Wrap or `dir`, and for nothing else.
    #[cfg(feature = "aws-lc-rs")]
    NotSymmetric {
        /// The algorithm that was asked for.
        asked: KeyManagement,
    },
    /// The private key is of a kind that signs and cannot decrypt.
    #[cfg(feature = "aws-lc-rs")]
    CannotDecrypt {
        /// Of which kind it is.
        found: &'static str,
    },
    /// The client secret is shorter than the hash of its algorithm (RFC 7518 section 3.2).
    SecretTooShort {
        /// How long it is, in bytes.
        bytes: usize,
        /// How long it has to be.
        needed: usize,
    },
    /// The EC key comes without its public half, or with a compressed one. The signing engine needs it whole, and
    /// checks the private half against it.
    EcPublicKeyMissing,
    /// The EC key spells its curve out, or does not tell it at all, where a name is due.
    EcCurveNotNamed,
    /// The numbers of the key do not fit together, or the signing engine refuses them for another reason.
    Rejected {
        /// What the signing engine says.
        cause: Box<dyn StdError + Send + Sync>,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPem => f.write_str(
                "the key is not PEM, it has no line that begins with -----BEGIN: \
                 convert a binary (DER) key with `openssl pkey -inform DER -in OLD -out NEW`",
            ),
            Self::Malformed { why } => {
                write!(f, "the key cannot be read, {why}: copy the file again, unchanged, from where it was made")
            }
            Self::NoPrivateKey => f.write_str(
                "there is no private key in the PEM file: give the file with the section -----BEGIN PRIVATE KEY-----",
            ),
            Self::Certificate => f.write_str(
                "the file holds a certificate only: give the file with its private key",
            ),
            Self::PublicKey => f.write_str(
                "the PEM file holds a public key only: give the file with its private key",
            ),
            Self::SeveralPrivateKeys { count } => write!(
                f,
                "the PEM file holds {count} private keys, and which one is meant cannot be known: \
                 leave one in the file"
            ),
            Self::Encrypted => f.write_str(
                "the private key is encrypted: give its password, or \
                 decrypt it with `openssl pkey -in OLD -out NEW` and guard the new file",
            ),
            Self::Password => f.write_str(
                "the password is wrong, or the file is damaged: give the password that it was made with, in upper and lower case",
            ),
            Self::Unsupported { found } => write!(
                f,
                "the private key is {found}, which is not supported: \
                 give an RSA key, an EC key on curve {CURVES}, or an Ed25519 key, in PKCS#8, PKCS#1 or SEC1"
            ),
            Self::RsaTooSmall { bits } => write!(
                f,
                "the RSA key has {bits} bits, and fewer than 2048 are not safe: {NEW_RSA_KEY}"
            ),
            Self::RsaTooLarge { bits } => {
                write!(f, "the RSA key has {bits} bits, and more than 4096 are not supported: {NEW_RSA_KEY}")
            }
            Self::Jwk(why) => write!(f, "{why}"),
            Self::OtherAlgorithm { asked, own } => {
                write!(f, "the key signs with {own}, and cannot sign with {asked}: ask for {own}, or give another key")
            }
            Self::NotAnHmac { asked } => write!(
                f,
                "a client secret cannot sign with {asked}: use HS256, HS384 or HS512, or a private key"
            ),
            #[cfg(feature = "aws-lc-rs")]
            Self::NotSymmetric { asked } => {
                write!(f, "a client secret is no key for {asked}: use A128KW, A256KW or dir, or a private key")
            }
            #[cfg(feature = "aws-lc-rs")]
            Self::CannotDecrypt { found } => write!(
                f,
                "the private key is {found}, which cannot decrypt: \
                 give an RSA key, an EC key on curve P-256, P-384 or P-521, or an X25519 key as a JWK"
            ),
            Self::SecretTooShort { bytes, needed } => write!(
                f,
                "the client secret has {bytes} bytes, and this algorithm needs {needed}: ask the server's operator for a \
                 longer one, or use client_secret_basic"
            ),
            Self::EcPublicKeyMissing => f.write_str(
                "the EC key comes without its public half, or with a compressed one: \
                 add it with `openssl ec -in OLD -conv_form uncompressed -out NEW`",
            ),
            Self::EcCurveNotNamed => f.write_str(
                "the EC key does not name its curve: \
                 name it with `openssl ec -in OLD -param_enc named_curve -out NEW`",
            ),
            Self::Rejected { cause } => write!(
                f,
                "the numbers of the key are refused ({cause}): it is damaged or was made in an unusual way, \
                 make a new one and register it"
            ),
        }
    }
}

impl StdError for KeyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Rejected { cause } => Some(&**cause),
            Self::Jwk(why) => Some(why),
            Self::NotPem
            | Self::Malformed { .. }
            | Self::NoPrivateKey
            | Self::Certificate
            | Self::PublicKey
            | Self::SeveralPrivateKeys { .. }
            | Self::Encrypted
            | Self::Password
            | Self::Unsupported { .. }
            | Self::RsaTooSmall { .. }
            | Self::RsaTooLarge { .. }
            | Self::OtherAlgorithm { .. }
            | Self::NotAnHmac { .. }
            | Self::SecretTooShort { .. }
            | Self::EcPublicKeyMissing
            | Self::EcCurveNotNamed => None,
            #[cfg(feature = "aws-lc-rs")]
            Self::NotSymmetric { .. } | Self::CannotDecrypt { .. } => None,
        }
    }
}

/// On which curves an EC key signs.
const CURVES: &str = if cfg!(feature = "aws-lc-rs") {
    "P-256, P-384, P-521 or secp256k1"
} else {
    "P-256 or P-384 (for P-521 and secp256k1 build with the feature aws-lc-rs)"
};

const NEW_RSA_KEY: &str = "make a new one with \
    `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out NEW` and register it";

/// Why a [`Keyring`](crate::Keyring) did not sign: the cause of the [`KeyFailed`](oauth_core::KeyFailed) it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningError {
    /// The keyring has no key of this name.
    NoKey {
        /// The name asked for.
        key: KeyId,
    },
    /// The key signs with another algorithm, and with no other.
    WrongAlgorithm {
        /// The name of the key.
        key: KeyId,
        /// The algorithm that the task names.
        asked: Algorithm,
        /// The algorithm that the key signs with.
        own: Algorithm,
    },
    /// The signing engine gave no signature: the system's source of randomness failed, or a computation did.
    Engine {
        /// The name of the key.
        key: KeyId,
    },
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey { key } => {
                write!(f, "the keyring has no key named {:?}: insert it under this name", key.as_str())
            }
            Self::WrongAlgorithm { key, asked, own } => write!(
                f,
                "the key {:?} signs {own} only, and {:?} was asked for: ask for {own}, or insert a key for the other",
                key.as_str(),
                asked.as_str()
            ),
            Self::Engine { key } => write!(
                f,
                "signing with the key {:?} failed, most likely for want of randomness from the system: try again",
                key.as_str()
            ),
        }
    }
}

impl StdError for SigningError {}
