//! What a token is good for, asked of the server that issued it (RFC 7662).
//!
//! ```text
//! Key(Sign)?   the caller's assertion, where it authenticates by one
//! Send         the token, with the caller's authentication or a token of its own (section 2.1)
//! Key(Open)?   the answer, where it was to be signed (RFC 9701), and Send? for the keys that verify it
//! Done         Introspection (section 2.2)
//! ```

use crate::call::{Asked, Call};
use crate::claims::IntrospectionRules;
use crate::client::{Client, ConfigError};
use crate::failure::{Error, Failure, Malformed, Rejected};
use crate::flow::{Flow, Input, Output};
use crate::form::Form;
use crate::json::Value;
use crate::memory::{Learned, ServerMemory};
use crate::once::{Once, Reply, token_refused};
use crate::registry::TokenType;
use crate::request::{Purpose, Request, Response};
use crate::revoke::Revocable;
use crate::scope::Scope;
use crate::secret::{AccessToken, RefreshToken, SecretBytes};
use crate::seed::Seed;
use crate::time::{Now, Unix};
use crate::token::Scrub;
use crate::verify::Verify;
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};

/// What is asked (RFC 7662 section 2.1).
#[derive(Clone)]
pub struct IntrospectionRequest {
    token: Revocable,
    authorization: Option<AccessToken>,
    parameters: Vec<(String, String)>,
    signed: bool,
}

static ACCEPT_SIGNED: HeaderValue = HeaderValue::from_static("application/token-introspection+jwt");

impl IntrospectionRequest {
    /// About an access token that was presented.
    #[must_use]
    pub const fn access(token: AccessToken) -> Self {
        Self { token: Revocable::Access(token), authorization: None, parameters: Vec::new(), signed: false }
    }

    /// About a refresh token.
    #[must_use]
    pub const fn refresh(token: RefreshToken) -> Self {
        Self { token: Revocable::Refresh(token), authorization: None, parameters: Vec::new(), signed: false }
    }

    /// Presents a token of the caller's own in place of the client's authentication.
    #[must_use]
    pub fn authorized_by(mut self, token: AccessToken) -> Self {
        self.authorization = Some(token);
        self
    }

    /// Asks for a signed answer, and takes no other (RFC 9701): one that can be shown to a third party. It is verified by the
    /// server's public keys, and may not be encrypted.
    #[must_use]
    pub const fn signed(mut self) -> Self {
        self.signed = true;
        self
    }

    /// Adds a parameter that the server wants.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    fn form(&self, form: &mut Form) {
        self.token.form(form);
        for (name, value) in &self.parameters {
            form.pair(name, value);
        }
    }

    fn secrets(&self, client: &Client, call: &Call) -> Scrub {
        let mut form = Form::with_capacity(256);
        self.form(&mut form);
        let mut sent = call.secrets(client, Purpose::Introspection, form);
        sent.add(self.authorization.as_ref().map(AccessToken::expose));
        sent
    }
}

impl fmt::Debug for IntrospectionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The parameters are the program's own: nobody knows what is in their values.
        f.debug_struct("IntrospectionRequest").field("token", &self.token).finish_non_exhaustive()
    }
}

/// What a server says of a token.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7662 knows two: `active` is a boolean")]
pub enum Introspection {
    /// Of no use: ended, revoked, never issued, or not for this caller to know. Nothing else is told of it, whatever
    /// the server sends along (RFC 7662 section 2.2).
    Inactive,
    /// Of use at this moment.
    Active(Box<ActiveToken>),
}

/// What an active token is good for, as far as the server says so (RFC 7662 section 2.2).
///
/// Whether it is good for *this* resource is for the caller to check: by `aud` and `scope`, say.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ActiveToken {
    /// What it is good for.
    pub scope: Option<Scope>,
    /// The client that it was issued to.
    pub client_id: Option<String>,
    /// A name, for people to read, of the one who authorized it.
    pub username: Option<String>,
    /// How it is presented.
    pub token_type: Option<TokenType>,
    /// When it ends.
    pub exp: Option<Unix>,
    /// When it was issued.
    pub iat: Option<Unix>,
    /// Before when it must not be used.
    pub nbf: Option<Unix>,
    /// The subject: mostly the one who authorized it.
    pub sub: Option<String>,
    /// Whom it is for, one or several.
    pub aud: Vec<String>,
    /// Who issued it.
    pub iss: Option<String>,
    /// Its identifier.
    pub jti: Option<String>,
    /// Every other member as it came.
    pub extra: Vec<(String, Value<'static>)>,
}

impl fmt::Debug for ActiveToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who it is about is nobody's business in a log.
        f.debug_struct("ActiveToken")
            .field("token_type", &self.token_type)
            .field("exp", &self.exp)
            .field("iat", &self.iat)
            .field("nbf", &self.nbf)
            .finish_non_exhaustive()
    }
}

/// Introspects one token: `Flow<Outcome = Introspection>`.
#[derive(Debug)]
pub struct Introspect {
    client: Client,
    request: IntrospectionRequest,
    once: Once<Answered>,
    /// A signed answer that is being verified.
    signed: Option<Verify<IntrospectionRules>>,
    memory: ServerMemory,
}

/// What the server answered.
#[derive(Debug)]
enum Answered {
    Plainly(Introspection),
    Signed(SecretBytes),
}

impl Introspect {
    pub(crate) fn new(
        client: Client,
        request: IntrospectionRequest,
        memory: &ServerMemory,
        seed: &Seed,
    ) -> Result<Self, ConfigError> {
        let endpoint = client.endpoint(Purpose::Introspection)?;
        let once = match &request.authorization {
            Some(token) => {
                let mut form = Form::with_capacity(256);
                request.form(&mut form);
                let post = Request::form(Purpose::Introspection, Arc::clone(endpoint), form.finish());
                let post = post.with_bearer(token).map_err(|_| ConfigError::Token)?;
                Once::plain(if request.signed { accept_signed(post) } else { post })
            }
            None => {
                let _authentication = client.authentication(Purpose::Introspection)?;
                Once::new(Call::new(&client, memory.clock_offset(), seed))
            }
        };
        // The client's authentication and what the token is asked about come once.
        const OWN: [&str; 6] = [
            "token",
            "token_type_hint",
            "client_id",
            "client_secret",
            "client_assertion",
            "client_assertion_type",
        ];
        let mut names = request.parameters.iter().map(|(name, _)| name);
        if let Some(name) = names.find(|name| OWN.contains(&name.as_str())) {
            return Err(ConfigError::Parameter(name.clone()));
        }
        if request.signed {
            let _keys = client.endpoint(Purpose::Keys)?;
        }
        Ok(Self { client, request, once, signed: None, memory: memory.clone() })
    }

    /// Begins to verify a signed answer.
    fn verify(&mut self, message: SecretBytes, now: Now) -> Output<Introspection> {
        let (issuer, client_id) = (Arc::clone(&self.client.0.issuer), Arc::clone(&self.client.0.client_id));
        let rules = IntrospectionRules::new(issuer, client_id);
        match Verify::new(self.client.clone(), message, rules, &self.memory) {
            Ok(verify) => poll_signed(self.signed.insert(verify), now),
            // The keys were asked for when the flow was made.
            Err(_) => Output::Idle,
        }
    }
}

fn poll_signed(verify: &mut Verify<IntrospectionRules>, now: Now) -> Output<Introspection> {
    verify.poll(now).map(|members| {
        Output::Done(members.and_then(|members| introspection(Reply::of(members)).map_err(Failure::from)))
    })
}

fn accept_signed(request: Request) -> Request {
    request.with_header(ACCEPT, ACCEPT_SIGNED.clone())
}

fn read(
    client: &Client,
    request: &IntrospectionRequest,
    call: &Call,
    response: &Response,
    now: Now,
) -> Result<Answered, Failure> {
    if request.signed && response.status().is_success() && is_signed(response.headers()) {
        return Ok(Answered::Signed(SecretBytes::new(response.body().trim_ascii())));
    }
    let mut reply = Reply::read(response.body());
    reply.check(response, now, &request.secrets(client, call)).map_err(|failure| {
        match request.authorization {
            Some(_) => token_refused(failure),
            None => failure,
        }
    })?;
    let read = if request.signed {
        Err(Error::Rejected(Rejected::Check("it is not signed, and a signed one was asked for")))
    } else {
        introspection(reply)
    };
    read.map(Answered::Plainly).map_err(|error| Failure::from(error).with_status(response.status()))
}

fn is_signed(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let (kind, name) = media_type.split_once('/').unwrap_or_default();
    kind.eq_ignore_ascii_case("application") && name.eq_ignore_ascii_case(IntrospectionRules::TYP)
}

/// RFC 7662 section 2.2. A wrong type is an error: what limits a token must not be overlooked.
fn introspection(mut reply: Reply<'_>) -> Result<Introspection, Error> {
    match reply.take("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Ok(Introspection::Inactive),
        Some(_) => return Err(Error::Malformed(Malformed::Invalid("active"))),
        None => return Err(Error::Malformed(Malformed::Missing("active"))),
    }
    let scope = match reply.text("scope")? {
        Some(text) => Some(Scope::new(&text).map_err(|_| Error::Malformed(Malformed::Invalid("scope")))?),
        None => None,
    };
    Ok(Introspection::Active(Box::new(ActiveToken {
        scope,
        client_id: reply.text("client_id")?,
        username: reply.text("username")?,
        token_type: reply.text("token_type")?.map(|text| token_type(&text)),
        exp: numeric_date(reply.take("exp"), "exp")?,
        iat: numeric_date(reply.take("iat"), "iat")?,
        nbf: numeric_date(reply.take("nbf"), "nbf")?,
        sub: reply.text("sub")?,
        aud: audience(reply.take("aud"))?,
        iss: reply.text("iss")?,
        jti: reply.text("jti")?,
        extra: reply.rest().collect(),
    })))
}

/// RFC 6749 section 5.1: compared without regard to case.
fn token_type(text: &str) -> TokenType {
    let bearer = text.eq_ignore_ascii_case(TokenType::BEARER.as_str());
    if bearer { TokenType::BEARER } else { TokenType::from_text(text) }
}

/// RFC 7519 section 2: a number of seconds, which may be a fraction.
fn numeric_date(value: Option<Value<'_>>, member: &'static str) -> Result<Option<Unix>, Error> {
    match value {
        None => Ok(None),
        Some(Value::Unsigned(seconds)) => Ok(Some(Unix(seconds))),
        Some(Value::Float(seconds)) if seconds >= 0.0 => {
            let since = core::time::Duration::try_from_secs_f64(seconds);
            Ok(Some(Unix(since.map_or(u64::MAX, |since| since.as_secs()))))
        }
        Some(_) => Err(Error::Malformed(Malformed::Invalid(member))),
    }
}

/// RFC 7519 section 4.1.3: one text, or a list of them.
fn audience(value: Option<Value<'_>>) -> Result<Vec<String>, Error> {
    let invalid = || Error::Malformed(Malformed::Invalid("aud"));
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(Vec::from([one.into_owned()])),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| value.as_str().map(|text| text.to_string()).ok_or_else(invalid))
            .collect(),
        Some(_) => Err(invalid()),
    }
}

impl Flow for Introspect {
    type Outcome = Introspection;

    fn poll(&mut self, now: Now) -> Output<Introspection> {
        if let Some(verify) = &mut self.signed {
            return poll_signed(verify, now);
        }
        let (client, request) = (&self.client, &self.request);
        let output = self.once.poll(|call| {
            let asked = call.poll(client, Purpose::Introspection, now.unix, |form| request.form(form));
            match asked {
                Asked::Send(post) if request.signed => Asked::Send(accept_signed(post)),
                asked @ (Asked::Send(_) | Asked::Key(_) | Asked::Nothing) => asked,
            }
        });
        output.map(|answered| match answered {
            Ok(Answered::Signed(message)) => self.verify(message, now),
            Ok(Answered::Plainly(introspection)) => Output::Done(Ok(introspection)),
            Err(failure) => Output::Done(Err(failure)),
        })
    }

    fn handle(&mut self, input: Input, now: Now) {
        if let Some(verify) = &mut self.signed {
            return verify.handle(input, now);
        }
        let (client, request) = (&self.client, &self.request);
        self.once.handle(input, now, |call, response| read(client, request, call, response, now));
    }

    fn take_learned(&mut self) -> Learned {
        let mut learned = self.once.take_learned();
        learned.keys = self.signed.as_mut().and_then(|verify| verify.take_learned().keys);
        learned
    }
}
