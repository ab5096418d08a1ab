//! Request descriptions, the responses that answer them, and the endpoints they go to.

use crate::bearer::InvalidBearerToken;
use crate::flow::KeyId;
use crate::policy::{OptOut, Policy};
use crate::secret::{AccessToken, SecretBytes, Wiped};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri, Version};
use url::{Host, Url};

// What most requests say is written once, and lent.
static CONTENT_TYPE_NAME: HeaderName = CONTENT_TYPE;
static ACCEPT_NAME: HeaderName = ACCEPT;
static AUTHORIZATION_NAME: HeaderName = AUTHORIZATION;
static FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
static JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What to send, and what its transport must honour.
///
/// Small and cheap; [`into_http`](Self::into_http) pays for an `http::Request`. A transport
/// - performs it **once**, and answers with whatever came, at any status;
/// - follows **no** redirect, on any request: a redirected token request hands its credentials to a stranger
///   (RFC 9700 section 4.12);
/// - reads at most [`max_body`](Self::max_body) bytes of body, and then answers
///   [`UnreachableKind::TooLarge`](crate::UnreachableKind::TooLarge);
/// - adds no cookie, no credentials and no `Accept-Encoding` of its own.
pub struct Request {
    purpose: Purpose,
    method: Method,
    endpoint: Arc<Endpoint>,
    /// What the body is.
    content_type: Option<&'static HeaderValue>,
    /// The client's own authentication, which most requests have and no other header.
    authorization: Option<HeaderValue>,
    more_headers: Vec<(HeaderName, HeaderValue)>,
    body: Wiped,
    client_certificate: Option<KeyId>,
    max_body: usize,
}

impl Request {
    /// A form to be posted: what every flow sends to its endpoints.
    #[must_use]
    pub fn form(purpose: Purpose, endpoint: Arc<Endpoint>, body: SecretBytes) -> Self {
        Self::new(purpose, Method::POST, endpoint, Some(&FORM), body.into_inner())
    }

    /// A JSON document to be sent: what registers a client (RFC 7591 section 3.1).
    #[must_use]
    pub fn json(purpose: Purpose, method: Method, endpoint: Arc<Endpoint>, body: SecretBytes) -> Self {
        Self::new(purpose, method, endpoint, Some(&JSON), body.into_inner())
    }

    /// A document to be fetched.
    #[must_use]
    pub fn get(purpose: Purpose, endpoint: Arc<Endpoint>) -> Self {
        Self::new(purpose, Method::GET, endpoint, None, Wiped::default())
    }

    /// Something to be deleted.
    #[must_use]
    pub fn delete(purpose: Purpose, endpoint: Arc<Endpoint>) -> Self {
        Self::new(purpose, Method::DELETE, endpoint, None, Wiped::default())
    }

    const fn new(
        purpose: Purpose,
        method: Method,
        endpoint: Arc<Endpoint>,
        content_type: Option<&'static HeaderValue>,
        body: Wiped,
    ) -> Self {
        Self {
            purpose,
            method,
            endpoint,
            content_type,
            authorization: None,
            more_headers: Vec::new(),
            body,
            client_certificate: None,
            max_body: 1 << 20,
        }
    }

    /// Presents a token (RFC 6750 section 2.1).
    pub(crate) fn with_bearer(self, token: &AccessToken) -> Result<Self, InvalidBearerToken> {
        Ok(self.with_header(AUTHORIZATION, token.bearer()?))
    }

    /// Adds a header. Mark the value sensitive where it carries a credential.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if name == AUTHORIZATION && self.authorization.is_none() {
            self.authorization = Some(value);
        } else {
            self.more_headers.push((name, value));
        }
        self
    }

    /// Sets a header in place of those of its name. Mark the value sensitive where it carries a credential.
    #[must_use]
    pub fn with_header_replaced(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if name == AUTHORIZATION {
            self.authorization = None;
        }
        self.more_headers.retain(|(known, _)| *known != name);
        self.with_header(name, value)
    }

    /// Puts another body in the place of this one, such as the same one compressed.
    #[must_use]
    pub fn with_body(mut self, body: SecretBytes) -> Self {
        self.body = body.into_inner();
        self
    }

    /// Sets how many bytes of response body are read at most.
    #[must_use]
    pub const fn with_max_body(mut self, limit: usize) -> Self {
        self.max_body = limit;
        self
    }

    /// Has the connection show this client certificate (RFC 8705).
    #[must_use]
    pub fn with_client_certificate(mut self, certificate: KeyId) -> Self {
        self.client_certificate = Some(certificate);
        self
    }

    /// The certificate that the connection must show.
    ///
    /// A transport that does not hold it answers
    /// [`UnreachableKind::Unsupported`](crate::UnreachableKind::Unsupported) before it connects.
    #[must_use]
    pub const fn client_certificate(&self) -> Option<&KeyId> {
        self.client_certificate.as_ref()
    }

    /// What the request is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The HTTP method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Where it goes.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The headers. Those that carry credentials are marked sensitive.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let content_type = self.content_type.map(|value| (&CONTENT_TYPE_NAME, value));
        let authorization = self.authorization.as_ref().map(|value| (&AUTHORIZATION_NAME, value));
        let more = self.more_headers.iter().map(|(name, value)| (name, value));
        let accept = self.accepts_json().then_some((&ACCEPT_NAME, &JSON));
        content_type.into_iter().chain(accept).chain(authorization).chain(more)
    }

    /// Whether no header says what else it accepts.
    fn accepts_json(&self) -> bool {
        self.more_headers.iter().all(|(name, _)| *name != ACCEPT)
    }

    /// The body; empty for a GET. It may hold credentials.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body.0
    }

    /// How many bytes of response body are read before the transport gives up: 1 MiB, unless it was
    /// [set](Self::with_max_body).
    #[must_use]
    pub const fn max_body(&self) -> usize {
        self.max_body
    }

    /// Whether what it carries is spent by being sent: a code, a rotating refresh token, a device code, a registration
    /// access token, which even being read may rotate (RFC 7592 section 3).
    ///
    /// Such a request is never sent again by a transport on its own, not even on a fresh connection after a reused
    /// one turned out dead: the first copy may have arrived.
    #[must_use]
    pub fn one_shot(&self) -> bool {
        self.method != Method::GET || matches!(self.purpose, Purpose::Registration | Purpose::Token)
    }

    /// The description as a value that HTTP libraries take. Its body is wiped by nobody from here on.
    #[must_use]
    pub fn into_http(mut self) -> http::Request<Vec<u8>> {
        let json = self.accepts_json();
        let mut request = http::Request::new(core::mem::take(&mut self.body.0));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.endpoint.uri.clone();
        let headers = request.headers_mut();
        if let Some(value) = self.content_type {
            headers.insert(CONTENT_TYPE, value.clone());
        }
        if json {
            headers.insert(ACCEPT, JSON.clone());
        }
        if let Some(value) = self.authorization {
            headers.insert(AUTHORIZATION, value);
        }
        headers.extend(self.more_headers);
        request
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("purpose", &self.purpose)
            .field("method", &self.method)
            .field("endpoint", &self.endpoint)
            .field("headers", &self.headers().collect::<Vec<_>>())
            .field("body", &format_args!("[{} bytes]", self.body.0.len()))
            .finish()
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Server metadata (RFC 8414, OpenID Connect Discovery).
    Discovery,
    /// The server's public keys (RFC 7517 section 5).
    Keys,
    /// The device authorization endpoint (RFC 8628 section 3.1).
    DeviceAuthorization,
    /// The token endpoint (RFC 6749 section 3.2).
    Token,
    /// The revocation endpoint (RFC 7009 section 2).
    Revocation,
    /// The introspection endpoint (RFC 7662 section 2).
    Introspection,
    /// An endpoint in the style of Google's that tells what an access token is good for.
    TokenInfo,
    /// The client registration endpoint (RFC 7591 section 3), or a client's own configuration endpoint (RFC 7592
    /// section 2).
    Registration,
    /// A protected resource (RFC 6749 section 7).
    Resource,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "metadata",
            Self::Keys => "jwks_uri",
            Self::DeviceAuthorization => "device authorization endpoint",
            Self::Token => "token endpoint",
            Self::Revocation => "revocation endpoint",
            Self::Introspection => "introspection endpoint",
            Self::TokenInfo => "token info endpoint",
            Self::Registration => "client registration endpoint",
            Self::Resource => "resource",
        })
    }
}

/// A response, whatever its status. Its body is wiped on drop, and `Debug` does not show it.
pub struct Response {
    version: Version,
    status: StatusCode,
    headers: HeaderMap,
    body: Wiped,
}

impl Response {
    /// The version of HTTP it came by.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers as they came.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body. It may hold credentials.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body.0
    }
}

impl From<http::Response<Vec<u8>>> for Response {
    fn from(response: http::Response<Vec<u8>>) -> Self {
        let (parts, body) = response.into_parts();
        Self { version: parts.version, status: parts.status, headers: parts.headers, body: Wiped(body) }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body", &format_args!("[{} bytes]", self.body.0.len()))
            .finish_non_exhaustive()
    }
}

/// A URL that requests may go to: `https`, or `http` on a loopback address where the [`Policy`] says so.
///
/// Has a host, no userinfo and no fragment (RFC 6749 sections 3.1 and 3.2). Shown without its query.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    uri: Uri,
}

impl Endpoint {
    /// Reads and checks a URL.
    ///
    /// # Errors
    /// Not a URL, or one that no credential may be sent to: the setup is at fault, or the server that advertised it.
    pub fn new(text: &str, policy: &Policy) -> Result<Self, EndpointError> {
        // `Url` repairs these, other readers do not: two readers of one text must not see two hosts.
        if text.bytes().any(|byte| matches!(byte, 0..=0x20 | 0x7F | b'\\')) {
            return Err(EndpointError::NotAUrl);
        }
        let url = Url::parse(text).map_err(|_| EndpointError::NotAUrl)?;
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => {}
            // RFC 6749 section 3.2 requires TLS; loopback traffic never leaves the machine.
            ("http", Some(host)) if is_loopback(&host) => {
                if !policy.allows(OptOut::PlainHttpOnLoopback) {
                    return Err(EndpointError::PlainHttpOnLoopback);
                }
            }
            ("https", None) => return Err(EndpointError::NoHost),
            _ => return Err(EndpointError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Userinfo);
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        let uri = url.as_str().parse().map_err(|_| EndpointError::NotAUrl)?;
        Ok(Self { url, uri })
    }

    /// The URL, query and all.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The URL as `http` spells it.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.url.as_str();
        f.write_str(shown.split_once('?').map_or(shown, |(before_query, _)| before_query))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
        Host::Domain(name) => *name == "localhost",
    }
}

/// Why a URL may not be an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text is not an absolute URL.
    NotAUrl,
    /// The URL names no host.
    NoHost,
    /// The scheme is not `https`.
    NotHttps,
    /// The scheme is `http`, on a loopback address, and the policy does not allow it.
    PlainHttpOnLoopback,
    /// The URL carries a user name or a password.
    Userinfo,
    /// The URL has a fragment.
    Fragment,
    /// The URL has a query, which an issuer may not have (RFC 8414 section 2).
    Query,
    /// The URL is of another origin than the resource that names it.
    Origin,
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAUrl => "it is not an absolute URL",
            Self::NoHost => "it names no host",
            Self::NotHttps => "its scheme is not https, so credentials sent there could be read on the way",
            Self::PlainHttpOnLoopback => {
                "it is plain http on this machine, which has to be allowed explicitly"
            }
            Self::Userinfo => "it carries a user name or a password",
            Self::Fragment => "it has a fragment",
            Self::Query => "it has a query, which an issuer may not have",
            Self::Origin => "it is of another origin than the resource that names it",
        })
    }
}

impl core::error::Error for EndpointError {}
