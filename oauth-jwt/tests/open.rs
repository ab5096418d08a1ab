//! What a server signed, opened by a keyring for the core.
#![allow(missing_docs, reason = "a test")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::{
    Algorithm, ClientSecret, Input, KeyFailed, KeyId, KeyTask, KeyWhy, OpenTask, Opened, SecretBytes,
    ServerKeys, SignTask,
};
use oauth_jwt::{JwsError, Keyring, SigningKey};

const PEM: &[u8] = include_bytes!("keys/p256.pkcs8.pem");
const OTHER: &[u8] = include_bytes!("keys/p384.pkcs8.pem");

fn sign(pem: &[u8], header: &str, claims: &str) -> String {
    let (key, name) = (SigningKey::from_pem(pem).unwrap(), KeyId::new("server"));
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let task = SignTask::new(name.clone(), key.algorithm(), input.clone().into_bytes());
    let mut keyring = Keyring::new();
    let _none = keyring.insert(name, key);
    let Input::Signature(signature) = keyring.answer(KeyTask::Sign(task)) else { panic!("it signs") };
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn keys(pem: &[u8], kid: Option<&str>) -> ServerKeys {
    let key = SigningKey::from_pem(pem).unwrap().public_key().unwrap();
    let key = match kid {
        Some(kid) => key.with_kid(kid),
        None => key,
    };
    ServerKeys::new(format!(r#"{{"keys":[{}]}}"#, key.to_jwk()))
}

fn task(message: &str, keys: ServerKeys) -> OpenTask {
    OpenTask::new(SecretBytes::new(message), vec![Algorithm::ES256], keys)
}

fn open(keyring: &Keyring, task: OpenTask) -> Result<Opened, KeyFailed> {
    match keyring.answer(KeyTask::Open(task)) {
        Input::Opened(opened) => Ok(opened),
        Input::KeyFailed(failed) => Err(failed),
        other => panic!("{other:?}"),
    }
}

/// Why, and what the cause says.
fn refused(task: OpenTask) -> (KeyWhy, String) {
    let failed = open(&Keyring::new(), task).unwrap_err();
    (failed.why, failed.cause.map(|cause| cause.to_string()).unwrap_or_default())
}

const NAMED: &str = r#"{"alg":"ES256","kid":"k1"}"#;

#[test]
fn a_keyring_without_a_key_opens_what_a_server_signed() {
    let (keyring, known) = (Keyring::new(), keys(PEM, Some("k1")));
    let message = sign(PEM, NAMED, r#"{"sub":"alice"}"#);
    // The second time, they are not read again.
    for _ in 0..2 {
        let opened = open(&keyring, task(&message, known.clone())).unwrap();
        assert_eq!(opened.algorithm, Algorithm::ES256);
        assert_eq!(opened.payload.expose(), br#"{"sub":"alice"}"#);
    }
    // Those of another document are others, though the first are known.
    let failed = open(&keyring, task(&message, keys(OTHER, Some("k1")))).unwrap_err();
    assert_eq!(failed.why, KeyWhy::UnknownKid);
}

#[test]
fn other_keys_of_the_server_are_asked_for_where_they_may_help_and_nowhere_else() {
    let message = sign(PEM, NAMED, "{}");
    let unknown = |keys| refused(task(&message, keys)).0;
    assert_eq!(unknown(keys(PEM, Some("k2"))), KeyWhy::UnknownKid, "another name");
    assert_eq!(unknown(keys(OTHER, Some("k1"))), KeyWhy::UnknownKid, "no key of its algorithm");
    assert_eq!(unknown(ServerKeys::new(r#"{"keys":[]}"#)), KeyWhy::UnknownKid, "no key at all");

    let nameless = sign(PEM, r#"{"alg":"ES256"}"#, "{}");
    let forged = format!("{}AA", &nameless[..nameless.len() - 2]);
    assert_eq!(refused(task(&forged, keys(PEM, None))).0, KeyWhy::UnknownKid, "nothing has a name");

    let forged = format!("{}AA", &message[..message.len() - 2]);
    let (why, cause) = refused(task(&forged, keys(PEM, Some("k1"))));
    assert_eq!((why, cause), (KeyWhy::Bad, JwsError::Signature.to_string()));
    let (why, _) = refused(task("e30.e30", keys(PEM, Some("k1"))));
    assert_eq!(why, KeyWhy::Bad);
    let (why, _) = refused(task(&message, ServerKeys::new("<html>")));
    assert_eq!(why, KeyWhy::Bad, "no keys, but a page");
    let mut other = task(&message, keys(PEM, Some("k1")));
    other.algorithms = vec![Algorithm::RS256];
    assert_eq!(refused(other).0, KeyWhy::Bad, "an algorithm that was not agreed on");
    let mut other = task(&message, keys(PEM, Some("k1")));
    other.typ = Some("logout+jwt");
    assert_eq!(refused(other).0, KeyWhy::Bad, "a message of another kind");
}

#[test]
fn a_secret_that_both_know_opens_what_it_signed() {
    let secret = ClientSecret::new("a secret of thirty-two characters");
    let key = SigningKey::from_secret(&secret, Algorithm::HS256).unwrap();
    let mut keyring = Keyring::new();
    let _none = keyring.insert(KeyId::new("server"), key);
    let input = format!("{}.e30", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"whatever"}"#));
    let sign = SignTask::new(KeyId::new("server"), Algorithm::HS256, input.clone().into_bytes());
    let Input::Signature(signature) = keyring.answer(KeyTask::Sign(sign)) else { panic!("it signs") };
    let message = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));

    let with = |secret: &ClientSecret| {
        let mut task = task(&message, keys(PEM, None));
        task.algorithms = vec![Algorithm::HS256];
        task.secret = Some(secret.clone());
        task
    };
    assert_eq!(open(&keyring, with(&secret)).unwrap().payload.expose(), b"{}");
    let other = ClientSecret::new("another one of thirty-two characters");
    assert_eq!(refused(with(&other)).0, KeyWhy::Bad);
    let (why, cause) = refused(with(&ClientSecret::new("short")));
    assert_eq!(why, KeyWhy::NoKey);
    assert!(cause.contains("needs 32"), "{cause}");
    // Without the secret, the server's keys are looked at, and no public key verifies an HMAC.
    let mut task = with(&secret);
    task.secret = None;
    assert_eq!(refused(task).0, KeyWhy::UnknownKid);
    let mut task = with(&secret);
    (task.secret, task.keys) = (None, None);
    assert_eq!(refused(task).0, KeyWhy::NoKey);
}

/// OpenID Connect Core section 3.1.3.7, rule 1: decrypted first, and what is inside has to be signed.
#[cfg(feature = "aws-lc-rs")]
#[test]
fn what_is_encrypted_for_this_client_is_decrypted_and_then_verified() {
    use oauth_jwt::{ContentEncryption, DecryptionKey, Encryption, EncryptionKey, KeyManagement};
    let ours = SigningKey::from_pem(OTHER).unwrap().public_key().unwrap().to_jwk();
    let ours = EncryptionKey::from_jwk(ours.replace(r#""alg":"ES384""#, r#""use":"enc""#)).unwrap();
    let encrypt = |content: &str| {
        let how = Encryption::new(KeyManagement::EcdhEs, ContentEncryption::A256Gcm).with_cty("JWT");
        how.encrypt(content, &ours).unwrap()
    };
    let mut keyring = Keyring::new();
    let none = keyring.insert_decryption_key(KeyId::new("mine"), DecryptionKey::from_pem(OTHER).unwrap());
    assert!(none.is_none());
    let encrypted = |message: &str, key: &str| {
        let mut task = task(message, keys(PEM, Some("k1")));
        task.decryption_key = Some(KeyId::new(key));
        task
    };
    let signed = sign(PEM, NAMED, r#"{"sub":"alice"}"#);
    let opened = open(&keyring, encrypted(&encrypt(&signed), "mine")).unwrap();
    assert_eq!(opened.payload.expose(), br#"{"sub":"alice"}"#);

    let why = |task| open(&keyring, task).unwrap_err().why;
    assert_eq!(why(encrypted(&encrypt(&signed), "another")), KeyWhy::NoKey);
    assert_eq!(why(encrypted(&signed, "mine")), KeyWhy::Bad, "nothing is encrypted");
    assert_eq!(why(encrypted(&encrypt(r#"{"sub":"alice"}"#), "mine")), KeyWhy::Bad, "nothing is signed");
    assert_eq!(why(task(&encrypt(&signed), keys(PEM, None))), KeyWhy::Bad, "nobody agreed on encryption");
}

#[cfg(not(feature = "aws-lc-rs"))]
#[test]
fn what_cannot_decrypt_says_so() {
    let mut task = task("a.b.c.d.e", keys(PEM, None));
    task.decryption_key = Some(KeyId::new("mine"));
    let (why, cause) = refused(task);
    assert_eq!(why, KeyWhy::Unsupported);
    assert!(cause.contains("aws-lc-rs"), "{cause}");
}
