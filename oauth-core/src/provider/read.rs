//! A profile file: JSON, and nothing in it that is not known.

use super::error::ProviderError;
use super::fill::Fill;
use super::quirks::{Expiry, Format, Literal, Placement, Quirks};
use super::{ENDPOINTS, Provider, fill};
use crate::json::{self, Value};
use crate::policy::Policy;
use crate::request::Endpoint;
use crate::text::{Class, printable};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

pub(super) fn profile(text: &[u8]) -> Result<Provider, ProviderError> {
    let Value::Object(members) = json::value(text).map_err(ProviderError::Profile)? else {
        return Err(ProviderError::Profile(crate::failure::Malformed::NotAnObject));
    };
    let mut provider = Provider {
        name: String::new(),
        documentation: Vec::new(),
        issuer: None,
        endpoints: Vec::new(),
        headers: Vec::new(),
        quirks: Quirks::default(),
    };
    for (name, value) in members {
        member(&mut provider, &name, value)?;
    }
    if provider.name.is_empty() {
        return Err(ProviderError::Missing { member: "name" });
    }
    if provider.documentation.is_empty() {
        return Err(ProviderError::Missing { member: "documentation" });
    }
    if provider.endpoints.is_empty() {
        return Err(ProviderError::Missing { member: "token_endpoint" });
    }
    // The order of the file does not matter, and the first one names the server.
    provider.endpoints.sort_by_key(|(name, _)| ENDPOINTS.iter().position(|known| known == name));
    Ok(provider)
}

fn member(provider: &mut Provider, name: &str, value: Value<'_>) -> Result<(), ProviderError> {
    if let Some(endpoint) = ENDPOINTS.into_iter().find(|endpoint| *endpoint == name) {
        provider.endpoints.push((endpoint, url(name, value)?));
        return Ok(());
    }
    let quirks = &mut provider.quirks;
    match name {
        "name" => provider.name = named(name, value)?,
        "documentation" => provider.documentation = list(name, value, url)?,
        "issuer" => provider.issuer = Some(url(name, value)?),
        "parameters" => quirks.parameters = pairs(name, value, named)?,
        "scope_separator" => {
            let mark = |text: &str| matches!(text, "," | ";" | "|" | ":" | "+");
            quirks.scope_separator = Some(text(name, value, mark, "one of , ; | : +")?);
        }
        "unescaped_scope" => quirks.unescaped_scope = flag(name, &value)?,
        "authentication" => {
            quirks.authentication = Some(one_of(
                name,
                &value,
                &[
                    ("client_secret_basic", Placement::Basic),
                    ("client_secret_post", Placement::Post),
                    ("bearer_secret", Placement::Bearer),
                ],
                "client_secret_basic, client_secret_post or bearer_secret",
            )?);
        }
        "token_request" => {
            let formats = [("form", Format::Form), ("json", Format::Json), ("query", Format::Query)];
            quirks.token_request = one_of(name, &value, &formats, "form, json or query")?;
        }
        "authorize" => quirks.authorize = pairs(name, value, shown)?,
        "token" => quirks.token = pairs(name, value, shown)?,
        "headers" => {
            provider.headers = pairs(name, value, shown)?;
            // As they are, with any value for what is left open.
            for (name, value) in &provider.headers {
                let open: Vec<_> = fill::variables(value).map(|variable| (variable, "x")).collect();
                let _header = Fill(&open).header(name, value)?;
            }
        }
        "refresh_endpoint" => quirks.refresh_endpoint = Some(url(name, value)?),
        "fragment" => quirks.fragment = Some(named(name, value)?),
        "grant_types" => quirks.grant_types = pairs(name, value, shown)?,
        "answer" => {
            quirks.answer = pairs(name, value, path)?;
            let known = [
                "access_token",
                "token_type",
                "expires_in",
                "refresh_token",
                "scope",
                "id_token",
                "error",
                "error_description",
            ];
            among(name, &quirks.answer, &known, "a member of a token answer")?;
        }
        "errors" => quirks.errors = pairs(name, value, shown)?,
        "expiry" => {
            let units = [
                ("seconds", Expiry::Seconds),
                ("milliseconds", Expiry::Milliseconds),
                ("epoch", Expiry::Epoch),
            ];
            quirks.expiry = one_of(name, &value, &units, "seconds, milliseconds or epoch")?;
        }
        "expiry_zero_is_never" => quirks.expiry_zero_is_never = flag(name, &value)?,
        "token_type_missing" => quirks.token_type_missing = flag(name, &value)?,
        "bearer_types" => quirks.bearer_types = list(name, value, shown)?,
        "callback" => {
            quirks.callback = pairs(name, value, named)?;
            let known = ["code", "error", "error_description", "error_uri"];
            among(name, &quirks.callback, &known, "a parameter of an authorization response")?;
        }
        "keep" => quirks.keep = list(name, value, path)?,
        "refused_unless" => quirks.refused_unless = Some(condition(name, value)?),
        unknown => return Err(ProviderError::Unknown { member: printable(unknown, 40) }),
    }
    Ok(())
}

fn invalid(member: &str, expected: &'static str) -> ProviderError {
    ProviderError::Invalid { member: printable(member, 80), expected }
}

fn text(
    member: &str,
    value: Value<'_>,
    fits: impl Fn(&str) -> bool,
    expected: &'static str,
) -> Result<String, ProviderError> {
    let text = value.into_string().filter(|text| !text.is_empty() && fits(text));
    text.map(Cow::into_owned).ok_or_else(|| invalid(member, expected))
}

/// A name of a parameter, as the field spells them.
fn named(member: &str, value: Value<'_>) -> Result<String, ProviderError> {
    text(member, value, |text| Class::UNRESERVED.has_all(text), "a name of letters, digits and -_.~")
}

/// Names with dots between them.
fn path(member: &str, value: Value<'_>) -> Result<String, ProviderError> {
    let fits =
        |text: &str| !text.chars().any(char::is_control) && text.split('.').all(|name| !name.is_empty());
    text(member, value, fits, "a name, or names with dots between them")
}

fn shown(member: &str, value: Value<'_>) -> Result<String, ProviderError> {
    text(member, value, |text| !text.chars().any(char::is_control), "a text without control characters")
}

/// A URL that a request may go to, whatever is filled in.
fn url(member: &str, value: Value<'_>) -> Result<String, ProviderError> {
    let fits = |text: &str| {
        let open: Vec<_> = fill::variables(text).map(|variable| (variable, "x")).collect();
        let filled = Fill(&open).url(text);
        // Nothing is left open before the host: the scheme is the profile's.
        text.starts_with("https://") && filled.is_ok_and(|url| Endpoint::new(&url, &Policy::strict()).is_ok())
    };
    text(member, value, fits, "an https URL without user name and fragment")
}

fn flag(member: &str, value: &Value<'_>) -> Result<bool, ProviderError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::Null
        | Value::Unsigned(_)
        | Value::Float(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => Err(invalid(member, "true or false")),
    }
}

fn one_of<T: Copy>(
    member: &str,
    value: &Value<'_>,
    of: &[(&str, T)],
    expected: &'static str,
) -> Result<T, ProviderError> {
    let found = of.iter().find(|(name, _)| value.as_str() == Some(name));
    found.map(|(_, value)| *value).ok_or_else(|| invalid(member, expected))
}

type Read = fn(&str, Value<'_>) -> Result<String, ProviderError>;

fn list(member: &str, value: Value<'_>, read: Read) -> Result<Vec<String>, ProviderError> {
    let expected = "a list with something in it";
    let Value::Array(values) = value else { return Err(invalid(member, expected)) };
    if values.is_empty() {
        return Err(invalid(member, expected));
    }
    values.into_iter().map(|value| read(member, value)).collect()
}

fn pairs(member: &str, value: Value<'_>, read: Read) -> Result<Vec<(String, String)>, ProviderError> {
    let Value::Object(members) = value else { return Err(invalid(member, "an object")) };
    let pair = |(name, value): (Cow<'_, str>, Value<'_>)| {
        let at = alloc::format!("{member}.{name}");
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(invalid(&at, "a member with a name"));
        }
        Ok((name.into_owned(), read(&at, value)?))
    };
    members.into_iter().map(pair).collect()
}

fn among(
    member: &str,
    pairs: &[(String, String)],
    known: &[&str],
    expected: &'static str,
) -> Result<(), ProviderError> {
    match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(invalid(&alloc::format!("{member}.{name}"), expected)),
        None => Ok(()),
    }
}

/// `{"ok": true}`: one member, and what it has to be.
fn condition(member: &str, value: Value<'_>) -> Result<(String, Literal), ProviderError> {
    let expected = "an object with one member, which is true, false, a number or a text";
    let Value::Object(members) = value else { return Err(invalid(member, expected)) };
    let mut members = members.into_iter();
    match (members.next(), members.next()) {
        (Some((name, value)), None) => {
            let literal = match value {
                Value::Bool(value) => Literal::Bool(value),
                Value::Unsigned(number) => Literal::Number(number),
                Value::String(text) => Literal::Text(text.into_owned()),
                Value::Null | Value::Float(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    return Err(invalid(member, expected));
                }
            };
            Ok((path(member, Value::String(name))?, literal))
        }
        _ => Err(invalid(member, expected)),
    }
}
