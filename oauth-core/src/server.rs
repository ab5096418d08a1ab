//! What is known of an authorization server (RFC 8414 section 2, OpenID Connect Discovery section 3).

use crate::registry::AuthMethod;
use alloc::string::String;
use alloc::vec::Vec;

/// An authorization server: its issuer and its endpoints, from discovery or by hand.
///
/// A plain description; [`Client::new`](crate::Client::new) checks it. The issuer is kept exactly as it is written: two
/// issuers are the same only when every character is (RFC 8414 section 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) token_endpoint: Option<String>,
    pub(crate) device_authorization_endpoint: Option<String>,
    pub(crate) userinfo_endpoint: Option<String>,
    pub(crate) jwks_uri: Option<String>,
    pub(crate) token_endpoint_auth_methods: Option<Vec<AuthMethod>>,
    pub(crate) response_iss: bool,
}

impl Server {
    /// A server without endpoints.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            authorization_endpoint: None,
            token_endpoint: None,
            device_authorization_endpoint: None,
            userinfo_endpoint: None,
            jwks_uri: None,
            token_endpoint_auth_methods: None,
            response_iss: false,
        }
    }

    /// Sets where the browser is sent (RFC 6749 section 3.1).
    #[must_use]
    pub fn with_authorization_endpoint(mut self, url: impl Into<String>) -> Self {
        self.authorization_endpoint = Some(url.into());
        self
    }

    /// Sets where tokens are requested (RFC 6749 section 3.2).
    #[must_use]
    pub fn with_token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = Some(url.into());
        self
    }

    /// Sets where a login on another device begins (RFC 8628 section 3.1).
    #[must_use]
    pub fn with_device_authorization_endpoint(mut self, url: impl Into<String>) -> Self {
        self.device_authorization_endpoint = Some(url.into());
        self
    }

    /// Requires `iss` in every authorization response (RFC 9207 section 3). Discovery sets it from the metadata.
    #[must_use]
    pub const fn with_iss_in_responses(mut self) -> Self {
        self.response_iss = true;
        self
    }

    /// The issuer, exactly as it is written.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the browser is sent.
    #[must_use]
    pub fn authorization_endpoint(&self) -> Option<&str> {
        self.authorization_endpoint.as_deref()
    }

    /// Where tokens are requested.
    #[must_use]
    pub fn token_endpoint(&self) -> Option<&str> {
        self.token_endpoint.as_deref()
    }

    /// Where a login on another device begins.
    #[must_use]
    pub fn device_authorization_endpoint(&self) -> Option<&str> {
        self.device_authorization_endpoint.as_deref()
    }

    /// Where claims about the person are fetched (OpenID Connect Core section 5.3).
    #[must_use]
    pub fn userinfo_endpoint(&self) -> Option<&str> {
        self.userinfo_endpoint.as_deref()
    }

    /// Where the server's public keys are (RFC 8414 section 2).
    #[must_use]
    pub fn jwks_uri(&self) -> Option<&str> {
        self.jwks_uri.as_deref()
    }

    /// How clients may authenticate at the token endpoint; `None` when the server does not say.
    #[must_use]
    pub fn token_endpoint_auth_methods(&self) -> Option<&[AuthMethod]> {
        self.token_endpoint_auth_methods.as_deref()
    }
}
