//! Public keys and certificates, as PEM or DER.

use super::assemble::Parts;
use super::certificate;
use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use super::sniff::Shape;
use crate::pem;

pub(super) fn read(kind: StoreKind, contents: &[u8]) -> Result<Vec<Entry>, StoreError> {
    let mut parts = Parts::default();
    let mut entries = Vec::new();
    if let Some(shape) = Shape::of(contents) {
        one(kind, shape, contents, &mut parts, &mut entries)?;
    } else {
        for section in pem::sections(contents).map_err(|why| StoreError::of(kind, why))? {
            let shape = match section.label {
                b"PUBLIC KEY" => Shape::PublicKey,
                b"RSA PUBLIC KEY" => Shape::RsaPublicKey,
                b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => Shape::Certificate,
                // A private key beside them is none of this store's business.
                _ => continue,
            };
            let der = pem::decode(section.body).map_err(|why| StoreError::of(kind, why))?;
            one(kind, shape, &der, &mut parts, &mut entries)?;
        }
    }
    entries.extend(parts.entries(kind)?);
    if entries.is_empty() {
        return Err(StoreError::Malformed { kind, why: "there is no public key and no certificate in it" });
    }
    Ok(entries)
}

fn one(
    kind: StoreKind,
    shape: Shape,
    der: &[u8],
    parts: &mut Parts,
    entries: &mut Vec<Entry>,
) -> Result<(), StoreError> {
    match shape {
        Shape::Certificate => return parts.certificate(der, kind),
        Shape::PublicKey => entries.push(Entry::public(kind, certificate::public_key(der))),
        Shape::RsaPublicKey => entries.push(Entry::public(kind, certificate::rsa_public_key(der))),
        Shape::Pkcs12 | Shape::Pkcs7 | Shape::Pkcs8 | Shape::EncryptedPkcs8 | Shape::Pkcs1 | Shape::Sec1 => {
            return Err(StoreError::Malformed { kind, why: "it is DER of another structure" });
        }
    }
    Ok(())
}
