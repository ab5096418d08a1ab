//! `application/x-www-form-urlencoded` (RFC 6749 appendix B): requests, queries, and what comes back in them.

use crate::secret::{Buffer, SecretBytes};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A form being written. Its bytes are secret and wiped.
pub struct Form {
    bytes: Buffer,
    first: bool,
}

impl Form {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Buffer::with_capacity(capacity), first: true }
    }

    /// Adds a parameter. Space is written as `%20`, which every decoder reads, `+` is not.
    pub fn pair(&mut self, name: &str, value: &str) {
        if !self.first {
            self.bytes.push(b'&');
        }
        self.first = false;
        encode(name, |part| self.bytes.extend(part));
        self.bytes.push(b'=');
        encode(value, |part| self.bytes.extend(part));
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    pub(crate) fn finish(self) -> SecretBytes {
        self.bytes.finish()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form([redacted])")
    }
}

/// Appends the encoded text to a `String` that holds no secret.
pub(crate) fn encode_into(text: &str, out: &mut String) {
    // What `encode` hands over is ASCII, always.
    encode(text, |part| out.push_str(core::str::from_utf8(part).unwrap_or_default()));
}

/// Hands over the encoded text piece by piece, runs of unreserved characters whole.
fn encode(text: &str, mut put: impl FnMut(&[u8])) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = text.as_bytes();
    while let Some(end) = rest.iter().position(|byte| !is_unreserved(*byte)) {
        let (run, escaped) = rest.split_at(end);
        let Some((byte, after)) = escaped.split_first() else { break };
        put(run);
        let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
        put(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        rest = after;
    }
    put(rest);
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What is read is not a form: a broken escape, or bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAForm;

/// The parameters of a form in their order. Empty pieces (`a=1&&b=2`) are passed over.
pub(crate) fn pairs(form: &[u8]) -> impl Iterator<Item = Result<(Cow<'_, str>, Cow<'_, str>), NotAForm>> {
    form.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()).map(|piece| {
        let mut parts = piece.splitn(2, |byte| *byte == b'=');
        let name = decode(parts.next().unwrap_or_default())?;
        let value = decode(parts.next().unwrap_or_default())?;
        Ok((name, value))
    })
}

fn decode(text: &[u8]) -> Result<Cow<'_, str>, NotAForm> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return core::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| NotAForm);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(NotAForm),
            },
            plain => *plain,
        });
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| NotAForm)
}

fn hex(digit: &u8) -> Option<u8> {
    char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn encoded(text: &str) -> String {
        let mut out = String::new();
        encode_into(text, &mut out);
        out
    }

    #[test]
    fn rfc6749_appendix_b_is_read_and_its_content_survives_a_round_trip() {
        let value = " %&+£€";
        assert_eq!(encoded(value), "%20%25%26%2B%C2%A3%E2%82%AC");
        let read: Result<Vec<_>, _> = pairs(b"v=+%25%26%2B%C2%A3%E2%82%AC").collect();
        assert_eq!(read.unwrap(), [(Cow::Borrowed("v"), Cow::Borrowed(value))]);
    }

    #[test]
    fn a_form_is_written_pair_by_pair() {
        let mut form = Form::with_capacity(1);
        form.pair("a b", "1");
        form.pair("c", "");
        assert_eq!(form.as_slice(), b"a%20b=1&c=");
    }

    #[test]
    fn broken_escapes_and_bytes_that_are_not_utf8_are_refused() {
        for broken in [&b"a=%"[..], b"a=%1", b"a=%zz", b"%C3=1", b"a=\xff", b"a=%-1"] {
            assert!(pairs(broken).any(|pair| pair == Err(NotAForm)), "{broken:?}");
        }
    }
}
