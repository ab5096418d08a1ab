//! A certificate authority for one run: good certificates, and one of each bad kind.

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevocationReason, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use std::fmt;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

/// The names of this machine that a good server's certificate has.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const REVOKED: u64 = 0x1001;
const REVOKED_CLIENT: u64 = 0x1002;

/// A root, what it signed, and its list of what it took back.
///
/// Every certificate of a server or client says where that list is to be had, and that is all it takes: whether anybody
/// serves it there is up to the test ([`Nginx`](crate::Nginx) does).
#[derive(Debug)]
pub struct Authority {
    root: String,
    list: Vec<u8>,
    list_pem: String,
    server: Identity,
    expired: Identity,
    wrong_host: Identity,
    self_signed: Identity,
    revoked: Identity,
    client: Identity,
    revoked_client: Identity,
    stranger: Identity,
}

impl Authority {
    /// Makes all of it; the list of the revoked will be at that URL.
    #[must_use]
    pub fn new(list_url: &str) -> Self {
        let issuer = root("Interop Test Root");
        let signed = |params: CertificateParams| {
            let key = key();
            let certificate = params.signed_by(&key, &issuer).expect("the root can sign");
            Identity { certificate: certificate.pem(), key: key.serialize_pem() }
        };
        let server = |names: &[&str]| server(names, list_url);
        let client = |name| client(name, list_url);

        let mut expired = server(&HERE);
        (expired.not_before, expired.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        let mut revoked = server(&HERE);
        revoked.serial_number = Some(REVOKED.into());
        let mut revoked_client = client("mallory");
        revoked_client.serial_number = Some(REVOKED_CLIENT.into());
        let own = key();
        let mut self_signed = server(&HERE);
        // A name that no root of this machine has: one of the same name would be tried as its issuer.
        self_signed.distinguished_name.push(DnType::CommonName, "Interop Self-Signed Server");
        let self_signed = self_signed.self_signed(&own).expect("a key can sign its own");
        let others = key();
        let stranger =
            client("eve").signed_by(&others, &root("Another Root")).expect("another root can sign, too");
        let list = revoke(&issuer, &[REVOKED, REVOKED_CLIENT]);
        Self {
            list: list.der().to_vec(),
            list_pem: list.pem().expect("a list can be written as PEM"),
            server: signed(server(&HERE)),
            expired: signed(expired),
            wrong_host: signed(server(&["wrong.test"])),
            self_signed: Identity { certificate: self_signed.pem(), key: own.serialize_pem() },
            revoked: signed(revoked),
            client: signed(client("alice")),
            revoked_client: signed(revoked_client),
            stranger: Identity { certificate: stranger.pem(), key: others.serialize_pem() },
            root: issuer.pem(),
        }
    }

    /// The root, as PEM.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root
    }

    /// The list of what was revoked, as DER: what is served at its URL.
    #[must_use]
    pub fn revocation_list(&self) -> &[u8] {
        &self.list
    }

    /// The same list as PEM.
    #[must_use]
    pub fn revocation_list_pem(&self) -> &str {
        &self.list_pem
    }

    /// A server at `localhost`, 127.0.0.1 and ::1.
    #[must_use]
    pub const fn server(&self) -> &Identity {
        &self.server
    }

    /// The same, valid in the year 2020 only.
    #[must_use]
    pub const fn expired(&self) -> &Identity {
        &self.expired
    }

    /// A server at `wrong.test`.
    #[must_use]
    pub const fn wrong_host(&self) -> &Identity {
        &self.wrong_host
    }

    /// A server that signed for itself.
    #[must_use]
    pub const fn self_signed(&self) -> &Identity {
        &self.self_signed
    }

    /// A server whose certificate is on the list.
    #[must_use]
    pub const fn revoked(&self) -> &Identity {
        &self.revoked
    }

    /// A client, `CN=alice`.
    #[must_use]
    pub const fn client(&self) -> &Identity {
        &self.client
    }

    /// A client whose certificate is on the list, `CN=mallory`.
    #[must_use]
    pub const fn revoked_client(&self) -> &Identity {
        &self.revoked_client
    }

    /// A client of another authority, `CN=eve`.
    #[must_use]
    pub const fn stranger(&self) -> &Identity {
        &self.stranger
    }
}

/// A certificate and its key.
pub struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    /// The certificate, as PEM; the root is not with it.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// The key, as PEM of PKCS #8.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key
    }

    /// Both in one PKCS #12 file, written by the `openssl` command.
    ///
    /// # Errors
    /// The command is missing (Debian package `openssl`), or fails.
    pub fn pkcs12(&self, password: &str) -> io::Result<Vec<u8>> {
        let mut openssl = Command::new("openssl")
            .args(["pkcs12", "-export", "-passout", "env:INTEROP_PASSWORD"])
            .env("INTEROP_PASSWORD", password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                io::Error::new(error.kind(), "openssl cannot be run: install the Debian package openssl")
            })?;
        let mut input = openssl.stdin.take().expect("it is piped");
        input.write_all(format!("{}{}", self.key, self.certificate).as_bytes())?;
        drop(input);
        let output = openssl.wait_with_output()?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(io::Error::other(format!("openssl wrote no PKCS #12 file: {}", output.status)))
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}

fn root(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, key()).expect("a root can sign itself")
}

fn leaf(name: &str, list_url: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2099, 1, 1));
    // Some verifiers look for an issuer by its key, and some lists by their issuer's.
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![list_url.to_owned()] }];
    params
}

fn server(names: &[&str], list_url: &str) -> CertificateParams {
    let mut params = leaf(names.first().copied().unwrap_or_default(), list_url);
    params.subject_alt_names = names
        .iter()
        .map(|name| {
            name.parse().map_or_else(
                |_| SanType::DnsName(Ia5String::try_from(*name).expect("the names are ASCII")),
                SanType::IpAddress,
            )
        })
        .collect();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn client(name: &str, list_url: &str) -> CertificateParams {
    let mut params = leaf(name, list_url);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn revoke(issuer: &CertifiedIssuer<'static, KeyPair>, serials: &[u64]) -> rcgen::CertificateRevocationList {
    let revoked = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2024, 1, 1),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 2),
        next_update: date_time_ymd(2099, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).expect("the root can sign a list")
}
