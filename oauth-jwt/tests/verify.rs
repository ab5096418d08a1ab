//! Messages of others: what is believed of them, and what is refused by which name. Each threat to signed messages has a
//! test of its letter and number.
#![allow(missing_docs, reason = "a test")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::{Algorithm, ClientSecret, Input, KeyId, KeyTask, Malformed, SignTask};
use oauth_jwt::{
    Accepted, JwkError, Jws, JwsError, KeyError, KeySet, Keyring, PublicKey, SharedKey, SigningKey,
};
use std::time::{Duration, Instant};
use support::file;

const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

fn signed_as(key: SigningKey, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let algorithm = key.algorithm();
    let mut keyring = Keyring::new();
    assert!(keyring.insert(KeyId::new("k"), key).is_none());
    let task = SignTask::new(KeyId::new("k"), algorithm, input.clone().into_bytes());
    let Input::Signature(signature) = keyring.answer(KeyTask::Sign(task)) else { panic!("it did not sign") };
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn p256() -> SigningKey {
    SigningKey::from_pem(file("p256.pkcs8.pem")).unwrap()
}

fn public(key: &SigningKey) -> PublicKey {
    key.public_key().unwrap()
}

/// What a message with this header comes to, signed by the P-256 key and verified by it.
fn es256(header: &str) -> Result<Vec<u8>, JwsError> {
    let keys = KeySet::new([public(&p256())]);
    let message = signed_as(p256(), header, "{}");
    Jws::parse(&message)?.verify(&keys, &Accepted::new(&[Algorithm::ES256]))
}

#[test]
fn every_algorithm_signs_what_its_public_half_verifies() {
    let secret = ClientSecret::new("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    let mut keys = vec![
        p256(),
        SigningKey::from_pem(file("p384.pkcs8.pem")).unwrap(),
        SigningKey::from_pem(file("p384.sec1.pem")).unwrap(),
        SigningKey::from_pem(file("ed25519.pkcs8.pem")).unwrap(),
        SigningKey::from_pem(file("ed25519.pkcs8.pem")).unwrap().with_algorithm(Algorithm::ED25519).unwrap(),
    ];
    if cfg!(feature = "aws-lc-rs") {
        let others = ["p521.pkcs8.pem", "p521.sec1.pem", "secp256k1.pkcs8.pem", "secp256k1.sec1.pem"];
        keys.extend(others.map(|name| SigningKey::from_pem(file(name)).unwrap()));
    }
    for algorithm in RSA {
        let key = SigningKey::from_pem(file("rsa-2048.pkcs8.pem")).unwrap();
        keys.push(key.with_algorithm(algorithm).unwrap());
    }
    for key in keys {
        let algorithm = key.algorithm();
        let public = public(&key);
        // A key that is published and read again is the same key.
        let again = PublicKey::from_jwk(public.to_jwk()).unwrap();
        assert_eq!(again.thumbprint(), public.thumbprint());
        let message = signed_as(key, &format!(r#"{{"alg":"{algorithm}"}}"#), "what was said");
        let accepted = Accepted::new(std::slice::from_ref(&algorithm));
        let set = KeySet::new([again]);
        assert_eq!(Jws::parse(&message).unwrap().verify(&set, &accepted).unwrap(), b"what was said");
        let (input, signature) = message.rsplit_once('.').unwrap();
        let other = format!("{input}A.{signature}");
        assert!(Jws::parse(&other).unwrap().verify(&set, &accepted).is_err(), "{algorithm}");
    }
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let key = SigningKey::from_secret(&secret, algorithm.clone()).unwrap();
        assert!(key.public_key().is_none());
        let message = signed_as(key, &format!(r#"{{"alg":"{algorithm}"}}"#), "what was said");
        let set = KeySet::new([SharedKey::from_secret(&secret, algorithm.clone()).unwrap()]);
        assert!(Jws::parse(&message).unwrap().verify(&set, &Accepted::new(&[algorithm])).is_ok());
    }
}

/// What the first one keeps is not what the others are verified by.
#[test]
fn an_rsa_key_that_says_no_algorithm_verifies_by_each_and_by_none_in_place_of_another() {
    let jwk = public(&SigningKey::from_pem(file("rsa-2048.pkcs8.pem")).unwrap()).to_jwk();
    let keys = KeySet::new([PublicKey::from_jwk(jwk.replace(r#","alg":"RS256""#, "")).unwrap()]);
    for signed in RSA {
        for said in RSA {
            let key = SigningKey::from_pem(file("rsa-2048.pkcs8.pem")).unwrap();
            let key = key.with_algorithm(signed.clone()).unwrap();
            let message = signed_as(key, &format!(r#"{{"alg":"{said}"}}"#), "{}");
            let verified = Jws::parse(&message).unwrap().verify(&keys, &Accepted::new(&RSA));
            assert_eq!(verified.is_ok(), said == signed, "{signed} said to be {said}: {verified:?}");
        }
    }
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn private_jwks_on_the_curves_that_ring_does_not_have_sign() {
    // Where the private half stands in a SEC1 file.
    for (name, at) in [("p521.sec1.pem", 8..74), ("secp256k1.sec1.pem", 7..39)] {
        let key = SigningKey::from_pem(file(name)).unwrap();
        let d = URL_SAFE_NO_PAD.encode(&support::der_of(&file(name))[at]);
        let private = format!(r#"{},"d":"{d}"}}"#, public(&key).to_jwk().trim_end_matches('}'));
        let again = SigningKey::from_jwk(&private).unwrap();
        assert_eq!(public(&again).thumbprint(), public(&key).thumbprint());
        let algorithm = key.algorithm();
        let keys = KeySet::new([public(&key)]);
        let message = signed_as(again, &format!(r#"{{"alg":"{algorithm}"}}"#), "{}");
        assert!(Jws::parse(&message).unwrap().verify(&keys, &Accepted::new(&[algorithm])).is_ok(), "{name}");
        let wrong = private.replacen(r#""x":""#, r#""x":"A"#, 1);
        assert!(SigningKey::from_jwk(wrong).is_err());
    }
}

#[test]
fn a_key_signs_with_one_algorithm_that_is_its_own() {
    for algorithm in [Algorithm::ES384, Algorithm::RS256, Algorithm::HS256, Algorithm::ES512] {
        let error = p256().with_algorithm(algorithm.clone()).unwrap_err();
        assert!(
            matches!(&error, KeyError::OtherAlgorithm { asked, own }
            if *asked == algorithm && *own == Algorithm::ES256),
            "{error}"
        );
    }
}

#[test]
fn j1_algorithms_are_accepted_by_name_letter_by_letter() {
    assert!(es256(r#"{"alg":"ES256"}"#).is_ok());
    for alg in ["none", "None", "nOnE", "", "es256", "ES256 ", "ES384", "HS256"] {
        let refused = es256(&format!(r#"{{"alg":"{alg}"}}"#));
        assert_eq!(refused, Err(JwsError::Algorithm(Algorithm::from_text(alg))), "{alg}");
    }
    for (header, why) in [
        ("{}", JwsError::Member("alg")),
        (r#"{"alg":null}"#, JwsError::Member("alg")),
        (r#"{"alg":["ES256"]}"#, JwsError::Member("alg")),
    ] {
        assert_eq!(es256(header), Err(why), "{header}");
    }
    assert!(matches!(es256(r#"{"alg":"none","alg":"ES256"}"#), Err(JwsError::Header(_))));
    // Accepted as such, and still not what this key is for.
    let rsa = SigningKey::from_pem(file("rsa-2048.pkcs8.pem")).unwrap();
    let keys = KeySet::new([public(&rsa)]);
    let message = signed_as(rsa.with_algorithm(Algorithm::PS256).unwrap(), r#"{"alg":"PS256"}"#, "{}");
    let verified = Jws::parse(&message).unwrap().verify(&keys, &Accepted::new(&RSA));
    assert_eq!(verified, Err(JwsError::NoKey(Algorithm::PS256)));
}

#[test]
fn j2_no_public_key_becomes_a_secret() {
    let key = p256();
    let bytes = public(&key).to_jwk();
    // By type there is no way; what is left is a server that publishes a secret, or takes its public key for one.
    let attack = SigningKey::from_secret(&ClientSecret::new(bytes), Algorithm::HS256).unwrap();
    let message = signed_as(attack, r#"{"alg":"HS256"}"#, "{}");
    let set = KeySet::new([public(&key)]);
    let accepted = [Algorithm::ES256, Algorithm::HS256];
    let verified = Jws::parse(&message).unwrap().verify(&set, &Accepted::new(&accepted));
    assert_eq!(verified, Err(JwsError::NoKey(Algorithm::HS256)));

    let secret = URL_SAFE_NO_PAD.encode([7; 32]);
    let published = format!(r#"{{"keys":[{{"kty":"oct","alg":"HS256","k":"{secret}"}}]}}"#);
    assert!(KeySet::<PublicKey>::from_jwks(&published).unwrap().keys().is_empty());
    assert!(matches!(
        PublicKey::from_jwk(format!(r#"{{"kty":"oct","k":"{secret}"}}"#)),
        Err(JwkError::Symmetric)
    ));
    let mixed =
        format!(r#"{{"keys":[{{"kty":"oct","alg":"HS256","k":"{secret}"}},{}]}}"#, public(&key).to_jwk());
    assert!(matches!(KeySet::<SharedKey>::from_jwks(mixed), Err(JwkError::Mixed)));
}

#[test]
fn j3_keys_in_a_header_are_not_believed() {
    let attacker = SigningKey::from_pem(file("p256.sec1.pem")).unwrap();
    let jwk = public(&attacker).to_jwk();
    let header = format!(
        r#"{{"alg":"ES256","jwk":{jwk},"jku":"https://attacker.example/jwks","x5u":"https://attacker.example","x5c":["MII="]}}"#
    );
    let others = KeySet::<PublicKey>::new([]);
    let message = signed_as(attacker, &header, "{}");
    let verified = Jws::parse(&message).unwrap().verify(&others, &Accepted::new(&[Algorithm::ES256]));
    assert_eq!(verified, Err(JwsError::NoKey(Algorithm::ES256)));
}

#[test]
fn j4_what_is_critical_and_not_understood_is_refused() {
    for crit in [r#"["exp"]"#, "[]", r#"["b64"]"#, r#"["alg"]"#, "null", r#""exp""#] {
        assert_eq!(es256(&format!(r#"{{"alg":"ES256","crit":{crit}}}"#)), Err(JwsError::Critical), "{crit}");
    }
    assert_eq!(es256(r#"{"alg":"ES256","b64":false}"#), Err(JwsError::Critical));
}

#[test]
fn j5_members_of_the_wrong_type_are_errors() {
    for (header, name) in [
        (r#"{"alg":"ES256","kid":1}"#, "kid"),
        (r#"{"alg":"ES256","typ":{}}"#, "typ"),
        (r#"{"alg":"ES256","kid":null}"#, "kid"),
    ] {
        assert_eq!(es256(header), Err(JwsError::Member(name)));
    }
    for (jwk, name) in [
        (r#"{"kty":["EC"]}"#, "kty"),
        (r#"{"kty":"EC","crv":"P-256","x":1,"y":2}"#, "x"),
        (r#"{"kty":"RSA","n":"AQAB"}"#, "e"),
    ] {
        let refused = PublicKey::from_jwk(jwk);
        assert!(matches!(refused, Err(JwkError::Member(found)) if found == name), "{jwk}: {refused:?}");
    }
}

fn refused_at_once(message: &str, why: &JwsError) {
    let took = |_| {
        let begun = Instant::now();
        assert_eq!(Jws::parse(message).unwrap_err(), *why);
        begun.elapsed()
    };
    // The machine may do something else in between. Without optimization all takes longer.
    let best = (0..5).map(took).min().unwrap();
    assert!(best < Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 1 }), "{why}: {best:?}");
}

#[test]
fn j6_what_is_too_large_is_refused_at_once() {
    let dots = ".".repeat(1_000_000);
    let header = format!("{}.e30.AA", "A".repeat(64 * 1024 + 1));
    let signature = format!("e30.e30.{}", "A".repeat(64 * 1024 + 1));
    let all = format!("e30.{}.AA", "A".repeat(1024 * 1024));
    for (message, why) in [
        (&dots, JwsError::NotCompact),
        (&header, JwsError::TooLarge),
        (&signature, JwsError::TooLarge),
        (&all, JwsError::TooLarge),
    ] {
        refused_at_once(message, &why);
    }
    // The longest header that is read, and as many members as fit in it.
    let members: Vec<_> = (0..5400).map(|number| format!(r#""{number}":0"#)).collect();
    let members = format!(r#"{{"alg":"RS256",{}}}"#, members.join(","));
    let members = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(members));
    assert!((60_000..64 * 1024).contains(&members.len()), "{}", members.len());
    refused_at_once(&members, &JwsError::Header(Malformed::TooLarge));
    let many: Vec<_> = (0..101).map(|_| r#"{"kty":"other"}"#).collect();
    let many = format!(r#"{{"keys":[{}]}}"#, many.join(","));
    assert!(matches!(KeySet::<PublicKey>::from_jwks(many), Err(JwkError::TooManyKeys)));
    let long = format!(r#"{{"keys":[],"x":"{}"}}"#, "a".repeat(256 * 1024));
    assert!(matches!(KeySet::<PublicKey>::from_jwks(long), Err(JwkError::TooManyKeys)));
}

#[test]
fn j8_only_the_compact_form_is_a_message_and_an_encrypted_one_says_so() {
    for message in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e.f", r#"{"payload":"e30","signatures":[]}"#] {
        assert_eq!(Jws::parse(message).unwrap_err(), JwsError::NotCompact, "{message}");
    }
    assert_eq!(Jws::parse("e30.a.b.c.d").unwrap_err(), JwsError::Encrypted);
}

#[test]
fn j9_a_signature_of_ecdsa_is_two_numbers_and_nothing_else() {
    use oauth_jwt::JwsError::Signature;
    let message = signed_as(p256(), r#"{"alg":"ES256"}"#, "{}");
    let (input, signature) = message.rsplit_once('.').unwrap();
    let numbers = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = numbers.split_at(32);
    let keys = KeySet::new([public(&p256())]);
    let der = [&[0x30, 68, 2, 32][..], r, &[2, 32], s].concat();
    let zero = [0; 64];
    let longer = [&[0][..], r, &[0], s].concat();
    for wrong in [&der[..], &zero, &longer, r, &[], &numbers[..63]] {
        let message = format!("{input}.{}", URL_SAFE_NO_PAD.encode(wrong));
        let verified = Jws::parse(&message).unwrap().verify(&keys, &Accepted::new(&[Algorithm::ES256]));
        assert_eq!(verified, Err(Signature));
    }
}

#[test]
fn j11_a_message_of_one_kind_is_none_of_another() {
    for typ in ["JWT", "jwt", "application/jwt"] {
        assert!(es256(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#)).is_ok(), "{typ}");
    }
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "application/at+jwt", "", "jwt2", "application/"] {
        let refused = es256(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#));
        assert_eq!(refused, Err(JwsError::Typ(Some(typ.into()))), "{typ}");
    }
    let keys = KeySet::new([public(&p256())]);
    let accepted = Accepted::new(&[Algorithm::ES256]).with_typ("at+jwt");
    for (header, right) in [
        (r#"{"alg":"ES256","typ":"at+jwt"}"#, true),
        (r#"{"alg":"ES256","typ":"application/AT+JWT"}"#, true),
        (r#"{"alg":"ES256"}"#, false),
        (r#"{"alg":"ES256","typ":"JWT"}"#, false),
    ] {
        let message = signed_as(p256(), header, "{}");
        assert_eq!(Jws::parse(&message).unwrap().verify(&keys, &accepted).is_ok(), right, "{header}");
    }
}

#[test]
fn one_key_is_tried_and_an_unknown_name_is_told() {
    let (p256, rsa) = (p256(), SigningKey::from_pem(file("rsa-2048.pkcs8.pem")).unwrap());
    let named = |kid: &str| public(&p256).with_kid(kid);
    let keys = KeySet::new([named("one"), public(&rsa).with_kid("rsa"), named("two")]);
    let accepted = [Algorithm::ES256, Algorithm::RS256];
    let verify = |header: &str, keys: &KeySet<PublicKey>| {
        let message = signed_as(SigningKey::from_pem(file("p256.pkcs8.pem")).unwrap(), header, "{}");
        Jws::parse(&message).unwrap().verify(keys, &Accepted::new(&accepted))
    };
    assert!(verify(r#"{"alg":"ES256","kid":"two"}"#, &keys).is_ok());
    assert_eq!(verify(r#"{"alg":"ES256","kid":"three"}"#, &keys), Err(JwsError::UnknownKid("three".into())));
    assert_eq!(verify(r#"{"alg":"ES256","kid":"rsa"}"#, &keys), Err(JwsError::NoKey(Algorithm::ES256)));
    assert_eq!(verify(r#"{"alg":"ES256"}"#, &keys), Err(JwsError::SeveralKeys));
    // Without a name, the only one that fits will do.
    assert!(verify(r#"{"alg":"ES256"}"#, &KeySet::new([named("one"), public(&rsa)])).is_ok());
    // So will one that has no name, whatever the message calls it.
    assert!(verify(r#"{"alg":"ES256","kid":"three"}"#, &KeySet::new([public(&p256), public(&rsa)])).is_ok());
    let twice = KeySet::new([named("one"), named("one")]);
    assert_eq!(verify(r#"{"alg":"ES256","kid":"one"}"#, &twice), Err(JwsError::SeveralKeys));
}

#[test]
fn keys_of_a_document_that_are_not_understood_are_passed_over() {
    let document = format!(
        r#"{{"keys":[{{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}},{{"kty":"AKP","alg":"ML-DSA-44"}},{{"kty":"EC","crv":"secp256k1"}},7,{}]}}"#,
        public(&p256()).with_kid("k").to_jwk()
    );
    let keys = KeySet::<PublicKey>::from_jwks(document).unwrap();
    assert_eq!(keys.keys().iter().map(PublicKey::kid).collect::<Vec<_>>(), [Some("k")]);
    for document in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        assert!(KeySet::<PublicKey>::from_jwks(document).is_err(), "{document}");
    }
}

#[test]
fn no_private_member_leaves_a_key() {
    // RFC 8037 appendix A.1, whose private half is `d`.
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let signing = SigningKey::from_jwk(jwk).unwrap();
    let read = PublicKey::from_jwk(jwk).unwrap();
    // RFC 8037 appendix A.3.
    assert_eq!(read.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(public(&signing).thumbprint(), read.thumbprint());
    for shown in [format!("{signing:?}"), format!("{read:?}"), read.to_jwk(), public(&signing).to_jwk()] {
        assert!(!shown.contains("nWGxne"), "{shown}");
    }
    let secret = URL_SAFE_NO_PAD.encode([7; 32]);
    let shared = format!(r#"{{"keys":[{{"kty":"oct","alg":"HS256","k":"{secret}"}}]}}"#);
    assert!(!format!("{:?}", KeySet::<SharedKey>::from_jwks(shared).unwrap()).contains(&secret));
}

#[test]
fn a_private_jwk_whose_halves_do_not_fit_is_refused() {
    let wrong = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"AAAAAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let error = SigningKey::from_jwk(wrong).unwrap_err();
    assert!(matches!(error, KeyError::Rejected { .. }), "{error}");
    for (jwk, name) in [
        (r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#, "d"),
        (r#"{"kty":"oct","k":"AAAA"}"#, "alg"),
    ] {
        let error = SigningKey::from_jwk(jwk).unwrap_err();
        assert!(matches!(error, KeyError::Jwk(JwkError::Member(found)) if found == name), "{error}");
    }
}

/// A number as a JWK spells it.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, JwkError> {
    let (n, e) = (URL_SAFE_NO_PAD.encode(modulus), URL_SAFE_NO_PAD.encode(exponent));
    PublicKey::from_jwk(format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#))
}

#[test]
fn an_rsa_key_that_is_not_safe_is_refused() {
    let right = [0xC5; 256];
    for exponent in [&[1, 0, 1][..], &[3], &[0, 3], &[0xFF, 0xFF, 0xFF, 0xFF]] {
        assert!(rsa(&right, exponent).is_ok(), "{exponent:?}");
    }
    for exponent in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert!(matches!(rsa(&right, exponent), Err(JwkError::Member("e"))), "{exponent:?}");
    }
    let mut short = right;
    short[0] = 0x7F;
    assert!(matches!(rsa(&short, &[3]), Err(JwkError::RsaTooSmall { bits: 2047 })));
    assert!(matches!(rsa(&[0xC5; 1025], &[3]), Err(JwkError::RsaTooLarge { bits: 8200 })));
    assert!(rsa(&[&[0][..], &right].concat(), &[3]).is_ok(), "a leading zero is no bit");
}

#[test]
fn an_rsa_key_of_the_generator_known_as_roca_is_refused() {
    // CVE-2017-15361: its moduli are powers of 65537, modulo many small primes. So is a power of it.
    let mut power = vec![1_u8];
    while power.len() < 257 {
        // Times 65537: itself, and itself two bytes on.
        let mut sum = vec![0; power.len() + 3];
        for (at, byte) in power.iter().enumerate().flat_map(|(at, byte)| [(at, byte), (at + 2, byte)]) {
            let (mut place, mut carry) = (at, u16::from(*byte));
            while carry > 0 {
                let total = u16::from(sum[place]) + carry;
                sum[place] = (total & 0xFF) as u8;
                carry = total >> 8;
                place += 1;
            }
        }
        while sum.last() == Some(&0) {
            sum.pop();
        }
        power = sum;
    }
    power.reverse();
    assert!(matches!(rsa(&power, &[1, 0, 1]), Err(JwkError::Roca)));
    let last = power.len() - 1;
    power[last] ^= 2;
    assert!(rsa(&power, &[1, 0, 1]).is_ok());
}

#[test]
fn base64url_has_one_spelling() {
    let message = signed_as(p256(), r#"{"alg":"ES256"}"#, "a");
    let (input, signature) = message.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    assert_eq!(payload, "YQ");
    let keys = KeySet::new([public(&p256())]);
    let verify = |message: String| match Jws::parse(&message) {
        Ok(jws) => jws.verify(&keys, &Accepted::new(&[Algorithm::ES256])),
        Err(why) => Err(why),
    };
    assert!(verify(message.clone()).is_ok());
    // Padding, another alphabet, bits that mean nothing, a character too many or too few, white space.
    for payload in ["YQ==", "Y+", "YR", "Y", " YQ", "YQ\n", "Y?Q"] {
        let refused = verify(format!("{header}.{payload}.{signature}"));
        assert_eq!(refused, Err(JwsError::Encoding("payload")), "{payload:?}");
    }
    assert_eq!(verify(format!("{header}=.YQ.{signature}")), Err(JwsError::Encoding("header")));
    assert_eq!(verify(format!("{header}.YQ.{signature}=")), Err(JwsError::Encoding("signature")));
}

#[test]
fn a_secret_that_is_shorter_than_its_hash_is_none() {
    for (alg, needed) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let jwks = |length: usize| {
            let k = URL_SAFE_NO_PAD.encode(vec![7; length]);
            KeySet::<SharedKey>::from_jwks(format!(r#"{{"keys":[{{"kty":"oct","alg":"{alg}","k":"{k}"}}]}}"#))
        };
        assert!(jwks(needed).is_ok());
        for length in [0, needed - 1] {
            assert!(matches!(jwks(length), Err(JwkError::Shared(_))), "{alg} {length}");
        }
    }
}

#[test]
fn a_key_for_another_use_does_not_verify() {
    let message = signed_as(p256(), r#"{"alg":"ES256"}"#, "{}");
    let jwk = public(&p256()).to_jwk();
    for (use_or_operations, right) in [
        (r#""use":"sig""#, true),
        (r#""key_ops":["verify"]"#, true),
        (r#""use":"enc""#, false),
        (r#""key_ops":["encrypt"]"#, false),
        (r#""key_ops":[]"#, false),
    ] {
        let jwk = format!("{},{use_or_operations}}}", jwk.trim_end_matches('}'));
        let keys = KeySet::new([PublicKey::from_jwk(jwk).unwrap()]);
        let verified = Jws::parse(&message).unwrap().verify(&keys, &Accepted::new(&[Algorithm::ES256]));
        assert_eq!(verified.is_ok(), right, "{use_or_operations}: {verified:?}");
    }
}
