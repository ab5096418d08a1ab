//! TLS by rustls, with ring: whom the engine trusts, who it is, and what it speaks.
//!
//! The provider is named wherever one is needed: whatever the process has installed as its default counts for nothing.

mod choices;
mod identities;

use crate::failure;
use choices::Choices;
use oauth_core::{KeyId, Unreachable};
use oauth_transport::{Settings, SettingsError};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// A connection that TLS protects.
pub(crate) type TlsStream<S> = tokio_rustls::client::TlsStream<S>;

/// What a connection is for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Want<'a> {
    /// The certificate that a request names. `None` shows the one for every connection, where there is one.
    pub(crate) certificate: Option<&'a KeyId>,
    /// Whether HTTP/2 is offered (RFC 7301).
    pub(crate) http2: Http2Wish,
}

/// Whether HTTP/2 is offered in the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Http2Wish {
    /// No.
    #[default]
    No,
    /// Before HTTP/1.1.
    Preferred,
    /// Alone.
    Alone,
}

impl Http2Wish {
    fn protocols(self) -> Vec<Vec<u8>> {
        let names: &[&[u8]] = match self {
            Self::No => &[b"http/1.1"],
            Self::Preferred => &[b"h2", b"http/1.1"],
            Self::Alone => &[b"h2"],
        };
        names.iter().map(|name| name.to_vec()).collect()
    }
}

/// The TLS side of a transport: made once, for all of its connections.
pub(crate) struct Tls {
    /// For connections whose request names no certificate.
    plain: TlsConnector,
    /// A configuration for each certificate, so that no session of one is taken up by another.
    named: Vec<(KeyId, TlsConnector)>,
}

impl Tls {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let choices = Choices::new(settings.tls())?;
        let provider = Arc::new(choices.provider);
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
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&choices.versions)
            .map_err(|error| SettingsError::Engine { cause: error.into() })?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        let resumes = settings.tls().resume_sessions;
        let connector = |identity| {
            let mut config = config.clone();
            // A clone shares the sessions of what it was cloned from.
            config.resumption = if resumes { Resumption::default() } else { Resumption::disabled() };
            if let Some(identity) = identity {
                config.client_auth_cert_resolver = identities::resolver(identity, &provider)?;
            }
            Ok(TlsConnector::from(Arc::new(config)))
        };
        let named = settings
            .named_client_certificates()
            .map(|(name, identity)| Ok((name.clone(), connector(Some(identity))?)))
            .collect::<Result<_, SettingsError>>()?;
        Ok(Self { plain: connector(settings.client_certificate())?, named })
    }

    /// Whether a certificate of that name is held.
    pub(crate) fn holds(&self, name: &KeyId) -> bool {
        self.named.iter().any(|(held, _)| held == name)
    }

    /// Speaks TLS over a stream that leads to this host: a name, or an address with or without brackets.
    ///
    /// No byte of a request is sent by it, so nothing is delivered where it fails.
    pub(crate) async fn connect<S>(
        &self,
        host: &str,
        stream: S,
        want: Want<'_>,
    ) -> Result<TlsStream<S>, Unreachable>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned())
            .map_err(|_| failure::unnameable(host))?;
        let connector = match want.certificate {
            None => &self.plain,
            Some(named) => {
                let held = self.named.iter().find(|(held, _)| held == named);
                &held.ok_or_else(|| failure::not_held(named))?.1
            }
        };
        connector
            .with_alpn(want.http2.protocols())
            .connect(name, stream)
            .await
            .map_err(|error| failure::tls(host, error))
    }
}
