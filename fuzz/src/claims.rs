//! Payloads of signed messages, whose signatures are right.

use oauth_core::{AccessTokenRules, IdTokenRules, LogoutTokenRules, Unix};

/// What is believed is of this issuer, for this client, and of this moment.
pub fn run(input: &[u8]) {
    let now = Unix(1_700_000_000);
    let (issuer, client_id) = ("https://as.example", "client");
    if let Ok(claims) = IdTokenRules::new(issuer, client_id).with_nonce("n").check(input, now) {
        assert_eq!((&*claims.iss, claims.nonce.as_deref()), (issuer, Some("n")));
        assert!(claims.aud.iter().all(|aud| aud == client_id) && !claims.aud.is_empty());
        assert!(claims.exp.0 + 30 > now.0 && claims.iat.0 <= now.0 + 30);
        assert!(claims.sub.is_ascii() && (1..=255).contains(&claims.sub.len()));
    }
    if let Ok(claims) = LogoutTokenRules::new(issuer, client_id).check(input, now) {
        assert!(claims.sub.is_some() || claims.sid.is_some());
    }
    if let Ok(claims) = AccessTokenRules::new(issuer, client_id).check(input, now) {
        assert!(claims.aud.iter().any(|aud| aud == client_id));
    }
}
