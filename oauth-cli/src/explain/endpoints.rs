//! The other endpoints of a server: `introspection`, `revocation`, `registration`.

use super::case::{CASE, Case};
use super::client::{UNTOLD, client, drive, now, once, policy, seed, server};
use super::http::Captured;
use super::tokens::words;
use super::verdict::{Stop, Verdict};
use oauth::core::{
    AccessToken, ActiveToken, ClientInformation, ClientMetadata, Deregister, Error, ErrorCode, Introspection,
    IntrospectionRequest, JsonValue, Policy, Purpose, RefreshToken, Register, RegistrationAccess,
    RegistrationAccessToken, Revocable, ServerMemory, TokenType, Unix,
};
use serde_json::Value;

/// RFC 7662.
pub(super) fn judge_introspection(
    case: &Case,
    captured: Captured,
    verdict: &mut Verdict,
) -> Result<(), Stop> {
    let client = client(case, Purpose::Introspection, verdict)?;
    let request = match (case.context.text("access_token")?, case.context.text("old.refresh_token")?) {
        (None, Some(token)) => IntrospectionRequest::refresh(RefreshToken::new(token)),
        (token, _) => IntrospectionRequest::access(AccessToken::new(token.unwrap_or(UNTOLD))),
    };
    let flow = client.introspect(request, &ServerMemory::default(), seed(&[]))?;
    match drive(flow, now(&case.context)?, once(captured)) {
        Ok(Introspection::Inactive) => {
            verdict.field("active", false);
            verdict.note(
                "RFC 7662 section 2.2",
                "Of no use, for whatever reason; nothing else that is sent along counts.",
            );
        }
        Ok(Introspection::Active(token)) => {
            active(&token, verdict);
            verdict.note(
                "RFC 7662 section 4",
                "Whether the token is good for this resource is still to be checked, by aud and scope.",
            );
        }
        Err(failure) => verdict.refuse(failure, case.kind),
    }
    Ok(())
}

fn active(token: &ActiveToken, verdict: &mut Verdict) {
    let seconds = |moment: Option<Unix>| moment.map(|moment| moment.0);
    verdict.field("active", true);
    verdict.maybe("scope", token.scope.as_ref().map(words));
    verdict.maybe("client_id", token.client_id.as_deref());
    verdict.maybe("username", token.username.as_deref());
    verdict.maybe("token_type", token.token_type.as_ref().map(TokenType::as_str));
    verdict.maybe("exp", seconds(token.exp));
    verdict.maybe("iat", seconds(token.iat));
    verdict.maybe("nbf", seconds(token.nbf));
    verdict.maybe("sub", token.sub.as_deref());
    verdict.maybe("aud", Some(token.aud.clone()).filter(|aud| !aud.is_empty()));
    verdict.maybe("iss", token.iss.as_deref());
    verdict.maybe("jti", token.jti.as_deref());
    extra(token.extra.iter().map(|(name, value)| (name.as_str(), value)), verdict);
}

/// Members as they came.
pub(super) fn extra<'a>(
    members: impl Iterator<Item = (&'a str, &'a JsonValue<'static>)>,
    verdict: &mut Verdict,
) {
    for (name, value) in members {
        // What the core writes as JSON is JSON.
        let value = serde_json::from_str(&value.to_string()).unwrap_or(Value::Null);
        verdict.field(name, value);
    }
}

/// RFC 7009.
pub(super) fn judge_revocation(case: &Case, captured: Captured, verdict: &mut Verdict) -> Result<(), Stop> {
    let client = client(case, Purpose::Revocation, verdict)?;
    let context = &case.context;
    let token = match (context.text("old.refresh_token")?, context.text("access_token")?) {
        (Some(token), _) => Revocable::from(RefreshToken::new(token)),
        (None, token) => Revocable::from(AccessToken::new(token.unwrap_or(UNTOLD))),
    };
    let flow = client.revoke(token, &ServerMemory::default(), seed(&[]))?;
    match drive(flow, now(context)?, once(captured)) {
        Ok(_revoked) => {
            let text = "The status says it all, and the body counts for nothing: the token is of no use, or never was.";
            verdict.note("RFC 7009 section 2.2", text);
        }
        Err(failure) => {
            let over =
                matches!(&*failure.error, Error::Server(refusal) if refusal.code == ErrorCode::INVALID_TOKEN);
            verdict.refuse(failure, case.kind);
            if over {
                let text =
                    "A token that is over already is no error: status 200 is due. It is of no use any more.";
                verdict.note("RFC 7009 section 2.2", text);
            } else {
                verdict.note("RFC 7009 section 2.2.1", "The token must be taken to be alive.");
            }
        }
    }
    Ok(())
}

/// RFC 7591, and RFC 7592 where `method` says that a registration is read, changed or deleted.
pub(super) fn judge_registration(case: &Case, captured: Captured, verdict: &mut Verdict) -> Result<(), Stop> {
    let context = &case.context;
    let policy = policy(case, verdict)?;
    let now = now(context)?;
    let redirect_uri = context.text("redirect_uri")?;
    let asked = redirect_uri.into_iter().fold(ClientMetadata::new(), ClientMetadata::with_redirect_uri);
    let scope = context.scope("scope")?;
    let asked = scope.iter().fold(asked, ClientMetadata::with_scope);
    let flow = match context.text("method")?.unwrap_or("POST") {
        "POST" => {
            let initial = context.text("access_token")?.map(AccessToken::new);
            Register::new(&server(context, Purpose::Registration, verdict)?, asked, initial, &policy)?
        }
        "GET" => Register::read(client_id(case)?, access(case)?, &policy)?,
        "PUT" => Register::update(client_id(case)?, asked, access(case)?, &policy)?,
        "DELETE" => return deleted(case, captured, &policy, verdict),
        other => {
            verdict
                .note(CASE, format!("{other} is no method of RFC 7591 or RFC 7592: POST was taken for it."));
            Register::new(&server(context, Purpose::Registration, verdict)?, asked, None, &policy)?
        }
    };
    match drive(flow, now, once(captured)) {
        Ok(client) => registered(&client, verdict),
        Err(failure) => verdict.refuse(failure, case.kind),
    }
    Ok(())
}

fn client_id(case: &Case) -> Result<&str, Stop> {
    Ok(case.context.text("client_id")?.unwrap_or("client"))
}

/// What manages the registration, as the client stored it.
fn access(case: &Case) -> Result<RegistrationAccess, Stop> {
    let url = case.context.text("url")?.or(case.context.text("endpoint")?);
    Ok(RegistrationAccess {
        registration_client_uri: url.unwrap_or("https://as.example/register/client").to_owned(),
        registration_access_token: RegistrationAccessToken::new(
            case.context.text("access_token")?.unwrap_or(UNTOLD),
        ),
    })
}

fn deleted(case: &Case, captured: Captured, policy: &Policy, verdict: &mut Verdict) -> Result<(), Stop> {
    // Which client it is, the URL says.
    let _client_id = client_id(case)?;
    let flow = Deregister::new(access(case)?, policy)?;
    match drive(flow, now(&case.context)?, once(captured)) {
        Ok(_deregistered) => verdict.note("RFC 7592 section 2.3", "The client is no more."),
        Err(failure) => verdict.refuse(failure, case.kind),
    }
    Ok(())
}

fn registered(client: &ClientInformation, verdict: &mut Verdict) {
    verdict.field("client_id", client.client_id.as_str());
    verdict.maybe("client_secret", client.client_secret.as_ref().map(|secret| secret.expose()));
    verdict.maybe("client_secret_expires_at", client.client_secret_expires_at.map(|at| at.0));
    verdict.maybe("client_id_issued_at", client.client_id_issued_at.map(|at| at.0));
    if let Some(access) =
        client.access.as_ref().filter(|access| access.registration_access_token.expose() != UNTOLD)
    {
        verdict.field("registration_client_uri", access.registration_client_uri.as_str());
        verdict.field("registration_access_token", access.registration_access_token.expose());
        verdict.note(
            "RFC 7592 section 3",
            "What manages the registration is to be stored: there is no other way to it.",
        );
    }
    extra(client.metadata.members(), verdict);
    if !client.changed.is_empty() {
        let text =
            format!("The server registered other values than were asked for: {}.", client.changed.join(", "));
        verdict.note("RFC 7591 section 3.2.1", text);
    }
    if client.registration().is_none() {
        let method = client.metadata.token_endpoint_auth_method();
        let text =
            format!("The client authenticates by {method}: what it needs for that is not in the answer.");
        verdict.note("RFC 7591 section 2", text);
    }
}
