//! What a request goes through on its way to the server, as libcurl takes it.

use crate::{NAME, failure};
use http::Uri;
use http::uri::InvalidUri;
use isahc::auth::{Authentication, Credentials};
use isahc::config::Configurable;
use oauth_core::{Endpoint, Unreachable};
use oauth_transport::{
    Addresses, Firewall, FirewallKind, Proxy, ProxyAuthentication, Settings, SettingsError,
};
use std::net::IpAddr;

/// What a request goes through.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    Straight,
    Proxy(&'a Proxy, &'a ProxyAuthentication),
    Firewall(&'a Firewall),
}

/// The longest user name or password of SOCKS (RFC 1929 section 2).
const LONGEST_OF_SOCKS: usize = 255;

impl<'a> Way<'a> {
    pub(crate) fn new(settings: &'a Settings, endpoint: &Endpoint) -> Self {
        if let Some(firewall) = settings.firewall() {
            return Self::Firewall(firewall);
        }
        let proxies = settings.proxies();
        proxies
            .for_endpoint(endpoint)
            .map_or(Self::Straight, |proxy| Self::Proxy(proxy, proxies.authentication()))
    }

    /// The address that it leads to first, where that is written out and not of this family.
    pub(crate) fn of_another_family(self, addresses: Addresses, endpoint: &Endpoint) -> Option<String> {
        let host = match self {
            Self::Straight => endpoint.url().host_str(),
            Self::Proxy(proxy, _) => proxy.url().host_str(),
            Self::Firewall(firewall) => Some(firewall.host()),
        }?;
        let address: IpAddr = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
        let fits = match addresses {
            Addresses::V4 => address.is_ipv4(),
            Addresses::V6 => address.is_ipv6(),
            _ => true,
        };
        (!fits).then(|| address.to_string())
    }

    /// Whether libcurl would send a body's request without it first, to be asked for a proof.
    pub(crate) fn asks_first(self) -> bool {
        matches!(self, Self::Proxy(proxy, ProxyAuthentication::Digest)
            if !speaks_socks(proxy) && proxy.credentials().is_some())
    }

    /// Tells a request.
    pub(crate) fn apply<B: Configurable>(self, request: B) -> Result<B, Unreachable> {
        let unreadable = |_| failure::unreadable_request();
        Ok(match self {
            Self::Straight => request,
            Self::Proxy(proxy, authentication) => {
                let request = request.proxy(Some(uri_of_proxy(proxy).map_err(unreadable)?));
                match (proxy.credentials(), authentication) {
                    (None, _) | (_, ProxyAuthentication::Never) => request,
                    (Some(credentials), ProxyAuthentication::Digest) => {
                        with_credentials(request, Authentication::digest(), credentials)
                    }
                    (Some(credentials), _) => with_credentials(request, Authentication::basic(), credentials),
                }
            }
            Self::Firewall(firewall) => {
                let request = request.proxy(Some(uri_of_firewall(firewall).map_err(unreadable)?));
                match firewall.credentials() {
                    None => request,
                    Some(credentials) => with_credentials(request, Authentication::basic(), credentials),
                }
            }
        })
    }
}

fn with_credentials<B: Configurable>(
    request: B,
    authentication: Authentication,
    (user, password): (&str, &str),
) -> B {
    request.proxy_authentication(authentication).proxy_credentials(Credentials::new(user, password))
}

/// Refuses what libcurl could not be told for a request.
///
/// # Errors
/// An address, a user name or a password that it cannot take, or a proof that a proxy cannot be given.
pub(crate) fn check(settings: &Settings) -> Result<(), SettingsError> {
    let proxies = settings.proxies();
    for proxy in proxies.iter() {
        let refuse = |why| SettingsError::Proxy { from: "proxy", why };
        check_credentials(proxy.credentials(), speaks_socks(proxy)).map_err(refuse)?;
        let plain =
            matches!(proxies.authentication(), ProxyAuthentication::Basic | ProxyAuthentication::Never);
        if speaks_socks(proxy) && !plain {
            return Err(refuse(
                "a SOCKS proxy takes a user name and a password, and no other authentication",
            ));
        }
        uri_of_proxy(proxy).map_err(|_| refuse("libcurl cannot read its address"))?;
    }
    if let Some(firewall) = settings.firewall() {
        let refuse = |why| SettingsError::Proxy { from: "firewall", why };
        check_credentials(firewall.credentials(), true).map_err(refuse)?;
        uri_of_firewall(firewall).map_err(|_| refuse("libcurl cannot read its address"))?;
        if !matches!(firewall.kind(), FirewallKind::Socks4 | FirewallKind::Socks4a | FirewallKind::Socks5) {
            return Err(SettingsError::Unsupported {
                engine: NAME,
                setting: "firewall",
                why: "it does not know this kind",
            });
        }
    }
    Ok(())
}

fn check_credentials(credentials: Option<(&str, &str)>, socks: bool) -> Result<(), &'static str> {
    let Some((user, password)) = credentials else { return Ok(()) };
    if user.contains('\0') || password.contains('\0') {
        return Err("its user name or password holds a zero byte");
    }
    if socks && user.len().max(password.len()) > LONGEST_OF_SOCKS {
        return Err("its user name or password has more than 255 bytes, which SOCKS cannot carry");
    }
    Ok(())
}

fn speaks_socks(proxy: &Proxy) -> bool {
    proxy.url().scheme().starts_with("socks")
}

/// The proxy as isahc takes it. The port is always written out: libcurl's default is 1080, where a URL's is 80.
pub(crate) fn uri_of_proxy(proxy: &Proxy) -> Result<Uri, InvalidUri> {
    let url = proxy.url();
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}:{}", url.scheme(), url.port_or_known_default().unwrap_or(1080)).parse()
}

pub(crate) fn uri_of_firewall(firewall: &Firewall) -> Result<Uri, InvalidUri> {
    let scheme = match (firewall.kind(), firewall.resolves_names()) {
        (FirewallKind::Socks4, _) | (FirewallKind::Socks4a, false) => "socks4",
        (FirewallKind::Socks4a, true) => "socks4a",
        (_, false) => "socks5",
        (_, true) => "socks5h",
    };
    let host = firewall.host();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    format!("{scheme}://{host}:{}", firewall.port()).parse()
}
