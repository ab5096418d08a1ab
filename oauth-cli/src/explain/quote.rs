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
    // A value belongs to the last name, however broken what lies between is.
    let (mut shown, mut rest, mut last) = (String::new(), text.as_str(), "");
    while let Some(c) = rest.chars().next() {
        let run = rest.find(|c: char| !is_of_run(c)).unwrap_or(rest.len());
        if run > 0 {
            let (word, after) = rest.split_at(run);
            let in_quotes = after.strip_prefix('"').is_some_and(|after| after.trim_start().starts_with(':'));
            let is_name = after.starts_with('=') || in_quotes;
            if is_name {
                last = word;
            }
            // A small number is the code of an error, and no secret.
            let small = word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
            let secret = is_secret(last) && !small || looks_secret(word) && !is_public(last);
            let hidden = !is_name && secret;
            shown.push_str(if hidden { "[…]" } else { word });
            rest = after;
            continue;
        }
        // An escape of JSON stays: what is broken may be in it.
        let length = match rest.get(..6) {
            Some(escape) if escape.starts_with("\\u") => 6,
            _ if c == '\\' => rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end),
            _ => c.len_utf8(),
        };
        let (mark, after) = rest.split_at(length);
        shown.push_str(mark);
        rest = after;
    }
    shown
}

/// What tokens are made of, without the equals sign that ends a name of a form.
const fn is_of_run(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | '%')
}

/// Whether a member of this name is meant to be seen: what is wrong with it should be, too.
fn is_public(name: &str) -> bool {
    const NAMES: [&str; 7] =
        ["iss", "issuer", "error", "error_description", "scope", "token_type", "resource"];
    NAMES.contains(&name) || ["_endpoint", "_uri", "_url"].iter().any(|end| name.ends_with(end))
}

/// A long run, save for one that is made of words.
fn looks_secret(word: &str) -> bool {
    let is_word = |part: &str| part.len() < LONG && part.bytes().all(|byte| byte.is_ascii_lowercase());
    word.len() >= LONG && !word.split(['_', '.', '-']).all(is_word)
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
        assert_eq!(quote(br#"{"code":190,"x":1}"#, None), r#"{"code":190,"x":1}"#);
        assert_eq!(quote(b"\xff{\"code\" : \"s3cr3t\"", None), "\\xff{\"code\" : \"[…]\"");
    }

    #[test]
    fn a_secret_stays_one_whatever_marks_are_in_it() {
        assert_eq!(
            quote(br#"{"access_token":"a,b}c&d{e"f,"x":"y"}"#, None),
            r#"{"access_token":"[…],[…]}[…]&[…]{[…]"[…],"x":"y"}"#
        );
        assert_eq!(quote(br#""state":"a"refresh_token":"b"#, None), r#""state":"[…]"refresh_token":"[…]"#);
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
    fn what_is_meant_to_be_seen_is() {
        let query = "?iss=https%3A%2F%2Fevil.example%2FA1&code=Splx&state=abc&x=1";
        assert_eq!(quote(query.as_bytes(), None), query.replace("Splx", "[…]").replace("abc", "[…]"));
    }

    #[test]
    fn a_long_run_that_is_no_word_is_taken_for_a_secret() {
        assert_eq!(quote(b"x: abcdefghijklmnopqrstuvwxyz", None), "x: […]");
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
