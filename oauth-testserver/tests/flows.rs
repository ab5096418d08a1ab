//! Every grant from its beginning to its end.

#![allow(missing_docs, reason = "tests")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use common::*;
use ct_codecs::{Base64UrlSafeNoPadding, Decoder as _, Encoder as _};
use oauth_testserver::{Browser, Client, Clock, Person, TestServer};
use serde_json::{Value, json};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Checks the signature by the server's own keys and gives the claims.
fn verify(server: &TestServer, id_token: &str) -> Value {
    let decode = |text: &str| Base64UrlSafeNoPadding::decode_to_vec(text, None).unwrap();
    let parts: Vec<&str> = id_token.split('.').collect();
    let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    let key = get(server, "/jwks").json()["keys"][0].clone();
    assert_eq!((&header["alg"], &header["kid"]), (&json!("EdDSA"), &key["kid"]));
    let public = ed25519_compact::PublicKey::from_slice(&decode(key["x"].as_str().unwrap())).unwrap();
    let signature = ed25519_compact::Signature::from_slice(&decode(parts[2])).unwrap();
    public.verify(format!("{}.{}", parts[0], parts[1]), &signature).unwrap();
    serde_json::from_slice(&decode(parts[1])).unwrap()
}

#[test]
fn authorization_code_with_openid() {
    let clock = Clock::manual_at(seconds(1_800_000_000));
    let server = TestServer::builder().clock(&clock).start().unwrap();
    let request =
        with(good_request(), &[("scope", "openid profile email offline_access"), ("nonce", "n-0S6_WzA2Mj")]);
    let landing = sign_in(&server, &request);
    assert_eq!(landing.parameter("state").as_deref(), Some("a state/+&="));
    assert_eq!(landing.parameter("iss").as_deref(), Some(server.issuer()));
    clock.advance(seconds(59));
    let tokens = redeem(&server, &landing.parameter("code").unwrap());
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    assert_eq!(tokens.header("content-type"), Some("application/json"));
    assert_eq!(tokens.text("token_type"), "Bearer");
    assert_eq!(tokens.json()["expires_in"], 3_600);
    assert_eq!(tokens.text("scope"), "openid profile email offline_access");
    let access_token = tokens.text("access_token");
    assert!(access_token.starts_with("demo-at-") && tokens.text("refresh_token").starts_with("demo-rt-"));
    let hash = ed25519_compact::sha512::Hash::hash(&access_token);
    assert_eq!(
        verify(&server, &tokens.text("id_token")),
        json!({
            "iss": server.issuer(), "sub": "demo-ada", "aud": "demo", "nonce": "n-0S6_WzA2Mj",
            "auth_time": 1_800_000_000, "iat": 1_800_000_059, "exp": 1_800_000_659,
            "at_hash": Base64UrlSafeNoPadding::encode_to_string(&hash[..32]).unwrap(),
        })
    );
    assert_eq!(
        userinfo(&server, &access_token).json(),
        json!({
            "sub": "demo-ada", "name": "Ada Lovelace", "preferred_username": "ada",
            "email": "ada@example.com", "email_verified": true,
        })
    );
    clock.advance(seconds(3_600));
    let expired = userinfo(&server, &access_token);
    assert_eq!((expired.status, expired.error().as_str()), (401, "invalid_token"));
}

#[test]
fn plain_oauth_gets_a_refresh_token_and_openid_only_offline() {
    let server = TestServer::start().unwrap();
    for (scope, refresh, id) in
        [("read", true, false), ("openid", false, true), ("openid offline_access", true, true)]
    {
        let tokens = redeem(&server, &code(&server, scope)).json();
        let has = |name: &str| tokens.get(name).is_some();
        assert_eq!((has("refresh_token"), has("id_token")), (refresh, id), "{scope}");
    }
}

#[test]
fn without_a_scope_there_is_the_default_one() {
    let server = TestServer::start().unwrap();
    let landing = sign_in(&server, &with(good_request(), &[("scope", ""), ("state", "")]));
    assert_eq!(landing.parameter("state"), None);
    assert_eq!(redeem(&server, &landing.parameter("code").unwrap()).text("scope"), "read");
}

#[test]
fn the_answer_comes_by_query_fragment_or_form() {
    let server = TestServer::start().unwrap();
    let own_query = with(good_request(), &[("redirect_uri", "http://127.0.0.1:8400/callback?x=y")]);
    let landing = sign_in(&server, &own_query);
    assert!(landing.url.starts_with("http://127.0.0.1:8400/callback?x=y&code="), "{}", landing.url);

    let landing = sign_in(&server, &with(good_request(), &[("response_mode", "fragment")]));
    assert!(landing.url.starts_with(&format!("{REDIRECT_URI}#code=")), "{}", landing.url);

    let landing = sign_in(&server, &with(good_request(), &[("response_mode", "form_post")]));
    assert_eq!(landing.url, REDIRECT_URI);
    let names: Vec<&str> = landing.form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert_eq!(landing.parameter("state").as_deref(), Some("a state/+&="));
    assert_eq!(redeem(&server, &landing.parameter("code").unwrap()).status, 200);
}

#[test]
fn the_browser_brings_the_answer_to_a_listener() {
    let server = TestServer::start().unwrap();
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        // a machine without IPv6 cannot listen there
        let Ok(listener) = TcpListener::bind(if host == "[::1]" { "[::1]:0" } else { "127.0.0.1:0" }) else {
            assert_eq!(host, "[::1]");
            continue;
        };
        let redirect_uri = format!("http://{host}:{}/cb", listener.local_addr().unwrap().port());
        for (mode, starts) in
            [("query", "GET /cb?code="), ("fragment", "GET /cb HTTP"), ("form_post", "POST /cb HTTP")]
        {
            let listener = listener.try_clone().unwrap();
            let listening = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = String::new();
                let mut chunk = [0; 4096];
                while !(asked.contains("\r\n\r\n") && (asked.starts_with("GET") || asked.contains("iss="))) {
                    let read = stream.read(&mut chunk).unwrap();
                    asked.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nThanks!").unwrap();
                asked
            });
            let mut request: Vec<(&str, &str)> =
                with(good_request(), &[("redirect_uri", ""), ("response_mode", mode)]);
            request.push(("redirect_uri", &redirect_uri));
            let landing = Browser::new().sign_in("grace", &authorize_url(&server, &request)).unwrap();
            assert_eq!((landing.status, landing.body.as_str()), (Some(200), "Thanks!"));
            let asked = listening.join().unwrap();
            assert!(asked.starts_with(starts), "{asked}");
            assert!(landing.parameter("code").is_some());
        }
    }
}

#[test]
fn the_request_may_be_posted() {
    let server = TestServer::start().unwrap();
    let answer = post(&server, "/authorize", &[], &good_request());
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").unwrap().starts_with("/login?interaction="));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
}

#[test]
fn a_person_can_deny() {
    let server = TestServer::start().unwrap();
    let url = authorize_url(&server, &good_request());
    let landing = Browser::new().without_visiting_redirect_uri().deny(&url).unwrap();
    assert!(landing.url.starts_with(&format!("{REDIRECT_URI}?error=access_denied&")), "{}", landing.url);
    assert_eq!(landing.parameter("state").as_deref(), Some("a state/+&="));
    assert_eq!(landing.parameter("iss").as_deref(), Some(server.issuer()));
    assert_eq!(landing.parameter("code"), None);
}

#[test]
fn refresh_tokens_rotate_and_keep_their_scope() {
    let server = TestServer::start().unwrap();
    let first = redeem(&server, &code(&server, "openid offline_access read"));
    let form = |refresh_token: &str, scope: &str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "demo"),
            ("refresh_token", refresh_token),
            ("scope", scope),
        ];
        token(&server, &form)
    };
    let grown = form(&first.text("refresh_token"), "read write");
    assert_eq!((grown.status, grown.error().as_str()), (400, "invalid_scope"));
    let shrunk = form(&first.text("refresh_token"), "read");
    assert_eq!(shrunk.text("scope"), "read");
    assert_eq!(shrunk.json().get("id_token"), None);
    assert_eq!(userinfo(&server, &shrunk.text("access_token")).status, 403);
    let back = refresh(&server, &shrunk.text("refresh_token"));
    assert_eq!(back.text("scope"), "openid offline_access read");
    let claims = verify(&server, &back.text("id_token"));
    assert_eq!((&claims["sub"], claims.get("nonce")), (&json!("demo-ada"), None));
    let distinct: std::collections::HashSet<String> =
        [&first, &shrunk, &back].iter().map(|tokens| tokens.text("refresh_token")).collect();
    assert_eq!(distinct.len(), 3);
}

#[test]
fn a_refresh_token_used_twice_ends_its_family_alone() {
    let server = TestServer::start().unwrap();
    let first = redeem(&server, &code(&server, "openid offline_access"));
    let other = redeem(&server, &code(&server, "openid offline_access"));
    let second = refresh(&server, &first.text("refresh_token"));
    assert_eq!(second.status, 200);
    assert_eq!(server.counters().replays, 0);
    assert_eq!(refresh(&server, &first.text("refresh_token")).error(), "invalid_grant");
    assert_eq!(server.counters().replays, 1);
    assert_eq!(refresh(&server, &second.text("refresh_token")).error(), "invalid_grant");
    for tokens in [&first, &second] {
        assert_eq!(userinfo(&server, &tokens.text("access_token")).status, 401);
    }
    assert_eq!(userinfo(&server, &other.text("access_token")).status, 200);
    assert_eq!(refresh(&server, &other.text("refresh_token")).status, 200);
}

#[test]
fn a_code_used_twice_ends_what_it_gave() {
    let server = TestServer::start().unwrap();
    let code = code(&server, "openid offline_access");
    let tokens = redeem(&server, &code);
    let rotated = refresh(&server, &tokens.text("refresh_token"));
    assert_eq!(rotated.status, 200);
    assert_eq!(redeem(&server, &code).error(), "invalid_grant");
    assert_eq!(server.counters().replays, 1);
    assert_eq!(userinfo(&server, &tokens.text("access_token")).status, 401);
    assert_eq!(refresh(&server, &rotated.text("refresh_token")).error(), "invalid_grant");
}

#[test]
fn refresh_tokens_expire() {
    let clock = Clock::manual();
    let server = TestServer::builder().clock(&clock).refresh_token_lifetime(seconds(100)).start().unwrap();
    let tokens = redeem(&server, &code(&server, "read"));
    clock.advance(seconds(99));
    let rotated = refresh(&server, &tokens.text("refresh_token"));
    assert_eq!(rotated.status, 200);
    clock.advance(seconds(100));
    assert_eq!(refresh(&server, &rotated.text("refresh_token")).error(), "invalid_grant");
}

#[test]
fn client_credentials_by_header_and_by_body() {
    let server = TestServer::builder().client(Client::basic("odd id:", "s%+ \u{e9}:&")).start().unwrap();
    let grant = ("grant_type", "client_credentials");
    for (header, form) in [
        (Some(basic("demo-basic:demo-basic-secret")), vec![grant]),
        (Some(basic("odd+id%3A:s%25%2B+%C3%A9%3A%26")), vec![grant]),
        (
            Some(basic("demo-basic:demo-basic-secret")),
            vec![grant, ("client_id", "demo-basic"), ("scope", "write")],
        ),
        (None, vec![grant, ("client_id", "demo-post"), ("client_secret", "demo-post-secret")]),
    ] {
        let headers: Vec<&str> = header.iter().map(String::as_str).collect();
        let tokens = post(&server, "/token", &headers, &form);
        assert_eq!(tokens.status, 200, "{form:?}: {}", tokens.body);
        assert_eq!(tokens.text("scope"), if form.len() == 3 && header.is_some() { "write" } else { "read" });
        assert_eq!((tokens.json().get("refresh_token"), tokens.json().get("id_token")), (None, None));
        let userinfo = userinfo(&server, &tokens.text("access_token"));
        assert_eq!((userinfo.status, userinfo.error().as_str()), (403, "insufficient_scope"));
    }
}

fn start_device(server: &TestServer, scope: &str) -> Answer {
    let started = post(server, "/device_authorization", &[], &[("client_id", "demo"), ("scope", scope)]);
    assert_eq!(started.status, 200, "{}", started.body);
    started
}

#[test]
fn a_device_waits_is_slowed_down_and_gets_its_tokens() {
    let clock = Clock::manual();
    let server = TestServer::builder().clock(&clock).start().unwrap();
    let started = start_device(&server, "openid offline_access");
    let (device_code, user_code) = (started.text("device_code"), started.text("user_code"));
    assert_eq!(started.text("verification_uri"), format!("{}/device", server.issuer()));
    assert_eq!((&started.json()["interval"], &started.json()["expires_in"]), (&json!(5), &json!(600)));
    // after each pause, what the poll is told
    for (pause, told) in [
        (0, "authorization_pending"),
        (5, "authorization_pending"),
        (4, "slow_down"),
        (9, "slow_down"),
        (15, "authorization_pending"),
        (14, "slow_down"),
        (20, "authorization_pending"),
    ] {
        clock.advance(seconds(pause));
        assert_eq!(poll(&server, &device_code).error(), told, "after {pause} s");
    }
    assert_eq!(server.counters().slow_downs, 3);
    // typed as people do
    let typed = user_code.to_lowercase().replace('-', " ");
    let landing = Browser::new().approve_device(&started.text("verification_uri"), &typed).unwrap();
    assert_eq!(landing.status, Some(200));
    assert!(landing.url.ends_with("/device?done=approved"), "{landing:?}");
    let tokens = poll(&server, &device_code);
    assert_eq!(verify(&server, &tokens.text("id_token"))["sub"], "demo-ada");
    assert_eq!(refresh(&server, &tokens.text("refresh_token")).status, 200);
    assert_eq!(poll(&server, &device_code).error(), "invalid_grant");
    // the code has done its work
    let again = Browser::new().approve_device(&started.text("verification_uri"), &user_code).unwrap();
    assert_eq!(again.status, Some(400));
}

#[test]
fn a_device_is_denied() {
    let server = TestServer::start().unwrap();
    let started = start_device(&server, "read");
    let complete = started.text("verification_uri_complete");
    let landing = Browser::new().deny_device(&complete, &started.text("user_code")).unwrap();
    assert!(landing.url.ends_with("/device?done=denied"), "{landing:?}");
    assert_eq!(poll(&server, &started.text("device_code")).error(), "access_denied");
}

#[test]
fn a_device_waits_too_long() {
    let clock = Clock::manual();
    let server = TestServer::builder().clock(&clock).device_code_lifetime(seconds(30)).start().unwrap();
    let started = start_device(&server, "read");
    clock.advance(seconds(30));
    assert_eq!(poll(&server, &started.text("device_code")).error(), "expired_token");
    let uri = started.text("verification_uri");
    let landing = Browser::new().approve_device(&uri, &started.text("user_code")).unwrap();
    assert_eq!(landing.status, Some(400));
    assert!(landing.url.ends_with("/device"), "the code is not even taken");
}

#[test]
fn a_device_code_belongs_to_its_client() {
    let server = TestServer::start().unwrap();
    let started = start_device(&server, "read");
    let form = [("grant_type", DEVICE_CODE), ("device_code", &*started.text("device_code"))];
    let header = basic("demo-basic:demo-basic-secret");
    assert_eq!(post(&server, "/token", &[&header], &form).error(), "invalid_grant");
    assert_eq!(poll(&server, &started.text("device_code")).error(), "authorization_pending");
}

#[test]
fn metadata_says_what_the_server_does() {
    let server = TestServer::start().unwrap();
    let oauth = get(&server, "/.well-known/oauth-authorization-server").json();
    assert_eq!(oauth, get(&server, "/.well-known/openid-configuration").json());
    assert_eq!(oauth["issuer"], server.issuer());
    assert_eq!(oauth["authorization_response_iss_parameter_supported"], true);
    assert_eq!(oauth["code_challenge_methods_supported"], json!(["S256"]));
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "device_authorization_endpoint",
        "userinfo_endpoint",
    ] {
        assert!(
            oauth[endpoint].as_str().unwrap().starts_with(&format!("{}/", server.issuer())),
            "{endpoint}"
        );
    }
}

#[test]
fn openid_and_iss_can_be_left_out() {
    let server = TestServer::builder().without_openid().without_issuer_parameter().start().unwrap();
    assert_eq!(get(&server, "/.well-known/openid-configuration").status, 404);
    let metadata = get(&server, "/.well-known/oauth-authorization-server").json();
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], false);
    assert_eq!(metadata.get("userinfo_endpoint"), None);
    assert_eq!(sign_in(&server, &good_request()).parameter("iss"), None);
    let refused = sign_in(&server, &with(good_request(), &[("scope", "openid")]));
    assert_eq!(refused.parameter("error").as_deref(), Some("invalid_scope"));
}

#[test]
fn clients_people_and_scopes_can_be_added() {
    let server = TestServer::builder()
        .client(Client::public("app").redirect_uri("com.example.app:/cb"))
        .person(Person::new("mary", "Mary Somerville"))
        .scope("files.read")
        .start()
        .unwrap();
    let changes = [
        ("client_id", "app"),
        ("redirect_uri", "com.example.app:/cb"),
        ("scope", "openid profile files.read"),
    ];
    let url = authorize_url(&server, &with(good_request(), &changes));
    let landing = Browser::new().sign_in("mary", &url).unwrap();
    assert!(landing.url.starts_with("com.example.app:/cb?code="), "{}", landing.url);
    let code = landing.parameter("code").unwrap();
    let mut form = redemption(&code);
    form.retain(|(name, _)| !matches!(*name, "client_id" | "redirect_uri"));
    form.extend([("client_id", "app"), ("redirect_uri", "com.example.app:/cb")]);
    let tokens = token(&server, &form);
    assert_eq!(userinfo(&server, &tokens.text("access_token")).text("name"), "Mary Somerville");
}
