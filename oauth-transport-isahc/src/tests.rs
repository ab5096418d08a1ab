use super::*;
use oauth_transport::Proxies;

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
