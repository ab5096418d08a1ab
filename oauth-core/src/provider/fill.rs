//! What a profile leaves open, filled in: `https://{tenant}.example/token`.

use super::error::ProviderError;
use crate::text::printable;
use alloc::string::String;
use http::header::{HeaderName, HeaderValue};

/// The values of the variables.
pub(super) struct Fill<'a>(pub(super) &'a [(&'a str, &'a str)]);

/// The names between braces.
pub(super) fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

impl Fill<'_> {
    /// In a URL a value stays in its place: it can end no host, no path and no parameter.
    pub(super) fn url(&self, template: &str) -> Result<String, ProviderError> {
        let in_place = |value: &str| {
            value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'))
                && !value.contains("..")
        };
        self.fill(template, in_place, "letters, digits and -_.~ alone, and no two dots in a row")
    }

    pub(super) fn text(&self, template: &str) -> Result<String, ProviderError> {
        self.fill(
            template,
            |value| !value.chars().any(char::is_control),
            "a value without control characters",
        )
    }

    pub(super) fn header(
        &self,
        name: &str,
        template: &str,
    ) -> Result<(HeaderName, HeaderValue), ProviderError> {
        let value = self.text(template)?;
        let expected = "a name and a value that a header may have";
        let invalid =
            || ProviderError::Invalid { member: alloc::format!("headers.{}", printable(name, 40)), expected };
        Ok((
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?,
            HeaderValue::from_str(&value).map_err(|_| invalid())?,
        ))
    }

    fn fill(
        &self,
        template: &str,
        fits: impl Fn(&str) -> bool,
        expected: &'static str,
    ) -> Result<String, ProviderError> {
        let mut pieces = template.split('{');
        let mut filled = String::from(pieces.next().unwrap_or_default());
        for piece in pieces {
            let Some((name, rest)) = piece.split_once('}') else {
                filled.push('{');
                filled.push_str(piece);
                continue;
            };
            let missing = |expected| ProviderError::Variable { name: printable(name, 40), expected };
            let (_, value) =
                self.0.iter().find(|(known, _)| *known == name).ok_or_else(|| missing("a value"))?;
            if value.is_empty() || !fits(value) {
                return Err(missing(expected));
            }
            filled.push_str(value);
            filled.push_str(rest);
        }
        Ok(filled)
    }
}
