//! Header lines that go with every request.

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE,
    EXPECT, HOST, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderName, HeaderValue};
use oauth_core::Request;
use std::error::Error;
use std::fmt;

/// Header lines that go with every request of a session. No redirect takes them to another origin.
///
/// Shown without their values.
#[derive(Clone, Default)]
pub struct ExtraHeaders(Vec<(HeaderName, HeaderValue)>);

/// What the request, its framing and its credentials are made of is not for a list of lines to change.
const NOT_HERE: [HeaderName; 13] = [
    ACCEPT_ENCODING,
    HOST,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    TRANSFER_ENCODING,
    CONNECTION,
    TE,
    UPGRADE,
    EXPECT,
    AUTHORIZATION,
    PROXY_AUTHORIZATION,
    COOKIE,
];

impl ExtraHeaders {
    /// None.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads lines such as `X-Tenant: 42`, parted by line ends.
    ///
    /// # Errors
    /// A line is no header, or one that is set elsewhere: credentials, cookies, encodings, and what frames the request.
    pub fn from_lines(lines: &str) -> Result<Self, HeaderError> {
        let mut headers = Self::none();
        for (index, line) in lines.split("\r\n").flat_map(|line| line.split('\n')).enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let broken = |why| HeaderError { line: index + 1, why };
            let (name, value) =
                line.split_once(':').ok_or_else(|| broken("it has no colon after its name"))?;
            let name = HeaderName::try_from(name)
                .map_err(|_| broken("its name holds a character no name may hold"))?;
            let value = HeaderValue::from_str(value.trim_matches([' ', '\t']))
                .map_err(|_| broken("its value holds a character no value may hold"))?;
            headers = headers.with(name, value).map_err(|error| broken(error.why))?;
        }
        Ok(headers)
    }

    /// Adds a header. Several of one name are all sent, in their order.
    ///
    /// # Errors
    /// It is one that is set elsewhere.
    pub fn with(mut self, name: HeaderName, mut value: HeaderValue) -> Result<Self, HeaderError> {
        if NOT_HERE.contains(&name) {
            let why = if name == AUTHORIZATION {
                "an Authorization header is a setting of its own"
            } else if name == COOKIE {
                "cookies are added to the session"
            } else if name == ACCEPT_ENCODING {
                "the encodings to ask for are a setting of their own, by which answers are decoded"
            } else if name == PROXY_AUTHORIZATION {
                "a Proxy-Authorization header is a setting of the proxies"
            } else {
                "it frames the request, and is set by what sends it"
            };
            return Err(HeaderError { line: self.0.len() + 1, why });
        }
        // An API key looks like any other header.
        value.set_sensitive(true);
        self.0.push((name, value));
        Ok(self)
    }

    pub(super) fn lines(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The request with these lines in place of its own of their names. None of them takes the place of another.
pub(super) fn replace(request: Request, lines: &[(HeaderName, HeaderValue)]) -> Request {
    lines.iter().enumerate().fold(request, |request, (index, (name, value))| {
        if lines.iter().take(index).any(|(before, _)| before == name) {
            request.with_header(name.clone(), value.clone())
        } else {
            request.with_header_replaced(name.clone(), value.clone())
        }
    })
}

impl fmt::Debug for ExtraHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Why a line cannot be a header of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderError {
    line: usize,
    why: &'static str,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "header line {} cannot be sent: {}; write it as Name: value", self.line, self.why)
    }
}

impl Error for HeaderError {}
