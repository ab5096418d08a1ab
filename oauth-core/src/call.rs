//! One authenticated request to one endpoint: what every flow that sends a form is made of.
//!
//! ```text
//! Key(Sign)?   the client's assertion, where it authenticates by one (RFC 7521 section 4.2)
//! Send         the form, with the client's authentication in one place (RFC 6749 section 2.3)
//! ```

use crate::client::Client;
use crate::failure::{Error, Failure, KeyFailed, Misuse, Unreachable};
use crate::flow::{Input, KeyTask, Output, SignTask};
use crate::form::Form;
use crate::memory::ClockOffset;
use crate::request::{Purpose, Request, Response};
use crate::secret::ClientSecret;
use crate::seed::Seed;
use crate::time::Unix;
use crate::token::Scrub;
use alloc::boxed::Box;
use alloc::string::String;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt;

/// A request on its way. Flows that send more than once [`begin`](Self::begin) it again.
pub(crate) struct Call {
    clock: ClockOffset,
    /// What each assertion's `jti` is made of: only there for a client that signs.
    chance: Option<Box<(Seed, u32)>>,
    /// The assertion that was sent last, to be kept out of messages.
    sent: Option<ClientSecret>,
    state: State,
}

enum State {
    Begin,
    /// A request without the client's authentication: with a token, say.
    Plain(Box<Request>),
    /// The signing input, which becomes the assertion.
    Signing(ClientSecret),
    Send(Option<ClientSecret>),
    Sending,
    Over,
}

/// What a call asks for.
pub(crate) enum Asked {
    Key(SignTask),
    Send(Request),
    /// An answer is owed, or the call is over.
    Nothing,
}

impl<T> From<Asked> for Output<T> {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Key(task) => Self::Key(KeyTask::Sign(task)),
            Asked::Send(request) => Self::Send(request),
            Asked::Nothing => Self::Idle,
        }
    }
}

/// What an answer was to a call.
pub(crate) enum Heard {
    /// There is more to ask.
    More,
    Response(Response),
    Unreachable(Unreachable),
    KeyFailed(KeyFailed),
    NotAsked,
}

impl Heard {
    /// The response, where anything else is the end.
    pub(crate) fn response(self) -> Result<Option<Response>, Failure> {
        match self {
            Self::More => Ok(None),
            Self::Response(response) => Ok(Some(response)),
            Self::Unreachable(why) => Err(Error::Unreachable(why).into()),
            Self::KeyFailed(failed) => Err(Error::Key(failed).into()),
            Self::NotAsked => Err(Failure::misuse(Misuse::NotAsked)),
        }
    }
}

impl Call {
    pub(crate) fn new(client: &Client, clock: ClockOffset, seed: &Seed) -> Self {
        let chance = client.signs().then(|| Box::new((seed.again(), 0)));
        Self { clock, chance, sent: None, state: State::Begin }
    }

    /// A request that carries what authorizes it.
    pub(crate) fn plain(request: Request) -> Self {
        let state = State::Plain(Box::new(request));
        Self { clock: ClockOffset::default(), chance: None, sent: None, state }
    }

    /// Makes ready for another request, with an assertion of its own.
    pub(crate) fn begin(&mut self) {
        self.state = State::Begin;
    }

    pub(crate) fn poll(
        &mut self,
        client: &Client,
        purpose: Purpose,
        now: Unix,
        form: impl FnOnce(&mut Form),
    ) -> Asked {
        let assertion = match core::mem::replace(&mut self.state, State::Over) {
            State::Plain(request) => return self.send(*request),
            State::Begin => match self.assertion(client, purpose, now) {
                Some((task, input)) => {
                    self.state = State::Signing(input);
                    return Asked::Key(task);
                }
                None => None,
            },
            State::Send(assertion) => assertion,
            owed @ (State::Signing(_) | State::Sending | State::Over) => {
                self.state = owed;
                return Asked::Nothing;
            }
        };
        let mut fields = Form::with_capacity(512);
        form(&mut fields);
        // The endpoint was there when the flow was made.
        let Ok(request) = client.request(purpose, fields, assertion.as_ref()) else { return Asked::Nothing };
        self.sent = assertion;
        self.send(request)
    }

    /// [`poll`](Self::poll) of a [`plain`](Self::plain) request.
    pub(crate) fn poll_plain(&mut self) -> Asked {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Plain(request) => self.send(*request),
            owed @ (State::Begin | State::Signing(_) | State::Send(_) | State::Sending | State::Over) => {
                self.state = owed;
                Asked::Nothing
            }
        }
    }

    fn send(&mut self, request: Request) -> Asked {
        self.state = State::Sending;
        Asked::Send(request)
    }

    pub(crate) fn handle(&mut self, input: Input) -> Heard {
        match (core::mem::replace(&mut self.state, State::Over), input) {
            (State::Signing(input), Input::Signature(signature)) => {
                let mut assertion = String::with_capacity(input.expose().len() + 4 * signature.len() / 3 + 4);
                assertion.push_str(input.expose());
                assertion.push('.');
                URL_SAFE_NO_PAD.encode_string(signature, &mut assertion);
                self.state = State::Send(Some(ClientSecret::new(assertion)));
                Heard::More
            }
            (State::Signing(_), Input::KeyFailed(failed)) => Heard::KeyFailed(failed),
            (State::Sending, Input::Response(response)) => Heard::Response(response),
            (State::Sending, Input::Unreachable(why)) => Heard::Unreachable(why),
            _ => Heard::NotAsked,
        }
    }

    /// What must not come back in a message to the request that was sent, whose form this is.
    pub(crate) fn secrets(&self, client: &Client, purpose: Purpose, form: Form) -> Scrub {
        let mut secrets = client.secrets_of(purpose, form);
        secrets.add(self.sent.as_ref().map(ClientSecret::expose));
        secrets
    }

    /// A call for the next flow of the same conversation: its assertions go on counting.
    pub(crate) fn next(&mut self) -> Self {
        Self { clock: self.clock, chance: self.chance.take(), sent: None, state: State::Begin }
    }

    fn assertion(
        &mut self,
        client: &Client,
        purpose: Purpose,
        now: Unix,
    ) -> Option<(SignTask, ClientSecret)> {
        let (seed, count) = &mut **self.chance.as_mut()?;
        *count = count.wrapping_add(1);
        client.assertion(purpose, self.clock.server_time(now), seed, *count)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
