//! Which redirects are followed, and what goes along.

use super::*;

fn to(status: u16, location: &str) -> Answer {
    (status, vec![("location", location.to_owned())], Vec::new())
}

fn following(redirects: Redirects) -> SessionSettings {
    let mut settings = SessionSettings::new();
    settings.redirects = redirects;
    settings
}

/// Where the requests of one call went.
fn urls(session: &Session<Scripted>) -> Vec<String> {
    session.transport().sent().into_iter().map(|sent| sent.url).collect()
}

#[test]
fn a_document_is_followed_where_the_settings_say_so() {
    for (redirects, location, follows) in [
        (Redirects::Never, "/b", false),
        (Redirects::SameScheme, "/b", true),
        (Redirects::SameScheme, "https://other.example/b", true),
        (Redirects::Always, "https://other.example/b", true),
        (Redirects::Always, "b?x=1#fragment", true),
        (Redirects::Always, "//other.example/b", true),
    ] {
        let session = session(following(redirects), [to(302, location), ok("{}")]);
        let response = send(&session, get("https://as.example/a")).unwrap();
        assert_eq!(response.status().as_u16(), if follows { 200 } else { 302 }, "{redirects:?} {location}");
        let sent = urls(&session);
        assert_eq!(sent.len(), if follows { 2 } else { 1 });
        assert!(sent.iter().all(|url| !url.contains('#')));
    }
}

#[test]
fn every_status_that_redirects_does_and_no_other() {
    for status in [300, 301, 302, 303, 304, 305, 306, 307, 308, 310, 201] {
        let session = session(following(Redirects::Always), [to(status, "/b"), ok("{}")]);
        let response = send(&session, get("https://as.example/a")).unwrap();
        let follows = matches!(status, 301 | 302 | 303 | 307 | 308);
        assert_eq!(response.status().as_u16(), if follows { 200 } else { status });
    }
}

#[test]
fn t1_no_token_request_and_no_body_is_redirected() {
    for status in [301, 302, 303, 307, 308] {
        for location in ["/b", "https://other.example/b"] {
            let mut settings = following(Redirects::Always);
            settings.get_on_302 = true;
            let session = session(settings, [to(status, location)]);
            let response = send(&session, post("https://as.example/token")).unwrap();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(urls(&session), ["https://as.example/token"]);
        }
    }
}

#[test]
fn a_credential_never_leaves_its_origin() {
    for (name, value) in [
        ("authorization", secret("Bearer planted")),
        ("dpop", HeaderValue::from_static("p")),
        ("x-key", secret("planted")),
    ] {
        for (location, follows) in [
            ("/b", true),
            ("https://as.example:443/b", true),
            ("https://as.example:444/b", false),
            ("https://other.example/b", false),
            ("https://sub.as.example/b", false),
        ] {
            let session = session(following(Redirects::Always), [to(307, location), ok("{}")]);
            let name = HeaderName::from_static(name);
            let request = Request::get(Purpose::Resource, endpoint("https://as.example/a"))
                .with_header(name.clone(), value.clone());
            send(&session, request).unwrap();
            let sent = session.transport().sent();
            assert_eq!(sent.len(), if follows { 2 } else { 1 }, "{location}");
            assert!(sent.iter().all(|sent| sent.headers.get(&name) == Some(&value)));
        }
    }
}

#[test]
fn headers_of_the_session_and_a_named_certificate_stay_as_well() {
    let mut settings = following(Redirects::Always);
    settings.headers = ExtraHeaders::from_lines("x-key: planted").unwrap();
    let with_headers = session(settings, [to(302, "https://other.example/")]);
    assert_eq!(send(&with_headers, get("https://as.example/")).unwrap().status().as_u16(), 302);
    // On the same server all of them go on.
    let mut settings = following(Redirects::Always);
    settings.headers = ExtraHeaders::from_lines("x-key: planted\r\nx-key: planted too").unwrap();
    let stays = session(settings, [to(302, "/b"), ok("{}")]);
    send(&stays, get("https://as.example/a")).unwrap();
    for sent in stays.transport().sent() {
        assert_eq!(sent.headers.get_all("x-key").iter().collect::<Vec<_>>(), ["planted", "planted too"]);
    }
    let with_certificate = session(following(Redirects::Always), [to(302, "https://other.example/")]);
    let request = get("https://as.example/").with_client_certificate(oauth_core::KeyId::new("mine"));
    assert_eq!(send(&with_certificate, request).unwrap().status().as_u16(), 302);
}

#[test]
fn what_is_no_endpoint_is_not_gone_to() {
    for location in [
        "http://other.example/b",
        "http://as.example/b",
        "http://127.0.0.1/b",
        "ftp://as.example/b",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://user:planted@as.example/b",
        "https://",
        "",
    ] {
        let session = session(following(Redirects::Always), [to(302, location), ok("{}")]);
        let response = send(&session, get("https://as.example/a")).unwrap();
        // An empty one leads to the document itself.
        let status = if location.is_empty() { 200 } else { 302 };
        assert_eq!(response.status().as_u16(), status, "{location}");
    }
    let two = (302, vec![("location", "/b".to_owned()), ("location", "/c".to_owned())], vec![]);
    let none = (302, vec![], vec![]);
    for answer in [two, none] {
        let session = session(following(Redirects::Always), [answer]);
        assert_eq!(send(&session, get("https://as.example/a")).unwrap().status().as_u16(), 302);
    }
}

#[test]
fn plain_http_on_this_machine_leads_to_its_like_and_to_https() {
    for (redirects, location, follows) in [
        (Redirects::Always, "http://127.0.0.1:2/b", true),
        (Redirects::Always, "https://as.example/b", true),
        (Redirects::SameScheme, "https://as.example/b", false),
        (Redirects::SameScheme, "http://localhost/b", true),
        (Redirects::Always, "http://as.example/b", false),
    ] {
        let session = session(following(redirects), [to(302, location), ok("{}")]);
        let response = send(&session, get("http://127.0.0.1:1/a")).unwrap();
        assert_eq!(response.status().as_u16(), if follows { 200 } else { 302 }, "{location}");
    }
}

#[test]
fn a_post_to_a_resource_becomes_a_get_or_ends() {
    for (status, get_on_302, follows) in [
        (303, false, true),
        (302, false, false),
        (302, true, true),
        (301, true, true),
        (307, true, false),
        (308, true, false),
    ] {
        let mut settings = following(Redirects::Always);
        settings.get_on_302 = get_on_302;
        let session = session(settings, [to(status, "/made"), ok("{}")]);
        let request =
            Request::form(Purpose::Resource, endpoint("https://rs.example/"), SecretBytes::new(*b"a=b"));
        send(&session, request).unwrap();
        let sent = session.transport().sent();
        assert_eq!(sent.len(), if follows { 2 } else { 1 }, "{status} {get_on_302}");
        if follows {
            assert_eq!((&sent[1].method, &sent[1].body[..]), (&Method::GET, &b""[..]));
            assert_eq!(sent[1].header("content-type"), None);
        }
    }
}

#[test]
fn a_circle_ends() {
    let mut settings = following(Redirects::Always);
    settings.max_redirects = 3;
    let session = session(settings, std::iter::repeat_with(|| to(302, "/a")).take(9));
    let error = send(&session, get("https://as.example/a")).unwrap_err();
    assert_eq!(error.kind, UnreachableKind::Other);
    assert!(error.to_string().contains("redirected more than 3 times"), "{error}");
    assert_eq!(urls(&session).len(), 4);
}

#[test]
fn the_handler_has_the_last_word_within_the_rules() {
    struct Says(bool, Arc<Mutex<Vec<(String, bool)>>>);
    impl EventHandler for Says {
        fn on_redirect(&mut self, location: &Url, accept: &mut bool) {
            self.1.lock().unwrap().push((location.to_string(), *accept));
            *accept = self.0;
        }
    }
    for (redirects, says, request, follows) in [
        (Redirects::Always, false, get("https://as.example/a"), false),
        (Redirects::Never, true, get("https://as.example/a"), true),
        (Redirects::Never, true, post("https://as.example/a"), false),
    ] {
        let asked = Arc::default();
        let events = EventSink::new(Says(says, Arc::clone(&asked)), LogLevel::None);
        let session = session_with(&events, following(redirects), [to(302, "/b"), ok("{}")]);
        let is_get = *request.method() == Method::GET;
        let response = send(&session, request).unwrap();
        assert_eq!(response.status().as_u16(), if follows { 200 } else { 302 });
        let recommended = redirects == Redirects::Always && is_get;
        assert_eq!(*asked.lock().unwrap(), [("https://as.example/b".to_owned(), recommended)]);
    }
}
