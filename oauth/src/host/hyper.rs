//! hyper, rustls and tokio.

use super::{BoxFuture, Host, until};
use oauth_core::{Mono, Request, Response, Unreachable};
use oauth_transport::{Session, SessionSettings, Setting, Settings, SettingsError, Support, Transport as _};
use oauth_transport_hyper::HyperTransport;
use std::sync::OnceLock;
use tokio::runtime::{Builder, Handle, Runtime};

/// Requests over hyper, sleep by tokio.
///
/// In async code it lives in the tokio runtime that is there. The blocking front enters a runtime of the host's own, on
/// the calling thread; it may be called from inside another runtime, too.
#[derive(Debug)]
pub struct HyperHost {
    session: Session<HyperTransport>,
    /// For blocking calls: one, so that connections outlive a call.
    runtime: OnceLock<Runtime>,
}

impl HyperHost {
    /// A host with these network settings.
    ///
    /// # Errors
    /// A setting that this engine cannot carry.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        Self::with_session(settings, SessionSettings::new())
    }

    /// The same, with an HTTP session around it: redirects, cookies, headers, encodings, a transcript.
    ///
    /// # Errors
    /// A setting that this engine cannot carry.
    pub fn with_session(settings: Settings, session: SessionSettings) -> Result<Self, SettingsError> {
        let events = settings.events().clone();
        let session = Session::new(HyperTransport::new(settings)?, session, events);
        Ok(Self { session, runtime: OnceLock::new() })
    }

    /// The same with a memory that outlives it, or that other hosts share.
    #[must_use]
    pub fn with_memory(mut self, memory: std::sync::Arc<oauth_transport::session::Memory>) -> Self {
        self.session.set_memory(memory);
        self
    }

    /// What this engine says to a setting.
    #[must_use]
    pub const fn supports(setting: Setting) -> Support {
        HyperTransport::supports(setting)
    }

    /// The HTTP session: what it remembers, and how a call is [interrupted](Session::interrupt) from another thread.
    #[must_use]
    pub const fn session(&self) -> &Session<HyperTransport> {
        &self.session
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.get_or_init(|| {
            Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("the system gives a runtime its event queue")
        })
    }
}

impl Host for HyperHost {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        self.session.send(request)
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        Box::pin(async move { tokio::time::sleep(until(instant)).await })
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) {
        if Handle::try_current().is_ok() {
            // A runtime cannot be entered from inside another one; from another thread it can.
            std::thread::scope(|scope| {
                let _finished = scope.spawn(|| self.runtime().block_on(future)).join();
            });
        } else {
            self.runtime().block_on(future);
        }
    }

    fn events(&self) -> oauth_transport::EventSink {
        self.session.events().clone()
    }

    #[cfg(feature = "loopback")]
    fn receive(&self, wait: crate::sign_in::Wait) -> BoxFuture<'_, crate::sign_in::Received> {
        // The host's own runtime stands still between calls, and what is left to do after the callback would with it: the port
        // would stay bound, and nobody at it.
        let own = self.runtime.get().map(|runtime| runtime.handle().id());
        match Handle::try_current() {
            Ok(handle) if own != Some(handle.id()) => crate::sign_in::receive_on_tokio(wait),
            _ => crate::sign_in::receive_on_threads(wait),
        }
    }
}

impl Drop for HyperHost {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime waits, which async code may not do.
            runtime.shutdown_background();
        }
    }
}
