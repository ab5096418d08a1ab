//! From what the component was told to what a transport is told.

use super::error::ComponentError;
use super::values::{NetworkValues, ProxyScheme, ProxySsl, StoreValues};
use crate::host;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderName, HeaderValue};
use oauth_jwt::{CertificateStore, Entry};
use oauth_transport::{
    EventSink, Firewall, FirewallKind, HttpVersion, Identity, KeepAlive, Proxies, Proxy,
    ProxyAuthentication, SessionSettings, Settings,
};
use oauth_transport::session::{Coding, ExtraHeaders, ResponseFile};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::num::NonZeroU16;

/// What the transport and the session around it are told.
pub(crate) fn settings(
    values: &NetworkValues,
    events: EventSink,
) -> Result<(Settings, SessionSettings), ComponentError> {
    let mut settings = Settings::new().with_events(events);
    settings = timeouts(settings, values);
    settings = settings.with_tcp(tcp(values));
    settings = settings.with_http(http(values));
    settings = roots(settings, values)?;
    let mut tls = values.tls.clone();
    tls.groups = groups(values);
    if !values.open_ssl_ciphers.is_empty() {
        tls = tls.with_openssl_ciphers(&values.open_ssl_ciphers)?;
    }
    settings = settings.with_tls(tls);
    if let Some(identity) = identity(values)? {
        settings = settings.with_client_certificate(identity);
    }
    if let Some(firewall) = firewall(values)? {
        settings = settings.with_firewall(firewall);
    }
    settings = settings.with_proxies(proxies(values)?);
    settings = match values.user_agent.as_deref() {
        None => settings,
        Some("") => settings.without_user_agent(),
        Some(name) => settings.with_user_agent(header_value("UserAgent", name)?),
    };
    Ok((settings, session(values)?))
}

fn timeouts(mut settings: Settings, values: &NetworkValues) -> Settings {
    settings = match values.timeout {
        Some(timeout) if values.absolute_timeout => settings.with_total_timeout(timeout),
        Some(timeout) => settings.without_total_timeout().with_inactivity_timeout(timeout),
        None => settings.without_total_timeout(),
    };
    match values.connection_timeout.or(values.timeout) {
        Some(timeout) => settings.with_connect_timeout(timeout),
        None => settings,
    }
}

fn tcp(values: &NetworkValues) -> oauth_transport::Tcp {
    let mut tcp = values.tcp.clone();
    tcp.linger = values.linger();
    tcp.keep_alive = values.tcp_keep_alive.then(|| {
        let mut probes = KeepAlive::default();
        probes.time = values.keep_alive_time;
        probes.interval = values.keep_alive_interval;
        probes
    });
    tcp
}

fn http(values: &NetworkValues) -> oauth_transport::Http {
    let mut http = values.http.clone();
    http.version = match values.http_version {
        HttpVersion::Http2 if !values.http_fallback => HttpVersion::Http2Alone,
        version => version,
    };
    http.upload_chunk = values.chunked.then_some(values.chunk_size);
    http
}

fn roots(mut settings: Settings, values: &NetworkValues) -> Result<Settings, ComponentError> {
    // These take the place of the system's; OpenSSL's are beside them.
    if !values.ca_files.is_empty() {
        settings = settings.without_platform_roots();
    }
    for path in values.ca_files.iter().chain(&values.open_ssl_ca_file) {
        settings = settings.with_extra_roots_file(path)?;
    }
    if let Some(folder) = &values.ca_folder {
        settings = settings.with_extra_roots_folder(folder)?;
    }
    Ok(settings)
}

/// The groups of both versions, those of the key shares first: TLS has one list.
fn groups(values: &NetworkValues) -> Option<Vec<String>> {
    let lists = [&values.key_share_groups, &values.groups_13, &values.groups_12];
    let mut all: Vec<String> = Vec::new();
    for group in lists.into_iter().flatten().flatten() {
        if !all.contains(group) {
            all.push(group.clone());
        }
    }
    (!all.is_empty()).then_some(all)
}

/// The client's certificate, where one is chosen.
fn identity(values: &NetworkValues) -> Result<Option<Identity>, ComponentError> {
    let entry = match &values.certificate_der {
        Some(der) => entry_of(&values.certificate, der)?,
        None if values.certificate.subject.is_empty() => return Ok(None),
        None => entry(&values.certificate)?,
    };
    let more = CertificateDer::pem_slice_iter(values.intermediates.as_bytes())
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| ComponentError::value("SSLCACerts", "", "certificates as PEM"))?;
    Ok(Some(host::identity_with_chain(entry, more)?))
}

/// The subject of a certificate, which the store has with its key.
pub(crate) fn subject_of(store: &StoreValues, der: &[u8]) -> Result<String, ComponentError> {
    Ok(entry_of(store, der)?.subject().to_owned())
}

/// The entry of a store that has this certificate.
fn entry_of(store: &StoreValues, der: &[u8]) -> Result<Entry, ComponentError> {
    let entries = open(store)?.into_entries();
    entries.into_iter().find(|entry| entry.certificates().next() == Some(der)).ok_or_else(|| {
        ComponentError::refused(
            "ssl_cert_encoded",
            "the store does not have this certificate, and so no key for it; set ssl_cert_store to one that has",
        )
    })
}

/// A certificate as PEM or Base64; nothing is none.
pub(crate) fn certificate(name: &'static str, text: &str) -> Result<Option<Vec<u8>>, ComponentError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let der = if text.starts_with("-----BEGIN") {
        CertificateDer::from_pem_slice(text.as_bytes()).ok().map(|der| der.to_vec())
    } else {
        let armored = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        CertificateDer::from_pem_slice(armored.as_bytes()).ok().map(|der| der.to_vec())
    };
    // A certificate is a SEQUENCE; whether it is a good one, TLS says.
    let der = der.filter(|der| der.first() == Some(&0x30));
    der.map(Some).ok_or_else(|| ComponentError::value(name, "", "a certificate as PEM or Base64"))
}

/// A certificate as PEM.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// What a store holds under its subject.
pub(crate) fn entry(values: &StoreValues) -> Result<Entry, ComponentError> {
    let subject = if values.subject.is_empty() { "*" } else { &values.subject };
    Ok(open(values)?.take(subject)?)
}

fn open(values: &StoreValues) -> Result<CertificateStore, ComponentError> {
    let password = &values.password;
    let given = (!password.expose().is_empty()).then_some(password);
    let store = CertificateStore::open(values.kind, values.store.expose(), given);
    // A PKCS#12 file may be locked by an empty password, or by none at all: the two differ.
    Ok(match (store, given) {
        (Err(first), None) => {
            CertificateStore::open(values.kind, values.store.expose(), Some(password)).map_err(|_| first)
        }
        (store, _) => store,
    }?)
}

fn firewall(values: &NetworkValues) -> Result<Option<Firewall>, ComponentError> {
    let asked = &values.firewall;
    let Some(kind) = asked.kind else { return Ok(None) };
    if asked.host.is_empty() {
        return Err(ComponentError::Setup(
            "a firewall's type is set, and not where it is: set firewall_host, or firewall_type to 0".into(),
        ));
    }
    let mut firewall = Firewall::new(kind, &asked.host, asked.port.and_then(NonZeroU16::new))?;
    if !asked.user.is_empty() {
        firewall = firewall.with_credentials(&asked.user, asked.password.expose());
    }
    for line in asked.data.expose().lines().filter(|line| !line.trim().is_empty()) {
        if kind != FirewallKind::Tunnel {
            return Err(ComponentError::refused(
                "FirewallData",
                "SOCKS takes no headers; empty it, or set firewall_type to 1 (tunnel)",
            ));
        }
        let header = line.split_once(':').and_then(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::from_str(value.trim()).ok()?))
        });
        let Some((name, value)) = header else {
            return Err(ComponentError::value("FirewallData", "", "header lines, each as Name: value"));
        };
        firewall = firewall.with_header(name, value)?;
    }
    Ok(Some(firewall))
}

fn proxies(values: &NetworkValues) -> Result<Proxies, ComponentError> {
    let asked = &values.proxy;
    // What another platform calls "the system's".
    let detect = asked.auto_detect || asked.server == "*";
    let proxies = if detect {
        Proxies::from_environment()?
    } else if asked.server.is_empty() {
        return Ok(Proxies::none());
    } else {
        Proxies::through(proxy(values)?)
    };
    let proxies = match asked.ssl {
        ProxySsl::Tunnel => proxies.tunnelling_http(),
        ProxySsl::Automatic | ProxySsl::Always | ProxySsl::Never => proxies,
    };
    let proxies = if asked.exceptions.is_empty() { proxies } else { proxies.except(&asked.exceptions) };
    Ok(proxies.authenticated_by(authentication(values)?))
}

fn proxy(values: &NetworkValues) -> Result<Proxy, ComponentError> {
    let asked = &values.proxy;
    let url = if asked.server.contains("://") {
        asked.server.clone()
    } else {
        let scheme = if asked.ssl == ProxySsl::Always { "https" } else { "http" };
        let bare = asked.server.contains(':') && !asked.server.starts_with('[');
        let host = if bare { format!("[{}]", asked.server) } else { asked.server.clone() };
        format!("{scheme}://{host}:{}", asked.port)
    };
    let proxy = Proxy::new(&url)?;
    Ok(if asked.user.is_empty() {
        proxy
    } else {
        proxy.with_credentials(&asked.user, asked.password.expose())
    })
}

fn authentication(values: &NetworkValues) -> Result<ProxyAuthentication, ComponentError> {
    let asked = &values.proxy;
    Ok(match asked.scheme {
        ProxyScheme::Basic => ProxyAuthentication::Basic,
        ProxyScheme::Digest => ProxyAuthentication::Digest,
        ProxyScheme::Proprietary => ProxyAuthentication::Verbatim(header_value(
            "ProxyAuthorization",
            asked.authorization.expose(),
        )?),
        ProxyScheme::None => ProxyAuthentication::Never,
        ProxyScheme::Ntlm => ProxyAuthentication::Ntlm,
        ProxyScheme::Negotiate => ProxyAuthentication::Negotiate {
            service: (!asked.kerberos_spn.is_empty()).then(|| asked.kerberos_spn.clone()),
        },
    })
}

fn session(values: &NetworkValues) -> Result<SessionSettings, ComponentError> {
    let mut session = values.session.clone();
    session.headers = ExtraHeaders::from_lines(&values.other_headers)
        .map_err(|error| ComponentError::refused("OtherHeaders", error))?;
    let authorization = values.authorization.expose();
    session.authorization =
        (!authorization.is_empty()).then(|| header_value("Authorization", authorization)).transpose()?;
    session.file = match (&values.local_file, values.append) {
        (None, true) => {
            return Err(ComponentError::refused(
                "Append",
                "there is no local file to add to; name one with set_local_file, or set it to false",
            ));
        }
        (None, false) => None,
        (Some(path), false) => Some(ResponseFile::new(path)),
        (Some(path), true) => Some(ResponseFile::new(path).appending()),
    };
    session.accept_encodings = if values.compression { codings(&values.accept_encoding)? } else { Vec::new() };
    Ok(session)
}

/// The encodings of a list such as `gzip, deflate`.
pub(crate) fn codings(list: &str) -> Result<Vec<Coding>, ComponentError> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            Coding::from_name(name).ok_or_else(|| {
                ComponentError::value("AcceptEncoding", name, "a list of gzip, deflate and br, with commas between")
            })
        })
        .collect()
}

/// A header's value that may be a secret.
fn header_value(name: &'static str, text: &str) -> Result<HeaderValue, ComponentError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| ComponentError::value(name, "", "a text without line breaks and control characters"))?;
    value.set_sensitive(true);
    Ok(value)
}

