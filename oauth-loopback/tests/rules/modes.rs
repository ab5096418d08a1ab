//! The ways in which a response comes.

use crate::*;

over_every_driver! {
    lb_11_an_answer_of_ours_in_another_mode_is_told,
    lb_14_form_post,
    lb_26_a_fragment_is_handed_over_by_the_page_that_is_served,
    lb_26_the_page_comes_back_for_the_truth,
    lb_26_a_fragment_that_is_not_ours_leaves_the_wait,
    lb_26_no_other_page_can_hand_a_fragment_over,
    lb_26_a_page_that_never_comes_back_is_not_waited_for,
    lb_27_form_post_takes_a_null_origin_and_nothing_but_a_post,
    lb_28_a_preflight_of_the_server_is_granted_and_no_other,
    a_signed_response_is_handed_on_in_every_mode,
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

/// The one-time path that the page posts to.
fn served_path(page: &browser::Page) -> &str {
    let (_, rest) = page.body.split_once("data-to=\"").expect("a page that hands over");
    rest.split_once('"').unwrap().0
}

fn post_from(running: &Running, target: &str, headers: &str, body: &str) -> Tab {
    let mut tab = running.tab();
    let host = format!("Host: 127.0.0.1:{}\r\n", running.port);
    let length = format!("Content-Length: {}\r\nContent-Type: {FORM}\r\n", body.len());
    tab.send(&(request("POST", target, &format!("{host}{length}{headers}")) + body));
    tab
}

/// As the script of the page does it.
fn hand_over(running: &Running, path: &str, fragment: &str) -> Tab {
    let own = format!("Origin: http://127.0.0.1:{}\r\nSec-Fetch-Site: same-origin\r\n", running.port);
    post_from(running, path, &(own + "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"), fragment)
}

fn fragment(driver: &dyn Driver) -> Running {
    start(driver, quick().response_mode(ResponseMode::Fragment))
}

fn fragment_of(callback: &oauth_loopback::Callback) -> String {
    match callback.response.as_response() {
        AuthorizationResponse::Fragment(fragment) => fragment.to_owned(),
        other => panic!("{other:?} is no fragment"),
    }
}

fn lb_26_a_fragment_is_handed_over_by_the_page_that_is_served(driver: &dyn Driver) {
    let running = fragment(driver);
    let page = running.ask("/callback").page();
    assert_eq!((page.status, page.title()), (200, "One moment"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("; connect-src 'self'; ") && policy.contains("; script-src 'sha256-"),
        "{policy}"
    );
    assert!(page.body.contains("<noscript>") && page.body.contains("paste it into the program"));
    let path = served_path(&page);
    assert!(path.starts_with("/callback/") && path.len() == "/callback/".len() + 32, "{path}");

    // Whatever is in the query is for the script to hand over: a server may say there what went wrong.
    assert_eq!(running.ask("/callback?state=s&code=c").page().title(), "One moment");
    let posted = hand_over(&running, path, "state=s&code=c%20d").page();
    assert_eq!((posted.status, posted.body.as_str()), (204, ""));
    let callback = running.callback();
    assert_eq!(fragment_of(&callback), "state=s&code=c%20d");
    assert!(!format!("{callback:?}").contains("c%20d"));
    let tab = running.ask(path);
    assert!(tab.is_quiet(30), "nothing is said before it is true");
    drop(callback.reply.success());
    let page = tab.page();
    assert_eq!((page.status, page.title()), (200, "You are signed in"));
    assert!(!page.header("content-security-policy").unwrap().contains("connect-src"), "on that page alone");

    let running = fragment(driver);
    assert_ne!(served_path(&running.ask("/callback").page()), path, "another for each login");
}

fn lb_26_the_page_comes_back_for_the_truth(driver: &dyn Driver) {
    let running = fragment(driver);
    let path = served_path(&running.ask("/callback").page()).to_owned();
    assert_eq!(hand_over(&running, &path, "state=s&error=access_denied").page().status, 204);
    // The login is over before the page is back.
    let delivery = running.callback().reply.with_body("<p>mine</p>").failure();
    let again = hand_over(&running, &path, "state=s&code=c").page();
    assert_eq!((again.status, again.title()), (410, "This answer has been used already"));
    let tab = running.ask(&path);
    assert_eq!(tab.page().body, "<p>mine</p>");
    delivery.wait();
    let running = fragment(driver);
    let path = served_path(&running.ask("/callback").page()).to_owned();
    hand_over(&running, &path, "state=s").page();
    let (first, reload) = (running.ask(&path), running.ask(&path));
    let _reply = running.callback().reply;
    let used = [first, reload].into_iter().filter(|tab| !tab.is_quiet(50)).map(Tab::page);
    assert_eq!(used.map(|page| page.status).collect::<Vec<_>>(), [410], "one of them is held");
}

fn lb_26_a_fragment_that_is_not_ours_leaves_the_wait(driver: &dyn Driver) {
    let running = fragment(driver);
    let path = served_path(&running.ask("/callback").page()).to_owned();
    for (body, status) in [("state=other&code=c", 400), ("", 400), ("code=c", 400)] {
        assert_eq!(hand_over(&running, &path, body).page().status, status, "{body}");
        let back = running.ask(&path).page();
        assert_eq!((back.status, back.title()), (400, "This is not the sign-in that is expected here"));
    }
    let mut tab = running.tab();
    let bytes = b"state=s&\xff";
    let host = format!("Host: 127.0.0.1:{}\r\nContent-Type: {FORM}\r\n", running.port);
    tab.send(&request("POST", &path, &format!("{host}Content-Length: {}\r\n", bytes.len())));
    assert!(tab.try_send(bytes));
    assert_eq!(tab.page().status, 400);
    assert_eq!(hand_over(&running, &path, "state=s").page().status, 204);
    drop(running.callback().reply.success());
    assert_eq!(running.ask(&path).page().title(), "You are signed in");
}

fn lb_26_no_other_page_can_hand_a_fragment_over(driver: &dyn Driver) {
    let (sender, notes) = mpsc::channel();
    let options = quick().response_mode(ResponseMode::Fragment);
    let running = start(driver, options.on_note(move |note| sender.send(note.clone()).unwrap()));
    let path = served_path(&running.ask("/callback").page()).to_owned();
    let good = "state=s&code=c";
    for (status, path, headers) in [
        (403, &*path, "Origin: https://evil.example\r\n"),
        (403, &path, "Origin: null\r\n"),
        (403, &path, "Sec-Fetch-Site: cross-site\r\n"),
        (403, &path, "Sec-Fetch-Site: same-site\r\n"),
        (404, "/callback/00000000000000000000000000000000", ""),
        (404, "/callback/", ""),
        (405, "/callback", ""),
    ] {
        assert_eq!(post_from(&running, path, headers, good).page().status, status, "{headers}");
    }
    assert_eq!(running.ask_as("PUT", &path).page().status, 405);
    assert_eq!(running.ask_with(&path, "Sec-Purpose: prefetch").page().status, 204);
    assert_eq!(running.ask_with("/callback", "Sec-Fetch-Dest: iframe").page().status, 403);
    assert_eq!(hand_over(&running, &path, good).page().status, 204);
    drop(running.callback().reply.success());
    assert_eq!(running.ask(&path).page().status, 200);
    assert_eq!(
        notes.iter().collect::<Vec<_>>(),
        [Note::NotANavigation, Note::OtherMode(ResponseMode::FormPost)]
    );
}

fn lb_26_a_page_that_never_comes_back_is_not_waited_for(driver: &dyn Driver) {
    let options = quick().response_mode(ResponseMode::Fragment).head_timeout(Duration::from_millis(100));
    let running = start(driver, options);
    let path = served_path(&running.ask("/callback").page()).to_owned();
    assert_eq!(hand_over(&running, &path, "state=s").page().status, 204);
    let began = Instant::now();
    running.callback().reply.success().wait();
    assert!(began.elapsed() < LONG / 2);
    assert!(becomes_free(running.port));
}

fn lb_27_form_post_takes_a_null_origin_and_nothing_but_a_post(driver: &dyn Driver) {
    let running = start(driver, quick().response_mode(ResponseMode::FormPost));
    let page = running.ask("/callback?state=s&code=c").page();
    assert_eq!(
        (page.status, page.header("allow")),
        (405, Some("POST, HEAD, OPTIONS")),
        "it was to be posted"
    );
    let navigation = "Origin: null\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let tab = post_from(&running, "/callback", navigation, "state=s&code=c");
    drop(running.callback().reply.success());
    assert_eq!(tab.page().status, 200);
    let running = start(driver, quick());
    assert_eq!(post_from(&running, "/callback", navigation, "state=s&code=c").page().status, 405);
    running.completes();
}

fn lb_11_an_answer_of_ours_in_another_mode_is_told(driver: &dyn Driver) {
    use ResponseMode::{FormPost, Fragment, Query};
    let posted = "POST";
    for (asked, method, came) in [
        (FormPost, "GET", Query),
        (Fragment, "GET", Query),
        (Query, posted, FormPost),
        (Fragment, posted, FormPost),
    ] {
        let (sender, notes) = mpsc::channel();
        let options = quick().response_mode(asked).on_note(move |note| sender.send(note.clone()).unwrap());
        let running = start(driver, options);
        let ask = |text: &str, headers: &str| {
            let mut tab = running.tab();
            let host = format!("Host: 127.0.0.1:{}\r\n{headers}", running.port);
            tab.send(&if method == posted {
                let length = format!("Content-Type: {FORM}\r\nContent-Length: {}\r\n", text.len());
                request(method, "/callback", &(host + &length)) + text
            } else {
                request(method, &format!("/callback?{text}"), &host)
            });
            tab.page()
        };
        let speculative = ask("state=s&code=c", "Sec-Purpose: prefetch\r\n");
        assert_eq!(speculative.status, 204, "{asked:?}");
        assert!(notes.try_recv().is_err(), "nobody has seen that");
        for text in ["state=other&code=c", "state=s&error=access_denied", "state=s&code=c"] {
            let page = ask(text, "");
            let expected = if (asked, method) == (Fragment, "GET") { 200 } else { 405 };
            assert_eq!(page.status, expected, "{asked:?} {method} {text}");
        }
        let notes: Vec<_> = notes.try_iter().collect();
        assert_eq!(notes, [Note::NotOurs(NotOurs::OtherState), Note::OtherMode(came)], "{asked:?}");
        let told = notes[1].to_string();
        assert!(told.contains("still waiting") && told.contains("response_mode"), "{told}");
        assert!(!told.contains("code=c") && !told.contains("denied"), "{told}");
        // It is no answer: whatever comes as it was asked for still is.
        if asked == Query {
            running.completes();
        }
    }
}

fn lb_28_a_preflight_of_the_server_is_granted_and_no_other(driver: &dyn Driver) {
    let server = "https://as.example/authorize?x=y".parse().unwrap();
    let running = start(driver, quick().private_network_for(&server));
    let preflight = |path: &str, headers: &str| {
        let host = format!("Host: 127.0.0.1:{}\r\n", running.port);
        let mut tab = running.tab();
        tab.send(&request("OPTIONS", path, &format!("{host}{headers}")));
        let page = tab.page();
        let granted = page.header("access-control-allow-origin").map(str::to_owned);
        assert!(granted.is_some() || page.header("access-control-allow-methods").is_none());
        (page, granted)
    };
    for kind in ["Private", "Local"] {
        let ask = format!("Access-Control-Request-{kind}-Network: true\r\n");
        let (page, granted) = preflight("/callback", &format!("Origin: https://as.example\r\n{ask}"));
        assert_eq!((page.status, granted.as_deref()), (204, Some("https://as.example")));
        let allow = format!("access-control-allow-{}-network", kind.to_lowercase());
        assert_eq!(page.header(&allow), Some("true"));
        assert_eq!(
            (page.header("vary"), page.header("access-control-allow-methods")),
            (Some("Origin"), Some("GET"))
        );
        for origin in [
            "Origin: https://evil.example\r\n",
            "Origin: https://as.example.evil\r\n",
            "Origin: http://as.example\r\n",
            "Origin: https://as.example:8443\r\n",
            "Origin: null\r\n",
            "Origin: https://as.example\r\nOrigin: https://as.example\r\n",
            "",
        ] {
            assert_eq!(preflight("/callback", &format!("{origin}{ask}")).1, None, "{origin}");
        }
        assert_eq!(preflight("/", &format!("Origin: https://as.example\r\n{ask}")).1, None);
    }
    assert_eq!(preflight("/callback", "Origin: https://as.example\r\n").1, None, "an ordinary preflight");
    // What was granted is a navigation; a script's request is still none.
    let script = "Origin: https://as.example\r\nSec-Fetch-Mode: cors";
    assert_eq!(running.ask_with("/callback?state=s&code=c", script).page().status, 403);
    running.completes();
    let running = start(driver, quick());
    let mut tab = running.tab();
    let ask = "Origin: https://as.example\r\nAccess-Control-Request-Private-Network: true\r\n";
    tab.send(&request("OPTIONS", "/callback", &format!("Host: 127.0.0.1:{}\r\n{ask}", running.port)));
    assert_eq!(tab.page().header("access-control-allow-origin"), None, "nobody was named");
}

/// JARM: `response` is the one parameter, and `state` is inside. Who reads it says whether it is ours.
fn a_signed_response_is_handed_on_in_every_mode(driver: &dyn Driver) {
    const SIGNED: &str = "response=eyJhbGciOiJFUzI1NiJ9.eyJzdGF0ZSI6InMifQ.c2ln";
    for mode in [ResponseMode::Query, ResponseMode::FormPost, ResponseMode::Fragment] {
        let opened = move |response: &AuthorizationResponse<'_>| match (mode, response) {
            (ResponseMode::Query, AuthorizationResponse::Query(SIGNED)) => Recognised::Ours,
            (ResponseMode::Fragment, AuthorizationResponse::Fragment(SIGNED)) => Recognised::Ours,
            (ResponseMode::FormPost, AuthorizationResponse::Form(body)) if *body == SIGNED.as_bytes() => {
                Recognised::Ours
            }
            _ => Recognised::NotOurs(NotOurs::NoState),
        };
        let listener = Listener::bind(&Address::new()).unwrap();
        let running = driver.start(listener, opened, quick().response_mode(mode));
        let tab = match mode {
            ResponseMode::FormPost => post_from(&running, "/callback", "Origin: null\r\n", SIGNED),
            ResponseMode::Fragment => {
                let path = served_path(&running.ask("/callback").page()).to_owned();
                hand_over(&running, &path, SIGNED).page();
                running.ask(&path)
            }
            _ => running.ask(&format!("/callback?{SIGNED}")),
        };
        drop(running.callback().reply.success());
        assert_eq!(tab.page().title(), "You are signed in", "{mode:?}");
    }
}
