//! A service's assertion: what it says, and the key that signs it.

use super::error::ComponentError;
use super::network;
use super::values::{JwtValues, Values};
use oauth_core::{Algorithm, JsonValue, JwtBearer, KeyId, SecretBytes};
use oauth_jwt::{ServiceAccount, SigningKey};
use std::time::Duration;

/// The name by which the one key is asked for.
pub(super) const KEY: &str = "component";

/// What an assertion lives at most.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);

/// The grant, the key, and the token endpoint that it goes to; a key file says what is not set.
pub(super) fn make(values: &Values) -> Result<(JwtBearer, SigningKey, String), ComponentError> {
    let asked = &values.jwt;
    let account = service_account(asked.json_key.expose())?;
    let account = account.as_ref();
    let token_uri = account.map_or("", ServiceAccount::token_uri);
    let token_url = first([&values.oauth.server_token_url, token_uri]);
    let email = account.map_or("", ServiceAccount::client_email);
    let issuer = first([&asked.issuer, email, &values.oauth.client_id]);
    let audience = first([&asked.audience, token_uri, &token_url]);
    for (text, name) in [(&issuer, "JWTIssuer"), (&audience, "JWTAudience")] {
        if text.is_empty() {
            return Err(ComponentError::Setup(format!("an assertion needs {name}: set it, or JWTJSONKey")));
        }
    }
    let key = key(asked)?;
    let mut grant = JwtBearer::new(KeyId::new(KEY), key.algorithm(), issuer, audience)
        .living(asked.validity.min(LONGEST));
    grant = match asked.subject.as_str() {
        // Nobody in particular: some servers take any subject for a wish to speak for somebody else.
        "" => grant.without_subject(),
        subject => grant.on_behalf_of(subject),
    };
    if let Some(kid) = account.and_then(ServiceAccount::private_key_id) {
        grant = grant.with_kid(kid);
    }
    for (name, value) in &values.oauth.request_params {
        let claim = JsonValue::read_exactly(value.as_bytes());
        let claim = claim.map_or_else(|_| JsonValue::text(value), JsonValue::into_owned);
        grant = grant.with_claim(name, claim);
    }
    Ok((grant, key, token_url))
}

/// The key that the settings choose.
pub(super) fn key(asked: &JwtValues) -> Result<SigningKey, ComponentError> {
    let key = match service_account(asked.json_key.expose())? {
        Some(account) => account.into_key(),
        None => network::entry(&asked.certificate)?.into_signing_key().map_err(crate::Error::from)?,
    };
    match &asked.algorithm {
        None => Ok(key),
        Some(algorithm) => key
            .with_algorithm(Algorithm::from_text(algorithm))
            .map_err(|error| ComponentError::refused("JWTSignatureAlgorithm", error)),
    }
}

/// The first that says something.
fn first<const N: usize>(texts: [&str; N]) -> String {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

/// The key file, given by its path or its text.
pub(super) fn service_account(given: &str) -> Result<Option<ServiceAccount>, ComponentError> {
    // Some programs begin a file with a mark of its encoding.
    let given = given.trim_start_matches('\u{feff}');
    if given.is_empty() {
        return Ok(None);
    }
    let file;
    let text = if given.trim_start().starts_with('{') {
        given.as_bytes()
    } else {
        let read = std::fs::read(given).map_err(|error| {
            // What is no path may be a key: it is not shown.
            let why = format!("its file cannot be read: {error}; give the path of a key file, or its text");
            ComponentError::refused("JWTJSONKey", why)
        })?;
        file = SecretBytes::new(read);
        file.expose()
    };
    ServiceAccount::from_json(text).map(Some).map_err(|error| ComponentError::refused("JWTJSONKey", error))
}
