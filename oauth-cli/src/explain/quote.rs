//! The bytes around what is wrong, for people: made safe for a terminal, without the values that are secret.
//!
//! Nothing is read here that a verdict depends on: it looks for names and for marks, as an eye does.

use super::secrets::is_secret;

/// How many characters are shown.
const SHOWN: usize = 160;
/// A run of this many characters that is no word is taken for a secret.
const LONG: usize = 20;

/// The text from `member` on, where it is named there, or else from its beginning.
pub(super) fn quote(body: &[u8], member: Option<&str>) -> String {
    let begin = member.and_then(|member| find(body, member)).unwrap_or(0);
    let window = &body[begin..body.len().min(begin + 4 * SHOWN)];
    let mut shown = String::new();
    if begin > 0 {
        shown.push('…');
    }
    shown.push_str(&masked(window));
    let cut = shown.chars().count() > SHOWN || begin + window.len() < body.len();
    let mut shown: String = shown.chars().take(SHOWN).collect();
    if cut {
        shown.push('…');
    }
    shown
}

/// Where a name stands in quotes, or at the beginning of a pair.
fn find(body: &[u8], member: &str) -> Option<usize> {
    let at = |needle: String| body.windows(needle.len()).position(|window| window == needle.as_bytes());
    at(format!("\"{member}\"")).or_else(|| at(format!("{member}=")))
}

/// The text, the values of secret names as `[…]`, and what is not UTF-8 as `\x..`.
fn masked(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    let (mut shown, mut rest, mut secret) = (String::new(), text.as_str(), false);
    // A quoted value of JSON, or a value of a form, belongs to the last name.
    let mut quoted = false;
    while let Some(c) = rest.chars().next() {
        let run = rest.find(|c: char| !is_of_run(c)).unwrap_or(rest.len());
        if run > 0 {
            let (word, after) = rest.split_at(run);
            let names = after.starts_with('=')
                || quoted && after.starts_with('"') && after[1..].trim_start().starts_with(':');
            if names {
                secret = is_secret(word);
            }
            shown.push_str(if !names && (secret || looks_secret(word)) { "[…]" } else { word });
            rest = after;
            continue;
        }
        if c == '\\' {
            // An escape of JSON: what is broken may be in it.
            let escape = rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end);
            let unicode = rest.get(..6).filter(|escape| escape.starts_with("\\u"));
            let (escape, after) = rest.split_at(unicode.map_or(escape, str::len));
            shown.push_str(escape);
            rest = after;
            continue;
        }
        if c == '"' {
            quoted = !quoted;
        }
        // A pair ends here, unless this is within a text.
        if matches!(c, '&' | '{' | '}' | '\n') || c == ',' && !quoted {
            secret = false;
        }
        shown.push(c);
        rest = &rest[c.len_utf8()..];
    }
    shown
}

/// What tokens are made of, without the equals sign that ends a name of a form.
const fn is_of_run(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | '%')
}

fn looks_secret(word: &str) -> bool {
    let plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.' | b'-'));
    word.len() >= LONG && !plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_around_a_member_are_shown_and_a_secret_is_not() {
        let body = b"{\"scope\":\"a b\",\"access_token\":\"abc\r\nX: def\",\"token_type\":\"Bearer\"}";
        assert_eq!(
            quote(body, Some("access_token")),
            "…\"access_token\":\"[…]\r\n[…]: […]\",\"token_type\":\"Bearer\"}"
        );
        assert_eq!(quote(b"a=1&refresh_token=x.y%20z&b=2", None), "a=1&refresh_token=[…]&b=2");
        assert_eq!(quote(b"\xff{\"code\" : \"s3cr3t\"", None), "\\xff{\"code\" : \"[…]\"");
    }

    #[test]
    fn an_escape_of_json_stays_in_sight() {
        assert_eq!(
            quote(br#""access_token":"ab\r\n\u0000cd""#, None),
            r#""access_token":"[…]\r\n\u0000[…]""#
        );
        assert_eq!(quote(br#""a":"\"#, None), r#""a":"\"#);
    }

    #[test]
    fn a_long_run_that_is_no_word_is_taken_for_a_secret() {
        assert_eq!(quote(b"<p>eyJhbGciOiJub25lIn0.e30.</p>", None), "<p>[…]</p>");
        assert_eq!(
            quote(b"token_endpoint_auth_methods_supported", None),
            "token_endpoint_auth_methods_supported"
        );
    }

    #[test]
    fn a_long_body_is_cut() {
        let shown = quote(&b"a b ".repeat(1000), None);
        assert_eq!(shown.chars().count(), SHOWN + 1);
        assert!(shown.ends_with('…'));
    }
}
