//! A client on its own behalf (RFC 6749 section 4.4).

use super::parameters::Parameters;
use crate::client::ConfigError;
use crate::exchange::Grant;
use crate::form::Form;
use crate::policy::Policy;
use crate::registry::GrantType;
use crate::resource::Resource;
use crate::scope::Scope;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A client on its own behalf (RFC 6749 section 4.4).
#[derive(Default)]
pub struct ClientCredentials {
    scope: Option<Scope>,
    resources: Vec<Resource>,
    parameters: Parameters,
}

impl ClientCredentials {
    /// The server's default scope.
    #[must_use]
    pub const fn new() -> Self {
        Self { scope: None, resources: Vec::new(), parameters: Parameters::new() }
    }

    /// Asks for this scope.
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

    /// Adds a parameter that the server wants: `audience`, say.
    ///
    /// One that the client sets itself, or that comes twice, is refused when the flow is made.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.add(name, value);
        self
    }
}

impl Grant for ClientCredentials {
    fn validate(&self, _: &Policy) -> Result<(), ConfigError> {
        self.parameters.validate(&[])
    }

    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::CLIENT_CREDENTIALS.as_str());
        if let Some(scope) = &self.scope {
            form.pair("scope", scope.as_str());
        }
        Resource::write(&self.resources, form);
        self.parameters.write(form);
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
