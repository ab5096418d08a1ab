//! base64url without padding (RFC 7515 section 2), read strictly: one spelling for each text of bytes.

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
