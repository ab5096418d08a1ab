//! From a URL to a connection that takes requests: the name, TCP, a tunnel, TLS, HTTP.

use crate::failure;
use crate::tls::{Tls, Want};
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::uri::{Scheme, Uri};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioIo;
use oauth_core::{KeyId, Unreachable};
use oauth_transport::Proxy;
use socket2::{SockRef, Socket};
use std::error::Error;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

/// An open connection.
pub(crate) struct Connection {
    /// What requests are given to.
    pub(crate) sender: http1::SendRequest<Full<Bytes>>,
    /// A second handle of the socket, to look at without hyper; the system may have none to spare.
    socket: Option<Socket>,
}

impl Connection {
    /// Whether another request can be given to it.
    ///
    /// Asks the system, too: hyper does not learn that a server hung up before the runtime has come to polling the
    /// socket, and a request that is written until then is lost.
    pub(crate) async fn is_usable(&mut self) -> bool {
        self.sender.ready().await.is_ok() && self.socket.as_ref().is_some_and(is_silent)
    }
}

/// Whether an idle socket is open and has nothing to read, as it should be.
fn is_silent(socket: &Socket) -> bool {
    socket.peek(&mut [MaybeUninit::uninit()]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// A response's head may have this many bytes, and this many lines.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;

pub(crate) struct Connector {
    tcp: HttpConnector<Resolver>,
    tls: Tls,
}

impl Connector {
    pub(crate) fn new(tls: Tls, connect_timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Shared by the addresses of a name, so that a dead one does not use up the whole of it.
        tcp.set_connect_timeout(Some(connect_timeout));
        Self { tcp, tls }
    }

    /// Opens a connection. No byte of a request is sent by it, so nothing is delivered where it fails.
    pub(crate) async fn connect(
        &self,
        target: &Uri,
        proxy: Option<&Proxy>,
        want: Want<'_>,
    ) -> Result<Connection, Unreachable> {
        let (stream, socket) = match proxy {
            None => self.open(target, want).await?,
            Some(proxy) => {
                let address: Uri =
                    proxy.url().as_str().parse().map_err(|_| failure::proxy("its address is no URI"))?;
                let (stream, socket) =
                    self.open(&address, Want::default()).await.map_err(failure::to_the_proxy)?;
                let stream = if is_tls(target) {
                    self.secure(tunnel(stream, target, proxy).await?, target, want).await?
                } else {
                    stream
                };
                (stream, socket)
            }
        };
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(failure::http_handshake)?;
        // Ends with its sender; its errors reach whoever waits for a response.
        tokio::spawn(connection);
        Ok(Connection { sender, socket })
    }

    async fn open(&self, target: &Uri, want: Want<'_>) -> Result<(Stream, Option<Socket>), Unreachable> {
        let mut tcp = self.tcp.clone();
        let stream =
            tcp.call(target.clone()).await.map_err(|error| failure::tcp(target, error))?.into_inner();
        let socket = SockRef::from(&stream).try_clone().ok();
        let stream: Stream =
            if is_tls(target) { self.secure(stream, target, want).await? } else { Box::new(stream) };
        Ok((stream, socket))
    }

    async fn secure(
        &self,
        stream: impl Duplex + 'static,
        target: &Uri,
        want: Want<'_>,
    ) -> Result<Stream, Unreachable> {
        Ok(Box::new(self.tls.connect(target.host().unwrap_or_default(), stream, want).await?))
    }

    /// Whether a certificate of that name is held.
    pub(crate) fn holds(&self, name: &KeyId) -> bool {
        self.tls.holds(name)
    }
}

/// Has the proxy connect us to the target (RFC 9110 section 9.3.6).
async fn tunnel(stream: Stream, target: &Uri, proxy: &Proxy) -> Result<Stream, Unreachable> {
    let host = target.host().unwrap_or_default();
    // RFC 9112 section 3.2.3: the authority form always names the port.
    let authority = format!("{host}:{}", target.port_u16().unwrap_or(443));
    let (mut sender, connection) =
        http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await.map_err(failure::tunnel)?;
    tokio::spawn(connection.with_upgrades());
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() =
        authority.parse().map_err(|_| failure::proxy("the server's address is no authority"))?;
    let value = HeaderValue::from_str(&authority)
        .map_err(|_| failure::proxy("the server's address is no authority"))?;
    request.headers_mut().insert(HOST, value);
    if let Some(authorization) = proxy.authorization() {
        request.headers_mut().insert(PROXY_AUTHORIZATION, authorization);
    }
    let response = sender.send_request(request).await.map_err(failure::tunnel)?;
    if !response.status().is_success() {
        return Err(failure::tunnel_refused(response.status()));
    }
    let tunnel = hyper::upgrade::on(response).await.map_err(failure::tunnel)?;
    Ok(Box::new(TokioIo::new(tunnel)))
}

fn is_tls(target: &Uri) -> bool {
    target.scheme() == Some(&Scheme::HTTPS)
}

type Stream = Box<dyn Duplex>;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The system's resolver, whose failures can be told from those of a connection.
#[derive(Clone)]
struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = <GaiResolver as Service<Name>>::Response;
    type Error = NameFailed;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NameFailed>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), NameFailed>> {
        self.0.poll_ready(context).map_err(NameFailed)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.call(name);
        Box::pin(async move { resolving.await.map_err(NameFailed) })
    }
}

/// A name could not be resolved.
#[derive(Debug)]
pub(crate) struct NameFailed(io::Error);

impl fmt::Display for NameFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for NameFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
