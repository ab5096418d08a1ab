//! Private keys behind a password.
#![allow(missing_docs, reason = "a test")]
#![cfg(feature = "encrypted")]

mod support;

use oauth_core::{Algorithm, Password};
use oauth_jwt::{KeyError, SigningKey};
use support::{file, openssl, path, pem_of};

/// As `tests/keys/README.md` says.
const PASSWORD: &str = "throw-away";

fn password(text: &str) -> Password {
    Password::new(text)
}

/// A PKCS#12 file of the P-256 key, made by OpenSSL.
fn pfx(arguments: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("key.p12");
    let (key, certificate) = (path("p256.pkcs8.pem"), path("p256.certificate.pem"));
    let mut all = vec!["pkcs12", "-export", "-inkey", key.to_str().unwrap(), "-out", out.to_str().unwrap()];
    all.extend(["-passout", "pass:the password"]);
    if arguments.contains(&"-nocerts") {
        all.extend(arguments);
    } else {
        all.extend(["-in", certificate.to_str().unwrap()]);
        all.extend(arguments);
    }
    let _said = openssl(&all);
    std::fs::read(out).unwrap()
}

#[test]
fn a_pkcs12_file_opens_in_old_and_in_new_encryption() {
    let plain = SigningKey::from_pem(file("p256.pkcs8.pem")).unwrap().public_key().unwrap().thumbprint();
    for arguments in [
        &[][..],
        &["-certpbe", "AES-128-CBC", "-keypbe", "AES-256-CBC", "-macalg", "sha256"],
        &["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
        &["-nocerts"],
    ] {
        let pfx = pfx(arguments);
        let key = SigningKey::from_pkcs12(&pfx, &password("the password"));
        let key = key.unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        assert_eq!(key.algorithm(), Algorithm::ES256);
        assert_eq!(key.public_key().unwrap().thumbprint(), plain);
        for wrong in ["", "The password", "another"] {
            let error = SigningKey::from_pkcs12(&pfx, &password(wrong)).unwrap_err();
            assert!(matches!(error, KeyError::Password), "{arguments:?}: {error}");
        }
    }
}

#[test]
fn what_is_no_pkcs12_file_is_refused() {
    let right = pfx(&[]);
    for bytes in [&b""[..], b"-----BEGIN", &right[..right.len() / 2], &[0x30, 0]] {
        let error = SigningKey::from_pkcs12(bytes, &password("the password")).unwrap_err();
        assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
    }
}

#[test]
fn an_encrypted_pem_opens_by_its_password_alone() {
    let encrypted = file("rsa-2048.encrypted.pkcs8.pem");
    let key = SigningKey::from_encrypted_pem(&encrypted, &password(PASSWORD)).unwrap();
    assert_eq!(key.algorithm(), Algorithm::RS256);
    let error = SigningKey::from_encrypted_pem(&encrypted, &password("wrong")).unwrap_err();
    assert!(matches!(error, KeyError::Password), "{error}");
    assert!(matches!(SigningKey::from_pem(&encrypted), Err(KeyError::Encrypted)));
    // One that is not encrypted needs none.
    assert!(SigningKey::from_encrypted_pem(file("p256.sec1.pem"), &password("")).is_ok());
    // The older way names no way that is safe.
    let older = SigningKey::from_encrypted_pem(file("rsa-2048.encrypted.pkcs1.pem"), &password(PASSWORD));
    assert!(matches!(older, Err(KeyError::Encrypted)));
    let broken = SigningKey::from_encrypted_pem(pem_of("ENCRYPTED PRIVATE KEY", &[0x30, 0]), &password(""));
    assert!(matches!(broken, Err(KeyError::Malformed { .. })));
}
