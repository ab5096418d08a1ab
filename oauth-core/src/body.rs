//! The members of an answer: a JSON object, or a form, as older servers have it.
//!
//! Which of the two it is, its first bytes tell. The `Content-Type` is not asked: the field has JSON in `text/html` and
//! forms in `text/plain`, and neither spelling can be taken for the other.

use crate::failure::Malformed;
use crate::form;
use crate::json::{self, Bounds, Value, Wanted};

/// A struct with a field for each wanted member, and the reading of a body into it.
macro_rules! member_fields {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name<'a> {
            $($(#[$about])* $field: Option<Value<'a>>,)+
        }

        impl<'a> $name<'a> {
            fn read(&mut self, body: &'a [u8]) -> Result<(), Malformed> {
                #[derive(Clone, Copy)]
                #[allow(non_camel_case_types, reason = "named as the members are")]
                enum Field {
                    $($field,)+
                }
                impl Wanted for Field {
                    fn bit(self) -> u64 {
                        1 << self as u32
                    }
                }
                let wanted = |name: &str| {
                    $(if name == stringify!($field) {
                        return Some(Field::$field);
                    })+
                    None
                };
                body::members(body, wanted, |field, _, value| {
                    let member = match field {
                        $(Field::$field => &mut self.$field,)+
                    };
                    // A null is a member that is not there; of two, the first is kept and the document refused.
                    if member.is_none() && !matches!(value, Value::Null) {
                        *member = Some(value);
                    }
                })
            }
        }
    };
}
pub(crate) use member_fields;

/// The longest name of a first parameter that is looked for.
const LONGEST_NAME: usize = 64;

/// Hands over each wanted member, in order. Those after a reason to refuse are handed over all the same.
pub(crate) fn members<'a, W: Wanted>(
    body: &'a [u8],
    wanted: impl Fn(&str) -> Option<W>,
    member: impl FnMut(W, &str, Value<'a>),
) -> Result<(), Malformed> {
    match as_form(body) {
        Some(form) => parameters(form, wanted, member),
        None => json::members(body, wanted, member),
    }
}

/// A form begins with a name and an equals sign: no JSON text does, and no page.
fn as_form(body: &[u8]) -> Option<&[u8]> {
    let form = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let name = form.iter().take(LONGEST_NAME).take_while(|byte| is_name(byte)).count();
    (name > 0 && form.get(name) == Some(&b'=')).then_some(form)
}

fn parameters<'a, W: Wanted>(
    form: &'a [u8],
    wanted: impl Fn(&str) -> Option<W>,
    mut member: impl FnMut(W, &str, Value<'a>),
) -> Result<(), Malformed> {
    let mut bounds = Bounds::new();
    let since = bounds.mark();
    for (name, value) in form::readable(form) {
        if let Some(which) = wanted(&name) {
            // What cannot be decoded is there and is no text, and is judged as that: tokens are refused, advice passed over.
            member(which, &name, value.map_or(Value::Bool(true), Value::String));
        }
        // RFC 6749 section 3.2: no parameter comes twice.
        bounds.name(since, name);
    }
    bounds.verdict(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned as _;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn read(body: &[u8]) -> Result<Vec<(String, Value<'_>)>, Malformed> {
        let mut read = Vec::new();
        members(body, |_| Some(()), |(), name, value| read.push((name.to_owned(), value)))?;
        Ok(read)
    }

    #[test]
    fn the_first_bytes_tell_a_form_from_json() {
        for form in [&b"a=1"[..], b" a=1&b=2\r\n", b"\xEF\xBB\xBFa=", b"error_description=%"] {
            assert!(read(form).is_ok(), "{form:?}");
        }
        for json in [&b"true"[..], b"null", b"12", b"-1", b"1=2"[..1].as_ref(), b"\"a=1\"", b"[\"a=1\"]"] {
            assert_eq!(read(json), Err(Malformed::NotAnObject), "{json:?}");
        }
        for neither in [&b""[..], b"<a href=b>", b"OK", b"=a", b"a b=c", b"&a=1", b"{a=1}"] {
            assert_eq!(read(neither), Err(Malformed::NotJson), "{neither:?}");
        }
    }

    #[test]
    fn rfc6749_3_2_a_parameter_that_comes_twice_is_refused_and_the_rest_is_handed_over() {
        let mut last = None;
        let read =
            members(b"a=1&a=1&b=2", |_| Some(()), |(), name, value| last = Some((name.to_owned(), value)));
        assert_eq!(read, Err(Malformed::Duplicate("a".into())));
        assert_eq!(last, Some(("b".into(), Value::String("2".into()))));
    }
}
