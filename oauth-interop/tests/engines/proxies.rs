//! HTTP proxies: what they see, and what people read when they refuse.

use crate::peers::{both_squid, digest_squid, nginx, ntlm_squid, spnego, squid, tinyproxy};
use crate::subject::{
    Flaw, Subject, fails, get, proxies, seen, send, succeeds, tells_status, through, transport, trusting,
};
use oauth_core::UnreachableKind;
use oauth_interop::{Kerberos, Site, Squid};
use oauth_transport::{Http, Proxies, ProxyAuthentication, Settings};
use std::env;
use std::process::Command;

/// A name that the proxy looks up.
fn target() -> String {
    nginx().url_at("localhost", Site::Https, "/token")
}

/// How a line of Squid's log ends where it has connected: method, target, user name.
fn connect() -> String {
    format!("CONNECT localhost:{} user ", nginx().port(Site::Https))
}

/// The tunnel stands, and both ends saw their part.
fn tunnels<E: Subject>(squid: &Squid, settings: Settings) {
    let watch = squid.log().watch();
    let Some(response) = succeeds::<E>(settings, &target()) else { return };
    assert_eq!(seen(&response, "x-tls"), "TLSv1.3");
    let _ = watch.line(&["TCP_TUNNEL/200", &connect()]);
}

/// Refused with 407, and no tunnel stood.
fn denies<E: Subject>(squid: &Squid, settings: Settings) {
    let watch = squid.log().watch();
    let Some(message) = fails::<E>(settings, &target(), UnreachableKind::Proxy) else { return };
    // Or says it in words, once it has shown a password.
    assert!(!E::TELLS_STATUS || message.contains("407") || message.contains("user name"), "{message}");
    let _ = watch.line(&["TCP_DENIED/407", "CONNECT localhost:"]);
    assert!(!watch.text().contains("TCP_TUNNEL"), "{}", watch.text());
}

pub(crate) fn squid_takes_a_password<E: Subject>() {
    tunnels::<E>(squid(), through(&squid().account().at(&squid().url())));
}

pub(crate) fn squid_refuses_a_wrong_password<E: Subject>() {
    denies::<E>(squid(), through(&squid().account().with_wrong_password().at(&squid().url())));
}

pub(crate) fn squid_refuses_who_says_nothing<E: Subject>() {
    denies::<E>(squid(), through(&squid().url()));
}

pub(crate) fn squid_refuses_a_host<E: Subject>() {
    let watch = squid().log().watch();
    let settings = through(&squid().account().at(&squid().url()));
    let message = fails::<E>(settings, "https://blocked.test/token", UnreachableKind::Proxy).unwrap();
    tells_status::<E>(&message, 403);
    let _ = watch.line(&["TCP_DENIED/403", "CONNECT blocked.test:443"]);
}

pub(crate) fn squid_passes_plain_http_on<E: Subject>() {
    let watch = squid().log().watch();
    let url = nginx().url(Site::Plain, "/token");
    let _ = succeeds::<E>(through(&squid().account().at(&squid().url())), &url).unwrap();
    let _ = watch.line(&["/200", &format!("POST {url} user ")]);
}

pub(crate) fn squid_is_spoken_to_over_tls<E: Subject>() {
    tunnels::<E>(squid(), through(&squid().account().at(&squid().tls_url())));
    denies::<E>(squid(), through(&squid().account().with_wrong_password().at(&squid().tls_url())));
}

/// Its certificate is checked as a server's is, and it learns no password before.
pub(crate) fn squid_of_an_unknown_root_is_not_spoken_to<E: Subject>() {
    let settings = Settings::new().with_proxies(proxies(&squid().account().at(&squid().tls_url())));
    let Some(message) = fails::<E>(settings, &target(), UnreachableKind::Proxy) else { return };
    assert!(message.contains(E::words(Flaw::UnknownRoot)), "{message}");
}

fn digesting(url: &str) -> Settings {
    trusting().with_proxies(proxies(url).authenticated_by(ProxyAuthentication::Digest))
}

pub(crate) fn digest_is_spoken<E: Subject>() {
    let squid = digest_squid();
    tunnels::<E>(squid, digesting(&squid.account().at(&squid.url())));
}

/// RFC 7616 section 3.4.3: a nonce goes stale after three uses here, and is not the user's fault.
pub(crate) fn digest_outlives_a_nonce<E: Subject>() {
    let squid = digest_squid();
    let watch = squid.log().watch();
    // A tunnel for each request, and a proof for each tunnel.
    let mut http = Http::default();
    http.reuse_connections = false;
    let settings = digesting(&squid.account().at(&squid.url())).with_http(http);
    let Some(transport) = transport::<E>(settings) else { return };
    for _ in 0..8 {
        let response = E::block_on(transport.send(get(&target()))).unwrap();
        assert_eq!(response.status().as_u16(), 200);
    }
    drop(transport);
    let _ = watch.lines(8, &["TCP_TUNNEL/200", &connect()]);
}

pub(crate) fn digest_refuses_a_wrong_password<E: Subject>() {
    let squid = digest_squid();
    denies::<E>(squid, digesting(&squid.account().with_wrong_password().at(&squid.url())));
}

/// The weaker one is offered first, and the password stays here.
pub(crate) fn digest_is_chosen_where_both_are_offered<E: Subject>() {
    let squid = both_squid();
    tunnels::<E>(squid, digesting(&squid.account().at(&squid.url())));
}

/// Basic is what was set: the proxy's wish for something else is a refusal.
pub(crate) fn basic_is_not_what_a_proxy_wants_that_asks_for_digest<E: Subject>() {
    let squid = digest_squid();
    denies::<E>(squid, through(&squid.account().at(&squid.url())));
}

pub(crate) fn ntlm_is_spoken<E: Subject>() {
    let watch = ntlm_squid().log().watch();
    let url = ntlm_squid().account().at(&ntlm_squid().url());
    let settings = trusting().with_proxies(proxies(&url).authenticated_by(ProxyAuthentication::Ntlm));
    if succeeds::<E>(settings, &target()).is_some() {
        let _ = watch.line(&["TCP_DENIED/407", "CONNECT localhost:"]);
        let _ = watch.line(&["TCP_TUNNEL/200", "CONNECT localhost:"]);
    }
}

fn ntlm(url: &str) -> Settings {
    trusting().with_proxies(proxies(url).authenticated_by(ProxyAuthentication::Ntlm))
}

/// Checked by pyspnego; each tunnel is a connection of its own, which is asked and answered anew.
pub(crate) fn ntlm_shows_the_password_without_telling_it<E: Subject>() {
    let watch = spnego().log().watch();
    for _ in 0..2 {
        if succeeds::<E>(ntlm(&spnego().account().at(&spnego().url())), &target()).is_none() {
            return;
        }
        for line in ["ASKED localhost:", "CHALLENGED localhost:", "TUNNEL localhost:"] {
            let _ = watch.line(&[line]);
        }
    }
    assert!(watch.text().contains("INTEROP\\user"), "{}", watch.text());
    assert!(!watch.text().contains("DENIED"), "{}", watch.text());
}

pub(crate) fn ntlm_refuses_a_wrong_password<E: Subject>() {
    let watch = spnego().log().watch();
    let url = spnego().account().with_wrong_password().at(&spnego().url());
    let Some(message) = fails::<E>(ntlm(&url), &target(), UnreachableKind::Proxy) else { return };
    assert!(message.contains("does not accept the user name and the password"), "{message}");
    for line in ["ASKED localhost:", "CHALLENGED localhost:", "DENIED localhost:"] {
        let _ = watch.line(&[line]);
    }
    assert!(!watch.text().contains("TUNNEL"), "{}", watch.text());
}

const PROXY: &str = "OAUTH_INTEROP_PROXY";
const TARGET: &str = "OAUTH_INTEROP_TARGET";
const ROOT: &str = "OAUTH_INTEROP_ROOT";

fn negotiating(url: &str, service: Option<&str>) -> Proxies {
    proxies(url).authenticated_by(ProxyAuthentication::Negotiate { service: service.map(str::to_owned) })
}

/// What this process is to do where it is a child that acts for somebody: proxy, target, root.
fn errand() -> Option<(String, String, String)> {
    Some((env::var(PROXY).ok()?, env::var(TARGET).ok()?, env::var(ROOT).ok()?))
}

/// Tickets are found by the environment of the process: runs a case again in one of its own.
fn with_a_ticket(case: &str, host: &str) {
    let realm = Kerberos::start().unwrap_or_else(|why| panic!("{why}"));
    let authority = nginx().authority();
    let squid = Squid::start_with_negotiate(&realm, authority.server()).unwrap_or_else(|why| panic!("{why}"));
    let (tickets, watch) = (realm.log().watch(), squid.log().watch());
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", case])
        .envs(realm.environment().unwrap_or_else(|why| panic!("{why}")))
        .env(PROXY, format!("http://{host}:{}", squid.port()))
        .env(TARGET, target())
        .env(ROOT, authority.root_pem())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let _ = tickets.line(&["TGS_REQ", "ISSUE", Kerberos::SERVICE]);
    let _ = watch.line(&["TCP_TUNNEL/200", "CONNECT localhost:", realm.account().user()]);
}

/// After the proxy's host.
pub(crate) fn a_ticket_is_shown<E: Subject>() {
    if let Some((proxy, target, root)) = errand() {
        let settings = Settings::new().with_extra_roots_pem(root.as_bytes()).unwrap();
        let settings = settings.with_proxies(negotiating(&proxy, None));
        let response = send::<E>(settings, get(&target)).unwrap().unwrap();
        assert_eq!(response.status().as_u16(), 200);
        return;
    }
    let settings = trusting().with_proxies(negotiating("http://localhost:1", None));
    let Some(engine) = transport::<E>(settings) else { return };
    with_a_ticket(&format!("{}::proxies::a_ticket_is_shown", engine.name()), "localhost");
}

/// Where the proxy's host is not what its service is called.
pub(crate) fn the_service_that_is_named_is_asked_for<E: Subject>() {
    if let Some((proxy, target, root)) = errand() {
        let trusting = || Settings::new().with_extra_roots_pem(root.as_bytes()).unwrap();
        let unnamed = trusting().with_proxies(negotiating(&proxy, None));
        let error = send::<E>(unnamed, get(&target)).unwrap().unwrap_err();
        assert_eq!(error.kind, UnreachableKind::Proxy, "{error:?}");
        assert!(error.to_string().contains("HTTP@127.0.0.1"), "{error}");
        for service in ["HTTP/localhost", "HTTP@localhost", "HTTP/localhost@INTEROP.TEST"] {
            let named = trusting().with_proxies(negotiating(&proxy, Some(service)));
            let response = send::<E>(named, get(&target)).unwrap().unwrap();
            assert_eq!(response.status().as_u16(), 200, "{service}");
        }
        return;
    }
    let settings = trusting().with_proxies(negotiating("http://localhost:1", Some(Kerberos::SERVICE)));
    let Some(engine) = transport::<E>(settings) else { return };
    with_a_ticket(
        &format!("{}::proxies::the_service_that_is_named_is_asked_for", engine.name()),
        "127.0.0.1",
    );
}

pub(crate) fn tinyproxy_takes_a_password<E: Subject>() {
    let proxy = tinyproxy();
    let watch = proxy.log().watch();
    let _ = succeeds::<E>(through(&proxy.account().at(&proxy.url())), &target()).unwrap();
    let _ = watch.line(&[&format!("CONNECT localhost:{} HTTP/1.1", nginx().port(Site::Https))]);
    let _ = watch.line(&["Established connection to host \"localhost\""]);

    let url = nginx().url(Site::Plain, "/token");
    let _ = succeeds::<E>(through(&proxy.account().at(&proxy.url())), &url).unwrap();
    let _ = watch.line(&[&format!("POST {url} HTTP/1.1")]);
    let _ = watch.lines(2, &["Established connection to host"]);
}

/// It says 401, and is still the proxy and not the server.
pub(crate) fn tinyproxy_refuses_a_wrong_password<E: Subject>() {
    let proxy = tinyproxy();
    let watch = proxy.log().watch();
    let settings = through(&proxy.account().with_wrong_password().at(&proxy.url()));
    let message = fails::<E>(settings, &target(), UnreachableKind::Proxy).unwrap();
    tells_status::<E>(&message, 401);
    assert!(!watch.text().contains("Established"), "{}", watch.text());
}

pub(crate) fn tinyproxy_refuses_who_says_nothing<E: Subject>() {
    let message = fails::<E>(through(&tinyproxy().url()), &target(), UnreachableKind::Proxy).unwrap();
    tells_status::<E>(&message, 407);
}

/// Once the tunnel stands, what fails is not the proxy.
pub(crate) fn a_bad_server_behind_a_proxy_is_the_server_s_fault<E: Subject>() {
    let settings = through(&squid().account().at(&squid().url()));
    let watch = squid().log().watch();
    for (site, flaw) in [(Site::Expired, Flaw::Expired), (Site::WrongHost, Flaw::WrongName)] {
        let url = nginx().url_at("localhost", site, "/token");
        let message = fails::<E>(settings.clone(), &url, UnreachableKind::Tls).unwrap();
        assert!(message.contains(E::words(flaw)), "{message}");
        let _ = watch.line(&["TCP_TUNNEL/200", &format!("CONNECT localhost:{} ", nginx().port(site))]);
    }
    // A server that is not there: Squid says so instead of opening the tunnel.
    let error = send::<E>(settings, get("https://127.0.0.1:1/")).unwrap().unwrap_err();
    assert_eq!(error.kind, UnreachableKind::Proxy, "{error:?}");
    let _ = watch.line(&["/503", "CONNECT 127.0.0.1:1 "]);
}
