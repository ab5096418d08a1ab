//! Binding, and who is let in.

use crate::*;

over_every_driver! {
    lb_01_the_browser_may_come_before_the_wait,
    lb_02_a9_the_bound_socket_is_kept,
    lb_03_silent_preconnects_do_not_block,
    lb_03_the_head_has_its_time_in_total,
    lb_03_a11_the_oldest_idle_is_evicted_and_never_the_newcomer,
    lb_03_the_deadline_does_not_wait_for_a_read,
    lb_04_resets_are_nothing,
    lb_05_limits_are_answered_and_the_wait_goes_on,
    lb_06_tls_on_the_plain_port_is_closed_and_told,
    lb_07_localhost_listens_on_both_families,
    lb_08_a8_nothing_but_loopback_is_bound,
    lb_09_the_first_free_port_in_order_is_taken_and_held_alone,
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

fn lb_06_tls_on_the_plain_port_is_closed_and_told(driver: &dyn Driver) {
    let (sender, notes) = mpsc::channel();
    let options = quick().on_note(move |note| sender.send(note.clone()).unwrap());
    let running = start(driver, options);
    for hello in [&b"\x16"[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut tab = running.tab();
        assert!(tab.try_send(hello));
        assert_eq!(tab.rest(), b"", "nothing that it could read");
    }
    running.completes();
    let notes: Vec<_> = notes.iter().collect();
    assert_eq!(notes, [Note::HttpsUpgrade], "said once");
    let note = notes[0].to_string();
    for way_out in ["127.0.0.1", "callback with https", "still waiting"] {
        assert!(note.contains(way_out), "{note}");
    }
}

fn lb_09_the_first_free_port_in_order_is_taken_and_held_alone(driver: &dyn Driver) {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let busy = taken.local_addr().unwrap().port();
    let listener = Listener::bind(&Address::new().ports([busy, 0])).unwrap();
    assert_ne!(listener.port(), busy, "in order, and past the one that is taken");
    let port = listener.port();
    let running = driver.start(listener, judge, quick());
    // Nobody shares it: neither another listener of ours nor one that asks to reuse the address.
    assert!(matches!(Listener::bind(&Address::new().port(port)), Err(BindError::Busy { .. })));
    let thief = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    thief.set_reuse_address(true).unwrap();
    let there = std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    assert!(thief.bind(&there.into()).and_then(|()| thief.listen(1)).is_err());
    running.completes();
}
