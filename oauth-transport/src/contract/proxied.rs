//! Proxies: only when asked, and what they get to see.

use super::Engine;
use super::faults::nobody;
use super::server::Server;
use super::subject::{
    SHORT, assert_fails, assert_presentable, carries, get, post, promptly, send, send_with,
};
use super::tls::{Authority, Valid};
use crate::{Proxies, Proxy, Setting, Settings};
use oauth_core::{Delivered, UnreachableKind};
use std::io::Write as _;
use std::process::Command;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const VARIABLES: [&str; 6] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const CHILD: &str = "OAUTH_TRANSPORT_CONTRACT_CHILD";

/// Proxies in the environment are left alone until the settings ask for them. Runs itself again in a process of its own.
pub fn t11_environment_is_not_asked_for_proxies<E: Engine>() {
    if let Ok(url) = std::env::var(CHILD) {
        assert!(!Proxies::from_environment().expect("the proxies can be read").is_empty());
        send::<E>(get(&url)).expect("the server answers");
        let secure = url.replace("http:", "https:");
        let settings = Settings::new().with_connect_timeout(SHORT);
        send_with::<E>(settings, get(&secure)).expect_err("that server does not speak TLS");
        return;
    }
    let server = Server::answering(OK);
    let proxy = Server::answering(OK);
    let mut child = Command::new(std::env::current_exe().expect("a test knows its program"));
    for variable in VARIABLES {
        child.env(variable, proxy.http(""));
    }
    for variable in ["no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
        child.env_remove(variable);
    }
    let output = child
        .env(CHILD, server.http("/"))
        .arg("t11_environment_is_not_asked_for_proxies")
        .output()
        .expect("a test can run its program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!server.received().is_empty(), "the process did not get here");
    assert_eq!(proxy.connections(), 0, "the environment's proxy was used");
}

/// `CONNECT`, then TLS from end to end: the proxy sees the server's name and its own credentials, nothing else.
pub fn https_goes_through_a_tunnel<E: Engine>() {
    let authority = Authority::new();
    let tls = authority.server("as.example", Valid::Now);
    let proxy = Server::new(move |connection| {
        connection.request()?;
        connection.write_all(b"HTTP/1.1 200 Connection established\r\nproxy-agent: test\r\n\r\n")?;
        connection.start_tls(tls.clone())?;
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    });
    let settings =
        Settings::new().with_extra_root_der(authority.der()).with_proxies(through(proxy.port(), ""));
    let response = send_with::<E>(settings, post("https://as.example/token")).expect("the server answers");
    assert_eq!(response.body(), b"{}");
    let received = proxy.received();
    assert_eq!((received.len(), proxy.connections()), (2, 1));
    let [connect, request] = &received[..] else { unreachable!("there are two") };
    assert_eq!(connect.line, "CONNECT as.example:443 HTTP/1.1");
    assert_eq!(connect.all("host"), ["as.example:443"]);
    assert_eq!(connect.all("proxy-authorization"), ["Basic dXNlcjpwbGFudGVkLXByb3h5"]);
    assert!(connect.all("authorization").is_empty() && connect.all("dpop").is_empty(), "{connect:?}");
    assert_eq!(request.line, "POST /token?hint=planted-query HTTP/1.1");
    assert_eq!(request.all("host"), ["as.example"]);
    assert_eq!(request.all("authorization"), ["Basic planted-basic"]);
    assert!(request.all("proxy-authorization").is_empty(), "{request:?}");
}

/// The absolute form of RFC 9112 section 3.2.2.
pub fn http_goes_to_a_proxy_on_this_machine_in_absolute_form<E: Engine>() {
    let proxy = Server::answering(OK);
    let target = format!("127.0.0.1:{}", nobody());
    let settings = Settings::new().with_proxies(through(proxy.port(), ""));
    send_with::<E>(settings, post(&format!("http://{target}/token"))).expect("the proxy answers");
    let received = proxy.only();
    assert_eq!(received.line, format!("POST http://{target}/token?hint=planted-query HTTP/1.1"));
    assert_eq!(received.all("host"), [target]);
    assert_eq!(received.all("proxy-authorization"), ["Basic dXNlcjpwbGFudGVkLXByb3h5"]);
}

/// A proxy that is spoken to over TLS is checked as a server is; the tunnel's own TLS goes through its.
pub fn proxy_is_spoken_to_over_tls<E: Engine>() {
    let authority = Authority::new();
    let inner = authority.server("as.example", Valid::Now);
    let proxy = || {
        let inner = inner.clone();
        Server::tls(authority.server("127.0.0.1", Valid::Now), move |connection| {
            while let Some(request) = connection.request()? {
                if request.line.starts_with("CONNECT") {
                    connection.write_all(b"HTTP/1.1 201 Connected\r\n\r\n")?;
                    connection.flush()?;
                    connection.start_tls(inner.clone())?;
                } else {
                    connection.write_all(OK)?;
                }
            }
            Ok(())
        })
    };
    let through = |proxy: &Server| {
        let url = format!("https://user:planted-proxy@127.0.0.1:{}", proxy.port());
        Settings::new().with_proxies(Proxies::through(Proxy::new(&url).expect("it is a proxy")))
    };
    let trusted = proxy();
    let settings = through(&trusted).with_extra_root_der(authority.der());
    if !carries::<E>(Setting::ProxyOverTls, &settings) {
        return;
    }
    send_with::<E>(settings.clone(), post("https://as.example:8443/token")).expect("the server answers");
    let target = format!("http://127.0.0.1:{}/token", nobody());
    send_with::<E>(settings, post(&target)).expect("the proxy answers");
    let lines: Vec<_> = trusted.received().into_iter().map(|request| request.line).collect();
    assert_eq!(
        lines,
        [
            "CONNECT as.example:8443 HTTP/1.1".to_owned(),
            "POST /token?hint=planted-query HTTP/1.1".to_owned(),
            format!("POST {target}?hint=planted-query HTTP/1.1"),
        ]
    );

    let stranger = proxy();
    let result = send_with::<E>(through(&stranger), post("https://as.example/token"));
    assert_fails(result, &[UnreachableKind::Proxy, UnreachableKind::Tls], Delivered::No);
    assert!(stranger.received().is_empty());
}

/// `no_proxy` is honoured.
pub fn exceptions_go_straight_to_the_server<E: Engine>() {
    let server = Server::answering(OK);
    let proxy = Server::answering(OK);
    let settings = Settings::new().with_proxies(through(proxy.port(), "as.example, 127.0.0.0/8"));
    send_with::<E>(settings, get(&server.http("/"))).expect("the server answers");
    assert_eq!(server.only().line, "GET / HTTP/1.1");
    assert_eq!(proxy.connections(), 0);
}

/// Whatever it says instead of 2xx; its challenge is not answered with anything of the server's.
pub fn refusal_by_the_proxy_is_told<E: Engine>() {
    for status in [301, 400, 403, 407, 502] {
        let proxy = Server::answering(format!(
            "HTTP/1.1 {status} No\r\nproxy-authenticate: Basic realm=\"x\"\r\nlocation: https://as.example/\r\n\
             content-length: 5\r\nconnection: close\r\n\r\nSorry"
        ));
        let settings = Settings::new().with_proxies(through(proxy.port(), ""));
        let result = promptly(|| send_with::<E>(settings, post("https://as.example/token")));
        let error = assert_fails(result, &[UnreachableKind::Proxy], Delivered::No);
        assert!(error.to_string().contains(&status.to_string()), "the status is told: {error}");
        proxy.only();
    }
}

/// Not there, or silent.
pub fn unreachable_proxy_is_told<E: Engine>() {
    let settings = Settings::new().with_proxies(through(nobody(), ""));
    let result = send_with::<E>(settings, post("https://as.example/token"));
    assert_fails(result, &[UnreachableKind::Proxy, UnreachableKind::Connect], Delivered::No);

    let silent = Server::new(|connection| {
        connection.wait_until_closed();
        Ok(())
    });
    let settings = Settings::new().with_connect_timeout(SHORT).with_proxies(through(silent.port(), ""));
    let result = promptly(|| send_with::<E>(settings, post("https://as.example/token")));
    let error = result.expect_err("the tunnel never stands");
    assert!(matches!(error.kind, UnreachableKind::Timeout | UnreachableKind::Proxy), "{error:?}");
    assert_presentable(&error);
}

/// It closes, or answers with something else.
pub fn proxy_that_does_not_speak_http_is_told<E: Engine>() {
    for answer in ["", "SSH-2.0-OpenSSH_9.9\r\n"] {
        let proxy = Server::new(move |connection| {
            connection.request()?;
            connection.write_all(answer.as_bytes())
        });
        let settings = Settings::new().with_proxies(through(proxy.port(), ""));
        let result = promptly(|| send_with::<E>(settings, post("https://as.example/token")));
        let kinds = [UnreachableKind::Proxy, UnreachableKind::NotHttp, UnreachableKind::Broken];
        assert_fails(result, &kinds, Delivered::No);
    }
}

fn through(port: u16, exceptions: &str) -> Proxies {
    Proxies::from_variables(|name| match name {
        "all_proxy" => Some(format!("http://user:planted-proxy@127.0.0.1:{port}")),
        "no_proxy" => Some(exceptions.to_owned()),
        _ => None,
    })
    .expect("the proxy makes sense")
}
