//! Whom the engine trusts.

use oauth_transport::{Settings, SettingsError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;

/// TLS 1.2 and 1.3 by ring, whatever provider the process has installed as its default.
pub(crate) fn client_config(settings: &Settings) -> Result<ClientConfig, SettingsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let extra: Vec<_> = settings.extra_roots().map(|der| CertificateDer::from(der.to_vec())).collect();
    let mut roots = RootCertStore::empty();
    for (index, root) in extra.iter().enumerate() {
        roots.add(root.clone()).map_err(|_| SettingsError::ExtraRoot { index })?;
    }
    let verifier: Arc<dyn ServerCertVerifier> = if settings.platform_roots() {
        // The operating system's own verifier where it has one (macOS, Windows), and its certificate files elsewhere.
        let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
            .map_err(|error| SettingsError::PlatformRoots { cause: error.into() })?;
        Arc::new(verifier)
    } else {
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| SettingsError::Engine { cause: error.into() })?
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError::Engine { cause: error.into() })?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
