//! Who comes by another address of this machine, as every other machine does, finds nobody.
#![allow(missing_docs, reason = "tests name what they check")]
#![allow(clippy::print_stdout, reason = "it tells which addresses there were")]
#![cfg(target_os = "linux")]

use oauth_loopback::{Address, Host, Listener};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;
use std::{env, io};

/// In the environment of the process that has a network of its own.
const INSIDE: &str = "OAUTH_LOOPBACK_INSIDE";
const THIS: &str = "lb_08_a8_other_machines_are_refused_whatever_the_host";

/// Addresses for documentation: RFC 5737 and RFC 3849.
const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// In a network that is made for it, with addresses of both families, where the system lets anybody make one; else by the
/// machine's own address.
#[test]
fn lb_08_a8_other_machines_are_refused_whatever_the_host() {
    if env::var_os(INSIDE).is_some() {
        assert!(has(V4), "the network has the address that it was given");
        knock(V4);
        // A system without IPv6 has nobody who comes by it.
        if has(V6) {
            knock(V6);
        }
        return;
    }
    let unshare = || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--net", "--"]);
        unshare
    };
    if unshare().arg("true").status().is_ok_and(|status| status.success()) {
        let setup = format!(
            "ip link set lo up && ip address add {V4}/32 dev lo && \
             {{ ip address add {V6}/128 dev lo nodad || true; }} && exec \"$0\" --exact {THIS} --nocapture"
        );
        let mut inside = unshare();
        let status =
            inside.args(["sh", "-c", &setup]).arg(env::current_exe().unwrap()).env(INSIDE, "yes").status();
        assert!(status.unwrap().success(), "it failed in a network of its own, see above; it needs `ip`");
    } else {
        knock(
            own_address()
                .expect("this machine makes no network (`unshare`), and has no address but loopback"),
        );
    }
}

fn knock(address: IpAddr) {
    let mut hosts = vec![Host::V4, Host::Localhost];
    if has(Ipv6Addr::LOCALHOST.into()) {
        hosts.push(Host::V6);
    }
    for host in hosts {
        let listener = Listener::bind(&Address::new().host(host)).unwrap();
        let error = connect(address, listener.port()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{host:?} by {address}: {error}");
        println!("{host:?} by {address}: refused");
    }
    // Were it open, it would be seen: this one is, as it was told.
    let everywhere =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let listener = Listener::bind(&Address::new().exposed_to_the_network(everywhere)).unwrap();
    connect(address, listener.port()).unwrap();
}

fn connect(address: IpAddr, port: u16) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&SocketAddr::new(address, port), Duration::from_secs(5))
}

/// Whether this machine has the address.
fn has(address: IpAddr) -> bool {
    TcpListener::bind((address, 0)).is_ok()
}

/// The address by which this machine would go elsewhere. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((V4, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_loopback())
}
