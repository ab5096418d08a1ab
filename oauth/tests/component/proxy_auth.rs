//! How proxies are shown who we are: `ProxyAuthScheme`, and `KerberosSPN` with it.

use crate::way::behind;
use crate::wire::*;
use std::io::Write as _;
use std::sync::Mutex;

const CHALLENGE: &str = r#"Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth""#;

/// A proxy that asks who it is, by these words the first time and by those the second, on whatever connection, and then answers.
fn asking(first: &'static str, second: Option<&'static str>) -> Server {
    let rounds = Mutex::new([Some(first), second].into_iter().flatten());
    Server::new(move |connection| {
        while connection.request()?.is_some() {
            let answer = rounds.lock().unwrap().next().map_or_else(token, |challenge| {
                response("407 Who are you", &format!("proxy-authenticate: {challenge}\r\n"), b"")
            });
            connection.stream.write_all(&answer)?;
        }
        Ok(())
    })
}

/// What it was shown, in order.
fn shown(proxy: &Server) -> Vec<String> {
    proxy.seen().iter().flat_map(|seen| seen.all("proxy-authorization")).map(str::to_owned).collect()
}

/// It was shown one answer to the challenge above (RFC 7616 section 3.4.1).
#[track_caller]
fn assert_digest(proxy: &Server, method: &str) {
    let [answer] = &shown(proxy)[..] else { panic!("{:?}", proxy.seen()) };
    let said = |wanted: &str| {
        let parts = answer.strip_prefix("Digest ").unwrap().split(',');
        let mut pairs = parts.filter_map(|part| part.trim().split_once('='));
        let value =
            pairs.find_map(|(name, value)| (name == wanted).then(|| value.trim_matches('"').to_owned()));
        value.unwrap_or_else(|| panic!("{wanted}: {answer}"))
    };
    let hash = |text: String| {
        let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let (key, about) = (hash("ada:r:s3cret".to_owned()), hash(format!("{method}:{}", said("uri"))));
    let proof = hash(format!("{key}:n:{}:{}:auth:{about}", said("nc"), said("cnonce")));
    assert_eq!((said("username").as_str(), said("response")), ("ada", proof), "{answer}");
}

#[test]
fn row_proxy_auth_scheme_on_the_wire() {
    let account = ["ProxyUser=ada", "ProxyPassword=s3cret"];
    for engine in ENGINES {
        // By default it is Basic, which a proxy that asks for Digest has no use for.
        for lines in [&[][..], &["ProxyAuthScheme=0"]] {
            let proxy = asking(CHALLENGE, None);
            let _refused = behind(&proxy, engine, &[lines, &account].concat()).get_authorization();
            assert_eq!(shown(&proxy)[0], "Basic YWRhOnMzY3JldA==", "{engine} {lines:?}");
        }
        // Digest is answered with the request itself, and on each engine with CONNECT.
        let proxy = asking(CHALLENGE, None);
        let oauth = behind(&proxy, engine, &[&["ProxyAuthScheme=1"][..], &account].concat());
        if *engine == "false" {
            oauth.get_authorization().unwrap();
            assert_digest(&proxy, "POST");
        }
        let proxy = asking(CHALLENGE, None);
        oauth.set_proxy_port(proxy.address.port()).unwrap();
        oauth.set_server_token_url("https://as.example/token");
        oauth.get_authorization().expect_err("it opens no tunnel");
        assert_digest(&proxy, "CONNECT");

        let proxy = asking(CHALLENGE, None);
        let none = behind(&proxy, engine, &[&["ProxyAuthScheme=3"][..], &account].concat());
        none.get_authorization().unwrap_err();
        assert_eq!(shown(&proxy), Vec::<String>::new(), "{engine}");
    }
    let proxy = asking(CHALLENGE, None);
    refused(&behind(&proxy, "false", &["ProxyAuthScheme=2"]), "ProxyAuthScheme", "ProxyAuthorization");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn schemes_of_a_build_without_them_are_refused_by_name() {
    for (scheme, feature, built) in
        [(4, "ntlm", cfg!(feature = "ntlm")), (5, "negotiate", cfg!(feature = "negotiate"))]
    {
        let lines = ["ProxyServer=127.0.0.1".to_owned(), format!("ProxyAuthScheme={scheme}")];
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        if !built {
            let oauth = client_with("http://127.0.0.1:9/token", "false", &lines);
            refused(&oauth, "ProxyAuthScheme", &format!("feature `{feature}`"));
        }
        refused_by_isahc(&lines, "ProxyAuthScheme");
    }
}

#[cfg(feature = "ntlm")]
#[test]
fn row_proxy_auth_scheme_4_on_the_wire() {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    // The challenge of MS-NLMP section 4.2.4.3.
    let proxy = asking(
        "NTLM",
        Some(
            "NTLM TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=",
        ),
    );
    let lines = ["ProxyAuthScheme=4", "ProxyUser=Realm\\ada", "ProxyPassword=s3cret"];
    behind(&proxy, "false", &lines).get_authorization().unwrap();
    let messages: Vec<_> = shown(&proxy)
        .iter()
        .map(|value| BASE64_STANDARD.decode(value.strip_prefix("NTLM ").unwrap()).unwrap())
        .collect();
    assert_eq!(messages.iter().map(|message| message[8]).collect::<Vec<_>>(), [1, 3], "of these types");
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let holds = |part: &[u8]| messages[1].windows(part.len()).any(|window| window == part);
    assert!(holds(&wide("Realm")) && holds(&wide("ada")) && !holds(&wide("s3cret")) && !holds(b"s3cret"));
}

/// In a realm of its own, through a proxy that takes tickets alone. Its service is named after `localhost`, which it is not asked
/// by here.
#[cfg(feature = "negotiate")]
#[test]
fn row_kerberos_spn_on_the_wire() {
    use crate::way::{again, is_again};
    use oauth::core::UnreachableKind;
    use oauth_interop::{Authority, Kerberos, Squid};

    if is_again() {
        let [proxy, token_url] = ["PROXY_PORT", "TOKEN_URL"].map(|name| std::env::var(name).unwrap());
        let port = format!("ProxyPort={proxy}");
        let ask = |server: &str, lines: &[&str]| {
            get(&token_url, "false", &[&["ProxyAuthScheme=5", &port, server][..], lines].concat())
        };
        let unnamed = ask("ProxyServer=127.0.0.1", &[]);
        assert!(unnamed.as_ref().unwrap_err().to_string().contains("HTTP@127.0.0.1"), "{unnamed:?}");
        assert_eq!(unreachable(unnamed), UnreachableKind::Proxy);
        let named = format!("KerberosSPN={}", Kerberos::SERVICE);
        ask("ProxyServer=127.0.0.1", &[&named]).unwrap();
        // Without it, the proxy's host names the service; and one that there is not is asked for in vain.
        ask("ProxyServer=localhost", &[]).unwrap();
        let elsewhere = ask("ProxyServer=localhost", &["KerberosSPN=HTTP/nowhere.example"]);
        assert!(elsewhere.as_ref().unwrap_err().to_string().contains("nowhere.example"), "{elsewhere:?}");
        return;
    }
    let realm = Kerberos::start().unwrap_or_else(|why| panic!("{why}"));
    let authority = Authority::new("http://127.0.0.1:9/list.crl");
    let squid = Squid::start_with_negotiate(&realm, authority.server()).unwrap_or_else(|why| panic!("{why}"));
    let server = Server::answering(token());
    let mut environment: Vec<_> = realm
        .environment()
        .unwrap_or_else(|why| panic!("{why}"))
        .into_iter()
        .map(|(name, value)| (name, value.into_string().unwrap()))
        .collect();
    environment.push(("PROXY_PORT", squid.port().to_string()));
    environment.push(("TOKEN_URL", server.url("/token")));
    again("proxy_auth::row_kerberos_spn_on_the_wire", &environment);
    assert_eq!(server.seen().len(), 2, "the two that had a ticket for it");
    refused_by_isahc(
        &["ProxyServer=127.0.0.1", "ProxyAuthScheme=5", "KerberosSPN=HTTP/x"],
        "ProxyAuthScheme",
    );
}
