//! One engine for every token request; a grant is a form and a check.
//!
//! ```text
//! Key(Sign)?   an assertion, where the grant needs one (RFC 7523 section 2.1)
//! Send         the form with the client's authentication (RFC 6749 sections 2.3 and 3.2)
//! Key(Open)?   the ID token that came along, and Send? for the keys that verify it (OpenID Connect Core section 3.1.3.7)
//! Done         checked tokens (section 5.1), or a refusal (section 5.2)
//! ```

use crate::call::Call;
use crate::claims::IdTokenRules;
use crate::client::{Client, ConfigError};
use crate::date;
use crate::failure::{Error, Failure, Misuse, Refusal, Rejected};
use crate::flow::{Flow, Input, KeyTask, Output, SignTask};
use crate::form::Form;
use crate::identify::{Identified, Identify};
use crate::memory::{ClockOffset, Learned, ServerMemory};
use crate::policy::{OptOut, Policy};
use crate::registry::TokenType;
use crate::request::{Purpose, Response};
use crate::scope::Scope;
use crate::secret::RefreshToken;
use crate::seed::Seed;
use crate::server_keys::KnownKeys;
use crate::time::{Now, Unix};
use crate::token::{self, Answer, Tokens};
use alloc::boxed::Box;
use core::fmt;

/// What is particular to one grant: the parameters it sends and the checks it makes.
///
/// Everything else (client authentication, reading the answer, rescuing a refresh token) is done once, in
/// [`Exchange`]. A grant of your own is a [`form`](Self::form) and, where it matters, a [`check`](Self::check).
pub trait Grant {
    /// The rule that has to be waived for this grant to be sent: it is checked, and whoever runs the client is warned.
    fn waived(&self) -> Option<OptOut> {
        None
    }

    /// Whether the grant itself says who asks, so that it may be sent by [nobody](crate::Registration::unnamed).
    fn names_its_issuer(&self) -> bool {
        false
    }

    /// Refuses what must not be sent, before any I/O.
    ///
    /// # Errors
    /// What the program, or whoever set it up, has to change.
    fn validate(&self, policy: &Policy) -> Result<(), ConfigError> {
        let _accepted = policy;
        Ok(())
    }

    /// Writes the parameters, `grant_type` first. Called again, after a refusal, to keep what was sent out of messages.
    fn form(&self, form: &mut Form);

    /// Whether a token of this type is of use: `Bearer` alone, as a rule (RFC 6749 section 7.1).
    fn takes(&self, token_type: &TokenType) -> bool {
        *token_type == TokenType::BEARER
    }

    /// Has the last word on tokens that are fit to use otherwise.
    ///
    /// # Errors
    /// What must not be trusted about them; the server is at fault. A refresh token among them is rescued.
    fn check(&self, tokens: &Tokens) -> Result<(), Rejected> {
        let _accepted = tokens;
        Ok(())
    }

    /// What is asked for: it is what was granted when the answer does not say (RFC 6749 section 5.1).
    fn scope(&self) -> Option<&Scope> {
        None
    }

    /// The refresh token that stays the one to keep when the answer brings none (RFC 6749 section 6).
    fn renews(&self) -> Option<&RefreshToken> {
        None
    }

    /// Completes the rules by which an ID token that comes along is believed; `None` where none was asked for, and one that
    /// comes is handed on as it is.
    fn id_token(&self, rules: IdTokenRules) -> Option<IdTokenRules> {
        let _none = rules;
        None
    }

    /// What has to be signed before [`form`](Self::form) is written. `now` is the server's time as far as it is known.
    fn assertion(&mut self, now: Unix, seed: &Seed) -> Option<SignTask> {
        let _unused = (now, seed);
        None
    }

    /// Takes the signature of its assertion.
    fn signed(&mut self, signature: &[u8]) {
        let _unused = signature;
    }
}

/// A token request by any grant.
pub struct Exchange<G> {
    client: Client,
    grant: G,
    seed: Seed,
    clock: ClockOffset,
    keys: KnownKeys,
    call: Call,
    state: State,
    learned: Learned,
}

enum State {
    Begin,
    Signing,
    Calling,
    Identify(Box<Identify>),
    Finish(Result<Tokens, Failure>),
    Over,
}

impl<G: Grant> Exchange<G> {
    pub(crate) fn new(client: Client, grant: G, memory: &ServerMemory, seed: Seed) -> Self {
        let clock = memory.clock_offset();
        let call = Call::new(&client, clock, &seed);
        let keys = memory.known_keys();
        Self { client, grant, seed, clock, keys, call, state: State::Begin, learned: Learned::default() }
    }

    pub(crate) const fn grant_mut(&mut self) -> &mut G {
        &mut self.grant
    }

    fn call(&mut self, now: Now) -> Output<Tokens> {
        self.state = State::Calling;
        let grant = &self.grant;
        self.call.poll(&self.client, Purpose::Token, now.unix, |form| grant.form(form)).into()
    }

    fn hear(&mut self, input: Input, now: Now) -> State {
        match self.call.handle(input).response() {
            Ok(None) => State::Calling,
            Ok(Some(response)) => self.receive(&response, now),
            Err(failure) => State::Finish(Err(failure)),
        }
    }

    fn receive(&mut self, response: &Response, now: Now) -> State {
        self.learned.clock(date::clock_offset(response.headers(), now.unix));
        match read(&self.client, &self.call, &self.grant, response, now) {
            Answer::Tokens(mut tokens) => match accept(&self.grant, &mut tokens) {
                Ok(()) if tokens.id_token.is_some() => self.identify(tokens, now),
                Ok(()) => State::Finish(Ok(tokens)),
                Err(failure) => State::Finish(Err(failure.with_status(response.status()))),
            },
            Answer::Refused(failure) | Answer::Failed(failure) => State::Finish(Err(failure)),
            // Errors of another grant: here they are a refusal like any other.
            Answer::NotYet(code, _) => {
                let refusal = Refusal { code, description: None, uri: None };
                let failure = Failure::from(Error::Server(refusal));
                State::Finish(Err(failure.with_status(response.status())))
            }
        }
    }

    /// Looks at the ID token that came along before anybody gets the tokens.
    #[cold]
    fn identify(&self, tokens: Tokens, now: Now) -> State {
        let clock = self.learned.clock.unwrap_or(self.clock);
        Identified::new(tokens, &self.client, &self.grant, &self.keys, clock, now).into()
    }
}

impl From<Identified> for State {
    fn from(identified: Identified) -> Self {
        match identified {
            Identified::Done(result) => Self::Finish(result),
            Identified::Asking(identify) => Self::Identify(identify),
        }
    }
}

/// Reads the answer to a grant's form.
pub(crate) fn read(
    client: &Client,
    call: &Call,
    grant: &impl Grant,
    response: &Response,
    now: Now,
) -> Answer {
    token::read(response, now, grant, client.quirks(), || {
        let mut form = Form::with_capacity(512);
        grant.form(&mut form);
        call.secrets(client, Purpose::Token, form)
    })
}

/// An answer too many ends the flow, and costs no refresh token that is already here.
pub(crate) fn unasked(result: Result<Tokens, Failure>) -> Failure {
    match result {
        Ok(tokens) => Failure::misuse(Misuse::NotAsked).with_rescued(tokens.refresh_token),
        Err(failure) => failure,
    }
}

/// Lets the grant have its say, and fills in what the answer may leave out.
pub(crate) fn accept(grant: &impl Grant, tokens: &mut Tokens) -> Result<(), Failure> {
    if let Err(rejected) = grant.check(tokens) {
        return Err(Failure::from(Error::Rejected(rejected)).with_rescued(tokens.refresh_token.take()));
    }
    if tokens.scope.is_none() {
        tokens.scope = grant.scope().cloned();
    }
    if tokens.refresh_token.is_none() {
        tokens.refresh_token = grant.renews().cloned();
    }
    Ok(())
}

impl<G: Grant> Flow for Exchange<G> {
    type Outcome = Tokens;

    fn poll(&mut self, now: Now) -> Output<Tokens> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Begin => match self.grant.assertion(self.clock.server_time(now.unix), &self.seed) {
                Some(task) => {
                    self.state = State::Signing;
                    Output::Key(KeyTask::Sign(task))
                }
                None => self.call(now),
            },
            State::Calling => self.call(now),
            State::Identify(mut identify) => {
                let output = identify.poll(&self.client, now);
                self.state = State::Identify(identify);
                output
            }
            State::Finish(result) => Output::Done(result),
            owed @ (State::Signing | State::Over) => {
                self.state = owed;
                Output::Idle
            }
        }
    }

    fn handle(&mut self, input: Input, now: Now) {
        if matches!(self.state, State::Calling) {
            self.state = match self.call.response(&input) {
                Some(response) => self.receive(response, now),
                None => self.hear(input, now),
            };
            return;
        }
        self.state = match (core::mem::replace(&mut self.state, State::Over), input) {
            (State::Signing, Input::Signature(signature)) => {
                self.grant.signed(&signature);
                State::Calling
            }
            (State::Signing, Input::KeyFailed(failed)) => State::Finish(Err(Error::Key(failed).into())),
            (State::Identify(identify), input) => identify.handle(input, now, &mut self.learned).into(),
            (State::Finish(result), _) => State::Finish(Err(unasked(result))),
            (State::Over, _) => State::Over,
            (State::Begin | State::Signing | State::Calling, _) => {
                State::Finish(Err(Failure::misuse(Misuse::NotAsked)))
            }
        };
    }

    fn take_learned(&mut self) -> Learned {
        core::mem::take(&mut self.learned)
    }

    fn waived(&self) -> Option<OptOut> {
        self.grant.waived().or_else(|| self.client.waived())
    }
}

impl<G> fmt::Debug for Exchange<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("client", &self.client).finish_non_exhaustive()
    }
}
