//! What TCP connections are told: seen by the server where it can be, and by the system where it cannot.

use super::Engine;
use super::faults::nobody;
use super::server::Server;
use super::subject::{assert_fails, carries, get, post, send_with, transport};
use crate::{Addresses, KeepAlive, Linger, Setting, Settings, Support, Tcp};
use oauth_core::{Delivered, UnreachableKind};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr};
use std::num::{NonZeroU16, NonZeroUsize};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const OK_AND_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
const CHILD: &str = "OAUTH_TRANSPORT_CONTRACT_SOCKETS";

fn with(change: impl FnOnce(&mut Tcp)) -> Settings {
    let mut tcp = Tcp::default();
    change(&mut tcp);
    Settings::new().with_tcp(tcp)
}

/// The server sees where a connection comes from.
pub fn connections_come_from_the_local_address<E: Engine>() {
    let local = IpAddr::from([127, 0, 0, 2]);
    let settings = with(|tcp| tcp.local_address = Some(local));
    if !carries::<E>(Setting::LocalAddress, &settings) {
        return;
    }
    let server = Server::answering(OK);
    for settings in [Settings::new(), settings] {
        send_with::<E>(settings, get(&server.http("/"))).expect("the server answers");
    }
    let seen: Vec<_> = server.peers().iter().map(|peer| peer.ip()).collect();
    assert_eq!(seen, [IpAddr::from([127, 0, 0, 1]), local]);

    let elsewhere = with(|tcp| tcp.local_address = Some([192, 0, 2, 1].into()));
    let result = send_with::<E>(elsewhere, post(&server.http("/token")));
    assert_fails(result, &[UnreachableKind::Connect], Delivered::No);
}

/// The same for the port; a connection that is over leaves it to the next.
pub fn connections_come_from_the_local_port<E: Engine>() {
    // Below the ports that the system hands out, so that no other case is given it meanwhile.
    let port = 10_000 + nobody() % 20_000;
    let settings = with(|tcp| tcp.local_port = NonZeroU16::new(port));
    if !carries::<E>(Setting::LocalPort, &settings) {
        return;
    }
    let server = Server::new(|connection| {
        connection.request()?;
        connection.write_all(OK_AND_CLOSE)
    });
    let transport = transport::<E>(settings);
    E::block_on(async {
        transport.send(get(&server.http("/"))).await.expect("the server answers");
    });
    let other = Server::answering(OK_AND_CLOSE);
    E::block_on(async {
        transport.send(get(&other.http("/"))).await.expect("the other server answers");
    });
    let seen: Vec<_> = server.peers().iter().chain(&other.peers()).map(|peer| peer.port()).collect();
    assert_eq!(seen, [port, port]);
}

/// IPv4 alone never reaches a server of IPv6, nor the other way round; by default both are reached.
pub fn addresses_are_of_the_family_that_is_set<E: Engine>() {
    let v4 = Server::answering(OK);
    let v6 = Server::at(Ipv6Addr::LOCALHOST.into(), |connection| {
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    });
    for (addresses, served, refused) in [(Addresses::V4, &v4, &v6), (Addresses::V6, &v6, &v4)] {
        let settings = with(|tcp| tcp.addresses = addresses);
        if !carries::<E>(Setting::AddressFamily, &settings) {
            return;
        }
        send_with::<E>(settings.clone(), get(&served.http("/"))).expect("it is of that family");
        let before = refused.connections();
        let result = send_with::<E>(settings, post(&refused.http("/token")));
        assert_fails(result, &[UnreachableKind::Connect, UnreachableKind::Name], Delivered::No);
        assert_eq!(refused.connections(), before);
        send_with::<E>(Settings::new(), get(&refused.http("/"))).expect("by default each is reached");
    }
}

/// What a server sees of the end: an orderly one by default, and a reset where nothing is to linger.
pub fn connections_end_as_they_are_told<E: Engine>() {
    let reset = with(|tcp| tcp.linger = Linger::Reset);
    if !carries::<E>(Setting::Linger, &reset) {
        return;
    }
    for (settings, expected) in [(Settings::new(), Ok(0)), (reset, Err(io::ErrorKind::ConnectionReset))] {
        let (tell, told) = mpsc::channel();
        let server = Server::new(move |connection| {
            connection.request()?;
            connection.write_all(OK)?;
            let end = connection.read(&mut [0; 16]).map_err(|error| error.kind());
            let _ = tell.send(end);
            Ok(())
        });
        // The transport is gone with its runtime when this returns.
        send_with::<E>(settings, get(&server.http("/"))).expect("the server answers");
        let end = told.recv_timeout(Duration::from_secs(15)).expect("the connection ends");
        assert_eq!(end, expected);
    }
}

/// What no server sees, the system does: the calls of this very program, run once more under `strace`.
///
/// It runs itself again in a process of its own, sends two requests, by default and with the settings, and compares what was
/// said about their two sockets before they were connected.
pub fn sockets_are_told_what_is_set<E: Engine>() {
    let carried = |setting: &&Setting| !matches!(E::supports(**setting), Support::Unsupported(_));
    let all = [
        Setting::Nagle,
        Setting::KeepAliveProbes,
        Setting::KeepAliveTime,
        Setting::KeepAliveInterval,
        Setting::Linger,
        Setting::ReceiveBuffer,
        Setting::SendBuffer,
    ];
    let settings = |settings: &[Setting]| {
        with(|tcp| {
            for setting in settings {
                let probes = || KeepAlive::default();
                match setting {
                    Setting::Nagle => tcp.nagle = true,
                    Setting::KeepAliveProbes => drop(tcp.keep_alive.get_or_insert_with(probes)),
                    Setting::KeepAliveTime => {
                        tcp.keep_alive.get_or_insert_with(probes).time = Some(Duration::from_millis(41_500));
                    }
                    Setting::KeepAliveInterval => {
                        tcp.keep_alive.get_or_insert_with(probes).interval = Some(Duration::from_secs(17));
                    }
                    Setting::Linger => tcp.linger = Linger::Wait(Duration::from_secs(3)),
                    Setting::ReceiveBuffer => tcp.receive_buffer = NonZeroUsize::new(60_001),
                    _ => tcp.send_buffer = NonZeroUsize::new(50_001),
                }
            }
        })
    };
    for setting in &all {
        carries::<E>(*setting, &settings(&[*setting]));
    }
    let used: Vec<_> = all.iter().filter(carried).copied().collect();
    if let Ok(urls) = std::env::var(CHILD) {
        let (plain, set) = urls.split_once(' ').expect("there are two URLs");
        send_with::<E>(Settings::new(), get(plain)).expect("the server answers");
        send_with::<E>(settings(&used), get(set)).expect("the server answers");
        return;
    }
    let servers = [Server::answering(OK), Server::answering(OK)];
    let [plain, set] = &servers;
    if !cfg!(target_os = "linux") {
        // Only Linux tells what its sockets were told; elsewhere it is that they take it.
        send_with::<E>(settings(&used), get(&set.http("/"))).expect("the server answers");
        return;
    }
    let log = std::env::temp_dir().join(format!("oauth-contract-sockets-{}", plain.port()));
    let output = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=connect,setsockopt", "-o"])
        .arg(&log)
        .arg(std::env::current_exe().expect("a test knows its program"))
        .args(["sockets_are_told_what_is_set", "--test-threads=1"])
        .env(CHILD, format!("{} {}", plain.http("/"), set.http("/")))
        .output()
        .expect("strace is installed (check.sh does it)");
    let calls = std::fs::read_to_string(&log).unwrap_or_default();
    let _ = std::fs::remove_file(&log);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let [default, chosen] = [plain, set].map(|server| said(&calls, server.port()));
    for setting in used {
        // A value that is told by default is one that must not be told; the others are the other way round.
        let (call, by_default) = match setting {
            Setting::Nagle => ("TCP_NODELAY, [1]", true),
            Setting::KeepAliveProbes => ("SO_KEEPALIVE, [1]", false),
            Setting::KeepAliveTime => ("TCP_KEEPIDLE, [42]", false),
            Setting::KeepAliveInterval => ("TCP_KEEPINTVL, [17]", false),
            Setting::Linger => ("SO_LINGER, {l_onoff=1, l_linger=3}", false),
            Setting::ReceiveBuffer => ("SO_RCVBUF, [60001]", false),
            _ => ("SO_SNDBUF, [50001]", false),
        };
        assert_eq!(default.contains(call), by_default, "{setting} by default: {default}");
        assert_eq!(chosen.contains(call), !by_default, "{setting} as set: {chosen}");
    }
}

/// What was said about the socket that was then connected to this port.
fn said(calls: &str, port: u16) -> String {
    let lines: Vec<&str> = calls.lines().collect();
    let to = format!("htons({port})");
    let at = lines.iter().position(|line| line.contains(" connect(") && line.contains(&to));
    let at = at.unwrap_or_else(|| panic!("nothing was connected to {port}: {calls}"));
    let socket = |line: &str| {
        let (_, rest) = line.split_once('(')?;
        rest.split_once(',').map(|(socket, _)| socket.to_owned())
    };
    let ours = socket(lines[at]);
    // A number is used again for the next socket: back to the connection before.
    let before = lines[..at].iter().rev();
    let about: Vec<&str> = before
        .take_while(|line| !(line.contains(" connect(") && socket(line) == ours))
        .filter(|line| line.contains(" setsockopt(") && socket(line) == ours)
        .copied()
        .collect();
    about.join("\n")
}
