//! Private keys as PEM, with their certificates beside them, and single ones as DER.

use super::assemble::Parts;
use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use super::sniff::Shape;
use super::{numbers, ssh};
use crate::encrypted;
use crate::error::KeyError;
use crate::pem::{self, Format, Section};
use crate::signing_key::{SigningKey, pkcs8};
use oauth_core::Password;
use sec1::{EcParameters, EcPrivateKey};

/// What OpenSSL wrote for many years, with a hash for a key derivation.
const OLDER: StoreError = StoreError::Unsupported {
    found: "encrypted in the older way, by a Proc-Type header",
    instead: "encrypt it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`",
};

pub(super) fn read(
    kind: StoreKind,
    contents: &[u8],
    password: Option<&Password>,
) -> Result<Vec<Entry>, StoreError> {
    let mut parts = Parts::default();
    if let Some(shape) = Shape::of(contents) {
        let format = match shape {
            Shape::Pkcs8 => Format::Pkcs8,
            Shape::EncryptedPkcs8 => Format::Encrypted,
            Shape::Pkcs1 => Format::Pkcs1,
            Shape::Sec1 => Format::Sec1,
            Shape::Pkcs12 | Shape::Pkcs7 | Shape::Certificate | Shape::PublicKey | Shape::RsaPublicKey => {
                return Err(StoreError::Malformed { kind, why: "it is DER of another structure" });
            }
        };
        let key = of_whole_store(kind, signing_key(format, contents, password))?;
        parts.key(key);
        return parts.entries(kind);
    }
    let sections = pem::sections(contents).map_err(|why| StoreError::of(kind, why))?;
    if sections.is_empty() {
        return Err(StoreError::Malformed { kind, why: "it is neither PEM nor DER" });
    }
    for section in sections {
        match section.label {
            b"OPENSSH PRIVATE KEY" => {
                let der = pem::decode(section.body).map_err(|why| StoreError::of(kind, why))?;
                parts.keys.push(ssh::private(kind, &der)?);
            }
            b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => {
                let der = pem::decode(section.body).map_err(|why| StoreError::of(kind, why))?;
                parts.certificate(&der, kind)?;
            }
            label if label.ends_with(b"PRIVATE KEY") => {
                let key = private_key(&section, password);
                if matches!(key, Err(KeyError::Encrypted)) && section.label != b"ENCRYPTED PRIVATE KEY" {
                    return Err(OLDER);
                }
                parts.key(of_whole_store(kind, key)?);
            }
            // Parameters, public keys: what is in them is in the key as well.
            _ => {}
        }
    }
    let entries = parts.entries(kind)?;
    if entries.is_empty() {
        return Err(StoreError::Malformed { kind, why: "there is no private key in it" });
    }
    Ok(entries)
}

fn private_key(section: &Section<'_>, password: Option<&Password>) -> Result<SigningKey, KeyError> {
    let key = section.open()?;
    signing_key(key.format, &key.der, password)
}

fn signing_key(format: Format, der: &[u8], password: Option<&Password>) -> Result<SigningKey, KeyError> {
    match format {
        Format::Pkcs8 => pkcs8(der),
        Format::Pkcs1 => numbers::of_pkcs1(der),
        Format::Sec1 => {
            let key = EcPrivateKey::try_from(der).map_err(|_| KeyError::Malformed {
                why: "it is not the EC structure that its label names, or does not name its curve",
            })?;
            let curve = key.parameters.and_then(EcParameters::named_curve);
            numbers::of_sec1(curve.ok_or(KeyError::EcCurveNotNamed)?, der)
        }
        Format::Encrypted => encrypted::decrypted(der, password.ok_or(KeyError::Encrypted)?),
    }
}

/// A password that is missing or wrong, and what is not whole, concern all of it; what else is wrong with a key is told
/// when that key is asked for.
fn of_whole_store(
    kind: StoreKind,
    key: Result<SigningKey, KeyError>,
) -> Result<Result<SigningKey, KeyError>, StoreError> {
    match key {
        Err(error @ (KeyError::Password | KeyError::Encrypted | KeyError::Malformed { .. })) => {
            Err(StoreError::of(kind, error))
        }
        other => Ok(other),
    }
}
