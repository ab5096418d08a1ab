//! A person signs in with a real browser: the program is `oauth::SignIn`, the browser Chromium, and nobody else is between
//! them. What the pages look like is kept in `target/screenshots`.
#![allow(missing_docs, reason = "these are tests")]
#![allow(clippy::print_stdout, reason = "each test says which browser it was")]

#[path = "browser/login.rs"]
mod login;
#[path = "browser/oidc_provider.rs"]
mod oidc_provider;

use login::{Engine, Login};
use oauth::core::ErrorCode;
use oauth::loopback::{Address, Certificate};
use oauth::{Error, Settings, SignIn, core as protocol};
use oauth_interop::Chromium;
use oauth_testserver::{Client, Endpoint, Fault, TestServer};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};
use url::Url;

const SUCCESS: &str = "You are signed in";
const FAILURE: &str = "The sign-in did not work";
const ALREADY_USED: &str = "This answer has been used already";
const NOT_OURS: &str = "This is not the sign-in that is expected here";
const NEUTRAL: &str = "Your answer has arrived";

/// Longer than the browser takes to go to another tab, and shorter than the listener holds its page back.
const WHILE: Duration = Duration::from_secs(4);

#[test]
fn lb_23_a_code_comes_by_query_over_each_engine_and_leaves_the_address_bar() {
    let (server, chromium) = start();
    for engine in [Engine::Hyper, Engine::Isahc] {
        let login = Login::begin_as(engine, Settings::new(), server.issuer(), "demo", SignIn::new());
        let callback = login.redirect_uri.clone();
        approve(&chromium, &login.url);
        expect(&chromium, SUCCESS);
        assert_no_policy_is_broken(&chromium);
        assert_eq!(chromium.url(), callback.as_str(), "LB-23: the code is out of the address bar");
        let authorization = login.end().unwrap();
        assert!(server.issued_secrets().contains(&authorization.token().to_owned()));
    }
    assert_eq!(server.counters().replays, 0);
}

#[test]
fn lb_27_a_code_comes_by_form_post() {
    let (server, chromium) = start();
    let login = Login::begin(server.issuer(), SignIn::new().form_post());
    let redirect_uri = login.redirect_uri.clone();
    approve(&chromium, &login.url);
    expect(&chromium, SUCCESS);
    assert_eq!(chromium.url(), redirect_uri.as_str(), "the code was in no address");
    login.end().unwrap();
}

#[test]
fn lb_26_a_code_comes_by_fragment() {
    let (server, chromium) = start();
    let login = Login::begin_by_fragment(server.issuer());
    let callback = login.redirect_uri.clone();
    approve(&chromium, &login.url);
    expect(&chromium, SUCCESS);
    assert_no_policy_is_broken(&chromium);
    let url = chromium.url();
    assert!(url.starts_with(callback.as_str()), "{url}");
    assert!(!server.issued_secrets().iter().any(|secret| url.contains(secret)), "{url}");
    login.end().unwrap();
    assert_eq!((server.count(Endpoint::Token), server.counters().replays), (1, 0));
}

#[test]
fn lb_26_without_scripts_a_fragment_stays_to_be_pasted() {
    let (server, chromium) = start();
    let login = Login::begin_by_fragment(server.issuer());
    to_consent(&chromium, &login.url);
    chromium.forbid_scripts();
    chromium.click("button[value=approve]");
    expect(&chromium, "One moment");
    take_pictures(&chromium, "One moment", "without-scripts");
    assert!(chromium.text().contains("paste it into the program"), "{}", chromium.text());
    assert!(chromium.url().contains("#"), "{}", chromium.url());
    assert!(server.issued_secrets().iter().any(|secret| chromium.url().contains(secret)));
    assert!(login.waits() && server.count(Endpoint::Token) == 0);
}

/// The browser is told to take any certificate; a person clicks a warning away.
#[test]
fn a_code_comes_to_a_listener_with_https() {
    let (_, chromium) = start();
    // RFC 8252 section 7.3 lets the port vary with http alone.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let client = Client::public("https").redirect_uri(format!("https://127.0.0.1:{free}/callback"));
    let server = TestServer::builder().client(client).start().unwrap();
    let address = Address::new().port(free).https(Certificate::throw_away().unwrap());
    let sign_in = SignIn::new().address(address);
    let login = Login::begin_as(Engine::Hyper, Settings::new(), server.issuer(), "https", sign_in);
    let callback = login.redirect_uri.clone();
    assert_eq!(callback.scheme(), "https");
    approve(&chromium, &login.url);
    expect(&chromium, SUCCESS);
    assert_eq!(chromium.url(), callback.as_str());
    assert_no_policy_is_broken(&chromium);
    login.end().unwrap();
}

#[test]
fn a_person_who_refuses_is_told_the_truth() {
    let (server, chromium) = start();
    let login = Login::begin(server.issuer(), SignIn::new());
    chromium.open(&login.url);
    chromium.click("button[value=ada]");
    chromium.click("button[value=deny]");
    expect(&chromium, FAILURE);
    assert!(!chromium.url().contains("access_denied"), "{}", chromium.url());
    assert_no_policy_is_broken(&chromium);
    assert_eq!(refusal(login.end().unwrap_err()), ErrorCode::ACCESS_DENIED);
    assert_eq!(server.count(Endpoint::Token), 0);
}

#[test]
fn lb_20_a_failed_exchange_is_no_success() {
    let (server, chromium) = start();
    server.fault_once(Endpoint::Token, Fault::NoTokenType);
    let login = Login::begin(server.issuer(), SignIn::new());
    approve(&chromium, &login.url);
    expect(&chromium, FAILURE);
    login.end().unwrap_err();
}

#[test]
fn lb_12_two_tabs_use_one_answer() {
    let (server, chromium) = start();
    server.fault_once(Endpoint::Token, Fault::Slow(WHILE));
    let login = Login::begin(server.issuer(), SignIn::new());
    let second = chromium.tab();
    to_consent(&chromium, &login.url);
    let first = chromium.open_tab();
    to_consent(&chromium, &login.url);
    press_later(&chromium, "button[value=approve]");
    chromium.switch_to(&second);
    wait_until("the first answer is there", || server.count(Endpoint::Token) == 1);
    chromium.click("button[value=approve]");
    expect(&chromium, ALREADY_USED);
    assert_no_policy_is_broken(&chromium);
    chromium.switch_to(&first);
    expect(&chromium, SUCCESS);
    login.end().unwrap();
    assert_eq!((server.count(Endpoint::Token), server.counters().replays), (1, 0));
}

#[test]
fn lb_12_a_callback_that_is_loaded_again_exchanges_nothing() {
    let (server, chromium) = start();
    let login = Login::begin(server.issuer(), SignIn::new());
    approve(&chromium, &login.url);
    expect(&chromium, SUCCESS);
    chromium.reload();
    expect(&chromium, ALREADY_USED);
    login.end().unwrap();
    assert_eq!((server.count(Endpoint::Token), server.counters().replays), (1, 0));
}

#[test]
fn the_back_button_exchanges_nothing() {
    let (server, chromium) = start();
    let login = Login::begin(server.issuer(), SignIn::new());
    approve(&chromium, &login.url);
    expect(&chromium, SUCCESS);
    chromium.back();
    assert!(chromium.url().starts_with(server.issuer()), "{}", chromium.url());
    login.end().unwrap();
    assert_eq!((server.count(Endpoint::Token), server.counters().replays), (1, 0));
}

#[test]
fn lb_03_a_browser_that_connects_ahead_does_not_block() {
    let (server, chromium) = start();
    let login = Login::begin(server.issuer(), SignIn::new());
    let port = login.port();
    let idle: Vec<_> =
        (0..8).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens")).collect();
    let hints = format!(
        "data:text/html,<link rel=preconnect href='http://127.0.0.1:{port}'>\
         <link rel=preconnect crossorigin href='http://127.0.0.1:{port}'>"
    );
    chromium.open(&hints);
    wait_until("Chromium connects ahead", || connections_to(port) > idle.len());
    assert!(login.waits());
    approve(&chromium, &login.url);
    expect(&chromium, SUCCESS);
    login.end().unwrap();
}

#[test]
fn lb_10_what_browsers_ask_for_besides_uses_nothing_up() {
    let (server, chromium) = start();
    let login = Login::begin(server.issuer(), SignIn::new());
    let origin = login.redirect_uri.join("/").unwrap();
    chromium.open(&format!("{origin}favicon.ico"));
    chromium.open(origin.as_str());
    expect(&chromium, NOT_OURS);
    chromium.open(&format!("{origin}callback?state=another&code=planted"));
    expect(&chromium, NOT_OURS);
    assert!(!chromium.text().contains("planted"));
    assert_no_policy_is_broken(&chromium);
    assert!(login.waits());
    assert!(login.notes().iter().any(|note| note.contains("old tab")), "{:?}", login.notes());
    approve(&chromium, &login.url);
    expect(&chromium, SUCCESS);
    login.end().unwrap();
}

/// The state is the right one: what the browser says of the request is all that tells it from a person's.
#[test]
fn lb_13_pictures_frames_and_prefetches_use_nothing_up() {
    let (server, chromium) = start();
    let login = Login::begin(server.issuer(), SignIn::new());
    let url: Url = login.url.parse().unwrap();
    let (_, state) = url.query_pairs().find(|(name, _)| name == "state").expect("it has a state");
    let answer = format!("{}?state={state}&code=planted", login.redirect_uri);
    // Another site's page, on this machine: one that is from nowhere does not get so far.
    let elements = ["img src", "iframe src", "link rel=prefetch href"];
    let page = elements.map(|element| format!("<{element}='{answer}'>")).concat();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", other.local_addr().unwrap());
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", page.len());
    thread::spawn(move || {
        for mut stream in other.incoming().flatten() {
            // What it asks for is not read: this is all there is.
            let _gone = stream.write_all((head.clone() + &page).as_bytes());
        }
    });
    chromium.open(&url);
    let is_refused = |note: &String| note.contains("a web page made it");
    wait_until("a request comes and is refused", || login.notes().iter().any(is_refused));
    assert!(login.waits());
    approve(&chromium, &login.url);
    expect(&chromium, SUCCESS);
    login.end().unwrap();
    assert_eq!((server.count(Endpoint::Token), server.counters().replays), (1, 0));
}

#[test]
fn lb_22_a_broken_policy_would_be_seen() {
    let (server, chromium) = start();
    let login = Login::begin(server.issuer(), SignIn::new());
    chromium.open(login.redirect_uri.join("/nothing").unwrap().as_str());
    let width = chromium.run("return getComputedStyle(document.querySelector('main')).maxWidth");
    assert_ne!(width, "none", "the policy admits the page's own style");
    assert_no_policy_is_broken(&chromium);
    let _ = chromium.run("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p>')");
    let broken = broken_policies(&chromium);
    assert_eq!(broken.len(), 1, "{broken:?}");
}

/// Every page, by day and by night, on a small screen and on a large one.
#[test]
fn the_pages_fit_their_screens_and_are_kept_as_pictures() {
    let (server, chromium) = start();
    let sign_in = || SignIn::new().application("Example Desk");

    server.fault_once(Endpoint::Token, Fault::Slow(WHILE));
    let login = Login::begin(server.issuer(), sign_in());
    let callback = login.redirect_uri.clone();
    chromium.open(callback.as_str());
    take_pictures(&chromium, NOT_OURS, "not-ours");
    let waiting = chromium.open_tab();
    to_consent(&chromium, &login.url);
    press_later(&chromium, "button[value=approve]");
    let other = chromium.open_tab();
    wait_until("the answer is there", || server.count(Endpoint::Token) == 1);
    chromium.open(callback.as_str());
    take_pictures(&chromium, ALREADY_USED, "already-used");
    chromium.switch_to(&waiting);
    take_pictures(&chromium, SUCCESS, "success");
    login.end().unwrap();
    chromium.switch_to(&other);

    let login = Login::begin(server.issuer(), sign_in());
    to_consent(&chromium, &login.url);
    chromium.click("button[value=deny]");
    take_pictures(&chromium, FAILURE, "failure");
    login.end().unwrap_err();

    server.fault_once(Endpoint::Token, Fault::Slow(Duration::from_secs(6)));
    let login = Login::begin(server.issuer(), sign_in());
    approve(&chromium, &login.url);
    take_pictures(&chromium, NEUTRAL, "neutral");
    login.end().unwrap();
}

fn start() -> (TestServer, Chromium) {
    let chromium = Chromium::start().unwrap_or_else(|why| panic!("{why}"));
    // Past the capture of a test's output: whoever reads that of check.sh wants to know. Once.
    static SAID: std::sync::Once = std::sync::Once::new();
    SAID.call_once(|| {
        let _said = writeln!(std::io::stderr(), "the browser tests use {}", chromium.version());
    });
    (TestServer::start().unwrap(), chromium)
}

/// Ada signs in, and is asked whether she agrees.
fn to_consent(chromium: &Chromium, url: &str) {
    chromium.open(url);
    chromium.click("button[value=ada]");
    expect(chromium, "Do you agree? - demo server");
}

/// Ada signs in, and agrees.
fn approve(chromium: &Chromium, url: &str) {
    to_consent(chromium, url);
    chromium.click("button[value=approve]");
}

/// Waits for the page of this title: a click returns before the page that comes of it is there.
#[track_caller]
fn expect(chromium: &Chromium, title: &str) {
    wait_until(&format!("the page says {title:?}"), || chromium.title() == title);
}

/// Presses a button, and does not wait for the page that comes of it.
fn press_later(chromium: &Chromium, selector: &str) {
    let _ = chromium.run(&format!("setTimeout(() => document.querySelector('{selector}').click(), 200)"));
}

fn broken_policies(chromium: &Chromium) -> Vec<String> {
    let mut lines = chromium.console();
    lines.retain(|line| line.contains("Content Security Policy"));
    lines
}

#[track_caller]
fn assert_no_policy_is_broken(chromium: &Chromium) {
    assert_eq!(broken_policies(chromium), Vec::<String>::new());
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("it never happened that {what}");
}

/// How many connections to a port of 127.0.0.1 are open, as the system counts them.
fn connections_to(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!("0100007F:{port:04X}");
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.get(1) == Some(&&*local) && fields.get(3) == Some(&"01"))
        .count()
}

#[track_caller]
fn take_pictures(chromium: &Chromium, title: &str, name: &str) {
    expect(chromium, title);
    assert_no_policy_is_broken(chromium);
    let folder = pictures();
    for (width, height) in [(390, 700), (1280, 800)] {
        for (scheme, dark) in [("light", false), ("dark", true)] {
            chromium.show_as(width, height, dark);
            let wide = chromium.run("return document.documentElement.scrollWidth > innerWidth");
            assert_eq!(wide, "false", "{name} is wider than a screen of {width} pixels");
            chromium.screenshot(&folder.join(format!("{name}-{width}x{height}-{scheme}.png")));
        }
    }
}

fn pictures() -> PathBuf {
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("Cargo's folder for tests is in target");
    let folder = target.join("screenshots");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn refusal(error: Error) -> ErrorCode {
    let Error::Failure(failure) = error else { panic!("{error}") };
    match *failure.error {
        protocol::Error::Server(refusal) => refusal.code,
        other => panic!("not the server's refusal: {other}"),
    }
}
