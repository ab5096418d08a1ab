//! A login while a thousand others knock who want no good: what the listener then takes of time, sockets and memory.
//!
//! The listener has a process of its own, so that what is counted is all its own. Everybody else is a thread here.
#![allow(missing_docs, reason = "tests name what they check")]
#![allow(clippy::print_stdout, reason = "the figures are told")]
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "the rules need more of it")]
#[path = "rules/browser/mod.rs"]
mod browser;
#[allow(dead_code, reason = "the rules need more of it")]
#[path = "rules/drivers/mod.rs"]
mod drivers;

use browser::Tab;
use drivers::Driver;
use oauth_core::{AuthorizationResponse, NotOurs, Recognised};
use oauth_loopback::{Address, Listener, ReceiveOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

/// In the environment of the listener's process.
const LISTENER: &str = "OAUTH_LOOPBACK_LISTENER";
/// How many are there at once when it is about time, sockets and memory.
const CROWD: usize = 1000;
/// How many at once when it is about whether a login is lost, and how many logins each driver has.
const GROUP: usize = 96;
const LOGINS: usize = 34;
/// RFC 8252 says nothing of it: what a person does not notice.
const ANSWERED_IN: Duration = Duration::from_secs(1);
const FREE_IN: Duration = Duration::from_millis(100);
/// With the newcomer that is there for a moment before who makes room for it has gone.
const SOCKETS: usize = 64;
const MEMORY_KB: usize = 8 * 1024;
/// A test that failed has broken nothing for the next.
static TURN: Mutex<()> = Mutex::new(());
/// Longer than any of it takes.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn a11_floods_cost_threads_little_and_lose_no_login() {
    a11_floods_cost_little_and_lose_no_login(
        &drivers::Threads,
        "a11_floods_cost_threads_little_and_lose_no_login",
    );
}

#[cfg(feature = "tokio")]
#[test]
fn a11_floods_cost_tokio_little_and_lose_no_login() {
    a11_floods_cost_little_and_lose_no_login(
        &drivers::Tokio,
        "a11_floods_cost_tokio_little_and_lose_no_login",
    );
}

#[cfg(feature = "async-io")]
#[test]
fn a11_floods_cost_async_io_little_and_lose_no_login() {
    a11_floods_cost_little_and_lose_no_login(
        &drivers::AsyncIo,
        "a11_floods_cost_async_io_little_and_lose_no_login",
    );
}

/// As the system says it, which has a limit of its own.
#[test]
fn a11_a_thousand_wait_in_the_system_until_they_are_accepted() {
    let listener = Listener::bind(&Address::new()).unwrap();
    let port = format!(":{}", listener.port());
    let output = Command::new("ss").args(["-H", "-l", "-t", "-n", "sport", "=", &port]).output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    let most: usize = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
    // State, how many wait, how many may.
    let may: usize =
        line.split_whitespace().nth(2).unwrap_or_else(|| panic!("ss says {line:?}")).parse().unwrap();
    assert_eq!(may, most.min(1024));
}

fn a11_floods_cost_little_and_lose_no_login(driver: &dyn Driver, test: &str) {
    if env::var_os(LISTENER).is_some() {
        listen(driver);
        return;
    }
    // What is measured is one driver alone.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut server = Server::start(test);
    // What is made once is made now.
    server.login(0);

    let before = server.usage();
    let crowd = server.login(CROWD);
    let memory = crowd.peak_kb.saturating_sub(before.kb);
    // The one that listens is none of those that are held.
    let held = crowd.sockets.saturating_sub(before.sockets + 1);
    assert!(crowd.answered <= ANSWERED_IN, "answered after {:?}", crowd.answered);
    assert!(held <= SOCKETS, "{held} sockets held");
    assert!(held > SOCKETS / 2, "{held} sockets held: nobody was there");
    assert!(memory <= MEMORY_KB, "{memory} KB more");

    let begun = Instant::now();
    let logins: Vec<_> = (0..LOGINS).map(|_| server.login(GROUP)).collect();
    let all = begun.elapsed();
    let slowest = logins.iter().map(|login| login.answered).max().expect("there were some");
    let freed = logins.iter().map(|login| login.freed).max().expect("there were some").max(crowd.freed);
    assert!(freed <= FREE_IN, "the port was free after {freed:?}");
    println!(
        "{test}: {CROWD} at once: answered in {:?}, {held} sockets, {memory} KB more; {LOGINS} logins with {GROUP} at \
         once: 0 lost, the slowest answered in {slowest:?}, all in {all:?}; the port free in {freed:?}",
        crowd.answered
    );
}

/// The listener's process: a login for each line of its input, until that ends.
fn listen(driver: &dyn Driver) {
    for line in io::stdin().lines() {
        line.unwrap();
        let listener = Listener::bind(&Address::new()).unwrap();
        say(&format!("port {}", listener.port()));
        let options = ReceiveOptions::new().timeout(LONG).grace(Duration::ZERO);
        let running = driver.start(listener, judge, options);
        running.callback().reply.success().wait();
        say("end");
    }
}

/// Past the harness, which keeps what is printed.
fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    write!(stdout, "\n@{line}\n").unwrap();
    stdout.flush().unwrap();
}

fn judge(response: &AuthorizationResponse<'_>) -> Recognised {
    match response {
        AuthorizationResponse::Query(query) if query.starts_with("state=s&code=") => Recognised::Ours,
        AuthorizationResponse::Query(query) if query.contains("state=") => {
            Recognised::NotOurs(NotOurs::OtherState)
        }
        _ => Recognised::NotOurs(NotOurs::NoState),
    }
}

/// What a process has.
struct Usage {
    sockets: usize,
    kb: usize,
}

/// What came of one login.
struct Outcome {
    /// From the browser's first byte to the last one of its page.
    answered: Duration,
    /// From the end of the login until the port can be bound again.
    freed: Duration,
    /// The most that there were at any look.
    sockets: usize,
    peak_kb: usize,
}

/// The listener's process, seen from outside.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(test: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(LISTENER, "yes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// What it says next.
    fn line(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "the listener's process has ended");
            if let Some(said) = line.strip_prefix('@') {
                return said.trim().to_owned();
            }
        }
    }

    /// A login, while so many others are there.
    fn login(&mut self, hostile: usize) -> Outcome {
        self.child.stdin.as_mut().unwrap().write_all(b"login\n").unwrap();
        let port: u16 = self.line().strip_prefix("port ").unwrap().parse().unwrap();
        let pid = self.child.id();
        // From here on the peak is counted anew.
        fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let looked = scope.spawn(|| most_sockets(pid, &over));
            let crowd = knock(port, hostile);
            let dripped = scope.spawn(|| drip(crowd, &over));
            let begun = Instant::now();
            let mut tab = Tab::open(port);
            tab.send(&browser::get(&tab, "/callback?state=s&code=c"));
            assert_eq!(tab.page().title(), "You are signed in");
            let answered = begun.elapsed();
            assert_eq!(self.line(), "end");
            let ended = Instant::now();
            while TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
                assert!(ended.elapsed() < LONG, "the port stays taken");
                thread::yield_now();
            }
            let freed = ended.elapsed();
            over.store(true, Ordering::Relaxed);
            dripped.join().unwrap();
            Outcome { answered, freed, sockets: looked.join().unwrap(), peak_kb: kilobytes(pid, "VmHWM:") }
        })
    }

    fn usage(&self) -> Usage {
        let pid = self.child.id();
        Usage { sockets: sockets(pid), kb: kilobytes(pid, "VmRSS:") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// So many connections of eight kinds, from several at once. Whoever has not reset theirs keeps it.
fn knock(port: u16, count: usize) -> Vec<(Kind, TcpStream)> {
    const AT_ONCE: usize = 4;
    thread::scope(|scope| {
        let parts = [(); AT_ONCE].map(|()| {
            scope.spawn(move || {
                let kinds = KINDS.into_iter().cycle().take(count / AT_ONCE);
                kinds.filter_map(|kind| Some((kind, kind.knock(port)?))).collect::<Vec<_>>()
            })
        });
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

/// What they want.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Silence,
    /// One byte a second.
    Drip,
    EndlessHeader,
    Tls,
    OtherHost,
    OtherState,
    ErrorWithoutState,
    Reset,
}

const KINDS: [Kind; 8] = [
    Kind::Silence,
    Kind::Drip,
    Kind::EndlessHeader,
    Kind::Tls,
    Kind::OtherHost,
    Kind::OtherState,
    Kind::ErrorWithoutState,
    Kind::Reset,
];

impl Kind {
    fn knock(self, port: u16) -> Option<TcpStream> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        // What the system does not take at once is not waited for.
        stream.set_nonblocking(true).unwrap();
        let host = format!("Host: 127.0.0.1:{port}\r\n");
        let get = |target: &str, headers: &str| browser::request("GET", target, headers).into_bytes();
        let bytes = match self {
            Self::Silence => Vec::new(),
            Self::Drip => b"G".to_vec(),
            Self::EndlessHeader => get("/callback", &format!("{host}X: {}\r\n", "x".repeat(1 << 20))),
            Self::Tls => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            Self::OtherHost => get("/callback?state=s&code=planted", "Host: evil.example\r\n"),
            Self::OtherState => get("/callback?state=other&code=planted", &host),
            Self::ErrorWithoutState => get("/callback?error=access_denied", &host),
            Self::Reset => b"GET /callback?state=s&co".to_vec(),
        };
        // It may be closed already, which is what is hoped for.
        let _taken = stream.write(&bytes);
        if self == Self::Reset {
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
            return None;
        }
        Some(stream)
    }
}

/// Keeps them all until it is over; a byte a second from those that drip.
fn drip(mut crowd: Vec<(Kind, TcpStream)>, over: &AtomicBool) {
    let mut dripped = Instant::now();
    while !over.load(Ordering::Relaxed) {
        if dripped.elapsed() >= Duration::from_secs(1) {
            dripped = Instant::now();
            for (_, stream) in crowd.iter_mut().filter(|(kind, _)| *kind == Kind::Drip) {
                let _taken = stream.write(b"x");
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The most sockets that a process has at any look, until it is over.
fn most_sockets(pid: u32, over: &AtomicBool) -> usize {
    let mut most = 0;
    while !over.load(Ordering::Relaxed) {
        most = most.max(sockets(pid));
        thread::sleep(Duration::from_millis(1));
    }
    most
}

fn sockets(pid: u32) -> usize {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    files
        // One that is closed between two looks is none.
        .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
        .filter(|file| file.to_string_lossy().starts_with("socket:"))
        .count()
}

fn kilobytes(pid: u32, name: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says it");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
