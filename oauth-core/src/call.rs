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
///
/// Small: a program may have a hundred thousand of them waiting.
pub(crate) struct Call {
    /// Only there for a client that signs.
    assertions: Option<Box<Assertions>>,
    state: State,
}

struct Assertions {
    clock: ClockOffset,
    /// What each assertion's `jti` is made of.
    seed: Seed,
    count: u32,
    /// The signing input, then the assertion, which is kept out of messages once it was sent.
    current: Option<ClientSecret>,
}

enum State {
    Begin,
    Signing,
    Send,
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
        let assertions = || Box::new(Assertions { clock, seed: seed.again(), count: 0, current: None });
        Self { assertions: client.signs().then(assertions), state: State::Begin }
    }

    /// A request that was sent, and carries what authorizes it.
    pub(crate) const fn sent() -> Self {
        Self { assertions: None, state: State::Sending }
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
        match self.state {
            State::Begin => {
                if let Some(task) = self.assertions.as_mut().and_then(|own| own.next(client, purpose, now)) {
                    self.state = State::Signing;
                    return Asked::Key(task);
                }
            }
            State::Send => {}
            State::Signing | State::Sending | State::Over => return Asked::Nothing,
        }
        let mut fields = Form::with_capacity(512);
        form(&mut fields);
        self.state = State::Sending;
        let assertion = self.assertions.as_ref().and_then(|own| own.current.as_ref());
        // The endpoint was there when the flow was made.
        client.request(purpose, fields, assertion).map_or(Asked::Nothing, Asked::Send)
    }

    /// Whether it is signed and not yet sent.
    pub(crate) const fn is_signed(&self) -> bool {
        matches!(self.state, State::Send)
    }

    /// The response that is owed, where it is one, without moving it: mostly it is.
    pub(crate) fn response<'i>(&mut self, input: &'i Input) -> Option<&'i Response> {
        let (State::Sending, Input::Response(response)) = (&self.state, input) else { return None };
        self.state = State::Over;
        Some(response)
    }

    pub(crate) fn handle(&mut self, input: Input) -> Heard {
        match (core::mem::replace(&mut self.state, State::Over), input) {
            (State::Signing, Input::Signature(signature)) => {
                if let Some(own) = &mut self.assertions {
                    own.signed(&signature);
                }
                self.state = State::Send;
                Heard::More
            }
            (State::Signing, Input::KeyFailed(failed)) => Heard::KeyFailed(failed),
            (State::Sending, Input::Response(response)) => Heard::Response(response),
            (State::Sending, Input::Unreachable(why)) => Heard::Unreachable(why),
            _ => Heard::NotAsked,
        }
    }

    /// What must not come back in a message to the request that was sent, whose form this is.
    pub(crate) fn secrets(&self, client: &Client, purpose: Purpose, form: Form) -> Scrub {
        let mut secrets = client.secrets_of(purpose, form);
        let sent = self.assertions.as_ref().and_then(|own| own.current.as_ref());
        secrets.add(sent.map(ClientSecret::expose));
        secrets
    }

    /// A call for the next flow of the same conversation: its assertions go on counting.
    pub(crate) fn next(&mut self) -> Self {
        Self { assertions: self.assertions.take(), state: State::Begin }
    }
}

impl Assertions {
    /// The assertion of one request, to be signed.
    fn next(&mut self, client: &Client, purpose: Purpose, now: Unix) -> Option<SignTask> {
        self.count = self.count.wrapping_add(1);
        let (task, input) =
            client.assertion(purpose, self.clock.server_time(now), &self.seed, self.count).unzip();
        self.current = input;
        task
    }

    fn signed(&mut self, signature: &[u8]) {
        let input = self.current.as_ref().map_or("", ClientSecret::expose);
        let mut assertion = String::with_capacity(input.len() + 1 + signature.len().div_ceil(3) * 4);
        assertion.push_str(input);
        assertion.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut assertion);
        self.current = Some(ClientSecret::new(assertion));
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
