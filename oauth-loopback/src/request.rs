//! Bytes in, a request out: the HTTP/1 that a browser speaks to a loopback listener, without sockets.
//!
//! Limits are counted as the bytes arrive, never after. One request per connection: what follows it is left alone.

use crate::wire::HANDSHAKE;
use http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use http::{Method, StatusCode};
use std::fmt;
use zeroize::{Zeroize as _, Zeroizing};

/// The longest request line: a `code` can be a few thousand characters long, a JARM response more.
pub const MAX_REQUEST_LINE: usize = 8 * 1024;

/// The largest head, request line and headers together.
pub const MAX_HEAD: usize = 16 * 1024;

/// The largest body.
pub const MAX_BODY: usize = 64 * 1024;

const MAX_HEADERS: usize = 64;

/// What a connection begins with once it speaks: most requests fit.
const SMALL: usize = 1024;

/// Reads one request, in pieces of any size.
///
/// [`handle`](Self::handle) tells it what arrived, [`poll`](Self::poll) asks what it makes of it. The same bytes give
/// the same answer however they are cut.
pub struct Parser {
    buffer: Zeroizing<Vec<u8>>,
    stage: Stage,
    /// The request line has ended within its limit.
    line_fits: bool,
}

impl Parser {
    /// Nothing has arrived yet.
    #[must_use]
    pub fn new() -> Self {
        Self { buffer: Zeroizing::new(Vec::new()), stage: Stage::Head, line_fits: false }
    }

    /// Whether nothing at all has arrived.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.buffer.is_empty() && matches!(self.stage, Stage::Head)
    }

    /// Whether the head is still incomplete.
    #[must_use]
    pub const fn in_head(&self) -> bool {
        matches!(self.stage, Stage::Head)
    }

    /// Takes what arrived. Once the request is complete or refused, more bytes change nothing.
    pub fn handle(&mut self, mut bytes: &[u8]) {
        loop {
            if matches!(self.stage, Stage::Head) && self.buffer.is_empty() {
                // RFC 9112 section 2.2: empty lines before the request line are ignored.
                let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                bytes = &bytes[blank..];
            }
            if matches!(self.stage, Stage::Head)
                && self.buffer.is_empty()
                && bytes.first() == Some(&HANDSHAKE)
            {
                return self.end(Err(Refusal::Tls));
            }
            let wanted = match self.stage {
                Stage::Head => MAX_HEAD + 1,
                Stage::Body { total, .. } => total,
                Stage::Over(_) => return,
            };
            let (now, later) = bytes.split_at(bytes.len().min(wanted.saturating_sub(self.buffer.len())));
            bytes = later;
            self.append(now);
            match &self.stage {
                Stage::Head => self.handle_head(now.contains(&b'\n')),
                Stage::Body { .. } => self.handle_body(),
                Stage::Over(_) => {}
            }
            if bytes.is_empty() {
                return;
            }
        }
    }

    /// The request, or why it is refused; `None` while more bytes are needed, and after it was handed out.
    #[must_use]
    pub fn poll(&mut self) -> Option<Result<Request, Refusal>> {
        match &mut self.stage {
            Stage::Over(result) => result.take(),
            Stage::Head | Stage::Body { .. } => None,
        }
    }

    /// Ends it before it is complete.
    #[cfg(feature = "tls")]
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.end(Err(refusal));
    }

    fn append(&mut self, bytes: &[u8]) {
        let needed = self.buffer.len() + bytes.len();
        if needed > self.buffer.capacity() {
            // `Vec` frees its old memory as it is, and a code may be in it.
            let mut larger = Vec::with_capacity(needed.next_power_of_two().max(SMALL));
            larger.extend_from_slice(&self.buffer);
            self.buffer.zeroize();
            *self.buffer = larger;
        }
        self.buffer.extend_from_slice(bytes);
    }

    fn handle_head(&mut self, new_line: bool) {
        if !self.line_fits && (new_line || self.buffer.len() > MAX_REQUEST_LINE) {
            let end = self.buffer.iter().position(|byte| *byte == b'\n');
            let line = &self.buffer[..end.unwrap_or(self.buffer.len())];
            if line.strip_suffix(b"\r").unwrap_or(line).len() > MAX_REQUEST_LINE {
                return self.end(Err(Refusal::LineTooLong));
            }
            self.line_fits = end.is_some();
        }
        // A head can be complete, or be seen to be none, only where a line ends.
        if new_line {
            let within = &self.buffer[..self.buffer.len().min(MAX_HEAD)];
            let lines = within.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            match read_head(&self.buffer[..lines]) {
                Ok(None) => {}
                Ok(Some((request, head, body))) => {
                    self.stage = Stage::Body { request, head, total: head + body };
                    return self.handle_body();
                }
                Err(refusal) => return self.end(Err(refusal)),
            }
        }
        if self.buffer.len() > MAX_HEAD {
            self.end(Err(Refusal::HeadTooLarge));
        }
    }

    fn handle_body(&mut self) {
        let Stage::Body { request, head, total } = &mut self.stage else { return };
        if let Some(body) = self.buffer.get(*head..*total) {
            request.body.extend_from_slice(body);
            let request = std::mem::take(request);
            self.end(Ok(*request));
        }
    }

    fn end(&mut self, result: Result<Request, Refusal>) {
        self.stage = Stage::Over(Some(result));
        self.buffer.zeroize();
    }
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser").field("bytes", &self.buffer.len()).finish_non_exhaustive()
    }
}

/// A request as it came, complete and within the limits; nothing in it is believed yet.
#[derive(Default)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) target: Zeroizing<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The target and the body hold codes, the headers may hold cookies.
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Why a request is refused before anybody looks at what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Not HTTP/1, or a request that could be read in two ways.
    Malformed,
    /// An HTTP version other than 1.0 and 1.1.
    Version,
    /// The request line is longer than [`MAX_REQUEST_LINE`].
    LineTooLong,
    /// The head is larger than [`MAX_HEAD`], or has too many headers.
    HeadTooLarge,
    /// The body is larger than [`MAX_BODY`].
    BodyTooLarge,
    /// A body without `Content-Length`.
    NoLength,
    /// The client waits for a go-ahead, which no browser does.
    Expectation,
    /// The rest did not come in time.
    TooSlow,
    /// The browser speaks TLS where plain HTTP is spoken: there is nothing to answer, and the connection is closed.
    Tls,
    /// The client speaks plain HTTP where TLS is spoken.
    NotTls,
}

impl Refusal {
    /// The status that answers it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Malformed | Self::Tls | Self::NotTls => StatusCode::BAD_REQUEST,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::LineTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoLength => StatusCode::LENGTH_REQUIRED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

enum Stage {
    Head,
    Body { request: Box<Request>, head: usize, total: usize },
    Over(Option<Result<Request, Refusal>>),
}

/// Whole lines to a request without its body, the length of the head, and the length of the body.
fn read_head(lines: &[u8]) -> Result<Option<(Box<Request>, usize, usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(lines) {
        Ok(httparse::Status::Partial) => return Ok(None),
        Ok(httparse::Status::Complete(length)) => length,
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(httparse::Error::Version) => return Err(Refusal::Version),
        Err(_) => return Err(Refusal::Malformed),
    };
    let (Some(method), Some(target)) = (head.method, head.path) else { return Err(Refusal::Malformed) };
    let mut request = Box::new(Request {
        method: Method::from_bytes(method.as_bytes()).map_err(|_| Refusal::Malformed)?,
        target: Zeroizing::new(target.to_owned()),
        headers: HeaderMap::with_capacity(head.headers.len()),
        body: Zeroizing::new(Vec::new()),
    });
    for header in head.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| Refusal::Malformed)?;
        let value = HeaderValue::from_bytes(header.value).map_err(|_| Refusal::Malformed)?;
        request.headers.append(name, value);
    }
    let body = body_length(&request)?;
    Ok(Some((request, length, body)))
}

fn body_length(request: &Request) -> Result<usize, Refusal> {
    let mut lengths = request.headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    let chunked = request.headers.contains_key(TRANSFER_ENCODING);
    // RFC 9112 section 6.3: two framings, or two lengths, are two readings of one request.
    if lengths.next().is_some() || (chunked && length.is_some()) {
        return Err(Refusal::Malformed);
    }
    // RFC 9110 section 10.1.1: an expectation is met with 100 or with a final status.
    if request.headers.contains_key(EXPECT) {
        return Err(Refusal::Expectation);
    }
    let Some(length) = length else {
        // RFC 9112 section 6.3: a server may ask for a length.
        return if chunked || request.method == Method::POST { Err(Refusal::NoLength) } else { Ok(0) };
    };
    let digits = length.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::Malformed);
    }
    // Digits alone: what does not fit a `u64` is too large as well.
    let length = length.to_str().ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(u64::MAX);
    match usize::try_from(length) {
        Ok(length) if length <= MAX_BODY => Ok(length),
        _ => Err(Refusal::BodyTooLarge),
    }
}

/// The one value of a header that must not come twice.
pub(crate) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

impl Request {
    pub(crate) fn host(&self) -> Option<&str> {
        only(&self.headers, &HOST)?.to_str().ok()
    }

    pub(crate) fn is_form(&self) -> bool {
        let Some(Ok(content_type)) = only(&self.headers, &CONTENT_TYPE).map(HeaderValue::to_str) else {
            return false;
        };
        let essence = content_type.split_once(';').map_or(content_type, |(essence, _)| essence);
        essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }
}

#[cfg(test)]
mod tests;
