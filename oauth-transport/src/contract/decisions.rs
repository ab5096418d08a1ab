//! What the handler of the events is told of TLS, and what it may decide.

use super::Engine;
use super::server::Server;
use super::subject::{BODY, assert_fails, carries, get, post, promptly, send_with, transport};
use super::tls::{Authority, Credentials, Leaf, ServerTls, Valid};
use crate::{
    ConnectionStatus, EventHandler, EventSink, LogEntry, LogLevel, LogType, Outcome, ServerCertificate,
    Setting, Settings, Support, Tls, Transport as _,
};
use oauth_core::{Delivered, UnreachableKind};
use rustls::version::{TLS12, TLS13};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const OK_AND_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";

/// It may refuse a good certificate without further ado, and accept a bad one where that is set.
pub fn handler_decides_on_certificates_where_it_may<E: Engine>() {
    let accepting = Tls { dangerously_handler_accepts: true, ..Tls::default() };
    let (good, bad) = (Authority::new(), Authority::new());
    let settings = |tls: &Tls, answer| told(&good, tls.clone(), answer, LogLevel::None);
    if !carries::<E>(Setting::CertificateDecisions, &settings(&accepting, None).0) {
        return;
    }
    let default = Tls::default();
    for (tls, authority, answer, goes_well) in [
        (&default, &good, None, true),
        (&default, &good, Some(true), true),
        (&default, &good, Some(false), false),
        (&default, &bad, None, false),
        (&default, &bad, Some(true), false),
        (&default, &bad, Some(false), false),
        (&accepting, &good, None, true),
        (&accepting, &good, Some(true), true),
        (&accepting, &good, Some(false), false),
        (&accepting, &bad, None, false),
        (&accepting, &bad, Some(true), true),
        (&accepting, &bad, Some(false), false),
    ] {
        let server = server(&authority.issue(&Leaf::here()));
        let (settings, heard) = settings(tls, answer);
        let result = promptly(|| send_with::<E>(settings, post(&server.https("/token"))));
        if goes_well {
            result.expect("the handler says yes, or leaves it at that");
        } else {
            assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
        }
        let heard = heard.take();
        assert_eq!(heard.certificates.len(), 1, "{heard:?}");
        assert_eq!(heard.certificates[0].recommended, std::ptr::eq(authority, &good));
        assert_eq!(server.received().len(), usize::from(goes_well));
    }
}

/// Each connection shows it one: a session would be taken up without. Where it only looks on, sessions are.
pub fn handler_that_may_refuse_is_shown_every_certificate<E: Engine>() {
    let authority = Authority::new();
    let with_chain = Tls { chain_in_event: true, ..Tls::default() };
    if !carries::<E>(Setting::CertificateDecisions, &told(&authority, with_chain, None, LogLevel::None).0) {
        return;
    }
    for version in [&TLS12, &TLS13] {
        for (may_refuse, shown) in [(true, 2), (false, 1)] {
            let mut tls = ServerTls::new(&authority.issue(&Leaf::here()));
            tls.versions = vec![version];
            let server = Server::tls(tls.config(), |connection| {
                connection.request()?;
                connection.write_all(OK_AND_CLOSE)?;
                connection.close()
            });
            let heard = Heard::default();
            let handler = Handler { heard: heard.clone(), answer: None };
            let events = if may_refuse {
                EventSink::new(handler, LogLevel::None)
            } else {
                EventSink::onlooker(handler, LogLevel::None)
            };
            let settings = Settings::new().with_extra_root_der(authority.der()).with_events(events);
            let transport = transport::<E>(settings);
            for _ in 0..2 {
                E::block_on(transport.send(get(&server.https("/")))).expect("the server is trusted");
            }
            assert_eq!(heard.take().certificates.len(), shown, "{version:?} {may_refuse}");
        }
    }
}

/// Whatever it panicked at: what it could not look at is refused, be it good or one that it might accept.
pub fn handler_that_panicked_accepts_no_certificate<E: Engine>() {
    struct Panics(&'static str);
    impl EventHandler for Panics {
        fn on_connection_status(&mut self, _: ConnectionStatus, _: &Outcome<'_>) {
            assert_ne!(self.0, "status", "as this test wants it");
        }
        fn on_ssl_server_authentication(&mut self, _: &ServerCertificate<'_>, accept: &mut bool) {
            *accept = true;
            assert_ne!(self.0, "certificate", "as this test wants it");
        }
    }
    let authority = Authority::new();
    let accepting = Tls { dangerously_handler_accepts: true, ..Tls::default() };
    if !carries::<E>(
        Setting::CertificateDecisions,
        &told(&authority, accepting.clone(), None, LogLevel::None).0,
    ) {
        return;
    }
    let server = Server::tls(ServerTls::new(&authority.issue(&Leaf::here())).config(), |connection| {
        connection.request()?;
        connection.write_all(OK_AND_CLOSE)?;
        connection.close()
    });
    for tls in [Tls::default(), accepting] {
        for (at, first_goes_well) in [("never", true), ("status", true), ("certificate", false)] {
            let settings = Settings::new()
                .with_extra_root_der(authority.der())
                .with_tls(tls.clone())
                .with_events(EventSink::new(Panics(at), LogLevel::None));
            let transport = transport::<E>(settings);
            for goes_well in [first_goes_well, at == "never"] {
                let result = promptly(|| E::block_on(transport.send(get(&server.https("/")))));
                if goes_well {
                    result.expect("the handler was there");
                } else {
                    let error = result.as_ref().expect_err("nobody looked").to_string();
                    assert!(error.contains("handler of the events"), "{error}");
                    assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
                }
            }
        }
    }
}

/// Whom it is for, by whom, and what is wrong with it.
pub fn handler_is_told_of_certificates<E: Engine>() {
    let root = Authority::new();
    let authority = root.intermediate(2, &[]);
    let with_chain = Tls { chain_in_event: true, ..Tls::default() };
    if !carries::<E>(Setting::CertificateDecisions, &told(&root, with_chain.clone(), None, LogLevel::None).0)
    {
        return;
    }
    for (tls, leaf, status, goes_well) in [
        (Tls::default(), Leaf::here(), "OK", true),
        (with_chain, Leaf::here(), "OK", true),
        (Tls::default(), Leaf::of("as.example"), "it is for another name: as.example", false),
        (Tls::default(), Leaf { valid: Valid::InThePast, ..Leaf::here() }, "it has expired", false),
    ] {
        let credentials = authority.issue(&leaf);
        let server = server(&credentials);
        let has_chain = tls.chain_in_event;
        let (settings, heard) = told(&root, tls, None, LogLevel::None);
        let result = promptly(|| send_with::<E>(settings, post(&server.https("/token"))));
        assert_eq!(result.is_ok(), goes_well, "{result:?}");
        let heard = heard.take();
        let [told] = &heard.certificates[..] else { panic!("it is told once: {heard:?}") };
        assert_eq!(
            (told.host.as_str(), &told.der, told.status.as_str()),
            ("127.0.0.1", &credentials.der(), status)
        );
        // RFC 4514: the last part of a name comes first.
        assert_eq!(told.subject, "O=Contract\\, Inc.,CN=Contract Test Server");
        assert_eq!(told.issuer, "CN=Contract Test Intermediate");
        assert_eq!(told.chain, if has_chain { vec![authority.der()] } else { Vec::new() });
        assert_eq!(told.recommended, goes_well);
    }
}

/// Which version, cipher suite and group, and whether the session is a new one.
pub fn handler_is_told_of_handshakes<E: Engine>() {
    let authority = Authority::new();
    let (settings, heard) = told(&authority, Tls::default(), None, LogLevel::None);
    if !carries::<E>(Setting::ConnectionEvents, &settings) {
        return;
    }
    let server = server(&authority.issue(&Leaf::here()));
    send_with::<E>(settings, post(&server.https("/token"))).expect("the server is trusted");
    let lines = heard.take().status.join("\n");
    // An engine that only guesses at what happened has less to tell.
    if matches!(E::supports(Setting::ConnectionEvents), Support::Native) {
        let handshake = server.handshake();
        assert!(handshake.suite.is_some_and(|suite| format!("{suite:?}").starts_with("TLS13_")));
        for word in ["127.0.0.1", "TLS 1.3", "TLS_AES_256_GCM_SHA384", "x25519", "new session"] {
            assert!(lines.contains(word), "{word} is not in {lines}");
        }
    }
}

/// At the level of debugging: what kind, which version, how long, both ways; and nothing of what is in them.
pub fn tls_records_are_logged_by_their_headers<E: Engine>() {
    let authority = Authority::new();
    let tls = Tls { log_records: true, ..Tls::default() };
    let (settings, heard) = told(&authority, tls, None, LogLevel::Debug);
    if !carries::<E>(Setting::RecordLog, &settings) {
        return;
    }
    let server = server(&authority.issue(&Leaf::here()));
    let records = |lines: &[String]| lines.iter().filter(|line| line.contains("TLS record")).count();
    send_with::<E>(settings, post(&server.https("/token"))).expect("the server is trusted");
    let lines = heard.take().log;
    for (direction, kind) in [("sent", "handshake"), ("received", "handshake"), ("sent", "application_data")]
    {
        let begins = format!("TLS record {direction}: {kind}, TLS 1.");
        assert!(lines.iter().any(|line| line.starts_with(&begins)), "{begins}: {lines:#?}");
    }
    // Whatever else is logged, the body in clear is no record.
    let body = String::from_utf8_lossy(BODY);
    let told: String = lines.iter().filter(|line| line.contains("TLS record")).cloned().collect();
    assert!(!told.contains(&*body) && !told.contains("planted"), "{told}");

    // Not at a lower level, and not unless it is asked for.
    for (log_records, level) in [(true, LogLevel::Verbose), (false, LogLevel::Debug)] {
        let (settings, heard) = told_with(&authority, Tls { log_records, ..Tls::default() }, level);
        send_with::<E>(settings, post(&server.https("/token"))).expect("the server is trusted");
        assert_eq!(records(&heard.take().log), 0);
    }
}

#[derive(Clone, Debug, Default)]
struct Heard(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    certificates: Vec<Told>,
    status: Vec<String>,
    log: Vec<String>,
}

#[derive(Debug)]
struct Told {
    host: String,
    der: Vec<u8>,
    chain: Vec<Vec<u8>>,
    subject: String,
    issuer: String,
    status: String,
    recommended: bool,
}

impl Heard {
    fn take(&self) -> Notes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Handler {
    heard: Heard,
    answer: Option<bool>,
}

impl EventHandler for Handler {
    fn on_ssl_server_authentication(&mut self, certificate: &ServerCertificate<'_>, accept: &mut bool) {
        let told = Told {
            host: certificate.host.to_owned(),
            der: certificate.der.to_vec(),
            chain: certificate.chain.iter().map(|above| above.to_vec()).collect(),
            subject: certificate.subject.to_owned(),
            issuer: certificate.issuer.to_owned(),
            status: certificate.status.to_owned(),
            recommended: *accept,
        };
        self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).certificates.push(told);
        *accept = self.answer.unwrap_or(*accept);
    }

    fn on_ssl_status(&mut self, message: &str) {
        self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).status.push(message.to_owned());
    }

    fn on_log(&mut self, entry: &LogEntry<'_>) {
        if entry.kind == LogType::Info {
            let line = entry.message.to_owned();
            self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).log.push(line);
        }
    }
}

/// Settings with a handler that gives this answer on certificates, or none.
fn told(authority: &Authority, tls: Tls, answer: Option<bool>, level: LogLevel) -> (Settings, Heard) {
    let heard = Heard::default();
    let handler = Handler { heard: heard.clone(), answer };
    let settings = Settings::new()
        .with_extra_root_der(authority.der())
        .with_tls(tls)
        .with_events(EventSink::new(handler, level));
    (settings, heard)
}

fn told_with(authority: &Authority, tls: Tls, level: LogLevel) -> (Settings, Heard) {
    told(authority, tls, None, level)
}

fn server(credentials: &Credentials) -> Server {
    Server::tls(ServerTls::new(credentials).config(), |connection| {
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    })
}
