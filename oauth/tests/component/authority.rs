//! A root, what it signs, and servers behind TLS that tell what they saw of their clients.

use crate::wire::token;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{Acceptor, ClientHello, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, HandshakeKind, NamedGroup, ProtocolVersion, RootCertStore, ServerConfig, SignatureScheme,
    StreamOwned, SupportedProtocolVersion,
};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use tempfile::TempDir;

/// Both, which a good server has.
pub const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A root and what it signs, in a folder.
pub struct Authority {
    pub issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key.
pub struct Leaf {
    pub der: CertificateDer<'static>,
    pub pem: String,
    pub key: KeyPair,
}

impl Leaf {
    /// The key and the certificate, one after the other.
    pub fn both(&self) -> String {
        format!("{}{}", self.key.serialize_pem(), self.pem)
    }

    /// The key, as a server takes it.
    pub fn private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()))
    }
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "A root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("root.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// The setting that has it trusted, on each engine.
    pub fn trusted(&self) -> String {
        format!("OpenSSLCAFile={}", self.root().display())
    }

    pub fn leaf(
        &self,
        name: &str,
        purpose: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Leaf {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf { der: certificate.der().clone(), pem: certificate.pem(), key }
    }

    pub fn server_leaf(&self) -> Leaf {
        self.leaf("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth, |_| ())
    }

    /// A good server.
    pub fn server(&self) -> Arc<ServerConfig> {
        serving(&self.server_leaf(), &VERSIONS, None)
    }
}

pub fn serving(
    leaf: &Leaf,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<&Authority>,
) -> Arc<ServerConfig> {
    serving_by(ring::default_provider(), leaf, versions, clients)
}

/// The same by some of the algorithms alone.
pub fn serving_by(
    algorithms: CryptoProvider,
    leaf: &Leaf,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<&Authority>,
) -> Arc<ServerConfig> {
    let provider = Arc::new(algorithms);
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    Arc::new(builder.with_single_cert(vec![leaf.der.clone()], leaf.private()).unwrap())
}

/// What a client offers, without the signal that stands for an extension (RFC 5746 section 3.3).
#[derive(Debug)]
pub struct Hello {
    pub suites: Vec<CipherSuite>,
    pub groups: Vec<NamedGroup>,
    pub schemes: Vec<SignatureScheme>,
    /// Whether that signal is among its cipher suites.
    pub renegotiation: bool,
}

impl Hello {
    fn of(hello: &ClientHello<'_>) -> Self {
        let signal = CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV;
        let suites = hello.cipher_suites().iter().copied();
        Self {
            suites: suites.filter(|suite| *suite != signal).collect(),
            groups: hello.named_groups().unwrap_or_default().to_vec(),
            schemes: hello.signature_schemes().to_vec(),
            renegotiation: hello.cipher_suites().contains(&signal),
        }
    }
}

/// What a handshake came to, on the server's side.
#[derive(Debug)]
pub struct Handshake {
    pub hello: Hello,
    pub version: ProtocolVersion,
    pub suite: CipherSuite,
    pub group: Option<NamedGroup>,
    pub kind: HandshakeKind,
    pub client: Option<Vec<u8>>,
}

/// A server that serves every connection a token, and tells of the handshakes that went well.
pub fn telling(config: Arc<ServerConfig>) -> (String, mpsc::Receiver<Handshake>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/token", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (config, sender) = (Arc::clone(&config), sender.clone());
            // What a client does to a connection is for its test to judge.
            thread::spawn(move || drop(stream.and_then(|stream| serve(stream, config, &sender))));
        }
    });
    (url, receiver)
}

fn serve(
    mut stream: TcpStream,
    config: Arc<ServerConfig>,
    sender: &mpsc::Sender<Handshake>,
) -> io::Result<()> {
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        if acceptor.read_tls(&mut stream)? == 0 {
            return Ok(());
        }
        if let Some(accepted) = acceptor.accept().map_err(|(error, _)| io::Error::other(error))? {
            break accepted;
        }
    };
    let hello = Hello::of(&accepted.client_hello());
    let connection = match accepted.into_connection(config) {
        Ok(connection) => connection,
        Err((_, mut alert)) => return alert.write_all(&mut stream),
    };
    let mut stream = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    while !head.ends_with(b"grant_type=client_credentials") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let connection = &stream.conn;
    let _ = sender.send(Handshake {
        hello,
        version: connection.protocol_version().unwrap(),
        suite: connection.negotiated_cipher_suite().unwrap().suite(),
        group: connection.negotiated_key_exchange_group().map(|group| group.name()),
        kind: connection.handshake_kind().unwrap(),
        client: connection.peer_certificates().map(|chain| chain[0].to_vec()),
    });
    stream.write_all(&token())?;
    stream.conn.send_close_notify();
    stream.flush()
}
