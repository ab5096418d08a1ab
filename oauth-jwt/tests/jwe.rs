//! Encrypted messages: what opens, and what is refused by which name. Each threat to them has a test of its letter and number.
#![cfg(feature = "aws-lc-rs")]
#![allow(missing_docs, reason = "a test")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::{Algorithm, ClientSecret};
use oauth_jwt::{
    Accepted, AcceptedEncryption, ContentEncryption, DecryptionKey, Encryption, EncryptionKey, Jwe, JweError,
    JwkError, Jws, JwsError, KeyError, KeyManagement, KeySet, PublicKey, SigningKey,
};
use ring::digest;
use std::time::{Duration, Instant};
use support::file;

const ALGORITHMS: [KeyManagement; 8] = [
    KeyManagement::RsaOaep,
    KeyManagement::RsaOaep256,
    KeyManagement::EcdhEs,
    KeyManagement::EcdhEsA128Kw,
    KeyManagement::EcdhEsA256Kw,
    KeyManagement::A128Kw,
    KeyManagement::A256Kw,
    KeyManagement::Dir,
];
const ENCRYPTIONS: [ContentEncryption; 6] = [
    ContentEncryption::A128CbcHs256,
    ContentEncryption::A192CbcHs384,
    ContentEncryption::A256CbcHs512,
    ContentEncryption::A128Gcm,
    ContentEncryption::A192Gcm,
    ContentEncryption::A256Gcm,
];
const ALL: AcceptedEncryption<'static> = AcceptedEncryption::new(&ALGORITHMS, &ENCRYPTIONS);

/// RFC 7748 section 6.1: the key of Bob.
const X25519: &str = r#"{"kty":"OKP","crv":"X25519","d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#;

fn public_jwk(name: &str) -> String {
    let public = SigningKey::from_pem(file(name)).unwrap().public_key().unwrap();
    // Without the `alg` of a signature.
    let jwk = public.to_jwk();
    format!("{}}}", jwk.split(r#","alg""#).next().unwrap())
}

fn pair(name: &str) -> (DecryptionKey, EncryptionKey) {
    (DecryptionKey::from_pem(file(name)).unwrap(), EncryptionKey::from_jwk(public_jwk(name)).unwrap())
}

fn secret() -> ClientSecret {
    ClientSecret::new("ZJYCqe3GGRvdrudKyZS0XhGv_Z45DuKhCUk0gBR1vZk")
}

/// Both halves of a key that is for this algorithm.
fn halves(alg: KeyManagement, enc: ContentEncryption) -> (DecryptionKey, EncryptionKey) {
    match alg {
        KeyManagement::RsaOaep | KeyManagement::RsaOaep256 => pair("rsa-2048.pkcs8.pem"),
        KeyManagement::EcdhEs | KeyManagement::EcdhEsA128Kw | KeyManagement::EcdhEsA256Kw => {
            pair("p256.pkcs8.pem")
        }
        _ => (
            DecryptionKey::from_secret(&secret(), alg, enc).unwrap(),
            EncryptionKey::from_secret(&secret(), alg, enc).unwrap(),
        ),
    }
}

fn message(alg: KeyManagement, enc: ContentEncryption) -> String {
    Encryption::new(alg, enc).encrypt("what was said", &halves(alg, enc).1).unwrap()
}

fn open(message: &str, key: &DecryptionKey) -> Result<Vec<u8>, JweError> {
    Jwe::parse(message)?.decrypt([key], &ALL).map(|content| content.expose().to_vec())
}

/// A message with this header, whose other parts are nothing that opens.
fn with_header(header: &str) -> String {
    format!("{}.AAAA.AAAA.AAAA.AAAA", URL_SAFE_NO_PAD.encode(header))
}

fn refused(header: &str) -> JweError {
    Jwe::parse(&with_header(header)).unwrap_err()
}

/// The message with one of its parts made another.
fn changed(message: &str, part: usize, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut parts: Vec<_> = message.split('.').map(str::to_owned).collect();
    let mut bytes = URL_SAFE_NO_PAD.decode(&parts[part]).unwrap();
    change(&mut bytes);
    parts[part] = URL_SAFE_NO_PAD.encode(bytes);
    parts.join(".")
}

#[test]
fn what_is_encrypted_is_decrypted_by_every_pair_of_algorithms() {
    for alg in ALGORITHMS {
        for enc in ENCRYPTIONS {
            let (ours, theirs) = halves(alg, enc);
            let ours = ours.with_kid("k");
            let theirs = theirs.with_kid("k");
            let how = Encryption::new(alg, enc).with_cty("JWT").with_typ("JOSE");
            for length in [0, 1, 15, 16, 17, 4096] {
                let content = vec![7; length];
                let message = how.encrypt(&content, &theirs).unwrap();
                assert_eq!(open(&message, &ours).unwrap(), content, "{alg} {enc} {length}");
                let jwe = Jwe::parse(&message).unwrap();
                let header = jwe.header();
                assert_eq!((header.alg, header.enc), (alg, enc));
                assert_eq!(header.kid.as_deref(), Some("k"));
                assert_eq!((header.typ.as_deref(), header.cty.as_deref()), (Some("JOSE"), Some("JWT")));
            }
            assert_ne!(message(alg, enc), message(alg, enc), "each has an IV of its own");
        }
    }
}

#[test]
fn every_curve_agrees() {
    for name in ["p256.sec1.pem", "p384.pkcs8.pem", "p521.pkcs8.pem"] {
        let (ours, theirs) = pair(name);
        for alg in [KeyManagement::EcdhEs, KeyManagement::EcdhEsA256Kw] {
            let message = Encryption::new(alg, ContentEncryption::A256Gcm).encrypt("yes", &theirs).unwrap();
            assert_eq!(open(&message, &ours).unwrap(), b"yes", "{name}");
        }
    }
    let (ours, theirs) = (DecryptionKey::from_jwk(X25519).unwrap(), EncryptionKey::from_jwk(X25519).unwrap());
    let how = Encryption::new(KeyManagement::EcdhEs, ContentEncryption::A128CbcHs256);
    assert_eq!(open(&how.encrypt("yes", &theirs).unwrap(), &ours).unwrap(), b"yes");
    let other_half = X25519.replace("3p7b", "3p7c");
    let error = DecryptionKey::from_jwk(other_half).unwrap_err();
    assert!(matches!(error, KeyError::Rejected { .. }), "{error}");
}

#[test]
fn openid_connect_core_10_2_keys_are_the_left_of_a_hash_of_the_secret() {
    let (dir, kw) = (KeyManagement::Dir, KeyManagement::A128Kw);
    for (alg, enc, jwk_alg, hash, length) in [
        (dir, ContentEncryption::A128Gcm, "A128GCM", &digest::SHA256, 16),
        (dir, ContentEncryption::A192Gcm, "A192GCM", &digest::SHA256, 24),
        (dir, ContentEncryption::A128CbcHs256, "dir", &digest::SHA256, 32),
        (dir, ContentEncryption::A192CbcHs384, "dir", &digest::SHA384, 48),
        (dir, ContentEncryption::A256CbcHs512, "A256CBC-HS512", &digest::SHA512, 64),
        (kw, ContentEncryption::A256CbcHs512, "A128KW", &digest::SHA256, 16),
        (KeyManagement::A256Kw, ContentEncryption::A128Gcm, "A256KW", &digest::SHA256, 32),
    ] {
        let whole = digest::digest(hash, secret().expose().as_bytes());
        let k = URL_SAFE_NO_PAD.encode(&whole.as_ref()[..length]);
        let jwk = format!(r#"{{"kty":"oct","alg":"{jwk_alg}","k":"{k}"}}"#);
        let key = DecryptionKey::from_jwk(jwk).unwrap();
        assert_eq!(open(&message(alg, enc), &key).unwrap(), b"what was said", "{alg} {enc}");
    }
    let error = DecryptionKey::from_secret(&secret(), KeyManagement::EcdhEs, ContentEncryption::A128Gcm);
    assert!(matches!(error.unwrap_err(), KeyError::NotSymmetric { asked: KeyManagement::EcdhEs }));
}

#[test]
fn j7_a_password_is_no_key_however_often_it_is_to_be_hashed() {
    for alg in ["PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"] {
        for count in ["1000", "2000000000", "18446744073709551615"] {
            let header = format!(r#"{{"alg":"{alg}","enc":"A128GCM","p2s":"AAAA","p2c":{count}}}"#);
            let begun = Instant::now();
            let why = refused(&header);
            assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
            assert_eq!(why, JweError::UnsupportedAlgorithm(alg.into()));
            assert!(why.to_string().contains(alg) && why.to_string().contains("p2c"), "{why}");
        }
    }
    for count in ["-1", "1.5", r#""1000""#, "null"] {
        let header = format!(r#"{{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":{count}}}"#);
        assert_eq!(refused(&header), JweError::Member("p2c"), "{count}");
    }
}

#[test]
fn j7_what_is_compressed_is_refused() {
    for zip in [r#""DEF""#, r#""""#, "null", "{}"] {
        let header = format!(r#"{{"alg":"RSA-OAEP","enc":"A128GCM","zip":{zip}}}"#);
        assert_eq!(refused(&header), JweError::Compressed, "{zip}");
    }
    assert!(JweError::Compressed.to_string().contains("zip"));
}

#[test]
fn j7_rsa_with_the_older_padding_is_refused_and_other_names_are() {
    for alg in
        ["RSA1_5", "RSA-OAEP-384", "rsa-oaep", "A192KW", "A128GCMKW", "ECDH-ES+A192KW", "none", "DIR", ""]
    {
        let header = format!(r#"{{"alg":"{alg}","enc":"A128GCM"}}"#);
        assert_eq!(refused(&header), JweError::UnsupportedAlgorithm(alg.into()), "{alg}");
    }
    for enc in ["A128CBC", "A128CBC+HS256", "a128gcm", "C20P", "none", ""] {
        let header = format!(r#"{{"alg":"RSA-OAEP","enc":"{enc}"}}"#);
        assert_eq!(refused(&header), JweError::UnsupportedEncryption(enc.into()), "{enc}");
    }
    // There is no name to allow it by.
    assert_eq!(KeyManagement::from_text("RSA1_5"), None);
    let jwk = public_jwk("rsa-2048.pkcs8.pem").replace('}', r#","alg":"RSA1_5"}"#);
    assert!(matches!(EncryptionKey::from_jwk(jwk), Err(JwkError::Unsupported { member: "alg", .. })));
}

#[test]
fn j7_what_is_too_large_is_refused_at_once() {
    let dots = ".".repeat(1_000_000);
    let header = format!("{}.AA.AA.AA.AA", "A".repeat(64 * 1024 + 1));
    let huge = format!("{}.AA.AA.AA.AA", "A".repeat(10 * 1024 * 1024));
    let all = format!("e30.AA.AA.{}.AA", "A".repeat(1024 * 1024));
    let at_most = format!("{}.AA.AA.AA.AA", "A".repeat(64 * 1024));
    for (message, why) in [
        (&dots, JweError::NotCompact),
        (&header, JweError::TooLarge),
        (&huge, JweError::TooLarge),
        (&all, JweError::TooLarge),
    ] {
        let begun = Instant::now();
        assert_eq!(Jwe::parse(message).unwrap_err(), why);
        // Under a millisecond in release; here nothing is optimized, and the machine is shared.
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    }
    assert!(!matches!(Jwe::parse(&at_most), Err(JweError::TooLarge)));
}

#[test]
fn j8_only_the_compact_form_is_a_message_and_a_signed_one_says_so() {
    let json = r#"{"protected":"e30","unprotected":{"alg":"dir"},"iv":"","ciphertext":"","tag":""}"#;
    for message in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e.f", json] {
        assert_eq!(Jwe::parse(message).unwrap_err(), JweError::NotCompact, "{message}");
    }
    assert_eq!(Jwe::parse("e30.a.b").unwrap_err(), JweError::NotEncrypted);
    // What is in a header that is not part of the message is not in the message.
    assert_eq!(refused(r#"{"enc":"A128GCM"}"#), JweError::Member("alg"));
}

#[test]
fn j8_what_is_inside_and_not_signed_is_not_believed() {
    let (ours, theirs) = pair("p256.pkcs8.pem");
    let how = Encryption::new(KeyManagement::EcdhEs, ContentEncryption::A256Gcm).with_cty("JWT");
    let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode("{}"));
    let keys = KeySet::<PublicKey>::new([]);
    for (inside, why) in [
        (r#"{"sub":"admin"}"#, JwsError::NotCompact),
        (&none, JwsError::Algorithm(Algorithm::from_text("none"))),
    ] {
        // Anybody can encrypt to a public key.
        let message = how.encrypt(inside, &theirs).unwrap();
        let content = open(&message, &ours).unwrap();
        let verified = Jws::parse(std::str::from_utf8(&content).unwrap())
            .and_then(|jws| jws.verify(&keys, &Accepted::new(&[Algorithm::ES256])));
        assert_eq!(verified, Err(why), "{inside}");
        // And nobody takes the one for the other.
        assert_eq!(Jws::parse(&message).unwrap_err(), JwsError::Encrypted);
    }
}

#[test]
fn what_is_critical_and_not_understood_is_refused_and_so_are_wrong_types() {
    for crit in [r#"["exp"]"#, "[]", r#"["zip"]"#, "null"] {
        let header = format!(r#"{{"alg":"dir","enc":"A128GCM","crit":{crit}}}"#);
        assert_eq!(refused(&header), JweError::Critical, "{crit}");
    }
    for name in ["kid", "typ", "cty", "apu", "apv", "jku", "x5u", "x5t", "x5t#S256", "p2s", "iv", "tag"] {
        for value in ["1", "null", r#"["a"]"#, "{}"] {
            let header = format!(r#"{{"alg":"RSA-OAEP","enc":"A128GCM","{name}":{value}}}"#);
            assert_eq!(refused(&header), JweError::Member(name), "{header}");
        }
    }
    for (header, name) in [
        ("{}", "alg"),
        (r#"{"alg":"dir"}"#, "enc"),
        (r#"{"alg":["dir"],"enc":"A128GCM"}"#, "alg"),
        (r#"{"alg":"dir","enc":null}"#, "enc"),
        (r#"{"alg":"RSA-OAEP","enc":"A128GCM","apu":"A"}"#, "apu"),
    ] {
        assert_eq!(refused(header), JweError::Member(name), "{header}");
    }
    assert!(matches!(refused(r#"{"alg":"dir","alg":"RSA-OAEP","enc":"A128GCM"}"#), JweError::Header(_)));
    assert!(matches!(refused("alg"), JweError::Header(_)));
    assert_eq!(Jwe::parse("e30=.a.b.c.d").unwrap_err(), JweError::Encoding("header"));
}

#[test]
fn whatever_is_changed_on_the_way_is_refused_and_nothing_tells_where() {
    for alg in ALGORITHMS {
        for enc in
            [ContentEncryption::A128CbcHs256, ContentEncryption::A256CbcHs512, ContentEncryption::A256Gcm]
        {
            let (ours, _) = halves(alg, enc);
            let message = message(alg, enc);
            assert!(open(&message, &ours).is_ok());
            let has_key = !message.contains("..");
            for part in [1, 2, 3, 4].into_iter().filter(|part| has_key || *part != 1) {
                for (what, changed) in [
                    ("a bit of the first", changed(&message, part, |bytes| bytes[0] ^= 1)),
                    (
                        "a bit of the last",
                        changed(&message, part, |bytes| *bytes.last_mut().unwrap() ^= 0x80),
                    ),
                    ("one less", changed(&message, part, |bytes| bytes.truncate(bytes.len() - 1))),
                    ("one more", changed(&message, part, |bytes| bytes.push(0))),
                    ("half", changed(&message, part, |bytes| bytes.truncate(bytes.len() / 2))),
                ] {
                    assert_eq!(open(&changed, &ours), Err(JweError::Decryption), "{alg} {enc} {part} {what}");
                }
            }
            for part in 2..5 {
                let empty = changed(&message, part, Vec::clear);
                assert_eq!(open(&empty, &ours), Err(JweError::Decryption), "{alg} {enc} {part}");
            }
            let renamed = changed(&message, 0, |header| {
                header.splice(1..1, *br#""cty":"JWT","#);
            });
            assert_eq!(open(&renamed, &ours), Err(JweError::Decryption), "{alg} {enc}");
            let key = changed(&message, 1, |key| if has_key { key.clear() } else { key.push(7) });
            assert_eq!(open(&key, &ours), Err(JweError::EncryptedKey(alg)), "{alg} {enc}");
        }
    }
}

#[test]
fn a_content_key_of_another_length_opens_nothing() {
    for alg in ALGORITHMS.into_iter().filter(|alg| *alg != KeyManagement::Dir) {
        let enc = ContentEncryption::A128Gcm;
        let message = changed(&message(alg, enc), 0, |header| {
            let text = String::from_utf8(header.clone()).unwrap().replace("A128GCM", "A256GCM");
            *header = text.into_bytes();
        });
        assert_eq!(open(&message, &halves(alg, enc).0), Err(JweError::Decryption), "{alg}");
    }
}

#[test]
fn each_part_has_one_spelling() {
    let (alg, enc) = (KeyManagement::RsaOaep, ContentEncryption::A128Gcm);
    let (message, ours) = (message(alg, enc), halves(alg, enc).0);
    let names = ["encrypted key", "initialization vector", "ciphertext", "authentication tag"];
    for (part, name) in (1..).zip(names) {
        for change in ["=", " ", "\n", "+", "?"] {
            let mut parts: Vec<_> = message.split('.').map(str::to_owned).collect();
            parts[part].push_str(change);
            assert_eq!(open(&parts.join("."), &ours), Err(JweError::Encoding(name)), "{change:?}");
        }
    }
}

#[test]
fn a_key_of_another_kind_is_no_key_and_another_key_opens_nothing() {
    let enc = ContentEncryption::A128CbcHs256;
    let secret_of = |alg| DecryptionKey::from_secret(&secret(), alg, enc).unwrap();
    for alg in ALGORITHMS {
        let message = message(alg, enc);
        let right = format!("{:?}", halves(alg, enc).0);
        let others = [
            pair("rsa-2048.pkcs8.pem").0,
            pair("p256.pkcs8.pem").0,
            pair("p384.pkcs8.pem").0,
            DecryptionKey::from_jwk(X25519).unwrap(),
        ];
        for other in others.iter().filter(|other| format!("{other:?}") != right) {
            assert_eq!(open(&message, other), Err(JweError::NoKey(alg)), "{alg} {other:?}");
        }
        for other in [KeyManagement::A128Kw, KeyManagement::A256Kw, KeyManagement::Dir] {
            if other != alg {
                assert_eq!(open(&message, &secret_of(other)), Err(JweError::NoKey(alg)), "{alg} {other}");
            }
        }
    }
    // The curve is one of its kind.
    let message_of = |name| {
        let how = Encryption::new(KeyManagement::EcdhEs, enc);
        how.encrypt("", &pair(name).1).unwrap()
    };
    let no_key = Err(JweError::NoKey(KeyManagement::EcdhEs));
    assert_eq!(open(&message_of("p384.pkcs8.pem"), &pair("p256.pkcs8.pem").0), no_key);
    // Another key of the same kind: by `dir`, one for another `enc`; else, one that opens nothing.
    let dir = |enc| DecryptionKey::from_secret(&secret(), KeyManagement::Dir, enc).unwrap();
    let direct = message(KeyManagement::Dir, enc);
    let short = DecryptionKey::from_jwk(r#"{"kty":"oct","alg":"dir","k":"AAAAAAAAAAAAAAAAAAAAAA"}"#).unwrap();
    assert_eq!(open(&direct, &short), Err(JweError::NoKey(KeyManagement::Dir)));
    assert_eq!(open(&direct, &dir(ContentEncryption::A256Gcm)), Err(JweError::NoKey(KeyManagement::Dir)));
    let other = DecryptionKey::from_secret(&ClientSecret::new("other"), KeyManagement::A128Kw, enc).unwrap();
    assert_eq!(open(&message(KeyManagement::A128Kw, enc), &other), Err(JweError::Decryption));
    // Nor is anything encrypted to a key of another kind.
    for alg in ALGORITHMS.into_iter().filter(|alg| !alg.as_str().starts_with("RSA")) {
        let encrypted = Encryption::new(alg, enc).encrypt("", &pair("rsa-2048.pkcs8.pem").1);
        assert_eq!(encrypted, Err(JweError::NoKey(alg)));
    }
}

#[test]
fn what_is_not_accepted_is_refused_by_name() {
    let (alg, enc) = (KeyManagement::RsaOaep, ContentEncryption::A128Gcm);
    let (message, ours) = (message(alg, enc), halves(alg, enc).0);
    let jwe = Jwe::parse(&message).unwrap();
    let open = |algorithms: &[KeyManagement], encryptions: &[ContentEncryption]| {
        jwe.decrypt([&ours], &AcceptedEncryption::new(algorithms, encryptions)).map(|_| ())
    };
    assert_eq!(open(&[alg], &[enc]), Ok(()));
    assert_eq!(open(&ALGORITHMS[1..], &[enc]), Err(JweError::Algorithm(alg)));
    assert_eq!(open(&[alg], &ENCRYPTIONS[..3]), Err(JweError::Encryption(enc)));
    assert_eq!(open(&[], &[]), Err(JweError::Algorithm(alg)));
    // The default has no secrets.
    for alg in ALGORITHMS {
        let message = self::message(alg, enc);
        let opened = Jwe::parse(&message)
            .unwrap()
            .decrypt([&halves(alg, enc).0], &AcceptedEncryption::default())
            .map(|_| ());
        let symmetric = [KeyManagement::A128Kw, KeyManagement::A256Kw, KeyManagement::Dir].contains(&alg);
        assert_eq!(opened, if symmetric { Err(JweError::Algorithm(alg)) } else { Ok(()) });
    }
}

#[test]
fn one_key_is_tried_and_an_unknown_name_is_told() {
    let (alg, enc) = (KeyManagement::EcdhEs, ContentEncryption::A128Gcm);
    let key = |kid: &str| pair("p256.pkcs8.pem").0.with_kid(kid);
    let rsa = || pair("rsa-2048.pkcs8.pem").0.with_kid("rsa");
    let to = |kid: Option<&str>| {
        let theirs = pair("p256.pkcs8.pem").1;
        let theirs = if let Some(kid) = kid { theirs.with_kid(kid) } else { theirs };
        Encryption::new(alg, enc).encrypt("yes", &theirs).unwrap()
    };
    let open = |message: &str, keys: &[DecryptionKey]| {
        Jwe::parse(message).unwrap().decrypt(keys, &ALL).map(|content| content.expose().to_vec())
    };
    let keys = [key("one"), rsa(), key("two")];
    assert_eq!(open(&to(Some("two")), &keys).unwrap(), b"yes");
    assert_eq!(open(&to(Some("three")), &keys), Err(JweError::UnknownKid("three".into())));
    assert_eq!(open(&to(Some("rsa")), &keys), Err(JweError::NoKey(alg)));
    assert_eq!(open(&to(None), &keys), Err(JweError::SeveralKeys));
    assert_eq!(open(&to(None), &keys[..2]).unwrap(), b"yes");
    assert_eq!(open(&to(Some("three")), &[pair("p256.pkcs8.pem").0, rsa()]).unwrap(), b"yes");
    assert_eq!(open(&to(None), &[]), Err(JweError::NoKey(alg)));
}

#[test]
fn a_key_for_another_use_neither_decrypts_nor_encrypts() {
    let private = |more: &str| DecryptionKey::from_jwk(X25519.replace('}', &format!(",{more}}}")));
    let public = |more: &str| EncryptionKey::from_jwk(X25519.replace('}', &format!(",{more}}}")));
    for (more, decrypts, encrypts) in [
        (r#""use":"enc""#, true, true),
        (r#""use":"enc","alg":"ECDH-ES""#, true, true),
        (r#""key_ops":["deriveKey"]"#, true, true),
        (r#""key_ops":["deriveBits"]"#, true, true),
        (r#""key_ops":["unwrapKey"]"#, true, false),
        (r#""key_ops":["wrapKey"]"#, false, true),
        (r#""use":"sig""#, false, false),
        (r#""key_ops":["sign","verify"]"#, false, false),
        (r#""key_ops":[]"#, false, false),
    ] {
        assert_eq!(private(more).is_ok(), decrypts, "{more}");
        assert_eq!(public(more).is_ok(), encrypts, "{more}");
    }
    assert!(matches!(private(r#""use":"sig""#), Err(KeyError::Jwk(JwkError::OtherUse))));
    assert!(matches!(private(r#""alg":"RSA-OAEP""#), Err(KeyError::Jwk(JwkError::Member("alg")))));
    assert!(matches!(private(r#""alg":"ES256""#), Err(KeyError::Jwk(JwkError::Unsupported { .. }))));
    for wrong in [r#""use":1"#, r#""key_ops":"deriveKey""#, r#""alg":1"#, r#""kid":1"#] {
        assert!(private(wrong).is_err() && public(wrong).is_err(), "{wrong}");
    }
    // Its own `alg` is the one that it is used for.
    let how = Encryption::new(KeyManagement::EcdhEs, ContentEncryption::A128Gcm);
    let wrapping = r#""alg":"ECDH-ES+A128KW""#;
    assert_eq!(how.encrypt("", &public(wrapping).unwrap()), Err(JweError::NoKey(KeyManagement::EcdhEs)));
    let message = how.encrypt("", &EncryptionKey::from_jwk(X25519).unwrap()).unwrap();
    assert_eq!(open(&message, &private(wrapping).unwrap()), Err(JweError::NoKey(KeyManagement::EcdhEs)));
}

#[test]
fn keys_that_cannot_decrypt_are_named() {
    for (name, found) in
        [("ed25519.pkcs8.pem", "an Ed25519 key"), ("secp256k1.pkcs8.pem", "an EC key on curve secp256k1")]
    {
        let error = DecryptionKey::from_pem(file(name)).unwrap_err();
        assert!(matches!(error, KeyError::CannotDecrypt { found: this } if this == found), "{error}");
    }
    let k = |length| URL_SAFE_NO_PAD.encode(vec![7; length]);
    let oct =
        |alg: &str, length| DecryptionKey::from_jwk(format!(r#"{{"kty":"oct","k":"{}"{alg}}}"#, k(length)));
    for (alg, length, wrong) in [
        ("", 16, "alg"),
        (r#","alg":"RSA-OAEP""#, 16, "alg"),
        (r#","alg":"ECDH-ES+A128KW""#, 16, "alg"),
        (r#","alg":"A128KW""#, 32, "k"),
        (r#","alg":"A256KW""#, 16, "k"),
        (r#","alg":"A256GCM""#, 16, "k"),
        (r#","alg":"A128CBC-HS256""#, 16, "k"),
    ] {
        let error = oct(alg, length).unwrap_err();
        assert!(matches!(error, KeyError::Jwk(JwkError::Member(name)) if name == wrong), "{alg}: {error}");
    }
    assert!(matches!(oct(r#","alg":"HS256""#, 32), Err(KeyError::Jwk(JwkError::Unsupported { .. }))));
    // A secret that is published is none.
    let jwk = format!(r#"{{"kty":"oct","alg":"A128KW","k":"{}"}}"#, k(16));
    assert!(matches!(EncryptionKey::from_jwk(jwk), Err(JwkError::Symmetric)));
}

#[test]
fn an_ephemeral_key_that_is_not_on_its_curve_is_refused() {
    let point = |x: &[u8], y: &[u8]| {
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#)
    };
    let (_, right) = support::rfc7515_a3();
    let (x, y) = right[1..].split_at(32);
    let header = |epk: &str| format!(r#"{{"alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":{epk}}}"#);
    assert!(Jwe::parse(&with_header(&header(&point(x, y)))).is_ok());
    let mut off = y.to_vec();
    off[31] ^= 1;
    for epk in [
        point(x, &off),
        point(y, x),
        point(&[0; 32], &[0; 32]),
        point(&[0xFF; 32], y),
        point(&x[1..], y),
        point(&[&[0], x].concat(), y),
        point(x, y).replace("P-256", "P-384"),
        point(x, y).replace("P-256", "secp256k1"),
        point(x, y).replace("EC", "RSA"),
        r#"{"kty":"OKP","crv":"X25519","x":"AAAA"}"#.into(),
        // A whole `SubjectPublicKeyInfo` (RFC 8410 section 4).
        r#"{"kty":"OKP","crv":"X25519","x":"MCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#
            .into(),
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#.into(),
        r#""AAAA""#.into(),
        "null".into(),
        "[]".into(),
    ] {
        assert_eq!(refused(&header(&epk)), JweError::Member("epk"), "{epk}");
    }
    assert_eq!(refused(r#"{"alg":"ECDH-ES+A128KW","enc":"A128GCM"}"#), JweError::Member("epk"));
    // RFC 7748 section 6.1: points of small order come to nothing, which is no secret.
    let zero = URL_SAFE_NO_PAD.encode([0; 32]);
    let epk = format!(r#"{{"kty":"OKP","crv":"X25519","x":"{zero}"}}"#);
    let ours = DecryptionKey::from_jwk(X25519).unwrap();
    assert_eq!(open(&with_header(&header(&epk)), &ours), Err(JweError::Decryption));
}

#[test]
fn the_key_of_a_document_is_chosen_by_what_it_is_for() {
    let key = |name: &str, more: &str| public_jwk(name).replace('}', &format!(",{more}}}"));
    let document = format!(
        r#"{{"keys":[7,{},{},{},{},{}]}}"#,
        key("p256.pkcs8.pem", r#""use":"sig","kid":"sig""#),
        key("rsa-2048.pkcs8.pem", r#""use":"enc","alg":"RSA1_5","kid":"old""#),
        key("rsa-2048.pkcs8.pem", r#""use":"enc","alg":"RSA-OAEP-256","kid":"rsa""#),
        key("p384.pkcs8.pem", r#""use":"enc","kid":"one""#),
        key("p256.pkcs8.pem", r#""use":"enc","kid":"two""#),
    );
    let kid = |algorithm, kid| {
        let key = EncryptionKey::from_jwks(&document, algorithm, kid);
        key.map(|key| key.kid().unwrap().to_owned()).map_err(|why| why.to_string())
    };
    assert_eq!(kid(KeyManagement::RsaOaep256, None).unwrap(), "rsa");
    assert_eq!(kid(KeyManagement::EcdhEs, None).unwrap(), "one");
    assert_eq!(kid(KeyManagement::EcdhEs, Some("two")).unwrap(), "two");
    for (algorithm, name) in [
        (KeyManagement::EcdhEs, Some("sig")),
        (KeyManagement::EcdhEs, Some("rsa")),
        (KeyManagement::RsaOaep, None),
        (KeyManagement::A128Kw, None),
    ] {
        let why = kid(algorithm, name).unwrap_err();
        assert!(why.contains(algorithm.as_str()) && !why.contains('\n'), "{why}");
    }
    assert!(matches!(
        EncryptionKey::from_jwks("{}", KeyManagement::EcdhEs, None),
        Err(JwkError::Member("keys"))
    ));
}

#[test]
fn no_secret_is_shown() {
    let (alg, enc) = (KeyManagement::A256Kw, ContentEncryption::A128Gcm);
    let (ours, theirs) = halves(alg, enc);
    let hash = digest::digest(&digest::SHA256, secret().expose().as_bytes());
    let hidden = [
        secret().expose().to_owned(),
        URL_SAFE_NO_PAD.encode(hash),
        "XasIfmJK".into(),
        "what was said".into(),
    ];
    let message = message(alg, enc);
    let content = Jwe::parse(&message).unwrap().decrypt([&ours], &ALL).unwrap();
    let wrong = X25519.replace("XasIfmJK", "XasIfmJ!");
    let error = DecryptionKey::from_jwk(wrong).unwrap_err();
    for shown in [
        format!("{ours:?} {theirs:?} {content:?}"),
        format!("{:?} {:?}", DecryptionKey::from_jwk(X25519).unwrap(), pair("rsa-2048.pkcs8.pem").0),
        format!("{:?}", Jwe::parse(&message).unwrap()),
        format!("{error} {error:?}"),
    ] {
        assert!(hidden.iter().all(|secret| !shown.contains(secret)), "{shown}");
    }
    // What the other side says is shown on one line.
    let control = refused(r#"{"alg":"a\nb\u001b","enc":"A128GCM"}"#).to_string();
    assert!(!control.contains(['\n', '\u{1b}']) && control.contains("ask for"), "{control}");
}
