//! What the server refuses, and how it says so.

#![allow(missing_docs, reason = "tests")]

mod common;

use std::time::Duration;

use common::*;
use oauth_testserver::{Browser, BrowserError, Client, Clock, TestServer};

/// What an authorization request is answered at once, before anybody signs in.
fn first_answer(server: &TestServer, request: &[(&str, &str)]) -> Answer {
    get(server, &format!("/authorize?{}", encode(request)))
}

#[test]
fn authorization_requests_that_go_back_with_an_error() {
    let server = TestServer::start().unwrap();
    let short = &CODE_CHALLENGE[1..];
    // as long as a hash, and of the characters that only a verifier may have
    let plain = "dBjftJeZ4CVP~mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    for (changes, error) in [
        (vec![("response_type", "")], "invalid_request"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "code id_token")], "unsupported_response_type"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge", short)], "invalid_request"),
        (vec![("code_challenge", plain)], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge_method", "s256")], "invalid_request"),
        (vec![("scope", "read admin")], "invalid_scope"),
        (vec![("scope", "read  write")], "invalid_scope"),
        (vec![("response_mode", "web_message")], "invalid_request"),
        (vec![("request", "e30.e30.")], "request_not_supported"),
        (vec![("request_uri", "urn:x")], "request_uri_not_supported"),
        (vec![("prompt", "none")], "login_required"),
    ] {
        let answer = first_answer(&server, &with(good_request(), &changes));
        assert_eq!(answer.status, 303, "{changes:?}");
        let location = answer.header("location").unwrap();
        assert!(location.starts_with(&format!("{REDIRECT_URI}?error={error}&")), "{changes:?}: {location}");
        assert!(
            location.contains("&state=a%20state%2F%2B%26%3D&iss=http%3A%2F%2F127.0.0.1%3A"),
            "{location}"
        );
    }
}

#[test]
fn errors_go_back_by_the_mode_that_was_asked_for() {
    let server = TestServer::start().unwrap();
    let fragment = [("scope", "admin"), ("response_mode", "fragment")];
    let answer = first_answer(&server, &with(good_request(), &fragment));
    assert!(answer.header("location").unwrap().starts_with(&format!("{REDIRECT_URI}#error=invalid_scope&")));
    let form_post = [("scope", "admin"), ("response_mode", "form_post")];
    let landing = sign_in(&server, &with(good_request(), &form_post));
    assert_eq!(landing.parameter("error").as_deref(), Some("invalid_scope"));
    assert_eq!(landing.url, REDIRECT_URI);
}

#[test]
fn every_repeated_parameter_is_refused() {
    let server = TestServer::start().unwrap();
    for (name, value) in good_request().into_iter().chain([("nonce", "x"), ("unknown", "x")]) {
        let mut request = with(good_request(), &[(name, value)]);
        request.push((name, value));
        let answer = first_answer(&server, &request);
        if matches!(name, "client_id" | "redirect_uri") {
            assert_eq!(answer.status, 400, "{name}");
            continue;
        }
        let location = answer.header("location").unwrap_or_else(|| panic!("{name}: {}", answer.head));
        assert!(
            location.starts_with(&format!("{REDIRECT_URI}?error=invalid_request&")),
            "{name}: {location}"
        );
        assert_eq!(location.contains("&state="), name != "state", "{location}");
    }
}

#[test]
fn authorization_requests_that_go_nowhere() {
    let server =
        TestServer::builder().client(Client::public("app").redirect_uri("https://app.example/cb")).start();
    let server = server.unwrap();
    let app = |redirect_uri| vec![("client_id", "app"), ("redirect_uri", redirect_uri)];
    for changes in [
        vec![("client_id", "")],
        vec![("client_id", "nobody")],
        vec![("redirect_uri", "")],
        vec![("redirect_uri", "https://127.0.0.1.evil.example/callback")],
        vec![("redirect_uri", "http://127.0.0.1.evil.example/callback")],
        vec![("redirect_uri", "http://evil.example/127.0.0.1")],
        vec![("redirect_uri", "http://127.0.0.1:8400/callback#")],
        vec![("redirect_uri", "http://127.0.0.1:8400/\r\nX-Injected: yes")],
        vec![("redirect_uri", "//127.0.0.1:8400/callback")],
        app("https://app.example/cb/"),
        app("https://app.example/cb?x=y"),
        app("https://app.example:444/cb"),
        app(REDIRECT_URI),
    ] {
        let answer = first_answer(&server, &with(good_request(), &changes));
        assert_eq!((answer.status, answer.header("location")), (400, None), "{changes:?}");
        assert!(answer.header("content-type").unwrap().starts_with("text/html"));
    }
    let malformed = format!("/authorize?{}&x=%zz", encode(&good_request()));
    assert_eq!(get(&server, &malformed).status, 400);
    let both = format!("/authorize?{}", encode(&good_request()));
    assert_eq!(post(&server, &both, &[], &[]).status, 400);
    assert_eq!(send(&server, "POST", "/authorize", &[], &encode(&good_request())).status, 400);
    assert_eq!(send(&server, "PUT", &both, &[], "").status, 405);
}

#[test]
fn a_state_with_control_characters_is_not_echoed() {
    let server = TestServer::start().unwrap();
    let answer = first_answer(&server, &with(good_request(), &[("state", "a\r\nX-Injected: yes")]));
    let location = answer.header("location").unwrap();
    assert!(location.contains("error=invalid_request") && !location.contains("state="), "{location}");
}

#[test]
fn a_login_belongs_to_one_browser_and_ends() {
    let clock = Clock::manual();
    let server = TestServer::builder().clock(&clock).start().unwrap();
    let begin = || {
        let answer = first_answer(&server, &good_request());
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        (answer.header("location").unwrap().to_owned(), format!("Cookie: {cookie}"))
    };
    let (location, cookie) = begin();
    let id = location.rsplit_once('=').unwrap().1.to_owned();
    assert_eq!(get(&server, &location).status, 400, "without the cookie");
    assert_eq!(send(&server, "GET", &location, &[&begin().1], "").status, 400, "with another's cookie");
    assert_eq!(send(&server, "GET", &location, &[&cookie], "").status, 200);
    let consent = format!("/consent?interaction={id}");
    assert_eq!(send(&server, "GET", &consent, &[&cookie], "").status, 400, "before the login");
    let submit = |target, form: &[(&str, &str)]| {
        let mut form = form.to_vec();
        form.push(("interaction", &id));
        post(&server, target, &[&cookie], &form)
    };
    assert_eq!(submit("/consent", &[("decision", "approve")]).status, 400, "before the login");
    assert_eq!(submit("/login", &[("person", "nobody")]).status, 400);
    assert_eq!(submit("/login", &[("person", "ada")]).status, 303);
    assert_eq!(post(&server, "/consent", &[], &[("interaction", &id), ("decision", "approve")]).status, 400);
    assert_eq!(submit("/consent", &[("decision", "maybe")]).status, 400);
    let page = send(&server, "GET", &consent, &[&cookie], "");
    assert!(
        page.header("content-security-policy").unwrap().contains("form-action 'self' http://127.0.0.1:8400;")
    );
    let done = submit("/consent", &[("decision", "approve")]);
    assert_eq!(done.status, 303);
    assert!(done.header("set-cookie").unwrap().ends_with("Max-Age=0"));
    assert_eq!(submit("/consent", &[("decision", "approve")]).status, 400, "a second time");
    assert_eq!(server.counters().codes, 1);
    let (location, cookie) = begin();
    clock.advance(Duration::from_secs(600));
    assert_eq!(send(&server, "GET", &location, &[&cookie], "").status, 400, "after ten minutes");
}

#[test]
fn an_error_page_is_a_landing_and_a_stranger_an_error() {
    let server = TestServer::start().unwrap();
    let landing = sign_in(&server, &with(good_request(), &[("client_id", "nobody")]));
    assert_eq!(landing.status, Some(400));
    assert!(landing.body.contains("client_id"), "{}", landing.body);
    let error = Browser::new().sign_in("nobody", &authorize_url(&server, &good_request())).unwrap_err();
    assert!(matches!(error, BrowserError::NoSuchPerson { .. }), "{error}");
}

/// Changes to the redemption of a fresh code; an empty value leaves a parameter out.
type Redemption<'a> = (&'a [(&'a str, &'a str)], u16, &'a str);

#[test]
fn redemptions_that_are_refused() {
    let server = TestServer::start().unwrap();
    let (short, long, odd) = ("a".repeat(42), "a".repeat(129), format!("{}/", "a".repeat(42)));
    let other = "a".repeat(43);
    let table: &[Redemption<'_>] = &[
        (&[("grant_type", "")], 400, "invalid_request"),
        (&[("grant_type", "password")], 400, "unsupported_grant_type"),
        (&[("grant_type", "implicit")], 400, "unsupported_grant_type"),
        (&[("code", "")], 400, "invalid_request"),
        (&[("code", "demo-code-unknown")], 400, "invalid_grant"),
        (&[("redirect_uri", "")], 400, "invalid_request"),
        (&[("redirect_uri", "http://127.0.0.1:8401/callback")], 400, "invalid_grant"),
        (&[("redirect_uri", "http://127.0.0.1:8400/callback/")], 400, "invalid_grant"),
        (&[("code_verifier", "")], 400, "invalid_request"),
        (&[("code_verifier", &short)], 400, "invalid_request"),
        (&[("code_verifier", &long)], 400, "invalid_request"),
        (&[("code_verifier", &odd)], 400, "invalid_request"),
        (&[("code_verifier", &other)], 400, "invalid_grant"),
        (&[("code_verifier", CODE_CHALLENGE)], 400, "invalid_grant"),
        (&[("client_id", "")], 401, "invalid_client"),
        (&[("client_id", "nobody")], 401, "invalid_client"),
        (&[("client_id", "demo-basic")], 401, "invalid_client"),
        (&[("client_secret", "x")], 401, "invalid_client"),
        (&[("client_assertion", "x")], 401, "invalid_client"),
        (&[("client_id", "demo-post"), ("client_secret", "demo-post-secret")], 400, "invalid_grant"),
    ];
    for (changes, status, error) in table {
        let code = code(&server, "read");
        let mut form = redemption(&code);
        for (name, value) in *changes {
            form.retain(|(found, _)| found != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        let answer = token(&server, &form);
        assert_eq!((answer.status, answer.error().as_str()), (*status, *error), "{changes:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert_eq!(server.counters().access_tokens, 0);
}

#[test]
fn one_attempt_is_all_a_code_has() {
    let server = TestServer::start().unwrap();
    let code = code(&server, "read");
    let wrong = "a".repeat(43);
    let mut form = redemption(&code);
    form.retain(|(name, _)| *name != "code_verifier");
    form.push(("code_verifier", &wrong));
    assert_eq!(token(&server, &form).error(), "invalid_grant");
    assert_eq!(redeem(&server, &code).error(), "invalid_grant");
}

#[test]
fn codes_expire() {
    let clock = Clock::manual();
    let server = TestServer::builder().clock(&clock).start().unwrap();
    let code = code(&server, "read");
    clock.advance(Duration::from_secs(60));
    assert_eq!(redeem(&server, &code).error(), "invalid_grant");
}

#[test]
fn token_requests_must_be_forms_that_are_posted() {
    let server = TestServer::start().unwrap();
    const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
    let code = code(&server, "read");
    let body = encode(&redemption(&code));
    for (method, target, headers, body, status) in [
        ("GET", &*format!("/token?{body}"), &[][..], "", 405),
        ("PUT", "/token", &[FORM], &*body, 405),
        ("POST", "/token", &[], &body, 400),
        ("POST", "/token", &["Content-Type: application/json"], "{}", 400),
        ("POST", "/token", &["Content-Type: multipart/form-data"], &body, 400),
        ("POST", &format!("/token?{body}"), &[FORM], "", 400),
        ("POST", "/token?x=y", &[FORM], &body, 400),
        ("POST", "/token", &[FORM], &format!("{body}&x=%"), 400),
        ("POST", "/token", &[FORM], &format!("{body}&x=\u{e9}"), 400),
        ("POST", "/token", &[FORM], &format!("{body}&scope=read&scope=write"), 400),
        ("POST", "/token", &[FORM], &format!("{body}&client_id=demo"), 400),
    ] {
        let answer = send(&server, method, target, headers, body);
        assert_eq!(answer.status, status, "{method} {target} {headers:?} {body}");
        match status {
            405 => assert_eq!(answer.header("allow"), Some("POST")),
            _ => assert_eq!(answer.error(), "invalid_request", "{method} {target} {headers:?} {body}"),
        }
    }
    // none of it has touched the code
    let charset = ["Content-Type: application/x-www-form-urlencoded;charset=UTF-8"];
    assert_eq!(send(&server, "POST", "/token", &charset, &body).status, 200);
}

#[test]
fn client_authentication_that_is_refused() {
    let server = TestServer::builder().client(Client::basic("odd", "a b:c")).start().unwrap();
    let grant = ("grant_type", "client_credentials");
    let secret = ("client_secret", "demo-basic-secret");
    let id = ("client_id", "demo-basic");
    let right = basic("demo-basic:demo-basic-secret");
    for (header, form, status, error) in [
        (Some(right.clone()), vec![grant, secret], 400, "invalid_request"),
        (Some(right.clone()), vec![grant, id, secret], 400, "invalid_request"),
        (Some(right.clone()), vec![grant, ("client_secret", "")], 400, "invalid_request"),
        (Some(right.clone()), vec![grant, ("client_id", "demo")], 400, "invalid_request"),
        (Some(basic("demo-basic:wrong")), vec![grant], 401, "invalid_client"),
        (Some(basic("demo-basic:")), vec![grant], 401, "invalid_client"),
        (Some(basic("nobody:x")), vec![grant], 401, "invalid_client"),
        (Some(basic("demo:")), vec![grant], 401, "invalid_client"),
        (Some(basic("demo-post:demo-post-secret")), vec![grant], 401, "invalid_client"),
        (Some(basic("odd:a b:c")), vec![grant], 401, "invalid_client"),
        (Some(basic("no-colon")), vec![grant], 401, "invalid_client"),
        (Some("Authorization: Basic ###".to_owned()), vec![grant], 401, "invalid_client"),
        (Some("Authorization: Bearer x".to_owned()), vec![grant], 401, "invalid_client"),
        (None, vec![grant], 401, "invalid_client"),
        (None, vec![grant, id, secret], 401, "invalid_client"),
        (None, vec![grant, secret], 400, "invalid_request"),
        (None, vec![grant, ("client_id", "demo-post"), ("client_secret", "wrong")], 401, "invalid_client"),
        (None, vec![grant, ("client_id", "demo-post")], 401, "invalid_client"),
        (None, vec![grant, ("client_id", "demo")], 400, "unauthorized_client"),
        (Some(basic("odd:a+b%3Ac")), vec![grant, ("scope", "openid")], 400, "invalid_scope"),
        (Some(right), vec![grant, ("scope", "admin")], 400, "invalid_scope"),
    ] {
        let headers: Vec<&str> = header.iter().map(String::as_str).collect();
        for endpoint in ["/token", "/device_authorization"] {
            // a device may begin with what a client on its own may not have
            if endpoint != "/token" && (error == "unauthorized_client" || form.contains(&("scope", "openid")))
            {
                continue;
            }
            let answer = post(&server, endpoint, &headers, &form);
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (status, error),
                "{endpoint} {header:?} {form:?}"
            );
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge.is_some_and(|value| value.starts_with("Basic ")), status == 401, "{form:?}");
        }
    }
}

#[test]
fn refreshes_that_are_refused() {
    let server = TestServer::start().unwrap();
    let tokens = redeem(&server, &code(&server, "read"));
    let refresh_token = tokens.text("refresh_token");
    assert_eq!(
        token(&server, &[("grant_type", "refresh_token"), ("client_id", "demo")]).error(),
        "invalid_request"
    );
    assert_eq!(refresh(&server, "demo-rt-unknown").error(), "invalid_grant");
    assert_eq!(refresh(&server, &tokens.text("access_token")).error(), "invalid_grant");
    let by_another = [("grant_type", "refresh_token"), ("refresh_token", &*refresh_token)];
    let header = basic("demo-basic:demo-basic-secret");
    assert_eq!(post(&server, "/token", &[&header], &by_another).error(), "invalid_grant");
    // none of it has spent the token
    assert_eq!(refresh(&server, &refresh_token).status, 200);
}

#[test]
fn userinfo_takes_a_bearer_token_in_the_header_alone() {
    let server = TestServer::start().unwrap();
    let access_token = redeem(&server, &code(&server, "openid")).text("access_token");
    let header = format!("Authorization: Bearer {access_token}");
    for (method, target, headers, body, status, error) in [
        ("GET", "/userinfo", &[][..], "", 401, ""),
        ("GET", "/userinfo", &["Authorization: Basic eDp5"], "", 401, ""),
        ("GET", "/userinfo", &["Authorization: Bearer unknown"], "", 401, "invalid_token"),
        ("GET", "/userinfo", &["Authorization: Bearer"], "", 401, ""),
        ("GET", &*format!("/userinfo?access_token={access_token}"), &[], "", 400, "invalid_request"),
        ("GET", &format!("/userinfo?access_token={access_token}"), &[&header], "", 400, "invalid_request"),
        (
            "POST",
            "/userinfo",
            &["Content-Type: application/x-www-form-urlencoded"],
            &*format!("access_token={access_token}"),
            400,
            "invalid_request",
        ),
        ("GET", "/userinfo", &[&header], "", 200, ""),
        ("POST", "/userinfo", &[&header], "", 200, ""),
    ] {
        let answer = send(&server, method, target, headers, body);
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (status, error),
            "{method} {target} {headers:?}"
        );
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert_eq!(challenge.starts_with("Bearer realm="), status != 200, "{challenge}");
        assert_eq!(challenge.contains("error="), !error.is_empty(), "{challenge}");
    }
    assert_eq!(send(&server, "DELETE", "/userinfo", &[&header], "").status, 405);
}

#[test]
fn a_wrong_user_code_is_not_found() {
    let server = TestServer::start().unwrap();
    let landing = Browser::new().approve_device(&format!("{}/device", server.issuer()), "BBBB-BBBB").unwrap();
    assert_eq!(landing.status, Some(400));
    assert!(landing.body.contains("No device waits with this code"), "{}", landing.body);
}
