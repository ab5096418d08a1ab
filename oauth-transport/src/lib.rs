//! What every HTTP transport for oauth-core shares.
//!
//! In scope: the [`Transport`] trait, the [`Settings`] that every transport takes, the rules for [`Proxies`], and (feature
//! `contract`) the test-suite that every transport has to pass.
//!
//! Out of scope: sockets, TLS and HTTP itself. A transport brings one engine for them, in a crate of its own, and does one
//! hop: one request, one response.
//!
//! # Writing a transport
//! Implement [`Transport`], call [`Settings::check`] first in the constructor with what the engine says to each [`Setting`]: it
//! refuses what the engine cannot carry ([`SettingsError::Unsupported`]), then run `contract_tests!` over it.

mod cause;
#[cfg(feature = "contract")]
pub mod contract;
mod events;
mod firewall;
mod proxies;
mod setting;
mod settings;

pub use cause::Cause;
pub use events::{
    ConnectionStatus, CookieSet, Direction, EventHandler, EventSink, LogEntry, LogLevel, LogType, Outcome,
    ServerCertificate, Transfer,
};
pub use firewall::{Firewall, FirewallKind};
pub use proxies::{Proxies, Proxy, ProxyAuthentication};
pub use setting::{Column, Setting, Support, capability_table};
pub use settings::{
    Addresses, BytesPerSecond, Flaws, Http, HttpVersion, Identity, KeepAlive, Linger, Revocation, Settings,
    SettingsError, Tcp, Tls, TlsVersions,
};

use oauth_core::{Delivered, Request, Response, Unreachable, UnreachableKind};
use std::pin::Pin;
use std::sync::Arc;

/// Refuses a request that needs a client certificate, for transports that hold none: before anything is sent.
///
/// # Errors
/// The request [needs one](Request::client_certificate).
pub fn refuse_client_certificate(request: &Request) -> Result<(), Unreachable> {
    match request.client_certificate() {
        None => Ok(()),
        Some(name) => Err(Unreachable::new(UnreachableKind::Unsupported, Delivered::No)
            .because(Cause::new(format!("it holds no client certificate named {}", name.as_str())))),
    }
}

/// A boxed future that any thread may finish.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One HTTP engine: it performs one request and hands back one response.
///
/// What it owes is written at [`Request`]; the contract suite holds it to that.
pub trait Transport: Send + Sync {
    /// Performs the request once.
    ///
    /// Nothing happens before the future is polled; dropping it gives the request up and closes its connection, in HTTP/2
    /// once the requests that share it have ended.
    ///
    /// # Errors
    /// No whole response came. Says [`Delivered::No`] only where no byte of the request can
    /// have reached the server.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>>;

    /// The engine's name, as messages and `--transport` spell it.
    fn name(&self) -> &'static str;
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        (**self).send(request)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        (**self).send(request)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }
}
