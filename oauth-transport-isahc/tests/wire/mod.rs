//! Requests, and scripted servers of raw bytes, for the tests of this crate.
#![allow(dead_code, reason = "no test program needs all of it")]

use oauth_core::{
    Delivered, Endpoint, OptOut, Policy, Purpose, Request, Response, SecretBytes, Unreachable,
    UnreachableKind,
};
use oauth_transport::{Proxies, Settings, Transport as _};
use oauth_transport_isahc::IsahcTransport;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{
    CipherSuite, ConfigBuilder, HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection, StreamOwned,
    WantsVerifier,
};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

// --- requests ---------------------------------------------------------------------------------------------------------

pub(crate) fn endpoint(url: &str) -> Arc<Endpoint> {
    Arc::new(Endpoint::new(url, &Policy::strict().waive(OptOut::PlainHttpOnLoopback)).unwrap())
}

pub(crate) fn get(url: &str) -> Request {
    Request::get(Purpose::Discovery, endpoint(url))
}

pub(crate) fn post(url: &str) -> Request {
    Request::form(Purpose::Token, endpoint(url), SecretBytes::new(b"code=planted"))
}

pub(crate) fn send(settings: Settings, request: Request) -> Result<Response, Unreachable> {
    smol::block_on(IsahcTransport::new(settings).unwrap().send(request))
}

#[track_caller]
pub(crate) fn assert_fails(
    result: Result<Response, Unreachable>,
    kind: UnreachableKind,
    delivered: Delivered,
) -> String {
    let error = result.unwrap_err();
    assert_eq!((error.kind, error.delivered), (kind, delivered), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("planted"), "{error:?}");
    error.cause.unwrap().to_string()
}

pub(crate) fn through(address: SocketAddr) -> Proxies {
    Proxies::from_variables(|name| (name == "all_proxy").then(|| format!("http://{address}"))).unwrap()
}

// --- servers ----------------------------------------------------------------------------------------------------------

/// Serves each connection on a thread of its own.
pub(crate) fn serve(handle: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = Arc::clone(&handle);
            thread::spawn(move || {
                // A client that goes away in between is what some cases are about.
                let _ = handle(stream);
            });
        }
    });
    address
}

/// Answers the first request of each connection, and closes.
pub(crate) fn answering(answer: &'static [u8]) -> SocketAddr {
    serve(move |mut stream| {
        read_request(&mut stream)?;
        stream.write_all(answer)
    })
}

/// The head of a request, once its body is read.
pub(crate) fn read_request(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    stream.read_exact(&mut vec![0; length.unwrap_or(0)])?;
    Ok(head)
}

pub(crate) struct Authority(pub(crate) CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Test Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// A server with a certificate of this authority; `identified` adds the identifier of the key that signed it.
    pub(crate) fn server(&self, identified: bool) -> String {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.use_authority_key_identifier_extension = identified;
        let (certificate, key) = self.sign(params);
        let config = builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        let (address, _) = serve_tls(config);
        format!("https://{address}/token")
    }

    /// A certificate for these names, and its key.
    pub(crate) fn sign(
        &self,
        params: CertificateParams,
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.der().clone(), PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
    }

    /// What a server at 127.0.0.1 shows.
    pub(crate) fn server_certificate(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let (certificate, key) = self.sign(CertificateParams::new(["127.0.0.1".to_owned()]).unwrap());
        (vec![certificate], key)
    }
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(crate) fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap()
}

/// What a server saw of a handshake.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: CipherSuite,
    pub(crate) kind: HandshakeKind,
    /// The client's certificates.
    pub(crate) client: Vec<Vec<u8>>,
    /// The bytes of the application that came with the first request.
    pub(crate) request: String,
}

/// Answers requests over TLS, and tells of each what it saw.
pub(crate) fn serve_tls(config: ServerConfig) -> (SocketAddr, Receiver<Handshake>) {
    let config = Arc::new(config);
    let (told, heard) = channel();
    let address = serve(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        loop {
            let request = read_request(&mut stream)?;
            let connection = &stream.conn;
            let client = connection.peer_certificates().unwrap_or_default();
            let _ = told.send(Handshake {
                version: connection.protocol_version().unwrap(),
                suite: connection.negotiated_cipher_suite().unwrap().suite(),
                kind: connection.handshake_kind().unwrap(),
                client: client.iter().map(|certificate| certificate.to_vec()).collect(),
                request,
            });
            stream.write_all(OK)?;
        }
    });
    (address, heard)
}
