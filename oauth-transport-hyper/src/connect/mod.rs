//! From a URL to a connection that takes requests: the name, TCP, a firewall, a proxy, TLS, HTTP.
//!
//! Everything happens inside the future that asks for it, so that dropping it closes what stands so far; only a connection
//! that takes requests has a task of its own, which ends with it.

mod digest;
mod gate;
mod io;
#[cfg(all(feature = "negotiate", unix))]
mod negotiate;
#[cfg(feature = "ntlm")]
mod ntlm;
mod overheard;
mod showing;
mod socks;
mod tasks;
mod tcp;
mod told;
mod tunnel;

pub(crate) use gate::{Gate, Role};
pub(crate) use io::Link;
pub(crate) use showing::{Showing, Why};
pub(crate) use tasks::Tasks;

use crate::failure;
use crate::tls::{Http2Wish, Tls, TlsStream, Want, fetch};
use crate::upload::Upload;
use http::uri::{Scheme, Uri};
use hyper::client::conn::http1;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
use hyper_util::rt::TokioIo;
use io::Metered;
use oauth_core::{KeyId, Unreachable};
use oauth_transport::{
    BytesPerSecond, ConnectionStatus, EventSink, HttpVersion, Outcome, Proxies, Proxy, Settings,
    SettingsError,
};
use overheard::Overheard;
use std::error::Error;
use std::fmt;
use std::time::Duration;
use tcp::Dialler;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use told::Told;
use tunnel::Connect;

/// A response's head may have this many bytes, and this many lines.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;

/// A host, without brackets, and a port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl<'a> Address<'a> {
    fn of(target: &'a Uri) -> Self {
        let host = target.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        Self { host, port: target.port_u16().unwrap_or_else(|| if is_tls(target) { 443 } else { 80 }) }
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// An open connection.
pub(crate) struct Connection {
    /// What requests are given to.
    pub(crate) sender: Sender,
    /// For a look at the socket without hyper.
    pub(crate) link: Link,
    /// What moves its bytes.
    tasks: Tasks,
    /// A request is on it, and no other shares it.
    busy: bool,
}

/// hyper ends a connection in order, which a server can put off by not reading. One that is dropped in the middle of a request
/// ends at once.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.busy {
            self.tasks.abort();
        }
    }
}

pub(crate) enum Sender {
    Http1(http1::SendRequest<Upload>),
    /// It takes several requests at once.
    #[cfg(feature = "http2")]
    Http2(http2::SendRequest<Upload>),
}

impl Connection {
    /// Says whether a request is on it, and no other shares it.
    pub(crate) const fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    /// To end it at once.
    pub(crate) fn tasks(&self) -> Tasks {
        self.tasks.clone()
    }

    /// Whether another request can be given to it.
    pub(crate) async fn is_usable(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok() && self.link.is_silent(),
            #[cfg(feature = "http2")]
            Sender::Http2(sender) => sender.ready().await.is_ok() && self.link.is_open(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender) => sender.is_closed(),
            #[cfg(feature = "http2")]
            Sender::Http2(sender) => sender.is_closed(),
        }
    }

    /// A second handle of a connection that takes several requests at once.
    pub(crate) fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::Http1(_) => None,
            #[cfg(feature = "http2")]
            Sender::Http2(sender) => Some(Self {
                sender: Sender::Http2(sender.clone()),
                link: self.link.clone(),
                tasks: self.tasks.clone(),
                busy: false,
            }),
        }
    }
}

/// The way to a server, as one request needs it.
#[derive(Clone, Copy)]
pub(crate) struct Route<'a> {
    pub(crate) target: &'a Uri,
    pub(crate) proxy: Option<&'a Proxy>,
    /// The certificate that the server is shown.
    pub(crate) certificate: Option<&'a KeyId>,
}

pub(crate) struct Connector {
    dialler: Dialler,
    tls: Tls,
    firewall: Option<Gate>,
    proxies: Proxies,
    version: HttpVersion,
    rate: Option<BytesPerSecond>,
    watched: bool,
    connect_timeout: Duration,
    events: EventSink,
}

impl Connector {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let proxies = settings.proxies().clone();
        // Made for each connection, and refused now.
        proxies.iter().try_for_each(|proxy| Gate::proxy(proxy, proxies.authentication()).map(drop))?;
        Ok(Self {
            dialler: Dialler::new(settings)?,
            tls: Tls::new(settings)?,
            firewall: settings.firewall().cloned().map(Gate::firewall).transpose()?,
            proxies,
            version: settings.http().version,
            rate: settings.tcp().rate,
            watched: settings.inactivity_timeout().is_some(),
            connect_timeout: settings.connect_timeout(),
            events: settings.events().clone(),
        })
    }

    /// Whether connections to this server may take several requests at once.
    pub(crate) fn may_share(&self, target: &Uri) -> bool {
        is_tls(target) && self.http2() != Http2Wish::No
    }

    const fn http2(&self) -> Http2Wish {
        match self.version {
            HttpVersion::Http2 => Http2Wish::Preferred,
            HttpVersion::Http2Alone => Http2Wish::Alone,
            _ => Http2Wish::No,
        }
    }

    /// Opens a connection. No byte of a request is sent by it, so nothing is delivered where it fails.
    ///
    /// Where revocation lists are missing they are fetched, and it is tried once more.
    pub(crate) async fn connect(&self, route: Route<'_>) -> Result<Connection, Unreachable> {
        let error = match self.connect_once(route).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let Some(urls) = Tls::lists_needed(&error) else { return Err(error) };
        self.fetch_lists(urls).await;
        self.connect_once(route).await
    }

    /// One after the other, in what time there is for them together.
    async fn fetch_lists(&self, urls: &[String]) {
        let end = Instant::now() + fetch::LIMIT.min(self.connect_timeout / 2);
        for url in urls {
            let list = timeout_at(end, self.fetch_list(url)).await;
            let list = list.unwrap_or_else(|_| Err("its server did not answer in time".to_owned()));
            self.tls.keep_list(url.clone(), list);
        }
    }

    async fn fetch_list(&self, url: &str) -> Result<Vec<u8>, String> {
        let url: Uri = url.parse().map_err(|_| "its URL cannot be read".to_owned())?;
        let (stream, _) = self.reach(&Address::of(&url)).await.map_err(|error| error.to_string())?;
        fetch::get(stream, &url).await
    }

    async fn connect_once(&self, route: Route<'_>) -> Result<Connection, Unreachable> {
        let server = Address::of(route.target);
        let (stream, link) = self.reach_server(&server, route).await?;
        let mut multiplexed = false;
        let over_tls = is_tls(route.target);
        let stream: Stream = if over_tls {
            let want = Want { certificate: route.certificate, http2: self.http2() };
            let secured = self.secure(server.host, stream, want).await.map_err(|error| {
                let alone = want.http2 == Http2Wish::Alone && failure::is_no_common_protocol(&error);
                if alone { failure::no_http2(server.host) } else { error }
            });
            let stream = secured.inspect_err(|error| {
                self.tell(ConnectionStatus::TlsBroken, &Outcome::Failed(error));
            })?;
            self.tell(ConnectionStatus::TlsComplete, &Outcome::Ok);
            multiplexed = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            if !multiplexed && want.http2 == Http2Wish::Alone {
                return Err(failure::no_http2(server.host));
            }
            Box::new(Overheard::new(stream, link.clone()))
        } else {
            stream
        };
        let through_another = self.firewall.is_some() || route.proxy.is_some();
        let (sender, tasks) = self.hand_over(stream, &link, multiplexed, through_another, over_tls).await?;
        Ok(Connection { sender, link, tasks, busy: false })
    }

    /// All TLS there is goes through here.
    async fn secure(
        &self,
        host: &str,
        stream: Stream,
        want: Want<'_>,
    ) -> Result<TlsStream<Stream>, Unreachable> {
        self.tls.connect(host, stream, want).await
    }

    /// Gives a stream to hyper, and has a task move its bytes.
    async fn hand_over(
        &self,
        stream: Stream,
        link: &Link,
        multiplexed: bool,
        through_another: bool,
        over_tls: bool,
    ) -> Result<(Sender, Tasks), Unreachable> {
        let tasks = Tasks::default();
        // They end with their sender; their errors reach whoever waits for a response.
        #[cfg(feature = "http2")]
        if multiplexed {
            let (sender, connection) = http2::Builder::new(tasks.clone())
                .max_header_list_size(MAX_HEAD as u32)
                .handshake(TokioIo::new(stream))
                .await
                .map_err(failure::http_handshake)?;
            let told = Told::connected(&self.events, link, through_another, over_tls);
            tasks.spawn(live(connection, told));
            return Ok((Sender::Http2(sender), tasks));
        }
        debug_assert!(!multiplexed, "HTTP/2 is offered only where it can be spoken");
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(failure::http_handshake)?;
        let told = Told::connected(&self.events, link, through_another, over_tls);
        tasks.spawn(live(connection, told));
        Ok((Sender::Http1(sender), tasks))
    }

    /// A stream that ends at the server, or at the proxy that is sent the request in its stead.
    async fn reach_server(
        &self,
        server: &Address<'_>,
        route: Route<'_>,
    ) -> Result<(Stream, Link), Unreachable> {
        let Some(proxy) = route.proxy else { return self.reach(server).await };
        let authentication = self.proxies.authentication();
        if let Ok(Some(gate)) = Gate::proxy(proxy, authentication) {
            return self.through(&gate, server, async |to| self.reach(to).await).await;
        }
        let url = proxy.url();
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let address = Address { host, port: url.port_or_known_default().unwrap_or(80) };
        let mut showing = Showing::to(proxy, authentication);
        loop {
            let (stream, link) = self.reach(&address).await.map_err(failure::to_the_proxy)?;
            let stream: Stream = if url.scheme() == "https" {
                Box::new(self.secure(host, stream, Want::default()).await.map_err(failure::to_the_proxy)?)
            } else {
                stream
            };
            if !tunnels(&self.proxies, route.target) {
                self.tell(ConnectionStatus::FirewallConnected, &Outcome::Ok);
                return Ok((stream, link));
            }
            let connect =
                Connect { role: Role::Proxy, to: server, headers: Vec::new(), events: &self.events };
            let opened = tunnel::open(stream, &connect, &mut showing).await.inspect_err(|error| {
                self.tell(ConnectionStatus::FirewallDisconnected, &Outcome::Failed(error));
            })?;
            // A new connection is asked for a few times at most, so this ends.
            if let Some(stream) = opened {
                self.tell(ConnectionStatus::FirewallConnected, &Outcome::Ok);
                return Ok((stream, link));
            }
        }
    }

    /// A stream to this address, through the firewall where there is one.
    async fn reach(&self, to: &Address<'_>) -> Result<(Stream, Link), Unreachable> {
        match &self.firewall {
            Some(firewall) => self.through(firewall, to, async |to| self.open(to).await).await,
            None => self.open(to).await,
        }
    }

    async fn through(
        &self,
        gate: &Gate,
        to: &Address<'_>,
        reach: impl AsyncFnOnce(&Address<'_>) -> Result<(Stream, Link), Unreachable>,
    ) -> Result<(Stream, Link), Unreachable> {
        let goal = gate.goal(to, &self.dialler).await?;
        let (stream, link) =
            reach(&gate.address()).await.map_err(|error| failure::to_the_gate(gate, error))?;
        let stream = gate.pass(stream, to, &goal, &self.events).await.inspect_err(|error| {
            self.tell(ConnectionStatus::FirewallDisconnected, &Outcome::Failed(error));
        })?;
        self.tell(ConnectionStatus::FirewallConnected, &Outcome::Ok);
        Ok((stream, link))
    }

    async fn open(&self, to: &Address<'_>) -> Result<(Stream, Link), Unreachable> {
        let metered = Metered::new(self.dialler.open(to).await?, self.rate, self.watched);
        let link = metered.link();
        Ok((Box::new(metered), link))
    }

    fn tell(&self, status: ConnectionStatus, outcome: &Outcome<'_>) {
        self.events.tell(|handler| handler.on_connection_status(status, outcome));
    }
}

/// Whether a proxy is asked for a tunnel, as opposed to being sent the request.
pub(crate) fn tunnels(proxies: &Proxies, target: &Uri) -> bool {
    is_tls(target) || proxies.tunnels_http()
}

pub(crate) fn is_tls(target: &Uri) -> bool {
    target.scheme() == Some(&Scheme::HTTPS)
}

/// Moves a connection's bytes until it is gone.
async fn live(connection: impl Future<Output = hyper::Result<()>>, told: Option<Told>) {
    let ended = connection.await;
    if let Some(told) = told {
        told.ended(ended.as_ref().err().map(|error| error as &(dyn Error + 'static)));
    }
}

pub(crate) type Stream = Box<dyn Duplex>;

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
