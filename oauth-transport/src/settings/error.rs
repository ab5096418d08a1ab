//! Why a transport could not be made.

use crate::setting::Setting;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;

/// Why a transport could not be made. Nothing was sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum SettingsError {
    /// This engine cannot carry the setting; another may.
    Unsupported {
        /// The engine's name.
        engine: &'static str,
        /// The setting, in words.
        setting: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// A limit is zero, so that every request would fail.
    ZeroTimeout {
        /// The setting, in words.
        setting: &'static str,
    },
    /// The PEM text holds no certificate.
    NoCertificate,
    /// An extra root is not a certificate that can be a root.
    ExtraRoot {
        /// Its place among the extra roots, from zero.
        index: usize,
    },
    /// Extra trust roots cannot be read from where they are.
    RootsFile {
        /// The file, or the folder.
        path: PathBuf,
        /// What is wrong with it.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// Neither the platform's roots nor extra ones are to be trusted.
    NoRoots,
    /// The platform's roots cannot be read.
    PlatformRoots {
        /// What the engine says.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// A proxy's address makes no sense.
    Proxy {
        /// Where it was read: the variable's name, or `proxy`.
        from: &'static str,
        /// Why not. Holds none of the value, which may carry a password.
        why: &'static str,
    },
    /// A client certificate cannot be used.
    Identity {
        /// Why not. Holds nothing of the key.
        why: &'static str,
    },
    /// A value that the setting cannot have on this engine.
    Value {
        /// The setting.
        setting: Setting,
        /// The value, or the part of it that is wrong.
        value: String,
        /// What it may be instead.
        expected: String,
    },
    /// The engine could not be set up.
    Engine {
        /// What the engine says.
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported { engine, setting, why } => {
                write!(f, "the transport {engine} cannot carry the {setting}: {why}; take it out or use another transport")
            }
            Self::ZeroTimeout { setting } => {
                write!(f, "the {setting} is zero, so every request would fail; set a longer one")
            }
            Self::NoCertificate => f.write_str(
                "no certificate was found; an extra trust root is a PEM file that begins with -----BEGIN CERTIFICATE-----",
            ),
            Self::ExtraRoot { index } => {
                write!(f, "extra trust root {} is not a readable certificate; replace it", index + 1)
            }
            Self::RootsFile { path, cause } => {
                write!(
                    f,
                    "the trust roots of {} cannot be read: {cause}; name a PEM file, a DER file, or a folder of such files",
                    path.display()
                )
            }
            Self::NoRoots => {
                f.write_str("no trust roots, so every server would be refused; add a root or trust the platform's")
            }
            Self::PlatformRoots { cause } => {
                write!(f, "the platform's trust roots cannot be read: {cause}; install its CA certificates or add a root")
            }
            Self::Proxy { from, why } => {
                write!(f, "the proxy of {from} cannot be used: {why}; write it as http://host:port")
            }
            Self::Identity { why } => {
                write!(f, "the client certificate cannot be used: {why}; give a certificate and its private key")
            }
            Self::Value { setting, value, expected } => {
                write!(f, "the {setting} cannot be {value:?}; it may be {expected}")
            }
            Self::Engine { cause } => write!(f, "the HTTP engine cannot be set up: {cause}"),
        }
    }
}

impl Error for SettingsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::PlatformRoots { cause } | Self::RootsFile { cause, .. } | Self::Engine { cause } => {
                Some(&**cause)
            }
            _ => None,
        }
    }
}
