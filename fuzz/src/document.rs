//! A second reader of what a server answers: it knows JSON and forms, and no OAuth.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// The members of an object or a form in their order, repeated ones and all.
pub(crate) struct Members(Vec<(String, Value)>);

impl Members {
    /// A null is a member that is not there; of two, the first counts.
    pub(crate) fn first(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(member, value)| member == name && !value.is_null()).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.first(name)?.as_str()
    }
}

/// What a reader makes of a body.
pub(crate) enum Read {
    Document(Members),
    Neither,
    /// A number that the core reads and this reader does not.
    CannotTell,
}

/// A JSON object.
pub(crate) fn json(body: &[u8]) -> Read {
    match serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)) {
        Ok(members) => Read::Document(members),
        Err(error) if error.to_string().starts_with("number out of range") => Read::CannotTell,
        Err(_) => Read::Neither,
    }
}

/// A JSON object, or a form, where the body begins as one.
pub(crate) fn json_or_form(body: &[u8]) -> Read {
    match json(body) {
        Read::Neither => {
            let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
            begins_as_form(body).then(|| Members(pairs(body))).map_or(Read::Neither, Read::Document)
        }
        read => read,
    }
}

fn begins_as_form(body: &[u8]) -> bool {
    let name = body.split(|byte| *byte == b'=').next().unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    !name.is_empty() && name.len() < 64 && name.len() < body.len() && name.iter().all(is_name)
}

/// The parameters of a form. A value that cannot be read is there, and is no text.
pub(crate) fn pairs(form: &[u8]) -> Vec<(String, Value)> {
    let pairs = form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let pair = |pair: &[u8]| {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let value = decoded(pair.get(end + 1..).unwrap_or_default());
        Some((decoded(&pair[..end])?, value.map_or(Value::Bool(true), Value::String)))
    };
    pairs.filter_map(pair).collect()
}

fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'%' {
            let digits =
                text.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            at += 3;
        } else {
            bytes.push(if text[at] == b'+' { b' ' } else { text[at] });
            at += 1;
        }
    }
    String::from_utf8(bytes).ok()
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
