//! What TLS is told arrives at the server.
#![allow(missing_docs, reason = "these are tests")]

mod wire;

use oauth_core::{Delivered, KeyId, UnreachableKind};
use oauth_transport::{Flaws, Identity, Settings, SettingsError, Tls, TlsVersions, Transport as _};
use oauth_transport_isahc::IsahcTransport;
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PKCS_ED25519,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, HandshakeKind, ProtocolVersion, RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use wire::{Authority, Handshake, assert_fails, builder, get, post, provider, send, serve_tls};

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

fn client(authority: &Authority) -> Identity {
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let (certificate, key) = authority.sign(params);
    Identity::new(vec![certificate.to_vec()], key.secret_der().to_vec()).unwrap()
}

/// A server that asks for a certificate, and takes requests without one, too.
fn asking(authority: &Authority) -> (SocketAddr, Receiver<Handshake>) {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .allow_unauthenticated()
        .build()
        .unwrap();
    let (chain, key) = authority.server_certificate();
    serve_tls(builder().with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap())
}

#[test]
fn each_request_shows_the_certificate_that_it_names_and_no_other_connection_serves_it() {
    let authority = Authority::new();
    let (address, heard) = asking(&authority);
    let [general, first, second] = [(); 3].map(|()| client(&authority));
    let settings = trusting(&authority)
        .with_client_certificate(general.clone())
        .with_named_client_certificate(KeyId::new("first"), first.clone())
        .with_named_client_certificate(KeyId::new("second"), second.clone());
    let transport = IsahcTransport::new(settings).unwrap();
    smol::block_on(async {
        for _ in 0..2 {
            for (name, identity) in [(Some("first"), &first), (None, &general), (Some("second"), &second)] {
                let request = get(&url(address));
                let request = match name {
                    Some(name) => request.with_client_certificate(KeyId::new(name)),
                    None => request,
                };
                transport.send(request).await.unwrap();
                assert_eq!(heard.recv().unwrap().client[0], identity.chain().next().unwrap());
            }
        }
        let unknown = get(&url(address)).with_client_certificate(KeyId::new("third"));
        let error = transport.send(unknown).await.unwrap_err();
        assert_eq!(error.kind, UnreachableKind::Unsupported);
    });
    assert!(heard.try_recv().is_err());
}

#[test]
fn no_certificate_is_shown_where_none_is_set() {
    let authority = Authority::new();
    let (address, heard) = asking(&authority);
    let named = trusting(&authority).with_named_client_certificate(KeyId::new("first"), client(&authority));
    send(named, get(&url(address))).unwrap();
    assert!(heard.recv().unwrap().client.is_empty());
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
            let identity = Identity::new(vec![certificate.der().to_vec()], key).unwrap();
            send(trusting(&authority).with_client_certificate(identity), post(&url(address)))
                .unwrap_or_else(|error| panic!("{algorithm:?}: {error}"));
            // OpenSSL adds the issuer, which it knows as a root.
            assert_eq!(heard.recv().unwrap().client[0], certificate.der().to_vec());
        }
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
            let identity = Identity::new(vec![certificate.clone()], key).unwrap();
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
    let identity = Identity::new(vec![b"not a certificate".to_vec()], key).unwrap();
    let error = IsahcTransport::new(Settings::new().with_client_certificate(identity)).unwrap_err();
    assert!(matches!(error, SettingsError::Identity { .. }), "{error}");
}

#[test]
fn a_chain_is_shown_whole() {
    let authority = Authority::new();
    let (address, heard) = asking(&authority);
    let (certificate, key) = authority.sign(CertificateParams::default());
    let chain = vec![certificate.to_vec(), authority.der()];
    let identity = Identity::new(chain.clone(), key.secret_der().to_vec()).unwrap();
    send(trusting(&authority).with_client_certificate(identity), get(&url(address))).unwrap();
    assert_eq!(heard.recv().unwrap().client, chain);
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
fn only_the_versions_that_are_set_are_spoken() {
    let authority = Authority::new();
    let of = |versions| with_tls(&authority, |tls| tls.versions = versions);
    let (both, heard) = server_of(&authority, &[&TLS12, &TLS13], &[]);
    for (versions, spoken) in [
        (TlsVersions::V12AndV13, ProtocolVersion::TLSv1_3),
        (TlsVersions::V12, ProtocolVersion::TLSv1_2),
        (TlsVersions::V13, ProtocolVersion::TLSv1_3),
    ] {
        send(of(versions), post(&url(both))).unwrap();
        assert_eq!(heard.recv().unwrap().version, spoken);
    }
    for (server, refused) in [(&TLS12, TlsVersions::V13), (&TLS13, TlsVersions::V12)] {
        let (address, heard) = server_of(&authority, &[server], &[]);
        assert_fails(send(of(refused), post(&url(address))), UnreachableKind::Tls, Delivered::No);
        send(of(TlsVersions::V12AndV13), post(&url(address))).unwrap();
        assert_eq!(heard.iter().take(1).count(), 1);
    }
}

#[test]
fn only_the_cipher_suites_that_are_set_are_offered() {
    let authority = Authority::new();
    let of = |names: &[&str]| {
        with_tls(&authority, |tls| {
            tls.cipher_suites = Some(names.iter().map(|&name| name.to_owned()).collect());
        })
    };
    let (address, heard) = server_of(&authority, &[&TLS12, &TLS13], &[]);
    for (name, suite) in [
        ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        (
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        ),
    ] {
        send(of(&[name]), post(&url(address))).unwrap();
        let seen = heard.recv().unwrap();
        // None of TLS 1.3 is among them, so that version is not offered.
        assert_eq!((seen.suite, seen.version), (suite, ProtocolVersion::TLSv1_2));
        let (other, _) = server_of(
            &authority,
            &[&TLS12],
            &[if name.contains("CHACHA20") {
                CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            } else {
                CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            }],
        );
        assert_fails(send(of(&[name]), post(&url(other))), UnreachableKind::Tls, Delivered::No);
    }
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
fn weaker_ciphers_than_wanted_are_not_offered() {
    let authority = Authority::new();
    let of = |bits| with_tls(&authority, |tls| tls.min_cipher_bits = Some(bits));
    let strong = [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ];
    let (any, heard) = server_of(&authority, &[&TLS12, &TLS13], &[]);
    send(of(128), post(&url(any))).unwrap();
    assert_eq!(heard.recv().unwrap().version, ProtocolVersion::TLSv1_3);
    send(of(256), post(&url(any))).unwrap();
    let seen = heard.recv().unwrap();
    assert!(strong.contains(&seen.suite), "{seen:?}");
    let weak = [CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, CipherSuite::TLS13_AES_128_GCM_SHA256];
    let (weak, heard) = server_of(&authority, &[&TLS12, &TLS13], &weak);
    send(of(128), post(&url(weak))).unwrap();
    assert_eq!(heard.iter().take(1).count(), 1);
    assert_fails(send(of(256), post(&url(weak))), UnreachableKind::Tls, Delivered::No);
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

#[test]
fn sessions_are_taken_up_again_unless_they_must_not_be() {
    let authority = Authority::new();
    for (versions, resume) in [(&TLS12, true), (&TLS12, false), (&TLS13, true), (&TLS13, false)] {
        let (address, heard) = server_of(&authority, &[versions], &[]);
        let transport =
            IsahcTransport::new(with_tls(&authority, |tls| tls.resume_sessions = resume)).unwrap();
        smol::block_on(async {
            for request in [post(&url(address)), post(&url(address)), get(&url(address)), get(&url(address))]
            {
                transport.send(request).await.unwrap();
            }
        });
        let kinds: Vec<_> = heard.iter().take(4).map(|seen| seen.kind).collect();
        let resumed = kinds.iter().filter(|kind| **kind == HandshakeKind::Resumed).count();
        assert_eq!(resumed > 0, resume, "{kinds:?}");
    }
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
