//! The layer below proxies: what every connection goes through.

use crate::proxies::{Proxy, basic, is_on_this_machine};
use crate::settings::SettingsError;
use http::{HeaderName, HeaderValue};
use std::fmt;
use std::num::NonZeroU16;
use zeroize::Zeroizing;

/// A firewall that connections are made through, those to proxies among them.
///
/// Its password is shown by nobody.
#[derive(Clone)]
pub struct Firewall {
    kind: FirewallKind,
    host: String,
    port: NonZeroU16,
    credentials: Option<(String, Zeroizing<String>)>,
    resolves_names: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What a firewall speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FirewallKind {
    /// HTTP: tunnels by `CONNECT` (RFC 9110 section 9.3.6). Port 80.
    Tunnel,
    /// SOCKS4, which knows IPv4 addresses alone. Port 1080.
    Socks4,
    /// SOCKS4a: the same, with names. Port 1080.
    Socks4a,
    /// SOCKS5 (RFC 1928). Port 1080.
    Socks5,
}

impl FirewallKind {
    /// The port that is meant where none is named.
    #[must_use]
    pub const fn default_port(self) -> NonZeroU16 {
        const HTTP: NonZeroU16 = NonZeroU16::new(80).expect("it is not zero");
        const SOCKS: NonZeroU16 = NonZeroU16::new(1080).expect("it is not zero");
        match self {
            Self::Tunnel => HTTP,
            Self::Socks4 | Self::Socks4a | Self::Socks5 => SOCKS,
        }
    }
}

impl Firewall {
    /// A firewall at this host, a name or an address, and port; `None` is the kind's own.
    ///
    /// Names are resolved by the firewall, but for SOCKS4, which cannot.
    ///
    /// # Errors
    /// The host is none.
    pub fn new(kind: FirewallKind, host: &str, port: Option<NonZeroU16>) -> Result<Self, SettingsError> {
        let refuse = |why| SettingsError::Proxy { from: "firewall", why };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if url::Host::parse(host).is_err() && host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(refuse("its host is neither a name nor an address"));
        }
        Ok(Self {
            kind,
            host: host.to_owned(),
            port: port.unwrap_or_else(|| kind.default_port()),
            credentials: None,
            resolves_names: kind != FirewallKind::Socks4,
            headers: Vec::new(),
        })
    }

    /// The SOCKS server that the URL of a [`Proxy`] names; `None` where it names an HTTP proxy.
    #[must_use]
    pub fn of_proxy(proxy: &Proxy) -> Option<Self> {
        let url = proxy.url();
        let (kind, resolves_names) = match url.scheme() {
            "socks4" => (FirewallKind::Socks4, false),
            "socks4a" => (FirewallKind::Socks4a, true),
            "socks5" => (FirewallKind::Socks5, false),
            "socks5h" => (FirewallKind::Socks5, true),
            _ => return None,
        };
        let mut firewall = Self::new(kind, url.host_str()?, url.port().and_then(NonZeroU16::new)).ok()?;
        firewall.resolves_names = resolves_names;
        firewall.credentials = proxy
            .credentials()
            .map(|(user, password)| (user.to_owned(), Zeroizing::new(password.to_owned())));
        Some(firewall)
    }

    /// The SOCKS server that the environment of this process names; see [`from_variables`](Self::from_variables).
    ///
    /// # Errors
    /// The variable holds no usable proxy.
    pub fn from_environment() -> Result<Option<Self>, SettingsError> {
        Self::from_variables(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads `all_proxy`, in lower case, then in upper case. `None` where it is not set, or names an HTTP proxy: that is one
    /// of the [`Proxies`](crate::Proxies).
    ///
    /// # Errors
    /// The variable holds no usable proxy.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SettingsError> {
        let proxy = crate::proxies::all_proxy(&lookup)?;
        Ok(proxy.as_ref().and_then(Self::of_proxy))
    }

    /// Shows it who we are. SOCKS4 and SOCKS4a take the user name alone, as the user id.
    #[must_use]
    pub fn with_credentials(mut self, user: &str, password: &str) -> Self {
        self.credentials = Some((user.to_owned(), Zeroizing::new(password.to_owned())));
        self
    }

    /// Resolves names here, so that the firewall gets addresses.
    #[must_use]
    pub const fn resolving_names_here(mut self) -> Self {
        self.resolves_names = false;
        self
    }

    /// Adds a header line to what a tunnelling firewall is sent. It goes to the firewall alone, and is marked sensitive.
    ///
    /// # Errors
    /// The firewall is none that tunnels: SOCKS has no headers.
    pub fn with_header(mut self, name: HeaderName, mut value: HeaderValue) -> Result<Self, SettingsError> {
        if self.kind != FirewallKind::Tunnel {
            return Err(SettingsError::Proxy {
                from: "firewall",
                why: "only one that tunnels takes headers",
            });
        }
        value.set_sensitive(true);
        self.headers.push((name, value));
        Ok(self)
    }

    /// What it speaks.
    #[must_use]
    pub const fn kind(&self) -> FirewallKind {
        self.kind
    }

    /// Whether it runs on this machine, so that what is sent to it in the clear stays here.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        is_on_this_machine(&self.host)
    }

    /// Its host, a name or an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> NonZeroU16 {
        self.port
    }

    /// The user name and the password.
    #[must_use]
    pub fn credentials(&self) -> Option<(&str, &str)> {
        self.credentials.as_ref().map(|(user, password)| (&**user, &***password))
    }

    /// The value of `Proxy-Authorization` for one that tunnels, in the Basic scheme (RFC 7617). Marked sensitive.
    #[must_use]
    pub fn authorization(&self) -> Option<HeaderValue> {
        self.credentials()
            .filter(|_| self.kind == FirewallKind::Tunnel)
            .map(|(user, password)| basic(user, password))
    }

    /// Whether it gets names, as opposed to addresses.
    #[must_use]
    pub const fn resolves_names(&self) -> bool {
        self.resolves_names
    }

    /// The header lines for one that tunnels.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&HeaderName, &HeaderValue)> {
        self.headers.iter().map(|(name, value)| (name, value))
    }
}

impl fmt::Debug for Firewall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Firewall")
            .field("kind", &self.kind)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("credentials", &self.credentials.as_ref().map(|_| "[redacted]"))
            .field("resolves_names", &self.resolves_names)
            .field("headers", &self.headers)
            .finish()
    }
}
