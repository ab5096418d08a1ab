//! Signing in: what is pasted, what is told of the browser, and who has the last word.
#![cfg(all(feature = "hyper", feature = "loopback"))]
#![allow(missing_docs, reason = "a test")]

use oauth::core::{AuthorizationCode, AuthorizationRequest, NotOurs, OptOut, Policy, Registration};
use oauth::loopback::browser::Browser as Opener;
use oauth::loopback::paste::NotAnAnswer;
use oauth::loopback::{Address, BindError, Listener, ReceiveError};
use oauth::transport::{BrowserLaunch, BrowserReturn, EventHandler, EventSink, LogLevel};
use oauth::{Authorization, Authorizer, Error, HyperHost, PasteNote, Settings, SignIn, Step};
use oauth_testserver::{Browser, Endpoint, Fault, TestServer};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Where the browser is sent, and nothing answers.
const NOWHERE: &str = "http://127.0.0.1:9/callback";

async fn authorizer(server: &TestServer, settings: Settings) -> Authorizer {
    let host = Arc::new(HyperHost::new(settings).unwrap());
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    Authorizer::discover_with(server.issuer(), Registration::public("demo"), policy, host).await.unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What a person copies out of the address that the browser ended at.
type Copied = fn(&str) -> Vec<String>;

fn code(url: &str) -> String {
    url.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

/// A person signs in on another machine and pastes what they copied there; what came of it, and what they were told.
fn paste(
    server: &TestServer,
    sign_in: SignIn,
    copied: Copied,
) -> (Result<Authorization, Error>, Vec<PasteNote>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&notes);
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let sign_in = sign_in.browser(None).paste(move |context| receiver.poll_recv(context)).on_step(
        move |step| match step {
            Step::Open { url } => {
                let mut browser = Browser::new().without_visiting_redirect_uri();
                let landing = browser.sign_in("ada", url.as_str()).unwrap();
                copied(&landing.url).into_iter().for_each(|text| sender.send(text).unwrap());
            }
            Step::Pasted(note) => told.lock().unwrap().push(*note),
            _ => {}
        },
    );
    let result = run(async { authorizer(server, Settings::new()).await.sign_in(sign_in).await });
    let notes = notes.lock().unwrap().clone();
    (result, notes)
}

#[test]
fn an_address_a_query_or_a_code_that_is_pasted_completes_the_login() {
    let server = TestServer::start().unwrap();
    let cases: [(Copied, &[PasteNote]); 4] = [
        (|url| vec![url.to_owned()], &[]),
        (|url| vec![url.split_once('?').unwrap().1.to_owned()], &[]),
        // Wrapped by a terminal, and put in brackets.
        (|url| vec![format!("<{}\n  {}>\r\n", &url[..50], &url[50..])], &[]),
        (|url| vec![code(url)], &[PasteNote::StateUnchecked]),
    ];
    for (copied, wanted) in cases {
        for sign_in in [SignIn::new(), SignIn::new().without_listener(NOWHERE)] {
            let (result, notes) = paste(&server, sign_in, copied);
            assert!(result.is_ok(), "{result:?}");
            assert_eq!(notes, wanted);
        }
    }
}

#[test]
fn what_is_not_the_answer_is_said_and_the_wait_goes_on() {
    let server = TestServer::start().unwrap();
    let (result, notes) = paste(&server, SignIn::new(), |url| {
        let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
        vec![
            String::new(),
            "https://as.example/authorize?response_type=code&client_id=demo".to_owned(),
            "two words".to_owned(),
            url.replace(state, "another"),
            url.replace(state, ""),
            url.to_owned(),
        ]
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(
        notes,
        [
            PasteNote::NotAnAnswer(NotAnAnswer::Empty),
            PasteNote::NotAnAnswer(NotAnAnswer::SignInAddress),
            PasteNote::NotAnAnswer(NotAnAnswer::NotACode),
            PasteNote::NotOurs(NotOurs::OtherState),
            PasteNote::NotOurs(NotOurs::NoState),
        ]
    );
    for note in notes {
        assert!(!note.to_string().contains("another\n") && note.to_string().lines().count() == 1);
    }
}

/// RFC 9700 section 4.5: the code of another login is of no use, since the verifier does not fit.
#[test]
fn a2_a_pasted_code_of_another_login_is_refused_by_the_server() {
    let server = TestServer::start().unwrap();
    let (result, _) = paste(&server, SignIn::new(), |url| {
        // Another login of the same person at the same server, whose code this is.
        let issuer = url.split("iss=").nth(1).unwrap().replace("%3A", ":").replace("%2F", "/");
        let other = format!(
            "{}/authorize?response_type=code&client_id=demo&state=x&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
            issuer.split('&').next().unwrap()
        );
        let landing = Browser::new().without_visiting_redirect_uri().sign_in("grace", &other).unwrap();
        vec![landing.parameter("code").unwrap()]
    });
    let error = result.unwrap_err();
    assert!(error.to_string().contains("invalid_grant"), "{error}");
}

#[test]
fn a4_a_pasted_answer_of_another_issuer_is_refused_before_a_code_is_sent() {
    let server = TestServer::start().unwrap();
    server.fault_always(Endpoint::Authorize, Fault::WrongIssuer);
    let (result, _) = paste(&server, SignIn::new(), |url| vec![url.to_owned()]);
    assert!(result.unwrap_err().to_string().contains("its issuer is"));
    assert_eq!(server.count(Endpoint::Token), 0);
}

#[test]
fn without_a_listener_the_wait_has_an_end_all_the_same() {
    let server = TestServer::start().unwrap();
    run(async {
        let authorizer = authorizer(&server, Settings::new()).await;
        let sign_in = || SignIn::new().browser(None).without_listener(NOWHERE);
        let silent = sign_in().timeout(Duration::from_millis(50)).paste(|_| core::task::Poll::Pending);
        let error = authorizer.sign_in(silent).await.unwrap_err();
        assert!(matches!(error, Error::Receive(ReceiveError::TimedOut)), "{error}");
        for nothing in [sign_in(), sign_in().paste(|_| core::task::Poll::Ready(None))] {
            assert!(matches!(authorizer.sign_in(nothing).await.unwrap_err(), Error::NothingPasted));
        }
        // With one, the browser may still come.
        let ended = SignIn::new().browser(None).timeout(Duration::from_millis(50));
        let error = authorizer.sign_in(ended.paste(|_| core::task::Poll::Ready(None))).await.unwrap_err();
        assert!(matches!(error, Error::Receive(ReceiveError::TimedOut)), "{error}");
    });
}

#[test]
fn an_answer_that_is_pasted_frees_the_port() {
    let server = TestServer::start().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (result, _) =
        paste(&server, SignIn::new().address(Address::new().port(port)), |url| vec![url.to_owned()]);
    assert!(result.is_ok(), "{result:?}");
    let _free = TcpListener::bind(("127.0.0.1", port)).unwrap();
}

#[test]
fn a_code_alone_finishes_a_login_in_two_legs() {
    let server = TestServer::start().unwrap();
    run(async {
        let authorizer = authorizer(&server, Settings::new()).await;
        let ready = authorizer.begin(AuthorizationRequest::new(NOWHERE)).await.unwrap();
        let mut browser = Browser::new().without_visiting_redirect_uri();
        let landing = browser.sign_in("ada", ready.open.as_str()).unwrap();
        let code = AuthorizationCode::new(landing.parameter("code").unwrap());
        assert!(authorizer.finish_by_code(ready.pending, code).await.is_ok());
    });
}

// --- events ---------------------------------------------------------------------------------------------------------

/// A handler that notes what it hears of the browser, and what it makes of it.
struct Handler {
    heard: Arc<Mutex<Vec<String>>>,
    on_launch: fn(&mut BrowserLaunch),
}

impl EventHandler for Handler {
    fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {
        self.heard.lock().unwrap().push(format!("launch {}", launch.command));
        (self.on_launch)(launch);
    }
}

/// A sign-in whose browser is the handler's to choose: what it heard, and what the steps said of the launch.
fn launched(
    browser: Option<Opener>,
    on_launch: fn(&mut BrowserLaunch),
) -> (Vec<String>, Result<Vec<String>, Error>) {
    let server = TestServer::start().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let handler = Handler { heard: Arc::clone(&heard), on_launch };
    let settings = Settings::new().with_events(EventSink::new(handler, LogLevel::None));
    let launches = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&launches);
    let sign_in = SignIn::new().browser(browser).timeout(Duration::from_millis(800)).on_step(move |step| {
        if let Step::Launched(launch) = step {
            told.lock().unwrap().push(launch.to_string());
        }
    });
    let error = run(async { authorizer(&server, settings).await.sign_in(sign_in).await }).unwrap_err();
    let launches = launches.lock().unwrap().clone();
    let heard = heard.lock().unwrap().clone();
    let result =
        if matches!(error, Error::Receive(ReceiveError::TimedOut)) { Ok(launches) } else { Err(error) };
    (heard, result)
}

#[cfg(unix)]
#[test]
fn a_handler_may_rewrite_the_launch_or_have_none() {
    let command = |text: &str| Some(Opener::command(text).unwrap());

    let (heard, launches) = launched(command("true %s"), |_| {});
    assert_eq!(heard, ["launch true %s"]);
    assert!(launches.unwrap()[0].contains("was opened"));

    let (_, launches) = launched(command("true %s"), |launch| launch.command = "false".into());
    assert!(launches.unwrap()[0].contains("false failed"));

    let (_, launches) = launched(command("true %s"), |launch| launch.command.clear());
    assert_eq!(launches.unwrap(), Vec::<String>::new());

    // A program that wants no browser is asked as well.
    let (heard, launches) = launched(None, |_| {});
    assert_eq!((heard, launches.unwrap()), (vec!["launch ".to_owned()], vec![]));
    let (_, launches) = launched(None, |launch| launch.command = "true".into());
    assert_eq!(launches.unwrap().len(), 1);

    // It is asked once, and one that panics has changed nothing.
    let (heard, launches) = launched(command("true %s"), |launch| {
        launch.command.clear();
        panic!("a handler's own");
    });
    assert_eq!(heard.len(), 1);
    assert!(launches.unwrap()[0].contains("was opened"));
}

#[test]
fn lb_35_what_a_handler_rewrites_is_checked_again() {
    let command = || Some(Opener::command("true %s").unwrap());
    let (_, launches) = launched(command(), |launch| launch.url = "file:///etc/passwd".parse().unwrap());
    assert!(matches!(launches, Err(Error::Browser(_))), "{launches:?}");
    let (_, launches) = launched(command(), |launch| launch.command = "\"".into());
    assert!(matches!(launches, Err(Error::BrowserCommand(_))), "{launches:?}");
}

/// A handler that sets what the browser is shown, and keeps what it could see.
struct Returned {
    seen: Arc<Mutex<Vec<String>>>,
    panics: bool,
}

impl EventHandler for Returned {
    fn on_return_url(&mut self, back: &mut BrowserReturn<'_>) {
        self.seen.lock().unwrap().push(format!("{} {} {back:?}", back.path, back.query()));
        assert!(back.expose_query().contains("demo-code-"));
        back.headers.insert("x-own", "yes".parse().unwrap());
        // The listener's own, which stays as it is.
        back.headers.insert("cache-control", "public".parse().unwrap());
        back.body = Some("<title>Done</title>".to_owned());
        assert!(!self.panics);
    }
}

/// The raw response that a browser got in the end, and what the handler saw.
fn returned(sign_in: SignIn, fault: Option<Fault>, panics: bool) -> (String, Vec<String>) {
    let server = TestServer::start().unwrap();
    if let Some(fault) = fault {
        server.fault_once(Endpoint::Token, fault);
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handler = Returned { seen: Arc::clone(&seen), panics };
    let settings = Settings::new().with_events(EventSink::new(handler, LogLevel::None));
    let (sender, shown) = std::sync::mpsc::channel();
    let sign_in = sign_in.browser(None).on_step(move |step| {
        if let Step::Open { url } = step {
            let (url, sender) = (url.to_string(), sender.clone());
            std::thread::spawn(move || {
                let mut browser = Browser::new().without_visiting_redirect_uri();
                let landing = browser.sign_in("ada", &url).unwrap();
                let (host, target) = landing.url["http://".len()..].split_once('/').unwrap();
                let mut stream = TcpStream::connect(host).unwrap();
                write!(stream, "GET /{target} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
                let mut page = String::new();
                stream.read_to_string(&mut page).unwrap();
                sender.send(page).unwrap();
            });
        }
    });
    let result = run(async { authorizer(&server, settings).await.sign_in(sign_in).await });
    let page = shown.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(result.is_ok(), page.contains("<title>Done</title>") || page.contains("You are signed in"));
    let seen = seen.lock().unwrap().clone();
    (page, seen)
}

#[test]
fn a13_a_handler_sees_the_return_redacted_and_sets_the_page() {
    let (page, seen) = returned(SignIn::new(), None, false);
    assert!(page.contains("<title>Done</title>") && page.contains("x-own: yes"), "{page}");
    assert!(
        page.to_ascii_lowercase().contains("cache-control: no-store") && !page.contains("public"),
        "{page}"
    );
    assert_eq!(seen.len(), 1);
    assert!(seen[0].starts_with("/callback code=[redacted]&state=[redacted]&iss=[redacted]"), "{}", seen[0]);
    assert!(!seen[0].contains("demo-code-"), "{}", seen[0]);
}

/// LB-20: the page of a handler is for a login that succeeded.
#[test]
fn lb_20_a_login_that_fails_is_told_in_our_own_words() {
    let (page, seen) = returned(SignIn::new(), Some(Fault::NoTokenType), false);
    assert!(!page.contains("Done") && !page.contains("x-own"), "{page}");
    assert_eq!(seen.len(), 1);
}

#[test]
fn a_handler_that_panics_on_the_return_has_changed_nothing() {
    let (page, seen) = returned(SignIn::new(), None, true);
    assert!(page.contains("You are signed in") && !page.contains("x-own"), "{page}");
    assert_eq!(seen.len(), 1);
}

#[test]
fn a_listener_that_is_bound_already_is_used() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listener = Listener::bind(&Address::new().port(port)).unwrap();
    let (page, _) = returned(SignIn::new().listener(listener), None, false);
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
}

#[test]
fn the_first_address_that_can_be_bound_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let busy = || Address::new().port(port);
    let (page, _) = returned(SignIn::new().addresses([busy(), Address::new()]), None, false);
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let server = TestServer::start().unwrap();
    let sign_in = SignIn::new().browser(None).addresses([busy(), busy()]);
    let error = run(async { authorizer(&server, Settings::new()).await.sign_in(sign_in).await }).unwrap_err();
    assert!(matches!(&error, Error::Bind(BindError::Busy { ports }) if *ports == [port, port]), "{error}");
}

/// What is left to do after the callback has to go on when the blocking call is over.
#[test]
fn a_blocking_sign_in_frees_its_port() {
    let server = TestServer::start().unwrap();
    let authorizer = run(authorizer(&server, Settings::new()));
    let port = Arc::new(Mutex::new(0));
    let bound = Arc::clone(&port);
    let sign_in = SignIn::new().browser(None).on_step(move |step| match step {
        Step::Listening { redirect_uri, .. } => *bound.lock().unwrap() = redirect_uri.port().unwrap(),
        Step::Open { url } => {
            let url = url.to_string();
            std::thread::spawn(move || Browser::new().sign_in("ada", &url));
        }
        _ => {}
    });
    authorizer.blocking().sign_in(sign_in).unwrap();
    let port = *port.lock().unwrap();
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while TcpListener::bind(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < end, "nobody is at the port, and nobody else can have it");
        std::thread::sleep(Duration::from_millis(20));
    }
}
