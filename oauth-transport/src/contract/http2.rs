//! A server of HTTP/2 (RFC 9113) that is just enough for the cases: it reads frames, and answers with what it always answers.

use super::server::Connection;
use std::io::{self, Read as _, Write as _};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// A request, as far as it is understood here.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    pub(super) id: u32,
    /// The compressed headers (RFC 7541).
    pub(super) block: Vec<u8>,
    pub(super) body: Vec<u8>,
    ended: bool,
}

/// One connection, after the preface.
pub(super) struct Http2<'a> {
    connection: &'a mut Connection,
    open: Vec<Stream>,
}

impl<'a> Http2<'a> {
    pub(super) fn new(connection: &'a mut Connection) -> io::Result<Self> {
        let mut preface = [0; PREFACE.len()];
        connection.read_exact(&mut preface)?;
        if preface != PREFACE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut this = Self { connection, open: Vec::new() };
        this.write(SETTINGS, 0, 0, &[])?;
        Ok(this)
    }

    /// The next request that is whole; `None` when the transport closed instead.
    pub(super) fn request(&mut self) -> io::Result<Option<Stream>> {
        loop {
            if let Some(at) = self.open.iter().position(|stream| stream.ended) {
                return Ok(Some(self.open.remove(at)));
            }
            let mut head = [0; 9];
            match self.connection.read_exact(&mut head) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                read => read?,
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let (kind, flags) = (head[3], head[4]);
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & (u32::MAX >> 1);
            let mut payload = vec![0; length];
            self.connection.read_exact(&mut payload)?;
            match kind {
                SETTINGS if flags & ACK == 0 => self.write(SETTINGS, ACK, 0, &[])?,
                PING if flags & ACK == 0 => self.write(PING, ACK, 0, &payload)?,
                HEADERS | CONTINUATION | DATA => {
                    // RFC 9113 sections 6.1 and 6.2: padding and priority surround what counts.
                    let mut part = &payload[..];
                    if kind != CONTINUATION && flags & PADDED != 0 {
                        let padding = usize::from(part[0]);
                        part = &part[1..part.len() - padding];
                    }
                    if kind == HEADERS && flags & PRIORITY != 0 {
                        part = &part[5..];
                    }
                    let at = self.open.iter().position(|stream| stream.id == id).unwrap_or_else(|| {
                        self.open.push(Stream { id, ..Stream::default() });
                        self.open.len() - 1
                    });
                    let stream = &mut self.open[at];
                    if kind == DATA { &mut stream.body } else { &mut stream.block }.extend_from_slice(part);
                    stream.ended |= kind != CONTINUATION && flags & END_STREAM != 0;
                }
                _ => {}
            }
        }
    }

    /// Keeps bytes for the case to look at.
    pub(super) fn note(&self, bytes: &[u8]) {
        self.connection.note(bytes);
    }

    /// Status 200, and a body.
    pub(super) fn answer(&mut self, id: u32, body: &[u8]) -> io::Result<()> {
        // RFC 7541 appendix A: the static table's eighth entry is `:status: 200`.
        self.write(HEADERS, END_HEADERS, id, &[0x88])?;
        self.write(DATA, END_STREAM, id, body)
    }

    fn write(&mut self, kind: u8, flags: u8, id: u32, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?.to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(id.to_be_bytes());
        frame.extend_from_slice(payload);
        self.connection.write_all(&frame)
    }
}

/// How a header is written that has this index in the static table of RFC 7541, the value behind it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Remembered (section 6.2.1).
    Indexed,
    /// Not remembered here (section 6.2.2).
    NotIndexed,
    /// Never to be remembered, by whoever passes it on either (section 6.2.3).
    NeverIndexed,
}

/// How a block writes the header with this name index: every representation of section 6, without Huffman codes, which are
/// no matter here.
pub(super) fn written(block: &[u8], name: usize) -> Option<Written> {
    let mut rest = block;
    loop {
        let first = *rest.first()?;
        let (prefix, how) = match first {
            0x80.. => (7, None),
            0x40.. => (6, Some(Written::Indexed)),
            0x20.. => (5, None),
            0x10.. => (4, Some(Written::NeverIndexed)),
            _ => (4, Some(Written::NotIndexed)),
        };
        let index = integer(&mut rest, prefix)?;
        let Some(how) = how else { continue };
        if index == name {
            return Some(how);
        }
        for _ in 0..if index == 0 { 2 } else { 1 } {
            let length = integer(&mut rest, 7)?;
            rest = rest.get(length..)?;
        }
    }
}

/// RFC 7541 section 5.1.
fn integer(rest: &mut &[u8], prefix: u32) -> Option<usize> {
    let mut next = || {
        let (first, others) = rest.split_first()?;
        *rest = others;
        Some(usize::from(*first))
    };
    let most = (1 << prefix) - 1;
    let mut value = next()? & most;
    if value < most {
        return Some(value);
    }
    for shift in (0..28).step_by(7) {
        let byte = next()?;
        value += (byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
