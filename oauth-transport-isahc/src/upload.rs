//! The body on its way out, and what it tells about the request.

use futures_lite::AsyncRead;
use isahc::AsyncBody;
use oauth_core::Request;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use zeroize::Zeroizing;

/// Whether any byte of a request can have been written.
///
/// libcurl asks for the first bytes of a body before it writes the head, to send them together, and asks for none before
/// the connection stands, through proxy and TLS. A request without a body gives no sign, and counts as begun.
#[derive(Clone)]
pub(crate) struct Progress(Arc<AtomicBool>);

impl Progress {
    pub(crate) fn new(request: &Request) -> Self {
        Self(Arc::new(AtomicBool::new(!request.one_shot())))
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The bytes of a body. It cannot be rewound, so that libcurl cannot send it a second time; it is wiped on drop.
pub(crate) struct Upload {
    bytes: Zeroizing<Vec<u8>>,
    read: usize,
    progress: Progress,
}

impl Upload {
    pub(crate) const fn new(bytes: Zeroizing<Vec<u8>>, progress: Progress) -> Self {
        Self { bytes, read: 0, progress }
    }
}

impl AsyncRead for Upload {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.progress.0.store(true, Ordering::Release);
        let rest = &self.bytes[self.read..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        Poll::Ready(Ok(length))
    }
}

impl From<Upload> for AsyncBody {
    fn from(upload: Upload) -> Self {
        let length = upload.bytes.len() as u64;
        Self::from_reader_sized(upload, length)
    }
}
