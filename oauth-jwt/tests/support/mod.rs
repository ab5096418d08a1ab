//! What the tests share: a small DER writer, PEM in and out, and the openssl command.

#![allow(dead_code, reason = "each test file uses its part")]

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name)
}

pub(crate) fn file(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The bytes of the last section of a test key: before it comes `EC PARAMETERS`, if anything.
pub(crate) fn der_of(pem: &str) -> Vec<u8> {
    let body = pem.rsplit_once("-----BEGIN ").unwrap().1;
    let body = body.split_once("-----\n").unwrap().1.split_once("-----END").unwrap().0;
    BASE64_STANDARD.decode(body.replace('\n', "")).unwrap()
}

pub(crate) fn pem_of(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
}

pub(crate) fn base64url(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u16::try_from(value.len()).unwrap().to_be_bytes() {
        [0, low @ 0..128] => out.push(low),
        [0, low] => out.extend([0x81, low]),
        [high, low] => out.extend([0x82, high, low]),
    }
    out.extend(value);
    out
}

pub(crate) fn sequence(members: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &members.concat())
}

/// An unsigned INTEGER: no leading zeros, save the one that keeps it positive.
pub(crate) fn integer(magnitude: &[u8]) -> Vec<u8> {
    let first = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
    let mut value = magnitude[first..].to_vec();
    if value.first().is_none_or(|byte| *byte >= 0x80) {
        value.insert(0, 0);
    }
    tlv(2, &value)
}

pub(crate) const OID_EC: [u8; 9] = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
pub(crate) const OID_P256: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
pub(crate) const OID_P384: [u8; 7] = [6, 5, 0x2b, 0x81, 4, 0, 34];

/// An `ECPrivateKey` (RFC 5915 section 3).
pub(crate) fn sec1(private: &[u8], curve: Option<&[u8]>, public: &[u8]) -> Vec<u8> {
    let curve = curve.map_or(Vec::new(), |oid| tlv(0xa0, oid));
    let public = tlv(0xa1, &tlv(3, &[&[0], public].concat()));
    sequence(&[integer(&[1]), tlv(4, private), curve, public])
}

/// A `PrivateKeyInfo` (RFC 5208 section 5).
pub(crate) fn pkcs8(algorithm: &[Vec<u8>], key: &[u8]) -> Vec<u8> {
    sequence(&[integer(&[0]), sequence(algorithm), tlv(4, key)])
}

/// The key of RFC 7515 appendix A.2: its modulus, exponents, primes and coefficient, in the order of PKCS#1.
pub(crate) fn rfc7515_a2() -> [Vec<u8>; 8] {
    [
        concat!(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF",
            "d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo",
            "7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM",
            "Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        ),
        "AQAB",
        concat!(
            "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395",
            "IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV",
            "_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQ",
            "yGWSeWjnczT0QU91p1DhOVRuOopznQ",
        ),
        concat!(
            "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7",
            "ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
        ),
        concat!(
            "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wD",
            "mpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
        ),
        concat!(
            "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12S",
            "k3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
        ),
        concat!(
            "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd",
            "2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
        ),
        concat!(
            "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLE",
            "dfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
        ),
    ]
    .map(base64url)
}

/// An `RSAPrivateKey` (RFC 8017 appendix A.1.2).
pub(crate) fn pkcs1(version: u8, numbers: &[Vec<u8>]) -> Vec<u8> {
    let mut members = vec![integer(&[version])];
    members.extend(numbers.iter().map(|number| integer(number)));
    sequence(&members)
}

/// The private half, then the public half (an uncompressed point) of the key of RFC 7515 appendix A.3.
pub(crate) fn rfc7515_a3() -> (Vec<u8>, Vec<u8>) {
    let x = base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    (base64url("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"), [vec![4], x, y].concat())
}

/// Runs the openssl command; the standard output of a run that succeeded.
pub(crate) fn openssl<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .output()
        .expect("these tests run the openssl command: install it (on Debian, `apt-get install openssl`)");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl: {errors}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

/// RFC 8446 section 4.2.3: ECDSA is in DER, where JWS wants the numbers, and all others are one and the same.
#[cfg(feature = "stores")]
pub(crate) fn signs_for_tls(key: &oauth_jwt::SigningKey, algorithm: &oauth_core::Algorithm) {
    use oauth_jwt::{Accepted, Jws, KeySet, ecdsa_signature_from_der};
    let header = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}"}}"#));
    let message = format!("{header}.e30");
    assert!(key.can_sign_with(algorithm), "{algorithm}");
    let mut signature = key.sign_for_tls(algorithm, message.as_bytes()).unwrap();
    if algorithm.as_str().starts_with("ES") {
        signature = ecdsa_signature_from_der(algorithm, &signature).unwrap();
    }
    let message = format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
    let keys = KeySet::new([key.public_key().unwrap().with_algorithm(algorithm.clone())]);
    let accepted = Accepted::new(std::slice::from_ref(algorithm));
    assert_eq!(Jws::parse(&message).unwrap().verify(&keys, &accepted).unwrap(), b"{}");
}
