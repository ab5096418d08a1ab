//! Puts keys and certificates together that a format leaves side by side.

use super::MAX_ENTRIES;
use super::certificate::Certificate;
use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use crate::error::KeyError;
use crate::signing_key::SigningKey;
use std::sync::Arc;

/// How many certificates a chain may have.
const MAX_CHAIN: usize = 10;

/// Keys and certificates as they stood there.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) keys: Vec<Key>,
    pub(super) certificates: Vec<Named>,
}

pub(super) struct Key {
    pub(super) label: Option<String>,
    /// What is written at its certificate as well, in some formats.
    pub(super) id: Option<Vec<u8>>,
    pub(super) key: Result<SigningKey, KeyError>,
}

pub(super) struct Named {
    pub(super) label: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) certificate: Certificate,
}

impl Parts {
    pub(super) fn key(&mut self, key: Result<SigningKey, KeyError>) {
        self.keys.push(Key { label: None, id: None, key });
    }

    pub(super) fn certificate(&mut self, der: &[u8], kind: StoreKind) -> Result<(), StoreError> {
        let certificate = Certificate::read(der)
            .ok_or(StoreError::Malformed { kind, why: "a certificate in it cannot be read" })?;
        self.certificates.push(Named { label: None, id: None, certificate });
        Ok(())
    }

    /// Each key with its certificate, then the certificates that belong to none.
    pub(super) fn entries(self, kind: StoreKind) -> Result<Vec<Entry>, StoreError> {
        if self.keys.len() + self.certificates.len() > MAX_ENTRIES {
            return Err(StoreError::TooManyEntries);
        }
        let leaves = self.leaves();
        let mut used = vec![false; self.certificates.len()];
        let mut entries = Vec::new();
        for (Key { label, key, .. }, leaf) in self.keys.into_iter().zip(leaves) {
            let entry = Entry::private(kind, key);
            entries.push(match leaf {
                None => entry.named(label),
                Some(leaf) => {
                    let chain = chain(&self.certificates, leaf);
                    chain.iter().for_each(|at| used[*at] = true);
                    let leaf = &self.certificates[leaf];
                    let issuers =
                        chain[1..].iter().map(|at| Arc::clone(&self.certificates[*at].certificate.der));
                    entry.named(label.or_else(|| leaf.label.clone())).certified(&leaf.certificate, issuers)
                }
            });
        }
        for at in (0..used.len()).filter(|at| !used[*at]) {
            let issuers = chain(&self.certificates, at);
            let issuers = issuers[1..].iter().map(|at| Arc::clone(&self.certificates[*at].certificate.der));
            let Named { label, certificate, .. } = &self.certificates[at];
            entries.push(Entry::public(kind, None).named(label.clone()).certified(certificate, issuers));
        }
        Ok(entries)
    }
}

impl Parts {
    /// The certificate of each key: by its public half, or by what is written at both. A key that cannot be used tells no
    /// public half: if there is one such key, the first certificate that is nobody's is taken for its own.
    fn leaves(&self) -> Vec<Option<usize>> {
        let leaf = |Key { id, key, .. }: &Key| {
            let mut certificates = self.certificates.iter();
            match key.as_ref().ok().and_then(SigningKey::public_key).map(|key| key.thumbprint()) {
                Some(own) => {
                    certificates.position(|named| named.certificate.thumbprint.as_ref() == Some(&own))
                }
                None => certificates.position(|named| id.is_some() && named.id == *id),
            }
        };
        let mut leaves: Vec<_> = self.keys.iter().map(leaf).collect();
        let free = (0..self.certificates.len()).find(|at| !leaves.contains(&Some(*at)));
        let mut unplaced =
            (0..leaves.len()).filter(|at| leaves[*at].is_none() && self.keys[*at].key.is_err());
        if let (Some(only), None) = (unplaced.next(), unplaced.next()) {
            leaves[only] = free;
        }
        leaves
    }
}

/// A certificate and its issuers, by their names, as far as there are any.
fn chain(certificates: &[Named], leaf: usize) -> Vec<usize> {
    let mut chain = vec![leaf];
    while let Some(last) = chain.last().filter(|_| chain.len() < MAX_CHAIN) {
        let last = &certificates[*last].certificate;
        let issuer = certificates.iter().position(|named| last.is_issued_by(&named.certificate));
        match issuer {
            // The root has issued itself.
            Some(issuer) if !chain.contains(&issuer) => chain.push(issuer),
            Some(_) | None => break,
        }
    }
    chain
}
