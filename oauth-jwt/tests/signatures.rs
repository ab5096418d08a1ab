//! What a keyring answers: signatures that others accept, and typed refusals.
#![allow(missing_docs, reason = "a test file")]

mod support;

use oauth_core::{Algorithm, Input, KeyId, KeyTask, KeyWhy, SignTask};
use oauth_jwt::{Keyring, SigningError, SigningKey};
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use support::{
    base64url, der_of, file, integer, openssl, path, pem_of, pkcs1, rfc7515_a2, rfc7515_a3, sec1, sequence,
};

/// The signing input of RFC 7515 appendices A.2 and A.3, without the header.
const RFC_CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn keyring(pem: &str) -> Keyring {
    let mut keyring = Keyring::new();
    assert!(keyring.insert(KeyId::new("k"), SigningKey::from_pem(pem).unwrap()).is_none());
    keyring
}

fn ask(keyring: &Keyring, name: &str, algorithm: Algorithm, input: &[u8]) -> Input {
    keyring.answer(KeyTask::Sign(SignTask::new(KeyId::new(name), algorithm, input.to_vec())))
}

fn signature(pem: &str, algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
    match ask(&keyring(pem), "k", algorithm, input) {
        Input::Signature(signature) => signature,
        other => panic!("{other:?}"),
    }
}

fn refusal(keyring: &Keyring, name: &str, algorithm: Algorithm) -> (KeyWhy, SigningError, String) {
    match ask(keyring, name, algorithm, b"header.claims") {
        Input::KeyFailed(failed) => {
            let text = failed.to_string();
            let cause = failed.cause.unwrap().downcast::<SigningError>().unwrap();
            (failed.why, *cause, text)
        }
        other => panic!("{other:?}"),
    }
}

fn rsa_verifies(public: &[u8], input: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(input, signature).is_ok()
}

fn ec_verifies(public: &[u8], input: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(input, signature).is_ok()
}

/// The public half in a `SubjectPublicKeyInfo`, behind its algorithm.
fn public_half(name: &str, header: usize) -> Vec<u8> {
    der_of(&file(name))[header..].to_vec()
}

#[test]
fn rs256_from_both_formats_verifies() {
    let public = public_half("rsa-2048.public.pem", 24);
    for name in ["rsa-2048.pkcs8.pem", "rsa-2048.pkcs1.pem"] {
        let signature = signature(&file(name), Algorithm::RS256, b"header.claims");
        assert!(rsa_verifies(&public, b"header.claims", &signature), "{name}");
        assert!(!rsa_verifies(&public, b"header.claimz", &signature), "{name}");
    }
}

#[test]
fn es256_from_both_formats_verifies_and_has_64_bytes() {
    let public = public_half("p256.public.pem", 26);
    for name in ["p256.pkcs8.pem", "p256.sec1.pem"] {
        let signature = signature(&file(name), Algorithm::ES256, b"header.claims");
        assert_eq!(signature.len(), 64, "{name}");
        assert!(ec_verifies(&public, b"header.claims", &signature), "{name}");
        assert!(!ec_verifies(&public, b"header.claimz", &signature), "{name}");
    }
}

#[test]
fn openssl_accepts_both_kinds_of_signature() {
    let folder = tempfile::tempdir().unwrap();
    let (input, signed) = (folder.path().join("input"), folder.path().join("signature"));
    std::fs::write(&input, b"header.claims").unwrap();
    let verify = |public: &str, signature: &[u8]| {
        std::fs::write(&signed, signature).unwrap();
        let public = path(public);
        let said = openssl(&[
            "dgst".as_ref(),
            "-sha256".as_ref(),
            "-verify".as_ref(),
            public.as_os_str(),
            "-signature".as_ref(),
            signed.as_os_str(),
            input.as_os_str(),
        ]);
        assert_eq!(said, "Verified OK\n");
    };
    verify(
        "rsa-2048.public.pem",
        &signature(&file("rsa-2048.pkcs8.pem"), Algorithm::RS256, b"header.claims"),
    );
    // openssl takes ECDSA signatures in DER.
    let raw = signature(&file("p256.pkcs8.pem"), Algorithm::ES256, b"header.claims");
    verify("p256.public.pem", &sequence(&[integer(&raw[..32]), integer(&raw[32..])]));
}

#[test]
fn rfc_7515_a_2_byte_for_byte() {
    let input = format!("eyJhbGciOiJSUzI1NiJ9.{RFC_CLAIMS}");
    let expected = concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU",
        "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d",
        "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig",
        "cN_IoypGlUPQGe77Rw",
    );
    let pem = pem_of("RSA PRIVATE KEY", &pkcs1(0, &rfc7515_a2()));
    assert_eq!(signature(&pem, Algorithm::RS256, input.as_bytes()), base64url(expected));
}

#[test]
fn rfc_7515_a_3_verifies_under_its_public_key() {
    let input = format!("eyJhbGciOiJFUzI1NiJ9.{RFC_CLAIMS}");
    let theirs =
        base64url("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    let (private, public) = rfc7515_a3();
    let pem = pem_of("EC PRIVATE KEY", &sec1(&private, Some(&support::OID_P256), &public));
    let ours = signature(&pem, Algorithm::ES256, input.as_bytes());
    assert!(ec_verifies(&public, input.as_bytes(), &theirs));
    assert!(ec_verifies(&public, input.as_bytes(), &ours));
    assert_ne!(ours, theirs, "ECDSA takes a fresh nonce each time");
}

#[test]
fn a_name_without_a_key_is_refused() {
    let (why, error, text) = refusal(&keyring(&file("p256.pkcs8.pem")), "oth\ner", Algorithm::ES256);
    assert_eq!(why, KeyWhy::NoKey);
    assert_eq!(error, SigningError::NoKey { key: KeyId::new("oth\ner") });
    assert!(text.contains(r#""oth\ner""#) && text.contains("insert it"), "{text}");
}

#[test]
fn a_key_signs_with_no_algorithm_but_its_own() {
    let keys = [("rsa-2048.pkcs8.pem", Algorithm::RS256), ("p256.pkcs8.pem", Algorithm::ES256)];
    for (name, own) in keys {
        let keyring = keyring(&file(name));
        for asked in ["RS256", "ES256", "RS384", "PS256", "HS256", "rs256", "es256", "none", "", "ES256\n"] {
            if asked == own.as_str() {
                continue;
            }
            let (why, error, text) = refusal(&keyring, "k", Algorithm::from_text(asked));
            assert_eq!(why, KeyWhy::Unsupported, "{name} {asked}");
            let expected = SigningError::WrongAlgorithm {
                key: KeyId::new("k"),
                asked: Algorithm::from_text(asked),
                own: own.clone(),
            };
            assert_eq!(error, expected, "{name} {asked}");
            assert!(text.contains(&format!("ask for {own}")) && !text.contains('\n'), "{text}");
        }
    }
}

#[test]
fn a_name_holds_one_key_and_a_new_one_takes_its_place() {
    let mut keyring = keyring(&file("rsa-2048.pkcs8.pem"));
    let old = keyring.insert(KeyId::new("k"), SigningKey::from_pem(file("p256.pkcs8.pem")).unwrap());
    assert_eq!(old.unwrap().algorithm(), Algorithm::RS256);
    assert!(matches!(ask(&keyring, "k", Algorithm::ES256, b""), Input::Signature(_)));
    assert!(matches!(ask(&keyring, "k", Algorithm::RS256, b""), Input::KeyFailed(_)));
}

#[test]
fn each_task_is_answered_with_the_key_it_names() {
    let (private, public) = rfc7515_a3();
    let rfc = pem_of("EC PRIVATE KEY", &sec1(&private, Some(&support::OID_P256), &public));
    let mut keyring = keyring(&file("p256.pkcs8.pem"));
    keyring.insert(KeyId::new("rfc"), SigningKey::from_pem(rfc).unwrap());
    for (name, public) in [("k", public_half("p256.public.pem", 26)), ("rfc", public)] {
        let Input::Signature(signature) = ask(&keyring, name, Algorithm::ES256, b"header.claims") else {
            panic!("{name}");
        };
        assert!(ec_verifies(&public, b"header.claims", &signature), "{name}");
    }
}

#[test]
fn debug_shows_names_and_algorithms_alone() {
    let key = SigningKey::from_pem(file("rsa-2048.pkcs8.pem")).unwrap();
    assert_eq!(format!("{key:?}"), "SigningKey(RS256, [redacted])");
    let keyring = keyring(&file("p256.pkcs8.pem"));
    assert_eq!(
        format!("{keyring:?}"),
        r#"Keyring { keys: {KeyId("k"): SigningKey(ES256, [redacted])}, .. }"#
    );
}

#[test]
fn a_keyring_may_be_shared_among_threads() {
    let keyring = keyring(&file("p256.pkcs8.pem"));
    let public = public_half("p256.public.pem", 26);
    std::thread::scope(|scope| {
        for input in [b"one", b"two"] {
            scope.spawn(|| {
                let Input::Signature(signature) = ask(&keyring, "k", Algorithm::ES256, input) else {
                    panic!()
                };
                assert!(ec_verifies(&public, input, &signature));
            });
        }
    });
}
