//! One token for another (RFC 8693).

use super::parameters::Parameters;
use crate::client::ConfigError;
use crate::exchange::Grant;
use crate::failure::Rejected;
use crate::form::Form;
use crate::policy::Policy;
use crate::registry::{GrantType, TokenType, TokenTypeIdentifier};
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::{AccessToken, IdToken, RefreshToken};
use crate::token::Tokens;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A token for another token: on behalf of somebody, as somebody, or for another service (RFC 8693 section 2.1).
///
/// What comes back is in `access_token` whatever it is; `issued_token_type` says what. One that is no access token has
/// the [`TokenType::N_A`]: it opens nothing by itself, and is shown to another token endpoint, as an assertion, say.
pub struct TokenExchange {
    subject: SecurityToken,
    actor: Option<SecurityToken>,
    requested: Option<TokenTypeIdentifier>,
    resources: Vec<Resource>,
    audiences: Vec<String>,
    scope: Option<Scope>,
    parameters: Parameters,
}

impl TokenExchange {
    /// Exchanges the token of the party on whose behalf the request is made.
    ///
    /// What kind of token comes back is the server's choice unless [`requested`](Self::requested) says it.
    #[must_use]
    pub fn new(subject: impl Into<SecurityToken>) -> Self {
        Self {
            subject: subject.into(),
            actor: None,
            requested: None,
            resources: Vec::new(),
            audiences: Vec::new(),
            scope: None,
            parameters: Parameters::new(),
        }
    }

    /// Names who acts for the subject: the new token tells the two apart (delegation, RFC 8693 section 1.1).
    #[must_use]
    pub fn with_actor(mut self, actor: impl Into<SecurityToken>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Asks for this type of token. An answer with another one is rejected.
    #[must_use]
    pub fn requested(mut self, token_type: TokenTypeIdentifier) -> Self {
        self.requested = Some(token_type);
        self
    }

    /// Names a service where the token will be used. May be called again for another one.
    #[must_use]
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Adds the name of a service where the token will be used. May be called again for another one.
    #[must_use]
    pub fn with_audience(mut self, name: impl Into<String>) -> Self {
        self.audiences.push(name.into());
        self
    }

    /// Asks for this scope.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Adds a parameter that the server wants.
    ///
    /// One that the client sets itself, or that comes twice, is refused when the flow is made.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.add(name, value);
        self
    }
}

impl Grant for TokenExchange {
    fn validate(&self, _: &Policy) -> Result<(), ConfigError> {
        self.parameters.validate(&[
            "resource",
            "audience",
            "requested_token_type",
            "subject_token",
            "subject_token_type",
            "actor_token",
            "actor_token_type",
        ])
    }

    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::TOKEN_EXCHANGE.as_str());
        Resource::write(&self.resources, form);
        for name in &self.audiences {
            form.pair("audience", name);
        }
        if let Some(scope) = &self.scope {
            form.pair("scope", scope.as_str());
        }
        if let Some(requested) = &self.requested {
            form.pair("requested_token_type", requested.as_str());
        }
        form.pair("subject_token", self.subject.token.expose());
        form.pair("subject_token_type", self.subject.token_type.as_str());
        // RFC 8693 section 2.1: the type is REQUIRED with an actor token and MUST NOT come without one.
        if let Some(actor) = &self.actor {
            form.pair("actor_token", actor.token.expose());
            form.pair("actor_token_type", actor.token_type.as_str());
        }
        self.parameters.write(form);
    }

    fn takes(&self, token_type: &TokenType) -> bool {
        // RFC 8693 section 2.2.1: N_A is the type of what is no access token.
        *token_type == TokenType::BEARER || *token_type == TokenType::N_A
    }

    fn check(&self, tokens: &Tokens) -> Result<(), Rejected> {
        match (&tokens.issued_token_type, &self.requested) {
            // RFC 8693 section 2.2.1: issued_token_type is REQUIRED.
            (None, _) => Err(Rejected::NoIssuedTokenType),
            (Some(issued), Some(requested)) if issued != requested => {
                Err(Rejected::IssuedTokenType { requested: requested.clone() })
            }
            _ => Ok(()),
        }
    }

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }
}

impl fmt::Debug for TokenExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The parameters are the program's own: nobody knows what is in their values.
        f.debug_struct("TokenExchange")
            .field("subject", &self.subject)
            .field("actor", &self.actor)
            .field("requested", &self.requested)
            .field("resources", &self.resources)
            .field("audiences", &self.audiences)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// A token that is shown in order to be exchanged, and what it is (RFC 8693 section 3).
///
/// [`AccessToken`], [`RefreshToken`] and [`IdToken`] become one by `into`. No `Display`, a blind `Debug`, wiped on drop.
#[derive(Clone, Debug)]
pub struct SecurityToken {
    token: AccessToken,
    token_type: TokenTypeIdentifier,
}

impl SecurityToken {
    /// A token of this type. SAML assertions are given as base64url, without padding (RFC 8693 section 3).
    #[must_use]
    pub fn new(token: impl Into<String>, token_type: TokenTypeIdentifier) -> Self {
        Self { token: AccessToken::new(token), token_type }
    }
}

impl From<AccessToken> for SecurityToken {
    fn from(token: AccessToken) -> Self {
        Self { token, token_type: TokenTypeIdentifier::ACCESS_TOKEN }
    }
}

impl From<RefreshToken> for SecurityToken {
    fn from(token: RefreshToken) -> Self {
        Self::new(token.expose(), TokenTypeIdentifier::REFRESH_TOKEN)
    }
}

impl From<IdToken> for SecurityToken {
    fn from(token: IdToken) -> Self {
        Self::new(token.expose(), TokenTypeIdentifier::ID_TOKEN)
    }
}
