//! Waiting for the browser, on whatever the host runs on.

use crate::host::BoxFuture;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use oauth_core::Recogniser;
use oauth_loopback::{Callback, Cancel, Listener, ReceiveError, ReceiveOptions};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A bound listener and what it waits for.
#[derive(Debug)]
#[non_exhaustive]
pub struct Wait {
    /// The sockets.
    pub listener: Listener,
    /// What tells our answer from a stranger's.
    pub recogniser: Recogniser,
    /// How long, and who hears of it.
    pub options: ReceiveOptions,
}

/// What a wait ends in.
pub type Received = Result<Callback, ReceiveError>;

#[cfg(feature = "hyper")]
pub(crate) fn receive_on_tokio(wait: Wait) -> BoxFuture<'static, Received> {
    let Wait { listener, recogniser, options } = wait;
    Box::pin(oauth_loopback::tokio::receive(
        listener,
        move |response| recogniser.recognise(response),
        options,
    ))
}

#[cfg(feature = "isahc")]
pub(crate) fn receive_on_async_io(wait: Wait) -> BoxFuture<'static, Received> {
    let Wait { listener, recogniser, options } = wait;
    Box::pin(oauth_loopback::async_io::receive(
        listener,
        move |response| recogniser.recognise(response),
        options,
    ))
}

/// The listener on threads of its own, awaited from any executor.
pub(crate) fn receive_on_threads(wait: Wait) -> BoxFuture<'static, Received> {
    let Wait { listener, recogniser, options } = wait;
    let cancel = listener.cancel_handle();
    let shared = Arc::new(Mutex::new(Shared { received: None, waker: None }));
    let told = Arc::clone(&shared);
    let spawned = std::thread::Builder::new().name("oauth-loopback".into()).spawn(move || {
        let received = oauth_loopback::thread::receive(
            listener,
            move |response| recogniser.recognise(response),
            options,
        );
        let waker = {
            let mut shared = lock(&told);
            shared.received = Some(received);
            shared.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    });
    match spawned {
        Ok(_) => Box::pin(OnThreads { shared, cancel: Some(cancel) }),
        Err(error) => Box::pin(core::future::ready(Err(ReceiveError::Io(error)))),
    }
}

struct Shared {
    received: Option<Received>,
    waker: Option<Waker>,
}

struct OnThreads {
    shared: Arc<Mutex<Shared>>,
    /// Taken once the callback is here: from then on the listener owes the browser a page.
    cancel: Option<Cancel>,
}

impl Future for OnThreads {
    type Output = Received;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Received> {
        let received = {
            let mut shared = lock(&self.shared);
            shared.waker = Some(context.waker().clone());
            shared.received.take()
        };
        received.map_or(Poll::Pending, |received| {
            self.cancel = None;
            Poll::Ready(received)
        })
    }
}

impl Drop for OnThreads {
    fn drop(&mut self) {
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
