//! A throw-away certificate authority for one case, and TLS servers that tell what they saw.

use crate::Identity;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    CipherSuite, HandshakeKind, NamedGroup, ProtocolVersion, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme, SupportedProtocolVersion,
};
use std::sync::{Arc, Mutex, PoisonError};

/// A root, or an intermediate, that signs certificates and revocation lists.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// What a server sends after its own certificate: this one and those above it, but no root.
    sent: Vec<CertificateDer<'static>>,
}

/// The years a certificate, or a list, is valid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Valid {
    Now,
    InThePast,
    InTheFuture,
}

impl Valid {
    const fn years(self) -> (i32, i32) {
        match self {
            Self::Now => (2020, 2099),
            Self::InThePast => (2020, 2021),
            Self::InTheFuture => (2098, 2099),
        }
    }
}

/// A certificate as it is to be.
#[derive(Clone)]
pub(super) struct Leaf {
    pub(super) names: Vec<String>,
    pub(super) valid: Valid,
    pub(super) purpose: Option<ExtendedKeyUsagePurpose>,
    pub(super) serial: u64,
    /// Where its revocation lists are.
    pub(super) lists: Vec<String>,
    pub(super) is_authority: bool,
}

impl Leaf {
    /// A good one for a server of this name, or address.
    pub(super) fn of(name: &str) -> Self {
        Self {
            names: vec![name.to_owned()],
            valid: Valid::Now,
            purpose: None,
            serial: 7,
            lists: Vec::new(),
            is_authority: false,
        }
    }

    /// A good one for a server on this machine.
    pub(super) fn here() -> Self {
        Self::of("127.0.0.1")
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new(self.names.clone()).expect("the names are valid ones");
        params.distinguished_name.push(DnType::CommonName, "Contract Test Server");
        params.distinguished_name.push(DnType::OrganizationName, "Contract, Inc.");
        params.serial_number = Some(SerialNumber::from(self.serial));
        params.extended_key_usages = self.purpose.iter().cloned().collect();
        params.crl_distribution_points = points(&self.lists);
        if self.is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let (first, last) = self.valid.years();
        params.not_before = date_time_ymd(first, 1, 1);
        params.not_after = date_time_ymd(last, 1, 1);
        params
    }

    /// The certificate, signed by its own key.
    pub(super) fn self_signed(&self) -> Credentials {
        let key = key();
        let certificate = self.params().self_signed(&key).expect("a key can sign itself");
        Credentials { chain: vec![certificate.der().clone()], key: key.serialize_der() }
    }
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("Contract Test Root")
    }

    pub(super) fn named(name: &str) -> Self {
        let params = authority(name, 1, &[]);
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("a root can sign itself");
        Self { issuer, sent: Vec::new() }
    }

    /// One that this one has signed.
    pub(super) fn intermediate(&self, serial: u64, lists: &[String]) -> Self {
        self.certify(authority("Contract Test Intermediate", serial, lists))
    }

    /// One that may sign certificates for this purpose alone.
    pub(super) fn intermediate_for(&self, purpose: ExtendedKeyUsagePurpose) -> Self {
        let mut params = authority("Contract Test Intermediate", 2, &[]);
        params.extended_key_usages = vec![purpose];
        self.certify(params)
    }

    fn certify(&self, params: CertificateParams) -> Self {
        let issuer = CertifiedIssuer::signed_by(params, key(), &self.issuer).expect("the authority can sign");
        let sent = std::iter::once(issuer.der().clone()).chain(self.sent.iter().cloned()).collect();
        Self { issuer, sent }
    }

    pub(super) fn der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate and its key.
    pub(super) fn issue(&self, leaf: &Leaf) -> Credentials {
        self.issue_for(leaf, &key())
    }

    pub(super) fn issue_for(&self, leaf: &Leaf, key: &KeyPair) -> Credentials {
        let certificate = leaf.params().signed_by(key, &self.issuer).expect("the authority can sign");
        let chain = std::iter::once(certificate.der().clone()).chain(self.sent.iter().cloned()).collect();
        Credentials { chain, key: key.serialize_der() }
    }

    /// A list of the serial numbers of revoked certificates.
    pub(super) fn list(&self, revoked: &[u64], valid: Valid) -> Vec<u8> {
        let (first, last) = valid.years();
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(first, 1, 1),
            next_update: date_time_ymd(last, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|serial| RevokedCertParams {
                    serial_number: SerialNumber::from(*serial),
                    revocation_time: date_time_ymd(2020, 2, 1),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).expect("the authority can sign").der().to_vec()
    }

    /// What a TLS server of that name, or address, shows.
    pub(super) fn server(&self, name: &str, valid: Valid) -> Arc<ServerConfig> {
        ServerTls::new(&self.issue(&Leaf { valid, ..Leaf::of(name) })).config()
    }
}

fn authority(name: &str, serial: u64, lists: &[String]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from(serial));
    params.crl_distribution_points = points(lists);
    params
}

fn points(lists: &[String]) -> Vec<CrlDistributionPoint> {
    lists.iter().map(|url| CrlDistributionPoint { uris: vec![url.clone()] }).collect()
}

pub(super) fn key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}

/// A key of RSA, of which ring makes none: one for tests, which everybody can read.
pub(super) fn rsa_key() -> KeyPair {
    KeyPair::from_pem(include_str!("rsa-2048.pem")).expect("the file is a key")
}

/// A certificate, those above it, and its key.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: Vec<u8>,
}

impl Credentials {
    /// The certificate itself.
    pub(super) fn der(&self) -> Vec<u8> {
        self.chain.first().expect("there is one").to_vec()
    }

    /// As a client holds it.
    pub(super) fn identity(&self) -> Identity {
        let chain = self.chain.iter().map(|der| der.to_vec()).collect();
        Identity::new(chain, &self.key).expect("a certificate and its key")
    }

    /// The same with another algorithm named for its signature: ECDSA with SHA-224, which ring does not have.
    pub(super) fn with_unsupported_signature(mut self) -> Self {
        const SHA256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
        const SHA224: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1];
        let mut der = self.der();
        let places: Vec<_> =
            (0..der.len().saturating_sub(8)).filter(|at| der[*at..].starts_with(&SHA256)).collect();
        for at in &places {
            der[*at..*at + 8].copy_from_slice(&SHA224);
        }
        assert_eq!(places.len(), 2, "inside what is signed, and beside the signature");
        self.chain[0] = der.into();
        self
    }
}

/// A TLS server as it is to be.
pub(super) struct ServerTls {
    credentials: Credentials,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    /// `None` has all of ring's.
    pub(super) suites: Option<Vec<CipherSuite>>,
    pub(super) groups: Option<Vec<NamedGroup>>,
    /// Who signs the certificates that clients have to show.
    pub(super) clients: Option<Vec<u8>>,
    /// Whether a client without a certificate is served, too.
    pub(super) serves_strangers: bool,
    pub(super) alpn: Vec<Vec<u8>>,
    hellos: Hellos,
}

impl ServerTls {
    pub(super) fn new(credentials: &Credentials) -> Self {
        Self {
            credentials: credentials.clone(),
            versions: rustls::ALL_VERSIONS.to_vec(),
            suites: None,
            groups: None,
            clients: None,
            serves_strangers: false,
            alpn: Vec::new(),
            hellos: Hellos::default(),
        }
    }

    /// Where the beginnings of handshakes are written down.
    pub(super) fn hellos(&self) -> Hellos {
        self.hellos.clone()
    }

    pub(super) fn config(self) -> Arc<ServerConfig> {
        let mut provider: CryptoProvider = ring::default_provider();
        if let Some(suites) = &self.suites {
            provider.cipher_suites.retain(|suite| suites.contains(&suite.suite()));
        }
        if let Some(groups) = &self.groups {
            provider.kx_groups.retain(|group| groups.contains(&group.name()));
        }
        let provider = Arc::new(provider);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.credentials.key));
        // Whether it is the certificate's own is for the client to find out.
        let key = provider.key_provider.load_private_key(key).expect("ring made the key");
        let certified = CertifiedKey::new(self.credentials.chain, key);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .expect("ring supports the versions");
        let builder = match self.clients {
            None => builder.with_no_client_auth(),
            Some(root) => {
                let mut roots = RootCertStore::empty();
                roots.add(root.into()).expect("a root can be one");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier =
                    if self.serves_strangers { verifier.allow_unauthenticated() } else { verifier };
                builder.with_client_cert_verifier(verifier.build().expect("there is a root"))
            }
        };
        let watch = Watch { certified: Arc::new(certified), hellos: self.hellos };
        let mut config = builder.with_cert_resolver(Arc::new(watch));
        config.alpn_protocols = self.alpn;
        Arc::new(config)
    }
}

/// What the clients of a server offered, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Hellos(Arc<Mutex<Vec<Hello>>>);

impl Hellos {
    /// What the first client offered.
    pub(super) fn first(&self) -> Hello {
        let hellos = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hellos.first().expect("a handshake was begun").clone()
    }
}

/// What a client offers.
#[derive(Clone, Debug)]
pub(super) struct Hello {
    pub(super) suites: Vec<CipherSuite>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) groups: Vec<NamedGroup>,
}

/// Shows one certificate, and writes down who asks.
#[derive(Debug)]
struct Watch {
    certified: Arc<CertifiedKey>,
    hellos: Hellos,
}

impl ResolvesServerCert for Watch {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let hello = Hello {
            suites: hello.cipher_suites().to_vec(),
            schemes: hello.signature_schemes().to_vec(),
            groups: hello.named_groups().unwrap_or_default().to_vec(),
        };
        self.hellos.0.lock().unwrap_or_else(PoisonError::into_inner).push(hello);
        Some(Arc::clone(&self.certified))
    }
}

/// What a server knows of a handshake that went well.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    pub(super) version: Option<ProtocolVersion>,
    pub(super) suite: Option<CipherSuite>,
    pub(super) group: Option<NamedGroup>,
    pub(super) kind: Option<HandshakeKind>,
    /// The certificate that the client showed.
    pub(super) client: Option<Vec<u8>>,
}

impl Handshake {
    pub(super) fn of(session: &ServerConnection) -> Self {
        Self {
            version: session.protocol_version(),
            suite: session.negotiated_cipher_suite().map(|suite| suite.suite()),
            group: session.negotiated_key_exchange_group().map(|group| group.name()),
            kind: session.handshake_kind(),
            client: session
                .peer_certificates()
                .and_then(|chain| chain.first().map(|certificate| certificate.to_vec())),
        }
    }
}
