//! The extent of an access token.

use crate::text::all;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

/// A list of scope values (RFC 6749 section 3.3).
///
/// Order and repetition mean nothing; it is kept as it was written. Scopes are case-sensitive. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope(Arc<str>);

impl Scope {
    /// Reads scope values with spaces between them.
    ///
    /// # Errors
    /// No value at all, or a character that a scope may not have (a quote, a backslash, anything beyond ASCII).
    pub fn new(text: &str) -> Result<Self, InvalidScope> {
        // RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
        let bytes = text.as_bytes();
        if !all(bytes, |byte| (byte.wrapping_sub(0x20) < 0x5F) & (byte != b'"') & (byte != b'\\')) {
            return Err(InvalidScope);
        }
        // Mostly there is nothing to tidy up.
        if !text.contains("  ") && !matches!(bytes, [] | [b' ', ..] | [.., b' ']) {
            return Ok(Self(text.into()));
        }
        let mut scope = String::with_capacity(text.len());
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            if !scope.is_empty() {
                scope.push(' ');
            }
            scope.push_str(value);
        }
        if scope.is_empty() { Err(InvalidScope) } else { Ok(Self(scope.into())) }
    }

    /// The values with single spaces between them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The values one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }

    /// Whether this value is among them.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.0.as_bytes().split(|byte| *byte == b' ').any(|own| own == value.as_bytes())
    }

    /// OpenID Connect Core section 3.1.2.1: `openid` asks for an ID token.
    pub(crate) fn asks_for_id_token(&self) -> bool {
        self.contains("openid")
    }

    /// Whether every value of `other` is among them.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|value| self.contains(value))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is not a list of scope values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidScope;

impl fmt::Display for InvalidScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scope is empty, or has a character that no scope may have")
    }
}

impl core::error::Error for InvalidScope {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_3_scope_values() {
        assert_eq!(Scope::new("  openid  a:b ").unwrap().as_str(), "openid a:b");
        for wrong in ["", "   ", "a\"b", "a\\b", "ä", "a\tb", "a\nb"] {
            assert_eq!(Scope::new(wrong), Err(InvalidScope), "{wrong:?}");
        }
        let wide = Scope::new("a b c").unwrap();
        assert!(wide.covers(&Scope::new("c a").unwrap()) && !wide.covers(&Scope::new("a d").unwrap()));
    }
}
