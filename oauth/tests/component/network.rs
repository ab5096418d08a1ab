//! The rows of HTTP, and of what is around a request, as a server sees them.

use crate::wire::*;
use oauth::OAuth;
use oauth::component::ComponentError;
use oauth::transport::session::Redirects;
use std::io::Write as _;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn row_user_agent() {
    let server = Server::answering(token());
    for engine in ENGINES {
        for (lines, expected) in [
            (&[][..], &[concat!("oauth/", env!("CARGO_PKG_VERSION"))][..]),
            (&["UserAgent=Mail 1.0"], &["Mail 1.0"]),
            (&["UserAgent="], &[]),
        ] {
            if *engine == "true" && expected.is_empty() {
                refused_by_isahc(lines, "UserAgent");
                continue;
            }
            get(&server.url("/token"), engine, lines).unwrap();
            assert_eq!(server.last().all("user-agent"), expected, "{engine} {lines:?}");
        }
        let oauth = client_with(&server.url("/token"), engine, &["UserAgent=a\r\nb"]);
        let error = oauth.get_authorization().unwrap_err().to_string();
        assert!(error.starts_with("this is no value of UserAgent: it takes"), "{error}");
    }
}

#[test]
fn row_other_headers() {
    let server = Server::answering(token());
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &["OtherHeaders=X-Tenant: 42\r\nX-Two: b"]);
        oauth.get_authorization().unwrap();
        assert_eq!((server.last().all("x-tenant"), server.last().all("x-two")), (vec!["42"], vec!["b"]));
        assert_eq!(oauth.other_headers(), "X-Tenant: 42\r\nX-Two: b");
        // Each of several lines of one name goes out, and none is shown.
        oauth.set_other_headers("X-Key: planted-one\r\nX-Two: b\r\nx-key: planted-two").unwrap();
        set(&oauth, &["LogLevel=3"]);
        let events = oauth.observe();
        oauth.get_authorization().unwrap();
        assert_eq!(server.last().all("x-key"), ["planted-one", "planted-two"], "{engine}");
        let told = format!("{:?}", events.try_iter().collect::<Vec<_>>());
        assert!(told.contains("x-key: [redacted]") && !told.contains("planted-"), "{told}");
        oauth.set_other_headers("").unwrap();
        oauth.get_authorization().unwrap();
        assert!(server.last().all("x-tenant").is_empty());
    }
    for line in ["Host: evil.example", "Authorization: Basic x", "Accept-Encoding: br", "no colon"] {
        let error = client(&server.url("/")).config(&format!("OtherHeaders={line}")).unwrap_err().to_string();
        assert!(error.starts_with("OtherHeaders is refused"), "{error}");
        let error = OAuth::new().set_other_headers(line).unwrap_err().to_string();
        assert!(error.starts_with("other_headers is refused"), "{error}");
    }
}

#[test]
fn row_authorization() {
    let server = Server::answering(token());
    for engine in ENGINES {
        get(&server.url("/token"), engine, &[]).unwrap();
        assert!(server.last().all("authorization")[0].starts_with("Basic "));
        get(&server.url("/token"), engine, &["Authorization=Own s3cret"]).unwrap();
        assert_eq!(server.last().all("authorization"), ["Own s3cret"]);
    }
}

/// zlib (RFC 1950) without compression.
fn deflated(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in body {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let mut encoded = vec![0x78, 0x01, 0x01];
    encoded.extend(length.to_le_bytes());
    encoded.extend((!length).to_le_bytes());
    encoded.extend(body);
    encoded.extend((b << 16 | a).to_be_bytes());
    encoded
}

#[test]
fn row_allow_http_compression() {
    let body = deflated(&token_body());
    let server = Server::answering(response("200 OK", "content-encoding: deflate\r\n", &body));
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &[]);
        oauth.get_authorization().unwrap();
        assert_eq!(oauth.transferred_data().expose(), token_body());
        assert_eq!(server.last().all("accept-encoding"), ["gzip, deflate"]);
        // Counted as it is on the wire.
        assert_eq!(read(&oauth, "BytesTransferred"), body.len().to_string());
        set(&oauth, &["AllowHTTPCompression=false"]);
        oauth.get_authorization().expect_err("nobody asked for it, and nobody decodes it");
        assert!(server.last().all("accept-encoding").is_empty());
    }
}

#[test]
fn row_accept_encoding() {
    let server = Server::answering(token());
    for engine in ENGINES {
        get(&server.url("/token"), engine, &["AcceptEncoding=br,gzip"]).unwrap();
        assert_eq!(server.last().all("accept-encoding"), ["br, gzip"]);
    }
    let error = OAuth::new().config("AcceptEncoding=zip").unwrap_err().to_string();
    assert!(
        error.starts_with("this is no value of AcceptEncoding: it takes a list of gzip, deflate and br"),
        "{error}"
    );
}

#[test]
fn row_compress_http_request() {
    let server = Server::answering(token());
    for engine in ENGINES {
        get(&server.url("/token"), engine, &[]).unwrap();
        assert!(server.last().all("content-encoding").is_empty());
        get(&server.url("/token"), engine, &["CompressHTTPRequest=true"]).unwrap();
        assert_eq!(server.last().all("content-encoding"), ["gzip"]);
        assert_eq!(server.last().body[..2], [0x1f, 0x8b]);
    }
}

#[test]
fn row_use_chunked_encoding() {
    let server = Server::answering(token());
    for engine in ENGINES {
        get(&server.url("/token"), engine, &[]).unwrap();
        let plain = server.last();
        assert!(plain.all("transfer-encoding").is_empty() && !plain.all("content-length").is_empty());
        get(&server.url("/token"), engine, &["UseChunkedEncoding=true", "ChunkSize=10"]).unwrap();
        let chunked = server.last();
        assert!(chunked.all("content-length").is_empty() && chunked.chunks.len() > 1, "{chunked:?}");
        assert_eq!((chunked.chunks[0], chunked.body), (10, plain.body));
    }
}

#[test]
fn row_chunk_size_on_the_wire() {
    let server = Server::answering(token());
    for engine in ENGINES {
        for (lines, chunks) in [
            (&["UseChunkedEncoding=true"][..], &[29][..]),
            (&["UseChunkedEncoding=true", "ChunkSize=10"], &[10, 10, 9]),
            (&["UseChunkedEncoding=true", "ChunkSize=20"], &[20, 9]),
            // Chunks alone have a size.
            (&["ChunkSize=10"], &[]),
        ] {
            get(&server.url("/token"), engine, lines).unwrap();
            let seen = server.last();
            assert_eq!(
                (&*seen.chunks, &*seen.body),
                (chunks, &b"grant_type=client_credentials"[..]),
                "{engine} {lines:?}"
            );
        }
    }
}

/// Connections serve further requests; on isahc those alone that may be sent twice, such as these.
#[test]
fn row_keep_alive() {
    for engine in ENGINES {
        for (lines, connections) in [(&[][..], 2), (&["KeepAlive=true", "ReuseSSLSession=true"], 1)] {
            let server = redirecting();
            let oauth = asks(&server, engine, "/end", lines);
            for _ in 0..2 {
                oauth.config("ValidateToken=t").unwrap();
            }
            assert_eq!(server.connections(), connections, "{engine} {lines:?}");
        }
    }
    let server = Server::answering(token());
    let oauth = client_with(&server.url("/token"), "true", &["KeepAlive=true"]);
    refused(&oauth, "KeepAlive", "ReuseSSLSession");
    assert_eq!(server.connections(), 0);
}

#[test]
fn row_connected() {
    for engine in ENGINES {
        let server = redirecting();
        let oauth = asks(&server, engine, "/end", &[]);
        assert!(!oauth.connected());
        oauth.config("ValidateToken=t").unwrap();
        assert!(!oauth.connected(), "{engine}: a connection serves one request by default");
        set(&oauth, &["KeepAlive=true", "ReuseSSLSession=true"]);
        oauth.config("ValidateToken=t").unwrap();
        assert!(oauth.connected(), "{engine}");
        oauth.disconnect();
        assert!(!oauth.connected(), "{engine}");
        // What is set has the connections made anew, too.
        oauth.config("ValidateToken=t").unwrap();
        assert!(oauth.connected(), "{engine}");
        set(&oauth, &["UserAgent=x"]);
        assert!(!oauth.connected(), "{engine}");
    }
}

#[test]
fn row_http_version_on_the_wire() {
    let server = Server::answering(token());
    for engine in ENGINES {
        for (version, line) in [("1.0", "POST /token HTTP/1.0"), ("1.1", "POST /token HTTP/1.1")] {
            get(&server.url("/token"), engine, &[&format!("HTTPVersion={version}")]).unwrap();
            assert_eq!(server.last().line(), line, "{engine}");
        }
    }
    if !cfg!(feature = "http2") {
        for (lines, name) in [
            (&["HTTPVersion=2.0"][..], "HTTPVersion"),
            (&["HTTPVersion=2.0", "AllowHTTPFallback=false"], "HTTPVersion"),
            (&["HTTP2HeadersWithoutIndexing=x-one"], "HTTP2HeadersWithoutIndexing"),
        ] {
            refused(&client_with(&server.url("/token"), "false", lines), name, "feature `http2`");
        }
    }
    refused_by_isahc(&["HTTPVersion=2.0", "AllowHTTPFallback=false"], "AllowHTTPFallback");
    refused_by_isahc(&["HTTP2HeadersWithoutIndexing=x-one"], "HTTP2HeadersWithoutIndexing");
}

/// A component that asks a token info service at this path.
fn asks(server: &Server, engine: &str, path: &str, lines: &[&str]) -> OAuth {
    let oauth = client_with(&server.url("/token"), engine, lines);
    set(&oauth, &[&format!("TokenInfoURL={}", server.url(path))]);
    oauth
}

/// `/a` sends on to `/b`, and so on; `/end` answers.
fn redirecting() -> Server {
    Server::new(|connection| {
        while let Some(seen) = connection.request()? {
            let path = seen.line().split([' ', '?']).nth(1).unwrap_or_default();
            let answer = match path {
                "/a" => response("302 Found", "location: /b\r\n", b""),
                "/b" => response("302 Found", "location: /end\r\n", b""),
                _ => response("200 OK", "", br#"{"aud":"client","expires_in":60}"#),
            };
            connection.stream.write_all(&answer)?;
        }
        Ok(())
    })
}

#[test]
fn row_follow_redirects() {
    for engine in ENGINES {
        let server = redirecting();
        let oauth = asks(&server, engine, "/a", &[]);
        oauth
            .config(&format!("ValidateToken={ACCESS_TOKEN}"))
            .expect_err("no redirect is followed by default");
        assert_eq!(server.seen().len(), 1);
        for mode in ["1", "2"] {
            let server = redirecting();
            let oauth = asks(&server, engine, "/a", &[&format!("FollowRedirects={mode}")]);
            oauth.config(&format!("ValidateToken={ACCESS_TOKEN}")).unwrap();
            assert_eq!(server.seen().len(), 3, "{engine} {mode}");
        }
        // A token request is redirected by nobody.
        let server = Server::answering(response("307 Temporary Redirect", "location: /other\r\n", b""));
        let oauth = client_with(&server.url("/token"), engine, &[]);
        oauth.set_follow_redirects(Redirects::Always);
        assert_eq!(
            (oauth.follow_redirects(), read(&oauth, "FollowRedirects").as_str()),
            (Redirects::Always, "1")
        );
        oauth.get_authorization().unwrap_err();
        assert_eq!(server.seen().len(), 1, "{engine}");
    }
}

#[test]
fn row_max_redirect_attempts_on_the_wire() {
    for engine in ENGINES {
        // There are two on the way.
        for (lines, most) in [(&[][..], 2), (&["MaxRedirectAttempts=2"], 2), (&["MaxRedirectAttempts=1"], 1)]
        {
            let server = redirecting();
            let oauth = asks(&server, engine, "/a", &[&["FollowRedirects=1"], lines].concat());
            let result = oauth.config(&format!("ValidateToken={ACCESS_TOKEN}"));
            assert_eq!(server.seen().len(), most + 1, "{engine} {lines:?}");
            match result {
                Ok(_) => assert_eq!(most, 2, "{engine} {lines:?}"),
                Err(error) => assert!(
                    most == 1 && error.to_string().contains("redirected more than 1 times"),
                    "{error}"
                ),
            }
        }
    }
}

/// It has nothing to turn: what has a body is not redirected (RFC 9700 section 4.12), and what has none is a GET.
#[test]
fn row_get_on302_redirect_on_the_wire() {
    for engine in ENGINES {
        let server = redirecting();
        let oauth = asks(&server, engine, "/a", &["FollowRedirects=1", "GetOn302Redirect=false"]);
        let error = oauth.config("GetOn302Redirect=true").unwrap_err();
        assert!(matches!(&error, ComponentError::Refused { name: "GetOn302Redirect", .. }), "{error}");
        oauth.config("ValidateToken=t").unwrap();
        assert_eq!(server.seen().len(), 3, "{engine}");
        assert!(server.seen().iter().all(|seen| seen.line().starts_with("GET ")), "{engine}");
        let server = Server::answering(response("302 Found", "location: /other\r\n", b""));
        get(&server.url("/token"), engine, &["FollowRedirects=1"]).unwrap_err();
        assert_eq!(server.seen().len(), 1, "{engine}");
    }
}

#[test]
fn row_if_modified_since() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    for engine in ENGINES {
        let server = redirecting();
        let oauth = asks(&server, engine, "/end", &[]);
        oauth.config("ValidateToken=t").unwrap();
        assert!(server.last().all("if-modified-since").is_empty());
        set(&oauth, &[&format!("IfModifiedSince={date}")]);
        oauth.config("ValidateToken=t").unwrap();
        assert_eq!(server.last().all("if-modified-since"), [date]);
        assert_eq!(read(&oauth, "IfModifiedSince"), date);
    }
    let error = OAuth::new().config("IfModifiedSince=yesterday").unwrap_err().to_string();
    assert!(error.starts_with("this is no value of IfModifiedSince: it takes a date such as"), "{error}");
}

#[test]
fn row_encode_url() {
    let server = Server::answering(token());
    for engine in ENGINES {
        let oauth = client_with(&server.url("/a b/ü\"?x={y}"), engine, &[]);
        refused(&oauth, "server_token_url", "EncodeURL");
        // As with fewer slashes, which a URL may have.
        oauth.set_server_token_url(server.url("/a b").replacen("//", "/", 1));
        refused(&oauth, "server_token_url", "EncodeURL");
        oauth.set_server_token_url(server.url("/a b/ü\"?x={y}"));
        set(&oauth, &["EncodeURL=true"]);
        oauth.get_authorization().unwrap();
        assert_eq!(server.last().line(), "POST /a%20b/%C3%BC%22?x=%7By%7D HTTP/1.1");
    }
    assert_eq!(server.seen().len(), ENGINES.len());
}

#[test]
fn row_max_line_length_on_the_wire() {
    let long = format!("x-long: {}\r\n", "x".repeat(3000));
    let server = Server::answering(response("200 OK", &long, &token_body()));
    for engine in ENGINES {
        get(&server.url("/token"), engine, &[]).unwrap();
        get(&server.url("/token"), engine, &["MaxLineLength=4000"]).unwrap();
        let error = get(&server.url("/token"), engine, &["MaxLineLength=2048"]).unwrap_err().to_string();
        assert!(error.contains("2048"), "{engine}: {error}");
    }
}

#[test]
fn row_transferred_data_limit() {
    let server = Server::answering(token());
    let length = token_body().len();
    for engine in ENGINES {
        get(&server.url("/token"), engine, &[&format!("TransferredDataLimit={length}")]).unwrap();
        let error = get(&server.url("/token"), engine, &["TransferredDataLimit=10"]).unwrap_err().to_string();
        assert!(error.contains("10"), "{engine}: {error}");
    }
    assert_eq!(read(&OAuth::new(), "TransferredDataLimit"), "1048576");
}

#[test]
fn row_use_platform_http_client() {
    let server = Server::answering(token());
    let oauth = client_with(&server.url("/token"), "true", &["LocalPort=20000"]);
    let why =
        if cfg!(feature = "isahc") { "the transport isahc" } else { "built without the transport isahc" };
    let error = oauth.get_authorization().unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn row_timeout() {
    let server = Server::new(|connection| {
        connection.request()?;
        thread::sleep(Duration::from_secs(5));
        Ok(())
    });
    for engine in ENGINES {
        for absolute in ["AbsoluteTimeout=false", "AbsoluteTimeout=true"] {
            let oauth = client_with(&server.url("/token"), engine, &[absolute]);
            assert_eq!(oauth.timeout(), Some(Duration::from_secs(60)));
            oauth.set_timeout(Some(Duration::from_millis(300)));
            let begun = Instant::now();
            oauth.get_authorization().unwrap_err();
            assert!(begun.elapsed() < Duration::from_secs(4), "{engine} {absolute}");
        }
    }
    // For ever is no limit that an engine could not take, and none at all is refused by name.
    let quick = Server::answering(token());
    for engine in ENGINES {
        let oauth = client_with(&quick.url("/token"), engine, &[]);
        oauth.set_timeout(None);
        oauth.get_authorization().unwrap();
        oauth.set_timeout(Some(Duration::ZERO));
        refused(&oauth, "timeout", "set a longer one");
    }
}

#[test]
fn row_bytes_transferred() {
    for engine in ENGINES {
        let (go_on, waits) = mpsc::channel::<()>();
        let waits = std::sync::Mutex::new(waits);
        let server = Server::new(move |connection| {
            connection.request()?;
            let answer = token();
            let half = answer.len() - 20;
            connection.stream.write_all(&answer[..half])?;
            let _ = waits.lock().unwrap().recv_timeout(Duration::from_secs(10));
            connection.stream.write_all(&answer[half..])
        });
        let oauth = client_with(&server.url("/token"), engine, &[]);
        assert_eq!(read(&oauth, "BytesTransferred"), "0");
        thread::scope(|scope| {
            let call = scope.spawn(|| oauth.get_authorization());
            let part = (token_body().len() - 20).to_string();
            let until = Instant::now() + Duration::from_secs(9);
            while read(&oauth, "BytesTransferred") != part {
                assert!(Instant::now() < until, "{engine}: {} of {part}", read(&oauth, "BytesTransferred"));
                thread::sleep(Duration::from_millis(10));
            }
            assert!(!oauth.idle());
            go_on.send(()).unwrap();
            call.join().unwrap().unwrap();
        });
        assert_eq!(read(&oauth, "BytesTransferred"), token_body().len().to_string());
        let error = oauth.config("BytesTransferred=1").unwrap_err().to_string();
        assert!(error.starts_with("BytesTransferred cannot be set"), "{error}");
    }
}

#[test]
fn row_idle() {
    let server = Server::answering(token());
    let oauth = client(&server.url("/token"));
    assert!(oauth.idle());
    oauth.get_authorization().unwrap();
    assert!(oauth.idle());
}

#[test]
fn row_local_host() {
    let server = Server::answering(token());
    let local: IpAddr = [127, 0, 0, 2].into();
    for engine in ENGINES {
        get(&server.url("/token"), engine, &[]).unwrap();
        assert_eq!(server.last().peer.ip(), IpAddr::from([127, 0, 0, 1]));
        let oauth = client_with(&server.url("/token"), engine, &["LocalHost=127.0.0.2"]);
        oauth.get_authorization().unwrap();
        assert_eq!((server.last().peer.ip(), oauth.local_host()), (local, Some(local)));
        oauth.set_local_host(None);
        oauth.get_authorization().unwrap();
        assert_ne!(server.last().peer.ip(), local);
    }
    let error = OAuth::new().config("LocalHost=eth0").unwrap_err().to_string();
    assert!(error.starts_with("this is no value of LocalHost: it takes an address such as"), "{error}");
}

#[test]
fn row_local_port() {
    let server = Server::answering(token());
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &[]);
        assert_eq!(read(&oauth, "LocalPort"), "0");
        oauth.get_authorization().unwrap();
        assert_eq!(
            read(&oauth, "LocalPort"),
            server.last().peer.port().to_string(),
            "{engine}: it is read back"
        );
    }
    // Below the ports that the system hands out.
    let port = NonZeroU16::new(10_000 + u16::try_from(std::process::id() % 20_000).unwrap()).unwrap();
    let oauth = client_with(&server.url("/token"), "false", &[&format!("LocalPort={port}")]);
    oauth.get_authorization().unwrap();
    assert_eq!((server.last().peer.port(), read(&oauth, "LocalPort")), (port.get(), port.to_string()));
    refused_by_isahc(&["LocalPort=20000"], "LocalPort");
}

/// What a setting puts at risk, or leaves out, is told by each engine that is made with it, and to nobody's terminal.
#[test]
fn what_the_network_puts_at_risk_or_leaves_out_is_told_as_an_event() {
    let server = Server::answering(token());
    let warned = |lines: &[&str]| -> Vec<String> {
        let oauth = client_with(&server.url("/token"), "false", lines);
        let events = oauth.observe();
        oauth.get_authorization().unwrap();
        let told = events.try_iter().map(|event| format!("{event:?}"));
        told.filter(|event| event.contains("warning: ") && !event.contains("plain http")).collect()
    };
    let whole = ["SSLEnabledProtocols=15360", "TLS13KeyShareGroups=secp384r1"];
    for harmless in
        ["SSLSecurityFlags=0", "TransferredDataLimit=9000", "UserAgent=me"].into_iter().chain(whole)
    {
        assert_eq!(warned(&[harmless]), Vec::<String>::new(), "{harmless}");
    }
    for (setting, danger) in [
        ("SSLSecurityFlags=0x1", "SSLSecurityFlags: anybody on the way"),
        ("TransferredDataLimit=0", "TransferredDataLimit: without a limit"),
        ("SSLEnabledProtocols=4032", "SSLEnabledProtocols: SSL and TLS before 1.2 are left out"),
        ("TLS13KeyShareGroups=x25519;secp256r1", "TLS13KeyShareGroups: only the first"),
    ] {
        let told = warned(&[setting]);
        assert!(told.len() == 1 && told[0].contains(danger), "{setting}: {told:?}");
    }
}
