//! Private keys: PEM, JWK, and Java key stores.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::{Input, KeyId, KeyTask, Password, SignTask};
use oauth_jwt::{Accepted, Jws, KeySet, Keyring, SigningKey};

/// A key that was read signs, and its public half, where it has one, verifies that.
pub fn run(input: &[u8]) {
    let jks = SigningKey::from_jks(input, &Password::new("throw-away"));
    for read in [SigningKey::from_pem(input), SigningKey::from_jwk(input), jks] {
        let key = match read {
            Ok(key) => key,
            Err(why) => {
                assert!(!why.to_string().is_empty());
                continue;
            }
        };
        let (algorithm, public) = (key.algorithm(), key.public_key());
        let mut keyring = Keyring::new();
        assert!(keyring.insert(KeyId::new("k"), key).is_none());
        let header = base64url(format!(r#"{{"alg":"{algorithm}"}}"#).as_bytes());
        let message = format!("{header}.e30");
        let task = SignTask::new(KeyId::new("k"), algorithm.clone(), message.clone().into_bytes());
        let Input::Signature(signature) = keyring.answer(KeyTask::Sign(task)) else {
            panic!("it does not sign")
        };
        if let Some(public) = public {
            let message = format!("{message}.{}", base64url(&signature));
            let jws = Jws::parse(&message).expect("it was written by the rules");
            let payload = jws.verify(&KeySet::new([public]), &Accepted::new(&[algorithm]));
            assert_eq!(payload.expect("it was signed by its other half"), b"{}");
        }
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
