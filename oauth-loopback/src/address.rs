//! Where a listener binds, and what it is called.

#[cfg(feature = "tls")]
use crate::certificate::Certificate;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::Url;

/// Where to listen: by default on 127.0.0.1, any free port, path `/callback` (RFC 8252 section 7.3).
#[derive(Clone, Debug)]
pub struct Address {
    pub(crate) host: Host,
    pub(crate) ports: Vec<u16>,
    pub(crate) path: String,
    pub(crate) exposed: Option<IpAddr>,
    pub(crate) advertised: Option<Url>,
    /// The redirect URI is one of https.
    pub(crate) https: bool,
    #[cfg(feature = "tls")]
    pub(crate) certificate: Option<Certificate>,
}

impl Address {
    /// The default: the system picks the port, which the redirect URI then names.
    #[must_use]
    pub fn new() -> Self {
        Self {
            host: Host::default(),
            ports: vec![0],
            path: "/callback".to_owned(),
            exposed: None,
            advertised: None,
            https: false,
            #[cfg(feature = "tls")]
            certificate: None,
        }
    }

    /// The address that a registered redirect URI names. One without a port leaves the choice to the system.
    ///
    /// With the feature `tls` it may be one of `https`, which then wants its certificate ([`https`](Self::https)) before
    /// it is bound.
    ///
    /// # Errors
    /// It is not `http` (or `https`) on 127.0.0.1, \[::1\] or `localhost`, or has more than a path.
    pub fn from_redirect_uri(redirect_uri: &Url) -> Result<Self, AddressError> {
        let https = match redirect_uri.scheme() {
            "http" => false,
            "https" if cfg!(feature = "tls") => true,
            _ => return Err(AddressError::NotHttp),
        };
        let host = match redirect_uri.host() {
            Some(url::Host::Ipv4(Ipv4Addr::LOCALHOST)) => Host::V4,
            Some(url::Host::Ipv6(Ipv6Addr::LOCALHOST)) => Host::V6,
            Some(url::Host::Domain("localhost")) => Host::Localhost,
            _ => return Err(AddressError::NotLoopback),
        };
        let more = redirect_uri.query().is_some() || redirect_uri.fragment().is_some();
        if more || !redirect_uri.username().is_empty() || redirect_uri.password().is_some() {
            return Err(AddressError::MoreThanAPath);
        }
        let address = Self { https, ..Self::new() };
        address.host(host).port(redirect_uri.port().unwrap_or(0)).path(redirect_uri.path())
    }

    /// Speaks https with this certificate: the redirect URI begins with `https://`.
    ///
    /// For servers that register nothing else. A certificate that the browser does not trust makes it warn first.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn https(mut self, certificate: Certificate) -> Self {
        self.https = true;
        self.certificate = Some(certificate);
        self
    }

    /// The host of the redirect URI, and so the addresses to bind.
    #[must_use]
    pub const fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// One fixed port, or 0 for any free one.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        self.ports([port])
    }

    /// The ports to try, in this order; the first that is free is taken. None at all means any free one.
    ///
    /// Choose them under 49152: from there on systems give ports to whoever asks for any, and Windows reserves ranges.
    #[must_use]
    pub fn ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports = ports.into_iter().collect();
        if self.ports.is_empty() {
            self.ports.push(0);
        }
        self
    }

    /// The path of the redirect URI. Nothing else counts as the callback, not even with a slash more.
    ///
    /// # Errors
    /// It is not an absolute path as a URL spells it.
    pub fn path(mut self, path: &str) -> Result<Self, AddressError> {
        let mut url = self.uri(0);
        url.set_path(path);
        if url.path() != path {
            return Err(AddressError::Path);
        }
        path.clone_into(&mut self.path);
        Ok(self)
    }

    /// Binds this address instead of a loopback one, so that **every machine that reaches it may knock**.
    ///
    /// For containers, whose published port arrives from outside: `0.0.0.0`. The redirect URI stays the loopback one,
    /// and requests for other names than that are refused.
    #[must_use]
    pub const fn exposed_to_the_network(mut self, address: IpAddr) -> Self {
        self.exposed = Some(address);
        self
    }

    /// The redirect URI as the browser knows it, where a proxy or a published port stands before the listener.
    ///
    /// Its path replaces [`path`](Self::path), and its authority is accepted as `Host` beside the loopback names.
    #[must_use]
    pub fn advertised_as(mut self, redirect_uri: Url) -> Self {
        self.advertised = Some(redirect_uri);
        self
    }

    pub(crate) fn redirect_uri(&self, port: u16) -> Url {
        self.advertised.clone().unwrap_or_else(|| {
            let mut url = self.uri(port);
            url.set_path(&self.path);
            url
        })
    }

    fn uri(&self, port: u16) -> Url {
        let host = match self.host {
            Host::V4 => "127.0.0.1",
            Host::V6 => "[::1]",
            Host::Localhost => "localhost",
        };
        let scheme = if self.https { "https" } else { "http" };
        Url::parse(&format!("{scheme}://{host}:{port}/")).expect("a fixed host and any port are a URL")
    }
}

impl Default for Address {
    fn default() -> Self {
        Self::new()
    }
}

/// The host of a redirect URI on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// 127.0.0.1: what RFC 8252 section 8.3 recommends, and what no browser upgrades to https.
    #[default]
    V4,
    /// \[::1\].
    V6,
    /// `localhost`, for servers that register nothing else: listens on 127.0.0.1 and \[::1\], since a browser may take
    /// either.
    Localhost,
}

/// Why something is no address for a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// The redirect URI's scheme is not `http`, nor `https` with the feature `tls`.
    NotHttp,
    /// The redirect URI's host is not on this machine.
    NotLoopback,
    /// The redirect URI has a user name, a query or a fragment.
    MoreThanAPath,
    /// The path is not absolute, or has characters that a URL would escape.
    Path,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotHttp => {
                "a loopback redirect URI starts with http:// (or https://, where this program was built with it): give \
                 one, such as http://127.0.0.1/callback"
            }
            Self::NotLoopback => {
                "the redirect URI is not on this machine: its host has to be 127.0.0.1, [::1] or localhost"
            }
            Self::MoreThanAPath => "the redirect URI has a user name, a query or a fragment: leave those out",
            Self::Path => "the callback's path cannot be used: start it with / and escape it as in a URL",
        })
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::{Address, AddressError, Host};
    use url::Url;

    fn from(text: &str) -> Result<Address, AddressError> {
        Address::from_redirect_uri(&Url::parse(text).unwrap())
    }

    #[test]
    fn a_redirect_uri_names_host_port_and_path() {
        let address = from("http://localhost:8080/a/b").unwrap();
        assert_eq!((address.host, address.ports.as_slice()), (Host::Localhost, &[8080][..]));
        assert_eq!(address.redirect_uri(8080).as_str(), "http://localhost:8080/a/b");
        assert_eq!(from("http://[::1]/").unwrap().redirect_uri(9).as_str(), "http://[::1]:9/");
        assert_eq!(from("http://127.0.0.1/cb").unwrap().ports, [0]);
    }

    #[test]
    fn other_redirect_uris_are_refused() {
        for (uri, error) in [
            ("ftp://127.0.0.1/cb", AddressError::NotHttp),
            ("http://localhost.evil/cb", AddressError::NotLoopback),
            ("http://127.0.0.2/cb", AddressError::NotLoopback),
            ("http://127.0.0.1/cb?x=1", AddressError::MoreThanAPath),
            ("http://127.0.0.1/cb#x", AddressError::MoreThanAPath),
            ("http://me@127.0.0.1/cb", AddressError::MoreThanAPath),
        ] {
            assert_eq!(from(uri).map(|_| ()), Err(error), "{uri}");
        }
    }

    #[test]
    fn an_https_redirect_uri_wants_the_feature_that_speaks_it() {
        let uri = from("https://127.0.0.1:8443/cb").map(|address| address.redirect_uri(8443).to_string());
        if cfg!(feature = "tls") {
            assert_eq!(uri.as_deref(), Ok("https://127.0.0.1:8443/cb"));
        } else {
            assert_eq!(uri, Err(AddressError::NotHttp));
        }
    }

    #[test]
    fn a_path_is_taken_to_the_letter_or_not_at_all() {
        for path in ["callback", "/a b", "/a?b", "/a#b", "/a/../b", ""] {
            assert_eq!(Address::new().path(path).map(|_| ()), Err(AddressError::Path), "{path}");
        }
        assert_eq!(Address::new().path("/oauth/%C3%A9").unwrap().redirect_uri(1).path(), "/oauth/%C3%A9");
    }
}
