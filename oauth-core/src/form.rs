//! `application/x-www-form-urlencoded` (RFC 6749 appendix B): requests, queries, and what comes back in them.

use crate::secret::{Buffer, SecretBytes};
use crate::text::Class;
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
        // Escaped, a byte is three.
        let bytes = self.bytes.room_for(3 * (name.len() + value.len()) + 2);
        if !self.first {
            bytes.push(b'&');
        }
        self.first = false;
        encode(name, |part| bytes.extend_from_slice(part.as_bytes()));
        bytes.push(b'=');
        encode(value, |part| bytes.extend_from_slice(part.as_bytes()));
    }

    /// Adds a parameter that is spelled as it is sent.
    pub(crate) fn spelled(&mut self, pair: &'static str) {
        self.bytes.extend(if self.first { b"" } else { b"&" });
        self.first = false;
        self.bytes.extend(pair.as_bytes());
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
    encode(text, |part| out.push_str(part));
}

/// Every byte, escaped: one slice of it costs less than three digits put together.
const ESCAPED: &str = "\
%00%01%02%03%04%05%06%07%08%09%0A%0B%0C%0D%0E%0F%10%11%12%13%14%15%16%17%18%19%1A%1B%1C%1D%1E%1F\
%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2D%2E%2F%30%31%32%33%34%35%36%37%38%39%3A%3B%3C%3D%3E%3F\
%40%41%42%43%44%45%46%47%48%49%4A%4B%4C%4D%4E%4F%50%51%52%53%54%55%56%57%58%59%5A%5B%5C%5D%5E%5F\
%60%61%62%63%64%65%66%67%68%69%6A%6B%6C%6D%6E%6F%70%71%72%73%74%75%76%77%78%79%7A%7B%7C%7D%7E%7F\
%80%81%82%83%84%85%86%87%88%89%8A%8B%8C%8D%8E%8F%90%91%92%93%94%95%96%97%98%99%9A%9B%9C%9D%9E%9F\
%A0%A1%A2%A3%A4%A5%A6%A7%A8%A9%AA%AB%AC%AD%AE%AF%B0%B1%B2%B3%B4%B5%B6%B7%B8%B9%BA%BB%BC%BD%BE%BF\
%C0%C1%C2%C3%C4%C5%C6%C7%C8%C9%CA%CB%CC%CD%CE%CF%D0%D1%D2%D3%D4%D5%D6%D7%D8%D9%DA%DB%DC%DD%DE%DF\
%E0%E1%E2%E3%E4%E5%E6%E7%E8%E9%EA%EB%EC%ED%EE%EF%F0%F1%F2%F3%F4%F5%F6%F7%F8%F9%FA%FB%FC%FD%FE%FF";

/// Hands over the encoded text piece by piece, runs of unreserved characters whole.
fn encode(text: &str, mut put: impl FnMut(&str)) {
    let mut begin = 0;
    for (at, byte) in text.bytes().enumerate() {
        if Class::UNRESERVED.has(byte) {
            continue;
        }
        // A run is ASCII, so both its ends are boundaries of characters.
        if let Some(run) = text.get(begin..at).filter(|run| !run.is_empty()) {
            put(run);
        }
        let escape = usize::from(byte) * 3;
        put(ESCAPED.get(escape..escape + 3).unwrap_or_default());
        begin = at + 1;
    }
    put(text.get(begin..).unwrap_or_default());
}

/// What is read is not a form: a broken escape, or bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAForm;

/// The parameters of a form in their order. Empty pieces (`a=1&&b=2`) are passed over.
pub(crate) fn pairs(form: &[u8]) -> impl Iterator<Item = Result<(Cow<'_, str>, Cow<'_, str>), NotAForm>> {
    pieces(form).map(|(name, value)| Ok((name?, value?)))
}

/// The parameters of a form of which one may be broken without the others being lost: a server that spells a message
/// in Latin-1 has still sent its `state`.
pub(crate) fn readable(form: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Result<Cow<'_, str>, NotAForm>)> {
    pieces(form).filter_map(|(name, value)| Some((name.ok()?, value)))
}

type Piece<'a> = (Result<Cow<'a, str>, NotAForm>, Result<Cow<'a, str>, NotAForm>);

fn pieces(form: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    form.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()).map(|piece| {
        let mut parts = piece.splitn(2, |byte| *byte == b'=');
        (decode(parts.next().unwrap_or_default()), decode(parts.next().unwrap_or_default()))
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
    fn every_byte_has_its_own_escape() {
        assert_eq!(ESCAPED.len(), 768);
        for byte in 0..=255_u8 {
            let at = usize::from(byte) * 3;
            assert_eq!(ESCAPED[at..at + 3], alloc::format!("%{byte:02X}"));
        }
    }

    #[test]
    fn one_broken_parameter_does_not_cost_the_others() {
        let read: Vec<_> = readable(b"a=%E9&state=s&%ff=1").collect();
        assert_eq!(
            read,
            [(Cow::Borrowed("a"), Err(NotAForm)), (Cow::Borrowed("state"), Ok(Cow::Borrowed("s")))]
        );
    }

    #[test]
    fn broken_escapes_and_bytes_that_are_not_utf8_are_refused() {
        for broken in [&b"a=%"[..], b"a=%1", b"a=%zz", b"%C3=1", b"a=\xff", b"a=%-1"] {
            assert!(pairs(broken).any(|pair| pair == Err(NotAForm)), "{broken:?}");
        }
    }
}
