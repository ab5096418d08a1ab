//! What OpenSSL is told: whom it trusts, what it speaks, and who it is.

use crate::ciphers::{self, Choice, refused};
use crate::{identity, unsupported};
use isahc::tls::{ProtocolVersion, TlsConfig, TlsConfigBuilder, TrustStore};
use oauth_transport::{Identity, Setting, Settings, SettingsError, Tls, TlsVersions};
use webpki::anchor_from_trusted_cert;

/// What every engine of a transport is told of TLS, whoever it is.
pub(crate) struct Plan {
    trust_store: TrustStore,
    ciphers: Option<Vec<&'static str>>,
    oldest: ProtocolVersion,
    latest: ProtocolVersion,
    any_name: bool,
}

impl Plan {
    /// Reads the settings, and the platform's trust roots.
    ///
    /// # Errors
    /// No roots, a broken one, or a value that OpenSSL does not know.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        for (index, root) in settings.extra_roots().enumerate() {
            // libcurl reads them with the first connection; what cannot be a root is told now.
            anchor_from_trusted_cert(&root.into()).map_err(|_| SettingsError::ExtraRoot { index })?;
        }
        let tls = settings.tls();
        let Choice { names: ciphers, has_12, has_13 } = ciphers::choice(tls)?;
        check_backend(settings)?;
        let (wants_12, wants_13) = match tls.versions {
            TlsVersions::V12AndV13 => (true, true),
            TlsVersions::V12 => (true, false),
            TlsVersions::V13 => (false, true),
            _ => return Err(unsupported(Setting::TlsVersions.name(), "it does not know them")),
        };
        let (oldest, latest) = match (wants_12 && has_12, wants_13 && has_13) {
            (true, true) => (ProtocolVersion::Tlsv12, ProtocolVersion::Tlsv13),
            (true, false) => (ProtocolVersion::Tlsv12, ProtocolVersion::Tlsv12),
            (false, true) => (ProtocolVersion::Tlsv13, ProtocolVersion::Tlsv13),
            (false, false) => return Err(nothing_is_left(tls)),
        };
        Ok(Self {
            trust_store: trust_store(settings)?,
            ciphers,
            oldest,
            latest,
            any_name: tls.dangerously_accepted_flaws.wrong_name,
        })
    }

    /// What the engines of one identity are told, or of none.
    ///
    /// # Errors
    /// Its key is another certificate's.
    pub(crate) fn config(&self, identity: Option<&Identity>) -> Result<TlsConfig, SettingsError> {
        let config = TlsConfig::builder()
            .min_version(self.oldest)
            .max_version(self.latest)
            .ciphers(self.ciphers.iter().flatten())
            .trust_store(self.trust_store.clone())
            // The name alone: libcurl goes on to check the chain, the dates and the use.
            .danger_accept_invalid_hosts(self.any_name);
        Ok(match identity {
            Some(identity) => TlsConfigBuilder::identity(config, identity::to_isahc(identity)?),
            None => config,
        }
        .build())
    }
}

/// One version alone is wanted, and none of its suites.
fn nothing_is_left(tls: &Tls) -> SettingsError {
    let of = |of_12| tls.cipher_suites.iter().flatten().any(|name| name.contains("_WITH_") == of_12);
    if tls.versions == TlsVersions::V12 {
        return refused(Setting::CipherSuites12, "none", "those of TLS 1.2 with TLS 1.2 alone");
    }
    match tls.min_cipher_bits {
        Some(least) if tls.cipher_suites.is_none() || of(false) => refused(
            Setting::CipherStrength,
            &least.to_string(),
            "128 bits at most with TLS 1.3 alone; the transport hyper can choose among its cipher suites",
        ),
        _ => refused(Setting::CipherSuites13, "none", "those of TLS 1.3 with TLS 1.3 alone"),
    }
}

/// What is said in OpenSSL's words, or as it reads them, is refused where libcurl has another TLS library.
fn check_backend(settings: &Settings) -> Result<(), SettingsError> {
    const WHY: &str = "libcurl is built with another TLS library than OpenSSL; the transport hyper can";
    let version = curl::Version::get();
    if version.ssl_version().is_some_and(|name| name.contains("SSL/")) {
        return Ok(());
    }
    match settings.used().into_iter().find(|setting| {
        matches!(setting, Setting::ClientCertificate | Setting::CipherSuites12 | Setting::CipherStrength)
    }) {
        Some(setting) => Err(unsupported(setting.name(), WHY)),
        None => Ok(()),
    }
}

fn trust_store(settings: &Settings) -> Result<TrustStore, SettingsError> {
    let platform = rustls_native_certs::load_native_certs();
    let has_extra_roots = settings.extra_roots().len() > 0;
    if platform.certs.is_empty() && !has_extra_roots {
        let cause = match platform.errors.into_iter().next() {
            Some(error) => error.into(),
            None => "there are none".into(),
        };
        return Err(SettingsError::PlatformRoots { cause });
    }
    if !has_extra_roots {
        return Ok(TrustStore::native());
    }
    // Roots in memory take the place of the platform's file of roots: what was in it has to come along.
    let store =
        platform.certs.iter().fold(TrustStore::builder(), |store, root| store.certificate_from_der(root));
    Ok(settings.extra_roots().fold(store, |store, root| store.certificate_from_der(root)).build())
}
