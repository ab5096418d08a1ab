//! A client that nobody here wrote, npm's `openid-client`, completes every grant against the server.
//!
//! It needs `node` (20 or later) and `npm`, and the network once, to install the package.

#![allow(missing_docs, reason = "tests")]

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oauth_testserver::{Browser, Client, Endpoint, Fault, TestServer};

const PACKAGE: &str = include_str!("openid-client/package.json");
const LOCK: &str = include_str!("openid-client/package-lock.json");
const SCRIPT: &str = include_str!("openid-client/client.mjs");

#[test]
fn openid_client_completes_every_grant() {
    let server = TestServer::builder()
        .device_interval(Duration::from_secs(1))
        .client(Client::basic("odd id:", "s%+ \u{e9}:&~!*").loopback())
        .start()
        .unwrap();
    let folder = installed();
    let script = folder.join(format!("client-{}.mjs", std::process::id()));
    fs::write(&script, SCRIPT).unwrap();
    let mut node = Node(
        Command::new("node")
            .arg(&script)
            .arg(server.issuer())
            .env_remove("NODE_OPTIONS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test runs node: install Node.js 20 or later"),
    );
    let mut answers = node.0.stdin.take().unwrap();
    let questions = BufReader::new(node.0.stdout.take().unwrap());
    let mut done = Vec::new();
    for question in questions.lines() {
        let question = question.unwrap();
        let words: Vec<&str> = question.split(' ').collect();
        let answer = match words[..] {
            ["sign_in", url] => {
                Browser::new().without_visiting_redirect_uri().sign_in("ada", url).unwrap().url
            }
            ["approve_device", uri, user_code] => Browser::new().approve_device(uri, user_code).unwrap().url,
            ["deny_device", uri, user_code] => Browser::new().deny_device(uri, user_code).unwrap().url,
            ["fault", name] => {
                let (endpoint, fault) = fault(name);
                server.fault_once(endpoint, fault);
                name.to_owned()
            }
            ["did", what] => {
                done.push(what.to_owned());
                what.to_owned()
            }
            _ => panic!("the client asks for {question:?}"),
        };
        // a client that failed no longer listens, and says why on stderr
        if writeln!(answers, "{answer}").is_err() {
            break;
        }
    }
    let status = node.0.wait().unwrap();
    let _ = fs::remove_file(script);
    assert!(status.success(), "openid-client ended with {status} after {done:?}; its reason is above");
    assert_eq!(done, ["code", "refresh", "client_credentials", "device", "faults"]);
    assert_eq!(server.counters().replays, 1);
    assert!(server.count(Endpoint::Jwks) > 0, "the ID token was verified by the server's keys");
}

fn fault(name: &str) -> (Endpoint, Fault) {
    match name {
        "wrong_state" => (Endpoint::Authorize, Fault::WrongState),
        "wrong_issuer" => (Endpoint::Authorize, Fault::WrongIssuer),
        "missing_issuer" => (Endpoint::Authorize, Fault::MissingIssuer),
        "denied" => (Endpoint::Authorize, Fault::Denied),
        "no_token_type" => (Endpoint::Token, Fault::NoTokenType),
        _ => panic!("there is no fault called {name}"),
    }
}

/// Ends with the test, whatever becomes of it.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The folder in which exactly the locked packages are installed.
fn installed() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (PACKAGE, LOCK).hash(&mut hasher);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join(format!("openid-client-{:016x}", hasher.finish()));
    if folder.is_dir() {
        return folder;
    }
    // installed beside it and renamed, so that what has the name is complete
    let fresh = target.join(format!("openid-client-{}", std::process::id()));
    fs::create_dir_all(&fresh).unwrap();
    fs::write(fresh.join("package.json"), PACKAGE).unwrap();
    fs::write(fresh.join("package-lock.json"), LOCK).unwrap();
    let npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&fresh)
        .output()
        .expect("this test installs openid-client with npm: install Node.js 20 or later, which brings it");
    assert!(
        npm.status.success(),
        "npm ci failed, and this test needs openid-client: see to the network or npm's settings\n{}{}",
        String::from_utf8_lossy(&npm.stdout),
        String::from_utf8_lossy(&npm.stderr)
    );
    if fs::rename(&fresh, &folder).is_err() {
        // another run was quicker
        assert!(folder.is_dir(), "the installed packages could not be moved to their place");
        let _ = fs::remove_dir_all(&fresh);
    }
    folder
}
