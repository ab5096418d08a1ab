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
//! refuses what the engine cannot carry ([`SettingsError::Unsupported`]), ask
//! [`Settings::admit`] about each request, and run `contract_tests!` over it.

mod cause;
#[cfg(feature = "contract")]
pub mod contract;
mod events;
mod firewall;
mod proxies;
pub mod session;
mod setting;
mod settings;

pub use cause::Cause;
pub use events::{
    BrowserLaunch, BrowserReturn, ConnectionStatus, CookieSet, Decision, Direction, EventHandler, EventSink,
    LogEntry, LogLevel, LogType, Outcome, ServerCertificate, Transfer,
};
pub use firewall::{Firewall, FirewallKind};
pub use proxies::{Proxies, Proxy, ProxyAuthentication};
pub use session::{Session, SessionSettings, redacted_head};
pub use setting::{Column, Setting, Support, capability_table};
pub use settings::{
    Addresses, BytesPerSecond, Flaws, Http, HttpVersion, Identity, IdentityError, IdentityKey,
    IdentitySigner, KeepAlive, Linger, Revocation, Settings, SettingsError, SignatureScheme, Tcp, Tls,
    TlsVersions,
};

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use oauth_core::{Request, Response, Unreachable};
use std::pin::Pin;
use std::sync::Arc;

/// The headers that HTTP/1.1 needs beside a request's own, and the `User-Agent`: what an engine with these settings
/// [adds](Transport::added_headers).
#[must_use]
pub fn added_headers(request: &Request, http: &Http, user_agent: Option<&HeaderValue>) -> HeaderMap {
    let mut added = HeaderMap::new();
    let uri = request.endpoint().uri();
    if let Some(host) = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok()) {
        added.insert(HOST, host);
    }
    if let Some(user_agent) = user_agent {
        added.insert(USER_AGENT, user_agent.clone());
    }
    if !http.reuse_connections && http.version == HttpVersion::Http11 {
        added.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if !request.body().is_empty() {
        if http.upload_chunk.is_some() {
            added.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        } else {
            added.insert(CONTENT_LENGTH, request.body().len().into());
        }
    }
    added
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
    /// No whole response came. Says [`Delivered::No`](oauth_core::Delivered::No) only where no byte of the request can
    /// have reached the server.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>>;

    /// The engine's name, as messages and `--transport` spell it.
    fn name(&self) -> &'static str;

    /// The headers that the engine adds to this request: for transcripts, which show what was sent. None by default.
    fn added_headers(&self, request: &Request) -> HeaderMap {
        let _ = request;
        HeaderMap::new()
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        (**self).send(request)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn added_headers(&self, request: &Request) -> HeaderMap {
        (**self).added_headers(request)
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        (**self).send(request)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn added_headers(&self, request: &Request) -> HeaderMap {
        (**self).added_headers(request)
    }
}
