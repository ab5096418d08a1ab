//! Which protected resource a token is for (RFC 8707).

use crate::form::Form;
use crate::text::Class;
use alloc::string::String;
use core::fmt;

/// The identifier of a protected resource: an absolute URI without fragment (RFC 8707 section 2).
///
/// Kept and compared exactly as it is written. A request may name several.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource(String);

impl Resource {
    /// Checks the text.
    ///
    /// # Errors
    /// It is not an absolute URI, or has a fragment.
    pub fn new(uri: impl Into<String>) -> Result<Self, InvalidResource> {
        let uri = uri.into();
        if is_absolute_uri(&uri) { Ok(Self(uri)) } else { Err(InvalidResource) }
    }

    /// The URI as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names each of them to a token or device authorization endpoint.
    pub(crate) fn write(resources: &[Self], form: &mut Form) {
        // RFC 8707 section 2: several are several parameters of the one name.
        for resource in resources {
            form.pair("resource", &resource.0);
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is not the identifier of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidResource;

impl fmt::Display for InvalidResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the resource is not an absolute URI without fragment")
    }
}

impl core::error::Error for InvalidResource {}

/// RFC 3986 section 4.3: `scheme ":" hier-part [ "?" query ]`, and no fragment.
///
/// Servers compare such URIs character by character, so they are sent as they are written and not parsed any further.
pub(crate) fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        && !rest.is_empty()
        && Class::URI.has_all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8707_2_a_resource_is_an_absolute_uri_without_fragment() {
        for right in ["https://api.example", "https://api.example/app/?x=1", "urn:example:api"] {
            assert_eq!(Resource::new(right).unwrap().as_str(), right);
        }
        for wrong in ["", "api", "/api", "https://api.example/#part", "https://api.example/a b"] {
            assert_eq!(Resource::new(wrong), Err(InvalidResource), "{wrong}");
        }
    }
}
