//! One client for each request under way.
//!
//! isahc ends a request before its time only by ending the client it runs on: while a server is silent, nothing else
//! closes the connection of a future that was dropped. So no two requests share a client at the same time.

use crate::telling::Link;
use isahc::HttpClient;
use isahc::config::{Configurable as _, ExpectContinue, RedirectPolicy, VersionNegotiation};
use isahc::net::IpVersion;
use isahc::tls::TlsConfig;
use oauth_transport::{Addresses, HttpVersion, Settings, Tcp};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How many idle clients are kept: each holds a sleeping thread and, where that is allowed, connections.
const KEEP: usize = 64;
/// To how many servers an idle one keeps a connection.
const SERVERS: usize = 4;
/// How many of them are kept however long they are idle, and how long the others are: until the next call after that.
const KEEP_LONG: usize = 8;
const KEEP_FOR: Duration = Duration::from_secs(5);

/// libcurl's own, in seconds: what it takes where only the probes are asked for.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(60);

/// What may serve more than one request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// A client and its connection.
    Connections,
    /// A client, and with it what it knows of TLS sessions.
    Clients,
    /// Nothing.
    Nothing,
}

/// Makes clients of one kind, and keeps the idle ones.
pub(crate) struct Clients {
    reuse: Reuse,
    tls: TlsConfig,
    connect_timeout: Duration,
    total_timeout: Option<Duration>,
    version: HttpVersion,
    tcp: Tcp,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    client: HttpClient,
    link: Option<Link>,
    since: Instant,
}

impl Clients {
    pub(crate) fn new(reuse: Reuse, tls: TlsConfig, settings: &Settings) -> Self {
        Self {
            reuse,
            tls,
            connect_timeout: settings.connect_timeout(),
            total_timeout: settings.total_timeout(),
            version: settings.http().version,
            tcp: settings.tcp().clone(),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Makes the first client.
    pub(crate) fn prepare(&self) -> Result<(), isahc::Error> {
        self.take().map(Client::keep)
    }

    /// An idle client, or a new one.
    pub(crate) fn take(&self) -> Result<Client<'_>, isahc::Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (client, link) = match idle {
            Some(Idle { client, link, since: _ }) => (client, link),
            None => (self.build()?, None),
        };
        Ok(Client { client: Some(client), link, home: self })
    }

    fn build(&self) -> Result<HttpClient, isahc::Error> {
        let mut builder = HttpClient::builder()
            .tls_config(self.tls.clone())
            .connect_timeout(at_least_a_millisecond(self.connect_timeout))
            .version_negotiation(match self.version {
                HttpVersion::Http10 => VersionNegotiation::http10(),
                // By ALPN (RFC 9113 section 3.2), and so over TLS alone.
                HttpVersion::Http2 => VersionNegotiation::latest_compatible(),
                _ => VersionNegotiation::http11(),
            })
            .redirect_policy(RedirectPolicy::None)
            .automatic_decompression(false)
            .expect_continue(ExpectContinue::disabled())
            // Both said out loud, else libcurl asks the environment.
            .proxy(None)
            .proxy_blacklist([] as [&str; 0])
            .ip_version(match self.tcp.addresses {
                Addresses::V4 => IpVersion::V4,
                Addresses::V6 => IpVersion::V6,
                _ => IpVersion::Any,
            });
        if let Some(limit) = self.total_timeout {
            builder = builder.timeout(at_least_a_millisecond(limit));
        }
        if let Some(address) = self.tcp.local_address {
            builder = builder.interface(address);
        }
        if let Some(probes) = self.tcp.keep_alive {
            builder = builder.tcp_keepalive(probes.interval.map_or(KEEP_ALIVE_INTERVAL, whole_seconds));
        }
        if let Some(rate) = self.tcp.rate {
            // More than libcurl counts to is no limit, either.
            let rate = rate.bytes().get().min(i64::MAX.unsigned_abs());
            builder = builder.max_upload_speed(rate).max_download_speed(rate);
        }
        builder.connection_cache_size(if self.reuse == Reuse::Connections { SERVERS } else { 0 }).build()
    }
}

/// A client for one request at a time.
///
/// Dropping it gives up what runs on it and closes its connections.
pub(crate) struct Client<'a> {
    client: Option<HttpClient>,
    /// The connection that served its last request, if it was kept.
    pub(crate) link: Option<Link>,
    home: &'a Clients,
}

impl Client<'_> {
    pub(crate) const fn get(&self) -> &HttpClient {
        self.client.as_ref().expect("only `keep` and `drop` take it")
    }

    /// Hands it back for another request. Its last one must be over.
    pub(crate) fn keep(mut self) {
        if self.home.reuse == Reuse::Nothing {
            return;
        }
        let link = self.link.take().filter(|_| self.home.reuse == Reuse::Connections);
        let since = Instant::now();
        let mut idle = self.home.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEEP {
            idle.extend(self.client.take().map(|client| Idle { client, link, since }));
        }
        // The last one is used first, so the oldest are in front: what a burst left behind.
        let old = |idle: &&Idle| since.duration_since(idle.since) > KEEP_FOR;
        let spare = idle.len().saturating_sub(KEEP_LONG);
        let count = idle.iter().take(spare).take_while(old).count();
        if count > 0 {
            let gone: Vec<_> = idle.drain(..count).collect();
            drop(idle);
            close(gone);
        }
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            close(client);
        }
    }
}

/// Drops clients, which waits for their threads, and those may wait for a name to be resolved: not on an executor's time.
///
/// Where no thread can be had, the closure, and so what it holds, is dropped right here.
fn close<T: Send + 'static>(clients: T) {
    let _ = thread::Builder::new().name("isahc-close".to_owned()).spawn(move || drop(clients));
}

/// libcurl cuts fractions of a millisecond off, and takes zero for no limit.
fn at_least_a_millisecond(limit: Duration) -> Duration {
    limit.max(Duration::from_millis(1))
}

/// The system counts whole seconds, from one on.
fn whole_seconds(interval: Duration) -> Duration {
    let up = u64::from(interval.subsec_nanos() > 0);
    Duration::from_secs((interval.as_secs() + up).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_number_of_seconds_and_no_shorter_than_wanted() {
        for (millis, seconds) in [(1, 1), (1000, 1), (1001, 2), (60_000, 60)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), Duration::from_secs(seconds));
        }
    }
}
