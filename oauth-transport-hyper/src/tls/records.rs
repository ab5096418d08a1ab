//! The headers of TLS records on their way, for the log: what kind, which version, how long. Never what is in them.

use oauth_transport::{EventSink, LogLevel, LogType};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The stream below TLS.
pub(crate) struct Records<S> {
    stream: S,
    sent: Headers,
    received: Headers,
    /// Whether a message of the handshake came in.
    has_answer: bool,
    log: Option<EventSink>,
}

impl<S> Records<S> {
    /// Logs nothing where the settings do not ask for it, or nobody listens.
    pub(super) fn new(stream: S, events: Option<&EventSink>) -> Self {
        let log = events.filter(|events| events.logs(LogLevel::Debug)).cloned();
        Self { stream, sent: Headers::default(), received: Headers::default(), has_answer: false, log }
    }

    /// Whether the server has answered with a message of the handshake.
    pub(super) const fn has_answer(&self) -> bool {
        self.has_answer
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Records<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(context, buffer);
        // After the handshake, records matter to the log alone.
        if matches!(result, Poll::Ready(Ok(()))) && (this.log.is_some() || !this.has_answer) {
            let bytes = buffer.filled().get(before..).unwrap_or_default();
            this.received.read(bytes, |header| {
                this.has_answer |= header[0] == HANDSHAKE;
                log(this.log.as_ref(), header, "received");
            });
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Records<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(context, bytes);
        if let (Some(_), Poll::Ready(Ok(written))) = (&this.log, &result) {
            let bytes = bytes.get(..*written).unwrap_or_default();
            this.sent.read(bytes, |header| log(this.log.as_ref(), header, "sent"));
        }
        result
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.log.is_none() {
            return Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        }
        let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
        Pin::new(this).poll_write(context, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.log.is_none() && self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

fn log(events: Option<&EventSink>, [kind, major, minor, high, low]: [u8; 5], direction: &str) {
    let Some(events) = events else { return };
    events.log(LogLevel::Debug, LogType::Info, || {
        let length = u16::from_be_bytes([high, low]);
        format!("TLS record {direction}: {}, {}, {length} bytes", name(kind), version(major, minor))
    });
}

/// One direction: finds the headers of records, however they are cut into pieces.
#[derive(Default)]
struct Headers {
    header: [u8; 5],
    /// How many bytes of the header are there.
    known: usize,
    /// How many bytes of the record are still to come.
    rest: usize,
}

impl Headers {
    fn read(&mut self, mut bytes: &[u8], mut found: impl FnMut([u8; 5])) {
        while let Some((&first, others)) = bytes.split_first() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            if let Some(place) = self.header.get_mut(self.known) {
                *place = first;
            }
            self.known += 1;
            bytes = others;
            if self.known == self.header.len() {
                self.known = 0;
                self.rest = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
                found(self.header);
            }
        }
    }
}

const HANDSHAKE: u8 = 22;

/// RFC 8446 section 5.1.
fn name(kind: u8) -> String {
    match kind {
        20 => "change_cipher_spec".to_owned(),
        21 => "alert".to_owned(),
        HANDSHAKE => "handshake".to_owned(),
        23 => "application_data".to_owned(),
        other => format!("type {other}"),
    }
}

/// The version that the header names: TLS 1.3 hides behind 1.2 there.
fn version(major: u8, minor: u8) -> String {
    match (major, minor) {
        (3, 1..=4) => format!("TLS 1.{}", minor - 1),
        _ => format!("version {major}.{minor}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_however_they_are_cut() {
        let mut wire = vec![22, 3, 1, 0, 3, 9, 9, 9];
        wire.extend([20, 3, 3, 0, 1, 1]);
        wire.extend([23, 3, 3, 1, 0]);
        wire.extend([21; 256]);
        wire.extend([21, 3, 3, 0, 0]);
        for size in [1, 2, 3, 4, 5, 7, 64, wire.len()] {
            let mut found = Vec::new();
            let mut headers = Headers::default();
            for piece in wire.chunks(size) {
                headers
                    .read(piece, |[kind, .., high, low]| found.push((kind, u16::from_be_bytes([high, low]))));
            }
            assert_eq!(found, [(22, 3), (20, 1), (23, 256), (21, 0)], "in pieces of {size}");
        }
    }

    #[test]
    fn kinds_and_versions_have_names() {
        assert_eq!((name(22), name(24)), ("handshake".to_owned(), "type 24".to_owned()));
        assert_eq!((version(3, 3), version(3, 0)), ("TLS 1.2".to_owned(), "version 3.0".to_owned()));
    }
}
