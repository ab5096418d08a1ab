use super::*;
use crate::Proxy;
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::sync::Arc;

const fn nothing(_: Setting) -> Support {
    Support::Unsupported("it can do nothing")
}

const PEM: &[u8] = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\
    -----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n\
    -----BEGIN CERTIFICATE-----\nBAUG\n-----END CERTIFICATE-----\n";

#[test]
fn the_defaults_are_as_documented() {
    let settings = Settings::new();
    assert_eq!(settings.connect_timeout(), Duration::from_secs(10));
    assert_eq!(settings.total_timeout(), Some(Duration::from_secs(30)));
    assert_eq!(settings.extra_roots().len(), 0);
    assert!(settings.platform_roots());
    assert!(settings.proxies().is_empty());
    assert!(settings.check("none", nothing).is_ok());
}

#[test]
fn a_pem_file_gives_its_certificates_and_nothing_else() {
    let settings = Settings::new().with_extra_roots_pem(PEM).unwrap().with_extra_root_der([7]);
    assert_eq!(settings.extra_roots().collect::<Vec<_>>(), [&[1, 2, 3][..], &[4, 5, 6], &[7]]);
}

#[test]
fn a_pem_file_without_a_certificate_is_refused() {
    for pem in [&b""[..], b"hello", &PEM[..60]] {
        let error = Settings::new().with_extra_roots_pem(pem).unwrap_err();
        assert!(matches!(error, SettingsError::NoCertificate), "{error}");
    }
}

#[test]
fn a_broken_certificate_is_named_by_its_place() {
    let broken = [PEM, b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"].concat();
    let error = Settings::new().with_extra_roots_pem(&broken).unwrap_err();
    assert_eq!(error.to_string(), "extra trust root 3 is not a readable certificate; replace it");
}

#[test]
fn what_no_transport_can_carry_is_refused() {
    let zero = Duration::ZERO;
    for (settings, why) in [
        (Settings::new().with_connect_timeout(zero), "the connect timeout is zero"),
        (Settings::new().with_total_timeout(zero), "the total timeout is zero"),
        (Settings::new().without_platform_roots(), "no trust roots"),
    ] {
        let error = settings.check("any", |_| Support::Native).unwrap_err().to_string();
        assert!(error.starts_with(why), "{error}");
    }
}

fn in_a_token() -> Identity {
    struct Mute;
    impl IdentitySigner for Mute {
        fn schemes(&self) -> Vec<SignatureScheme> {
            Vec::new()
        }

        fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, IdentityError> {
            Err(IdentityError::new("it is\nmute"))
        }
    }
    Identity::with_signer(vec![vec![1]], Arc::new(Mute)).unwrap()
}

/// For every setting, settings that use it.
fn sample(setting: Setting) -> Settings {
    use Setting as S;
    let settings = Settings::new();
    let mut tcp = Tcp::default();
    let mut http = Http::default();
    let mut tls = Tls::default();
    let names = |name: &str| Some(vec![name.to_owned()]);
    let proxy = |url| Proxies::through(Proxy::new(url).unwrap());
    let firewall = |kind| Firewall::new(kind, "127.0.0.1", None).unwrap();
    let identity = || Identity::new(vec![vec![1]], &[0x30, 0x03, 2, 1, 0]).ok();
    match setting {
        S::ConnectTimeout => return settings.with_connect_timeout(Duration::from_secs(1)),
        S::TotalTimeout => return settings.without_total_timeout(),
        S::InactivityTimeout => return settings.with_inactivity_timeout(Duration::from_secs(1)),
        S::LocalAddress => tcp.local_address = Some([127, 0, 0, 2].into()),
        S::LocalPort => tcp.local_port = NonZeroU16::new(1),
        S::Nagle => tcp.nagle = true,
        S::KeepAliveProbes => tcp.keep_alive = Some(KeepAlive::default()),
        S::KeepAliveTime => {
            tcp.keep_alive = Some(KeepAlive { time: Some(Duration::from_secs(1)), interval: None });
        }
        S::KeepAliveInterval => {
            tcp.keep_alive = Some(KeepAlive { time: None, interval: Some(Duration::from_secs(1)) });
        }
        S::Linger => tcp.linger = Linger::Reset,
        S::ReceiveBuffer => tcp.receive_buffer = NonZeroUsize::new(1),
        S::SendBuffer => tcp.send_buffer = NonZeroUsize::new(1),
        S::AddressFamily => tcp.addresses = Addresses::V4,
        S::TransferRate => tcp.rate = NonZeroU64::new(1).map(BytesPerSecond::new),
        S::LineLength => http.max_line = NonZeroUsize::new(1),
        S::FirewallTunnel => return settings.with_firewall(firewall(FirewallKind::Tunnel)),
        S::FirewallSocks4 => return settings.with_firewall(firewall(FirewallKind::Socks4)),
        S::FirewallSocks4a => return settings.with_firewall(firewall(FirewallKind::Socks4a)),
        S::FirewallSocks5 => return settings.with_firewall(firewall(FirewallKind::Socks5)),
        S::FirewallHeaders => {
            let value = HeaderValue::from_static("1");
            let name = ::http::HeaderName::from_static("x-firewall");
            return settings.with_firewall(firewall(FirewallKind::Tunnel).with_header(name, value).unwrap());
        }
        S::FirewallUnderProxy => {
            return settings.with_firewall(firewall(FirewallKind::Socks5)).with_proxies(proxy("http://p:1"));
        }
        S::HttpProxy => return settings.with_proxies(proxy("http://p:1")),
        S::ProxyOverTls => return settings.with_proxies(proxy("https://p:1")),
        S::SocksProxy => return settings.with_proxies(proxy("socks5h://p:1")),
        S::ProxyTunnel => return settings.with_proxies(proxy("http://p:1").tunnelling_http()),
        S::ProxyDigest
        | S::ProxyNtlm
        | S::ProxyNegotiate
        | S::KerberosServiceName
        | S::ProxyAuthorization => {
            let authentication = match setting {
                S::ProxyDigest => ProxyAuthentication::Digest,
                S::ProxyNtlm => ProxyAuthentication::Ntlm,
                S::ProxyAuthorization => ProxyAuthentication::Verbatim(HeaderValue::from_static("x")),
                _ => ProxyAuthentication::Negotiate { service: Some("HTTP/p".to_owned()) },
            };
            return settings.with_proxies(proxy("http://p:1").authenticated_by(authentication));
        }
        S::Http10 => http.version = HttpVersion::Http10,
        S::Http2 => http.version = HttpVersion::Http2,
        S::Http2Alone => http.version = HttpVersion::Http2Alone,
        S::ConnectionPerRequest => http.reuse_connections = false,
        S::UnindexedHeaders => http.unindexed = vec![::http::header::AUTHORIZATION],
        S::ChunkedUpload => http.upload_chunk = NonZeroUsize::new(1),
        S::ExtraRoots => return settings.with_extra_root_der([1]),
        S::ExtraRootsAlone => return settings.with_extra_root_der([1]).without_platform_roots(),
        S::ClientCertificate => return settings.with_client_certificate(identity().unwrap()),
        S::ClientKeyInToken => return settings.with_client_certificate(in_a_token()),
        S::TlsVersions => tls.versions = TlsVersions::V13,
        S::CipherSuites12 => tls.cipher_suites = names("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        S::CipherSuites13 => tls.cipher_suites = names("TLS_AES_128_GCM_SHA256"),
        S::CipherStrength => tls.min_cipher_bits = Some(256),
        S::Groups => tls.groups = names("x25519"),
        S::SignatureAlgorithms => tls.signature_algorithms_13 = names("ed25519"),
        S::FreshSessions => tls.resume_sessions = false,
        S::Revocation => tls.revocation = Revocation::Required,
        S::AcceptOutOfDate => tls.dangerously_accepted_flaws.out_of_date = true,
        S::AcceptUnknownIssuer => tls.dangerously_accepted_flaws.unknown_issuer = true,
        S::AcceptWrongUsage => tls.dangerously_accepted_flaws.wrong_usage = true,
        S::AcceptUnknownRevocation => tls.dangerously_accepted_flaws.unknown_revocation = true,
        S::AcceptWrongName => tls.dangerously_accepted_flaws.wrong_name = true,
        S::Pin => tls.accepted_certificate = Some(vec![1]),
        S::CertificateDecisions => tls.dangerously_handler_accepts = true,
        S::RecordLog => tls.log_records = true,
        S::ConnectionEvents => {
            struct Deaf;
            impl crate::EventHandler for Deaf {}
            return settings.with_events(EventSink::new(Deaf, crate::LogLevel::None));
        }
    }
    settings.with_tcp(tcp).with_http(http).with_tls(tls)
}

#[test]
fn nothing_that_is_set_is_ignored() {
    for setting in Setting::ALL {
        let settings = sample(*setting);
        assert!(settings.used().contains(setting), "{setting}: {:?}", settings.used());
        settings.check("any", |_| Support::Native).unwrap();
        let error = settings
            .check("none", |asked| if asked == *setting { nothing(asked) } else { Support::Native })
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!(
                "the transport none cannot carry the {setting}: it can do nothing; take it out or use another transport"
            )
        );
    }
    assert_eq!(Settings::new().used(), []);
}

#[test]
fn a_cipher_list_leaves_tls_1_3_as_it_was() {
    let tls = Tls::default().with_openssl_ciphers("AES128+ECDSA").unwrap();
    assert_eq!(Settings::new().with_tls(tls.clone()).used(), [Setting::CipherSuites12]);
    let names = tls.cipher_suites.as_ref().unwrap();
    assert_eq!(names.len(), 4);
    assert_eq!(names.last().map(String::as_str), Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));

    let chosen = Tls { cipher_suites: Some(vec!["TLS_AES_128_GCM_SHA256".to_owned()]), ..Tls::default() };
    let tls = chosen.with_openssl_ciphers("ECDHE-RSA-CHACHA20-POLY1305").unwrap();
    let tls = tls.with_openssl_ciphers("ECDHE-RSA-AES256-GCM-SHA384").unwrap();
    assert_eq!(
        tls.cipher_suites.as_deref(),
        Some(&["TLS_AES_128_GCM_SHA256".to_owned(), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".to_owned()][..])
    );
    assert_eq!(Settings::new().with_tls(tls).used(), [Setting::CipherSuites12, Setting::CipherSuites13]);
    assert!(Tls::default().with_openssl_ciphers("FOO").is_err());
}

#[test]
fn client_certificates_have_names_of_their_own() {
    let identity = || Identity::new(vec![vec![1]], &[0x30, 0x03, 2, 1, 0]).unwrap();
    let settings = Settings::new()
        .with_named_client_certificate(KeyId::new("me"), identity())
        .with_named_client_certificate(KeyId::new("you"), identity());
    settings.check("any", |_| Support::Native).unwrap();
    let error = settings
        .with_named_client_certificate(KeyId::new("me"), identity())
        .check("any", |_| Support::Native)
        .unwrap_err();
    assert!(matches!(error, SettingsError::Identity { .. }), "{error}");
}

#[test]
fn a_key_in_a_token_is_a_setting_under_any_name() {
    let settings = Settings::new().with_named_client_certificate(KeyId::new("me"), in_a_token());
    assert_eq!(settings.used(), [Setting::ClientCertificate, Setting::ClientKeyInToken]);
    assert!(format!("{settings:?}").contains("key: [in its token]"), "{settings:?}");
    let IdentityKey::Signer(signer) = settings.named_identities[0].1.key() else { panic!("it is one") };
    let error = signer.sign(SignatureScheme::Ed25519, b"").unwrap_err();
    assert_eq!(error.to_string(), "the key of the client certificate gave no signature: it is\\u{a}mute");
    let error = Identity::with_signer(Vec::new(), Arc::clone(signer)).unwrap_err();
    assert!(matches!(error, SettingsError::Identity { .. }), "{error}");
}
