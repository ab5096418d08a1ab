//! What connections, proxies and HTTP are told arrives on the wire.
#![allow(missing_docs, reason = "these are tests")]

mod wire;

use oauth_core::{Delivered, Purpose, Request, SecretBytes, UnreachableKind};
use oauth_transport::{
    Addresses, BytesPerSecond, ConnectionStatus, Direction, EventHandler, EventSink, Firewall, FirewallKind,
    Http, HttpVersion, KeepAlive, LogLevel, Outcome, Proxies, Proxy, ProxyAuthentication, Setting, Settings,
    SettingsError, Support, Tcp, Transfer, Transport as _,
};
use oauth_transport_isahc::IsahcTransport;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use wire::{Authority, OK, answering, assert_fails, builder, endpoint, get, post, read_request, send, serve};

fn tcp(change: impl FnOnce(&mut Tcp)) -> Settings {
    let mut tcp = Tcp::default();
    change(&mut tcp);
    Settings::new().with_tcp(tcp)
}

fn http(change: impl FnOnce(&mut Http)) -> Settings {
    let mut http = Http::default();
    change(&mut http);
    Settings::new().with_http(http)
}

/// Tells of each request where it came from, and its head.
fn telling() -> (SocketAddr, Receiver<(SocketAddr, String)>) {
    let (told, heard) = channel();
    let address = serve(move |mut stream| {
        let peer = stream.peer_addr()?;
        loop {
            let head = read_request(&mut stream)?;
            told.send((peer, head)).unwrap();
            stream.write_all(OK)?;
        }
    });
    (address, heard)
}

fn form(url: &str, length: usize) -> Request {
    Request::form(Purpose::Token, endpoint(url), SecretBytes::new(vec![b'x'; length]))
}

// --- TCP --------------------------------------------------------------------------------------------------------------

#[test]
fn a_local_address_that_cannot_be_had_is_told() {
    let (server, heard) = telling();
    let settings = tcp(|tcp| tcp.local_address = Some([192, 0, 2, 1].into()));
    let result = send(settings, post(&format!("http://{server}/")));
    let text = assert_fails(result, UnreachableKind::Connect, Delivered::No);
    assert!(text.contains("192.0.2.1"), "{text}");
    assert!(heard.try_recv().is_err());
}

#[test]
fn only_addresses_of_the_family_that_is_set_are_tried() {
    let listener = TcpListener::bind(("::1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = channel();
    for listener in [listener, TcpListener::bind(("127.0.0.1", port)).unwrap()] {
        let told = told.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                told.send(stream.local_addr().unwrap().is_ipv6()).unwrap();
                let _ = read_request(&mut stream);
                let _ = stream.write_all(OK);
            }
        });
    }
    for (addresses, v6) in [(Addresses::V4, false), (Addresses::V6, true)] {
        send(tcp(|tcp| tcp.addresses = addresses), get(&format!("http://localhost:{port}/"))).unwrap();
        assert_eq!(heard.recv().unwrap(), v6, "{addresses:?}");
    }
}

fn interval(interval: Duration) -> KeepAlive {
    let mut probes = KeepAlive::default();
    probes.interval = Some(interval);
    probes
}

#[test]
fn an_interval_that_the_system_would_not_take_is_refused() {
    for bad in [Duration::ZERO, Duration::from_secs(40_000)] {
        let error = IsahcTransport::new(tcp(|tcp| tcp.keep_alive = Some(interval(bad)))).unwrap_err();
        assert!(matches!(error, SettingsError::Value { setting: Setting::KeepAliveInterval, .. }), "{error}");
    }
}

// --- time -------------------------------------------------------------------------------------------------------------

const SHORT: Duration = Duration::from_millis(400);

#[test]
fn silence_after_a_request_without_a_body_counts_from_when_its_connection_has_to_stand() {
    let server = serve(|mut stream| {
        read_request(&mut stream)?;
        stream.read(&mut [0]).map(drop)
    });
    let start = Instant::now();
    let settings = Settings::new().with_inactivity_timeout(SHORT).with_connect_timeout(SHORT);
    let result = send(settings, get(&format!("http://{server}/")));
    assert_fails(result, UnreachableKind::Timeout, Delivered::Unknown);
    assert!(
        start.elapsed() >= 2 * SHORT && start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn the_total_timeout_holds_while_the_rate_holds_back() {
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 6000\r\n\r\n{}", "x".repeat(6000)).leak();
    let server = answering(answer.as_bytes());
    let settings =
        tcp(|tcp| tcp.rate = NonZeroU64::new(3000).map(BytesPerSecond::new)).with_total_timeout(SHORT);
    let start = Instant::now();
    let result = send(settings, get(&format!("http://{server}/")));
    assert_fails(result, UnreachableKind::Timeout, Delivered::Unknown);
    assert!(start.elapsed() >= SHORT && start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn what_the_rate_holds_back_is_no_silence() {
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{}", "x".repeat(400)).leak();
    let server = answering(answer.as_bytes());
    let settings = tcp(|tcp| tcp.rate = NonZeroU64::new(150).map(BytesPerSecond::new));
    let settings = settings.with_inactivity_timeout(SHORT / 4);
    let start = Instant::now();
    send(settings, form(&format!("http://{server}/"), 400)).unwrap();
    assert!(start.elapsed() > Duration::from_secs(2), "{:?}", start.elapsed());
}

// --- firewalls --------------------------------------------------------------------------------------------------------

#[test]
fn a_firewall_that_cannot_be_reached_or_refuses_is_told() {
    let refusing = serve(|mut stream| {
        stream.read_exact(&mut [0; 3])?;
        stream.write_all(&[5, 0xff])
    });
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [refusing, nobody] {
        let port = NonZeroU16::new(address.port());
        let firewall = Firewall::new(FirewallKind::Socks5, "127.0.0.1", port).unwrap();
        let settings = Settings::new().with_firewall(firewall.with_credentials("anna", "planted"));
        let text = assert_fails(
            send(settings, post("https://as.example/token")),
            UnreachableKind::Proxy,
            Delivered::No,
        );
        assert!(text.contains("the firewall could not be reached"), "{text}");
    }
}

// --- proxies ----------------------------------------------------------------------------------------------------------

fn digest(proxy: SocketAddr) -> Settings {
    let proxy = Proxy::new(&format!("http://anna:planted@{proxy}")).unwrap();
    Settings::new().with_proxies(Proxies::through(proxy).authenticated_by(ProxyAuthentication::Digest))
}

/// Asks for each of the challenges in turn, then lets the request through.
fn challenging(
    challenges: &'static [&'static str],
    through: &'static [u8],
) -> (SocketAddr, Receiver<String>) {
    let (told, heard) = channel();
    let address = serve(move |mut stream| {
        for challenge in challenges {
            told.send(read_request(&mut stream)?).unwrap();
            write!(
                stream,
                "HTTP/1.1 407 No\r\nproxy-authenticate: {challenge}\r\ncontent-length: 0\r\n\r\n"
            )?;
        }
        told.send(read_request(&mut stream)?).unwrap();
        stream.write_all(through)
    });
    (address, heard)
}

const FIRST: &str = r#"Digest realm="x", qop="auth", algorithm=SHA-256, nonce="first""#;

fn authorization(head: &str) -> Option<&str> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
    })
}

#[test]
fn digest_proves_the_password_and_does_not_tell_it() {
    let (proxy, heard) = challenging(&[FIRST], OK);
    assert_eq!(send(digest(proxy), get("http://127.0.0.1:1/")).unwrap().body(), b"{}");
    let heads: Vec<_> = heard.iter().take(2).collect();
    assert_eq!(authorization(&heads[0]), None);
    let proof = authorization(&heads[1]).unwrap();
    for part in ["Digest ", "username=\"anna\"", "nonce=\"first\"", "response=\"", "algorithm=SHA-256"] {
        assert!(proof.contains(part), "{part}: {proof}");
    }
    assert!(!proof.contains("planted"), "{proof}");
}

#[test]
fn a_body_is_not_left_out_to_be_asked_for_digest() {
    let (proxy, heard) = challenging(&[], OK);
    let result = send(digest(proxy), post("http://127.0.0.1:1/"));
    let text = assert_fails(result, UnreachableKind::Unsupported, Delivered::No);
    assert!(text.contains("Digest") && text.contains("hyper"), "{text}");
    assert!(heard.try_recv().is_err());
}

// --- HTTP -------------------------------------------------------------------------------------------------------------

#[test]
fn bodies_go_out_in_chunks_where_that_is_set() {
    for (size, length) in [(7, 30), (1000, 5000), (16_384, 40_000), (1 << 20, 9), (5, 0)] {
        let (told, heard) = channel();
        let server = serve(move |mut stream| {
            let head = read_request(&mut stream)?;
            let mut chunks = Vec::new();
            loop {
                let mut line = Vec::new();
                while !line.ends_with(b"\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte)?;
                    line.push(byte[0]);
                }
                let line = String::from_utf8(line).unwrap();
                let size = usize::from_str_radix(line.trim(), 16).unwrap();
                let mut chunk = vec![0; size + 2];
                stream.read_exact(&mut chunk)?;
                if size == 0 {
                    break;
                }
                chunks.push(size);
            }
            told.send((head.to_ascii_lowercase(), chunks)).unwrap();
            stream.write_all(OK)
        });
        let settings = http(|http| http.upload_chunk = NonZeroUsize::new(size));
        send(settings, form(&format!("http://{server}/"), length)).unwrap();
        let (head, chunks) = heard.recv().unwrap();
        assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
        assert!(!head.contains("content-length") && !head.contains("expect"), "{head}");
        assert_eq!(chunks.iter().sum::<usize>(), length);
        let (last, whole) = chunks.split_last().unwrap_or((&0, &[]));
        assert!(whole.iter().all(|&chunk| chunk == size) && *last <= size, "{size}: {chunks:?}");
    }
}

#[test]
fn chunks_need_the_version_that_has_them() {
    for version in [HttpVersion::Http10, HttpVersion::Http2] {
        let settings = http(|http| {
            http.version = version;
            http.upload_chunk = NonZeroUsize::new(9);
        });
        let error = IsahcTransport::new(settings).unwrap_err();
        assert!(matches!(error, SettingsError::Value { setting: Setting::ChunkedUpload, .. }), "{error}");
    }
}

#[test]
fn a_line_of_a_head_may_be_as_long_as_is_set() {
    let server = answering(b"HTTP/1.1 200 OK\r\nx: yyyyyyyyyyyyyyyyyyyy\r\ncontent-length: 2\r\n\r\n{}");
    for (limit, fits) in [(22, false), (23, true)] {
        let settings = http(|http| http.max_line = NonZeroUsize::new(limit));
        let result = send(settings, get(&format!("http://{server}/")));
        if fits {
            result.unwrap();
        } else {
            assert_fails(result, UnreachableKind::TooLarge, Delivered::Unknown);
        }
    }
}

/// A server of HTTP/2 that knows one answer (RFC 9113).
fn http2(authority: &Authority, told: Sender<Vec<u8>>) -> SocketAddr {
    let (chain, key) = authority.server_certificate();
    let mut config = builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let config = Arc::new(config);
    serve(move |stream| {
        let mut stream =
            rustls::StreamOwned::new(rustls::ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let mut preface = [0; 24];
        stream.read_exact(&mut preface)?;
        told.send(preface.to_vec()).unwrap();
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])?;
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head)?;
            let length = usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; length];
            stream.read_exact(&mut payload)?;
            match (head[3], head[4]) {
                (4, 0) => stream.write_all(&[0, 0, 0, 4, 1, 0, 0, 0, 0])?,
                // The end of a stream: 204 by its index in the static table (RFC 7541), with nothing after it; or 200.
                (0 | 1, flags) if flags & 1 == 1 => {
                    let status = if told.send(payload).is_ok() { 0x88 } else { 0x89 };
                    let mut answer = vec![0, 0, 1, 1, 5];
                    answer.extend(&head[5..]);
                    answer.push(status);
                    stream.write_all(&answer)?;
                }
                _ => {}
            }
        }
    })
}

#[test]
fn http_2_is_spoken_to_servers_that_choose_it_and_an_empty_body_is_whole() {
    let authority = Authority::new();
    let (told, heard) = channel();
    let server = http2(&authority, told);
    let version_2 = || http(|http| http.version = HttpVersion::Http2).with_extra_root_der(authority.der());
    let response = send(version_2(), post(&format!("https://{server}/"))).unwrap();
    assert_eq!((response.version(), response.body()), (http::Version::HTTP_2, &b""[..]));
    assert_eq!(heard.recv().unwrap(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(heard.recv().unwrap(), b"code=planted");

    let old = authority.server(true);
    let response = send(version_2(), post(&old)).unwrap();
    assert_eq!((response.version(), response.body()), (http::Version::HTTP_11, &b"{}"[..]));
}

#[test]
fn requests_of_http_2_at_once_have_a_connection_each() {
    let authority = Authority::new();
    let (told, heard) = channel();
    let url = format!("https://{}/", http2(&authority, told));
    let settings = http(|http| http.version = HttpVersion::Http2).with_extra_root_der(authority.der());
    let transport = IsahcTransport::new(settings).unwrap();
    smol::block_on(async {
        let (one, two) = smol::future::zip(transport.send(post(&url)), transport.send(post(&url))).await;
        assert_eq!(
            (one.unwrap().status(), two.unwrap().status()),
            (http::StatusCode::OK, http::StatusCode::OK)
        );
    });
    assert_eq!(heard.iter().take(4).filter(|told| told.starts_with(b"PRI ")).count(), 2);
}

#[test]
fn an_unnamed_agent_is_refused_rather_than_named_by_isahc() {
    let error = IsahcTransport::new(Settings::new().without_user_agent()).unwrap_err().to_string();
    assert!(error.contains("User-Agent") && error.contains("the transport hyper can"), "{error}");
}

#[test]
fn an_empty_body_that_may_have_arrived_is_not_called_undelivered() {
    let server = answering(b"");
    let url = format!("http://{server}/");
    let empty = Request::form(Purpose::Token, endpoint(&url), SecretBytes::new(b""));
    let registered = Request::get(Purpose::Registration, endpoint(&url));
    for request in [empty, registered, Request::delete(Purpose::Registration, endpoint(&url))] {
        assert_fails(send(Settings::new(), request), UnreachableKind::Broken, Delivered::Unknown);
    }
}

#[test]
fn whatever_is_not_carried_says_why_and_who_can() {
    for setting in Setting::ALL {
        let Support::Unsupported(why) = IsahcTransport::supports(*setting) else { continue };
        let decided_elsewhere =
            matches!(setting, Setting::ProxyNtlm | Setting::ProxyNegotiate | Setting::KerberosServiceName);
        assert!(decided_elsewhere || why.contains("; the transport hyper can"), "{setting}: {why}");
    }
}

// --- events -----------------------------------------------------------------------------------------------------------

#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl EventHandler for Diary {
    fn on_connected(&mut self, outcome: &Outcome<'_>) {
        self.note(format!("connected {}", matches!(outcome, Outcome::Ok)));
    }

    fn on_connection_status(&mut self, status: ConnectionStatus, _: &Outcome<'_>) {
        self.note(format!("{status:?}"));
    }

    fn on_disconnected(&mut self, outcome: &Outcome<'_>) {
        self.note(format!("disconnected {}", matches!(outcome, Outcome::Ok)));
    }

    fn on_start_transfer(&mut self, direction: Direction) {
        self.note(format!("start {direction:?}"));
    }

    fn on_transfer(&mut self, transfer: &Transfer<'_>) {
        self.note(format!(
            "{:?} {} of {:?}: {}",
            transfer.direction,
            transfer.bytes,
            transfer.total,
            String::from_utf8_lossy(transfer.text)
        ));
    }

    fn on_end_transfer(&mut self, direction: Direction) {
        self.note(format!("end {direction:?}"));
    }

    fn on_header(&mut self, name: &http::HeaderName, value: &http::HeaderValue) {
        self.note(format!("{name}: {}", value.to_str().unwrap()));
    }

    fn on_status(&mut self, version: http::Version, status: http::StatusCode) {
        self.note(format!("{version:?} {status}"));
    }
}

#[test]
fn events_are_told_in_their_order() {
    let diary = Diary::default();
    let (server, _heard) = telling();
    let settings = Settings::new().with_events(EventSink::new(diary.clone(), LogLevel::None));
    let transport = IsahcTransport::new(settings.clone()).unwrap();
    let response = [
        "HTTP/1.1 200 OK",
        "content-length: 2",
        "start Received",
        "Received 2 of Some(2): {}",
        "end Received",
    ];
    let connected = ["HostConnected", "connected true"];
    let disconnected = ["HostDisconnected", "disconnected true"];
    smol::block_on(transport.send(get(&format!("http://{server}/")))).unwrap();
    assert_eq!(diary.take(), [&connected[..], &response].concat());
    smol::block_on(transport.send(get(&format!("http://{server}/")))).unwrap();
    assert_eq!(diary.take(), response);
    smol::block_on(transport.send(post(&format!("http://{server}/")))).unwrap();
    let sent = ["start Sent", "Sent 12 of Some(12): ", "end Sent"];
    assert_eq!(diary.take(), [&connected[..], &sent, &response, &disconnected].concat());
    drop(transport);
    assert_eq!(diary.take(), disconnected);

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    send(settings.clone(), post(&format!("http://{nobody}/"))).unwrap_err();
    assert_eq!(diary.take(), ["connected false"]);

    let silent = answering(b"");
    send(settings, post(&format!("http://{silent}/"))).unwrap_err();
    let broken = ["HostDisconnected", "disconnected false"];
    assert_eq!(diary.take(), [&connected[..], &sent, &broken].concat());
}
