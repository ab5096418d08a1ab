//! Proxies that die, lie or go round in circles: told as the proxy's fault where it is known to be.

use super::Engine;
use super::server::{Connection, Server};
use super::subject::{SHORT, assert_fails, get, post, promptly, send_with, transport};
use super::tls::{Authority, Valid};
use crate::session::{Redirects, Session, SessionSettings};
use crate::{EventSink, Proxies, Settings, Transport as _};
use oauth_core::{Delivered, UnreachableKind};
use std::io::{self, Write as _};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const TUNNEL: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// A proxy that hangs up on `CONNECT`, or in the middle of its answer, is at fault. Once the tunnel stands, it may be the
/// server as well.
pub fn proxy_that_dies_before_the_tunnel_is_used_is_told<E: Engine>() {
    use UnreachableKind::{Connect, Proxy, Tls};
    for (answer, kinds) in [
        (&b""[..], &[Proxy][..]),
        (b"HTTP/1.1 200 Connec", &[Proxy]),
        (b"HTTP/1.1 200 Connection established\r\nproxy-ag", &[Proxy]),
        (TUNNEL, &[Proxy, Connect, Tls]),
    ] {
        for reset in [false, true] {
            let proxy = Server::new(move |connection| {
                connection.request()?;
                connection.write_all(answer)?;
                if reset { connection.reset() } else { Ok(()) }
            });
            let result = promptly(|| send_with::<E>(through(&proxy), post("https://as.example/token")));
            assert_fails(result, kinds, Delivered::No);
            assert_eq!(proxy.connections(), 1, "it is asked once");
        }
    }
}

/// In the middle of a response, whether it was sent the request or had opened a tunnel: a part is not the whole.
pub fn proxy_that_dies_in_a_body_is_told<E: Engine>() {
    let authority = Authority::new();
    let tls = authority.server("as.example", Valid::Now);
    for tunnelled in [true, false] {
        for reset in [false, true] {
            let tls = tls.clone();
            let proxy = Server::new(move |connection| {
                if tunnelled {
                    connection.request()?;
                    connection.write_all(TUNNEL)?;
                    connection.start_tls(tls.clone())?;
                }
                connection.request()?;
                connection.write_all(&OK[..OK.len() - 1])?;
                connection.flush()?;
                if reset && !tunnelled { connection.reset() } else { Ok(()) }
            });
            let settings = through(&proxy).with_extra_root_der(authority.der());
            let url = if tunnelled { "https://as.example/token" } else { "http://127.0.0.1:9/token" };
            let result = promptly(|| send_with::<E>(settings, post(url)));
            assert_fails(result, &[UnreachableKind::Broken], Delivered::Unknown);
            let posts = proxy.received().iter().filter(|request| request.line.starts_with("POST")).count();
            assert_eq!(posts, 1, "it is sent once");
        }
    }
}

/// A page where a tunnel should be, as portals in hotels have it: with the answer, or a moment later, when it looks like a
/// server that speaks no TLS. No word of it is repeated.
pub fn page_in_place_of_a_tunnel_is_told<E: Engine>() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 28\r\n\r\n";
    const PAGE: &[u8] = b"<html>planted-welcome</html>";
    use UnreachableKind::{Proxy, Tls};
    for at_once in [true, false] {
        let proxy = Server::new(move |connection| {
            connection.request()?;
            if at_once {
                connection.write_all(&[HEAD, PAGE].concat())?;
            } else {
                connection.write_all(HEAD)?;
                connection.socket()?.peek(&mut [0])?;
                connection.write_all(PAGE)?;
            }
            connection.wait_until_closed();
            Ok(())
        });
        let result = promptly(|| send_with::<E>(through(&proxy), post("https://as.example/token")));
        let error = assert_fails(result, &[Proxy, Tls], Delivered::No);
        assert!(!format!("{error} {error:?}").contains("planted-welcome"), "{error:?}");
        assert_eq!(proxy.received().len(), 1, "it is asked once");
    }
}

/// It wants to know who we are, again and again; sends us in a circle; says that it is in one; or is about to answer for ever.
pub fn proxy_that_goes_round_in_circles_is_told<E: Engine>() {
    use UnreachableKind::{Proxy, Timeout};
    let location = "location: https://as.example/token\r\n";
    for (status, header) in [
        (407, "proxy-authenticate: Basic realm=\"x\"\r\n"),
        (407, "proxy-authenticate: Basic realm=\"x\"\r\nconnection: close\r\n"),
        (302, location),
        (307, location),
        (508, ""),
    ] {
        let proxy = Server::answering(format!("HTTP/1.1 {status} No\r\n{header}content-length: 0\r\n\r\n"));
        let mut following = SessionSettings::new();
        following.redirects = Redirects::Always;
        let session = Session::new(transport::<E>(through(&proxy)), following, EventSink::none());
        let result = promptly(|| E::block_on(session.send(post("https://as.example/token"))));
        assert_fails(result, &[Proxy], Delivered::No);
        let asked = proxy.received();
        assert!(asked.len() <= 2, "{status}: it is asked {} times", asked.len());
        assert!(asked.iter().all(|request| request.line.starts_with("CONNECT")), "{asked:?}");
    }

    let proxy = Server::new(|connection| {
        connection.request()?;
        loop {
            connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
    });
    let settings = through(&proxy).with_connect_timeout(SHORT);
    let result = promptly(|| send_with::<E>(settings, post("https://as.example/token")));
    assert_fails(result, &[Proxy, Timeout], Delivered::No);
    assert_eq!(proxy.received().len(), 1, "it is asked once");
}

/// A document that is redirected to itself, by a proxy that is sent the request: an end is made of it.
pub fn redirects_in_a_circle_end<E: Engine>() {
    let proxy = Server::answering(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/again\r\ncontent-length: 0\r\n\r\n",
    );
    let mut following = SessionSettings::new();
    following.redirects = Redirects::Always;
    let session = Session::new(transport::<E>(through(&proxy)), following, EventSink::none());
    let result = promptly(|| E::block_on(session.send(get("http://127.0.0.1:9/"))));
    let error = assert_fails(result, &[UnreachableKind::Other], Delivered::Unknown);
    assert!(error.to_string().contains("redirected more than 20 times"), "{error}");
    assert_eq!(proxy.received().len(), 21);
}

fn through(proxy: &Server) -> Settings {
    let url = format!("http://user:planted-proxy@127.0.0.1:{}", proxy.port());
    let proxies = Proxies::from_variables(|name| (name == "all_proxy").then(|| url.clone()));
    Settings::new().with_proxies(proxies.expect("the proxy makes sense"))
}

impl Connection {
    /// Has the connection reset when it is dropped.
    fn reset(&self) -> io::Result<()> {
        socket2::SockRef::from(self.socket()?).set_linger(Some(std::time::Duration::ZERO))
    }
}
