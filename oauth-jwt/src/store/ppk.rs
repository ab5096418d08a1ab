//! Private keys of PuTTY (PPK), version 2 and version 3, as appendix C of its manual describes them.
//!
//! The check of a file is made with a key that its passphrase gives, and always looked at: the public half is not encrypted,
//! and could be another one.

use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use super::numbers::Rsa;
use super::wire::{Public, Wire};
use crate::engine::{digest, hmac};
use crate::error::KeyError;
use crate::pem;
use crate::signing_key::SigningKey;
use aes::Aes256;
use argon2::{Algorithm, Argon2, Params, Version};
use cbc::Decryptor;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use oauth_core::Password;
use std::str::Lines;
use zeroize::Zeroizing;

/// How much memory the key derivation may take, in KiB: PuTTY takes 8 MiB unless it is told otherwise.
const MAX_MEMORY: u32 = 256 * 1024;
/// How much of it may be gone over in all, in KiB.
const MAX_WORK: u64 = 2 * 1024 * 1024;
const MAX_PARALLELISM: u32 = 16;
const MAX_SALT: usize = 64;

const BLOCK: usize = 16;

const TOO_COSTLY: StoreError = StoreError::Unsupported {
    found: "encrypted at a cost that is not borne",
    instead: "encrypt it anew with PuTTY's usual parameters (`puttygen OLD -P -o NEW`)",
};
const UNKNOWN: StoreError = StoreError::Unsupported {
    found: "a key of PuTTY in a version or an encryption that is not known",
    instead: "export it as an OpenSSH key (`puttygen OLD -O private-openssh -o NEW`)",
};

/// A file as it is written, its Base64 undone.
struct File<'a> {
    version: u8,
    algorithm: &'a str,
    encryption: &'a str,
    comment: &'a str,
    public: Zeroizing<Vec<u8>>,
    derivation: Option<Derivation<'a>>,
    private: Zeroizing<Vec<u8>>,
    mac: Vec<u8>,
}

struct Derivation<'a> {
    algorithm: &'a str,
    memory: u32,
    passes: u32,
    parallelism: u32,
    salt: Vec<u8>,
}

pub(super) fn read(
    kind: StoreKind,
    contents: &[u8],
    password: Option<&Password>,
) -> Result<Vec<Entry>, StoreError> {
    let malformed = || StoreError::Malformed { kind, why: "it is no key file of PuTTY, or was cut short" };
    // Comments may be in any encoding; all else is ASCII.
    let text = str::from_utf8(contents).map_err(|_| malformed())?;
    if text.trim_start().starts_with("PuTTY-User-Key-File-1") {
        return Err(UNKNOWN);
    }
    let mut file = File::read(text).ok_or_else(malformed)?;
    let encrypted = match file.encryption {
        "none" => false,
        "aes256-cbc" => true,
        _ => return Err(UNKNOWN),
    };
    let password = match password {
        Some(password) if encrypted => password.expose().as_bytes(),
        None if encrypted => return Err(StoreError::PasswordMissing),
        Some(_) | None => &[],
    };
    let secrets = file.secrets(encrypted, password)?;
    if encrypted {
        decrypt(&mut file.private, secrets.cipher()).ok_or_else(malformed)?;
    }
    if file.tag(&secrets.mac).as_ref() != file.mac {
        return Err(if encrypted { StoreError::Password } else { malformed() });
    }
    let key = file.key().ok_or_else(malformed)?;
    Ok(vec![Entry::private(kind, key).named(Some(file.comment.to_owned()))])
}

/// What comes of a passphrase.
struct Secrets {
    /// Key and initialization vector, side by side.
    cipher: Zeroizing<[u8; 32 + BLOCK]>,
    mac: hmac::Key,
}

impl Secrets {
    fn cipher(&self) -> (&[u8], &[u8]) {
        self.cipher.split_at(32)
    }
}

impl<'a> File<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut lines = text.trim_start().lines();
        let (version, algorithm) =
            match lines.next()?.strip_prefix("PuTTY-User-Key-File-")?.split_once(": ")? {
                ("2", algorithm) => (2, algorithm),
                ("3", algorithm) => (3, algorithm),
                _ => return None,
            };
        let encryption = field(&mut lines, "Encryption")?;
        let comment = field(&mut lines, "Comment")?;
        let public = block(&mut lines, "Public-Lines")?;
        let derived = version == 3 && encryption != "none";
        let derivation = if derived { Some(Derivation::read(&mut lines)?) } else { None };
        let private = block(&mut lines, "Private-Lines")?;
        let mac = hexadecimal(field(&mut lines, "Private-MAC")?)?;
        Some(Self { version, algorithm, encryption, comment, public, derivation, private, mac })
    }

    fn secrets(&self, encrypted: bool, password: &[u8]) -> Result<Secrets, StoreError> {
        let mut cipher = Zeroizing::new([0; 32 + BLOCK]);
        if self.version == 2 {
            let mac = sha1(&[b"putty-private-key-file-mac-key", password]);
            if encrypted {
                let (first, second) = (sha1(&[&[0; 4], password]), sha1(&[&[0, 0, 0, 1], password]));
                cipher[..20].copy_from_slice(first.as_ref());
                cipher[20..32].copy_from_slice(&second.as_ref()[..12]);
            }
            let mac = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, mac.as_ref());
            return Ok(Secrets { cipher, mac });
        }
        let mut derived = Zeroizing::new([0; 32 + BLOCK + 32]);
        let mac = match &self.derivation {
            Some(derivation) => {
                derivation.run(password, &mut *derived)?;
                let (first, mac) = derived.split_at(32 + BLOCK);
                cipher.copy_from_slice(first);
                mac
            }
            None => &[],
        };
        Ok(Secrets { cipher, mac: hmac::Key::new(hmac::HMAC_SHA256, mac) })
    }

    /// The check, over all that is in the file.
    fn tag(&self, key: &hmac::Key) -> hmac::Tag {
        let mut context = hmac::Context::with_key(key);
        let texts = [self.algorithm, self.encryption, self.comment].map(str::as_bytes);
        for part in texts.into_iter().chain([self.public.as_slice(), &self.private]) {
            // Bounded by the file.
            context.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            context.update(part);
        }
        context.sign()
    }

    fn key(&self) -> Option<Result<SigningKey, KeyError>> {
        let (told, public) = Public::whole(&self.public)?;
        if told != self.algorithm {
            return None;
        }
        let mut wire = Wire(&self.private);
        Some(match public {
            Public::Rsa { n, e } => {
                let (d, p, q) = (wire.bytes()?, wire.bytes()?, wire.bytes()?);
                Rsa { n, e, d, p, q, q_inverse: wire.bytes()? }.key()
            }
            other => other.signing_key(wire.bytes()?),
        })
    }
}

impl<'a> Derivation<'a> {
    fn read(lines: &mut Lines<'a>) -> Option<Self> {
        Some(Self {
            algorithm: field(lines, "Key-Derivation")?,
            memory: field(lines, "Argon2-Memory")?.parse().ok()?,
            passes: field(lines, "Argon2-Passes")?.parse().ok()?,
            parallelism: field(lines, "Argon2-Parallelism")?.parse().ok()?,
            salt: hexadecimal(field(lines, "Argon2-Salt")?)?,
        })
    }

    /// The file says what this costs, and may be anybody's.
    fn run(&self, password: &[u8], out: &mut [u8]) -> Result<(), StoreError> {
        let algorithm = match self.algorithm {
            "Argon2id" => Algorithm::Argon2id,
            "Argon2i" => Algorithm::Argon2i,
            "Argon2d" => Algorithm::Argon2d,
            _ => return Err(UNKNOWN),
        };
        let work = u64::from(self.memory) * u64::from(self.passes);
        let bearable = self.memory <= MAX_MEMORY && work <= MAX_WORK && self.parallelism <= MAX_PARALLELISM;
        if !bearable || self.salt.len() > MAX_SALT {
            return Err(TOO_COSTLY);
        }
        let params = Params::new(self.memory, self.passes, self.parallelism, Some(out.len()));
        let derived = params.and_then(|params| {
            Argon2::new(algorithm, Version::V0x13, params).hash_password_into(password, &self.salt, out)
        });
        derived.map_err(|_| UNKNOWN)
    }
}

fn decrypt(private: &mut [u8], (key, start): (&[u8], &[u8])) -> Option<()> {
    let mut cipher = Decryptor::<Aes256>::new_from_slices(key, start).ok()?;
    if !private.len().is_multiple_of(BLOCK) {
        return None;
    }
    for block in private.chunks_exact_mut(BLOCK) {
        cipher.decrypt_block(block.try_into().ok()?);
    }
    Some(())
}

/// The value of the next line, which has to have this name.
fn field<'a>(lines: &mut Lines<'a>, name: &str) -> Option<&'a str> {
    lines.next()?.strip_prefix(name)?.strip_prefix(": ")
}

/// As many lines of Base64 as the next line says.
fn block(lines: &mut Lines<'_>, name: &str) -> Option<Zeroizing<Vec<u8>>> {
    let count: usize = field(lines, name)?.parse().ok()?;
    // PuTTY writes lines of 64 characters.
    let mut text = Zeroizing::new(String::with_capacity(count.min(1024) * 64));
    for _ in 0..count {
        text.push_str(lines.next()?.trim());
    }
    pem::decode(text.as_bytes()).ok()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

fn sha1(parts: &[&[u8]]) -> digest::Digest {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    context.finish()
}
