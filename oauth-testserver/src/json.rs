//! Writing JSON; what reads it is beside.

mod read;

pub(crate) use read::Value;

use std::fmt::Write as _;

/// An object that is written member by member, in the order of the calls.
#[derive(Clone, Default)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn string(self, name: &str, value: &str) -> Self {
        self.raw(name, &quote(value))
    }

    pub(crate) fn number(self, name: &str, value: u64) -> Self {
        self.raw(name, &value.to_string())
    }

    pub(crate) fn boolean(self, name: &str, value: bool) -> Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    pub(crate) fn strings<S: AsRef<str>>(self, name: &str, values: &[S]) -> Self {
        let quoted: Vec<String> = values.iter().map(|value| quote(value.as_ref())).collect();
        self.raw(name, &format!("[{}]", quoted.join(",")))
    }

    /// A member whose value is JSON already.
    pub(crate) fn raw(mut self, name: &str, json: &str) -> Self {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quote(name));
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    pub(crate) fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            // RFC 8259 section 7
            '\u{0}'..='\u{1f}' => {
                write!(quoted, "\\u{:04x}", u32::from(character)).expect("a String takes what is written");
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::Object;

    #[test]
    fn what_is_written_reads_back() {
        let written = Object::new()
            .string("odd", "a\"b\\c\r\n\u{1}é\u{1f600}")
            .number("n", u64::MAX)
            .boolean("yes", true)
            .strings("list", &["x", "\""])
            .raw("inner", &Object::new().finish())
            .finish();
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(
            read,
            serde_json::json!({
                "odd": "a\"b\\c\r\n\u{1}é\u{1f600}", "n": u64::MAX, "yes": true, "list": ["x", "\""], "inner": {}
            })
        );
    }
}
