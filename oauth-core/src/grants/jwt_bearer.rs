//! An assertion that the client signs (RFC 7523 section 2.1).

use crate::assertion::{Assertion, wrong_claim};
use crate::authorize::text;
use crate::client::ConfigError;
use crate::exchange::Grant;
use crate::flow::{KeyId, SignTask};
use crate::form::Form;
use crate::json::Value;
use crate::policy::Policy;
use crate::registry::{Algorithm, GrantType};
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::AccessToken;
use crate::seed::{Part, Seed};
use crate::time::Unix;
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::time::Duration;

/// An assertion that this client signs, in place of a person (RFC 7523 section 2.1): service accounts.
///
/// The core writes the header and the claims; whoever holds the key signs them ([`KeyTask`](crate::KeyTask)).
#[derive(Debug)]
pub struct JwtBearer {
    key: KeyId,
    algorithm: Algorithm,
    kid: Option<String>,
    issuer: String,
    subject: Subject,
    audience: String,
    scope: Option<Scope>,
    resources: Vec<Resource>,
    lifetime: Duration,
    extra: Vec<(String, Value<'static>)>,
    wrong: Option<ConfigError>,
    /// The signing input, then the whole assertion: a credential, wiped on drop.
    assertion: AccessToken,
}

/// For whom an assertion speaks.
#[derive(Debug)]
enum Subject {
    Issuer,
    Other(String),
    Nobody,
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
            subject: Subject::Issuer,
            audience: audience.into(),
            scope: None,
            resources: Vec::new(),
            lifetime: Duration::from_secs(300),
            extra: Vec::new(),
            wrong: None,
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
        self.subject = Subject::Other(subject.into());
        self
    }

    /// Speaks for nobody: the assertion has no `sub`. RFC 7523 section 3 asks for one, and some servers take it for a wish
    /// to speak for somebody else.
    #[must_use]
    pub fn without_subject(mut self) -> Self {
        self.subject = Subject::Nobody;
        self
    }

    /// Adds a claim that the server wants: `target_audience`, say. May be called again.
    #[must_use]
    pub fn with_claim(mut self, name: impl Into<String>, value: Value<'static>) -> Self {
        let name = name.into();
        match wrong_claim(&self.extra, &name) {
            Some(why) => self.wrong = Some(ConfigError::Claim { name, why }),
            None => self.extra.push((name, value)),
        }
        self
    }

    /// Asks for this scope, as a parameter and, as Google wants it, as a claim.
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

    /// Lives this long, at most an hour.
    #[must_use]
    pub fn living(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime.min(Duration::from_secs(3600));
        self
    }
}

impl Grant for JwtBearer {
    fn names_its_issuer(&self) -> bool {
        true
    }

    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::JWT_BEARER.as_str());
        form.pair("assertion", self.assertion.expose());
        if let Some(scope) = &self.scope {
            form.pair("scope", scope.as_str());
        }
        Resource::write(&self.resources, form);
    }

    fn validate(&self, _: &Policy) -> Result<(), ConfigError> {
        self.wrong.clone().map_or(Ok(()), Err)
    }

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    fn assertion(&mut self, now: Unix, seed: &Seed) -> Option<SignTask> {
        let jti = seed.text(Part::State);
        let input = Assertion {
            algorithm: &self.algorithm,
            kid: self.kid.as_deref(),
            issuer: &self.issuer,
            subject: match &self.subject {
                Subject::Issuer => Some(&self.issuer),
                Subject::Other(subject) => Some(subject),
                Subject::Nobody => None,
            },
            audience: &self.audience,
            scope: self.scope.as_ref().map(Scope::as_str),
            jti: text(&jti),
            lifetime: self.lifetime,
            extra: &self.extra,
        }
        .signing_input(now);
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
