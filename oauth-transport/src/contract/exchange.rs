//! What arrives at the server, and what comes back.

use super::Engine;
use super::server::Server;
use super::subject::{BODY, get, post, send, send_with, transport};
use crate::Settings;
use http::{HeaderValue, StatusCode};
use std::io::Write as _;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Method, target and headers of a GET, each once, and no body.
pub fn get_arrives_as_described<E: Engine>() {
    let server = Server::answering(OK);
    let response = send::<E>(get(&server.http("/a%2Fb/metadata?x=1&y=%20"))).expect("the server answers");
    assert_eq!((response.status(), response.body()), (StatusCode::OK, &b"{}"[..]));
    let received = server.only();
    assert_eq!(received.line, "GET /a%2Fb/metadata?x=1&y=%20 HTTP/1.1");
    assert_eq!(received.all("host"), [server.address().to_string()]);
    assert_eq!(received.all("accept"), ["application/json"]);
    assert!(matches!(received.all("content-length")[..], [] | ["0"]), "{received:?}");
    assert_eq!(received.body, b"");
}

/// The same for a POST, with each byte of its body.
pub fn post_arrives_as_described<E: Engine>() {
    let server = Server::answering(OK);
    send::<E>(post(&server.http("/token"))).expect("the server answers");
    let received = server.only();
    assert_eq!(received.line, "POST /token?hint=planted-query HTTP/1.1");
    assert_eq!(received.all("host"), [server.address().to_string()]);
    assert_eq!(received.all("content-type"), ["application/x-www-form-urlencoded"]);
    assert_eq!(received.all("accept"), ["application/json"]);
    assert_eq!(received.all("authorization"), ["Basic planted-basic"]);
    assert_eq!(received.all("dpop"), ["proof"]);
    assert_eq!(received.all("content-length"), [BODY.len().to_string()]);
    assert_eq!(received.body, BODY);
}

/// No header beyond the request's own and what HTTP needs; above all no cookie, referrer, credential or encoding.
pub fn t12_nothing_is_added<E: Engine>() {
    let server = Server::answering(
        "HTTP/1.1 200 OK\r\nset-cookie: id=1; path=/\r\nset-cookie: other=2\r\ncontent-length: 2\r\n\r\n{}",
    );
    let transport = transport::<E>(Settings::new());
    E::block_on(async {
        for request in [get(&server.http("/one")), post(&server.http("/two")), get(&server.http("/three"))] {
            transport.send(request).await.expect("the server answers");
        }
    });
    let known = [
        "host",
        "user-agent",
        "connection",
        "content-length",
        "accept",
        "content-type",
        "authorization",
        "dpop",
    ];
    let received = server.received();
    assert_eq!(received.len(), 3);
    for request in received {
        for (name, _) in &request.headers {
            assert!(known.contains(&name.as_str()), "{name} was added: {request:?}");
            assert_eq!(request.all(name).len(), 1, "{name} came twice: {request:?}");
        }
        assert_eq!(
            request.all("authorization").len(),
            usize::from(request.line.starts_with("POST")),
            "{request:?}"
        );
    }
}

/// The `User-Agent` of the settings, and a request's own instead of it.
pub fn user_agent_is_as_set<E: Engine>() {
    let server = Server::answering(OK);
    let settings = Settings::new().with_user_agent(HeaderValue::from_static("contract/1"));
    send_with::<E>(settings.clone(), get(&server.http("/"))).expect("the server answers");
    let own = get(&server.http("/")).with_header(http::header::USER_AGENT, HeaderValue::from_static("own/2"));
    send_with::<E>(settings, own).expect("the server answers");
    let seen: Vec<_> = server.received().iter().map(|request| request.all("user-agent").join(",")).collect();
    assert_eq!(seen, ["contract/1", "own/2"]);
}

/// A response is a response, whatever its status.
pub fn every_status_comes_back<E: Engine>() {
    for status in [200, 201, 204, 304, 400, 401, 403, 404, 407, 418, 429, 500, 503, 599] {
        let body = if matches!(status, 204 | 304) { "" } else { r#"{"error":"invalid_grant"}"# };
        let length =
            if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let server =
            Server::answering(format!("HTTP/1.1 {status} Whatever\r\n{length}retry-after: 7\r\n\r\n{body}"));
        let response = send::<E>(post(&server.http("/token"))).expect("any status is a response");
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers().get("retry-after").expect("the header came"), "7");
        assert_eq!(response.body(), body.as_bytes(), "{status}");
        server.only();
    }
}

/// Repeated headers stay apart and in order; values need not be ASCII.
pub fn every_header_comes_back<E: Engine>() {
    let server = Server::answering(
        &b"HTTP/1.1 401 No\r\nWWW-Authenticate: DPoP\r\nwww-authenticate: Bearer realm=\"caf\xc3\xa9\"\r\n\
           DPoP-Nonce: n-1\r\nContent-Length: 0\r\n\r\n"[..],
    );
    let response = send::<E>(get(&server.http("/"))).expect("the server answers");
    let challenges: Vec<_> =
        response.headers().get_all("www-authenticate").iter().map(HeaderValue::as_bytes).collect();
    assert_eq!(challenges, [&b"DPoP"[..], b"Bearer realm=\"caf\xc3\xa9\""]);
    assert_eq!(response.headers().get("dpop-nonce").expect("the header came"), "n-1");
}

/// By length, in chunks with trailers, and by the end of the connection.
pub fn bodies_come_back_however_they_are_framed<E: Engine>() {
    for (framing, body) in [
        ("content-length: 11\r\n", "hello world"),
        ("transfer-encoding: chunked\r\n", "5;x=1\r\nhello\r\n6\r\n world\r\n0\r\ntrailer: 1\r\n\r\n"),
        ("", "hello world"),
        ("connection: close\r\n", "hello world"),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{framing}\r\n{body}");
        let server = Server::new(move |connection| {
            connection.request()?;
            connection.write_all(answer.as_bytes())
        });
        let response = send::<E>(get(&server.http("/"))).expect("the server answers");
        assert_eq!(response.body(), b"hello world", "{framing:?}");
    }
}

/// No content encoding is asked for, and one that comes unasked stays as it is: decoding is where bombs go off.
pub fn encoded_bodies_are_not_decoded<E: Engine>() {
    const GZIP: &[u8] =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00";
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", GZIP.len());
    let server = Server::answering([head.as_bytes(), GZIP].concat());
    let response = send::<E>(get(&server.http("/"))).expect("the server answers");
    assert_eq!(response.body(), GZIP);
    assert_eq!(response.headers().get("content-encoding").expect("the header came"), "gzip");
    assert_eq!(server.only().all("accept-encoding"), [""; 0]);
}

/// A redirected token request hands its credentials to a stranger (RFC 9700 section 4.12).
pub fn t1_redirects_are_not_followed<E: Engine>() {
    for status in [300, 301, 302, 303, 305, 307, 308] {
        let stranger = Server::answering(OK);
        let location = stranger.http("/stolen");
        let server = Server::answering(format!(
            "HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        ));
        for request in [get(&server.http("/")), post(&server.http("/"))] {
            let response = send::<E>(request).expect("a redirect is a response");
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().get("location").expect("the header came"), location.as_str());
        }
        assert_eq!(server.received().len(), 2);
        assert_eq!(stranger.connections(), 0, "{status} was followed");
    }
}

/// A challenge is for the flow to answer: the transport has no credentials and sends nothing again.
pub fn challenges_are_not_answered<E: Engine>() {
    for (status, header) in [(401, "www-authenticate"), (407, "proxy-authenticate")] {
        for scheme in ["Basic realm=\"x\"", "Digest realm=\"x\", nonce=\"y\"", "Negotiate", "NTLM"] {
            let server = Server::answering(format!(
                "HTTP/1.1 {status} No\r\n{header}: {scheme}\r\ncontent-length: 0\r\n\r\n"
            ));
            let response = send::<E>(post(&server.http("/token"))).expect("a challenge is a response");
            assert_eq!(response.status().as_u16(), status);
            server.only();
        }
    }
}
