//! A client registers itself (RFC 7591), and reads, changes and deletes its registration (RFC 7592).
//!
//! ```text
//! POST registration_endpoint      metadata, with an initial access token where the server wants one (RFC 7591 section 3)
//! GET registration_client_uri     with the registration access token (RFC 7592 section 2.1)
//! PUT registration_client_uri     all of the metadata anew (RFC 7592 section 2.2)
//! DELETE registration_client_uri  (RFC 7592 section 2.3)
//! ```

use crate::authentication::Registration;
use crate::bearer::is_b64token;
use crate::client::ConfigError;
use crate::client_metadata::ClientMetadata;
use crate::failure::{Error, Failure, Malformed, Rejected};
use crate::flow::{Flow, Input, Output};
use crate::json::{Value, quote};
use crate::memory::Learned;
use crate::once::{Once, Reply, token_refused};
use crate::policy::Policy;
use crate::registry::AuthMethod;
use crate::request::{Endpoint, Purpose, Request, Response};
use crate::secret::{AccessToken, ClientSecret, RegistrationAccessToken, SecretBytes};
use crate::server::{Endpoints, Server};
use crate::text::is_vschar;
use crate::time::{Now, Unix};
use crate::token::{self, Scrub};
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use http::Method;

/// Where, and with what, a client's registration is managed (RFC 7592 section 3): to be stored like a refresh token.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a program builds it from what it stored; there is no third part"
)]
pub struct RegistrationAccess {
    /// The client configuration endpoint. As the server wrote it; it is checked before anything is sent there.
    pub registration_client_uri: String,
    /// What opens it. Every answer may bring a new one, and the old one ends.
    pub registration_access_token: RegistrationAccessToken,
}

impl fmt::Debug for RegistrationAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.registration_client_uri.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("RegistrationAccess").field("registration_client_uri", &uri).finish_non_exhaustive()
    }
}

impl RegistrationAccess {
    /// It is presented as an access token is (RFC 7592 section 2).
    fn bearer(&self) -> AccessToken {
        AccessToken::new(self.registration_access_token.expose())
    }

    fn endpoint(&self, policy: &Policy) -> Result<Arc<Endpoint>, ConfigError> {
        Endpoint::new(&self.registration_client_uri, policy)
            .map(Arc::new)
            .map_err(|why| ConfigError::Endpoint { name: "registration_client_uri", why })
    }
}

/// A registered client (RFC 7591 section 3.2.1).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClientInformation {
    /// Its identifier at the server.
    pub client_id: String,
    /// Its password, where it has one.
    pub client_secret: Option<ClientSecret>,
    /// When the password ends; `None` when it does not, or the server does not say.
    pub client_secret_expires_at: Option<Unix>,
    /// When the identifier was issued.
    pub client_id_issued_at: Option<Unix>,
    /// What manages the registration: the token to keep, new or still the old one. `None` where the server lets nobody, or
    /// what it sent for this cannot be sent back.
    pub access: Option<RegistrationAccess>,
    /// What the server registered, which is what counts.
    pub metadata: ClientMetadata,
    /// The members that were asked for and that the server changed or left out (RFC 7591 section 3.2.1).
    pub changed: Vec<String>,
}

impl ClientInformation {
    /// The client as [`Client::new`](crate::Client::new) takes it; `None` where it authenticates by a key or a
    /// certificate, which only the program knows.
    #[must_use]
    pub fn registration(&self) -> Option<Registration> {
        let method = self.metadata.token_endpoint_auth_method();
        match &self.client_secret {
            Some(secret)
                if [AuthMethod::CLIENT_SECRET_BASIC, AuthMethod::CLIENT_SECRET_POST].contains(&method) =>
            {
                let registration = Registration::with_secret(&*self.client_id, secret.clone());
                Some(registration.authenticated_by(method))
            }
            // A server that says nothing of the method, and issues no secret, has registered a public client.
            None if [AuthMethod::NONE, AuthMethod::CLIENT_SECRET_BASIC].contains(&method) => {
                Some(Registration::public(&*self.client_id))
            }
            // RFC 7591 section 2: a secret that comes along with `none` is not used.
            Some(_) if method == AuthMethod::NONE => Some(Registration::public(&*self.client_id)),
            _ => None,
        }
    }
}

/// Registers a client, or reads or changes its registration: `Flow<Outcome = ClientInformation>`.
///
/// A registration access token that came with a refused answer is in
/// [`Failure::rescued_registration`]: it may be the only one left.
#[derive(Debug)]
pub struct Register {
    asked: Asked,
    once: Once<ClientInformation>,
}

/// What is known before the answer.
#[derive(Debug)]
struct Asked {
    metadata: ClientMetadata,
    initial: Option<AccessToken>,
    /// The client, when there is one already.
    existing: Option<(String, RegistrationAccess)>,
}

/// What the server sets, and a client must not (RFC 7592 section 2.2).
const SET_BY_SERVER: [&str; 6] = [
    "client_id",
    "client_secret",
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
];

impl Register {
    /// Registers a client, with an initial access token where the server wants one (RFC 7591 section 3.1).
    ///
    /// # Errors
    /// The server has no registration endpoint or one that may not be used, the metadata has a member that the server
    /// sets, or the token cannot be sent.
    pub fn new(
        server: &Server,
        metadata: ClientMetadata,
        initial: Option<AccessToken>,
        policy: &Policy,
    ) -> Result<Self, ConfigError> {
        let name = Endpoints::REGISTRATION;
        let url = server.endpoints.find(name).ok_or(ConfigError::NoEndpoint(Purpose::Registration))?;
        let endpoint = Endpoint::new(url, policy).map_err(|why| ConfigError::Endpoint { name, why })?;
        let body = json(None, &metadata)?;
        let mut request = Request::json(Purpose::Registration, Method::POST, Arc::new(endpoint), body);
        if let Some(token) = &initial {
            request = request.with_bearer(token).map_err(|_| ConfigError::Token)?;
        }
        Ok(Self::asking(Asked { metadata, initial, existing: None }, request))
    }

    /// Reads the registration of a client (RFC 7592 section 2.1). The access that comes back is the one to keep.
    ///
    /// # Errors
    /// The configuration endpoint may not be used, or the token cannot be sent.
    pub fn read(
        client_id: impl Into<String>,
        access: RegistrationAccess,
        policy: &Policy,
    ) -> Result<Self, ConfigError> {
        let request = Request::get(Purpose::Registration, access.endpoint(policy)?)
            .with_bearer(&access.bearer())
            .map_err(|_| ConfigError::Token)?;
        let existing = Some((client_id.into(), access));
        Ok(Self::asking(Asked { metadata: ClientMetadata::new(), initial: None, existing }, request))
    }

    /// Replaces the metadata of a client (RFC 7592 section 2.2): what is left out, the server deletes or resets.
    ///
    /// # Errors
    /// The configuration endpoint may not be used, the metadata has a member that the server sets, or the token cannot
    /// be sent.
    pub fn update(
        client_id: impl Into<String>,
        metadata: ClientMetadata,
        access: RegistrationAccess,
        policy: &Policy,
    ) -> Result<Self, ConfigError> {
        let client_id = client_id.into();
        let body = json(Some(&client_id), &metadata)?;
        let request = Request::json(Purpose::Registration, Method::PUT, access.endpoint(policy)?, body)
            .with_bearer(&access.bearer())
            .map_err(|_| ConfigError::Token)?;
        let existing = Some((client_id, access));
        Ok(Self::asking(Asked { metadata, initial: None, existing }, request))
    }

    fn asking(asked: Asked, request: Request) -> Self {
        let once = Once::plain(request)
            .rescuing(|client: ClientInformation, failure| failure.with_rescued_registration(client.access));
        Self { asked, once }
    }
}

/// The metadata as a document, with the client it is about.
fn json(client_id: Option<&str>, metadata: &ClientMetadata) -> Result<SecretBytes, ConfigError> {
    let mut document = String::from("{");
    let mut member = |name: &str, value: &str| {
        if document.len() > 1 {
            document.push(',');
        }
        quote(name, &mut document);
        document.push(':');
        document.push_str(value);
    };
    if let Some(client_id) = client_id {
        // RFC 7592 section 2.2: the client_id MUST be included, and be the one that was issued.
        member("client_id", &Value::text(client_id).to_string());
    }
    for (name, value) in metadata.members() {
        if SET_BY_SERVER.contains(&name) {
            return Err(ConfigError::Metadata(name.into()));
        }
        member(name, &value.to_string());
    }
    document.push('}');
    Ok(SecretBytes::new(document.into_bytes()))
}

fn read(asked: &Asked, response: &Response, now: Now) -> Result<ClientInformation, Failure> {
    let mut reply = Reply::read(response.body());
    let access = access(&reply, asked.existing.as_ref().map(|(_, access)| access));
    let mut sent = Scrub::nothing();
    sent.add(asked.initial.as_ref().map(AccessToken::expose));
    // Whoever has it can register as this software.
    sent.add(asked.metadata.member("software_statement").and_then(Value::as_str));
    if let Some((_, access)) = &asked.existing {
        sent.add(Some(access.registration_access_token.expose()));
    }
    received(&reply, &mut sent);
    let rescued = access.clone().filter(|access| !asked.existing.iter().any(|(_, known)| known == access));
    let checked = reply.check(response, now, &sent).map_err(|failure| match asked {
        Asked { initial: None, existing: None, .. } => failure,
        _ => token_refused(failure),
    });
    checked
        .and_then(|()| {
            information(reply, asked, access)
                .map_err(|error| Failure::from(error).with_status(response.status()))
        })
        .map_err(|failure| failure.with_rescued_registration(rescued))
}

/// What is received is secret, too, wherever else it is said.
fn received(reply: &Reply<'_>, secrets: &mut Scrub) {
    for name in ["client_secret", "registration_access_token"] {
        secrets.add(reply.find(name).and_then(Value::as_str));
    }
}

/// What manages the registration from here on: each part anew, or as it was (RFC 7592 section 3).
fn access(reply: &Reply<'_>, known: Option<&RegistrationAccess>) -> Option<RegistrationAccess> {
    let text = |name| reply.find(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let token = text("registration_access_token").filter(|token| is_b64token(token));
    let uri = text("registration_client_uri");
    Some(RegistrationAccess {
        registration_client_uri: match uri {
            Some(uri) => uri.into(),
            None => known?.registration_client_uri.clone(),
        },
        registration_access_token: match token {
            Some(token) => RegistrationAccessToken::new(token),
            None => known?.registration_access_token.clone(),
        },
    })
}

fn information(
    mut reply: Reply<'_>,
    asked: &Asked,
    access: Option<RegistrationAccess>,
) -> Result<ClientInformation, Error> {
    let client_id = reply.text("client_id")?.ok_or(Error::Malformed(Malformed::Missing("client_id")))?;
    if !is_vschar(&client_id) {
        return Err(Error::Malformed(Malformed::Invalid("client_id")));
    }
    if asked.existing.as_ref().is_some_and(|(known, _)| *known != client_id) {
        return Err(Error::Rejected(Rejected::Client));
    }
    let client_secret = reply.text("client_secret")?.map(ClientSecret::new);
    if client_secret.as_ref().is_some_and(|secret| !is_vschar(secret.expose())) {
        return Err(Error::Malformed(Malformed::Invalid("client_secret")));
    }
    // What manages the registration was read by `access`: one that cannot be used costs neither client id nor secret.
    let _taken = (reply.take("registration_access_token"), reply.take("registration_client_uri"));
    let mut moment = |name| {
        let since = reply.take(name).and_then(token::seconds)?;
        Some(Unix(since.as_secs())).filter(|moment| moment.0 > 0)
    };
    // RFC 7591 section 3.2.1: zero is a secret that does not end.
    let client_secret_expires_at = moment("client_secret_expires_at");
    let client_id_issued_at = moment("client_id_issued_at");
    let metadata = ClientMetadata::read(reply.rest());
    Ok(ClientInformation {
        client_id,
        client_secret,
        client_secret_expires_at,
        client_id_issued_at,
        access,
        changed: asked.metadata.changed_in(&metadata),
        metadata,
    })
}

impl Flow for Register {
    type Outcome = ClientInformation;

    fn poll(&mut self, _: Now) -> Output<ClientInformation> {
        self.once.poll_plain()
    }

    fn handle(&mut self, input: Input, now: Now) {
        let asked = &self.asked;
        self.once.handle(input, now, |_, response| read(asked, response, now));
    }

    fn take_learned(&mut self) -> Learned {
        self.once.take_learned()
    }
}

/// The client is no more: its identifier, its secret and mostly its tokens are of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deregistered;

/// Deletes the registration of a client (RFC 7592 section 2.3): `Flow<Outcome = Deregistered>`.
#[derive(Debug)]
pub struct Deregister {
    access: RegistrationAccess,
    once: Once<Deregistered>,
}

impl Deregister {
    /// # Errors
    /// The configuration endpoint may not be used, or the token cannot be sent.
    pub fn new(access: RegistrationAccess, policy: &Policy) -> Result<Self, ConfigError> {
        let request = Request::delete(Purpose::Registration, access.endpoint(policy)?)
            .with_bearer(&access.bearer())
            .map_err(|_| ConfigError::Token)?;
        Ok(Self { access, once: Once::plain(request) })
    }
}

fn deleted(access: &RegistrationAccess, response: &Response, now: Now) -> Result<Deregistered, Failure> {
    // RFC 7592 section 2.3: 204, which has no body to say otherwise.
    if response.status().is_success() {
        return Ok(Deregistered);
    }
    let mut sent = Scrub::nothing();
    sent.add(Some(access.registration_access_token.expose()));
    let mut reply = Reply::read(response.body());
    received(&reply, &mut sent);
    reply.check(response, now, &sent).map(|()| Deregistered).map_err(token_refused)
}

impl Flow for Deregister {
    type Outcome = Deregistered;

    fn poll(&mut self, _: Now) -> Output<Deregistered> {
        self.once.poll_plain()
    }

    fn handle(&mut self, input: Input, now: Now) {
        let access = &self.access;
        self.once.handle(input, now, |_, response| deleted(access, response, now));
    }

    fn take_learned(&mut self) -> Learned {
        self.once.take_learned()
    }
}
