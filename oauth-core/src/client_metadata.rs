//! What a client says of itself when it registers (RFC 7591 section 2).

use crate::json::Value;
use crate::registry::{AuthMethod, GrantType};
use crate::scope::Scope;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A client's metadata: as it is asked for, and as the server registered it.
///
/// The common members have a method; [`with_member`](Self::with_member) takes any other, also in another language
/// (`client_name#ja`, RFC 7591 section 2.2).
#[derive(Clone, Default, PartialEq)]
pub struct ClientMetadata {
    members: Vec<(String, Value<'static>)>,
}

impl ClientMetadata {
    /// The server's defaults, without a redirect URI.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Adds a redirect URI.
    #[must_use]
    pub fn with_redirect_uri(self, uri: impl Into<String>) -> Self {
        self.with_one_more("redirect_uris", uri.into())
    }

    /// Sets how the client will authenticate.
    #[must_use]
    pub fn with_token_endpoint_auth_method(self, method: &AuthMethod) -> Self {
        self.with_text("token_endpoint_auth_method", method.as_str())
    }

    /// Adds a grant that the client will use.
    #[must_use]
    pub fn with_grant_type(self, grant_type: &GrantType) -> Self {
        self.with_one_more("grant_types", grant_type.as_str().into())
    }

    /// Adds a response type that the client will use.
    #[must_use]
    pub fn with_response_type(self, response_type: impl Into<String>) -> Self {
        self.with_one_more("response_types", response_type.into())
    }

    /// Sets the name that people see when they are asked to agree.
    #[must_use]
    pub fn with_client_name(self, name: impl Into<String>) -> Self {
        self.with_text("client_name", name)
    }

    /// Sets where people read about the client.
    #[must_use]
    pub fn with_client_uri(self, uri: impl Into<String>) -> Self {
        self.with_text("client_uri", uri)
    }

    /// Sets where its logo is.
    #[must_use]
    pub fn with_logo_uri(self, uri: impl Into<String>) -> Self {
        self.with_text("logo_uri", uri)
    }

    /// Sets the scope that the client may ask for.
    #[must_use]
    pub fn with_scope(self, scope: &Scope) -> Self {
        self.with_text("scope", scope.as_str())
    }

    /// Adds somebody to talk to about the client: an e-mail address, mostly.
    #[must_use]
    pub fn with_contact(self, contact: impl Into<String>) -> Self {
        self.with_one_more("contacts", contact.into())
    }

    /// Sets where its terms of service are.
    #[must_use]
    pub fn with_tos_uri(self, uri: impl Into<String>) -> Self {
        self.with_text("tos_uri", uri)
    }

    /// Sets where it says what it does with people's data.
    #[must_use]
    pub fn with_policy_uri(self, uri: impl Into<String>) -> Self {
        self.with_text("policy_uri", uri)
    }

    /// Sets where its public keys are; not to be used beside `jwks`.
    #[must_use]
    pub fn with_jwks_uri(self, uri: impl Into<String>) -> Self {
        self.with_text("jwks_uri", uri)
    }

    /// Sets an identifier that all installations of the program share.
    #[must_use]
    pub fn with_software_id(self, id: impl Into<String>) -> Self {
        self.with_text("software_id", id)
    }

    /// Sets the program's version.
    #[must_use]
    pub fn with_software_version(self, version: impl Into<String>) -> Self {
        self.with_text("software_version", version)
    }

    /// Sets a signed statement of these members (RFC 7591 section 2.3).
    #[must_use]
    pub fn with_software_statement(self, statement: impl Into<String>) -> Self {
        self.with_text("software_statement", statement)
    }

    /// Sets any member, in place of one that is there.
    #[must_use]
    pub fn with_member(mut self, name: impl Into<String>, value: Value<'static>) -> Self {
        let name = name.into();
        match self.members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.members.push((name, value)),
        }
        self
    }

    /// The redirect URIs.
    pub fn redirect_uris(&self) -> impl Iterator<Item = &str> {
        self.texts("redirect_uris")
    }

    /// How the client authenticates: `client_secret_basic` where nothing is said (RFC 7591 section 2).
    #[must_use]
    pub fn token_endpoint_auth_method(&self) -> AuthMethod {
        let method = self.member("token_endpoint_auth_method").and_then(Value::as_str);
        method.map_or(AuthMethod::CLIENT_SECRET_BASIC, AuthMethod::from_text)
    }

    /// The grants, as far as they are said.
    pub fn grant_types(&self) -> impl Iterator<Item = GrantType> {
        self.texts("grant_types").map(GrantType::from_text)
    }

    /// The response types, as far as they are said.
    pub fn response_types(&self) -> impl Iterator<Item = &str> {
        self.texts("response_types")
    }

    /// The name for people.
    #[must_use]
    pub fn client_name(&self) -> Option<&str> {
        self.member("client_name").and_then(Value::as_str)
    }

    /// The scope that the client may ask for.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        self.member("scope").and_then(Value::as_str).and_then(|text| Scope::new(text).ok())
    }

    /// A member by its name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value<'static>> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Every member in its order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value<'static>)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names of the members that `registered` has otherwise, or not at all.
    pub(crate) fn changed_in(&self, registered: &Self) -> Vec<String> {
        let kept = |name: &str, asked: &Value<'_>| {
            registered.member(name).is_some_and(|value| same(name, asked, value))
        };
        self.members.iter().filter(|(name, asked)| !kept(name, asked)).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn read(members: impl Iterator<Item = (String, Value<'static>)>) -> Self {
        Self { members: members.collect() }
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.member(name).into_iter().flat_map(Value::texts)
    }

    fn with_text(self, name: &str, text: impl Into<String>) -> Self {
        self.with_member(name, Value::text(text))
    }

    fn with_one_more(mut self, name: &str, text: String) -> Self {
        match self.members.iter_mut().find(|(known, _)| known == name) {
            Some((_, Value::Array(values))) => values.push(Value::text(text)),
            _ => return self.with_member(name, Value::Array(Vec::from([Value::text(text)]))),
        }
        self
    }
}

/// Whether a server kept a member: the order of a list, and of a scope, means nothing.
fn same(name: &str, asked: &Value<'_>, registered: &Value<'_>) -> bool {
    match (asked, registered) {
        (Value::Array(asked), Value::Array(registered)) => {
            let within = |some: &[Value<'_>], all: &[Value<'_>]| some.iter().all(|value| all.contains(value));
            within(asked, registered) && within(registered, asked)
        }
        (Value::String(asked), Value::String(registered)) if name == "scope" => {
            match (Scope::new(asked), Scope::new(registered)) {
                (Ok(asked), Ok(registered)) => asked.covers(&registered) && registered.covers(&asked),
                _ => asked == registered,
            }
        }
        _ => asked == registered,
    }
}

impl fmt::Debug for ClientMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nobody knows what a program, or a server, puts into it.
        write!(f, "ClientMetadata([{} members])", self.members.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_kept_is_told_from_what_it_changed() {
        let scope = |text| Scope::new(text).unwrap();
        let asked = ClientMetadata::new()
            .with_redirect_uri("https://app.example/a")
            .with_redirect_uri("https://app.example/b")
            .with_scope(&scope("a b"))
            .with_client_name("App");
        assert_eq!(asked.redirect_uris().count(), 2);
        let same = ClientMetadata::new()
            .with_redirect_uri("https://app.example/b")
            .with_redirect_uri("https://app.example/a")
            .with_scope(&scope("b a"))
            .with_client_name("App")
            .with_contact("more@as.example");
        assert!(asked.changed_in(&same).is_empty());
        let other = ClientMetadata::new()
            .with_redirect_uri("https://app.example/a")
            .with_scope(&scope("a"))
            .with_member("client_name", Value::Bool(true));
        assert_eq!(asked.changed_in(&other), ["redirect_uris", "scope", "client_name"]);
    }
}
