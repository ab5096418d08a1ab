//! Each fault as a client would meet it.

#![allow(missing_docs, reason = "tests")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::*;
use oauth_testserver::{Browser, Endpoint, Fault, TestServer};

#[test]
fn authorization_responses_go_wrong() {
    let server = TestServer::start().unwrap();
    let issuer = server.issuer().to_owned();
    let state = "a state/+&=".to_owned();
    type Expected<'a> = (Fault, &'a str, Option<&'a str>);
    let table: &[Expected<'_>] = &[
        (Fault::Denied, "error", Some("access_denied")),
        (Fault::WrongState, "state", Some("demo-wrong-state")),
        (Fault::WrongIssuer, "iss", Some("https://other.example")),
        (Fault::MissingIssuer, "iss", None),
    ];
    for (fault, name, value) in table {
        server.fault_once(Endpoint::Authorize, fault.clone());
        let landing = sign_in(&server, &good_request());
        assert_eq!(landing.parameter(name).as_deref(), *value, "{fault:?}");
        let after = sign_in(&server, &good_request());
        assert_eq!(
            (after.parameter("state"), after.parameter("iss")),
            (Some(state.clone()), Some(issuer.clone()))
        );
        assert!(after.parameter("code").is_some());
    }
    for name in ["code", "state", "iss", "error", "response"] {
        for mode in ["query", "form_post"] {
            server.fault_once(Endpoint::Authorize, Fault::DuplicateParameter(name.to_owned()));
            let landing = sign_in(&server, &with(good_request(), &[("response_mode", mode)]));
            let in_query =
                landing.url.split(['?', '&']).filter(|pair| pair.starts_with(&format!("{name}="))).count();
            let in_form = landing.form.iter().filter(|(found, _)| found == name).count();
            assert_eq!(in_query + in_form, 2, "{name} by {mode}");
        }
    }
}

#[test]
fn token_responses_go_wrong() {
    let server = TestServer::start().unwrap();
    let mut last = redeem(&server, &code(&server, "read"));
    for fault in [Fault::ExpiresInWord, Fault::NoTokenType, Fault::AccessTokenWithCrLf, Fault::ErrorWith200] {
        server.fault_once(Endpoint::Token, fault.clone());
        // an answer that is an error anyway leaves the fault waiting
        assert_eq!(refresh(&server, "unknown").error(), "invalid_grant");
        last = refresh(&server, &last.text("refresh_token"));
        assert_eq!(last.status, 200);
        let json = last.json();
        match fault {
            Fault::ExpiresInWord => assert_eq!(json["expires_in"], "soon"),
            Fault::NoTokenType => assert_eq!(json.get("token_type"), None),
            Fault::AccessTokenWithCrLf => assert!(last.text("access_token").contains("\r\nX-Injected: yes")),
            _ => assert_eq!(
                (json["error"].as_str(), json["access_token"].is_string()),
                (Some("temporarily_unavailable"), true)
            ),
        }
    }
    let clean = refresh(&server, &last.text("refresh_token")).json();
    assert_eq!(
        (&clean["token_type"], &clean["expires_in"], clean.get("error")),
        (&"Bearer".into(), &3_600.into(), None)
    );
}

#[test]
fn the_metadata_names_another_issuer() {
    let server = TestServer::builder().fault_once(Endpoint::Metadata, Fault::IssuerMismatch).start().unwrap();
    let issuer = || get(&server, "/.well-known/openid-configuration").text("issuer");
    assert_eq!(issuer(), format!("{}/", server.issuer()));
    assert_eq!(issuer(), server.issuer());
}

#[test]
fn any_endpoint_answers_something_else() {
    let server = TestServer::start().unwrap();
    for (target, endpoint) in [
        ("/token", Endpoint::Token),
        ("/userinfo", Endpoint::Userinfo),
        ("/jwks", Endpoint::Jwks),
        ("/.well-known/openid-configuration", Endpoint::Metadata),
        ("/device_authorization", Endpoint::DeviceAuthorization),
        ("/authorize", Endpoint::Authorize),
        ("/login", Endpoint::Login),
        ("/consent", Endpoint::Consent),
        ("/device", Endpoint::Device),
        ("/else", Endpoint::Unknown),
    ] {
        let answers = [
            (Fault::Status(429, "later".to_owned()), 429, "later"),
            (Fault::Status(418, "{\"error\":\"teapot\"}".to_owned()), 418, "teapot"),
            (Fault::NotJson, 200, "<!doctype html>"),
            (Fault::ServerError, 500, "went wrong"),
            (Fault::Redirect("http://127.0.0.1:1/".to_owned()), 307, ""),
        ];
        for (fault, status, says) in answers {
            server.fault_once(endpoint, fault.clone());
            let answer = post(&server, target, &[], &[]);
            assert_eq!(answer.status, status, "{target} {fault:?}");
            assert!(answer.body.contains(says), "{target} {fault:?}: {}", answer.body);
            if status == 307 {
                assert_eq!(answer.header("location"), Some("http://127.0.0.1:1/"));
            }
        }
    }
}

#[test]
fn connections_close_early_and_late() {
    let server = TestServer::start().unwrap();
    let tokens = redeem(&server, &code(&server, "read"));
    let body =
        format!("grant_type=refresh_token&client_id=demo&refresh_token={}", tokens.text("refresh_token"));
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        authority(&server),
        body.len()
    );
    server.fault_once(Endpoint::Token, Fault::CloseBeforeResponse);
    assert_eq!(exchange(&server, &request), "");
    assert_eq!(server.counters().refresh_tokens, 1, "nothing was done");
    server.fault_once(Endpoint::Token, Fault::LostResponse);
    assert_eq!(exchange(&server, &request), "");
    assert_eq!(server.counters().refresh_tokens, 2, "it was done, and nobody knows");
    assert_eq!(refresh(&server, &tokens.text("refresh_token")).error(), "invalid_grant");
}

#[test]
fn an_answer_breaks_off() {
    let server = TestServer::start().unwrap();
    let whole = get(&server, "/jwks").body;
    server.fault_once(Endpoint::Jwks, Fault::Truncated);
    let half = get(&server, "/jwks");
    assert_eq!(half.header("content-length"), Some(&*whole.len().to_string()));
    assert_eq!(half.body, whole[..whole.len() / 2]);
    server.fault_once(Endpoint::Authorize, Fault::Truncated);
    server.fault_once(Endpoint::Login, Fault::Truncated);
    let url = authorize_url(&server, &good_request());
    assert!(Browser::new().sign_in("ada", &url).is_err(), "the login page breaks off");
}

#[test]
fn a_body_has_50_megabytes() {
    let server = TestServer::start().unwrap();
    server.fault_once(Endpoint::Jwks, Fault::HugeBody);
    let answer = get(&server, "/jwks");
    assert_eq!((answer.header("content-length"), answer.body.len()), (None, 50_000_000));
    assert!(answer.json()["filler"].is_string());
}

#[test]
fn a_slow_answer_comes_in_the_end() {
    let server = TestServer::start().unwrap();
    let delay = Duration::from_millis(40);
    server.fault_once(Endpoint::Jwks, Fault::Slow(delay));
    let start = Instant::now();
    assert_eq!(get(&server, "/jwks").status, 200);
    assert!(start.elapsed() >= delay);
}

#[test]
fn a_slow_answer_and_a_huge_one_do_not_hold_the_server_back() {
    let server = TestServer::start().unwrap();
    server.fault_always(Endpoint::Jwks, Fault::Slow(Duration::from_secs(3_600)));
    server.fault_always(Endpoint::Metadata, Fault::HugeBody);
    let mut waiting: Vec<TcpStream> = ["/jwks", "/.well-known/openid-configuration"]
        .iter()
        .map(|target| {
            let mut stream = TcpStream::connect(authority(&server)).unwrap();
            stream
                .write_all(
                    format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", authority(&server)).as_bytes(),
                )
                .unwrap();
            stream
        })
        .collect();
    let mut first = [0; 1];
    waiting[1].read_exact(&mut first).unwrap();
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let mut rest = Vec::new();
    let _ = waiting[0].read_to_end(&mut rest);
    assert!(rest.is_empty());
}

#[test]
fn faults_stay_until_cleared() {
    let server = TestServer::builder().fault_always(Endpoint::Jwks, Fault::ServerError).start().unwrap();
    for _ in 0..3 {
        assert_eq!(get(&server, "/jwks").status, 500);
    }
    server.clear_faults();
    assert_eq!(get(&server, "/jwks").status, 200);
}

#[test]
fn a_device_is_denied_although_the_person_agreed() {
    let server = TestServer::builder().fault_once(Endpoint::Device, Fault::Denied).start().unwrap();
    let started = post(&server, "/device_authorization", &[], &[("client_id", "demo")]);
    Browser::new().approve_device(&started.text("verification_uri"), &started.text("user_code")).unwrap();
    assert_eq!(poll(&server, &started.text("device_code")).error(), "access_denied");
}
