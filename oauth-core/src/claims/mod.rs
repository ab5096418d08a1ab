//! What signed messages claim, and the rules by which it is believed: ID tokens, logout tokens, access tokens as JWT.
//!
//! **In scope**: one file for each kind of message, over the reading and the rules on time that all of them share. A claim of
//! the wrong type is an error and never taken for one that is absent. **Out of scope**: signatures. Whoever gives a payload
//! here has verified it before (`oauth_jwt::Jws`), and knows by which algorithm.

mod access_token;
mod id_token;
mod introspection;
mod logout_token;

pub use access_token::{AccessTokenClaims, AccessTokenRules};
pub use id_token::{IdTokenClaims, IdTokenRules};
pub(crate) use introspection::IntrospectionRules;
pub use logout_token::{LogoutTokenClaims, LogoutTokenRules};

use crate::failure::Malformed;
use crate::json::Value;
use crate::time::Unix;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// How far two clocks may differ unless it is said otherwise.
pub(crate) const LEEWAY: Duration = Duration::from_secs(30);

/// Why the claims of a message are not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimsError {
    /// Not a JSON object, or with a member twice.
    Malformed(Malformed),
    /// A claim that must be there is not.
    Missing(&'static str),
    /// A claim has another type than it must have.
    WrongType(&'static str),
    /// A claim has a value that is not the one for this client, or for this moment.
    Wrong {
        /// Which one.
        claim: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl ClaimsError {
    pub(crate) const fn wrong(claim: &'static str, why: &'static str) -> Self {
        Self::Wrong { claim, why }
    }
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "the claims cannot be read: {why}"),
            Self::Missing(claim) => write!(f, "the claim {claim} is missing"),
            Self::WrongType(claim) => write!(f, "the claim {claim} has a type that it may not have"),
            Self::Wrong { claim, why } => write!(f, "the claim {claim} is wrong: {why}"),
        }
    }
}

impl core::error::Error for ClaimsError {}

/// The members of a payload, taken one by one; what is left is the caller's.
pub(crate) struct Claims(Vec<(String, Value<'static>)>);

impl Claims {
    pub(crate) fn read(payload: &[u8]) -> Result<Self, ClaimsError> {
        let Value::Object(members) = Value::read(payload).map_err(ClaimsError::Malformed)? else {
            return Err(ClaimsError::Malformed(Malformed::NotAnObject));
        };
        let owned = members.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned()));
        Ok(Self(owned.collect()))
    }

    pub(crate) fn take(&mut self, claim: &str) -> Option<Value<'static>> {
        let at = self.0.iter().position(|(name, _)| name == claim)?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn has(&self, claim: &str) -> bool {
        self.0.iter().any(|(name, _)| name == claim)
    }

    pub(crate) fn text(&mut self, claim: &'static str) -> Result<Option<String>, ClaimsError> {
        match self.take(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.into_owned())),
            Some(_) => Err(ClaimsError::WrongType(claim)),
        }
    }

    /// A text that must be there, and not be empty.
    pub(crate) fn required(&mut self, claim: &'static str) -> Result<String, ClaimsError> {
        let text = self.text(claim)?.ok_or(ClaimsError::Missing(claim))?;
        if text.is_empty() { Err(ClaimsError::wrong(claim, "it is empty")) } else { Ok(text) }
    }

    /// A NumericDate (RFC 7519 section 2): a number, whose fraction says nothing here.
    pub(crate) fn moment(&mut self, claim: &'static str) -> Result<Option<Unix>, ClaimsError> {
        match self.take(claim) {
            None => Ok(None),
            Some(Value::Unsigned(seconds)) => Ok(Some(Unix(seconds))),
            Some(Value::Float(seconds)) if (0.0..1e15).contains(&seconds) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it was just looked at"
                )]
                let whole = seconds as u64;
                Ok(Some(Unix(whole)))
            }
            Some(_) => Err(ClaimsError::WrongType(claim)),
        }
    }

    /// One text, or a list of nothing but texts.
    pub(crate) fn texts(&mut self, claim: &'static str) -> Result<Vec<String>, ClaimsError> {
        match self.take(claim) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok([text.into_owned()].into()),
            Some(Value::Array(values)) => {
                let texts = values.into_iter().map(|value| value.as_str().map(ToOwned::to_owned));
                texts.collect::<Option<_>>().ok_or(ClaimsError::WrongType(claim))
            }
            Some(_) => Err(ClaimsError::WrongType(claim)),
        }
    }

    pub(crate) fn issuer(&mut self, expected: &str) -> Result<String, ClaimsError> {
        let iss = self.required("iss")?;
        // Identical, code point by code point (OpenID Connect Core section 3.1.3.7, rule 2).
        if iss == expected { Ok(iss) } else { Err(ClaimsError::wrong("iss", "it is of another issuer")) }
    }

    pub(crate) fn audience(&mut self, expected: &str) -> Result<Vec<String>, ClaimsError> {
        let aud = self.texts("aud")?;
        if aud.is_empty() {
            return Err(ClaimsError::Missing("aud"));
        }
        if aud.iter().any(|aud| aud == expected) {
            Ok(aud)
        } else {
            Err(ClaimsError::wrong("aud", "it is for somebody else"))
        }
    }

    /// When it was issued, when it ends: the leeway is the same both ways.
    pub(crate) fn times(&mut self, now: Unix, leeway: Duration) -> Result<(Unix, Unix), ClaimsError> {
        let iat = self.moment("iat")?.ok_or(ClaimsError::Missing("iat"))?;
        let exp = self.moment("exp")?.ok_or(ClaimsError::Missing("exp"))?;
        let nbf = self.moment("nbf")?;
        // RFC 7519 section 4.1.4: at this very moment it has ended.
        if exp.after(leeway) <= now {
            return Err(ClaimsError::wrong("exp", "it has ended"));
        }
        if iat > now.after(leeway) {
            return Err(ClaimsError::wrong("iat", "it was issued in the future: is a clock wrong?"));
        }
        if nbf.is_some_and(|nbf| nbf > now.after(leeway)) {
            return Err(ClaimsError::wrong("nbf", "it is not valid yet"));
        }
        Ok((iat, exp))
    }

    /// What nobody took.
    pub(crate) fn rest(self) -> Vec<(String, Value<'static>)> {
        self.0
    }
}

#[cfg(test)]
mod tests;
