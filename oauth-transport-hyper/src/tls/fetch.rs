//! Fetches one revocation list: a GET over plain http, since lists are signed.

use http::header::{HOST, USER_AGENT};
use http::uri::Uri;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// How long the lists of one certificate may take; of the time for a connection, half at most.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// How long a list may be.
const MAX_LIST: usize = 4 << 20;

/// Asks for the list over a connection to its server, which serves nothing else.
pub(crate) async fn get(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: &Uri,
) -> Result<Vec<u8>, String> {
    let failed = |error: hyper::Error| format!("it could not be fetched: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Ends with its sender; its errors reach whoever waits for the response.
    tokio::spawn(connection);
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = url.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    let host = url.authority().map_or("", |authority| authority.as_str());
    let host = HeaderValue::from_str(host).map_err(|_| "its URL names no host".to_owned())?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("oauth"));
    let response = sender.send_request(request).await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(format!("its server answers {}", response.status().as_u16()));
    }
    let mut body = response.into_body();
    let mut list = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Some(bytes) = frame.map_err(failed)?.data_ref() {
            if bytes.len() > MAX_LIST - list.len() {
                return Err(format!("it has more than {MAX_LIST} bytes"));
            }
            list.extend_from_slice(bytes);
        }
    }
    Ok(list)
}
