//! Java key stores of the older kind (JKS).

use super::certificate::Certificate;
use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use super::{MAX_ENTRIES, pkcs12};
use crate::error::KeyError;
use crate::jks;
use oauth_core::Password;

/// How many certificates a key may have.
const MAX_CHAIN: usize = 100;

pub(super) fn read(
    kind: StoreKind,
    contents: &[u8],
    password: Option<&Password>,
) -> Result<Vec<Entry>, StoreError> {
    // The newer key stores of Java are PKCS#12, whatever their names say.
    if contents.starts_with(&[0x30]) {
        return pkcs12::read(kind, contents, password);
    }
    let given = jks::utf16(&password.cloned().unwrap_or_else(|| Password::new("")));
    let entries = jks::entries(contents, &given).map_err(|error| match error {
        KeyError::Password if password.is_none() => StoreError::PasswordMissing,
        KeyError::Unsupported { .. } => StoreError::Unsupported {
            found: "a Java key store of the kind JCEKS",
            instead: "convert it with `keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype pkcs12`",
        },
        other => StoreError::of(kind, other),
    })?;
    if entries.len() > MAX_ENTRIES || entries.iter().any(|entry| entry.certificates.len() > MAX_CHAIN) {
        return Err(StoreError::TooManyEntries);
    }
    entries
        .iter()
        .map(|found| {
            let entry = match found.key {
                Some(key) => Entry::private(kind, jks::signing_key(key, &given)),
                None => Entry::public(kind, None),
            };
            let entry = entry.named(Some(String::from_utf8_lossy(found.alias).into_owned()));
            let Some((leaf, issuers)) = found.certificates.split_first() else { return Ok(entry) };
            let leaf = Certificate::read(leaf)
                .ok_or(StoreError::Malformed { kind, why: "a certificate in it cannot be read" })?;
            Ok(entry.certified(&leaf, issuers.iter().map(|issuer| (*issuer).into())))
        })
        .collect()
}
