//! Reading a response to its end, or to a limit.

use crate::failure::{self, Route};
use crate::silence::Silence;
use crate::telling::Telling;
use async_io::Timer;
use futures_lite::AsyncReadExt as _;
use futures_lite::future::or;
use http::header::TRANSFER_ENCODING;
use http::{StatusCode, Version};
use isahc::AsyncBody;
use oauth_core::{Response, Unreachable};
use oauth_transport::BytesPerSecond;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How large a head may be: what servers themselves accept is far less.
pub(crate) const MAX_HEAD: usize = 64 << 10;
pub(crate) const MAX_HEADER_LINES: usize = 100;
/// How much is read at once.
const CHUNK: usize = 8 << 10;

/// How much of a response is read, and how fast.
pub(crate) struct Limits {
    pub(crate) body: usize,
    pub(crate) line: Option<NonZeroUsize>,
    pub(crate) rate: Option<BytesPerSecond>,
    /// When the request as a whole has taken too long.
    pub(crate) until: Option<Instant>,
}

pub(crate) async fn read(
    response: http::Response<AsyncBody>,
    limits: &Limits,
    route: &Route<'_>,
    silence: &Silence,
    telling: &Telling<'_>,
) -> Result<Response, Unreachable> {
    let (parts, mut incoming) = response.into_parts();
    silence.broken();
    check_head(&parts, limits.line)?;
    telling.head(&parts);
    let announced = incoming.len();
    let capacity = announced.map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
    if capacity > limits.body {
        return Err(failure::body_too_large(limits.body));
    }
    // Room for what was announced: a body that grows leaves copies of its secrets behind.
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    // No larger than the body, and a byte to see its end by: each byte of it has to be wiped.
    let size = if announced.is_some() { (capacity + 1).min(CHUNK) } else { CHUNK };
    let mut chunk = Zeroizing::new(vec![0; size]);
    let start = Instant::now();
    loop {
        let reading = async { Some(incoming.read(&mut chunk).await) };
        let silent = async {
            silence.too_long().await;
            None
        };
        let length = match or(reading, silent).await {
            Some(Ok(length)) => length,
            Some(Err(error)) => return Err(failure::engine(error.into(), route)),
            None => return Err(failure::silent(route)),
        };
        if length == 0 {
            break;
        }
        silence.broken();
        if length > limits.body - body.len() {
            return Err(failure::body_too_large(limits.body));
        }
        body.extend_from_slice(&chunk[..length]);
        telling.received(&chunk[..length], body.len(), announced);
        if let Some(due) = limits.due(start, body.len()) {
            hold_back(due, limits.until).await.map_err(|_| failure::too_slow(route))?;
            silence.broken();
        }
    }
    if !is_whole(&parts, announced, body.len()) {
        return Err(failure::cut_short());
    }
    if !body.is_empty() {
        telling.end_of_body();
    }
    let mut response = http::Response::new(std::mem::take(&mut *body));
    *response.version_mut() = parts.version;
    *response.status_mut() = parts.status;
    *response.headers_mut() = parts.headers;
    Ok(response.into())
}

impl Limits {
    /// When so many bytes may have come. libcurl lets nearly two seconds' worth through at once where the length of a body was
    /// announced.
    fn due(&self, start: Instant, bytes: usize) -> Option<Instant> {
        let rate = self.rate?.bytes().get();
        let micros = (bytes as u128 * 1_000_000).div_ceil(rate.into());
        start.checked_add(Duration::from_micros(u64::try_from(micros).ok()?))
    }
}

/// Waits until a time, or fails at an earlier one.
async fn hold_back(due: Instant, until: Option<Instant>) -> Result<(), TooLate> {
    match until {
        Some(until) if until < due => {
            Timer::at(until).await;
            Err(TooLate)
        }
        _ => {
            Timer::at(due).await;
            Ok(())
        }
    }
}

struct TooLate;

fn check_head(head: &http::response::Parts, longest: Option<NonZeroUsize>) -> Result<(), Unreachable> {
    let lines = || head.headers.iter().map(|(name, value)| name.as_str().len() + 2 + value.len());
    if lines().map(|line| line + 2).sum::<usize>() > MAX_HEAD || head.headers.len() > MAX_HEADER_LINES {
        return Err(failure::head_too_large());
    }
    // What the server calls its status is not known here.
    let first = "HTTP/1.1 200 ".len() + head.status.canonical_reason().map_or(0, str::len);
    match longest {
        Some(longest) if lines().chain([first]).any(|line| line > longest.get()) => {
            Err(failure::line_too_long(longest))
        }
        _ => Ok(()),
    }
}

/// RFC 9112 section 8: a response is not whole if its connection ends in its head, or before its announced length.
fn is_whole(head: &http::response::Parts, announced: Option<u64>, length: usize) -> bool {
    // RFC 9112 section 6.3: a 204 or 304 ends with its head, whatever it announces.
    let may_have_body = !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if !may_have_body {
        return true;
    }
    if head.headers.contains_key(TRANSFER_ENCODING) {
        // libcurl sees that a chunk is missing, but for all of them: a head without its last byte is one for it, too.
        return length > 0;
    }
    match announced {
        Some(announced) => length as u64 == announced,
        // RFC 9113 section 8.1: the end of a stream is said. In HTTP/1, libcurl takes the end of the connection for the end
        // of the head, so an empty body counts only where it was announced.
        None => length > 0 || head.version == Version::HTTP_2,
    }
}
