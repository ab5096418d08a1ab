//! isahc (libcurl), on any executor.

use super::{BoxFuture, Host, until};
use oauth_core::{Mono, Request, Response, Unreachable};
use oauth_transport::{Settings, SettingsError, Transport as _};
use oauth_transport_isahc::IsahcTransport;

/// Requests over isahc, sleep by `async-io`: both bring their own threads, so any executor will do.
#[derive(Debug)]
pub struct IsahcHost {
    transport: IsahcTransport,
}

impl IsahcHost {
    /// A host with these network settings.
    ///
    /// # Errors
    /// A setting that this engine cannot carry.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        Ok(Self { transport: IsahcTransport::new(settings)? })
    }
}

impl Host for IsahcHost {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        self.transport.send(request)
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let _woken = async_io::Timer::after(until(instant)).await;
        })
    }

    #[cfg(feature = "loopback")]
    fn receive(&self, wait: crate::sign_in::Wait) -> BoxFuture<'_, crate::sign_in::Received> {
        crate::sign_in::receive_on_async_io(wait)
    }
}
