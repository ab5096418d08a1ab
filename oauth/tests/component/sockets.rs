//! The rows of TCP: what is not seen by a server, the system sees.

use crate::wire::*;
use oauth::core::UnreachableKind;
use std::collections::BTreeMap;
use std::env;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr};
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// The URLs of the servers that this process is to ask, where it is one that is watched.
const WATCHED: &str = "OAUTH_COMPONENT_WATCHED";

/// An engine, settings, and a call about the socket, as `strace` writes it, that is made with them or is not.
type Case<'a> = (&'a str, &'a [&'a str], &'a str, bool);

/// What the system is told of the sockets: the calls of this test, which runs once more under `strace`.
#[track_caller]
fn sockets_are_told(test: &str, cases: &[Case<'_>]) {
    if let Ok(urls) = env::var(WATCHED) {
        for (url, (engine, lines, ..)) in urls.split(' ').zip(cases) {
            get(url, engine, lines).unwrap_or_else(|error| panic!("{engine} {lines:?}: {error}"));
        }
        return;
    }
    let servers: Vec<_> = cases.iter().map(|_| Server::answering(token())).collect();
    let urls: Vec<_> = servers.iter().map(|server| server.url("/token")).collect();
    if !cfg!(target_os = "linux") {
        // Only Linux tells what its sockets were told; elsewhere it is that they take it.
        for (url, (engine, lines, ..)) in urls.iter().zip(cases) {
            get(url, engine, lines).unwrap_or_else(|error| panic!("{engine} {lines:?}: {error}"));
        }
        return;
    }
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=socket,connect,setsockopt", "-o"])
        .arg(log.path())
        .arg(env::current_exe().unwrap())
        .args([&format!("sockets::{test}"), "--exact", "--test-threads=1"])
        .env(WATCHED, urls.join(" "))
        .output()
        .expect("strace is installed (check.sh does it)");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let calls = std::fs::read_to_string(log.path()).unwrap();
    for (server, (engine, lines, call, is_told)) in servers.iter().zip(cases) {
        let about = about(&calls, server.address.port());
        let found = about.iter().any(|known| known.contains(call));
        assert_eq!(found, *is_told, "{engine} {lines:?} {call}: {about:?}");
    }
}

/// What was said about the socket that was then connected to this port. A number is given to one socket after another, and not
/// each of them is connected.
fn about(calls: &str, port: u16) -> Vec<&str> {
    let mut said: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in calls.lines() {
        let (call, arguments) = line.split_once('(').unwrap_or((line, ""));
        let socket = arguments.split(',').next().unwrap_or_default();
        if call.ends_with(" socket") || call.contains("socket resumed>") {
            let number = line.rsplit(" = ").next().unwrap_or_default();
            said.remove(number);
        } else if call.ends_with(" setsockopt") {
            said.entry(socket).or_default().push(arguments);
        } else if call.ends_with(" connect") && arguments.contains(&format!("htons({port})")) {
            return said.remove(socket).unwrap_or_default();
        }
    }
    panic!("nothing was connected to {port}: {calls}");
}

#[test]
fn row_tcp_keep_alive_on_the_wire() {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for engine in ENGINES {
        cases.push((engine, &[], "SO_KEEPALIVE, [1]", false));
        cases.push((engine, &["TCPKeepAlive=false"], "SO_KEEPALIVE, [1]", false));
        cases.push((engine, &["TCPKeepAlive=true"], "SO_KEEPALIVE, [1]", true));
        // The times alone turn nothing on.
        cases.push((engine, &["KeepAliveInterval=17000"], "SO_KEEPALIVE, [1]", false));
    }
    sockets_are_told("row_tcp_keep_alive_on_the_wire", &cases);
}

#[test]
fn row_keep_alive_time_on_the_wire() {
    let cases: &[Case<'_>] = &[
        ("false", &["TCPKeepAlive=true"], "TCP_KEEPIDLE, [42]", false),
        ("false", &["TCPKeepAlive=true", "KeepAliveTime=42000"], "TCP_KEEPIDLE, [42]", true),
        ("false", &["KeepAliveTime=42000"], "TCP_KEEPIDLE", false),
    ];
    sockets_are_told("row_keep_alive_time_on_the_wire", cases);
    refused_by_isahc(&["TCPKeepAlive=true", "KeepAliveTime=42000"], "KeepAliveTime");
}

#[test]
fn row_keep_alive_interval_on_the_wire() {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for engine in ENGINES {
        cases.push((engine, &["TCPKeepAlive=true"], "TCP_KEEPINTVL, [17]", false));
        cases.push((engine, &["TCPKeepAlive=true", "KeepAliveInterval=17000"], "TCP_KEEPINTVL, [17]", true));
    }
    sockets_are_told("row_keep_alive_interval_on_the_wire", &cases);
}

#[test]
fn row_linger_time_on_the_wire() {
    let cases: &[Case<'_>] = &[
        ("false", &[], "SO_LINGER", false),
        ("false", &["LingerTime=3"], "SO_LINGER, {l_onoff=1, l_linger=3}", true),
        ("false", &["Linger=false", "LingerTime=3"], "SO_LINGER, {l_onoff=1, l_linger=0}", true),
    ];
    sockets_are_told("row_linger_time_on_the_wire", cases);
    refused_by_isahc(&["LingerTime=3"], "LingerTime");
}

#[test]
fn row_tcp_no_delay_on_the_wire() {
    let cases: &[Case<'_>] = &[
        ("false", &[], "TCP_NODELAY, [1]", true),
        ("false", &["TcpNoDelay=true"], "TCP_NODELAY, [1]", true),
        ("false", &["TcpNoDelay=false"], "TCP_NODELAY, [1]", false),
    ];
    sockets_are_told("row_tcp_no_delay_on_the_wire", cases);
    refused_by_isahc(&["TcpNoDelay=false"], "TcpNoDelay");
}

#[test]
fn row_in_buffer_size_on_the_wire() {
    let cases: &[Case<'_>] = &[
        ("false", &[], "SO_RCVBUF", false),
        ("false", &["InBufferSize=60001"], "SO_RCVBUF, [60001]", true),
        ("false", &["InBufferSize=60001"], "SO_SNDBUF", false),
    ];
    sockets_are_told("row_in_buffer_size_on_the_wire", cases);
    refused_by_isahc(&["InBufferSize=60001"], "InBufferSize");
}

#[test]
fn row_out_buffer_size_on_the_wire() {
    let cases: &[Case<'_>] = &[
        ("false", &[], "SO_SNDBUF", false),
        ("false", &["OutBufferSize=50001"], "SO_SNDBUF, [50001]", true),
        ("false", &["OutBufferSize=50001"], "SO_RCVBUF", false),
    ];
    sockets_are_told("row_out_buffer_size_on_the_wire", cases);
    refused_by_isahc(&["OutBufferSize=50001"], "OutBufferSize");
}

/// An orderly end by default, and a reset where nothing is to linger.
#[test]
fn row_linger_on_the_wire() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let server = Server::new(move |connection| {
        connection.request()?;
        connection.stream.write_all(&token())?;
        let end = connection.stream.read(&mut [0; 16]).map_err(|error| error.kind());
        let _ = tell.lock().unwrap().send(end);
        Ok(())
    });
    for (lines, expected) in [
        (&[][..], Ok(0)),
        (&["Linger=true"], Ok(0)),
        (&["Linger=false"], Err(io::ErrorKind::ConnectionReset)),
    ] {
        get(&server.url("/token"), "false", lines).unwrap();
        assert_eq!(told.recv_timeout(Duration::from_secs(15)), Ok(expected), "{lines:?}");
    }
    refused_by_isahc(&["Linger=false"], "Linger");
}

/// One family alone never reaches a server of the other; by default both are reached.
#[test]
fn row_use_ipv6_on_the_wire() {
    let v4 = Server::answering(token());
    let v6 = Server::at(IpAddr::from(Ipv6Addr::LOCALHOST), always(token()));
    for engine in ENGINES {
        for (lines, of_v4, of_v6) in [
            (&[][..], true, true),
            (&["UseIPv6=1"], true, true),
            (&["UseIPv6=0"], true, false),
            (&["UseIPv6=2"], false, true),
        ] {
            for (server, reached) in [(&v4, of_v4), (&v6, of_v6)] {
                let before = server.connections();
                let result = get(&server.url("/token"), engine, lines);
                assert_eq!(result.is_ok(), reached, "{engine} {lines:?}: {result:?}");
                assert_eq!(server.connections() - before, usize::from(reached), "{engine} {lines:?}");
            }
        }
    }
}

/// A connection counts as made when TLS stands (the server takes its time for that); the timeout for the rest is another.
#[test]
fn row_connection_timeout_on_the_wire() {
    let authority = crate::authority::Authority::new();
    let server = Server::tls(authority.server(), |connection| {
        thread::sleep(Duration::from_secs(2));
        always(token())(connection)
    });
    for engine in ENGINES {
        get(&server.https("/token"), engine, &[&authority.trusted()]).unwrap();
        let begun = Instant::now();
        let result = get(&server.https("/token"), engine, &[&authority.trusted(), "ConnectionTimeout=1"]);
        assert_eq!(unreachable(result), UnreachableKind::Timeout, "{engine}");
        assert!(begun.elapsed() >= Duration::from_secs(1), "{engine}: {:?}", begun.elapsed());
    }
}

/// Bytes that come steadily keep a request alive, unless the timeout is for the whole of it.
#[test]
fn row_absolute_timeout_on_the_wire() {
    let server = Server::new(|connection| {
        connection.request()?;
        let answer = token();
        let (head, body) = answer.split_at(answer.len() - token_body().len());
        connection.stream.write_all(head)?;
        for part in body.chunks(body.len().div_ceil(24)) {
            connection.stream.write_all(part)?;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    });
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &[]);
        oauth.set_timeout(Some(Duration::from_millis(1500)));
        oauth
            .get_authorization()
            .unwrap_or_else(|error| panic!("{engine}: bytes came all the time: {error}"));
        set(&oauth, &["AbsoluteTimeout=true"]);
        assert_eq!(unreachable(oauth.get_authorization()), UnreachableKind::Timeout, "{engine}");
    }
}

#[test]
fn row_max_transfer_rate_on_the_wire() {
    const BYTES: usize = 200_000;
    let mut body = token_body();
    body.resize(BYTES, b' ');
    let server = Server::answering(response("200 OK", "", &body));
    for engine in ENGINES {
        let took = |lines: &[&str]| {
            let begun = Instant::now();
            get(&server.url("/token"), engine, lines).unwrap();
            begun.elapsed()
        };
        let (fast, slow) = (took(&[]), took(&["MaxTransferRate=100000"]));
        // Two seconds by the rate; some may go ahead at once, and some is kept by the system.
        assert!(slow >= Duration::from_millis(1200), "{engine}: {slow:?}");
        assert!(fast < slow, "{engine}: without a rate it took {fast:?}, with one {slow:?}");
    }
}
