//! The events: what is told, in what order, to whom, and what a handler can do about it.

use crate::authority::Authority;
use crate::wire::*;
use oauth::OAuth;
use oauth::component::{ClientProfile, Event, GrantType};
use oauth::core::UnreachableKind;
use oauth::transport::{
    BrowserLaunch, BrowserReturn, ConnectionStatus, CookieSet, Direction, EventHandler, LogEntry, LogLevel,
    Outcome, ServerCertificate, Transfer,
};
use oauth_testserver::TestServer;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// Writes down the names of the events, and the threads that they come on.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<(&'static str, ThreadId)>>>);

impl Recorder {
    fn note(&self, name: &'static str) {
        self.0.lock().unwrap().push((name, thread::current().id()));
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().iter().map(|(name, _)| *name).collect()
    }

    /// Checks that these came in this order, whatever else came between.
    #[track_caller]
    fn told(&self, expected: &[&str]) {
        let names = self.names();
        let mut rest = names.iter();
        for name in expected {
            assert!(rest.any(|told| told == name), "{name} was not told, or not in its order: {names:?}");
        }
    }
}

impl EventHandler for Recorder {
    fn on_connected(&mut self, outcome: &Outcome<'_>) {
        self.note(if matches!(outcome, Outcome::Ok) { "connected" } else { "not connected" });
    }

    fn on_connection_status(&mut self, status: ConnectionStatus, _outcome: &Outcome<'_>) {
        self.note(match status {
            ConnectionStatus::HostConnected => "host connected",
            ConnectionStatus::HostDisconnected => "host disconnected",
            ConnectionStatus::TlsComplete => "tls complete",
            _ => "another status",
        });
    }

    fn on_disconnected(&mut self, _outcome: &Outcome<'_>) {
        self.note("disconnected");
    }

    fn on_start_transfer(&mut self, direction: Direction) {
        self.note(if direction == Direction::Sent { "start sending" } else { "start receiving" });
    }

    fn on_transfer(&mut self, transfer: &Transfer<'_>) {
        self.note(if transfer.direction == Direction::Sent { "sent" } else { "received" });
    }

    fn on_end_transfer(&mut self, direction: Direction) {
        self.note(if direction == Direction::Sent { "end of sending" } else { "end of receiving" });
    }

    fn on_error(&mut self, _error: &(dyn Error + 'static)) {
        self.note("error");
    }

    fn on_header(&mut self, _name: &http::HeaderName, _value: &http::HeaderValue) {
        self.note("header");
    }

    fn on_launch_browser(&mut self, _launch: &mut BrowserLaunch) {
        self.note("launch");
    }

    fn on_log(&mut self, _entry: &LogEntry<'_>) {
        self.note("log");
    }

    fn on_redirect(&mut self, _location: &url::Url, _accept: &mut bool) {
        self.note("redirect");
    }

    fn on_return_url(&mut self, _back: &mut BrowserReturn<'_>) {
        self.note("return");
    }

    fn on_set_cookie(&mut self, cookie: &CookieSet<'_>) {
        assert_eq!((cookie.name, cookie.value, cookie.path), ("sid", "planted-sid", "/"));
        self.note("cookie");
    }

    fn on_ssl_server_authentication(&mut self, certificate: &ServerCertificate<'_>, accept: &mut bool) {
        assert!(*accept && certificate.status == "OK", "{}", certificate.status);
        self.note("certificate");
    }

    fn on_ssl_status(&mut self, _message: &str) {
        self.note("tls");
    }

    fn on_status(&mut self, _version: http::Version, _status: http::StatusCode) {
        self.note("status");
    }
}

/// A server that sets a cookie, behind TLS.
fn server() -> (Authority, Server) {
    let authority = Authority::new();
    let answer = response("200 OK", "set-cookie: sid=planted-sid; Path=/\r\n", &token_body());
    let server = Server::tls(authority.server(), always(answer));
    (authority, server)
}

/// The order on every engine; isahc has no certificate to show.
const ORDER: &[&str] = &[
    "tls complete",
    "host connected",
    "connected",
    "start sending",
    "sent",
    "end of sending",
    "status",
    "header",
    "start receiving",
    "received",
    "end of receiving",
    "cookie",
];

#[test]
fn events_are_told_in_their_order() {
    for engine in ENGINES {
        let (authority, server) = server();
        let recorder = Recorder::default();
        let oauth = client_with(&server.https("/token"), engine, &[&authority.trusted(), "LogLevel=3"]);
        oauth.set_event_handler(recorder.clone());
        oauth.get_authorization().unwrap();
        recorder.told(ORDER);
        recorder.told(&["log", "tls", "connected", "host disconnected", "disconnected"]);
        recorder.told(&["received", "log"]);
        if *engine == "false" {
            recorder.told(&["certificate", "tls complete"]);
        }
        // A failure is told, and is the caller's as well.
        oauth.set_server_token_url("https://127.0.0.1:9/token");
        oauth.get_authorization().unwrap_err();
        recorder.told(&["disconnected", "not connected", "error"]);
    }
}

#[test]
fn queued_events_wait_for_do_events_and_come_on_its_thread() {
    for engine in ENGINES {
        let (authority, server) = server();
        let recorder = Recorder::default();
        let oauth = client_with(&server.https("/token"), engine, &[&authority.trusted()]);
        oauth.set_event_handler(recorder.clone());
        oauth.set_events_queued(true);
        thread::scope(|scope| scope.spawn(|| oauth.get_authorization().unwrap()).join().unwrap());
        let decided = recorder.names();
        assert!(decided.iter().all(|name| *name == "certificate"), "those without a say wait: {decided:?}");
        let count = oauth.do_events();
        assert_eq!(recorder.names().len(), decided.len() + count - local_addresses(count));
        let here = thread::current().id();
        assert!(recorder.0.lock().unwrap()[decided.len()..].iter().all(|(_, on)| *on == here));
        recorder.told(ORDER);
        assert_eq!(oauth.do_events(), 0);
        // Nothing is lost when the way is changed.
        oauth.get_authorization().unwrap();
        let before = recorder.names().len();
        oauth.set_events_queued(false);
        assert!(recorder.names().len() > before);
        assert_eq!(oauth.do_events(), 0);
    }
}

/// One event of each connection is none of the sixteen, and is not written down.
fn local_addresses(count: usize) -> usize {
    usize::from(count > 0)
}

#[test]
fn observers_see_everything_without_a_secret_and_cost_nothing_when_they_are_gone() {
    for engine in ENGINES {
        let (authority, server) = server();
        let lines = [
            &authority.trusted(),
            "LogLevel=3",
            "Authorization=Own planted-authorization",
            "OtherHeaders=X-Key: planted-key",
        ];
        let oauth = client_with(&server.https("/token"), engine, &lines);
        oauth.add_cookie("own", "planted-own");
        oauth.add_form_var("extra", "planted-form-var");
        let (one, two) = (oauth.observe(), oauth.observe());
        drop(two);
        oauth.get_authorization().unwrap();
        let events: Vec<Event> = one.try_iter().collect();
        let text = format!("{events:?} {oauth:?}");
        assert!(!text.contains("planted"), "{text}");
        let has = |wanted: fn(&Event) -> bool| assert!(events.iter().any(wanted), "{events:#?}");
        has(|event| *event == Event::Connected(None));
        has(|event| *event == Event::SetCookie("sid".into(), String::new()));
        has(
            |event| matches!(event, Event::Header(name, value) if name == "set-cookie" && value == "[redacted]"),
        );
        has(
            |event| matches!(event, Event::Header(name, value) if name == "content-type" && value == "application/json"),
        );
        has(|event| matches!(event, Event::Log(LogLevel::Debug, ..)));
        has(|event| matches!(event, Event::Status(http::Version::HTTP_11, http::StatusCode::OK)));
        has(
            |event| matches!(event, Event::Transfer(Direction::Received, bytes, Some(total)) if bytes == total),
        );
    }
}

#[test]
fn secrets_are_in_the_log_where_that_was_asked_for_by_its_name() {
    let server = Server::answering(token());
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &["LogLevel=3"]);
        let events = oauth.observe();
        let logged = || format!("{:?}", events.try_iter().collect::<Vec<_>>());
        oauth.get_authorization().unwrap();
        assert!(!logged().contains(ACCESS_TOKEN));
        oauth.set_dangerously_log_secrets(true);
        oauth.get_authorization().unwrap();
        assert!(logged().contains(ACCESS_TOKEN));
        oauth.set_dangerously_log_secrets(false);
        oauth.get_authorization().unwrap();
        assert!(!logged().contains(ACCESS_TOKEN));
    }
}

/// Says no to every redirect, or yes.
struct Redirector(bool);

impl EventHandler for Redirector {
    fn on_redirect(&mut self, _location: &url::Url, accept: &mut bool) {
        *accept = self.0;
    }
}

#[test]
fn redirects_can_be_refused_and_allowed_one_by_one() {
    for engine in ENGINES {
        for (mode, handler, requests) in [(1, None, 2), (1, Some(false), 1), (0, None, 1), (0, Some(true), 2)]
        {
            let server = Server::new(|connection| {
                use std::io::Write as _;
                while let Some(seen) = connection.request()? {
                    let answer = if seen.line().starts_with("GET /a") {
                        response("302 Found", "location: /b\r\n", b"")
                    } else {
                        response("200 OK", "", br#"{"aud":"client","expires_in":60}"#)
                    };
                    connection.stream.write_all(&answer)?;
                }
                Ok(())
            });
            let info = format!("TokenInfoURL={}", server.url("/a"));
            let oauth =
                client_with(&server.url("/token"), engine, &[&info, &format!("FollowRedirects={mode}")]);
            let events = oauth.observe();
            if let Some(accept) = handler {
                oauth.set_event_handler(Redirector(accept));
            }
            let _either = oauth.config("ValidateToken=t");
            assert_eq!(server.seen().len(), requests, "{engine} {mode} {handler:?}");
            let told = events.try_iter().filter_map(|event| match event {
                Event::Redirect(origin, accepted) => Some((origin, accepted)),
                _ => None,
            });
            assert_eq!(told.collect::<Vec<_>>(), [(server.url(""), requests == 2)]);
        }
    }
}

/// Decides on certificates.
struct Judge(bool);

impl EventHandler for Judge {
    fn on_ssl_server_authentication(&mut self, _certificate: &ServerCertificate<'_>, accept: &mut bool) {
        *accept = self.0;
    }
}

#[test]
fn a_handler_refuses_any_certificate_and_accepts_bad_ones_where_it_may() {
    let (authority, server) = server();
    for (decides, trusted, accept, works) in [
        (false, true, true, true),
        (false, true, false, false),
        (false, false, true, false),
        (false, false, false, false),
        (true, true, true, true),
        (true, true, false, false),
        (true, false, true, true),
    ] {
        let oauth = client(&server.https("/token"));
        let events = oauth.observe();
        if trusted {
            set(&oauth, &[&authority.trusted()]);
        }
        oauth.set_dangerously_decide_on_certificates(decides);
        assert_eq!(oauth.dangerously_decide_on_certificates(), decides);
        oauth.set_event_handler(Judge(accept));
        // It decides at once, even if the rest waits.
        oauth.set_events_queued(true);
        assert_eq!(oauth.get_authorization().is_ok(), works, "{decides} {trusted} {accept}");
        let accepted = events.try_iter().find_map(|event| match event {
            Event::SslServerAuthentication(.., accepted) => Some(accepted),
            _ => None,
        });
        assert_eq!(accepted, Some(works), "what is shown is what was decided");
    }
    if ENGINES.contains(&"true") {
        let oauth = client_with(&server.https("/token"), "true", &[]);
        oauth.set_dangerously_decide_on_certificates(true);
        refused(&oauth, "on_ssl_server_authentication", "isahc does not show certificates");
    }
}

#[test]
fn a_handler_sees_the_certificate_of_each_connection_whatever_is_kept() {
    let (authority, server) = server();
    let lines = [&authority.trusted(), "ReuseSSLSession=true", "KeepAlive=true"];
    let oauth = client_with(&server.https("/token"), "false", &lines);
    oauth.get_authorization().unwrap();
    // Neither the connection nor the session of before has been seen by it.
    oauth.set_event_handler(Judge(false));
    assert_eq!(unreachable(oauth.get_authorization()), UnreachableKind::Tls);
    let recorder = Recorder::default();
    oauth.set_event_handler(recorder.clone());
    for shown in [1, 2] {
        oauth.get_authorization().unwrap();
        oauth.disconnect();
        let told = recorder.names().into_iter().filter(|name| *name == "certificate").count();
        assert_eq!(told, shown);
    }
}

#[test]
fn certificates_are_refused_for_a_handler_that_panicked_until_another_is_set() {
    let (authority, server) = server();
    for decides in [false, true] {
        for queued in [false, true] {
            let oauth = client_with(&server.https("/token"), "false", &[&authority.trusted()]);
            oauth.set_dangerously_decide_on_certificates(decides);
            oauth.set_events_queued(queued);
            // Without any it works, and with one that has not panicked yet.
            oauth.get_authorization().unwrap();
            oauth.set_event_handler(Panicking(Arc::default()));
            oauth.get_authorization().unwrap();
            oauth.do_events();
            for anew in [false, true] {
                if anew {
                    oauth.set_other_headers("x-other: 1").unwrap();
                }
                let events = oauth.observe();
                let error = oauth.get_authorization().unwrap_err();
                let text = error.to_string();
                assert!(text.contains("the handler of the events") && text.contains("panicked"), "{text}");
                assert_eq!(unreachable(Err(error)), UnreachableKind::Tls);
                let accepted = events.try_iter().find_map(|event| match event {
                    Event::SslServerAuthentication(.., accepted) => Some(accepted),
                    _ => None,
                });
                assert_eq!(accepted, Some(false));
            }
            oauth.set_event_handler(Recorder::default());
            oauth.get_authorization().unwrap();
        }
    }
}

/// Makes a call of its own from inside itself, once.
struct Calling(Arc<OAuth>, Arc<Mutex<Option<String>>>);

impl EventHandler for Calling {
    fn on_status(&mut self, _version: http::Version, _status: http::StatusCode) {
        let mut came = self.1.lock().unwrap();
        if came.is_none() {
            *came =
                Some(self.0.get_authorization().map_or_else(|error| error.to_string(), |_| String::new()));
        }
    }
}

#[test]
fn a_call_from_inside_the_handler_has_its_certificates_refused() {
    let (authority, server) = server();
    let oauth = Arc::new(client_with(&server.https("/token"), "false", &[&authority.trusted()]));
    let came = Arc::default();
    oauth.set_events_queued(true);
    oauth.set_event_handler(Calling(Arc::clone(&oauth), Arc::clone(&came)));
    oauth.get_authorization().unwrap();
    oauth.do_events();
    let error = came.lock().unwrap().take().expect("it was called");
    assert!(error.contains("waits for this connection"), "{error}");
    // From outside it goes on.
    oauth.get_authorization().unwrap();
}

/// Empties the command, and has a page of its own; it may panic once it has.
#[derive(Clone, Default)]
struct Browsing {
    urls: Arc<Mutex<Vec<String>>>,
    panics: bool,
}

impl EventHandler for Browsing {
    fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {
        self.urls.lock().unwrap().push(launch.url.to_string());
        launch.command = String::new();
    }

    fn on_return_url(&mut self, back: &mut BrowserReturn<'_>) {
        back.body = Some("<p>A page of the program's own.</p>".into());
        back.headers.insert("x-own", http::HeaderValue::from_static("1"));
        assert!(!self.panics);
    }
}

#[test]
fn a_handler_empties_the_launch_and_sets_the_page() {
    for engine in ENGINES {
        for panics in [false, true] {
            let server = TestServer::start().unwrap();
            let oauth = OAuth::new();
            oauth.set_dangerously_plain_http_on_loopback(true);
            set(&oauth, &[&format!("UsePlatformHTTPClient={engine}")]);
            oauth.set_client_profile(ClientProfile::Application);
            oauth.set_grant_type(GrantType::AuthorizationCode);
            oauth.set_client_id("demo");
            oauth.set_server_auth_url(format!("{}/authorize", server.issuer()));
            oauth.set_server_token_url(format!("{}/token", server.issuer()));
            let handler = Browsing { panics, ..Browsing::default() };
            let events = oauth.observe();
            oauth.set_event_handler(handler.clone());
            let landing = thread::scope(|scope| {
                let call = scope.spawn(|| oauth.get_authorization());
                let url = loop {
                    if let Some(url) = handler.urls.lock().unwrap().first() {
                        break url.clone();
                    }
                    assert!(!call.is_finished(), "{:?}", call.join());
                    thread::sleep(Duration::from_millis(5));
                };
                let landing = oauth_testserver::Browser::new().sign_in("ada", &url).unwrap();
                call.join().unwrap().unwrap();
                landing
            });
            let own = landing.body.contains("A page of the program's own.");
            assert_eq!(own, !panics, "{engine}: {}", landing.body);
            let events: Vec<_> = events.try_iter().collect();
            assert!(events.contains(&Event::LaunchBrowser(String::new())), "{events:?}");
            let back = events.iter().find_map(|event| match event {
                Event::ReturnUrl(path, query) => Some((path.as_str(), query.as_str())),
                _ => None,
            });
            let (path, query) = back.expect("the browser came back");
            assert!(path == "/" && query.contains("code=[redacted]"), "{path} {query}");
            let code = landing
                .url
                .split("code=")
                .nth(1)
                .and_then(|rest| rest.split('&').next())
                .unwrap_or("demo-code-");
            assert!(!format!("{events:?}").contains(code), "{events:?}");
        }
    }
}

/// Panics at its first event.
struct Panicking(Arc<AtomicUsize>);

impl EventHandler for Panicking {
    fn on_connected(&mut self, _outcome: &Outcome<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("as this test wants it");
    }

    fn on_status(&mut self, _version: http::Version, _status: http::StatusCode) {
        self.0.fetch_add(100, Ordering::SeqCst);
    }
}

#[test]
fn a_handler_that_panics_is_not_called_again_and_the_call_goes_on() {
    let server = Server::answering(token());
    for engine in ENGINES {
        for queued in [false, true] {
            let calls = Arc::new(AtomicUsize::new(0));
            let oauth = client_with(&server.url("/token"), engine, &[]);
            oauth.set_events_queued(queued);
            oauth.set_event_handler(Panicking(Arc::clone(&calls)));
            let events = oauth.observe();
            for _ in 0..2 {
                oauth.get_authorization().unwrap();
                oauth.do_events();
            }
            assert_eq!(calls.load(Ordering::SeqCst), 1, "{engine} {queued}");
            assert!(
                events.try_iter().any(|event| matches!(event, Event::Status(..))),
                "observers are told still"
            );
            // Another one takes its place.
            let recorder = Recorder::default();
            oauth.set_event_handler(recorder.clone());
            oauth.get_authorization().unwrap();
            oauth.do_events();
            recorder.told(&["connected", "status"]);
        }
    }
}

/// Reads, sets, and ends calls from inside itself.
struct Meddling(Arc<OAuth>);

impl EventHandler for Meddling {
    fn on_connected(&mut self, _outcome: &Outcome<'_>) {
        assert!(!self.0.idle() && self.0.config("LogLevel").is_ok());
        assert_eq!(self.0.do_events(), 0, "an event is told after the one before");
        assert!(self.0.get_authorization().is_err(), "a call is under way");
        self.0.set_events_queued(true);
        self.0.set_events_queued(false);
        self.0.interrupt();
        self.0.set_event_handler(Recorder::default());
    }
}

#[test]
fn a_handler_may_use_the_component_from_inside_itself() {
    let server = Server::new(|connection| {
        connection.request()?;
        thread::sleep(Duration::from_secs(3));
        Ok(())
    });
    let oauth = Arc::new(client(&server.url("/token")));
    oauth.set_event_handler(Meddling(Arc::clone(&oauth)));
    let error = oauth.get_authorization().unwrap_err().to_string();
    assert!(error.starts_with("the call was interrupted"), "{error}");
}
