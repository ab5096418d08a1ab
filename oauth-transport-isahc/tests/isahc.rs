//! What the contract does not ask for, and what libcurl does differently.
#![allow(missing_docs, reason = "these are tests")]

mod wire;

use http::{HeaderName, HeaderValue};
use oauth_core::{Delivered, Purpose, Request, SecretBytes, UnreachableKind};
use oauth_transport::{Proxies, Settings, SettingsError, Transport as _};
use oauth_transport_isahc::IsahcTransport;
use smol::channel::{Sender, unbounded};
use std::io::{Read as _, Write as _};
use std::process::{Command, Output};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, process};
use wire::{Authority, OK, answering, assert_fails, endpoint, get, post, read_request, send, serve, through};

const CHILD: &str = "OAUTH_TRANSPORT_ISAHC_CHILD";

// --- trust ------------------------------------------------------------------------------------------------------------

#[test]
fn extra_roots_are_trusted_beside_each_other() {
    let authority = Authority::new();
    let server = authority.server(true);
    for settings in [
        Settings::new().with_extra_roots_pem(authority.0.pem().as_bytes()).unwrap(),
        Settings::new().with_extra_root_der(authority.der()),
        // Of one name: the identifiers tell them apart.
        Settings::new().with_extra_root_der(Authority::new().der()).with_extra_root_der(authority.der()),
        Settings::new().with_extra_root_der(authority.der()).with_extra_root_der(Authority::new().der()),
    ] {
        assert_eq!(send(settings, post(&server)).unwrap().body(), b"{}");
    }
    let stranger = Settings::new().with_extra_root_der(Authority::new().der());
    assert_fails(send(stranger, post(&server)), UnreachableKind::Tls, Delivered::No);
}

#[test]
fn of_two_roots_of_one_name_openssl_tries_the_first_where_a_certificate_does_not_identify_its_issuer() {
    // RFC 5280 section 4.2.1.1 makes the identifier a must for authorities.
    let authority = Authority::new();
    let server = authority.server(false);
    let alone = Settings::new().with_extra_root_der(authority.der());
    assert_eq!(send(alone, post(&server)).unwrap().body(), b"{}");
    let second =
        Settings::new().with_extra_root_der(Authority::new().der()).with_extra_root_der(authority.der());
    assert_fails(send(second, post(&server)), UnreachableKind::Tls, Delivered::No);
}

#[test]
fn extra_roots_alone_are_refused() {
    let settings = Settings::new().with_extra_root_der(Authority::new().der()).without_platform_roots();
    let error = IsahcTransport::new(settings).unwrap_err();
    assert!(matches!(error, SettingsError::Unsupported { engine: "isahc", .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("extra trust roots alone") && text.contains("use another transport"), "{text}");
}

#[test]
fn platform_roots_are_trusted_with_and_without_extra_ones() {
    if let Ok(server) = env::var(CHILD) {
        let beside = Settings::new().with_extra_root_der(Authority::new().der());
        for settings in [Settings::new(), beside] {
            assert_eq!(send(settings, post(&server)).unwrap().body(), b"{}");
        }
        return;
    }
    let platform = Authority::new();
    let file = env::temp_dir().join(format!("oauth-transport-isahc-{}.pem", process::id()));
    fs::write(&file, platform.0.pem()).unwrap();
    let mut child = again("platform_roots_are_trusted_with_and_without_extra_ones", &platform.server(true));
    child.env("SSL_CERT_FILE", &file).env_remove("SSL_CERT_DIR");
    let output = child.output();
    fs::remove_file(&file).unwrap();
    assert_passed(&output.unwrap());
}

/// The named test in a process of its own, so that its environment is its own.
fn again(test: &str, url: &str) -> Command {
    let mut child = Command::new(env::current_exe().unwrap());
    child.arg(test).arg("--exact").env(CHILD, url);
    child
}

#[track_caller]
fn assert_passed(child: &Output) {
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

// --- proxies ----------------------------------------------------------------------------------------------------------

#[test]
fn exceptions_in_the_environment_are_not_asked_for() {
    if let Ok(proxy) = env::var(CHILD) {
        let settings = Settings::new().with_proxies(through(proxy.parse().unwrap()));
        // Nobody listens on port 1: only the proxy can have answered.
        assert_eq!(send(settings, get("http://127.0.0.1:1/")).unwrap().body(), b"{}");
        return;
    }
    let proxy = answering(OK).to_string();
    let mut child = again("exceptions_in_the_environment_are_not_asked_for", &proxy);
    assert_passed(&child.env("NO_PROXY", "*").env("no_proxy", "*").output().unwrap());
}

#[test]
fn refusal_by_the_proxy_is_told_without_its_status() {
    for answer in [
        &b"HTTP/1.1 301 No\r\nlocation: https://as.example/\r\ncontent-length: 0\r\n\r\n"[..],
        b"HTTP/1.1 403 No\r\ncontent-length: 5\r\nconnection: close\r\n\r\nSorry",
        b"HTTP/1.1 407 No\r\nproxy-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n",
    ] {
        let settings = Settings::new().with_proxies(through(answering(answer)));
        let result = send(settings, post("https://as.example/token"));
        let text = assert_fails(result, UnreachableKind::Proxy, Delivered::No);
        assert!(text.contains("would not connect to the server"), "{text}");
    }
}

#[test]
fn socks_proxies_are_spoken_to() {
    let (told, heard) = mpsc::channel();
    let proxy = serve(move |mut stream| {
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting)?;
        told.send(greeting).unwrap();
        Ok(())
    });
    let proxies =
        Proxies::from_variables(|name| (name == "all_proxy").then(|| format!("socks5h://{proxy}"))).unwrap();
    let result = send(Settings::new().with_proxies(proxies), post("https://as.example/token"));
    assert_fails(result, UnreachableKind::Proxy, Delivered::No);
    // RFC 1928 section 3: the version comes first.
    assert_eq!(heard.recv().unwrap()[0], 5);
}

// --- responses --------------------------------------------------------------------------------------------------------

#[test]
fn broken_chunks_are_a_broken_connection() {
    let server = answering(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n");
    let result = send(Settings::new(), post(&format!("http://{server}/token")));
    assert_fails(result, UnreachableKind::Broken, Delivered::Unknown);
}

#[test]
fn other_nonsense_is_not_http() {
    for answer in [
        &b"SSH-2.0-OpenSSH_9.9\r\n"[..],
        b"<html><body>HTTP/0.9</body></html>\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nno colon\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nx y: z\r\ncontent-length: 2\r\n\r\n{}",
    ] {
        let result = send(Settings::new(), post(&format!("http://{}/token", answering(answer))));
        assert_fails(result, UnreachableKind::NotHttp, Delivered::Unknown);
    }
}

#[test]
fn an_empty_body_counts_where_it_was_announced() {
    for (answer, whole) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..], true),
        // Cannot be told from a head that lacks its last byte.
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", false),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r", false),
        (b"HTTP/1.1 204 No Content\r\n\r\n", true),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", true),
        (b"HTTP/1.1 200 OK\r\n\r\n", false),
        (b"HTTP/1.1 200 OK\r\nserver: x\r\n", false),
        (b"HTTP/1.1 200 OK\r\nserver: x\r\ncontent-le", false),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n", false),
    ] {
        let result = send(Settings::new(), post(&format!("http://{}/token", answering(answer))));
        let shown = String::from_utf8_lossy(answer);
        match result {
            Ok(response) => assert!(whole && response.body().is_empty(), "{shown:?}: {response:?}"),
            Err(error) => assert!(!whole && error.kind == UnreachableKind::Broken, "{shown:?}: {error:?}"),
        }
    }
}

#[test]
fn a_head_of_too_many_lines_or_bytes_is_refused() {
    let many: &'static str = "x: y\r\n".repeat(100).leak();
    let long: &'static str = format!("x: {}\r\n", "y".repeat(64 << 10)).leak();
    let fair: &'static str = format!("x: {}\r\n{}", "y".repeat(60 << 10), "x: y\r\n".repeat(98)).leak();
    for (lines, fits) in [(many, false), (long, false), (fair, true)] {
        let answer = format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\n{{}}").leak();
        let result = send(Settings::new(), get(&format!("http://{}/", answering(answer.as_bytes()))));
        if fits {
            assert_eq!(result.unwrap().headers().len(), 100);
        } else {
            assert_fails(result, UnreachableKind::TooLarge, Delivered::Unknown);
        }
    }
}

// --- requests on their way --------------------------------------------------------------------------------------------

#[test]
fn what_isahc_cannot_send_is_not_sent() {
    let (told, heard) = mpsc::channel();
    let server = serve(move |_| {
        told.send(()).unwrap();
        Ok(())
    });
    let value = HeaderValue::from_bytes(b"caf\xc3\xa9").unwrap();
    let request = post(&format!("http://{server}/")).with_header(HeaderName::from_static("x-place"), value);
    let text = assert_fails(send(Settings::new(), request), UnreachableKind::Unsupported, Delivered::No);
    assert!(text.contains("x-place"), "{text}");
    assert!(heard.try_recv().is_err(), "a connection was made");
}

#[test]
fn an_empty_form_says_so() {
    let (told, heard) = mpsc::channel();
    let server = serve(move |mut stream| {
        told.send(read_request(&mut stream)?).unwrap();
        stream.write_all(OK)
    });
    let request =
        Request::form(Purpose::Token, endpoint(&format!("http://{server}/")), SecretBytes::new(b""));
    send(Settings::new(), request).unwrap();
    let head = heard.recv().unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post / http/1.1\r\n") && head.contains("\r\ncontent-length: 0\r\n"), "{head}");
}

#[test]
fn each_one_shot_request_has_a_connection_of_its_own() {
    let (told, heard) = mpsc::channel();
    let server = serve(move |mut stream| {
        told.send(()).unwrap();
        loop {
            read_request(&mut stream)?;
            stream.write_all(OK)?;
        }
    });
    let transport = IsahcTransport::new(Settings::new()).unwrap();
    smol::block_on(async {
        for _ in 0..3 {
            transport.send(get(&format!("http://{server}/"))).await.unwrap();
            transport.send(post(&format!("http://{server}/"))).await.unwrap();
        }
    });
    assert_eq!(heard.try_iter().count(), 4, "one for the GETs, three for the POSTs");
}

#[test]
fn a_connection_that_never_stands_delivers_nothing() {
    let (keep, kept) = mpsc::channel();
    let server = serve(move |stream| {
        // Open, and silent.
        keep.send(stream).unwrap();
        Ok(())
    });
    let settings = Settings::new().with_connect_timeout(Duration::from_millis(300));
    let start = Instant::now();
    let result = send(settings, post(&format!("https://{server}/token")));
    assert_fails(result, UnreachableKind::Timeout, Delivered::No);
    assert!(start.elapsed() < Duration::from_secs(10));
    drop(kept);
}

#[test]
fn a_limit_below_a_millisecond_is_still_a_limit() {
    let (keep, kept) = mpsc::channel();
    let server = serve(move |stream| {
        keep.send(stream).unwrap();
        Ok(())
    });
    let settings = Settings::new().with_total_timeout(Duration::from_nanos(1));
    let error = send(settings, post(&format!("http://{server}/"))).unwrap_err();
    assert_eq!(error.kind, UnreachableKind::Timeout, "{error:?}");
    drop(kept);
}

#[test]
fn dropping_the_future_of_a_get_closes_its_connection() {
    let (arrived, request_arrived) = unbounded();
    let (closed, connection_closed): (Sender<()>, _) = unbounded();
    let server = serve(move |mut stream| {
        read_request(&mut stream)?;
        arrived.send_blocking(()).unwrap();
        let end = stream.read(&mut [0]);
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
        closed.send_blocking(()).unwrap();
        Ok(())
    });
    let transport = IsahcTransport::new(Settings::new()).unwrap();
    let start = Instant::now();
    smol::block_on(async {
        let sending = async { Some(transport.send(get(&format!("http://{server}/"))).await) };
        let waiting = async {
            request_arrived.recv().await.unwrap();
            None
        };
        assert!(smol::future::or(sending, waiting).await.is_none(), "the server has not answered");
        connection_closed.recv().await.unwrap();
    });
    assert!(start.elapsed() < Duration::from_secs(10), "only the total timeout closed it");
}
