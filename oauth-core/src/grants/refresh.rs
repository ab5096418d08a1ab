//! New tokens for an old one (RFC 6749 section 6).

use crate::claims::{IdTokenClaims, IdTokenRules};
use crate::exchange::Grant;
use crate::failure::Rejected;
use crate::form::Form;
use crate::registry::GrantType;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::RefreshToken;
use crate::token::Tokens;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// New tokens for an old refresh token (RFC 6749 section 6).
///
/// The outcome's `refresh_token` is the one to keep: the new one, or the old one where the server sends none. Store it
/// before the old one is forgotten.
#[derive(Debug)]
pub struct Refresh {
    token: RefreshToken,
    scope: Option<Scope>,
    granted: Option<Scope>,
    resources: Vec<Resource>,
    signed_in: Option<Box<IdTokenClaims>>,
}

impl Refresh {
    /// The whole scope of the refresh token.
    #[must_use]
    pub const fn new(token: RefreshToken) -> Self {
        Self { token, scope: None, granted: None, resources: Vec::new(), signed_in: None }
    }

    /// Asks for less than was granted.
    #[must_use]
    pub fn narrowed_to(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// What was granted with the refresh token: an answer that claims more is rejected.
    #[must_use]
    pub fn granted(mut self, scope: Scope) -> Self {
        self.granted = Some(scope);
        self
    }

    /// Who signed in when the refresh token was granted: an ID token that comes along must be about the same person (OpenID
    /// Connect Core section 12.2). Without this it is handed on unread.
    #[must_use]
    pub fn signed_in(mut self, claims: IdTokenClaims) -> Self {
        self.signed_in = Some(Box::new(claims));
        self
    }

    /// Asks for an access token for this resource (RFC 8707 section 2.2). May be called again.
    #[must_use]
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }
}

impl Grant for Refresh {
    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::REFRESH_TOKEN.as_str());
        form.pair("refresh_token", self.token.expose());
        if let Some(scope) = &self.scope {
            form.pair("scope", scope.as_str());
        }
        Resource::write(&self.resources, form);
    }

    fn check(&self, tokens: &Tokens) -> Result<(), Rejected> {
        // RFC 6749 section 6: the scope may not grow.
        match (&self.granted, &tokens.scope) {
            (Some(granted), Some(now)) if !granted.covers(now) => Err(Rejected::ScopeGrew),
            _ => Ok(()),
        }
    }

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref().or(self.granted.as_ref())
    }

    fn renews(&self) -> Option<&RefreshToken> {
        Some(&self.token)
    }

    fn id_token(&self, rules: IdTokenRules) -> Option<IdTokenRules> {
        self.signed_in.as_deref().map(|claims| rules.after_refresh(claims.clone()))
    }
}
