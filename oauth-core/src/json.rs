//! The JSON of the other side: bounded in depth and size, duplicate members refused, text borrowed where it can be.
//!
//! A document that is refused for these reasons is read to its end all the same, and what is beyond the bounds skipped:
//! a refresh token that comes later must not be lost.
//!
//! `serde_json` reads the syntax; what is added here is what OAuth needs and no option of it gives.

use crate::failure::Malformed;
use crate::secret::{Buffer, SecretBytes};
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
pub(crate) const MAX_MEMBERS: usize = 256;

/// A JSON value as it stands in a document (RFC 8259); `Display` writes it as JSON.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that is not negative.
    Unsigned(u64),
    /// A negative number, a fraction, or one above `u64`.
    Float(f64),
    /// A text.
    String(Cow<'a, str>),
    /// Values in their order.
    Array(Vec<Self>),
    /// Members in their order; no name comes twice.
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl Value<'static> {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(Cow::Owned(text.into()))
    }
}

impl<'a> Value<'a> {
    /// The text of a text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
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

    /// The texts of a list, whatever else is in it left out; of anything but a list, none.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let values = if let Self::Array(values) = self { values.as_slice() } else { &[] };
        values.iter().filter_map(Self::as_str)
    }

    /// A copy that outlives the document.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Unsigned(value) => Value::Unsigned(value),
            Self::Float(value) => Value::Float(value),
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Array(values) => Value::Array(values.into_iter().map(Value::into_owned).collect()),
            Self::Object(members) => {
                let owned =
                    |(name, value): (Cow<'_, str>, Self)| (Cow::Owned(name.into_owned()), value.into_owned());
                Value::Object(members.into_iter().map(owned).collect())
            }
        }
    }

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

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Float(number) if number.is_finite() => write!(f, "{number}"),
            // JSON has no such number.
            Self::Float(_) => f.write_str("null"),
            Self::String(text) => f.write_str(&quoted(text)),
            Self::Array(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{}:{value}", if index == 0 { "" } else { "," }, quoted(name))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Hands over each member of the object in `body`, in order; what nests in it comes as a tree.
pub(crate) fn members<'a>(body: &'a [u8], mut member: impl FnMut(&str, Value<'a>)) -> Result<(), Malformed> {
    let mut bounds = Bounds::new();
    let mut handed_over = 0_usize;
    let mut counted = |name: &str, value| {
        handed_over += 1;
        member(name, value);
    };
    let first = read(body, Top { bounds: &mut bounds, member: &mut counted });
    if first.is_err()
        && bounds.found.is_none()
        && let Some(tamed) = tamed(body)
    {
        let mut bounds = Bounds::new();
        let mut to_come = |name: &str, value: Value<'_>| match handed_over.checked_sub(1) {
            Some(left) => handed_over = left,
            None => member(name, value.into_owned()),
        };
        let second = read(tamed.expose(), Top { bounds: &mut bounds, member: &mut to_come });
        return bounds.verdict(second);
    }
    bounds.verdict(first)
}

/// Reads any JSON document.
pub(crate) fn value(body: &[u8]) -> Result<Value<'_>, Malformed> {
    let mut bounds = Bounds::new();
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

/// A copy of a document that has numbers beyond the largest one, which `serde_json` refuses, with the largest one in
/// their place: what a server says about a time costs no token. `None` where there is no such number.
fn tamed(body: &[u8]) -> Option<SecretBytes> {
    // What is put in is never longer than what is taken out.
    let mut copy = Buffer::with_capacity(body.len());
    let (mut begin, mut at, mut in_text) = (0, 0, false);
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => at += 1,
            b'-' | b'0'..=b'9' if !in_text => {
                let rest = body.get(at..).unwrap_or_default();
                let length = rest.iter().take_while(|byte| is_in_number(**byte)).count();
                if rest.get(..length).is_some_and(is_beyond) {
                    copy.extend(body.get(begin..at).unwrap_or_default());
                    copy.extend(if *byte == b'-' { b"-1e308" } else { b"1e308" });
                    begin = at + length;
                }
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    copy.extend(body.get(begin..).unwrap_or_default());
    (begin > 0).then(|| copy.finish())
}

const fn is_in_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

/// Whether this is a number as JSON spells it (RFC 8259 section 6), and one that no `f64` holds.
fn is_beyond(number: &[u8]) -> bool {
    let unsigned = number.strip_prefix(b"-").unwrap_or(number);
    let mut parts = unsigned.splitn(2, |byte| matches!(byte, b'e' | b'E'));
    let mantissa = parts.next().unwrap_or_default();
    // The reader of the library is laxer in these two.
    let leading_zero = matches!(mantissa, [b'0', b'0'..=b'9', ..]);
    // Few numbers are worth a second look: the largest has 309 digits.
    (parts.next().is_some() || mantissa.len() >= 309)
        && !leading_zero
        && mantissa.last().is_some_and(u8::is_ascii_digit)
        && core::str::from_utf8(number).is_ok_and(|text| text.parse().is_ok_and(f64::is_infinite))
}

/// What is counted over the whole document, and the first thing wrong with it beyond its syntax.
pub(crate) struct Bounds {
    values: u32,
    found: Option<Malformed>,
}

impl Bounds {
    pub(crate) const fn new() -> Self {
        Self { values: 0, found: None }
    }

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
    pub(crate) fn name<'a>(&mut self, seen: &mut Vec<Cow<'a, str>>, name: Cow<'a, str>) {
        // The first reason is the one that is told; to look for more would take a hostile body's time.
        if self.found.is_some() {
            return;
        }
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

    pub(crate) fn verdict<T>(self, read: Result<T, ()>) -> Result<T, Malformed> {
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
    out.push_str(&quoted(text));
}

fn quoted(text: &str) -> String {
    // Writing a `str` into memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
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
    fn a_value_is_written_as_it_was_read() {
        let text = r#"{"a":[null,true,7,-2,1.5,"\n\"\u007f",{}],"b":18446744073709551615,"c":[]}"#;
        let text = text.replace("\\u007f", "\u{7f}");
        assert_eq!(alloc::format!("{}", value(text.as_bytes()).unwrap()), text);
        assert_eq!(
            alloc::format!("{}", Value::Array(vec![Value::Float(f64::NAN), Value::Float(1e30)])),
            "[null,1000000000000000000000000000000]"
        );
    }

    #[test]
    fn a_number_beyond_all_bounds_costs_no_other_member() {
        let long = "9".repeat(400);
        for (number, expected) in [
            ("1e400", 1e308),
            ("-1E+400", -1e308),
            ("123.5e999999999999", 1e308),
            (&*long, 1e308),
            ("1e-400", 0.0),
            ("1e308", 1e308),
        ] {
            let body = alloc::format!("{{\"a\":\"1e400\\\"\",\"b\":[{number} , 7],\"c\":\"\\u0064\"}}");
            let read = read_members(body.as_bytes()).expect(number);
            assert_eq!(read[0], ("a".into(), Value::String("1e400\"".into())), "{number}");
            assert_eq!(read[1].1, Value::Array(vec![Value::Float(expected), Value::Unsigned(7)]), "{number}");
            assert_eq!(read[2], ("c".into(), Value::String("d".into())), "{number}");
        }
        // What is no number stays none, whatever its size.
        for broken in ["01e400", "1.e400", "1e400x", "1e400e1", "+1e400", "1e400.5", "1e", "-e400", "1e400,"]
        {
            let body = alloc::format!("{{\"b\":{broken}}}");
            assert_eq!(read_members(body.as_bytes()), Err(Malformed::NotJson), "{broken}");
        }
        assert_eq!(read_members(b"{\"a\":1e400,\"a\":1}"), Err(Malformed::Duplicate("a".into())));
    }

    #[test]
    fn the_generic_reader_takes_any_document() {
        assert_eq!(value(b" [true] ").unwrap(), Value::Array(vec![Value::Bool(true)]));
    }
}
