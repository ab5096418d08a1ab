//! The calls: from what is set to an authorization, by profile and grant.
//!
//! Everything here is the [`Authorizer`]'s work; what is decided is which of its conversations it is.

use super::engine::Engine;
use super::error::ComponentError;
use super::form_vars::WithFormVars;
use super::login::{self, Begun};
use super::profile::{ClientProfile, GrantType};
use super::values::{OAuthValues, Secret};
use super::web_server::listens_at;
use super::{OAuth, assertion, device, lock, network, office365};
use crate::host::Host;
use crate::{Authorization, Authorizer, SignIn, Step, WithKeys};
use oauth_core::{
    AuthMethod, AuthorizationRequest, Client, ClientCredentials, ClientSecret, CodeChallenge, ErrorCode,
    KeyId, OptOut, Policy, RefreshToken, Registration, ResourceOwnerPassword, Scope, Server,
};
use oauth_jwt::Keyring;
use oauth_loopback::browser::Browser;
use oauth_transport::{EventSink, LogLevel, LogType};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Runs the profile's conversation, and keeps what comes of it.
pub(super) async fn authorize(oauth: &OAuth, engine: Arc<Engine>) -> Result<Authorization, ComponentError> {
    let (policy, office365, before, resets) = {
        let mut values = oauth.values();
        values.results.office365_endpoint.clear();
        (policy(&values.oauth), values.office365.clone(), values.oauth.refresh_token.clone(), values.resets)
    };
    let way = office365::way(&office365, &policy)?;
    let authorization = granted(oauth, Arc::clone(&engine), resets).await?;
    // At once: whatever becomes of the rest, the tokens are there.
    oauth.refresh_results();
    oauth.keep(resets, |values| values.keep(&authorization, &before, crate::host::now().unix));
    if let Some(way) = way {
        let endpoint = office365::endpoint(way, &office365, &authorization, &engine, &policy).await?;
        oauth.keep(resets, |values| values.results.office365_endpoint = endpoint);
    }
    Ok(authorization)
}

async fn granted(oauth: &OAuth, engine: Arc<Engine>, resets: u64) -> Result<Authorization, ComponentError> {
    let values = network::protocol(&oauth.values())?;
    if values.client_profile == ClientProfile::Jwt {
        return jwt(oauth, &values, engine).await;
    }
    let authorizer = authorizer(&values, engine)?;
    if !values.authorization_code.expose().is_empty() || !values.authorization_response.expose().is_empty() {
        return login::finish(oauth, &values, &authorizer, resets).await;
    }
    // A device's login that was begun is somebody's wish, and perhaps somebody else's than the last.
    let is_begun = values.client_profile == ClientProfile::Device && oauth.values().results.device.is_some();
    if !values.refresh_token.expose().is_empty() && !is_begun {
        return refresh(oauth, &values, &authorizer).await;
    }
    match (values.client_profile, values.grant_type) {
        (ClientProfile::Device, _) => device::poll(oauth, &authorizer, resets).await,
        (_, GrantType::ClientCredentials) => {
            let grant = ClientCredentials::new();
            Ok(authorizer.exchange(match scope(&values)? {
                Some(scope) => grant.with_scope(scope),
                None => grant,
            })
            .await?)
        }
        (_, GrantType::Password) => password(&values, &authorizer).await,
        (ClientProfile::WebServer | ClientProfile::Browser, _) => Err(ComponentError::Setup(
            "this client profile waits for nobody: send the person to get_authorization_url, set authorization_code (or \
             authorization_response) to what comes back, and call again"
                .into(),
        )),
        (_, GrantType::AuthorizationCode | GrantType::Implicit) => {
            in_browser(oauth, &values, &authorizer, resets).await
        }
    }
}

/// The first leg alone: where the person signs in.
pub(super) async fn authorization_url(oauth: &OAuth, engine: Arc<Engine>) -> Result<String, ComponentError> {
    let resets = oauth.values().resets;
    let values = network::protocol(&oauth.values())?;
    let authorizer = authorizer(&values, engine)?;
    if values.client_profile == ClientProfile::Device {
        let flow = authorizer.device_prompt(scope(&values)?).await?;
        let url = flow.verification_uri_complete.as_ref().unwrap_or(&flow.verification_uri).to_string();
        oauth.keep(resets, |kept| {
            kept.results.device_user_code = flow.user_code.to_string();
            kept.results.interval = Some(flow.poll.interval());
            kept.results.authorization_url.clone_from(&url);
            kept.results.device = Some(flow.poll);
        });
        return Ok(url);
    }
    if values.client_profile == ClientProfile::Jwt {
        return Err(ComponentError::Setup(
            "the JWT profile asks nobody, and has no address to go to: call get_authorization".into(),
        ));
    }
    let listens = matches!(values.client_profile, ClientProfile::Application | ClientProfile::Mobile);
    // One that the embedded web server cannot be at comes back to the program by other ways.
    if listens && listens_at(&values.return_url) {
        oauth.start_unless_started(resets)?;
    }
    let return_url = oauth.return_url();
    let ready = authorizer.begin(request(&values, &return_url)?).await?;
    let url = ready.open.as_str().to_owned();
    oauth.keep(resets, |kept| {
        kept.oauth.authorization_url.clear();
        kept.results.authorization_url.clone_from(&url);
        kept.results.begun_with = what_is_asked(&values, &return_url);
        kept.results.pending = Some(Begun::at(&values, ready.pending));
        // Those of a login before are not of this one.
        kept.oauth.authorization_code = Secret::new("");
        kept.oauth.authorization_response = Secret::new("");
    });
    oauth.reserve_web_server()?;
    Ok(url)
}

/// What tells one authorization request from another, but for what is made up anew for each.
pub(super) fn what_is_asked(values: &OAuthValues, redirect_uri: &str) -> String {
    let client =
        (&values.client_id, &values.server_auth_url, &values.server_token_url, values.client_profile);
    let request = (&values.requested_scope, &values.request_params, values.grant_type);
    format!("{client:?} {request:?} {:?} {redirect_uri}", values.code_challenge_method)
}

fn request(values: &OAuthValues, redirect_uri: &str) -> Result<AuthorizationRequest, ComponentError> {
    let request = match (redirect_uri, values.include_empty_redirect_uri) {
        ("", true) => AuthorizationRequest::with_empty_redirect_uri(),
        ("", false) => AuthorizationRequest::without_redirect_uri(),
        (redirect_uri, _) => AuthorizationRequest::new(redirect_uri),
    };
    let mut request = request.with_code_challenge(values.code_challenge_method);
    if values.grant_type == GrantType::Implicit {
        request = request.implicit();
    }
    if let Some(scope) = scope(values)? {
        request = request.with_scope(scope);
    }
    for (name, value) in &values.request_params {
        request = request.with_parameter(name, value);
    }
    Ok(request)
}

/// The client, over an engine.
pub(super) fn authorizer(values: &OAuthValues, host: Arc<dyn Host>) -> Result<Authorizer, ComponentError> {
    let mut server = Server::new("");
    if !values.server_auth_url.is_empty() {
        server = if values.client_profile == ClientProfile::Device {
            server.with_device_authorization_endpoint(&values.server_auth_url)
        } else {
            server.with_authorization_endpoint(&values.server_auth_url)
        };
    }
    if !values.server_token_url.is_empty() {
        server = server.with_token_endpoint(&values.server_token_url);
    }
    if !values.token_info_url.is_empty() {
        server = server.with_token_info_endpoint(&values.token_info_url);
    }
    let secret = values.client_secret.expose();
    let registration = match (secret.is_empty(), values.client_profile) {
        // Its assertion says who asks.
        (true, ClientProfile::Jwt) if values.client_id.is_empty() => Registration::unnamed(),
        (true, _) => Registration::public(&values.client_id),
        (false, ClientProfile::Browser) => {
            return Err(ComponentError::refused(
                "client_secret",
                "a program in a browser cannot keep a secret; empty it, or use another client profile",
            ));
        }
        (false, _) => {
            let method = if values.credentials_in_body {
                AuthMethod::CLIENT_SECRET_POST
            } else {
                AuthMethod::CLIENT_SECRET_BASIC
            };
            Registration::with_secret(&values.client_id, ClientSecret::new(secret)).authenticated_by(method)
        }
    };
    let client = Client::new(server, registration, policy(values)).map_err(crate::Error::from)?;
    let events = host.events();
    let used = [&values.server_auth_url, &values.server_token_url, &values.token_info_url];
    if used.into_iter().any(|url| url.starts_with("http:")) {
        warn(&events, OptOut::PlainHttpOnLoopback);
    }
    let host = WithFormVars::around(host, values)?;
    Ok(Authorizer::new(client, host).on_warning(move |opt_out| warn(&events, opt_out)))
}

/// A warning is told to whoever hears of events, and to nobody's terminal.
pub(super) fn warn(events: &EventSink, what: impl fmt::Display) {
    events.log(LogLevel::Info, LogType::Info, || format!("warning: {what}"));
}

/// What is set makes the exceptions: each is a setting or a choice of its own.
pub(super) fn policy(values: &OAuthValues) -> Policy {
    let mut policy = Policy::strict();
    if values.dangerously_plain_http_on_loopback {
        policy = policy.waive(OptOut::PlainHttpOnLoopback);
    }
    if values.dangerously_unread_id_tokens {
        policy = policy.waive(OptOut::UnreadIdTokens);
    }
    if values.include_empty_redirect_uri {
        policy = policy.waive(OptOut::EmptyRedirectUri);
    }
    policy = match values.code_challenge_method {
        CodeChallenge::Plain => policy.waive(OptOut::PlainCodeChallenge),
        CodeChallenge::None => policy.waive(OptOut::NoCodeChallenge),
        _ => policy,
    };
    if !values.token_info_url.is_empty() {
        // Setting `ValidateToken` is the confession.
        policy = policy.waive(OptOut::TokenInQuery);
    }
    // Choosing these grants is the confession.
    match values.grant_type {
        GrantType::Password => policy.waive(OptOut::PasswordGrant),
        GrantType::Implicit => policy.waive(OptOut::ImplicitGrant),
        GrantType::AuthorizationCode | GrantType::ClientCredentials => policy,
    }
}

fn scope(values: &OAuthValues) -> Result<Option<Scope>, ComponentError> {
    if values.requested_scope.trim().is_empty() {
        return Ok(None);
    }
    let scope = Scope::new(&values.requested_scope)
        .map_err(|error| ComponentError::refused("authorization_scope", error))?;
    // An access token that the browser brings comes with no ID token.
    let openid = scope.as_str().split(' ').any(|name| name == "openid");
    if openid && !values.dangerously_unread_id_tokens && values.grant_type != GrantType::Implicit {
        return Err(ComponentError::refused(
            "authorization_scope",
            "openid asks for an ID token, which nobody here could check, for the issuer and its keys are not known; leave openid \
             out, use Authorizer::discover, which checks it, or set_dangerously_unread_id_tokens",
        ));
    }
    Ok(Some(scope))
}

/// A person's password, which comes among the form variables.
async fn password(values: &OAuthValues, authorizer: &Authorizer) -> Result<Authorization, ComponentError> {
    let of = |wanted: &str| values.form_vars.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let (Some(username), Some(password)) = (of("username"), of("password")) else {
        return Err(ComponentError::Setup(
            "the password grant needs a name and a password: set the form variables username and password"
                .into(),
        ));
    };
    let mut grant = ResourceOwnerPassword::new(username.expose(), password.clone());
    if let Some(scope) = scope(values)? {
        grant = grant.with_scope(scope);
    }
    Ok(authorizer.exchange(grant).await?)
}

/// A service's assertion.
async fn jwt(
    oauth: &OAuth,
    values: &OAuthValues,
    engine: Arc<Engine>,
) -> Result<Authorization, ComponentError> {
    let (mut grant, key, token_url) = assertion::make(&oauth.values())?;
    if let Some(scope) = scope(values)? {
        grant = grant.with_scope(scope);
    }
    let mut keyring = Keyring::new();
    let _none_before = keyring.insert(KeyId::new(assertion::KEY), key);
    if oauth.values().jwt.validity > assertion::LONGEST {
        warn(
            &engine.events(),
            "JWTValidityTime is more than an hour, which servers take for the most: it is an hour",
        );
    }
    let mut values = values.clone();
    values.server_token_url = network::address("server_token_url", &token_url, &oauth.values().network)?;
    oauth.send_cookies_to(&values.server_token_url);
    let authorizer = authorizer(&values, Arc::new(WithKeys::new(engine as Arc<dyn Host>, keyring)))?;
    Ok(authorizer.exchange(grant).await?)
}

async fn refresh(
    oauth: &OAuth,
    values: &OAuthValues,
    authorizer: &Authorizer,
) -> Result<Authorization, ComponentError> {
    let result = authorizer.refresh(RefreshToken::new(values.refresh_token.expose())).await;
    if let Err(crate::Error::Failure(failure)) = &result
        && matches!(&*failure.error, oauth_core::Error::Server(refusal) if refusal.code == ErrorCode::INVALID_GRANT)
    {
        // It is of no use any more; and no browser opens that nobody asked for. One that was set meanwhile stays.
        let mut kept = oauth.values();
        if kept.oauth.refresh_token == values.refresh_token {
            kept.oauth.refresh_token = Secret::new("");
        }
    }
    Ok(result?)
}

/// The whole of it: the listener, the browser, the person, the code.
async fn in_browser(
    oauth: &OAuth,
    values: &OAuthValues,
    authorizer: &Authorizer,
    resets: u64,
) -> Result<Authorization, ComponentError> {
    let browser = match values.client_profile {
        // The event alone tells it.
        ClientProfile::Mobile => None,
        _ => Some(Browser::from_env().map_err(crate::Error::from)?),
    };
    let web_server = oauth.values().web_server.clone();
    let _stops = (!web_server.reuse).then(|| StopsWebServer(oauth));
    let listener = oauth.listener(resets)?;
    let begun = login::begun(oauth, values, listener.registered_redirect_uri(), &policy(values))?;
    let (kept, memory, before) = (Arc::clone(&oauth.values), oauth.memory(), values.refresh_token.clone());
    let mut sign_in = SignIn::new()
        .listener(listener)
        .browser(browser)
        .code_challenge(values.code_challenge_method)
        .timeout(web_server.browser_response_timeout.unwrap_or(Duration::MAX))
        .on_step(move |step| {
            let mut values = lock(&kept);
            match step {
                _ if values.resets != resets => {}
                Step::Open { url } => url.as_str().clone_into(&mut values.results.authorization_url),
                // Whoever interrupts while the browser gets its page has the tokens nevertheless.
                Step::Granted(authorization) => {
                    values.results.transcript = memory.transcript();
                    values.keep(authorization, &before, crate::host::now().unix);
                }
                _ => {}
            }
        });
    if let Some(scope) = scope(values)? {
        sign_in = sign_in.scope(scope);
    }
    for (name, value) in &values.request_params {
        sign_in = sign_in.parameter(name, value);
    }
    if values.grant_type == GrantType::Implicit {
        sign_in = sign_in.implicit();
    }
    if let Some((open, pending)) = begun {
        sign_in = sign_in.begun(open, pending);
    }
    if !web_server.response.is_empty() {
        sign_in = sign_in.success_page(web_server.response);
    }
    if !web_server.failed_response.is_empty() {
        sign_in = sign_in.failure_page(web_server.failed_response);
    }
    Ok(authorizer.sign_in(sign_in).await?)
}

/// Stops the embedded web server at the end of a login, however that ends.
struct StopsWebServer<'a>(&'a OAuth);

impl Drop for StopsWebServer<'_> {
    fn drop(&mut self) {
        self.0.stop_web_server();
    }
}
