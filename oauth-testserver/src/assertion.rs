//! The grant by an assertion that its issuer signed (RFC 7523 section 2.1).

use crate::client::Client;
use crate::form::Form;
use crate::http::Response;
use crate::json::Value;
use crate::public_key::{PublicKey, decode};
use crate::server::Server;
use crate::state::{Grant, State};
use crate::token::{Refusal, impersonal_scope, issue};

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How long an assertion may live, in seconds.
const LONGEST: f64 = 3_600.0;

/// By how many seconds the clock of an issuer may be before this one.
const AHEAD: f64 = 60.0;

pub(crate) fn jwt_bearer(
    server: &Server,
    state: &mut State,
    form: &Form,
    client: Option<&Client>,
) -> Result<Response, Refusal> {
    let assertion = form.value("assertion").ok_or(Refusal::invalid_request("There is no assertion."))?;
    // RFC 7523 section 3.1: whatever is wrong with it is an invalid_grant
    let asserted = read(server, assertion).map_err(Refusal::invalid_grant)?;
    let scope = impersonal_scope(server, form)?;
    let now = server.clock.now().as_secs_f64();
    state.assertions.retain(|_, expires| *expires > now);
    // RFC 7523 section 3: a server MAY ensure that assertions are not replayed
    if state.assertions.insert((asserted.iss.clone(), asserted.jti), asserted.exp).is_some() {
        state.counters.replays += 1;
        return Err(Refusal::invalid_grant("The jti of the assertion was used before."));
    }
    let grant = Grant {
        family: state.next_family(),
        client_id: client.map_or(asserted.iss, |client| client.id.clone()),
        person: asserted.person,
        scope,
        auth_time: 0,
    };
    // RFC 7521 section 4.1: no refresh token, for the assertion does as well
    Ok(issue(server, state, &grant, &grant.scope, None, false))
}

/// What an assertion says that can be believed.
struct Asserted {
    iss: String,
    jti: String,
    exp: f64,
    /// Whom it speaks for, if not for its issuer.
    person: Option<usize>,
}

/// RFC 7523 section 3: the signature first, then claim by claim.
fn read(server: &Server, assertion: &str) -> Result<Asserted, &'static str> {
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, payload, signature] = parts[..] else { return Err("The assertion has not three parts.") };
    let object = |part| decode(part).and_then(|json| Value::read(&json));
    let header = object(header).ok_or("The header of the assertion is not the Base64 of JSON.")?;
    let claims = object(payload).ok_or("The claims of the assertion are not the Base64 of JSON.")?;
    let claim = |name| claims.member(name);

    let iss = claim("iss").and_then(Value::text).ok_or("The assertion has no iss.")?;
    let key = server.jwt_issuers.get(iss).ok_or("The iss of the assertion is not registered.")?;
    let signature = decode(signature).ok_or("The signature of the assertion is not Base64.")?;
    let input = &assertion[..assertion.rfind('.').unwrap_or_default()];
    header_is_right(&header, key)?;
    if !key.verifies(input, &signature) {
        return Err("The signature of the assertion is wrong.");
    }

    let sub = claim("sub").and_then(Value::text).ok_or("The assertion has no sub.")?;
    let person = server.people.iter().position(|person| person.username == sub);
    if sub != iss && person.is_none() {
        return Err("The sub of the assertion is neither its iss nor the name of a person.");
    }
    let audiences = match claim("aud") {
        Some(Value::Array(audiences)) => audiences.iter().map(Value::text).collect(),
        Some(one) => one.text().map(|one| vec![one]),
        None => None,
    };
    let audiences: Vec<&str> = audiences.ok_or("The assertion has no aud.")?;
    let token_endpoint = format!("{}/token", server.issuer);
    if !audiences.iter().any(|audience| [&*server.issuer, &*token_endpoint].contains(audience)) {
        return Err("The aud of the assertion is neither this issuer nor its token endpoint.");
    }

    let now = server.clock.now().as_secs_f64();
    let moment = |name| match claim(name) {
        None => Ok(None),
        Some(value) => value.number().map(Some).ok_or("A time of the assertion is no number."),
    };
    let exp = moment("exp")?.ok_or("The assertion has no exp.")?;
    if exp <= now {
        return Err("The assertion has expired.");
    }
    if exp > now + LONGEST {
        return Err("The exp of the assertion is more than an hour ahead.");
    }
    let iat = moment("iat")?.ok_or("The assertion has no iat.")?;
    if iat > now + AHEAD {
        return Err("The iat of the assertion is in the future.");
    }
    if iat < exp - LONGEST {
        return Err("The iat of the assertion is more than an hour before its exp.");
    }
    if moment("nbf")?.is_some_and(|nbf| nbf > now + AHEAD) {
        return Err("The nbf of the assertion is in the future.");
    }
    let jti = claim("jti").and_then(Value::text).ok_or("The assertion has no jti.")?;
    Ok(Asserted { iss: iss.to_owned(), jti: jti.to_owned(), exp, person })
}

fn header_is_right(header: &Value, key: &PublicKey) -> Result<(), &'static str> {
    let text = |name| header.member(name).map(|value| value.text().unwrap_or_default());
    // RFC 7515 section 4.1.11: this server understands none
    if header.member("crit").is_some() {
        return Err("The assertion has a critical header that this server does not know.");
    }
    if !text("alg").is_some_and(|algorithm| key.is_for(algorithm)) {
        return Err("The alg of the assertion is not the one of the registered key.");
    }
    // RFC 8725 section 3.11: a message of another kind is no assertion
    if text("typ").is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err("The typ of the assertion is not JWT.");
    }
    match (text("kid"), key.kid()) {
        (Some(named), Some(own)) if named != own => {
            Err("The kid of the assertion is not the one of the registered key.")
        }
        _ => Ok(()),
    }
}
