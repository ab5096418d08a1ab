//! What is known of an authorization server (RFC 8414 section 2, OpenID Connect Discovery section 3).

use crate::provider::quirks::Quirks;
use crate::registry::{Algorithm, AuthMethod};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// An authorization server: its issuer and its endpoints, from discovery or by hand.
///
/// A plain description; [`Client::new`](crate::Client::new) checks it. The issuer is kept exactly as it is written: two
/// issuers are the same only when every character is (RFC 8414 section 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub(crate) issuer: String,
    pub(crate) endpoints: Endpoints,
    /// `mtls_endpoint_aliases` (RFC 8705 section 5): where clients with a certificate go instead.
    pub(crate) mtls_aliases: Endpoints,
    pub(crate) token_endpoint_auth_methods: Option<Vec<AuthMethod>>,
    pub(crate) revocation_endpoint_auth_methods: Option<Vec<AuthMethod>>,
    pub(crate) introspection_endpoint_auth_methods: Option<Vec<AuthMethod>>,
    pub(crate) id_token_signing_algs: Option<Vec<Algorithm>>,
    pub(crate) response_iss: bool,
    /// What is odd about it ([`Provider`](crate::Provider)).
    pub(crate) quirks: Option<Arc<Quirks>>,
}

/// The endpoints that this crate knows by name; a server has some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Endpoints(Vec<(&'static str, String)>);

impl Endpoints {
    pub(crate) const AUTHORIZATION: &'static str = "authorization_endpoint";
    pub(crate) const TOKEN: &'static str = "token_endpoint";
    pub(crate) const DEVICE_AUTHORIZATION: &'static str = "device_authorization_endpoint";
    pub(crate) const USERINFO: &'static str = "userinfo_endpoint";
    pub(crate) const JWKS: &'static str = "jwks_uri";

    pub(crate) const REVOCATION: &'static str = "revocation_endpoint";
    pub(crate) const INTROSPECTION: &'static str = "introspection_endpoint";
    pub(crate) const REGISTRATION: &'static str = "registration_endpoint";
    /// Of no RFC, so never read from metadata.
    pub(crate) const TOKEN_INFO: &'static str = "token_info_endpoint";

    const KNOWN: [&'static str; 8] = [
        Self::AUTHORIZATION,
        Self::TOKEN,
        Self::DEVICE_AUTHORIZATION,
        Self::USERINFO,
        Self::JWKS,
        Self::REVOCATION,
        Self::INTROSPECTION,
        Self::REGISTRATION,
    ];

    /// The name as this crate spells it, of a member of the metadata that is an endpoint.
    pub(crate) fn known(member: &str) -> Option<&'static str> {
        Self::KNOWN.into_iter().find(|name| *name == member)
    }

    pub(crate) fn set(&mut self, name: &'static str, url: String) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, url));
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, url)| url.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, url)| (*name, url.as_str()))
    }
}

impl Server {
    /// A server without endpoints.
    ///
    /// An empty issuer is one that nobody knows: the `iss` of its answers is then not compared. With more than one server,
    /// name each (RFC 9700 section 4.4).
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            endpoints: Endpoints::default(),
            mtls_aliases: Endpoints::default(),
            token_endpoint_auth_methods: None,
            revocation_endpoint_auth_methods: None,
            introspection_endpoint_auth_methods: None,
            id_token_signing_algs: None,
            response_iss: false,
            quirks: None,
        }
    }

    /// Sets where the browser is sent (RFC 6749 section 3.1).
    #[must_use]
    pub fn with_authorization_endpoint(self, url: impl Into<String>) -> Self {
        self.with(Endpoints::AUTHORIZATION, url.into())
    }

    /// Sets where tokens are requested (RFC 6749 section 3.2).
    #[must_use]
    pub fn with_token_endpoint(self, url: impl Into<String>) -> Self {
        self.with(Endpoints::TOKEN, url.into())
    }

    /// Sets where a login on another device begins (RFC 8628 section 3.1).
    #[must_use]
    pub fn with_device_authorization_endpoint(self, url: impl Into<String>) -> Self {
        self.with(Endpoints::DEVICE_AUTHORIZATION, url.into())
    }

    /// Sets where tokens are revoked (RFC 7009 section 2).
    #[must_use]
    pub fn with_revocation_endpoint(self, url: impl Into<String>) -> Self {
        self.with(Endpoints::REVOCATION, url.into())
    }

    /// Sets where tokens are introspected (RFC 7662 section 2).
    #[must_use]
    pub fn with_introspection_endpoint(self, url: impl Into<String>) -> Self {
        self.with(Endpoints::INTROSPECTION, url.into())
    }

    /// Sets where clients are registered (RFC 7591 section 3).
    #[must_use]
    pub fn with_registration_endpoint(self, url: impl Into<String>) -> Self {
        self.with(Endpoints::REGISTRATION, url.into())
    }

    /// Sets where an access token is looked up in the style of Google, which no metadata names.
    #[must_use]
    pub fn with_token_info_endpoint(self, url: impl Into<String>) -> Self {
        self.with(Endpoints::TOKEN_INFO, url.into())
    }

    /// Sets where the server's public keys are (RFC 8414 section 2).
    #[must_use]
    pub fn with_jwks_uri(self, url: impl Into<String>) -> Self {
        self.with(Endpoints::JWKS, url.into())
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
        self.endpoints.find(Endpoints::AUTHORIZATION)
    }

    /// Where tokens are requested.
    #[must_use]
    pub fn token_endpoint(&self) -> Option<&str> {
        self.endpoints.find(Endpoints::TOKEN)
    }

    /// Where a login on another device begins.
    #[must_use]
    pub fn device_authorization_endpoint(&self) -> Option<&str> {
        self.endpoints.find(Endpoints::DEVICE_AUTHORIZATION)
    }

    /// Where claims about the person are fetched (OpenID Connect Core section 5.3).
    #[must_use]
    pub fn userinfo_endpoint(&self) -> Option<&str> {
        self.endpoints.find(Endpoints::USERINFO)
    }

    /// Where the server's public keys are (RFC 8414 section 2).
    #[must_use]
    pub fn jwks_uri(&self) -> Option<&str> {
        self.endpoints.find(Endpoints::JWKS)
    }

    /// Where tokens are revoked.
    #[must_use]
    pub fn revocation_endpoint(&self) -> Option<&str> {
        self.endpoints.find(Endpoints::REVOCATION)
    }

    /// Where tokens are introspected.
    #[must_use]
    pub fn introspection_endpoint(&self) -> Option<&str> {
        self.endpoints.find(Endpoints::INTROSPECTION)
    }

    /// Where clients are registered.
    #[must_use]
    pub fn registration_endpoint(&self) -> Option<&str> {
        self.endpoints.find(Endpoints::REGISTRATION)
    }

    /// Where an access token is looked up in the style of Google.
    #[must_use]
    pub fn token_info_endpoint(&self) -> Option<&str> {
        self.endpoints.find(Endpoints::TOKEN_INFO)
    }

    /// How clients may authenticate at the token endpoint; `None` when the server does not say.
    #[must_use]
    pub fn token_endpoint_auth_methods(&self) -> Option<&[AuthMethod]> {
        self.token_endpoint_auth_methods.as_deref()
    }

    /// How clients may authenticate at the revocation endpoint; `None` when the server does not say, and the token
    /// endpoint's methods are used.
    #[must_use]
    pub fn revocation_endpoint_auth_methods(&self) -> Option<&[AuthMethod]> {
        self.revocation_endpoint_auth_methods.as_deref()
    }

    /// How callers may authenticate at the introspection endpoint, which includes token types such as `Bearer`
    /// (RFC 8414 section 2); `None` when the server does not say, and the token endpoint's methods are used.
    #[must_use]
    pub fn introspection_endpoint_auth_methods(&self) -> Option<&[AuthMethod]> {
        self.introspection_endpoint_auth_methods.as_deref()
    }

    /// By which algorithms it signs ID tokens (OpenID Connect Discovery section 3); `None` when the server does not say.
    #[must_use]
    pub fn id_token_signing_algs(&self) -> Option<&[Algorithm]> {
        self.id_token_signing_algs.as_deref()
    }

    fn with(mut self, name: &'static str, url: String) -> Self {
        self.endpoints.set(name, url);
        self
    }
}
