//! What the protocol is told, and what it comes to.

use super::MOST_BY_COUNT;
use crate::component::OAuth;
use crate::component::config::ConfigValue;
use crate::component::error::ComponentError;
use crate::component::profile::{ClientProfile, GrantType};
use crate::component::values::{Secret, Values};
use oauth_core::{AccessToken, AuthorizationCode, ClientSecret, RefreshToken};
use std::time::Duration;

secrets! {
    /// The access token of the last call, alone. It can be set to be [validated](OAuth::validate_token).
    access_token set_access_token: AccessToken = oauth.access_token;
    /// The client's secret; empty for a public client.
    client_secret set_client_secret: ClientSecret = oauth.client_secret;
    /// What obtains the next access token. Where it is set, the next call refreshes, and asks nobody.
    refresh_token set_refresh_token: RefreshToken = oauth.refresh_token;
}

texts! {
    /// The client's id, as the server registered it.
    client_id set_client_id = oauth.client_id;
    /// The server's authorization endpoint; for a device, its device authorization endpoint. `https`, but on this machine.
    server_auth_url set_server_auth_url = oauth.server_auth_url;
    /// The server's token endpoint. `https`, but on this machine.
    server_token_url set_server_token_url = oauth.server_token_url;
}

copied! {
    /// What kind of program the client is: an application, by default.
    client_profile set_client_profile: ClientProfile = oauth.client_profile;
    /// How an application obtains its tokens: by a code, by default.
    grant_type set_grant_type: GrantType = oauth.grant_type;
    /// How long no byte may move, or with `AbsoluteTimeout` how long a request may take: 60 s; `None` waits for ever. It does
    /// not count the time that a person takes.
    timeout set_timeout: Option<Duration> = network.timeout;
    /// Whether plain `http` is taken for servers on this machine. **Dangerous** with any other than one under test.
    dangerously_plain_http_on_loopback set_dangerously_plain_http_on_loopback: bool = oauth.dangerously_plain_http_on_loopback;
    /// Whether `openid` may be asked for although nobody here checks the ID token that comes of it: the component knows neither
    /// the server's issuer nor its keys. **Dangerous** where the program believes what the token says.
    dangerously_unread_id_tokens set_dangerously_unread_id_tokens: bool = oauth.dangerously_unread_id_tokens;
    /// Whether the client's id and secret go into the body of token requests, rather than into a header.
    credentials_in_body set_credentials_in_body: bool = oauth.credentials_in_body;
}

impl OAuth {
    /// The code that is set, or else the one that the browser brought to the embedded web server: that one is spent, and no call
    /// exchanges it again.
    #[must_use]
    pub fn authorization_code(&self) -> AuthorizationCode {
        let set = self.values().oauth.authorization_code.clone();
        let brought = self.seen().authorization_code.filter(|_| set.expose().is_empty());
        AuthorizationCode::new(brought.unwrap_or(set).expose())
    }

    /// Sets the code that the browser brought: the next call exchanges it, once, and asks nobody.
    pub fn set_authorization_code(&self, secret: impl Into<String>) {
        let secret = Secret::new(secret);
        self.events.forget_code();
        self.change(|values| values.oauth.authorization_code = secret);
    }

    /// What was granted, once the server said so; before, what is asked for.
    #[must_use]
    pub fn authorization_scope(&self) -> String {
        let values = self.values();
        values.results.granted_scope.clone().unwrap_or_else(|| values.oauth.requested_scope.clone())
    }

    /// Sets the scope to ask for, the names with blanks between.
    pub fn set_authorization_scope(&self, scope: impl Into<String>) {
        let scope = scope.into();
        self.change(|values| {
            values.oauth.requested_scope = scope;
            values.results.granted_scope = None;
        });
    }

    /// Where the browser returns: the address of the embedded web server while it runs, port and all, or else what was set.
    #[must_use]
    pub fn return_url(&self) -> String {
        let set = self.values().oauth.return_url.clone();
        self.listening_at(&set).unwrap_or(set)
    }

    /// Sets the address that the browser returns to. For an application it is one of this machine, and its port is bound; a
    /// device has none.
    pub fn set_return_url(&self, url: impl Into<String>) {
        let url = url.into();
        self.change(|values| values.oauth.return_url = url);
    }

    /// How many parameters there are: those of the last token response, or before one those of the request.
    #[must_use]
    pub fn param_count(&self) -> usize {
        let values = self.values();
        shown(&values).map_or(values.oauth.request_params.len(), <[_]>::len)
    }

    /// Makes the list of the request's parameters this long: with empty ones, or without the last.
    ///
    /// # Errors
    /// It is more than 100, and more than there are.
    pub fn set_param_count(&self, count: usize) -> Result<(), ComponentError> {
        let most = self.values().oauth.request_params.len().max(MOST_BY_COUNT);
        if count > most {
            return Err(ComponentError::value("param_count", format!("a whole number from 0 to {most}")));
        }
        self.change(|values| {
            values.results.response_params.clear();
            values.oauth.request_params.resize(count, (String::new(), String::new()));
        });
        Ok(())
    }

    /// The name of a parameter, counted from 0.
    ///
    /// # Errors
    /// There is none at this index.
    pub fn param_name(&self, index: usize) -> Result<String, ComponentError> {
        let values = self.values();
        match shown(&values) {
            Some(response) => at("param_name", response, index).map(|(name, _)| name.clone()),
            None => at("param_name", &values.oauth.request_params, index).map(|(name, _)| name.clone()),
        }
    }

    /// The value of a parameter, counted from 0; JSON where the response has no text there. It may be a token.
    ///
    /// # Errors
    /// There is none at this index.
    pub fn param_value(&self, index: usize) -> Result<ConfigValue, ComponentError> {
        let values = self.values();
        match shown(&values) {
            Some(response) => {
                at("param_value", response, index).map(|(_, value)| ConfigValue::secret(value.clone()))
            }
            None => at("param_value", &values.oauth.request_params, index)
                .map(|(_, value)| ConfigValue::open(value.as_str())),
        }
    }

    /// Names a parameter of the request.
    ///
    /// # Errors
    /// There is none at this index: set the [count](Self::set_param_count), or [add](Self::add_param) one.
    pub fn set_param_name(&self, index: usize, name: impl Into<String>) -> Result<(), ComponentError> {
        let mut values = self.values();
        at_mut("param_name", &mut values.oauth.request_params, index)?.0 = name.into();
        values.results.response_params.clear();
        Ok(())
    }

    /// Sets the value of a parameter of the request.
    ///
    /// # Errors
    /// As [`set_param_name`](Self::set_param_name).
    pub fn set_param_value(&self, index: usize, value: impl Into<String>) -> Result<(), ComponentError> {
        let mut values = self.values();
        at_mut("param_value", &mut values.oauth.request_params, index)?.1 = value.into();
        values.results.response_params.clear();
        Ok(())
    }
}

/// The parameters of the response, where one came.
fn shown(values: &Values) -> Option<&[(String, Secret)]> {
    let response = values.results.response_params.as_slice();
    (!response.is_empty()).then_some(response)
}

fn at<'a, T>(name: &'static str, list: &'a [T], index: usize) -> Result<&'a T, ComponentError> {
    list.get(index).ok_or(ComponentError::Index { name, index, count: list.len() })
}

fn at_mut<'a, T>(name: &'static str, list: &'a mut [T], index: usize) -> Result<&'a mut T, ComponentError> {
    let count = list.len();
    list.get_mut(index).ok_or(ComponentError::Index { name, index, count })
}
