//! The token endpoint (RFC 6749 section 3.2) and its grants; the one by an assertion is in `assertion`.

use crate::assertion::{self, JWT_BEARER};
use crate::client::{Authentication, Client, authenticate};
use crate::faults::{Endpoint, Fault};
use crate::form::Form;
use crate::http::{Request, Response};
use crate::json::Object;
use crate::keys::{at_hash, s256};
use crate::scope;
use crate::server::Server;
use crate::state::{AccessToken, Decision, Grant, RefreshToken, State};

pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// RFC 8628 section 3.5: by so much the interval grows with every `slow_down`.
const SLOW_DOWN: std::time::Duration = std::time::Duration::from_secs(5);

/// An error response of the token endpoint (RFC 6749 section 5.2).
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    error: &'static str,
    description: &'static str,
}

impl Refusal {
    pub(crate) const fn new(error: &'static str, description: &'static str) -> Self {
        Self { status: 400, error, description }
    }

    pub(crate) const fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) const fn invalid_client(description: &'static str) -> Self {
        Self { status: 401, error: "invalid_client", description }
    }

    pub(crate) const fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(crate) fn response(&self) -> Response {
        let json = Object::new().string("error", self.error).string("error_description", self.description);
        let response = Response::json(self.status, json.finish());
        if self.status == 401 {
            // RFC 9110 section 15.5.2: every 401 has a challenge
            return response.header("WWW-Authenticate", "Basic realm=\"demo\", charset=\"UTF-8\"");
        }
        response
    }
}

/// Answers a token request.
pub(crate) fn token(server: &Server, request: &Request) -> Response {
    answer(server, request).unwrap_or_else(|refusal| refusal.response())
}

/// Reads a request that a client sends by itself, and finds the client, if one is named.
pub(crate) fn read<'a>(server: &'a Server, request: &Request) -> Result<(Form, Option<&'a Client>), Refusal> {
    // RFC 6749 section 2.3.1: the parameters MUST NOT be included in the request URI
    if !request.query.is_empty() {
        return Err(Refusal::invalid_request("The parameters are in the body, not in the address."));
    }
    let form = request
        .form()
        .map_err(|_| Refusal::invalid_request("The body is not application/x-www-form-urlencoded."))?;
    // RFC 6749 section 3.2: request parameters MUST NOT be included more than once
    if form.repeated().is_some() {
        return Err(Refusal::invalid_request("A parameter is there more than once."));
    }
    let client = authenticate(&server.clients, request, &form)?;
    Ok((form, client))
}

fn answer(server: &Server, request: &Request) -> Result<Response, Refusal> {
    // RFC 6749 section 3.2: the client MUST use the HTTP "POST" method
    if request.method != "POST" {
        return Ok(Response::method_not_allowed("POST"));
    }
    let (form, client) = read(server, request)?;
    let mut state = server.state();
    if form.value("grant_type") == Some(JWT_BEARER) {
        return assertion::jwt_bearer(server, &mut state, &form, client);
    }
    let client = named(client)?;
    match form.value("grant_type") {
        Some("authorization_code") => authorization_code(server, &mut state, &form, client),
        Some("refresh_token") => refresh_token(server, &mut state, &form, client),
        Some("client_credentials") => client_credentials(server, &mut state, &form, client),
        Some(DEVICE_CODE) => device_code(server, &mut state, &form, client),
        Some(_) => Err(Refusal::new("unsupported_grant_type", "This server does not know the grant_type.")),
        None => Err(Refusal::invalid_request("There is no grant_type.")),
    }
}

/// Every grant but the one by an assertion is for a client that says who it is.
pub(crate) fn named(client: Option<&Client>) -> Result<&Client, Refusal> {
    client.ok_or(Refusal::invalid_client("The request does not say which client it is from."))
}

fn authorization_code(
    server: &Server,
    state: &mut State,
    form: &Form,
    client: &Client,
) -> Result<Response, Refusal> {
    let sent = form.value("code").ok_or(Refusal::invalid_request("There is no code."))?;
    // RFC 6749 section 4.1.3: REQUIRED, as the authorization request had one
    let redirect_uri =
        form.value("redirect_uri").ok_or(Refusal::invalid_request("There is no redirect_uri."))?;
    let verifier =
        form.value("code_verifier").ok_or(Refusal::invalid_request("There is no code_verifier."))?;
    // RFC 7636 section 4.1
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
        return Err(Refusal::invalid_request("The code_verifier is not 43 to 128 unreserved characters."));
    }
    let code = state
        .codes
        .get_mut(sent)
        .filter(|code| code.grant.client_id == client.id)
        .ok_or(Refusal::invalid_grant("There is no such code of this client."))?;
    // RFC 6749 section 4.1.2: used more than once, it MUST be denied, and what was issued from it SHOULD be revoked
    if code.spent {
        let family = code.grant.family;
        state.revoke(family);
        state.counters.replays += 1;
        return Err(Refusal::invalid_grant("The code was used before."));
    }
    // one attempt is all that a code has
    code.spent = true;
    if code.expires <= server.clock.now() {
        return Err(Refusal::invalid_grant("The code has expired."));
    }
    if code.redirect_uri != redirect_uri {
        return Err(Refusal::invalid_grant("The redirect_uri is not the one of the authorization request."));
    }
    if s256(verifier) != code.code_challenge {
        return Err(Refusal::invalid_grant("The code_verifier does not fit the code_challenge."));
    }
    let (grant, nonce) = (code.grant.clone(), code.nonce.clone());
    let refresh = scope::gives_refresh_token(&grant.scope);
    Ok(issue(server, state, &grant, &grant.scope, nonce.as_deref(), refresh))
}

fn refresh_token(
    server: &Server,
    state: &mut State,
    form: &Form,
    client: &Client,
) -> Result<Response, Refusal> {
    let sent = form.value("refresh_token").ok_or(Refusal::invalid_request("There is no refresh_token."))?;
    let token = state
        .refresh_tokens
        .get_mut(sent)
        .filter(|token| token.grant.client_id == client.id)
        .ok_or(Refusal::invalid_grant("There is no such refresh token of this client."))?;
    // RFC 9700 section 4.14.2: one of two parties has a stolen token, so the whole family ends
    if token.spent {
        let family = token.grant.family;
        state.revoke(family);
        state.counters.replays += 1;
        return Err(Refusal::invalid_grant("The refresh token was used before."));
    }
    if token.expires <= server.clock.now() {
        return Err(Refusal::invalid_grant("The refresh token has expired."));
    }
    let scope = match form.value("scope") {
        None => token.grant.scope.clone(),
        Some(asked) => scope::parse(asked)
            // RFC 6749 section 6: the scope MUST NOT include any that was not originally granted
            .filter(|asked| asked.iter().all(|part| scope::has(&token.grant.scope, part)))
            .ok_or(Refusal::new("invalid_scope", "The scope is more than what was granted."))?,
    };
    token.spent = true;
    let grant = token.grant.clone();
    Ok(issue(server, state, &grant, &scope, None, true))
}

fn client_credentials(
    server: &Server,
    state: &mut State,
    form: &Form,
    client: &Client,
) -> Result<Response, Refusal> {
    // RFC 6749 section 4.4: MUST only be used by confidential clients
    if client.authentication == Authentication::None {
        return Err(Refusal::new("unauthorized_client", "This grant is for clients with a secret."));
    }
    let scope = impersonal_scope(server, form)?;
    let grant = Grant {
        family: state.next_family(),
        client_id: client.id.clone(),
        person: None,
        scope,
        auth_time: 0,
    };
    // RFC 6749 section 4.4.3: a refresh token SHOULD NOT be included
    Ok(issue(server, state, &grant, &grant.scope, None, false))
}

/// The scope of a request that no person had a part in.
pub(crate) fn impersonal_scope(server: &Server, form: &Form) -> Result<Vec<String>, Refusal> {
    let scope = scope::asked(&server.settings, form).map_err(|why| Refusal::new("invalid_scope", why))?;
    if ["openid", "profile", "email", "offline_access"].iter().any(|part| scope::has(&scope, part)) {
        return Err(Refusal::new("invalid_scope", "The scope is about a person, and there is none here."));
    }
    Ok(scope)
}

fn device_code(
    server: &Server,
    state: &mut State,
    form: &Form,
    client: &Client,
) -> Result<Response, Refusal> {
    let sent = form.value("device_code").ok_or(Refusal::invalid_request("There is no device_code."))?;
    let now = server.clock.now();
    let device = state
        .devices
        .get_mut(sent)
        .filter(|device| device.client_id == client.id && !matches!(device.decision, Decision::Spent))
        .ok_or(Refusal::invalid_grant("There is no such device code of this client."))?;
    if device.expires <= now {
        return Err(Refusal::new("expired_token", "The device code has expired."));
    }
    match &device.decision {
        Decision::Pending => {
            let due = device.polled.map(|polled| polled.saturating_add(device.interval));
            device.polled = Some(now);
            if due.is_none_or(|due| due <= now) {
                return Err(Refusal::new("authorization_pending", "The person has not answered yet."));
            }
            // RFC 8628 section 3.5: the interval MUST be increased by 5 seconds for this and all later requests
            device.interval = device.interval.saturating_add(SLOW_DOWN);
            state.counters.slow_downs += 1;
            Err(Refusal::new("slow_down", "This poll came too early; leave 5 seconds more from now on."))
        }
        Decision::Denied => Err(Refusal::new("access_denied", "The person did not agree.")),
        Decision::Spent => Err(Refusal::invalid_grant("The device code was used before.")),
        Decision::Approved(grant) => {
            let grant = grant.clone();
            device.decision = Decision::Spent;
            let refresh = scope::gives_refresh_token(&grant.scope);
            Ok(issue(server, state, &grant, &grant.scope, None, refresh))
        }
    }
}

/// Makes the tokens of a grant and the answer that carries them.
pub(crate) fn issue(
    server: &Server,
    state: &mut State,
    grant: &Grant,
    scope: &[String],
    nonce: Option<&str>,
    refresh: bool,
) -> Response {
    let now = server.clock.now();
    let fault = server.fault_in_answer(Endpoint::Token);
    let settings = &server.settings;
    let mut access_token = state.secret("demo-at-");
    state.counters.access_tokens += 1;
    state.access_tokens.retain(|_, token| token.expires > now);
    state.access_tokens.insert(
        access_token.clone(),
        AccessToken {
            grant: Grant { scope: scope.to_vec(), ..grant.clone() },
            expires: now.saturating_add(settings.access_token_lifetime),
        },
    );
    if fault == Some(Fault::AccessTokenWithCrLf) {
        access_token.push_str("\r\nX-Injected: yes");
    }
    let mut json = Object::new().string("access_token", &access_token);
    if fault != Some(Fault::NoTokenType) {
        json = json.string("token_type", "Bearer");
    }
    json = match fault {
        Some(Fault::ExpiresInWord) => json.string("expires_in", "soon"),
        _ => json.number("expires_in", settings.access_token_lifetime.as_secs()),
    };
    json = json.string("scope", &scope.join(" "));
    if refresh {
        let refresh_token = state.secret("demo-rt-");
        state.counters.refresh_tokens += 1;
        json = json.string("refresh_token", &refresh_token);
        let expires = now.saturating_add(settings.refresh_token_lifetime);
        // RFC 6749 section 6: the new token has the scope of the old one, whatever this request asked for
        let token = RefreshToken { grant: grant.clone(), expires, spent: false };
        state.refresh_tokens.insert(refresh_token, token);
    }
    if let Some(person) = grant.person.filter(|_| scope::has(scope, "openid")) {
        let id_token = id_token(server, grant, person, &access_token, nonce);
        state.counters.id_tokens += 1;
        state.secrets.push(id_token.clone());
        json = json.string("id_token", &id_token);
    }
    if fault == Some(Fault::ErrorWith200) {
        json = json.string("error", "temporarily_unavailable");
    }
    Response::json(200, json.finish())
}

/// OpenID Connect Core sections 2 and 3.1.3.6.
fn id_token(
    server: &Server,
    grant: &Grant,
    person: usize,
    access_token: &str,
    nonce: Option<&str>,
) -> String {
    const LIFETIME: u64 = 600;
    let now = server.clock.now().as_secs();
    let claims = Object::new()
        .string("iss", &server.issuer)
        .string("sub", &server.people[person].sub())
        .string("aud", &grant.client_id)
        .number("iat", now)
        .number("exp", now + LIFETIME)
        .number("auth_time", grant.auth_time)
        .string("at_hash", &at_hash(access_token));
    server.key.sign(match nonce {
        Some(nonce) => claims.string("nonce", nonce),
        None => claims,
    })
}
