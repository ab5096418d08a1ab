//! The embedded web server, as a browser sees it.

use super::component;
use super::profiles::KEYS;
use super::witness::{Witness, come_back, is_free, query, set, visit, with_person};
use oauth::OAuth;
use oauth::component::{ClientProfile, ComponentError};
use oauth::core::{Endpoint, Policy, Purpose, Request, Unreachable, UnreachableKind};
use oauth::host::Host as _;
use oauth::jwt::StoreKind;
use oauth::{Error, HyperHost, Settings};
use oauth_testserver::{Browser, TestServer};
use std::sync::Arc;

#[test]
fn row_re_use_web_server() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    let sign_in = |oauth: &OAuth| {
        oauth.set_refresh_token("");
        let (result, port) = with_person(oauth, |url, _| {
            come_back(url);
            oauth.web_server_port()
        });
        result.unwrap();
        assert_ne!(port, 0);
        port
    };
    let first = sign_in(&oauth);
    assert_eq!(oauth.web_server_port(), first, "it stays");
    assert_eq!(sign_in(&oauth), first);
    set(&oauth, &["ReUseWebServer=false"]);
    assert_eq!(sign_in(&oauth), first);
    assert_eq!(oauth.web_server_port(), 0, "it is gone");
    assert!(is_free(first));
    // However the login ends.
    oauth.set_refresh_token("");
    let (result, ()) = with_person(&oauth, |_, _| oauth.interrupt());
    assert!(matches!(result, Err(ComponentError::Interrupted)));
    assert_eq!(oauth.web_server_port(), 0);
}

#[test]
fn row_web_server_response() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    set(&oauth, &["WebServerResponse=<h1>Welcome back</h1>"]);
    let (result, page) = with_person(&oauth, |url, _| come_back(url));
    result.unwrap();
    assert!(page.contains("<h1>Welcome back</h1>") && page.contains("no-store"), "{page}");
}

#[test]
fn row_web_server_failed_response() {
    let witness = Witness::start(|_| (400, r#"{"error":"invalid_grant"}"#.to_owned()));
    let oauth = witness.component();
    set(&oauth, &["WebServerFailedResponse=<h1>No entry</h1>", "WebServerResponse=<h1>Welcome back</h1>"]);
    let (result, page) = with_person(&oauth, |url, _| come_back(url));
    assert!(result.is_err());
    assert!(
        page.contains("<h1>No entry</h1>") && !page.contains("Welcome") && !page.contains("ac-1"),
        "{page}"
    );
}

#[test]
fn row_web_server_host() {
    let oauth = OAuth::new();
    for (host, shown) in [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("::1", "[::1]")] {
        set(&oauth, &[&format!("WebServerHost={host}")]);
        oauth.start_web_server().unwrap();
        let port = oauth.web_server_port();
        assert_eq!(oauth.return_url(), format!("http://{shown}:{port}/"));
        let page = visit("GET", &oauth.return_url(), "", "");
        assert!(page.starts_with("HTTP/1.1 4"), "it answers, and nobody is expected: {page}");
        oauth.stop_web_server();
    }
    for wrong in ["0.0.0.0", "192.0.2.1", "example.com"] {
        let refused = oauth.config(&format!("WebServerHost={wrong}"));
        assert!(
            matches!(refused, Err(ComponentError::Value { name: "WebServerHost", .. })),
            "others could come in"
        );
    }
}

#[test]
fn row_web_server_port() {
    let oauth = OAuth::new();
    assert_eq!((oauth.web_server_port(), oauth.return_url().as_str()), (0, ""));
    oauth.start_web_server().unwrap();
    let port = oauth.web_server_port();
    assert_ne!(port, 0, "it reads back the one that it has");
    assert!(matches!(oauth.start_web_server(), Err(ComponentError::AlreadyListening)));
    let other = OAuth::new();
    other.set_web_server_port(port);
    assert!(matches!(other.start_web_server(), Err(ComponentError::OAuth(Error::Bind(_)))), "it is taken");
    oauth.stop_web_server();
    other.start_web_server().unwrap();
    assert_eq!(other.web_server_port(), port);
    assert_eq!(other.return_url(), format!("http://127.0.0.1:{port}/"));
}

#[test]
fn row_return_url() {
    let server = TestServer::start().unwrap();
    let oauth = component(&server);
    oauth.set_client_id("demo");
    oauth.set_return_url("http://127.0.0.1/deep/callback");
    let (result, back) = with_person(&oauth, |url, _| {
        let landing = Browser::new().sign_in("ada", url).unwrap();
        assert!(landing.body.contains("You are signed in"), "{}", landing.body);
        query(url)["redirect_uri"].clone()
    });
    result.unwrap();
    assert_eq!(back, format!("http://127.0.0.1:{}/deep/callback", oauth.web_server_port()));
    assert_eq!(oauth.return_url(), back, "port and all");
    oauth.set_return_url("http://127.0.0.1/elsewhere");
    oauth.set_refresh_token("");
    let other = oauth.get_authorization().unwrap_err();
    assert!(matches!(&other, ComponentError::Refused { name: "return_url", .. }), "{other}");
}

/// RFC 6749 section 3.1.2.3: servers compare it as a string.
#[test]
fn return_url_is_sent_as_it_is_set() {
    let server = TestServer::start().unwrap();
    let oauth = component(&server);
    oauth.set_client_id("demo");
    oauth.set_return_url("http://127.0.0.1");
    let (result, back) = with_person(&oauth, |url, _| {
        let _landing = Browser::new().sign_in("ada", url).unwrap();
        query(url)["redirect_uri"].clone()
    });
    result.unwrap();
    assert_eq!(back, format!("http://127.0.0.1:{}", oauth.web_server_port()), "without a slash more");
    assert_eq!(oauth.return_url(), back);
}

/// Opens an address as a program does that trusts this certificate, and no other beyond those of the system.
fn open(url: &str, trusted: Option<&str>) -> Result<String, Unreachable> {
    let settings = match trusted {
        Some(pem) => Settings::new().with_extra_roots_pem(pem.as_bytes()).unwrap(),
        None => Settings::new(),
    };
    let host = HyperHost::new(settings).unwrap();
    let place = Endpoint::new(url, &Policy::strict()).unwrap();
    let request = Request::get(Purpose::Resource, Arc::new(place));
    let response = oauth::blocking::run(&host, host.send(request))?;
    Ok(String::from_utf8(response.body().to_vec()).unwrap())
}

fn answer(url: &str) -> String {
    let asked = query(url);
    format!("{}?code=ac-1&state={}", asked["redirect_uri"], asked["state"])
}

#[test]
fn row_web_server_ssl_enabled() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    oauth.set_web_server_ssl_enabled(true);
    oauth.set_client_profile(ClientProfile::Mobile);
    set(&oauth, &["BrowserResponseTimeout=2"]);
    let (_, refused) = with_person(&oauth, |url, _| open(&answer(url), None).unwrap_err());
    assert_eq!(refused.kind, UnreachableKind::Tls, "nobody vouches for it: {refused}");
    assert!(oauth.return_url().starts_with("https://127.0.0.1:"));
}

/// A component whose web server has a certificate of a store.
fn with_certificate(kind: StoreKind, store: &str) -> (Witness, OAuth) {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    oauth.set_web_server_ssl_enabled(true);
    oauth.set_web_server_ssl_cert_store_type(kind);
    oauth.set_web_server_ssl_cert_store(store);
    (witness, oauth)
}

/// A certificate for 127.0.0.1, and it with its key.
fn certificate() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let both = format!("{certificate}{}", key.serialize_pem());
    (certificate, both)
}

#[test]
fn row_web_server_ssl_cert_store() {
    let (trusted, store) = certificate();
    let (_witness, oauth) = with_certificate(StoreKind::PemKeyBlob, &store);
    let (result, page) = with_person(&oauth, |url, _| open(&answer(url), Some(&trusted)));
    let page = page.unwrap();
    assert!(page.contains("You are signed in"), "{page}");
    result.unwrap();
    assert!(oauth.return_url().starts_with("https://127.0.0.1:"));
}

#[test]
fn row_web_server_ssl_cert_store_type() {
    let (_, store) = certificate();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    std::fs::write(&file, &store).unwrap();
    let (_witness, oauth) = with_certificate(StoreKind::PemKeyFile, file.to_str().unwrap());
    oauth.start_web_server().unwrap();
    oauth.stop_web_server();
    oauth.set_web_server_ssl_cert_store_type(StoreKind::JksFile);
    assert!(matches!(oauth.start_web_server(), Err(ComponentError::OAuth(Error::Store(_)))));
}

#[test]
fn row_web_server_ssl_cert_store_password() {
    let (_witness, oauth) = with_certificate(StoreKind::PfxFile, &format!("{KEYS}/p256.chain.pfx"));
    oauth.set_web_server_ssl_cert_store_password("guessed");
    let refused = oauth.start_web_server().unwrap_err();
    assert!(matches!(&refused, ComponentError::OAuth(Error::Store(_))), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("guessed"));
    oauth.set_web_server_ssl_cert_store_password("throw-away");
    let first_version = oauth.start_web_server().unwrap_err();
    assert!(
        matches!(&first_version, ComponentError::OAuth(Error::Certificate(_))),
        "it is opened, and no browser would take what is in it: {first_version}"
    );
}

#[test]
fn row_web_server_ssl_cert_subject() {
    let (_, store) = certificate();
    let (_witness, oauth) = with_certificate(StoreKind::PemKeyBlob, &store);
    oauth.set_web_server_ssl_cert_subject("CN=nobody");
    assert!(matches!(oauth.start_web_server(), Err(ComponentError::OAuth(Error::Store(_)))));
    oauth.set_web_server_ssl_cert_subject("CN=rcgen self signed cert");
    oauth.start_web_server().unwrap();
}
