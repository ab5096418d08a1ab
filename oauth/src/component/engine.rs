//! The HTTP engine that the component runs on: hyper, or isahc where the platform's client is asked for.

use super::error::ComponentError;
use super::network;
use super::values::NetworkValues;
#[cfg(feature = "hyper")]
use crate::HyperHost;
#[cfg(feature = "isahc")]
use crate::IsahcHost;
use crate::host::{BoxFuture, Host};
use crate::sign_in::{Received, Wait};
use oauth_core::{Mono, Request, Response, Unreachable};
use oauth_transport::EventSink;
use oauth_transport::session::Memory;
use std::sync::Arc;

/// An engine that was made.
pub(crate) enum Engine {
    #[cfg(feature = "hyper")]
    Hyper(HyperHost),
    #[cfg(feature = "isahc")]
    Isahc(IsahcHost),
}

impl Engine {
    /// # Errors
    /// A setting that the engine cannot carry, or an engine that this program was built without.
    pub(crate) fn new(
        values: &NetworkValues,
        events: EventSink,
        memory: Arc<Memory>,
    ) -> Result<Self, ComponentError> {
        let (settings, session) = network::settings(values, events)?;
        match values.platform_client {
            #[cfg(feature = "isahc")]
            true => {
                let host = IsahcHost::with_session(settings, session);
                Ok(Self::Isahc(host.map_err(|error| network::named(error, values))?.with_memory(memory)))
            }
            #[cfg(not(feature = "isahc"))]
            true => {
                let _unused = (settings, session, memory);
                Err(ComponentError::refused(
                    "UsePlatformHTTPClient",
                    "this program was built without the transport isahc; build with the feature `isahc`, or set it to false",
                ))
            }
            #[cfg(feature = "hyper")]
            false => {
                let host = HyperHost::with_session(settings, session);
                Ok(Self::Hyper(host.map_err(|error| network::named(error, values))?.with_memory(memory)))
            }
            #[cfg(not(feature = "hyper"))]
            false => {
                let _unused = (settings, session, memory);
                Err(ComponentError::refused(
                    "UsePlatformHTTPClient",
                    "this program was built without the transport hyper; build with the feature `hyper`, or set it to true",
                ))
            }
        }
    }

    fn host(&self) -> &dyn Host {
        match self {
            #[cfg(feature = "hyper")]
            Self::Hyper(host) => host,
            #[cfg(feature = "isahc")]
            Self::Isahc(host) => host,
        }
    }
}

impl Host for Engine {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        self.host().send(request)
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        self.host().sleep_until(instant)
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) {
        self.host().block_on(future);
    }

    fn events(&self) -> EventSink {
        self.host().events()
    }

    fn receive(&self, wait: Wait) -> BoxFuture<'_, Received> {
        self.host().receive(wait)
    }
}
