use super::*;
use crate::registry::Algorithm;
use crate::secret::{AccessToken, AuthorizationCode};
use alloc::format;
use alloc::string::ToString as _;

const NOW: Unix = Unix(1_700_000_000);
/// A right ID token, without its braces.
const RIGHT: &str = r#""iss":"https://as.example","aud":"client","sub":"alice","nonce":"n1","iat":1699999990,"exp":1700000600"#;

fn rules() -> IdTokenRules {
    IdTokenRules::new("https://as.example", "client").with_nonce("n1")
}

/// The right token with one claim in place of another, or added.
fn with(claim: &str, value: &str) -> String {
    let mut payload = RIGHT.to_owned();
    let name = format!("\"{claim}\":");
    if let Some(at) = payload.find(&name) {
        let end = payload[at..].find(",\"").map_or(payload.len(), |comma| at + comma + 1);
        payload.replace_range(at..end, "");
        payload = payload.trim_end_matches(',').to_owned();
    }
    if !value.is_empty() {
        payload = format!("{payload},{name}{value}");
    }
    format!("{{{payload}}}")
}

fn check(payload: &str) -> Result<IdTokenClaims, ClaimsError> {
    rules().check(payload.as_bytes(), NOW)
}

fn wrong(result: Result<IdTokenClaims, ClaimsError>) -> &'static str {
    match result {
        Err(ClaimsError::Wrong { claim, .. }) => claim,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_right_token_tells_who_signed_in() {
    let claims = check(&with("email", r#""alice@example.com""#)).unwrap();
    assert_eq!((claims.sub.as_str(), claims.exp), ("alice", Unix(1_700_000_600)));
    assert_eq!(claims.claim("email"), Some(&Value::text("alice@example.com")));
    assert!(!format!("{claims:?} {:?}", rules()).contains("alice"));
}

#[test]
fn j10_oidc_core_3_1_3_7_each_rule() {
    for missing in ["iss", "aud", "sub", "nonce", "iat", "exp"] {
        assert_eq!(check(&with(missing, "")), Err(ClaimsError::Missing(missing)));
    }
    for (claim, value) in [
        ("iss", r#""https://as.example/""#),
        ("iss", r#""https://AS.example""#),
        ("aud", r#""other""#),
        ("aud", r#"["client","other"]"#),
        ("azp", r#""other""#),
        ("sub", r#""""#),
        ("nonce", r#""n2""#),
        ("nonce", r#""""#),
        ("exp", "1699999970"),
        ("iat", "1700000031"),
        ("nbf", "1700000031"),
    ] {
        assert_eq!(wrong(check(&with(claim, value))), claim, "{claim} {value}");
    }
    assert_eq!(wrong(check(&with("sub", &format!("\"{}\"", "a".repeat(256))))), "sub");
    for (claim, value) in [
        ("aud", r#"["client"]"#),
        ("azp", r#""client""#),
        // The leeway, either way.
        ("exp", "1699999971"),
        ("iat", "1700000030"),
        ("nbf", "1700000030"),
        // RFC 7519 section 2: it may have a fraction.
        ("exp", "1.7000006e9"),
    ] {
        assert!(check(&with(claim, value)).is_ok(), "{claim} {value}");
    }
    let several = with("aud", r#"["client","other"]"#);
    assert!(rules().with_trusted_audience("other").check(several.as_bytes(), NOW).is_ok());
    // A nonce that nobody sent is of another login.
    let none = IdTokenRules::new("https://as.example", "client");
    assert_eq!(wrong(none.check(with("x", "1").as_bytes(), NOW)), "nonce");
}

#[test]
fn j5_a_claim_of_the_wrong_type_is_not_an_absent_one() {
    for (claim, value) in [
        ("iss", "1"),
        ("sub", "null"),
        ("sub", "24400320"),
        ("aud", "{}"),
        ("aud", r#"["client",1]"#),
        ("azp", "[]"),
        ("nonce", "1"),
        ("exp", r#""1700000600""#),
        ("exp", "null"),
        ("exp", "-1"),
        ("exp", "1e300"),
        ("iat", "true"),
        ("nbf", r#""1700009999""#),
        ("nbf", "[]"),
        ("auth_time", r#""now""#),
        ("acr", "1"),
        ("amr", r#""pwd""#),
    ] {
        assert_eq!(check(&with(claim, value)), Err(ClaimsError::WrongType(claim)), "{claim} {value}");
    }
    for payload in ["", "[]", "null", r#"{"iss":"a","iss":"b"}"#] {
        assert!(matches!(check(payload), Err(ClaimsError::Malformed(_))), "{payload}");
    }
}

#[test]
fn j10_oidc_core_3_3_2_11_hashes_bind_what_came_along() {
    // OpenID Connect Core appendices A.3 and A.4, A.6.
    let token = AccessToken::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    let code = AuthorizationCode::new("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk");
    let rules = rules().with_access_token(&token, &Algorithm::RS256).with_code(&code, &Algorithm::RS256);
    let both = with("at_hash", r#""77QmUPtjPfzWtF2AnpK9RQ","c_hash":"LDktKdoQak3Pk0cnXxCltA""#);
    assert!(rules.clone().requiring_hashes().check(both.as_bytes(), NOW).is_ok());
    assert!(rules.check(with("x", "1").as_bytes(), NOW).is_ok());
    let one = with("at_hash", r#""77QmUPtjPfzWtF2AnpK9RQ""#);
    let missing = rules.clone().requiring_hashes().check(one.as_bytes(), NOW);
    assert_eq!(missing, Err(ClaimsError::Missing("c_hash")));
    for (claim, value) in [("at_hash", r#""77QmUPtjPfzWtF2AnpK9RR""#), ("c_hash", r#""""#)] {
        assert_eq!(wrong(rules.check(with(claim, value).as_bytes(), NOW)), claim);
    }
    // An algorithm whose hash is not known proves nothing.
    let unknown = self::rules().with_state("state", &Algorithm::from_text("XY9"));
    assert!(unknown.check(with("x", "1").as_bytes(), NOW).is_ok());
    assert_eq!(wrong(unknown.check(with("s_hash", r#""a""#).as_bytes(), NOW)), "s_hash");
    // Which hash it is, the algorithm says; as another implementation has them.
    let hashes = [
        "S6aXNcpTdl7WpwnttWxuog",
        "2-SHqHlgTYFXyolylsqnIU83EkNod_cC",
        "wxdMg1Rrq6ZiuGEtYXXuetfiP7T8Jc7PybEN4OjAqAc",
    ];
    for (algorithm, right) in [
        (Algorithm::HS256, 0),
        (Algorithm::ES256K, 0),
        (Algorithm::ES384, 1),
        (Algorithm::PS512, 2),
        (Algorithm::EDDSA, 2),
        (Algorithm::ED25519, 2),
    ] {
        let rules = self::rules().with_state("state", &algorithm);
        for (at, hash) in hashes.iter().enumerate() {
            let happened = rules.check(with("s_hash", &format!("\"{hash}\"")).as_bytes(), NOW);
            assert_eq!(happened.is_ok(), at == right, "{algorithm} {hash}");
        }
    }
}

#[test]
fn oidc_core_3_1_2_1_a_sign_in_that_is_too_old_or_of_another_kind_is_refused() {
    let rules =
        rules().with_max_age(Duration::from_secs(300)).with_acr_value("gold").with_acr_value("silver");
    let said = |time: u64, acr: &str| with("auth_time", &format!(r#"{time},"acr":"{acr}""#));
    assert!(rules.check(said(NOW.0 - 330, "silver").as_bytes(), NOW).is_ok());
    assert_eq!(wrong(rules.check(said(NOW.0 - 331, "gold").as_bytes(), NOW)), "auth_time");
    assert_eq!(wrong(rules.check(said(NOW.0, "bronze").as_bytes(), NOW)), "acr");
    assert_eq!(rules.check(with("x", "1").as_bytes(), NOW), Err(ClaimsError::Missing("auth_time")));
}

#[test]
fn j10_oidc_core_12_2_a_refresh_tells_of_the_same_person() {
    let first = check(&with("auth_time", "1699990000")).unwrap();
    // Whatever the rules are for by now.
    let moved = IdTokenRules::new("https://b", "client").after_refresh(first.clone());
    assert_eq!(wrong(moved.check(with("iss", r#""https://b""#).as_bytes(), NOW)), "iss");
    let rules = IdTokenRules::new("https://as.example", "client").after_refresh(first);
    for payload in [with("nonce", ""), with("x", "1"), with("auth_time", "1699990000")] {
        assert!(rules.check(payload.as_bytes(), NOW).is_ok(), "{payload}");
    }
    for (claim, value) in [
        ("sub", r#""mallory""#),
        ("nonce", r#""n2""#),
        ("auth_time", "1699990001"),
        ("iss", r#""https://b""#),
    ] {
        assert_eq!(wrong(rules.check(with(claim, value).as_bytes(), NOW)), claim);
    }
}

#[test]
fn back_channel_logout_2_6_each_rule() {
    let rules = LogoutTokenRules::new("https://as.example", "client");
    let event = r#""events":{"http://schemas.openid.net/event/backchannel-logout":{}}"#;
    let head = r#""iss":"https://as.example","aud":"client","iat":1700000000,"exp":1700000120"#;
    let check = |rest: &str| rules.check(format!("{{{head},{rest}}}").as_bytes(), NOW);
    assert_eq!(check(&format!(r#""jti":"1","sub":"alice",{event}"#)).unwrap().sub.unwrap(), "alice");
    assert_eq!(check(&format!(r#""jti":"1","sid":"s",{event}"#)).unwrap().sid.unwrap(), "s");
    for (rest, why) in [
        (format!(r#""sub":"alice",{event}"#), ClaimsError::Missing("jti")),
        (format!(r#""jti":"1",{event}"#), ClaimsError::Missing("sub")),
        (r#""jti":"1","sub":"alice""#.to_string(), ClaimsError::Missing("events")),
        (r#""jti":"1","sub":"alice","events":[]"#.to_string(), ClaimsError::WrongType("events")),
        (
            r#""jti":"1","sub":"alice","events":{"http://schemas.openid.net/event/backchannel-logout":1}"#
                .to_string(),
            ClaimsError::WrongType("events"),
        ),
    ] {
        assert_eq!(check(&rest), Err(why), "{rest}");
    }
    for rest in [
        format!(r#""jti":"1","sub":"alice","nonce":"n1",{event}"#),
        r#""jti":"1","sub":"alice","events":{"other":{}}"#.to_string(),
    ] {
        assert!(matches!(check(&rest), Err(ClaimsError::Wrong { .. })), "{rest}");
    }
}

#[test]
fn rfc9068_4_each_rule() {
    let rules = AccessTokenRules::new("https://as.example", "https://api.example");
    let right = [
        ("iss", r#""https://as.example""#),
        ("aud", r#"["https://api.example","https://other.example"]"#),
        ("sub", r#""alice""#),
        ("client_id", r#""client""#),
        ("iat", "1700000000"),
        ("exp", "1700000600"),
        ("jti", r#""1""#),
        ("scope", r#""read write""#),
    ];
    let payload = |left_out: &str| {
        let members = right.iter().filter(|(name, _)| *name != left_out);
        let members: Vec<_> = members.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let claims = rules.check(payload("").as_bytes(), NOW).unwrap();
    assert!(claims.scope.unwrap().contains("write"));
    for (name, _) in right {
        let happened = rules.check(payload(name).as_bytes(), NOW);
        if name == "scope" {
            assert_eq!(happened.unwrap().scope, None);
        } else {
            assert_eq!(happened, Err(ClaimsError::Missing(name)));
        }
    }
    let other = AccessTokenRules::new("https://as.example", "https://api.example/");
    assert!(matches!(other.check(payload("").as_bytes(), NOW), Err(ClaimsError::Wrong { claim: "aud", .. })));
    assert!(rules.check(payload("").as_bytes(), Unix(1_700_000_630)).is_err());
}
