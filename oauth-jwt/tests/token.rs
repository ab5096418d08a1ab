//! A token that speaks PKCS#11: SoftHSM, which is one in software.
#![allow(missing_docs, reason = "a test")]
#![cfg(feature = "pkcs11")]

mod support;

use base64::Engine as _;
use oauth_core::{Algorithm, Input, KeyId, KeyTask, Password, SignTask};
use oauth_jwt::{
    Accepted, CertificateStore, Jws, KeyError, KeySet, Keyring, SigningKey, StoreError, StoreKind,
};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{file, openssl, path, signs_for_tls};

const PIN: &str = "4711";

fn module() -> &'static str {
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib/libsofthsm2.so"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("these tests need SoftHSM: install it (on Debian, `apt-get install softhsm2 opensc`)")
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// A token in a folder of its own, with three keys and a certificate; the configuration that names it.
fn token(folder: &Path) -> PathBuf {
    let configuration = folder.join("softhsm2.conf");
    std::fs::write(&configuration, format!("directories.tokendir = {}\n", folder.display())).unwrap();
    let util = |arguments: &[&str]| {
        let mut command = Command::new("softhsm2-util");
        run(command.env("SOFTHSM2_CONF", &configuration).args(arguments).args(["--pin", PIN]));
    };
    util(&["--init-token", "--free", "--label", "service token", "--so-pin", "0815"]);
    for (id, name) in [("01", "rsa-2048"), ("02", "p256"), ("03", "p384"), ("04", "rsa-1024")] {
        let key = path(&format!("{name}.pkcs8.pem"));
        let key = key.to_str().unwrap();
        util(&["--import", key, "--token", "service token", "--label", name, "--id", id]);
    }
    let certificate = folder.join("certificate.der");
    let certificate = certificate.to_str().unwrap();
    let pem = path("p256.certificate.pem");
    let _said = openssl(&["x509", "-in", pem.to_str().unwrap(), "-outform", "DER", "-out", certificate]);
    let mut tool = Command::new("pkcs11-tool");
    tool.env("SOFTHSM2_CONF", &configuration).args(["--module", module(), "--login", "--pin", PIN]);
    run(tool.args(["--write-object", certificate, "--type", "cert", "--id", "02", "--label", "p256"]));
    configuration
}

/// The module reads its configuration from the environment, which is the process's: so the test is one of its own.
#[test]
fn keys_in_a_token_sign_there() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = token(folder.path());
    let said = run(Command::new(std::env::current_exe().unwrap())
        .env("SOFTHSM2_CONF", configuration)
        .args(["--ignored", "--exact", "within_a_process_that_knows_the_token"]));
    assert!(said.contains("1 passed"), "{said}");
}

fn open(locator: &str, pin: &str) -> Result<CertificateStore, StoreError> {
    CertificateStore::open(StoreKind::SecurityKey, locator, Some(&Password::new(pin)))
}

#[test]
#[ignore = "the test above runs it"]
fn within_a_process_that_knows_the_token() {
    // Before the first login: it is the whole process that logs in.
    let error = CertificateStore::open(StoreKind::SecurityKey, module(), None).unwrap_err();
    assert!(matches!(error, StoreError::PasswordMissing), "{error}");
    for wrong in ["", "4712", &"9".repeat(300)] {
        let error = open(module(), wrong).unwrap_err();
        assert!(matches!(error, StoreError::Password), "{error}");
    }
    for (asked, name, algorithms) in [
        (
            "rsa-2048",
            "rsa-2048",
            &[Algorithm::RS256, Algorithm::PS256, Algorithm::RS512, Algorithm::PS384][..],
        ),
        ("CN=throw-away", "p256", &[Algorithm::ES256]),
        ("p384", "p384", &[Algorithm::ES384]),
    ] {
        let plain = SigningKey::from_pem(file(&format!("{name}.pkcs8.pem"))).unwrap();
        for algorithm in algorithms {
            let store = open(module(), PIN).unwrap();
            assert_eq!(store.kind(), StoreKind::SecurityKey);
            let key = store.take(asked).unwrap().into_signing_key().unwrap();
            assert_eq!(key.algorithm(), plain.algorithm());
            assert!(key.expose_der().is_none());
            signs_for_tls(&key, algorithm);
            let key = key.with_algorithm(algorithm.clone()).unwrap();
            let public = key.public_key().unwrap();
            assert_eq!(public.thumbprint(), plain.public_key().unwrap().thumbprint());
            signs(key, algorithm.clone(), public);
        }
    }
    let key = open(module(), PIN).unwrap().take("p384").unwrap().into_signing_key().unwrap();
    assert!(matches!(key.with_algorithm(Algorithm::ES256), Err(KeyError::OtherAlgorithm { .. })));
    let weak = open(module(), PIN).unwrap().take("rsa-1024").unwrap().into_signing_key().unwrap_err();
    assert!(matches!(weak, StoreError::Key(KeyError::Unsupported { .. })), "{weak}");

    let uri = |rest: &str| format!("pkcs11:{rest}module-path={}", module());
    let one = open(&uri("token=service%20token;object=p384?"), PIN).unwrap();
    assert_eq!(one.entries().len(), 1);
    let error = open(&uri("token=other?"), PIN).unwrap_err();
    assert!(matches!(error, StoreError::Token { .. }), "{error}");
    let error = open(&uri("serial=1?"), PIN).unwrap_err();
    assert!(matches!(error, StoreError::Unrecognized { .. }), "{error}");
    let error = open("/no/such/module.so", PIN).unwrap_err();
    assert!(matches!(error, StoreError::Token { .. }), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");

    let key = open(module(), PIN).unwrap().take("CN=throw-away").unwrap();
    let key = key.into_signing_key_of_certificate().unwrap();
    let error = key.sign_for_tls(&Algorithm::ES384, b"").unwrap_err();
    assert!(matches!(error, StoreError::Key(KeyError::OtherAlgorithm { .. })), "{error}");
    // As if it were pulled out.
    let configuration = PathBuf::from(std::env::var_os("SOFTHSM2_CONF").unwrap());
    for entry in std::fs::read_dir(configuration.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
    let error = key.sign_for_tls(&Algorithm::ES256, b"").unwrap_err();
    assert!(matches!(error, StoreError::Token { .. }), "{error}");
    assert!(error.to_string().starts_with("the security key cannot be used ("), "{error}");
}

fn signs(key: SigningKey, algorithm: Algorithm, public: oauth_jwt::PublicKey) {
    let mut keyring = Keyring::new();
    assert!(keyring.insert(KeyId::new("k"), key).is_none());
    let text = |bytes: &[u8]| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let message = format!("{}.e30", text(format!(r#"{{"alg":"{algorithm}"}}"#).as_bytes()));
    let task = SignTask::new(KeyId::new("k"), algorithm.clone(), message.clone().into_bytes());
    let Input::Signature(signature) = keyring.answer(KeyTask::Sign(task)) else { panic!("{algorithm}") };
    let message = format!("{message}.{}", text(&signature));
    let jws = Jws::parse(&message).unwrap();
    let payload =
        jws.verify(&KeySet::new([public.with_algorithm(algorithm.clone())]), &Accepted::new(&[algorithm]));
    assert_eq!(payload.unwrap(), b"{}");
}
