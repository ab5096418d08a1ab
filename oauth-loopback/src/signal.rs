//! What the outside tells an engine: stop, or which page the browser gets.

use crate::reply::Ending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Shared by the listener, its cancel handles, its engine and the reply.
#[derive(Default)]
pub(crate) struct Signal(Mutex<Inner>);

impl Signal {
    pub(crate) fn cancel(&self) {
        self.tell(|inner| inner.cancelled = true);
    }

    /// The page for the browser that waits; the first one counts.
    pub(crate) fn answer(&self, ending: Ending) {
        self.tell(|inner| {
            inner.ending.get_or_insert(ending);
        });
    }

    /// Whom to wake when something is told.
    pub(crate) fn listen(&self, waker: &Waker) {
        let mut inner = self.lock();
        if !inner.engine.as_ref().is_some_and(|engine| engine.will_wake(waker)) {
            inner.engine = Some(waker.clone());
        }
    }

    /// Does this unless it was cancelled; whoever cancels waits meanwhile, and knows that it is not done afterwards.
    pub(crate) fn unless_cancelled<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let inner = self.lock();
        (!inner.cancelled).then(work)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    pub(crate) fn ending(&self) -> Option<Ending> {
        self.lock().ending.clone()
    }

    fn tell(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.lock();
        change(&mut inner);
        let engine = inner.engine.clone();
        drop(inner);
        if let Some(engine) = engine {
            engine.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Inner {
    cancelled: bool,
    ending: Option<Ending>,
    engine: Option<Waker>,
}
