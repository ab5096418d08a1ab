//! Certificate stores of every kind, as the tools that people have write them (`tests/keys/README.md`).
#![allow(missing_docs, reason = "a test")]
#![cfg(feature = "stores")]

mod support;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use oauth_core::{Algorithm, Input, KeyId, KeyTask, Password, SignTask};
use oauth_jwt::{
    Accepted, CertificateStore, Entry, Jws, KeyError, KeySet, Keyring, PublicKey, SigningKey, StoreError,
    StoreKind,
};
use support::{file, path};

const SERVICE: &str = "CN=service.example.com,O=Throw\\, Away,C=DE";

/// A file, the kinds that it is as a file and as bytes, and what finds its key.
struct Fixture {
    name: &'static str,
    kinds: [StoreKind; 2],
    /// An exact subject or label.
    exact: &'static str,
    part: &'static str,
    algorithm: Algorithm,
}

const PFX: [StoreKind; 2] = [StoreKind::PfxFile, StoreKind::PfxBlob];
const JKS: [StoreKind; 2] = [StoreKind::JksFile, StoreKind::JksBlob];
const PEM: [StoreKind; 2] = [StoreKind::PemKeyFile, StoreKind::PemKeyBlob];
const PUBLIC: [StoreKind; 2] = [StoreKind::PublicKeyFile, StoreKind::PublicKeyBlob];
const SSH: [StoreKind; 2] = [StoreKind::SshPublicKeyFile, StoreKind::SshPublicKeyBlob];
const P7B: [StoreKind; 2] = [StoreKind::P7bFile, StoreKind::P7bBlob];
const PPK: [StoreKind; 2] = [StoreKind::PpkFile, StoreKind::PpkBlob];
const XML: [StoreKind; 2] = [StoreKind::XmlFile, StoreKind::XmlBlob];
const JWK: [StoreKind; 2] = [StoreKind::JwkFile, StoreKind::JwkBlob];

/// Stores with a private key, under the password of the README.
fn private() -> Vec<Fixture> {
    let rsa = Algorithm::RS256;
    let ec = Algorithm::ES256;
    [
        ("p256.chain.pfx", PFX, SERVICE, "SERVICE.example", ec.clone()),
        ("p256.chain.pfx", PFX, "service", "serv", ec.clone()),
        ("rsa-2048.pfx", PFX, "CN=test", "tes", rsa.clone()),
        ("p256.chain.jks", JKS, SERVICE, "Throw, Away", ec.clone()),
        ("rsa-2048.jks", JKS, "key", "test", rsa.clone()),
        ("p256.chain.pem", PEM, SERVICE, "service", ec.clone()),
        ("weak-and-p256.pem", PEM, SERVICE, "example", ec.clone()),
        ("rsa-2048.pkcs1.pem", PEM, "", "", rsa.clone()),
        ("rsa-2048.encrypted.pkcs8.pem", PEM, "", "", rsa.clone()),
        ("p256.sec1.pem", PEM, "", "", ec.clone()),
        ("ed25519.openssh.pem", PEM, "throw-away", "throw", Algorithm::EDDSA),
        ("p256.openssh.pem", PEM, "", "", ec.clone()),
        ("rsa-2048.openssh.pem", PEM, "", "", rsa.clone()),
        ("rsa-2048.v3.ppk", PPK, "rsa key", "RSA", rsa.clone()),
        ("rsa-2048.encrypted.v3.ppk", PPK, "rsa key", "key", rsa.clone()),
        ("rsa-2048.encrypted.v2.ppk", PPK, "rsa key", "key", rsa.clone()),
        ("p256.v2.ppk", PPK, "p256 key", "key", ec.clone()),
        ("p384.encrypted.v3.ppk", PPK, "p384 key", "key", Algorithm::ES384),
        ("ed25519.v3.ppk", PPK, "ed25519 key", "key", Algorithm::EDDSA),
        ("rsa-2048.xml", XML, "", "", rsa.clone()),
        ("two.jwks.json", JWK, SERVICE, "service", ec),
        ("rsa-2048.jwk.json", JWK, "rsa key", "key", rsa),
    ]
    .map(|(name, kinds, exact, part, algorithm)| Fixture { name, kinds, exact, part, algorithm })
    .into()
}

/// Stores without one, and how many entries they have.
const PUBLIC_ONLY: [(&str, [StoreKind; 2], usize); 8] = [
    ("p256.public.pem", PUBLIC, 1),
    ("rsa-2048.public.pem", PUBLIC, 1),
    ("p256.certificate.pem", PUBLIC, 1),
    ("rsa-2048.ssh.pub", SSH, 1),
    ("three.ssh.pub", SSH, 3),
    ("chain.p7b", P7B, 2),
    ("chain.p7b.pem", P7B, 2),
    ("rsa-2048.public.xml", XML, 1),
];

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn password() -> Password {
    Password::new("throw-away")
}

fn read(kind: StoreKind, contents: impl AsRef<[u8]>) -> Result<CertificateStore, StoreError> {
    CertificateStore::read(kind, contents, Some(&password()))
}

fn open(kind: StoreKind, name: &str) -> CertificateStore {
    let locator = path(name).to_str().unwrap().to_owned();
    CertificateStore::open(kind, locator, Some(&password())).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What the key signs, the public key of its entry verifies.
fn signs(entry: Entry, name: &str) -> Algorithm {
    let public = entry.public_key().unwrap_or_else(|| panic!("{name} has no public key")).clone();
    let key = entry.into_signing_key().unwrap_or_else(|error| panic!("{name}: {error}"));
    let algorithm = key.algorithm();
    let mut keyring = Keyring::new();
    assert!(keyring.insert(KeyId::new("k"), key).is_none());
    let text = |bytes: &[u8]| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let message = format!("{}.e30", text(format!(r#"{{"alg":"{algorithm}"}}"#).as_bytes()));
    let task = SignTask::new(KeyId::new("k"), algorithm.clone(), message.clone().into_bytes());
    let Input::Signature(signature) = keyring.answer(KeyTask::Sign(task)) else {
        panic!("{name} does not sign")
    };
    let message = format!("{message}.{}", text(&signature));
    let jws = Jws::parse(&message).unwrap();
    let payload = jws.verify(&KeySet::new([public]), &Accepted::new(std::slice::from_ref(&algorithm)));
    assert_eq!(payload.unwrap(), b"{}", "{name}");
    algorithm
}

#[test]
fn a_key_is_found_by_subject_by_a_part_of_it_and_by_a_star_and_it_signs() {
    for Fixture { name, kinds: [of_file, of_bytes], exact, part, algorithm } in private() {
        for asked in [exact, part] {
            let entry = open(of_file, name).take(asked).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(entry.has_private_key(), "{name}");
            assert_eq!(signs(entry, name), algorithm, "{name}");
        }
        assert!(open(of_file, name).take("*").unwrap().has_private_key(), "{name}");
        let contents = bytes(name);
        let store = read(of_bytes, &contents).unwrap();
        assert_eq!(store.kind(), of_bytes);
        assert_eq!(signs(store.take(part).unwrap(), name), algorithm, "{name}");
    }
}

#[test]
fn each_store_is_recognized_from_its_path_its_contents_and_their_base64() {
    let all = private().into_iter().map(|fixture| (fixture.name, fixture.kinds));
    for (name, [of_file, of_bytes]) in all.chain(PUBLIC_ONLY.map(|(name, kinds, _)| (name, kinds))) {
        let told = open(of_file, name);
        let contents = bytes(name);
        let sniffed = [
            (of_file, open(StoreKind::Auto, name)),
            (of_bytes, CertificateStore::open(StoreKind::Auto, &contents, Some(&password())).unwrap()),
            (of_bytes, read(StoreKind::Auto, BASE64_STANDARD.encode(&contents)).unwrap()),
            (of_bytes, read(of_bytes, BASE64_STANDARD.encode(&contents)).unwrap()),
        ];
        for (kind, store) in sniffed {
            assert_eq!(store.kind(), kind, "{name}");
            assert_eq!(format!("{:?}", names(&store)), format!("{:?}", names(&told)), "{name}");
        }
    }
}

fn names(store: &CertificateStore) -> Vec<(Option<&str>, &str, bool, Option<String>)> {
    let of = |entry: &Entry| entry.public_key().map(PublicKey::thumbprint);
    let entries = store.entries().iter();
    entries.map(|entry| (entry.label(), entry.subject(), entry.has_private_key(), of(entry))).collect()
}

#[test]
fn a_store_without_private_keys_says_so_when_one_is_asked_for() {
    for (name, [kind, _], count) in PUBLIC_ONLY {
        let store = open(kind, name);
        assert_eq!(store.entries().len(), count, "{name}");
        let entry = store.take("*").unwrap();
        assert!(!entry.has_private_key());
        assert!(entry.public_key().is_some(), "{name}");
        let error = entry.into_signing_key().unwrap_err();
        assert!(matches!(error, StoreError::NoPrivateKey { kind: told } if told == kind), "{name}: {error}");
    }
}

#[test]
fn a_public_key_is_the_same_in_every_format() {
    let one = |kind, name, asked: &str| {
        let store = open(kind, name);
        let found = store.find(asked).unwrap();
        found.public_key().unwrap().thumbprint()
    };
    let p256 = SigningKey::from_pem(file("p256.pkcs8.pem")).unwrap().public_key().unwrap().thumbprint();
    for (name, [kind, _], asked) in [
        ("p256.public.pem", PUBLIC, "*"),
        ("p256.certificate.pem", PUBLIC, "CN=throw-away"),
        ("three.ssh.pub", SSH, "p256 key"),
        ("chain.p7b", P7B, "service"),
        ("p256.chain.jks", JKS, "service"),
        ("two.jwks.json", JWK, "p256 key"),
    ] {
        assert_eq!(one(kind, name, asked), p256, "{name}");
    }
}

#[test]
fn a_certificate_comes_with_those_of_its_issuers() {
    for (name, [kind, _], entries) in [
        ("p256.chain.pfx", PFX, 1),
        ("p256.chain.pem", PEM, 1),
        // The root is trusted there on its own.
        ("p256.chain.jks", JKS, 2),
        ("chain.p7b", P7B, 2),
        ("two.jwks.json", JWK, 2),
    ] {
        let store = open(kind, name);
        assert_eq!(store.entries().len(), entries, "{name}");
        let entry = store.find("CN=service.example.com").unwrap();
        assert_eq!(entry.subject(), SERVICE, "{name}");
        assert_eq!(entry.certificates().len(), 2, "{name}");
        let chain: Vec<_> = entry.certificates().collect();
        let root = CertificateStore::read(StoreKind::PublicKeyBlob, chain[1], None).unwrap();
        assert_eq!(root.entries()[0].subject(), "CN=Test Root,O=Throw\\, Away,C=DE");
    }
}

#[test]
fn a_key_in_the_format_of_openssh_finds_its_certificate_too() {
    let pem = [file("p256.openssh.pem"), file("p256.certificate.pem"), file("rsa-2048.openssh.pem")].concat();
    let store = read(StoreKind::PemKeyBlob, pem).unwrap();
    assert_eq!(store.entries().len(), 2);
    let entry = store.take("CN=throw-away").unwrap();
    assert_eq!(signs(entry, "p256.openssh.pem"), Algorithm::ES256);
}

#[test]
fn a_subject_is_found_in_either_order_quoted_or_escaped() {
    let store = open(StoreKind::P7bFile, "chain.p7b");
    for asked in [
        SERVICE,
        "CN=service.example.com, O=\"Throw, Away\", C=DE",
        "C=DE, O=\"Throw, Away\", CN=service.example.com",
        "C=DE,O=Throw\\, Away,CN=service.example.com",
        "o=\"throw, away\", c=de",
    ] {
        assert!(store.find(asked).is_ok(), "{asked}");
    }
    // Whole comes before part: the root's comes first in the file.
    assert_eq!(store.find(SERVICE).unwrap().subject(), SERVICE);
    let error = store.find("CN=nobody\n").unwrap_err();
    let StoreError::CertificateNotFound { there, .. } = &error else { panic!("{error}") };
    assert_eq!(there.len(), 2);
    let text = error.to_string();
    assert!(text.contains("Test Root") && !text.contains('\n'), "{text}");
}

#[test]
fn one_weak_key_does_not_hide_the_others_and_says_why_it_does_not_sign() {
    let store = open(StoreKind::PemKeyFile, "weak-and-p256.pem");
    assert_eq!(store.entries().len(), 2);
    let weak = store.take("CN=weak").unwrap();
    assert!(weak.has_private_key());
    let error = weak.into_signing_key().unwrap_err();
    assert!(matches!(error, StoreError::Key(KeyError::RsaTooSmall { bits: 1024 })), "{error}");
    // A key with a password of its own, in a store that opens.
    let other = open(StoreKind::JksFile, "p256-two-passwords.jks").take("*").unwrap();
    assert!(matches!(other.into_signing_key(), Err(StoreError::Key(KeyError::Password))));
}

#[test]
fn a_password_that_is_wrong_or_missing_is_told() {
    for name in [
        "p256.chain.pfx",
        "p256.chain.jks",
        "rsa-2048.encrypted.pkcs8.pem",
        "rsa-2048.encrypted.v2.ppk",
        "rsa-2048.encrypted.v3.ppk",
        "p384.encrypted.v3.ppk",
    ] {
        let contents = bytes(name);
        for wrong in ["", "Throw-away", "throw-away "] {
            let wrong = Password::new(wrong);
            let error = CertificateStore::read(StoreKind::Auto, &contents, Some(&wrong)).unwrap_err();
            assert!(matches!(error, StoreError::Password), "{name}: {error}");
        }
        let error = CertificateStore::read(StoreKind::Auto, &contents, None).unwrap_err();
        assert!(matches!(error, StoreError::PasswordMissing), "{name}: {error}");
    }
    // An empty password is none.
    for none in [None, Some(&Password::new(""))] {
        let store = CertificateStore::read(StoreKind::PfxBlob, bytes("p256.no-password.pfx"), none).unwrap();
        assert_eq!(signs(store.take("service").unwrap(), "no password"), Algorithm::ES256);
    }
}

#[test]
fn what_is_cut_or_changed_does_not_panic_and_is_refused() {
    for fixture in private() {
        let whole = bytes(fixture.name);
        for part in 1..8 {
            let cut = &whole[..whole.len() * part / 8];
            let store = read(fixture.kinds[1], cut);
            // Of PEM and lines of text, the first sections may still be whole.
            if let Ok(store) = store {
                assert!(
                    ["p256.chain.pem", "weak-and-p256.pem"].contains(&fixture.name),
                    "{}: {:?}",
                    fixture.name,
                    names(&store)
                );
            }
        }
    }
    // What PuTTY checks, one bit after another.
    let whole = bytes("ed25519.v3.ppk");
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let error = read(StoreKind::PpkBlob, &changed).err();
        assert!(error.is_some() || changed.trim_ascii() == whole.trim_ascii(), "{at}");
    }
}

#[test]
fn another_kind_than_was_said_is_named() {
    for (kind, name, found) in [
        (StoreKind::PfxFile, "rsa-2048.jks", StoreKind::JksBlob),
        (StoreKind::JksFile, "p256.chain.pem", StoreKind::PemKeyBlob),
        (StoreKind::PemKeyFile, "rsa-2048.xml", StoreKind::XmlBlob),
        (StoreKind::PublicKeyFile, "p256.pkcs8.pem", StoreKind::PemKeyBlob),
        (StoreKind::SshPublicKeyFile, "rsa-2048.v3.ppk", StoreKind::PpkBlob),
        (StoreKind::P7bFile, "p256.certificate.pem", StoreKind::PublicKeyBlob),
        (StoreKind::PpkFile, "three.ssh.pub", StoreKind::SshPublicKeyBlob),
        (StoreKind::XmlFile, "two.jwks.json", StoreKind::JwkBlob),
        (StoreKind::JwkFile, "chain.p7b", StoreKind::P7bBlob),
    ] {
        let error = read(kind, bytes(name)).unwrap_err();
        let told =
            matches!(error, StoreError::OtherKind { asked, found: told } if asked == kind && told == found);
        assert!(told, "{name}: {error:?}");
    }
    // The newer key stores of Java are PKCS#12.
    assert!(read(StoreKind::JksFile, bytes("p256.chain.pfx")).is_ok());
}

#[test]
fn what_another_program_has_to_convert_is_told_with_the_command() {
    for (name, says) in [
        ("ed25519.encrypted.openssh.pem", "ssh-keygen"),
        ("rsa-2048.encrypted.pkcs1.pem", "openssl pkcs8"),
        ("p256.jceks", "keytool"),
    ] {
        let error = read(StoreKind::Auto, bytes(name)).unwrap_err();
        assert!(matches!(error, StoreError::Unsupported { .. }), "{name}: {error}");
        assert!(error.to_string().contains(says), "{name}: {error}");
    }
}

#[test]
fn what_is_nothing_known_is_told_with_what_would_be() {
    for nothing in [&b""[..], b" \n", b"hello\n", b"\x00\x01\x02", &[0x30, 0], b"-----BEGIN X-----"] {
        let error = read(StoreKind::Auto, nothing).unwrap_err();
        assert!(matches!(error, StoreError::Unrecognized { .. }), "{error}");
        assert!(error.to_string().contains("PKCS#12"));
    }
    let both = [bytes("chain.p7b.pem"), bytes("p256.pkcs8.pem")].concat();
    assert!(matches!(read(StoreKind::Auto, both), Err(StoreError::Unrecognized { .. })));
    let error = CertificateStore::open(StoreKind::Auto, "no-such-file.pfx", None).unwrap_err();
    assert!(matches!(&error, StoreError::File { path, .. } if path.ends_with("no-such-file.pfx")), "{error}");
    assert!(error.to_string().contains("no-such-file.pfx"));
}

#[test]
fn a_file_may_be_named_like_a_kind_of_key() {
    let named = "ssh-rsa with a space.pub";
    for kind in [StoreKind::SshPublicKeyFile, StoreKind::Auto] {
        let error = CertificateStore::open(kind, named, None).unwrap_err();
        assert!(matches!(&error, StoreError::File { path, .. } if path.ends_with(named)), "{error}");
    }
}

/// An error names the path, and people mix up paths and contents.
#[test]
fn a_key_in_the_place_of_a_path_is_not_shown() {
    let pem = file("p256.pkcs8.pem");
    let base64 = BASE64_STANDARD.encode(support::der_of(&file("ed25519.pkcs8.pem")));
    let line = pem.replace('\n', "");
    for contents in [pem.as_str(), &line, &line[..100], &file("rsa-2048.jwk.json"), &base64, &base64[..50]] {
        for kind in [StoreKind::PemKeyFile, StoreKind::PfxFile, StoreKind::Auto] {
            let Err(error) = CertificateStore::open(kind, contents, None) else { continue };
            assert!(matches!(error, StoreError::Unrecognized { .. }), "{error}");
            assert!(!format!("{error} {error:?}").contains(&contents[30..45]), "{error}");
        }
    }
}

#[test]
fn keys_in_der_and_what_windows_puts_before_a_text_are_read() {
    for (name, kind) in [
        ("p256.sec1.pem", StoreKind::PemKeyBlob),
        ("rsa-2048.pkcs1.pem", StoreKind::PemKeyBlob),
        ("ed25519.pkcs8.pem", StoreKind::PemKeyBlob),
        ("rsa-2048.encrypted.pkcs8.pem", StoreKind::PemKeyBlob),
        ("p256.public.pem", StoreKind::PublicKeyBlob),
        ("p256.certificate.pem", StoreKind::PublicKeyBlob),
        ("chain.p7b.pem", StoreKind::P7bBlob),
    ] {
        let der = support::der_of(&file(name));
        let store = read(StoreKind::Auto, &der).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(store.kind(), kind, "{name}");
        if kind == StoreKind::PemKeyBlob {
            let _algorithm = signs(store.take("*").unwrap(), name);
        }
        let cut = read(kind, &der[..der.len() - 1]).unwrap_err();
        assert!(matches!(cut, StoreError::Malformed { .. }), "{name}: {cut}");
    }
    // The second field of an SSH key on its own.
    let line = file("rsa-2048.ssh.pub");
    let store = read(StoreKind::SshPublicKeyBlob, line.split(' ').nth(1).unwrap()).unwrap();
    assert!(store.entries()[0].public_key().is_some());
    for name in ["rsa-2048.xml", "two.jwks.json", "p256.v2.ppk"] {
        let store = read(StoreKind::Auto, [b"\xEF\xBB\xBF", &*bytes(name)].concat());
        assert!(store.is_ok(), "{name}: {store:?}");
    }
}

/// RFC 7517 section 4.7; and a key whose public half is another one's would sign for that.
#[test]
fn halves_that_do_not_belong_together_are_refused() {
    let mut jwks: serde_json::Value = serde_json::from_str(&file("two.jwks.json")).unwrap();
    jwks["keys"][0]["x5c"] = jwks["keys"][1]["x5c"].clone();
    let entry = read(StoreKind::JwkBlob, jwks.to_string()).unwrap().take("rsa key").unwrap();
    assert_eq!(entry.subject(), "");
    assert!(matches!(entry.into_signing_key(), Err(StoreError::Key(KeyError::Jwk(_)))));

    let mut der = support::der_of(&file("ed25519.openssh.pem"));
    let public = support::der_of(&file("ed25519.openssh.pem"));
    // Length, kind, length: the first copy of the public half.
    let at = public.windows(11).position(|window| window == b"ssh-ed25519").unwrap() + 15;
    let public = &public[at..at + 32];
    let second = at + 1 + der[at + 1..].windows(32).position(|window| window == public).unwrap();
    der[second] ^= 1;
    let pem = support::pem_of("OPENSSH PRIVATE KEY", &der);
    let error = read(StoreKind::PemKeyBlob, pem).unwrap().take("*").unwrap().into_signing_key().unwrap_err();
    assert!(matches!(error, StoreError::Key(KeyError::Rejected { .. })), "{error}");
}

#[test]
fn what_is_too_much_is_refused() {
    let large = vec![b'a'; 16 * 1024 * 1024 + 1];
    assert!(matches!(read(StoreKind::Auto, &large), Err(StoreError::TooLarge)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    std::fs::write(&path, &large).unwrap();
    let opened = CertificateStore::open(StoreKind::Auto, path.to_str().unwrap(), None);
    assert!(matches!(opened, Err(StoreError::TooLarge)));
    let many = file("rsa-2048.ssh.pub").repeat(1001);
    assert!(matches!(read(StoreKind::Auto, many), Err(StoreError::TooManyEntries)));
    let many = file("p256.certificate.pem").repeat(1001);
    assert!(matches!(read(StoreKind::Auto, many), Err(StoreError::TooManyEntries)));
}

/// The file says what its passphrase costs: not with us.
#[test]
fn what_costs_too_much_is_refused_before_it_is_paid() {
    let ppk = file("rsa-2048.encrypted.v3.ppk");
    for (cheap, dear) in [
        ("Argon2-Memory: 1024", "Argon2-Memory: 4294967295"),
        ("Argon2-Passes: 3", "Argon2-Passes: 4294967295"),
        ("Argon2-Parallelism: 1", "Argon2-Parallelism: 16777215"),
    ] {
        assert!(ppk.contains(cheap));
        let error = read(StoreKind::PpkBlob, ppk.replace(cheap, dear)).unwrap_err();
        assert!(matches!(error, StoreError::Unsupported { found, .. } if found.contains("cost")), "{error}");
    }
    let pem = file("rsa-2048.encrypted.pkcs8.pem");
    let mut der = support::der_of(&pem);
    // The 2048 turns of PBKDF2, as an INTEGER of two bytes.
    let at = der.windows(4).position(|window| window == [2, 2, 8, 0]).unwrap();
    der.splice(at..at + 4, [2, 4, 0x7F, 0xFF, 0xFF, 0xFF]);
    // Four sequences hold it, each two bytes longer now.
    for length in lengths_around(&der, at) {
        der[length] += 2;
    }
    let key = read(StoreKind::PemKeyBlob, &der).unwrap().take("*").unwrap();
    let error = key.into_signing_key().unwrap_err();
    assert!(
        matches!(error, StoreError::Key(KeyError::Unsupported { found }) if found.contains("cost")),
        "{error}"
    );
}

/// Where the last byte of the length of each SEQUENCE stands that holds what is at `at`.
fn lengths_around(der: &[u8], at: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut here = 0;
    while here < at {
        let (head, length) = match der[here + 1] {
            0x82 => (4, usize::from(u16::from_be_bytes([der[here + 2], der[here + 3]]))),
            0x81 => (3, usize::from(der[here + 2])),
            short => (2, usize::from(short)),
        };
        if here + head + length > at {
            found.push(here + head - 1);
            here += head;
        } else {
            here += head + length;
        }
    }
    found
}

#[test]
fn the_numbers_are_those_that_other_libraries_have() {
    for number in (0..=20).chain([99]) {
        assert_eq!(StoreKind::from_number(number).map(StoreKind::number), Some(number));
    }
    assert_eq!(StoreKind::from_number(21), None);
    assert_eq!(StoreKind::SshPublicKeyBlob.number(), 10);
    assert_eq!(StoreKind::SshPublicKeyFile.number(), 13);
}

#[test]
fn a_store_that_this_system_or_this_build_has_not_is_told() {
    for kind in [StoreKind::User, StoreKind::Machine] {
        let error = CertificateStore::open(kind, "MY", None).unwrap_err();
        assert!(matches!(error, StoreError::NoSystemStore { .. }), "{error}");
        assert!(error.to_string().contains("PKCS#11"), "{error}");
    }
}

#[test]
fn no_secret_is_in_what_is_shown() {
    let store = open(StoreKind::JwkFile, "two.jwks.json");
    let shown = format!("{store:?}");
    let jwks: serde_json::Value = serde_json::from_str(&file("two.jwks.json")).unwrap();
    for secret in ["d", "p", "q", "dp"] {
        assert!(!shown.contains(jwks["keys"][0][secret].as_str().unwrap()), "{secret}");
    }
}

/// The certificate, its issuers and the key, as a TLS library takes them.
#[test]
fn an_entry_is_what_tls_shows() {
    let password = Password::new("throw-away");
    for (name, kind, certificates) in [
        ("p256.chain.pfx", StoreKind::PfxFile, 2),
        ("p256.chain.jks", StoreKind::JksFile, 2),
        ("p256.chain.pem", StoreKind::PemKeyFile, 2),
    ] {
        let entry = CertificateStore::open(kind, path(name).to_str().unwrap(), Some(&password))
            .unwrap()
            .take("*")
            .unwrap();
        assert_eq!(entry.certificates().len(), certificates, "{name}");
        let key = entry.into_signing_key_of_certificate().unwrap();
        // An ASN.1 sequence, of the size of such a key.
        let der = key.expose_der().unwrap();
        assert!(der[0] == 0x30 && (100..200).contains(&der.len()), "{name}: {} bytes", der.len());
    }
    let key_alone =
        CertificateStore::open(StoreKind::PemKeyFile, path("p256.pkcs8.pem").to_str().unwrap(), None)
            .unwrap();
    let error = key_alone.take("*").unwrap().into_signing_key_of_certificate().unwrap_err();
    assert!(matches!(error, StoreError::NoCertificate { .. }), "{error}");
    let certificate_alone = CertificateStore::open(
        StoreKind::PublicKeyFile,
        path("p256.certificate.pem").to_str().unwrap(),
        None,
    )
    .unwrap();
    let error = certificate_alone.take("*").unwrap().into_signing_key_of_certificate().unwrap_err();
    assert!(matches!(error, StoreError::NoPrivateKey { .. }), "{error}");
}

/// A JWK with a certificate (RFC 7517 section 4.7) gives its key to TLS, too: the same key, as DER.
#[test]
fn a_jwk_with_a_certificate_is_what_tls_shows() {
    let password = Password::new("throw-away");
    let of_pfx =
        CertificateStore::open(StoreKind::PfxFile, path("rsa-2048.pfx").to_str().unwrap(), Some(&password));
    let pfx = of_pfx.unwrap().take("*").unwrap();
    let mut rsa: serde_json::Value = serde_json::from_str(&file("rsa-2048.jwk.json")).unwrap();
    rsa["x5c"] = serde_json::json!([BASE64_STANDARD.encode(pfx.certificates().next().unwrap())]);
    let two: serde_json::Value = serde_json::from_str(&file("two.jwks.json")).unwrap();
    for jwk in [&rsa, &two["keys"][1]] {
        let entry = read(StoreKind::JwkBlob, jwk.to_string()).unwrap().take("*").unwrap();
        assert!(entry.certificates().len() > 0, "{jwk}");
        let public = entry.public_key().unwrap().thumbprint();
        let key = entry.into_signing_key_of_certificate().unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(key.expose_der().unwrap())
        );
        assert_eq!(SigningKey::from_pem(pem).unwrap().public_key().unwrap().thumbprint(), public);
    }
}

#[test]
fn keys_sign_for_tls_as_it_spells_signatures() {
    for (name, algorithms) in [
        ("p256", &[Algorithm::ES256][..]),
        ("p384", &[Algorithm::ES384]),
        ("ed25519", &[Algorithm::ED25519]),
        ("rsa-2048", &[Algorithm::PS256, Algorithm::RS512]),
    ] {
        let key = SigningKey::from_pem(file(&format!("{name}.pkcs8.pem"))).unwrap();
        for algorithm in algorithms {
            // Enough of them that some numbers are short, and some would be taken for negative ones.
            for _ in 0..if name.starts_with('p') { 300 } else { 1 } {
                support::signs_for_tls(&key, algorithm);
            }
        }
        let error = key.sign_for_tls(&Algorithm::HS256, b"").unwrap_err();
        assert!(matches!(error, StoreError::Key(KeyError::OtherAlgorithm { .. })), "{error}");
    }
}
