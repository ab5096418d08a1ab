//! Signing in where no browser opens: over SSH, by an opener that does nothing, hangs or fails, by pasting.
#![cfg(unix)]
#![allow(missing_docs, reason = "a test")]

mod support;
#[path = "support/terminal.rs"]
mod terminal;

use oauth_testserver::{Browser, Endpoint, Landing, TestServer};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use support::{Waiting, authorize, fails, is_bearer_line, signal};
use terminal::Terminal;

/// As a shell has it that came over SSH.
fn over_ssh(command: &mut Command) -> &mut Command {
    command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env("SSH_CONNECTION", "198.51.100.7 50000 192.0.2.1 2222")
        .env("USER", "ada")
}

/// A program of this name.
fn program(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

// --- the printed address --------------------------------------------------------------------------------------------

#[test]
fn lb_33_lb_34_over_ssh_the_tunnel_is_printed_and_the_address_completes_the_login() {
    let server = TestServer::start().unwrap();
    let mut command = authorize(&server, &["-v", "--no-browser"]);
    over_ssh(&mut command);
    let waiting = Waiting::of(command);
    let listen = waiting.line(|line| line.contains("listen "));
    let port = listen.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let url = waiting.url();
    let tunnel = waiting.line(|line| line.contains("ssh -L"));
    assert_eq!(tunnel, format!("ssh -L {port}:127.0.0.1:{port} -p 2222 ada@192.0.2.1"));
    let _device = waiting.line(|line| line.contains("--device"));
    assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(200));
    let (code, stdout, told) = waiting.end();
    assert!(code == Some(0) && is_bearer_line(&stdout), "{told}");
}

#[test]
fn lb_33_the_tunnel_ends_where_the_listener_is() {
    let server = TestServer::start().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let flags = ["--no-browser", "--redirect-uri", "http://127.0.0.1:8400/cb", "--listen", &port];
    let mut command = authorize(&server, &flags);
    over_ssh(&mut command);
    let waiting = Waiting::of(command);
    let tunnel = waiting.line(|line| line.contains("ssh -L"));
    assert_eq!(tunnel, format!("ssh -L 8400:127.0.0.1:{port} -p 2222 ada@192.0.2.1"));
    signal("INT", waiting.id());
    assert_eq!(waiting.end().0, Some(130));
}

/// LB-30, LB-31, LB-33, LB-34: whatever `$BROWSER` is, the address is printed, and completes the login.
#[test]
fn lb_34_an_opener_that_does_nothing_hangs_or_fails_is_no_hindrance() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let opened = folder.path().join("opened");
    let noisy =
        program(folder.path(), "noisy", &format!("echo noise; echo noise >&2; touch {}", opened.display()));
    let hangs = program(folder.path(), "hangs", "echo noise; exec sleep 30");
    let fails = program(folder.path(), "fails", "echo noise; exit 3");
    let lynx = program(folder.path(), "lynx", &format!("touch {}/lynx-ran", folder.path().display()));
    for (browser, said) in [
        ("true", Some("a browser was opened")),
        (&noisy, Some("a browser was opened")),
        (&fails, Some("failed")),
        (&lynx, Some("would take this terminal over")),
        ("/nowhere/browser", Some("cannot be started")),
        // Nothing is known of it before the login is over.
        (&hangs, None),
    ] {
        let mut command = authorize(&server, &["-v"]);
        over_ssh(&mut command).env("BROWSER", browser);
        let begun = Instant::now();
        let waiting = Waiting::of(command);
        let url = waiting.url();
        if let Some(said) = said {
            let told = waiting.line(|line| line.contains(" browser   "));
            assert!(told.contains(said) && told.contains("open the address yourself"), "{browser}: {told}");
        }
        assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(200), "{browser}");
        let (code, stdout, told) = waiting.end();
        assert!(code == Some(0) && is_bearer_line(&stdout), "{browser}: {stdout} {told}");
        assert!(!told.contains("noise"), "{browser}: {told}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{browser} was waited for");
    }
    assert!(opened.exists());
    assert!(!folder.path().join("lynx-ran").exists());
}

/// LB-33, LB-34: `$BROWSER` is set for programs of all kinds. The system's own opener has its turn.
#[test]
fn lb_33_a_browser_variable_that_is_no_command_is_no_gate() {
    use std::os::unix::ffi::OsStrExt as _;
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let _opener = program(folder.path(), "xdg-open", &format!("touch {}/opened", folder.path().display()));
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    for value in [&b"explorer.exe"[..], b"cmd /c start", b"\"", b"\xff"] {
        let mut command = authorize(&server, &[]);
        command.env("BROWSER", std::ffi::OsStr::from_bytes(value)).env("PATH", &path);
        let waiting = Waiting::of(command);
        let _said = waiting.line(|line| line.contains("$BROWSER is left alone"));
        assert_eq!(Browser::new().sign_in("ada", &waiting.url()).unwrap().status, Some(200));
        let (code, _, told) = waiting.end();
        assert_eq!(code, Some(0), "{told}");
        if cfg!(target_os = "linux") {
            let mark = folder.path().join("opened");
            let begun = Instant::now();
            while !mark.exists() {
                assert!(begun.elapsed() < Duration::from_secs(5), "{value:?}");
                thread::sleep(Duration::from_millis(10));
            }
            std::fs::remove_file(mark).unwrap();
        }
    }
    // What is said to this very command is another matter.
    fails(&authorize(&server, &["--browser", "explorer.exe"]).output().unwrap(), 2, "would cut the address");
}

#[test]
fn a_browser_is_not_given_the_secrets_that_are_meant_for_this_command() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (part, whole) = (folder.path().join("part"), folder.path().join("whole"));
    let browser =
        program(folder.path(), "firefox", &format!("env > {0}; mv {0} {1}", part.display(), whole.display()));
    let mut command = authorize(&server, &["--browser", &browser, "--timeout", "20s"]);
    command.env("OAUTH_SCOPE", "s3cret").env("KEPT", "as it was");
    let waiting = Waiting::of(command);
    let _url = waiting.url();
    let begun = Instant::now();
    while !whole.exists() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(10));
    }
    signal("INT", waiting.id());
    assert_eq!(waiting.end().0, Some(130));
    let environment = std::fs::read_to_string(whole).unwrap();
    assert!(environment.contains("KEPT=as it was") && !environment.contains("OAUTH_"), "{environment}");
}

#[test]
fn lb_34_a_browser_that_cannot_be_opened_is_told_without_being_asked() {
    let server = TestServer::start().unwrap();
    for (browser, said) in [("/nowhere/firefoxx", "cannot be started"), ("false", "failed")] {
        let waiting = Waiting::of(authorize(&server, &["--browser", browser]));
        let url = waiting.url();
        let told = waiting.line(|line| line.starts_with("note: "));
        assert!(told.contains(said) && told.contains("open the address yourself"), "{told}");
        assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(200));
        assert_eq!(waiting.end().0, Some(0));
    }
}

#[test]
fn a_pipe_that_never_ends_is_told_once_what_is_wrong() {
    let server = TestServer::start().unwrap();
    let mut yes = Command::new("yes").arg("a b").stdout(Stdio::piped()).spawn().unwrap();
    let mut command = authorize(&server, &["--paste", "--no-browser", "--timeout", "1s"]);
    command.stdin(yes.stdout.take().unwrap());
    let output = command.output().unwrap();
    yes.kill().unwrap();
    yes.wait().unwrap();
    fails(&output, 6, "in time");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.matches("neither an address nor a code").count(), 1, "{}", told.len());
}

#[test]
fn a_login_that_times_out_leaves_hints() {
    let server = TestServer::start().unwrap();
    let output = authorize(&server, &["--no-browser", "--timeout", "1s"]).output().unwrap();
    fails(&output, 6, "in time");
    let told = String::from_utf8(output.stderr).unwrap();
    for hint in ["tab was closed", "nothing happens when you agree", "https://", "--device", "--paste"] {
        assert!(told.contains(hint), "{hint} in {told}");
    }
}

#[test]
fn ctrl_c_frees_the_port_at_once() {
    let server = TestServer::start().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let waiting = Waiting::of(authorize(&server, &["--no-browser", "--listen", &port.to_string()]));
    let _url = waiting.url();
    assert!(TcpListener::bind(("127.0.0.1", port)).is_err());
    signal("INT", waiting.id());
    let begun = Instant::now();
    let free = loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => break listener,
            Err(error) => assert!(begun.elapsed() < Duration::from_millis(100), "{error}"),
        }
        thread::sleep(Duration::from_millis(1));
    };
    drop(free);
    assert_eq!(waiting.end().0, Some(130));
}

// --- the way back ---------------------------------------------------------------------------------------------------

#[test]
fn lb_26_an_answer_in_a_fragment_completes_the_login() {
    let server = TestServer::start().unwrap();
    let waiting = Waiting::of(authorize(&server, &["--no-browser", "--response-mode", "fragment"]));
    let url = waiting.url();
    assert!(url.contains("response_mode=fragment"), "{url}");
    let landing = Browser::new().without_visiting_redirect_uri().sign_in("ada", &url).unwrap();
    let (page, fragment) = landing.url.split_once('#').unwrap();
    // What the script of the page does: it hands the fragment over, and goes where it did.
    let html = get(page, "/callback");
    let target = html.split_once("data-to=\"").unwrap().1.split('"').next().unwrap();
    let answer = post(page, target, fragment);
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(get(page, target).contains("You are signed in"));
    let (code, stdout, told) = waiting.end();
    assert!(code == Some(0) && is_bearer_line(&stdout), "{told}");
}

fn exchange(page: &str, request: &str) -> String {
    let host = page.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.replace("HOST", host).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(page: &str, target: &str) -> String {
    exchange(page, &format!("GET {target} HTTP/1.1\r\nHost: HOST\r\n\r\n"))
}

fn post(page: &str, target: &str, body: &str) -> String {
    let length = body.len();
    exchange(
        page,
        &format!(
            "POST {target} HTTP/1.1\r\nHost: HOST\r\nOrigin: http://HOST\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
}

#[test]
fn https_on_the_way_back_shows_its_fingerprint() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (cert_file, key_file, both) =
        (folder.path().join("cert.pem"), folder.path().join("key.pem"), folder.path().join("both.pem"));
    std::fs::write(&cert_file, certificate.pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    std::fs::write(&both, certificate.pem() + &key.serialize_pem()).unwrap();
    let [cert_file, key_file, both] = [&cert_file, &key_file, &both].map(|path| path.to_str().unwrap());
    let mut fingerprints = Vec::new();
    for flags in [
        &["--callback-tls", "self-signed"][..],
        &["--callback-tls-cert", cert_file, "--callback-tls-key", key_file],
        &["--callback-tls-cert", both],
    ] {
        let waiting = Waiting::of(authorize(&server, &[&["--no-browser"], flags].concat()));
        let fingerprint = waiting.line(|line| line.trim().len() == 95 && line.matches(':').count() == 31);
        assert!(waiting.url().contains("redirect_uri=https%3A%2F%2F127.0.0.1%3A"));
        fingerprints.push(fingerprint);
        signal("INT", waiting.id());
        assert_eq!(waiting.end().0, Some(130));
    }
    assert_eq!(fingerprints[1], fingerprints[2]);
    assert_ne!(fingerprints[0], fingerprints[1]);
    fails(&authorize(&server, &["--callback-tls-cert", cert_file]).output().unwrap(), 3, "cert.pem");
    fails(&authorize(&server, &["--callback-tls-cert", "/nowhere"]).output().unwrap(), 3, "/nowhere");
}

#[test]
fn listeners_are_tried_in_order_each_at_its_own_address() {
    let server = TestServer::start().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = taken.local_addr().unwrap().to_string();
    let waiting =
        Waiting::of(authorize(&server, &["--no-browser", "--listen", &busy, "--listen", "[::1]:0"]));
    assert!(waiting.url().contains("redirect_uri=http%3A%2F%2F%5B%3A%3A1%5D%3A"));
    signal("INT", waiting.id());
    assert_eq!(waiting.end().0, Some(130));
    let port = taken.local_addr().unwrap().port().to_string();
    let output =
        authorize(&server, &["--no-browser", "--listen", &port, "--listen", &busy]).output().unwrap();
    fails(&output, 7, &format!("{port}, {port}"));
}

#[test]
fn a_socket_that_systemd_would_hand_over_is_asked_for() {
    let server = TestServer::start().unwrap();
    let output = authorize(&server, &["--no-browser", "--systemd-socket"]).output().unwrap();
    fails(&output, 7, "no listening socket was handed over");
}

// --- pasting --------------------------------------------------------------------------------------------------------

fn signed_in(url: &str) -> Landing {
    Browser::new().without_visiting_redirect_uri().sign_in("ada", url).unwrap()
}

#[test]
fn with_paste_there_is_no_listener_and_lines_of_standard_input_are_answers() {
    let server = TestServer::start().unwrap();
    let redirect = ["--redirect-uri", "http://127.0.0.1:9/registered"];
    /// The flags, the redirect URI that they stand for, and what is pasted.
    type Case<'a> = (&'a [&'a str], &'a str, fn(&Landing) -> String);
    let cases: [Case<'_>; 3] = [
        (&[], "http%3A%2F%2F127.0.0.1%2Fcallback", |landing| format!("nonsense at first\n{}\n", landing.url)),
        (
            &["--listen", "4321", "--redirect-host", "localhost"],
            "http%3A%2F%2Flocalhost%3A4321%2Fcallback",
            |landing| {
                // The last line of a pipe may have no end.
                landing.parameter("code").unwrap()
            },
        ),
        (&redirect, "http%3A%2F%2F127.0.0.1%3A9%2Fregistered", |landing| {
            landing.url.split_once('?').unwrap().1.to_owned() + "\n"
        }),
    ];
    for (flags, redirect_uri, pasted) in cases {
        let mut command = authorize(&server, &[&["--no-browser", "--paste", "-v"], flags].concat());
        command.stdin(Stdio::piped());
        let mut waiting = Waiting::of(command);
        let mut input = waiting.input();
        let url = waiting.url();
        assert!(url.contains(redirect_uri), "{url}");
        input.write_all(pasted(&signed_in(&url)).as_bytes()).unwrap();
        drop(input);
        let (code, stdout, told) = waiting.end();
        assert!(code == Some(0) && is_bearer_line(&stdout), "{told}");
        assert!(!told.contains(" listen "), "{told}");
        assert!(!told.contains("demo-code-"), "{told}");
        if flags.contains(&"4321") {
            assert!(told.contains("could therefore not be checked"), "{told}");
        }
    }
    // Nobody pastes anything.
    fails(&authorize(&server, &["--no-browser", "--paste"]).output().unwrap(), 4, "input ended");
    let secret = authorize(&server, &["--paste", "--client-secret-file", "-"]).output().unwrap();
    fails(&secret, 2, "standard input");
    assert_eq!(authorize(&server, &["--paste", "--systemd-socket"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn at_a_terminal_what_is_pasted_races_the_listener_and_is_not_shown() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for flags in [&["--no-browser", "--timeout", "20s"][..], &["--paste", "--timeout", "20s"]] {
        let mut command = authorize(&server, flags);
        over_ssh(&mut command).env("BROWSER", "true");
        let mut terminal = Terminal::start(&command, folder.path());
        let url = terminal.url();
        terminal.types("two words\n");
        terminal.shows("neither an address nor a code");
        // Longer than a terminal takes as one line, and wrapped.
        let landing = signed_in(&url);
        let address = format!("{}&padding={}", landing.url, "x".repeat(6000));
        terminal.types(&format!("{}\n  {}", &address[..80], &address[80..]));
        terminal.shows(&format!("{} characters, not shown", address.len() + 3));
        terminal.types("\n");
        let (code, stdout, screen) = terminal.end(folder.path());
        assert!(code == Some(0) && is_bearer_line(&stdout), "{screen}");
        assert!(!screen.contains("demo-code-") && !screen.contains("xxxx"), "{screen}");
    }
}

#[test]
fn at_a_terminal_the_browser_may_come_first_and_ctrl_c_ends_it() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&authorize(&server, &["--no-browser"]), folder.path());
    let url = terminal.url();
    assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(200));
    let (code, stdout, screen) = terminal.end(folder.path());
    assert!(code == Some(0) && is_bearer_line(&stdout), "{screen}");

    // By Ctrl-C, and by whoever asks it to end.
    for by_key in [true, false] {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let command = authorize(&server, &["--no-browser", "--listen", &port.to_string()]);
        let mut terminal = Terminal::start(&command, folder.path());
        let _url = terminal.url();
        if by_key {
            terminal.types("\x03");
        } else {
            let number = std::fs::read_to_string(folder.path().join("number")).unwrap();
            signal("TERM", number.trim());
        }
        let (code, _, screen) = terminal.end(folder.path());
        assert_eq!(code, Some(130), "{screen}");
        let _free = TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert_eq!(server.count(Endpoint::Token), 1);
    }
}

#[test]
fn lb_31_lb_33_a_text_browser_that_was_asked_for_gets_the_terminal() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lynx =
        program(folder.path(), "lynx", "test -t 0 && test -t 1 && test -t 2 && echo a text browser is here");
    let command = authorize(&server, &["--browser", &lynx, "--timeout", "2s"]);
    let mut terminal = Terminal::start(&command, folder.path());
    terminal.shows("a text browser is here");
    let (code, stdout, screen) = terminal.end(folder.path());
    assert_eq!((code, stdout.as_str()), (Some(6), ""), "{screen}");
}
