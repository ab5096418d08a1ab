//! oauth-core requests over hyper, rustls and tokio.
//!
//! In scope: one hop over HTTP/1.1, HTTP/1.0 or HTTP/2, on TLS 1.2 and 1.3 by rustls with ring, straight, through a firewall,
//! through a proxy or through both, as [`Settings`] have it.
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
//! HTTP is hyper's. Connections are made by a connector of our own, on socket2, which sets what no other does, and kept by a
//! small pool of our own: it looks at the socket before a connection is used again, and hyper itself can say whether a request
//! was written at all.
//!
//! # Proxies that ask who we are
//! Nothing but a Basic password, or a header of one's own, is sent to a proxy before it asks. With the feature `ntlm` it may ask
//! for NTLM, which is answered in its second version alone; with the feature `negotiate`, on Unix, for a Kerberos ticket,
//! which the system's library has or gets from the realm. That takes MIT's or Heimdal's headers and libclang to build.
//!
//! # Revocation lists
//! A list that a certificate points to is fetched when a handshake needs it: that handshake ends, and another one is begun.
//! It is asked for straight or through the firewall, never through a proxy, within half the time for a connection and ten
//! seconds at most; it is kept until the next one is due.

mod capabilities;
mod connect;
mod failure;
mod outgoing;
mod pool;
mod tls;
mod upload;

use connect::{Connection, Connector, Route, Sender, Showing, is_tls, tunnels};
use http::{HeaderMap, Response as HttpResponse, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::ext::ReasonPhrase;
use oauth_core::{Delivered, Request, Response, Unreachable};
use oauth_transport::{
    BoxFuture, Direction, EventSink, HttpVersion, Outcome, Setting, Settings, SettingsError, Support,
    Transport, added_headers,
};
use outgoing::Outgoing;
use pool::{Origin, Pool, Taken};
use std::fmt;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
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
///
/// Where the key of a client certificate [stays in its token](oauth_transport::Identity::with_signer), the thread that polls a
/// handshake waits for the signature, as rustls has it: whatever else runs there waits as well. A handshake that takes up an
/// earlier session needs none.
///
/// A request that is dropped closes its connection at once. In HTTP/2, where others may be on it, it is closed when they have
/// their responses, and takes no new ones.
pub struct HyperTransport {
    connector: Connector,
    pool: Arc<Pool>,
    settings: Settings,
}

impl HyperTransport {
    /// Sets the engine up, reading the platform's trust roots; sends nothing.
    ///
    /// # Errors
    /// A setting makes no sense, or this engine [does not support](Self::supports) it.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check(NAME, Self::supports)?;
        let http = settings.http();
        if http.upload_chunk.is_some() && http.version != HttpVersion::Http11 {
            return Err(SettingsError::Value {
                setting: Setting::ChunkedUpload,
                value: format!("{:?}", http.version),
                expected: "set with HTTP/1.1 alone".to_owned(),
            });
        }
        Ok(Self { connector: Connector::new(&settings)?, pool: Arc::new(Pool::new(pool::KEEP)), settings })
    }

    /// What this engine says to a setting.
    #[must_use]
    pub const fn supports(setting: Setting) -> Support {
        capabilities::supports(setting)
    }

    async fn perform(&self, request: Request) -> Result<Response, Unreachable> {
        self.refuse(&request)?;
        if Handle::try_current().is_err() {
            return Err(failure::no_runtime());
        }
        let sent = AtomicBool::new(false);
        let exchange = self.exchange(request, &sent);
        let Some(limit) = self.settings.total_timeout() else { return exchange.await };
        timeout(limit, exchange)
            .await
            .unwrap_or_else(|_| Err(failure::response_timeout(limit, delivered(&sent))))
    }

    /// Refuses what would have to leave something out.
    fn refuse(&self, request: &Request) -> Result<(), Unreachable> {
        self.settings.admit(request)?;
        let over_tls = is_tls(request.endpoint().uri());
        if !over_tls && self.settings.http().version == HttpVersion::Http2Alone {
            return Err(failure::unsupported(
                "HTTP/2 is spoken over TLS, and the settings allow no other version for plain http",
            ));
        }
        Ok(())
    }

    async fn exchange(&self, request: Request, sent: &AtomicBool) -> Result<Response, Unreachable> {
        let max_body = request.max_body();
        let certificate = request.client_certificate().cloned();
        let target = request.endpoint().uri().clone();
        let proxy = self.settings.proxies().for_endpoint(request.endpoint());
        let route = Route { target: &target, proxy, certificate: certificate.as_ref() };
        let origin = Origin::of(&target, certificate.as_ref());
        let outgoing =
            Outgoing::new(request, self.settings.http(), self.settings.user_agent(), self.settings.events());
        // A proxy that opens a tunnel is shown who we are when the connection is made, and by no request inside.
        let mut showing = proxy
            .filter(|proxy| {
                !tunnels(self.settings.proxies(), &target) && !proxy.url().scheme().starts_with("socks")
            })
            .map(|proxy| Showing::to(proxy, self.settings.proxies().authentication()));
        let mut held: Option<Taken> = None;
        loop {
            let mut taken = match held.take() {
                Some(taken) => taken,
                None => self.connected(&origin, route).await?,
            };
            sent.store(true, Ordering::Relaxed);
            taken.connection.set_busy(taken.lease.is_none());
            let link = taken.connection.link.clone();
            let quiet = link.quiet(self.settings.inactivity_timeout());
            let exchange = self.converse(&mut taken.connection, &outgoing, showing.as_mut(), max_body);
            let Some(response) = unless(exchange, quiet).await else {
                let limit = self.settings.inactivity_timeout().unwrap_or_default();
                return Err(failure::silence(limit, delivered(sent)));
            };
            let response = response?;
            taken.connection.set_busy(false);
            if response.is_none() && showing.as_ref().is_some_and(Showing::is_bound) {
                if !taken.connection.is_usable().await {
                    return Err(failure::unanswered(failure::ENDED_HALFWAY));
                }
                held = Some(taken);
                continue;
            }
            if self.settings.http().reuse_connections && self.settings.http().version != HttpVersion::Http10 {
                self.pool.put(origin.clone(), taken);
            }
            if let Some(response) = response {
                return Ok(response);
            }
        }
    }

    /// One request and its response. `None` where it is to be put again: a proxy asked who we are, and can be told.
    async fn converse(
        &self,
        connection: &mut Connection,
        outgoing: &Outgoing,
        mut showing: Option<&mut Showing<'_>>,
        max_body: usize,
    ) -> Result<Option<Response>, Unreachable> {
        let response = match &mut connection.sender {
            Sender::Http1(sender) => {
                let request = outgoing.http1(showing.as_deref()).map_err(|why| failure::unanswered(&why))?;
                sender.try_send_request(request).await
            }
            #[cfg(feature = "http2")]
            Sender::Http2(sender) => sender.try_send_request(outgoing.http2()).await,
        };
        let response = match response {
            Ok(response) => response,
            // hyper hands a request back only if it did not begin to write it.
            Err(error) if error.message().is_some() => {
                return Err(failure::closed_unused(connection.link.broken()));
            }
            Err(error) => return Err(failure::exchange(error.into_error())),
        };
        if let Some(limit) = self.settings.http().max_line {
            check_lines(&response, limit)?;
        }
        let mut again = false;
        if let Some(showing) = &mut showing
            && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        {
            again = showing.challenged(response.headers()).await.map_err(|why| failure::unanswered(&why))?;
        }
        let events = if again { &EventSink::none() } else { self.settings.events() };
        events.head(response.version(), response.status(), response.headers());
        let response = read(response, max_body, events).await?;
        Ok((!again).then_some(response))
    }

    /// A connection that is ready for a request: one that is idle, or a new one.
    async fn connected(&self, origin: &Origin, route: Route<'_>) -> Result<Taken, Unreachable> {
        let limit = self.settings.connect_timeout();
        let connected = timeout(limit, async {
            if !self.settings.http().reuse_connections {
                let connection = self.connector.connect(route).await?;
                return Ok(Taken { connection, lease: None });
            }
            if let Some(taken) = self.kept(origin).await {
                return Ok(taken);
            }
            if !self.connector.may_share(route.target) {
                let connection = self.connector.connect(route).await?;
                return Ok(Taken { connection, lease: None });
            }
            let turn = self.pool.turn(origin).await;
            if turn.is_some()
                && let Some(taken) = self.kept(origin).await
            {
                return Ok(taken);
            }
            let taken = self.pool.share(origin, self.connector.connect(route).await?);
            if taken.lease.is_none() {
                self.pool.takes_one(origin);
            }
            Ok(taken)
        });
        let connected = connected.await.unwrap_or_else(|_| Err(failure::connect_timeout(limit)));
        connected.inspect_err(|error| {
            self.settings.events().tell(|handler| handler.on_connected(&Outcome::Failed(error)));
        })
    }

    async fn kept(&self, origin: &Origin) -> Option<Taken> {
        while let Some(mut taken) = self.pool.take(origin) {
            if taken.connection.is_usable().await {
                return Some(taken);
            }
        }
        None
    }
}

/// What comes of the work, unless something else ends first. Work that is done counts, however late it is looked at.
async fn unless<T>(work: impl Future<Output = T>, end: impl Future<Output = ()>) -> Option<T> {
    let (mut work, mut end) = (pin!(work), pin!(end));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
    })
    .await
}

fn delivered(sent: &AtomicBool) -> Delivered {
    if sent.load(Ordering::Relaxed) { Delivered::Unknown } else { Delivered::No }
}

impl Transport for HyperTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        Box::pin(self.perform(request))
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn added_headers(&self, request: &Request) -> HeaderMap {
        added_headers(request, self.settings.http(), self.settings.user_agent())
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Refuses a head with a line of more than so many bytes, its end apart.
fn check_lines(response: &HttpResponse<Incoming>, limit: NonZeroUsize) -> Result<(), Unreachable> {
    let reason = response.extensions().get::<ReasonPhrase>();
    let reason = reason
        .map(|reason| reason.as_bytes().len())
        .or_else(|| response.status().canonical_reason().map(str::len))
        .unwrap_or_default();
    let first = "HTTP/1.1 200 ".len() + reason;
    let longest =
        response.headers().iter().map(|(name, value)| name.as_str().len() + ": ".len() + value.len());
    if longest.chain([first]).any(|length| length > limit.get()) {
        return Err(failure::line_too_long(limit));
    }
    Ok(())
}

/// Reads a response to its end, or to the limit.
async fn read(
    response: HttpResponse<Incoming>,
    max_body: usize,
    events: &EventSink,
) -> Result<Response, Unreachable> {
    let (parts, mut incoming) = response.into_parts();
    let total = incoming.size_hint().exact();
    let announced = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > max_body {
        return Err(failure::body_too_large(max_body));
    }
    // Room for what was announced: a body that grows leaves copies of its secrets behind.
    let mut body = Zeroizing::new(Vec::with_capacity(announced));
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(failure::body)?;
        if let Some(bytes) = frame.data_ref().filter(|bytes| !bytes.is_empty()) {
            if bytes.len() > max_body - body.len() {
                return Err(failure::body_too_large(max_body));
            }
            if body.is_empty() {
                events.tell(|handler| handler.on_start_transfer(Direction::Received));
            }
            body.extend_from_slice(bytes);
            events.received(bytes, u64::try_from(body.len()).unwrap_or(u64::MAX), total);
        }
    }
    if !body.is_empty() {
        events.tell(|handler| handler.on_end_transfer(Direction::Received));
    }
    Ok(HttpResponse::from_parts(parts, std::mem::take(&mut *body)).into())
}

#[cfg(test)]
mod tests;
