//! How a proxy is shown who we are.

use super::Engine;
use super::server::{Connection, Received, Server};
use super::subject::{assert_fails, carries, post, promptly, send_with};
use super::tls::{Authority, Valid};
use crate::{Proxies, Proxy, ProxyAuthentication, Setting, Settings};
use http::HeaderValue;
use oauth_core::{Delivered, UnreachableKind};
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use std::io::{self, Write as _};

pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const CHALLENGE: &str = "Digest realm=\"x\", nonce=\"n-1\", algorithm=SHA-256, qop=\"auth\", opaque=\"o\"";
const RENEWED: &str = "Digest realm=\"x\", nonce=\"n-2\", algorithm=SHA-256, qop=\"auth\", stale=true";

/// A challenge is answered once, on the same connection or on a new one, and the password never leaves this machine.
pub fn digest_is_answered_to_a_proxy<E: Engine>() {
    for closes in [false, true] {
        let authority = Authority::new();
        let tls = authority.server("as.example", Valid::Now);
        let proxy = Server::new(move |connection| {
            loop {
                let Some(connect) = connection.request()? else { return Ok(()) };
                if !connect.all("proxy-authorization").is_empty() {
                    break;
                }
                // Basic is offered, too, and not taken.
                challenge(connection, &["Basic realm=\"x\"", CHALLENGE], closes)?;
                if closes {
                    return Ok(());
                }
            }
            serve(connection, tls.clone())
        });
        let settings = digest(&proxy).with_extra_root_der(authority.der());
        if !carries::<E>(Setting::ProxyDigest, &settings) {
            return;
        }
        let result = promptly(|| send_with::<E>(settings, post("https://as.example/token")));
        result.expect("the server answers");
        let received = proxy.received();
        let [first, second, request] = &received[..] else { panic!("three requests: {received:?}") };
        assert_eq!(proxy.connections(), if closes { 2 } else { 1 });
        assert!(first.all("proxy-authorization").is_empty(), "nothing goes out unasked: {first:?}");
        assert_proof(second, "CONNECT", "as.example:443", "n-1");
        assert_eq!(parameter(second, "opaque").as_deref(), Some("o"));
        assert_eq!(request.line, "POST /token?hint=planted-query HTTP/1.1");
        assert!(request.all("proxy-authorization").is_empty(), "{request:?}");
    }
}

/// A nonce that is too old is no verdict on the password: the new one is answered, once.
pub fn stale_nonce_of_a_proxy_is_answered_once_more<E: Engine>() {
    let authority = Authority::new();
    let tls = authority.server("as.example", Valid::Now);
    let proxy = Server::new(move |connection| {
        for challenges in [CHALLENGE, RENEWED] {
            connection.request()?;
            challenge(connection, &[challenges], false)?;
        }
        connection.request()?;
        serve(connection, tls.clone())
    });
    let settings = digest(&proxy).with_extra_root_der(authority.der());
    if !carries::<E>(Setting::ProxyDigest, &settings) {
        return;
    }
    send_with::<E>(settings, post("https://as.example/token")).expect("the server answers");
    let received = proxy.received();
    assert_eq!(received.len(), 4);
    assert_proof(&received[1], "CONNECT", "as.example:443", "n-1");
    assert_proof(&received[2], "CONNECT", "as.example:443", "n-2");
}

/// A proxy that asks again and again is not answered again and again; one that asks for Basic is not answered at all.
pub fn digest_ends_where_the_proxy_does_not_believe_it<E: Engine>() {
    for (asks, answers) in [(CHALLENGE, 1), ("Basic realm=\"x\"", 0), ("NTLM", 0)] {
        let proxy = Server::new(move |connection| {
            while connection.request()?.is_some() {
                challenge(connection, &[asks], false)?;
            }
            Ok(())
        });
        if !carries::<E>(Setting::ProxyDigest, &digest(&proxy)) {
            return;
        }
        let result = promptly(|| send_with::<E>(digest(&proxy), post("https://as.example/token")));
        assert_fails(result, &[UnreachableKind::Proxy], Delivered::No);
        let received = proxy.received();
        let shown: Vec<_> = received.iter().flat_map(|request| request.all("proxy-authorization")).collect();
        assert_eq!(shown.len(), answers, "{received:?}");
        assert!(shown.iter().all(|value| value.starts_with("Digest ")), "{shown:?}");
    }
}

/// In the absolute form, too.
pub fn digest_is_answered_to_a_proxy_that_is_sent_the_request<E: Engine>() {
    let proxy = Server::new(|connection| {
        while let Some(request) = connection.request()? {
            if request.all("proxy-authorization").is_empty() {
                challenge(connection, &[CHALLENGE], false)?;
            } else {
                connection.write_all(OK)?;
            }
        }
        Ok(())
    });
    if !carries::<E>(Setting::ProxyDigest, &digest(&proxy)) {
        return;
    }
    let response = send_with::<E>(digest(&proxy), post("http://localhost:9/token"));
    assert_eq!(response.expect("the server answers").status(), 200);
    let received = proxy.received();
    let answered = received.last().expect("it was sent");
    let target = "http://localhost:9/token?hint=planted-query";
    assert_eq!(answered.line, format!("POST {target} HTTP/1.1"));
    assert_eq!(answered.body, super::subject::BODY);
    assert_eq!(received.iter().filter(|request| !request.all("proxy-authorization").is_empty()).count(), 1);
    // Some leave out scheme and authority, which proxies accept as well.
    let told = parameter(answered, "uri").expect("it names the target");
    assert!(target.ends_with(&told), "{told}");
    assert_proof(answered, "POST", &told, "n-1");
}

/// To the proxy alone: with `CONNECT`, or with the request that it is sent itself.
pub fn authorization_of_ones_own_goes_to_the_proxy_alone<E: Engine>() {
    let own = ProxyAuthentication::Verbatim(HeaderValue::from_static("Own planted-proxy"));
    let authority = Authority::new();
    let proxy = tunnelling(&authority);
    let settings = proxied(&proxy, own.clone()).with_extra_root_der(authority.der());
    if !carries::<E>(Setting::ProxyAuthorization, &settings) {
        return;
    }
    send_with::<E>(settings, post("https://as.example/token")).expect("the server answers");
    let received = proxy.received();
    assert_eq!(received[0].all("proxy-authorization"), ["Own planted-proxy"]);
    assert!(received[1].all("proxy-authorization").is_empty(), "{received:?}");

    let proxy = Server::answering(OK);
    send_with::<E>(proxied(&proxy, own), post("http://localhost:9/token")).expect("the proxy answers");
    assert_eq!(proxy.only().all("proxy-authorization"), ["Own planted-proxy"]);
}

/// No user name and no password, whatever the proxy's URL carries.
pub fn proxy_is_shown_nothing_where_it_is_set<E: Engine>() {
    let authority = Authority::new();
    let proxy = tunnelling(&authority);
    let settings = proxied(&proxy, ProxyAuthentication::Never).with_extra_root_der(authority.der());
    send_with::<E>(settings, post("https://as.example/token")).expect("the server answers");
    let plain = Server::answering(OK);
    let settings = proxied(&plain, ProxyAuthentication::Never);
    send_with::<E>(settings, post("http://localhost:9/token")).expect("the proxy answers");
    for request in proxy.received().iter().chain(&plain.received()) {
        assert!(request.all("proxy-authorization").is_empty(), "{request:?}");
    }
    assert_eq!((proxy.received().len(), plain.received().len()), (2, 1));
}

/// What an engine is not built with it refuses by name.
pub fn proxy_schemes_that_are_not_carried_are_refused<E: Engine>() {
    let negotiate =
        |service: Option<&str>| ProxyAuthentication::Negotiate { service: service.map(str::to_owned) };
    for (setting, authentication) in [
        (Setting::ProxyNtlm, ProxyAuthentication::Ntlm),
        (Setting::ProxyNegotiate, negotiate(None)),
        (Setting::KerberosServiceName, negotiate(Some("HTTP/proxy.example"))),
    ] {
        let settings = proxied(&Server::answering(OK), authentication);
        if carries::<E>(setting, &settings) {
            E::transport(settings).expect("what is carried is taken");
        }
    }
}

fn digest(proxy: &Server) -> Settings {
    proxied(proxy, ProxyAuthentication::Digest)
}

pub(super) fn proxied(proxy: &Server, authentication: ProxyAuthentication) -> Settings {
    let url = format!("http://user:planted-proxy@127.0.0.1:{}", proxy.port());
    let proxy = Proxy::new(&url).expect("it is a proxy");
    Settings::new().with_proxies(Proxies::through(proxy).authenticated_by(authentication))
}

fn tunnelling(authority: &Authority) -> Server {
    let tls = authority.server("as.example", Valid::Now);
    Server::new(move |connection| {
        connection.request()?;
        serve(connection, tls.clone())
    })
}

/// Opens the tunnel and answers as the server.
pub(super) fn serve(
    connection: &mut Connection,
    tls: std::sync::Arc<rustls::ServerConfig>,
) -> io::Result<()> {
    connection.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    connection.start_tls(tls)?;
    while connection.request()?.is_some() {
        connection.write_all(OK)?;
    }
    Ok(())
}

pub(super) fn challenge(connection: &mut Connection, values: &[&str], closes: bool) -> io::Result<()> {
    let mut head = String::from("HTTP/1.1 407 Who are you\r\ncontent-length: 5\r\n");
    for value in values {
        head.push_str(&format!("proxy-authenticate: {value}\r\n"));
    }
    if closes {
        head.push_str("connection: close\r\n");
    }
    write!(connection, "{head}\r\nSorry")
}

/// A parameter of the answer, without its quotes.
fn parameter(request: &Received, name: &str) -> Option<String> {
    let values = request.all("proxy-authorization");
    let value = values.first()?.strip_prefix("Digest ")?;
    value.split(',').find_map(|part| {
        let (known, value) = part.trim().split_once('=')?;
        (known == name).then(|| value.trim_matches('"').to_owned())
    })
}

/// RFC 7616 section 3.4.1, with SHA-256.
#[track_caller]
fn assert_proof(request: &Received, method: &str, target: &str, nonce: &str) {
    let hash = |text: String| {
        let suite = TLS13_AES_128_GCM_SHA256.tls13().expect("it is one of TLS 1.3");
        let hash = suite.common.hash_provider.hash(text.as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let said = |name| parameter(request, name).unwrap_or_default();
    assert_eq!((said("username").as_str(), said("realm").as_str()), ("user", "x"), "{request:?}");
    assert_eq!((said("nonce").as_str(), said("uri").as_str()), (nonce, target), "{request:?}");
    assert_eq!((said("nc").as_str(), said("qop").as_str()), ("00000001", "auth"), "{request:?}");
    let key = hash("user:x:planted-proxy".to_owned());
    let about = hash(format!("{method}:{target}"));
    let proof = hash(format!("{key}:{nonce}:00000001:{}:auth:{about}", said("cnonce")));
    assert_eq!(said("response"), proof, "{request:?}");
}
