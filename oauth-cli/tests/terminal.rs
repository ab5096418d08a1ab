//! The command at a terminal: secrets typed there, Ctrl-C, the background, and browsers that live in it.
#![cfg(unix)]
#![allow(missing_docs, reason = "a test")]

mod support;
#[path = "support/terminal.rs"]
mod terminal;

use oauth_testserver::{Browser, Client, TestServer};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use support::{Waiting, authorize, is_bearer_line, oauth, signal};
use terminal::Terminal;

fn number(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("number")).unwrap()
}

// --- secrets --------------------------------------------------------------------------------------------------------

#[test]
fn a_secret_typed_at_a_terminal_is_asked_for_not_shown_and_ends_with_enter() {
    let server = TestServer::builder().client(Client::basic("service", "s3cret-typed")).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--client-id", "service", "--allow-http-loopback", "--client-secret-file", "-"];
    let mut terminal =
        Terminal::start(&oauth(&[&["token", server.issuer()][..], &flags].concat()), folder.path());
    terminal.shows("press Enter:");
    terminal.types("s3cret-typex\x7fd\n");
    let (code, stdout, screen) = terminal.end(folder.path());
    assert!(code == Some(0) && is_bearer_line(&stdout), "{screen}");
    assert!(!screen.contains("s3cret"), "{screen}");
}

#[test]
fn ctrl_c_and_whoever_asks_politely_end_a_wait_for_a_secret() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for end in ["key", "INT", "TERM", "QUIT", "HUP"] {
        let command = authorize(&server, &["--client-secret-file", "-"]);
        let mut terminal = Terminal::start(&command, folder.path());
        terminal.shows("press Enter:");
        match end {
            "key" => terminal.types("s3cret\x03"),
            name => signal(name, number(folder.path())),
        }
        // The terminal is as it was.
        let (code, stdout, screen) = terminal.end(folder.path());
        assert_eq!((code, stdout.as_str()), (Some(130), ""), "{end}: {screen}");
        assert!(!screen.contains("s3cret"), "{screen}");
    }
}

#[test]
fn a_file_or_a_command_that_gives_no_secret_does_not_keep_the_command_from_ending() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("secret");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for name in ["TERM", "INT"] {
        let mut command = authorize(&server, &["-v", "--client-secret-file", fifo.to_str().unwrap()]);
        command.stdin(Stdio::piped());
        let waiting = Waiting::of(command);
        // It is at the pipe as soon as one can be written to without waiting; a little later is good enough.
        thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        signal(name, waiting.id());
        let (code, _, told) = waiting.end();
        assert_eq!(code, Some(130), "{told}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}");
    }
}

// --- the background -------------------------------------------------------------------------------------------------

#[test]
fn in_the_background_the_browser_may_come_back() {
    let server = TestServer::start().unwrap();
    let mut shell = Terminal::shell(&authorize(&server, &["--no-browser", "--timeout", "20s"]));
    shell.shows("ready> ");
    shell.types("$oauth > /dev/null\n");
    let url = shell.url();
    shell.types("\x1a");
    shell.shows("Stopped");
    shell.types("bg; sleep 0.5; jobs; echo loo''ked\n");
    shell.shows("looked\r\n");
    assert!(shell.seen.contains("Running"), "{}", shell.seen);
    assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(200));
    shell.types("wait %1; echo ended with $?\n");
    shell.shows("ended with 0");
    shell.types("exit\n");
}

#[test]
fn back_in_the_foreground_what_is_pasted_is_whole_and_not_shown() {
    let server = TestServer::start().unwrap();
    for through_the_background in [false, true] {
        let mut shell =
            Terminal::shell(&authorize(&server, &["--paste", "--no-browser", "--timeout", "20s"]));
        shell.shows("ready> ");
        shell.types("$oauth > /dev/null\n");
        let url = shell.url();
        shell.types("\x1a");
        shell.shows("Stopped");
        shell.types(if through_the_background { "bg; sleep 0.3; fg\n" } else { "fg\n" });
        thread::sleep(Duration::from_millis(900));
        let landing = Browser::new().without_visiting_redirect_uri().sign_in("ada", &url).unwrap();
        shell.types(&format!("{}&padding={}", landing.url, "x".repeat(5000)));
        shell.shows("characters, not shown");
        shell.types("\n");
        thread::sleep(Duration::from_millis(600));
        shell.types("echo ended with $?\n");
        shell.shows("ended with 0");
        assert!(!shell.seen.contains("xxxx"), "{}", shell.seen);
        shell.types("exit\n");
    }
}

#[test]
fn ctrl_backslash_and_a_hangup_leave_the_terminal_as_it_was() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for end in ["QUIT", "HUP"] {
        let mut terminal = Terminal::start(&authorize(&server, &["--no-browser"]), folder.path());
        let _url = terminal.url();
        signal(end, number(folder.path()));
        let (code, _, screen) = terminal.end(folder.path());
        assert_eq!(code, Some(130), "{end}: {screen}");
    }
}

// --- what is typed --------------------------------------------------------------------------------------------------

#[test]
fn words_and_keys_at_the_prompt_do_not_end_the_login() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut terminal =
        Terminal::start(&authorize(&server, &["--no-browser", "--timeout", "20s"]), folder.path());
    let url = terminal.url();
    for typed in ["y\n", "\x1b[A\x1b[A\x1b[A\n", "ls\n"] {
        terminal.seen.clear();
        terminal.types(typed);
        terminal.shows("neither an address nor a code");
    }
    assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(200));
    let (code, stdout, screen) = terminal.end(folder.path());
    assert!(code == Some(0) && is_bearer_line(&stdout), "{screen}");
}

#[test]
fn ctrl_d_at_the_prompt_is_answered_and_the_browser_may_come_back() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut terminal =
        Terminal::start(&authorize(&server, &["--no-browser", "--timeout", "20s"]), folder.path());
    let url = terminal.url();
    terminal.types("\x04");
    terminal.shows("nothing more is read here");
    assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(200));
    assert_eq!(terminal.end(folder.path()).0, Some(0));
}

// --- browsers in the terminal ---------------------------------------------------------------------------------------

/// A program of this name.
fn program(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The person signs in, reads on, and quits: not before that is the terminal ours.
#[test]
fn lb_31_a_text_browser_keeps_the_terminal_until_it_is_quit() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    // A real one reads keys as they come.
    let lynx = program(
        folder.path(),
        "lynx",
        "was=$(stty -g); stty raw -echo; printf 'it opens %s\\r\\n' \"$1\"; \
         until [ \"$key\" = q ]; do key=$(dd bs=1 count=1 2>/dev/null); done; stty \"$was\"; echo it has quit",
    );
    let command = authorize(&server, &["--browser", &lynx, "--timeout", "20s"]);
    let mut terminal = Terminal::start(&command, folder.path());
    terminal.shows("Quit it once you have signed in");
    terminal.shows("it opens http");
    terminal.shows("\r\n");
    let url = terminal.seen.split("it opens ").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(200));
    // Longer than an opener has.
    thread::sleep(Duration::from_millis(3500));
    assert_eq!(std::fs::read_to_string(folder.path().join("stdout")).unwrap(), "");
    terminal.types("q");
    let (code, stdout, screen) = terminal.end(folder.path());
    assert!(code == Some(0) && is_bearer_line(&stdout), "{screen}");
    assert!(screen.contains("it has quit"), "{screen}");
}

#[test]
fn lb_33_where_a_text_browser_fails_the_answer_can_be_pasted() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lynx = program(folder.path(), "lynx", "exit 3");
    let command = authorize(&server, &["--browser", &lynx, "--timeout", "20s"]);
    let mut terminal = Terminal::start(&command, folder.path());
    terminal.shows("failed: exit status: 3");
    let url = terminal.url();
    let landing = Browser::new().without_visiting_redirect_uri().sign_in("ada", &url).unwrap();
    terminal.types(&format!("{}\n", landing.url));
    let (code, stdout, screen) = terminal.end(folder.path());
    assert!(code == Some(0) && is_bearer_line(&stdout), "{screen}");
}

/// Nobody gets a demo token for a server that they forgot to name.
#[test]
fn at_a_terminal_the_demo_is_for_who_named_no_client_and_may_be_asked() {
    for (flags, said) in [
        (&["authorize", "--client-id", "mine"][..], "no server was named"),
        (&["authorize", "--no-prompt"], "no server was named"),
        (&["authorize", "--timeout", "1s", "--no-browser"], "this is the built-in demo server"),
    ] {
        let mut shell = Terminal::shell(&oauth(flags));
        shell.shows("ready> ");
        shell.types("$oauth; exit\n");
        shell.shows(said);
    }
}
