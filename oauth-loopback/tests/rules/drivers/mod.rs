//! Every driver behind one trait, so that each rule is written once.

use crate::LONG;
use oauth_core::{AuthorizationResponse, Recognised};
use oauth_loopback::{Callback, Listener, ReceiveError, ReceiveOptions, thread};
use std::sync::mpsc;

pub(crate) type Judge = Box<dyn FnMut(&AuthorizationResponse<'_>) -> Recognised + Send>;

type End = Result<Callback, ReceiveError>;

pub(crate) trait Driver {
    /// Receives in the background, and tells how it ended.
    fn spawn(&self, listener: Listener, judge: Judge, options: ReceiveOptions, told: mpsc::Sender<End>);

    /// Begins to receive and drops the future. `false` where there is none.
    fn give_up(&self, listener: Listener, judge: Judge, options: ReceiveOptions) -> bool;
}

impl dyn Driver + '_ {
    pub(crate) fn start(
        &self,
        listener: Listener,
        judge: impl FnMut(&AuthorizationResponse<'_>) -> Recognised + Send + 'static,
        options: ReceiveOptions,
    ) -> Running {
        let (told, end) = mpsc::channel();
        let port = listener.port();
        self.spawn(listener, Box::new(judge), options, told);
        Running { port, end }
    }
}

/// A wait in the background.
pub(crate) struct Running {
    pub(crate) port: u16,
    end: mpsc::Receiver<End>,
}

impl Running {
    pub(crate) fn callback(&self) -> Callback {
        self.end.recv_timeout(LONG).unwrap().unwrap()
    }

    pub(crate) fn end(self) -> End {
        self.end.recv_timeout(LONG).unwrap()
    }
}

pub(crate) struct Threads;

impl Driver for Threads {
    fn spawn(&self, listener: Listener, judge: Judge, options: ReceiveOptions, told: mpsc::Sender<End>) {
        std::thread::spawn(move || drop(told.send(thread::receive(listener, judge, options))));
    }

    fn give_up(&self, _: Listener, _: Judge, _: ReceiveOptions) -> bool {
        false
    }
}

/// Polls once, so that the future is at work, and drops it.
#[cfg(any(feature = "tokio", feature = "async-io"))]
fn poll_once(future: impl Future<Output = End>) -> impl Future<Output = bool> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending()))
}

#[cfg(feature = "tokio")]
pub(crate) struct Tokio;

#[cfg(feature = "tokio")]
static RUNTIME: std::sync::LazyLock<tokio::runtime::Runtime> = std::sync::LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

#[cfg(feature = "tokio")]
impl Driver for Tokio {
    fn spawn(&self, listener: Listener, judge: Judge, options: ReceiveOptions, told: mpsc::Sender<End>) {
        RUNTIME
            .spawn(async move { told.send(oauth_loopback::tokio::receive(listener, judge, options).await) });
    }

    fn give_up(&self, listener: Listener, judge: Judge, options: ReceiveOptions) -> bool {
        RUNTIME.block_on(async { poll_once(oauth_loopback::tokio::receive(listener, judge, options)).await })
    }
}

#[cfg(feature = "async-io")]
pub(crate) struct AsyncIo;

#[cfg(feature = "async-io")]
impl Driver for AsyncIo {
    fn spawn(&self, listener: Listener, judge: Judge, options: ReceiveOptions, told: mpsc::Sender<End>) {
        std::thread::spawn(move || {
            drop(told.send(async_io::block_on(oauth_loopback::async_io::receive(listener, judge, options))));
        });
    }

    fn give_up(&self, listener: Listener, judge: Judge, options: ReceiveOptions) -> bool {
        async_io::block_on(poll_once(oauth_loopback::async_io::receive(listener, judge, options)))
    }
}

#[cfg(feature = "smol")]
pub(crate) struct Smol;

#[cfg(feature = "smol")]
impl Driver for Smol {
    fn spawn(&self, listener: Listener, judge: Judge, options: ReceiveOptions, told: mpsc::Sender<End>) {
        smol::spawn(
            async move { told.send(oauth_loopback::async_io::receive(listener, judge, options).await) },
        )
        .detach();
    }

    fn give_up(&self, listener: Listener, judge: Judge, options: ReceiveOptions) -> bool {
        smol::block_on(poll_once(oauth_loopback::async_io::receive(listener, judge, options)))
    }
}

#[cfg(feature = "async-std")]
pub(crate) struct AsyncStd;

#[cfg(feature = "async-std")]
impl Driver for AsyncStd {
    fn spawn(&self, listener: Listener, judge: Judge, options: ReceiveOptions, told: mpsc::Sender<End>) {
        async_std::task::spawn(async move {
            told.send(oauth_loopback::async_io::receive(listener, judge, options).await)
        });
    }

    fn give_up(&self, listener: Listener, judge: Judge, options: ReceiveOptions) -> bool {
        async_std::task::block_on(poll_once(oauth_loopback::async_io::receive(listener, judge, options)))
    }
}
