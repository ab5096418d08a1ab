//! PKCS#12 files (PFX, RFC 7292).

use super::assemble::{Key, Named, Parts};
use super::certificate::Certificate;
use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use crate::encrypted;
use crate::error::KeyError;
use crate::signing_key::pkcs8;
use oauth_core::Password;

pub(super) fn read(
    kind: StoreKind,
    contents: &[u8],
    password: Option<&Password>,
) -> Result<Vec<Entry>, StoreError> {
    // Most files without a password have an empty one.
    let given = password.cloned().unwrap_or_else(|| Password::new(""));
    let archive = encrypted::archive(contents, &given).map_err(|error| match error {
        KeyError::Password if password.is_none() => StoreError::PasswordMissing,
        KeyError::Unsupported { found } => StoreError::Unsupported {
            found,
            instead: "write it anew with `openssl pkcs12 -in OLD -nodes -out MIDDLE`, `openssl pkcs12 -export -in MIDDLE -out NEW`",
        },
        other => StoreError::of(kind, other),
    })?;
    let mut parts = Parts::default();
    for bag in archive.keys {
        let id = bag.local_key_id.map(|id| id.0);
        parts.keys.push(Key { label: bag.friendly_name, id, key: pkcs8(bag.key.as_der()) });
    }
    for bag in archive.certs {
        let certificate = Certificate::read(bag.cert.as_der())
            .ok_or(StoreError::Malformed { kind, why: "a certificate in it cannot be read" })?;
        parts.certificates.push(Named { label: bag.friendly_name, id: bag.local_key_id, certificate });
    }
    parts.entries(kind)
}
