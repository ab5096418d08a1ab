//! Java key stores of the older kind (JKS). The newer ones, with the same file names, are PKCS#12.
//!
//! The format is written down in no specification; it is small, and what is read of it is bounded by the file.

use crate::engine::digest::{Context, Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};
use crate::error::KeyError;
use crate::signing_key::{SigningKey, pkcs8};
use oauth_core::Password;
use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::{OctetStringRef, SequenceRef};
use pkcs8::der::{Decode as _, SliceReader};
use zeroize::Zeroizing;

const JKS: u32 = 0xFEED_FEED;
/// Of the extension for symmetric keys, whose protection is another one.
const JCEKS: u32 = 0xCECE_CECE;
const PRIVATE_KEY: u32 = 1;
const CERTIFICATE: u32 = 2;
/// What is hashed between the password and the file.
const WHITENER: &[u8] = b"Mighty Aphrodite";
/// How a private key is protected in it (JavaSoft proprietary key-protection algorithm).
const PROTECTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.42.2.17.1.1");

impl SigningKey {
    /// Reads the one private key of a Java key store of the older kind (JKS), whose password is that of the key as well.
    ///
    /// # Errors
    /// It is no such file, the password is wrong, there is no private key in it or more than one, or one of a kind that
    /// cannot sign.
    pub fn from_jks(jks: impl AsRef<[u8]>, password: &Password) -> Result<Self, KeyError> {
        let password = utf16(password);
        let entries = entries(jks.as_ref(), &password)?;
        let keys: Vec<_> = entries.iter().filter_map(|entry| entry.key).collect();
        match keys.as_slice() {
            [] if entries.is_empty() => Err(KeyError::NoPrivateKey),
            [] => Err(KeyError::Certificate),
            [key] => signing_key(key, &password),
            several => Err(KeyError::SeveralPrivateKeys { count: several.len() }),
        }
    }
}

/// What has one name in a store.
#[cfg_attr(
    not(feature = "stores"),
    allow(dead_code, reason = "names and certificates are for certificate stores")
)]
pub(crate) struct Entry<'a> {
    pub(crate) alias: &'a [u8],
    /// A private key, as it is protected.
    pub(crate) key: Option<&'a [u8]>,
    /// Of the key, its own first; or one that is trusted.
    pub(crate) certificates: Vec<&'a [u8]>,
}

/// Makes sure that the store is whole, and takes it apart; the password comes as [`utf16`] gives it.
pub(crate) fn entries<'a>(jks: &'a [u8], password: &[u8]) -> Result<Vec<Entry<'a>>, KeyError> {
    let cut = KeyError::Malformed { why: "it is no Java key store, or was cut short" };
    let Some((body, digest)) = jks.split_last_chunk::<SHA1_OUTPUT_LEN>() else { return Err(cut) };
    let mut reader = Reader(body);
    match reader.number() {
        Some(JKS) => {}
        Some(JCEKS) => {
            return Err(KeyError::Unsupported { found: "in a Java key store of the kind JCEKS" });
        }
        _ if jks.starts_with(&[0x30]) => {
            return Err(KeyError::Unsupported {
                found: "in a Java key store that is a PKCS#12 file, to be opened as one,",
            });
        }
        _ => return Err(cut),
    }
    // File and password are on one side: nobody measures how long this takes.
    if sha1(&[password, WHITENER, body]).as_ref() != digest {
        return Err(KeyError::Password);
    }
    reader.entries().ok_or(cut)
}

/// A private key out of its protection.
pub(crate) fn signing_key(key: &[u8], password: &[u8]) -> Result<SigningKey, KeyError> {
    pkcs8(&opened(key, password)?)
}

/// The password as Java hashes it.
pub(crate) fn utf16(password: &Password) -> Zeroizing<Vec<u8>> {
    let text = password.expose();
    // Room for all of it: a `Vec` that grows leaves an unwiped copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * text.len()));
    bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    bytes
}

fn sha1(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    context.finish()
}

/// The private key of an entry: a salt, as many bytes of a chain of hashes as the key has, and a hash to check by.
fn opened(entry: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let malformed =
        || KeyError::Malformed { why: "a private key of the Java key store is not what it should be" };
    let (algorithm, protected) = envelope(entry).map_err(|_| malformed())?;
    if algorithm != PROTECTION {
        return Err(KeyError::Unsupported { found: "protected in a way that is not known" });
    }
    let (salt, rest) = protected.split_first_chunk::<SHA1_OUTPUT_LEN>().ok_or_else(malformed)?;
    let (hidden, check) = rest.split_last_chunk::<SHA1_OUTPUT_LEN>().ok_or_else(malformed)?;
    let mut key = Zeroizing::new(hidden.to_vec());
    let mut link = sha1(&[password, salt]);
    for block in key.chunks_mut(SHA1_OUTPUT_LEN) {
        block.iter_mut().zip(link.as_ref()).for_each(|(byte, mask)| *byte ^= mask);
        link = sha1(&[password, link.as_ref()]);
    }
    // The key may have another password than the store.
    if sha1(&[password, &key]).as_ref() == check { Ok(key) } else { Err(KeyError::Password) }
}

/// `EncryptedPrivateKeyInfo` (RFC 5958 section 3): by which algorithm, and what.
fn envelope(der: &[u8]) -> pkcs8::der::Result<(ObjectIdentifier, &[u8])> {
    let mut reader = SliceReader::new(<&SequenceRef>::from_der(der)?.as_bytes())?;
    let algorithm = <&SequenceRef>::decode(&mut reader)?;
    let algorithm = ObjectIdentifier::decode(&mut SliceReader::new(algorithm.as_bytes())?)?;
    Ok((algorithm, <&OctetStringRef>::decode(&mut reader)?.as_bytes()))
}

/// What is left of the file; nothing is read beyond it.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        self.bytes(usize::from(u16::from_be_bytes(*length)))
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).ok()?)
    }

    fn certificate(&mut self, version: u32) -> Option<&'a [u8]> {
        if version > 1 {
            let _kind = self.text()?;
        }
        self.counted()
    }

    fn entries(&mut self) -> Option<Vec<Entry<'a>>> {
        let version = self.number().filter(|version| matches!(version, 1 | 2))?;
        let mut entries = Vec::new();
        for _ in 0..self.number()? {
            let kind = self.number()?;
            let alias = self.text()?;
            let _date = self.bytes(8)?;
            let (key, count) = match kind {
                PRIVATE_KEY => (Some(self.counted()?), self.number()?),
                CERTIFICATE => (None, 1),
                _ => return None,
            };
            let mut certificates = Vec::new();
            for _ in 0..count {
                certificates.push(self.certificate(version)?);
            }
            entries.push(Entry { alias, key, certificates });
        }
        Some(entries)
    }
}
