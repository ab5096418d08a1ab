//! Who a transport says it is.

use super::Engine;
use super::server::Server;
use super::subject::{assert_fails, carries, get, post, promptly, send_with, transport};
use super::tls::{Authority, Credentials, Handshake, Leaf, ServerTls, key, rsa_key};
use crate::{Identity, Setting, Settings, SettingsError};
use oauth_core::{Delivered, KeyId, UnreachableKind};
use rcgen::{ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};
use std::io::Write as _;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const OK_AND_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";

/// For every connection, with the certificates that lead to the root that the server knows.
pub fn client_certificate_is_shown_to_servers_that_ask<E: Engine>() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let client = client(&clients.intermediate(2, &[]), 8);
    let trusting = Settings::new().with_extra_root_der(servers.der());
    let settings = trusting.clone().with_client_certificate(client.identity());
    if !carries::<E>(Setting::ClientCertificate, &settings) {
        return;
    }
    for version in [&TLS12, &TLS13] {
        let server = || {
            let mut tls = ServerTls::new(&servers.issue(&Leaf::here()));
            tls.versions = vec![version];
            tls.clients = Some(clients.der());
            answering(tls, OK)
        };
        let without = server();
        let result = promptly(|| send_with::<E>(trusting.clone(), post(&without.https("/token"))));
        result.expect_err("the server serves nobody without a certificate");
        assert_eq!(without.received().len(), 0);

        let with = server();
        let response = send_with::<E>(settings.clone(), post(&with.https("/token")));
        response.expect("the server knows who signed the certificate");
        assert_eq!(with.handshake().client, Some(client.der()));
    }
}

/// Each request has a connection that shows what it names, and no other.
pub fn named_client_certificate_is_shown_where_it_is_named<E: Engine>() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let (anna, ben, everybody) = (client(&clients, 8), client(&clients, 9), client(&clients, 10));
    let settings = Settings::new()
        .with_extra_root_der(servers.der())
        .with_named_client_certificate(KeyId::new("anna"), anna.identity())
        .with_named_client_certificate(KeyId::new("ben"), ben.identity());
    if !carries::<E>(Setting::ClientCertificate, &settings) {
        return;
    }
    for (settings, unnamed) in [
        (settings.clone(), None),
        (settings.with_client_certificate(everybody.identity()), Some(everybody.der())),
    ] {
        let server = answering(open_to_all(&servers, &clients), OK);
        let transport = transport::<E>(settings);
        E::block_on(async {
            for name in [Some("anna"), Some("ben"), None, Some("anna"), None] {
                let request = get(&server.https("/"));
                let request = match name {
                    Some(name) => request.with_client_certificate(KeyId::new(name)),
                    None => request,
                };
                transport.send(request).await.expect("the server serves everybody");
            }
        });
        let shown: Vec<_> = handshakes(&server).into_iter().map(|handshake| handshake.client).collect();
        assert_eq!(shown, [Some(anna.der()), Some(ben.der()), unnamed]);

        let request = get(&server.https("/")).with_client_certificate(KeyId::new("nobody"));
        let result = E::block_on(transport.send(request));
        assert_fails(result, &[UnreachableKind::Unsupported], Delivered::No);
        assert_eq!(server.connections(), 3);
    }
}

/// A session says who took it up, so that one of another certificate would show that one.
pub fn sessions_of_one_certificate_serve_no_other<E: Engine>() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let (anna, ben) = (client(&clients, 8), client(&clients, 9));
    let settings = Settings::new()
        .with_extra_root_der(servers.der())
        .with_named_client_certificate(KeyId::new("anna"), anna.identity())
        .with_named_client_certificate(KeyId::new("ben"), ben.identity());
    if !carries::<E>(Setting::ClientCertificate, &settings) {
        return;
    }
    for version in [&TLS12, &TLS13] {
        let mut tls = open_to_all(&servers, &clients);
        tls.versions = vec![version];
        let server = answering(tls, OK_AND_CLOSE);
        let transport = transport::<E>(settings.clone());
        for name in ["anna", "ben", "anna", "ben"] {
            let request = get(&server.https("/")).with_client_certificate(KeyId::new(name));
            E::block_on(transport.send(request)).expect("the server serves everybody");
        }
        E::block_on(transport.send(get(&server.https("/")))).expect("the server serves everybody");
        let handshakes = handshakes(&server);
        let shown: Vec<_> = handshakes.iter().map(|handshake| handshake.client.clone()).collect();
        let (anna, ben) = (Some(anna.der()), Some(ben.der()));
        assert_eq!(shown, [anna.clone(), ben.clone(), anna, ben, None]);
        for first in [0, 1, 4] {
            assert_ne!(handshakes[first].kind, Some(HandshakeKind::Resumed), "number {first}");
        }
    }
}

/// Plain HTTP has no place for a certificate: the request is not sent.
pub fn client_certificate_is_not_left_out_over_plain_http<E: Engine>() {
    let settings = Settings::new()
        .with_named_client_certificate(KeyId::new("anna"), client(&Authority::new(), 8).identity());
    if !carries::<E>(Setting::ClientCertificate, &settings) {
        return;
    }
    let server = Server::answering(OK);
    let request = post(&server.http("/token")).with_client_certificate(KeyId::new("anna"));
    let error =
        assert_fails(send_with::<E>(settings, request), &[UnreachableKind::Unsupported], Delivered::No);
    assert!(error.to_string().contains("anna"), "{error}");
    assert_eq!(server.connections(), 0);
}

/// ECDSA, EdDSA and RSA, in whichever form the key comes.
pub fn client_keys_of_each_kind_are_used<E: Engine>() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let leaf = Leaf { purpose: Some(ExtendedKeyUsagePurpose::ClientAuth), ..Leaf::of("client.example") };
    let of = |algorithm| KeyPair::generate_for(algorithm).expect("the system has randomness");
    for (key, kind) in [
        (of(&PKCS_ECDSA_P256_SHA256), "SEC1"),
        (of(&PKCS_ECDSA_P384_SHA384), "SEC1"),
        (of(&PKCS_ED25519), "PKCS#8"),
        (rsa_key(), "PKCS#1"),
    ] {
        let client = clients.issue_for(&leaf, &key);
        let inner = if kind == "PKCS#8" { client.key.clone() } else { inside(&client.key).to_vec() };
        for key in [client.key.clone(), inner] {
            let identity = Identity::new(vec![client.der()], &key).expect("it is a key");
            let settings =
                Settings::new().with_extra_root_der(servers.der()).with_client_certificate(identity);
            if !carries::<E>(Setting::ClientCertificate, &settings) {
                return;
            }
            for version in [&TLS12, &TLS13] {
                let mut tls = open_to_all(&servers, &clients);
                tls.versions = vec![version];
                let server = answering(tls, OK);
                let response = send_with::<E>(settings.clone(), post(&server.https("/token")));
                response.unwrap_or_else(|error| panic!("a key as {kind} is one: {error}"));
                assert_eq!(server.handshake().client, Some(client.der()), "{kind}");
            }
        }
    }
}

/// What PKCS#8 wraps (RFC 5958 section 2): the last octet string there is, up to the end or to a public key.
fn inside(key: &[u8]) -> &[u8] {
    let at = key.windows(2).skip(8).position(|bytes| bytes == [4, 0x82] || bytes[0] == 4 && bytes[1] > 0x40);
    let at = 8 + at.expect("there is one");
    let (begin, length) = match key[at + 1] {
        0x82 => (at + 4, usize::from(u16::from_be_bytes([key[at + 2], key[at + 3]]))),
        0x81 => (at + 3, usize::from(key[at + 2])),
        length => (at + 2, usize::from(length)),
    };
    &key[begin..begin + length]
}

/// A key of another certificate, and one of a kind that the engine cannot use: refused when the transport is made.
pub fn client_key_that_cannot_be_used_is_refused<E: Engine>() {
    let client = client(&Authority::new(), 8);
    let of_another = Identity::new(vec![client.der()], &key().serialize_der()).expect("it is a key");
    // The object identifier of the curve, P-256, becomes that of one which nobody uses.
    let mut odd = client.key.clone();
    let curve = [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let at = odd.windows(8).position(|bytes| bytes == curve).expect("it is a key over P-256");
    odd[at + 7] = 6;
    let odd = Identity::new(vec![client.der()], &odd).expect("it looks like a key");
    for identity in [of_another, odd] {
        for settings in [
            Settings::new().with_client_certificate(identity.clone()),
            Settings::new().with_named_client_certificate(KeyId::new("anna"), identity.clone()),
        ] {
            if !carries::<E>(Setting::ClientCertificate, &settings) {
                return;
            }
            let error = E::transport(settings).err();
            assert!(matches!(error, Some(SettingsError::Identity { .. })), "{error:?}");
        }
    }
}

fn client(authority: &Authority, serial: u64) -> Credentials {
    authority.issue(&Leaf {
        purpose: Some(ExtendedKeyUsagePurpose::ClientAuth),
        serial,
        ..Leaf::of("client.example")
    })
}

/// Asks for a certificate, and serves those who have none.
fn open_to_all(servers: &Authority, clients: &Authority) -> ServerTls {
    let mut tls = ServerTls::new(&servers.issue(&Leaf::here()));
    tls.clients = Some(clients.der());
    tls.serves_strangers = true;
    tls
}

fn answering(tls: ServerTls, answer: &'static [u8]) -> Server {
    Server::tls(tls.config(), move |connection| {
        while connection.request()?.is_some() {
            connection.write_all(answer)?;
            connection.flush()?;
            if answer == OK_AND_CLOSE {
                return connection.close();
            }
        }
        Ok(())
    })
}

fn handshakes(server: &Server) -> Vec<Handshake> {
    server.handshakes().into_iter().map(|handshake| handshake.expect("each goes well")).collect()
}
