//! Java key stores of the older kind, as `keytool` writes them.
#![allow(missing_docs, reason = "a test")]

mod support;

use oauth_core::{Algorithm, Password};
use oauth_jwt::{KeyError, SigningKey};
use support::path;

fn store(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn open(jks: &[u8], password: &str) -> Result<SigningKey, KeyError> {
    SigningKey::from_jks(jks, &Password::new(password))
}

#[test]
fn the_one_private_key_opens_by_its_password_alone() {
    let jks = store("rsa-2048.jks");
    let key = open(&jks, "throw-away").unwrap();
    assert_eq!(key.algorithm(), Algorithm::RS256);
    let plain = SigningKey::from_pem(support::file("rsa-2048.pkcs8.pem")).unwrap();
    assert_eq!(key.public_key().unwrap().thumbprint(), plain.public_key().unwrap().thumbprint());
    for wrong in ["", "throw-awaY", "throw-away ", "пароль"] {
        assert!(matches!(open(&jks, wrong), Err(KeyError::Password)), "{wrong}");
    }
}

#[test]
fn what_is_in_it_beside_one_key_is_told() {
    assert!(matches!(
        open(&store("p256-two.jks"), "throw-away"),
        Err(KeyError::SeveralPrivateKeys { count: 2 })
    ));
    assert!(matches!(open(&store("certificate.jks"), "throw-away"), Err(KeyError::Certificate)));
    // The store opens, and its key has a password of its own.
    assert!(matches!(open(&store("p256-two-passwords.jks"), "throw-away"), Err(KeyError::Password)));
    let error = open(&store("p256.jceks"), "throw-away").unwrap_err();
    assert!(matches!(error, KeyError::Unsupported { found } if found.contains("JCEKS")), "{error}");
    let error = open(&[0x30; 64], "throw-away").unwrap_err();
    assert!(matches!(error, KeyError::Unsupported { found } if found.contains("PKCS#12")), "{error}");
}

#[test]
fn a_file_that_is_cut_or_changed_anywhere_is_refused() {
    let jks = store("rsa-2048.jks");
    for length in 0..jks.len() {
        assert!(open(&jks[..length], "throw-away").is_err(), "{length}");
    }
    for at in (0..jks.len()).step_by(7) {
        let mut changed = jks.clone();
        changed[at] ^= 1;
        assert!(open(&changed, "throw-away").is_err(), "{at}");
    }
}
