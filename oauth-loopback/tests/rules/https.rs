//! The same listener over TLS: no driver knows of it.

use crate::browser::Page;
use crate::*;
use oauth_loopback::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use sha2::Digest as _;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

over_every_driver! {
    a_login_over_https,
    a_fragment_over_https,
    plain_http_on_a_tls_port_is_told_in_one_line,
    a_handshake_that_fails_ends_that_connection_alone,
    a_kept_port_over_https,
}

/// A browser whose person compares fingerprints.
#[derive(Debug)]
struct Fingerprint(String, CryptoProvider);

impl ServerCertVerifier for Fingerprint {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let digest = sha2::Sha256::digest(certificate);
        let shown: Vec<_> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        if shown.join(":") == self.0 {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("another fingerprint".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.1.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.1.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn connect(port: u16, fingerprint: &str, version: &'static rustls::SupportedProtocolVersion) -> Stream {
    let verifier = Fingerprint(fingerprint.to_owned(), ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

/// To its end, which TLS marks: without the mark the page could have been cut, and this fails.
fn page(mut stream: Stream) -> Page {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    Page::read(&text)
}

fn ask(port: u16, fingerprint: &str, text: &str) -> Stream {
    let mut stream = connect(port, fingerprint, &rustls::version::TLS13);
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

fn host(port: u16) -> String {
    format!("Host: 127.0.0.1:{port}\r\n")
}

fn secure() -> (Listener, String) {
    let certificate = Certificate::throw_away().unwrap();
    let fingerprint = certificate.fingerprint().to_owned();
    (Listener::bind(&Address::new().https(certificate)).unwrap(), fingerprint)
}

fn a_login_over_https(driver: &dyn Driver) {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let (listener, fingerprint) = secure();
        let port = listener.port();
        assert_eq!(listener.redirect_uri().as_str(), format!("https://127.0.0.1:{port}/callback"));
        let running = driver.start(listener, judge, quick());
        let _silent: Vec<_> = (0..8).map(|_| running.tab()).collect();
        let refused = ask(port, &fingerprint, &request("GET", "/callback", "Host: evil.example\r\n"));
        assert_eq!(page(refused).status, 421);
        // In two halves, a byte of TLS apart: it is the same conversation.
        let mut stream = connect(port, &fingerprint, version);
        let text = request("GET", "/callback?state=s&code=c", &host(port));
        let (one, other) = text.split_at(20);
        stream.write_all(one.as_bytes()).unwrap();
        stream.flush().unwrap();
        stream.write_all(other.as_bytes()).unwrap();
        let callback = running.callback();
        assert_eq!(query_of(&callback), "state=s&code=c");
        let delivery = callback.reply.success();
        let page = page(stream);
        assert_eq!((page.title(), page.header("connection")), ("You are signed in", Some("close")));
        delivery.wait();
        assert!(becomes_free(port));
    }
}

fn a_fragment_over_https(driver: &dyn Driver) {
    let (listener, fingerprint) = secure();
    let port = listener.port();
    let running = driver.start(listener, judge, quick().response_mode(ResponseMode::Fragment));
    let served = page(ask(port, &fingerprint, &request("GET", "/callback", &host(port))));
    let (_, path) = served.body.split_once("data-to=\"").unwrap();
    let path = path.split_once('"').unwrap().0;
    let post = |origin: &str| {
        let headers =
            format!("{}Origin: {origin}\r\nContent-Type: {FORM}\r\nContent-Length: 7\r\n", host(port));
        page(ask(port, &fingerprint, &(request("POST", path, &headers) + "state=s"))).status
    };
    assert_eq!(post(&format!("http://127.0.0.1:{port}")), 403, "another scheme is another origin");
    assert_eq!(post(&format!("https://127.0.0.1:{port}")), 204);
    drop(running.callback().reply.failure());
    let end = page(ask(port, &fingerprint, &request("GET", path, &host(port))));
    assert_eq!(end.title(), "The sign-in did not work");
}

fn plain_http_on_a_tls_port_is_told_in_one_line(driver: &dyn Driver) {
    let (listener, fingerprint) = secure();
    let (sender, notes) = mpsc::channel();
    let running =
        driver.start(listener, judge, quick().on_note(move |note| sender.send(note.clone()).unwrap()));
    let plain = running.ask("/callback?state=s&code=planted").page();
    assert_eq!((plain.status, plain.header("content-type")), (400, Some("text/plain; charset=utf-8")));
    assert_eq!(plain.body.lines().count(), 1);
    assert!(plain.body.contains("https://") && !plain.body.contains("planted"), "{}", plain.body);
    let stream = ask(running.port, &fingerprint, &request("GET", "/callback?state=s", &host(running.port)));
    drop(running.callback().reply.success());
    assert_eq!(page(stream).status, 200);
    let notes: Vec<_> = notes.iter().collect();
    assert_eq!(notes, [Note::PlainHttp]);
    assert!(notes[0].to_string().contains("https://"));
}

fn a_handshake_that_fails_ends_that_connection_alone(driver: &dyn Driver) {
    let (listener, fingerprint) = secure();
    let running = driver.start(listener, judge, quick().head_timeout(Duration::from_millis(300)));
    let port = running.port;
    let mut suspicious = connect(port, "AB:CD", &rustls::version::TLS13);
    assert!(suspicious.write_all(b"GET").is_err(), "the person sees another fingerprint");
    let mut garbage = running.tab();
    garbage.send("\u{16}\u{3}\u{1}\0\u{4}\u{1}\0\0\0");
    let alert = garbage.rest();
    assert_eq!(alert.first(), Some(&0x15), "an alert of TLS: {alert:?}");
    let mut half = running.tab();
    half.send("\u{16}\u{3}\u{1}");
    assert_eq!(half.rest(), b"", "one that never goes on is closed without a word");
    let stream = ask(port, &fingerprint, &request("GET", "/callback?state=s", &host(port)));
    drop(running.callback().reply.success());
    assert_eq!(page(stream).status, 200);
}

fn a_kept_port_over_https(driver: &dyn Driver) {
    let certificate = Certificate::throw_away().unwrap();
    let fingerprint = certificate.fingerprint().to_owned();
    let server = WebServer::start(&Address::new().https(certificate)).unwrap();
    let port = server.port();
    let old = request("GET", "/callback?state=s", &host(port));
    assert_eq!(page(ask(port, &fingerprint, &old)).status, 400, "between logins");
    let running = driver.start(server.listener().unwrap(), judge, quick());
    let stream = ask(port, &fingerprint, &old);
    drop(running.callback().reply.success());
    assert_eq!(page(stream).status, 200);
}
