//! Text from the other side, made safe to show.

use crate::form::encode_into;
use alloc::borrow::Cow;
use alloc::string::String;
use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// What a byte may be part of: looked up, since requests and answers are mostly asked this. Taken without a way out in
/// between, which costs less than the way.
#[derive(Clone, Copy)]
pub(crate) struct Class(u8);

impl Class {
    /// What forms and URLs do not escape (RFC 3986 section 2.3).
    pub(crate) const UNRESERVED: Self = Self(1);
    /// What may be in a URI behind its scheme, save the fragment's mark (RFC 3986 appendix A).
    pub(crate) const URI: Self = Self(2);

    const TABLE: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
            let delimiter =
                matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
            let uri = byte.is_ascii_graphic() && !delimiter;
            #[expect(clippy::indexing_slicing, reason = "the table has a place for every byte")]
            {
                table[byte as usize] = unreserved as u8 | (uri as u8) << 1;
            }
            byte += 1;
        }
        table
    };

    pub(crate) fn has(self, byte: u8) -> bool {
        Self::TABLE.get(usize::from(byte)).is_some_and(|classes| classes & self.0 != 0)
    }

    pub(crate) fn has_all(self, text: &str) -> bool {
        text.bytes().fold(true, |all, byte| all & self.has(byte))
    }
}

/// Printable characters only, at most `max` of them: no control, no bidirectional override, no invisible character
/// reaches a terminal or a log (CWE-150).
pub(crate) fn printable(text: &str, max: usize) -> String {
    let mut shown = String::new();
    let mut room = max;
    for word in text.split_whitespace() {
        let mut gap = !shown.is_empty();
        for c in word.chars().filter(|c| is_printable(*c)) {
            if room == 0 {
                shown.push('…');
                return shown;
            }
            if gap {
                shown.push(' ');
                gap = false;
            }
            shown.push(c);
            room -= 1;
        }
    }
    shown
}

/// Writes out what is not printable, where two texts that look the same must be told apart.
pub(crate) fn escaped(text: &str) -> String {
    text.escape_debug().collect()
}

fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{E0000}'..='\u{E007F}')
}

/// Replaces every occurrence of `secret`, plain or spelled as forms, JSON and pages spell it. One of under four characters is
/// too common to look for.
pub(crate) fn scrub(mut text: String, secret: &str) -> String {
    if secret.len() < 4 {
        return text;
    }
    let mut take_out = |spelled: &str| {
        if text.contains(spelled) {
            text = text.replace(spelled, "[redacted]");
        }
    };
    take_out(secret);
    if secret.bytes().any(|byte| !byte.is_ascii_alphanumeric()) {
        let mut form = String::new();
        encode_into(secret, &mut form);
        take_out(&form);
        take_out(&form.replace("%20", "+"));
        take_out(&secret.replace('\\', "\\\\").replace('"', "\\\""));
        take_out(
            &secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
        );
    }
    text
}

/// A JSON object that comes plain or as base64, of either alphabet, padded or not.
pub(crate) fn json_or_base64(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let text = text.trim_ascii();
    if text.starts_with(b"{") {
        return Some(Cow::Borrowed(text));
    }
    let url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet: &Alphabet = if url_safe { &URL_SAFE } else { &STANDARD };
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config).decode(text).ok().map(Cow::Owned)
}

/// Visible ASCII and space: `VSCHAR` (RFC 6749 appendix A), and not empty.
pub(crate) fn is_vschar(text: &str) -> bool {
    !text.is_empty() && all(text.as_bytes(), |byte| matches!(byte, 0x20..=0x7E))
}

/// Whether all bytes are so. Sixteen at a time, the last sixteen overlapping, and without a way out in between: the
/// compiler makes a few vector instructions of it.
pub(crate) fn all(bytes: &[u8], is_so: impl Fn(u8) -> bool) -> bool {
    let every = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & is_so(*byte));
    match bytes.last_chunk::<16>() {
        None => every(bytes),
        Some(last) => every(bytes.as_chunks::<16>().0.as_flattened()) & every(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidi_characters_are_taken_out() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c\r\n\td\u{0}", 40), "a[31mbc d");
        assert_eq!(printable("", 4), "");
    }

    #[test]
    fn two_texts_that_look_the_same_are_told_apart() {
        assert_eq!(escaped("a\u{0}b\u{202e}c\u{200b}"), "a\\0b\\u{202e}c\\u{200b}");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("abc", 3), "abc");
    }

    #[test]
    fn base64_is_read_in_each_of_its_spellings() {
        for text in ["{\"a\":\"~~~?\"}", " eyJhIjoifn5+PyJ9\r\n", "eyJhIjoifn5-PyJ9", "eyJhIjoifn5+PyJ9"] {
            assert_eq!(json_or_base64(text.as_bytes()).unwrap(), &b"{\"a\":\"~~~?\"}"[..], "{text}");
        }
        assert_eq!(json_or_base64(b"e30=").unwrap(), json_or_base64(b"e30").unwrap());
        assert_eq!(json_or_base64(b"AUTHENTICATE failed."), None);
    }

    #[test]
    fn what_was_sent_is_taken_out() {
        assert_eq!(scrub("bad code xyz9!".into(), "xyz9"), "bad code [redacted]!");
        assert_eq!(scrub("a b".into(), "a"), "a b");
        let spellings = "s&<>\" x, s%26%3C%3E%22%20x, s%26%3C%3E%22+x, s&amp;&lt;&gt;&quot; x, s&<>\\\" x";
        assert_eq!(scrub(spellings.into(), "s&<>\" x"), ["[redacted]"; 5].join(", "));
    }
}
