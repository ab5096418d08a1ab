//! A throw-away certificate authority for one case.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// A root that signs servers' certificates.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// The years a certificate is valid for.
#[derive(Clone, Copy)]
pub(super) enum Valid {
    Now,
    InThePast,
    InTheFuture,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Contract Test Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self { issuer: CertifiedIssuer::self_signed(params, key()).expect("a root can sign itself") }
    }

    pub(super) fn der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// What a TLS server of that name, or address, shows.
    pub(super) fn server(&self, name: &str, valid: Valid) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_owned()]).expect("the name is a valid one");
        params.distinguished_name.push(DnType::CommonName, "Contract Test Server");
        let year = |year| rcgen::date_time_ymd(year, 1, 1);
        (params.not_before, params.not_after) = match valid {
            Valid::Now => (year(2020), year(2099)),
            Valid::InThePast => (year(2020), year(2021)),
            Valid::InTheFuture => (year(2098), year(2099)),
        };
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).expect("the root can sign");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("the key is the certificate's");
        Arc::new(config)
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}
