//! A request, as each version of HTTP has it.

use crate::connect::{Showing, Why};
use crate::upload::Upload;
use http::header::{CONNECTION, HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request as HttpRequest, Uri, Version};
use hyper::body::Bytes;
use oauth_core::Request;
use oauth_transport::{EventSink, Http, HttpVersion, LogLevel, LogType, redacted_head};
use std::num::NonZeroUsize;
use zeroize::Zeroizing;

/// A request that can be written more than once, should a proxy ask who we are.
pub(crate) struct Outgoing {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    version: Version,
    closes: bool,
    chunk: Option<NonZeroUsize>,
    events: EventSink,
}

impl Outgoing {
    pub(crate) fn new(
        request: Request,
        http: &Http,
        user_agent: Option<&HeaderValue>,
        events: &EventSink,
    ) -> Self {
        let (mut parts, body) = request.into_http().into_parts();
        if let Some(user_agent) = user_agent {
            parts.headers.entry(USER_AGENT).or_insert_with(|| user_agent.clone());
        }
        // RFC 7541 section 7.1.3: what is sensitive is never put into a table.
        for name in &http.unindexed {
            if let http::header::Entry::Occupied(mut values) = parts.headers.entry(name) {
                values.iter_mut().for_each(|value| value.set_sensitive(true));
            }
        }
        Self {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body: Bytes::from_owner(Zeroizing::new(body)),
            version: if http.version == HttpVersion::Http10 { Version::HTTP_10 } else { Version::HTTP_11 },
            closes: !http.reuse_connections && http.version != HttpVersion::Http10,
            chunk: http.upload_chunk,
            events: events.clone(),
        }
    }

    /// For a server, or for a proxy that is shown who we are.
    pub(crate) fn http1(&self, proxy: Option<&Showing<'_>>) -> Result<HttpRequest<Upload>, Why> {
        let mut request = self.request();
        *request.version_mut() = self.version;
        if let Some(authority) = self.uri.authority() {
            let host = HeaderValue::from_str(authority.as_str()).expect("an authority is printable ASCII");
            request.headers_mut().entry(HOST).or_insert(host);
        }
        if self.closes && !proxy.is_some_and(Showing::goes_on) {
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let Some(proxy) = proxy else {
            // RFC 9112 section 3.2.1: a server is sent path and query.
            *request.uri_mut() = self.uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
            return Ok(request);
        };
        // RFC 9112 section 3.2.2: a proxy is sent the absolute form.
        if let Some(authorization) = proxy.authorization(&self.method, &self.uri.to_string())? {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization);
        }
        self.events.log(LogLevel::Verbose, LogType::ProxyRequest, || {
            // A query may hold a credential.
            let whole = self.uri.to_string();
            let shown = whole.split_once('?').map_or(&*whole, |(before, _)| before);
            redacted_head(&format!("{} {shown} {:?}", self.method, self.version), request.headers())
        });
        Ok(request)
    }

    /// RFC 9113 section 8.3.1: the whole URI, and no `Host`. A connection that serves one request says so by being closed.
    #[cfg(feature = "http2")]
    pub(crate) fn http2(&self) -> HttpRequest<Upload> {
        self.request()
    }

    fn request(&self) -> HttpRequest<Upload> {
        let mut request = HttpRequest::new(Upload::new(self.body.clone(), self.chunk, self.events.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}
