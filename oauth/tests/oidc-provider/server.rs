//! Starts npm `oidc-provider` on Node for the tests of one process, and sends it a person.
//!
//! Needs `node` and `npm` on the path; without them every test fails and says so. The node modules are installed
//! once, below Cargo's folder for tests. The server has a certificate of an authority made for this one run, listens on
//! a free port of 127.0.0.1, and ends when this process does.
#![allow(dead_code, reason = "a test program that shares this file may need less of it")]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

/// The private keys of the service accounts `service-ES256` and `service-RS256`.
pub(crate) const ES256_KEY: &str = include_str!("../../../oauth-jwt/tests/keys/p256.pkcs8.pem");
pub(crate) const RS256_KEY: &str = include_str!("../../../oauth-jwt/tests/keys/rsa-2048.pkcs1.pem");

/// The server of this process, started by the first test that asks.
pub(crate) fn server() -> &'static Server {
    static SERVER: LazyLock<Result<Server, String>> = LazyLock::new(Server::start);
    SERVER.as_ref().unwrap_or_else(|why| panic!("{why}"))
}

/// A server that runs.
pub(crate) struct Server {
    issuer: String,
    ca: String,
    client: (String, String),
    folder: PathBuf,
    /// It ends when its standard input does: at the latest with this process, however that ends.
    _node: Child,
}

impl Server {
    /// What it calls itself: `https://127.0.0.1` and a port.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The authority of its certificate, which is good for `localhost`, 127.0.0.1 and ::1.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca
    }

    /// What the client `certificate` shows: a certificate and its key, as PEM.
    pub(crate) fn client_certificate(&self) -> (&str, &str) {
        (&self.client.0, &self.client.1)
    }

    /// A person with a browser, see `person.mjs`.
    pub(crate) fn person(&self, arguments: &[&str]) -> Command {
        let mut person = Command::new("node");
        person.arg(self.folder.join("person.mjs")).args(arguments);
        person.env("NODE_EXTRA_CA_CERTS", self.folder.join("ca.pem"));
        person
    }

    fn start() -> Result<Self, String> {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc-provider");
        check_node()?;
        install(&home)?;

        // Node looks for modules in the folders above the script's.
        let folder = home.join(format!("run-{}", std::process::id()));
        let authority = authority();
        let client = certificate(&authority);
        let (certificate, key) = certificate(&authority);
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        for (name, text) in [
            ("ca.pem", &*authority.pem()),
            ("server.pem", &certificate),
            ("server.key", &key),
            ("client.pem", &client.0),
            ("service-ES256.pem", ES256_KEY),
            ("service-RS256.pem", RS256_KEY),
            ("server.mjs", include_str!("server.mjs")),
            ("person.mjs", include_str!("person.mjs")),
        ] {
            write(&folder.join(name), text)?;
        }

        let mut node = Command::new("node")
            .arg(folder.join("server.mjs"))
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node cannot be started: {error}"))?;
        let mut ready = String::new();
        BufReader::new(node.stdout.take().expect("it is piped"))
            .read_line(&mut ready)
            .map_err(|error| format!("the server's first line cannot be read: {error}"))?;
        let issuer = serde_json::from_str::<serde_json::Value>(&ready)
            .ok()
            .and_then(|ready| Some(ready.get("issuer")?.as_str()?.to_owned()))
            .ok_or("oidc-provider did not start; what Node says stands above")?;
        Ok(Self { issuer, ca: authority.pem(), client, folder, _node: node })
    }
}

/// An authority that has signed nothing of the server's.
pub(crate) fn another_ca_pem() -> String {
    authority().pem()
}

const OLDEST_NODE: u32 = 20;
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

fn check_node() -> Result<(), String> {
    let version = |program: &str| match Command::new(program).arg("--version").output() {
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        Err(error) => Err(format!(
            "{program} cannot be run ({error}), and these tests are about a server on Node: install Node.js \
             {OLDEST_NODE} or newer, with npm"
        )),
    };
    version(NPM)?;
    let node = version("node")?;
    let major = node.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST_NODE) {
        return Err(format!(
            "node is {node}, too old for the server: install Node.js {OLDEST_NODE} or newer"
        ));
    }
    Ok(())
}

/// Installs exactly what `package-lock.json` says, once for all test programs.
fn install(home: &Path) -> Result<(), String> {
    let lock_text = include_str!("package-lock.json");
    let installed = home.join("installed");
    fs::create_dir_all(home).map_err(|error| format!("cannot make {}: {error}", home.display()))?;
    // Test programs run at the same time, and one of them installs. The lock goes with the file, at the latest with
    // the process.
    let lock = File::create(home.join("lock")).and_then(|file| file.lock().map(|()| file));
    let _lock = lock.map_err(|error| format!("cannot lock {}: {error}", home.display()))?;
    if fs::read_to_string(&installed).is_ok_and(|text| text == lock_text) {
        return Ok(());
    }
    write(&home.join("package.json"), include_str!("package.json"))?;
    write(&home.join("package-lock.json"), lock_text)?;
    let npm = Command::new(NPM)
        .args(["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"])
        .current_dir(home)
        .output()
        .map_err(|error| format!("npm cannot be run: {error}"))?;
    if !npm.status.success() {
        let why = String::from_utf8_lossy(&npm.stderr);
        return Err(format!("npm cannot install the server, check that it reaches its registry:\n{why}"));
    }
    write(&installed, lock_text)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Interop Test Root");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, key()).expect("a root can sign itself")
}

/// The server's certificate and its key, as PEM.
fn certificate(authority: &CertifiedIssuer<'static, KeyPair>) -> (String, String) {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).expect("the names are valid");
    params.distinguished_name.push(DnType::CommonName, "Interop Test Server");
    let key = key();
    let certificate = params.signed_by(&key, authority).expect("the root can sign");
    (certificate.pem(), key.serialize_pem())
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}
