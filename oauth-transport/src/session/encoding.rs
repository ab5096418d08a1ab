//! Content encodings (RFC 9110 section 8.4): decoded within a bound, and gzip for requests.

use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;
use std::fmt;
use std::io::{self, Read, Write as _};
use zeroize::Zeroizing;

/// Nobody encodes twice who means well.
const MOST: usize = 2;

/// A content encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// gzip (RFC 1952).
    Gzip,
    /// deflate: the zlib format (RFC 1950), and the bare one (RFC 1951) that some servers send under this name.
    Deflate,
    /// Brotli (RFC 7932).
    Brotli,
}

impl Coding {
    /// Its name in `Accept-Encoding`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }

    /// The encoding of this name, in upper or lower case; `x-gzip` is gzip. `None` where there is none of the name here.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            _ => None,
        }
    }
}

/// The value of `Accept-Encoding`.
pub(super) fn accept(codings: &[Coding]) -> String {
    codings.iter().map(|coding| coding.name()).collect::<Vec<_>>().join(", ")
}

/// Why a body could not be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// The encoding has no meaning here.
    Unknown(String),
    /// It is encoded more often than anybody has reason to.
    TooOften,
    /// It is no such encoding, or ends too early.
    Broken(Coding),
    /// It has more bytes than the limit.
    TooLarge,
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(f, "its content encoding {name:?} was not asked for, and is not known here")
            }
            Self::TooOften => write!(f, "it is encoded more than {MOST} times"),
            Self::Broken(coding) => write!(f, "it is no whole {}", coding.name()),
            Self::TooLarge => f.write_str("it has too many bytes once it is decoded"),
        }
    }
}

/// Undoes the encodings that `Content-Encoding` lists, the last one first. Never makes more than `limit` bytes.
pub(super) fn decode(
    body: &[u8],
    encodings: &str,
    limit: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>, Undecodable> {
    let names = encodings.split(',').map(str::trim);
    let mut codings = Vec::new();
    for name in names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity")) {
        codings.push(Coding::from_name(name).ok_or_else(|| Undecodable::Unknown(name.to_owned()))?);
    }
    if codings.len() > MOST {
        return Err(Undecodable::TooOften);
    }
    let mut decoded: Option<Zeroizing<Vec<u8>>> = None;
    for coding in codings.into_iter().rev() {
        decoded = Some(undo(coding, decoded.as_ref().map_or(body, |bytes| bytes), limit)?);
    }
    Ok(decoded)
}

fn undo(coding: Coding, body: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, Undecodable> {
    if body.is_empty() {
        // A response without a body may still name the encoding that it would have.
        return Ok(Zeroizing::default());
    }
    if coding == Coding::Deflate {
        return match read(ZlibDecoder::new(body), || ZlibDecoder::new(body), limit) {
            Err(Failed::Broken) => read(DeflateDecoder::new(body), || DeflateDecoder::new(body), limit),
            outcome => outcome,
        }
        .map_err(|failed| failed.of(coding));
    }
    match coding {
        Coding::Brotli => {
            let brotli = || brotli_decompressor::Decompressor::new(body, 4096);
            read(brotli(), brotli, limit)
        }
        _ => read(MultiGzDecoder::new(body), || MultiGzDecoder::new(body), limit),
    }
    .map_err(|failed| failed.of(coding))
}

enum Failed {
    Broken,
    TooLarge,
}

impl Failed {
    const fn of(self, coding: Coding) -> Undecodable {
        match self {
            Self::Broken => Undecodable::Broken(coding),
            Self::TooLarge => Undecodable::TooLarge,
        }
    }
}

/// Reads twice: once for the size, so that the bytes, which may be secret, come into a buffer that never moves.
fn read<R: Read>(first: R, second: impl FnOnce() -> R, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let size = io::copy(&mut first.take(bound), &mut io::sink()).map_err(|_| Failed::Broken)?;
    if size >= bound {
        return Err(Failed::TooLarge);
    }
    let mut decoded = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(limit)));
    second().take(bound).read_to_end(&mut decoded).map_err(|_| Failed::Broken)?;
    Ok(decoded)
}

/// The same bytes by gzip.
pub(super) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() + 32), Compression::default());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}
