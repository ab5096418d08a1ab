//! The JSON of the other side: bounded in depth and size, duplicate members refused, text borrowed where it can be.
//!
//! A document that is refused for these reasons is read to its end all the same, and what is beyond the bounds skipped:
//! a refresh token that comes later must not be lost.
//!
//! `serde_json` reads the syntax; what is added here is what OAuth needs and no option of it gives.

use crate::failure::Malformed;
use crate::text::printable;
use alloc::borrow::{Cow, ToOwned as _};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserialize as _, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// How deep values may nest. Real answers need five levels.
const MAX_DEPTH: u32 = 32;
/// How many values a document may have in all.
const MAX_VALUES: u32 = 16_384;
/// How many members one object may have: each is compared with those before it.
const MAX_MEMBERS: usize = 256;

/// A value as it stands in the document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    /// A negative number, a fraction, or one above `u64`.
    Float(f64),
    String(Cow<'a, str>),
    Array(Vec<Self>),
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Value<'a> {
    pub(crate) fn into_string(self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(text) => Some(text),
            Self::Null
            | Self::Bool(_)
            | Self::Unsigned(_)
            | Self::Float(_)
            | Self::Array(_)
            | Self::Object(_) => None,
        }
    }
}

/// Hands over each member of the object in `body`, in order; what nests in it comes as a tree.
pub(crate) fn members<'a>(body: &'a [u8], mut member: impl FnMut(&str, Value<'a>)) -> Result<(), Malformed> {
    let mut bounds = Bounds { values: 0, found: None };
    let read = read(body, Top { bounds: &mut bounds, member: &mut member });
    bounds.verdict(read)
}

/// Reads any JSON document.
#[cfg(test)]
pub(crate) fn value(body: &[u8]) -> Result<Value<'_>, Malformed> {
    let mut bounds = Bounds { values: 0, found: None };
    let read = read(body, Any { bounds: &mut bounds, depth: 0 });
    bounds.verdict(read)
}

fn read<'a, S: DeserializeSeed<'a>>(body: &'a [u8], seed: S) -> Result<S::Value, ()> {
    // RFC 8259 section 8.1: a byte order mark may be ignored.
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = seed.deserialize(&mut deserializer).map_err(|_| ())?;
    deserializer.end().map_err(|_| ())?;
    Ok(value)
}

/// What is counted over the whole document, and the first thing wrong with it beyond its syntax.
struct Bounds {
    values: u32,
    found: Option<Malformed>,
}

impl Bounds {
    /// Counts a value, and says whether it is kept.
    fn keeps(&mut self, depth: u32) -> bool {
        self.values = self.values.saturating_add(1);
        let (too_many, too_deep) = (self.values > MAX_VALUES, depth > MAX_DEPTH);
        if too_many || too_deep {
            self.refuse(Malformed::TooLarge);
        }
        // The members of the document are handed over one by one: what was in those before takes nothing from them.
        !too_deep && (!too_many || depth <= 1)
    }

    fn refuse(&mut self, found: Malformed) {
        self.found.get_or_insert(found);
    }

    /// RFC 8259 section 4 leaves duplicates open, so two readers may see two different messages: refused.
    fn name<'a>(&mut self, seen: &mut Vec<Cow<'a, str>>, name: Cow<'a, str>) {
        if seen.len() == MAX_MEMBERS {
            self.refuse(Malformed::TooLarge);
        } else if seen.contains(&name) {
            // A long name is no name of a member, and half of it might be half of a secret.
            let shown = if name.len() > 40 { "a member".to_owned() } else { printable(&name, 40) };
            self.refuse(Malformed::Duplicate(shown));
        } else {
            seen.push(name);
        }
    }

    fn verdict<T>(self, read: Result<T, ()>) -> Result<T, Malformed> {
        match self.found {
            Some(found) => Err(found),
            None => read.map_err(|()| Malformed::NotJson),
        }
    }
}

/// The outermost object, streamed.
struct Top<'b, F> {
    bounds: &'b mut Bounds,
    member: &'b mut F,
}

impl<'de, F: FnMut(&str, Value<'de>)> DeserializeSeed<'de> for Top<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&str, Value<'de>)> Visitor<'de> for Top<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Vec::with_capacity(16);
        while let Some(name) = map.next_key_seed(Text)? {
            let value = map.next_value_seed(Any { bounds: self.bounds, depth: 1 })?;
            (self.member)(&name, value);
            self.bounds.name(&mut seen, name);
        }
        Ok(())
    }

    // Whole documents of another type: JSON, and not an object.
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.not_an_object()
    }
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.not_an_object()
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.not_an_object()
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.not_an_object()
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.not_an_object()
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.not_an_object()
    }
    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.not_an_object()
    }
}

impl<F> Top<'_, F> {
    fn not_an_object<E: serde::de::Error>(self) -> Result<(), E> {
        self.bounds.refuse(Malformed::NotAnObject);
        Err(E::custom("not an object"))
    }
}

/// A string, borrowed unless it holds escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Any value, as a tree.
struct Any<'b> {
    bounds: &'b mut Bounds,
    depth: u32,
}

impl<'de> DeserializeSeed<'de> for Any<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.bounds.keeps(self.depth) {
            deserializer.deserialize_any(self)
        } else {
            // Without recursion, and without an allocation.
            IgnoredAny::deserialize(deserializer).map(|_| Value::Null)
        }
    }
}

impl<'de> Visitor<'de> for Any<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a negative number is out of range wherever it could matter"
        )]
        let value = value as f64;
        Ok(Value::Float(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Any { bounds: self.bounds, depth: self.depth + 1 })? {
            if self.bounds.found.is_none() {
                values.push(value);
            }
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut seen = Vec::new();
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Text)? {
            let value = map.next_value_seed(Any { bounds: self.bounds, depth: self.depth + 1 })?;
            self.bounds.name(&mut seen, name.clone());
            if self.bounds.found.is_none() {
                members.push((name, value));
            }
        }
        Ok(Value::Object(members))
    }
}

/// Writes a JSON string, quotes and all.
pub(crate) fn quote(text: &str, out: &mut String) {
    // Writing a `str` into memory cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn read_members(body: &[u8]) -> Result<Vec<(String, Value<'_>)>, Malformed> {
        let mut read = Vec::new();
        members(body, |name, value| read.push((name.to_owned(), value)))?;
        Ok(read)
    }

    #[test]
    fn members_come_in_order_and_text_is_borrowed_where_it_can_be() {
        let read = read_members(b"\xEF\xBB\xBF{\"a\":\"x\",\"b\\u0063\":[1,-2,{\"d\":null}], \"e\":\"\\n\"}")
            .unwrap();
        assert_eq!(read.len(), 3);
        assert!(matches!(&read[0].1, Value::String(Cow::Borrowed("x"))));
        assert_eq!(read[1].0, "bc");
        assert_eq!(
            read[1].1,
            Value::Array(vec![
                Value::Unsigned(1),
                Value::Float(-2.0),
                Value::Object(vec![(Cow::Borrowed("d"), Value::Null)])
            ])
        );
        assert!(matches!(&read[2].1, Value::String(Cow::Owned(text)) if text == "\n"));
    }

    #[test]
    fn duplicates_are_refused_by_name_at_any_depth() {
        for body in
            [&br#"{"a":1,"b":2,"a":1}"#[..], br#"{"c":{"a":1,"\u0061":2}}"#, br#"{"c":[{"a":1,"a":1}]}"#]
        {
            assert_eq!(read_members(body), Err(Malformed::Duplicate("a".into())));
        }
    }

    #[test]
    fn another_type_bytes_after_the_value_and_a_cut_are_refused() {
        for body in [&b"[]"[..], b"null", b"1", b"-1", b"1.5", b"\"x\"", b"true"] {
            assert_eq!(read_members(body), Err(Malformed::NotAnObject), "{body:?}");
        }
        for body in
            [&b""[..], b"{", b"{\"a\":1", b"{} x", b"<html>", b"{\"a\":\"\xff\"}", b"{'a':1}", b"{\"a\":01}"]
        {
            assert_eq!(read_members(body), Err(Malformed::NotJson), "{body:?}");
        }
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let nested = |depth: usize| {
            let mut body = String::from("{\"a\":");
            body.push_str(&"[".repeat(depth));
            body.push_str(&"]".repeat(depth));
            body.push('}');
            body
        };
        assert!(read_members(nested(31).as_bytes()).is_ok());
        assert_eq!(read_members(nested(100_000).as_bytes()), Err(Malformed::TooLarge));
        let wide = alloc::format!("{{\"a\":[{}1]}}", "1,".repeat(20_000));
        assert_eq!(read_members(wide.as_bytes()), Err(Malformed::TooLarge));
        let members: Vec<_> = (0..257).map(|n| alloc::format!("\"m{n}\":1")).collect();
        let (most, all) = (&members[..256], &members[..]);
        assert!(read_members(alloc::format!("{{{}}}", most.join(",")).as_bytes()).is_ok());
        assert_eq!(
            read_members(alloc::format!("{{{}}}", all.join(",")).as_bytes()),
            Err(Malformed::TooLarge)
        );
    }

    #[test]
    fn what_comes_after_a_reason_to_refuse_is_still_handed_over() {
        let members: Vec<_> = (0..300).map(|n| alloc::format!("\"m{n}\":1")).collect();
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let wide = alloc::format!("[{}1]", "1,".repeat(20_000));
        for before in [
            "\"a\":1,\"a\":2",
            "\"a\":{\"b\":1,\"b\":2}",
            &members.join(","),
            &alloc::format!("\"a\":{deep}"),
            &alloc::format!("\"a\":{wide}"),
        ] {
            let body = alloc::format!("{{{before},\"last\":\"kept\"}}");
            let mut last = None;
            let read = super::members(body.as_bytes(), |name, value| {
                if name == "last" {
                    last = value.into_string().map(Cow::into_owned);
                }
            });
            assert!(matches!(read, Err(Malformed::Duplicate(_) | Malformed::TooLarge)), "{}", &body[..40]);
            assert_eq!(last.as_deref(), Some("kept"), "{}", &body[..40]);
        }
    }

    #[test]
    fn the_generic_reader_takes_any_document() {
        assert_eq!(value(b" [true] ").unwrap(), Value::Array(vec![Value::Bool(true)]));
    }
}
