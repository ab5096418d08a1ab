//! Parameters that a program adds to a grant because its server wants them.

use crate::client::ConfigError;
use crate::form::Form;
use alloc::string::String;
use alloc::vec::Vec;

/// What the engine sets itself, whatever the grant.
const OWN: [&str; 6] =
    ["grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "scope"];

/// Names and values in the order in which they were given.
///
/// No `Debug`: they are the program's own, and nobody knows what is in their values.
#[derive(Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// `own` are the names that the grant has fields for.
    pub(super) fn validate(&self, own: &[&str]) -> Result<(), ConfigError> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            // RFC 6749 section 3.2: no parameter comes twice. RFC 8707 section 2 and RFC 8693 section 2.1 except two.
            let twice = !matches!(name.as_str(), "resource" | "audience")
                && self.0.iter().take(index).any(|(earlier, _)| earlier == name);
            if twice || name.is_empty() || OWN.contains(&name.as_str()) || own.contains(&name.as_str()) {
                return Err(ConfigError::Parameter(name.clone()));
            }
        }
        Ok(())
    }

    pub(super) fn write(&self, form: &mut Form) {
        for (name, value) in &self.0 {
            form.pair(name, value);
        }
    }
}
