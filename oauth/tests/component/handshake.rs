//! The rows of TLS handshakes: what is offered and agreed, as a server sees it.

use crate::authority::*;
use crate::wire::*;
use oauth::OAuth;
use oauth::component::ComponentError;
use oauth::core::UnreachableKind;
use rustls::crypto::{CryptoProvider, ring};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, HandshakeKind, NamedGroup, ProtocolVersion, SignatureScheme, SupportedProtocolVersion,
};
use std::sync::mpsc;

const AES_12: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
const AES_256_12: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
const AES_13: CipherSuite = CipherSuite::TLS13_AES_128_GCM_SHA256;
const CHACHA_13: CipherSuite = CipherSuite::TLS13_CHACHA20_POLY1305_SHA256;

/// A server that is trusted, whose key is over P-256.
struct Site {
    authority: Authority,
    url: String,
    handshakes: mpsc::Receiver<Handshake>,
}

impl Site {
    fn new() -> Self {
        Self::with(&VERSIONS, |_| ())
    }

    /// One that speaks these versions, and not all that it could.
    fn with(
        versions: &[&'static SupportedProtocolVersion],
        narrow: impl FnOnce(&mut CryptoProvider),
    ) -> Self {
        let mut algorithms = ring::default_provider();
        narrow(&mut algorithms);
        let authority = Authority::new();
        let (url, handshakes) = telling(serving_by(algorithms, &authority.server_leaf(), versions, None));
        Self { authority, url, handshakes }
    }

    /// One that has a single group.
    fn of_group(versions: &[&'static SupportedProtocolVersion], group: NamedGroup) -> Self {
        Self::with(versions, |algorithms| algorithms.kx_groups.retain(|known| known.name() == group))
    }

    fn client(&self, engine: &str, lines: &[&str]) -> OAuth {
        client_with(&self.url, engine, &[&[self.authority.trusted().as_str()][..], lines].concat())
    }

    /// A handshake with these settings.
    #[track_caller]
    fn agrees(&self, engine: &str, lines: &[&str]) -> Handshake {
        if let Err(error) = self.client(engine, lines).get_authorization() {
            panic!("{engine} {lines:?}: {error}");
        }
        self.handshakes.recv().expect("the server lives")
    }

    /// There is none with these.
    #[track_caller]
    fn disagrees(&self, engine: &str, lines: &[&str]) {
        let why = unreachable(self.client(engine, lines).get_authorization());
        // Not every server is heard saying what is missing before it hangs up.
        assert!(
            matches!(why, UnreachableKind::Tls | UnreachableKind::Connect),
            "{engine} {lines:?}: {why:?}"
        );
    }

    /// The setting is refused before anything is sent, by its own name and with this in it.
    #[track_caller]
    fn refuses(&self, line: &str, why: &str) {
        let (name, _) = line.split_once('=').expect("it is a setting");
        refused(&self.client("false", &[line]), name, why);
        assert!(self.handshakes.try_recv().is_err(), "{line}");
    }
}

#[test]
fn row_ssl_enabled_protocols_on_the_wire() {
    let (both, old, new) = (Site::new(), Site::with(&[&TLS12], |_| ()), Site::with(&[&TLS13], |_| ()));
    for engine in ENGINES {
        for (lines, version) in [
            (&[][..], ProtocolVersion::TLSv1_3),
            (&["SSLEnabledProtocols=15360"], ProtocolVersion::TLSv1_3),
            (&["SSLEnabledProtocols=12288"], ProtocolVersion::TLSv1_3),
            (&["SSLEnabledProtocols=3072"], ProtocolVersion::TLSv1_2),
            (&["SSLEnabledProtocols=4032"], ProtocolVersion::TLSv1_2),
        ] {
            assert_eq!(both.agrees(engine, lines).version, version, "{engine} {lines:?}");
        }
        assert_eq!(old.agrees(engine, &[]).version, ProtocolVersion::TLSv1_2);
        old.disagrees(engine, &["SSLEnabledProtocols=12288"]);
        new.disagrees(engine, &["SSLEnabledProtocols=3072"]);
    }
}

#[test]
fn row_ssl_enabled_cipher_suites_on_the_wire() {
    let site = Site::new();
    for engine in ENGINES {
        // By default, and by a list of those of TLS 1.2 alone.
        for lines in [&[][..], &["SSLEnabledCipherSuites=*"]] {
            assert!(site.agrees(engine, lines).hello.suites.len() > 5, "{engine} {lines:?}");
        }
        let seen = site.agrees(engine, &["SSLEnabledCipherSuites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]);
        assert_eq!((seen.hello.suites, seen.version), (vec![AES_12], ProtocolVersion::TLSv1_2), "{engine}");
    }
    let list = "SSLEnabledCipherSuites=TLS_CHACHA20_POLY1305_SHA256;TLS_AES_128_GCM_SHA256";
    let seen = site.agrees("false", &[list]);
    assert_eq!((seen.hello.suites, seen.suite), (vec![CHACHA_13, AES_13], CHACHA_13));
    site.refuses("SSLEnabledCipherSuites=TLS_NONE", "TLS_NONE");
    refused_by_isahc(&["SSLEnabledCipherSuites=TLS_AES_128_GCM_SHA256"], "SSLEnabledCipherSuites");
}

#[test]
fn row_open_ssl_cipher_list_on_the_wire() {
    let (site, old) = (Site::new(), Site::with(&[&TLS12], |_| ()));
    let of_12 = |seen: &Handshake| -> Vec<CipherSuite> {
        let is_of_13 = |suite: &CipherSuite| matches!(u16::from(*suite), 0x1301..=0x1305);
        seen.hello.suites.iter().copied().filter(|suite| !is_of_13(suite)).collect()
    };
    for engine in ENGINES {
        for lines in [&[][..], &["OpenSSLCipherList=DEFAULT"]] {
            assert!(of_12(&site.agrees(engine, lines)).len() > 2, "{engine} {lines:?}");
        }
        let list = "OpenSSLCipherList=ECDHE-ECDSA-AES128-GCM-SHA256";
        let seen = site.agrees(engine, &[list]);
        // It takes nothing from TLS 1.3.
        assert_eq!((of_12(&seen), seen.version), (vec![AES_12], ProtocolVersion::TLSv1_3), "{engine}");
        assert_eq!(old.agrees(engine, &[list]).suite, AES_12);
        assert_eq!(
            old.agrees(engine, &["OpenSSLCipherList=ECDHE-ECDSA-AES256-GCM-SHA384"]).suite,
            AES_256_12
        );
        old.disagrees(engine, &["OpenSSLCipherList=ECDHE-RSA-AES256-GCM-SHA384"]);
    }
}

#[test]
fn row_ssl_cipher_strength_on_the_wire() {
    let site = Site::new();
    let weak = Site::with(&VERSIONS, |algorithms| {
        algorithms.cipher_suites.retain(|known| [AES_12, AES_13].contains(&known.suite()));
    });
    for engine in ENGINES {
        let weak_ones = |lines: &[&str]| {
            let hello = site.agrees(engine, lines).hello;
            hello.suites.iter().filter(|suite| format!("{suite:?}").contains("_128_")).count()
        };
        for lines in [&[][..], &["SSLCipherStrength=0"], &["SSLCipherStrength=128"]] {
            assert!(weak_ones(lines) > 0, "{engine} {lines:?}");
            weak.agrees(engine, lines);
        }
        assert_eq!(weak_ones(&["SSLCipherStrength=256"]), 0, "{engine}");
        weak.disagrees(engine, &["SSLCipherStrength=256"]);
    }
}

/// The row of one version counts for that alone, and no server that has nothing of it is served.
#[track_caller]
fn signature_algorithms(row: &str, version: &'static SupportedProtocolVersion, mask: &str) {
    let site = Site::with(&[version], |_| ());
    let versions = format!("SSLEnabledProtocols={mask}");
    let set = |value| format!("{row}={value}");
    assert!(site.agrees("false", &[&versions]).hello.schemes.len() > 2, "{row} by default");
    let seen = site.agrees("false", &[&versions, &set("ecdsa_secp256r1_sha256")]);
    assert_eq!(seen.hello.schemes, [SignatureScheme::ECDSA_NISTP256_SHA256], "{row}");
    // The server's key is no such key.
    site.disagrees("false", &[&versions, &set("ed25519")]);
    site.disagrees("false", &[&set("ed25519")]);
    site.refuses(&set("ed448"), "ed448");
    refused_by_isahc(&[&set("ed25519")], row);
    let other =
        if row.contains("12") { Site::with(&[&TLS13], |_| ()) } else { Site::with(&[&TLS12], |_| ()) };
    other.agrees("false", &[&set("ed25519")]);
}

#[test]
fn row_tls12_signature_algorithms_on_the_wire() {
    signature_algorithms("TLS12SignatureAlgorithms", &TLS12, "3072");
}

#[test]
fn row_tls13_signature_algorithms_on_the_wire() {
    signature_algorithms("TLS13SignatureAlgorithms", &TLS13, "12288");
}

/// The groups are offered in their order where the version is spoken, and a server that has none of them is not served.
#[track_caller]
fn supported_groups(row: &str, version: &'static SupportedProtocolVersion, mask: &str, other: &str) {
    let site = Site::with(&[version], |_| ());
    let by_default = site.agrees("false", &[]).hello.groups;
    assert!(by_default.len() > 2, "{row}: {by_default:?}");
    let set = |value| format!("{row}={value}");
    let two = set("secp384r1;secp256r1");
    for lines in [&[two.as_str()][..], &[&two, &format!("SSLEnabledProtocols={mask}")]] {
        let seen = site.agrees("false", lines);
        assert_eq!(seen.hello.groups, [NamedGroup::secp384r1, NamedGroup::secp256r1], "{lines:?}");
        assert_eq!(seen.group, Some(NamedGroup::secp384r1), "{lines:?}");
    }
    let lacking = Site::of_group(&[version], NamedGroup::X25519);
    lacking.agrees("false", &[]);
    lacking.disagrees("false", &[&two]);
    // Where its version is not spoken it counts for nothing.
    let seen = Site::new().agrees("false", &[&two, &format!("SSLEnabledProtocols={other}")]);
    assert!(seen.hello.groups.contains(&NamedGroup::X25519), "{row}: {seen:?}");
    site.refuses(&set("x448"), "x448");
    refused_by_isahc(&[&two], row);
}

#[test]
fn row_tls12_supported_groups_on_the_wire() {
    supported_groups("TLS12SupportedGroups", &TLS12, "3072", "12288");
}

#[test]
fn row_tls13_supported_groups_on_the_wire() {
    supported_groups("TLS13SupportedGroups", &TLS13, "12288", "3072");
}

/// A server that has the group need not ask for another share (RFC 8446 section 4.1.4), and nothing is offered less for it.
#[test]
fn row_tls13_key_share_groups_on_the_wire() {
    let site = Site::of_group(&[&TLS13], NamedGroup::secp384r1);
    let by_default = site.agrees("false", &[]);
    assert_eq!(by_default.kind, HandshakeKind::FullWithHelloRetryRequest);
    let seen = site.agrees("false", &["TLS13KeyShareGroups=secp384r1"]);
    assert_eq!((seen.kind, seen.group), (HandshakeKind::Full, Some(NamedGroup::secp384r1)));
    assert_eq!(seen.hello.groups.len(), by_default.hello.groups.len());
    let elsewhere = site.agrees("false", &["TLS13KeyShareGroups=secp256r1"]);
    assert_eq!(elsewhere.kind, HandshakeKind::FullWithHelloRetryRequest);
    site.refuses("TLS13KeyShareGroups=ffdhe2048", "ffdhe2048");
    refused_by_isahc(&["TLS13KeyShareGroups=x25519"], "TLS13KeyShareGroups");
}

#[test]
fn row_reuse_ssl_session_on_the_wire() {
    let site = Site::new();
    for (lines, second) in [
        (&[][..], HandshakeKind::Full),
        (&["ReuseSSLSession=false"], HandshakeKind::Full),
        (&["ReuseSSLSession=true"], HandshakeKind::Resumed),
    ] {
        for engine in ENGINES {
            let oauth = site.client(engine, lines);
            let kinds = [HandshakeKind::Full, second].map(|kind| {
                oauth.get_authorization().unwrap();
                (site.handshakes.recv().unwrap().kind, kind)
            });
            assert!(kinds.iter().all(|(seen, expected)| seen == expected), "{engine} {lines:?}: {kinds:?}");
        }
    }
}

/// Signalled to every server, on each engine, and not to be turned off.
#[test]
fn row_ssl_enable_renegotiation_on_the_wire() {
    let site = Site::new();
    for engine in ENGINES {
        for lines in [&[][..], &["SSLEnableRenegotiation=true"]] {
            assert!(site.agrees(engine, lines).hello.renegotiation, "{engine} {lines:?}");
        }
        let oauth = site.client(engine, &[]);
        let error = oauth.config("SSLEnableRenegotiation=false").unwrap_err();
        assert!(matches!(&error, ComponentError::Refused { name: "SSLEnableRenegotiation", .. }), "{error}");
        oauth.get_authorization().expect("what is refused changes nothing");
        assert!(site.handshakes.recv().unwrap().hello.renegotiation);
    }
}

/// The engine's own by its name is taken, and another's is refused before anything is sent.
#[test]
fn row_ssl_provider_on_the_wire() {
    let site = Site::new();
    for engine in ENGINES {
        let (own, others): (&[_], &[_]) = if *engine == "true" {
            (&["openssl"], &["rustls", "ring"])
        } else {
            (&["rustls", "ring"], &["openssl"])
        };
        for name in own.iter().chain(&["*"]) {
            site.agrees(engine, &[&format!("SSLProvider={name}")]);
        }
        for name in others {
            let oauth = site.client(engine, &[&format!("SSLProvider={name}")]);
            refused(&oauth, "SSLProvider", own[0]);
            assert!(site.handshakes.try_recv().is_err(), "{engine} {name}");
        }
    }
}

/// The system's generator is as it was: what is refused changes nothing, and is not told on.
#[test]
fn row_open_ssl_prng_seed_data_on_the_wire() {
    let site = Site::new();
    for engine in ENGINES {
        let oauth = site.client(engine, &["OpenSSLPrngSeedData="]);
        let error = oauth.config("OpenSSLPrngSeedData=planted-seed").unwrap_err();
        assert!(matches!(&error, ComponentError::Refused { name: "OpenSSLPrngSeedData", .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        oauth.get_authorization().unwrap();
        assert_eq!(read(&oauth, "OpenSSLPrngSeedData"), "");
    }
}

/// The rest of what isahc cannot carry.
#[test]
fn isahc_refuses_what_shows_certificates_and_bytes_of_tls() {
    for (line, name) in [
        ("SSLCheckCRL=1", "SSLCheckCRL"),
        ("SSLCheckCRL=2", "SSLCheckCRL"),
        ("LogSSLPackets=true", "LogSSLPackets"),
        ("SSLIncludeCertChain=true", "SSLIncludeCertChain"),
    ] {
        refused_by_isahc(&[line], name);
    }
}
