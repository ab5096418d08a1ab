use super::{BindError, Listener};
use crate::address::{Address, Host};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

fn anywhere() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
}

/// Binds some free IPv4 port for every IPv4 address, and asks about IPv6.
fn bind(
    address: &Address,
    mut v6: impl FnMut(u16) -> io::Result<TcpListener>,
) -> Result<Listener, BindError> {
    let mut bind = |address| match address {
        SocketAddr::V4(_) => anywhere(),
        SocketAddr::V6(address) => v6(address.port()),
    };
    Listener::bind_with(address, &mut bind, false)
}

#[test]
fn lb_07_a_machine_without_ipv6_listens_on_ipv4() {
    let address = Address::new().host(Host::Localhost);
    for kind in [io::ErrorKind::AddrNotAvailable, io::ErrorKind::Unsupported] {
        let listener = bind(&address, |_| Err(kind.into())).unwrap();
        assert_eq!(listener.sockets.len(), 1, "{kind}");
    }
    if cfg!(target_os = "linux") {
        let listener = bind(&address, |_| Err(io::Error::from_raw_os_error(97))).unwrap();
        assert_eq!(listener.sockets.len(), 1);
    }
}

#[test]
fn lb_07_a_port_that_is_taken_on_ipv6_is_given_up() {
    let address = Address::new().host(Host::Localhost);
    let mut asked = Vec::new();
    let listener = bind(&address, |port| {
        asked.push(port);
        if asked.len() < 3 { Err(io::ErrorKind::AddrInUse.into()) } else { anywhere() }
    });
    let listener = listener.unwrap();
    assert_eq!(listener.sockets.len(), 2);
    assert_eq!((asked.len(), asked.last()), (3, Some(&listener.port())), "the same port on both");

    let always = bind(&address, |_| Err(io::ErrorKind::AddrInUse.into()));
    assert!(matches!(always, Err(BindError::Busy { .. })));
    let fixed = bind(&address.ports([8001, 8002]), |_| Err(io::ErrorKind::AddrInUse.into())).unwrap_err();
    assert!(fixed.to_string().contains("ports 8001, 8002 in use"), "{fixed}");
}

#[test]
fn lb_07_any_other_trouble_with_ipv6_is_told() {
    let address = Address::new().host(Host::Localhost);
    let error = bind(&address, |_| Err(io::ErrorKind::PermissionDenied.into())).unwrap_err();
    assert!(matches!(error, BindError::Refused { .. }), "{error}");
    assert!(std::error::Error::source(&error).is_some() && error.to_string().contains("[::1]"), "{error}");
}

#[test]
fn lb_07_no_other_program_can_take_the_other_localhost() {
    let wide = Address::new().host(Host::Localhost).exposed_to_the_network(Ipv4Addr::UNSPECIFIED.into());
    let advertised = Address::new().advertised_as("http://localhost:8466/cb").unwrap();
    for address in [wide, advertised] {
        let listener = Listener::bind(&address).unwrap();
        for ip in ["127.0.0.1", "::1"] {
            let other = TcpListener::bind((ip.parse::<std::net::IpAddr>().unwrap(), listener.port()));
            let error = other.expect_err("it would be handed the code");
            assert!(
                ip == "::1" && super::no_ipv6(&error) || error.kind() == io::ErrorKind::AddrInUse,
                "{ip}: {error}"
            );
        }
    }
}

#[test]
fn the_first_free_port_of_a_list_is_taken() {
    let busy = anywhere().unwrap();
    let port = busy.local_addr().unwrap().port();
    let listener = Listener::bind(&Address::new().ports([port, 0])).unwrap();
    assert_ne!(listener.port(), port);
    assert_eq!(listener.redirect_uri().port(), Some(listener.port()));
    assert_eq!(Address::new().ports([]).ports, [0]);
}

#[test]
fn lb_08_exposure_is_asked_for_by_name() {
    let mut bound = Vec::new();
    for address in [
        Address::new(),
        Address::new().host(Host::V6),
        Address::new().host(Host::Localhost),
        Address::new().exposed_to_the_network(Ipv4Addr::UNSPECIFIED.into()),
        Address::new().host(Host::Localhost).exposed_to_the_network(Ipv4Addr::UNSPECIFIED.into()),
        Address::new().host(Host::Localhost).exposed_to_the_network([192, 0, 2, 1].into()),
    ] {
        let mut bind = |address: SocketAddr| {
            bound.push(address.ip().to_string());
            anywhere()
        };
        Listener::bind_with(&address, &mut bind, false).unwrap();
    }
    assert_eq!(bound, ["127.0.0.1", "::1", "127.0.0.1", "::1", "0.0.0.0", "0.0.0.0", "::1", "192.0.2.1"]);
}

#[test]
fn lb_09_ports_are_tried_in_order() {
    let mut tried = Vec::new();
    let mut bind = |address: SocketAddr| {
        tried.push(address.port());
        if tried.len() < 3 { Err(io::ErrorKind::AddrInUse.into()) } else { anywhere() }
    };
    Listener::bind_with(&Address::new().ports([8003, 8001, 8002]), &mut bind, false).unwrap();
    assert_eq!(tried, [8003, 8001, 8002]);
}

#[test]
fn lb_09_a_range_that_windows_reserves_counts_as_busy() {
    let address = Address::new().ports([50_000, 50_001]);
    let denied = |_| Err(io::ErrorKind::PermissionDenied.into());
    let error = Listener::bind_with(&address, &mut { denied }, true).unwrap_err();
    assert!(matches!(&error, BindError::Reserved { ports } if *ports == [50_000, 50_001]), "{error}");
    let shown = error.to_string();
    assert!(
        shown.contains("50000, 50001") && shown.contains("netsh int ipv4 show excludedportrange"),
        "{shown}"
    );
    // The next of the list is tried.
    let mut bind = |address: SocketAddr| if address.port() == 50_000 { denied(address) } else { anywhere() };
    assert!(Listener::bind_with(&address, &mut bind, true).is_ok());
    // Elsewhere it is what it says: a right that is missing.
    let error = Listener::bind_with(&address, &mut { denied }, false).unwrap_err();
    assert!(matches!(error, BindError::Refused { .. }), "{error}");
}

#[test]
fn sockets_that_are_handed_in_have_to_be_on_this_machine_and_on_one_port() {
    let [one, other] = [anywhere().unwrap(), anywhere().unwrap()];
    let port = one.local_addr().unwrap().port();
    let listener = Listener::from_sockets(vec![one.try_clone().unwrap()], &Address::new().port(1)).unwrap();
    assert_eq!((listener.port(), listener.redirect_uri().port()), (port, Some(port)));
    for sockets in [vec![], vec![one, other]] {
        let count = sockets.len();
        let error = Listener::from_sockets(sockets, &Address::new()).unwrap_err();
        assert!(matches!(&error, BindError::NotOnePort { ports } if ports.len() == count), "{error}");
    }
    let wide = || vec![TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap()];
    let error = Listener::from_sockets(wide(), &Address::new()).unwrap_err();
    assert!(matches!(error, BindError::NotLoopback { address } if address.ip().is_unspecified()), "{error}");
    let exposed = Address::new().exposed_to_the_network(Ipv4Addr::UNSPECIFIED.into());
    assert!(Listener::from_sockets(wide(), &exposed).is_ok());
}

/// Nobody would ever come out of it.
#[cfg(target_os = "linux")]
#[test]
fn a_socket_that_is_handed_in_has_to_listen() {
    use socket2::{Domain, Socket, Type};
    use std::os::fd::OwnedFd;
    let listens = anywhere().unwrap();
    let connected = std::net::TcpStream::connect(listens.local_addr().unwrap()).unwrap();
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    bound.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    for socket in [OwnedFd::from(connected), OwnedFd::from(bound)] {
        let error = Listener::from_sockets(vec![socket.into()], &Address::new()).unwrap_err();
        assert!(matches!(error, BindError::NotListening { .. }), "{error}");
    }
}

#[test]
fn lb_07_a_socket_that_is_handed_in_gets_the_other_localhost_beside_it() {
    let localhost = Address::new().host(Host::Localhost);
    for (ip, other) in [("127.0.0.1", "::1"), ("::1", "127.0.0.1")] {
        let Ok(socket) = TcpListener::bind((ip, 0)) else {
            assert!(TcpListener::bind("[::1]:0").is_err(), "no IPv6 on this machine");
            continue;
        };
        let port = socket.local_addr().unwrap().port();
        let one = Listener::from_sockets(vec![socket.try_clone().unwrap()], &Address::new()).unwrap();
        let thief = match TcpListener::bind((other, port)) {
            Err(error) if super::no_ipv6(&error) => continue,
            thief => thief.expect("a literal is one address"),
        };
        let refused = Listener::from_sockets(vec![socket.try_clone().unwrap()], &localhost).unwrap_err();
        assert!(matches!(&refused, BindError::Busy { ports } if *ports == [port]), "{refused}");
        drop((thief, one));
        let both = Listener::from_sockets(vec![socket], &localhost).unwrap();
        assert_eq!(both.sockets.len(), 2);
        assert!(TcpListener::bind((other, port)).is_err(), "{other}");
    }
    let all = TcpListener::bind("[::]:0").or_else(|_| TcpListener::bind("127.0.0.1:0")).unwrap();
    let exposed = localhost.exposed_to_the_network(Ipv4Addr::UNSPECIFIED.into());
    assert_eq!(Listener::from_sockets(vec![all], &exposed).unwrap().sockets.len(), 1);
}

#[cfg(feature = "tls")]
#[test]
fn https_wants_a_certificate_before_anything_is_bound() {
    let address = Address::from_redirect_uri("https://localhost/cb").unwrap();
    let error = Listener::bind_with(&address, &mut |_| panic!("bound"), false).unwrap_err();
    assert!(matches!(error, BindError::NoCertificate), "{error}");
}
