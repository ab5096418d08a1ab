//! What a handler is told on the way.

use super::Engine;
use super::faults::nobody;
use super::firewalls::firewall;
use super::server::Server;
use super::subject::{BODY, SHORT, carries, get, post, send_with};
use super::tls::{Authority, Valid};
use crate::{
    ConnectionStatus, Direction, EventHandler, EventSink, FirewallKind, LogEntry, LogLevel, Outcome, Proxies,
    Proxy, Setting, Settings, Support, Transfer, Transport,
};
use http::{HeaderName, HeaderValue, StatusCode, Version};
use oauth_core::{Delivered, UnreachableKind};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nx-one: 1\r\ncontent-length: 2\r\n\r\n{}";

/// Every event as a line.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    fn settings(&self) -> Settings {
        Settings::new().with_events(EventSink::new(self.clone(), LogLevel::Debug))
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Checks that these were told in this order, whatever else was told in between.
    #[track_caller]
    fn told(&self, expected: &[&str]) {
        let lines = self.lines();
        let mut rest = lines.iter();
        for line in expected {
            assert!(rest.any(|told| told == line), "{line:?} was not told, or not in its order: {lines:#?}");
        }
    }

    #[track_caller]
    fn not_told(&self, beginning: &str) {
        let lines = self.lines();
        assert!(!lines.iter().any(|told| told.starts_with(beginning)), "{beginning:?} was told: {lines:#?}");
    }

    /// The log entries of a kind.
    fn logged(&self, kind: &str) -> String {
        let beginning = format!("log {kind}: ");
        self.lines().iter().filter_map(|line| line.strip_prefix(&beginning)).collect::<Vec<_>>().join("\n")
    }
}

fn ended(outcome: &Outcome<'_>) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Failed(error) => {
            assert!(!error.to_string().is_empty());
            "failed"
        }
    }
}

impl EventHandler for Recorder {
    fn on_connected(&mut self, outcome: &Outcome<'_>) {
        self.note(format!("connected {}", ended(outcome)));
    }

    fn on_local_address(&mut self, address: SocketAddr) {
        self.note(format!("from {address}"));
    }

    fn on_connection_status(&mut self, status: ConnectionStatus, outcome: &Outcome<'_>) {
        self.note(format!("{status:?} {}", ended(outcome)));
    }

    fn on_disconnected(&mut self, outcome: &Outcome<'_>) {
        self.note(format!("disconnected {}", ended(outcome)));
    }

    fn on_start_transfer(&mut self, direction: Direction) {
        self.note(format!("{direction:?} begins"));
    }

    fn on_transfer(&mut self, transfer: &Transfer<'_>) {
        let Transfer { direction, bytes, total, text } = transfer;
        self.note(format!("{direction:?} {bytes} of {total:?} {:?}", String::from_utf8_lossy(text)));
    }

    fn on_end_transfer(&mut self, direction: Direction) {
        self.note(format!("{direction:?} ends"));
    }

    fn on_header(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.note(format!("{name}: {value:?}"));
    }

    fn on_status(&mut self, version: Version, status: StatusCode) {
        self.note(format!("{version:?} {status}"));
    }

    fn on_log(&mut self, entry: &LogEntry<'_>) {
        self.note(format!("log {:?}: {}", entry.kind, entry.message));
    }
}

/// The connection and its end, the body that goes, the head and the body that come.
pub fn request_is_told_step_by_step<E: Engine>() {
    let recorder = Recorder::default();
    if !carries::<E>(Setting::ConnectionEvents, &recorder.settings()) {
        return;
    }
    let server = Server::answering(OK);
    send_with::<E>(recorder.settings(), post(&server.http("/token"))).expect("the server answers");
    recorder.told(&["HostConnected ok", "connected ok", "HostDisconnected ok", "disconnected ok"]);
    let sent = format!("Sent {0} of Some({0}) \"\"", BODY.len());
    recorder.told(&[
        "Sent begins",
        &sent,
        "Sent ends",
        "HTTP/1.1 200 OK",
        "x-one: \"1\"",
        "content-length: \"2\"",
        "Received begins",
        "Received 2 of Some(2) \"{}\"",
        "Received ends",
    ]);
    for absent in ["Tls", "Firewall"] {
        recorder.not_told(absent);
    }
    if E::supports(Setting::ConnectionEvents) == Support::Native {
        recorder.told(&["connected ok", "Sent begins", "Received ends", "disconnected ok"]);
    }
}

/// No body is no transfer, and a connection that is used again is connected once.
pub fn connection_is_told_once<E: Engine>() {
    let recorder = Recorder::default();
    if !carries::<E>(Setting::ConnectionEvents, &recorder.settings()) {
        return;
    }
    let server = Server::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let transport = super::subject::transport::<E>(recorder.settings());
    E::block_on(async {
        for _ in 0..3 {
            transport.send(get(&server.http("/"))).await.expect("the server answers");
        }
    });
    drop(transport);
    for absent in ["Sent", "Received"] {
        recorder.not_told(absent);
    }
    let connected = recorder.lines().iter().filter(|line| *line == "connected ok").count();
    assert_eq!((connected, server.connections()), (1, 1));
    // The server sees the same end of it.
    recorder.told(&[&format!("from {}", server.peers()[0]), "connected ok"]);
}

/// A connection that does not come about, at each of its stages.
pub fn failed_connection_is_told<E: Engine>() {
    let recorder = Recorder::default();
    if !carries::<E>(Setting::ConnectionEvents, &recorder.settings()) {
        return;
    }
    let url = format!("http://127.0.0.1:{}/", nobody());
    send_with::<E>(recorder.settings(), get(&url)).expect_err("nobody listens");
    recorder.told(&["connected failed"]);
    recorder.not_told("HostConnected");
    recorder.not_told("disconnected");

    let recorder = Recorder::default();
    let server = Server::tls(Authority::new().server("127.0.0.1", Valid::Now), |_| Ok(()));
    send_with::<E>(recorder.settings(), get(&server.https("/"))).expect_err("the server is not trusted");
    recorder.told(&["TlsBroken failed", "connected failed"]);
    recorder.not_told("TlsComplete");

    let recorder = Recorder::default();
    let silent = Server::new(|connection| {
        connection.wait_until_closed();
        Ok(())
    });
    let settings = recorder.settings().with_connect_timeout(SHORT);
    send_with::<E>(settings, get(&silent.https("/"))).expect_err("TLS never stands");
    recorder.told(&["connected failed"]);
}

/// The proxy, TLS and the server, and what was said to the proxy, without the password.
pub fn way_through_a_proxy_is_told<E: Engine>() {
    let recorder = Recorder::default();
    if !carries::<E>(Setting::ConnectionEvents, &recorder.settings()) {
        return;
    }
    let authority = Authority::new();
    let tls = authority.server("as.example", Valid::Now);
    let proxy = Server::new(move |connection| {
        connection.request()?;
        connection.write_all(b"HTTP/1.1 200 Connection established\r\nset-cookie: planted-cookie\r\n\r\n")?;
        connection.start_tls(tls.clone())?;
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    });
    let url = format!("http://user:planted-proxy@127.0.0.1:{}", proxy.port());
    let settings = recorder
        .settings()
        .with_extra_root_der(authority.der())
        .with_proxies(Proxies::through(Proxy::new(&url).expect("it is a proxy")));
    send_with::<E>(settings, post("https://as.example/token")).expect("the server answers");
    recorder.told(&["FirewallConnected ok", "TlsComplete ok", "HostConnected ok", "connected ok"]);
    recorder.told(&["HostDisconnected ok", "FirewallDisconnected ok", "disconnected ok"]);
    if E::supports(Setting::ConnectionEvents) == Support::Native {
        let asked = recorder.logged("ProxyRequest");
        assert!(asked.starts_with("CONNECT as.example:443 HTTP/1.1"), "{asked}");
        let answered = recorder.logged("ProxyResponse");
        assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
    }
    let shown = recorder.lines().join("\n");
    for secret in ["planted-proxy", "dXNlcjpwbGFudGVk", "planted-cookie", "planted-code", "planted-query"] {
        assert!(!shown.contains(secret), "{secret} is told: {shown}");
    }
}

/// What was said to a firewall, without the password; and to a proxy that is sent the request.
pub fn firewall_and_proxy_are_logged<E: Engine>() {
    let recorder = Recorder::default();
    let server = Server::new(|connection| {
        connection.read_exact(&mut [0; 4])?;
        connection.write_all(&[5, 2])?;
        connection.read_exact(&mut [0; 20])?;
        connection.write_all(&[1, 0])?;
        connection.read_exact(&mut [0; 16])?;
        connection.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    });
    let settings = recorder
        .settings()
        .with_firewall(firewall(FirewallKind::Socks5, &server).with_credentials("user", "planted-proxy"));
    let native = E::supports(Setting::ConnectionEvents) == Support::Native;
    if native && carries::<E>(Setting::FirewallSocks5, &settings) {
        send_with::<E>(settings, post("http://localhost:9/token")).expect("the firewall answers");
        assert_eq!(recorder.logged("FirewallRequest"), "Socks5 to localhost:9, as [redacted]");
        assert_eq!(recorder.logged("FirewallResponse"), "connected");
        assert!(!recorder.lines().join("\n").contains("planted-proxy"));
    }

    let recorder = Recorder::default();
    let proxy = Server::answering(OK);
    let url = format!("http://user:planted-proxy@127.0.0.1:{}", proxy.port());
    let proxies = Proxies::through(Proxy::new(&url).expect("it is a proxy"));
    let settings = recorder.settings().with_proxies(proxies);
    if carries::<E>(Setting::ConnectionEvents, &settings) && native {
        send_with::<E>(settings, post("http://localhost:9/token")).expect("the proxy answers");
        let asked = recorder.logged("ProxyRequest");
        assert!(asked.starts_with("POST http://localhost:9/token HTTP/1.1\r\n"), "{asked}");
        for secret in ["dXNlcjpwbGFudGVk", "planted"] {
            assert!(!asked.contains(secret), "{secret} is logged: {asked}");
        }
    }
}

/// A handler that sends through the transport that called it would wait for itself.
pub fn request_from_inside_a_handler_is_refused<E: Engine>() {
    struct Sends {
        transport: Arc<OnceLock<Box<dyn Transport>>>,
        url: String,
        refused: Arc<Mutex<Vec<(UnreachableKind, Delivered)>>>,
    }

    impl EventHandler for Sends {
        fn on_status(&mut self, _: Version, _: StatusCode) {
            let transport = self.transport.get().expect("it is called by the transport");
            let mut sending = transport.send(get(&self.url));
            let Poll::Ready(Err(error)) = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            else {
                return;
            };
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.push((error.kind, error.delivered));
        }
    }

    let server = Server::answering(OK);
    let (transport, refused) = (Arc::new(OnceLock::new()), Arc::new(Mutex::new(Vec::new())));
    let handler =
        Sends { transport: Arc::clone(&transport), url: server.http("/"), refused: Arc::clone(&refused) };
    let settings = Settings::new().with_events(EventSink::new(handler, LogLevel::None));
    if !carries::<E>(Setting::ConnectionEvents, &settings) {
        return;
    }
    let made = transport.get_or_init(|| super::subject::transport::<E>(settings));
    E::block_on(made.send(get(&server.http("/")))).expect("the server answers");
    let refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(*refused, [(UnreachableKind::Unsupported, Delivered::No)]);
    assert_eq!(server.received().len(), 1);
}
