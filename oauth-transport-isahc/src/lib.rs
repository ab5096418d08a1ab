//! oauth-core requests over isahc, which is libcurl, on any executor.
//!
//! In scope: one hop over HTTP/1.0, 1.1 or 2, on TLS 1.2 and later by the platform's own library (OpenSSL on Linux), straight,
//! through an HTTP or SOCKS proxy or a SOCKS firewall, within the limits of [`Settings`]. What of them libcurl, or isahc in
//! front of it, cannot carry is refused by name when a transport is made.
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
mod ciphers;
mod clients;
mod failure;
mod identity;
mod response;
mod silence;
mod telling;
mod tls;
mod upload;
mod way;

use clients::{Clients, Reuse};
use failure::Route;
use futures_lite::future::or;
use http::HeaderMap;
use http::header::{CONNECTION, USER_AGENT};
use isahc::{AsyncBody, ResponseExt as _};
use oauth_core::{Delivered, KeyId, Request, Response, Unreachable};
use oauth_transport::{
    BoxFuture, HttpVersion, Identity, Setting, Settings, SettingsError, Support, Transport, added_headers,
};
use response::Limits;
use silence::Silence;
use std::fmt;
use std::time::{Duration, Instant};
use telling::Telling;
use upload::{Progress, Upload};
use way::Way;
use zeroize::Zeroizing;

/// The name in messages and in `--transport`.
const NAME: &str = "isahc";
/// The oldest libcurl that this crate was read and tested against.
const OLDEST_LIBCURL: Version = (8, 19, 0);
/// The longest interval that Linux takes, in seconds; what is more, libcurl would not tell that it was not taken.
const LONGEST_KEEP_ALIVE: u64 = 32_767;

/// How long no byte may move where there is a rate: libcurl lets a second's worth through at a time.
const HELD_BACK: Duration = Duration::from_secs(2);

type Version = (u32, u32, u32);

/// A [`Transport`] on isahc.
///
/// Each request has a client, and so a thread, of its own while it is under way; idle ones are kept, 64 at
/// most, and those beyond eight until the first call after five seconds. A request that
/// is [`one_shot`](Request::one_shot) always gets a new connection: on a reused one that turns out dead, libcurl would send
/// it a second time.
///
/// An empty body whose length no header announced, one in chunks with it, is
/// [`Broken`](oauth_core::UnreachableKind::Broken): libcurl also reports a head that was cut short that way.
///
/// [`Settings::without_user_agent`] is refused: isahc names itself where nobody else is named.
pub struct IsahcTransport {
    pool: Pool,
    named: Vec<(KeyId, Pool)>,
    settings: Settings,
}

/// The clients of one identity, or of none. No two identities share a connection, or a TLS session.
struct Pool {
    repeatable: Clients,
    one_shot: Clients,
}

impl Pool {
    fn new(
        plan: &tls::Plan,
        identity: Option<&Identity>,
        settings: &Settings,
    ) -> Result<Self, SettingsError> {
        let tls = plan.config(identity)?;
        let (repeatable, one_shot) = match (settings.tls().resume_sessions, settings.http().reuse_connections)
        {
            // A client remembers the sessions of its servers.
            (false, _) => (Reuse::Nothing, Reuse::Nothing),
            (true, false) => (Reuse::Clients, Reuse::Clients),
            (true, true) => (Reuse::Connections, Reuse::Clients),
        };
        Ok(Self {
            repeatable: Clients::new(repeatable, tls.clone(), settings),
            one_shot: Clients::new(one_shot, tls, settings),
        })
    }
}

impl IsahcTransport {
    /// Sets the engine up, reading the platform's trust roots; sends nothing.
    ///
    /// # Errors
    /// A setting makes no sense, or this engine [does not support](Self::supports) it, or it cannot be set up. No
    /// `User-Agent`, one beyond ASCII and a timeout of more than 24 days are [`SettingsError::Unsupported`], too.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check(NAME, Self::supports)?;
        check_libcurl(libcurl())?;
        let plan = tls::Plan::new(&settings)?;
        check_values(&settings)?;
        way::check(&settings)?;
        let pool = Pool::new(&plan, settings.client_certificate(), &settings)?;
        let named = settings
            .named_client_certificates()
            .map(|(name, identity)| Ok((name.clone(), Pool::new(&plan, Some(identity), &settings)?)))
            .collect::<Result<_, SettingsError>>()?;
        // Now, so that an engine that cannot start at all is told here.
        pool.repeatable.prepare().map_err(|error| SettingsError::Engine { cause: error.into() })?;
        Ok(Self { pool, named, settings })
    }

    /// What this engine says to a setting.
    #[must_use]
    pub const fn supports(setting: Setting) -> Support {
        capabilities::supports(setting)
    }

    async fn perform(&self, request: Request) -> Result<Response, Unreachable> {
        let way = Way::new(&self.settings, request.endpoint());
        let pool = self.admit(&request, way)?;
        let clients = if request.one_shot() { &pool.one_shot } else { &pool.repeatable };
        let telling = Telling::new(self.settings.events(), request.endpoint(), way);
        let limits = Limits {
            body: request.max_body(),
            line: self.settings.http().max_line,
            rate: self.settings.tcp().rate,
            until: self.settings.total_timeout().and_then(|limit| Instant::now().checked_add(limit)),
        };
        let progress = Progress::new(&request);
        let route = Route::new(request.endpoint(), &self.settings, way, progress.clone());
        let silence = self.silence(&request);
        let misfit = way.of_another_family(self.settings.tcp().addresses, request.endpoint());
        let request = self.to_isahc(request, way, &progress, &silence)?;
        if let Some(host) = misfit {
            let error = failure::of_another_family(&host);
            telling.not_connected(&error);
            return Err(error);
        }

        let mut client = clients.take().map_err(failure::no_engine)?;
        let sending = async { Some(client.get().send_async(request).await) };
        let silent = async {
            silence.too_long().await;
            None
        };
        let (error, address) = match or(sending, silent).await {
            Some(Ok(response)) => {
                let link = telling.connected(client.link.take(), response.local_addr());
                telling.sent(progress.taken());
                return match response::read(response, &limits, &route, &silence, &telling).await {
                    Ok(response) => {
                        client.link = (!says_close(&response)).then_some(link);
                        // Only now: to drop a client is the one way to end a request at once, which a failure, too, may
                        // have left behind.
                        client.keep();
                        Ok(response)
                    }
                    Err(error) => {
                        link.broken(&error);
                        Err(error)
                    }
                };
            }
            Some(Err(error)) => {
                let address = error.local_addr();
                (failure::engine(error, &route), address)
            }
            None => (failure::silent(&route), None),
        };
        // Our end of a connection shows that it stood, and so does a body that libcurl asked for.
        let stood = error.delivered != Delivered::No && (address.is_some() || progress.taken() > 0);
        let last = client.link.take();
        if stood {
            let link = telling.connected(last, address);
            telling.sent(progress.taken());
            link.broken(&error);
        } else {
            telling.not_connected(&error);
        }
        Err(error)
    }

    /// The clients for a request; refuses one that would have to leave something out.
    fn admit(&self, request: &Request, way: Way<'_>) -> Result<&Pool, Unreachable> {
        self.settings.admit(request)?;
        let over_tls = request.endpoint().url().scheme() == "https";
        if !over_tls && request.one_shot() && way.asks_first() {
            return Err(failure::needs_two_attempts());
        }
        let named = request.client_certificate().and_then(|wanted| {
            let named = self.named.iter().find(|(name, _)| name == wanted);
            named.map(|(_, pool)| pool)
        });
        Ok(named.unwrap_or(&self.pool))
    }

    fn silence(&self, request: &Request) -> Silence {
        // While libcurl holds bytes back for the rate, that is no silence of the server's.
        let held_back = self.settings.tcp().rate.map_or(Duration::ZERO, |_| HELD_BACK);
        let limit = self.settings.inactivity_timeout().map(|limit| limit.saturating_add(held_back));
        if request.body().is_empty() {
            Silence::without_body(limit, self.settings.connect_timeout())
        } else {
            Silence::of_body(limit)
        }
    }

    fn to_isahc(
        &self,
        request: Request,
        way: Way<'_>,
        progress: &Progress,
        silence: &Silence,
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
        let body = if has_body {
            let chunk = self.settings.http().upload_chunk;
            Upload::new(body, chunk, progress.clone(), silence.clone()).into()
        } else {
            AsyncBody::empty()
        };
        way.apply(builder)?.body(body).map_err(|_| failure::unreadable_request())
    }
}

impl Transport for IsahcTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        Box::pin(self.perform(request))
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn added_headers(&self, request: &Request) -> HeaderMap {
        let mut added = added_headers(request, self.settings.http(), self.settings.user_agent());
        // libcurl closes the connection, and does not say so.
        added.remove(CONNECTION);
        added
    }
}

impl fmt::Debug for IsahcTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IsahcTransport").field("settings", &self.settings).finish_non_exhaustive()
    }
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

/// Whether the connection of a response serves no other (RFC 9112 section 9.3).
fn says_close(response: &Response) -> bool {
    let options = response.headers().get_all(CONNECTION);
    let mut options =
        options.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    options.any(|option| option.trim().eq_ignore_ascii_case("close"))
}

/// Refuses what libcurl would take for something else, and what isahc could not send.
fn check_values(settings: &Settings) -> Result<(), SettingsError> {
    check_timeout(Setting::ConnectTimeout.name(), settings.connect_timeout())?;
    if let Some(limit) = settings.total_timeout() {
        check_timeout(Setting::TotalTimeout.name(), limit)?;
    }
    match settings.user_agent() {
        None => {
            return Err(unsupported(
                "absence of a User-Agent",
                "isahc names itself where nobody else is named; the transport hyper can leave it out",
            ));
        }
        Some(text) if text.to_str().is_err() => {
            return Err(unsupported("User-Agent", "it holds characters beyond ASCII"));
        }
        Some(_) => {}
    }
    if let Some(interval) = settings.tcp().keep_alive.and_then(|probes| probes.interval)
        && (interval.is_zero() || interval.as_secs() >= LONGEST_KEEP_ALIVE)
    {
        return Err(SettingsError::Value {
            setting: Setting::KeepAliveInterval,
            value: format!("{interval:?}"),
            expected: format!("anything from a second to {LONGEST_KEEP_ALIVE} seconds"),
        });
    }
    let http = settings.http();
    if http.version == HttpVersion::Http2 && !isahc::is_http_version_supported(http::Version::HTTP_2) {
        return Err(unsupported(
            Setting::Http2.name(),
            "libcurl is built without it; the transport hyper can",
        ));
    }
    if let Some(size) = http.upload_chunk
        && http.version != HttpVersion::Http11
    {
        return Err(SettingsError::Value {
            setting: Setting::ChunkedUpload,
            value: size.to_string(),
            expected: "set with HTTP/1.1 alone, the one version that has chunks".to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
