//! A person's password, typed into this program (RFC 6749 section 4.3).

use super::parameters::Parameters;
use crate::client::ConfigError;
use crate::exchange::Grant;
use crate::form::Form;
use crate::policy::{OptOut, Policy};
use crate::registry::GrantType;
use crate::scope::Scope;
use crate::secret::Password;
use alloc::string::String;
use core::fmt;

/// The password of a person, given to this program instead of to the server (RFC 6749 section 4.3).
///
/// RFC 9700 section 2.4 forbids it: the program learns the password, and no second factor and no other way to sign in
/// works. It is here for servers that offer nothing else, and is refused unless [`OptOut::PasswordGrant`] is waived.
pub struct ResourceOwnerPassword {
    username: String,
    password: Password,
    scope: Option<Scope>,
    parameters: Parameters,
}

impl ResourceOwnerPassword {
    /// The server's default scope. The password is wiped when the flow is dropped.
    #[must_use]
    pub fn new(username: impl Into<String>, password: Password) -> Self {
        Self { username: username.into(), password, scope: None, parameters: Parameters::new() }
    }

    /// Asks for this scope.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Adds a parameter that the server wants: `audience`, say.
    ///
    /// One that the client sets itself, or that comes twice, is refused when the flow is made.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.add(name, value);
        self
    }
}

impl Grant for ResourceOwnerPassword {
    fn waived(&self) -> Option<OptOut> {
        // RFC 9700 section 2.4: the password grant MUST NOT be used.
        Some(OptOut::PasswordGrant)
    }

    fn validate(&self, _: &Policy) -> Result<(), ConfigError> {
        for (parameter, text) in [("username", self.username.as_str()), ("password", self.password.expose())]
        {
            // RFC 6749 appendix A.15 and A.16. The line break of the terminal that it was typed at, mostly.
            if text.is_empty() || text.chars().any(|c| c.is_control() && c != '\t') {
                let why = "it is empty, or has a line break or another control character in it";
                return Err(ConfigError::Value { parameter, why });
            }
        }
        self.parameters.validate(&["username", "password"])
    }

    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::PASSWORD.as_str());
        form.pair("username", &self.username);
        form.pair("password", self.password.expose());
        if let Some(scope) = &self.scope {
            form.pair("scope", scope.as_str());
        }
        self.parameters.write(form);
    }

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }
}

impl fmt::Debug for ResourceOwnerPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who the person is, is nobody's business either.
        f.debug_struct("ResourceOwnerPassword").field("scope", &self.scope).finish_non_exhaustive()
    }
}
