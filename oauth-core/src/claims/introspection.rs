//! What a token is good for, as a signed message (RFC 9701 section 5).

use super::{Claims, ClaimsError, LEEWAY};
use crate::json::Value;
use crate::time::Unix;
use crate::verify::MessageRules;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The rules by which a signed introspection response is believed.
#[derive(Debug)]
pub(crate) struct IntrospectionRules {
    issuer: Arc<str>,
    client_id: Arc<str>,
}

impl IntrospectionRules {
    /// Its kind, and its media type behind `application/`.
    pub(crate) const TYP: &'static str = "token-introspection+jwt";

    pub(crate) const fn new(issuer: Arc<str>, client_id: Arc<str>) -> Self {
        Self { issuer, client_id }
    }
}

impl MessageRules for IntrospectionRules {
    /// The members of the response that is in it.
    type Claims = Vec<(String, Value<'static>)>;

    fn typ(&self) -> Option<&'static str> {
        Some(Self::TYP)
    }

    fn check(&self, payload: &[u8], now: Unix) -> Result<Self::Claims, ClaimsError> {
        let mut claims = Claims::read(payload)?;
        let _iss = claims.issuer(&self.issuer)?;
        let _aud = claims.audience(&self.client_id)?;
        let iat = claims.moment("iat")?.ok_or(ClaimsError::Missing("iat"))?;
        if iat > now.after(LEEWAY) {
            return Err(ClaimsError::wrong("iat", "it was issued in the future: is a clock wrong?"));
        }
        // Section 5: these would let it pass for an access token.
        for claim in ["sub", "exp"] {
            if claims.has(claim) {
                return Err(ClaimsError::wrong(claim, "a signed introspection response has none"));
            }
        }
        match claims.take("token_introspection") {
            None => Err(ClaimsError::Missing("token_introspection")),
            Some(Value::Object(members)) => {
                Ok(members.into_iter().map(|(name, value)| (name.into_owned(), value)).collect())
            }
            Some(_) => Err(ClaimsError::WrongType("token_introspection")),
        }
    }
}
