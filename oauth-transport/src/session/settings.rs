//! What a session can be told.

use super::file::ResponseFile;
use super::headers::ExtraHeaders;
use super::redirect::Redirects;
use http::HeaderValue;
use std::fmt;
use std::time::SystemTime;

/// What an HTTP session does beside sending one request: the same on every engine.
///
/// The default does nothing: no redirect is followed, no cookie kept, no encoding asked for.
#[derive(Clone)]
#[non_exhaustive]
pub struct SessionSettings {
    /// Which redirects are followed. Whatever is set, no request that carries a credential leaves its origin, and no token
    /// request is redirected at all (RFC 9700 section 4.12).
    pub redirects: Redirects,
    /// How many redirects are followed for one call.
    pub max_redirects: u32,
    /// Whether a 301 or 302 turns another method than GET into a GET without a body, as browsers do. A 303 always does.
    /// For requests to [resources](oauth_core::Purpose::Resource) alone.
    pub get_on_302: bool,
    /// Header lines that go with every request, whatever server it is for: one that metadata names, as the server of its keys
    /// may be, gets them, too. They take the place of the request's own of their names. No redirect takes them to another origin.
    pub headers: ExtraHeaders,
    /// The value of `Authorization` in place of the client's authentication: where a client authenticates, and so neither for
    /// metadata and keys, which may be on other servers, nor for resources.
    pub authorization: Option<HeaderValue>,
    /// Asks servers to send what is new since then alone (RFC 9110 section 13.1.3). For GETs; a 304 is a success. HTTP
    /// writes the years 1970 to 9999.
    pub if_modified_since: Option<SystemTime>,
    /// How many bytes of body a response may have, encoded and decoded. `None` leaves it at what the request says: 1 MiB.
    /// More is an error, never a cut.
    pub max_body: Option<usize>,
    /// What of the wire is kept for [`Memory::transcript`](super::Memory::transcript).
    pub recording: Recording,
    /// A file for the bodies of responses.
    pub file: Option<ResponseFile>,
    /// Shows secrets in log events: credentials, codes, tokens. **Dangerous**: whoever reads the log can use them.
    pub dangerously_log_secrets: bool,
    /// The encodings to ask for, the best first, and to decode. Empty asks for none.
    #[cfg(feature = "compression")]
    pub accept_encodings: Vec<super::Coding>,
    /// Sends bodies compressed by gzip. Most token endpoints refuse that.
    #[cfg(feature = "compression")]
    pub compress_requests: bool,
    /// Whether cookies of responses are kept and sent back (RFC 6265).
    #[cfg(feature = "cookies")]
    pub keep_cookies: bool,
}

/// What of the wire is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Recording {
    /// Nothing.
    #[default]
    Nothing,
    /// The heads of requests, and whole responses.
    Responses,
    /// Whole requests, too. They hold client secrets and codes.
    Everything,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self::new()
    }
}

impl SessionSettings {
    /// The default, which does nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            redirects: Redirects::Never,
            max_redirects: 20,
            get_on_302: false,
            headers: ExtraHeaders::none(),
            authorization: None,
            if_modified_since: None,
            max_body: None,
            recording: Recording::Nothing,
            file: None,
            dangerously_log_secrets: false,
            #[cfg(feature = "compression")]
            accept_encodings: Vec::new(),
            #[cfg(feature = "compression")]
            compress_requests: false,
            #[cfg(feature = "cookies")]
            keep_cookies: false,
        }
    }

    /// Whether there is nothing to do.
    pub(super) fn is_plain(&self) -> bool {
        // Taken apart without `..`: a field that is new is asked about here. The first three matter once redirects are
        // followed, and the log once there are events.
        let Self {
            redirects,
            max_redirects: _,
            get_on_302: _,
            headers,
            authorization,
            if_modified_since,
            max_body,
            recording,
            file,
            dangerously_log_secrets: _,
            #[cfg(feature = "compression")]
            accept_encodings,
            #[cfg(feature = "compression")]
            compress_requests,
            #[cfg(feature = "cookies")]
            keep_cookies,
        } = self;
        let plain = *redirects == Redirects::Never
            && headers.is_empty()
            && authorization.is_none()
            && if_modified_since.is_none()
            && max_body.is_none()
            && *recording == Recording::Nothing
            && file.is_none();
        #[cfg(feature = "compression")]
        let plain = plain && accept_encodings.is_empty() && !compress_requests;
        #[cfg(feature = "cookies")]
        let plain = plain && !keep_cookies;
        plain
    }
}

impl fmt::Debug for SessionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SessionSettings");
        shown
            .field("redirects", &self.redirects)
            .field("max_redirects", &self.max_redirects)
            .field("get_on_302", &self.get_on_302)
            .field("headers", &self.headers)
            .field("authorization", &self.authorization.as_ref().map(|_| "[redacted]"))
            .field("if_modified_since", &self.if_modified_since)
            .field("max_body", &self.max_body)
            .field("recording", &self.recording)
            .field("file", &self.file)
            .field("dangerously_log_secrets", &self.dangerously_log_secrets);
        #[cfg(feature = "compression")]
        shown
            .field("accept_encodings", &self.accept_encodings)
            .field("compress_requests", &self.compress_requests);
        #[cfg(feature = "cookies")]
        shown.field("keep_cookies", &self.keep_cookies);
        shown.finish()
    }
}
