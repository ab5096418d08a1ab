//! How a proxy is shown who we are by messages that belong to one connection.

use super::Engine;
use super::proxy_auth::{OK, challenge, proxied, serve};
use super::server::{Received, Server};
use super::subject::{assert_fails, carries, post, promptly, send_with};
use super::tls::{Authority, Valid};
use crate::{Http, Proxies, Proxy, ProxyAuthentication, Setting, Settings};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use oauth_core::{Delivered, UnreachableKind};

/// The challenge of MS-NLMP section 4.2.4.3.
const CHALLENGE: &str = "NTLM TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=";
/// The same, whose target information lies outside of it.
const OUTSIDE: &str = "NTLM TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJAD///9/BgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=";

/// Asked first, then in order, and the last two on one connection; the password is in none of them.
pub fn ntlm_is_spoken_on_one_connection<E: Engine>() {
    for closes in [false, true] {
        let authority = Authority::new();
        let tls = authority.server("as.example", Valid::Now);
        let proxy = Server::new(move |connection| {
            loop {
                let Some(connect) = connection.request()? else { return Ok(()) };
                match messages(std::slice::from_ref(&connect)).first().map(|message| message[8]) {
                    // Basic is offered, too, and not taken.
                    None => {
                        challenge(connection, &["Basic realm=\"x\"", "NTLM"], closes)?;
                        if closes {
                            return Ok(());
                        }
                    }
                    Some(1) => challenge(connection, &[CHALLENGE], false)?,
                    Some(_) => break,
                }
            }
            serve(connection, tls.clone())
        });
        let settings = ntlm(&proxy).with_extra_root_der(authority.der());
        if !carries::<E>(Setting::ProxyNtlm, &settings) {
            return;
        }
        let result = promptly(|| send_with::<E>(settings, post("https://as.example/token")));
        result.expect("the server answers");
        let received = proxy.received();
        let [first, .., request] = &received[..] else { panic!("four requests: {received:?}") };
        assert_eq!((received.len(), proxy.connections()), (4, if closes { 2 } else { 1 }));
        assert!(first.all("proxy-authorization").is_empty(), "nothing goes out unasked: {first:?}");
        assert!(request.all("proxy-authorization").is_empty(), "{request:?}");
        assert_exchange(&received);
    }
}

/// In the absolute form, too, and where every request has a connection of its own.
pub fn ntlm_is_spoken_to_a_proxy_that_is_sent_the_request<E: Engine>() {
    for reuse_connections in [true, false] {
        let proxy = Server::new(|connection| {
            let mut known = false;
            while let Some(request) = connection.request()? {
                match messages(std::slice::from_ref(&request)).first().map(|message| message[8]) {
                    None => challenge(connection, &["NTLM"], false)?,
                    Some(1) => {
                        challenge(connection, &[CHALLENGE], false)?;
                        known = true;
                    }
                    Some(_) if known => std::io::Write::write_all(connection, OK)?,
                    // What was said on another connection.
                    Some(_) => challenge(connection, &["NTLM"], false)?,
                }
            }
            Ok(())
        });
        let http = Http { reuse_connections, ..Http::default() };
        let settings = ntlm(&proxy).with_http(http);
        if !carries::<E>(Setting::ProxyNtlm, &settings) {
            return;
        }
        let response = send_with::<E>(settings, post("http://localhost:9/token"));
        assert_eq!(response.expect("the proxy answers").status(), 200);
        let received = proxy.received();
        assert_exchange(&received);
        let last = received.last().expect("it was sent");
        assert_eq!(last.line, "POST http://localhost:9/token?hint=planted-query HTTP/1.1");
        assert_eq!(last.body, super::subject::BODY);
    }
}

/// A proxy that answers nonsense, again and again or not at all is told no more than it asked for.
pub fn ntlm_ends_where_the_proxy_does_not_keep_to_it<E: Engine>() {
    let short = &CHALLENGE[..40];
    for (answers, hangs_up, shown, says) in [
        (&["Basic realm=\"x\""][..], false, 0, "another authentication than NTLM"),
        (&["Digest realm=\"x\", nonce=\"n\""], false, 0, "another authentication than NTLM"),
        (&["NTLM", "NTLM"], false, 1, "does not go on"),
        (&["NTLM", "Basic realm=\"x\""], false, 1, "another authentication than NTLM"),
        (&["NTLM", "NTLM AAAA"], false, 1, "cannot be read"),
        (&["NTLM", "NTLM A"], false, 1, "cannot be read"),
        (&["NTLM", short], false, 1, "cannot be read"),
        (&["NTLM", OUTSIDE], false, 1, "cannot be read"),
        (&["NTLM", CHALLENGE], true, 1, "it ended the connection"),
        (&["NTLM", CHALLENGE, "NTLM"], false, 2, "does not accept the user name and the password"),
        (&["NTLM", CHALLENGE, CHALLENGE], false, 2, "does not accept the user name and the password"),
    ] {
        let script: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let proxy = Server::new(move |connection| {
            let mut at = 0;
            while connection.request()?.is_some() {
                let closes = hangs_up && at + 1 == script.len();
                challenge(connection, &[script.get(at).map_or("NTLM", |answer| answer)], closes)?;
                if closes {
                    break;
                }
                at += 1;
            }
            Ok(())
        });
        if !carries::<E>(Setting::ProxyNtlm, &ntlm(&proxy)) {
            return;
        }
        for (url, delivered) in
            [("https://as.example/token", Delivered::No), ("http://localhost:9/token", Delivered::Unknown)]
        {
            let before = proxy.received().len();
            let result = promptly(|| send_with::<E>(ntlm(&proxy), post(url)));
            let error = assert_fails(result, &[UnreachableKind::Proxy], delivered);
            assert!(error.to_string().contains(says), "{answers:?} to {url}: {error}");
            let received = proxy.received();
            assert_eq!(messages(&received[before..]).len(), shown, "{answers:?} to {url}");
        }
    }
}

/// Who has no ticket is told so, and the password of the proxy's URL is not shown in its stead.
pub fn negotiate_without_a_ticket_shows_nothing<E: Engine>() {
    let asks = |asks: &'static [&'static str]| {
        Server::new(move |connection| {
            while connection.request()?.is_some() {
                challenge(connection, asks, false)?;
            }
            Ok(())
        })
    };
    for (proxy, says) in [
        (asks(&["Basic realm=\"x\"", "Negotiate"]), "there is no Kerberos ticket for HTTP@127.0.0.1"),
        (asks(&["Basic realm=\"x\"", "NTLM"]), "another authentication than Negotiate"),
    ] {
        let settings = proxied(&proxy, ProxyAuthentication::Negotiate { service: None });
        if !carries::<E>(Setting::ProxyNegotiate, &settings) {
            return;
        }
        let result = send_with::<E>(settings, post("https://as.example/token"));
        let error = assert_fails(result, &[UnreachableKind::Proxy], Delivered::No);
        assert!(error.to_string().contains(says), "{error}");
        assert!(proxy.only().all("proxy-authorization").is_empty(), "{:?}", proxy.received());
    }
}

fn ntlm(proxy: &Server) -> Settings {
    let url = format!("http://Realm%5Cuser:planted-proxy@127.0.0.1:{}", proxy.port());
    let proxy = Proxy::new(&url).expect("it is a proxy");
    Settings::new().with_proxies(Proxies::through(proxy).authenticated_by(ProxyAuthentication::Ntlm))
}

/// What a proxy was shown: NTLM, and nothing else.
#[track_caller]
fn messages(received: &[Received]) -> Vec<Vec<u8>> {
    let shown = received.iter().flat_map(|request| request.all("proxy-authorization"));
    shown
        .map(|value| {
            let token = value.strip_prefix("NTLM ").unwrap_or_else(|| panic!("no NTLM: {value}"));
            let message = BASE64_STANDARD.decode(token).expect("it is Base64");
            assert!(message.starts_with(b"NTLMSSP\0"), "{message:?}");
            message
        })
        .collect()
}

/// MS-NLMP sections 2.2.1.1 and 2.2.1.3.
#[track_caller]
fn assert_exchange(received: &[Received]) {
    let messages = messages(received);
    let [first, third] = &messages[..] else { panic!("two messages: {messages:?}") };
    assert_eq!((first[8], third[8]), (1, 3));
    let number = |at: usize| usize::from(third[at]) | usize::from(third[at + 1]) << 8;
    let field = |at: usize| third[number(at + 4)..][..number(at)].to_vec();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    assert_eq!((field(28), field(36)), (wide("Realm"), wide("user")));
    // Of the second version; the first has 24 bytes.
    let proof = field(20);
    assert!(proof.len() > 44 && proof[16..18] == [1, 1], "{proof:?}");
    // Neither this machine's name nor a key.
    assert_eq!((field(44).len(), field(52).len()), (0, 0));
    for message in [first, third] {
        for password in [wide("planted-proxy"), b"planted-proxy".to_vec()] {
            assert!(!message.windows(password.len()).any(|part| part == password), "{message:?}");
        }
    }
}
