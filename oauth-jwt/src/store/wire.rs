//! How SSH writes texts, numbers and keys (RFC 4251 section 5, RFC 4253 section 6.6).

use super::certificate::{ec_public_key, ed25519_public_key};
use super::numbers::{self, Ec};
use crate::error::KeyError;
use crate::jwk::PublicKey;
use crate::signing_key::SigningKey;
use pkcs8::ObjectIdentifier;

/// How the names of kinds of keys begin, to tell them from other texts.
pub(super) const KINDS: [&str; 3] = ["ssh-", "ecdsa-sha2-", "sk-"];

/// The kinds of EC keys, their curves, and how many bytes a coordinate has (RFC 5656 section 10.1).
const CURVES: [(&str, &str, ObjectIdentifier, usize); 3] = [
    ("ecdsa-sha2-nistp256", "nistp256", ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), 32),
    ("ecdsa-sha2-nistp384", "nistp384", ObjectIdentifier::new_unwrap("1.3.132.0.34"), 48),
    ("ecdsa-sha2-nistp521", "nistp521", ObjectIdentifier::new_unwrap("1.3.132.0.35"), 66),
];

/// What is left to read; nothing is read beyond it.
pub(super) struct Wire<'a>(pub(super) &'a [u8]);

impl<'a> Wire<'a> {
    pub(super) fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }
}

/// Whether these may be the bytes of a public key.
pub(super) fn begins(bytes: &[u8]) -> bool {
    Wire(bytes).text().is_some_and(|kind| KINDS.iter().any(|known| kind.starts_with(known)))
}

/// The numbers of a public key.
pub(super) enum Public<'a> {
    Rsa { n: &'a [u8], e: &'a [u8] },
    Ec { curve: ObjectIdentifier, size: usize, point: &'a [u8] },
    Ed25519(&'a [u8]),
    Other,
}

impl<'a> Public<'a> {
    /// What stands after the name of its kind; `None` where the bytes are not what that kind demands.
    pub(super) fn read(kind: &str, wire: &mut Wire<'a>) -> Option<Self> {
        if let Some((_, name, curve, size)) = CURVES.into_iter().find(|(known, ..)| *known == kind) {
            let told = wire.text()?;
            return (told == name).then_some(Self::Ec { curve, size, point: wire.bytes()? });
        }
        match kind {
            "ssh-rsa" => {
                let e = wire.bytes()?;
                Some(Self::Rsa { n: wire.bytes()?, e })
            }
            "ssh-ed25519" => wire.bytes().map(Self::Ed25519),
            _ => Some(Self::Other),
        }
    }

    /// A whole public key, and nothing after it.
    pub(super) fn whole(bytes: &'a [u8]) -> Option<(&'a str, Self)> {
        let mut wire = Wire(bytes);
        let kind = wire.text()?;
        let key = Self::read(kind, &mut wire)?;
        (wire.0.is_empty() || matches!(key, Self::Other)).then_some((kind, key))
    }

    /// `None` for a key that is not supported.
    pub(super) fn key(&self) -> Option<PublicKey> {
        match self {
            Self::Rsa { n, e } => PublicKey::from_rsa(n, e).ok(),
            Self::Ec { curve, point, .. } => ec_public_key(*curve, point),
            Self::Ed25519(x) => ed25519_public_key(x),
            Self::Other => None,
        }
    }

    /// With its private number of EC or Ed25519.
    pub(super) fn signing_key(&self, private: &[u8]) -> Result<SigningKey, KeyError> {
        match self {
            Self::Ec { curve, size, point } => Ec { curve: *curve, size: *size, point }.key(private),
            // OpenSSH writes the public half behind the private one, once more.
            Self::Ed25519(x) => numbers::ed25519(private.get(..32).unwrap_or_default(), x),
            Self::Rsa { .. } | Self::Other => Err(KeyError::Unsupported { found: "of an unknown algorithm" }),
        }
    }
}
