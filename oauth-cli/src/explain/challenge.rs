//! `www_authenticate`: what a protected resource asks for, and what its client does next, attempt by attempt.

use super::case::{CASE, Case};
use super::client::policy;
use super::http::{Captured, Parts};
use super::tokens::words;
use super::verdict::{Stop, Verdict};
use crate::exit::Exit;
use http::StatusCode;
use oauth::core::{
    AccessToken, Attempts, Challenge, Challenges, Delivered, Error, Failure, GiveUp, NextAction, Policy,
    Remedy, Scope, TokenType, Unreachable,
};
use serde_json::{Map, Value, json};

/// What a client reads of a body that it does not look at here.
const MAX_BODY: usize = 1 << 20;
/// No answer advises so many things.
const MAX_ATTEMPTS: usize = 16;

pub(super) fn judge(case: &Case, captured: Captured, verdict: &mut Verdict) -> Result<(), Stop> {
    let policy = policy(case, verdict)?;
    let parts = match captured.within(MAX_BODY) {
        Ok(parts) => parts,
        Err(kind) => {
            let why = Unreachable::new(kind, Delivered::Unknown);
            verdict.refuse(Failure::from(Error::Unreachable(why)), case.kind);
            return Ok(());
        }
    };
    let challenges = Challenges::read(&parts.headers);
    fields(&challenges, verdict);
    next_actions(case, &parts, &challenges, &policy, verdict)?;
    if let Some(invalid) = challenges.invalid() {
        if challenges.iter().next().is_none() {
            let rule = ("RFC 9110 section 11.3", UNREADABLE);
            refuse(verdict, "parse", rule, invalid.to_string(), parts.status);
        } else {
            verdict
                .note("RFC 9110 section 11.3", format!("{invalid}. {UNREADABLE} The other headers count."));
        }
        return Ok(());
    }
    if challenges.iter().next().is_none() {
        let message = "the response has no WWW-Authenticate header".to_owned();
        let says = "A response of status 401 must have one; a client goes by the status alone.";
        refuse(verdict, "parse", ("RFC 9110 section 15.5.2", says), message, parts.status);
        return Ok(());
    }
    for challenge in challenges.iter() {
        if let Some(Err(why)) = challenge.resource_metadata(&policy) {
            let message = format!("the URL of the resource's metadata may not be used: {why}");
            let says = "The resource chose the URL: it could have this machine send requests anywhere.";
            refuse(verdict, "rejected", ("RFC 9728 section 7.7", says), message, parts.status);
            return Ok(());
        }
    }
    Ok(())
}

const UNREADABLE: &str =
    "Of a header that breaks the grammar nothing is believed: two readers may see two things in it.";

fn refuse(
    verdict: &mut Verdict,
    class: &'static str,
    rule: (&'static str, &str),
    message: String,
    status: StatusCode,
) {
    verdict.refuse_as(class, rule, message, Remedy::ReportServer, Exit::Network);
    if let Some(refused) = &mut verdict.refused {
        refused.status = Some(status.as_u16());
    }
}

fn fields(challenges: &Challenges, verdict: &mut Verdict) {
    let schemes: Vec<_> = challenges.iter().map(|challenge| challenge.scheme().to_owned()).collect();
    verdict.field("schemes", schemes);
    // What OAuth gives a meaning to, of the first challenge that is of its schemes.
    let of_oauth = |challenge: &&Challenge| challenge.is_scheme("Bearer") || challenge.is_scheme("DPoP");
    if let Some(challenge) = challenges.iter().find(of_oauth) {
        verdict.maybe("realm", challenge.realm());
        verdict.maybe("error", challenge.error().map(|error| error.as_str().to_owned()));
        verdict.maybe("error_description", challenge.param("error_description"));
        verdict.maybe("error_uri", challenge.param("error_uri"));
        verdict.maybe("scope", challenge.scope().as_ref().map(words));
        verdict.maybe("acr_values", challenge.acr_values());
        verdict.maybe("max_age", challenge.max_age().map(|age| age.as_secs()));
        verdict.maybe("resource_metadata", challenge.param("resource_metadata"));
        let algs: Vec<_> = challenge.algs().map(|algorithm| algorithm.as_str().to_owned()).collect();
        verdict.maybe("algs", Some(algs).filter(|algs| !algs.is_empty()));
    }
    verdict.maybe("dpop_nonce", challenges.dpop_nonce());
    let all: Vec<Value> = challenges.iter().map(told).collect();
    verdict.maybe("challenges", Some(all).filter(|all| !all.is_empty()));
}

/// A challenge as it came.
fn told(challenge: &Challenge) -> Value {
    let mut told = Map::new();
    told.insert("scheme".into(), challenge.scheme().into());
    if let Some(token68) = challenge.token68() {
        told.insert("token68".into(), token68.into());
    }
    for (name, value) in challenge.params() {
        told.insert(name.to_ascii_lowercase(), value.into());
    }
    Value::Object(told)
}

/// What a client does about the answer, and what when the same answer comes again.
fn next_actions(
    case: &Case,
    parts: &Parts,
    challenges: &Challenges,
    policy: &Policy,
    verdict: &mut Verdict,
) -> Result<(), Stop> {
    let context = &case.context;
    let mut attempts = Attempts::new();
    let token = context.text("access_token")?.or(context.text("old.access_token")?);
    let scope = context.scope("scope")?.or(context.scope("old.scope")?);
    match token {
        Some(token) => {
            let token_type = context.text("token_type")?.map_or(TokenType::BEARER, TokenType::from_text);
            attempts.present(token_type, &AccessToken::new(token), scope);
        }
        None => verdict.note(CASE, "The case names no access token: judged as a request without one."),
    }
    // Where the request went is in no challenge, and counts for the metadata of the resource alone.
    let (url, _method) = (context.text("url")?, context.text("method")?);
    for attempt in 1..=MAX_ATTEMPTS {
        let Some(action) = attempts.next_action(parts.status, challenges, policy) else {
            if attempt == 1 {
                let status = parts.status.as_u16();
                verdict.note(
                    "RFC 6750 section 3.1",
                    format!("Status {status} with these challenges is not about the token."),
                );
            }
            break;
        };
        let (name, text) = described(&action);
        if attempt == 1 {
            verdict.field("next_action", name);
            verdict.note("RFC 6750 section 3.1", text);
        }
        if let (NextAction::ResourceMetadata { .. }, Some(url)) = (&action, url) {
            verdict.note(
                "RFC 9728 section 3.3",
                format!("The resource in its metadata must be {url}, character by character."),
            );
        }
        let given_up = matches!(action, NextAction::GiveUp(_));
        verdict.timeline.push(json!({ "attempt": attempt, "action": name }));
        if given_up {
            break;
        }
    }
    Ok(())
}

fn described(action: &NextAction) -> (&'static str, String) {
    let with = |scope: &Option<Scope>| {
        scope.as_ref().map_or_else(String::new, |scope| format!(" with the scope {scope}"))
    };
    match action {
        NextAction::Refresh => (
            "refresh",
            "Obtain the next access token, by the refresh token, and send the request again.".into(),
        ),
        NextAction::Nonce(_) => ("nonce", "Sign the DPoP proof again with the nonce of the answer.".into()),
        NextAction::MoreScope(scope) => ("more_scope", format!("Request a token with the scope {scope}.")),
        NextAction::StepUp { scope, .. } => (
            "step_up",
            format!("A person signs in again, in a stronger way or more recently{}.", with(scope)),
        ),
        NextAction::Claims(_) => {
            ("claims", "Request a token with the claims that the answer asks for.".into())
        }
        NextAction::ResourceMetadata { url, scope, .. } => {
            ("resource_metadata", format!("Fetch {url}, and sign in where it says{}.", with(scope)))
        }
        NextAction::SignIn { scope, .. } => ("sign_in", format!("A person signs in{}.", with(scope))),
        NextAction::GiveUp(why) => ("give_up", given_up(why)),
        _ => ("unknown", "An action that this command has no words for.".into()),
    }
}

fn given_up(why: &GiveUp) -> String {
    let mut text = why.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text.push('.');
    text
}
