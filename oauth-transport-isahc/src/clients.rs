//! One client for each request under way.
//!
//! isahc ends a request before its time only by ending the client it runs on: while a server is silent, nothing else
//! closes the connection of a future that was dropped. So no two requests share a client at the same time.

use isahc::HttpClient;
use isahc::config::{Configurable as _, ExpectContinue, RedirectPolicy, VersionNegotiation};
use isahc::tls::TlsConfig;
use oauth_transport::Settings;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How many idle clients are kept: each holds a sleeping thread and, where that is allowed, a connection.
const KEEP: usize = 8;

/// Whether a connection may serve more than one request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    Allowed,
    Forbidden,
}

/// Makes clients of one kind, and keeps the idle ones.
pub(crate) struct Clients {
    reuse: Reuse,
    tls: TlsConfig,
    connect_timeout: Duration,
    total_timeout: Option<Duration>,
    idle: Mutex<Vec<HttpClient>>,
}

impl Clients {
    pub(crate) const fn new(reuse: Reuse, tls: TlsConfig, settings: &Settings) -> Self {
        Self {
            reuse,
            tls,
            connect_timeout: settings.connect_timeout(),
            total_timeout: settings.total_timeout(),
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
        let client = idle.map_or_else(|| self.build(), Ok)?;
        Ok(Client { client: Some(client), home: self })
    }

    fn build(&self) -> Result<HttpClient, isahc::Error> {
        let mut builder = HttpClient::builder()
            .tls_config(self.tls.clone())
            .connect_timeout(at_least_a_millisecond(self.connect_timeout))
            .version_negotiation(VersionNegotiation::http11())
            .redirect_policy(RedirectPolicy::None)
            .automatic_decompression(false)
            .expect_continue(ExpectContinue::disabled())
            // Both said out loud, else libcurl asks the environment.
            .proxy(None)
            .proxy_blacklist([] as [&str; 0]);
        if let Some(limit) = self.total_timeout {
            builder = builder.timeout(at_least_a_millisecond(limit));
        }
        if self.reuse == Reuse::Forbidden {
            builder = builder.connection_cache_size(0);
        }
        builder.build()
    }
}

/// A client for one request at a time.
///
/// Dropping it gives up what runs on it and closes its connections.
pub(crate) struct Client<'a> {
    client: Option<HttpClient>,
    home: &'a Clients,
}

impl Client<'_> {
    pub(crate) const fn get(&self) -> &HttpClient {
        self.client.as_ref().expect("only `keep` and `drop` take it")
    }

    /// Hands it back for another request. Its last one must be over.
    pub(crate) fn keep(mut self) {
        let mut idle = self.home.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEEP {
            idle.extend(self.client.take());
        }
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // To drop a client waits for its thread, which may wait for a name to be resolved: not on an executor's time.
            // Where no thread can be had, the closure, and so the client, is dropped right here.
            let _ = thread::Builder::new().name("isahc-close".to_owned()).spawn(move || drop(client));
        }
    }
}

/// libcurl cuts fractions of a millisecond off, and takes zero for no limit.
fn at_least_a_millisecond(limit: Duration) -> Duration {
    limit.max(Duration::from_millis(1))
}
