//! That somebody signed out (OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6).

use super::{Claims, ClaimsError, LEEWAY};
use crate::json::Value;
use crate::time::Unix;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

/// The rules by which a logout token is believed. Its `typ` is `logout+jwt`.
#[derive(Clone, Debug)]
pub struct LogoutTokenRules {
    issuer: String,
    client_id: String,
    leeway: Duration,
}

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl LogoutTokenRules {
    /// A token of this issuer for this client.
    #[must_use]
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), client_id: client_id.into(), leeway: LEEWAY }
    }

    /// How far the two clocks may differ, either way: half a minute unless it is said here.
    #[must_use]
    pub const fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Checks the claims of a token whose signature was verified.
    ///
    /// That `jti` did not come before is for the caller to know, who remembers it until `exp`.
    ///
    /// # Errors
    /// Which claim is missing, of the wrong type, or wrong, and in what way.
    pub fn check(&self, payload: &[u8], now: Unix) -> Result<LogoutTokenClaims, ClaimsError> {
        let mut claims = Claims::read(payload)?;
        let iss = claims.issuer(&self.issuer)?;
        let _aud = claims.audience(&self.client_id)?;
        let (_, exp) = claims.times(now, self.leeway)?;
        let jti = claims.required("jti")?;
        let (sub, sid) = (claims.text("sub")?, claims.text("sid")?);
        if sub.is_none() && sid.is_none() {
            return Err(ClaimsError::Missing("sub"));
        }
        // Section 2.4: an ID token has one, and must not pass for this.
        if claims.has("nonce") {
            return Err(ClaimsError::wrong("nonce", "a logout token has none"));
        }
        match claims.take("events") {
            None => Err(ClaimsError::Missing("events")),
            Some(events @ Value::Object(_)) => match events.member(EVENT) {
                Some(Value::Object(_)) => Ok(LogoutTokenClaims { iss, sub, sid, jti, exp }),
                Some(_) => Err(ClaimsError::WrongType("events")),
                None => Err(ClaimsError::wrong("events", "it is about something else than a logout")),
            },
            Some(_) => Err(ClaimsError::WrongType("events")),
        }
    }
}

/// Who signed out.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogoutTokenClaims {
    /// Who says it.
    pub iss: String,
    /// Whose sessions end: all of them, where no `sid` is there.
    pub sub: Option<String>,
    /// Which session ends.
    pub sid: Option<String>,
    /// Comes once.
    pub jti: String,
    /// Until when `jti` has to be remembered.
    pub exp: Unix,
}

impl fmt::Debug for LogoutTokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutTokenClaims")
            .field("iss", &self.iss)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}
