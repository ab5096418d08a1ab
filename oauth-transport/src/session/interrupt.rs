//! Ending a call from another thread.

use crate::Cause;
use oauth_core::{Delivered, Response, Unreachable, UnreachableKind};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::BoxFuture;

/// Ends the calls of one session that are under way. Cheap to clone, and usable from any thread, event handlers included.
///
/// Calls that begin afterwards are not touched.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// How often calls were ended: a call that sees another number than at its beginning is over.
    times: AtomicU64,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    last: u64,
    wakers: Vec<(u64, Waker)>,
}

impl Interrupt {
    /// Ends the calls that are under way.
    pub fn raise(&self) {
        self.0.times.fetch_add(1, Ordering::AcqRel);
        let wakers = std::mem::take(&mut self.0.waiting().wakers);
        for (_, waker) in wakers {
            waker.wake();
        }
    }

    /// The same call, which this can end.
    pub(crate) fn over<'a>(
        &'a self,
        call: BoxFuture<'a, Result<Response, Unreachable>>,
    ) -> impl Future<Output = Result<Response, Unreachable>> + Send + 'a {
        let mut waiting = self.0.waiting();
        waiting.last += 1;
        Interruptible {
            id: waiting.last,
            times: self.0.times.load(Ordering::Acquire),
            inner: &self.0,
            call: Some(call),
        }
    }
}

impl Inner {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupt")
    }
}

struct Interruptible<'a> {
    id: u64,
    times: u64,
    inner: &'a Inner,
    call: Option<BoxFuture<'a, Result<Response, Unreachable>>>,
}

impl Interruptible<'_> {
    fn forget(&self) {
        self.inner.waiting().wakers.retain(|(id, _)| *id != self.id);
    }
}

impl Future for Interruptible<'_> {
    type Output = Result<Response, Unreachable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Before the look at the number: whoever raises it afterwards finds the waker.
        {
            let mut waiting = self.inner.waiting();
            match waiting.wakers.iter_mut().find(|(id, _)| *id == self.id) {
                Some((_, waker)) => waker.clone_from(context.waker()),
                None => waiting.wakers.push((self.id, context.waker().clone())),
            }
        }
        if self.inner.times.load(Ordering::Acquire) != self.times {
            // Its connections are closed with it.
            self.call = None;
            return Poll::Ready(Err(interrupted()));
        }
        let Some(call) = &mut self.call else { return Poll::Ready(Err(interrupted())) };
        let outcome = call.as_mut().poll(context);
        if outcome.is_ready() {
            self.call = None;
        }
        outcome
    }
}

impl Drop for Interruptible<'_> {
    fn drop(&mut self) {
        self.forget();
    }
}

fn interrupted() -> Unreachable {
    Unreachable::new(UnreachableKind::Cancelled, Delivered::Unknown).because(Cause::new("it was interrupted"))
}
