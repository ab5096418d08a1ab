//! Whom the engine trusts.

use isahc::tls::{ProtocolVersion, TlsConfig, TrustStore};
use oauth_transport::{Settings, SettingsError};
use webpki::anchor_from_trusted_cert;

pub(crate) fn tls_config(settings: &Settings) -> Result<TlsConfig, SettingsError> {
    for (index, root) in settings.extra_roots().enumerate() {
        // libcurl reads them with the first connection; what cannot be a root is told now.
        anchor_from_trusted_cert(&root.into()).map_err(|_| SettingsError::ExtraRoot { index })?;
    }
    Ok(TlsConfig::builder().min_version(ProtocolVersion::Tlsv12).trust_store(trust_store(settings)?).build())
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
