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
    /// The redirect URI as it was given: a [`Url`] spells some of them in another way.
    registered: Option<String>,
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
            registered: None,
            https: false,
            #[cfg(feature = "tls")]
            certificate: None,
        }
    }

    /// The address that a registered redirect URI names. One without a port leaves the choice to the system.
    ///
    /// Give it as a text where there is one: it is [sent](crate::Listener::registered_redirect_uri) letter by letter, and its
    /// port counts even where it is that of its scheme, which a [`Url`] leaves out.
    ///
    /// With the feature `tls` it may be one of `https`, which then wants its certificate ([`https`](Self::https)) before
    /// it is bound.
    ///
    /// # Errors
    /// It is not `http` (or `https`) on 127.0.0.1, \[::1\] or `localhost`, or has more than a path.
    pub fn from_redirect_uri(redirect_uri: impl AsRef<str>) -> Result<Self, AddressError> {
        let text = redirect_uri.as_ref();
        let redirect_uri = Url::parse(text).map_err(|_| AddressError::NotAUrl)?;
        let https = match redirect_uri.scheme() {
            "http" => false,
            "https" if cfg!(feature = "tls") => true,
            _ => return Err(AddressError::NotHttp),
        };
        let host = Host::of(&redirect_uri).ok_or(AddressError::NotLoopback)?;
        let more = redirect_uri.query().is_some() || redirect_uri.fragment().is_some();
        if more || !redirect_uri.username().is_empty() || redirect_uri.password().is_some() {
            return Err(AddressError::MoreThanAPath);
        }
        let (authority, _) = split(text);
        let named =
            redirect_uri.port_or_known_default().filter(|port| authority.ends_with(&format!(":{port}")));
        let port = redirect_uri.port().or(named).unwrap_or(0);
        let address = Self { https, registered: Some(text.to_owned()), ..Self::new() };
        address.host(host).port(port).path(redirect_uri.path())
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
    /// It is sent letter by letter. Its path replaces [`path`](Self::path), and its authority is accepted as `Host` beside
    /// the loopback names. Where its host is on this machine it replaces [`host`](Self::host): the browser goes there, and
    /// another program must not be there in place of the listener.
    ///
    /// # Errors
    /// It is neither `http` nor `https`, or has a user name or a fragment.
    pub fn advertised_as(mut self, redirect_uri: impl AsRef<str>) -> Result<Self, AddressError> {
        let text = redirect_uri.as_ref();
        let redirect_uri = Url::parse(text).map_err(|_| AddressError::NotAUrl)?;
        if !matches!(redirect_uri.scheme(), "http" | "https") {
            return Err(AddressError::NotHttp);
        }
        // RFC 6749 section 3.1.2: it has no fragment.
        let more = redirect_uri.fragment().is_some() || !redirect_uri.username().is_empty();
        if more || redirect_uri.password().is_some() {
            return Err(AddressError::MoreThanAPath);
        }
        self.host = Host::of(&redirect_uri).unwrap_or(self.host);
        self.registered = Some(text.to_owned());
        self.advertised = Some(redirect_uri);
        Ok(self)
    }

    pub(crate) fn redirect_uri(&self, port: u16) -> Url {
        self.advertised.clone().unwrap_or_else(|| {
            let mut url = self.uri(port);
            url.set_path(&self.path);
            url
        })
    }

    /// The same as it was given, with the port where it had none, as long as it still says the same.
    pub(crate) fn registered(&self, port: u16) -> String {
        let redirect_uri = self.redirect_uri(port);
        let given = self.registered.iter().flat_map(|text| {
            let (authority, rest) = split(text);
            [text.clone(), format!("{authority}:{port}{rest}")]
        });
        let is_it = |text: &String| Url::parse(text).is_ok_and(|url| url == redirect_uri);
        given.into_iter().find(is_it).unwrap_or_else(|| redirect_uri.to_string())
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

/// A redirect URI up to the end of its authority, and the rest.
fn split(redirect_uri: &str) -> (&str, &str) {
    let start = redirect_uri.find("://").map_or(0, |at| at + 3);
    let end = redirect_uri[start..].find(['/', '?', '#']).map_or(redirect_uri.len(), |at| start + at);
    redirect_uri.split_at(end)
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

impl Host {
    /// That of a redirect URI; `None` where it is not on this machine.
    #[must_use]
    pub fn of(redirect_uri: &Url) -> Option<Self> {
        match redirect_uri.host()? {
            url::Host::Ipv4(Ipv4Addr::LOCALHOST) => Some(Self::V4),
            url::Host::Ipv6(Ipv6Addr::LOCALHOST) => Some(Self::V6),
            url::Host::Domain("localhost") => Some(Self::Localhost),
            _ => None,
        }
    }
}

/// Why something is no address for a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// The redirect URI is no URL at all.
    NotAUrl,
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
            Self::NotAUrl => {
                "the redirect URI is not a URL: give one as it is registered, such as http://127.0.0.1/callback"
            }
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
        Address::from_redirect_uri(text)
    }

    #[test]
    fn a_redirect_uri_is_sent_as_it_is_registered() {
        for (text, port, sent) in [
            ("http://127.0.0.1:8400", 8400, "http://127.0.0.1:8400"),
            ("HTTP://LocalHost:8400/cb", 8400, "HTTP://LocalHost:8400/cb"),
            ("http://127.0.0.1:80/cb", 80, "http://127.0.0.1:80/cb"),
            ("http://127.0.0.1/a b", 9, "http://127.0.0.1:9/a b"),
            ("http://[::1]", 9, "http://[::1]:9"),
            // What is bound in the end is what counts.
            ("http://127.0.0.1:8400", 8401, "http://127.0.0.1:8401/"),
        ] {
            let address = from(text).unwrap();
            assert_eq!(address.registered(port), sent);
            assert_eq!(Url::parse(sent), Ok(address.redirect_uri(port)), "{text}");
        }
        assert_eq!(from("http://127.0.0.1:80/cb").unwrap().ports, [80]);
        assert_eq!(from("http://[::1]:80").unwrap().ports, [80]);
        let advertised = Address::new().advertised_as("https://desk.example").unwrap();
        assert_eq!(advertised.registered(9), "https://desk.example");
        assert_eq!(Address::new().registered(9), "http://127.0.0.1:9/callback");
    }

    #[test]
    fn lb_07_an_advertised_host_of_this_machine_is_the_one_to_bind() {
        let host = |uri: &str| Address::new().advertised_as(uri).map(|address| address.host);
        assert_eq!(host("http://localhost:1/"), Ok(Host::Localhost));
        assert_eq!(host("https://[::1]:1/"), Ok(Host::V6));
        assert_eq!(host("https://desk.example/"), Ok(Host::V4));
        for (uri, error) in [
            ("javascript:alert(1)", AddressError::NotHttp),
            ("ftp://desk.example/", AddressError::NotHttp),
            ("https://me@desk.example/", AddressError::MoreThanAPath),
            ("https://desk.example/#x", AddressError::MoreThanAPath),
            ("desk", AddressError::NotAUrl),
        ] {
            assert_eq!(host(uri), Err(error), "{uri}");
        }
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
