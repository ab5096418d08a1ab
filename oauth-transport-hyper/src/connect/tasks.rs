//! The tasks of one connection, which can be ended at once.

use hyper::rt::Executor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::AbortHandle;

/// The tasks that move the bytes of one connection: one, and in HTTP/2 one for each request beside it.
///
/// They end with whoever gives them work. A server that does not read can put that off, so that they can be ended, too.
#[derive(Clone, Default)]
pub(crate) struct Tasks(Arc<Mutex<Vec<AbortHandle>>>);

impl Tasks {
    /// Starts one.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let handle = tokio::spawn(future).abort_handle();
        let mut tasks = self.running();
        tasks.retain(|task| !task.is_finished());
        tasks.push(handle);
    }

    /// Ends them all, wherever they are.
    pub(crate) fn abort(&self) {
        for task in self.running().drain(..) {
            task.abort();
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.spawn(async move {
            future.await;
        });
    }
}
