//! The rows of TLS, as a server sees them.

use crate::wire::*;
use oauth::OAuth;
use oauth::component::Event;
use oauth::jwt::StoreKind;
use oauth::transport::{EventHandler, ServerCertificate};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::fs;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use tempfile::TempDir;

/// A root and what it signs, in a folder.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key.
pub struct Leaf {
    pub der: CertificateDer<'static>,
    pub pem: String,
    key: KeyPair,
}

impl Leaf {
    /// The key and the certificate, one after the other.
    fn both(&self) -> String {
        format!("{}{}", self.key.serialize_pem(), self.pem)
    }
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "A root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
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

    fn leaf(
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

    fn server_leaf(&self) -> Leaf {
        self.leaf("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth, |_| ())
    }

    /// A good server.
    pub fn server(&self) -> Arc<ServerConfig> {
        serving(&self.server_leaf(), &[&rustls::version::TLS12, &rustls::version::TLS13], None)
    }
}

fn serving(
    leaf: &Leaf,
    versions: &[&'static rustls::SupportedProtocolVersion],
    clients: Option<&Authority>,
) -> Arc<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
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
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key.serialize_der()));
    Arc::new(builder.with_single_cert(vec![leaf.der.clone()], key).unwrap())
}

/// What a handshake came to, on the server's side.
#[derive(Debug)]
struct Handshake {
    version: String,
    suite: String,
    group: String,
    kind: String,
    client: Option<Vec<u8>>,
}

/// A server that serves so many connections a token each, and tells of its handshakes.
fn telling(config: Arc<ServerConfig>) -> (String, mpsc::Receiver<Handshake>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/token", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (config, sender) = (Arc::clone(&config), sender.clone());
            thread::spawn(move || -> io::Result<()> {
                let mut stream =
                    StreamOwned::new(ServerConnection::new(config).map_err(io::Error::other)?, stream?);
                let mut head = Vec::new();
                while !head.ends_with(b"grant_type=client_credentials") {
                    let mut byte = [0];
                    io::Read::read_exact(&mut stream, &mut byte)?;
                    head.push(byte[0]);
                }
                let connection = &stream.conn;
                let _ = sender.send(Handshake {
                    version: format!("{:?}", connection.protocol_version().unwrap()),
                    suite: format!("{:?}", connection.negotiated_cipher_suite().unwrap().suite()),
                    group: format!(
                        "{:?}",
                        connection.negotiated_key_exchange_group().map(|group| group.name())
                    ),
                    kind: format!("{:?}", connection.handshake_kind().unwrap()),
                    client: connection.peer_certificates().map(|chain| chain[0].to_vec()),
                });
                stream.write_all(&token())?;
                stream.conn.send_close_notify();
                stream.flush()
            });
        }
    });
    (url, receiver)
}

#[test]
fn row_ssl_enabled_protocols_on_the_wire() {
    let authority = Authority::new();
    let (url, handshakes) = telling(authority.server());
    for engine in ENGINES {
        for (lines, version) in [(&[][..], "TLSv1_3"), (&["SSLEnabledProtocols=4032"], "TLSv1_2")] {
            get(&url, engine, &[&[authority.trusted().as_str()][..], lines].concat()).unwrap();
            assert_eq!(handshakes.recv().unwrap().version, version, "{engine}");
        }
    }
    let old = serving(&authority.server_leaf(), &[&rustls::version::TLS12], None);
    let (url, _handshakes) = telling(old);
    for engine in ENGINES {
        get(&url, engine, &[&authority.trusted(), "SSLEnabledProtocols=12288"])
            .expect_err("the server has 1.2 alone");
    }
}

#[test]
fn suites_and_groups_on_the_wire() {
    let authority = Authority::new();
    let (url, handshakes) = telling(authority.server());
    let trusted = authority.trusted();
    let with = |engine, lines: &[&str]| {
        get(&url, engine, &[&[trusted.as_str()][..], lines].concat())
            .unwrap_or_else(|error| panic!("{lines:?}: {error}"));
        handshakes.recv().unwrap()
    };
    for (suite, expected) in [
        ("TLS_AES_128_GCM_SHA256", "TLS13_AES_128_GCM_SHA256"),
        ("TLS_CHACHA20_POLY1305_SHA256", "TLS13_CHACHA20_POLY1305_SHA256"),
    ] {
        assert_eq!(with("false", &[&format!("SSLEnabledCipherSuites={suite}")]).suite, expected);
    }
    for engine in ENGINES {
        let list = ["OpenSSLCipherList=ECDHE-ECDSA-AES128-GCM-SHA256", "SSLEnabledProtocols=3072"];
        assert_eq!(with(engine, &list).suite, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "{engine}");
    }
    for (line, group) in [
        ("TLS13SupportedGroups=secp384r1", "secp384r1"),
        ("TLS13KeyShareGroups=secp256r1", "secp256r1"),
        ("TLS12SupportedGroups=secp384r1", "secp384r1"),
    ] {
        assert_eq!(with("false", &[line]).group, format!("Some({group})"), "{line}");
    }
    assert_eq!(with("false", &["SSLCipherStrength=256"]).suite, "TLS13_AES_256_GCM_SHA384");
    with("false", &["TLS13SignatureAlgorithms=ecdsa_secp256r1_sha256"]);
    for (line, name) in [
        ("SSLEnabledCipherSuites=TLS_NONE", "SSLEnabledCipherSuites"),
        ("TLS13SupportedGroups=x448", "TLS13SupportedGroups"),
        ("TLS13KeyShareGroups=ffdhe2048", "TLS13KeyShareGroups"),
        ("TLS13SignatureAlgorithms=ed448", "TLS13SignatureAlgorithms"),
    ] {
        let text = line.split_once('=').unwrap().1;
        refused(&client_with(&url, "false", &[line]), name, text);
    }
    for (line, name) in [
        ("SSLEnabledCipherSuites=TLS_AES_128_GCM_SHA256", "SSLEnabledCipherSuites"),
        ("TLS12SupportedGroups=x25519", "TLS12SupportedGroups"),
        ("TLS13SupportedGroups=x25519", "TLS13SupportedGroups"),
        ("TLS13KeyShareGroups=x25519", "TLS13KeyShareGroups"),
        ("TLS12SignatureAlgorithms=ed25519", "TLS12SignatureAlgorithms"),
        ("TLS13SignatureAlgorithms=ed25519", "TLS13SignatureAlgorithms"),
        ("SSLCheckCRL=2", "SSLCheckCRL"),
        ("LogSSLPackets=true", "LogSSLPackets"),
        ("SSLIncludeCertChain=true", "SSLIncludeCertChain"),
        ("SSLSecurityFlags=0x1", "SSLSecurityFlags"),
    ] {
        refused_by_isahc(&[line], name);
    }
}

#[test]
fn row_reuse_ssl_session_on_the_wire() {
    let authority = Authority::new();
    let (url, handshakes) = telling(authority.server());
    for (line, kind) in [("ReuseSSLSession=false", "Full"), ("ReuseSSLSession=true", "Resumed")] {
        let oauth = client_with(&url, "false", &[&authority.trusted(), line]);
        for _ in 0..2 {
            oauth.get_authorization().unwrap();
        }
        let kinds = [handshakes.recv().unwrap().kind, handshakes.recv().unwrap().kind];
        assert_eq!(kinds, ["Full", kind], "{line}");
    }
}

#[test]
fn row_ssl_ca_cert_file_paths() {
    let authority = Authority::new();
    let (url, _handshakes) = telling(authority.server());
    for engine in ENGINES {
        get(&url, engine, &[]).expect_err("nobody trusts it");
    }
    let paths = format!("SSLCACertFilePaths={}", authority.root().display());
    get(&url, "false", &[&paths]).unwrap();
    refused_by_isahc(&[&paths], "SSLCACertFilePaths");
}

#[test]
fn row_open_ssl_ca_file() {
    let authority = Authority::new();
    let (url, _handshakes) = telling(authority.server());
    for engine in ENGINES {
        let folder = format!("OpenSSLCADir={}", authority.root().parent().unwrap().display());
        get(&url, engine, &[&authority.trusted()]).unwrap();
        get(&url, engine, &[&folder]).unwrap();
        get(&url, engine, &[&Authority::new().trusted()]).expect_err("another root does not help");
    }
}

#[test]
fn row_ssl_security_flags_on_the_wire() {
    let authority = Authority::new();
    let expired = authority.leaf("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth, |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let elsewhere = authority.leaf("other.example", ExtendedKeyUsagePurpose::ServerAuth, |_| ());
    let other_use = authority.leaf("127.0.0.1", ExtendedKeyUsagePurpose::ClientAuth, |_| ());
    let versions = [&rustls::version::TLS13];
    for (leaf, root, flag) in [
        (&expired, Some(&authority), "0x1"),
        (&authority.server_leaf(), None, "0x10"),
        (&other_use, Some(&authority), "0x20"),
        (&elsewhere, Some(&authority), "0x80000000"),
    ] {
        let (url, _handshakes) = telling(serving(leaf, &versions, None));
        let root = root.map(Authority::trusted).unwrap_or_else(|| "OpenSSLCAFile=".to_owned());
        for other in ["0", "0x1", "0x10", "0x20", "0x80000000"] {
            let result = get(&url, "false", &[&root, &format!("SSLSecurityFlags={other}")]);
            assert_eq!(result.is_ok(), other == flag, "{flag} {other}: {result:?}");
        }
    }
    if ENGINES.contains(&"true") {
        let (url, _handshakes) = telling(serving(&elsewhere, &versions, None));
        get(&url, "true", &[&authority.trusted(), "SSLSecurityFlags=0x80000000"]).unwrap();
    }
}

#[test]
fn row_ssl_accept_server_cert_encoded() {
    let authority = Authority::new();
    let leaf = authority.leaf("other.example", ExtendedKeyUsagePurpose::ServerAuth, |_| ());
    let (url, _handshakes) = telling(serving(&leaf, &[&rustls::version::TLS13], None));
    let oauth = client(&url);
    oauth.get_authorization().unwrap_err();
    oauth.set_ssl_accept_server_cert_encoded(&authority.server_leaf().pem).unwrap();
    oauth.get_authorization().expect_err("it is not that one");
    oauth.set_ssl_accept_server_cert_encoded(&leaf.pem).unwrap();
    oauth.get_authorization().unwrap();
    let shown = oauth.ssl_accept_server_cert_encoded();
    assert_eq!(shown.replace(['\r', '\n'], ""), leaf.pem.replace(['\r', '\n'], ""));
    // Base64 alone is as good.
    let bare: String = shown.lines().filter(|line| !line.starts_with('-')).collect();
    oauth.set_ssl_accept_server_cert_encoded(&bare).unwrap();
    oauth.get_authorization().unwrap();
    let error = oauth.set_ssl_accept_server_cert_encoded("rubbish").unwrap_err().to_string();
    assert_eq!(
        error,
        "this is no value of ssl_accept_server_cert_encoded: it takes a certificate as PEM or Base64"
    );
    if ENGINES.contains(&"true") {
        set(&oauth, &["UsePlatformHTTPClient=true"]);
        refused(&oauth, "ssl_accept_server_cert_encoded", "isahc does not show certificates");
    }
    oauth.set_ssl_accept_server_cert_encoded("").unwrap();
    set(&oauth, &["UsePlatformHTTPClient=false"]);
    oauth.get_authorization().unwrap_err();
}

#[test]
fn row_ssl_server_cert_encoded() {
    let authority = Authority::new();
    let leaf = authority.server_leaf();
    let (url, _handshakes) = telling(serving(&leaf, &[&rustls::version::TLS13], None));
    let oauth = client(&url);
    assert_eq!(oauth.ssl_server_cert_encoded().unwrap(), "");
    // It can be seen even where it is refused.
    oauth.get_authorization().unwrap_err();
    let shown = oauth.ssl_server_cert_encoded().unwrap();
    assert_eq!(shown.replace(['\r', '\n'], ""), leaf.pem.replace(['\r', '\n'], ""));
    set(&oauth, &["UsePlatformHTTPClient=true"]);
    let error = oauth.ssl_server_cert_encoded().unwrap_err().to_string();
    assert!(error.starts_with("ssl_server_cert_encoded is refused: isahc does not show"), "{error}");
}

/// The stores whose contents are a key and its certificate.
fn stores(leaf: &Leaf, folder: &TempDir) -> Vec<(StoreKind, String)> {
    let file = folder.path().join("both.pem");
    fs::write(&file, leaf.both()).unwrap();
    vec![
        (StoreKind::PemKeyBlob, leaf.both()),
        (StoreKind::PemKeyFile, file.display().to_string()),
        (StoreKind::Auto, leaf.both()),
        (StoreKind::Auto, file.display().to_string()),
    ]
}

/// A server that wants a certificate of this authority.
fn strict(authority: &Authority) -> (String, mpsc::Receiver<Handshake>) {
    telling(serving(
        &authority.server_leaf(),
        &[&rustls::version::TLS12, &rustls::version::TLS13],
        Some(authority),
    ))
}

#[test]
fn row_ssl_cert_store() {
    let authority = Authority::new();
    let (url, handshakes) = strict(&authority);
    let folder = tempfile::tempdir().unwrap();
    let leaf = authority.leaf("client.example", ExtendedKeyUsagePurpose::ClientAuth, |_| ());
    for engine in ENGINES {
        get(&url, engine, &[&authority.trusted()]).expect_err("the server wants a certificate");
        for (kind, store) in stores(&leaf, &folder) {
            let oauth = client_with(&url, engine, &[&authority.trusted()]);
            oauth.set_ssl_cert_store_type(kind);
            oauth.set_ssl_cert_store(store.clone());
            refused(&oauth, "ssl_cert_store", "ssl_cert_subject");
            oauth.set_ssl_cert_subject("*");
            oauth.get_authorization().unwrap_or_else(|error| panic!("{engine} {kind:?}: {error}"));
            assert_eq!(handshakes.recv().unwrap().client.as_deref(), Some(&*leaf.der), "{engine} {kind:?}");
            assert_eq!(
                (oauth.ssl_cert_store().expose(), oauth.ssl_cert_store_type()),
                (store.as_str(), kind)
            );
        }
    }
}

#[test]
fn row_ssl_cert_store_type() {
    let authority = Authority::new();
    let (url, handshakes) = strict(&authority);
    let interop = oauth_interop::Authority::new("http://127.0.0.1:9/list.crl");
    // A store that has no key, or is none on this system, is told by what is wrong with it, before anything is sent.
    let leaf = authority.leaf("client.example", ExtendedKeyUsagePurpose::ClientAuth, |_| ());
    for (kind, store) in [
        (StoreKind::PublicKeyBlob, leaf.pem),
        (StoreKind::P7bBlob, "rubbish".to_owned()),
        (StoreKind::PfxBlob, "rubbish".to_owned()),
        (StoreKind::PfxFile, "/nonexistent/file".to_owned()),
        (StoreKind::JksBlob, "rubbish".to_owned()),
        (StoreKind::PpkBlob, "rubbish".to_owned()),
        (StoreKind::XmlBlob, "rubbish".to_owned()),
        (StoreKind::JwkBlob, "rubbish".to_owned()),
        (StoreKind::User, "MY".to_owned()),
        (StoreKind::Machine, "MY".to_owned()),
        (StoreKind::SecurityKey, "/nonexistent/module.so".to_owned()),
    ] {
        let oauth = client_with(&url, "false", &[&authority.trusted()]);
        oauth.set_ssl_cert_store_type(kind);
        oauth.set_ssl_cert_store(store.clone());
        oauth.set_ssl_cert_subject("*");
        let error = oauth.get_authorization().expect_err("there is no key").to_string();
        assert!(!error.contains('\n') && !error.contains("rubbish"), "{kind:?}: {error}");
    }
    handshakes.try_recv().expect_err("nothing was sent");
    // A PKCS#12 file is what its password opens.
    let pfx = interop.client().pkcs12("s3cret").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), pfx).unwrap();
    let oauth = client_with(&url, "false", &[]);
    oauth.set_ssl_cert_store_type(StoreKind::PfxFile);
    oauth.set_ssl_cert_store(file.path().display().to_string());
    oauth.set_ssl_cert_subject("*");
    let error = oauth.get_authorization().unwrap_err().to_string();
    assert!(error.contains("password"), "{error}");
    oauth.set_ssl_cert_store_password("s3cret");
    let error = oauth.get_authorization().unwrap_err().to_string();
    assert!(!error.contains("password"), "what is wrong now is that nobody trusts the server: {error}");
}

#[test]
fn row_ssl_cert_store_password() {
    let interop = oauth_interop::Authority::new("http://127.0.0.1:9/list.crl");
    let authority = Authority::new();
    let (url, _handshakes) = telling(authority.server());
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), interop.client().pkcs12("planted-password").unwrap()).unwrap();
    for engine in ENGINES {
        let oauth = client_with(&url, engine, &[&authority.trusted()]);
        oauth.set_ssl_cert_store_type(StoreKind::PfxFile);
        oauth.set_ssl_cert_store(file.path().display().to_string());
        oauth.set_ssl_cert_subject("*");
        oauth.set_ssl_cert_store_password("planted-wrong");
        let error = oauth.get_authorization().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        oauth.set_ssl_cert_store_password("planted-password");
        oauth.get_authorization().unwrap();
        assert_eq!(oauth.ssl_cert_store_password().expose(), "planted-password");
        assert!(!format!("{:?}", oauth.ssl_cert_store_password()).contains("planted"));
    }
}

#[test]
fn row_ssl_cert_subject() {
    let authority = Authority::new();
    let (url, handshakes) = strict(&authority);
    let leaf = |name| authority.leaf(name, ExtendedKeyUsagePurpose::ClientAuth, |_| ());
    let (one, two) = (leaf("one.example"), leaf("two.example"));
    let oauth = client_with(&url, "false", &[&authority.trusted()]);
    oauth.set_ssl_cert_store_type(StoreKind::PemKeyBlob);
    oauth.set_ssl_cert_store(format!("{}{}", one.both(), two.both()));
    for (subject, leaf) in [("*", &one), ("two.example", &two), ("CN=one.example", &one), ("TWO", &two)] {
        oauth.set_ssl_cert_subject(subject);
        oauth.get_authorization().unwrap_or_else(|error| panic!("{subject}: {error}"));
        assert_eq!(handshakes.recv().unwrap().client.as_deref(), Some(&*leaf.der), "{subject}");
    }
    oauth.set_ssl_cert_subject("three");
    let error = oauth.get_authorization().unwrap_err().to_string();
    assert!(error.contains("three"), "{error}");
}

#[test]
fn row_ssl_cert_encoded() {
    let authority = Authority::new();
    let (url, handshakes) = strict(&authority);
    let leaf = |name| authority.leaf(name, ExtendedKeyUsagePurpose::ClientAuth, |_| ());
    let (one, two) = (leaf("one.example"), leaf("two.example"));
    for engine in ENGINES {
        let oauth = client_with(&url, engine, &[&authority.trusted()]);
        let error = oauth.set_ssl_cert_encoded(&two.pem).unwrap_err().to_string();
        assert!(!error.contains('\n'), "there is no store yet: {error}");
        oauth.set_ssl_cert_store_type(StoreKind::PemKeyBlob);
        oauth.set_ssl_cert_store(one.both());
        let error = oauth.set_ssl_cert_encoded(&two.pem).unwrap_err().to_string();
        assert!(error.starts_with("ssl_cert_encoded is refused: the store does not have"), "{error}");
        oauth.set_ssl_cert_store(format!("{}{}", one.both(), two.both()));
        oauth.set_ssl_cert_encoded(&two.pem).unwrap();
        assert!(oauth.ssl_cert_subject().contains("two.example"));
        assert!(oauth.ssl_cert_encoded().contains("BEGIN CERTIFICATE"));
        oauth.get_authorization().unwrap();
        assert_eq!(handshakes.recv().unwrap().client.as_deref(), Some(&*two.der), "{engine}");
        oauth.set_ssl_cert_encoded("").unwrap();
        assert_eq!(oauth.ssl_cert_encoded(), "");
    }
}

#[test]
fn row_ssl_ca_certs() {
    let authority = Authority::new();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Between");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let between =
        CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &authority.issuer).unwrap();
    let mut params = CertificateParams::new(["client.example".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &between).unwrap();
    let (url, handshakes) = strict(&authority);
    for engine in ENGINES {
        let oauth = client_with(&url, engine, &[&authority.trusted()]);
        oauth.set_ssl_cert_store_type(StoreKind::PemKeyBlob);
        oauth.set_ssl_cert_store(format!("{}{}", key.serialize_pem(), leaf.pem()));
        oauth.set_ssl_cert_subject("*");
        oauth.get_authorization().expect_err("the chain has a gap");
        set(&oauth, &[&format!("SSLCACerts={}", between.pem())]);
        oauth.get_authorization().unwrap();
        assert_eq!(handshakes.recv().unwrap().client.as_deref(), Some(&**leaf.der()), "{engine}");
    }
    let error = OAuth::new().config("SSLCACerts=rubbish").unwrap_err().to_string();
    assert_eq!(error, "this is no value of SSLCACerts: it takes certificates as PEM");
    refused(
        &client_with(&url, "false", &[&format!("SSLCACerts={}", between.pem())]),
        "SSLCACerts",
        "ssl_cert_store",
    );
}

#[test]
fn row_log_ssl_packets() {
    let authority = Authority::new();
    let (url, _handshakes) = telling(authority.server());
    for (line, logged) in [("LogSSLPackets=false", false), ("LogSSLPackets=true", true)] {
        let oauth = client_with(&url, "false", &[&authority.trusted(), "LogLevel=3", line]);
        let events = oauth.observe();
        oauth.get_authorization().unwrap();
        let records = events.try_iter().filter(|event| {
            matches!(event, Event::Log(_, _, text) if text.contains("record") || text.contains("handshake, "))
        });
        assert_eq!(records.count() > 0, logged, "{line}");
    }
}

/// Notes how long the chain is that comes with a certificate.
struct Chain(Arc<Mutex<Vec<usize>>>);

impl EventHandler for Chain {
    fn on_ssl_server_authentication(&mut self, certificate: &ServerCertificate<'_>, _accept: &mut bool) {
        self.0.lock().unwrap().push(certificate.chain.len());
    }
}

#[test]
fn row_ssl_include_cert_chain() {
    let authority = Authority::new();
    let leaf = authority.server_leaf();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der.clone(), authority.issuer.der().clone()], key)
        .unwrap();
    let (url, _handshakes) = telling(Arc::new(config));
    let lengths = Arc::new(Mutex::new(Vec::new()));
    let oauth = client_with(&url, "false", &[&authority.trusted()]);
    oauth.set_event_handler(Chain(Arc::clone(&lengths)));
    oauth.get_authorization().unwrap();
    set(&oauth, &["SSLIncludeCertChain=true"]);
    oauth.get_authorization().unwrap();
    let lengths = lengths.lock().unwrap();
    assert!(lengths[0] == 0 && lengths[1] > 0, "{lengths:?}");
}
