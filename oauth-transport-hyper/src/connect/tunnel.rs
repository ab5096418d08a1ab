//! Tunnels that an HTTP proxy, or a firewall that is one, opens by `CONNECT` (RFC 9110 section 9.3.6).

use super::gate::Role;
use super::showing::{Showing, Why};
use super::{Address, MAX_HEAD, MAX_HEADERS, Stream};
use crate::failure;
use http::header::{HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use oauth_core::Unreachable;
use oauth_transport::{EventSink, LogLevel, redacted_head};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// What a refusal may have for a body where the connection is to be used again.
const MAX_REFUSAL: usize = 64 * 1024;

/// Whom to ask for what.
pub(crate) struct Connect<'a> {
    pub(crate) role: Role,
    pub(crate) to: &'a Address<'a>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) events: &'a EventSink,
}

/// Asks for a tunnel.
///
/// `None` where the request is to be put again, on a new connection: a challenge was taken, and the proxy hung up.
pub(crate) async fn open(
    stream: Stream,
    connect: &Connect<'_>,
    showing: &mut Showing<'_>,
) -> Result<Option<Stream>, Unreachable> {
    let role = connect.role;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failure::tunnel(role, error))?;
    let mut connection = Driven { connection, role, over: false };
    loop {
        let request = connect.request(showing).map_err(|why| failure::refused(role, &why))?;
        connect.log_request(&request);
        let response = connection.drive(sender.send_request(request)).await?;
        connect.log_response(&response);
        let status = response.status();
        if status.is_success() {
            drop(response);
            return connection.into_stream().await.map(Some);
        }
        let again = status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            && showing.challenged(response.headers()).await.map_err(|why| failure::refused(role, &why))?;
        if !again {
            return Err(failure::tunnel_refused(role, status));
        }
        let body = Limited::new(response.into_body(), MAX_REFUSAL).collect();
        let ended = connection.drive(async { Ok(body.await.is_ok()) }).await;
        if !ended.is_ok_and(|whole| whole) || connection.drive(sender.ready()).await.is_err() {
            if showing.is_bound() {
                return Err(failure::refused(role, failure::ENDED_HALFWAY));
            }
            return Ok(None);
        }
    }
}

impl Connect<'_> {
    fn request(&self, showing: &Showing<'_>) -> Result<Request<Empty<Bytes>>, Why> {
        const UNFIT: &str = "the server's address is no authority";
        // RFC 9112 section 3.2.3: the authority form always names the port.
        let authority = self.to.to_string();
        let mut request = Request::new(Empty::new());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = authority.parse::<Uri>().map_err(|_| UNFIT)?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_str(&authority).map_err(|_| UNFIT)?);
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if let Some(value) = showing.authorization(&Method::CONNECT, &authority)? {
            headers.insert(PROXY_AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn log_request(&self, request: &Request<Empty<Bytes>>) {
        self.events.log(LogLevel::Verbose, self.role.request(), || {
            redacted_head(&format!("CONNECT {} HTTP/1.1", request.uri()), request.headers())
        });
    }

    fn log_response(&self, response: &Response<Incoming>) {
        self.events.log(LogLevel::Verbose, self.role.response(), || {
            redacted_head(&format!("{:?} {}", response.version(), response.status()), response.headers())
        });
    }
}

/// A connection whose bytes move while somebody waits for what they bring: no task does it, so that whoever gives up closes
/// it, too.
struct Driven {
    connection: http1::Connection<TokioIo<Stream>, Empty<Bytes>>,
    role: Role,
    over: bool,
}

impl Driven {
    async fn drive<T>(&mut self, work: impl Future<Output = hyper::Result<T>>) -> Result<T, Unreachable> {
        let mut work = pin!(work);
        let mut broken = None;
        poll_fn(|context| {
            if !self.over
                && let Poll::Ready(end) = self.connection.poll_without_shutdown(context)
            {
                self.over = true;
                broken = end.err();
            }
            match work.as_mut().poll(context) {
                Poll::Ready(outcome) => {
                    Poll::Ready(outcome.map_err(|error| failure::tunnel(self.role, error)))
                }
                Poll::Pending if self.over => Poll::Ready(Err(match broken.take() {
                    Some(error) => failure::tunnel(self.role, error),
                    None => failure::refused(self.role, "it ended the connection"),
                })),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// The stream, once `CONNECT` was answered with a yes.
    async fn into_stream(mut self) -> Result<Stream, Unreachable> {
        if !self.over {
            poll_fn(|context| self.connection.poll_without_shutdown(context))
                .await
                .map_err(|error| failure::tunnel(self.role, error))?;
        }
        let parts = self.connection.into_parts();
        // Whoever speaks through a tunnel waits for us to begin, and the proxy has nothing more to say.
        if !parts.read_buf.is_empty() {
            return Err(failure::refused(
                self.role,
                "it sent more than an answer before the tunnel was used",
            ));
        }
        Ok(parts.io.into_inner())
    }
}
