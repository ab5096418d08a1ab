//! Whom the engine trusts.

use crate::failure;
use oauth_core::{KeyId, Unreachable};
use oauth_transport::{Settings, SettingsError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a connection asks of TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want<'a> {
    /// The certificate to show, by its name.
    #[expect(dead_code, reason = "no certificate is held yet")]
    pub(crate) certificate: Option<&'a KeyId>,
    /// Whether HTTP/2 is offered (RFC 9113 section 3.2).
    pub(crate) http2: Http2Wish,
}

/// Whether HTTP/2 is offered in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Http2Wish {
    /// No.
    No,
    /// Before HTTP/1.1.
    Preferred,
    /// Alone.
    Alone,
}

/// TLS, as the settings have it.
pub(crate) struct Tls {
    /// By what is offered.
    connectors: [TlsConnector; 3],
}

impl Tls {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let config = client_config(settings)?;
        let offering = |protocols: &[&[u8]]| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            TlsConnector::from(Arc::new(config))
        };
        Ok(Self {
            connectors: [offering(&[b"http/1.1"]), offering(&[b"h2", b"http/1.1"]), offering(&[b"h2"])],
        })
    }

    /// Shakes hands over a stream.
    pub(crate) async fn connect<S>(
        &self,
        host: &str,
        stream: S,
        want: Want<'_>,
    ) -> Result<TlsStream<S>, Unreachable>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| failure::unnameable(host))?;
        let [http1, preferred, alone] = &self.connectors;
        let connector = match want.http2 {
            Http2Wish::No => http1,
            Http2Wish::Preferred => preferred,
            Http2Wish::Alone => alone,
        };
        connector.connect(name, stream).await.map_err(|error| failure::tls(host, error))
    }
}

/// TLS 1.2 and 1.3 by ring, whatever provider the process has installed as its default.
fn client_config(settings: &Settings) -> Result<ClientConfig, SettingsError> {
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
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError::Engine { cause: error.into() })?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}
