//! What came back from the browser, before anybody believes it.

/// An authorization response, by whichever response mode it came. Not yet checked.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum AuthorizationResponse<'a> {
    /// The query of the redirect URI, without the `?`.
    Query(&'a str),
    /// The fragment of the redirect URI, without the `#`.
    Fragment(&'a str),
    /// The body of a form that the browser posted.
    Form(&'a [u8]),
}

impl<'a> AuthorizationResponse<'a> {
    /// All modes carry the same form.
    pub(crate) const fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Query(text) | Self::Fragment(text) => text.as_bytes(),
            Self::Form(body) => body,
        }
    }
}

impl core::fmt::Debug for AuthorizationResponse<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // It holds a code.
        f.write_str(match self {
            Self::Query(_) => "Query([redacted])",
            Self::Fragment(_) => "Fragment([redacted])",
            Self::Form(_) => "Form([redacted])",
        })
    }
}

/// Whether an authorization response belongs to a pending login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recognised {
    /// It carries our `state`, be it with a code or with an error: redeem it.
    Ours,
    /// It does not: answer 400 and keep waiting.
    NotOurs(NotOurs),
}

/// Why an authorization response does not belong to a pending login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotOurs {
    /// No `state`: a stranger, a favicon, or a server that does not send it back.
    NoState,
    /// The `state` of another login: an old tab, or an attack (RFC 9700 section 4.7).
    OtherState,
    /// More than one `state` (RFC 6749 section 3.1), or bytes that are not a form.
    Ambiguous,
}

impl core::fmt::Display for NotOurs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoState => "it carries no state",
            Self::OtherState => "its state is that of another login, such as an old tab",
            Self::Ambiguous => "it carries more than one state, or cannot be read",
        })
    }
}
