//! Proxies and firewalls, as they see a request, or as its server does not.

use crate::wire::*;
use oauth::OAuth;
use oauth::component::{ProxyScheme, ProxySsl};
use oauth::core::UnreachableKind;
use oauth::transport::FirewallKind;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};

/// Has what follows on a connection go to a server and back.
fn pass_on(connection: &mut Connection, to: &str) -> io::Result<()> {
    let mut server = TcpStream::connect(to)?;
    if let Some(seen) = connection.request()? {
        let head = seen.head.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
        server.write_all(head.as_bytes())?;
        server.write_all(&seen.body)?;
        io::copy(&mut server, &mut connection.stream)?;
    }
    Ok(())
}

/// A proxy that answers itself, or opens tunnels.
fn proxy() -> Server {
    Server::new(|connection| {
        while let Some(seen) = connection.request()? {
            if let Some(to) = seen.line().strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) {
                connection.stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                return pass_on(connection, to);
            }
            connection.stream.write_all(&token())?;
        }
        Ok(())
    })
}

/// A component behind this proxy, and settings beside.
pub fn behind(proxy: &Server, engine: &str, lines: &[&str]) -> OAuth {
    let oauth = client_with("http://127.0.0.1:9/token", engine, &[]);
    oauth.set_proxy_server("127.0.0.1");
    oauth.set_proxy_port(proxy.address.port()).unwrap();
    set(&oauth, lines);
    oauth
}

#[test]
fn row_proxy_server() {
    for engine in ENGINES {
        let proxy = proxy();
        let oauth = behind(&proxy, engine, &[]);
        oauth.get_authorization().unwrap();
        assert_eq!(proxy.last().line(), "POST http://127.0.0.1:9/token HTTP/1.1");
        assert_eq!(
            (read(&oauth, "ProxyServer").as_str(), oauth.proxy_server().as_str()),
            ("127.0.0.1", "127.0.0.1")
        );
        assert_eq!(read(&oauth, "ProxyPort"), oauth.proxy_port().to_string());
        set(&oauth, &[&format!("ProxyServer=http://{}", proxy.address)]);
        oauth.get_authorization().unwrap();
        assert_eq!(proxy.seen().len(), 2);
        oauth.set_proxy_server("");
        oauth.get_authorization().expect_err("nobody listens there");
        assert_eq!(proxy.seen().len(), 2);
        oauth.set_proxy_server("http://127.0.0.1/wpad.dat");
        refused(&oauth, "ProxyServer", "PAC");
    }
}

#[test]
fn row_proxy_port_on_the_wire() {
    for engine in ENGINES {
        let (one, two) = (proxy(), proxy());
        let oauth = client_with("http://127.0.0.1:9/token", engine, &["ProxyServer=127.0.0.1"]);
        assert_eq!(read(&oauth, "ProxyPort"), "80");
        let error = oauth.set_proxy_port(0).unwrap_err().to_string();
        assert_eq!(error, "this is no value of proxy_port: it takes a whole number from 1 to 65535");
        assert_eq!(oauth.proxy_port(), 80);
        for (proxy, seen) in [(&one, [1, 0]), (&two, [1, 1])] {
            set(&oauth, &[&format!("ProxyPort={}", proxy.address.port())]);
            oauth.get_authorization().unwrap();
            assert_eq!([one.seen().len(), two.seen().len()], seen, "{engine}");
        }
        // A URL that says one counts.
        set(&oauth, &[&format!("ProxyServer=http://{}", one.address)]);
        oauth.get_authorization().unwrap();
        assert_eq!([one.seen().len(), two.seen().len()], [2, 1], "{engine}");
    }
}

/// Names go out in ASCII; where they have to be written so, the others are refused before anything is sent.
#[test]
fn row_use_idns_on_the_wire() {
    for engine in ENGINES {
        let proxy = Server::answering("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        for (host, lines) in [
            ("bücher.example", &[][..]),
            ("bücher.example", &["UseIDNs=true"]),
            ("xn--bcher-kva.example", &["UseIDNs=false"]),
        ] {
            let oauth = behind(&proxy, engine, lines);
            oauth.set_server_token_url(format!("https://{host}/token"));
            assert_eq!(unreachable(oauth.get_authorization()), UnreachableKind::Proxy, "{engine} {lines:?}");
            assert_eq!(
                proxy.last().line(),
                "CONNECT xn--bcher-kva.example:443 HTTP/1.1",
                "{engine} {lines:?}"
            );
        }
        let oauth = behind(&proxy, engine, &["UseIDNs=false"]);
        for url in
            ["https://bücher.example/token", "https:/bücher.example/token", "https:bücher.example/token"]
        {
            oauth.set_server_token_url(url);
            refused(&oauth, "server_token_url", "UseIDNs");
        }
        assert_eq!(proxy.seen().len(), 3, "{engine}");
    }
}

#[test]
fn row_proxy_user() {
    for engine in ENGINES {
        let proxy = proxy();
        let oauth = behind(&proxy, engine, &[]);
        oauth.get_authorization().unwrap();
        assert!(
            proxy.last().all("proxy-authorization").is_empty(),
            "it is shown to nobody who was not named"
        );
        oauth.set_proxy_user("ada");
        oauth.set_proxy_password("s3cret");
        oauth.get_authorization().unwrap();
        assert_eq!(proxy.last().all("proxy-authorization"), ["Basic YWRhOnMzY3JldA=="]);
        assert_eq!(read(&oauth, "ProxyUser"), "ada");
        oauth.set_proxy_auth_scheme(ProxyScheme::None);
        assert_eq!(oauth.proxy_user(), "");
        oauth.set_proxy_user("ada");
        oauth.get_authorization().unwrap();
        assert!(proxy.last().all("proxy-authorization").is_empty());
    }
}

#[test]
fn row_proxy_password() {
    let proxy = proxy();
    let oauth = behind(&proxy, "false", &["ProxyUser=ada", "ProxyPassword=s3cret"]);
    oauth.get_authorization().unwrap();
    assert_eq!(proxy.last().all("proxy-authorization"), ["Basic YWRhOnMzY3JldA=="]);
    let value = oauth.config("ProxyPassword").unwrap();
    assert_eq!((value.as_str(), oauth.proxy_password().expose()), ("s3cret", "s3cret"));
    assert!(!format!("{value:?} {:?} {oauth:?}", oauth.proxy_password()).contains("s3cret"));
}

#[test]
fn row_proxy_authorization() {
    let proxy = proxy();
    let oauth = behind(&proxy, "false", &["ProxyAuthorization=Own s3cret"]);
    assert_eq!(oauth.proxy_auth_scheme(), ProxyScheme::Proprietary);
    oauth.get_authorization().unwrap();
    assert_eq!(proxy.last().all("proxy-authorization"), ["Own s3cret"]);
    refused_by_isahc(&["ProxyServer=127.0.0.1", "ProxyAuthorization=Own s3cret"], "ProxyAuthorization");
}

#[test]
fn row_proxy_ssl_on_the_wire() {
    let server = Server::answering(token());
    let proxy = proxy();
    let oauth = behind(&proxy, "false", &[]);
    oauth.set_server_token_url(server.url("/token"));
    for (ssl, line) in [(ProxySsl::Automatic, "POST http://"), (ProxySsl::Never, "POST http://")] {
        oauth.set_proxy_ssl(ssl);
        oauth.get_authorization().unwrap();
        assert!(proxy.last().line().starts_with(line), "{ssl:?}");
    }
    assert_eq!(server.seen().len(), 0, "this proxy answers itself");
    oauth.set_proxy_ssl(ProxySsl::Tunnel);
    oauth.get_authorization().unwrap();
    assert_eq!(server.seen().len(), 1, "and passes tunnels on");
    assert!(proxy.seen().iter().any(|seen| seen.line().starts_with("CONNECT ")));
    assert_eq!(oauth.proxy_ssl(), ProxySsl::Tunnel);
    // With Always it is TLS that the proxy is spoken to in: the first byte is of a handshake (RFC 8446 section 5.1).
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let hearing = Server::new(move |connection| {
        let first = connection.byte()?;
        let _ = tell.lock().unwrap().send(first);
        Ok(())
    });
    oauth.set_proxy_port(hearing.address.port()).unwrap();
    oauth.set_proxy_ssl(ProxySsl::Always);
    oauth.get_authorization().expect_err("this proxy speaks none");
    assert_eq!(told.recv(), Ok(22));
    if ENGINES.contains(&"true") {
        set(&oauth, &["UsePlatformHTTPClient=true"]);
        refused(&oauth, "proxy_ssl", "the transport isahc cannot carry the proxy over TLS");
        oauth.set_proxy_ssl(ProxySsl::Tunnel);
        refused(&oauth, "proxy_ssl", "the transport isahc cannot carry the tunnel");
    }
}

#[test]
fn row_proxy_exceptions_list() {
    for engine in ENGINES {
        let (proxy, server) = (proxy(), Server::answering(token()));
        let oauth = behind(&proxy, engine, &["ProxyExceptionsList=other.example"]);
        oauth.set_server_token_url(server.url("/token"));
        oauth.get_authorization().unwrap();
        assert_eq!((proxy.seen().len(), server.seen().len()), (1, 0));
        set(&oauth, &["ProxyExceptionsList=other.example; 127.0.0.0/8"]);
        oauth.get_authorization().unwrap();
        assert_eq!((proxy.seen().len(), server.seen().len()), (1, 1));
    }
}

const CHILD: &str = "OAUTH_COMPONENT_ENVIRONMENT";

/// Whether this process is one of `again`'s.
pub fn is_again() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs this test once more, in a process with this environment.
pub fn again(test: &str, variables: &[(&str, String)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).env(CHILD, "1");
    for name in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().map(|(name, value)| (name, value))).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn row_proxy_auto_detect_on_the_wire() {
    if is_again() {
        for engine in ENGINES {
            get("http://127.0.0.1:9/token", engine, &[]).expect_err("the environment is asked by nobody");
            let oauth = client_with("http://127.0.0.1:9/token", engine, &[]);
            oauth.set_proxy_auto_detect(true);
            assert!(oauth.proxy_auto_detect());
            oauth.get_authorization().unwrap();
            get("http://127.0.0.1:9/token", engine, &["ProxyServer=*"]).unwrap();
            // The one that is set counts: nobody listens there.
            set(&oauth, &["ProxyServer=127.0.0.1", "ProxyPort=9"]);
            oauth.get_authorization().unwrap_err();
        }
        return;
    }
    let proxy = proxy();
    again("way::row_proxy_auto_detect_on_the_wire", &[("http_proxy", proxy.url("/"))]);
    assert_eq!(proxy.seen().len(), 2 * ENGINES.len());
}

/// SOCKS5 without or with a password (RFC 1928, RFC 1929).
fn socks5(password: Option<&'static [u8]>) -> Server {
    Server::new(move |connection| {
        let methods = connection.bytes(2)?[1];
        connection.bytes(methods.into())?;
        connection.stream.write_all(&[5, if password.is_some() { 2 } else { 0 }])?;
        if let Some(expected) = password {
            let mut shown = connection.bytes(1)?;
            for _ in 0..2 {
                let length = connection.byte()?;
                shown.push(length);
                shown.extend(connection.bytes(length.into())?);
            }
            connection.stream.write_all(&[1, u8::from(shown != expected)])?;
        }
        let request = connection.bytes(4)?;
        let host = match request[3] {
            1 => connection.bytes(4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
            _ => {
                let length = connection.byte()?;
                String::from_utf8(connection.bytes(length.into())?).map_err(io::Error::other)?
            }
        };
        let port = connection.bytes(2)?;
        connection.stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
        pass_on(connection, &format!("{host}:{}", u16::from_be_bytes([port[0], port[1]])))
    })
}

/// SOCKS4, and 4a where a name comes in place of an address; and what it was told.
fn socks4() -> (Server, Arc<Mutex<Vec<u8>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&told);
    let server = Server::new(move |connection| {
        let mut request = connection.bytes(8)?;
        let port = u16::from_be_bytes([request[2], request[3]]);
        // The user's id, and the name where there is one: each ends in a zero.
        for _ in 0..if request[4..7] == [0, 0, 0] { 2 } else { 1 } {
            while request.len() == 8 || request.last() != Some(&0) {
                request.push(connection.byte()?);
            }
            request.push(b';');
        }
        *noted.lock().unwrap() = request;
        connection.stream.write_all(&[0, 90, 0, 0, 0, 0, 0, 0])?;
        pass_on(connection, &format!("127.0.0.1:{port}"))
    });
    (server, told)
}

/// Each kind by its number: what it is told, and that the request arrives.
#[test]
fn row_firewall_type_on_the_wire() {
    for engine in ENGINES {
        let server = Server::answering(token());
        let port = server.address.port();
        let through = |firewall: &Server, number: &str| {
            let lines = [
                &format!("FirewallType={number}"),
                "FirewallHost=127.0.0.1",
                &format!("FirewallPort={}", firewall.address.port()),
            ];
            let before = server.seen().len();
            get(&format!("http://localhost:{port}/token"), engine, &lines)
                .unwrap_or_else(|error| panic!("{engine} {number}: {error}"));
            assert_eq!(server.seen().len() - before, 1, "{engine} {number}");
        };
        let [high, low] = port.to_be_bytes();
        for (number, rest) in [("2", &b"\x7f\0\0\x01\0;"[..]), ("10", b"\0\0\0\x01\0;localhost\0;")] {
            let (firewall, told) = socks4();
            through(&firewall, number);
            assert_eq!(*told.lock().unwrap(), [&[4, 1, high, low][..], rest].concat(), "{engine} {number}");
        }
        let firewall = socks5(None);
        through(&firewall, "3");
        assert_eq!(firewall.connections(), 1);
        // Without one the server is asked itself.
        through(&firewall, "0");
        assert_eq!(firewall.connections(), 1);
        if *engine == "false" {
            let firewall = proxy();
            through(&firewall, "1");
            assert_eq!(firewall.seen()[0].line(), format!("CONNECT localhost:{port} HTTP/1.1"));
        }
    }
    refused_by_isahc(&["FirewallType=1", "FirewallHost=127.0.0.1"], "FirewallType");
}

/// A component whose connections are made through this firewall.
fn through(firewall: &Server, server: &Server, engine: &str, kind: FirewallKind) -> OAuth {
    let oauth = client_with(&server.url("/token"), engine, &[]);
    oauth.set_firewall_type(Some(kind));
    oauth.set_firewall_host("127.0.0.1");
    oauth.set_firewall_port(Some(firewall.address.port()));
    oauth
}

#[test]
fn row_firewall_host() {
    for engine in ENGINES {
        let (firewall, server) = (socks5(None), Server::answering(token()));
        let oauth = through(&firewall, &server, engine, FirewallKind::Socks5);
        oauth.get_authorization().unwrap();
        assert_eq!((firewall.connections(), server.seen().len()), (1, 1), "{engine}");
        assert_eq!(
            (read(&oauth, "FirewallHost"), oauth.firewall_host()),
            ("127.0.0.1".into(), "127.0.0.1".into())
        );
        assert_eq!(
            (read(&oauth, "FirewallType").as_str(), oauth.firewall_type()),
            ("3", Some(FirewallKind::Socks5))
        );
        set(&oauth, &["FirewallType=0"]);
        oauth.get_authorization().unwrap();
        assert_eq!((firewall.connections(), server.seen().len()), (1, 2), "{engine}");
    }
}

#[test]
fn row_firewall_port() {
    let (firewall, server) = (socks5(None), Server::answering(token()));
    let oauth = through(&firewall, &server, "false", FirewallKind::Socks5);
    oauth.set_firewall_port(None);
    assert_eq!(read(&oauth, "FirewallPort"), "1080", "the usual one of its type");
    set(&oauth, &["FirewallType=1"]);
    assert_eq!(read(&oauth, "FirewallPort"), "80");
    set(&oauth, &["FirewallType=3", &format!("FirewallPort={}", firewall.address.port())]);
    oauth.get_authorization().unwrap();
    assert_eq!((firewall.connections(), oauth.firewall_port()), (1, Some(firewall.address.port())));
}

#[test]
fn row_firewall_user() {
    let shown: &[u8] = b"\x01\x03ada\x06s3cret";
    for engine in ENGINES {
        let (firewall, server) = (socks5(Some(shown)), Server::answering(token()));
        let oauth = through(&firewall, &server, engine, FirewallKind::Socks5);
        oauth.get_authorization().expect_err("it wants to know who asks");
        oauth.set_firewall_user("ada");
        oauth.set_firewall_password("s3cret");
        oauth.get_authorization().unwrap();
        assert_eq!(server.seen().len(), 1, "{engine}");
        assert_eq!((read(&oauth, "FirewallUser"), oauth.firewall_user()), ("ada".into(), "ada".into()));
    }
}

#[test]
fn row_firewall_password() {
    let shown: &[u8] = b"\x01\x03ada\x06s3cret";
    let (firewall, server) = (socks5(Some(shown)), Server::answering(token()));
    let oauth = through(&firewall, &server, "false", FirewallKind::Socks5);
    set(&oauth, &["FirewallUser=ada", "FirewallPassword=wrong!"]);
    oauth.get_authorization().unwrap_err();
    set(&oauth, &["FirewallPassword=s3cret"]);
    oauth.get_authorization().unwrap();
    assert_eq!(oauth.firewall_password().expose(), "s3cret");
    assert!(!format!("{:?}", oauth.config("FirewallPassword")).contains("s3cret"));
}

#[test]
fn row_firewall_data() {
    let (firewall, server) = (proxy(), Server::answering(token()));
    let oauth = through(&firewall, &server, "false", FirewallKind::Tunnel);
    set(&oauth, &["FirewallData=X-Pass: s3cret\r\nX-Two: 2"]);
    oauth.get_authorization().unwrap();
    let connect = &firewall.seen()[0];
    assert!(connect.line().starts_with("CONNECT "), "{connect:?}");
    assert_eq!((connect.all("x-pass"), connect.all("x-two")), (vec!["s3cret"], vec!["2"]));
    assert!(server.last().all("x-pass").is_empty(), "it goes to the firewall alone");
    set(&oauth, &["FirewallData=no header"]);
    let error = oauth.get_authorization().unwrap_err().to_string();
    assert!(
        error.starts_with("this is no value of FirewallData: it takes header lines")
            && !error.contains("no header"),
        "{error}"
    );
    set(&oauth, &["FirewallData=X: y", "FirewallType=3"]);
    refused(&oauth, "FirewallData", "SOCKS takes no headers");
}

#[test]
fn firewalls_and_proxies_are_two_layers() {
    let (firewall, proxy) = (socks5(None), proxy());
    let oauth = through(&firewall, &proxy, "false", FirewallKind::Socks5);
    oauth.set_server_token_url("http://127.0.0.1:9/token");
    oauth.set_proxy_server(format!("http://{}", proxy.address));
    oauth.get_authorization().unwrap();
    assert_eq!(firewall.connections(), 1);
    assert!(proxy.last().line().starts_with("POST http://127.0.0.1:9/token"));
    let both = ["FirewallHost=127.0.0.1", "FirewallType=3", "ProxyServer=127.0.0.1"];
    refused_by_isahc(&both, "firewall_host");
}

#[test]
fn row_firewall_auto_detect_on_the_wire() {
    if is_again() {
        let token_url = std::env::var("TOKEN_URL").unwrap();
        for engine in ENGINES {
            get(&token_url, engine, &[]).unwrap();
            let oauth = client_with(&token_url, engine, &[]);
            oauth.set_firewall_auto_detect(true);
            assert!(oauth.firewall_auto_detect());
            oauth.get_authorization().unwrap();
        }
        return;
    }
    let (firewall, server) = (socks5(None), Server::answering(token()));
    let socks = format!("socks5://{}", firewall.address);
    again(
        "way::row_firewall_auto_detect_on_the_wire",
        &[("ALL_PROXY", socks), ("TOKEN_URL", server.url("/token"))],
    );
    assert_eq!((firewall.connections(), server.seen().len()), (ENGINES.len(), 2 * ENGINES.len()));
}
