//! The authorization endpoint (RFC 6749 section 3.1) with its login and consent pages.

use std::time::Duration;

use crate::faults::{Endpoint, Fault};
use crate::form::{self, Form};
use crate::http::{Request, Response};
use crate::pages::{self, Consent, Destination};
use crate::scope;
use crate::server::Server;
use crate::state::{Authorize, Code, Decision, Grant, Interaction, Purpose, Reply, ResponseMode, State};

const INTERACTION_LIFETIME: Duration = Duration::from_secs(600);

/// An error code and what it is about.
type Refused = (&'static str, &'static str);

/// Takes the request of a client, from a browser that comes along with it.
pub(crate) fn authorize(server: &Server, request: &Request) -> Response {
    let form = match request.method.as_str() {
        "GET" => request.query(),
        "POST" if request.query.is_empty() => request.form(),
        "POST" => return bad_request("The parameters are in the body of a POST, not in its address."),
        _ => return Response::method_not_allowed("GET, POST"),
    };
    let Ok(form) = form else { return bad_request("The parameters are not form-encoded.") };
    // RFC 6749 section 4.1.2.1: on these two the server MUST NOT redirect, but tell the person
    let client = form.value("client_id").and_then(|id| server.clients.iter().find(|client| client.id == id));
    let Some(client) = client else { return bad_request("The client_id is not one that this server knows.") };
    let redirect_uri = form.value("redirect_uri").filter(|redirect_uri| client.allows(redirect_uri));
    let Some(redirect_uri) = redirect_uri else {
        return bad_request("The redirect_uri is not one that this client has registered.");
    };
    let mode = response_mode(&form);
    let reply = Reply {
        redirect_uri: redirect_uri.to_owned(),
        mode: mode.unwrap_or(ResponseMode::Query),
        state: form.value("state").filter(|state| is_visible(state)).map(str::to_owned),
    };
    match mode.and_then(|_| check(server, &form)) {
        Ok((scope, code_challenge)) => {
            let purpose = Purpose::Authorize(Authorize {
                client_id: client.id.clone(),
                reply,
                scope,
                nonce: form.value("nonce").map(str::to_owned),
                code_challenge,
            });
            begin(server, purpose)
        }
        Err((error, description)) => {
            let fault = server.fault_in_answer(Endpoint::Authorize);
            respond(server, &reply, error_parameters(error, description), fault)
        }
    }
}

/// Starts a person's way through login and consent, in the browser that gets this answer.
pub(crate) fn begin(server: &Server, purpose: Purpose) -> Response {
    let now = server.clock.now();
    let (id, cookie) = server.state().begin(purpose, now, now.saturating_add(INTERACTION_LIFETIME));
    let attributes = format!("Path=/; HttpOnly; SameSite=Lax; Max-Age={}", INTERACTION_LIFETIME.as_secs());
    Response::see_other(format!("/login?interaction={id}"))
        .header("Set-Cookie", format!("demo-{id}={cookie}; {attributes}"))
}

/// The page on which a person is chosen, and its form.
pub(crate) fn login(server: &Server, request: &Request) -> Response {
    let mut state = server.state();
    let (form, id) = match step(server, &state, request) {
        Ok(found) => found,
        Err(response) => return response,
    };
    if request.method == "GET" {
        let client_id = client_id(&state, &state.interactions[&id]).unwrap_or_default();
        return pages::login(&id, &client_id, &server.people);
    }
    let chosen = form
        .value("person")
        .and_then(|username| server.people.iter().position(|person| person.username == username));
    let Some(person) = chosen else { return bad_request("There is no such person.") };
    let now = server.clock.now().as_secs();
    if let Some(interaction) = state.interactions.get_mut(&id) {
        interaction.person = Some(person);
        interaction.auth_time = now;
    }
    Response::see_other(format!("/consent?interaction={id}"))
}

/// The page on which a person agrees or declines, and its form.
pub(crate) fn consent(server: &Server, request: &Request) -> Response {
    let mut state = server.state();
    let (form, id) = match step(server, &state, request) {
        Ok(found) => found,
        Err(response) => return response,
    };
    let interaction = &state.interactions[&id];
    let Some(person) = interaction.person else { return bad_request("Nobody has signed in yet.") };
    if request.method == "GET" {
        return consent_page(server, &state, &id, interaction, person);
    }
    let approved = match form.value("decision") {
        Some("approve") => true,
        Some("deny") => false,
        _ => return bad_request("The form says neither yes nor no."),
    };
    let Some(Interaction { purpose, auth_time, .. }) = state.interactions.remove(&id) else { return ended() };
    let response = match purpose {
        Purpose::Authorize(authorize) => decide(server, &mut state, authorize, person, auth_time, approved),
        Purpose::Device { device_code } => {
            decide_device(server, &mut state, &device_code, person, auth_time, approved)
        }
    };
    response.header("Set-Cookie", format!("demo-{id}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
}

fn check(server: &Server, form: &Form) -> Result<(Vec<String>, String), Refused> {
    let invalid = |description| Err(("invalid_request", description));
    // RFC 6749 section 3.1: request parameters MUST NOT be included more than once
    if form.repeated().is_some() {
        return invalid("A parameter is there more than once.");
    }
    if form.value("state").is_some_and(|state| !is_visible(state)) {
        return invalid("The state has characters outside of visible ASCII.");
    }
    if form.value("request").is_some() {
        return Err(("request_not_supported", "This server takes no request objects."));
    }
    if form.value("request_uri").is_some() {
        return Err(("request_uri_not_supported", "This server takes no request objects."));
    }
    match form.value("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "This server answers with a code alone.")),
        None => return invalid("There is no response_type."),
    }
    // RFC 9700 section 2.1.1: PKCE always; RFC 7636 section 4.3: without a method the challenge would be `plain`
    let Some(code_challenge) = form.value("code_challenge") else {
        return invalid("There is no code_challenge.");
    };
    if form.value("code_challenge_method") != Some("S256") {
        return invalid("The code_challenge_method must be S256.");
    }
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if code_challenge.len() != 43 || !code_challenge.bytes().all(base64url) {
        return invalid("The code_challenge is no SHA-256 in base64url.");
    }
    let scope = scope::asked(&server.settings, form).map_err(|why| ("invalid_scope", why))?;
    // OpenID Connect Core section 3.1.2.6: nobody stays signed in here, so a login is always needed
    if form.value("prompt").is_some_and(|prompt| prompt.split(' ').any(|part| part == "none")) {
        return Err(("login_required", "Nobody is signed in."));
    }
    Ok((scope, code_challenge.to_owned()))
}

fn response_mode(form: &Form) -> Result<ResponseMode, Refused> {
    match form.value("response_mode") {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("fragment") => Ok(ResponseMode::Fragment),
        Some("form_post") => Ok(ResponseMode::FormPost),
        Some(_) => Err(("invalid_request", "This server does not know the response_mode.")),
    }
}

/// RFC 6749 appendix A.5.
fn is_visible(state: &str) -> bool {
    state.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Finds the way that this step belongs to, if it is the browser's own.
fn step(server: &Server, state: &State, request: &Request) -> Result<(Form, String), Response> {
    let form = match request.method.as_str() {
        "GET" => request.query(),
        "POST" => request.form(),
        _ => return Err(Response::method_not_allowed("GET, POST")),
    };
    let form = form.map_err(|_| bad_request("The parameters are not form-encoded."))?;
    let id = form.value("interaction").ok_or_else(ended)?.to_owned();
    let now = server.clock.now();
    let cookie = request.cookie(&format!("demo-{id}"));
    match state.interactions.get(&id) {
        Some(interaction) if interaction.expires > now && cookie == Some(&interaction.cookie) => {
            Ok((form, id))
        }
        _ => Err(ended()),
    }
}

fn client_id(state: &State, interaction: &Interaction) -> Option<String> {
    match &interaction.purpose {
        Purpose::Authorize(authorize) => Some(authorize.client_id.clone()),
        Purpose::Device { device_code } => Some(state.devices.get(device_code)?.client_id.clone()),
    }
}

fn consent_page(
    server: &Server,
    state: &State,
    id: &str,
    interaction: &Interaction,
    person: usize,
) -> Response {
    let (client_id, scope, to) = match &interaction.purpose {
        Purpose::Authorize(authorize) => {
            (&authorize.client_id, &authorize.scope, Destination::RedirectUri(&authorize.reply.redirect_uri))
        }
        Purpose::Device { device_code } => {
            let Some(device) = state.devices.get(device_code) else { return ended() };
            (&device.client_id, &device.scope, Destination::Device { user_code: &device.user_code })
        }
    };
    pages::consent(&Consent { interaction: id, client_id, person: &server.people[person], scope, to })
}

fn decide(
    server: &Server,
    state: &mut State,
    authorize: Authorize,
    person: usize,
    auth_time: u64,
    approved: bool,
) -> Response {
    let fault = server.fault_in_answer(Endpoint::Authorize);
    if !approved || fault == Some(Fault::Denied) {
        let parameters = error_parameters("access_denied", "The person did not agree.");
        return respond(server, &authorize.reply, parameters, fault);
    }
    let code = state.secret("demo-code-");
    state.counters.codes += 1;
    let grant = Grant {
        family: state.next_family(),
        client_id: authorize.client_id,
        person: Some(person),
        scope: authorize.scope,
        auth_time,
    };
    state.codes.insert(
        code.clone(),
        Code {
            grant,
            redirect_uri: authorize.reply.redirect_uri.clone(),
            code_challenge: authorize.code_challenge,
            nonce: authorize.nonce,
            expires: server.clock.now().saturating_add(server.settings.code_lifetime),
            spent: false,
        },
    );
    respond(server, &authorize.reply, vec![("code".to_owned(), code)], fault)
}

fn decide_device(
    server: &Server,
    state: &mut State,
    device_code: &str,
    person: usize,
    auth_time: u64,
    approved: bool,
) -> Response {
    let approved = approved && server.fault_in_answer(Endpoint::Device) != Some(Fault::Denied);
    let family = state.next_family();
    let now = server.clock.now();
    let waiting = state
        .devices
        .get_mut(device_code)
        .filter(|device| device.expires > now && matches!(device.decision, Decision::Pending));
    let Some(device) = waiting else { return ended() };
    device.decision = if approved {
        Decision::Approved(Grant {
            family,
            client_id: device.client_id.clone(),
            person: Some(person),
            scope: device.scope.clone(),
            auth_time,
        })
    } else {
        Decision::Denied
    };
    Response::see_other(if approved { "/device?done=approved" } else { "/device?done=denied" })
}

fn error_parameters(error: &str, description: &str) -> Vec<(String, String)> {
    vec![("error".to_owned(), error.to_owned()), ("error_description".to_owned(), description.to_owned())]
}

/// Sends the browser back to the client.
fn respond(
    server: &Server,
    reply: &Reply,
    mut parameters: Vec<(String, String)>,
    fault: Option<Fault>,
) -> Response {
    if let Some(state) = &reply.state {
        let state = if fault == Some(Fault::WrongState) { "demo-wrong-state" } else { state };
        parameters.push(("state".to_owned(), state.to_owned()));
    }
    // RFC 9207 section 2: in error responses as well
    if server.settings.issuer_parameter && fault != Some(Fault::MissingIssuer) {
        let issuer = if fault == Some(Fault::WrongIssuer) { "https://other.example" } else { &server.issuer };
        parameters.push(("iss".to_owned(), issuer.to_owned()));
    }
    if let Some(Fault::DuplicateParameter(name)) = fault {
        if !parameters.iter().any(|(found, _)| *found == name) {
            parameters.push((name.clone(), "demo-first".to_owned()));
        }
        parameters.push((name, "demo-second".to_owned()));
    }
    let uri = &reply.redirect_uri;
    match reply.mode {
        // RFC 6749 section 3.1.2: a query of the redirect URI's own MUST be retained
        ResponseMode::Query => {
            let separator = if uri.contains('?') { '&' } else { '?' };
            Response::see_other(format!("{uri}{separator}{}", form::encode(&parameters)))
        }
        ResponseMode::Fragment => Response::see_other(format!("{uri}#{}", form::encode(&parameters))),
        ResponseMode::FormPost => pages::form_post(uri, &parameters),
    }
}

fn bad_request(why: &str) -> Response {
    pages::message(400, "This does not work", why)
}

fn ended() -> Response {
    bad_request("This login is over, or belongs to another browser. Start again from the app.")
}
