//! The JWT bearer grant (RFC 7523 section 2.1), and what it refuses.

#![allow(missing_docs, reason = "tests")]

mod common;

use std::time::Duration;

use common::*;
use ct_codecs::{Base64UrlSafeNoPadding, Encoder as _};
use ed25519_compact::{KeyPair, Seed};
use oauth_testserver::{Client, Clock, TestServer};
use p256::ecdsa::signature::Signer as _;
use serde_json::{Value, json};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const NOW: u64 = 1_800_000_000;

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).unwrap()
}

/// Any key will do, as long as it is always the same one.
fn ed25519() -> KeyPair {
    KeyPair::from_seed(Seed::new([7; 32]))
}

fn jwk() -> String {
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": "one", "x": base64url(&ed25519().pk[..]) }).to_string()
}

fn start() -> TestServer {
    let clock = Clock::manual_at(Duration::from_secs(NOW));
    TestServer::builder().clock(&clock).jwt_issuer("service", jwk()).start().unwrap()
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "JWT", "kid": "one" })
}

fn claims(server: &TestServer) -> Value {
    json!({
        "iss": "service", "sub": "service", "aud": server.issuer(), "iat": NOW, "exp": NOW + 300, "jti": "a",
    })
}

fn signed(header: &Value, claims: &Value) -> String {
    let input = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
    format!("{input}.{}", base64url(&ed25519().sk.sign(&input, None)[..]))
}

fn ask(server: &TestServer, assertion: &str, more: &[(&str, &str)]) -> Answer {
    token(server, &[&[("grant_type", JWT_BEARER), ("assertion", assertion)], more].concat())
}

#[test]
fn an_assertion_gives_an_access_token_and_nothing_to_renew_it_by() {
    let server = start();
    let answer = ask(&server, &signed(&header(), &claims(&server)), &[("scope", "write")]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.text("scope"), "write");
    assert!(answer.text("access_token").starts_with("demo-at-"));
    assert!(answer.json()["refresh_token"].is_null());
    assert!(get(&server, "/.well-known/oauth-authorization-server").body.contains(JWT_BEARER));
}

#[test]
fn the_audience_is_the_issuer_or_the_token_endpoint_alone_or_among_others() {
    let server = start();
    let endpoint = format!("{}/token", server.issuer());
    let list = json!(["https://other.example", endpoint]);
    for (at, audience) in [json!(server.issuer()), json!(endpoint), list].into_iter().enumerate() {
        let mut claims = claims(&server);
        claims["aud"] = audience;
        claims["jti"] = json!(at.to_string());
        assert_eq!(ask(&server, &signed(&header(), &claims), &[]).status, 200);
    }
}

#[test]
fn an_assertion_works_once() {
    let server = start();
    let assertion = signed(&header(), &claims(&server));
    assert_eq!(ask(&server, &assertion, &[]).status, 200);
    let again = ask(&server, &assertion, &[]);
    assert_eq!((again.status, &*again.error()), (400, "invalid_grant"));
    assert!(again.text("error_description").contains("jti"));
    assert_eq!(server.counters().replays, 1);
}

#[test]
fn a_client_that_is_named_has_to_prove_it() {
    let server = start();
    let mut asked = claims(&server);
    let mut ask = |jti: &str, headers: &[&str], more: &[(&str, &str)]| {
        asked["jti"] = json!(jti);
        let assertion = signed(&header(), &asked);
        post(
            &server,
            "/token",
            headers,
            &[&[("grant_type", JWT_BEARER), ("assertion", &*assertion)], more].concat(),
        )
    };
    assert_eq!(ask("1", &[], &[("client_id", "service")]).status, 200);
    assert_eq!(ask("2", &[&basic("demo-basic:demo-basic-secret")], &[]).status, 200);
    for (headers, more) in [
        (&[][..], &[("client_id", "nobody")][..]),
        (&[], &[("client_id", "demo-basic")]),
        (&[&*basic("demo-basic:wrong")], &[]),
    ] {
        assert_eq!(ask("3", headers, more).error(), "invalid_client");
    }
}

#[test]
fn an_issuer_that_is_a_client_already_stays_the_client_that_it_is() {
    let client = Client::post("service", "a secret");
    let server = TestServer::builder().client(client).jwt_issuer("service", jwk()).start().unwrap();
    let answer = token(&server, &[("grant_type", JWT_BEARER), ("client_id", "service"), ("assertion", "x")]);
    assert_eq!(answer.error(), "invalid_client");
}

#[test]
fn what_is_wrong_with_an_assertion_is_an_invalid_grant() {
    let server = start();
    for (part, name, value, told) in [
        ("header", "alg", json!("none"), "alg"),
        ("header", "alg", json!("HS256"), "alg"),
        ("header", "alg", json!("eddsa"), "alg"),
        ("header", "alg", Value::Null, "alg"),
        ("header", "typ", json!("at+jwt"), "typ"),
        ("header", "kid", json!("two"), "kid"),
        ("header", "crit", json!(["exp"]), "critical"),
        ("claims", "iss", json!("somebody"), "iss"),
        ("claims", "iss", json!(7), "iss"),
        ("claims", "sub", json!("somebody"), "sub"),
        ("claims", "sub", Value::Null, "sub"),
        ("claims", "aud", json!("https://as.example"), "aud"),
        ("claims", "aud", json!(format!("{}/", server.issuer())), "aud"),
        ("claims", "aud", json!([]), "aud"),
        ("claims", "aud", json!([server.issuer(), 1]), "aud"),
        ("claims", "aud", Value::Null, "aud"),
        ("claims", "exp", json!(NOW), "expired"),
        ("claims", "exp", json!(NOW + 3_601), "an hour ahead"),
        ("claims", "exp", json!((NOW + 300).to_string()), "no number"),
        ("claims", "iat", json!(NOW + 61), "iat"),
        ("claims", "iat", json!(NOW - 3_400), "iat"),
        ("claims", "iat", Value::Null, "no number"),
        ("claims", "nbf", json!(NOW + 61), "nbf"),
        ("claims", "jti", Value::Null, "jti"),
    ] {
        let (mut header, mut claims) = (header(), claims(&server));
        if part == "header" {
            header[name] = value.clone()
        } else {
            claims[name] = value.clone()
        }
        let answer = ask(&server, &signed(&header, &claims), &[]);
        assert_eq!((answer.status, &*answer.error()), (400, "invalid_grant"), "{name} {value}");
        let description = answer.text("error_description");
        assert!(description.contains(told), "{name}: {description}");
    }
    // An assertion that was refused has not used its jti up.
    assert_eq!(ask(&server, &signed(&header(), &claims(&server)), &[]).status, 200);
}

#[test]
fn claims_that_are_left_out_are_missed() {
    let server = start();
    for name in ["iss", "sub", "aud", "exp", "iat", "jti"] {
        let mut claims = claims(&server);
        claims.as_object_mut().unwrap().remove(name);
        let answer = ask(&server, &signed(&header(), &claims), &[]);
        assert_eq!(answer.text("error_description"), format!("The assertion has no {name}."));
    }
    let answer = token(&server, &[("grant_type", JWT_BEARER)]);
    assert_eq!(answer.error(), "invalid_request");
}

#[test]
fn what_is_no_assertion_or_signed_by_another_key_is_refused() {
    let server = start();
    let good = signed(&header(), &claims(&server));
    let (input, signature) = good.rsplit_once('.').unwrap();
    let other = KeyPair::from_seed(Seed::new([8; 32])).sk.sign(input, None);
    let other = format!("{input}.{}", base64url(&other[..]));
    let duplicate = base64url(r#"{"iss":"service","iss":"service"}"#);
    for bad in [
        "x",
        "..",
        &format!("{input}."),
        &format!("{input}.{}", &signature[1..]),
        &format!("{good}="),
        &format!("{good}.x"),
        &format!("{}.{duplicate}.{signature}", base64url(header().to_string())),
        &other,
    ] {
        let answer = ask(&server, bad, &[]);
        assert_eq!((answer.status, &*answer.error()), (400, "invalid_grant"), "{bad}");
    }
}

#[test]
fn it_is_about_no_person_unless_the_issuer_speaks_for_one() {
    let server = start();
    let mut claims = claims(&server);
    assert_eq!(
        ask(&server, &signed(&header(), &claims), &[("scope", "openid")]).error(),
        "invalid_scope",
        "an ID token has no place here"
    );
    claims["sub"] = json!("ada");
    let answer = ask(&server, &signed(&header(), &claims), &[("client_id", "service")]);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn a_key_on_p_256_signs_es256() {
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let point = key.verifying_key().to_sec1_point(false);
    let (x, y) = (base64url(&point.as_bytes()[1..33]), base64url(&point.as_bytes()[33..]));
    let jwk = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "x": x, "y": y });
    let server = TestServer::builder().jwt_issuer("service", jwk.to_string()).start().unwrap();
    let now = server.clock().now().as_secs();
    let mut claims = claims(&server);
    (claims["iat"], claims["exp"]) = (json!(now), json!(now + 60));
    let header = json!({ "alg": "ES256" });
    let input = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
    let signature: p256::ecdsa::Signature = key.sign(input.as_bytes());
    let der = signature.to_der();
    // RFC 7518 section 3.4: the two numbers side by side, and not as DER
    assert_eq!(ask(&server, &format!("{input}.{}", base64url(der.as_bytes())), &[]).error(), "invalid_grant");
    assert_eq!(ask(&server, &format!("{input}.{}", base64url(signature.to_bytes())), &[]).status, 200);
}

#[test]
fn a_key_that_is_none_stops_the_server_from_starting() {
    let refused =
        |jwk: &str| TestServer::builder().jwt_issuer("service", jwk).start().unwrap_err().to_string();
    for (jwk, told) in [
        ("", "no JSON"),
        ("[]", "neither"),
        (r#"{"kty":"oct","k":"AAAA"}"#, "neither"),
        (r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#, "neither"),
        (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, "no point"),
        (r#"{"kty":"EC","crv":"P-256","x":"*","y":"AA"}"#, "lacks"),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#, "not as long"),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}"#, "private"),
        (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "2048"),
        (&jwk().replace("\"kty\"", "\"alg\":\"ES256\",\"kty\""), "another algorithm"),
    ] {
        assert!(refused(jwk).contains(told), "{jwk}: {}", refused(jwk));
    }
}
