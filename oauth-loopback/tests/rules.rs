#![allow(missing_docs, reason = "tests name what they check")]
//! The rules of the listener, each over every driver.

mod browser;
mod drivers;

use browser::{Tab, get, request};
use drivers::{Driver, Running};
use oauth_core::{AuthorizationResponse, NotOurs, Recognised};
use oauth_loopback::{Address, BindError, Delivery, Host, Listener, Note, ReceiveError, ReceiveOptions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// Every rule, under every driver that is built.
macro_rules! over_every_driver {
    ($($rule:ident,)+) => {
        mod with_threads { $(#[test] fn $rule() { super::$rule(&crate::drivers::Threads); })+ }
        #[cfg(feature = "tokio")]
        mod with_tokio { $(#[test] fn $rule() { super::$rule(&crate::drivers::Tokio); })+ }
        #[cfg(feature = "async-io")]
        mod with_async_io { $(#[test] fn $rule() { super::$rule(&crate::drivers::AsyncIo); })+ }
        #[cfg(feature = "smol")]
        mod with_smol { $(#[test] fn $rule() { super::$rule(&crate::drivers::Smol); })+ }
        #[cfg(feature = "async-std")]
        mod with_async_std { $(#[test] fn $rule() { super::$rule(&crate::drivers::AsyncStd); })+ }
    };
}

over_every_driver! {
    lb_01_the_browser_may_come_before_the_wait,
    lb_02_a9_the_bound_socket_is_kept,
    lb_03_silent_preconnects_do_not_block,
    lb_03_the_head_has_its_time_in_total,
    lb_03_a11_the_oldest_idle_is_evicted_and_never_the_newcomer,
    lb_03_the_deadline_does_not_wait_for_a_read,
    lb_04_resets_are_nothing,
    lb_05_limits_are_answered_and_the_wait_goes_on,
    lb_07_localhost_listens_on_both_families,
    lb_08_a8_nothing_but_loopback_is_bound,
    lb_10_other_paths_are_not_found,
    lb_11_a7_another_state_is_refused_and_the_wait_goes_on,
    lb_11_an_error_of_ours_ends_the_wait,
    lb_12_a14_the_first_response_wins,
    lb_13_prefetch_and_subresources_use_nothing_up,
    lb_14_methods,
    lb_14_form_post,
    lb_15_a10_the_host_has_to_be_ours,
    lb_18_written_half_closed_and_drained,
    lb_18_a_browser_that_never_closes_is_not_waited_for,
    lb_19_the_grace_is_bounded_and_frees_the_port,
    lb_20_the_page_waits_for_the_end,
    lb_20_a_failure_is_told,
    lb_20_a_long_exchange_gets_the_neutral_page,
    lb_20_a_dropped_reply_leaves_it_open,
    lb_21_a13_nothing_of_the_query_is_in_the_page_or_the_notes,
    lb_22_a12_a15_headers,
    a_cancelled_wait_ends_promptly_and_frees_the_port,
    giving_up_frees_the_port,
}

fn lb_01_the_browser_may_come_before_the_wait(driver: &dyn Driver) {
    let listener = Listener::bind(&Address::new()).unwrap();
    let mut tab = Tab::open(listener.port());
    tab.send(&get(&tab, "/callback?state=s&code=c"));
    let running = driver.start(listener, judge, quick());
    drop(running.callback().reply.success());
    assert_eq!(tab.page().title(), "You are signed in");

    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Listener::bind(&Address::new().port(port)).unwrap_err();
    assert!(
        matches!(&error, BindError::Busy { ports } if *ports == [port]),
        "a busy port shows before anything opens"
    );
    assert!(
        error.to_string().contains(&port.to_string()) && error.to_string().contains("another port"),
        "{error}"
    );
}

fn lb_02_a9_the_bound_socket_is_kept(driver: &dyn Driver) {
    let listener = Listener::bind(&Address::new()).unwrap();
    let port = listener.port();
    assert_eq!(listener.redirect_uri().as_str(), format!("http://127.0.0.1:{port}/callback"));
    assert!(is_taken(port), "from the binding on");
    let running = driver.start(listener, judge, quick());
    running.settle();
    assert!(is_taken(port), "during the wait");
}

fn lb_03_silent_preconnects_do_not_block(driver: &dyn Driver) {
    let running = start(driver, quick().head_timeout(LONG));
    let _silent: Vec<_> = (0..8).map(|_| running.tab()).collect();
    running.settle();
    let tab = running.ask("/callback?state=s&code=c");
    drop(running.callback().reply.success());
    assert_eq!(tab.page().status, 200);
}

fn lb_03_the_head_has_its_time_in_total(driver: &dyn Driver) {
    let running = start(driver, quick().head_timeout(Duration::from_millis(150)));
    let silent = running.tab();
    let mut slow = running.tab();
    let began = Instant::now();
    // A byte now and then buys no time.
    let trickle = "GET /callback?state=s HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
        .bytes()
        .chain(std::iter::repeat(b'x'));
    let cut = trickle.take(10_000).take_while(|byte| slow.try_send(&[*byte]) && slow.is_quiet(10)).count();
    assert!(cut < 1_000 && began.elapsed() < LONG, "cut off after {cut} bytes");
    assert_eq!(slow.page().status, 408);
    assert_eq!(silent.rest(), b"", "a silent one is closed without a word");
    running.completes();
}

fn lb_03_a11_the_oldest_idle_is_evicted_and_never_the_newcomer(driver: &dyn Driver) {
    let running = start(driver, quick().head_timeout(LONG));
    let idle: Vec<_> = (0..200).map(|_| running.tab()).collect();
    let tab = running.ask("/callback?state=s&code=c");
    drop(running.callback().reply.success());
    assert_eq!(tab.page().status, 200);
    let mut idle = idle.into_iter();
    assert_eq!(idle.next().unwrap().rest(), b"", "the oldest is gone");
    assert!(idle.next_back().unwrap().is_quiet(1), "the youngest is still there");
}

fn lb_03_the_deadline_does_not_wait_for_a_read(driver: &dyn Driver) {
    let running = start(driver, quick().head_timeout(LONG).timeout(Duration::from_millis(50)));
    let _silent = running.tab();
    let port = running.port;
    let error = running.end().unwrap_err();
    assert!(matches!(error, ReceiveError::TimedOut));
    assert!(error.to_string().contains("sign in again"), "{error}");
    assert!(is_free(port));
}

fn lb_04_resets_are_nothing(driver: &dyn Driver) {
    let running = start(driver, quick());
    for sent in ["", "GET /call", "GET /callback?state=other HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut tab = running.tab();
        tab.send(sent);
        tab.reset();
    }
    running.completes();
}

fn lb_05_limits_are_answered_and_the_wait_goes_on(driver: &dyn Driver) {
    let running = start(driver, quick().form_post().drain_at_most(LONG));
    let host = format!("Host: 127.0.0.1:{}\r\n", running.port);
    for (expected, bytes) in [
        (414, format!("GET /callback?code={} HTTP/1.1\r\n{host}\r\n", "x".repeat(100_000))),
        (431, format!("GET /callback HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(1_000_000))),
        (
            413,
            format!("POST /callback HTTP/1.1\r\n{host}Content-Length: 65537\r\n\r\n{}", "x".repeat(65_537)),
        ),
        (411, format!("POST /callback HTTP/1.1\r\n{host}\r\n")),
        (411, format!("POST /callback HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nzz\r\n")),
    ] {
        let mut tab = running.tab();
        // The listener may have closed before it was all sent, which is what the limit is for.
        tab.try_send(bytes.as_bytes());
        assert_eq!(tab.page().status, expected, "{}", &bytes[..40.min(bytes.len())].escape_debug());
    }
    let mut post = running.tab();
    post.send(&form(&running, FORM, "state=s&code=c"));
    drop(running.callback().reply.success());
    assert_eq!(post.page().status, 200);
    // Within the limits: a code as long as a JARM response.
    let running = start(driver, quick());
    let tab = running.ask(&format!("/callback?state=s&code={}", "x".repeat(8_000)));
    let callback = running.callback();
    assert!(
        matches!(callback.response.as_response(), AuthorizationResponse::Query(query) if query.len() > 8_000)
    );
    drop(callback.reply.success());
    assert_eq!(tab.page().status, 200);
}

fn lb_07_localhost_listens_on_both_families(driver: &dyn Driver) {
    for family in ["127.0.0.1", "::1"] {
        let listener = Listener::bind(&Address::new().host(Host::Localhost)).unwrap();
        assert_eq!(listener.redirect_uri().host_str(), Some("localhost"));
        let running = driver.start(listener, judge, quick());
        let Ok(stream) = TcpStream::connect((family, running.port)) else {
            // No IPv6 on this machine: then the listener is on IPv4 alone, and the name leads there.
            assert!(family == "::1" && TcpListener::bind(("::1", 0)).is_err());
            continue;
        };
        let mut tab = Tab::over(stream);
        tab.send(&request(
            "GET",
            "/callback?state=s&code=c",
            &format!("Host: localhost:{}\r\n", running.port),
        ));
        drop(running.callback().reply.success());
        assert_eq!(tab.page().status, 200, "{family}");
    }
    let literal = Listener::bind(&Address::new().host(Host::V4)).unwrap();
    assert!(TcpStream::connect(("::1", literal.port())).is_err(), "a literal binds itself alone");
}

fn lb_08_a8_nothing_but_loopback_is_bound(driver: &dyn Driver) {
    let running = start(driver, quick());
    // 127.0.0.2 is this machine as well: a socket bound to 0.0.0.0 would answer there.
    if cfg!(target_os = "linux") {
        assert!(TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), running.port)).is_err());
    }
    running.completes();

    let wide = Address::new().exposed_to_the_network(Ipv4Addr::UNSPECIFIED.into());
    let listener = Listener::bind(&wide).unwrap();
    assert_eq!(
        listener.redirect_uri().host_str(),
        Some("127.0.0.1"),
        "what the browser is told stays the same"
    );
    let running = driver.start(listener, judge, quick());
    if cfg!(target_os = "linux") {
        let mut tab = Tab::over(TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), running.port)).unwrap());
        tab.send(&request("GET", "/callback?state=s", &format!("Host: 192.0.2.7:{}\r\n", running.port)));
        assert_eq!(tab.page().status, 421, "and other names are refused still");
    }
    running.completes();
}

fn lb_10_other_paths_are_not_found(driver: &dyn Driver) {
    let running = start(driver, quick());
    for path in [
        "/",
        "/callback/",
        "/callbac",
        "/callback2",
        "/Callback",
        "/x/callback",
        "/callback%20",
        "//callback",
    ] {
        assert_eq!(running.ask(&format!("{path}?state=s&code=c")).page().status, 404, "{path}");
    }
    let favicon = running.ask("/favicon.ico").page();
    assert_eq!((favicon.status, favicon.body.as_str()), (204, ""));
    running.completes();
}

fn lb_11_a7_another_state_is_refused_and_the_wait_goes_on(driver: &dyn Driver) {
    let (sender, notes) = mpsc::channel();
    let running = start(driver, quick().on_note(move |note| sender.send(note.clone()).unwrap()));
    for target in [
        "/callback?state=other&code=c",
        "/callback?state=other&error=access_denied",
        "/callback?code=c",
        "/callback?error=access_denied",
        "/callback",
        "/callback?state=other&code=c",
    ] {
        let page = running.ask(target).page();
        assert_eq!(
            (page.status, page.title()),
            (400, "This is not the sign-in that is expected here"),
            "{target}"
        );
    }
    running.completes();
    let notes: Vec<_> = notes.iter().collect();
    assert_eq!(
        notes,
        [Note::NotOurs(NotOurs::OtherState), Note::NotOurs(NotOurs::NoState)],
        "each is said once"
    );
    assert!(notes[0].to_string().contains("old tab") && notes[0].to_string().contains("still waiting"));
}

fn lb_11_an_error_of_ours_ends_the_wait(driver: &dyn Driver) {
    let running = start(driver, quick());
    let tab = running.ask("/callback?state=s&error=access_denied");
    let callback = running.callback();
    assert_eq!(query_of(&callback), "state=s&error=access_denied");
    drop(callback.reply.failure());
    assert_eq!(tab.page().title(), "The sign-in did not work");
}

fn lb_12_a14_the_first_response_wins(driver: &dyn Driver) {
    let running = start(driver, quick().grace(LONG));
    let first = running.ask("/callback?state=s&code=first");
    let callback = running.callback();
    assert_eq!(query_of(&callback), "state=s&code=first");
    let during = running.ask("/callback?state=s&code=second").page();
    callback.reply.success().wait();
    let after = running.ask("/callback?state=s&code=first").page();
    assert_eq!((during.status, during.title()), (410, "This answer has been used already"));
    assert_eq!(during, after, "the same static page");
    assert_eq!(first.page().title(), "You are signed in");
}

fn lb_13_prefetch_and_subresources_use_nothing_up(driver: &dyn Driver) {
    let (sender, notes) = mpsc::channel();
    let running = start(driver, quick().on_note(move |note| sender.send(note.clone()).unwrap()));
    for (expected, header) in [
        (204, "Sec-Purpose: prefetch"),
        (204, "Sec-Purpose: prefetch;prerender"),
        (204, "Purpose: prefetch"),
        (204, "X-Moz: Prefetch"),
        (403, "Sec-Fetch-Mode: no-cors"),
        (403, "Sec-Fetch-Dest: image"),
        (403, "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe"),
        (403, "Sec-Fetch-Dest: document\r\nSec-Fetch-Dest: image"),
    ] {
        assert_eq!(running.ask_with("/callback?state=s&code=c", header).page().status, expected, "{header}");
    }
    let tab =
        running.ask_with("/callback?state=s&code=c", "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document");
    drop(running.callback().reply.success());
    assert_eq!(tab.page().status, 200);
    assert_eq!(notes.iter().collect::<Vec<_>>(), [Note::NotANavigation]);
}

fn lb_14_methods(driver: &dyn Driver) {
    let running = start(driver, quick());
    for (method, expected) in [("HEAD", 200), ("OPTIONS", 204), ("PUT", 405), ("DELETE", 405), ("BREW", 405)]
    {
        let page = running.ask_as(method, "/callback?state=s&code=c").page();
        assert_eq!(page.status, expected, "{method}");
        let allow = (method != "HEAD").then_some("GET, HEAD, OPTIONS");
        assert_eq!(page.header("allow"), allow, "{method}");
    }
    let head = running.ask_as("HEAD", "/callback?state=s&code=c").page();
    assert_eq!((head.body.as_str(), head.header("content-length")), ("", None));
    let mut post = running.tab();
    post.send(&form(&running, FORM, "state=s&code=c"));
    assert_eq!(post.page().status, 405, "a POST has to be asked for");
    running.completes();
}

fn lb_14_form_post(driver: &dyn Driver) {
    let running = start(driver, quick().form_post());
    for (expected, content_type) in [(415, "text/plain"), (415, "multipart/form-data; boundary=x")] {
        let mut post = running.tab();
        post.send(&form(&running, content_type, "state=s&code=c"));
        assert_eq!(post.page().status, expected, "{content_type}");
    }
    let mut post = running.tab();
    post.send(&form(&running, FORM, "state=s&code=c"));
    let callback = running.callback();
    assert!(matches!(callback.response.as_response(), AuthorizationResponse::Form(b"state=s&code=c")));
    drop(callback.reply.success());
    assert_eq!(post.page().status, 200);
}

fn lb_15_a10_the_host_has_to_be_ours(driver: &dyn Driver) {
    let (sender, notes) = mpsc::channel();
    let running = start(driver, quick().on_note(move |note| sender.send(note.to_string()).unwrap()));
    let port = running.port;
    for (expected, host) in [
        (421, format!("Host: evil.example:{port}\r\n")),
        (421, format!("Host: localhost.evil:{port}\r\n")),
        (421, format!("Host: 127.0.0.1.evil:{port}\r\n")),
        (421, format!("Host: 127.0.0.1@evil:{port}\r\n")),
        (421, format!("Host: 127.0.0.1:{}\r\n", port ^ 1)),
        (421, "Host: 127.0.0.1\r\n".to_owned()),
        (421, "Host: \r\n".to_owned()),
        (400, String::new()),
        (400, format!("Host: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n")),
    ] {
        let mut tab = running.tab();
        tab.send(&request("GET", "/callback?state=s&code=c", &host));
        assert_eq!(tab.page().status, expected, "{host}");
    }
    running.completes();
    let notes: Vec<_> = notes.iter().collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains(&format!("evil.example:{port}")), "{notes:?}");
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]"] {
        let running = start(driver, quick());
        let mut tab = running.tab();
        tab.send(&request("GET", "/callback?state=s&code=c", &format!("Host: {host}:{}\r\n", running.port)));
        drop(running.callback().reply.success());
        assert_eq!(tab.page().status, 200, "{host}");
    }
    let proxied = Address::new().advertised_as("http://desk.example/in/callback".parse().unwrap());
    let running = driver.start(Listener::bind(&proxied).unwrap(), judge, quick());
    let mut tab = running.tab();
    tab.send(&request("GET", "/in/callback?state=s&code=c", "Host: desk.example\r\n"));
    drop(running.callback().reply.success());
    assert_eq!(tab.page().status, 200, "a redirect URI that was configured is taken to the letter");
}

fn lb_18_written_half_closed_and_drained(driver: &dyn Driver) {
    let running = start(driver, quick().drain_at_most(LONG).grace(Duration::ZERO));
    let mut tab = running.tab();
    // What comes after the request is unread when the page is written: a hard close would reset the connection.
    tab.send(&(get(&tab, "/callback?state=s&code=c") + &get(&tab, "/callback?state=s&code=again")));
    let mut delivery = running.callback().reply.success();
    let page = tab.read_page();
    assert_eq!(page.header("content-length"), Some(page.body.len().to_string().as_str()));
    assert_eq!(page.header("connection"), Some("close"));
    // The page has ended, and this side may still talk: nothing resets it.
    tab.send(&"x".repeat(100_000));
    assert!(is_pending(&mut delivery), "it waits for the browser to close");
    tab.close();
    delivery.wait();
    assert!(is_free(running.port));
}

fn lb_18_a_browser_that_never_closes_is_not_waited_for(driver: &dyn Driver) {
    let running = start(driver, quick().drain_at_most(Duration::from_millis(50)));
    let tab = running.ask("/callback?state=s&code=c");
    let began = Instant::now();
    running.callback().reply.success().wait();
    assert!(began.elapsed() < LONG);
    assert_eq!(tab.page().status, 200);
}

fn lb_19_the_grace_is_bounded_and_frees_the_port(driver: &dyn Driver) {
    let running = start(driver, quick().grace(Duration::from_millis(100)));
    let tab = running.ask("/callback?state=s&code=c");
    let keep_alive = running.tab();
    let port = running.port;
    let delivery = running.callback().reply.success();
    tab.close();
    delivery.wait();
    assert_eq!(running.ask("/favicon.ico").page().status, 204, "within the grace");
    assert_eq!(keep_alive.rest(), b"", "and then nobody is waited for");
    assert!(becomes_free(port));
}

fn lb_20_the_page_waits_for_the_end(driver: &dyn Driver) {
    let running = start(driver, quick().hold_at_most(LONG));
    let tab = running.ask("/callback?state=s&code=c");
    let callback = running.callback();
    assert!(tab.is_quiet(50), "nothing is said before it is true");
    drop(callback.reply.success());
    assert_eq!(tab.page().title(), "You are signed in");
}

fn lb_20_a_failure_is_told(driver: &dyn Driver) {
    let running = start(driver, quick());
    let tab = running.ask("/callback?state=s&code=c");
    drop(running.callback().reply.failure());
    let page = tab.page();
    assert_eq!((page.status, page.title()), (200, "The sign-in did not work"));
    assert!(page.body.contains("Return to the program"));
}

fn lb_20_a_long_exchange_gets_the_neutral_page(driver: &dyn Driver) {
    let running = start(driver, quick().hold_at_most(Duration::from_millis(30)));
    let tab = running.ask("/callback?state=s&code=c");
    let callback = running.callback();
    assert_eq!(tab.page().title(), "Your answer has arrived");
    callback.reply.success().wait();
}

fn lb_20_a_dropped_reply_leaves_it_open(driver: &dyn Driver) {
    let running = start(driver, quick().hold_at_most(LONG * 2));
    let tab = running.ask("/callback?state=s&code=c");
    drop(running.callback());
    assert_eq!(tab.page().title(), "Your answer has arrived");
}

fn lb_21_a13_nothing_of_the_query_is_in_the_page_or_the_notes(driver: &dyn Driver) {
    let planted = "planted<script>alert(1)</script>";
    let (sender, notes) = mpsc::channel();
    let options = quick().application("<b>Desk</b>").on_note(move |note| sender.send(note.clone()).unwrap());
    let running = start(driver, options.hold_at_most(LONG));
    let mut pages = Vec::new();
    for target in [
        format!("/callback?state=other&error={planted}"),
        format!("/{planted}"),
        format!("/callback?{planted}"),
    ] {
        pages.push(running.ask(&target).page());
    }
    pages.push(running.ask_as("BREW", &format!("/callback?{planted}")).page());
    let mut other_host = running.tab();
    other_host.send(&request("GET", "/callback", "Host: evil\u{1b}[31m\r\n"));
    pages.push(other_host.page());
    let tab = running.ask(&format!("/callback?state=s&code={planted}"));
    let callback = running.callback();
    assert!(!format!("{callback:?}").contains("planted"));
    drop(callback.reply.failure());
    pages.push(tab.page());
    for page in pages {
        assert!(!page.body.contains("planted") && !page.body.contains("alert("), "{}", page.body);
        assert!(!page.body.contains("<b>Desk"), "{}", page.body);
    }
    for note in notes.iter() {
        let (shown, debug) = (note.to_string(), format!("{note:?}"));
        assert!(!shown.contains("planted") && !debug.contains("planted"), "{shown}");
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
}

fn lb_22_a12_a15_headers(driver: &dyn Driver) {
    let running = start(driver, quick());
    let pages =
        [running.ask("/nothing").page(), running.ask("/favicon.ico").page(), running.ask("/callback").page()];
    let tab = running.ask("/callback?state=s&code=c");
    drop(running.callback().reply.success());
    for page in pages.into_iter().chain([tab.page()]) {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(
            policy.ends_with("'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        );
        assert_eq!(policy.contains("; script-src 'sha256-"), !page.body.is_empty(), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("connection"), Some("close"));
        // A page that sends the browser on would send it where a stranger says.
        assert_eq!(page.header("location"), None);
        assert!(!(300..400).contains(&page.status) && !page.body.contains("http-equiv=\"refresh\""));
        let html = (page.status != 204).then_some("text/html; charset=utf-8");
        assert_eq!(page.header("content-type"), html);
    }
}

fn a_cancelled_wait_ends_promptly_and_frees_the_port(driver: &dyn Driver) {
    let listener = Listener::bind(&Address::new()).unwrap();
    let cancel = listener.cancel_handle();
    let running = driver.start(listener, judge, quick());
    let _silent = running.tab();
    let port = running.port;
    let began = Instant::now();
    cancel.cancel();
    assert!(matches!(running.end(), Err(ReceiveError::Cancelled)));
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert!(is_free(port));

    // The grace ends with it as well.
    let listener = Listener::bind(&Address::new()).unwrap();
    let cancel = listener.cancel_handle();
    let running = driver.start(listener, judge, quick().grace(LONG));
    let tab = running.ask("/callback?state=s&code=c");
    let delivery = running.callback().reply.success();
    drop(tab.page());
    delivery.wait();
    cancel.cancel();
    assert!(becomes_free(running.port));
}

fn giving_up_frees_the_port(driver: &dyn Driver) {
    let listener = Listener::bind(&Address::new()).unwrap();
    let port = listener.port();
    if driver.give_up(listener, judge, quick()) {
        assert!(is_free(port));
    }
    let unused = Listener::bind(&Address::new()).unwrap();
    let port = unused.port();
    drop(unused);
    assert!(is_free(port));
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(20);

fn quick() -> ReceiveOptions {
    ReceiveOptions::new()
        .timeout(LONG)
        .hold_at_most(LONG)
        .head_timeout(Duration::from_secs(5))
        .drain_at_most(Duration::from_millis(100))
        .grace(Duration::from_millis(20))
}

fn start(driver: &dyn Driver, options: ReceiveOptions) -> Running {
    driver.start(Listener::bind(&Address::new()).unwrap(), judge, options)
}

/// Ours is what carries the state `s`.
fn judge(response: &AuthorizationResponse<'_>) -> Recognised {
    let text = match response {
        AuthorizationResponse::Query(query) => query.as_bytes(),
        AuthorizationResponse::Form(body) => body,
        _ => b"",
    };
    let mut parameters = text.split(|byte| *byte == b'&');
    match parameters.find(|parameter| parameter.starts_with(b"state=")) {
        Some(b"state=s") => Recognised::Ours,
        Some(_) => Recognised::NotOurs(NotOurs::OtherState),
        None => Recognised::NotOurs(NotOurs::NoState),
    }
}

fn query_of(callback: &oauth_loopback::Callback) -> String {
    match callback.response.as_response() {
        AuthorizationResponse::Query(query) => query.to_owned(),
        other => panic!("{other:?} is no query"),
    }
}

fn form(running: &Running, content_type: &str, body: &str) -> String {
    let host = format!("Host: 127.0.0.1:{}\r\n", running.port);
    let headers =
        format!("{host}Origin: null\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
    request("POST", "/callback", &headers) + body
}

fn is_pending(delivery: &mut Delivery) -> bool {
    Pin::new(delivery).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

fn is_taken(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err()
}

fn is_free(port: u16) -> bool {
    !is_taken(port)
}

/// For what happens in the background: asks until it is so.
fn becomes_free(port: u16) -> bool {
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        if is_free(port) {
            return true;
        }
        std::thread::yield_now();
    }
    false
}
