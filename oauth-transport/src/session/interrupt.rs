//! Ending a call from another thread.

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

    /// The same call, which this can end: it is dropped at once then, and gives what `interrupted` says.
    ///
    /// For calls that are more than one request as well, such as a whole sign-in.
    pub fn over<'a, T: 'a>(
        &'a self,
        call: BoxFuture<'a, T>,
        interrupted: fn() -> T,
    ) -> impl Future<Output = T> + Send + 'a {
        let mut waiting = self.0.waiting();
        waiting.last += 1;
        Interruptible {
            id: waiting.last,
            times: self.0.times.load(Ordering::Acquire),
            inner: &self.0,
            call: Some(call),
            interrupted,
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

struct Interruptible<'a, T> {
    id: u64,
    times: u64,
    inner: &'a Inner,
    call: Option<BoxFuture<'a, T>>,
    interrupted: fn() -> T,
}

impl<T> Interruptible<'_, T> {
    fn forget(&self) {
        self.inner.waiting().wakers.retain(|(id, _)| *id != self.id);
    }
}

impl<T> Future for Interruptible<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
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
            return Poll::Ready((self.interrupted)());
        }
        let Some(call) = &mut self.call else { return Poll::Ready((self.interrupted)()) };
        let outcome = call.as_mut().poll(context);
        if outcome.is_ready() {
            self.call = None;
        }
        outcome
    }
}

impl<T> Drop for Interruptible<'_, T> {
    fn drop(&mut self) {
        self.forget();
    }
}
