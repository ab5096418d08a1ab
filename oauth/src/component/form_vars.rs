//! Form variables and parameters of one's own, added to requests on their way out.

use super::error::ComponentError;
use super::profile::{ClientProfile, GrantType};
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

/// A host whose requests carry more than the protocol puts there.
pub(super) struct WithFormVars {
    host: Arc<dyn Host>,
    /// For token requests.
    vars: Vec<(String, Secret)>,
    /// For the requests of this purpose, where no browser takes them to the server.
    params: Option<(Purpose, Vec<(String, Secret)>)>,
}

impl WithFormVars {
    /// # Errors
    /// A variable or a parameter has no name, or one that the protocol uses itself.
    pub(super) fn around(host: Arc<dyn Host>, values: &OAuthValues) -> Result<Arc<dyn Host>, ComponentError> {
        // The grant itself takes these.
        let taken = |name: &str| {
            values.grant_type == GrantType::Password && (name == "username" || name == "password")
        };
        let vars: Vec<_> = values.form_vars.iter().filter(|(name, _)| !taken(name)).cloned().collect();
        check(&vars, "FormVarName", "lower FormVarCount")?;
        let params = params_of(values);
        if let Some((_, params)) = &params {
            check(params, "add_param", "lower param_count")?;
            if let Some((name, _)) = params.iter().find(|(name, _)| taken(name)) {
                let why = format_args!("{name} is of the person, and a form variable: use add_form_var");
                return Err(ComponentError::refused("add_param", why));
            }
        }
        if vars.is_empty() && params.is_none() {
            return Ok(host);
        }
        Ok(Arc::new(Self { host, vars, params }))
    }
}

/// The parameters of the authorization request, where that is none that a browser makes.
fn params_of(values: &OAuthValues) -> Option<(Purpose, Vec<(String, Secret)>)> {
    let purpose = match (values.client_profile, values.grant_type) {
        // They are claims.
        (ClientProfile::Jwt, _) => return None,
        (ClientProfile::Device, _) => Purpose::DeviceAuthorization,
        (_, GrantType::ClientCredentials | GrantType::Password) => Purpose::Token,
        (_, GrantType::AuthorizationCode | GrantType::Implicit) => return None,
    };
    let params = values.request_params.iter().map(|(name, value)| (name.clone(), Secret::new(value)));
    Some((purpose, params.collect())).filter(|(_, params): &(_, Vec<_>)| !params.is_empty())
}

fn check(vars: &[(String, Secret)], setting: &'static str, fewer: &str) -> Result<(), ComponentError> {
    for (name, _) in vars {
        if name.is_empty() {
            return Err(ComponentError::refused(setting, format_args!("one is empty; name it, or {fewer}")));
        }
        if OWN.contains(&name.as_str()) {
            return Err(ComponentError::refused(
                setting,
                format_args!("{name} is the protocol's own; take it out, and set it where it has its place"),
            ));
        }
    }
    Ok(())
}

impl Host for WithFormVars {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        let is_form = request.headers().any(|(name, value)| {
            *name == CONTENT_TYPE && value.as_bytes().starts_with(b"application/x-www-form-urlencoded")
        });
        let vars = self.vars.iter().filter(|_| request.purpose() == Purpose::Token);
        let params = self.params.iter().filter(|(purpose, _)| *purpose == request.purpose());
        let mut more = vars.chain(params.flat_map(|(_, params)| params)).peekable();
        if !is_form || more.peek().is_none() {
            return self.host.send(request);
        }
        let mut body = form_urlencoded::Serializer::new(String::from_utf8_lossy(request.body()).into_owned());
        body.extend_pairs(more.map(|(name, value)| (name, value.expose())));
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
