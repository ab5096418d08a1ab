//! What is set, asked and reset while a call is under way, from inside its events or another thread, and between two calls.

use super::profiles::KEYS;
use super::witness::{
    CODES, TOKENS, Witness, client_credentials, come_back, query, read, set, visit, with_person,
};
use crate::authority::Authority;
use crate::wire::{Server, always, token};
use oauth::OAuth;
use oauth::component::{ClientProfile, ComponentError};
use oauth::transport::{EventHandler, LogEntry};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

/// Does something once, when a line of the log has this in it.
struct When<F: FnOnce() + Send> {
    line: &'static str,
    act: Option<F>,
}

impl<F: FnOnce() + Send> EventHandler for When<F> {
    fn on_log(&mut self, entry: &LogEntry<'_>) {
        if entry.message.contains(self.line)
            && let Some(act) = self.act.take()
        {
            act();
        }
    }
}

fn when<F: FnOnce() + Send>(line: &'static str, act: F) -> When<F> {
    When { line, act: Some(act) }
}

const DANGER: &str = "TransferredDataLimit";
const PLAIN_HTTP: &str = "plain http";

#[test]
fn a_handler_sets_resets_and_interrupts_from_inside_a_warning() {
    let witness = Witness::of_tokens();
    let oauth = Arc::new(client_credentials(&witness));
    set(&oauth, &["TransferredDataLimit=0"]);
    let inside = Arc::clone(&oauth);
    oauth.set_event_handler(when(DANGER, move || set(&inside, &["UserAgent=later"])));
    oauth.get_authorization().unwrap();
    oauth.set_refresh_token("");
    oauth.get_authorization().unwrap();
    let agents: Vec<_> = witness.heard().iter().map(|heard| heard.head.contains("later")).collect();
    assert_eq!(agents, [false, true], "it counts from the next call on");

    for warning in [DANGER, PLAIN_HTTP] {
        let inside = Arc::clone(&oauth);
        oauth.set_refresh_token("");
        oauth.set_event_handler(when(warning, move || inside.interrupt()));
        assert!(matches!(oauth.get_authorization(), Err(ComponentError::Interrupted)), "{warning}");
    }
    let inside = Arc::clone(&oauth);
    oauth.set_event_handler(when(DANGER, move || inside.reset()));
    assert!(matches!(oauth.get_authorization(), Err(ComponentError::Interrupted)));
    assert_eq!(oauth.client_id(), "");
    assert_eq!(witness.heard().len(), 2);
}

#[test]
fn nothing_that_is_set_while_a_call_starts_is_lost() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    for round in 0..50 {
        let together = Barrier::new(2);
        oauth.set_refresh_token("");
        thread::scope(|scope| {
            scope.spawn(|| {
                together.wait();
                set(&oauth, &[&format!("UserAgent=round-{round}")]);
            });
            together.wait();
            oauth.get_authorization().unwrap();
        });
        oauth.set_refresh_token("");
        oauth.get_authorization().unwrap();
        let last = witness.heard().pop().unwrap();
        assert!(last.head.contains(&format!("round-{round}\r\n")), "round {round}: {}", last.head);
    }
}

#[test]
fn a_reset_leaves_nothing_behind_of_a_login_that_starts() {
    let witness = Witness::of_tokens();
    for first_leg in [false, true] {
        let oauth = Arc::new(witness.component());
        let inside = Arc::clone(&oauth);
        let (port, told) = std::sync::mpsc::channel();
        oauth.set_event_handler(when(PLAIN_HTTP, move || {
            inside.reset();
            port.send(()).unwrap();
        }));
        let ended = if first_leg {
            oauth.get_authorization_url().map(drop)
        } else {
            oauth.get_authorization().map(drop)
        };
        assert!(matches!(ended, Err(ComponentError::Interrupted)), "{ended:?}");
        told.recv().expect("it was reset");
        assert_eq!(oauth.web_server_port(), 0, "nobody listens");
        assert_eq!(read(&oauth, "AuthorizationURL"), "");
        assert!(oauth.take_pending().is_none());
    }
    // The code of a device, too.
    let witness = Witness::start(|_| (200, CODES.to_owned()));
    let oauth = Arc::new(witness.component());
    oauth.set_client_profile(ClientProfile::Device);
    let inside = Arc::clone(&oauth);
    struct AtTheEnd(Arc<OAuth>);
    impl EventHandler for AtTheEnd {
        fn on_end_transfer(&mut self, direction: oauth::transport::Direction) {
            if direction == oauth::transport::Direction::Received {
                self.0.reset();
            }
        }
    }
    oauth.set_event_handler(AtTheEnd(inside));
    let _ended = oauth.get_authorization_url();
    assert_eq!((read(&oauth, "DeviceUserCode"), read(&oauth, "AuthorizationURL")), Default::default());
}

#[test]
fn a_reset_forgets_the_events_that_nobody_was_told() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    oauth.set_event_handler(when("nothing", || ()));
    oauth.set_events_queued(true);
    oauth.get_authorization().unwrap();
    oauth.reset();
    assert_eq!(oauth.do_events(), 0, "what was transferred is among them");
}

/// The person has the address already.
#[test]
fn a_login_that_was_begun_is_the_one_that_is_waited_for() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    oauth.set_client_profile(ClientProfile::Mobile);
    let made = oauth.get_authorization_url().unwrap();
    let (result, url) = with_person(&oauth, |url, _| {
        assert!(come_back(&made).contains("You are signed in"));
        url.to_owned()
    });
    result.unwrap();
    assert_eq!(url, made);
    // It is of use once, and not where something else is asked for by now.
    let next = |oauth: &OAuth| {
        oauth.set_refresh_token("");
        let (result, url) = with_person(oauth, |url, _| {
            come_back(url);
            url.to_owned()
        });
        result.unwrap();
        url
    };
    assert_ne!(next(&oauth), made);
    let made = oauth.get_authorization_url().unwrap();
    oauth.set_authorization_scope("write");
    let other = next(&oauth);
    assert_ne!(query(&other)["state"], query(&made)["state"]);
    assert_eq!(query(&other)["scope"], "write");
}

#[test]
fn a_device_that_has_a_new_code_is_not_renewed_for_whoever_was_there_before() {
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&polls);
    let witness = Witness::start(move |heard| {
        if heard.line.starts_with("POST /authorize") {
            return (200, CODES.to_owned());
        }
        counted.fetch_add(1, Ordering::SeqCst);
        (200, TOKENS.to_owned())
    });
    let oauth = witness.component();
    oauth.set_client_profile(ClientProfile::Device);
    for _ in 0..2 {
        oauth.get_authorization_url().unwrap();
        oauth.get_authorization().unwrap();
        let sent = witness.heard().pop().unwrap().form();
        assert_eq!(sent["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
    }
    oauth.get_authorization().unwrap();
    assert_eq!(witness.heard().pop().unwrap().form()["grant_type"], "refresh_token");
}

#[test]
fn what_was_said_of_one_token_is_not_said_of_the_next() {
    let witness = Witness::start(|heard| {
        if heard.line.contains("at-good") {
            (200, r#"{"aud":"client","scope":"read","expires_in":60}"#.to_owned())
        } else {
            (400, r#"{"error":"invalid_token"}"#.to_owned())
        }
    });
    let oauth = witness.component();
    set(&oauth, &[&format!("TokenInfoURL={}/tokeninfo", witness.url), "ValidateToken=at-good"]);
    assert_eq!(read(&oauth, "TokenInfoFieldCount"), "3");
    oauth.config("ValidateToken=at-bad").unwrap_err();
    assert_eq!(read(&oauth, "TokenInfoFieldCount"), "0");
}

#[test]
fn a_web_server_that_runs_takes_up_what_is_set_for_it() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    let back = |oauth: &OAuth| {
        oauth.set_refresh_token("");
        let (result, back) = with_person(oauth, |url, _| {
            let back = query(url)["redirect_uri"].clone();
            oauth.interrupt();
            back
        });
        assert!(matches!(result, Err(ComponentError::Interrupted)));
        back
    };
    let first = back(&oauth);
    assert_eq!(back(&oauth), first, "it stays as long as nothing is set");
    oauth.set_web_server_port(oauth.web_server_port());
    assert_eq!(back(&oauth), first, "nor is that another one");
    set(&oauth, &["WebServerHost=localhost"]);
    let second = back(&oauth);
    assert_eq!(second, first.replace("127.0.0.1", "localhost"), "at the port that was set");
    oauth.set_web_server_ssl_enabled(true);
    assert!(back(&oauth).starts_with("https://localhost:"));
    oauth.set_web_server_ssl_enabled(false);
    // With a page of its own there is no need for another.
    let third = back(&oauth);
    set(&oauth, &["WebServerResponse=<h1>Hello</h1>"]);
    assert_eq!(back(&oauth), third);
    assert!(visit("GET", &third, "", "").starts_with("HTTP/1.1 4"), "it answers, and nobody is expected");
}

#[test]
fn cookies_go_to_the_endpoint_that_a_key_file_names() {
    let authority = Authority::new();
    let server = Server::tls(authority.server(), always(token()));
    let oauth = OAuth::new();
    oauth.set_client_profile(ClientProfile::Jwt);
    let file = serde_json::json!({
        "type": "service_account",
        "client_email": "jobs@project.example",
        "private_key": std::fs::read_to_string(format!("{KEYS}/p256.pkcs8.pem")).unwrap(),
        "token_uri": server.https("/token"),
    });
    // A mark at its beginning is no part of it.
    set(&oauth, &[&format!("JWTJSONKey=\u{feff}{file}"), &authority.trusted()]);
    oauth.add_cookie("sid", "c-1");
    oauth.get_authorization().unwrap();
    assert_eq!(server.last().all("cookie"), ["sid=c-1"]);
}
