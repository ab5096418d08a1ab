//! What the RFCs have step by step, made again byte for byte: here, for chance is not for callers to choose.

#![allow(clippy::print_stdout, reason = "the count of vectors is what check.sh reads")]

use super::*;
use crate::curve::Curve;
use crate::jwe::{AcceptedEncryption, DecryptionKey, Jwe};
use aws_lc_rs::agreement;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

fn decoded(text: &Json) -> Vec<u8> {
    base64url::decode(text.as_str().unwrap_or_default().as_bytes()).unwrap()
}

fn private(jwk: &Json) -> PrivateKey {
    let curve = jwk["crv"].as_str().and_then(Curve::named);
    let algorithm = curve.map_or(&agreement::X25519, |curve| key_management::agreement_on(curve).unwrap());
    PrivateKey::from_private_key(algorithm, &decoded(&jwk["d"])).unwrap()
}

#[test]
fn rfc_7518_appendix_c_key_agreement() {
    let alice = json!({
        "kty": "EC", "crv": "P-256",
        "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
        "d": "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo",
    });
    let bob = json!({
        "kty": "EC", "crv": "P-256",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    })
    .to_string();
    let bob = agreement_key(&Value::read(bob.as_bytes()).unwrap()).unwrap();
    let (alg, enc) = (KeyManagement::EcdhEs, ContentEncryption::A128Gcm);
    let key = key_management::agreed(&private(&alice), &bob, alg, enc, (b"Alice", b"Bob")).unwrap();
    assert_eq!(base64url::encode(&key), "VqqN6vgjbSBcIijNcacQGg");
}

#[test]
fn a_wrapped_key_of_another_length_is_none() {
    let (by, short) = ([7; 16], [9; 16]);
    let wrapped = key_management::wrapped(&by, &short).unwrap();
    assert_eq!(key_management::unwrapped(&by, &wrapped, 16).unwrap().as_slice(), short);
    for length in [0, 8, 24, 32, 64] {
        assert!(key_management::unwrapped(&by, &wrapped, length).is_none(), "{length}");
    }
}

/// RFC 7520 sections 5 and 6, and RFC 8037 appendix A.6 in its manner. RSA-OAEP is another one each time; all parts but that
/// one are the same.
#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn cookbook_of_rfc7520_encryption() {
    let folder = std::env::var_os("OAUTH_VECTORS").expect("OAUTH_VECTORS names the folder of the vectors");
    let mut run = 0;
    for (name, within) in [
        ("jwe/5_2.key_encryption_using_rsa-oaep_with_aes-gcm", ""),
        ("jwe/5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm", ""),
        ("jwe/5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2", ""),
        ("jwe/5_6.direct_encryption_using_aes-gcm", ""),
        ("jwe/5_8.key_wrap_using_aes-keywrap_with_aes-gcm", ""),
        ("6.nesting_signatures_and_encryption", "/encrypt"),
        ("curve25519/ecdh-es", ""),
    ] {
        let path = PathBuf::from(&folder).join(format!("jose-cookbook/{name}.json"));
        let file: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let file = file.pointer(within).unwrap();
        let (input, header) = (&file["input"], &file["encrypting_content"]["protected"]);
        let compact = file["output"]["compact"].as_str().unwrap();
        let content = input["plaintext"].as_str().unwrap().as_bytes();

        let ours = DecryptionKey::from_jwk(input["key"].to_string()).unwrap();
        let symmetric =
            [KeyManagement::Dir, KeyManagement::A128Kw].map(|alg| (alg, ContentEncryption::A128Gcm));
        let (algorithms, encryptions) = (symmetric.map(|(alg, _)| alg), symmetric.map(|(_, enc)| enc));
        let accepted = if input["key"]["kty"] == "oct" {
            AcceptedEncryption::new(&algorithms, &encryptions)
        } else {
            AcceptedEncryption::default()
        };
        assert_eq!(
            Jwe::parse(compact).unwrap().decrypt([&ours], &accepted).unwrap().expose(),
            content,
            "{name}"
        );

        let key = input["key"].to_string();
        let theirs = if input["key"]["kty"] == "oct" {
            let key = SymmetricKey::read(&Value::read(key.as_bytes()).unwrap()).unwrap();
            EncryptionKey { material: Material::Symmetric(key), algorithm: None, kid: None }
        } else {
            EncryptionKey::from_jwk(key).unwrap()
        };
        let kid = header["kid"].as_str().map(str::to_owned);
        let theirs = EncryptionKey { kid, ..theirs };
        let name_of = |name: &str| header[name].as_str().unwrap();
        let how = Encryption {
            algorithm: KeyManagement::from_text(name_of("alg")).unwrap(),
            encryption: ContentEncryption::from_text(name_of("enc")).unwrap(),
            typ: None,
            cty: header["cty"].as_str().map(str::to_owned),
        };
        let epk = &file["encrypting_key"]["epk"];
        let fresh = Fresh {
            cek: decoded(&file["generated"]["cek"]).into(),
            iv: decoded(&file["generated"]["iv"]),
            ephemeral: epk.is_object().then(|| private(epk)),
        };
        let made = how.sealed(content, &theirs, &fresh).unwrap();
        let (made, expected): (Vec<_>, Vec<_>) = (made.split('.').collect(), compact.split('.').collect());
        for part in 0..5 {
            let random = how.algorithm.is_rsa() && part == 1;
            assert_eq!(made[part] == expected[part], !random, "{name}, part {part}");
        }
        run += 1;
    }
    println!("vectors: RFC 7520 encryption {run} run");
}
