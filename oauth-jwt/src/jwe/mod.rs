//! Encrypted messages in their compact form (RFC 7516), read with bounds and opened by allow-lists.
//!
//! `header` is what is read first; `decryption_key` and `encryption` (of one's own and of others) are the keys, `symmetric`
//! those of both sides, `key_management` the ways from them to the key of the content, `content` what that key does;
//! `algorithm` are the names, `error` what can be wrong.

mod algorithm;
mod content;
mod decryption_key;
mod encryption;
mod error;
mod header;
mod key_management;
mod symmetric;

use crate::base64url;
use crate::key_set::{NotChosen, choose};
use header::Agreement;
use oauth_core::SecretBytes;

pub use algorithm::{ContentEncryption, KeyManagement};
pub use decryption_key::DecryptionKey;
pub use encryption::{Encryption, EncryptionKey};
pub use error::JweError;
pub use header::JweHeader;

/// How long a header may be, in characters.
const MAX_HEADER: usize = 64 * 1024;
/// How long a message may be, in characters.
const MAX_MESSAGE: usize = 1024 * 1024;

/// A compact JWE, taken apart and **not opened**: a header to choose a key by.
///
/// RSA1_5 and PBES2 are refused by name and cannot be allowed, nor can compressed content; the JSON forms, whose unprotected
/// headers anyone can change, are no messages here. What the header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is never used,
/// nor fetched.
///
/// An encrypted ID token has a signed one inside, and encryption proves nothing about who sent it: anybody can encrypt to a
/// public key. What comes out goes to [`Jws::parse`](crate::Jws::parse), where an unsigned message is an error:
///
/// ```
/// use oauth_core::Algorithm;
/// use oauth_jwt::{Accepted, AcceptedEncryption, DecryptionKey, Jwe, Jws, KeySet, PublicKey};
///
/// fn claims(
///     message: &str,
///     ours: &DecryptionKey,
///     theirs: &KeySet<PublicKey>,
/// ) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
///     let signed = Jwe::parse(message)?.decrypt([ours], &AcceptedEncryption::default())?;
///     let signed = std::str::from_utf8(signed.expose())?;
///     Ok(Jws::parse(signed)?.verify(theirs, &Accepted::new(&[Algorithm::ES256]))?)
/// }
/// # let pem = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/p256.pkcs8.pem"));
/// # assert!(claims("e30....", &DecryptionKey::from_pem(pem).unwrap(), &KeySet::new([])).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Jwe<'a> {
    header: JweHeader,
    agreement: Option<Agreement>,
    /// As it came, which is what is authenticated.
    encoded_header: &'a str,
    encrypted_key: &'a str,
    iv: &'a str,
    encrypted: &'a str,
    tag: &'a str,
}

/// What is accepted: named algorithms of both kinds.
///
/// The default is what a server does with a public key that the client registered, RSA-OAEP and ECDH-ES, and every
/// encryption of the content that is supported. Messages under a secret are to be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct AcceptedEncryption<'a> {
    algorithms: &'a [KeyManagement],
    encryptions: &'a [ContentEncryption],
}

impl<'a> AcceptedEncryption<'a> {
    /// Messages whose `alg` and whose `enc` are among these.
    #[must_use]
    pub const fn new(algorithms: &'a [KeyManagement], encryptions: &'a [ContentEncryption]) -> Self {
        Self { algorithms, encryptions }
    }
}

impl Default for AcceptedEncryption<'static> {
    fn default() -> Self {
        use ContentEncryption::{A128CbcHs256, A128Gcm, A192CbcHs384, A192Gcm, A256CbcHs512, A256Gcm};
        use KeyManagement::{EcdhEs, EcdhEsA128Kw, EcdhEsA256Kw, RsaOaep, RsaOaep256};
        Self::new(
            &[RsaOaep, RsaOaep256, EcdhEs, EcdhEsA128Kw, EcdhEsA256Kw],
            &[A128CbcHs256, A192CbcHs384, A256CbcHs512, A128Gcm, A192Gcm, A256Gcm],
        )
    }
}

impl<'a> Jwe<'a> {
    /// Takes a compact message apart and reads its header.
    ///
    /// # Errors
    /// It is too long, has more or fewer than five parts, or its header is none: not JSON, a member twice or of the wrong
    /// type, an algorithm that is not supported, compressed content, or something critical in it (`crit`), none of which is
    /// understood here.
    pub fn parse(message: &'a str) -> Result<Self, JweError> {
        if message.len() > MAX_MESSAGE {
            return Err(JweError::TooLarge);
        }
        // One more than there may be: a million dots are not looked at.
        let mut parts = message.splitn(6, '.');
        let mut next = || parts.next();
        let (first, five, more) = (next(), [next(), next(), next(), next()], next());
        let (encoded_header, encrypted_key, iv, encrypted, tag) = match (first, five, more) {
            (Some(header), [Some(key), Some(iv), Some(text), Some(tag)], None) => {
                (header, key, iv, text, tag)
            }
            // RFC 7516 section 9: three parts are signed.
            (_, [Some(_), Some(_), None, None], None) => return Err(JweError::NotEncrypted),
            _ => return Err(JweError::NotCompact),
        };
        if encoded_header.len() > MAX_HEADER {
            return Err(JweError::TooLarge);
        }
        let json = base64url::decode(encoded_header.as_bytes()).ok_or(JweError::Encoding("header"))?;
        let (header, agreement) = JweHeader::read(&json)?;
        // RFC 7516 section 5.2, step 10 and RFC 7518 sections 4.5 and 4.6: empty where nothing is encrypted.
        if encrypted_key.is_empty() == header.alg.encrypts_a_key() {
            return Err(JweError::EncryptedKey(header.alg));
        }
        Ok(Self { header, agreement, encoded_header, encrypted_key, iv, encrypted, tag })
    }

    /// What its header says, **not authenticated**.
    #[must_use]
    pub const fn header(&self) -> &JweHeader {
        &self.header
    }

    /// Opens the message by one of these keys, and gives the content.
    ///
    /// Exactly one key is tried: the one that the header names, or the only one that is for its algorithm and has no other
    /// name.
    ///
    /// # Errors
    /// An algorithm is not accepted, no key or more than one comes into question, or it does not open, all of whose reasons
    /// are one: [`JweError::Decryption`].
    pub fn decrypt<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k DecryptionKey>,
        accepted: &AcceptedEncryption<'_>,
    ) -> Result<SecretBytes, JweError> {
        let (alg, enc) = (self.header.alg, self.header.enc);
        if !accepted.algorithms.contains(&alg) {
            return Err(JweError::Algorithm(alg));
        }
        if !accepted.encryptions.contains(&enc) {
            return Err(JweError::Encryption(enc));
        }
        let keys: Vec<_> = keys.into_iter().collect();
        let fits = |key: &&DecryptionKey| key.fits(&self.header, self.agreement.as_ref());
        let kid = self.header.kid.as_deref();
        let key = choose(&keys, kid, |key| key.kid(), fits).map_err(|why| match why {
            NotChosen::Several => JweError::SeveralKeys,
            NotChosen::UnknownKid(kid) => JweError::UnknownKid(kid),
            NotChosen::None => JweError::NoKey(alg),
        })?;
        let part = |text: &str, name| base64url::decode(text.as_bytes()).ok_or(JweError::Encoding(name));
        let encrypted_key = part(self.encrypted_key, "encrypted key")?;
        let (iv, encrypted) = (part(self.iv, "initialization vector")?, part(self.encrypted, "ciphertext")?);
        let tag = part(self.tag, "authentication tag")?;
        let cek = key.content_key(&self.header, self.agreement.as_ref(), &encrypted_key)?;
        enc.open(&cek, &iv, self.encoded_header.as_bytes(), encrypted, &tag).ok_or(JweError::Decryption)
    }
}
