//! What all of this is for: a value for the `Authorization` header.

use crate::error::Error;
use core::fmt;
use core::time::Duration;
use oauth_core::{IdToken, IdTokenClaims, RefreshToken, Scope, SecretBytes, TokenType, Tokens, Unix};
use std::time::{SystemTime, UNIX_EPOCH};

/// A ready authorization: the access token and what came with it.
///
/// It has no `Display` and a blind `Debug`, so that it is not logged by accident; it is wiped on drop.
/// [`header_value`](Self::header_value) is the string that goes into the header.
#[derive(Clone)]
pub struct Authorization {
    /// `Bearer`, a space, the token. ASCII.
    header: SecretBytes,
    token_at: usize,
    tokens: Tokens,
}

impl Authorization {
    /// The header value of these tokens.
    ///
    /// # Errors
    /// They are no bearer tokens, or spelled so that no header can carry them (RFC 6750 section 2.1): the error hands them
    /// back, for a refresh token among them may be the only live one.
    pub fn new(tokens: Tokens) -> Result<Self, Error> {
        // RFC 6750 section 2.1 spells the scheme with a capital, whatever the server wrote.
        let scheme = TokenType::BEARER;
        if tokens.token_type != scheme || tokens.access_token.bearer().is_err() {
            return Err(Error::NotBearer(Box::new(tokens)));
        }
        let token_at = scheme.as_str().len() + 1;
        let token = tokens.access_token.expose();
        let mut header = Vec::with_capacity(token_at + token.len());
        header.extend_from_slice(scheme.as_str().as_bytes());
        header.push(b' ');
        header.extend_from_slice(token.as_bytes());
        Ok(Self { header: SecretBytes::new(header), token_at, tokens })
    }

    /// The value of an `Authorization` header: `Bearer 2YotnFZFEjr1zCsicMWpAA` (RFC 6750 section 2.1).
    #[must_use]
    pub fn header_value(&self) -> &str {
        // A token that a header can carry is ASCII.
        core::str::from_utf8(self.header.expose()).unwrap_or_default()
    }

    /// The access token alone.
    #[must_use]
    pub fn token(&self) -> &str {
        self.header_value().get(self.token_at..).unwrap_or_default()
    }

    /// When the access token ends; `None` when the server does not say.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.ends().and_then(|unix| UNIX_EPOCH.checked_add(Duration::from_secs(unix.0)))
    }

    pub(crate) const fn ends(&self) -> Option<Unix> {
        self.tokens.expires_at
    }

    /// What was granted.
    #[must_use]
    pub const fn scope(&self) -> Option<&Scope> {
        self.tokens.scope.as_ref()
    }

    /// What obtains the next access token: store it before the old one is forgotten.
    #[must_use]
    pub const fn refresh_token(&self) -> Option<&RefreshToken> {
        self.tokens.refresh_token.as_ref()
    }

    /// Who signed in, where `openid` was asked for and an ID token came: its signature was verified, and its claims checked
    /// (OpenID Connect Core section 3.1.3.7).
    #[must_use]
    pub fn id_token_claims(&self) -> Option<&IdTokenClaims> {
        self.tokens.id_token_claims.as_deref()
    }

    /// An ID Token that came along, as it came: for `id_token_hint` and the like. What it says is in
    /// [`id_token_claims`](Self::id_token_claims).
    #[must_use]
    pub const fn id_token(&self) -> Option<&IdToken> {
        self.tokens.id_token.as_ref()
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("expires_at", &self.expires_at())
            .field("scope", &self.tokens.scope)
            .field("refresh_token", &self.tokens.refresh_token.is_some())
            .finish_non_exhaustive()
    }
}
