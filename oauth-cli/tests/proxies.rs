//! The command behind real proxies, to a server that nobody here wrote, with every engine that is built in.
#![allow(missing_docs, reason = "a test")]

#[path = "../../oauth/tests/oidc-provider/server.rs"]
mod server;

use oauth_interop::{
    Access, Account, Authority, Dante, Microsocks, Scheme, Softhsm, Spnego, Squid, Tinyproxy,
};
use server::server;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const ENGINES: &[&str] = if cfg!(feature = "isahc") { &["hyper", "isahc"] } else { &["hyper"] };

/// A folder with the authorities of the server and of the proxies in one file.
struct Files(tempfile::TempDir);

impl Files {
    fn new(proxies: Option<&Authority>) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        let roots = format!("{}\n{}", server().ca_pem(), proxies.map_or("", Authority::root_pem));
        files.write("ca.pem", roots.as_bytes());
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, contents: &[u8]) {
        fs::write(self.0.path().join(name), contents).unwrap();
    }
}

/// `oauth token` as a client with a secret, with these flags. No proxy but theirs is used.
fn token(files: &Files, engine: &str, flags: &[&str]) -> Output {
    let client = ["--client-id", "basic", "--client-secret", "a secret for tests", "--scope", "jobs"];
    run(files, engine, &[&client, flags].concat())
}

fn run(files: &Files, engine: &str, flags: &[&str]) -> Output {
    command(files, engine, flags).output().unwrap()
}

fn command(files: &Files, engine: &str, flags: &[&str]) -> Command {
    let ca = files.path("ca.pem");
    let common = ["token", server().issuer(), "--ca-cert", &ca, "--transport", engine];
    let mut command = Command::new(env!("CARGO_BIN_EXE_oauth"));
    command.args([&common[..], flags].concat()).stdin(Stdio::null());
    command
}

#[track_caller]
fn assert_token(engine: &str, output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && output.stdout.starts_with(b"Bearer "), "{engine}: {told}");
    told
}

/// The exit code, and what was said.
#[track_caller]
fn assert_fails(engine: &str, output: &Output, code: i32, says: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{engine}: {told}");
    assert!(told.contains(says), "{engine}: {says:?} is not in {told}");
    assert!(output.stdout.is_empty());
    for secret in ["a secret for tests", "planted"] {
        assert!(!told.contains(secret), "{engine}: {told}");
    }
}

fn wrong(account: Account, url: &str) -> String {
    account.with_wrong_password().at(url)
}

#[test]
fn through_socks_with_an_account() {
    let files = Files::new(None);
    let microsocks = Microsocks::start().unwrap();
    let dante = Dante::start(Access::Account).unwrap();
    for engine in ENGINES {
        for (account, url) in
            [(microsocks.account(), microsocks.url("socks5h")), (dante.account(), dante.url("socks5h"))]
        {
            assert_token(engine, &token(&files, engine, &["--proxy", &account.at(&url)]));
            let refused = token(&files, engine, &["--proxy", &wrong(account, &url)]);
            assert_fails(engine, &refused, 8, "the proxy failed");
        }
    }
}

#[test]
fn through_http_proxies_by_basic_and_by_digest() {
    let authority = Authority::new("http://127.0.0.1:1/list");
    let files = Files::new(Some(&authority));
    let basic = Squid::start(&[Scheme::Basic], authority.server()).unwrap();
    let digest = Squid::start(&[Scheme::Digest], authority.server()).unwrap();
    let both = Squid::start(&[Scheme::Basic, Scheme::Digest], authority.server()).unwrap();
    let tinyproxy = Tinyproxy::start().unwrap();
    for engine in ENGINES {
        let account = basic.account();
        assert_token(engine, &token(&files, engine, &["--proxy", &account.at(&basic.url())]));
        assert_token(engine, &token(&files, engine, &["--proxy", &tinyproxy.account().at(&tinyproxy.url())]));
        for proxy in [&digest, &both] {
            let url = account.at(&proxy.url());
            // Several requests, so that a nonce of three uses goes stale.
            for _ in 0..3 {
                assert_token(engine, &token(&files, engine, &["--proxy", &url, "--proxy-auth", "digest"]));
            }
        }
        for (url, authentication) in [
            (wrong(account, &basic.url()), "basic"),
            (wrong(account, &digest.url()), "digest"),
            (account.at(&basic.url()), "none"),
            // Nobody asks for Digest there, and the password is not sent as it is instead.
            (account.at(&basic.url()), "digest"),
            (account.at(&digest.url()), "basic"),
        ] {
            let refused = token(&files, engine, &["--proxy", &url, "--proxy-auth", authentication]);
            assert_fails(engine, &refused, 8, "the proxy failed");
        }
    }
}

/// Where the engine has it; else nothing is sent, and the setting is named.
#[test]
fn through_a_proxy_by_ntlm_or_not_at_all() {
    let files = Files::new(None);
    let proxy = Spnego::start().unwrap();
    let watch = proxy.log().watch();
    for engine in ENGINES {
        let by_ntlm = |url: &str| token(&files, engine, &["--proxy", url, "--proxy-auth", "ntlm"]);
        let right = by_ntlm(&proxy.account().at(&proxy.url()));
        if cfg!(feature = "ntlm") && *engine == "hyper" {
            assert_token(engine, &right);
            assert!(watch.text().contains("TUNNEL "), "{}", watch.text());
            assert_fails(engine, &by_ntlm(&wrong(proxy.account(), &proxy.url())), 8, "the proxy failed");
        } else {
            let before = watch.text();
            assert_fails(engine, &right, 3, "NTLM authentication to a proxy");
            assert_eq!(watch.text(), before);
        }
    }
}

#[test]
fn through_a_proxy_over_tls_or_not_at_all() {
    let authority = Authority::new("http://127.0.0.1:1/list");
    let (files, strangers) = (Files::new(Some(&authority)), Files::new(None));
    let squid = Squid::start(&[Scheme::Basic], authority.server()).unwrap();
    let url = squid.account().at(&squid.tls_url());
    assert_token("hyper", &token(&files, "hyper", &["--proxy", &url]));
    assert_fails("hyper", &token(&strangers, "hyper", &["--proxy", &url]), 8, "the proxy failed");
    if ENGINES.contains(&"isahc") {
        let refused = token(&files, "isahc", &["--proxy", &url]);
        assert_fails("isahc", &refused, 3, "the transport isahc cannot carry the proxy over TLS");
    }
}

#[test]
fn around_a_proxy_for_those_it_is_not_for() {
    let files = Files::new(None);
    for engine in ENGINES {
        // Nobody listens there.
        let nowhere = ["--proxy", "http://127.0.0.1:1"];
        assert_fails(engine, &token(&files, engine, &nowhere), 8, "the proxy failed");
        assert_token(
            engine,
            &token(&files, engine, &[&nowhere[..], &["--proxy-except", "127.0.0.0/8"]].concat()),
        );
        for (url, says) in [
            ("ftp://127.0.0.1", "its scheme is none of"),
            ("http://wpad.example/proxy.pac", "PAC"),
            ("pac+http://wpad.example/", "PAC"),
        ] {
            assert_fails(engine, &token(&files, engine, &["--proxy", url]), 3, says);
        }
    }
}

#[test]
fn a_client_shows_its_certificate_from_any_store() {
    let files = Files::new(None);
    let (certificate, key) = server().client_certificate();
    files.write("client.pem", certificate.as_bytes());
    files.write("client.key", key.as_bytes());
    files.write("both.pem", format!("{key}\n{certificate}").as_bytes());
    files.write("password", b"throw-away\n");
    pkcs12(files.0.path());
    let file = |name| files.path(name);
    let (pfx, password) = (file("client.pfx"), file("password"));
    let client =
        ["--client-id", "certificate", "--scope", "jobs", "--auth-method", "self_signed_tls_client_auth"];
    for engine in ENGINES {
        for shown in [
            &["--tls-cert", &*pfx, "--tls-cert-password-file", &password][..],
            &["--tls-cert", &file("client.pem"), "--tls-key", &file("client.key")],
            &["--tls-cert", &file("both.pem")],
        ] {
            let output =
                run(&files, engine, &[&client, shown, &["--grant-type", "client-credentials"]].concat());
            assert_token(engine, &output);
        }
        let run = |flags: &[&str]| {
            run(&files, engine, &[&client[..], flags, &["--grant-type", "client-credentials"]].concat())
        };
        assert_fails(engine, &run(&["--tls-cert", &pfx]), 3, "password");
        assert_fails(engine, &run(&["--tls-cert", &file("client.pem")]), 3, "no private key");
        assert_fails(engine, &run(&["--tls-cert", &file("client.key")]), 3, "no certificate");
        assert_fails(engine, &run(&[]), 2, "needs a certificate to show");
    }
}

/// Where the build has PKCS#11 and the engine can ask for signatures; else nothing is sent, and what is missing is named.
#[test]
fn a_client_shows_its_certificate_from_a_security_key() {
    let files = Files::new(None);
    let (certificate, key) = server().client_certificate();
    let token = Softhsm::new(certificate, key).unwrap_or_else(|why| panic!("{why}"));
    files.write("pin", format!("{}\n", Softhsm::PIN).as_bytes());
    files.write("wrong-pin", b"planted-4712\n");
    let (uri, pin, wrong_pin) = (token.uri(), files.path("pin"), files.path("wrong-pin"));
    let with_pin = format!("{uri}&pin-value={}", Softhsm::PIN);
    let client =
        ["--client-id", "certificate", "--scope", "jobs", "--auth-method", "self_signed_tls_client_auth"];
    for engine in ENGINES {
        let run = |flags: &[&str]| {
            let flags = [&client[..], flags, &["--grant-type", "client-credentials"]].concat();
            command(&files, engine, &flags).envs([token.environment()]).output().unwrap()
        };
        let shown = run(&["--tls-cert", &uri, "--tls-cert-password-file", &pin]);
        if !cfg!(feature = "pkcs11") {
            assert_fails(engine, &shown, 3, "build oauth with --features pkcs11");
        } else if *engine == "isahc" {
            assert_fails(engine, &shown, 3, "the transport isahc cannot carry the client key in a token");
        } else {
            assert_token(engine, &shown);
            let wrong = run(&["--tls-cert", &uri, "--tls-cert-password-file", &wrong_pin]);
            assert_fails(engine, &wrong, 3, "the password of the certificate store is wrong");
            assert_fails(engine, &run(&["--tls-cert", &uri]), 3, "give its password");
            assert_fails(engine, &run(&["--tls-cert", &with_pin]), 3, "neither the path of a PKCS#11 module");
        }
        let key = run(&["--tls-cert", &uri, "--tls-key", &pin]);
        assert_fails(engine, &key, 2, "a security key has its private key in it");
    }
}

/// Certificate and key in one file, behind a password.
fn pkcs12(folder: &Path) {
    let output = Command::new("openssl")
        .args(
            "pkcs12 -export -in client.pem -inkey client.key -out client.pfx -passout file:password"
                .split(' '),
        )
        .current_dir(folder)
        .output()
        .expect("openssl can be run: install the Debian package openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn twice_verbose_shows_the_wire_without_its_secrets() {
    let files = Files::new(None);
    for engine in ENGINES {
        let told = assert_token(engine, &token(&files, engine, &["-vv"]));
        for line in [
            "> GET /.well-known/openid-configuration",
            "< HTTP/1.1 200 OK",
            "> POST /token",
            "> authorization: Basic [redacted]",
            "> grant_type=client_credentials&scope=jobs",
            "< {\"access_token\":\"[redacted]\",\"expires_in\":",
        ] {
            assert!(
                told.lines().any(|told| told.trim_start().starts_with(line)),
                "{engine}: {line} is not in {told}"
            );
        }
        assert!(!told.contains("a secret for tests") && !told.contains("YmFzaWM6"), "{engine}: {told}");
    }
}
