//! What the handler of the events is told of TLS, and what it may decide.

use super::Engine;
use super::server::Server;
use super::subject::{BODY, assert_fails, carries, post, promptly, send_with};
use super::tls::{Authority, Credentials, Leaf, ServerTls, Valid};
use crate::{
    EventHandler, EventSink, LogEntry, LogLevel, LogType, ServerCertificate, Setting, Settings, Support, Tls,
};
use oauth_core::{Delivered, UnreachableKind};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// It may refuse a good certificate, and accept a bad one.
pub fn handler_decides_on_certificates_where_it_may<E: Engine>() {
    let tls = Tls { handler_decides: true, ..Tls::default() };
    let (good, bad) = (Authority::new(), Authority::new());
    let settings = |answer| told(&good, tls.clone(), answer, LogLevel::None);
    if !carries::<E>(Setting::CertificateDecisions, &settings(None).0) {
        return;
    }
    for (authority, answer, goes_well) in [
        (&good, None, true),
        (&good, Some(true), true),
        (&good, Some(false), false),
        (&bad, None, false),
        (&bad, Some(false), false),
        (&bad, Some(true), true),
    ] {
        let server = server(&authority.issue(&Leaf::here()));
        let (settings, heard) = settings(answer);
        // Each connection is asked about: no session is taken up again.
        for _ in 0..2 {
            let result = promptly(|| send_with::<E>(settings.clone(), post(&server.https("/token"))));
            if goes_well {
                result.expect("the handler says yes, or leaves it at that");
            } else {
                assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
            }
        }
        let heard = heard.take();
        assert_eq!(heard.certificates.len(), 2, "{heard:?}");
        assert_eq!(heard.certificates[0].recommended, std::ptr::eq(authority, &good));
        assert_eq!(server.received().len(), if goes_well { 2 } else { 0 });
    }
}

/// Whom it is for, by whom, and what is wrong with it; where it does not decide, its answer does not count.
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
        let (settings, heard) = told(&root, tls, Some(!goes_well), LogLevel::None);
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
