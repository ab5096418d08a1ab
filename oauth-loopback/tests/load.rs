#![allow(missing_docs, reason = "tests name what they check")]
#![allow(clippy::print_stdout, reason = "what was measured is for whoever asks to see it")]
//! What a login costs while others press: in a process of its own, so that its memory can be measured.
//!
//! The bounds are wide, for machines that do other things meanwhile; what was measured is printed (`--nocapture`).

use oauth_core::{AuthorizationResponse, NotOurs, Recognised};
use oauth_loopback::{Address, Listener, ReceiveOptions, WebServer, thread};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One at a time: each measures.
static ALONE: Mutex<()> = Mutex::new(());

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn callback(port: u16) -> String {
    format!("GET /callback?state=s&code=c HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")
}

/// From the callback to the last byte of the page.
fn sign_in(port: u16) -> Duration {
    let mut tab = connect(port);
    let begun = Instant::now();
    tab.write_all(callback(port).as_bytes()).unwrap();
    let mut page = String::new();
    tab.read_to_string(&mut page).unwrap();
    let took = begun.elapsed();
    assert!(page.contains("You are signed in"), "{page}");
    took
}

fn receive(listener: Listener) {
    let judge = |response: &AuthorizationResponse<'_>| match response {
        AuthorizationResponse::Query("state=s&code=c") => Recognised::Ours,
        _ => Recognised::NotOurs(NotOurs::OtherState),
    };
    let options = ReceiveOptions::new().head_timeout(Duration::from_secs(60)).grace(Duration::ZERO);
    let callback = thread::receive(listener, judge, options).unwrap();
    callback.reply.success().wait();
}

/// Everything that was queued before has been accepted.
fn settle(port: u16) {
    let mut tab = connect(port);
    write!(tab, "GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").unwrap();
    tab.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn lb_03_a_callback_among_500_silent_connections_is_answered_at_once() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = WebServer::start(&Address::new()).unwrap();
    let port = server.port();
    let mut took = Vec::new();
    for _ in 0..11 {
        let listener = server.listener().unwrap();
        let waiting = std::thread::spawn(move || receive(listener));
        let silent: Vec<_> = (0..500).map(|_| connect(port)).collect();
        settle(port);
        took.push(sign_in(port));
        drop(silent);
        waiting.join().unwrap();
    }
    took.sort_unstable();
    println!("callback to page, 500 silent connections: {:?} (median of {})", took[5], took.len());
    assert!(took[5] < Duration::from_millis(50), "{took:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn lb_03_lb_05_a11_a_thousand_hostile_connections_cost_little_and_stop_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap()
    };
    let listener = Listener::bind(&Address::new()).unwrap();
    let port = listener.port();
    let waiting = std::thread::spawn(move || receive(listener));
    settle(port);
    let host = format!("Host: 127.0.0.1:{port}\r\n");
    let hostile = [
        String::new(),
        "G".to_owned(),
        "\u{16}\u{3}\u{1}".to_owned(),
        format!("GET /callback HTTP/1.1\r\n{host}X: {}", "x".repeat(15_000)),
        format!("GET /callback HTTP/1.1\r\n{host}X: {}", "x".repeat(1_000_000)),
        format!("POST / HTTP/1.1\r\n{host}Content-Length: 65536\r\n\r\n{}", "x".repeat(60_000)),
        "GET /callback?state=s&code=c HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(),
        format!("GET /callback?state=t&code=c HTTP/1.1\r\n{host}\r\n"),
        format!("GET /callback?error=access_denied HTTP/1.1\r\n{host}\r\n"),
        format!("GET /callback?state=s&code=c HTTP/1.1\r\n{host}"),
    ];
    let before = resident();
    let mut open = Vec::new();
    for bytes in hostile.iter().cycle().take(1000) {
        let mut stream = connect(port);
        stream.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        // What is cut off is not to be taken.
        let _ = stream.write_all(bytes.as_bytes());
        open.push(stream);
    }
    let grown = resident().saturating_sub(before);
    let took = sign_in(port);
    println!("1000 hostile connections: {grown} KiB more, callback to page {took:?}");
    assert!(grown <= 8 * 1024, "{grown} KiB more");
    assert!(took < Duration::from_secs(3), "{took:?}");
    drop(open);
    waiting.join().unwrap();
    let ended = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
        assert!(ended.elapsed() < Duration::from_millis(100), "the port is still open");
    }
}
