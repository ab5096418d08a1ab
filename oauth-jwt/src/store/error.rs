//! What can be wrong with a store. No text here holds a secret; what is shown of a store is made printable first.

use super::kind::StoreKind;
use crate::error::KeyError;
use crate::verify_error::shown;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// How many subjects an error names.
const NAMED: usize = 10;

/// Why a certificate store could not be opened, or why it has not what was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be read.
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// More than the 16 MiB that are read.
    TooLarge,
    /// More than the 1000 keys and certificates that are read.
    TooManyEntries,
    /// What it is cannot be told from its contents.
    Unrecognized {
        /// What was seen.
        why: &'static str,
    },
    /// It is a store of another kind than was said.
    OtherKind {
        /// What was said.
        asked: StoreKind,
        /// What it looks like.
        found: StoreKind,
    },
    /// It is not whole, or not what its kind demands.
    Malformed {
        /// Of which kind it should be.
        kind: StoreKind,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is in a form that is not read, and another program can change that.
    Unsupported {
        /// What it is.
        found: &'static str,
        /// How to come to a form that is read.
        instead: &'static str,
    },
    /// It is behind a password, and none was given.
    PasswordMissing,
    /// The password is wrong, or the store is damaged.
    Password,
    /// No entry has this subject or label.
    CertificateNotFound {
        /// What was looked for.
        subject: String,
        /// What there is: the subject of each entry, or the label of one without a certificate. Ten of them at most.
        there: Vec<String>,
    },
    /// The entry has no private key; most kinds of store have none at all.
    NoPrivateKey {
        /// The kind of the store.
        kind: StoreKind,
    },
    /// There is a key, and no certificate to it.
    NoCertificate {
        /// The kind of the store.
        kind: StoreKind,
    },
    /// The private key is there, and cannot be used.
    Key(KeyError),
    /// This system has no such store, or none that is supported.
    NoSystemStore {
        /// Which one was asked for.
        kind: StoreKind,
    },
    /// The token, or the module that speaks to it, refuses.
    Token {
        /// What it says.
        cause: Box<dyn StdError + Send + Sync>,
    },
    /// This build is without the feature that the store needs.
    FeatureDisabled(&'static str),
}

impl StoreError {
    /// What is wrong with the one key of a store, or with the text around it.
    pub(super) fn of(kind: StoreKind, error: KeyError) -> Self {
        match error {
            KeyError::Password => Self::Password,
            KeyError::Encrypted => Self::PasswordMissing,
            KeyError::Malformed { why } => Self::Malformed { kind, why },
            other => Self::Key(other),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, cause } => write!(
                f,
                "the certificate store {:?} cannot be read ({cause}): check its path and who may read it",
                path.display()
            ),
            Self::TooLarge => f.write_str(
                "the certificate store has more than 16 MiB: give one that holds the key and its certificates alone",
            ),
            Self::TooManyEntries => f.write_str(
                "the certificate store has more than 1000 entries: give one that holds the key and its certificates alone",
            ),
            Self::Unrecognized { why } => write!(
                f,
                "what kind of certificate store it is cannot be told ({why}): give a path that exists, or the contents of a \
                 PKCS#12 file, a Java key store, PEM or DER, an SSH key, PKCS#7, a key of PuTTY, XML or JWK, or say the kind"
            ),
            Self::OtherKind { asked, found } => {
                write!(f, "the certificate store looks like {found}, and {asked} was asked for: say so")
            }
            Self::Malformed { kind, why } => {
                write!(f, "the certificate store is not {kind}, or not whole ({why}): copy it again, unchanged")
            }
            Self::Unsupported { found, instead } => {
                write!(f, "the certificate store is {found}, which is not supported: {instead}")
            }
            Self::PasswordMissing => f.write_str("the certificate store is encrypted: give its password"),
            Self::Password => f.write_str(
                "the password of the certificate store is wrong, or the store is damaged: give the password that it was made with, \
                 in upper and lower case",
            ),
            Self::CertificateNotFound { subject, there } => {
                write!(f, "no certificate of the store has the subject {}: ", shown(subject))?;
                match there.as_slice() {
                    [] => f.write_str("the store is empty"),
                    there => {
                        let there: Vec<_> = there.iter().take(NAMED).map(|one| shown(one)).collect();
                        write!(f, "ask for one of {}", there.join(", "))
                    }
                }
            }
            Self::NoPrivateKey { kind } => write!(
                f,
                "there is no private key for it in the store, which is {kind}: give a PKCS#12 file, a Java key store or PEM \
                 that holds the private key"
            ),
            Self::NoCertificate { kind } => write!(
                f,
                "there is no certificate to the key in the store, which is {kind}: give a PKCS#12 file, a Java key store or \
                 PEM that holds both"
            ),
            Self::Key(why) => write!(f, "{why}"),
            Self::NoSystemStore { kind } => write!(
                f,
                "{kind} is not supported on this platform: give a PKCS#12 file, PEM, or a security key (PKCS#11)"
            ),
            Self::Token { cause } => write!(
                f,
                "the security key cannot be used ({}): check the path of its module, that it is plugged in, and its PIN",
                shown(&cause.to_string())
            ),
            Self::FeatureDisabled(feature) => write!(
                f,
                "this program was built without the feature {feature} of oauth-jwt: build it with that, or give a file"
            ),
        }
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::File { cause, .. } => Some(cause),
            Self::Key(why) => Some(why),
            Self::Token { cause } => Some(&**cause),
            Self::TooLarge
            | Self::TooManyEntries
            | Self::Unrecognized { .. }
            | Self::OtherKind { .. }
            | Self::Malformed { .. }
            | Self::Unsupported { .. }
            | Self::PasswordMissing
            | Self::Password
            | Self::CertificateNotFound { .. }
            | Self::NoPrivateKey { .. }
            | Self::NoCertificate { .. }
            | Self::NoSystemStore { .. }
            | Self::FeatureDisabled(_) => None,
        }
    }
}
