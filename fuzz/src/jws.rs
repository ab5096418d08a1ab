//! Messages of others and the documents of keys that verify them: `keys`, a line break, `message`.

use oauth_core::Algorithm;
use oauth_jwt::{Accepted, Jws, JwsError, KeySet, PublicKey, SharedKey};

/// What is read is bounded, what is believed is signed by an accepted algorithm, and no private member comes out again.
pub fn run(input: &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (document, message) = input.split_at(at);
    let accepted = [Algorithm::ES256, Algorithm::EDDSA];
    let keys = KeySet::<PublicKey>::from_jwks(document);
    if let Ok(keys) = &keys {
        assert!(keys.keys().len() <= 100);
        for key in keys.keys() {
            let again = PublicKey::from_jwk(key.to_jwk()).expect("what was written is read");
            assert_eq!(again.thumbprint(), key.thumbprint());
            assert_eq!((again.kid(), again.to_jwk()), (key.kid(), key.to_jwk()));
            assert!(!key.to_jwk().contains("\"d\":"));
        }
    }
    let _secrets = KeySet::<SharedKey>::from_jwks(document);
    let Ok(message) = core::str::from_utf8(message) else { return };
    let message = message.strip_prefix('\n').unwrap_or(message);
    let jws = match Jws::parse(message) {
        Ok(jws) => jws,
        Err(why) => return assert!(!why.to_string().contains('\n'), "{why}"),
    };
    assert_eq!(message.matches('.').count(), 2);
    let Ok(keys) = keys else { return };
    match jws.verify(&keys, &Accepted::new(&accepted)) {
        Ok(_) => assert!(accepted.contains(&jws.header().alg)),
        Err(JwsError::Algorithm(algorithm)) => assert!(!accepted.contains(&algorithm)),
        Err(why) => assert!(!why.to_string().contains('\n'), "{why}"),
    }
}
