//! What one HTTP exchange is told: what the engine does, as opposed to the session.

use crate::setting::Setting;
use http::HeaderName;
use std::num::NonZeroUsize;

/// The settings of HTTP itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http {
    /// The version to speak.
    pub version: HttpVersion,
    /// Whether a connection serves further requests. On by default; the component `OAuth` has it off.
    pub reuse_connections: bool,
    /// Headers that HTTP/2's compression must never remember (RFC 7541 section 7.1.3), beside those marked sensitive.
    pub unindexed: Vec<HeaderName>,
    /// Sends bodies in chunks of this size (RFC 9112 section 7.1) instead of with their length. HTTP/1.1 only, and some
    /// token endpoints refuse it.
    pub upload_chunk: Option<NonZeroUsize>,
    /// The longest line that a response's head may have, in bytes. `None` leaves it at the limit for the whole head.
    pub max_line: Option<NonZeroUsize>,
}

/// The HTTP version that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpVersion {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
    /// HTTP/2 where the server chooses it in the TLS handshake, else HTTP/1.1.
    Http2,
    /// HTTP/2; a server that does not choose it fails the request, before anything of it is sent.
    Http2Alone,
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Http {
    pub(super) const fn new() -> Self {
        Self {
            version: HttpVersion::Http11,
            reuse_connections: true,
            unindexed: Vec::new(),
            upload_chunk: None,
            max_line: None,
        }
    }

    pub(super) fn used(&self, used: &mut Vec<Setting>) {
        let Self { version, reuse_connections, unindexed, upload_chunk, max_line } = self;
        match version {
            HttpVersion::Http10 => used.push(Setting::Http10),
            HttpVersion::Http11 => {}
            HttpVersion::Http2 => used.push(Setting::Http2),
            HttpVersion::Http2Alone => used.extend([Setting::Http2, Setting::Http2Alone]),
        }
        if !reuse_connections {
            used.push(Setting::ConnectionPerRequest);
        }
        if !unindexed.is_empty() {
            used.push(Setting::UnindexedHeaders);
        }
        if upload_chunk.is_some() {
            used.push(Setting::ChunkedUpload);
        }
        if max_line.is_some() {
            used.push(Setting::LineLength);
        }
    }
}
