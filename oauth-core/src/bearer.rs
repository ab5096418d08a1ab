//! An access token in the `Authorization` header (RFC 6750 section 2.1).

use crate::secret::AccessToken;
use alloc::vec::Vec;
use core::fmt;
use http::header::HeaderValue;
use zeroize::Zeroizing;

impl AccessToken {
    /// The value of an `Authorization` header: `Bearer mF_9.B5f-4.1JqM` (RFC 6750 section 2.1).
    ///
    /// It is marked sensitive, which keeps it out of `Debug` and of the tables of HTTP/2; nobody wipes it.
    ///
    /// # Errors
    /// The token has a character that no bearer token may have, a space among them: put into the header it would end
    /// early, or look like two.
    pub fn bearer(&self) -> Result<HeaderValue, InvalidBearerToken> {
        is_b64token(self.expose()).then_some(()).ok_or(InvalidBearerToken)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(SCHEME.len() + self.expose().len()));
        bytes.extend_from_slice(SCHEME.as_bytes());
        bytes.extend_from_slice(self.expose().as_bytes());
        let mut value = HeaderValue::from_bytes(&bytes).map_err(|_| InvalidBearerToken)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// What goes before the token.
pub(crate) const SCHEME: &str = "Bearer ";

/// RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
pub(crate) fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(is_token68)
}

/// A character of a `b64token`, which is the `token68` of RFC 9110 section 11.2.
pub(crate) const fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

/// An access token cannot be presented as a bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidBearerToken;

impl fmt::Display for InvalidBearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the access token is empty, or has a character that a bearer token may not have: request another, or ask \
             the server's operator how it is to be presented",
        )
    }
}

impl core::error::Error for InvalidBearerToken {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn rfc6750_2_1_the_header_of_the_example() {
        for token in ["mF_9.B5f-4.1JqM", "a", "a+/~==", "eyJhbGciOiJub25lIn0.e30."] {
            let value = AccessToken::new(token).bearer().unwrap();
            assert_eq!(value, format!("Bearer {token}"));
            assert!(value.is_sensitive() && !format!("{value:?}").contains(token));
        }
    }

    /// Threat T6: a token must not end its header, nor begin another.
    #[test]
    fn t6_a_token_that_would_leave_its_place_is_refused() {
        for token in [
            "",
            "=",
            "a b",
            " a",
            "a ",
            "a\r\nX: y",
            "a\0",
            "a\u{1}",
            "a,b",
            "a=b",
            "\"a\"",
            "a;b",
            "ä",
            "a\t",
        ] {
            let error = AccessToken::new(token).bearer().unwrap_err();
            assert_eq!(error, InvalidBearerToken, "{token:?}");
        }
    }
}
