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

#[test]
fn authorize_completes_in_a_browser() {
    let ca = ca_file();
    for engine in ENGINES {
        let arguments = [
            "authorize",
            server().issuer(),
            "--ca-cert",
            ca.path().to_str().unwrap(),
            "--client-id",
            "native",
            "--scope",
            "openid",
            "--no-browser",
            "--transport",
            engine,
        ];
        let mut child = oauth(&arguments).spawn().unwrap();
        let mut told = String::new();
        let mut url = None;
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while url.is_none() && lines.read_line(&mut told).unwrap() > 0 {
            url = told
                .lines()
                .last()
                .map(str::trim)
                .filter(|line| line.starts_with("https://"))
                .map(str::to_owned);
        }
        let url = url.unwrap_or_else(|| panic!("{engine} printed no address: {told}"));
        let person = server().person(&[&url]).output().unwrap();
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
}

#[test]
fn authorize_completes_on_a_device() {
    let ca = ca_file();
    for engine in ENGINES {
        let arguments = [
            "authorize",
            server().issuer(),
            "--ca-cert",
            ca.path().to_str().unwrap(),
            "--client-id",
            "native",
            "--scope",
            "openid",
            "--device",
            "--transport",
            engine,
        ];
        let mut child = oauth(&arguments).spawn().unwrap();
        let mut told = String::new();
        let mut complete = None;
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while complete.is_none() && lines.read_line(&mut told).unwrap() > 0 {
            complete = told
                .lines()
                .last()
                .map(str::trim)
                .filter(|line| line.contains("user_code="))
                .map(str::to_owned);
        }
        let complete =
            complete.unwrap_or_else(|| panic!("{engine} printed no address with the code: {told}"));
        let person = server().person(&["--approve", &complete]).output().unwrap();
        assert!(person.status.success(), "{}", String::from_utf8_lossy(&person.stderr));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stdout.starts_with(b"Bearer "), "{engine}: {told}");
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
            &["--client-id", "service-ES256", "--signing-key", key],
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
