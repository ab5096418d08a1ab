//! base64url without padding (RFC 7515 section 2), read strictly: one spelling for each text of bytes.
//!
//! Keys are read in a time that does not depend on them; messages, which are no keys, in less.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64ct::{Base64UrlUnpadded, Encoding as _};

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// `None` for padding, for characters of another alphabet, and for bits at the end that mean nothing.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = text.to_vec();
    let length = Base64UrlUnpadded::decode_in_place(&mut bytes).ok()?.len();
    bytes.truncate(length);
    // RFC 4648 section 3.5: the decoder passes over what the last bits say.
    let rest = text.len() % 4;
    let tail = bytes.get(length.saturating_sub(rest.saturating_sub(1))..)?;
    (rest == 0 || text.ends_with(encode(tail).as_bytes())).then_some(bytes)
}

/// What a message has in it, which is no key. `None` as above.
pub(crate) fn decode_message(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Room for a part of a message that is mostly short: the header, the signature. It is kept without an allocation then.
pub(crate) struct Part {
    short: [u8; Self::SHORT],
    long: Vec<u8>,
}

impl Part {
    /// A signature by an RSA key of 2048 bits, and the two bytes more that the decoder asks for.
    const SHORT: usize = 258;

    pub(crate) const fn new() -> Self {
        Self { short: [0; Self::SHORT], long: Vec::new() }
    }

    /// Decodes a part where it is. `None` as above.
    pub(crate) fn decode(&mut self, text: &str) -> Option<&[u8]> {
        if text.len() <= Self::SHORT / 3 * 4 {
            let length = URL_SAFE_NO_PAD.decode_slice(text, &mut self.short).ok()?;
            return self.short.get(..length);
        }
        self.long = decode_message(text)?;
        Some(&self.long)
    }
}
