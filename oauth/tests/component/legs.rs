//! Logins of two legs, and calls that are left in the middle: nothing of a person's is lost, and nothing goes astray.

use super::witness::{CODES, TOKENS, Witness, client_credentials, come_back, read, set, site};
use oauth::OAuth;
use oauth::component::{ClientProfile, ComponentError, GrantType};
use oauth::transport::{BrowserLaunch, EventHandler};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_code_goes_to_no_other_server_than_its_login_was_begun_at() {
    let (ours, other) = (Witness::of_tokens(), Witness::of_tokens());
    let oauth = site(&ours);
    oauth.get_authorization_url().unwrap();
    oauth.set_authorization_code("a-code");
    let elsewhere = |oauth: &OAuth| {
        let error = oauth.get_authorization().unwrap_err();
        assert!(error.to_string().contains("begun at another server"), "{error}");
    };
    oauth.set_server_auth_url(format!("{}/authorize", other.url));
    elsewhere(&oauth);
    oauth.set_server_auth_url(format!("{}/authorize", ours.url));
    oauth.set_server_token_url(format!("{}/token", other.url));
    elsewhere(&oauth);
    oauth.set_server_token_url(format!("{}/token", ours.url));
    // In another process as well, and nothing is lost by it.
    let stored = oauth.take_pending().unwrap();
    let second = site(&other);
    second.restore_pending(stored.expose()).unwrap();
    second.set_authorization_code("a-code");
    elsewhere(&second);
    assert!(other.heard().is_empty() && ours.heard().is_empty());
    // One that knows the token endpoint alone finishes it.
    second.set_server_auth_url("");
    second.set_server_token_url(format!("{}/token", ours.url));
    second.get_authorization().unwrap();
    assert_eq!(ours.only().form()["code"], "a-code");
}

#[test]
fn a_stored_login_that_is_damaged_is_refused() {
    let witness = Witness::of_tokens();
    let oauth = site(&witness);
    oauth.get_authorization_url().unwrap();
    let stored = oauth.take_pending().unwrap();
    let whole = stored.expose();
    let end = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for damaged in [&b""[..], b"\n", &whole[end + 1..], &whole[..=end], &whole[1..]] {
        let error = oauth.restore_pending(damaged).unwrap_err();
        assert!(error.to_string().contains("sign in again"), "{error}");
    }
    oauth.restore_pending(whole).unwrap();
}

#[test]
fn a_code_that_nobody_was_sent_is_as_good_as_before() {
    let witness = Witness::of_tokens();
    let oauth = site(&witness);
    oauth.get_authorization_url().unwrap();
    oauth.set_authorization_code("a-code");
    let (token_url, client_id) = (oauth.server_token_url(), oauth.client_id());
    let fails = |what: &str| {
        let error = oauth.get_authorization().unwrap_err();
        assert!(error.to_string().contains(what), "{what}: {error}");
    };
    oauth.set_server_token_url("");
    fails("server_token_url is refused: it is empty");
    oauth.set_server_token_url(token_url);
    let folder = tempfile::tempdir().unwrap();
    oauth.set_local_file(Some(folder.path().join("no/such/folder")));
    fails("cannot be written");
    oauth.set_local_file(None);
    oauth.set_client_id("another");
    fails("another client");
    oauth.set_client_id(client_id);
    // Nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    set(&oauth, &["ProxyServer=127.0.0.1", &format!("ProxyPort={}", free.port())]);
    fails("the proxy failed");
    set(&oauth, &["ProxyServer="]);
    assert!(witness.heard().is_empty());
    oauth.get_authorization().unwrap();
    assert_eq!(witness.only().form()["code"], "a-code");

    // A login that is begun anew has no code yet.
    oauth.set_refresh_token("");
    oauth.set_authorization_code("of-the-last-one");
    oauth.get_authorization_url().unwrap();
    assert_eq!(oauth.authorization_code().expose(), "");
}

#[test]
fn a_refresh_token_does_not_stay_beside_the_access_token_of_somebody_else() {
    let witness = Witness::start(|heard| match heard.line.starts_with("POST /authorize") {
        true => (200, CODES.to_owned()),
        false => (200, r#"{"access_token":"at-of-b","token_type":"bearer"}"#.to_owned()),
    });
    for profile in [ClientProfile::WebServer, ClientProfile::Device] {
        let oauth = site(&witness);
        oauth.set_client_profile(profile);
        oauth.set_refresh_token("rt-of-a");
        oauth.get_authorization_url().unwrap();
        if profile == ClientProfile::WebServer {
            oauth.set_authorization_code("code-of-b");
        }
        oauth.get_authorization().unwrap();
        assert_eq!(oauth.access_token().expose(), "at-of-b");
        assert_eq!(oauth.refresh_token().expose(), "", "{profile:?}");
        // A renewal that brings no new one leaves the one that it used.
        oauth.set_refresh_token("rt-of-b");
        oauth.get_authorization().unwrap();
        assert_eq!(oauth.refresh_token().expose(), "rt-of-b");
    }
}

#[test]
fn an_interrupt_counts_from_the_moment_that_a_call_is_under_way() {
    let witness = Witness::start(|_| {
        thread::sleep(Duration::from_millis(200));
        (200, TOKENS.to_owned())
    });
    let oauth = client_credentials(&witness);
    for cookie in 0..50 {
        oauth.add_cookie(format!("c{cookie}"), "v");
    }
    for round in 0..20 {
        let result = thread::scope(|scope| {
            scope.spawn(|| {
                while oauth.idle() {
                    std::hint::spin_loop();
                }
                oauth.interrupt();
            });
            oauth.get_authorization()
        });
        assert!(matches!(result, Err(ComponentError::Interrupted)), "round {round}: {result:?}");
    }
    // One that comes when nobody calls is of no call.
    oauth.interrupt();
    oauth.get_authorization().unwrap();
}

/// A person who reads a code off a device has it for ten minutes.
#[test]
fn a_device_goes_on_with_its_login_where_a_call_was_left() {
    let polls = AtomicUsize::new(0);
    let witness = Witness::start(move |heard| {
        if heard.line.starts_with("POST /authorize") {
            return (200, CODES.to_owned());
        }
        match polls.fetch_add(1, Ordering::SeqCst) {
            0 => {
                thread::sleep(Duration::from_millis(900));
                (400, r#"{"error":"authorization_pending"}"#.to_owned())
            }
            _ => (200, TOKENS.to_owned()),
        }
    });
    let oauth = witness.component();
    oauth.set_client_profile(ClientProfile::Device);
    oauth.get_authorization_url().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // While it waits, and while a request is under way.
    for left_after in [200, 1300] {
        let left = runtime.block_on(async {
            tokio::time::timeout(Duration::from_millis(left_after), oauth.get_authorization_async()).await
        });
        assert!(left.is_err(), "{left:?}");
    }
    let interrupted = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(100));
            oauth.interrupt();
        });
        oauth.get_authorization()
    });
    assert!(matches!(interrupted, Err(ComponentError::Interrupted)), "{interrupted:?}");
    oauth.get_authorization().unwrap();
    let asked = witness.heard().iter().filter(|heard| heard.line.starts_with("POST /authorize")).count();
    assert_eq!(asked, 1, "nobody has to type another code");
    // It is finished once.
    oauth.set_refresh_token("");
    let error = oauth.get_authorization().unwrap_err();
    assert!(error.to_string().contains("call get_authorization_url"), "{error}");
}

#[test]
fn a_call_keeps_to_the_engine_that_it_began_with() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    for round in 0..60 {
        let together = Barrier::new(2);
        oauth.set_refresh_token("");
        thread::scope(|scope| {
            scope.spawn(|| {
                together.wait();
                set(&oauth, &[&format!("UsePlatformHTTPClient={}", round % 2 == 0)]);
            });
            together.wait();
            oauth.get_authorization().unwrap();
        });
    }
}

/// A person who is signed in already is back at once.
#[test]
fn a_browser_that_is_back_before_the_call_waits_for_it() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    oauth.set_client_profile(ClientProfile::Mobile);
    let url = oauth.get_authorization_url().unwrap();
    let page = thread::scope(|scope| {
        let browser = scope.spawn(|| come_back(&url));
        thread::sleep(Duration::from_millis(300));
        assert!(!browser.is_finished(), "nobody turns it away");
        oauth.get_authorization().unwrap();
        browser.join().unwrap()
    });
    assert!(page.contains("You are signed in"), "{page}");
    // What is finished elsewhere is expected here no more.
    let url = oauth.get_authorization_url().unwrap();
    let _elsewhere = oauth.take_pending();
    assert!(come_back(&url).starts_with("HTTP/1.1 4"));
}

/// Asks another thread before it answers.
struct Asks {
    question: Sender<()>,
    answer: Mutex<Receiver<()>>,
    waited: Sender<bool>,
}

impl EventHandler for Asks {
    fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {
        launch.command.clear();
        self.question.send(()).unwrap();
        let answered = self.answer.lock().unwrap().recv_timeout(Duration::from_secs(8)).is_ok();
        self.waited.send(answered).unwrap();
    }
}

/// A window asks its person, who sits at the thread that hands the events over.
#[test]
fn a_handler_may_wait_for_the_thread_that_does_events() {
    let witness = Witness::of_tokens();
    let oauth = Arc::new(witness.component());
    let ((question, asked), (say, answer), (waited, answered)) = (channel(), channel(), channel());
    oauth.set_event_handler(Asks { question, answer: answer.into(), waited });
    oauth.set_events_queued(true);
    thread::scope(|scope| {
        let call = scope.spawn(|| oauth.get_authorization());
        asked.recv().unwrap();
        let begun = Instant::now();
        oauth.do_events();
        assert!(begun.elapsed() < Duration::from_secs(4), "it stood still for {:?}", begun.elapsed());
        say.send(()).unwrap();
        assert!(answered.recv().unwrap());
        oauth.interrupt();
        assert!(matches!(call.join().unwrap(), Err(ComponentError::Interrupted)));
    });
    assert!(oauth.do_events() > 0, "nothing of it is lost");
}

#[test]
fn a_parameter_goes_with_the_request_that_asks() {
    let witness = Witness::start(|heard| match heard.line.starts_with("POST /authorize") {
        true => (200, CODES.to_owned()),
        false => (200, r#"{"access_token":"at","token_type":"bearer"}"#.to_owned()),
    });
    let audience = || witness.heard().pop().unwrap().form().get("audience").cloned();
    let said = Some("https://api.example/?a&b".to_owned());
    let oauth = client_credentials(&witness);
    oauth.add_param("audience", "https://api.example/?a&b");
    oauth.get_authorization().unwrap();
    assert_eq!(audience(), said);

    oauth.set_grant_type(GrantType::Password);
    oauth.add_form_var("username", "ada");
    oauth.add_form_var("password", "a-password");
    oauth.get_authorization().unwrap();
    assert_eq!(audience(), said);

    oauth.set_grant_type(GrantType::AuthorizationCode);
    set(&oauth, &["FormVarCount=0"]);
    oauth.set_client_profile(ClientProfile::Device);
    oauth.get_authorization_url().unwrap();
    assert_eq!(audience(), said);
    oauth.get_authorization().unwrap();
    assert_eq!(audience(), None, "that is the poll");

    let heard = witness.heard().len();
    for (name, what) in [("client_id", "protocol's own"), ("", "one is empty")] {
        let oauth = client_credentials(&witness);
        oauth.add_param(name, "x");
        let error = oauth.get_authorization().unwrap_err().to_string();
        assert!(error.contains("add_param") && error.contains(what), "{error}");
    }
    assert_eq!(witness.heard().len(), heard);
}

#[test]
fn a_token_that_cannot_be_looked_at_now_leaves_what_was_said_of_the_last() {
    let witness = Witness::start(|heard| match heard.line.contains("tokeninfo") {
        true => (200, r#"{"aud":"client","scope":"read","expires_in":60}"#.to_owned()),
        false => {
            thread::sleep(Duration::from_millis(400));
            (200, TOKENS.to_owned())
        }
    });
    let oauth = client_credentials(&witness);
    set(&oauth, &[&format!("TokenInfoURL={}/tokeninfo", witness.url), "ValidateToken=at-1"]);
    thread::scope(|scope| {
        let call = scope.spawn(|| oauth.get_authorization());
        while oauth.idle() {
            thread::yield_now();
        }
        assert!(matches!(oauth.validate_token("at-2"), Err(ComponentError::Busy)));
        call.join().unwrap().unwrap();
    });
    assert_eq!(read(&oauth, "TokenInfoFieldCount"), "3");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_file_for_responses() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    oauth.set_local_file(Some(pipe));
    let error = oauth.get_authorization().unwrap_err();
    assert!(error.to_string().contains("it is a pipe"), "{error}");
    assert!(witness.heard().is_empty());
}
