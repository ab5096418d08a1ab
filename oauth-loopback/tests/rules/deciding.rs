//! What counts as the callback.

use crate::*;

over_every_driver! {
    lb_10_other_paths_are_not_found,
    lb_11_a7_another_state_is_refused_and_the_wait_goes_on,
    lb_11_an_error_of_ours_ends_the_wait,
    lb_12_a14_the_first_response_wins,
    lb_13_prefetch_and_subresources_use_nothing_up,
    lb_14_methods,
    lb_15_a10_the_host_has_to_be_ours,
    lb_16_another_iss_is_handed_on_and_the_page_tells_of_the_failure,
    lb_17_a_stale_tab_cannot_touch_the_next_login_on_its_port,
    lb_17_no_connection_outlives_its_answer,
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
    let proxied = Address::new().advertised_as("http://desk.example/in/callback").unwrap();
    let running = driver.start(Listener::bind(&proxied).unwrap(), judge, quick());
    let mut tab = running.tab();
    tab.send(&request("GET", "/in/callback?state=s&code=c", "Host: desk.example\r\n"));
    drop(running.callback().reply.success());
    assert_eq!(tab.page().status, 200, "a redirect URI that was configured is taken to the letter");
}

/// RFC 9207: the listener reads `state` alone, and the core refuses the rest before anything is sent.
fn lb_16_another_iss_is_handed_on_and_the_page_tells_of_the_failure(driver: &dyn Driver) {
    let login = Login::begin();
    let listener = Listener::bind(&Address::new()).unwrap();
    let running = driver.start(listener, login.judge(), quick());
    let state = login.pending.state();
    let tab = running.ask(&format!("/callback?code=planted&state={state}&iss=https%3A%2F%2Fevil.example"));
    let callback = running.callback();
    let error = login.redeem(&callback.response.as_response()).unwrap_err();
    assert!(error.contains("evil.example") && !error.contains("planted"), "{error}");
    drop(callback.reply.failure());
    assert_eq!(tab.page().title(), "The sign-in did not work");

    let login = Login::begin();
    let running = driver.start(Listener::bind(&Address::new()).unwrap(), login.judge(), quick());
    let state = login.pending.state();
    let tab = running.ask(&format!("/callback?code=c&state={state}&iss=https%3A%2F%2Fas.example"));
    let callback = running.callback();
    login.redeem(&callback.response.as_response()).expect("the right one is redeemed");
    drop(callback.reply.success());
    assert_eq!(tab.page().status, 200);
}

fn lb_17_a_stale_tab_cannot_touch_the_next_login_on_its_port(driver: &dyn Driver) {
    let server = WebServer::start(&Address::new()).unwrap();
    let running = driver.start(server.listener().unwrap(), judge, quick().grace(LONG));
    let tab = running.ask("/callback?state=s&code=c");
    let delivery = running.callback().reply.success();
    drop(tab.page());
    delivery.wait();

    // The first login is in its grace still, and must not answer for the second.
    let next = |response: &AuthorizationResponse<'_>| match response {
        AuthorizationResponse::Query(query) if query.starts_with("state=next&") => Recognised::Ours,
        _ => Recognised::NotOurs(NotOurs::OtherState),
    };
    let (sender, notes) = mpsc::channel();
    let options = quick().on_note(move |note| sender.send(note.clone()).unwrap());
    let running = driver.start(server.listener().unwrap(), next, options);
    let stale = running.ask("/callback?state=s&code=c").page();
    assert_eq!((stale.status, stale.title()), (400, "This is not the sign-in that is expected here"));
    let tab = running.ask("/callback?state=next&code=c");
    let callback = running.callback();
    assert_eq!(query_of(&callback), "state=next&code=c");
    drop(callback.reply.success());
    assert_eq!(tab.page().status, 200);
    assert_eq!(notes.iter().collect::<Vec<_>>(), [Note::NotOurs(NotOurs::OtherState)]);
}

fn lb_17_no_connection_outlives_its_answer(driver: &dyn Driver) {
    let running = start(driver, quick().drain_at_most(Duration::from_millis(50)));
    for (target, status) in [("/callback?state=other", 400), ("/", 404), ("/favicon.ico", 204)] {
        let mut tab = running.tab();
        let headers = format!("Host: 127.0.0.1:{}\r\nConnection: keep-alive\r\n", running.port);
        tab.send(&request("GET", target, &headers));
        let page = tab.read_page();
        assert_eq!((page.status, page.header("connection")), (status, Some("close")), "{target}");
        // The next login's callback on a kept connection would reach this one: it reaches nobody.
        let callback = get(&tab, "/callback?state=s&code=c");
        tab.try_send(callback.as_bytes());
        assert_eq!(tab.rest(), b"");
    }
    running.completes();
}
