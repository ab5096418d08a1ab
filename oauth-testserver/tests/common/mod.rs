//! What the tests share: a client that sends exactly what it is told, right or wrong.

#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(unreachable_pub, reason = "a module of several test files")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use ct_codecs::{Base64, Encoder as _};
use oauth_testserver::{Browser, Landing, TestServer};
use serde_json::Value;

/// RFC 7636 appendix B.
pub const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const REDIRECT_URI: &str = "http://127.0.0.1:8400/callback";
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.body)).to_owned()
    }

    /// The `error` member; the empty string if there is none.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

pub fn authority(server: &TestServer) -> &str {
    server.issuer().strip_prefix("http://").unwrap()
}

/// Everything the server says to these bytes.
pub fn exchange(server: &TestServer, request: &str) -> String {
    let mut stream = TcpStream::connect(authority(server)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// One request; `headers` are whole lines.
pub fn send(server: &TestServer, method: &str, target: &str, headers: &[&str], body: &str) -> Answer {
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", authority(server));
    for header in headers {
        request.push_str(&format!("{header}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    let answer = exchange(server, &request);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answer:?}"));
    let status = head[9..12].parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub fn get(server: &TestServer, target: &str) -> Answer {
    send(server, "GET", target, &[], "")
}

pub fn post(server: &TestServer, target: &str, headers: &[&str], form: &[(&str, &str)]) -> Answer {
    let mut headers = headers.to_vec();
    headers.push("Content-Type: application/x-www-form-urlencoded");
    send(server, "POST", target, &headers, &encode(form))
}

pub fn token(server: &TestServer, form: &[(&str, &str)]) -> Answer {
    post(server, "/token", &[], form)
}

pub fn userinfo(server: &TestServer, access_token: &str) -> Answer {
    send(server, "GET", "/userinfo", &[&format!("Authorization: Bearer {access_token}")], "")
}

pub fn basic(credentials: &str) -> String {
    format!("Authorization: Basic {}", Base64::encode_to_string(credentials).unwrap())
}

pub fn encode(form: &[(&str, &str)]) -> String {
    let part = |text: &str| {
        text.bytes().fold(String::new(), |encoded, byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                encoded + &char::from(byte).to_string()
            }
            other => encoded + &format!("%{other:02X}"),
        })
    };
    form.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect::<Vec<_>>().join("&")
}

/// An authorization request that is in order.
pub fn good_request() -> Vec<(&'static str, &'static str)> {
    vec![
        ("response_type", "code"),
        ("client_id", "demo"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "read write"),
        ("state", "a state/+&="),
        ("code_challenge", CODE_CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// The same with some parameters set otherwise; an empty value leaves one out.
pub fn with(
    mut request: Vec<(&'static str, &'static str)>,
    changes: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    for (name, value) in changes {
        request.retain(|(found, _)| found != name);
        if !value.is_empty() {
            request.push((name, value));
        }
    }
    request
}

pub fn authorize_url(server: &TestServer, request: &[(&str, &str)]) -> String {
    format!("{}/authorize?{}", server.issuer(), encode(request))
}

pub fn sign_in(server: &TestServer, request: &[(&str, &str)]) -> Landing {
    Browser::new().without_visiting_redirect_uri().sign_in("ada", &authorize_url(server, request)).unwrap()
}

/// A code for the client `demo`, with this scope.
pub fn code(server: &TestServer, scope: &'static str) -> String {
    sign_in(server, &with(good_request(), &[("scope", scope)])).parameter("code").unwrap()
}

pub fn redeem(server: &TestServer, code: &str) -> Answer {
    token(server, &redemption(code))
}

pub fn redemption(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", "demo"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", CODE_VERIFIER),
    ]
}

pub fn refresh(server: &TestServer, refresh_token: &str) -> Answer {
    token(server, &[("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", refresh_token)])
}

pub fn poll(server: &TestServer, device_code: &str) -> Answer {
    token(server, &[("grant_type", DEVICE_CODE), ("client_id", "demo"), ("device_code", device_code)])
}
