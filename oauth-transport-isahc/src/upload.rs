//! The body on its way out, and what it tells about the request.

use crate::silence::Silence;
use futures_lite::AsyncRead;
use isahc::AsyncBody;
use oauth_core::Request;
use std::io;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use zeroize::Zeroizing;

/// Whether any byte of a request can have been written.
///
/// libcurl asks for the first bytes of a body before it writes the head, to send them together, and asks for none before
/// the connection stands, through proxy and TLS. A request whose body is empty gives no sign, and counts as begun.
#[derive(Clone)]
pub(crate) struct Progress(Arc<State>);

struct State {
    begun: AtomicBool,
    taken: AtomicU64,
}

impl Progress {
    pub(crate) fn new(request: &Request) -> Self {
        let begun = AtomicBool::new(request.body().is_empty());
        Self(Arc::new(State { begun, taken: AtomicU64::new(0) }))
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// How many bytes of the body libcurl has taken.
    pub(crate) fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Acquire)
    }
}

/// The bytes of a body. It cannot be rewound, so that libcurl cannot send it a second time; it is wiped on drop.
pub(crate) struct Upload {
    bytes: Zeroizing<Vec<u8>>,
    read: usize,
    chunk: Option<NonZeroUsize>,
    progress: Progress,
    silence: Silence,
}

impl Upload {
    /// With its length, or in chunks.
    pub(crate) const fn new(
        bytes: Zeroizing<Vec<u8>>,
        chunk: Option<NonZeroUsize>,
        progress: Progress,
        silence: Silence,
    ) -> Self {
        Self { bytes, read: 0, chunk, progress, silence }
    }
}

impl AsyncRead for Upload {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.silence.broken();
        self.progress.0.begun.store(true, Ordering::Release);
        let rest = &self.bytes[self.read..];
        // libcurl makes one chunk of what it gets at once.
        let longest = self.chunk.map_or(usize::MAX, NonZeroUsize::get);
        let length = rest.len().min(buffer.len()).min(longest);
        buffer[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        self.progress.0.taken.fetch_add(length as u64, Ordering::AcqRel);
        Poll::Ready(Ok(length))
    }
}

impl From<Upload> for AsyncBody {
    fn from(upload: Upload) -> Self {
        match upload.chunk {
            Some(_) => Self::from_reader(upload),
            None => {
                let length = upload.bytes.len() as u64;
                Self::from_reader_sized(upload, length)
            }
        }
    }
}
