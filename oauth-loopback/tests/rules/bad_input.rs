//! What no browser of ours would send: each is answered with its status, and the wait goes on.

use crate::*;

over_every_driver! {
    what_is_not_http_has_its_status_and_the_wait_goes_on,
    lb_11_duplicate_parameters_are_not_ours,
    lb_12_of_two_callbacks_in_one_packet_the_first_is_taken,
    lb_15_games_with_the_host_are_refused,
}

fn what_is_not_http_has_its_status_and_the_wait_goes_on(driver: &dyn Driver) {
    let running = start(driver, quick().response_mode(ResponseMode::FormPost).drain_at_most(LONG));
    let host = format!("Host: 127.0.0.1:{}\r\n", running.port);
    let form = format!("{host}Content-Type: {FORM}\r\n");
    let huge = "x".repeat(100_000);
    let head = |line: &str, headers: &str, rest: &str| format!("{line}\r\n{headers}\r\n{rest}").into_bytes();
    for (status, bytes) in [
        (400, b"GET /callback?state=\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_vec()),
        (400, b"GET /callback?a\0b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_vec()),
        (400, b"\x00\x01\x02\x03\r\n\r\n".to_vec()),
        (400, b"\x80\x2e\x01\x00\x02\n\n".to_vec()),
        (400, head("GET /callback", "", "")),
        (505, head("GET /callback HTTP/3.0", &host, "")),
        (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        (414, head(&format!("GET /callback?{huge} HTTP/1.1"), &host, "")),
        (414, huge.clone().into_bytes()),
        (431, head("GET /callback HTTP/1.1", &format!("{host}X: {huge}\r\n"), "")),
        (431, head("GET /callback HTTP/1.1", &"X: y\r\n".repeat(70), "")),
        (411, head("POST /callback HTTP/1.1", &form, "state=s")),
        (
            411,
            head("POST /callback HTTP/1.1", &format!("{form}Transfer-Encoding: chunked\r\n"), "zz\r\n\u{1}"),
        ),
        (
            411,
            head(
                "POST /callback HTTP/1.1",
                &format!("{form}Transfer-Encoding: gzip, chunked\r\n"),
                "7\r\nstate=s\r\n0\r\n\r\n",
            ),
        ),
        (
            400,
            head(
                "POST /callback HTTP/1.1",
                &format!("{form}Transfer-Encoding: chunked\r\nContent-Length: 7\r\n"),
                "state=s",
            ),
        ),
        (
            400,
            head(
                "POST /callback HTTP/1.1",
                &format!("{form}Content-Length: 7\r\nContent-Length: 8\r\n"),
                "state=s",
            ),
        ),
        (400, head("POST /callback HTTP/1.1", &format!("{form}Content-Length: -1\r\n"), "state=s")),
        (
            413,
            head("POST /callback HTTP/1.1", &format!("{form}Content-Length: 99999999999999999999\r\n"), ""),
        ),
        (
            417,
            head(
                "POST /callback HTTP/1.1",
                &format!("{form}Content-Length: 7\r\nExpect: 100-continue\r\n"),
                "",
            ),
        ),
    ] {
        let mut tab = running.tab();
        // The listener may have closed before it was all sent, which is what the limit is for.
        tab.try_send(&bytes);
        let page = tab.page();
        assert_eq!(page.status, status, "{}", bytes[..60.min(bytes.len())].escape_ascii());
        assert_eq!(page.header("connection"), Some("close"));
    }
    let mut post = running.tab();
    post.send(&crate::form(&running, FORM, "state=s&code=c"));
    drop(running.callback().reply.success());
    assert_eq!(post.page().status, 200);
}

/// RFC 6749 section 3.1: no parameter may come twice. The core says so, and the listener waits on.
fn lb_11_duplicate_parameters_are_not_ours(driver: &dyn Driver) {
    let login = Login::begin();
    let (sender, notes) = mpsc::channel();
    let options = quick().on_note(move |note| sender.send(note.clone()).unwrap());
    let running = driver.start(Listener::bind(&Address::new()).unwrap(), login.judge(), options);
    let state = login.pending.state();
    for query in [format!("state={state}&state={state}&code=c"), format!("state={state}&state=x&code=c")] {
        let page = running.ask(&format!("/callback?{query}")).page();
        assert_eq!((page.status, page.title()), (400, "This is not the sign-in that is expected here"));
    }
    // With one state it is ours, and what is wrong with the rest ends the login instead of hanging it.
    let tab = running.ask(&format!("/callback?state={state}&code=c&code=d&iss=https://as.example"));
    let callback = running.callback();
    login.redeem(&callback.response.as_response()).expect_err("two codes");
    drop(callback.reply.failure());
    assert_eq!(tab.page().title(), "The sign-in did not work");
    assert_eq!(notes.iter().collect::<Vec<_>>(), [Note::NotOurs(NotOurs::Ambiguous)]);
}

fn lb_12_of_two_callbacks_in_one_packet_the_first_is_taken(driver: &dyn Driver) {
    let running = start(driver, quick());
    let mut tab = running.tab();
    tab.send(&(get(&tab, "/callback?state=s&code=first") + &get(&tab, "/callback?state=s&code=second")));
    let callback = running.callback();
    assert_eq!(query_of(&callback), "state=s&code=first");
    drop(callback.reply.success());
    let page = tab.page();
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-length"),
        Some(page.body.len().to_string().as_str()),
        "one answer, and the end"
    );
    // A stranger's request does not carry ours behind it.
    let running = start(driver, quick());
    let mut tab = running.tab();
    tab.send(&(get(&tab, "/") + &get(&tab, "/callback?state=s&code=smuggled")));
    assert_eq!(tab.page().status, 404);
    let tab = running.ask("/callback?state=s&code=own");
    let callback = running.callback();
    assert_eq!(query_of(&callback), "state=s&code=own");
    drop(callback.reply.success());
    drop(tab.page());
}

fn lb_15_games_with_the_host_are_refused(driver: &dyn Driver) {
    let running = start(driver, quick());
    let port = running.port;
    for (status, target, host) in [
        (421, "/callback?state=s".to_owned(), "localhost".to_owned()),
        (421, "/callback?state=s".to_owned(), format!("localhost.:{port}")),
        (421, "/callback?state=s".to_owned(), format!("127.0.0.1:{port}, evil.example")),
        (421, "/callback?state=s".to_owned(), format!("[::ffff:127.0.0.1]:{port}")),
        (421, "/callback?state=s".to_owned(), format!("http://127.0.0.1:{port}")),
        (421, format!("http://evil.example:{port}/callback?state=s"), format!("127.0.0.1:{port}")),
        (421, format!("http://me@127.0.0.1:{port}/callback?state=s"), format!("127.0.0.1:{port}")),
        (400, format!("https://127.0.0.1:{port}/callback?state=s"), format!("127.0.0.1:{port}")),
        (400, format!("127.0.0.1:{port}"), format!("127.0.0.1:{port}")),
        (400, "/callback?state=s".to_owned(), format!("127.0.0.1:{port}\r\nHost: evil.example")),
    ] {
        let mut tab = running.tab();
        tab.send(&request("GET", &target, &format!("Host: {host}\r\n")));
        assert_eq!(tab.page().status, status, "{target} at {host}");
    }
    running.completes();
}
