//! Any text as a setting: proxies, their exceptions, firewalls, header lines, cipher lists.

use oauth_core::{Endpoint, Policy};
use oauth_transport::session::ExtraHeaders;
use oauth_transport::{Firewall, FirewallKind, Proxies, Proxy, Settings, Tls};

/// The first byte chooses what the text is.
///
/// # Panics
/// A password is shown, or what was read does not hold together.
pub fn run(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match choice % 5 {
        0 => proxy(text),
        1 => exceptions(text),
        2 => firewall(text),
        3 => headers(text),
        _ => ciphers(text),
    }
}

fn proxy(text: &str) {
    let Ok(proxy) = Proxy::new(text) else { return };
    let url = proxy.url();
    assert!(matches!(url.scheme(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h"));
    assert!(url.username().is_empty() && url.password().is_none());
    assert!(url.host_str().is_some_and(|host| !host.is_empty()));
    // The same for every user and password.
    let credentials = proxy.credentials().map(|_| "[redacted]");
    let blind = format!("Proxy {{ url: {:?}, credentials: {credentials:?} }}", url.as_str());
    assert_eq!(format!("{proxy:?}"), blind);
    if let Some(firewall) = Firewall::of_proxy(&proxy) {
        assert!(url.scheme().starts_with("socks"));
        assert!(firewall.credentials().is_some() == proxy.credentials().is_some());
    }
    if proxy.credentials().is_some() {
        assert!(proxy.authorization().is_some_and(|value| value.is_sensitive()));
    }
    let _ = Settings::new().with_proxies(Proxies::through(proxy)).used();
}

fn exceptions(text: &str) {
    let proxies =
        Proxies::through(Proxy::new("http://proxy.example:3128").expect("it is a proxy")).except(text);
    for url in ["https://as.example/", "https://127.0.0.1/", "https://[::1]:8443/"] {
        let endpoint = Endpoint::new(url, &Policy::strict()).expect("it is an endpoint");
        let proxied = proxies.for_endpoint(&endpoint).is_some();
        assert!(proxied || !text.trim().is_empty(), "an empty list takes nobody out");
        if text.split([',', ';', ' ']).any(|entry| entry.trim() == "*") {
            assert!(!proxied, "a star takes everybody out");
        }
    }
}

fn firewall(text: &str) {
    for kind in [FirewallKind::Tunnel, FirewallKind::Socks4, FirewallKind::Socks4a, FirewallKind::Socks5] {
        if let Ok(firewall) = Firewall::new(kind, text, None) {
            assert!(!firewall.host().is_empty() && !firewall.host().contains(char::is_control));
            assert_eq!(firewall.port(), kind.default_port());
        }
    }
}

fn headers(text: &str) {
    match ExtraHeaders::from_lines(text) {
        Ok(headers) => {
            let shown = format!("{headers:?}").to_ascii_lowercase();
            for refused in
                ["\"host\"", "\"content-length\"", "\"authorization\"", "\"cookie\"", "\"transfer-encoding\""]
            {
                assert!(!shown.contains(refused), "{shown}");
            }
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains(char::is_control) && shown.len() < 300, "{shown:?}");
        }
    }
}

fn ciphers(text: &str) {
    match Tls::default().with_openssl_ciphers(text) {
        Ok(tls) => {
            let suites = tls.cipher_suites.unwrap_or_default();
            assert!(suites.iter().all(|name| name.starts_with("TLS_")), "{suites:?}");
            let mut once = suites.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), suites.len(), "a suite comes twice");
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains(char::is_control), "{shown:?}");
        }
    }
}
