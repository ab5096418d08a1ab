//! oauth-core requests over hyper, rustls and tokio.
//!
//! In scope: one hop over HTTP/1.1, on TLS 1.2 and 1.3 by rustls with ring, straight or through an HTTP proxy, within the
//! limits of [`Settings`].
//!
//! Out of scope: redirects, cookies, decoding (a transport does none of them), and a runtime: futures of this transport
//! run inside the caller's tokio runtime, with its I/O and time drivers on.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use oauth_transport::{Settings, Transport};
//! use oauth_transport_hyper::HyperTransport;
//!
//! let transport = HyperTransport::new(Settings::new())?;
//! assert_eq!(transport.name(), "hyper");
//! # Ok(())
//! # }
//! ```
//!
//! Connections are hyper's, and kept by a small pool of our own rather than hyper-util's: it looks at the socket before a
//! connection is used again, and hyper itself can say whether a request was written at all.

mod capabilities;
mod connect;
mod failure;
mod pool;
mod tls;

use connect::{Connection, Connector};
use http::header::{HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::uri::{Scheme, Uri};
use http::{HeaderValue, Request as HttpRequest};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use oauth_core::{Delivered, Request, Response, Unreachable};
use oauth_transport::{
    BoxFuture, Proxies, Proxy, Setting, Settings, SettingsError, Support, Transport,
    refuse_client_certificate,
};
use pool::{Origin, Pool};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tls::{Http2Wish, Tls, Want};
use tokio::runtime::Handle;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// The name in messages and in `--transport`.
const NAME: &str = "hyper";

/// A [`Transport`] on hyper.
///
/// Its futures must be polled inside a tokio runtime with I/O and time enabled: outside of any they fail with
/// [`UnreachableKind::Unsupported`](oauth_core::UnreachableKind::Unsupported); in one that lacks a driver, tokio panics. One
/// transport may serve several runtimes, one after the other or at once.
///
/// Connections are kept for four seconds after their last response: less than servers wait before they hang up, so that a
/// request hardly ever meets a connection that is being closed. One that meets it fails, and is not sent again.
pub struct HyperTransport {
    connector: Connector,
    pool: Arc<Pool>,
    proxies: Proxies,
    user_agent: Option<HeaderValue>,
    connect_timeout: Duration,
    total_timeout: Option<Duration>,
}

impl HyperTransport {
    /// Sets the engine up, reading the platform's trust roots; sends nothing.
    ///
    /// # Errors
    /// A setting makes no sense, or this engine [does not support](Self::supports) it.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check(NAME, Self::supports)?;
        Ok(Self {
            connector: Connector::new(Tls::new(&settings)?, settings.connect_timeout()),
            pool: Arc::new(Pool::new(pool::KEEP)),
            proxies: settings.proxies().clone(),
            user_agent: settings.user_agent().cloned(),
            connect_timeout: settings.connect_timeout(),
            total_timeout: settings.total_timeout(),
        })
    }

    /// What this engine says to a setting.
    #[must_use]
    pub const fn supports(setting: Setting) -> Support {
        capabilities::supports(setting)
    }

    async fn perform(&self, request: Request) -> Result<Response, Unreachable> {
        if let Some(name) = request.client_certificate() {
            if !self.connector.holds(name) {
                refuse_client_certificate(&request)?;
            }
            if request.endpoint().uri().scheme() != Some(&Scheme::HTTPS) {
                return Err(failure::certificate_without_tls(name));
            }
        }
        if Handle::try_current().is_err() {
            return Err(failure::no_runtime());
        }
        let sent = AtomicBool::new(false);
        let exchange = self.exchange(request, &sent);
        let Some(limit) = self.total_timeout else { return exchange.await };
        timeout(limit, exchange).await.unwrap_or_else(|_| {
            let delivered = if sent.load(Ordering::Relaxed) { Delivered::Unknown } else { Delivered::No };
            Err(failure::response_timeout(limit, delivered))
        })
    }

    async fn exchange(&self, request: Request, sent: &AtomicBool) -> Result<Response, Unreachable> {
        let max_body = request.max_body();
        let target = request.endpoint().uri().clone();
        let proxy = self.proxies.for_endpoint(request.endpoint());
        let certificate = request.client_certificate().cloned();
        let want = Want { certificate: certificate.as_ref(), http2: Http2Wish::No };
        let origin = Origin::of(&target, want.certificate);
        let request = self.to_http(request, proxy);
        let mut connection = timeout(self.connect_timeout, self.connection(&origin, &target, proxy, want))
            .await
            .unwrap_or_else(|_| Err(failure::connect_timeout(self.connect_timeout)))?;
        sent.store(true, Ordering::Relaxed);
        match connection.sender.try_send_request(request).await {
            Ok(response) => {
                let response = read(response, max_body).await?;
                self.pool.put(origin, connection);
                Ok(response)
            }
            // hyper hands a request back only if it did not begin to write it.
            Err(error) if error.message().is_some() => Err(failure::closed_unused()),
            Err(error) => Err(failure::exchange(error.into_error())),
        }
    }

    /// A connection that is ready for a request: one that is idle, or a new one.
    async fn connection(
        &self,
        origin: &Origin,
        target: &Uri,
        proxy: Option<&Proxy>,
        want: Want<'_>,
    ) -> Result<Connection, Unreachable> {
        while let Some(mut connection) = self.pool.take(origin) {
            if connection.is_usable().await {
                return Ok(connection);
            }
        }
        self.connector.connect(target, proxy, want).await
    }

    fn to_http(&self, request: Request, proxy: Option<&Proxy>) -> HttpRequest<Full<Bytes>> {
        let (mut parts, body) = request.into_http().into_parts();
        if let Some(user_agent) = &self.user_agent {
            parts.headers.entry(USER_AGENT).or_insert_with(|| user_agent.clone());
        }
        if let Some(authority) = parts.uri.authority() {
            let host = HeaderValue::from_str(authority.as_str()).expect("an authority is printable ASCII");
            parts.headers.entry(HOST).or_insert(host);
        }
        match proxy {
            // RFC 9112 section 3.2.2: a proxy is sent the absolute form.
            Some(proxy) if parts.uri.scheme() == Some(&Scheme::HTTP) => {
                if let Some(authorization) = proxy.authorization() {
                    parts.headers.insert(PROXY_AUTHORIZATION, authorization);
                }
            }
            // RFC 9112 section 3.2.1: a server is sent path and query.
            _ => parts.uri = parts.uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from),
        }
        HttpRequest::from_parts(parts, Full::new(Bytes::from_owner(Zeroizing::new(body))))
    }
}

impl Transport for HyperTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        Box::pin(self.perform(request))
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport")
            .field("connect_timeout", &self.connect_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("proxies", &self.proxies)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}

/// Reads a response to its end, or to the limit.
async fn read(response: http::Response<Incoming>, max_body: usize) -> Result<Response, Unreachable> {
    let (parts, mut incoming) = response.into_parts();
    let announced = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > max_body {
        return Err(failure::body_too_large(max_body));
    }
    // Room for what was announced: a body that grows leaves copies of its secrets behind.
    let mut body = Zeroizing::new(Vec::with_capacity(announced));
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(failure::body)?;
        if let Some(bytes) = frame.data_ref() {
            if bytes.len() > max_body - body.len() {
                return Err(failure::body_too_large(max_body));
            }
            body.extend_from_slice(bytes);
        }
    }
    Ok(http::Response::from_parts(parts, std::mem::take(&mut *body)).into())
}

#[cfg(test)]
mod tests;
