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
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserialize as _, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

mod value;

pub(crate) use value::quote;
pub use value::{Number, Value};

/// How deep values may nest. Real answers need five levels.
const MAX_DEPTH: u32 = 32;
/// How many values a document may have in all.
const MAX_VALUES: u32 = 16_384;
/// How many members one object may have: each is compared with those before it.
pub(crate) const MAX_MEMBERS: usize = 256;

/// What a wanted member is known by.
pub(crate) trait Wanted: Copy {
    /// A bit of its own, by which a second one of this name is found; 0 where names are compared for that.
    fn bit(self) -> u64;
}

/// Every member is wanted, whatever its name.
impl Wanted for () {
    fn bit(self) -> u64 {
        0
    }
}

/// Hands over each wanted member of the object in `body`, in order; what nests in it comes as a tree. The others are
/// checked like these, and cost no allocation.
pub(crate) fn members<'a, W: Wanted>(
    body: &'a [u8],
    wanted: impl Fn(&str) -> Option<W>,
    mut member: impl FnMut(W, &str, Value<'a>),
) -> Result<(), Malformed> {
    let mut bounds = Bounds::new();
    let mut handed_over = 0_usize;
    let mut counted = |which, name: &str, value| {
        handed_over += 1;
        member(which, name, value);
    };
    let first = read(body, Top { bounds: &mut bounds, wanted: &wanted, member: &mut counted, bits: 0 });
    if first.is_err()
        && bounds.found.is_none()
        && let Some(tamed) = tamed(body)
    {
        return members_of_tamed(&tamed, handed_over, &wanted, &mut member);
    }
    bounds.verdict(first)
}

/// Begins again, and hands over what was not handed over before.
#[cold]
fn members_of_tamed<'a, W: Wanted>(
    tamed: &SecretBytes,
    mut handed_over: usize,
    wanted: &dyn Fn(&str) -> Option<W>,
    member: &mut dyn FnMut(W, &str, Value<'a>),
) -> Result<(), Malformed> {
    let mut bounds = Bounds::new();
    let mut to_come = |which, name: &str, value: Value<'_>| match handed_over.checked_sub(1) {
        Some(left) => handed_over = left,
        None => member(which, name, value.into_owned()),
    };
    let top = Top { bounds: &mut bounds, wanted: &wanted, member: &mut to_come, bits: 0 };
    let read = read(tamed.expose(), top);
    bounds.verdict(read)
}

/// A place among at most 64 members.
impl Wanted for usize {
    fn bit(self) -> u64 {
        1 << self
    }
}

/// Reads an object of which only these members are kept, each in the place of its name.
pub(crate) fn some_members<'a, const N: usize>(
    body: &'a [u8],
    names: &[&str; N],
) -> Result<[Option<Value<'a>>; N], Malformed> {
    const { assert!(N <= 64) };
    let (mut bounds, mut found) = (Bounds::new(), [const { None }; N]);
    let wanted = |name: &str| names.iter().position(|known| *known == name);
    let mut member = |at, _: &str, value| {
        if let Some(place) = found.get_mut::<usize>(at) {
            *place = Some(value);
        }
    };
    let read = read(body, Top { bounds: &mut bounds, wanted: &wanted, member: &mut member, bits: 0 });
    bounds.verdict(read)?;
    Ok(found)
}

/// Reads any JSON document.
pub(crate) fn value(body: &[u8]) -> Result<Value<'_>, Malformed> {
    let mut bounds = Bounds::new();
    let read = read(body, Any { bounds: &mut bounds, depth: 0 });
    bounds.verdict(read)
}

/// Reads any JSON document, with the numbers that no type here holds as they are spelled: a second look at the document,
/// which those who take tokens out of it do not need.
pub(crate) fn exact_value(body: &[u8]) -> Result<Value<'_>, Malformed> {
    let mut read = match value(body) {
        Err(Malformed::NotJson) => {
            let tamed = tamed(body).ok_or(Malformed::NotJson)?;
            value(tamed.expose())?.into_owned()
        }
        read => read?,
    };
    let mut spelled = numbers(body).filter_map(|(_, number)| core::str::from_utf8(number).ok());
    spell(&mut read, &mut spelled);
    Ok(read)
}

/// Puts numbers, in the order of the document, in the place of those that would be written otherwise.
fn spell<'a>(value: &mut Value<'a>, spelled: &mut dyn Iterator<Item = &'a str>) {
    match value {
        Value::Unsigned(_) | Value::Float(_) => {
            if let Some(number) = spelled.next().filter(|number| value.to_string() != *number) {
                *value = Value::Number(Number(Cow::Borrowed(number)));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| spell(value, spelled)),
        Value::Object(members) => members.iter_mut().for_each(|(_, value)| spell(value, spelled)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn read<'a, S: DeserializeSeed<'a>>(body: &'a [u8], seed: S) -> Result<S::Value, ()> {
    // RFC 8259 section 8.1: a byte order mark may be ignored.
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    // At once, which is quicker than text by text; what comes before a broken character is read all the same.
    let (text, whole) = match core::str::from_utf8(body) {
        Ok(text) => (text, true),
        Err(broken) => {
            let valid = body.get(..broken.valid_up_to()).unwrap_or_default();
            (core::str::from_utf8(valid).unwrap_or_default(), false)
        }
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut deserializer).map_err(|_| ())?;
    deserializer.end().map_err(|_| ())?;
    if whole { Ok(value) } else { Err(()) }
}

/// A copy of a document that has numbers beyond the largest one, which `serde_json` refuses, with the largest one in
/// their place: what a server says about a time costs no token. `None` where there is no such number.
fn tamed(body: &[u8]) -> Option<SecretBytes> {
    // What is put in is never longer than what is taken out.
    let mut copy = Buffer::with_capacity(body.len());
    let mut begin = 0;
    for (at, number) in numbers(body).filter(|(_, number)| is_beyond(number)) {
        copy.extend(body.get(begin..at).unwrap_or_default());
        copy.extend(if number.starts_with(b"-") { b"-1e308" } else { b"1e308" });
        begin = at + number.len();
    }
    copy.extend(body.get(begin..).unwrap_or_default());
    (begin > 0).then(|| copy.finish())
}

/// The numbers of a document, in their order, each with the place where it begins.
fn numbers(body: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let (mut at, mut in_text) = (0, false);
    core::iter::from_fn(move || {
        while let Some(byte) = body.get(at) {
            match byte {
                b'"' => in_text = !in_text,
                b'\\' if in_text => at += 1,
                b'-' | b'0'..=b'9' if !in_text => {
                    let (begin, rest) = (at, body.get(at..).unwrap_or_default());
                    at += rest.iter().take_while(|byte| is_in_number(**byte)).count();
                    return body.get(begin..at).map(|number| (begin, number));
                }
                _ => {}
            }
            at += 1;
        }
        None
    })
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
pub(crate) struct Bounds<'a> {
    values: u32,
    found: Option<Malformed>,
    names: Names<'a>,
}

impl<'a> Bounds<'a> {
    pub(crate) const fn new() -> Self {
        Self { values: 0, found: None, names: Names { few: [""; FEW], count: 0, more: Vec::new() } }
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

    /// RFC 8259 section 4 leaves duplicates open, so two readers may see two different messages: refused. `since` is
    /// where the names of this object begin.
    pub(crate) fn name(&mut self, since: Mark, name: Cow<'a, str>) {
        // The first reason is the one that is told; to look for more would take a hostile body's time.
        if self.found.is_some() {
            return;
        }
        if self.names.len_since(since) == MAX_MEMBERS {
            self.refuse(Malformed::TooLarge);
        } else if self.names.contains_since(since, &name) {
            self.duplicate(&name);
        } else {
            self.names.push(name);
        }
    }

    #[cold]
    fn duplicate(&mut self, name: &str) {
        // A long name is no name of a member, and half of it might be half of a secret.
        let shown = if name.len() > 40 { "a member".to_owned() } else { printable(name, 40) };
        self.refuse(Malformed::Duplicate(shown));
    }

    /// Where the names of an object that begins here will begin.
    pub(crate) fn mark(&self) -> Mark {
        Mark { few: self.names.count, more: self.names.more.len() }
    }

    fn forget_since(&mut self, since: Mark) {
        self.names.count = since.few;
        self.names.more.truncate(since.more);
    }

    pub(crate) fn verdict<T>(self, read: Result<T, ()>) -> Result<T, Malformed> {
        match self.found {
            Some(found) => Err(found),
            None => read.map_err(|()| Malformed::NotJson),
        }
    }
}

/// How many names are remembered without an allocation: real answers have fewer.
const FEW: usize = 12;

/// The names of the objects that are open, outermost first.
struct Names<'a> {
    few: [&'a str; FEW],
    count: usize,
    /// Beyond those, and those that are spelled with escapes.
    more: Vec<Cow<'a, str>>,
}

/// A place in [`Names`].
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    few: usize,
    more: usize,
}

impl<'a> Names<'a> {
    fn len_since(&self, since: Mark) -> usize {
        (self.count - since.few) + (self.more.len() - since.more)
    }

    fn contains_since(&self, since: Mark, name: &str) -> bool {
        let few = self.few.get(since.few..self.count).unwrap_or_default();
        // The length first: mostly it is enough.
        few.iter().any(|known| known.len() == name.len() && *known == name)
            || self.more.iter().skip(since.more).any(|known| known == name)
    }

    fn push(&mut self, name: Cow<'a, str>) {
        match (name, self.few.get_mut(self.count)) {
            (Cow::Borrowed(name), Some(free)) => {
                *free = name;
                self.count += 1;
            }
            (name, _) => self.more.push(name),
        }
    }
}

/// The outermost object, streamed.
struct Top<'b, 'a, N, F> {
    bounds: &'b mut Bounds<'a>,
    wanted: &'b N,
    member: &'b mut F,
    /// Of the wanted members that came.
    bits: u64,
}

impl<'de, W, N, F> DeserializeSeed<'de> for Top<'_, 'de, N, F>
where
    W: Wanted,
    N: Fn(&str) -> Option<W>,
    F: FnMut(W, &str, Value<'de>),
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, W, N, F> Visitor<'de> for Top<'_, 'de, N, F>
where
    W: Wanted,
    N: Fn(&str) -> Option<W>,
    F: FnMut(W, &str, Value<'de>),
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let since = self.bounds.mark();
        while let Some(name) = map.next_key_seed(Text)? {
            let Some(which) = (self.wanted)(&name) else {
                map.next_value_seed(Skipped { bounds: self.bounds, depth: 1 })?;
                self.bounds.name(since, name);
                continue;
            };
            let value = map.next_value_seed(Any { bounds: self.bounds, depth: 1 })?;
            (self.member)(which, &name, value);
            match which.bit() {
                0 => self.bounds.name(since, name),
                bit if self.bits & bit != 0 => self.bounds.duplicate(&name),
                bit => self.bits |= bit,
            }
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

impl<N, F> Top<'_, '_, N, F> {
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
struct Any<'b, 'a> {
    bounds: &'b mut Bounds<'a>,
    depth: u32,
}

impl<'de> DeserializeSeed<'de> for Any<'_, 'de> {
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

impl<'de> Visitor<'de> for Any<'_, 'de> {
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
        let since = self.bounds.mark();
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Text)? {
            let value = map.next_value_seed(Any { bounds: self.bounds, depth: self.depth + 1 })?;
            self.bounds.name(since, name.clone());
            if self.bounds.found.is_none() {
                members.push((name, value));
            }
        }
        self.bounds.forget_since(since);
        Ok(Value::Object(members))
    }
}

/// Any value, checked and not kept.
struct Skipped<'b, 'a> {
    bounds: &'b mut Bounds<'a>,
    depth: u32,
}

impl<'de> DeserializeSeed<'de> for Skipped<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.bounds.keeps(self.depth) {
            deserializer.deserialize_any(self)
        } else {
            IgnoredAny::deserialize(deserializer).map(|_| ())
        }
    }
}

impl<'de> Visitor<'de> for Skipped<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        while items.next_element_seed(Skipped { bounds: self.bounds, depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (since, depth) = (self.bounds.mark(), self.depth + 1);
        while let Some(name) = map.next_key_seed(Text)? {
            map.next_value_seed(Skipped { bounds: self.bounds, depth })?;
            self.bounds.name(since, name);
        }
        self.bounds.forget_since(since);
        Ok(())
    }
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests;
