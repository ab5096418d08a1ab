//! Signed messages in the compact form (RFC 7515): made from a header and claims, and verified back to claims.
//!
//! Keys are read once where a library can; where it reads them for each message, its row has that in it. Beneath ours stands
//! what the engines take alone, and ours may cost little more than its own engine does. It runs on ring, and with the feature
//! `aws-lc-rs` on that. RSA and ECDSA draw chance, which makes a hundredth or two with some libraries; valgrind knows neither
//! the newest instructions of the processor nor those for SHA-256, so that times may rank the libraries otherwise.

mod floor;
mod ours;
mod peers;

use crate::measure::Bench;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use floor::{AwsLc, Ring};
use ours::Ours;
use peers::{JoseKit, JsonWebToken, JwtSimple};
use std::hint::black_box;

const ISSUED: u64 = 1_700_000_000;
const EXPIRES: u64 = 4_102_444_800;
const ISSUER: &str = "https://login.example.com";
const SUBJECT: &str = "248289761001";
const AUDIENCE: &str = "s6BhdRkqt3";
const JTI: &str = "AAECAwQFBgcICQoLDA0ODw";
const NONCE: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8";
/// All of these.
const CLAIMS: &str = r#"{"iat":1700000000,"exp":4102444800,"iss":"https://login.example.com","sub":"248289761001","aud":"s6BhdRkqt3","jti":"AAECAwQFBgcICQoLDA0ODw","nonce":"QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8"}"#;
const KID: &str = "2026-11";
const SECRET: &str = "VGhpcyBzZWNyZXQgcHJvdGVjdHMgbm90aGluZyBhdCBhbGw";

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Rs256,
    Es256,
    EdDsa,
    Hs256,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Rs256, Self::Es256, Self::EdDsa, Self::Hs256];

    const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }
}

/// Makes a message.
type Signs = Box<dyn Fn() -> String>;
/// Verifies one, and gives the claims in some form.
type Verifies<C> = Box<dyn Fn(&str) -> C>;

pub(crate) trait Library {
    const WHO: &'static str;
    /// What it makes of the claims: most read them as well.
    type Claims;
    /// By a key that is read once, if it can be.
    fn signer(kind: Kind) -> Signs;
    /// By the public half.
    fn verifier(kind: Kind) -> Verifies<Self::Claims>;
    /// The claims as JSON.
    fn text(claims: &Self::Claims) -> String;
}

/// What those sign who leave the writing to others: the same bytes, ready, encoded each time.
fn input(kind: Kind, signature: usize) -> String {
    macro_rules! header {
        ($name:literal) => {
            concat!(r#"{"alg":""#, $name, r#"","typ":"JWT","kid":"2026-11"}"#)
        };
    }
    let header = match kind {
        Kind::Rs256 => header!("RS256"),
        Kind::Es256 => header!("ES256"),
        Kind::EdDsa => header!("EdDSA"),
        Kind::Hs256 => header!("HS256"),
    };
    let encoded = |bytes: usize| (bytes * 4).div_ceil(3);
    let mut input =
        String::with_capacity(encoded(header.len()) + encoded(CLAIMS.len()) + encoded(signature) + 2);
    URL_SAFE_NO_PAD.encode_string(black_box(header), &mut input);
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(black_box(CLAIMS), &mut input);
    input
}

/// Throw-away keys.
///
/// # Panics
/// A secret is in no file.
fn pem(kind: Kind) -> &'static str {
    match kind {
        Kind::Rs256 => include_str!("../../oauth-jwt/tests/keys/rsa-2048.pkcs8.pem"),
        Kind::Es256 => include_str!("../../oauth-jwt/tests/keys/p256.pkcs8.pem"),
        Kind::EdDsa => include_str!("../../oauth-jwt/tests/keys/ed25519.pkcs8.pem"),
        Kind::Hs256 => unreachable!("it has no file"),
    }
}

fn der(kind: Kind) -> Vec<u8> {
    if let Kind::Hs256 = kind {
        return Vec::new();
    }
    let base64: String = pem(kind).lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(base64).expect("a PEM file")
}

/// The public half.
fn jwk(kind: Kind) -> String {
    let key = oauth_jwt::SigningKey::from_pem(pem(kind)).expect("the key is right");
    key.public_key().expect("it has one").to_jwk()
}

fn sign<L: Library, const K: usize>(times: u32) {
    let signer = L::signer(Kind::ALL[K]);
    for _ in 0..times {
        let _made = black_box(signer());
    }
}

fn verify<L: Library, const K: usize>(times: u32) {
    let (token, verifier) = (Ours::signer(Kind::ALL[K])(), L::verifier(Kind::ALL[K]));
    for _ in 0..times {
        let _claims = black_box(verifier(black_box(&token)));
    }
}

const OURS: &str = if cfg!(feature = "aws-lc-rs") { "oauth-jwt, aws-lc-rs" } else { "oauth-jwt, ring" };
const FLOOR: &str = if cfg!(feature = "aws-lc-rs") { AwsLc::WHO } else { Ring::WHO };

/// One algorithm: what signing and verifying may cost, in times of the floor, and how often it signs between two looks at the
/// clock. OpenSSL and aws-lc blind an RSA key anew after 32 signatures, which is why the two runs that are counted are that
/// far apart.
const fn rows<const K: usize>(
    sign_name: &'static str,
    verify_name: &'static str,
    (most, most_to_verify): (f64, f64),
    batch: u32,
) -> [Bench; 12] {
    [
        Bench::new(sign_name, OURS, sign::<Ours, K>, &[]).at_most_times(most, FLOOR).runs(2, 34, batch),
        Bench::new(sign_name, Ring::WHO, sign::<Ring, K>, &[]).runs(2, 34, batch),
        Bench::new(sign_name, AwsLc::WHO, sign::<AwsLc, K>, &[]).runs(2, 34, batch),
        Bench::new(sign_name, JsonWebToken::WHO, sign::<JsonWebToken, K>, &[]).runs(2, 34, batch),
        Bench::new(sign_name, JoseKit::WHO, sign::<JoseKit, K>, &[]).runs(2, 34, batch),
        Bench::new(sign_name, JwtSimple::WHO, sign::<JwtSimple, K>, &[]).runs(2, 34, batch),
        Bench::new(verify_name, OURS, verify::<Ours, K>, &[])
            .at_most_times(most_to_verify, FLOOR)
            .runs(2, 34, 60),
        Bench::new(verify_name, Ring::WHO, verify::<Ring, K>, &[]).runs(2, 34, 60),
        Bench::new(verify_name, AwsLc::WHO, verify::<AwsLc, K>, &[]).runs(2, 34, 60),
        Bench::new(verify_name, JsonWebToken::WHO, verify::<JsonWebToken, K>, &[]).runs(2, 34, 60),
        Bench::new(verify_name, JoseKit::WHO, verify::<JoseKit, K>, &[]).runs(2, 34, 60),
        Bench::new(verify_name, JwtSimple::WHO, verify::<JwtSimple, K>, &[]).runs(2, 34, 60),
    ]
}

/// What a verified message costs beside its signature is its header and the choice of a key: some 2,000 instructions, which
/// only an HMAC is too short to hide.
static ROWS: [[Bench; 12]; 4] = [
    rows::<0>("RS256 sign", "RS256 verify", (1.02, 1.10), 4),
    rows::<1>("ES256 sign", "ES256 verify", (1.05, 1.10), 20),
    rows::<2>("EdDSA sign", "EdDSA verify", (1.10, 1.10), 20),
    rows::<3>("HS256 sign", "HS256 verify", (1.10, 1.10), 100),
];

/// What hostile messages may take, in nanoseconds.
const REFUSED: f64 = 1_000_000.0;

static REFUSALS: [Bench; 3] = [
    Bench::new("refused: 64 kB header", OURS, ours::refused_header, &[]).within(REFUSED).runs(2, 34, 60),
    Bench::new("refused: 48 kB of members", OURS, ours::refused_members, &[]).within(REFUSED).runs(2, 34, 4),
    Bench::new("refused: a million dots", OURS, ours::refused_dots, &[]).within(REFUSED).runs(2, 34, 60),
];

pub(crate) fn benches() -> impl Iterator<Item = &'static Bench> {
    ROWS.as_flattened().iter().chain(&REFUSALS)
}

/// Each verifies what each signs, and finds the same claims in it.
///
/// # Panics
/// One does not.
pub(crate) fn compare() {
    for kind in Kind::ALL {
        let tokens = [
            Ours::signer(kind)(),
            Ring::signer(kind)(),
            AwsLc::signer(kind)(),
            JsonWebToken::signer(kind)(),
            JoseKit::signer(kind)(),
            JwtSimple::signer(kind)(),
        ];
        for token in &tokens {
            verified_by::<Ours>(kind, token);
            verified_by::<Ring>(kind, token);
            verified_by::<AwsLc>(kind, token);
            verified_by::<JsonWebToken>(kind, token);
            verified_by::<JoseKit>(kind, token);
            verified_by::<JwtSimple>(kind, token);
        }
        // These two draw no chance, and the first three write the same bytes.
        if let Kind::Rs256 | Kind::EdDsa | Kind::Hs256 = kind {
            assert_eq!((&tokens[0], &tokens[0]), (&tokens[1], &tokens[2]));
        }
    }
}

fn verified_by<L: Library>(kind: Kind, token: &str) {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    let found = L::text(&L::verifier(kind)(token));
    assert_eq!(json(&found), json(CLAIMS), "{} by {}", kind.name(), L::WHO);
}

/// # Panics
/// The rows would be compared with what another engine takes.
pub(crate) fn engine_is_as_told() {
    assert!(
        ours::engine_is_as_told(),
        "the engine is another than this says: run this package alone, with its own feature aws-lc-rs or without"
    );
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_verifies_what_each_signs() {
        super::compare();
    }

    #[test]
    fn what_is_compared_with_is_there_and_each_bench_runs() {
        for bench in super::benches() {
            (bench.run)(1);
            if let Some((_, floor, _)) = bench.most_times {
                assert!(super::benches().any(|other| other.is((bench.name, floor))), "{floor}");
            }
        }
    }
}
