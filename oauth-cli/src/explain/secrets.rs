//! What nobody should see, and what a terminal should not: secrets as fingerprints, text without control characters.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use url::form_urlencoded::byte_serialize;

/// What a secret is shown as: enough to tell two apart, and never a part of it.
pub(super) fn fingerprint(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    format!("[redacted {:02x}{:02x}]", digest[0], digest[1])
}

/// Writes out what is not printable: controls, marks that turn text around, characters that nobody sees.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c.is_control() || is_invisible(c) => {
                write!(shown, "\\u{{{:x}}}", u32::from(c)).expect("a String takes any text");
            }
            c => shown.push(c),
        }
    }
    shown
}

const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{E0000}'..='\u{E007F}')
}

/// Whether a member of this name holds a secret, by what such names end in.
pub(super) fn is_secret(name: &str) -> bool {
    const ENDS: [&str; 8] =
        ["token", "secret", "password", "assertion", "statement", "verifier", "credential", "api_key"];
    const NAMES: [&str; 5] = ["code", "device_code", "authorization_code", "auth_code", "state"];
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || ENDS.iter().any(|end| name.ends_with(end))
}

/// The secrets of one case.
pub(super) struct Secrets {
    known: Vec<String>,
    show: bool,
}

impl Secrets {
    /// All are shown as they are where `show` says so.
    pub(super) const fn new(show: bool) -> Self {
        Self { known: Vec::new(), show }
    }

    pub(super) fn add(&mut self, secret: &str) {
        self.known.push(secret.to_owned());
    }

    /// The text without secrets and control characters.
    pub(super) fn clean(&self, text: &str) -> String {
        if self.show {
            return printable(text);
        }
        let mut text = text.to_owned();
        let mut known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        // A long one first: it may hold a shorter one. What is very short is in every other word.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in known.into_iter().filter(|secret| secret.len() >= 4) {
            for spelled in [secret.to_owned(), byte_serialize(secret.as_bytes()).collect()] {
                if text.contains(&spelled) {
                    text = text.replace(&spelled, &fingerprint(secret));
                }
            }
        }
        printable(&text)
    }

    /// The same for a value, with the names of its members as a hint of what is a secret.
    pub(super) fn clean_member(&self, name: &str, value: Value) -> Value {
        match value {
            Value::String(text) if !self.show && is_secret(name) => Value::String(fingerprint(&text)),
            Value::String(text) => Value::String(self.clean(&text)),
            Value::Array(values) => {
                Value::Array(values.into_iter().map(|value| self.clean_member(name, value)).collect())
            }
            Value::Object(members) => {
                let clean = |(name, value): (String, Value)| {
                    let value = self.clean_member(&name, value);
                    (self.clean(&name), value)
                };
                Value::Object(members.into_iter().map(clean).collect())
            }
            value => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_no_part_of_the_secret() {
        assert_eq!(fingerprint("abc"), "[redacted ba78]");
        assert_ne!(fingerprint("abc"), fingerprint("abd"));
    }

    #[test]
    fn cwe_150_a_terminal_sees_no_control_characters() {
        assert_eq!(
            printable("a\x1b[2J\r\n\u{9b}\u{202e}b\u{feff}"),
            "a\\u{1b}[2J\\r\\n\\u{9b}\\u{202e}b\\u{feff}"
        );
        assert_eq!(printable("é 日 «»"), "é 日 «»");
    }

    #[test]
    fn a_secret_is_taken_out_in_each_spelling_and_below_each_telling_name() {
        let mut secrets = Secrets::new(false);
        secrets.add("a b&c");
        assert_eq!(secrets.clean("x a b&c y a+b%26c"), format!("x {0} y {0}", fingerprint("a b&c")));
        let nested = serde_json::json!({"team": {"bot_token": "xoxb", "token_type": "bot"}});
        let cleaned = secrets.clean_member("", nested);
        assert_eq!(cleaned["team"]["bot_token"], fingerprint("xoxb"));
        assert_eq!(cleaned["team"]["token_type"], "bot");
    }
}
