//! The way to a server: firewalls, proxies, and which of them are shown who we are.

use super::super::error::ComponentError;
use super::super::values::{NetworkValues, ProxyScheme, ProxySsl};
use super::{Lookup, address, header_value};
use http::{HeaderName, HeaderValue};
use oauth_transport::{Firewall, FirewallKind, Proxies, Proxy, ProxyAuthentication, SettingsError};
use std::num::NonZeroU16;
use url::Host;

/// The firewall that is set, or else that of the environment where it may be asked.
pub(super) fn firewall(
    values: &NetworkValues,
    environment: Lookup<'_>,
) -> Result<Option<Firewall>, ComponentError> {
    let asked = &values.firewall;
    let firewall = match asked.kind {
        Some(kind) => Some(set_firewall(values, kind)?),
        None if asked.auto_detect => Firewall::from_variables(environment)
            .map_err(|error| ComponentError::refused("FirewallAutoDetect", error))?,
        None => None,
    };
    Ok(match firewall {
        Some(firewall) if !asked.user.is_empty() => {
            Some(firewall.with_credentials(&asked.user, asked.password.expose()))
        }
        other => other,
    })
}

fn set_firewall(values: &NetworkValues, kind: FirewallKind) -> Result<Firewall, ComponentError> {
    let asked = &values.firewall;
    if asked.host.is_empty() {
        return Err(ComponentError::refused(
            "FirewallType",
            "it is set, and FirewallHost is not; set that, or set this to 0",
        ));
    }
    address::check_host("FirewallHost", &asked.host, values.idns)?;
    // A firewall is told ASCII.
    let host = Host::parse(&asked.host).map_or_else(|_| asked.host.clone(), |host| host.to_string());
    let mut firewall = Firewall::new(kind, &host, asked.port.and_then(NonZeroU16::new))
        .map_err(|error| ComponentError::refused("FirewallHost", error))?;
    for line in asked.data.expose().lines().filter(|line| !line.trim().is_empty()) {
        if kind != FirewallKind::Tunnel {
            return Err(ComponentError::refused(
                "FirewallData",
                "SOCKS takes no headers; empty it, or set FirewallType to 1 (tunnel)",
            ));
        }
        let header = line.split_once(':').and_then(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::from_str(value.trim()).ok()?))
        });
        let Some((name, value)) = header else {
            return Err(ComponentError::value("FirewallData", "header lines, each as Name: value"));
        };
        firewall = firewall.with_header(name, value)?;
    }
    Ok(firewall)
}

/// The proxies. Where the environment's SOCKS server is the firewall, it is not a proxy as well.
pub(super) fn proxies(values: &NetworkValues, environment: Lookup<'_>) -> Result<Proxies, ComponentError> {
    let asked = &values.proxy;
    // The one that is set counts before that of the environment; `*` is what another platform calls "the system's".
    let proxies = if asked.server == "*" || (asked.server.is_empty() && asked.auto_detect) {
        let is_taken = values.firewall.auto_detect
            && values.firewall.kind.is_none()
            && Firewall::from_variables(environment).is_ok_and(|firewall| firewall.is_some());
        let left = |name: &str| {
            if is_taken && name.eq_ignore_ascii_case("all_proxy") { None } else { environment(name) }
        };
        Proxies::from_variables(left).map_err(|error| ComponentError::refused("proxy_auto_detect", error))?
    } else if asked.server.is_empty() {
        return Ok(Proxies::none());
    } else {
        Proxies::through(proxy(values)?)
    };
    if proxies.is_empty() {
        return Ok(proxies);
    }
    check_tls(&proxies, asked.ssl)?;
    let proxies = if asked.user.is_empty() {
        proxies
    } else {
        proxies.with_credentials(&asked.user, asked.password.expose())
    };
    let proxies = if asked.ssl == ProxySsl::Tunnel { proxies.tunnelling_http() } else { proxies };
    let proxies = if asked.exceptions.is_empty() { proxies } else { proxies.except(&asked.exceptions) };
    Ok(proxies.authenticated_by(authentication(values)?))
}

/// A URL says itself whether TLS is spoken to its proxy.
fn check_tls(proxies: &Proxies, ssl: ProxySsl) -> Result<(), ComponentError> {
    let is_tls = |proxy: &Proxy| proxy.url().scheme() == "https";
    let why = match ssl {
        ProxySsl::Always if !proxies.iter().all(is_tls) => {
            "it wants TLS to the proxy, whose URL is none of https; write that, or set it to 0 (automatic)"
        }
        ProxySsl::Never if proxies.iter().any(is_tls) => {
            "it wants no TLS to the proxy, whose URL is one of https; write http, or set it to 0 (automatic)"
        }
        _ => return Ok(()),
    };
    Err(ComponentError::refused("proxy_ssl", why))
}

fn proxy(values: &NetworkValues) -> Result<Proxy, ComponentError> {
    let asked = &values.proxy;
    let url = match asked.server.split_once("://") {
        None => {
            let scheme = if asked.ssl == ProxySsl::Always { "https" } else { "http" };
            let bare = asked.server.matches(':').count() > 1 && !asked.server.starts_with('[');
            let host = if bare { format!("[{}]", asked.server) } else { asked.server.clone() };
            with_port(scheme, &host, asked.port)
        }
        // The usual port of its scheme, unless another was set.
        Some((scheme, host)) if asked.port != 80 => with_port(scheme, host, asked.port),
        Some(_) => asked.server.clone(),
    };
    let authority = url.split_once("://").map_or("", |(_, authority)| authority);
    address::check_host("ProxyServer", authority, values.idns)?;
    Proxy::new(&url).map_err(|error: SettingsError| ComponentError::refused("ProxyServer", error))
}

/// A proxy's URL with this port, unless it says one itself.
fn with_port(scheme: &str, host: &str, port: u16) -> String {
    let (authority, path) = host.split_at(host.find('/').unwrap_or(host.len()));
    let says = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if says { format!("{scheme}://{host}") } else { format!("{scheme}://{authority}:{port}{path}") }
}

fn authentication(values: &NetworkValues) -> Result<ProxyAuthentication, ComponentError> {
    let asked = &values.proxy;
    Ok(match asked.scheme {
        ProxyScheme::Basic => ProxyAuthentication::Basic,
        ProxyScheme::Digest => ProxyAuthentication::Digest,
        ProxyScheme::Proprietary if asked.authorization.expose().is_empty() => {
            return Err(ComponentError::refused(
                "ProxyAuthScheme",
                "2 (proprietary) sends ProxyAuthorization, which is empty; set that, or another scheme",
            ));
        }
        ProxyScheme::Proprietary => {
            ProxyAuthentication::Verbatim(header_value("ProxyAuthorization", asked.authorization.expose())?)
        }
        ProxyScheme::None => ProxyAuthentication::Never,
        ProxyScheme::Ntlm => ProxyAuthentication::Ntlm,
        ProxyScheme::Negotiate => ProxyAuthentication::Negotiate {
            service: (!asked.kerberos_spn.is_empty()).then(|| asked.kerberos_spn.clone()),
        },
    })
}
