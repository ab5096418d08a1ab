//! A value that comes once, from another thread or task: awaited or waited for.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(crate) struct Promise<T>(Arc<(Mutex<Slot<T>>, Condvar)>);

impl<T> Promise<T> {
    pub(crate) fn new() -> Self {
        let slot = Slot { value: None, kept: false, waker: None };
        Self(Arc::new((Mutex::new(slot), Condvar::new())))
    }

    /// Gives the value; only the first counts.
    pub(crate) fn keep(&self, value: T) {
        let mut slot = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.kept {
            return;
        }
        slot.kept = true;
        slot.value = Some(value);
        let waker = slot.waker.take();
        drop(slot);
        self.0.1.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<T> {
        let mut slot = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = slot.value.take() {
            return Poll::Ready(value);
        }
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// `None` where it did not come in time.
    pub(crate) fn wait(&self, at_most: Duration) -> Option<T> {
        let slot = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(slot, at_most, |slot| !slot.kept);
        waited.unwrap_or_else(PoisonError::into_inner).0.value.take()
    }
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Slot<T> {
    value: Option<T>,
    kept: bool,
    waker: Option<Waker>,
}
