//! What an access token opens, where it is a JWT (RFC 9068 sections 2.2 and 4): for a resource that is presented with one.

use super::{Claims, ClaimsError, LEEWAY};
use crate::json::Value;
use crate::scope::Scope;
use crate::time::Unix;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// The rules by which an access token is believed. Its `typ` is `at+jwt`.
#[derive(Clone, Debug)]
pub struct AccessTokenRules {
    issuer: String,
    audience: String,
    leeway: Duration,
}

impl AccessTokenRules {
    /// A token of this issuer for this resource.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), audience: audience.into(), leeway: LEEWAY }
    }

    /// How far the two clocks may differ, either way: half a minute unless it is said here.
    #[must_use]
    pub const fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Checks the claims of a token whose signature was verified. Whether its scope is enough is for the caller to know.
    ///
    /// # Errors
    /// Which claim is missing, of the wrong type, or wrong, and in what way.
    pub fn check(&self, payload: &[u8], now: Unix) -> Result<AccessTokenClaims, ClaimsError> {
        let mut claims = Claims::read(payload)?;
        let iss = claims.issuer(&self.issuer)?;
        let aud = claims.audience(&self.audience)?;
        let (iat, exp) = claims.times(now, self.leeway)?;
        let (sub, client_id) = (claims.required("sub")?, claims.required("client_id")?);
        let jti = claims.required("jti")?;
        let scope = match claims.text("scope")? {
            None => None,
            Some(text) if text.is_empty() => None,
            Some(text) => Some(Scope::new(&text).map_err(|_| ClaimsError::wrong("scope", "it is no scope"))?),
        };
        Ok(AccessTokenClaims { iss, sub, client_id, aud, iat, exp, jti, scope, extra: claims.rest() })
    }
}

/// What an access token says.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct AccessTokenClaims {
    /// Who issued it.
    pub iss: String,
    /// On whose behalf; the client itself, where nobody signed in.
    pub sub: String,
    /// To which client.
    pub client_id: String,
    /// For which resources.
    pub aud: Vec<String>,
    /// When it was issued.
    pub iat: Unix,
    /// When it ends.
    pub exp: Unix,
    /// Its own name.
    pub jti: String,
    /// What it allows, where that is told.
    pub scope: Option<Scope>,
    /// Everything else, as it came.
    pub extra: Vec<(String, Value<'static>)>,
}

impl fmt::Debug for AccessTokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenClaims")
            .field("iss", &self.iss)
            .field("client_id", &self.client_id)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}
