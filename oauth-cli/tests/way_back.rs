//! Where the command listens, what it sends as redirect URI, and which of both do not fit.
#![cfg(unix)]
#![allow(missing_docs, reason = "a test")]

mod support;

use oauth_testserver::TestServer;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Command;
use support::{Waiting, fails};
use url::Url;

/// With a person who never comes, and is not waited for long.
fn authorize(server: &TestServer, flags: &[&str]) -> Command {
    support::authorize(server, &[&["--no-browser", "--timeout", "20s"], flags].concat())
}

/// A port that nobody has, on neither family.
fn free() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if !is_taken("::1", port) {
            return port;
        }
    }
}

fn is_taken(ip: &str, port: u16) -> bool {
    TcpListener::bind((ip, port)).is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

fn has_v6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

/// The redirect URI in the address that is printed.
fn sent(waiting: &Waiting) -> String {
    let url = Url::parse(&waiting.url()).unwrap();
    url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned()
}

fn ends(waiting: Waiting) {
    support::signal("INT", waiting.id());
    assert_eq!(waiting.end().0, Some(130));
}

/// The flags hold PORT, and these addresses of this machine are taken on that port, and no others.
fn listens(server: &TestServer, flags: &str, expected: &[&str]) {
    let port = free();
    let flags = flags.replace("PORT", &port.to_string());
    let flags: Vec<_> = flags.split(' ').collect();
    let waiting = Waiting::of(authorize(server, &flags));
    let _sent = sent(&waiting);
    for ip in ["127.0.0.1", "::1"] {
        let expected = expected.contains(&ip) && (ip == "127.0.0.1" || has_v6());
        assert_eq!(is_taken(ip, port), expected, "{flags:?} {ip}");
        assert_eq!(TcpStream::connect((ip, port)).is_ok(), expected, "{flags:?} {ip}");
    }
    ends(waiting);
}

#[test]
fn lb_07_whatever_localhost_may_be_is_listened_at_and_nothing_else() {
    let server = TestServer::start().unwrap();
    let both = &["127.0.0.1", "::1"][..];
    for (flags, expected) in [
        ("--redirect-uri http://localhost:PORT/cb --listen PORT", both),
        ("--redirect-uri http://localhost:PORT/cb --listen 127.0.0.1:PORT", both),
        ("--redirect-uri http://localhost:PORT/cb --listen 0.0.0.0:PORT", both),
        ("--redirect-host localhost --listen 0.0.0.0:PORT", both),
        ("--redirect-host localhost --listen PORT", both),
        ("--redirect-uri http://localhost:PORT/cb", both),
        ("--redirect-uri http://[::1]:PORT/cb --listen PORT", &["::1"]),
        ("--redirect-uri http://127.0.0.1:PORT/cb --listen PORT", &["127.0.0.1"]),
        // Something else is at the redirect URI, and leads to where the listener was told to be.
        ("--redirect-uri http://localhost:9/cb --listen 127.0.0.1:PORT", &["127.0.0.1"]),
        ("--redirect-uri http://127.0.0.1:9/cb --listen [::1]:PORT", &["::1"]),
        ("--redirect-uri https://desk.example/cb --listen [::1]:PORT", &["::1"]),
        ("--redirect-uri https://desk.example/cb --listen PORT", &["127.0.0.1"]),
    ] {
        if has_v6() || expected.contains(&"127.0.0.1") {
            listens(&server, flags, expected);
        }
    }
}

#[test]
fn what_does_not_fit_together_is_refused_before_anybody_is_asked() {
    let server = TestServer::start().unwrap();
    for (flags, what) in [
        // An address that would be ignored.
        ("--listen 127.0.0.2:8400", "no redirect URI leads there"),
        ("--redirect-host ::1 --listen 127.0.0.1:8400", "another address of this machine"),
        ("--redirect-uri http://[::1]:8400/cb --listen 127.0.0.1:8400", "another address of this machine"),
        ("--redirect-uri http://127.0.0.1:8400/cb --listen [::1]:8400", "another address of this machine"),
        ("--redirect-uri http://127.0.0.1/cb --listen [::1]:8400", "another address of this machine"),
        // A code in clear, or to nobody.
        ("--redirect-uri http://evil.example/cb --listen 8400", "in clear"),
        ("--redirect-uri javascript:alert(1) --listen 8400", "http://"),
        ("--redirect-uri ftp://desk.example/ --listen 8400", "http://"),
        ("--redirect-uri mailto:me@desk.example --listen 8400", "http://"),
        ("--redirect-uri https://desk.example/#x --listen 8400", "fragment"),
        ("--redirect-uri nonsense --listen 8400", "URL"),
        // A browser that speaks another language than the listener.
        ("--redirect-uri http://127.0.0.1:8400/cb --callback-tls self-signed", "https://"),
        ("--redirect-uri http://127.0.0.1:8400/cb --callback-tls self-signed --listen 8400", "https://"),
        ("--redirect-uri http://127.0.0.1:8400/cb --callback-tls-cert /nowhere", "https://"),
    ] {
        fails(&authorize(&server, &flags.split(' ').collect::<Vec<_>>()).output().unwrap(), 2, what);
    }
    for flags in
        ["--redirect-uri https://127.0.0.1:8443/cb", "--redirect-uri https://localhost:8443/cb --listen 8443"]
    {
        let output = authorize(&server, &flags.split(' ').collect::<Vec<_>>()).output().unwrap();
        fails(&output, 2, "no certificate");
        assert!(support::stderr(&output).contains("next: add --callback-tls"), "{output:?}");
    }
}

#[test]
fn the_redirect_uri_is_sent_letter_by_letter() {
    let server = TestServer::start().unwrap();
    for (redirect_uri, more) in [
        ("http://127.0.0.1:PORT", ""),
        ("http://LOCALHOST:PORT/cb", ""),
        ("https://127.0.0.1:PORT", "--callback-tls self-signed"),
        ("http://127.0.0.1:PORT", "--listen PORT"),
        ("https://desk.example", "--listen PORT"),
        ("https://127.0.0.1:PORT", "--callback-tls self-signed --listen PORT"),
        // A proxy that takes the https off.
        ("https://127.0.0.1:8443", "--listen PORT"),
    ] {
        let port = free().to_string();
        let redirect_uri = redirect_uri.replace("PORT", &port);
        let more = more.replace("PORT", &port);
        let flags = [vec!["--redirect-uri", &redirect_uri], more.split_whitespace().collect()].concat();
        let waiting = Waiting::of(authorize(&server, &flags));
        assert_eq!(sent(&waiting), redirect_uri, "{more}");
        ends(waiting);
    }
    // One without a port has it filled in, and nothing else.
    let waiting = Waiting::of(authorize(&server, &["--redirect-uri", "http://127.0.0.1"]));
    let any = sent(&waiting);
    assert!(any.strip_prefix("http://127.0.0.1:").unwrap().parse::<u16>().is_ok(), "{any}");
    ends(waiting);
    for (redirect_uri, ip) in [
        ("http://127.0.0.1/cB/", ""),
        ("http://127.0.0.1/cB/", "127.0.0.1:"),
        ("http://localhost/cB/", "127.0.0.1:"),
    ] {
        let port = free();
        let listen = format!("{ip}{port}");
        let waiting = Waiting::of(authorize(&server, &["--redirect-uri", redirect_uri, "--listen", &listen]));
        assert_eq!(sent(&waiting), redirect_uri.replace("/cB", &format!(":{port}/cB")));
        assert!(is_taken("127.0.0.1", port));
        ends(waiting);
    }
}

/// Somebody may wait there for whoever never comes.
#[test]
fn a_redirect_uri_that_leads_to_another_port_is_told() {
    let server = TestServer::start().unwrap();
    let port = free().to_string();
    for redirect_uri in ["http://127.0.0.1:9/cb", "http://127.0.0.1:80/cb"] {
        let waiting = Waiting::of(authorize(&server, &["--redirect-uri", redirect_uri, "--listen", &port]));
        let note = waiting.line(|line| line.starts_with("note:"));
        assert!(note.contains(&format!("another port than {port}")), "{note}");
        assert_eq!(sent(&waiting), redirect_uri);
        ends(waiting);
    }
}

#[test]
fn a_port_that_is_named_is_the_one_to_listen_at() {
    let server = TestServer::start().unwrap();
    // Somebody has it, or there is no right to it: no other one is taken in its place.
    let _busy = TcpListener::bind("127.0.0.1:80");
    let output = authorize(&server, &["--redirect-uri", "http://127.0.0.1:80/cb"]).output().unwrap();
    fails(&output, 7, "80");
}

/// Each of them would be looked for.
#[test]
fn more_sockets_of_systemd_than_anybody_has_are_refused() {
    let server = TestServer::start().unwrap();
    let mut command = authorize(&server, &["--systemd-socket"]);
    fails(&command.env("LISTEN_FDS", "2147483647").output().unwrap(), 7, "2147483647 sockets");
}

#[test]
fn a_socket_of_systemd_is_called_as_the_redirect_uri_says() {
    let server = TestServer::start().unwrap();
    for (redirect_uri, port) in [("http://127.0.0.1:9999/cb", Some(9999)), ("http://127.0.0.1/cb", None)] {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.unwrap_or_else(|| socket.local_addr().unwrap().port());
        let oauth = authorize(&server, &["--systemd-socket", "--redirect-uri", redirect_uri]);
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\""])
            .arg(oauth.get_program())
            .args(oauth.get_args())
            .envs(oauth.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(OwnedFd::from(socket))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let waiting = Waiting::of(command);
        assert_eq!(sent(&waiting), format!("http://127.0.0.1:{port}/cb"));
        ends(waiting);
    }
}
