use super::*;
use oauth_transport::{BytesPerSecond, Firewall, FirewallKind, Proxies, Tcp};

fn proxies(url: &str) -> Proxies {
    Proxies::from_variables(|name| (name == "all_proxy").then(|| url.to_owned())).unwrap()
}

/// What the setting that is refused is called.
fn refused(settings: Settings) -> &'static str {
    match IsahcTransport::new(settings) {
        Err(SettingsError::Unsupported { engine: "isahc", setting, .. }) => setting,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_port_of_a_proxy_is_written_out() {
    for (url, uri) in [
        ("http://proxy.example", "http://proxy.example:80/"),
        ("http://proxy.example:80", "http://proxy.example:80/"),
        ("proxy.example:3128", "http://proxy.example:3128/"),
        ("http://user:secret@[::1]:8080/", "http://[::1]:8080/"),
        ("socks5h://127.0.0.1", "socks5h://127.0.0.1:1080/"),
        ("socks4a://user@[::1]:9", "socks4a://[::1]:9/"),
    ] {
        let proxies = proxies(url);
        let proxy = proxies.iter().next().unwrap();
        assert_eq!(way::uri_of_proxy(proxy).unwrap().to_string(), uri, "{url}");
        way::check(&Settings::new().with_proxies(proxies)).unwrap();
    }
}

#[test]
fn what_cannot_be_carried_is_refused_before_anything_is_sent() {
    let long = Duration::from_secs(25 * 24 * 60 * 60);
    assert_eq!(refused(Settings::new().with_connect_timeout(long)), "connect timeout");
    assert_eq!(refused(Settings::new().with_total_timeout(Duration::MAX)), "total timeout");
    let agent = http::HeaderValue::from_bytes(b"caf\xe9").unwrap();
    assert_eq!(refused(Settings::new().with_user_agent(agent)), "User-Agent");
    assert_eq!(refused(Settings::new().with_proxies(proxies("https://proxy.example"))), "proxy over TLS");

    let error =
        IsahcTransport::new(Settings::new().with_proxies(proxies("http://a%00b:planted@127.0.0.1:1")))
            .unwrap_err()
            .to_string();
    assert!(error.contains("zero byte") && !error.contains("planted"), "{error}");
    IsahcTransport::new(Settings::new().with_total_timeout(Duration::ZERO)).unwrap_err();
}

#[test]
fn a_socks_proxy_takes_no_authentication_of_http() {
    for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
        let proxies = proxies(&format!("{scheme}://user:planted@127.0.0.1:1080"));
        IsahcTransport::new(Settings::new().with_proxies(proxies.clone())).unwrap();
        let digest = proxies.authenticated_by(oauth_transport::ProxyAuthentication::Digest);
        let error = IsahcTransport::new(Settings::new().with_proxies(digest)).unwrap_err().to_string();
        assert!(error.contains("a SOCKS proxy takes a user name and a password"), "{error}");
        assert!(!error.contains("planted"), "{error}");
    }
}

#[test]
fn what_socks_cannot_carry_is_refused() {
    let long = "x".repeat(256);
    let firewall = |user: &str, password: &str| {
        let firewall = Firewall::new(FirewallKind::Socks5, "127.0.0.1", None).unwrap();
        IsahcTransport::new(Settings::new().with_firewall(firewall.with_credentials(user, password)))
    };
    firewall(&long[1..], &long[1..]).unwrap();
    for (user, password) in [(&*long, ""), ("", &*long), ("a\0b", ""), ("", "a\0b")] {
        let error = firewall(user, password).unwrap_err();
        assert!(matches!(error, SettingsError::Proxy { from: "firewall", .. }), "{error}");
        assert!(!error.to_string().contains("xx"), "{error}");
    }
}

#[test]
fn the_firewall_s_address_is_written_as_libcurl_reads_it() {
    for (kind, host, uri) in [
        (FirewallKind::Socks4, "127.0.0.1", "socks4://127.0.0.1:1080/"),
        (FirewallKind::Socks4a, "fw.example", "socks4a://fw.example:1080/"),
        (FirewallKind::Socks5, "::1", "socks5h://[::1]:1080/"),
    ] {
        let firewall = Firewall::new(kind, host, None).unwrap();
        assert_eq!(way::uri_of_firewall(&firewall).unwrap().to_string(), uri);
    }
}

#[test]
fn the_fastest_rate_is_carried() {
    let mut tcp = Tcp::default();
    tcp.rate = std::num::NonZeroU64::new(u64::MAX).map(BytesPerSecond::new);
    let transport = IsahcTransport::new(Settings::new().with_tcp(tcp)).unwrap();
    let policy = oauth_core::Policy::strict().waive(oauth_core::OptOut::PlainHttpOnLoopback);
    let endpoint = oauth_core::Endpoint::new("http://127.0.0.1:1/", &policy).unwrap();
    let request = Request::get(oauth_core::Purpose::Discovery, std::sync::Arc::new(endpoint));
    let error = futures_lite::future::block_on(transport.send(request)).unwrap_err();
    assert_eq!(error.kind, oauth_core::UnreachableKind::Connect, "{error:?}");
}

#[test]
fn the_longest_timeouts_are_carried() {
    let longest = Duration::from_millis(i32::MAX.unsigned_abs().into());
    IsahcTransport::new(Settings::new().with_connect_timeout(longest).with_total_timeout(longest)).unwrap();
}

#[test]
fn an_unfit_libcurl_is_refused() {
    check_libcurl(libcurl()).unwrap();
    for fit in [(8, 19, 0), (8, 21, 0), (8, 22, 0), (9, 0, 0)] {
        check_libcurl(fit).unwrap();
    }
    for unfit in [(7, 88, 1), (8, 18, 9), (8, 20, 0)] {
        let error = check_libcurl(unfit).unwrap_err().to_string();
        assert!(error.contains("8.19.0 or later is needed"), "{error}");
    }
}

#[test]
fn debug_shows_no_password() {
    let settings = Settings::new().with_proxies(proxies("http://user:planted@127.0.0.1:1"));
    let shown = format!("{:?}", IsahcTransport::new(settings).unwrap());
    assert!(shown.contains("127.0.0.1:1") && !shown.contains("planted"), "{shown}");
}
