//! Randomness, hashes, and the key that signs ID tokens.

use ct_codecs::{Base64UrlSafeNoPadding, Encoder as _};
use ed25519_compact::{KeyPair, Noise, Seed, sha512};

use crate::json::Object;

/// 256 random bits behind a prefix that says what the text is, and that it is only a demonstration.
pub(crate) fn random_text(prefix: &str) -> String {
    format!("{prefix}{}", base64url(&random::<32>()))
}

/// RFC 8628 section 6.1: consonants alone, so that no code is a word, and a dash to read it by.
pub(crate) fn user_code() -> String {
    const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";
    let mut code = String::new();
    while code.len() < 9 {
        if code.len() == 4 {
            code.push('-');
        }
        let byte = usize::from(random::<1>()[0]);
        // the bytes above the last full round would make the first letters more likely
        if byte < 256 / LETTERS.len() * LETTERS.len() {
            code.push(char::from(LETTERS[byte % LETTERS.len()]));
        }
    }
    code
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).expect("no text in memory is too long to encode")
}

/// RFC 7636 section 4.6.
pub(crate) fn s256(code_verifier: &str) -> String {
    base64url(&hmac_sha256::Hash::hash(code_verifier.as_bytes()))
}

/// Compares by hash, so that the time taken tells nothing about either text.
pub(crate) fn same_secret(one: &str, other: &str) -> bool {
    hmac_sha256::Hash::hash(one.as_bytes()) == hmac_sha256::Hash::hash(other.as_bytes())
}

/// The one signing key of a server's life.
pub(crate) struct SigningKey {
    pair: KeyPair,
    kid: String,
}

impl SigningKey {
    pub(crate) fn generate() -> Self {
        Self::from_seed(random())
    }

    fn from_seed(seed: [u8; 32]) -> Self {
        let pair = KeyPair::from_seed(Seed::new(seed));
        let kid = base64url(&hmac_sha256::Hash::hash(&pair.pk[..])[..9]);
        Self { pair, kid }
    }

    /// RFC 7517 section 5, RFC 8037 section 2.
    pub(crate) fn jwks(&self) -> String {
        let key = Object::new()
            .string("kty", "OKP")
            .string("crv", "Ed25519")
            .string("use", "sig")
            .string("alg", "EdDSA")
            .string("kid", &self.kid)
            .string("x", &base64url(&self.pair.pk[..]));
        Object::new().raw("keys", &format!("[{}]", key.finish())).finish()
    }

    /// RFC 7515 section 7.1.
    pub(crate) fn sign(&self, claims: Object) -> String {
        let header = Object::new().string("alg", "EdDSA").string("typ", "JWT").string("kid", &self.kid);
        let input =
            format!("{}.{}", base64url(header.finish().as_bytes()), base64url(claims.finish().as_bytes()));
        let signature = self.pair.sk.sign(&input, Some(Noise::new(random())));
        format!("{input}.{}", base64url(&signature[..]))
    }
}

/// OpenID Connect Core section 3.1.3.6: the left half of the hash that the signature uses, SHA-512 for Ed25519.
pub(crate) fn at_hash(access_token: &str) -> String {
    base64url(&sha512::Hash::hash(access_token)[..32])
}

fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_codecs::Decoder as _;

    #[test]
    fn s256_is_the_one_of_rfc_7636_appendix_b() {
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn the_key_is_published_as_rfc_8037_appendix_a_has_it() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        let jwks: serde_json::Value = serde_json::from_str(&SigningKey::from_seed(seed).jwks()).unwrap();
        assert_eq!(jwks["keys"][0]["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    }

    #[test]
    fn a_signature_verifies_and_covers_the_claims() {
        let key = SigningKey::generate();
        let token = key.sign(Object::new().string("sub", "x"));
        let (input, signature) = token.rsplit_once('.').unwrap();
        let mut bytes = [0; 64];
        let length = Base64UrlSafeNoPadding::decode(&mut bytes, signature, None).unwrap().len();
        assert_eq!(length, 64);
        let signature = ed25519_compact::Signature::new(bytes);
        assert!(key.pair.pk.verify(input, &signature).is_ok());
        assert!(key.pair.pk.verify(format!("{input}x"), &signature).is_err());
    }

    #[test]
    fn user_codes_are_easy_to_type() {
        for _ in 0..100 {
            let code = user_code();
            assert_eq!((code.len(), code.as_bytes()[4]), (9, b'-'));
            assert!(code.bytes().all(|byte| b"BCDFGHJKLMNPQRSTVWXZ-".contains(&byte)), "{code}");
        }
    }
}
