//! What a transport can be told, and why it may say no.

mod cipher_list;
mod error;
mod http;
mod identity;
mod roots;
mod signer;
mod tcp;
mod tls;

pub use error::SettingsError;
pub use http::{Http, HttpVersion};
pub use identity::{Identity, IdentityKey};
pub use signer::{IdentityError, IdentitySigner, SignatureScheme};
pub use tcp::{Addresses, BytesPerSecond, KeepAlive, Linger, Tcp};
pub use tls::{Flaws, Revocation, Tls, TlsVersions};

use crate::Cause;
use crate::events::EventSink;
use crate::firewall::{Firewall, FirewallKind};
use crate::proxies::{Proxies, ProxyAuthentication};
use crate::setting::{Setting, Support};
use ::http::HeaderValue;
use oauth_core::{Delivered, KeyId, Request, Unreachable, UnreachableKind};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// The settings every transport takes. The same value means the same on each engine.
///
/// Nothing that is set here is silently ignored: a transport that cannot carry a setting fails to be made.
#[derive(Clone)]
pub struct Settings {
    connect_timeout: Duration,
    total_timeout: Option<Duration>,
    inactivity_timeout: Option<Duration>,
    extra_roots: Vec<Vec<u8>>,
    platform_roots: bool,
    identity: Option<Identity>,
    named_identities: Vec<(KeyId, Identity)>,
    tls: Tls,
    tcp: Tcp,
    http: Http,
    firewall: Option<Firewall>,
    proxies: Proxies,
    user_agent: Option<HeaderValue>,
    events: EventSink,
}

impl Settings {
    /// The defaults: 10 s to connect, 30 s in all, the platform's trust roots and no others, no proxy.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            total_timeout: Some(Duration::from_secs(30)),
            inactivity_timeout: None,
            extra_roots: Vec::new(),
            platform_roots: true,
            identity: None,
            named_identities: Vec::new(),
            tls: Tls::new(),
            tcp: Tcp::new(),
            http: Http::new(),
            firewall: None,
            proxies: Proxies::none(),
            user_agent: Some(HeaderValue::from_static(concat!("oauth/", env!("CARGO_PKG_VERSION")))),
            events: EventSink::none(),
        }
    }

    /// Limits the time until a connection stands: the name, TCP, the proxy and TLS together.
    #[must_use]
    pub const fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Limits a request from its start to the last byte of its response, however steadily bytes come.
    #[must_use]
    pub const fn with_total_timeout(mut self, limit: Duration) -> Self {
        self.total_timeout = Some(limit);
        self
    }

    /// Lets a request take as long as it takes. Beside it belongs an
    /// [inactivity timeout](Self::with_inactivity_timeout): a silent server is waited for without end otherwise.
    #[must_use]
    pub const fn without_total_timeout(mut self) -> Self {
        self.total_timeout = None;
        self
    }

    /// Limits the time in which no byte moves, once a connection stands.
    #[must_use]
    pub const fn with_inactivity_timeout(mut self, limit: Duration) -> Self {
        self.inactivity_timeout = Some(limit);
        self
    }

    /// Trusts the certificates in a PEM file as roots, beside the platform's. What else the file holds is passed over.
    ///
    /// # Errors
    /// The text holds no certificate, or a broken one. Whether each can be a root is seen when a transport is made.
    pub fn with_extra_roots_pem(mut self, pem: &[u8]) -> Result<Self, SettingsError> {
        let before = self.extra_roots.len();
        for root in CertificateDer::pem_slice_iter(pem) {
            let root = root.map_err(|_| SettingsError::ExtraRoot { index: self.extra_roots.len() })?;
            self.extra_roots.push(root.to_vec());
        }
        if self.extra_roots.len() == before {
            return Err(SettingsError::NoCertificate);
        }
        Ok(self)
    }

    /// Trusts the certificates in a file as roots, beside the platform's: PEM, or one certificate as DER.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate.
    pub fn with_extra_roots_file(mut self, path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        self.extra_roots.extend(roots::of_file(path.as_ref())?);
        Ok(self)
    }

    /// Trusts the certificates in the files of a folder as roots, beside the platform's; each once, whatever links to it.
    ///
    /// Files without a certificate are passed over, and so are folders in it.
    ///
    /// # Errors
    /// The folder or one of its files cannot be read, or none of them holds a certificate.
    pub fn with_extra_roots_folder(mut self, path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        self.extra_roots.extend(roots::of_folder(path.as_ref())?);
        Ok(self)
    }

    /// Trusts a DER certificate as a root, beside the platform's.
    #[must_use]
    pub fn with_extra_root_der(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.extra_roots.push(der.into());
        self
    }

    /// Trusts the extra roots alone.
    #[must_use]
    pub const fn without_platform_roots(mut self) -> Self {
        self.platform_roots = false;
        self
    }

    /// Shows this certificate to servers that ask for one, on every connection, and to proxies that are spoken to over TLS.
    #[must_use]
    pub fn with_client_certificate(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Holds a certificate for the requests that [name it](oauth_core::Request::client_certificate), and for no others.
    #[must_use]
    pub fn with_named_client_certificate(mut self, name: KeyId, identity: Identity) -> Self {
        self.named_identities.push((name, identity));
        self
    }

    /// Sets what TLS is told.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Sets what TCP connections are told.
    #[must_use]
    pub fn with_tcp(mut self, tcp: Tcp) -> Self {
        self.tcp = tcp;
        self
    }

    /// Sets what HTTP is told.
    #[must_use]
    pub fn with_http(mut self, http: Http) -> Self {
        self.http = http;
        self
    }

    /// Makes every connection through a firewall, those to proxies among them.
    #[must_use]
    pub fn with_firewall(mut self, firewall: Firewall) -> Self {
        self.firewall = Some(firewall);
        self
    }

    /// Sends requests through proxies.
    #[must_use]
    pub fn with_proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Names the program in the `User-Agent` header; a request that brings one keeps its own.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.user_agent = Some(user_agent);
        self
    }

    /// Sends no `User-Agent`. Some servers refuse such requests.
    #[must_use]
    pub fn without_user_agent(mut self) -> Self {
        self.user_agent = None;
        self
    }

    /// Tells what happens on the way to a handler.
    #[must_use]
    pub fn with_events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// How long a connection may take to stand.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// How long a request may take in all; `None` does not limit it.
    #[must_use]
    pub const fn total_timeout(&self) -> Option<Duration> {
        self.total_timeout
    }

    /// How long no byte may move; `None` does not limit it.
    #[must_use]
    pub const fn inactivity_timeout(&self) -> Option<Duration> {
        self.inactivity_timeout
    }

    /// The extra roots, as DER.
    pub fn extra_roots(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.extra_roots.iter().map(Vec::as_slice)
    }

    /// Whether the platform's roots are trusted.
    #[must_use]
    pub const fn platform_roots(&self) -> bool {
        self.platform_roots
    }

    /// The certificate for every connection.
    #[must_use]
    pub const fn client_certificate(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The certificates that requests name, with their names.
    pub fn named_client_certificates(&self) -> impl ExactSizeIterator<Item = (&KeyId, &Identity)> {
        self.named_identities.iter().map(|(name, identity)| (name, identity))
    }

    /// What TLS is told.
    #[must_use]
    pub const fn tls(&self) -> &Tls {
        &self.tls
    }

    /// What TCP connections are told.
    #[must_use]
    pub const fn tcp(&self) -> &Tcp {
        &self.tcp
    }

    /// What HTTP is told.
    #[must_use]
    pub const fn http(&self) -> &Http {
        &self.http
    }

    /// The firewall that connections are made through.
    #[must_use]
    pub const fn firewall(&self) -> Option<&Firewall> {
        self.firewall.as_ref()
    }

    /// Which proxy a request goes through.
    #[must_use]
    pub const fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// The `User-Agent` of requests that bring none.
    #[must_use]
    pub const fn user_agent(&self) -> Option<&HeaderValue> {
        self.user_agent.as_ref()
    }

    /// Where events go.
    #[must_use]
    pub const fn events(&self) -> &EventSink {
        &self.events
    }

    /// The settings that differ from the defaults, and so have to be carried.
    #[must_use]
    pub fn used(&self) -> Vec<Setting> {
        // Taken apart without `..`: a field that is new is asked about here.
        let Self {
            connect_timeout,
            total_timeout,
            inactivity_timeout,
            extra_roots,
            platform_roots,
            identity,
            named_identities,
            tls,
            tcp,
            http,
            firewall,
            proxies,
            // Every engine sends what it is given, or none.
            user_agent: _,
            events,
        } = self;
        let default = Self::new();
        let mut used = Vec::new();
        let mut note = |is_used, setting| {
            if is_used {
                used.push(setting);
            }
        };
        note(*connect_timeout != default.connect_timeout, Setting::ConnectTimeout);
        note(*total_timeout != default.total_timeout, Setting::TotalTimeout);
        note(inactivity_timeout.is_some(), Setting::InactivityTimeout);
        note(!extra_roots.is_empty(), Setting::ExtraRoots);
        note(!platform_roots, Setting::ExtraRootsAlone);
        note(identity.is_some() || !named_identities.is_empty(), Setting::ClientCertificate);
        let identities = identity.iter().chain(named_identities.iter().map(|(_, identity)| identity));
        for identity in identities {
            note(matches!(identity.key(), IdentityKey::Signer(_)), Setting::ClientKeyInToken);
        }
        note(events.is_active(), Setting::ConnectionEvents);
        if let Some(firewall) = firewall {
            note(
                true,
                match firewall.kind() {
                    FirewallKind::Tunnel => Setting::FirewallTunnel,
                    FirewallKind::Socks4 => Setting::FirewallSocks4,
                    FirewallKind::Socks4a => Setting::FirewallSocks4a,
                    FirewallKind::Socks5 => Setting::FirewallSocks5,
                },
            );
            note(firewall.headers().len() > 0, Setting::FirewallHeaders);
            note(!proxies.is_empty(), Setting::FirewallUnderProxy);
        }
        for proxy in proxies.iter() {
            note(
                true,
                match proxy.url().scheme() {
                    "http" => Setting::HttpProxy,
                    "https" => Setting::ProxyOverTls,
                    _ => Setting::SocksProxy,
                },
            );
        }
        if !proxies.is_empty() {
            note(proxies.tunnels_http(), Setting::ProxyTunnel);
            match proxies.authentication() {
                ProxyAuthentication::Basic | ProxyAuthentication::Never => {}
                ProxyAuthentication::Digest => note(true, Setting::ProxyDigest),
                ProxyAuthentication::Ntlm => note(true, Setting::ProxyNtlm),
                ProxyAuthentication::Negotiate { service } => {
                    note(true, Setting::ProxyNegotiate);
                    note(service.is_some(), Setting::KerberosServiceName);
                }
                ProxyAuthentication::Verbatim(_) => note(true, Setting::ProxyAuthorization),
            }
        }
        tcp.used(&mut used);
        http.used(&mut used);
        tls.used(&mut used);
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Refuses what makes no sense on any transport, and what this engine does not carry. Each transport calls it first when
    /// it is made.
    ///
    /// # Errors
    /// A limit of zero, no roots at all, two client certificates of one name, or a setting that the engine does not support.
    pub fn check(
        &self,
        engine: &'static str,
        supports: impl Fn(Setting) -> Support,
    ) -> Result<(), SettingsError> {
        for (setting, limit) in [
            (Setting::ConnectTimeout, Some(self.connect_timeout)),
            (Setting::TotalTimeout, self.total_timeout),
            (Setting::InactivityTimeout, self.inactivity_timeout),
        ] {
            if limit.is_some_and(|limit| limit.is_zero()) {
                return Err(SettingsError::ZeroTimeout { setting: setting.name() });
            }
        }
        if !self.platform_roots && self.extra_roots.is_empty() {
            return Err(SettingsError::NoRoots);
        }
        // Which of two would be shown is nothing to guess.
        for (index, (name, _)) in self.named_identities.iter().enumerate() {
            if self.named_identities[..index].iter().any(|(known, _)| known == name) {
                return Err(SettingsError::Identity { why: "there is another one of the same name" });
            }
        }
        self.used().into_iter().try_for_each(|setting| supports(setting).require(engine, setting))
    }
}

impl Settings {
    /// Refuses a request that no transport with these settings could send without leaving something out or giving something
    /// away. Each transport calls it first for each request.
    ///
    /// # Errors
    /// The request names a client certificate that the settings do not hold, or that plain `http` cannot show; plain `http`
    /// would go through a firewall on another machine, where it could be read (RFC 6749 section 3.2); or the handler of the
    /// events sends the request from inside itself, which would wait for itself.
    pub fn admit(&self, request: &Request) -> Result<(), Unreachable> {
        let refuse = |why: &str| {
            Err(Unreachable::new(UnreachableKind::Unsupported, Delivered::No).because(Cause::new(why)))
        };
        if self.events.is_inside() {
            return refuse(
                "a request from inside an event handler would wait for itself; send it afterwards",
            );
        }
        let over_tls = request.endpoint().url().scheme() == "https";
        if let Some(wanted) = request.client_certificate() {
            let name = wanted.as_str();
            if self.named_identities.iter().all(|(held, _)| held != wanted) {
                return refuse(&format!("it holds no client certificate named {name}"));
            }
            if !over_tls {
                return refuse(&format!(
                    "the client certificate {name} cannot be shown over plain http; use an https URL"
                ));
            }
        }
        if !over_tls && self.firewall.as_ref().is_some_and(|firewall| !firewall.is_on_this_machine()) {
            return refuse(
                "plain http does not go through a firewall on another machine, where it could be read; use https",
            );
        }
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("connect_timeout", &self.connect_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("inactivity_timeout", &self.inactivity_timeout)
            .field("extra_roots", &format_args!("[{} certificates]", self.extra_roots.len()))
            .field("platform_roots", &self.platform_roots)
            .field("identity", &self.identity)
            .field("named_identities", &self.named_identities)
            .field("tls", &self.tls)
            .field("tcp", &self.tcp)
            .field("http", &self.http)
            .field("firewall", &self.firewall)
            .field("proxies", &self.proxies)
            .field("user_agent", &self.user_agent)
            .field("events", &self.events)
            .finish()
    }
}

#[cfg(test)]
mod tests;
