//! A value of a document, and how it is written.

use crate::failure::Malformed;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

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
    /// A number as it is spelled, where neither of the two says it back so: [`read_exactly`](Self::read_exactly) alone
    /// gives it.
    Number(Number<'a>),
    /// A text.
    String(Cow<'a, str>),
    /// Values in their order.
    Array(Vec<Self>),
    /// Members in their order; no name comes twice.
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// A number in the spelling of its document, which may have more digits than any type of numbers; `Display` writes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number<'a>(pub(super) Cow<'a, str>);

impl Number<'_> {
    /// Its spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value<'static> {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(Cow::Owned(text.into()))
    }
}

impl<'a> Value<'a> {
    /// Reads a whole document as this crate reads all that comes from others: bounded in depth and size, and no member
    /// twice.
    ///
    /// # Errors
    /// It is not JSON, too large, or has a member twice.
    pub fn read(document: &'a [u8]) -> Result<Self, Malformed> {
        super::value(document)
    }

    /// As [`read`](Self::read), with each number that would be written otherwise than it is spelled kept as
    /// [`Number`](Self::Number): for what is shown or signed again, such as an identifier of more digits than `u64` has.
    ///
    /// # Errors
    /// As there.
    pub fn read_exactly(document: &'a [u8]) -> Result<Self, Malformed> {
        super::exact_value(document)
    }

    /// Reads an object of which only some members matter, at most 64: each is given in the place of its name. The others
    /// are checked as [`read`](Self::read) checks them, and cost no allocation.
    ///
    /// # Errors
    /// It is not JSON, no object, too large, or has a member twice.
    pub fn read_members<const N: usize>(
        document: &'a [u8],
        names: &[&str; N],
    ) -> Result<[Option<Self>; N], Malformed> {
        super::some_members(document, names)
    }

    /// The member of this name of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of a text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
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
            Self::Number(Number(text)) => Value::Number(Number(Cow::Owned(text.into_owned()))),
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
        if let Self::String(text) = self { Some(text) } else { None }
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
            Self::Number(number) => write!(f, "{number}"),
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

/// Writes a JSON string, quotes and all.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push_str(&quoted(text));
}

fn quoted(text: &str) -> String {
    // Writing a `str` into memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}
