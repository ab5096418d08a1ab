use super::*;
use oauth_core::{OptOut, Policy};

fn read(variables: &[(&str, &str)]) -> Result<Proxies, SettingsError> {
    Proxies::from_variables(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

fn route(variables: &[(&str, &str)], url: &str) -> Option<String> {
    let endpoint = Endpoint::new(url, &Policy::strict().waive(OptOut::PlainHttpOnLoopback)).unwrap();
    read(variables).unwrap().for_endpoint(&endpoint).map(|proxy| proxy.url().to_string())
}

#[test]
fn no_variable_is_no_proxy() {
    assert!(read(&[]).unwrap().is_empty());
    assert!(read(&[("https_proxy", ""), ("no_proxy", "*")]).unwrap().is_empty());
    assert!(Proxies::none().is_empty());
}

#[test]
fn the_scheme_of_the_request_chooses() {
    let both = [("https_proxy", "http://secure:1"), ("http_proxy", "http://127.0.0.1:2")];
    assert_eq!(route(&both, "https://as.example/"), Some("http://secure:1/".into()));
    assert_eq!(route(&both, "http://127.0.0.1/"), Some("http://127.0.0.1:2/".into()));
    assert_eq!(route(&both[1..], "https://as.example/"), None);
    let all = [("ALL_PROXY", "localhost:3"), ("HTTPS_PROXY", "https://secure:1")];
    assert_eq!(route(&all, "https://as.example/"), Some("https://secure:1/".into()));
    assert_eq!(route(&all, "http://[::1]/"), Some("http://localhost:3/".into()));
}

#[test]
fn lower_case_comes_first() {
    let both = [("HTTPS_PROXY", "upper:1"), ("https_proxy", "lower:1")];
    assert_eq!(route(&both, "https://as.example/"), Some("http://lower:1/".into()));
    let empty = [("HTTPS_PROXY", "upper:1"), ("https_proxy", "")];
    assert_eq!(route(&empty, "https://as.example/"), Some("http://upper:1/".into()));
}

#[test]
fn a_visitor_of_a_cgi_program_sets_no_proxy() {
    let cgi = [("HTTP_PROXY", "http://127.0.0.1:6"), ("REQUEST_METHOD", "GET")];
    assert_eq!(route(&cgi, "http://127.0.0.1/"), None);
    assert!(route(&cgi[..1], "http://127.0.0.1/").is_some());
    let lower = [("http_proxy", "http://127.0.0.1:6"), ("REQUEST_METHOD", "GET")];
    assert!(route(&lower, "http://127.0.0.1/").is_some());
}

#[test]
fn plain_http_stays_on_this_machine() {
    for (proxy, used) in [
        ("http://127.0.0.1:1", true),
        ("http://[::1]:1", true),
        ("http://localhost:1", true),
        ("socks5://127.0.0.1:1", true),
        ("socks5://[::1]:1", true),
        ("socks5://10.0.0.1:1", false),
        ("http://10.0.0.1:1", false),
        ("http://proxy.example:1", false),
        ("http://localhost.example:1", false),
    ] {
        assert_eq!(route(&[("http_proxy", proxy)], "http://127.0.0.1:8080/token").is_some(), used, "{proxy}");
        assert!(route(&[("https_proxy", proxy)], "https://127.0.0.1:8080/token").is_some(), "{proxy}");
    }
}

#[test]
fn exceptions_are_reached_directly() {
    for (list, url, direct) in [
        ("*", "https://as.example/", true),
        ("as.example", "https://as.example/", true),
        ("AS.Example", "https://as.example/", true),
        ("as.example.", "https://as.example./", true),
        (".example", "https://as.example/", true),
        ("*.example", "https://as.example/", true),
        ("example", "https://as.example/", true),
        ("xample", "https://as.example/", false),
        ("as.example.org", "https://as.example/", false),
        ("other.org, as.example", "https://as.example/", true),
        ("other.org as.example", "https://as.example/", true),
        ("as.example:443", "https://as.example/", true),
        ("as.example:8443", "https://as.example/", false),
        ("as.example:port", "https://as.example/", false),
        ("127.0.0.1", "https://127.0.0.1/", true),
        ("127.0.0.1:8443", "https://127.0.0.1:8443/", true),
        ("127.0.0.1:8443", "https://127.0.0.1/", false),
        ("127.0.0.0/8", "https://127.9.9.9/", true),
        ("10.0.0.0/8", "https://127.0.0.1/", false),
        ("10.0.0.0/33", "https://10.0.0.0/", false),
        ("0.0.0.0/0", "https://10.1.2.3/", true),
        ("0.0.0.0/0", "https://as.example/", false),
        ("::1", "https://[::1]/", true),
        ("[::1]:443", "https://[::1]/", true),
        ("fd00::/8", "https://[fd12::1]/", true),
        ("fd00::/8", "https://[fe80::1]/", false),
        ("::/0", "https://[fe80::1]/", true),
        ("::/0", "https://10.1.2.3/", false),
        (", ,", "https://as.example/", false),
    ] {
        let variables = [("https_proxy", "proxy.example:1"), ("NO_PROXY", list)];
        assert_eq!(route(&variables, url).is_none(), direct, "{list} {url}");
    }
}

#[test]
fn a_proxy_that_makes_no_sense_is_refused_and_not_repeated() {
    for (value, why) in [
        ("http://", "it is not a URL"),
        ("http://user:hunter2@:1", "it is not a URL"),
        ("ftp://user:hunter2@proxy", "its scheme is none of"),
        ("socks5://", "it names no host"),
        ("http://user:hunter2%ff@proxy", "its user name or password is not UTF-8"),
    ] {
        let error = read(&[("HTTPS_PROXY", value)]).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(why) && shown.contains("HTTPS_PROXY"), "{value}: {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn credentials_are_decoded_for_the_proxy_and_shown_to_nobody() {
    let proxies = read(&[("all_proxy", "http://us%40er:hun%3Ater2@proxy.example:3128")]).unwrap();
    let proxy = proxies.iter().next().unwrap();
    assert_eq!(proxy.credentials(), Some(("us@er", "hun:ter2")));
    let authorization = proxy.authorization().unwrap();
    assert_eq!(authorization, "Basic dXNAZXI6aHVuOnRlcjI=");
    let shown = format!("{proxies:?} {authorization:?} {}", proxy.url());
    assert!(shown.contains("proxy.example:3128"), "{shown}");
    assert!(!shown.contains("ter2") && !shown.contains("us@er") && !shown.contains("dXNA"), "{shown}");
    assert_eq!(read(&[("all_proxy", "proxy")]).unwrap().iter().next().unwrap().authorization(), None);
}

#[test]
fn a_socks_server_of_the_environment_is_a_firewall_and_an_http_proxy_is_none() {
    let firewall = |url: &str| {
        crate::Firewall::from_variables(|name| (name == "ALL_PROXY").then(|| url.to_owned()))
            .unwrap()
            .map(|firewall| (firewall.kind(), firewall.port().get(), firewall.resolves_names()))
    };
    assert_eq!(firewall("socks5h://s.example:1081"), Some((crate::FirewallKind::Socks5, 1081, true)));
    assert_eq!(firewall("socks4://s.example"), Some((crate::FirewallKind::Socks4, 1080, false)));
    assert_eq!(firewall("http://p.example:3128"), None);
    assert_eq!(firewall(""), None);
    let none =
        crate::Firewall::from_variables(|name| (name == "HTTPS_PROXY").then(|| "socks5://s.example".into()));
    assert!(none.unwrap().is_none());
    crate::Firewall::from_variables(|_| Some("http://p.example/proxy.pac".into())).unwrap_err();
}

#[test]
fn every_proxy_is_shown_the_same_credentials() {
    let both =
        read(&[("https_proxy", "http://old:old@secure:1"), ("http_proxy", "http://127.0.0.1:2")]).unwrap();
    let both = both.with_credentials("ada", "s3cret");
    assert!(both.iter().all(|proxy| proxy.credentials() == Some(("ada", "s3cret"))), "{both:?}");
    assert!(Proxies::none().with_credentials("ada", "s3cret").is_empty());
}
