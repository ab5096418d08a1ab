//! A host with keys in this process.

use super::{BoxFuture, Host};
use oauth_core::{Input, KeyTask, Mono, Now, Request, Response, Seed, Unreachable};
use oauth_jwt::Keyring;
use std::io;
use std::sync::Arc;

/// Any host, and a [`Keyring`] that answers its key tasks.
#[derive(Clone)]
pub struct WithKeys {
    host: Arc<dyn Host>,
    keyring: Arc<Keyring>,
}

impl WithKeys {
    /// Puts the keyring beside the host.
    #[must_use]
    pub fn new(host: Arc<dyn Host>, keyring: Keyring) -> Self {
        Self { host, keyring: Arc::new(keyring) }
    }
}

impl Host for WithKeys {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        self.host.send(request)
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        self.host.sleep_until(instant)
    }

    fn key(&self, task: KeyTask) -> BoxFuture<'_, Input> {
        Box::pin(core::future::ready(self.keyring.answer(task)))
    }

    fn now(&self) -> Now {
        self.host.now()
    }

    fn seed(&self) -> io::Result<Seed> {
        self.host.seed()
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) {
        self.host.block_on(future);
    }

    #[cfg(any(feature = "hyper", feature = "isahc"))]
    fn events(&self) -> oauth_transport::EventSink {
        self.host.events()
    }

    #[cfg(feature = "loopback")]
    fn receive(&self, wait: crate::sign_in::Wait) -> BoxFuture<'_, crate::sign_in::Received> {
        self.host.receive(wait)
    }
}

impl core::fmt::Debug for WithKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WithKeys").field("keyring", &self.keyring).finish_non_exhaustive()
    }
}
