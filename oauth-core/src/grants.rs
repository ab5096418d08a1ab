//! The grants that need nobody in front of a browser.

use crate::exchange::Grant;
use crate::failure::Rejected;
use crate::flow::{KeyId, SignTask};
use crate::form::Form;
use crate::json::quote;
use crate::registry::{Algorithm, GrantType};
use crate::scope::Scope;
use crate::secret::{AccessToken, RefreshToken};
use crate::seed::{Part, Seed};
use crate::time::Unix;
use crate::token::Tokens;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt;
use core::time::Duration;

/// New tokens for an old refresh token (RFC 6749 section 6).
///
/// The outcome's `refresh_token` is the one to keep: the new one, or the old one where the server sends none. Store it
/// before the old one is forgotten.
#[derive(Debug)]
pub struct Refresh {
    token: RefreshToken,
    scope: Option<Scope>,
    granted: Option<Scope>,
}

impl Refresh {
    /// The whole scope of the refresh token.
    #[must_use]
    pub const fn new(token: RefreshToken) -> Self {
        Self { token, scope: None, granted: None }
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
}

impl Grant for Refresh {
    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::REFRESH_TOKEN.as_str());
        form.pair("refresh_token", self.token.expose());
        if let Some(scope) = &self.scope {
            form.pair("scope", scope.as_str());
        }
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
}

/// A client on its own behalf (RFC 6749 section 4.4).
#[derive(Default)]
pub struct ClientCredentials {
    scope: Option<Scope>,
    parameters: Vec<(String, String)>,
}

impl ClientCredentials {
    /// The server's default scope.
    #[must_use]
    pub const fn new() -> Self {
        Self { scope: None, parameters: Vec::new() }
    }

    /// Asks for this scope.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Adds a parameter that the server wants: `audience`, say.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }
}

impl Grant for ClientCredentials {
    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::CLIENT_CREDENTIALS.as_str());
        if let Some(scope) = &self.scope {
            form.pair("scope", scope.as_str());
        }
        for (name, value) in &self.parameters {
            form.pair(name, value);
        }
    }

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The parameters are the program's own: nobody knows what is in their values.
        f.debug_struct("ClientCredentials").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// An assertion that this client signs, in place of a person (RFC 7523 section 2.1): service accounts.
///
/// The core writes the header and the claims; whoever holds the key signs them ([`KeyTask`](crate::KeyTask)).
#[derive(Debug)]
pub struct JwtBearer {
    key: KeyId,
    algorithm: Algorithm,
    kid: Option<String>,
    issuer: String,
    subject: Option<String>,
    audience: String,
    scope: Option<Scope>,
    lifetime: Duration,
    /// The signing input, then the whole assertion: a credential, wiped on drop.
    assertion: AccessToken,
}

impl JwtBearer {
    /// An assertion of `issuer` for `audience`: the server's issuer, or the token endpoint where a server wants that.
    ///
    /// It lives five minutes, and its `sub` is the issuer unless another is named.
    #[must_use]
    pub fn new(
        key: KeyId,
        algorithm: Algorithm,
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Self {
        Self {
            key,
            algorithm,
            kid: None,
            issuer: issuer.into(),
            subject: None,
            audience: audience.into(),
            scope: None,
            lifetime: Duration::from_secs(300),
            assertion: AccessToken::new(String::new()),
        }
    }

    /// Names the key to the server (`kid`, RFC 7515 section 4.1.4).
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// Speaks for this subject.
    #[must_use]
    pub fn on_behalf_of(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Asks for this scope, as a parameter and, as Google wants it, as a claim.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Lives this long, at most an hour.
    #[must_use]
    pub fn living(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime.min(Duration::from_secs(3600));
        self
    }

    fn signing_input(&self, now: Unix, seed: &Seed) -> String {
        let mut header = String::from("{\"alg\":");
        quote(self.algorithm.as_str(), &mut header);
        header.push_str(",\"typ\":\"JWT\"");
        member(&mut header, "kid", self.kid.as_deref());
        header.push('}');
        let mut claims = String::from("{\"iss\":");
        quote(&self.issuer, &mut claims);
        member(&mut claims, "sub", Some(self.subject.as_deref().unwrap_or(&self.issuer)));
        member(&mut claims, "aud", Some(&self.audience));
        member(&mut claims, "scope", self.scope.as_ref().map(Scope::as_str));
        // RFC 7523 section 3: exp is required, iat and jti let the server refuse what is old or comes twice.
        for (name, moment) in [("iat", now), ("exp", now.after(self.lifetime))] {
            claims.push_str(",\"");
            claims.push_str(name);
            claims.push_str("\":");
            claims.push_str(&moment.0.to_string());
        }
        let jti = seed.text(Part::State);
        member(&mut claims, "jti", core::str::from_utf8(&jti).ok());
        claims.push('}');
        let mut input = URL_SAFE_NO_PAD.encode(header);
        input.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut input);
        input
    }
}

fn member(json: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        json.push_str(",\"");
        json.push_str(name);
        json.push_str("\":");
        quote(value, json);
    }
}

impl Grant for JwtBearer {
    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::JWT_BEARER.as_str());
        form.pair("assertion", self.assertion.expose());
        if let Some(scope) = &self.scope {
            form.pair("scope", scope.as_str());
        }
    }

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    fn assertion(&mut self, now: Unix, seed: &Seed) -> Option<SignTask> {
        let input = self.signing_input(now, seed);
        let task = SignTask::new(self.key.clone(), self.algorithm.clone(), input.as_bytes().to_vec());
        self.assertion = AccessToken::new(input);
        Some(task)
    }

    fn signed(&mut self, signature: &[u8]) {
        let mut assertion = String::from(self.assertion.expose());
        assertion.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut assertion);
        self.assertion = AccessToken::new(assertion);
    }
}
