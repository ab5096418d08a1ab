//! What TLS is told arrives at the server.
#![allow(missing_docs, reason = "these are tests")]

mod wire;

use oauth_core::{Delivered, KeyId, UnreachableKind};
use oauth_transport::{Flaws, Identity, IdentityKey, Settings, SettingsError, Tls, TlsVersions};
use oauth_transport_isahc::IsahcTransport;
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PKCS_ED25519,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS12;
use rustls::{CipherSuite, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use wire::{Authority, Handshake, assert_fails, builder, post, provider, send, serve_tls};

fn url(address: SocketAddr) -> String {
    format!("https://{address}/")
}

fn trusting(authority: &Authority) -> Settings {
    Settings::new().with_extra_root_der(authority.der())
}

fn with_tls(authority: &Authority, change: impl FnOnce(&mut Tls)) -> Settings {
    let mut tls = Tls::default();
    change(&mut tls);
    trusting(authority).with_tls(tls)
}

// --- who the client is ------------------------------------------------------------------------------------------------

/// A server that asks for a certificate, and takes any.
fn asking(authority: &Authority) -> (SocketAddr, Receiver<Handshake>) {
    let (chain, key) = authority.server_certificate();
    let config = builder().with_client_cert_verifier(Arc::new(Anybody)).with_single_cert(chain, key).unwrap();
    serve_tls(config)
}

/// Whose certificate it is, ring cannot always say.
#[derive(Debug)]
struct Anybody;

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if signature.scheme == SignatureScheme::ECDSA_NISTP521_SHA512 {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let known = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = provider().signature_verification_algorithms.supported_schemes();
        schemes.push(SignatureScheme::ECDSA_NISTP521_SHA512);
        schemes
    }
}

#[test]
fn keys_of_every_encoding_and_kind_are_taken() {
    let authority = Authority::new();
    let (address, heard) = asking(&authority);
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = CertificateParams::default().signed_by(&key, &authority.0).unwrap();
        let pkcs8 = key.serialize_der();
        let mut keys = vec![pkcs8.clone()];
        if algorithm != &PKCS_ED25519 {
            keys.push(sec1(&pkcs8));
        }
        for key in keys {
            let identity = Identity::new(vec![certificate.der().to_vec()], &key).unwrap();
            send(trusting(&authority).with_client_certificate(identity), post(&url(address)))
                .unwrap_or_else(|error| panic!("{algorithm:?}: {error}"));
            // OpenSSL adds the issuer, which it knows as a root.
            assert_eq!(heard.recv().unwrap().client[0], certificate.der().to_vec());
        }
    }
}

#[test]
fn keys_that_openssl_made_are_taken() {
    let authority = Authority::new();
    let (address, heard) = asking(&authority);
    for pem in [
        &include_bytes!("identities/rsa-pkcs1.pem")[..],
        include_bytes!("identities/rsa-pkcs8.pem"),
        // Of a kind that ring does not know.
        include_bytes!("identities/p521-sec1.pem"),
        include_bytes!("identities/p521-pkcs8.pem"),
    ] {
        let identity = Identity::from_pem(pem).unwrap();
        let certificate = identity.chain().next().unwrap().to_vec();
        send(trusting(&authority).with_client_certificate(identity), post(&url(address))).unwrap();
        assert_eq!(heard.recv().unwrap().client[0], certificate);
    }
}

#[test]
fn a_key_that_may_be_another_certificate_s_is_refused_when_the_transport_is_made() {
    let [rsa, p521, ed448] = [
        &include_bytes!("identities/rsa-pkcs8.pem")[..],
        include_bytes!("identities/p521-sec1.pem"),
        include_bytes!("identities/ed448-pkcs8.pem"),
    ]
    .map(|pem| Identity::from_pem(pem).unwrap());
    let mixed = |certificate: &Identity, key: &Identity| {
        let IdentityKey::Der(key) = key.key() else { panic!("it was read from a file") };
        Identity::new(vec![certificate.chain().next().unwrap().to_vec()], key).unwrap()
    };
    for identity in [mixed(&rsa, &p521), mixed(&p521, &rsa), mixed(&p521, &ed448), ed448] {
        let error = IsahcTransport::new(Settings::new().with_client_certificate(identity)).unwrap_err();
        assert!(matches!(error, SettingsError::Identity { .. }), "{error}");
    }
}

/// The key inside a PKCS#8 key of an elliptic curve (RFC 5958 section 2).
fn sec1(pkcs8: &[u8]) -> Vec<u8> {
    // The first octet string that holds a SEQUENCE to its very end.
    let start = (0..pkcs8.len())
        .find(|&at| {
            let Some([0x04, rest @ ..]) = pkcs8.get(at..) else { return false };
            let (length, key) = match rest {
                [0x81, length, key @ ..] | [length @ 0..=0x7f, key @ ..] => (usize::from(*length), key),
                _ => return false,
            };
            key.len() == length && key.first() == Some(&0x30)
        })
        .unwrap();
    let header = if pkcs8[start + 1] == 0x81 { 3 } else { 2 };
    let key = pkcs8[start + header..].to_vec();
    assert!(matches!(PrivateKeyDer::try_from(&*key), Ok(PrivateKeyDer::Sec1(_))));
    key
}

#[test]
fn the_key_of_another_certificate_is_refused_when_the_transport_is_made() {
    let authority = Authority::new();
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let [key, other] = [(); 2].map(|()| KeyPair::generate_for(algorithm).unwrap());
        let certificate = CertificateParams::default().signed_by(&key, &authority.0).unwrap().der().to_vec();
        let mut keys = vec![other.serialize_der()];
        if algorithm != &PKCS_ED25519 {
            keys.push(sec1(&other.serialize_der()));
        }
        for key in keys {
            let identity = Identity::new(vec![certificate.clone()], &key).unwrap();
            for settings in [
                Settings::new().with_client_certificate(identity.clone()),
                Settings::new().with_named_client_certificate(KeyId::new("x"), identity),
            ] {
                let error = IsahcTransport::new(settings).unwrap_err();
                assert!(matches!(error, SettingsError::Identity { .. }), "{error}");
                assert!(error.to_string().contains("does not belong"), "{error}");
            }
        }
    }
}

#[test]
fn what_is_no_certificate_is_refused_when_the_transport_is_made() {
    let key = KeyPair::generate().unwrap().serialize_der();
    let identity = Identity::new(vec![b"not a certificate".to_vec()], &key).unwrap();
    let error = IsahcTransport::new(Settings::new().with_client_certificate(identity)).unwrap_err();
    assert!(matches!(error, SettingsError::Identity { .. }), "{error}");
}

// --- what is spoken ---------------------------------------------------------------------------------------------------

fn server_of(
    authority: &Authority,
    versions: &[&'static rustls::SupportedProtocolVersion],
    suites: &[CipherSuite],
) -> (SocketAddr, Receiver<Handshake>) {
    let mut provider = rustls::crypto::ring::default_provider();
    if !suites.is_empty() {
        provider.cipher_suites.retain(|suite| suites.contains(&suite.suite()));
    }
    let (chain, key) = authority.server_certificate();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    serve_tls(config)
}

#[test]
fn every_suite_is_one_that_openssl_knows() {
    let authority = Authority::new();
    let (address, _) =
        server_of(&authority, &[&TLS12], &[CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]);
    let settings =
        with_tls(&authority, |tls| tls.cipher_suites = Some(vec!["TLS_NULL_WITH_NULL_NULL".to_owned()]));
    let SettingsError::Value { expected, .. } = IsahcTransport::new(settings).unwrap_err() else {
        panic!("there is no such suite")
    };
    let names: Vec<_> = expected.trim_start_matches("any of ").split(", ").collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let settings = with_tls(&authority, |tls| tls.cipher_suites = Some(vec![name.to_owned()]));
        if let Err(error) = send(settings, post(&url(address))) {
            let text = error.cause.unwrap().to_string();
            assert!(!text.contains("none of the cipher suites"), "{name}: {text}");
        }
    }
}

#[test]
fn what_cannot_be_limited_is_refused() {
    let limit_13 = |tls: &mut Tls| {
        tls.versions = TlsVersions::V13;
        tls.min_cipher_bits = Some(256);
    };
    let authority = Authority::new();
    let error = IsahcTransport::new(with_tls(&authority, limit_13)).unwrap_err().to_string();
    assert!(error.contains("TLS 1.3 alone") && error.contains("hyper"), "{error}");
    let suites_13 = |tls: &mut Tls| tls.cipher_suites = Some(vec!["TLS_AES_256_GCM_SHA384".to_owned()]);
    let error = IsahcTransport::new(with_tls(&authority, suites_13)).unwrap_err().to_string();
    assert!(error.contains("cipher suites of TLS 1.3") && error.contains("hyper"), "{error}");
}

// --- what may be wrong ------------------------------------------------------------------------------------------------

#[test]
fn another_name_is_accepted_where_it_is_set_and_nothing_else_is() {
    let authority = Authority::new();
    let mut flaws = Flaws::default();
    flaws.wrong_name = true;
    let settings = |root: &Authority| with_tls(root, |tls| tls.dangerously_accepted_flaws = flaws);
    let server = |name: &str, years: (i32, i32), usage| {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        params.extended_key_usages = vec![usage];
        let (certificate, key) = authority.sign(params);
        serve_tls(builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
    };
    let (now, tls_server) = ((2020, 2099), ExtendedKeyUsagePurpose::ServerAuth);
    let (other_name, heard) = server("as.example", now, tls_server.clone());
    assert_fails(send(trusting(&authority), post(&url(other_name))), UnreachableKind::Tls, Delivered::No);
    send(settings(&authority), post(&url(other_name))).unwrap();
    assert!(heard.recv().unwrap().request.starts_with("POST / "));
    for (root, (address, heard)) in [
        (&authority, server("as.example", (2020, 2021), tls_server.clone())),
        (&authority, server("as.example", (2098, 2099), tls_server.clone())),
        (&authority, server("as.example", now, ExtendedKeyUsagePurpose::ClientAuth)),
        (&Authority::new(), server("as.example", now, tls_server)),
    ] {
        assert_fails(send(settings(root), post(&url(address))), UnreachableKind::Tls, Delivered::No);
        assert!(heard.recv_timeout(Duration::from_millis(50)).is_err());
    }
}
