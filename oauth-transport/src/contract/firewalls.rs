//! Firewalls and SOCKS proxies: what they get to hear, and what goes through them.

use super::Engine;
use super::faults::nobody;
use super::server::{Connection, Server};
use super::subject::{assert_fails, carries, get, post, promptly, send_with};
use super::tls::{Authority, Valid};
use crate::{Firewall, FirewallKind, Proxies, Proxy, Setting, Settings};
use http::{HeaderName, HeaderValue};
use oauth_core::{Delivered, UnreachableKind};
use std::io::{self, Read as _, Write as _};
use std::num::NonZeroU16;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const PASSWORD: &str = "planted-proxy";
/// The discard port as the target: nobody listens there, and nobody has to.
const TARGET: &str = "http://localhost:9/";

/// The address that the name resolves to, or the literal one, and the user name as its user id.
pub fn socks4_firewall_is_told_an_address<E: Engine>() {
    let settings = |server: &Server| {
        Settings::new()
            .with_firewall(firewall(FirewallKind::Socks4, server).with_credentials("user", PASSWORD))
    };
    for target in [TARGET, "http://127.0.0.1:9/"] {
        let server = socks4(90);
        if !carries::<E>(Setting::FirewallSocks4, &settings(&server)) {
            return;
        }
        send_with::<E>(settings(&server), get(target)).expect("the firewall answers as the server");
        assert_eq!(server.notes(), [b"\x04\x01\x00\x09\x7f\x00\x00\x01user\x00"]);
        assert_eq!(server.only().line, "GET / HTTP/1.1");
    }
}

/// The name itself, unless names are to be resolved here.
pub fn socks4a_firewall_is_told_a_name<E: Engine>() {
    let server = socks4(90);
    let settings = Settings::new().with_firewall(firewall(FirewallKind::Socks4a, &server));
    if !carries::<E>(Setting::FirewallSocks4a, &settings) {
        return;
    }
    send_with::<E>(settings, get(TARGET)).expect("the firewall answers as the server");
    assert_eq!(server.notes(), [b"\x04\x01\x00\x09\x00\x00\x00\x01\x00localhost\x00"]);

    let server = socks4(90);
    let here = firewall(FirewallKind::Socks4a, &server).resolving_names_here();
    send_with::<E>(Settings::new().with_firewall(here), get(TARGET)).expect("the firewall answers");
    assert_eq!(server.notes(), [b"\x04\x01\x00\x09\x7f\x00\x00\x01\x00"]);
}

/// The name, or the address where names are to be resolved here; the password where it asks for one (RFC 1929).
pub fn socks5_firewall_is_told_who_and_where<E: Engine>() {
    let plain = Settings::new().with_firewall(firewall(FirewallKind::Socks5, &socks5(0)));
    if !carries::<E>(Setting::FirewallSocks5, &plain) {
        return;
    }
    let by_name = b"\x05\x01\x00\x03\x09localhost\x00\x09".to_vec();
    let by_address = b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x09".to_vec();
    let password = [b"\x01\x04user\x0d", PASSWORD.as_bytes()].concat();
    for (method, here, credentials, told) in [
        (0, false, false, vec![by_name.clone()]),
        (0, true, false, vec![by_address.clone()]),
        (2, false, true, vec![password.clone(), by_name]),
        (2, true, true, vec![password, by_address]),
    ] {
        let server = socks5(method);
        let mut firewall = firewall(FirewallKind::Socks5, &server);
        if here {
            firewall = firewall.resolving_names_here();
        }
        if credentials {
            firewall = firewall.with_credentials("user", PASSWORD);
        }
        send_with::<E>(Settings::new().with_firewall(firewall), get(TARGET)).expect("the firewall answers");
        let notes = server.notes();
        let (methods, rest) = notes.split_first().expect("it was spoken to");
        assert_eq!(
            methods.contains(&2),
            credentials,
            "a password is offered where there is one: {methods:?}"
        );
        assert_eq!(rest.iter().map(|note| of_ipv4(note)).collect::<Vec<_>>(), told);
        assert_eq!(server.only().all("host"), ["localhost:9"]);
    }
}

/// TLS goes from end to end through each kind: the firewall sees no byte of the request.
pub fn https_goes_through_a_firewall<E: Engine>() {
    let authority = Authority::new();
    for (kind, setting) in [
        (FirewallKind::Tunnel, Setting::FirewallTunnel),
        (FirewallKind::Socks4a, Setting::FirewallSocks4a),
        (FirewallKind::Socks5, Setting::FirewallSocks5),
    ] {
        let tls = authority.server("as.example", Valid::Now);
        let server = Server::new(move |connection| {
            match kind {
                FirewallKind::Tunnel => connect(connection)?,
                FirewallKind::Socks4a => socks4_handshake(connection, 90)?,
                _ => socks5_handshake(connection, 0, 0)?,
            }
            connection.start_tls(tls.clone())?;
            answer(connection)
        });
        let settings = Settings::new()
            .with_extra_root_der(authority.der())
            .with_firewall(firewall(kind, &server).with_credentials("user", PASSWORD));
        if !carries::<E>(setting, &settings) {
            continue;
        }
        send_with::<E>(settings, post("https://as.example/token")).expect("the server answers");
        let request = server.received().pop().expect("the request came");
        assert_eq!(request.line, "POST /token?hint=planted-query HTTP/1.1");
        assert!(request.all("proxy-authorization").is_empty(), "{request:?}");
    }
}

/// `CONNECT` even for plain `http`; the headers and the password are for the firewall alone.
pub fn tunnelling_firewall_is_told_who_and_where<E: Engine>() {
    let server = tunnelling();
    let bare = Settings::new().with_firewall(firewall(FirewallKind::Tunnel, &server));
    if carries::<E>(Setting::FirewallTunnel, &bare) {
        send_with::<E>(bare, get(TARGET)).expect("the firewall answers as the server");
        let received = server.received();
        assert_eq!(received[0].line, "CONNECT localhost:9 HTTP/1.1");
        assert!(
            received[0].all("proxy-authorization").is_empty() && received[0].all("x-firewall").is_empty()
        );
        assert_eq!(received[1].line, "GET / HTTP/1.1");
    }

    let server = tunnelling();
    let mut value = HeaderValue::from_static("planted-basic");
    value.set_sensitive(true);
    let dressed = firewall(FirewallKind::Tunnel, &server)
        .resolving_names_here()
        .with_credentials("user", PASSWORD)
        .with_header(HeaderName::from_static("x-firewall"), value)
        .expect("it takes headers");
    let settings = Settings::new().with_firewall(dressed);
    if !carries::<E>(Setting::FirewallHeaders, &settings) {
        return;
    }
    send_with::<E>(settings, get(TARGET)).expect("the firewall answers as the server");
    let received = server.received();
    assert_eq!(received[0].line, "CONNECT 127.0.0.1:9 HTTP/1.1");
    assert_eq!(received[0].all("x-firewall"), ["planted-basic"]);
    assert_eq!(received[0].all("proxy-authorization"), ["Basic dXNlcjpwbGFudGVkLXByb3h5"]);
    assert!(received[1].all("x-firewall").is_empty() && received[1].all("proxy-authorization").is_empty());
}

/// Whatever it says instead of yes; nothing of the request was sent, and nothing secret is told.
pub fn refusal_by_a_firewall_is_told<E: Engine>() {
    let credentials = |kind, server: &Server| firewall(kind, server).with_credentials("user", PASSWORD);
    for (kind, setting, server) in [
        (FirewallKind::Socks4, Setting::FirewallSocks4, socks4(91)),
        (FirewallKind::Socks4a, Setting::FirewallSocks4a, socks4(93)),
        (FirewallKind::Socks5, Setting::FirewallSocks5, socks5(0xFF)),
        (FirewallKind::Socks5, Setting::FirewallSocks5, refusing(2, 1, 0)),
        (FirewallKind::Socks5, Setting::FirewallSocks5, refusing(2, 0, 5)),
        (FirewallKind::Socks5, Setting::FirewallSocks5, babbling()),
        (FirewallKind::Tunnel, Setting::FirewallTunnel, Server::answering("HTTP/1.1 407 No\r\n\r\n")),
        (FirewallKind::Tunnel, Setting::FirewallTunnel, Server::answering("HTTP/1.1 502 No\r\n\r\n")),
    ] {
        let settings = Settings::new().with_firewall(credentials(kind, &server));
        if !carries::<E>(setting, &settings) {
            continue;
        }
        let result = promptly(|| send_with::<E>(settings, post("http://localhost:9/token")));
        assert_fails(result, &[UnreachableKind::Proxy], Delivered::No);
        assert!(server.received().iter().all(|request| request.line.starts_with("CONNECT")));
    }
    let settings = Settings::new().with_firewall(
        Firewall::new(FirewallKind::Socks5, "127.0.0.1", NonZeroU16::new(nobody())).expect("it is a host"),
    );
    if carries::<E>(Setting::FirewallSocks5, &settings) {
        let result = promptly(|| send_with::<E>(settings, post("http://localhost:9/token")));
        assert_fails(result, &[UnreachableKind::Proxy, UnreachableKind::Connect], Delivered::No);
    }
}

/// The firewall connects us to the proxy, and the proxy to the server.
pub fn firewall_lies_under_the_proxy<E: Engine>() {
    let authority = Authority::new();
    for kind in [FirewallKind::Socks5, FirewallKind::Tunnel] {
        let tls = authority.server("as.example", Valid::Now);
        let server = Server::new(move |connection| {
            match kind {
                FirewallKind::Tunnel => connect(connection)?,
                _ => socks5_handshake(connection, 0, 0)?,
            }
            let Some(request) = connection.request()? else { return Ok(()) };
            if request.line.starts_with("CONNECT") {
                connection.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
                connection.start_tls(tls.clone())?;
                return answer(connection);
            }
            connection.write_all(OK)
        });
        let settings = Settings::new()
            .with_extra_root_der(authority.der())
            .with_firewall(firewall(kind, &server))
            .with_proxies(proxy("http://localhost:9"));
        if !carries::<E>(Setting::FirewallUnderProxy, &settings) {
            continue;
        }
        send_with::<E>(settings.clone(), post("https://as.example/token")).expect("the server answers");
        send_with::<E>(settings, get("http://localhost:10/")).expect("the proxy answers");
        let mut lines: Vec<_> = server.received().into_iter().map(|request| request.line).collect();
        if kind == FirewallKind::Tunnel {
            let to_the_proxy = "CONNECT localhost:9 HTTP/1.1";
            assert_eq!(
                (lines.remove(0), lines.remove(2)),
                (to_the_proxy.to_owned(), to_the_proxy.to_owned())
            );
        } else {
            assert_eq!(server.notes()[1], b"\x05\x01\x00\x03\x09localhost\x00\x09");
        }
        assert_eq!(
            lines,
            [
                "CONNECT as.example:443 HTTP/1.1",
                "POST /token?hint=planted-query HTTP/1.1",
                "GET http://localhost:10/ HTTP/1.1",
            ]
        );
    }
}

/// `socks4` and `socks5` resolve names here, `socks4a` and `socks5h` at the proxy; an exception goes without.
pub fn socks_proxy_is_told_what_its_scheme_says<E: Engine>() {
    for (scheme, version, told) in [
        ("socks4", 4, &b"\x04\x01\x00\x09\x7f\x00\x00\x01user\x00"[..]),
        ("socks4a", 4, b"\x04\x01\x00\x09\x00\x00\x00\x01user\x00localhost\x00"),
        ("socks5", 5, b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x09"),
        ("socks5h", 5, b"\x05\x01\x00\x03\x09localhost\x00\x09"),
    ] {
        let server = if version == 4 { socks4(90) } else { socks5(2) };
        let url = format!("{scheme}://user:{PASSWORD}@127.0.0.1:{}", server.port());
        let settings = Settings::new().with_proxies(proxy(&url));
        if !carries::<E>(Setting::SocksProxy, &settings) {
            return;
        }
        send_with::<E>(settings, get(TARGET)).expect("the proxy answers as the server");
        assert_eq!(of_ipv4(server.notes().last().expect("it was told")), told, "{scheme}");
        // The request is the server's own: no absolute form.
        assert_eq!(server.only().line, "GET / HTTP/1.1");

        let straight = Server::answering(OK);
        let settings = Settings::new().with_proxies(proxy(&url).except("127.0.0.1"));
        send_with::<E>(settings, get(&straight.http("/"))).expect("the server answers");
        assert_eq!((straight.connections(), server.connections()), (1, 1));
    }
}

/// Plain `http` carries its credentials in the clear: it does not go to a firewall on another machine.
pub fn plain_http_does_not_leave_this_machine_for_a_firewall<E: Engine>() {
    let firewall = Firewall::new(FirewallKind::Socks5, "192.0.2.1", None).expect("it is a host");
    let settings = Settings::new().with_firewall(firewall);
    if !carries::<E>(Setting::FirewallSocks5, &settings) {
        return;
    }
    let server = Server::answering(OK);
    let result = promptly(|| send_with::<E>(settings, post(&server.http("/token"))));
    assert_fails(result, &[UnreachableKind::Unsupported], Delivered::No);
    assert_eq!(server.connections(), 0);
}

/// A tunnel for plain `http`, too.
pub fn plain_http_goes_through_a_tunnel_where_it_is_set<E: Engine>() {
    let server = tunnelling();
    let url = format!("http://user:{PASSWORD}@127.0.0.1:{}", server.port());
    let settings = Settings::new().with_proxies(proxy(&url).tunnelling_http());
    if !carries::<E>(Setting::ProxyTunnel, &settings) {
        return;
    }
    send_with::<E>(settings, get(TARGET)).expect("the proxy answers as the server");
    let received = server.received();
    assert_eq!(received[0].line, "CONNECT localhost:9 HTTP/1.1");
    assert_eq!(received[0].all("proxy-authorization"), ["Basic dXNlcjpwbGFudGVkLXByb3h5"]);
    assert_eq!(received[1].line, "GET / HTTP/1.1");
    assert!(received[1].all("proxy-authorization").is_empty());
}

/// What a SOCKS5 server was told, with the address of IPv4 where it is the one of IPv6: `localhost` has both, and an engine may
/// take either.
fn of_ipv4(told: &[u8]) -> Vec<u8> {
    match told.strip_prefix(b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01") {
        Some(port) => [b"\x05\x01\x00\x01\x7f\x00\x00\x01", port].concat(),
        None => told.to_vec(),
    }
}

pub(super) fn firewall(kind: FirewallKind, server: &Server) -> Firewall {
    Firewall::new(kind, "127.0.0.1", NonZeroU16::new(server.port())).expect("it is a host")
}

fn proxy(url: &str) -> Proxies {
    Proxies::through(Proxy::new(url).expect("it is a proxy"))
}

fn answer(connection: &mut Connection) -> io::Result<()> {
    while connection.request()?.is_some() {
        connection.write_all(OK)?;
    }
    Ok(())
}

/// Opens a tunnel to itself.
fn connect(connection: &mut Connection) -> io::Result<()> {
    connection.request()?;
    connection.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
}

fn tunnelling() -> Server {
    Server::new(|connection| {
        connect(connection)?;
        answer(connection)
    })
}

/// A SOCKS4 server that gives this reply, and is the server that it should connect to.
fn socks4(code: u8) -> Server {
    Server::new(move |connection| {
        socks4_handshake(connection, code)?;
        answer(connection)
    })
}

/// Reads the request, with the name that follows an impossible address, and replies.
fn socks4_handshake(connection: &mut Connection, code: u8) -> io::Result<()> {
    let mut request = vec![0; 8];
    connection.read_exact(&mut request)?;
    let strings = if request[4..7] == [0, 0, 0] { 2 } else { 1 };
    for _ in 0..strings {
        let mut byte = [1];
        while byte[0] != 0 {
            connection.read_exact(&mut byte)?;
            request.push(byte[0]);
        }
    }
    connection.note(&request);
    connection.write_all(&[0, code, 0, 0, 0, 0, 0, 0])
}

/// A SOCKS5 server that chooses this method, and is the server that it should connect to.
fn socks5(method: u8) -> Server {
    Server::new(move |connection| {
        socks5_handshake(connection, method, 0)?;
        answer(connection)
    })
}

/// One that says no to the password, or to the request.
fn refusing(method: u8, status: u8, code: u8) -> Server {
    Server::new(move |connection| {
        if status == 0 {
            socks5_handshake(connection, method, code)?;
        } else {
            socks5_method(connection, method)?;
            let head = connection.noted(2)?;
            connection.noted(usize::from(head[1]))?;
            let length = connection.noted(1)?;
            connection.noted(usize::from(length[0]))?;
            connection.write_all(&[1, status])?;
        }
        connection.wait_until_closed();
        Ok(())
    })
}

/// One that speaks HTTP.
fn babbling() -> Server {
    Server::new(|connection| {
        connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
        connection.wait_until_closed();
        Ok(())
    })
}

fn socks5_method(connection: &mut Connection, method: u8) -> io::Result<()> {
    let mut head = [0; 2];
    connection.read_exact(&mut head)?;
    connection.noted(usize::from(head[1]))?;
    connection.write_all(&[5, method])
}

fn socks5_handshake(connection: &mut Connection, method: u8, code: u8) -> io::Result<()> {
    socks5_method(connection, method)?;
    if method == 2 {
        let mut password = vec![0; 2];
        connection.read_exact(&mut password)?;
        for _ in 0..2 {
            let length = usize::from(*password.last().expect("it has a length"));
            let more = if password.len() == 2 { length + 1 } else { length };
            let start = password.len();
            password.resize(start + more, 0);
            connection.read_exact(&mut password[start..])?;
        }
        connection.note(&password);
        connection.write_all(&[1, 0])?;
    }
    let mut request = vec![0; 4];
    connection.read_exact(&mut request)?;
    let rest = match request[3] {
        1 => 4 + 2,
        4 => 16 + 2,
        _ => {
            let mut length = [0];
            connection.read_exact(&mut length)?;
            request.push(length[0]);
            usize::from(length[0]) + 2
        }
    };
    let start = request.len();
    request.resize(start + rest, 0);
    connection.read_exact(&mut request[start..])?;
    connection.note(&request);
    connection.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0])
}
