//! Encrypts and decrypts the content (RFC 7518 section 5). Nothing comes out that was not authenticated first.

use super::algorithm::ContentEncryption;
use crate::engine::hmac;
use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    self, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::iv::FixedLength;
use oauth_core::SecretBytes;
use zeroize::Zeroizing;

const BLOCK: usize = 16;

enum Means {
    Gcm(&'static aead::Algorithm),
    CbcHmac(&'static cipher::Algorithm, hmac::Algorithm),
}

impl ContentEncryption {
    const fn means(self) -> Means {
        match self {
            Self::A128Gcm => Means::Gcm(&aead::AES_128_GCM),
            Self::A192Gcm => Means::Gcm(&aead::AES_192_GCM),
            Self::A256Gcm => Means::Gcm(&aead::AES_256_GCM),
            Self::A128CbcHs256 => Means::CbcHmac(&cipher::AES_128, hmac::HMAC_SHA256),
            Self::A192CbcHs384 => Means::CbcHmac(&cipher::AES_192, hmac::HMAC_SHA384),
            Self::A256CbcHs512 => Means::CbcHmac(&cipher::AES_256, hmac::HMAC_SHA512),
        }
    }

    pub(super) const fn iv_length(self) -> usize {
        match self.means() {
            Means::Gcm(_) => aead::NONCE_LEN,
            Means::CbcHmac(..) => BLOCK,
        }
    }

    /// The content, encrypted, and its tag. `None` when the library fails, or is given a key or an IV of another length.
    pub(super) fn seal(
        self,
        cek: &[u8],
        iv: &[u8],
        aad: &[u8],
        content: &[u8],
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        // Room for the padding: a `Vec` that grows leaves a copy of the content behind.
        let mut text = Vec::with_capacity(content.len() + BLOCK);
        text.extend_from_slice(content);
        match self.means() {
            Means::Gcm(algorithm) => {
                let key = LessSafeKey::new(UnboundKey::new(algorithm, cek).ok()?);
                let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut text).ok()?;
                Some((text, tag.as_ref().to_vec()))
            }
            Means::CbcHmac(algorithm, mac) => {
                let (mac_key, key) = cek.split_at_checked(self.key_length() / 2)?;
                let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key).ok()?);
                let context = EncryptionContext::Iv128(FixedLength::try_from(iv).ok()?);
                key.ok()?.less_safe_encrypt(&mut text, context).ok()?;
                let tag = tag(mac, mac_key, aad, iv, &text);
                Some((text, tag))
            }
        }
    }

    /// The content. `None` for whatever is not as the sender made it.
    pub(super) fn open(
        self,
        cek: &[u8],
        iv: &[u8],
        aad: &[u8],
        encrypted: Vec<u8>,
        authentication: &[u8],
    ) -> Option<SecretBytes> {
        let mut text = Zeroizing::new(encrypted);
        let length = match self.means() {
            Means::Gcm(algorithm) => {
                let key = LessSafeKey::new(UnboundKey::new(algorithm, cek).ok()?);
                let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
                // RFC 7518 section 5.3: of 128 bits, and the library takes no other.
                key.open_in_place_separate_tag(nonce, Aad::from(aad), authentication, &mut text).ok()?.len()
            }
            Means::CbcHmac(algorithm, mac) => {
                let (mac_key, key) = cek.split_at_checked(self.key_length() / 2)?;
                // RFC 7518 section 5.2.2.2: the tag is compared first, and nothing decrypted where it is wrong. The
                // lengths of both are public; their bytes are compared in constant time.
                verify_slices_are_equal(&tag(mac, mac_key, aad, iv, &text), authentication).ok()?;
                let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key).ok()?);
                let context = DecryptionContext::Iv128(FixedLength::try_from(iv).ok()?);
                key.ok()?.decrypt(&mut text, context).ok()?.len()
            }
        };
        text.truncate(length);
        Some(SecretBytes::new(std::mem::take(&mut *text)))
    }
}

/// RFC 7518 section 5.2.2.1, steps 4 to 6: of the MAC, the first half.
fn tag(mac: hmac::Algorithm, key: &[u8], aad: &[u8], iv: &[u8], encrypted: &[u8]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(mac, key));
    let bits = (aad.len() as u64) * 8;
    [aad, iv, encrypted, &bits.to_be_bytes()].into_iter().for_each(|part| context.update(part));
    let whole = context.sign();
    let (half, _) = whole.as_ref().split_at(whole.as_ref().len() / 2);
    half.to_vec()
}
