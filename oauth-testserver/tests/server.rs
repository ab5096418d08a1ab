//! The server as a thing that is started, watched and stopped.

#![allow(missing_docs, reason = "tests")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::*;
use oauth_testserver::{Client, Endpoint, TestServer};

#[test]
fn the_log_has_names_and_no_values() {
    let server = TestServer::start().unwrap();
    let code = code(&server, "openid offline_access");
    let tokens = redeem(&server, &code);
    userinfo(&server, &tokens.text("access_token"));
    assert_eq!(get(&server, "/nowhere?a=1&b=2").status, 404);
    let log = server.log();
    let path: Vec<&str> = log.iter().map(|received| received.path.as_str()).collect();
    let expected =
        ["/authorize", "/login", "/login", "/consent", "/consent", "/token", "/userinfo", "/nowhere"];
    assert_eq!(path, expected);
    assert_eq!(log[5].method, "POST");
    assert_eq!(log[5].parameters, ["grant_type", "client_id", "code", "redirect_uri", "code_verifier"]);
    assert_eq!(
        (log[7].endpoint, log[7].parameters.as_slice()),
        (Endpoint::Unknown, &["a".to_owned(), "b".to_owned()][..])
    );
    assert_eq!((server.count(Endpoint::Token), server.count(Endpoint::Jwks)), (1, 0));
    let shown = format!("{log:?} {server:?} {:?}", server.counters());
    for secret in server.issued_secrets() {
        assert!(!shown.contains(&secret));
    }
    let counters = server.counters();
    assert_eq!(
        (
            counters.codes,
            counters.access_tokens,
            counters.refresh_tokens,
            counters.id_tokens,
            counters.device_codes
        ),
        (1, 1, 1, 1, 0)
    );
}

#[test]
fn every_secret_is_known() {
    let server = TestServer::builder().client(Client::post("mine", "my secret")).start().unwrap();
    let code = code(&server, "openid offline_access");
    let tokens = redeem(&server, &code);
    let device = post(&server, "/device_authorization", &[], &[("client_id", "demo")]);
    let secrets = server.issued_secrets();
    for secret in [
        code,
        tokens.text("access_token"),
        tokens.text("refresh_token"),
        tokens.text("id_token"),
        device.text("device_code"),
        "demo-basic-secret".to_owned(),
        "demo-post-secret".to_owned(),
        "my secret".to_owned(),
    ] {
        assert!(secrets.contains(&secret), "{secret}");
    }
    assert_eq!(secrets.len(), 8);
}

#[test]
fn stopping_takes_no_time_and_frees_the_port() {
    let server = TestServer::start().unwrap();
    let authority = authority(&server).to_owned();
    // one peer says nothing, one stops in the middle of its request
    let _silent = TcpStream::connect(&authority).unwrap();
    let mut half = TcpStream::connect(&authority).unwrap();
    half.write_all(b"POST /token HTTP/1.1\r\nHo").unwrap();
    assert_eq!(get(&server, "/jwks").status, 200);
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(TcpStream::connect(&authority).is_err());
}

#[test]
fn there_are_so_many_connections_and_no_more() {
    let server = TestServer::start().unwrap();
    let silent: Vec<TcpStream> = (0..64).map(|_| TcpStream::connect(authority(&server)).unwrap()).collect();
    // accepted in their order, so this one is the 65th
    let refused = exchange(&server, "");
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    drop(silent);
    let deadline = Instant::now() + Duration::from_secs(10);
    // a refusal closes without having read the request, which may reset the connection: that is a refusal too
    let is_served = || {
        let mut stream = TcpStream::connect(authority(&server)).unwrap();
        let mut answer = String::new();
        write!(stream, "GET /jwks HTTP/1.1\r\nHost: {}\r\n\r\n", authority(&server)).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 200 ")
    };
    while !is_served() {
        assert!(Instant::now() < deadline, "the connections that closed are still counted");
        std::thread::yield_now();
    }
}

#[test]
fn a_request_that_is_refused_half_read_still_gets_its_answer() {
    let server = TestServer::start().unwrap();
    let body = "a".repeat(200_000);
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}",
        authority(&server),
        body.len()
    );
    assert!(exchange(&server, &request).starts_with("HTTP/1.1 413 "));
    let rebound = exchange(&server, "GET /jwks HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert!(rebound.starts_with("HTTP/1.1 421 "), "{rebound}");
    assert_eq!(server.log(), []);
}

#[test]
fn every_answer_has_a_date_by_the_servers_clock_and_closes() {
    let clock = oauth_testserver::Clock::manual_at(Duration::from_secs(784_111_777));
    let server = TestServer::builder().clock(&clock).start().unwrap();
    for target in ["/jwks", "/nowhere", "/authorize", "/userinfo", "/device"] {
        let answer = get(&server, target);
        assert_eq!(answer.header("date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"), "{target}");
        assert_eq!(answer.header("connection"), Some("close"), "{target}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{target}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{target}");
    }
    assert_eq!(
        exchange(&server, &format!("HEAD /jwks HTTP/1.1\r\nHost: {}\r\n\r\n", authority(&server)))
            .split("\r\n\r\n")
            .nth(1),
        Some("")
    );
}
