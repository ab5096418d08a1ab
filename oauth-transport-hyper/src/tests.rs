#[cfg(feature = "http2")]
mod http2;

use super::*;
use oauth_core::{Endpoint, OptOut, Policy, Purpose, SecretBytes, UnreachableKind};
use oauth_transport::Proxies;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

fn post(url: &str) -> Request {
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    Request::form(
        Purpose::Token,
        Arc::new(Endpoint::new(url, &policy).unwrap()),
        SecretBytes::new(*b"code=x"),
    )
}

fn proxies(url: &str) -> Proxies {
    Proxies::from_variables(|name| (name == "all_proxy").then(|| url.to_owned())).unwrap()
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads a head, which is all there is of `CONNECT`, or a head and `code=x`.
async fn read_request(stream: &mut (impl AsyncRead + Unpin), end: &[u8]) -> String {
    let mut head = Vec::new();
    while !head.ends_with(end) {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    let request = read_request(stream, b"code=x").await;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    stream.flush().await.unwrap();
    request
}

/// A certificate for both names, and a server's TLS with it.
fn self_signed() -> (Vec<u8>, TlsAcceptor) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned(), "as.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (cert.der().to_vec(), TlsAcceptor::from(Arc::new(config)))
}

#[test]
fn without_a_runtime_it_fails_and_does_not_panic() {
    let transport = HyperTransport::new(Settings::new()).unwrap();
    let mut sending = pin!(transport.send(post("https://as.example/token")));
    let Poll::Ready(Err(error)) = sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("there is nothing to wait for")
    };
    assert_eq!((error.kind, error.delivered), (UnreachableKind::Unsupported, Delivered::No));
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

#[test]
fn a_socks_proxy_takes_no_authentication_of_http() {
    for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
        let proxies = proxies(&format!("{scheme}://user:hunter2@127.0.0.1:1080"));
        HyperTransport::new(Settings::new().with_proxies(proxies.clone())).unwrap();
        let digest = proxies.authenticated_by(oauth_transport::ProxyAuthentication::Digest);
        let error = HyperTransport::new(Settings::new().with_proxies(digest)).unwrap_err().to_string();
        assert!(error.contains("a SOCKS proxy takes a user name and a password"), "{error}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let settings = Settings::new().with_proxies(proxies("http://user:hunter2@proxy.example"));
    let shown = format!("{settings:?} {:?}", HyperTransport::new(settings.clone()).unwrap());
    assert!(shown.contains("proxy.example") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn nothing_is_delivered_before_a_connection_stands() {
    let (_listener, port) = listen().await;
    let short = Duration::from_millis(100);
    for settings in [Settings::new().with_connect_timeout(short), Settings::new().with_total_timeout(short)] {
        let transport = HyperTransport::new(settings).unwrap();
        let error = transport.send(post(&format!("https://127.0.0.1:{port}/"))).await.unwrap_err();
        assert_eq!((error.kind, error.delivered), (UnreachableKind::Timeout, Delivered::No), "{error:?}");
        assert_eq!(error.to_string(), "no response in time: no connection stood within 100ms");
    }
}

#[tokio::test]
async fn a_connection_that_was_idle_for_long_is_closed() {
    let (listener, port) = listen().await;
    let mut transport = HyperTransport::new(Settings::new()).unwrap();
    transport.pool = Arc::new(Pool::new(Duration::from_millis(50)));
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        answer(&mut stream).await;
        stream.read(&mut [0]).await.unwrap()
    });
    transport.send(post(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    // The transport is still here, and nobody asks anything of it.
    let end = timeout(Duration::from_secs(10), server).await.expect("the connection stays open");
    assert_eq!(end.unwrap(), 0);
    assert!(transport.pool.take(&Origin::of(&http::Uri::default(), None)).is_none());
}

#[tokio::test]
async fn an_old_connection_is_not_used_again() {
    let (listener, port) = listen().await;
    let mut transport = HyperTransport::new(Settings::new()).unwrap();
    transport.pool = Arc::new(Pool::new(Duration::ZERO));
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            answer(&mut stream).await;
        }
    });
    for _ in 0..2 {
        transport.send(post(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    }
    server.await.unwrap();
}

#[test]
fn one_transport_serves_one_runtime_after_another() {
    let transport = HyperTransport::new(Settings::new()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = TcpListener::from_std(listener).unwrap();
            for _ in 0..2 {
                let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
                answer(&mut stream).await;
            }
        });
    });
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(transport.send(post(&format!("http://127.0.0.1:{port}/")))).unwrap();
    }
    server.join().unwrap();
}

#[tokio::test]
async fn a_tunnel_goes_through_a_proxy_behind_tls() {
    let (root, acceptor) = self_signed();
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut outer = acceptor.accept(stream).await.unwrap();
        let connect = read_request(&mut outer, b"\r\n\r\n").await;
        outer.write_all(b"HTTP/1.1 201 Connected\r\n\r\n").await.unwrap();
        let mut inner = acceptor.accept(outer).await.unwrap();
        (connect, answer(&mut inner).await)
    });
    let settings = Settings::new()
        .with_extra_root_der(root)
        .without_platform_roots()
        .with_proxies(proxies(&format!("https://127.0.0.1:{port}")));
    let transport = HyperTransport::new(settings).unwrap();
    let response = transport.send(post("https://as.example:8443/token")).await.unwrap();
    assert_eq!(response.body(), b"{}");
    let (connect, request) = server.await.unwrap();
    assert!(connect.starts_with("CONNECT as.example:8443 HTTP/1.1\r\n"), "{connect}");
    assert!(request.starts_with("POST /token HTTP/1.1\r\n"), "{request}");
}

#[tokio::test]
async fn a_proxy_behind_tls_must_be_trusted_too() {
    let (_, acceptor) = self_signed();
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await.err()
    });
    let settings = Settings::new().with_proxies(proxies(&format!("https://127.0.0.1:{port}")));
    let transport = HyperTransport::new(settings).unwrap();
    let error = transport.send(post("https://as.example/token")).await.unwrap_err();
    assert_eq!((error.kind, error.delivered), (UnreachableKind::Proxy, Delivered::No), "{error:?}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    assert!(server.await.unwrap().is_some(), "the handshake was finished");
}

#[tokio::test]
async fn a_long_wait_is_no_longer_than_it_was_set() {
    let (listener, port) = listen().await;
    let limit = Duration::from_millis(100);
    let transport = HyperTransport::new(Settings::new().with_total_timeout(limit)).unwrap();
    let start = Instant::now();
    let error = transport.send(post(&format!("http://127.0.0.1:{port}/"))).await.unwrap_err();
    assert!((limit..limit * 10).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!(
        error.to_string(),
        "no response in time: the request was sent, and no whole response came within 100ms"
    );
    drop(listener);
}

/// Every event that a connection has, as a line.
#[derive(Clone, Default)]
struct Recorder(Arc<std::sync::Mutex<Vec<String>>>);

impl Recorder {
    fn note(&self, what: &str, outcome: &Outcome<'_>) {
        let number = match outcome {
            Outcome::Failed(error) => sources(*error)
                .find_map(|error| error.downcast_ref::<std::io::Error>()?.raw_os_error())
                .map_or_else(|| "failed".to_owned(), |number| number.to_string()),
            _ => "ok".to_owned(),
        };
        self.0.lock().unwrap().push(format!("{what} {number}"));
    }
}

fn sources<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

impl oauth_transport::EventHandler for Recorder {
    fn on_connected(&mut self, outcome: &Outcome<'_>) {
        self.note("connected", outcome);
    }

    fn on_disconnected(&mut self, outcome: &Outcome<'_>) {
        self.note("disconnected", outcome);
    }
}

/// The system's number is where the component's handlers find it.
#[tokio::test]
async fn events_carry_the_error_of_the_system() {
    let recorder = Recorder::default();
    let events = EventSink::new(recorder.clone(), oauth_transport::LogLevel::None);
    let (listener, port) = listen().await;
    let transport = HyperTransport::new(Settings::new().with_events(events)).unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 20]).await.unwrap();
        // What is left unread makes the system reset the connection.
    });
    transport.send(post(&format!("http://127.0.0.1:{port}/"))).await.unwrap_err();
    server.await.unwrap();
    transport.send(post(&format!("http://127.0.0.1:{port}/"))).await.unwrap_err();
    drop(transport);
    let told = recorder.0.lock().unwrap().join(", ");
    // ECONNRESET, ECONNREFUSED.
    assert_eq!(told, "connected ok, disconnected 104, connected 111");
}

/// Closing a socket that lingers makes its thread wait: not one of the runtime.
#[tokio::test]
async fn closing_waits_on_a_thread_of_its_own() {
    let mut tcp = oauth_transport::Tcp::default();
    tcp.linger = oauth_transport::Linger::Wait(Duration::from_secs(3));
    tcp.send_buffer = NonZeroUsize::new(4096);
    let transport = HyperTransport::new(Settings::new().with_tcp(tcp)).unwrap();
    let (listener, port) = listen().await;
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let endpoint = Endpoint::new(&format!("http://127.0.0.1:{port}/"), &policy).unwrap();
    let request = Request::form(Purpose::Token, Arc::new(endpoint), SecretBytes::new(vec![b'x'; 16 << 20]));
    // Nobody reads it, so that there is something to wait for.
    let sending = timeout(Duration::from_millis(300), transport.send(request)).await;
    assert!(sending.is_err(), "{sending:?}");
    let start = Instant::now();
    drop(transport);
    for _ in 0..10 {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(start.elapsed() < Duration::from_secs(1), "the runtime waited {:?}", start.elapsed());
    drop(listener);
}

/// The largest durations there are mean no limit, or the largest that the system takes, and panic nowhere.
#[tokio::test]
async fn the_longest_times_are_carried_or_refused() {
    let mut tcp = oauth_transport::Tcp::default();
    tcp.linger = oauth_transport::Linger::Wait(Duration::MAX);
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move { answer(&mut listener.accept().await.unwrap().0).await });
    let url = format!("http://127.0.0.1:{port}/");
    let settings = Settings::new()
        .with_connect_timeout(Duration::MAX)
        .with_total_timeout(Duration::MAX)
        .with_inactivity_timeout(Duration::MAX)
        .with_tcp(tcp.clone());
    HyperTransport::new(settings).unwrap().send(post(&url)).await.unwrap();
    server.await.unwrap();
    let mut probes = oauth_transport::KeepAlive::default();
    probes.time = Some(Duration::MAX);
    tcp.keep_alive = Some(probes);
    // Some systems take it, and some say no.
    if let Err(error) = HyperTransport::new(Settings::new().with_tcp(tcp)) {
        assert!(matches!(error, SettingsError::Value { setting: Setting::KeepAliveTime, .. }), "{error}");
    }
}
