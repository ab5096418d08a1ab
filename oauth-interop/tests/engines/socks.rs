//! SOCKS, as a proxy of that scheme and as a firewall.

use crate::peers::{account_dante, dante, microsocks, nginx, openssh, squid};
use crate::subject::{Subject, fails, proxies, succeeds, through, trusting};
use oauth_core::UnreachableKind;
use oauth_interop::{Account, Log, Site};
use oauth_transport::{Firewall, FirewallKind, Proxy, Settings};
use std::num::NonZeroU16;

/// For a scheme by which names are resolved here: `localhost` could become ::1, where nobody listens.
fn by_address() -> String {
    nginx().url(Site::Https, "/token")
}

fn by_name() -> String {
    nginx().url_at("localhost", Site::Https, "/token")
}

/// The end of an address in Dante's log, which writes a port after a dot.
fn target_port() -> String {
    format!(" 127.0.0.1.{}", nginx().port(Site::Https))
}

/// The request goes through, and the server's log has a line with these words.
fn passes<E: Subject>(log: &Log, settings: Settings, url: &str, words: &[&str]) {
    let watch = log.watch();
    if succeeds::<E>(settings, url).is_some() {
        let _ = watch.line(words);
    }
}

/// The server lets nothing through.
fn stops<E: Subject>(log: &Log, settings: Settings) {
    let watch = log.watch();
    if fails::<E>(settings, &by_name(), UnreachableKind::Proxy).is_some() {
        let text = watch.text();
        assert!(!text.contains("pass(1)") && !text.contains("connected to"), "{text}");
    }
}

pub(crate) fn dante_lets_everybody_in_by_each_version<E: Subject>() {
    for (scheme, url) in [("socks4", by_address()), ("socks5", by_address()), ("socks5h", by_name())] {
        let words = ["pass(1): tcp/connect", &target_port()];
        passes::<E>(dante().log(), through(&dante().url(scheme)), &url, &words);
    }
}

pub(crate) fn dante_takes_a_password<E: Subject>() {
    let dante = account_dante();
    let settings = through(&dante.account().at(&dante.url("socks5h")));
    let user = format!("username%{}@", dante.account().user());
    passes::<E>(dante.log(), settings, &by_name(), &["pass(1): tcp/connect", &user, &target_port()]);
}

pub(crate) fn dante_refuses_a_wrong_password<E: Subject>() {
    let dante = account_dante();
    stops::<E>(dante.log(), through(&dante.account().with_wrong_password().at(&dante.url("socks5h"))));
}

pub(crate) fn dante_refuses_who_says_nothing<E: Subject>() {
    stops::<E>(account_dante().log(), through(&account_dante().url("socks5h")));
}

/// How microsocks writes a connection down: with the target as the client named it.
fn connected(host: &str) -> String {
    format!("connected to {host}:{}", nginx().port(Site::Https))
}

pub(crate) fn microsocks_takes_a_password<E: Subject>() {
    let proxy = microsocks();
    let settings = through(&proxy.account().at(&proxy.url("socks5h")));
    passes::<E>(proxy.log(), settings, &by_name(), &[&connected("localhost")]);
}

pub(crate) fn microsocks_refuses_a_wrong_password<E: Subject>() {
    let proxy = microsocks();
    let url = proxy.url("socks5h");
    stops::<E>(proxy.log(), through(&proxy.account().with_wrong_password().at(&url)));
    stops::<E>(proxy.log(), through(&Account::new("nobody", "planted").at(&url)));
    stops::<E>(proxy.log(), through(&url));
}

/// RFC 1928 section 6: the server says that the connection was refused.
pub(crate) fn microsocks_connects_to_nobody<E: Subject>() {
    let proxy = microsocks();
    let settings = through(&proxy.account().at(&proxy.url("socks5h")));
    let _ = fails::<E>(settings, "https://127.0.0.1:1/token", UnreachableKind::Proxy);
}

/// `socks5h` hands the name on, `socks5` an address.
pub(crate) fn names_are_resolved_where_the_scheme_says<E: Subject>() {
    let proxy = microsocks();
    let url = |scheme| proxy.account().at(&proxy.url(scheme));
    passes::<E>(proxy.log(), through(&url("socks5h")), &by_name(), &[&connected("localhost")]);
    passes::<E>(proxy.log(), through(&url("socks5")), &by_address(), &[&connected("127.0.0.1")]);
}

/// SOCKS 4a, which hands a name on where SOCKS 4 has no room for one; and the others of a server that knows them all.
pub(crate) fn openssh_speaks_each_version<E: Subject>() {
    let port = nginx().port(Site::Https);
    for (scheme, url, host) in [
        ("socks4a", by_name(), "localhost"),
        ("socks5h", by_name(), "localhost"),
        ("socks4", by_address(), "127.0.0.1"),
        ("socks5", by_address(), "127.0.0.1"),
    ] {
        let words = format!("for {host} port {port},");
        passes::<E>(openssh().log(), through(&openssh().url(scheme)), &url, &[&words]);
        passes::<E>(openssh().log(), behind(&openssh().url(scheme)), &url, &[&words]);
    }
}

/// As if it were a proxy, so that its URL need not be taken apart here.
fn behind(url: &str) -> Settings {
    trusting().with_firewall(Firewall::of_proxy(&Proxy::new(url).unwrap()).unwrap())
}

pub(crate) fn a_socks_firewall_is_gone_through<E: Subject>() {
    let words = ["pass(1): tcp/connect", &target_port()];
    for (scheme, kind, url) in [
        ("socks4", FirewallKind::Socks4, by_address()),
        ("socks5", FirewallKind::Socks5, by_address()),
        ("socks5h", FirewallKind::Socks5, by_name()),
    ] {
        let firewall = Firewall::of_proxy(&Proxy::new(&dante().url(scheme)).unwrap()).unwrap();
        assert_eq!(firewall.kind(), kind);
        passes::<E>(dante().log(), trusting().with_firewall(firewall), &url, &words);
    }
}

pub(crate) fn a_socks_firewall_takes_a_password<E: Subject>() {
    let proxy = microsocks();
    let url = proxy.url("socks5h");
    passes::<E>(proxy.log(), behind(&proxy.account().at(&url)), &by_name(), &[&connected("localhost")]);
    let dante = account_dante();
    let settings = behind(&dante.account().at(&dante.url("socks5h")));
    passes::<E>(dante.log(), settings, &by_name(), &["pass(1): tcp/connect", &target_port()]);
}

pub(crate) fn a_tunnelling_firewall_is_gone_through<E: Subject>() {
    let (port, account) = (NonZeroU16::new(squid().port()), squid().account());
    let firewall = Firewall::new(FirewallKind::Tunnel, "127.0.0.1", port).unwrap();
    let settings = trusting().with_firewall(firewall.with_credentials(account.user(), account.password()));
    let words = ["TCP_TUNNEL/200", "CONNECT localhost:", " user "];
    passes::<E>(squid().log(), settings, &by_name(), &words);
}

/// First the firewall, then the proxy, then the server.
pub(crate) fn a_proxy_is_reached_through_a_firewall<E: Subject>() {
    let settings =
        behind(&dante().url("socks5h")).with_proxies(proxies(&squid().account().at(&squid().url())));
    let (watch, beyond) = (dante().log().watch(), squid().log().watch());
    let port = format!(" 127.0.0.1.{}", squid().port());
    if succeeds::<E>(settings, &by_name()).is_some() {
        let _ = watch.line(&["pass(1): tcp/connect", &port]);
        let _ = beyond.line(&["TCP_TUNNEL/200", "CONNECT localhost:", " user "]);
    }
}
