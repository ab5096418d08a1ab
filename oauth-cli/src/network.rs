//! The network as the flags want it.

use crate::args::{NetworkFlags, ProxyAuth, Transport};
use crate::exit::Problem;
use crate::profile::FromProfile;
use crate::report::Report;
use crate::secret_file;
use oauth::core::{KeyId, Password};
use oauth::jwt::{CertificateStore, Entry, StoreError, StoreKind};
use oauth::transport::{
    Column, EventHandler, EventSink, Identity, LogEntry, LogLevel, LogType, Proxies, Proxy,
    ProxyAuthentication, SessionSettings, SettingsError, capability_table,
};
use oauth::{Error, Host, HyperHost, Settings};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The HTTP engine that the flags name, set up as they say; where they say nothing, as the settings of the profile do.
pub(crate) fn host(
    flags: &NetworkFlags,
    profile: &FromProfile,
    report: &Report,
) -> Result<Arc<dyn Host>, Problem> {
    let (settings, session) = settings(flags, profile, report)?;
    match flags.transport {
        Transport::Hyper => Ok(Arc::new(HyperHost::with_session(settings, session).map_err(Error::from)?)),
        Transport::Isahc => isahc(settings, session),
    }
}

/// Each setting, and what the engines of this build say to it.
pub(crate) fn engines() -> Zeroizing<String> {
    let columns: &[Column<'_>] = &[
        ("hyper", &HyperHost::supports),
        #[cfg(feature = "isahc")]
        ("isahc", &oauth::IsahcHost::supports),
    ];
    Zeroizing::new(capability_table(columns).trim_end().to_owned())
}

#[cfg(feature = "isahc")]
fn isahc(settings: Settings, session: SessionSettings) -> Result<Arc<dyn Host>, Problem> {
    Ok(Arc::new(oauth::IsahcHost::with_session(settings, session).map_err(Error::from)?))
}

#[cfg(not(feature = "isahc"))]
fn isahc(_: Settings, _: SessionSettings) -> Result<Arc<dyn Host>, Problem> {
    Err(Problem::usage(
        "this build of oauth has no engine isahc",
        "build it with --features isahc, or leave out --transport isahc",
    ))
}

fn settings(
    flags: &NetworkFlags,
    profile: &FromProfile,
    report: &Report,
) -> Result<(Settings, SessionSettings), Problem> {
    let events = wire(report);
    let (mut settings, session) = match profile.settings.as_deref() {
        None => (by_default(flags.http_timeout).with_events(events), SessionSettings::new()),
        Some(said) => {
            said.component.set_timeout(Some(flags.http_timeout));
            let (settings, mut session) =
                said.component.network_settings(events).map_err(|error| said.wrong(error))?;
            // Nobody here looks at what went over the wire before.
            session.recording = oauth::transport::session::Recording::Nothing;
            (settings, session)
        }
    };
    for path in &flags.ca_cert {
        let pem = file(path, "--ca-cert")?;
        settings = settings.with_extra_roots_pem(&pem).map_err(Error::from)?;
    }
    if let Some(path) = &flags.tls_cert {
        let identity = identity(path, flags)?;
        settings = settings
            .with_named_client_certificate(certificate_name(), identity.clone())
            .with_client_certificate(identity);
    }
    let proxies = match &flags.proxy {
        None if !flags.proxy_from_env => return Ok((settings, session)),
        None => Proxies::from_environment().map_err(Error::from)?,
        Some(url) => {
            let proxy = Proxy::new(url).map_err(Error::from)?;
            let is_typed = std::env::var_os("OAUTH_PROXY").is_none() && !profile.proxy;
            if proxy.credentials().is_some() && is_typed {
                report.note("warning: a password on the command line can be seen by everybody on this machine; prefer OAUTH_PROXY");
            }
            Proxies::through(proxy).except(flags.proxy_except.as_deref().unwrap_or_default())
        }
    };
    let authentication = match flags.proxy_auth {
        ProxyAuth::Basic => ProxyAuthentication::Basic,
        ProxyAuth::Digest => ProxyAuthentication::Digest,
        ProxyAuth::Ntlm => ProxyAuthentication::Ntlm,
        ProxyAuth::Negotiate => ProxyAuthentication::Negotiate { service: None },
        ProxyAuth::None => ProxyAuthentication::Never,
    };
    Ok((settings.with_proxies(proxies.authenticated_by(authentication)), session))
}

/// Without a profile.
fn by_default(http_timeout: Duration) -> Settings {
    let settings = Settings::new().with_total_timeout(http_timeout).with_proxies(Proxies::none());
    if http_timeout < settings.connect_timeout() {
        return settings.with_connect_timeout(http_timeout);
    }
    settings
}

/// What the client's authentication calls the certificate of `--tls-cert`.
pub(crate) fn certificate_name() -> KeyId {
    KeyId::new("--tls-cert")
}

pub(crate) fn file(path: &Path, flag: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
    std::fs::read(path).map(Zeroizing::new).map_err(|error| {
        Problem::configuration(
            format_args!("{} cannot be read: {error}", path.display()),
            format_args!("check {flag}"),
        )
    })
}

fn identity(path: &Path, flags: &NetworkFlags) -> Result<Identity, Problem> {
    if let Some(key) = &flags.tls_key {
        if security_key(path).is_some() {
            return Err(Problem::usage("a security key has its private key in it", "leave out --tls-key"));
        }
        let mut pem = file(path, "--tls-cert")?;
        pem.push(b'\n');
        pem.extend_from_slice(&file(key, "--tls-key")?);
        return Identity::from_pem(&pem).map_err(|error: SettingsError| Error::from(error).into());
    }
    let token = security_key(path);
    // Some write their PIN into the URI: it is not shown.
    let shown =
        if token.is_some() { "the security key of --tls-cert".into() } else { path.to_string_lossy() };
    let (kind, contents) = match token {
        Some(uri) => (StoreKind::SecurityKey, Zeroizing::new(uri.as_bytes().to_vec())),
        None => (StoreKind::Auto, file(path, "--tls-cert")?),
    };
    let password_file = flags.tls_cert_password_file.as_deref();
    let entry = entry(kind, &contents, password_file, &flags.tls_cert_subject, &|error| {
        let next = match error {
            StoreError::FeatureDisabled("pkcs11") => "build oauth with --features pkcs11, or give a file",
            _ => "check --tls-cert, --tls-cert-password-file and --tls-cert-subject",
        };
        Problem::configuration(format_args!("{shown}: {error}"), next)
    })?;
    oauth::host::identity(entry).map_err(|error| {
        Problem::configuration(format_args!("{shown}: {error}"), "give --tls-key, or another --tls-cert")
    })
}

/// What `--tls-cert` names where it is no file (RFC 7512).
fn security_key(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.starts_with("pkcs11:"))
}

/// An entry of a certificate store: of its contents, or of a security key that they name.
pub(crate) fn entry(
    kind: StoreKind,
    contents: &[u8],
    password_file: Option<&Path>,
    subject: &str,
    problem: &dyn Fn(StoreError) -> Problem,
) -> Result<Entry, Problem> {
    let password = match password_file {
        Some(path) => Some(Password::new(secret_file::read(path)?.as_str())),
        None => None,
    };
    let store = match kind {
        StoreKind::SecurityKey => CertificateStore::open(kind, contents, password.as_ref()),
        contents_alone => CertificateStore::read(contents_alone, contents, password.as_ref()),
    };
    store.and_then(|store| store.take(subject)).map_err(problem)
}

/// Where what goes over the wire is told, if it is wanted.
pub(crate) fn wire(report: &Report) -> EventSink {
    if report.tells_wire() {
        EventSink::onlooker(Wire(report.clone()), LogLevel::Debug)
    } else {
        EventSink::none()
    }
}

/// Tells what goes over the wire, without secrets.
pub(crate) struct Wire(pub(crate) Report);

impl EventHandler for Wire {
    fn on_log(&mut self, entry: &LogEntry<'_>) {
        let mark = match entry.kind {
            LogType::RequestHeaders | LogType::RequestBody => '>',
            LogType::ResponseHeaders | LogType::ResponseBody => '<',
            LogType::ProxyRequest | LogType::FirewallRequest => ')',
            LogType::ProxyResponse | LogType::FirewallResponse => '(',
            _ => '*',
        };
        self.0.wire(mark, entry.message);
    }

    fn on_ssl_status(&mut self, message: &str) {
        self.0.wire('*', message);
    }
}
