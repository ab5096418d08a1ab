//! What the browser sees, and when.

use crate::*;

over_every_driver! {
    lb_18_written_half_closed_and_drained,
    lb_18_a_browser_that_never_closes_is_not_waited_for,
    lb_19_the_grace_is_bounded_and_frees_the_port,
    lb_19_the_next_login_of_this_program_has_the_port_at_once,
    lb_20_the_page_waits_for_the_end,
    lb_20_a_failure_is_told,
    lb_20_a_long_exchange_gets_the_neutral_page,
    lb_20_a_dropped_reply_leaves_it_open,
    lb_21_a13_nothing_of_the_query_is_in_the_page_or_the_notes,
    lb_22_a12_a15_headers,
    lb_22_a_page_of_ones_own_has_the_policy_that_it_asks_for,
    lb_22_headers_of_ones_own_go_beside_ours_and_never_in_their_place,
    lb_23_24_the_page_scrubs_its_address_and_success_tries_to_close,
    lb_25_no_token_and_no_claim_is_on_any_page,
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

fn lb_19_the_next_login_of_this_program_has_the_port_at_once(driver: &dyn Driver) {
    let running = driver.start(
        Listener::bind(&Address::new().host(Host::Localhost)).unwrap(),
        judge,
        quick().grace(LONG),
    );
    let port = running.port;
    let tab = running.ask("/callback?state=s&code=first");
    let delivery = running.callback().reply.failure();
    drop(tab.page());
    delivery.wait();
    assert!(is_taken(port), "for everybody else");
    // Whatever it is called.
    for host in [Host::Localhost, Host::V4] {
        let listener = Listener::bind(&Address::new().host(host).port(port)).unwrap();
        let running = driver.start(listener, judge, quick().grace(LONG));
        for _ in 0..3 {
            let stale = running.ask("/callback?state=old&code=c").page();
            assert_eq!(stale.status, 400, "the login before answers no more");
        }
        let tab = running.ask("/callback?state=s&code=next");
        let callback = running.callback();
        assert_eq!(query_of(&callback), "state=s&code=next");
        callback.reply.success().wait();
        assert_eq!(tab.page().title(), "You are signed in");
    }
    let error = Listener::bind(&Address::new().port(start(driver, quick()).port)).unwrap_err();
    assert!(matches!(&error, BindError::Busy { .. }), "one that is not over keeps its port: {error}");
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

fn policy_of(page: &browser::Page) -> &str {
    page.header("content-security-policy").unwrap()
}

fn lb_22_a_page_of_ones_own_has_the_policy_that_it_asks_for(driver: &dyn Driver) {
    const ENDING: &str = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let own =
        || quick().success_page("<p>done</p>").failure_page(OwnPage::new("<p>no</p>").with_inline_styles());
    let running = start(driver, own());
    let tab = running.ask("/callback?state=s");
    drop(running.callback().reply.success());
    let page = tab.page();
    assert_eq!((page.status, page.body.as_str()), (200, "<p>done</p>"));
    assert_eq!(policy_of(&page), format!("default-src 'none'; img-src data:; {ENDING}"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.header(name), Some(value), "the rest stays strict");
    }

    let running = start(driver, own());
    let tab = running.ask("/callback?state=s");
    drop(running.callback().reply.failure());
    let page = tab.page();
    assert_eq!((page.body.as_str(), page.status), ("<p>no</p>", 200));
    let policy = format!("default-src 'none'; style-src 'unsafe-inline'; img-src data:; {ENDING}");
    assert_eq!(policy_of(&page), policy);

    // What the reply brings comes before what the options have.
    let running = start(driver, own());
    let tab = running.ask("/callback?state=s");
    let mine = OwnPage::new("<p>mine \u{e9}</p>").with_inline_scripts().with_https_images();
    drop(running.callback().reply.with_body(mine).success());
    let page = tab.page();
    assert_eq!((page.body.as_str(), page.header("content-length")), ("<p>mine \u{e9}</p>", Some("14")));
    let policy = format!("default-src 'none'; script-src 'unsafe-inline'; img-src data: https:; {ENDING}");
    assert_eq!(policy_of(&page), policy);

    // A dropped reply says nothing of its own.
    let running = start(driver, own());
    let tab = running.ask("/callback?state=s");
    drop(running.callback().reply.with_body("<p>mine</p>"));
    assert_eq!(tab.page().title(), "Your answer has arrived");
}

fn lb_22_headers_of_ones_own_go_beside_ours_and_never_in_their_place(driver: &dyn Driver) {
    use oauth_loopback::HeaderError;
    let running = start(driver, quick());
    let tab = running.ask("/callback?state=s");
    let reply = running.callback().reply.with_header("X-Desk", "one").unwrap();
    drop(reply.with_header("Set-Cookie", "a=b; HttpOnly").unwrap().success());
    let page = tab.page();
    assert_eq!((page.header("x-desk"), page.header("set-cookie")), (Some("one"), Some("a=b; HttpOnly")));
    assert_eq!((page.title(), page.header("connection")), ("You are signed in", Some("close")));

    let ours = |name: &str| HeaderError::Ours(name.to_owned());
    for (name, value, error) in [
        ("X-Desk", "a\r\nX-Other: b", HeaderError::Value),
        ("X-Desk", "a\nb", HeaderError::Value),
        ("X-Desk", "a\0b", HeaderError::Value),
        ("X-Desk", "caf\u{e9}", HeaderError::Value),
        ("X-Desk: a\r\nX", "b", HeaderError::Name),
        ("X Desk", "b", HeaderError::Name),
        ("", "b", HeaderError::Name),
        ("Content-Length", "0", ours("content-length")),
        ("TRANSFER-ENCODING", "chunked", ours("transfer-encoding")),
        ("Connection", "keep-alive", ours("connection")),
        ("Content-Type", "text/plain", ours("content-type")),
        ("Content-Security-Policy", "default-src *", ours("content-security-policy")),
        ("Referrer-Policy", "unsafe-url", ours("referrer-policy")),
        ("Cache-Control", "public", ours("cache-control")),
        ("Access-Control-Allow-Origin", "*", ours("access-control-allow-origin")),
    ] {
        let running = start(driver, quick());
        let tab = running.ask("/callback?state=s");
        let refused = running.callback().reply.with_header(name, value).err();
        assert_eq!(refused.as_ref(), Some(&error), "{name}: {value}");
        assert!(!error.to_string().contains(['\r', '\n']), "{error}");
        assert_eq!(tab.page().title(), "Your answer has arrived", "it is told the truth");
    }
}

fn lb_23_24_the_page_scrubs_its_address_and_success_tries_to_close(driver: &dyn Driver) {
    let running = start(driver, quick());
    let stranger = running.ask("/callback?state=other&code=c").page();
    let tab = running.ask("/callback?state=s&code=c");
    drop(running.callback().reply.success());
    let success = tab.page();
    for (page, closes) in [(&stranger, false), (&success, true)] {
        let (_, script) = page.body.split_once("<script>").unwrap();
        let script = script.split_once("</script>").unwrap().0;
        assert!(script.starts_with("history.replaceState(null,\"\",location.pathname)"), "{script}");
        assert_eq!(script.contains("window.close()"), closes);
        use base64::Engine as _;
        use sha2::Digest as _;
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script));
        assert!(
            policy_of(page).contains(&format!("script-src 'sha256-{hash}';")),
            "it runs, and nothing else"
        );
        assert!(
            page.body.to_lowercase().contains("you can close this tab") && !page.body.contains("<button")
        );
    }
}

fn lb_25_no_token_and_no_claim_is_on_any_page(driver: &dyn Driver) {
    let brought = "state=s&access_token=planted1&id_token=planted2.planted3.planted4&email=planted5";
    let running = start(driver, quick());
    let during = running.ask(&format!("/callback?{}", brought.replace("state=s", "state=t"))).page();
    let tab = running.ask(&format!("/callback?{brought}"));
    let callback = running.callback();
    let second = running.ask(&format!("/callback?{brought}")).page();
    drop(callback.reply.success());
    for page in [during, second, tab.page()] {
        let all = format!("{page:?}");
        assert!(!all.contains("planted"), "{all}");
    }
}
