//! Each client profile and each grant, from one end to the other.

use super::component;
use super::witness::{TOKENS, Witness, is_free, query, visit, with_person};
use oauth::OAuth;
use oauth::component::{ClientProfile, ComponentError, Event, GrantType};
use oauth::core::Password;
use oauth::jwt::{CertificateStore, StoreKind};
use oauth::loopback::ReceiveError;
use oauth::transport::{BrowserLaunch, Direction, EventHandler};
use oauth_testserver::{Browser, Client, TestServer};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../oauth-jwt/tests/keys");

/// Everything that the log said.
fn logged(events: &std::sync::mpsc::Receiver<Event>) -> String {
    let lines = events.try_iter().filter_map(|event| match event {
        Event::Log(_, _, message) => Some(message),
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_application_opens_the_browser_and_renews_without_it() {
    let server = TestServer::start().unwrap();
    let oauth = component(&server);
    oauth.set_client_id("demo-basic");
    oauth.set_client_secret("demo-basic-secret");
    oauth.set_authorization_scope("read write");
    let (result, command) = with_person(&oauth, |url, command| {
        assert_eq!(oauth.config("AuthorizationURL").unwrap().as_str(), url);
        let asked = query(url);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["redirect_uri"], oauth.return_url());
        let landing = Browser::new().sign_in("ada", url).unwrap();
        assert!(landing.body.contains("You are signed in"), "{}", landing.body);
        command.to_owned()
    });
    let authorization = result.unwrap();
    assert_ne!(command, "", "this profile has a browser opened");
    assert_eq!(authorization.header_value(), format!("Bearer {}", oauth.access_token().expose()));
    assert_eq!(oauth.authorization_scope(), "read write");

    let first = oauth.refresh_token();
    let renewed = oauth.get_authorization().unwrap();
    assert_ne!(renewed.token(), authorization.token());
    assert_ne!(oauth.refresh_token().expose(), first.expose(), "the server gives a new one each time");

    // One that is spent is of no use: it is gone, and no browser opens that nobody asked for.
    oauth.set_refresh_token(first.expose());
    let refused = oauth.get_authorization().unwrap_err();
    assert!(refused.to_string().contains("invalid_grant"), "{refused}");
    assert_eq!(oauth.refresh_token().expose(), "");
}

#[test]
fn an_application_takes_a_token_from_the_fragment_and_is_warned() {
    let server = TestServer::start().unwrap();
    let oauth = component(&server);
    oauth.set_client_id("demo");
    oauth.set_server_token_url("");
    oauth.set_grant_type(GrantType::Implicit);
    let events = oauth.observe();
    let (result, ()) = with_person(&oauth, |url, _| {
        let asked = query(url);
        assert_eq!(asked["response_type"], "token");
        let back = &asked["redirect_uri"];
        let page = visit("GET", back, "", "");
        let (_, to) = page.split_once("data-to=\"").expect("a page that hands the fragment over");
        let to = url::Url::parse(back).unwrap().join(to.split_once('"').unwrap().0).unwrap();
        let headers = format!(
            "Origin: {}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n",
            to.origin().ascii_serialization()
        );
        let fragment = format!(
            "access_token=at-of-the-fragment&token_type=bearer&expires_in=60&state={}",
            asked["state"]
        );
        assert!(visit("POST", to.as_str(), &headers, &fragment).starts_with("HTTP/1.1 204"));
        assert!(visit("GET", to.as_str(), "", "").contains("You are signed in"));
    });
    assert_eq!(result.unwrap().token(), "at-of-the-fragment");
    assert_eq!(oauth.param_name(0).unwrap(), "access_token");
    assert_eq!(oauth.param_value(0).unwrap().as_str(), "at-of-the-fragment");
    assert_eq!(server.count(oauth_testserver::Endpoint::Token), 0);
    let logged = logged(&events);
    assert!(logged.contains("warning: access tokens come back through the browser"), "{logged}");
    assert!(!logged.contains("at-of-the-fragment"), "{logged}");
}

#[test]
fn a_password_is_sent_once_and_the_rule_that_it_breaks_is_told() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    oauth.set_grant_type(GrantType::Password);
    assert!(matches!(oauth.get_authorization(), Err(ComponentError::Setup(_))));
    oauth.add_form_var("username", "ada");
    oauth.add_form_var("password", "opens a door");
    oauth.add_form_var("audience", "mail");
    let events = oauth.observe();
    oauth.get_authorization().unwrap();
    let form = witness.only().form();
    assert_eq!(form["grant_type"], "password");
    assert_eq!((&*form["username"], &*form["password"], &*form["audience"]), ("ada", "opens a door", "mail"));
    let logged = logged(&events);
    assert!(logged.contains("warning: this program may take people's passwords"), "{logged}");
    assert!(logged.contains("warning: plain http to a server on this machine"), "{logged}");
    assert!(!logged.contains("opens a door"), "{logged}");
}

#[test]
fn what_is_not_waived_is_not_warned_of() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    oauth.set_client_secret("secret");
    oauth.set_grant_type(GrantType::ClientCredentials);
    let events = oauth.observe();
    oauth.get_authorization().unwrap();
    let warnings: Vec<_> =
        logged(&events).lines().filter(|line| line.starts_with("warning")).map(str::to_owned).collect();
    assert_eq!(warnings, ["warning: plain http to a server on this machine is allowed"]);
}

const SITE: &str = "https://site.example/callback";

/// A web site, as each of its processes sets it up.
fn site(server: &TestServer) -> OAuth {
    let oauth = component(server);
    oauth.set_client_profile(ClientProfile::WebServer);
    oauth.set_client_id("site");
    oauth.set_client_secret("hush");
    oauth.set_return_url(SITE);
    oauth
}

fn site_server() -> TestServer {
    TestServer::builder().client(Client::basic("site", "hush").redirect_uri(SITE)).start().unwrap()
}

#[test]
fn a_web_site_finishes_in_another_process_what_it_began_in_one() {
    let server = site_server();
    let begin = || {
        let first = site(&server);
        let url = first.get_authorization_url().unwrap();
        assert_eq!(first.web_server_port(), 0, "nobody listens");
        let landing = Browser::new().without_visiting_redirect_uri().sign_in("ada", &url).unwrap();
        let stored = first.take_pending().unwrap();
        assert!(first.take_pending().is_none(), "one of the two finishes it");
        (stored, landing)
    };

    // By the code alone.
    let (stored, landing) = begin();
    let second = site(&server);
    second.restore_pending(stored.expose()).unwrap();
    second.set_authorization_code(landing.parameter("code").unwrap());
    second.get_authorization().unwrap();
    assert_eq!(second.authorization_code().expose(), "", "a code is exchanged once");

    // By the whole address; what a stranger sends before leaves the login as it was.
    let (stored, landing) = begin();
    let second = site(&server);
    second.restore_pending(stored.expose()).unwrap();
    second.set_authorization_response(format!("{SITE}?code=a-stranger-s&state=another"));
    assert!(second.get_authorization().is_err());
    second.set_authorization_response(landing.url);
    second.get_authorization().unwrap();

    // Without the first leg there is nothing that the code could belong to.
    let third = site(&server);
    third.set_authorization_code("code");
    assert!(matches!(third.get_authorization(), Err(ComponentError::Setup(_))));
    assert!(
        matches!(site(&server).get_authorization(), Err(ComponentError::Setup(_))),
        "nobody waits for anybody"
    );
}

#[test]
fn a_device_polls_no_faster_than_the_server_asks_for() {
    let server = TestServer::builder().device_interval(Duration::from_secs(2)).start().unwrap();
    let oauth = component(&server);
    oauth.set_client_id("demo");
    oauth.set_client_profile(ClientProfile::Device);
    oauth.set_server_auth_url(format!("{}/device_authorization", server.issuer()));
    assert!(matches!(oauth.get_authorization(), Err(ComponentError::Setup(_))), "nobody knows the code");
    assert_eq!(oauth.config("PollingInterval").unwrap().as_str(), "5");
    let url = oauth.get_authorization_url().unwrap();
    let code = oauth.config("DeviceUserCode").unwrap();
    assert!(url.starts_with(server.issuer()) && !code.as_str().is_empty());
    assert_eq!(oauth.config("PollingInterval").unwrap().as_str(), "2", "as the server says");
    oauth.config("PollingInterval=1").unwrap();
    let begun = Instant::now();
    let authorization = std::thread::scope(|scope| {
        let running = scope.spawn(|| oauth.get_authorization());
        // The first poll finds that nobody has agreed yet.
        while server.count(oauth_testserver::Endpoint::Token) == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        Browser::new().approve_device(&url, code.as_str()).unwrap();
        running.join().unwrap()
    });
    assert!(authorization.unwrap().header_value().starts_with("Bearer "));
    assert_eq!(server.count(oauth_testserver::Endpoint::Token), 2);
    assert_eq!(server.counters().slow_downs, 0);
    assert!(begun.elapsed() >= Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn a_mobile_app_is_told_the_address_and_nothing_is_opened() {
    let server = TestServer::start().unwrap();
    let oauth = component(&server);
    oauth.set_client_id("demo");
    oauth.set_client_profile(ClientProfile::Mobile);
    let (result, command) = with_person(&oauth, |url, command| {
        Browser::new().sign_in("ada", url).unwrap();
        command.to_owned()
    });
    assert_eq!(command, "", "there is no browser to be opened");
    result.unwrap();
}

#[test]
fn a_mobile_app_comes_back_by_an_address_of_its_own() {
    let server = TestServer::builder()
        .client(Client::public("app").redirect_uri("com.example.app:/cb"))
        .start()
        .unwrap();
    let oauth = component(&server);
    oauth.set_client_id("app");
    oauth.set_client_profile(ClientProfile::Mobile);
    oauth.set_return_url("com.example.app:/cb");
    let url = oauth.get_authorization_url().unwrap();
    assert_eq!(oauth.web_server_port(), 0, "nobody listens");
    let landing = Browser::new().sign_in("ada", &url).unwrap();
    oauth.set_authorization_response(landing.url);
    oauth.get_authorization().unwrap();
}

#[test]
fn a_program_in_a_browser_has_no_secret_and_is_handed_what_came_back() {
    let server = TestServer::builder()
        .client(Client::public("spa").redirect_uri("https://spa.example/"))
        .start()
        .unwrap();
    let oauth = component(&server);
    oauth.set_client_id("spa");
    oauth.set_client_profile(ClientProfile::Browser);
    oauth.set_return_url("https://spa.example/");
    oauth.set_client_secret("everybody reads it");
    let refused = oauth.get_authorization_url().unwrap_err();
    assert!(matches!(&refused, ComponentError::Refused { name: "client_secret", .. }), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("everybody"));
    oauth.set_client_secret("");
    let url = oauth.get_authorization_url().unwrap();
    let landing = Browser::new().without_visiting_redirect_uri().sign_in("ada", &url).unwrap();
    oauth.set_authorization_response(landing.url);
    oauth.get_authorization().unwrap();

    // The same by a fragment, where the server gives nothing else.
    oauth.set_refresh_token("");
    oauth.set_grant_type(GrantType::Implicit);
    let url = oauth.get_authorization_url().unwrap();
    let state = &query(&url)["state"];
    let fragment = format!("#access_token=at-2&token_type=Bearer&state={state}");
    // RFC 6749 section 4.2.2: in a query it was sent to whoever serves the page.
    oauth.set_authorization_response(format!("https://spa.example/?{}", &fragment[1..]));
    assert!(oauth.get_authorization().is_err());
    let url = oauth.get_authorization_url().unwrap();
    let fragment = fragment.replace(state.as_str(), &query(&url)["state"]);
    oauth.set_authorization_response(fragment);
    assert_eq!(oauth.get_authorization().unwrap().token(), "at-2");
}

/// A service at a server that knows its key.
fn service(kind: StoreKind, file: &str, password: &str) -> (TestServer, OAuth) {
    let password = Some(Password::new(password)).filter(|password| !password.expose().is_empty());
    let store = CertificateStore::open(kind, format!("{KEYS}/{file}"), password.as_ref()).unwrap();
    let key = store.take("*").unwrap().into_signing_key().unwrap();
    let server = TestServer::builder()
        .scope("jobs")
        .jwt_issuer("service", key.public_key().unwrap().to_jwk())
        .start()
        .unwrap();
    let oauth = OAuth::new();
    oauth.set_dangerously_plain_http_on_loopback(true);
    oauth.set_client_profile(ClientProfile::Jwt);
    oauth.set_server_token_url(format!("{}/token", server.issuer()));
    oauth.set_authorization_scope("jobs");
    oauth.config("JWTIssuer=service").unwrap();
    oauth.config("JWTSubject=service").unwrap();
    (server, oauth)
}

#[test]
fn a_service_signs_with_a_key_of_each_kind_of_store() {
    for (kind, file, password) in [
        (StoreKind::PfxFile, "rsa-2048.pfx", "throw-away"),
        (StoreKind::PemKeyFile, "p256.pkcs8.pem", ""),
        (StoreKind::PemKeyFile, "ed25519.pkcs8.pem", ""),
        (StoreKind::JwkFile, "rsa-2048.jwk.json", ""),
    ] {
        let (_server, oauth) = service(kind, file, password);
        oauth.config(&format!("JWTCertStoreType={}", kind.number())).unwrap();
        oauth.config(&format!("JWTCertStore={KEYS}/{file}")).unwrap();
        oauth.config(&format!("JWTCertStorePassword={password}")).unwrap();
        oauth.config("JWTCertSubject=*").unwrap();
        let authorization = oauth.get_authorization().unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(authorization.header_value().starts_with("Bearer "), "{file}");
        assert_eq!(oauth.authorization_scope(), "jobs", "{file}");
    }
}

#[test]
fn a_service_account_s_file_is_taken_by_its_path_and_by_its_text() {
    let (server, oauth) = service(StoreKind::PemKeyFile, "rsa-2048.pkcs8.pem", "");
    let json = serde_json::json!({
        "type": "service_account",
        "client_email": "service",
        "private_key_id": "0123abcd",
        "private_key": std::fs::read_to_string(format!("{KEYS}/rsa-2048.pkcs8.pem")).unwrap(),
        "token_uri": "https://oauth2.example/token",
    })
    .to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.json");
    std::fs::write(&file, &json).unwrap();
    oauth.config("JWTIssuer=").unwrap();
    // What is set wins over what the file says.
    oauth.config(&format!("JWTAudience={}", server.issuer())).unwrap();
    for given in [json.as_str(), file.to_str().unwrap()] {
        oauth.config(&format!("JWTJSONKey={given}")).unwrap();
        oauth.get_authorization().unwrap();
    }
    for wrong in ["/no/such/file", r#"{"type":"authorized_user"}"#, "{"] {
        oauth.config(&format!("JWTJSONKey={wrong}")).unwrap();
        let refused = oauth.get_authorization().unwrap_err();
        assert!(matches!(&refused, ComponentError::Refused { name: "JWTJSONKey", .. }), "{refused}");
    }
}

/// What happens is told to this handler, which is called on the thread of the call.
struct On<F>(F);

impl<F: FnMut(&str) + Send> EventHandler for On<F> {
    fn on_end_transfer(&mut self, direction: Direction) {
        (self.0)(if direction == Direction::Received { "received" } else { "sent" });
    }

    fn on_status(&mut self, _: http::Version, _: http::StatusCode) {
        (self.0)("status");
    }

    fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {
        launch.command.clear();
        (self.0)("launch");
    }
}

fn credentials(witness: &Witness) -> OAuth {
    let oauth = witness.component();
    oauth.set_client_secret("secret");
    oauth.set_grant_type(GrantType::ClientCredentials);
    oauth
}

#[test]
fn a_handler_that_panics_loses_no_tokens() {
    let witness = Witness::of_tokens();
    for moment in ["sent", "status", "received"] {
        let oauth = credentials(&witness);
        oauth.set_event_handler(On(move |now: &str| {
            assert_ne!(now, moment, "this handler panics, as the test wants it")
        }));
        oauth.get_authorization().unwrap();
        assert_eq!(
            (oauth.access_token().expose(), oauth.refresh_token().expose()),
            ("at-1", "rt-1"),
            "{moment}"
        );
        assert!(oauth.idle());
    }
}

#[test]
fn a_handler_that_blocks_holds_the_call_up_and_loses_no_tokens() {
    let witness = Witness::of_tokens();
    let oauth = credentials(&witness);
    oauth.set_timeout(Some(Duration::from_millis(200)));
    oauth.set_event_handler(On(|now: &str| {
        if now == "received" {
            std::thread::sleep(Duration::from_millis(600));
        }
    }));
    let begun = Instant::now();
    oauth.get_authorization().unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(600));
    assert_eq!((oauth.access_token().expose(), oauth.refresh_token().expose()), ("at-1", "rt-1"));
}

/// A component whose person never comes.
fn waiting(server: &TestServer) -> Arc<OAuth> {
    let oauth = component(server);
    oauth.set_client_id("demo");
    oauth.set_client_profile(ClientProfile::Mobile);
    oauth.config("BrowserResponseTimeout=0").unwrap();
    Arc::new(oauth)
}

#[test]
fn another_thread_interrupts_and_a_second_call_is_told_to_wait() {
    let server = TestServer::start().unwrap();
    let oauth = waiting(&server);
    let (sender, launched) = std::sync::mpsc::channel();
    oauth.set_event_handler(On(move |now: &str| {
        let _told = sender.send(now.to_owned());
    }));
    let running = {
        let oauth = Arc::clone(&oauth);
        std::thread::spawn(move || oauth.get_authorization())
    };
    assert_eq!(launched.recv_timeout(Duration::from_secs(20)).unwrap(), "launch");
    assert!(!oauth.idle());
    assert!(matches!(oauth.get_authorization(), Err(ComponentError::Busy)));
    assert!(matches!(oauth.get_authorization_url(), Err(ComponentError::Busy)));
    oauth.interrupt();
    assert!(matches!(running.join().unwrap(), Err(ComponentError::Interrupted)));
    assert!(oauth.idle());
}

#[test]
fn an_interrupt_while_the_browser_gets_its_page_loses_no_token() {
    let server = TestServer::start().unwrap();
    let oauth = waiting(&server);
    oauth.set_return_url("http://127.0.0.1/callback");
    let (result, _open) = with_person(&oauth, |url, _| {
        let landing = Browser::new().without_visiting_redirect_uri().sign_in("ada", url).unwrap();
        let (host, target) = landing.url["http://".len()..].split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET /{target} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        // It is on its way, and counts as delivered once this side is closed.
        stream.read_exact(&mut [0; 12]).unwrap();
        oauth.interrupt();
        stream
    });
    assert!(matches!(result, Err(ComponentError::Interrupted)), "{result:?}");
    assert!(oauth.access_token().expose().starts_with("demo-at-"));
}

#[test]
fn a_handler_interrupts_the_call_that_it_hears_of() {
    let server = TestServer::start().unwrap();
    let oauth = waiting(&server);
    let inside = Arc::clone(&oauth);
    oauth.set_event_handler(On(move |_: &str| {
        assert!(!inside.idle(), "properties can be read in here");
        inside.interrupt();
    }));
    assert!(matches!(oauth.get_authorization(), Err(ComponentError::Interrupted)));
    // The next one is not touched by it.
    oauth.set_event_handler(On(|_: &str| {}));
    oauth.config("BrowserResponseTimeout=1").unwrap();
    let late = oauth.get_authorization().unwrap_err();
    assert!(matches!(late, ComponentError::OAuth(oauth::Error::Receive(ReceiveError::TimedOut))), "{late:?}");
}

#[test]
fn a_handler_that_resets_leaves_no_token_behind() {
    let witness = Witness::of_tokens();
    let oauth = Arc::new(credentials(&witness));
    let inside = Arc::clone(&oauth);
    oauth.set_event_handler(On(move |now: &str| {
        if now == "received" {
            inside.reset();
        }
    }));
    // The answer was here already, or was on its way: either is right.
    let _ended = oauth.get_authorization();
    assert_eq!(witness.heard().len(), 1);
    assert_eq!((oauth.access_token().expose(), oauth.refresh_token().expose()), ("", ""));
    assert_eq!(oauth.param_count(), 0);
}

#[test]
fn reset_ends_the_call_wipes_the_secrets_stops_the_server_and_keeps_the_handler() {
    let server = TestServer::start().unwrap();
    let oauth = waiting(&server);
    let (sender, launched) = std::sync::mpsc::channel();
    oauth.set_event_handler(On(move |now: &str| {
        let _told = sender.send(now.to_owned());
    }));
    oauth.set_access_token("at-of-before");
    oauth.add_form_var("secret", "hush");
    oauth.config("JWTCertStorePassword=hush").unwrap();
    oauth.start_web_server().unwrap();
    let port = oauth.web_server_port();
    let running = {
        let oauth = Arc::clone(&oauth);
        std::thread::spawn(move || oauth.get_authorization())
    };
    launched.recv_timeout(Duration::from_secs(20)).unwrap();
    oauth.reset();
    let ended = running.join().unwrap();
    assert!(matches!(&ended, Err(ComponentError::Interrupted)), "{ended:?}");
    assert_eq!(oauth.access_token().expose(), "");
    assert_eq!((oauth.client_id().as_str(), oauth.return_url().as_str()), ("", ""));
    assert_eq!(oauth.config("JWTCertStorePassword").unwrap().as_str(), "");
    assert_eq!(oauth.config("FormVarCount").unwrap().as_str(), "0");
    assert_eq!(oauth.config("AuthorizationURL").unwrap().as_str(), "");
    assert_eq!(oauth.web_server_port(), 0);
    assert!(is_free(port));

    let witness = Witness::start(|_| (200, TOKENS.to_owned()));
    oauth.set_dangerously_plain_http_on_loopback(true);
    oauth.set_server_token_url(&witness.url);
    oauth.set_client_id("client");
    oauth.set_client_secret("secret");
    oauth.set_grant_type(GrantType::ClientCredentials);
    oauth.get_authorization().unwrap();
    assert!(launched.try_iter().any(|now| now == "received"), "the handler is still told");
}
