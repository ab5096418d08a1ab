//! oauth-core requests over isahc, which is libcurl, on any executor.
//!
//! In scope: one hop over HTTP/1.1, on TLS 1.2 and later by the platform's own library (OpenSSL on Linux), straight or
//! through an HTTP or SOCKS proxy, within the limits of [`Settings`].
//!
//! Out of scope: redirects, cookies, decoding (a transport does none of them), and a runtime: libcurl works on threads of
//! its own, so that the futures of this transport may be polled by async-std, smol, tokio or a bare `block_on`.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use oauth_transport::{Settings, Transport};
//! use oauth_transport_isahc::IsahcTransport;
//!
//! let transport = IsahcTransport::new(Settings::new())?;
//! assert_eq!(transport.name(), "isahc");
//! # Ok(())
//! # }
//! ```
//!
//! # Secrets in logs
//! isahc reports to `tracing`. At the levels below `info` it shows URLs with their queries and, as target `isahc::wire`,
//! whole requests and responses: keep those levels off for the target `isahc` wherever a log is kept.

mod capabilities;
mod clients;
mod failure;
mod trust;
mod upload;

use clients::{Clients, Reuse};
use failure::Route;
use futures_lite::AsyncReadExt as _;
use http::header::{TRANSFER_ENCODING, USER_AGENT};
use http::{StatusCode, Uri};
use isahc::AsyncBody;
use isahc::auth::{Authentication, Credentials};
use isahc::config::Configurable as _;
use oauth_core::{Request, Response, Unreachable};
use oauth_transport::{
    BoxFuture, Proxy, Setting, Settings, SettingsError, Support, Transport, refuse_client_certificate,
};
use std::fmt;
use std::time::Duration;
use upload::{Progress, Upload};
use zeroize::Zeroizing;

/// The name in messages and in `--transport`.
const NAME: &str = "isahc";
/// The oldest libcurl that this crate was read and tested against.
const OLDEST_LIBCURL: Version = (8, 19, 0);
/// How large a head may be: what servers themselves accept is far less.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADER_LINES: usize = 100;

type Version = (u32, u32, u32);

/// A [`Transport`] on isahc.
///
/// Each request has a client, and so a thread, of its own while it is under way; a few idle ones are kept. A request that
/// is [`one_shot`](Request::one_shot) always gets a new connection: on a reused one that turns out dead, libcurl would send
/// it a second time.
///
/// An empty body that no header announced is [`Broken`](oauth_core::UnreachableKind::Broken): libcurl also reports a head that
/// was cut short that way.
pub struct IsahcTransport {
    repeatable: Clients,
    one_shot: Clients,
    settings: Settings,
}

impl IsahcTransport {
    /// Sets the engine up, reading the platform's trust roots; sends nothing.
    ///
    /// # Errors
    /// A setting makes no sense, or this engine [does not support](Self::supports) it, or it cannot be set up. A
    /// `User-Agent` beyond ASCII and a timeout of more than 24 days are [`SettingsError::Unsupported`], too.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check(NAME, Self::supports)?;
        check_libcurl(libcurl())?;
        let tls = trust::tls_config(&settings)?;
        check_timeout("connect timeout", settings.connect_timeout())?;
        if let Some(limit) = settings.total_timeout() {
            check_timeout("total timeout", limit)?;
        }
        if settings.user_agent().is_some_and(|text| text.to_str().is_err()) {
            return Err(unsupported("User-Agent", "it holds characters beyond ASCII"));
        }
        for proxy in settings.proxies().iter() {
            check_proxy(proxy)?;
        }
        let repeatable = Clients::new(Reuse::Allowed, tls.clone(), &settings);
        // Now, so that an engine that cannot start at all is told here.
        repeatable.prepare().map_err(|error| SettingsError::Engine { cause: error.into() })?;
        Ok(Self { repeatable, one_shot: Clients::new(Reuse::Forbidden, tls, &settings), settings })
    }

    /// What this engine says to a setting.
    #[must_use]
    pub const fn supports(setting: Setting) -> Support {
        capabilities::supports(setting)
    }

    async fn perform(&self, request: Request) -> Result<Response, Unreachable> {
        refuse_client_certificate(&request)?;
        let max_body = request.max_body();
        let proxy = self.settings.proxies().for_endpoint(request.endpoint());
        let clients = if request.one_shot() { &self.one_shot } else { &self.repeatable };
        let progress = Progress::new(&request);
        let route = Route::new(request.endpoint(), &self.settings, proxy.is_some(), progress.clone());
        let request = self.to_isahc(request, proxy, &progress)?;

        let client = clients.take().map_err(failure::no_engine)?;
        let response =
            client.get().send_async(request).await.map_err(|error| failure::engine(error, &route))?;
        let response = read(response, max_body, &route).await?;
        // Only now: to drop a client is the one way to end a request at once, which a failure, too, may have left behind.
        client.keep();
        Ok(response)
    }

    fn to_isahc(
        &self,
        request: Request,
        proxy: Option<&Proxy>,
        progress: &Progress,
    ) -> Result<http::Request<AsyncBody>, Unreachable> {
        let has_body = request.one_shot();
        let (mut parts, body) = request.into_http().into_parts();
        let body = Zeroizing::new(body);
        if let Some(user_agent) = self.settings.user_agent() {
            parts.headers.entry(USER_AGENT).or_insert_with(|| user_agent.clone());
        }
        // isahc panics on any other.
        if let Some((name, _)) = parts.headers.iter().find(|(_, value)| value.to_str().is_err()) {
            return Err(failure::not_ascii(name));
        }
        let mut builder = http::Request::builder().method(parts.method).uri(parts.uri);
        if let Some(headers) = builder.headers_mut() {
            *headers = parts.headers;
        }
        if let Some(proxy) = proxy {
            builder = builder.proxy(Some(proxy_uri(proxy).map_err(|_| failure::unreadable_request())?));
            if let Some((user, password)) = proxy.credentials() {
                builder = builder
                    .proxy_authentication(Authentication::basic())
                    .proxy_credentials(Credentials::new(user, password));
            }
        }
        let body = if has_body { Upload::new(body, progress.clone()).into() } else { AsyncBody::empty() };
        builder.body(body).map_err(|_| failure::unreadable_request())
    }
}

impl Transport for IsahcTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        Box::pin(self.perform(request))
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

impl fmt::Debug for IsahcTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IsahcTransport").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Reads a response to its end, or to the limit.
async fn read(
    response: http::Response<AsyncBody>,
    max_body: usize,
    route: &Route,
) -> Result<Response, Unreachable> {
    let (parts, mut incoming) = response.into_parts();
    let size: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > MAX_HEAD || parts.headers.len() > MAX_HEADER_LINES {
        return Err(failure::head_too_large());
    }
    let announced = incoming.len().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    let capacity = announced.unwrap_or(0);
    if capacity > max_body {
        return Err(failure::body_too_large(max_body));
    }
    // Room for what was announced: a body that grows leaves copies of its secrets behind.
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    let mut chunk = Zeroizing::new(vec![0; 8 << 10]);
    loop {
        let length = incoming.read(&mut chunk).await.map_err(|error| failure::engine(error.into(), route))?;
        if length == 0 {
            break;
        }
        if length > max_body - body.len() {
            return Err(failure::body_too_large(max_body));
        }
        body.extend_from_slice(&chunk[..length]);
    }
    if may_have_body(parts.status) && !parts.headers.contains_key(TRANSFER_ENCODING) {
        // RFC 9112 section 8: a response is not whole if its connection ends in its head, or before its announced length.
        // libcurl takes the former for the end of the head, so an empty body counts only where it was announced.
        let whole = announced.map_or(!body.is_empty(), |announced| body.len() == announced);
        if !whole {
            return Err(failure::cut_short());
        }
    }
    let mut response = http::Response::new(std::mem::take(&mut *body));
    *response.version_mut() = parts.version;
    *response.status_mut() = parts.status;
    *response.headers_mut() = parts.headers;
    Ok(response.into())
}

/// RFC 9112 section 6.3: a 204 or 304 ends with its head, whatever it announces.
fn may_have_body(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

const fn unsupported(setting: &'static str, why: &'static str) -> SettingsError {
    SettingsError::Unsupported { engine: NAME, setting, why }
}

fn check_libcurl(linked: Version) -> Result<(), SettingsError> {
    // 8.20.0 hangs on names that cannot be resolved; isahc panics when it meets it.
    if linked >= OLDEST_LIBCURL && linked != (8, 20, 0) {
        return Ok(());
    }
    let name = |(major, minor, patch)| format!("{major}.{minor}.{patch}");
    let text = format!(
        "libcurl {} is linked, and {} or later is needed, except for 8.20.0; build with a newer crate curl-sys",
        name(linked),
        name(OLDEST_LIBCURL)
    );
    Err(SettingsError::Engine { cause: text.into() })
}

fn libcurl() -> Version {
    let bits = curl::Version::get().version_num();
    (bits >> 16 & 0xff, bits >> 8 & 0xff, bits & 0xff)
}

fn check_timeout(setting: &'static str, timeout: Duration) -> Result<(), SettingsError> {
    if i32::try_from(timeout.as_millis()).is_err() {
        return Err(unsupported(setting, "libcurl counts milliseconds, to 24 days at most"));
    }
    Ok(())
}

fn check_proxy(proxy: &Proxy) -> Result<(), SettingsError> {
    let refuse = |why| SettingsError::Proxy { from: "proxy", why };
    if proxy.credentials().is_some_and(|(user, password)| user.contains('\0') || password.contains('\0')) {
        return Err(refuse("its user name or password holds a zero byte"));
    }
    proxy_uri(proxy).map(drop).map_err(|_| refuse("libcurl cannot read its address"))
}

/// The proxy as isahc takes it. The port is always written out: libcurl's default is 1080, where a URL's is 80.
fn proxy_uri(proxy: &Proxy) -> Result<Uri, http::uri::InvalidUri> {
    let url = proxy.url();
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}:{}", url.scheme(), url.port_or_known_default().unwrap_or(1080)).parse()
}

#[cfg(test)]
mod tests;
