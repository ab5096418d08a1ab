//! Keys of SSH: public ones, one a line, and private ones in OpenSSH's own format.

use super::MAX_ENTRIES;
use super::assemble::Key;
use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use super::numbers::Rsa;
use super::wire::{Public, Wire};
use crate::pem;

/// Each line is a kind, the key in Base64, and a comment; the bytes of one key alone are taken as well.
pub(super) fn read(kind: StoreKind, contents: &[u8]) -> Result<Vec<Entry>, StoreError> {
    let malformed = |why| StoreError::Malformed { kind, why };
    if let Some((_, key)) = Public::whole(contents) {
        return Ok(vec![Entry::public(kind, key.key())]);
    }
    let text = str::from_utf8(contents).map_err(|_| malformed("it is no text"))?;
    let mut entries = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut parts = line.splitn(3, [' ', '\t']);
        let (Some(told), Some(key)) = (parts.next(), parts.next()) else {
            return Err(malformed("a line has no key"));
        };
        let key = pem::decode(key.as_bytes()).map_err(|_| malformed("its Base64 is broken"))?;
        let Some((_, key)) = Public::whole(&key).filter(|(own, _)| *own == told) else {
            return Err(malformed("a key is not what its kind demands"));
        };
        if entries.len() == MAX_ENTRIES {
            return Err(StoreError::TooManyEntries);
        }
        entries.push(Entry::public(kind, key.key()).named(parts.next().map(|name| name.trim().to_owned())));
    }
    if entries.is_empty() { Err(malformed("there is no key in it")) } else { Ok(entries) }
}

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The one private key of an OpenSSH file (`PROTOCOL.key` of its source), which is not encrypted.
pub(super) fn private(kind: StoreKind, contents: &[u8]) -> Result<Key, StoreError> {
    let malformed = StoreError::Malformed { kind, why: "it is no private key in OpenSSH's format" };
    let Some(wire) = contents.strip_prefix(MAGIC) else { return Err(malformed) };
    let mut wire = Wire(wire);
    let head = (wire.text(), wire.text(), wire.bytes(), wire.number());
    let (Some(cipher), Some(_derivation), Some(_parameters), Some(count)) = head else {
        return Err(malformed);
    };
    if cipher != "none" {
        return Err(StoreError::Unsupported {
            found: "an encrypted key in OpenSSH's format",
            instead: "take its passphrase away with `ssh-keygen -p -N '' -f COPY` and guard the copy",
        });
    }
    let (1, Some(_public), Some(private)) = (count, wire.bytes(), wire.bytes()) else {
        return Err(malformed);
    };
    let mut wire = Wire(private);
    if wire.number().is_none_or(|check| wire.number() != Some(check)) {
        return Err(malformed);
    }
    key(&mut wire).ok_or(malformed)
}

fn key(wire: &mut Wire<'_>) -> Option<Key> {
    let key = match wire.text()? {
        "ssh-rsa" => {
            let (n, e, d) = (wire.bytes()?, wire.bytes()?, wire.bytes()?);
            let (q_inverse, p, q) = (wire.bytes()?, wire.bytes()?, wire.bytes()?);
            Rsa { n, e, d, p, q, q_inverse }.key()
        }
        told => match Public::read(told, wire)? {
            // What follows is not known, so that the comment cannot be found.
            Public::Other => return Some(Key { label: None, id: None, key: Public::Other.signing_key(&[]) }),
            public => public.signing_key(wire.bytes()?),
        },
    };
    Some(Key { label: wire.text().map(str::to_owned), id: None, key })
}
