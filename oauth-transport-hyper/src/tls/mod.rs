//! TLS by rustls, with ring: whom the engine trusts, who it is, and what it speaks.
//!
//! The provider is named wherever one is needed: whatever the process has installed as its default counts for nothing.

mod certificate;
mod choices;
pub(crate) mod fault;
pub(crate) mod fetch;
mod identities;
mod records;
mod revocation;
mod verify;

use crate::failure;
use certificate::Certificate;
use choices::Choices;
use oauth_core::{KeyId, Unreachable};
use oauth_transport::{EventSink, Flaws, Setting, Settings, SettingsError};
use records::Records;
use revocation::Lists;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use verify::Verifier;

/// A connection that TLS protects.
pub(crate) type TlsStream<S> = tokio_rustls::client::TlsStream<Records<S>>;

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
    lists: Option<Arc<Lists>>,
    events: EventSink,
    logs_records: bool,
}

impl Tls {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let tls = settings.tls();
        let Choices { provider, versions, schemes } = Choices::new(tls)?;
        let provider = Arc::new(provider);
        if tls.accepted_certificate.as_deref().is_some_and(|der| Certificate::read(der).is_none()) {
            return Err(SettingsError::Value {
                setting: Setting::Pin,
                value: "what was given".to_owned(),
                expected: "a certificate as DER".to_owned(),
            });
        }
        let lists = Lists::new(tls)?.map(Arc::new);
        let flaws = tls.dangerously_accepted_flaws;
        let looks_closer = flaws != Flaws::default() || lists.is_some();
        let (base, roots) = trust(settings, &provider, looks_closer)?;
        let verifier = Verifier {
            base,
            roots,
            algorithms: provider.signature_verification_algorithms,
            schemes,
            flaws,
            accepted: tls.accepted_certificate.clone(),
            lists: lists.clone(),
            events: settings.events().clone(),
            handler_accepts: tls.dangerously_handler_accepts,
            chain_in_event: tls.chain_in_event,
        };
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| SettingsError::Engine { cause: error.into() })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        // Where a session is taken up no certificate is shown, and so nobody can refuse it or ask its lists.
        let resumes = tls.resume_sessions && !settings.events().may_refuse() && lists.is_none();
        let connector = |identity| {
            let mut config = config.clone();
            // A clone shares the sessions of what it was cloned from.
            config.resumption = if resumes { Resumption::default() } else { Resumption::disabled() };
            if let Some(identity) = identity {
                config.client_auth_cert_resolver = identities::resolver(identity, &provider)?;
            }
            Ok(TlsConnector::from(Arc::new(config)))
        };
        let mut named: Vec<(KeyId, TlsConnector)> = Vec::new();
        for (name, identity) in settings.named_client_certificates() {
            named.push((name.clone(), connector(Some(identity))?));
        }
        let plain = connector(settings.client_certificate())?;
        Ok(Self { plain, named, lists, events: settings.events().clone(), logs_records: tls.log_records })
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
        let stream = Records::new(stream, Some(&self.events).filter(|_| self.logs_records));
        self.events.tell(|handler| handler.on_ssl_status(&format!("TLS handshake with {host}")));
        let stream = connector
            .with_alpn(want.http2.protocols())
            .connect(name, stream)
            .into_fallible()
            .await
            .map_err(|(error, stream)| failure::tls(host, error, stream.has_answer()))
            .inspect_err(|error| {
                self.events.tell(|handler| handler.on_ssl_status(&format!("TLS handshake failed: {error}")));
            })?;
        if self.events.is_active() {
            let status = status(stream.get_ref().1);
            self.events.tell(|handler| handler.on_ssl_status(&status));
        }
        Ok(stream)
    }

    /// The revocation lists that a handshake needed and did not have. Once they are [kept](Self::keep_list), another
    /// handshake can go on.
    pub(crate) fn lists_needed(error: &Unreachable) -> Option<&[String]> {
        revocation::needed(failure::rustls_cause(error)?)
    }

    /// Keeps what came of fetching a list.
    pub(crate) fn keep_list(&self, url: String, list: Result<Vec<u8>, String>) {
        if let Some(lists) = &self.lists {
            lists.keep(url, list);
        }
    }
}

/// Who is trusted: the verifier that has the first word, and the roots by themselves where somebody looks closer.
fn trust(
    settings: &Settings,
    provider: &Arc<CryptoProvider>,
    looks_closer: bool,
) -> Result<(Arc<dyn ServerCertVerifier>, RootCertStore), SettingsError> {
    let extra: Vec<_> = settings.extra_roots().map(|der| CertificateDer::from(der.to_vec())).collect();
    let mut roots = RootCertStore::empty();
    for (index, root) in extra.iter().enumerate() {
        roots.add(root.clone()).map_err(|_| SettingsError::ExtraRoot { index })?;
    }
    if !settings.platform_roots() {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots.clone()), Arc::clone(provider))
                .build()
                .map_err(|error| SettingsError::Engine { cause: error.into() })?;
        return Ok((verifier, roots));
    }
    if looks_closer {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    // The operating system's own verifier where it has one (macOS, Windows), and its certificate files elsewhere.
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(provider))
        .map_err(|error| SettingsError::PlatformRoots { cause: error.into() })?;
    Ok((Arc::new(verifier), roots))
}

/// What came of a handshake, in words.
fn status(session: &ClientConnection) -> String {
    let name = |name: Option<String>| name.unwrap_or_else(|| "none".to_owned());
    let version = session.protocol_version().and_then(|version| version.as_str());
    let suite = session.negotiated_cipher_suite().map(|suite| choices::name(&suite));
    let group = session.negotiated_key_exchange_group().map(|group| choices::group_name(group.name()));
    let alpn = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    let kind = match session.handshake_kind() {
        Some(HandshakeKind::Resumed) => "a resumed session",
        Some(HandshakeKind::FullWithHelloRetryRequest) => "a new session, after a retry",
        _ => "a new session",
    };
    format!(
        "{} with {}, key exchange {}, ALPN {}, {kind}",
        version.unwrap_or("TLS").replace("TLSv1_", "TLS 1."),
        name(suite),
        name(group),
        name(alpn),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use oauth_transport::Identity;
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    fn refused(settings: &Settings) -> SettingsError {
        Tls::new(settings).err().expect("such settings are refused")
    }

    #[test]
    fn certificates_are_held_under_their_names() {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["me".to_owned()]).unwrap();
        let identity = Identity::new(vec![cert.der().to_vec()], &signing_key.serialize_der()).unwrap();
        let settings = Settings::new()
            .with_named_client_certificate(KeyId::new("me"), identity.clone())
            .with_named_client_certificate(KeyId::new("you"), identity);
        let tls = Tls::new(&settings).unwrap();
        let names: Vec<_> = tls.named.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["me", "you"]);
    }

    #[test]
    fn what_is_no_certificate_cannot_be_accepted() {
        let mut tls = oauth_transport::Tls::default();
        tls.accepted_certificate = Some(b"-----BEGIN CERTIFICATE-----".to_vec());
        let error = refused(&Settings::new().with_tls(tls));
        assert!(matches!(error, SettingsError::Value { setting: Setting::Pin, .. }), "{error}");
    }

    #[test]
    fn what_is_offered_follows_what_is_wanted() {
        for (wish, names) in [
            (Http2Wish::No, &["http/1.1"][..]),
            (Http2Wish::Preferred, &["h2", "http/1.1"]),
            (Http2Wish::Alone, &["h2"]),
        ] {
            assert_eq!(wish.protocols(), names.iter().map(|name| name.as_bytes()).collect::<Vec<_>>());
        }
    }
}
