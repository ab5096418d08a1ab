//! Which proxy a request goes through: one answer for every engine.

use crate::settings::SettingsError;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use oauth_core::Endpoint;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};
use zeroize::Zeroizing;

/// The proxies to use, by the scheme of the request, and the hosts to reach without one.
///
/// None by default, and never from the environment unless it is asked for: a variable would otherwise decide where
/// credentials travel.
///
/// Plain `http`, which an [`Endpoint`] allows on this machine only, never goes to a proxy on another one: what it carries
/// could be read on the way (RFC 6749 section 3.2). Such a request goes straight to its server.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    exceptions: Vec<Exception>,
    authentication: ProxyAuthentication,
    tunnels_http: bool,
}

/// How to show the proxies who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyAuthentication {
    /// The proxy's user name and password, as they are (RFC 7617). Anybody on the way to the proxy reads them, unless it is
    /// spoken to over TLS.
    #[default]
    Basic,
    /// A proof that we know the password (RFC 7616). A proxy that asks for less is not answered.
    Digest,
    /// NTLM, with a user name that may begin with a domain and a backslash.
    Ntlm,
    /// Negotiate (RFC 4559): with the Kerberos tickets of whoever runs the program.
    Negotiate {
        /// The proxy's service name, such as `HTTP/proxy.example`. `None` is that of its host.
        service: Option<String>,
    },
    /// This value of `Proxy-Authorization`, as it is. It goes to proxies alone, never to a server.
    Verbatim(HeaderValue),
    /// Not at all, whatever user name and password the proxy's URL carries.
    Never,
}

impl Proxies {
    /// No proxy: every request goes straight to its server.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            http: None,
            https: None,
            exceptions: Vec::new(),
            authentication: ProxyAuthentication::Basic,
            tunnels_http: false,
        }
    }

    /// One proxy for every request.
    #[must_use]
    pub fn through(proxy: Proxy) -> Self {
        Self { http: Some(proxy.clone()), https: Some(proxy), ..Self::none() }
    }

    /// Adds hosts to reach without a proxy, as [`from_variables`](Self::from_variables) reads `no_proxy`; semicolons part
    /// them, too.
    #[must_use]
    pub fn except(mut self, hosts: &str) -> Self {
        self.exceptions.extend(exceptions(hosts));
        self
    }

    /// Shows every proxy this user name and password, in place of those of its URL.
    #[must_use]
    pub fn with_credentials(mut self, user: &str, password: &str) -> Self {
        for proxy in [&mut self.http, &mut self.https] {
            *proxy = proxy.take().map(|proxy| proxy.with_credentials(user, password));
        }
        self
    }

    /// Sets how the proxies are shown who we are.
    #[must_use]
    pub fn authenticated_by(mut self, authentication: ProxyAuthentication) -> Self {
        self.authentication = authentication;
        if let ProxyAuthentication::Verbatim(value) = &mut self.authentication {
            value.set_sensitive(true);
        }
        self
    }

    /// Has the proxies open a tunnel even for plain `http`, as for `https`.
    #[must_use]
    pub const fn tunnelling_http(mut self) -> Self {
        self.tunnels_http = true;
        self
    }

    /// How the proxies are shown who we are.
    #[must_use]
    pub const fn authentication(&self) -> &ProxyAuthentication {
        &self.authentication
    }

    /// Whether plain `http` goes through a tunnel.
    #[must_use]
    pub const fn tunnels_http(&self) -> bool {
        self.tunnels_http
    }

    /// What the environment of this process says; see [`from_variables`](Self::from_variables).
    ///
    /// # Errors
    /// A variable holds no usable proxy.
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::from_variables(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads `https_proxy`, `http_proxy`, `all_proxy` for both, and `no_proxy`, each in lower case, then in upper case.
    ///
    /// An empty value is as good as none. `HTTP_PROXY` does not count where `REQUEST_METHOD` is set: in a CGI program a
    /// visitor's `Proxy` header fills it. `no_proxy` is a list of hosts (with their subdomains), IP addresses, networks
    /// such as `10.0.0.0/8`, each optionally with a port, or `*`.
    ///
    /// # Errors
    /// A variable holds no usable proxy.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let all = all_proxy(&lookup)?;
        Ok(Self {
            https: read(&lookup, ["https_proxy", "HTTPS_PROXY"])?.or_else(|| all.clone()),
            http: read(&lookup, ["http_proxy", "HTTP_PROXY"])?.or(all),
            exceptions: first(&lookup, ["no_proxy", "NO_PROXY"])
                .map(|(_, value)| exceptions(&value).collect())
                .unwrap_or_default(),
            ..Self::none()
        })
    }

    /// Whether every request goes straight to its server.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.http.is_none() && self.https.is_none()
    }

    /// The proxies there are, so that a transport can refuse those it cannot speak to.
    pub fn iter(&self) -> impl Iterator<Item = &Proxy> {
        self.https.iter().chain(&self.http)
    }

    /// The proxy for a request to this endpoint; `None` goes straight to the server.
    #[must_use]
    pub fn for_endpoint(&self, endpoint: &Endpoint) -> Option<&Proxy> {
        let url = endpoint.url();
        let proxy = if url.scheme() == "https" {
            self.https.as_ref()?
        } else {
            // RFC 6749 section 3.2: credentials do not leave this machine in the clear.
            self.http.as_ref().filter(|proxy| proxy.is_on_this_machine())?
        };
        let host = url.host()?;
        let port = url.port_or_known_default();
        (!self.exceptions.iter().any(|exception| exception.covers(&host, port))).then_some(proxy)
    }
}

/// A proxy server. Its password is shown by neither `Debug` nor [`url`](Self::url).
#[derive(Clone)]
pub struct Proxy {
    url: Url,
    credentials: Option<(String, Zeroizing<String>)>,
}

/// A value of `Proxy-Authorization` in the Basic scheme (RFC 7617), marked sensitive.
pub(crate) fn basic(user: &str, password: &str) -> HeaderValue {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    let text = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(&*pair)));
    let mut value = HeaderValue::from_str(&text).expect("base64 is printable");
    value.set_sensitive(true);
    value
}

/// The first of the variables that says something.
fn first(
    lookup: &impl Fn(&str) -> Option<String>,
    names: [&'static str; 2],
) -> Option<(&'static str, Zeroizing<String>)> {
    names.into_iter().find_map(|name| {
        let value = Zeroizing::new(lookup(name)?);
        if value.is_empty() || (name == "HTTP_PROXY" && lookup("REQUEST_METHOD").is_some()) {
            return None;
        }
        Some((name, value))
    })
}

fn read(
    lookup: &impl Fn(&str) -> Option<String>,
    names: [&'static str; 2],
) -> Result<Option<Proxy>, SettingsError> {
    first(lookup, names).map(|(name, value)| Proxy::read(&value, name)).transpose()
}

/// The proxy for everything.
pub(crate) fn all_proxy(lookup: &impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, SettingsError> {
    read(lookup, ["all_proxy", "ALL_PROXY"])
}

/// The hosts of a list. What is none is passed over.
fn exceptions(list: &str) -> impl Iterator<Item = Exception> {
    list.split([',', ';', ' ']).filter_map(Exception::read)
}

impl Proxy {
    /// Reads a proxy's URL: scheme `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`, a user name and a password
    /// where it wants them, host and port.
    ///
    /// Without a scheme it is an HTTP proxy. `socks4` and `socks5` resolve names here, the others at the proxy.
    ///
    /// # Errors
    /// Not such a URL, or that of a proxy auto-configuration script, which is a program that nothing here runs.
    pub fn new(url: &str) -> Result<Self, SettingsError> {
        Self::read(url, "proxy")
    }

    /// Shows it this user name and password, in place of those of its URL.
    #[must_use]
    pub fn with_credentials(mut self, user: &str, password: &str) -> Self {
        self.credentials = Some((user.to_owned(), Zeroizing::new(password.to_owned())));
        self
    }

    /// Where it is, without user name and password: scheme `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The user name and the password, decoded.
    #[must_use]
    pub fn credentials(&self) -> Option<(&str, &str)> {
        self.credentials.as_ref().map(|(user, password)| (&**user, &***password))
    }

    /// The value of `Proxy-Authorization`, in the Basic scheme (RFC 7617). Marked sensitive.
    #[must_use]
    pub fn authorization(&self) -> Option<HeaderValue> {
        self.credentials().map(|(user, password)| basic(user, password))
    }

    fn read(text: &str, from: &'static str) -> Result<Self, SettingsError> {
        let refuse = |why| SettingsError::Proxy { from, why };
        // curl's rule, which the variables come from: a proxy without a scheme speaks HTTP.
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let text = Zeroizing::new(text);
        let mut url = Url::parse(&text).map_err(|_| refuse("it is not a URL"))?;
        if url.scheme().starts_with("pac+")
            || url.path().ends_with(".pac")
            || url.path().ends_with("wpad.dat")
        {
            return Err(refuse(
                "it is a proxy auto-configuration (PAC) script, which is a program; name the proxy itself",
            ));
        }
        if !matches!(url.scheme(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
            return Err(refuse("its scheme is none of http, https, socks4, socks4a, socks5 and socks5h"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(refuse("it names no host"));
        }
        let decode = |text| {
            percent_decode_str(text)
                .decode_utf8()
                .map_err(|_| refuse("its user name or password is not UTF-8"))
        };
        let user = decode(url.username())?.into_owned();
        let password = Zeroizing::new(decode(url.password().unwrap_or_default())?.into_owned());
        let credentials = (!user.is_empty() || !password.is_empty()).then_some((user, password));
        // A URL with a host may carry no user name: neither call can fail.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Self { url, credentials })
    }

    fn is_on_this_machine(&self) -> bool {
        self.url.host_str().is_some_and(is_on_this_machine)
    }
}

/// Whether a host is this machine. A URL of the socks schemes keeps an address as text, in brackets where it is of IPv6.
pub(crate) fn is_on_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("url", &self.url.as_str())
            .field("credentials", &self.credentials.as_ref().map(|_| "[redacted]"))
            .finish()
    }
}

/// One entry of `no_proxy`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    Domain(String),
    Network { address: IpAddr, bits: u8 },
}

impl Exception {
    fn read(entry: &str) -> Option<Self> {
        let entry = entry.trim();
        if entry.is_empty() {
            return None;
        }
        if entry == "*" {
            return Some(Self { hosts: Hosts::All, port: None });
        }
        if let Some(hosts) = Hosts::network(entry) {
            return Some(Self { hosts, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let hosts = Hosts::network(host).unwrap_or_else(|| {
            Hosts::Domain(host.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase())
        });
        Some(Self { hosts, port })
    }

    fn covers(&self, host: &Host<&str>, port: Option<u16>) -> bool {
        (self.port.is_none() || self.port == port) && self.hosts.cover(host)
    }
}

impl Hosts {
    fn network(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= longest)?,
            None => longest,
        };
        Some(Self::Network { address, bits })
    }

    fn cover(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Domain(domain), Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name.strip_suffix(&**domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Self::Network { address: IpAddr::V4(network), bits }, Host::Ipv4(address)) => {
                same_beginning(network.to_bits().into(), address.to_bits().into(), 32 - bits)
            }
            (Self::Network { address: IpAddr::V6(network), bits }, Host::Ipv6(address)) => {
                same_beginning(network.to_bits(), address.to_bits(), 128 - bits)
            }
            _ => false,
        }
    }
}

/// Whether two addresses are the same but for their last `free` bits.
fn same_beginning(a: u128, b: u128, free: u8) -> bool {
    (a ^ b).checked_shr(free.into()).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests;
