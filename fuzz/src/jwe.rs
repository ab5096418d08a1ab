//! Encrypted messages of others and keys for them: `JWK`, a line break, `message`.

use oauth_jwt::{
    AcceptedEncryption, ContentEncryption, DecryptionKey, Encryption, EncryptionKey, Jwe, JweError,
    KeyManagement,
};

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

/// What is read is bounded; a key that was read opens what its public half encrypted, and nothing that was changed since.
pub fn run(input: &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (jwk, rest) = input.split_at(at);
    let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    let ours = DecryptionKey::from_jwk(jwk);
    if let Err(why) = &ours {
        assert!(!why.to_string().contains('\n'), "{why}");
    }
    if let (Ok(ours), Ok(theirs)) = (&ours, EncryptionKey::from_jwk(jwk)) {
        // One pair of algorithms for each input.
        let chosen =
            rest.iter().fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        let enc = ENCRYPTIONS[chosen % ENCRYPTIONS.len()];
        for alg in ALGORITHMS {
            match Encryption::new(alg, enc).encrypt(rest, &theirs) {
                Ok(message) => {
                    assert_eq!(open(&message, ours).expect("it was encrypted to this key"), rest);
                    assert!(open(&changed(&message, chosen), ours).is_err());
                }
                Err(JweError::NoKey(_)) => {}
                Err(why) => panic!("{why}"),
            }
        }
    }
    let Ok(message) = core::str::from_utf8(rest) else { return };
    let jwe = match Jwe::parse(message) {
        Ok(jwe) => jwe,
        Err(why) => return assert!(!why.to_string().contains('\n'), "{why}"),
    };
    assert_eq!(message.matches('.').count(), 4);
    let Ok(ours) = ours else { return };
    if let Err(why) = open(message, &ours) {
        assert!(!why.to_string().contains('\n'), "{why}");
    }
    let none = jwe.decrypt([&ours], &AcceptedEncryption::new(&[], &ENCRYPTIONS));
    assert_eq!(none.map(|_| ()), Err(JweError::Algorithm(jwe.header().alg)));
}

fn open(message: &str, key: &DecryptionKey) -> Result<Vec<u8>, JweError> {
    let accepted = AcceptedEncryption::new(&ALGORITHMS, &ENCRYPTIONS);
    Ok(Jwe::parse(message)?.decrypt([key], &accepted)?.expose().to_vec())
}

/// One character of the message made another.
fn changed(message: &str, at: usize) -> String {
    let at = at % message.len();
    let other = if &message[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &message[..at], &message[at + 1..])
}
