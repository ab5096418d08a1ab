//! After the browser: the authorization response is checked and its code exchanged (RFC 6749 sections 4.1.2 to 4.1.4).

use crate::answer::AuthorizationResponse;
use crate::authorize::text;
use crate::claims::IdTokenRules;
use crate::client::Client;
use crate::exchange::{self, Exchange, Grant};
use crate::failure::{Error, Failure, Malformed, Misuse, Rejected};
use crate::flow::{Flow, Input, Output};
use crate::form::{self, Form};
use crate::json::Value;
use crate::memory::{Learned, ServerMemory};
use crate::pending::Pending;
use crate::policy::OptOut;
use crate::provider::quirks::Quirks;
use crate::registry::GrantType;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::{AuthorizationCode, SecretBytes, same};
use crate::seed::Seed;
use crate::text::{escaped, printable};
use crate::time::Now;
use crate::token::{self, Scrub, Tokens};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// Redeems one authorization response: made by [`Pending::redeem`].
pub struct Redeem(State);

#[expect(clippy::large_enum_variant, reason = "nearly all of them are of this variant")]
enum State {
    Refused(Failure),
    Exchange(Exchange<Code>),
    /// The answer that has the token in it already, and what was asked for.
    Implicit(SecretBytes, Implicit),
    Over,
}

/// What a person granted.
#[derive(Debug)]
#[non_exhaustive]
pub struct Granted {
    /// The tokens of the code.
    pub tokens: Tokens,
}

impl Redeem {
    pub(crate) fn new(
        pending: Pending,
        response: &AuthorizationResponse<'_>,
        client: &Client,
        memory: &ServerMemory,
        seed: Seed,
    ) -> Self {
        let code = match check(&pending, response, client) {
            Ok(Some(code)) => code,
            Ok(None) => {
                let answer = SecretBytes::new(response.bytes());
                return Self(State::Implicit(answer, Implicit { scope: pending.scope.clone() }));
            }
            Err(error) => return Self(State::Refused(error.into())),
        };
        Self::exchange(pending, code, client, memory, seed)
    }

    pub(crate) fn by_hand(
        pending: Pending,
        code: AuthorizationCode,
        client: &Client,
        memory: &ServerMemory,
        seed: Seed,
    ) -> Self {
        if !is_of(&pending, client) {
            return Self(State::Refused(Failure::misuse(Misuse::OtherClient)));
        }
        if !pending.has_code_challenge() {
            return Self(State::Refused(Error::Rejected(Rejected::State).into()));
        }
        Self::exchange(pending, code, client, memory, seed)
    }

    fn exchange(
        pending: Pending,
        code: AuthorizationCode,
        client: &Client,
        memory: &ServerMemory,
        seed: Seed,
    ) -> Self {
        let exchange = client.exchange(Code { code, pending, resources: Vec::new() }, memory, seed);
        Self(match exchange {
            Ok(exchange) => State::Exchange(exchange),
            Err(_) => State::Refused(Failure::misuse(Misuse::OtherClient)),
        })
    }

    /// Asks for an access token that is for this resource alone, one of those that the person agreed to (RFC 8707
    /// section 2.2). May be called again; to be called before the flow is polled.
    #[must_use]
    pub fn with_resource(mut self, resource: Resource) -> Self {
        if let State::Exchange(exchange) = &mut self.0 {
            exchange.grant_mut().resources.push(resource);
        }
        self
    }
}

/// Whether this client began the login.
fn is_of(pending: &Pending, client: &Client) -> bool {
    *pending.issuer == *client.server().issuer() && *pending.client_id == *client.client_id()
}

/// Everything that must hold before a code is sent anywhere, in the order in which it matters. No code where the answer
/// itself has the token.
fn check(
    pending: &Pending,
    response: &AuthorizationResponse<'_>,
    client: &Client,
) -> Result<Option<AuthorizationCode>, Error> {
    if !is_of(pending, client) {
        return Err(Error::Misuse(Misuse::OtherClient));
    }
    let (parameters, state) = Parameters::read(response.bytes(), pending.implicit, client.quirks());
    if !state.is_some_and(|state| same(state.as_bytes(), &pending.state)) {
        return Err(Error::Rejected(Rejected::State));
    }
    let parameters = parameters?;
    let secrets = || {
        let mut secrets = Scrub::nothing();
        secrets.add(Some(text(&pending.state)));
        secrets.add(parameters.code.as_deref());
        secrets.add(parameters.access_token.as_deref());
        secrets
    };
    // RFC 9207 section 2.4: on success and on error alike, by simple string comparison.
    match &parameters.iss {
        // RFC 9207 section 2.4: a client of one server, whose issuer it was never told, may leave it.
        Some(_) if pending.issuer.is_empty() => {}
        Some(iss) if **iss == *pending.issuer => {}
        Some(iss) => {
            let (expected, received) = (printable(&pending.issuer, 200), secrets().shown(&escaped(iss), 200));
            return Err(Error::Rejected(Rejected::Issuer { expected, received }));
        }
        None if client.0.server.response_iss => return Err(Error::Rejected(Rejected::NoIssuer)),
        None => {}
    }
    if parameters.response {
        return Err(Error::Rejected(Rejected::NotAsked("a response object")));
    }
    let (asked, unasked) = match pending.implicit {
        false => (&parameters.code, &None),
        true => (&parameters.access_token, &parameters.code),
    };
    match (asked, &parameters.error) {
        (Some(_), Some(_)) if pending.implicit => {
            Err(Error::Rejected(Rejected::NotAsked("an access token beside its error")))
        }
        (Some(_), Some(_)) => Err(Error::Rejected(Rejected::CodeAndError)),
        _ if unasked.is_some() => Err(Error::Rejected(Rejected::NotAsked("a code"))),
        (Some(code), None) if !pending.implicit => Ok(Some(AuthorizationCode::new(&**code))),
        // RFC 6749 section 4.2.2: in the fragment. What is in a query was sent to whoever serves the page.
        (Some(_), None) if matches!(response, AuthorizationResponse::Query(_)) => {
            Err(Error::Rejected(Rejected::NotAsked("an access token in its query")))
        }
        (Some(_), None) => Ok(None),
        (None, Some(error)) => {
            let value = |text: &Option<Cow<'_, str>>| text.as_deref().map(Value::text);
            let (description, uri) = (value(&parameters.error_description), value(&parameters.error_uri));
            Err(Error::Server(token::refusal(error, description, uri, &secrets())))
        }
        (None, None) if pending.implicit => Err(Error::Malformed(Malformed::Missing("access_token"))),
        (None, None) => Err(Error::Malformed(Malformed::Missing("code"))),
    }
}

/// The parameters of an authorization response (RFC 6749 sections 4.1.2 and 4.1.2.1). An empty one is as good as none.
#[derive(Default)]
struct Parameters<'a> {
    code: Option<Cow<'a, str>>,
    access_token: Option<Cow<'a, str>>,
    error: Option<Cow<'a, str>>,
    error_description: Option<Cow<'a, str>>,
    error_uri: Option<Cow<'a, str>>,
    iss: Option<Cow<'a, str>>,
    response: bool,
}

impl<'a> Parameters<'a> {
    /// The parameters, or what is wrong with them, and the `state`, where there is one and no other.
    fn read(
        bytes: &'a [u8],
        implicit: bool,
        quirks: Option<&Quirks>,
    ) -> (Result<Self, Error>, Option<Cow<'a, str>>) {
        let (mut read, mut wrong) = (Self::default(), None);
        let (mut state, mut ambiguous) = (None, false);
        for (name, value) in form::readable(bytes) {
            let known = quirks.map_or(&*name, |quirks| quirks.callback(&name));
            let slot = match known {
                "state" => &mut state,
                "code" => &mut read.code,
                // RFC 9700 section 4.6: one that was not asked for is nobody's business.
                "access_token" if implicit => &mut read.access_token,
                "error" => &mut read.error,
                "error_description" => &mut read.error_description,
                "error_uri" => &mut read.error_uri,
                "iss" => &mut read.iss,
                "response" => {
                    // One that cannot be read is no better than one that can.
                    read.response |= !value.is_ok_and(|value| value.is_empty());
                    continue;
                }
                _ => continue,
            };
            let why = match (value, known) {
                // An empty one is as good as none.
                (Ok(value), _) if value.is_empty() => continue,
                (Ok(value), _) => match (slot.replace(value), known) {
                    (None, _) => continue,
                    (Some(_), "state") => {
                        ambiguous = true;
                        continue;
                    }
                    // RFC 6749 section 3.1: a parameter may not come twice, not even with the same value.
                    (Some(_), _) => Malformed::Duplicate(name.into_owned()),
                },
                (Err(_), "state") => {
                    ambiguous = true;
                    continue;
                }
                // What only explains may be unreadable; what decides may not.
                (Err(_), "error_description" | "error_uri") => continue,
                (Err(_), "iss") => Malformed::Invalid("iss"),
                (Err(_), "error") => Malformed::Invalid("error"),
                (Err(_), "access_token") => Malformed::Invalid("access_token"),
                (Err(_), _) => Malformed::Invalid("code"),
            };
            wrong.get_or_insert(Error::Malformed(why));
        }
        (wrong.map_or(Ok(read), Err), state.filter(|_| !ambiguous))
    }
}

/// The authorization code grant's token request (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
struct Code {
    code: AuthorizationCode,
    pending: Pending,
    resources: Vec<Resource>,
}

impl Grant for Code {
    fn form(&self, form: &mut Form) {
        form.pair("grant_type", GrantType::AUTHORIZATION_CODE.as_str());
        form.pair("code", self.code.expose());
        // RFC 6749 section 4.1.3: the same, where it was there.
        if let Some(redirect_uri) = &self.pending.redirect_uri {
            form.pair("redirect_uri", redirect_uri);
        }
        if let Some(verifier) = &self.pending.verifier {
            form.pair("code_verifier", text(verifier));
        }
        Resource::write(&self.resources, form);
    }

    fn scope(&self) -> Option<&Scope> {
        self.pending.scope.as_ref()
    }

    fn id_token(&self, rules: IdTokenRules) -> Option<IdTokenRules> {
        // The nonce was sent, and so it has to come back (OpenID Connect Core section 3.1.3.7, rule 11).
        let rules = rules.with_nonce(text(self.pending.nonce.as_ref()?));
        Some(match self.pending.max_age {
            Some(seconds) => rules.with_max_age(Duration::from_secs(seconds.into())),
            None => rules,
        })
    }
}

/// What was asked for in place of a code (RFC 6749 section 4.2).
struct Implicit {
    scope: Option<Scope>,
}

impl Grant for Implicit {
    fn form(&self, _: &mut Form) {}

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }
}

impl Flow for Redeem {
    type Outcome = Granted;

    fn poll(&mut self, now: Now) -> Output<Granted> {
        match &mut self.0 {
            State::Exchange(exchange) => {
                exchange.poll(now).map(|result| Output::Done(result.map(|tokens| Granted { tokens })))
            }
            State::Refused(_) | State::Implicit(..) | State::Over => {
                match core::mem::replace(&mut self.0, State::Over) {
                    State::Refused(failure) => Output::Done(Err(failure)),
                    State::Implicit(answer, asked) => {
                        let read = token::from_fragment(answer.expose(), now, &asked);
                        let tokens = read
                            .and_then(|mut tokens| exchange::accept(&asked, &mut tokens).map(|()| tokens));
                        Output::Done(tokens.map(|tokens| Granted { tokens }))
                    }
                    State::Exchange(_) | State::Over => Output::Idle,
                }
            }
        }
    }

    fn handle(&mut self, input: Input, now: Now) {
        match &mut self.0 {
            State::Exchange(exchange) => exchange.handle(input, now),
            State::Implicit(..) => self.0 = State::Refused(Failure::misuse(Misuse::NotAsked)),
            // Nothing was asked; the failure that is due says more than a misuse would.
            State::Refused(_) | State::Over => {}
        }
    }

    fn take_learned(&mut self) -> Learned {
        match &mut self.0 {
            State::Exchange(exchange) => exchange.take_learned(),
            State::Refused(_) | State::Implicit(..) | State::Over => Learned::default(),
        }
    }

    fn waived(&self) -> Option<OptOut> {
        match &self.0 {
            State::Exchange(exchange) => exchange.waived(),
            // The warning was given when the person was sent to the server.
            State::Refused(_) | State::Implicit(..) | State::Over => None,
        }
    }
}

impl fmt::Debug for Redeem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redeem")
    }
}
