//! The command against a server that nobody here wrote, with every engine that is built in.
#![allow(missing_docs, reason = "a test")]

#[path = "../../oauth/tests/oidc-provider/server.rs"]
mod server;

use server::server;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

const ENGINES: &[&str] = if cfg!(feature = "isahc") { &["hyper", "isahc"] } else { &["hyper"] };

fn ca_file() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), server().ca_pem()).unwrap();
    file
}

fn oauth(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oauth"));
    command
        .args(arguments)
        .env_remove("BROWSER")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs `authorize` until it prints the line that a person needs, lets the person act, and takes what it prints.
fn authorize(engine: &str, flags: &[&str], wanted: impl Fn(&str) -> bool, person: &[&str]) {
    let ca = ca_file();
    let common = ["authorize", server().issuer(), "--ca-cert", ca.path().to_str().unwrap()];
    let client = ["--client-id", "native", "--scope", "openid", "--transport", engine];
    let mut child = oauth(&[&common[..], &client, flags].concat()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let (mut told, mut address) = (String::new(), None);
    while address.is_none() && lines.read_line(&mut told).unwrap() > 0 {
        address = told.lines().last().map(str::trim).filter(|line| wanted(line)).map(str::to_owned);
    }
    let address = address.unwrap_or_else(|| panic!("{engine} printed no address: {told}"));
    let person = server().person(&[person, &[&*address]].concat()).output().unwrap();
    assert!(person.status.success(), "{}", String::from_utf8_lossy(&person.stderr));
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    lines.read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success(), "{engine}: {told}");
    let token = stdout.strip_prefix("Bearer ").and_then(|rest| rest.strip_suffix('\n'));
    assert!(
        token.is_some_and(|token| token.bytes().all(|byte| byte.is_ascii_graphic())),
        "{engine}: {stdout}"
    );
}

#[test]
fn authorize_completes_in_a_browser() {
    for engine in ENGINES {
        authorize(engine, &["--no-browser"], |line| line.starts_with("https://"), &[]);
    }
}

#[test]
fn authorize_completes_on_a_device() {
    for engine in ENGINES {
        authorize(engine, &["--device"], |line| line.contains("user_code="), &["--approve"]);
    }
}

#[test]
fn token_completes_with_a_secret_and_with_a_key() {
    let ca = ca_file();
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), server::ES256_KEY).unwrap();
    let (ca, key) = (ca.path().to_str().unwrap(), key.path().to_str().unwrap());
    for engine in ENGINES {
        let common = ["token", server().issuer(), "--ca-cert", ca, "--scope", "jobs", "--transport", engine];
        for client in [
            &["--client-id", "basic", "--client-secret", "a secret for tests"][..],
            &["--client-id", "service-ES256", "--signing-key", key, "--grant-type", "jwt-bearer"],
            &["--client-id", "signs-ES256", "--signing-key", key],
        ] {
            let output = oauth(&[&common[..], client].concat()).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && output.stdout.starts_with(b"Bearer "), "{engine}: {told}");
        }
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_exit_8_and_says_what_to_do() {
    for engine in ENGINES {
        let output = oauth(&["authorize", server().issuer(), "--client-id", "native", "--transport", engine])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(8), "{engine}: {told}");
        assert!(told.contains("no secure connection") && told.contains("--ca-cert"), "{engine}: {told}");
    }
}
