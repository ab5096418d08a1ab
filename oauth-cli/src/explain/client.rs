//! The client that a case is about, and the way in which a live one would be driven: everything here is the core's.

use super::case::{CASE, Case};
use super::context::{Broken, Context};
use super::http::Captured;
use super::verdict::{Stop, Verdict};
use oauth::core::{
    Client, ClientSecret, Failure, Flow, Input, KeyTask, Mono, Now, OptOut, Output, Policy, Provider,
    Purpose, Registration, Request, Seed, Server, Unix, UnreachableKind,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

/// The issuer of a case that names none.
pub(super) const ISSUER: &str = "https://as.example";

/// What stands for a secret that the case does not tell: no server sends it back by chance.
pub(super) const UNTOLD: &str = "untold-by-the-case";

pub(super) fn policy(case: &Case, verdict: &mut Verdict) -> Result<Policy, Broken> {
    let (policy, unknown) = case.context.policy()?;
    for name in unknown {
        verdict.note(CASE, format!("{name} is no opt-out of this client: it stays strict."));
    }
    for opt_out in policy.opt_outs() {
        verdict.note(CASE, format!("Waived: {opt_out}."));
    }
    Ok(policy)
}

/// The client, with its endpoint of this purpose where `endpoint` says it is.
pub(super) fn client(case: &Case, purpose: Purpose, verdict: &mut Verdict) -> Result<Client, Stop> {
    let server = server(&case.context, purpose, verdict)?;
    let policy = policy(case, verdict)?;
    // What is in an ID token is a case of its own.
    let policy = policy.waive(OptOut::UnreadIdTokens);
    Ok(Client::new(server, registration(&case.context)?, policy)?)
}

pub(super) fn registration(context: &Context) -> Result<Registration, Broken> {
    let client_id = context.text("client_id")?.unwrap_or("client");
    Ok(match context.text("client_secret")? {
        Some(secret) => Registration::with_secret(client_id, ClientSecret::new(secret)),
        None => Registration::public(client_id),
    })
}

pub(super) fn server(context: &Context, purpose: Purpose, verdict: &mut Verdict) -> Result<Server, Broken> {
    server_of(context.text("issuer")?.unwrap_or(ISSUER), context, purpose, verdict)
}

pub(super) fn server_of(
    issuer: &str,
    context: &Context,
    purpose: Purpose,
    verdict: &mut Verdict,
) -> Result<Server, Broken> {
    let mut server = match provider(context)? {
        Some(provider) => of_a_provider(&provider, context, verdict)?,
        None => Server::new(issuer),
    };
    // Where the case does not say it, the name of an endpoint means nothing: nothing is sent.
    for (has, with, path) in [
        (server.authorization_endpoint().is_some(), Server::with_authorization_endpoint as With, "authorize"),
        (server.token_endpoint().is_some(), Server::with_token_endpoint, "token"),
        (
            server.device_authorization_endpoint().is_some(),
            Server::with_device_authorization_endpoint,
            "device",
        ),
        (server.revocation_endpoint().is_some(), Server::with_revocation_endpoint, "revoke"),
        (server.introspection_endpoint().is_some(), Server::with_introspection_endpoint, "introspect"),
        (server.registration_endpoint().is_some(), Server::with_registration_endpoint, "register"),
    ] {
        if !has {
            server = with(server, format!("{ISSUER}/{path}"));
        }
    }
    let Some(endpoint) = context.text("endpoint")? else { return Ok(server) };
    Ok(match purpose {
        Purpose::Token => server.with_token_endpoint(endpoint),
        Purpose::DeviceAuthorization => server.with_device_authorization_endpoint(endpoint),
        Purpose::Revocation => server.with_revocation_endpoint(endpoint),
        Purpose::Introspection => server.with_introspection_endpoint(endpoint),
        Purpose::Registration => server.with_registration_endpoint(endpoint),
        _ => server,
    })
}

/// A method that names an endpoint.
type With = fn(Server, String) -> Server;

/// What is odd about the server: a profile, or the name of one that this command knows.
fn provider(context: &Context) -> Result<Option<Provider>, Broken> {
    match context.value("provider") {
        None => Ok(None),
        Some(Value::String(name)) => Provider::known(name).map(Some).ok_or_else(|| {
            let names = Provider::names().collect::<Vec<_>>().join(", ");
            Broken(format!("context.provider: there is no profile of {name}, but of {names}"))
        }),
        Some(profile) => Provider::from_json(profile.to_string().as_bytes())
            .map(Some)
            .map_err(|error| Broken(format!("context.provider: {error}"))),
    }
}

/// The server of a profile. What it leaves open and the case does not tell means nothing: nothing is sent.
fn of_a_provider(provider: &Provider, context: &Context, verdict: &mut Verdict) -> Result<Server, Broken> {
    let told = context.value("variables").and_then(Value::as_object);
    let variables: Vec<_> = provider
        .variables()
        .into_iter()
        .map(|name| (name, told.and_then(|told| told.get(name)?.as_str()).unwrap_or("example")))
        .collect();
    let knobs: Vec<_> = provider.knobs().map(|knob| knob.name).collect();
    let knobs = if knobs.is_empty() { "nothing".to_owned() } else { knobs.join(", ") };
    verdict.note(CASE, format!("By the profile {}, which sets {knobs}.", provider.name()));
    for weakens in provider.knobs().filter_map(|knob| knob.weakens) {
        verdict.note(CASE, format!("Less safe by the profile {}: {weakens}.", provider.name()));
    }
    provider.server(&variables).map_err(|error| Broken(format!("context.provider: {error}")))
}

/// The clocks of the case: the wall clock of this machine where it does not say.
pub(super) fn now(context: &Context) -> Result<Now, Broken> {
    let unix = match context.number("now")? {
        Some(now) => now,
        None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    };
    Ok(Now { mono: Mono::from_nanos(0), unix: Unix(unix) })
}

/// The chance of a flow, made of what was captured: so that no capture can hold what is made of it.
pub(super) fn seed(captured: &[u8]) -> Seed {
    let mut bytes = [0; Seed::LENGTH];
    for (count, part) in bytes.chunks_mut(32).enumerate() {
        let digest = Sha256::new().chain_update([u8::try_from(count).unwrap_or(0)]).chain_update(captured);
        part.copy_from_slice(&digest.finalize());
    }
    Seed::new(bytes)
}

/// The captured message as the answer to the one request of a flow.
pub(super) fn once(captured: Captured) -> impl FnMut(Request) -> Input {
    let mut captured = Some(captured);
    move |request| {
        let nothing = || Captured::fault(UnreachableKind::Other);
        captured.take().unwrap_or_else(nothing).input(&request)
    }
}

/// Drives a flow to its end as `oauth` does, with answers from the case in the place of a network.
pub(super) fn drive<F: Flow>(
    mut flow: F,
    now: Now,
    mut answer: impl FnMut(Request) -> Input,
) -> Result<F::Outcome, Failure> {
    loop {
        let input = match flow.poll(now) {
            Output::Send(request) => answer(request),
            // Nobody checks the signature: the server's answer is here already.
            Output::Key(KeyTask::Sign(_)) => Input::Signature(vec![0; 64]),
            Output::Key(task) => task.unsupported(),
            // Whoever waits for the person drives by itself.
            Output::Wait(_) | Output::Idle => return Err(Failure::idle()),
            Output::Done(result) => return result,
        };
        flow.handle(input, now);
    }
}
