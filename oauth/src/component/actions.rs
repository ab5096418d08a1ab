//! What a program adds and asks beside the calls: parameters, cookies, the state of a login for another process, a token's worth.

use super::engine::Engine;
use super::error::ComponentError;
use super::form_vars::WithFormVars;
use super::login::Begun;
use super::values::Secret;
use super::{OAuth, assertion, network, run};
use crate::blocking;
use crate::host::Host;
use oauth_core::{AccessToken, JsonValue, SecretBytes};
use oauth_jwt::{ServiceAccount, SigningKey};
use oauth_transport::session::Hop;
use std::sync::Arc;

impl OAuth {
    /// Adds a parameter to the authorization request: the URL for the browser, a device's request for its code, or, where a grant
    /// has none (client credentials, password), the token request; with the JWT profile, a claim to the assertion: JSON where it is
    /// some, else a text.
    pub fn add_param(&self, name: impl Into<String>, value: impl Into<String>) {
        let param = (name.into(), value.into());
        self.change(|values| {
            values.results.response_params.clear();
            values.oauth.request_params.push(param);
        });
    }

    /// Adds a cookie to the requests that go to the two endpoints.
    pub fn add_cookie(&self, name: impl Into<String>, value: impl Into<String>) {
        let cookie = (name.into(), Secret::new(value));
        self.change(|values| values.network.cookies.push(cookie));
    }

    /// Adds a form variable to the bodies of token requests: a name and a password for that grant, say.
    pub fn add_form_var(&self, name: impl Into<String>, value: impl Into<String>) {
        let var = (name.into(), Secret::new(value));
        self.change(|values| values.oauth.form_vars.push(var));
    }

    /// A host whose token requests carry the [form variables](Self::add_form_var), for a program with an engine of its own.
    ///
    /// # Errors
    /// A variable has no name, or one that the protocol uses itself.
    pub fn with_form_vars(&self, host: Arc<dyn Host>) -> Result<Arc<dyn Host>, ComponentError> {
        WithFormVars::around(host, &self.values().oauth)
    }

    /// The key that signs assertions, for a program with a client of its own: that of `JWTJSONKey`, or else the one that
    /// `JWTCertStore` and the settings beside it choose.
    ///
    /// # Errors
    /// The file or the store cannot be read, has no such key, or its key cannot sign by `JWTSignatureAlgorithm`.
    pub fn signing_key(&self) -> Result<SigningKey, ComponentError> {
        let jwt = self.values().jwt.clone();
        assertion::key(&jwt)
    }

    /// What `JWTJSONKey` says beside its key, for such a program; nothing where it is empty.
    ///
    /// # Errors
    /// The file cannot be read, or is none of a service account.
    pub fn service_account(&self) -> Result<Option<ServiceAccount>, ComponentError> {
        let json_key = self.values().jwt.json_key.clone();
        assertion::service_account(json_key.expose())
    }

    /// An address as `EncodeURL` and `UseIDNs` have it written, for such a program; its errors call it by this name.
    ///
    /// # Errors
    /// It holds a character that no URL may have, or its host has letters beyond ASCII, and the setting does not allow that.
    pub fn address(&self, name: &'static str, text: &str) -> Result<String, ComponentError> {
        network::address(name, text, &self.values().network)
    }

    /// Hands in what the browser came back with, in place of the code alone: the whole address, its query or its fragment. Its
    /// `state` is checked then, and a server's refusal told.
    pub fn set_authorization_response(&self, response: impl Into<String>) {
        let response = Secret::new(response);
        self.change(|values| values.oauth.authorization_response = response);
    }

    /// The login that [`get_authorization_url`](Self::get_authorization_url) began, as secret bytes, for the process that will
    /// finish it. It is taken out here: one of the two finishes it, at the same server: `server_token_url` is in it.
    #[must_use]
    pub fn take_pending(&self) -> Option<SecretBytes> {
        self.release_web_server();
        self.values().results.pending.take().map(|begun| begun.to_store())
    }

    /// Puts a login back that [`take_pending`](Self::take_pending) gave, in this process or another.
    ///
    /// # Errors
    /// The bytes are damaged, or the login was begun more than an hour ago.
    pub fn restore_pending(&self, bytes: &[u8]) -> Result<(), ComponentError> {
        let begun = Begun::from_store(bytes, crate::host::now().unix)?;
        self.values().results.pending = Some(begun);
        Ok(())
    }

    /// Asks the token info service about an access token: what it answers is in the settings `TokenInfoFieldName` and
    /// `TokenInfoFieldValue`. The same as setting `ValidateToken`.
    ///
    /// # Errors
    /// `TokenInfoURL` is not set, or the service refuses the token, gave it to another client, or cannot be understood or
    /// reached.
    pub fn validate_token(&self, token: impl Into<String>) -> Result<(), ComponentError> {
        let engine = self.engine()?;
        blocking::run(&*engine, self.validate(AccessToken::new(token), Arc::clone(&engine)))
    }

    /// As [`validate_token`](Self::validate_token), without blocking.
    ///
    /// # Errors
    /// As there.
    pub async fn validate_token_async(&self, token: impl Into<String> + Send) -> Result<(), ComponentError> {
        self.validate(AccessToken::new(token), self.engine()?).await
    }

    async fn validate(&self, token: AccessToken, engine: Arc<Engine>) -> Result<(), ComponentError> {
        let resets = self.values().resets;
        self.call(Box::pin(async {
            // What was said of another token is not said of this one.
            self.keep(resets, |values| values.results.token_info.clear());
            let values = network::protocol(&self.values())?;
            if values.token_info_url.is_empty() {
                return Err(ComponentError::Setup("there is no service to ask: set TokenInfoURL".into()));
            }
            Ok(run::authorizer(&values, engine)?.token_info(token).await?)
        }))
        .await?;
        self.keep(resets, |values| {
            values.results.token_info = members(values.results.transcript.hops().last());
        });
        Ok(())
    }
}

/// The members of the JSON object that a response is, in their order; texts as they are, and JSON for everything else.
pub(super) fn members(hop: Option<&Hop>) -> Vec<(String, Secret)> {
    let body = hop.and_then(Hop::exposed_response_body).unwrap_or_default();
    let Ok(JsonValue::Object(members)) = JsonValue::read_exactly(body) else { return Vec::new() };
    let text = |value: &JsonValue<'_>| match value {
        JsonValue::String(text) => Secret::new(&**text),
        other => Secret::new(other.to_string()),
    };
    members.iter().map(|(name, value)| (name.clone().into_owned(), text(value))).collect()
}
