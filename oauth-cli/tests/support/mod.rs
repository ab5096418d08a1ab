//! The command as tests run it.
#![allow(dead_code, reason = "each test takes what it needs")]

use oauth_testserver::TestServer;
use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The command, without what this machine's environment would add to it.
pub(crate) fn oauth(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oauth"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OAUTH_") {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .env_remove("BROWSER")
        // A place that says nothing of where the person is, unless a test says so.
        .env_remove("SSH_CONNECTION")
        .env_remove("SSH_TTY")
        .env_remove("SSH_CLIENT")
        .env("DISPLAY", ":0")
        // Nor what whoever runs this has in a profile file.
        .env("XDG_CONFIG_HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Signs in at a test server, as the client that every one of them has.
pub(crate) fn authorize(server: &TestServer, flags: &[&str]) -> Command {
    let client = ["--client-id", "demo", "--allow-http-loopback"];
    oauth(&[&["authorize", server.issuer()][..], &client, flags].concat())
}

/// Sends a signal to a process, as a shell does: a command of that name comes with a package that not every machine has.
pub(crate) fn signal(name: &str, pid: impl Display) {
    let line = format!("kill -{name} {pid}");
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success(), "{line}");
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    oauth(arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

pub(crate) fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

pub(crate) fn is_bearer_line(stdout: &str) -> bool {
    let Some(token) = stdout.strip_prefix("Bearer ").and_then(|rest| rest.strip_suffix('\n')) else {
        return false;
    };
    !token.is_empty() && token.bytes().all(|byte| matches!(byte, 0x21..=0x7E))
}

/// A failure: its code, nothing on standard output, and three short lines that say what, what to do, and the code.
pub(crate) fn fails(output: &Output, code: i32, what: &str) {
    let told = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert_eq!(stdout(output), "", "{told}");
    assert!(told.contains(what), "expected {what:?} in: {told}");
    assert!(told.contains("\n  next: ") && told.contains(&format!("\n  exit: {code} (")), "{told}");
    assert!(!told.contains("panicked"), "{told}");
}

/// A command that waits for a person: the address that it prints, and its end.
pub(crate) struct Waiting {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Waiting {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::of(oauth(arguments))
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    pub(crate) fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).expect("the line is printed in time");
            if wanted(&line) {
                return line.trim().to_owned();
            }
        }
    }

    pub(crate) fn input(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn url(&self) -> String {
        self.line(|line| line.trim_start().starts_with("http"))
    }

    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let status = self.child.wait().unwrap();
        (status.code(), stdout, self.lines.iter().collect::<Vec<_>>().join("\n"))
    }
}
