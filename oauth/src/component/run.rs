//! The calls: from what is set to an authorization, by profile and grant.
//!
//! Everything here is the [`Authorizer`]'s work; what is decided is which of its conversations it is.

use super::engine::Engine;
use super::error::ComponentError;
use super::network;
use super::profile::{ClientProfile, GrantType};
use super::values::{OAuthValues, Values};
use super::OAuth;
use crate::host::Host;
use crate::{Authorization, Authorizer, WithKeys};
use oauth_core::{
    Algorithm, AuthMethod, Client, ClientCredentials, ClientSecret,
    JsonValue, JwtBearer, KeyId, OptOut, Policy, RefreshToken, Registration, ResourceOwnerPassword, Scope, SecretBytes, Server,
};
use oauth_jwt::{Keyring, ServiceAccount, SigningKey};
use std::sync::Arc;

/// The name by which the one key of an assertion is asked for.
const KEY: &str = "component";

/// Runs the profile's conversation.
pub(super) async fn authorize(oauth: &OAuth, engine: Arc<Engine>) -> Result<Authorization, ComponentError> {
    let values = oauth.values().oauth.clone();
    match values.client_profile {
        ClientProfile::Jwt => jwt(oauth, engine).await,
        ClientProfile::Device => device(oauth, engine).await,
        ClientProfile::Application | ClientProfile::Mobile | ClientProfile::WebServer | ClientProfile::Browser => {
            if !values.authorization_code.expose().is_empty() || !values.authorization_response.expose().is_empty() {
                return second_leg(oauth, engine).await;
            }
            let authorizer = authorizer(&values, engine)?;
            if !values.refresh_token.expose().is_empty() {
                let token = RefreshToken::new(values.refresh_token.expose());
                return Ok(authorizer.refresh(token).await?);
            }
            match values.grant_type {
                GrantType::ClientCredentials => {
                    let mut grant = ClientCredentials::new();
                    if let Some(scope) = scope(&values)? {
                        grant = grant.with_scope(scope);
                    }
                    for (name, value) in &values.form_vars {
                        grant = grant.with_parameter(name, value.expose());
                    }
                    Ok(authorizer.exchange(grant).await?)
                }
                GrantType::Password => password(&values, &authorizer).await,
                GrantType::AuthorizationCode | GrantType::Implicit => in_browser(oauth, &values, &authorizer).await,
            }
        }
    }
}

/// The client, over an engine.
fn authorizer(values: &OAuthValues, host: Arc<dyn Host>) -> Result<Authorizer, ComponentError> {
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
            let registration = Registration::with_secret(&values.client_id, ClientSecret::new(secret));
            let method = if values.credentials_in_body {
                AuthMethod::CLIENT_SECRET_POST
            } else {
                AuthMethod::CLIENT_SECRET_BASIC
            };
            registration.authenticated_by(method)
        }
    };
    let client = Client::new(server, registration, policy(values)).map_err(crate::Error::from)?;
    Ok(Authorizer::new(client, host))
}

fn policy(values: &OAuthValues) -> Policy {
    let mut policy = Policy::strict();
    if values.dangerously_plain_http_on_loopback {
        policy = policy.waive(OptOut::PlainHttpOnLoopback);
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

/// A person's password, which the original passes among the form variables.
async fn password(values: &OAuthValues, authorizer: &Authorizer) -> Result<Authorization, ComponentError> {
    let of = |wanted: &str| values.form_vars.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let (Some(username), Some(password)) = (of("username"), of("password")) else {
        return Err(ComponentError::Setup(
            "the password grant needs a name and a password: add the form variables username and password".into(),
        ));
    };
    let mut grant = ResourceOwnerPassword::new(username.expose(), password.clone());
    if let Some(scope) = scope(values)? {
        grant = grant.with_scope(scope);
    }
    for (name, value) in values.form_vars.iter().filter(|(name, _)| name != "username" && name != "password") {
        grant = grant.with_parameter(name, value.expose());
    }
    Ok(authorizer.exchange(grant).await?)
}

/// A service's assertion.
async fn jwt(oauth: &OAuth, engine: Arc<Engine>) -> Result<Authorization, ComponentError> {
    let (mut grant, key, values) = {
        let values = oauth.values();
        let (grant, key) = assertion(&values)?;
        (grant, key, values.oauth.clone())
    };
    if let Some(scope) = scope(&values)? {
        grant = grant.with_scope(scope);
    }
    for (name, value) in &values.request_params {
        let claim = JsonValue::read(value.as_bytes()).map_or_else(|_| JsonValue::text(value), JsonValue::into_owned);
        grant = grant.with_claim(name, claim);
    }
    let mut keyring = Keyring::new();
    let _none_before = keyring.insert(KeyId::new(KEY), key);
    let host = WithKeys::new(engine as Arc<dyn Host>, keyring);
    let authorizer = authorizer(&values, Arc::new(host))?;
    Ok(authorizer.exchange(grant).await?)
}

/// What the assertion says, and what signs it; a key file says the rest, where there is one.
fn assertion(values: &Values) -> Result<(JwtBearer, SigningKey), ComponentError> {
    let asked = &values.jwt;
    let account = service_account(asked.json_key.expose())?;
    let first = |given: &str, otherwise: Option<&str>| match (given, otherwise) {
        ("", Some(otherwise)) => otherwise.to_owned(),
        (given, _) => given.to_owned(),
    };
    let issuer = first(&asked.issuer, account.as_ref().map(ServiceAccount::client_email));
    let issuer = first(&issuer, Some(&values.oauth.client_id));
    let audience = first(&asked.audience, account.as_ref().map(ServiceAccount::token_uri));
    let audience = first(&audience, Some(&values.oauth.server_token_url));
    for (text, name) in [(&issuer, "JWTIssuer"), (&audience, "JWTAudience")] {
        if text.is_empty() {
            return Err(ComponentError::Setup(format!("an assertion needs {name}: set it")));
        }
    }
    let kid = account.as_ref().and_then(ServiceAccount::private_key_id).map(str::to_owned);
    let mut key = match account {
        Some(account) => account.into_key(),
        None => network::entry(&asked.certificate)?.into_signing_key()?,
    };
    if let Some(algorithm) = &asked.algorithm {
        key = key
            .with_algorithm(Algorithm::from_text(algorithm))
            .map_err(|error| ComponentError::refused("JWTSignatureAlgorithm", error))?;
    }
    let mut grant = JwtBearer::new(KeyId::new(KEY), key.algorithm(), issuer, audience).living(asked.validity);
    grant = match asked.subject.as_str() {
        // Nobody in particular: some servers take any subject for a wish to speak for somebody else.
        "" => grant.without_subject(),
        subject => grant.on_behalf_of(subject),
    };
    if let Some(kid) = kid {
        grant = grant.with_kid(kid);
    }
    Ok((grant, key))
}

/// The key file, given by its path or its text.
fn service_account(given: &str) -> Result<Option<ServiceAccount>, ComponentError> {
    if given.is_empty() {
        return Ok(None);
    }
    let file;
    let text = if given.trim_start().starts_with('{') {
        given.as_bytes()
    } else {
        let read = std::fs::read(given).map_err(|error| {
            // What is no path may be a key: it is not shown.
            ComponentError::refused("JWTJSONKey", format_args!("its file cannot be read: {error}; give a path, or the text"))
        })?;
        file = SecretBytes::new(read);
        file.expose()
    };
    ServiceAccount::from_json(text).map(Some).map_err(|error| ComponentError::refused("JWTJSONKey", error))
}

async fn device(_oauth: &OAuth, _engine: Arc<Engine>) -> Result<Authorization, ComponentError> {
    todo!()
}

async fn second_leg(_oauth: &OAuth, _engine: Arc<Engine>) -> Result<Authorization, ComponentError> {
    todo!()
}

async fn in_browser(
    _oauth: &OAuth,
    _values: &OAuthValues,
    _authorizer: &Authorizer,
) -> Result<Authorization, ComponentError> {
    todo!()
}
