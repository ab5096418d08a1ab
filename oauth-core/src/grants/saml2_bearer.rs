//! An assertion of an identity provider (RFC 7522 section 2.1).

use crate::exchange::Grant;
use crate::form::Form;
use crate::registry::GrantType;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::{AccessToken, SecretBytes};
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A SAML 2.0 assertion in place of a person (RFC 7522 section 2.1).
///
/// The assertion comes from an identity provider that the server trusts, and is passed on as it is: nothing of it is
/// read or checked here.
#[derive(Debug)]
pub struct Saml2Bearer {
    /// Encoded once: a credential, wiped on drop.
    assertion: AccessToken,
    scope: Option<Scope>,
    resources: Vec<Resource>,
}

impl Saml2Bearer {
    /// Takes the XML of a single `Assertion` element, not encoded.
    #[must_use]
    pub fn new(assertion: &SecretBytes) -> Self {
        // RFC 7522 section 2.1: base64url; no line breaks, and no padding.
        let encoded = AccessToken::new(URL_SAFE_NO_PAD.encode(assertion.expose()));
        Self { assertion: encoded, scope: None, resources: Vec::new() }
    }

    /// Asks for this scope.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Asks for an access token for this resource (RFC 8707 section 2.2). May be called again.
    #[must_use]
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }
}

impl Grant for Saml2Bearer {
    fn names_its_issuer(&self) -> bool {
        true
    }

    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::SAML2_BEARER.as_str());
        form.pair("assertion", self.assertion.expose());
        if let Some(scope) = &self.scope {
            form.pair("scope", scope.as_str());
        }
        Resource::write(&self.resources, form);
    }

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }
}
