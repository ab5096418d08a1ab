//! Signed messages, and the keys that verify them: `id_token`, `jwks`.

use super::case::Case;
use super::client::{ISSUER, now};
use super::context::Broken;
use super::encrypted;
use super::http::Parts;
use super::verdict::{Stop, Verdict};
use crate::exit::Exit;
use oauth::core::{
    AccessToken, Algorithm, AuthorizationCode, ClaimsError, ClientSecret, IdTokenRules, JsonValue, Remedy,
    Unix,
};
use oauth::jwt::{Accepted, JwkError, Jws, JwsError, KeySet, PublicKey, SharedKey};
use serde_json::{Value, json};
use std::time::Duration;

/// What an ID token is signed by where nobody says: the default of a registration (OpenID Connect Registration section 2).
const DEFAULT: Algorithm = Algorithm::RS256;

pub(super) fn judge_jwks(parts: Option<&Parts>, verdict: &mut Verdict) {
    let Some(parts) = parts.filter(|parts| parts.status.is_success()) else {
        let rule = ("RFC 7517 section 5", "The document of keys comes with a success.");
        let message = "the keys did not come with a success";
        return verdict.refuse_as("http", rule, message, Remedy::FixSetup, Exit::Network);
    };
    match KeySet::<PublicKey>::from_jwks(&parts.body) {
        Err(why) => refuse_keys(&why, verdict),
        Ok(keys) => {
            let usable: Vec<Value> = keys
                .keys()
                .iter()
                .map(|key| json!({ "kid": key.kid(), "thumbprint": key.thumbprint() }))
                .collect();
            let all = JsonValue::read(&parts.body).ok();
            let all = match all.as_ref().and_then(|all| all.member("keys")) {
                Some(JsonValue::Array(keys)) => keys.len(),
                _ => 0,
            };
            if all > usable.len() {
                let text = format!(
                    "{} of {all} keys are passed over: secrets, kinds that are not supported, or not safe.",
                    all - usable.len()
                );
                verdict.note("RFC 7517 section 5", text);
            }
            verdict.field("usable", usable);
        }
    }
}

fn refuse_keys(why: &JwkError, verdict: &mut Verdict) {
    let class = if matches!(why, JwkError::TooManyKeys) { "too_large" } else { "parse" };
    let rule = (
        "RFC 7517 section 5",
        "A document of keys is an object whose `keys` is a list, and no member comes twice.",
    );
    verdict.refuse_as(class, rule, why.to_string(), Remedy::ReportServer, Exit::Network);
}

pub(super) fn judge_id_token(case: &Case, token: &str, verdict: &mut Verdict) -> Result<(), Stop> {
    let context = &case.context;
    let opened = if let Err(JwsError::Encrypted) = Jws::parse(token) {
        let Some(opened) = encrypted::open(context, token, verdict)? else { return Ok(()) };
        Some(opened)
    } else {
        None
    };
    let token = opened.as_deref().unwrap_or(token);
    let algorithm = context.text("alg")?.map_or(DEFAULT, Algorithm::from_text);
    let algorithms = [algorithm.clone()];
    let accepted = Accepted::new(&algorithms);
    let (rules, now) = (rules(case, &algorithm)?, now(context)?.unix);
    let jws = Jws::parse(token);
    let payload = if algorithm.is_hmac() {
        let secret = ClientSecret::new(context.text("client_secret")?.unwrap_or_default());
        let key = SharedKey::from_secret(&secret, algorithm)
            .map_err(|error| Broken(format!("context.client_secret: {error}")))?;
        jws.and_then(|jws| jws.verify(&KeySet::new([key]), &accepted))
    } else {
        let keys = |name| {
            context.value(name).map(|keys| {
                let text = keys.as_str().map_or_else(|| keys.to_string(), str::to_owned);
                KeySet::<PublicKey>::from_jwks(text)
                    .map_err(|error| Broken(format!("context.{name}: {error}")))
            })
        };
        let first = keys("jwks")
            .ok_or_else(|| Broken("context.jwks is missing: the keys of the server".into()))??;
        let again = keys("jwks_after_refetch").transpose()?;
        jws.and_then(|jws| match (jws.verify(&first, &accepted), again) {
            // One look at the server's keys as they are now, and no more.
            (Err(JwsError::UnknownKid(_)), Some(again)) => {
                let text = "The key is not known: the keys are fetched once more.";
                verdict.note("OpenID Connect Core section 10.1.1", text);
                jws.verify(&again, &accepted)
            }
            (verified, _) => verified,
        })
    };
    match payload {
        Err(why) => refuse_message(&why, verdict),
        Ok(payload) => match rules.check(&payload, now) {
            Err(why) => refuse_claims(&why, verdict),
            Ok(claims) => {
                verdict.field("iss", claims.iss.as_str());
                verdict.field("sub", claims.sub.as_str());
                verdict.field("aud", claims.aud.clone());
                verdict.field("iat", claims.iat.0);
                verdict.field("exp", claims.exp.0);
                verdict.maybe("auth_time", claims.auth_time.map(|time| time.0));
                verdict.maybe("acr", claims.acr.clone());
            }
        },
    }
    Ok(())
}

fn rules(case: &Case, algorithm: &Algorithm) -> Result<IdTokenRules, Stop> {
    let context = &case.context;
    let issuer = context.text("issuer")?.unwrap_or(ISSUER);
    let mut rules = IdTokenRules::new(issuer, context.text("client_id")?.unwrap_or("client"));
    if let Some(old) = context.value("old.id_token_claims") {
        let payload = old.as_str().map_or_else(|| old.to_string(), str::to_owned);
        let read: Value = serde_json::from_str(&payload).unwrap_or_default();
        // It was believed then; when that was, the case does not say.
        let then = read["iat"].as_u64().unwrap_or_default();
        let first =
            read["nonce"].as_str().map_or_else(|| rules.clone(), |nonce| rules.clone().with_nonce(nonce));
        let first = first.check(payload.as_bytes(), Unix(then));
        rules = rules
            .after_refresh(first.map_err(|error| Broken(format!("context.old.id_token_claims: {error}")))?);
    }
    if let Some(nonce) = context.text("nonce")? {
        rules = rules.with_nonce(nonce);
    }
    if let Some(token) = context.text("access_token")? {
        rules = rules.with_access_token(&AccessToken::new(token), algorithm);
    }
    if let Some(code) = context.text("code")? {
        rules = rules.with_code(&AuthorizationCode::new(code), algorithm);
    }
    if let Some(state) = context.text("state")? {
        rules = rules.with_state(state, algorithm);
    }
    // Through the browser the hashes have to be there (OpenID Connect Core section 3.3.2.11).
    if context.text("response_type")?.is_some_and(|kind| kind.split(' ').any(|word| word == "id_token")) {
        rules = rules.requiring_hashes();
    }
    if let Some(seconds) = context.number("max_age")? {
        rules = rules.with_max_age(Duration::from_secs(seconds));
    }
    if let Some(seconds) = context.number("clock_tolerance")? {
        rules = rules.with_leeway(Duration::from_secs(seconds));
    }
    if let Some(acr) = context.text("acr_essential")? {
        rules = rules.with_acr_value(acr);
    }
    Ok(rules)
}

fn refuse_message(why: &JwsError, verdict: &mut Verdict) {
    let (class, rule, says, remedy) = match why {
        JwsError::TooLarge => (
            "too_large",
            super::rules::LIMIT,
            "A header ends at 64 kB, a message at 1 MiB.",
            Remedy::ReportServer,
        ),
        JwsError::NotCompact | JwsError::Encrypted | JwsError::Encoding(_) => (
            "parse",
            "RFC 7515 section 7.1",
            "A signed message is three parts in base64url.",
            Remedy::ReportServer,
        ),
        JwsError::Header(_) | JwsError::Member(_) => (
            "parse",
            "RFC 7515 section 4",
            "The header is an object, and no member comes twice.",
            Remedy::ReportServer,
        ),
        JwsError::Critical => (
            "rejected",
            "RFC 7515 section 4.1.11",
            "What is critical and not understood is refused.",
            Remedy::ReportServer,
        ),
        JwsError::Algorithm(_) => (
            "rejected",
            "RFC 8725 section 3.1",
            "Only the algorithm that was agreed on is accepted.",
            Remedy::FixSetup,
        ),
        JwsError::Typ(_) => (
            "rejected",
            "RFC 8725 section 3.11",
            "A message of one kind is none of another.",
            Remedy::ReportServer,
        ),
        JwsError::UnknownKid(_) | JwsError::NoKey(_) | JwsError::SeveralKeys => (
            "rejected",
            "RFC 7515 section 4.1.4",
            "One key, the one that the header names, verifies.",
            Remedy::ReportServer,
        ),
        _ => (
            "rejected",
            "OpenID Connect Core section 3.1.3.7",
            "The signature must be the issuer's.",
            Remedy::ReportServer,
        ),
    };
    verdict.refuse_as(class, (rule, says), why.to_string(), remedy, Exit::Network);
}

fn refuse_claims(why: &ClaimsError, verdict: &mut Verdict) {
    let rule = (
        "OpenID Connect Core section 3.1.3.7",
        "Each claim must be there, of its type, and right for this login.",
    );
    let (class, remedy) = match why {
        ClaimsError::Malformed(_) => ("parse", Remedy::ReportServer),
        // More often a slip in the setup (a slash, a tenant) than an attack.
        ClaimsError::Wrong { claim: "iss", .. } => ("issuer_mismatch", Remedy::FixSetup),
        ClaimsError::Wrong { claim: "exp" | "nonce" | "auth_time" | "acr", .. } => {
            ("rejected", Remedy::SignInAgain)
        }
        _ => ("rejected", Remedy::ReportServer),
    };
    verdict.refuse_as(class, rule, why.to_string(), remedy, Exit::Network);
}
