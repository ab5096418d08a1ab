//! Form variables of one's own, added to token requests on their way out.

use super::error::ComponentError;
use super::profile::GrantType;
use super::values::{OAuthValues, Secret};
use crate::host::{BoxFuture, Host};
use crate::sign_in::{Received, Wait};
use http::header::CONTENT_TYPE;
use oauth_core::{Input, KeyTask, Mono, Now, Purpose, Request, Response, SecretBytes, Seed, Unreachable};
use oauth_transport::EventSink;
use std::io;
use std::sync::Arc;
use url::form_urlencoded;

/// What the protocol says itself, and says once.
const OWN: [&str; 14] = [
    "grant_type",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "device_code",
    "assertion",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "scope",
    "subject_token",
    "actor_token",
];

/// A host whose token requests carry further variables.
pub(super) struct WithFormVars {
    host: Arc<dyn Host>,
    vars: Vec<(String, Secret)>,
}

impl WithFormVars {
    /// # Errors
    /// A variable has no name, or one that the protocol uses itself.
    pub(super) fn around(host: Arc<dyn Host>, values: &OAuthValues) -> Result<Arc<dyn Host>, ComponentError> {
        // The grant itself takes these.
        let taken = |name: &str| {
            values.grant_type == GrantType::Password && (name == "username" || name == "password")
        };
        let vars: Vec<_> = values.form_vars.iter().filter(|(name, _)| !taken(name)).cloned().collect();
        if vars.is_empty() {
            return Ok(host);
        }
        for (name, _) in &vars {
            if name.is_empty() {
                return Err(ComponentError::refused(
                    "FormVarName",
                    "one is empty; name it, or lower FormVarCount",
                ));
            }
            if OWN.contains(&name.as_str()) {
                return Err(ComponentError::refused(
                    "FormVarName",
                    format_args!(
                        "{name} is the protocol's own; take it out, and set it where it has its place"
                    ),
                ));
            }
        }
        Ok(Arc::new(Self { host, vars }))
    }
}

impl Host for WithFormVars {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        let is_form = request.headers().any(|(name, value)| {
            *name == CONTENT_TYPE && value.as_bytes().starts_with(b"application/x-www-form-urlencoded")
        });
        if request.purpose() != Purpose::Token || !is_form {
            return self.host.send(request);
        }
        let mut body = form_urlencoded::Serializer::new(String::from_utf8_lossy(request.body()).into_owned());
        body.extend_pairs(self.vars.iter().map(|(name, value)| (name, value.expose())));
        let body = SecretBytes::new(body.finish());
        self.host.send(request.with_body(body))
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        self.host.sleep_until(instant)
    }

    fn key(&self, task: KeyTask) -> BoxFuture<'_, Input> {
        self.host.key(task)
    }

    fn now(&self) -> Now {
        self.host.now()
    }

    fn seed(&self) -> io::Result<Seed> {
        self.host.seed()
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) {
        self.host.block_on(future);
    }

    fn events(&self) -> EventSink {
        self.host.events()
    }

    fn receive(&self, wait: Wait) -> BoxFuture<'_, Received> {
        self.host.receive(wait)
    }
}
