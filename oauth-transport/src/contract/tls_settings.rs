//! What a transport speaks, as the server hears it.

use super::Engine;
use super::server::Server;
use super::subject::{assert_fails, carries, get, post, promptly, send_with, transport};
use super::tls::{Authority, Handshake, Hello, Leaf, ServerTls, rsa_key};
use crate::{Setting, Settings, SettingsError, Tls, TlsVersions};
use oauth_core::{Delivered, UnreachableKind};
use rcgen::KeyPair;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, HandshakeKind, NamedGroup, ProtocolVersion, SignatureScheme};
use std::io::Write as _;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const OK_AND_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";

/// Both by default, the later one where it can be; each alone where it is set.
pub fn tls_versions_are_as_set<E: Engine>() {
    use ProtocolVersion::{TLSv1_2, TLSv1_3};
    for (versions, seen) in [
        (TlsVersions::V12AndV13, [Some(TLSv1_3), Some(TLSv1_2), Some(TLSv1_3)]),
        (TlsVersions::V12, [Some(TLSv1_2), Some(TLSv1_2), None]),
        (TlsVersions::V13, [Some(TLSv1_3), None, Some(TLSv1_3)]),
    ] {
        let tls = Tls { versions, ..Tls::default() };
        let settings = Settings::new().with_tls(tls.clone());
        if versions != TlsVersions::V12AndV13 && !carries::<E>(Setting::TlsVersions, &settings) {
            return;
        }
        let servers = [vec![&TLS13, &TLS12], vec![&TLS12], vec![&TLS13]];
        for (server, seen) in servers.into_iter().zip(seen) {
            let change = |to: &mut ServerTls| to.versions = server;
            match seen {
                Some(version) => assert_eq!(agreed::<E>(&tls, change).0.version, Some(version)),
                None => refused::<E>(&tls, change),
            }
        }
    }
}

/// These alone are offered, and no other version with them.
pub fn cipher_suites_of_tls_1_2_are_as_set<E: Engine>() {
    use CipherSuite as C;
    const CHACHA: CipherSuite = C::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    const AES: CipherSuite = C::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    let names = ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];
    let tls = Tls { cipher_suites: list(&names), ..Tls::default() };
    if !carries::<E>(Setting::CipherSuites12, &Settings::new().with_tls(tls.clone())) {
        return;
    }
    let (handshake, hello) = agreed::<E>(&tls, |_| {});
    assert_eq!(handshake.version, Some(ProtocolVersion::TLSv1_2));
    assert_eq!((offered(&hello), handshake.suite), (vec![CHACHA, AES], Some(CHACHA)));

    let only_aes = |server: &mut ServerTls| server.suites = Some(vec![AES]);
    assert_eq!(agreed::<E>(&tls, only_aes).0.suite, Some(AES));
    let neither =
        |server: &mut ServerTls| server.suites = Some(vec![C::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]);
    refused::<E>(&tls, neither);
    // By default the same server is served.
    agreed::<E>(&Tls::default(), neither);
}

/// A list as OpenSSL writes it speaks of TLS 1.2 alone, and takes nothing from TLS 1.3.
pub fn cipher_lists_of_openssl_are_as_set<E: Engine>() {
    use CipherSuite as C;
    let tls = Tls::default().with_openssl_ciphers("AES128+ECDSA:AES256:!RSA:!aNULL").expect("it is a list");
    if !carries::<E>(Setting::CipherSuites12, &Settings::new().with_tls(tls.clone())) {
        return;
    }
    let (handshake, hello) = agreed::<E>(&tls, |_| {});
    assert_eq!(handshake.version, Some(ProtocolVersion::TLSv1_3));
    let of_12: Vec<_> = offered(&hello)
        .into_iter()
        .filter(|suite| suite.as_str().is_none_or(|name| name.contains("_WITH_")))
        .collect();
    assert_eq!(
        of_12,
        [C::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, C::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
    );
    let (handshake, _) = agreed::<E>(&tls, |server| server.versions = vec![&TLS12]);
    assert_eq!(handshake.version, Some(ProtocolVersion::TLSv1_2));
    refused::<E>(&tls, |server| {
        server.suites = Some(vec![C::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]);
        server.versions = vec![&TLS12];
    });
}

/// These alone are offered, in their order, beside those of TLS 1.2 where some are named.
pub fn cipher_suites_of_tls_1_3_are_as_set<E: Engine>() {
    use CipherSuite as C;
    let tls = |names: &[&str]| Tls { cipher_suites: list(names), ..Tls::default() };
    let alone = tls(&["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]);
    if !carries::<E>(Setting::CipherSuites13, &Settings::new().with_tls(alone.clone())) {
        return;
    }
    let (handshake, hello) = agreed::<E>(&alone, |_| {});
    assert_eq!(handshake.suite, Some(C::TLS13_CHACHA20_POLY1305_SHA256));
    assert_eq!(offered(&hello), [C::TLS13_CHACHA20_POLY1305_SHA256, C::TLS13_AES_128_GCM_SHA256]);
    refused::<E>(&alone, |server| server.versions = vec![&TLS12]);

    let both = tls(&["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]);
    let (_, hello) = agreed::<E>(&both, |_| {});
    assert_eq!(offered(&hello), [C::TLS13_AES_256_GCM_SHA384, C::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]);
    let (handshake, _) = agreed::<E>(&both, |server| server.versions = vec![&TLS12]);
    assert_eq!(handshake.suite, Some(C::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384));

    let (_, hello) = agreed::<E>(&Tls::default(), |_| {});
    assert!(offered(&hello).len() > 5, "{hello:?}");
}

/// An unknown name is told, with those there are; so is a list that leaves nothing of the version that is set.
pub fn cipher_suites_that_there_are_not_are_refused<E: Engine>() {
    let mut tls = Tls { cipher_suites: list(&["TLS_RSA_WITH_RC4_128_SHA"]), ..Tls::default() };
    if !carries::<E>(Setting::CipherSuites12, &Settings::new().with_tls(tls.clone())) {
        return;
    }
    let text = value_is_refused::<E>(&tls, Setting::CipherSuites12);
    assert!(
        text.contains("TLS_RSA_WITH_RC4_128_SHA") && text.contains("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        "{text}"
    );
    tls.cipher_suites = list(&["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
    tls.versions = TlsVersions::V13;
    value_is_refused::<E>(&tls, Setting::CipherSuites13);
}

/// Weaker ciphers are not offered.
pub fn cipher_strength_is_as_set<E: Engine>() {
    let tls = |bits| Tls { min_cipher_bits: Some(bits), ..Tls::default() };
    if !carries::<E>(Setting::CipherStrength, &Settings::new().with_tls(tls(256))) {
        return;
    }
    let weak =
        |hello: &Hello| offered(hello).iter().filter(|suite| format!("{suite:?}").contains("_128_")).count();
    assert_eq!(weak(&agreed::<E>(&tls(256), |_| {}).1), 0);
    assert!(weak(&agreed::<E>(&tls(128), |_| {}).1) > 0);
    refused::<E>(&tls(256), |server| server.suites = Some(vec![CipherSuite::TLS13_AES_128_GCM_SHA256]));
    value_is_refused::<E>(&tls(257), Setting::CipherStrength);
}

/// These alone are offered, and a share of the first one is sent along: a server that has it asks for no other.
pub fn groups_are_as_set<E: Engine>() {
    let tls = Tls { groups: list(&["secp384r1", "secp256r1"]), ..Tls::default() };
    if !carries::<E>(Setting::Groups, &Settings::new().with_tls(tls.clone())) {
        return;
    }
    let only_384 = |server: &mut ServerTls| server.groups = Some(vec![NamedGroup::secp384r1]);
    let (handshake, hello) = agreed::<E>(&tls, only_384);
    assert_eq!(hello.groups, [NamedGroup::secp384r1, NamedGroup::secp256r1]);
    assert_eq!((handshake.group, handshake.kind), (Some(NamedGroup::secp384r1), Some(HandshakeKind::Full)));

    // By default another share is sent, and the server has to ask.
    let (handshake, hello) = agreed::<E>(&Tls::default(), only_384);
    assert!(hello.groups.contains(&NamedGroup::X25519), "{hello:?}");
    assert_eq!(handshake.kind, Some(HandshakeKind::FullWithHelloRetryRequest));

    refused::<E>(&tls, |server| server.groups = Some(vec![NamedGroup::X25519]));
    // Of TLS 1.2, too.
    let (handshake, _) = agreed::<E>(&tls, |server| server.versions = vec![&TLS12]);
    assert_eq!(handshake.version, Some(ProtocolVersion::TLSv1_2));
    refused::<E>(&tls, |server| {
        server.versions = vec![&TLS12];
        server.groups = Some(vec![NamedGroup::X25519]);
    });
}

/// Groups that the engine does not have are told, with those it has.
pub fn groups_that_there_are_not_are_refused<E: Engine>() {
    for name in ["x448", "ffdhe2048", "secp521r1", "curve of my own"] {
        let tls = Tls { groups: list(&["x25519", name]), ..Tls::default() };
        if !carries::<E>(Setting::Groups, &Settings::new().with_tls(tls.clone())) {
            return;
        }
        let text = value_is_refused::<E>(&tls, Setting::Groups);
        assert!(text.contains(name) && text.contains("secp256r1"), "{text}");
    }
}

/// These alone are advertised, and a server that can sign by none of them is not served.
pub fn signature_algorithms_are_as_set<E: Engine>() {
    let only = |name| Tls {
        signature_algorithms_12: list(&[name]),
        signature_algorithms_13: list(&[name]),
        ..Tls::default()
    };
    let tls = only("ecdsa_secp256r1_sha256");
    if !carries::<E>(Setting::SignatureAlgorithms, &Settings::new().with_tls(tls.clone())) {
        return;
    }
    for version in [&TLS12, &TLS13] {
        let change = |server: &mut ServerTls| server.versions = vec![version];
        let (_, hello) = agreed::<E>(&tls, change);
        assert_eq!(hello.schemes, [SignatureScheme::ECDSA_NISTP256_SHA256]);
        refused::<E>(&only("ed25519"), change);
        assert!(agreed::<E>(&Tls::default(), change).1.schemes.len() > 5);
    }
    for unknown in ["ed448", "ecdsa_secp521r1_sha512", "rsa_pkcs1_md5"] {
        let text = value_is_refused::<E>(&only(unknown), Setting::SignatureAlgorithms);
        assert!(text.contains(unknown) && text.contains("ed25519"), "{text}");
    }
    // What only certificates are signed by cannot sign a handshake of TLS 1.3.
    value_is_refused::<E>(&only("rsa_pkcs1_sha256"), Setting::SignatureAlgorithms);
}

/// Servers whose key is of RSA have cipher suites of their own in TLS 1.2, and sign by PSS in TLS 1.3.
pub fn servers_with_keys_of_rsa_are_served<E: Engine>() {
    use CipherSuite as C;
    let authority = Authority::new();
    let name = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    let suite = Tls { cipher_suites: list(&[name]), ..Tls::default() };
    let scheme = |name| Tls {
        signature_algorithms_12: list(&[name]),
        signature_algorithms_13: list(&[name]),
        ..Tls::default()
    };
    for (tls, version, suite) in [
        (Tls::default(), &TLS12, C::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
        (Tls::default(), &TLS13, C::TLS13_AES_256_GCM_SHA384),
        (suite, &TLS12, C::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        (scheme("rsa_pss_rsae_sha256"), &TLS13, C::TLS13_AES_256_GCM_SHA384),
    ] {
        let settings = Settings::new().with_extra_root_der(authority.der()).with_tls(tls);
        let setting = settings.used().into_iter().find(|setting| *setting != Setting::ExtraRoots);
        if setting.is_some_and(|setting| !carries::<E>(setting, &settings)) {
            continue;
        }
        let mut server = ServerTls::new(&authority.issue_for(&Leaf::here(), &rsa_key()));
        server.versions = vec![version];
        let server = start(server);
        send_with::<E>(settings, post(&server.https("/token"))).expect("the server is trusted");
        assert_eq!(server.handshake().suite, Some(suite));
    }
}

/// A server that signs by an algorithm of the other version is refused, though it was offered.
pub fn signature_algorithms_hold_for_their_version<E: Engine>() {
    let tls = |of_12, of_13| Tls {
        signature_algorithms_12: list(&[of_12]),
        signature_algorithms_13: list(&[of_13]),
        ..Tls::default()
    };
    let (p256, p384) = ("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384");
    if !carries::<E>(Setting::SignatureAlgorithms, &Settings::new().with_tls(tls(p256, p384))) {
        return;
    }
    // The servers' keys are over P-256.
    for (version, good, bad) in
        [(&TLS12, tls(p256, p384), tls(p384, p256)), (&TLS13, tls(p384, p256), tls(p256, p384))]
    {
        let change = |server: &mut ServerTls| server.versions = vec![version];
        let (_, hello) = agreed::<E>(&good, change);
        assert_eq!(hello.schemes.len(), 2, "{hello:?}");
        refused::<E>(&bad, change);
    }
}

/// They are by default, on the next connection to the same server; each handshake is a whole one where that is set.
pub fn sessions_are_taken_up_again_or_not<E: Engine>() {
    let fresh = Tls { resume_sessions: false, ..Tls::default() };
    let carried = carries::<E>(Setting::FreshSessions, &Settings::new().with_tls(fresh.clone()));
    for version in [&TLS12, &TLS13] {
        for (tls, seen) in [
            (Tls::default(), [HandshakeKind::Full, HandshakeKind::Resumed]),
            (fresh.clone(), [HandshakeKind::Full, HandshakeKind::Full]),
        ] {
            if !tls.resume_sessions && !carried {
                continue;
            }
            let authority = Authority::new();
            let mut server = ServerTls::new(&authority.issue(&Leaf::here()));
            server.versions = vec![version];
            let server = Server::tls(server.config(), |connection| {
                connection.request()?;
                connection.write_all(OK_AND_CLOSE)?;
                connection.close()
            });
            let settings = Settings::new().with_extra_root_der(authority.der()).with_tls(tls);
            let transport = transport::<E>(settings);
            for _ in 0..2 {
                E::block_on(transport.send(get(&server.https("/")))).expect("the server is trusted");
            }
            let kinds: Vec<_> = server
                .handshakes()
                .into_iter()
                .map(|handshake| handshake.expect("it goes well").kind)
                .collect();
            assert_eq!(kinds, seen.map(Some));
        }
    }
}

/// What a good server saw of a request with these settings.
#[track_caller]
fn agreed<E: Engine>(tls: &Tls, change: impl FnOnce(&mut ServerTls)) -> (Handshake, Hello) {
    let authority = Authority::new();
    let (server, hello) = serving(&authority, change);
    let settings = Settings::new().with_extra_root_der(authority.der()).with_tls(tls.clone());
    let response = send_with::<E>(settings, post(&server.https("/token")));
    response.unwrap_or_else(|error| panic!("they have something in common: {error}; {tls:?}"));
    (server.handshake(), hello.first())
}

/// No request reaches such a server.
#[track_caller]
fn refused<E: Engine>(tls: &Tls, change: impl FnOnce(&mut ServerTls)) {
    let authority = Authority::new();
    let (server, _) = serving(&authority, change);
    let settings = Settings::new().with_extra_root_der(authority.der()).with_tls(tls.clone());
    let result = promptly(|| send_with::<E>(settings, post(&server.https("/token"))));
    // Not every server says what is missing before it hangs up.
    assert_fails(result, &[UnreachableKind::Tls, UnreachableKind::Connect], Delivered::No);
    assert_eq!(server.received().len(), 0, "the request was sent");
}

#[track_caller]
fn value_is_refused<E: Engine>(tls: &Tls, named: Setting) -> String {
    let error = E::transport(Settings::new().with_tls(tls.clone())).err();
    let Some(SettingsError::Value { setting, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(*setting, named, "{error:?}");
    error.expect("it is one").to_string()
}

fn serving(authority: &Authority, change: impl FnOnce(&mut ServerTls)) -> (Server, super::tls::Hellos) {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("the system has randomness");
    let mut tls = ServerTls::new(&authority.issue_for(&Leaf::here(), &key));
    change(&mut tls);
    let hellos = tls.hellos();
    (start(tls), hellos)
}

fn start(tls: ServerTls) -> Server {
    Server::tls(tls.config(), |connection| {
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    })
}

/// Without the signal that stands for an extension (RFC 5746 section 3.3).
fn offered(hello: &Hello) -> Vec<CipherSuite> {
    let signal = CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV;
    hello.suites.iter().copied().filter(|suite| *suite != signal).collect()
}

fn list(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}
