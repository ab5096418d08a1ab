//! From what the component was told to what a transport is told.

mod address;
#[cfg(test)]
mod tests;
mod way;

pub(crate) use address::{address, protocol};

use super::config::ConfigSetting;
use super::error::ComponentError;
use super::values::{NetworkValues, StoreValues, Values};
use crate::host;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use oauth_jwt::{CertificateStore, Entry};
use oauth_transport::session::{Coding, ExtraHeaders, Memory, ResponseFile};
use oauth_transport::{
    EventSink, HttpVersion, Identity, KeepAlive, SessionSettings, Setting, Settings, SettingsError, Tls,
    TlsVersions,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::time::Duration;
use url::Url;

/// The longest time that every engine takes for a connection; the system gives up long before.
const LONGEST_CONNECT: Duration = Duration::from_secs(24 * 60 * 60);

/// The groups that the engine has where nothing is chosen.
const OWN_GROUPS: [&str; 3] = ["x25519", "secp256r1", "secp384r1"];

/// The variables of an environment.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the transport and the session around it are told.
pub(crate) fn settings(
    values: &NetworkValues,
    events: EventSink,
) -> Result<(Settings, SessionSettings), ComponentError> {
    let environment = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    settings_in(values, events, &environment)
}

/// The same error under the component's own name for what was set.
pub(crate) fn named(error: SettingsError, values: &NetworkValues) -> ComponentError {
    let setting = match &error {
        SettingsError::Value { setting, .. } => Some(*setting),
        SettingsError::Unsupported { setting: words, .. } => {
            Setting::ALL.iter().copied().find(|setting| setting.name() == *words)
        }
        _ => None,
    };
    let name = match (setting, &error) {
        // The time to connect is the timeout's where it has no own, and that is never zero.
        (Some(Setting::ConnectTimeout), _) if values.connection_timeout.is_none() => "timeout",
        (Some(setting), _) => set_name(setting, values),
        (None, SettingsError::ZeroTimeout { .. }) => "timeout",
        (None, SettingsError::Unsupported { .. }) if values.user_agent.as_deref() == Some("") => "UserAgent",
        (None, SettingsError::Identity { .. }) => "ssl_cert_store",
        (None, SettingsError::ExtraRoot { .. }) => "SSLCACertFilePaths",
        _ => return error.into(),
    };
    ComponentError::refused(name, error)
}

/// Which of a setting's names was set; the first where none of them is a configuration setting.
fn set_name(setting: Setting, network: &NetworkValues) -> &'static str {
    let values = Values { network: network.clone(), ..Values::default() };
    let is_set = |name: &&str| {
        let row = ConfigSetting::named(name).ok();
        row.is_some_and(|row| row.get(&values, None).is_ok_and(|value| value.as_str() != row.default()))
    };
    let names = setting.component_names();
    names.iter().copied().find(is_set).or_else(|| names.first().copied()).unwrap_or_else(|| setting.name())
}

fn settings_in(
    values: &NetworkValues,
    events: EventSink,
    environment: Lookup<'_>,
) -> Result<(Settings, SessionSettings), ComponentError> {
    if values.platform_client && values.http.reuse_connections && !values.tls.resume_sessions {
        return Err(ComponentError::refused(
            "KeepAlive",
            "with UsePlatformHTTPClient each request has a connection of its own for as long as ReuseSSLSession is false; \
             set that to true, or this to false",
        ));
    }
    let mut settings = Settings::new().with_events(events);
    settings = timeouts(settings, values);
    settings = settings.with_tcp(tcp(values));
    settings = settings.with_http(http(values));
    settings = roots(settings, values)?;
    settings = settings.with_tls(tls(values)?);
    if let Some(identity) = identity(values)? {
        settings = settings.with_client_certificate(identity);
    }
    if let Some(firewall) = way::firewall(values, environment)? {
        settings = settings.with_firewall(firewall);
    }
    settings = settings.with_proxies(way::proxies(values, environment)?);
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
    settings.with_connect_timeout(values.connection_timeout.or(values.timeout).unwrap_or(LONGEST_CONNECT))
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
    let refused = |name| move |error: SettingsError| ComponentError::refused(name, error);
    // These take the place of the system's; OpenSSL's are beside them.
    if !values.ca_files.is_empty() {
        settings = settings.without_platform_roots();
    }
    for path in &values.ca_files {
        settings = settings.with_extra_roots_file(path).map_err(refused("SSLCACertFilePaths"))?;
    }
    if let Some(path) = &values.open_ssl_ca_file {
        settings = settings.with_extra_roots_file(path).map_err(refused("OpenSSLCAFile"))?;
    }
    if let Some(folder) = &values.ca_folder {
        settings = settings.with_extra_roots_folder(folder).map_err(refused("OpenSSLCADir"))?;
    }
    Ok(settings)
}

fn tls(values: &NetworkValues) -> Result<Tls, ComponentError> {
    let own: &[&str] = if values.platform_client { &["openssl"] } else { &["rustls", "ring"] };
    let provider = values.ssl_provider.as_str();
    if !provider.is_empty() && !own.iter().any(|name| name.eq_ignore_ascii_case(provider)) {
        return Err(ComponentError::refused(
            "SSLProvider",
            format_args!(
                "this engine has {} alone; leave it at *, or choose the engine by UsePlatformHTTPClient",
                own.join(" with ")
            ),
        ));
    }
    let mut tls = values.tls.clone();
    tls.groups = groups(values);
    if !values.open_ssl_ciphers.is_empty() {
        tls = with_ciphers(tls, &values.open_ssl_ciphers)?;
    }
    Ok(tls)
}

/// Takes the cipher suites of TLS 1.2 from a list as OpenSSL writes them.
pub(crate) fn with_ciphers(tls: Tls, list: &str) -> Result<Tls, ComponentError> {
    tls.with_openssl_ciphers(list).map_err(|error| ComponentError::refused("OpenSSLCipherList", error))
}

/// What is asked for and is not done, by the name of its setting; the rest of it is.
pub(crate) fn left_out(values: &NetworkValues) -> impl Iterator<Item = (&'static str, &'static str)> {
    let shares = values.key_share_groups.as_ref().is_some_and(|groups| groups.len() > 1);
    let versions = ("SSLEnabledProtocols", "SSL and TLS before 1.2 are left out (RFC 8996)");
    let shares = shares.then_some(("TLS13KeyShareGroups", "only the first group's share is sent along"));
    values.older_versions.then_some(versions).into_iter().chain(shares)
}

/// The groups of the versions that are spoken: TLS has one list for both. Those whose shares are wanted come first.
fn groups(values: &NetworkValues) -> Option<Vec<String>> {
    let versions = values.tls.versions;
    let of_12 = values.groups_12.as_ref().filter(|_| versions != TlsVersions::V13);
    let of_13 = values.groups_13.as_ref().filter(|_| versions != TlsVersions::V12);
    let shares = values.key_share_groups.as_ref().filter(|_| versions != TlsVersions::V12);
    if of_12.is_none() && of_13.is_none() && shares.is_none() {
        return None;
    }
    // Shares narrow nothing.
    let own = || OWN_GROUPS.map(str::to_owned).to_vec();
    let supported = if of_12.is_none() && of_13.is_none() { own() } else { Vec::new() };
    let mut all: Vec<String> = Vec::new();
    for group in shares.into_iter().chain(of_13).chain(of_12).flatten().chain(&supported) {
        if !all.contains(group) {
            all.push(group.clone());
        }
    }
    Some(all)
}

/// The client's certificate, where one is chosen.
fn identity(values: &NetworkValues) -> Result<Option<Identity>, ComponentError> {
    let store = &values.certificate;
    let entry = match &values.certificate_der {
        Some(der) => entry_of(store, der)?,
        None if store.subject.is_empty() => {
            let unused = if store.store.expose() != StoreValues::default().store.expose() {
                Some((
                    "ssl_cert_store",
                    "it is set, and no certificate of it is chosen; set ssl_cert_subject (* takes any)",
                ))
            } else if !values.intermediates.is_empty() {
                Some((
                    "SSLCACerts",
                    "it completes the chain of a client certificate, and there is none; set ssl_cert_store",
                ))
            } else {
                None
            };
            return unused.map_or(Ok(None), |(name, why)| Err(ComponentError::refused(name, why)));
        }
        None => entry(store)?,
    };
    let more = certificates("SSLCACerts", &values.intermediates)?;
    Ok(Some(host::identity_with_chain(entry, more)?))
}

/// Certificates as PEM, one after the other; nothing is none.
pub(crate) fn certificates(name: &'static str, text: &str) -> Result<Vec<Vec<u8>>, ComponentError> {
    let found = CertificateDer::pem_slice_iter(text.as_bytes())
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|found| text.trim().is_empty() || !found.is_empty());
    found.ok_or_else(|| ComponentError::value(name, "certificates as PEM"))
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
    der.map(Some).ok_or_else(|| ComponentError::value(name, "a certificate as PEM or Base64"))
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

fn session(values: &NetworkValues) -> Result<SessionSettings, ComponentError> {
    let mut session = values.session.clone();
    check_cookies(values)?;
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
    session.accept_encodings =
        if values.compression { codings(&values.accept_encoding)? } else { Vec::new() };
    Ok(session)
}

/// Refuses cookies that no header can carry.
fn check_cookies(values: &NetworkValues) -> Result<(), ComponentError> {
    let anywhere = Url::parse("https://localhost/").ok();
    let trial = Memory::default();
    let fits =
        |name: &str, value: &str| anywhere.as_ref().is_some_and(|url| trial.add_cookie(url, name, value));
    for (index, (name, value)) in values.cookies.iter().enumerate() {
        if !fits(name, "") {
            return Err(ComponentError::refused(
                "cookie_name",
                format_args!(
                    "that of the added cookie {index} is none; write it in letters, digits and - _ ., or lower cookie_count"
                ),
            ));
        }
        if !fits(name, value.expose()) {
            return Err(ComponentError::refused(
                "cookie_value",
                format_args!(
                    "that of the added cookie {index} has blanks, commas, semicolons, quotes or no ASCII; encode it"
                ),
            ));
        }
    }
    Ok(())
}

/// The encodings of a list such as `gzip, deflate`.
pub(crate) fn codings(list: &str) -> Result<Vec<Coding>, ComponentError> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            Coding::from_name(name).ok_or_else(|| {
                ComponentError::value("AcceptEncoding", "a list of gzip, deflate and br, with commas between")
            })
        })
        .collect()
}

/// A header's value that may be a secret.
fn header_value(name: &'static str, text: &str) -> Result<HeaderValue, ComponentError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| ComponentError::value(name, "a text without line breaks and control characters"))?;
    value.set_sensitive(true);
    Ok(value)
}
