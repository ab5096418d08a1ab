//! isahc (libcurl), on any executor.

use super::{BoxFuture, Host, until};
use oauth_core::{Mono, Request, Response, Unreachable};
use oauth_transport::{Session, SessionSettings, Setting, Settings, SettingsError, Support, Transport as _};
use oauth_transport_isahc::IsahcTransport;

/// Requests over isahc, sleep by `async-io`: both bring their own threads, so any executor will do.
#[derive(Debug)]
pub struct IsahcHost {
    session: Session<IsahcTransport>,
}

impl IsahcHost {
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
        Ok(Self { session: Session::new(IsahcTransport::new(settings)?, session, events) })
    }

    /// What this engine says to a setting.
    #[must_use]
    pub const fn supports(setting: Setting) -> Support {
        IsahcTransport::supports(setting)
    }

    /// The HTTP session: what it remembers, and how a call is [interrupted](Session::interrupt) from another thread.
    #[must_use]
    pub const fn session(&self) -> &Session<IsahcTransport> {
        &self.session
    }
}

impl Host for IsahcHost {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        self.session.send(request)
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let _woken = async_io::Timer::after(until(instant)).await;
        })
    }

    fn events(&self) -> oauth_transport::EventSink {
        self.session.events().clone()
    }

    #[cfg(feature = "loopback")]
    fn receive(&self, wait: crate::sign_in::Wait) -> BoxFuture<'_, crate::sign_in::Received> {
        crate::sign_in::receive_on_async_io(wait)
    }
}
