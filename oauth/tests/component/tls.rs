//! The rows of certificates, as a server sees them.

use crate::authority::*;
use crate::wire::*;
use oauth::OAuth;
use oauth::component::Event;
use oauth::core::UnreachableKind;
use oauth::jwt::StoreKind;
use oauth::transport::{EventHandler, ServerCertificate};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::version::TLS13;
use std::fs;
use std::sync::{Arc, Mutex, mpsc};
use tempfile::TempDir;

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
        get(&url, engine, &[&authority.trusted()]).unwrap();
        get(&url, engine, &[&Authority::new().trusted()]).expect_err("another root does not help");
    }
}

#[test]
fn row_open_ssl_ca_dir_on_the_wire() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (url, _handshakes) = telling(authority.server());
    let folder =
        |authority: &Authority| format!("OpenSSLCADir={}", authority.root().parent().unwrap().display());
    for engine in ENGINES {
        get(&url, engine, &[&folder(&authority)]).unwrap();
        assert_eq!(unreachable(get(&url, engine, &[&folder(&other)])), UnreachableKind::Tls, "{engine}");
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
    let versions = [&TLS13];
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
    // A list that cannot be had, where one is required: all of the bits for it, and no part of them.
    let none = Server::answering(response("404 Not Found", "", b""));
    let (url, _handshakes) = telling(listed(&authority, 7, &none.url("/list.crl")));
    for (flag, good) in [("0", false), ("0x80000031", false), ("0xF00", true), ("0x80000F31", true)] {
        let lines = [&authority.trusted(), "SSLCheckCRL=2", &format!("SSLSecurityFlags={flag}")];
        let result = get(&url, "false", &lines);
        assert_eq!(result.is_ok(), good, "{flag}: {result:?}");
    }
    let oauth = client(&url);
    for part in ["0x100", "0x200", "0x400", "0x800", "0x700"] {
        let error = oauth.config(&format!("SSLSecurityFlags={part}")).unwrap_err().to_string();
        assert!(error.contains("a part of 0xF00") && read(&oauth, "SSLSecurityFlags") == "0x0", "{error}");
    }
    if ENGINES.contains(&"true") {
        let (url, _handshakes) = telling(serving(&elsewhere, &versions, None));
        let flagged = |flags| get(&url, "true", &[&authority.trusted(), flags]);
        assert_eq!(unreachable(flagged("SSLSecurityFlags=0")), UnreachableKind::Tls);
        flagged("SSLSecurityFlags=0x80000000").unwrap();
    }
    for flag in ["0x1", "0x10", "0x20", "0xF00"] {
        refused_by_isahc(&[&format!("SSLSecurityFlags={flag}")], "SSLSecurityFlags");
    }
}

/// A certificate with this number, which says that its issuer's list of what was revoked is there.
fn listed(authority: &Authority, serial: u64, list: &str) -> Arc<ServerConfig> {
    let leaf = authority.leaf("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth, |params| {
        params.serial_number = Some(SerialNumber::from(serial));
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![list.to_owned()] }];
    });
    serving(&leaf, &[&TLS13], None)
}

/// A list with this number on it.
fn revoking(authority: &Authority, serial: u64) -> Vec<u8> {
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: date_time_ymd(2024, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 2),
        next_update: date_time_ymd(2099, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(&authority.issuer).unwrap().der().to_vec()
}

#[test]
fn row_ssl_check_crl_on_the_wire() {
    let authority = Authority::new();
    let lists = Server::answering(response("200 OK", "", &revoking(&authority, 7)));
    let none = Server::answering(response("404 Not Found", "", b""));
    let cases = [("on the list", &lists, 7), ("not on it", &lists, 8), ("no list", &none, 8)];
    for (mode, asks, goes_well) in [
        (&[][..], false, [true, true, true]),
        (&["SSLCheckCRL=0"], false, [true, true, true]),
        (&["SSLCheckCRL=1"], true, [false, true, true]),
        (&["SSLCheckCRL=2"], true, [false, true, false]),
    ] {
        for ((case, published, serial), good) in cases.into_iter().zip(goes_well) {
            let (url, _handshakes) = telling(listed(&authority, serial, &published.url("/list.crl")));
            let before = published.seen().len();
            let result = get(&url, "false", &[&[authority.trusted().as_str()][..], mode].concat());
            assert_eq!(published.seen().len() > before, asks, "{case} {mode:?}");
            assert_eq!(result.is_ok(), good, "{case} {mode:?}: {result:?}");
            if !good {
                assert_eq!(unreachable(result), UnreachableKind::Tls, "{case} {mode:?}");
            }
        }
    }
}

#[test]
fn row_ssl_accept_server_cert_encoded() {
    let authority = Authority::new();
    let leaf = authority.leaf("other.example", ExtendedKeyUsagePurpose::ServerAuth, |_| ());
    let (url, _handshakes) = telling(serving(&leaf, &[&TLS13], None));
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
    let (url, _handshakes) = telling(serving(&leaf, &[&TLS13], None));
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
    telling(serving(&authority.server_leaf(), &VERSIONS, Some(authority)))
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
        // Who names another one afterwards means that.
        oauth.set_ssl_cert_subject("one.example");
        assert_eq!(oauth.ssl_cert_encoded(), "");
        oauth.get_authorization().unwrap();
        assert_eq!(handshakes.recv().unwrap().client.as_deref(), Some(&*one.der), "{engine}");
        oauth.set_ssl_cert_encoded(&two.pem).unwrap();
        oauth.set_ssl_cert_encoded("").unwrap();
        assert_eq!((oauth.ssl_cert_encoded(), oauth.ssl_cert_subject()), (String::new(), String::new()));
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
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der.clone(), authority.issuer.der().clone()], leaf.private())
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
