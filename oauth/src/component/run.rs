//! The calls: from what is set to an authorization, by profile and grant.
//!
//! Everything here is the [`Authorizer`]'s work; what is decided is which of its conversations it is.

use super::engine::Engine;
use super::error::ComponentError;
use super::form_vars::WithFormVars;
use super::profile::{ClientProfile, GrantType};
use super::values::{OAuthValues, Secret};
use super::{OAuth, assertion, lock, network};
use crate::host::Host;
use crate::{Authorization, Authorizer, SignIn, Step, WithKeys};
use oauth_core::{
    AuthMethod, AuthorizationCode, AuthorizationRequest, Client, ClientCredentials, ClientSecret, ErrorCode, KeyId,
    OptOut, Pending, Policy, RefreshToken, Registration, ResourceOwnerPassword, Scope, Server,
};
use oauth_jwt::Keyring;
use oauth_loopback::browser::Browser;
use std::sync::Arc;
use std::time::Duration;

/// Runs the profile's conversation.
pub(super) async fn authorize(oauth: &OAuth, engine: Arc<Engine>) -> Result<Authorization, ComponentError> {
    let values = network::protocol(&oauth.values())?;
    if values.client_profile == ClientProfile::Jwt {
        return jwt(oauth, &values, engine).await;
    }
    let authorizer = authorizer(&values, engine)?;
    if !values.authorization_code.expose().is_empty() || !values.authorization_response.expose().is_empty() {
        return second_leg(oauth, &values, &authorizer).await;
    }
    if !values.refresh_token.expose().is_empty() {
        return refresh(oauth, &values, &authorizer).await;
    }
    match (values.client_profile, values.grant_type) {
        (ClientProfile::Device, _) => device(oauth, &authorizer).await,
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
        (_, GrantType::AuthorizationCode | GrantType::Implicit) => in_browser(oauth, &values, &authorizer).await,
    }
}

/// The first leg alone: where the person signs in.
pub(super) async fn authorization_url(oauth: &OAuth, engine: Arc<Engine>) -> Result<String, ComponentError> {
    let values = network::protocol(&oauth.values())?;
    let authorizer = authorizer(&values, engine)?;
    if values.client_profile == ClientProfile::Device {
        let flow = authorizer.device_prompt(scope(&values)?).await?;
        let url = flow.verification_uri_complete.as_ref().unwrap_or(&flow.verification_uri).to_string();
        let mut kept = oauth.values();
        kept.results.device_user_code = flow.user_code.to_string();
        kept.results.interval = Some(flow.poll.interval());
        kept.results.authorization_url.clone_from(&url);
        kept.results.device = Some(flow.poll);
        return Ok(url);
    }
    if values.client_profile == ClientProfile::Jwt {
        return Err(ComponentError::Setup(
            "the JWT profile asks nobody, and has no address to go to: call get_authorization".into(),
        ));
    }
    let listens = matches!(values.client_profile, ClientProfile::Application | ClientProfile::Mobile);
    let redirect_uri = if values.return_url.is_empty() && listens {
        oauth.start_unless_started()?;
        oauth.return_url()
    } else {
        values.return_url.clone()
    };
    let ready = authorizer.begin(request(&values, &redirect_uri)?).await?;
    let url = ready.open.as_str().to_owned();
    let mut kept = oauth.values();
    kept.results.authorization_url.clone_from(&url);
    kept.results.pending = Some(ready.pending);
    Ok(url)
}

fn request(values: &OAuthValues, redirect_uri: &str) -> Result<AuthorizationRequest, ComponentError> {
    let mut request = AuthorizationRequest::new(redirect_uri);
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
    let host = WithFormVars::around(host, values)?;
    Ok(Authorizer::new(client, host))
}

fn policy(values: &OAuthValues) -> Policy {
    let mut policy = Policy::strict();
    if values.dangerously_plain_http_on_loopback {
        policy = policy.waive(OptOut::PlainHttpOnLoopback);
    }
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
    Scope::new(&values.requested_scope)
        .map(Some)
        .map_err(|error| ComponentError::refused("authorization_scope", error))
}

/// A person's password, which comes among the form variables.
async fn password(values: &OAuthValues, authorizer: &Authorizer) -> Result<Authorization, ComponentError> {
    let of = |wanted: &str| values.form_vars.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let (Some(username), Some(password)) = (of("username"), of("password")) else {
        return Err(ComponentError::Setup(
            "the password grant needs a name and a password: set the form variables username and password".into(),
        ));
    };
    let mut grant = ResourceOwnerPassword::new(username.expose(), password.clone());
    if let Some(scope) = scope(values)? {
        grant = grant.with_scope(scope);
    }
    Ok(authorizer.exchange(grant).await?)
}

/// A service's assertion.
async fn jwt(oauth: &OAuth, values: &OAuthValues, engine: Arc<Engine>) -> Result<Authorization, ComponentError> {
    let (mut grant, key, token_url) = assertion::make(&oauth.values())?;
    if let Some(scope) = scope(values)? {
        grant = grant.with_scope(scope);
    }
    let mut keyring = Keyring::new();
    let _none_before = keyring.insert(KeyId::new(assertion::KEY), key);
    let mut values = values.clone();
    values.server_token_url = network::address("server_token_url", &token_url, &oauth.values().network)?;
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
        // It is of no use any more; and no browser opens that nobody asked for.
        oauth.values().oauth.refresh_token = Secret::new("");
    }
    Ok(result?)
}

async fn device(oauth: &OAuth, authorizer: &Authorizer) -> Result<Authorization, ComponentError> {
    let Some(poll) = oauth.values().results.device.take() else {
        return Err(ComponentError::Setup(
            "nobody was told the code of this device: call get_authorization_url first, and show what it gives".into(),
        ));
    };
    let slower = oauth.values().oauth.polling_interval;
    let poll = match slower {
        Some(interval) => poll.no_faster_than(interval),
        None => poll,
    };
    Ok(authorizer.poll_device(poll).await?)
}

/// What the browser brought is exchanged: once.
async fn second_leg(
    oauth: &OAuth,
    values: &OAuthValues,
    authorizer: &Authorizer,
) -> Result<Authorization, ComponentError> {
    let pending = {
        let mut kept = oauth.values();
        kept.oauth.authorization_code = Secret::new("");
        kept.oauth.authorization_response = Secret::new("");
        kept.results.pending.take()
    };
    let Some(pending) = pending else {
        return Err(ComponentError::Setup(
            "there is no login that this code belongs to: call get_authorization_url first, or restore_pending where it was \
             called in another process"
                .into(),
        ));
    };
    answered(authorizer, pending, values).await
}

async fn answered(
    authorizer: &Authorizer,
    pending: Pending,
    values: &OAuthValues,
) -> Result<Authorization, ComponentError> {
    if values.authorization_response.expose().is_empty() {
        let code = AuthorizationCode::new(values.authorization_code.expose());
        return Ok(authorizer.finish_by_code(pending, code).await?);
    }
    Ok(authorizer.finish_pasted(pending, values.authorization_response.expose()).await?)
}

/// The whole of it: the listener, the browser, the person, the code.
async fn in_browser(
    oauth: &OAuth,
    values: &OAuthValues,
    authorizer: &Authorizer,
) -> Result<Authorization, ComponentError> {
    let browser = match values.client_profile {
        // The event alone tells it.
        ClientProfile::Mobile => None,
        _ => Some(Browser::from_env().map_err(crate::Error::from)?),
    };
    let listener = oauth.listener()?;
    let web_server = oauth.values().web_server.clone();
    let kept = Arc::clone(&oauth.values);
    let mut sign_in = SignIn::new()
        .listener(listener)
        .browser(browser)
        .timeout(web_server.browser_response_timeout.unwrap_or(Duration::MAX))
        .on_step(move |step| {
            if let Step::Open { url } = step {
                url.as_str().clone_into(&mut lock(&kept).results.authorization_url);
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
    if !web_server.response.is_empty() {
        sign_in = sign_in.success_page(web_server.response);
    }
    if !web_server.failed_response.is_empty() {
        sign_in = sign_in.failure_page(web_server.failed_response);
    }
    let result = authorizer.sign_in(sign_in).await;
    if !web_server.reuse {
        oauth.stop_web_server();
    }
    Ok(result?)
}
