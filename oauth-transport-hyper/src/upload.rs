//! The body of a request, on its way out.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use oauth_transport::EventSink;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body in one piece, or in chunks of one size (RFC 9112 section 7.1). It is told to have gone out when the last of it is
/// handed to hyper, which writes it next.
pub(crate) struct Upload {
    rest: Bytes,
    chunk: Option<NonZeroUsize>,
    total: u64,
    events: EventSink,
}

impl Upload {
    pub(crate) fn new(body: Bytes, chunk: Option<NonZeroUsize>, events: EventSink) -> Self {
        let total = u64::try_from(body.len()).unwrap_or(u64::MAX);
        Self { rest: body, chunk, total, events }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = this.chunk.map_or(this.rest.len(), |chunk| chunk.get().min(this.rest.len()));
        let part = this.rest.split_to(length);
        if this.rest.is_empty() {
            this.events.sent(this.total);
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        // A size that is known is sent as a length, and not in chunks.
        if self.chunk.is_some() && !self.rest.is_empty() {
            return SizeHint::default();
        }
        SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }
}
