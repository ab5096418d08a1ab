//! Which key files open, which are refused and by which error, and that no error shows a byte of a key.
#![allow(missing_docs, reason = "a test file")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::{Algorithm, ClientSecret};
use oauth_jwt::{KeyError, SigningKey};
use std::error::Error as _;
use support::{
    OID_EC, OID_P256, OID_P384, der_of, file, integer, openssl, path, pem_of, pkcs1, pkcs8, rfc7515_a2,
    rfc7515_a3, sec1, sequence, tlv,
};

fn open(pem: impl AsRef<[u8]>) -> Result<SigningKey, KeyError> {
    SigningKey::from_pem(pem)
}

fn refused(pem: impl AsRef<[u8]>) -> KeyError {
    open(pem).expect_err("this key is to be refused")
}

/// What `Unsupported` says was found.
fn found(pem: impl AsRef<[u8]>) -> &'static str {
    match refused(pem) {
        KeyError::Unsupported { found } => found,
        other => panic!("{other:?}"),
    }
}

/// What `Malformed` says is wrong.
fn malformed(pem: impl AsRef<[u8]>) -> &'static str {
    match refused(pem) {
        KeyError::Malformed { why } => why,
        other => panic!("{other:?}"),
    }
}

/// What the signing engine says.
fn rejected(pem: impl AsRef<[u8]>) -> String {
    let error = refused(pem);
    match &error {
        KeyError::Rejected { cause } => {
            assert_eq!(error.source().unwrap().to_string(), cause.to_string());
            cause.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_of_both_kinds_open_in_every_format() {
    for name in ["rsa-2048.pkcs8.pem", "rsa-2048.pkcs1.pem"] {
        assert_eq!(open(file(name)).unwrap().algorithm(), Algorithm::RS256, "{name}");
    }
    for name in ["p256.pkcs8.pem", "p256.sec1.pem"] {
        assert_eq!(open(file(name)).unwrap().algorithm(), Algorithm::ES256, "{name}");
    }
}

#[test]
fn a_certificate_beside_the_key_is_passed_over() {
    let (key, certificate) = (file("p256.pkcs8.pem"), file("p256.certificate.pem"));
    assert!(open(format!("{key}{certificate}")).is_ok());
    assert!(open(format!("{certificate}{key}")).is_ok());
}

#[test]
fn what_is_no_private_key_is_named() {
    assert!(matches!(refused(""), KeyError::NotPem));
    assert!(matches!(refused(der_of(&file("p256.pkcs8.pem"))), KeyError::NotPem));
    assert!(matches!(refused(file("p256.certificate.pem")), KeyError::Certificate));
    assert!(matches!(refused(file("p256.public.pem")), KeyError::PublicKey));
    assert!(matches!(refused(file("rsa-2048.public.pem")), KeyError::PublicKey));
}

#[test]
fn two_private_keys_are_refused_even_when_they_are_the_same() {
    let key = file("p256.pkcs8.pem");
    assert!(matches!(refused(format!("{key}{key}")), KeyError::SeveralPrivateKeys { count: 2 }));
    let mixed = file("rsa-2048.pkcs1.pem") + &file("p256.sec1.pem");
    assert!(matches!(refused(mixed), KeyError::SeveralPrivateKeys { count: 2 }));
}

#[test]
fn encrypted_keys_of_both_kinds_say_so() {
    assert!(matches!(refused(file("rsa-2048.encrypted.pkcs8.pem")), KeyError::Encrypted));
    assert!(matches!(refused(file("rsa-2048.encrypted.pkcs1.pem")), KeyError::Encrypted));
}

#[test]
fn rsa_keys_have_2048_to_4096_bits() {
    assert!(matches!(refused(file("rsa-1024.pkcs8.pem")), KeyError::RsaTooSmall { bits: 1024 }));
    // The signing engine would take this one.
    assert!(matches!(refused(file("rsa-2047.pkcs1.pem")), KeyError::RsaTooSmall { bits: 2047 }));
    assert!(matches!(refused(file("rsa-5120.pkcs8.pem")), KeyError::RsaTooLarge { bits: 5120 }));
}

#[test]
fn unsupported_kinds_are_named() {
    assert_eq!(found(file("rsa-pss.pkcs8.pem")), "an RSA key for PSS only");
    assert_eq!(found(file("rsa-three-primes.pkcs8.pem")), "an RSA key with more than two primes");
    assert_eq!(found(file("ed25519.openssh.pem")), "in OpenSSH's own format");
    let unknown = pkcs8(&[vec![6, 1, 0x2a]], &[5, 0]);
    assert_eq!(found(pem_of("PRIVATE KEY", &unknown)), "of an unknown algorithm");
}

#[test]
fn curves_that_ring_does_not_have_are_named_or_signed_on() {
    for (name, curve, algorithm) in
        [("p521", "P-521", Algorithm::ES512), ("secp256k1", "secp256k1", Algorithm::ES256K)]
    {
        for pem in ["pkcs8", "sec1"].map(|format| file(&format!("{name}.{format}.pem"))) {
            if cfg!(feature = "aws-lc-rs") {
                assert_eq!(open(pem).unwrap().algorithm(), algorithm);
            } else {
                let error = refused(pem);
                let found = format!("an EC key on curve {curve}");
                assert!(matches!(error, KeyError::Unsupported { found: this } if this == found), "{error}");
                assert!(error.to_string().contains("build with the feature aws-lc-rs"), "{error}");
            }
        }
    }
}

#[test]
fn a_curve_that_ring_does_not_have_is_told_before_what_else_is_wrong() {
    let oid_p521 = [6, 5, 0x2b, 0x81, 4, 0, 35];
    let error = refused(pem_of("EC PRIVATE KEY", &sec1(&[1; 66], Some(&oid_p521), &[])));
    if cfg!(feature = "aws-lc-rs") {
        assert!(matches!(error, KeyError::EcPublicKeyMissing), "{error}");
    } else {
        assert!(matches!(error, KeyError::Unsupported { .. }), "{error}");
    }
}

#[test]
fn a_private_key_has_the_length_of_its_curve() {
    let (private, public) = rfc7515_a3();
    for wrong in [&private[1..], &[&[0], &private[..]].concat(), &[]] {
        let key = sec1(wrong, Some(&OID_P256), &public);
        assert!(malformed(pem_of("EC PRIVATE KEY", &key)).contains("as long as its curve"));
    }
}

#[test]
fn a_curve_must_be_named_and_named_the_same_twice() {
    let (private, public) = rfc7515_a3();
    let nameless = sec1(&private, None, &public);
    assert!(matches!(refused(pem_of("EC PRIVATE KEY", &nameless)), KeyError::EcCurveNotNamed));
    assert!(matches!(refused(file("p256.explicit.sec1.pem")), KeyError::EcCurveNotNamed));
    assert!(matches!(refused(file("p256.explicit.pkcs8.pem")), KeyError::EcCurveNotNamed));
    // In PKCS#8 the wrapper names it.
    let wrapped =
        |curve: &[u8], key: &[u8]| pem_of("PRIVATE KEY", &pkcs8(&[OID_EC.to_vec(), curve.to_vec()], key));
    assert!(open(wrapped(&OID_P256, &nameless)).is_ok());
    assert!(open(wrapped(&OID_P256, &sec1(&private, Some(&OID_P256), &public))).is_ok());
    let nameless_wrapper = pkcs8(&[OID_EC.to_vec()], &sec1(&private, Some(&OID_P256), &public));
    assert!(matches!(refused(pem_of("PRIVATE KEY", &nameless_wrapper)), KeyError::EcCurveNotNamed));
    let inner = sec1(&private, Some(&OID_P384), &public);
    assert_eq!(malformed(wrapped(&OID_P256, &inner)), "it names two curves");
    let outer = sec1(&private, Some(&OID_P256), &public);
    assert_eq!(malformed(wrapped(&OID_P384, &outer)), "it names two curves");
    // One curve, and a public half of the other.
    let other = sec1(&private, Some(&OID_P384), &public);
    assert_eq!(malformed(wrapped(&OID_P384, &other)), "its public half is not of the curve that it names");
    assert_eq!(found(wrapped(&[6, 1, 0x2a], &outer)), "an EC key on an unknown curve");
}

#[test]
fn an_ec_key_without_a_whole_public_half_is_refused() {
    for name in ["p256.no-public.sec1.pem", "p256.no-public.pkcs8.pem", "p256.compressed.pkcs8.pem"] {
        assert!(matches!(refused(file(name)), KeyError::EcPublicKeyMissing), "{name}");
    }
}

#[test]
fn an_ec_key_whose_halves_do_not_belong_together_is_rejected() {
    let (mut private, public) = rfc7515_a3();
    private[31] ^= 1;
    let mixed = sec1(&private, Some(&OID_P256), &public);
    assert_eq!(rejected(pem_of("EC PRIVATE KEY", &mixed)), "InconsistentComponents");
}

#[test]
fn an_rsa_key_with_a_damaged_number_is_rejected_when_it_is_loaded() {
    let numbers = rfc7515_a2();
    assert!(open(pem_of("RSA PRIVATE KEY", &pkcs1(0, &numbers))).is_ok());
    // n, p, q and the coefficient, which the signing engine checks; and both CRT exponents, which ring does not.
    for damaged in [0, 3, 4, 5, 6, 7] {
        let mut numbers = rfc7515_a2();
        let last = numbers[damaged].len() - 1;
        numbers[damaged][last] ^= 2;
        let cause = rejected(pem_of("RSA PRIVATE KEY", &pkcs1(0, &numbers)));
        let unchecked = !cfg!(feature = "aws-lc-rs") && matches!(damaged, 5 | 6);
        assert_eq!(cause == "it cannot sign", unchecked, "{damaged}: {cause}");
    }
    assert_eq!(rejected(file("rsa-exponent-3.pkcs8.pem")), "the public exponent is less than 65537");
}

#[test]
fn an_rsa_key_as_a_jwk_has_the_same_bounds() {
    let jwk = |change: fn(&mut [Vec<u8>; 8])| {
        let mut numbers = rfc7515_a2();
        change(&mut numbers);
        let members = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].into_iter().zip(numbers);
        let members =
            members.map(|(name, number)| format!(r#""{name}":"{}""#, URL_SAFE_NO_PAD.encode(number)));
        let members = members.collect::<Vec<_>>().join(",");
        SigningKey::from_jwk(format!(r#"{{"kty":"RSA",{members}}}"#))
    };
    assert!(jwk(|_| {}).is_ok());
    let large = jwk(|numbers| numbers[0] = vec![0xC5; 513]).unwrap_err();
    assert!(matches!(large, KeyError::RsaTooLarge { bits: 4104 }), "{large}");
    let weak = jwk(|numbers| numbers[1] = vec![3]).unwrap_err();
    assert!(weak.to_string().contains("the public exponent is less than 65537"), "{weak}");
}

#[test]
fn a_structure_other_than_its_label_names_is_refused() {
    let (rsa, ec) = (der_of(&file("rsa-2048.pkcs1.pem")), der_of(&file("p256.sec1.pem")));
    let wrapped = der_of(&file("rsa-2048.pkcs8.pem"));
    assert!(malformed(pem_of("PRIVATE KEY", &rsa)).contains("PKCS#8"));
    assert!(malformed(pem_of("PRIVATE KEY", &ec)).contains("PKCS#8"));
    assert!(malformed(pem_of("RSA PRIVATE KEY", &wrapped)).contains("RSA"));
    assert!(malformed(pem_of("EC PRIVATE KEY", &rsa)).contains("EC"));
    assert!(malformed(pem_of("EC PRIVATE KEY", &wrapped)).contains("EC"));
    // Neither a later version nor an RSA key with three primes, whose version is 1 as well, is an EC key.
    let later = sequence(&[integer(&[2]), tlv(4, &[1; 32])]);
    assert!(malformed(pem_of("EC PRIVATE KEY", &later)).contains("EC"));
    assert!(malformed(pem_of("EC PRIVATE KEY", &pkcs1(1, &rfc7515_a2()))).contains("EC"));
    // A SEC1 structure begins with version 1, which in PKCS#1 counts primes: the label is believed, the key is not.
    assert!(malformed(pem_of("RSA PRIVATE KEY", &ec)).contains("RSA"));
    assert!(
        malformed(pem_of("RSA PRIVATE KEY", &sequence(&[integer(&[0]), tlv(2, &[0x80])]))).contains("RSA")
    );
}

#[test]
fn a_structure_cut_short_anywhere_or_with_more_behind_it_is_refused() {
    let files = [
        ("PRIVATE KEY", "rsa-2048.pkcs8.pem"),
        ("RSA PRIVATE KEY", "rsa-2048.pkcs1.pem"),
        ("PRIVATE KEY", "p256.pkcs8.pem"),
        ("EC PRIVATE KEY", "p256.sec1.pem"),
    ];
    for (label, name) in files {
        let mut der = der_of(&file(name));
        for length in 0..der.len() {
            malformed(pem_of(label, &der[..length]));
        }
        assert!(open(pem_of(label, &der)).is_ok(), "{name}");
        der.push(0);
        malformed(pem_of(label, &der));
    }
}

#[test]
fn any_changed_byte_of_an_ec_key_is_refused_or_means_nothing() {
    let der = der_of(&file("p256.pkcs8.pem"));
    let public = &der[der.len() - 65..];
    for at in 0..der.len() {
        for bit in 0..8 {
            let mut changed = der.clone();
            changed[at] ^= 1 << bit;
            if let Ok(key) = open(pem_of("PRIVATE KEY", &changed)) {
                assert_eq!(key.algorithm(), Algorithm::ES256);
                assert_eq!(&changed[der.len() - 65..], public, "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn errors_are_one_line_and_show_no_byte_of_the_key() {
    let folder = path("");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".pem"))
        .collect();
    names.sort();
    let mut refusals = 0;
    for name in names {
        let whole = file(&name);
        // As it is; with its Base64 broken; with its BEGIN line broken, which makes a label of its body; twice.
        let variants = [
            whole.clone(),
            whole.replace("\n-----END", "#\n-----END"),
            whole.replacen("KEY-----\n", "KEY\n", 1),
            whole.repeat(2),
        ];
        for text in variants {
            let Err(error) = open(&text) else { continue };
            refusals += 1;
            let shown =
                format!("{error} {error:?} {}", error.source().map(ToString::to_string).unwrap_or_default());
            assert!(!shown.contains('\n') && error.to_string().contains(": "), "{name}: {shown}");
            for line in whole.lines().filter(|line| !line.starts_with('-') && !line.contains(": ")) {
                for piece in line.as_bytes().windows(8) {
                    assert!(!shown.contains(std::str::from_utf8(piece).unwrap()), "{name}: {shown}");
                }
            }
        }
    }
    assert!(refusals > 60, "{refusals}");
}

/// Runs the command that an error's text gives, as a person would.
fn follow(error: &KeyError, old: &std::path::Path, more: &[&str]) -> String {
    let text = error.to_string();
    let command = text.split('`').nth(1).unwrap_or_else(|| panic!("no command in {text}"));
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new.pem");
    let mut arguments: Vec<String> = command
        .strip_prefix("openssl ")
        .unwrap()
        .split(' ')
        .map(|word| match word {
            "OLD" => old.to_str().unwrap().to_owned(),
            "NEW" => new.to_str().unwrap().to_owned(),
            other => other.to_owned(),
        })
        .collect();
    arguments.extend(more.iter().map(ToString::to_string));
    openssl(&arguments);
    std::fs::read_to_string(new).unwrap()
}

#[test]
fn the_commands_that_errors_give_mend_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let der = folder.path().join("key.der");
    std::fs::write(&der, der_of(&file("p256.pkcs8.pem"))).unwrap();
    let binary = refused(std::fs::read(&der).unwrap());
    assert_eq!(open(follow(&binary, &der, &[])).unwrap().algorithm(), Algorithm::ES256);

    let password = ["-passin", "pass:throw-away"];
    for name in ["rsa-2048.encrypted.pkcs8.pem", "rsa-2048.encrypted.pkcs1.pem"] {
        let mended = follow(&refused(file(name)), &path(name), &password);
        assert_eq!(open(mended).unwrap().algorithm(), Algorithm::RS256, "{name}");
    }
    let ec = ["no-public.sec1", "no-public.pkcs8", "compressed.pkcs8", "explicit.sec1", "explicit.pkcs8"];
    for name in ec.map(|kind| format!("p256.{kind}.pem")) {
        let name = name.as_str();
        let mended = follow(&refused(file(name)), &path(name), &[]);
        assert_eq!(open(mended).unwrap().algorithm(), Algorithm::ES256, "{name}");
    }
    for name in ["rsa-1024.pkcs8.pem", "rsa-5120.pkcs8.pem"] {
        let mended = follow(&refused(file(name)), &path(name), &[]);
        assert_eq!(open(mended).unwrap().algorithm(), Algorithm::RS256, "{name}");
    }
}

#[test]
fn a_client_secret_signs_with_an_hmac_and_is_as_long_as_its_hash() {
    for (algorithm, needed) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
        let secret = |bytes: usize| ClientSecret::new("x".repeat(bytes));
        assert_eq!(
            SigningKey::from_secret(&secret(needed), algorithm.clone()).unwrap().algorithm(),
            algorithm
        );
        let short = SigningKey::from_secret(&secret(needed - 1), algorithm).unwrap_err();
        assert!(
            matches!(short, KeyError::SecretTooShort { bytes, needed: asked } if (bytes, asked) == (needed - 1, needed))
        );
        assert!(!short.to_string().contains('\n'));
    }
    let wrong = SigningKey::from_secret(&ClientSecret::new("x".repeat(64)), Algorithm::ES256).unwrap_err();
    assert!(matches!(wrong, KeyError::NotAnHmac { asked } if asked == Algorithm::ES256));
}
