//! A message of the server's, opened: verified by its keys, which are fetched when they have to be.
//!
//! ```text
//! Send?        GET jwks_uri, where no keys are known or those that are known are old (RFC 7517 section 5)
//! Key(Open)    the message
//! Send?        GET jwks_uri, where none of the keys has the name that the message says
//! Key(Open)?   once more
//! ```

use crate::client::Client;
use crate::failure::{Error, Failure, KeyFailed, KeyWhy, Misuse};
use crate::flow::{Input, KeyTask, OpenTask, Opened, Output};
use crate::memory::Learned;
use crate::registry::Algorithm;
use crate::request::{Purpose, Request};
use crate::secret::SecretBytes;
use crate::server_keys::{Known, KnownKeys};
use crate::time::Now;
use alloc::sync::Arc;
use core::fmt;

/// One message on its way to be opened.
pub(crate) struct Opening {
    /// What the key holder is asked, but for the server's keys.
    task: OpenTask,
    known: KnownKeys,
    /// Whether the server was asked for its keys because of this message: once is enough.
    asked: bool,
    /// Whether it names a key that nobody knows: old keys are of no use then.
    unknown: bool,
    state: State,
}

enum State {
    Begin,
    Fetch,
    Fetching,
    Open,
    Opening,
    Over,
}

/// A message that is for no client in particular: by any key of the server's, and not encrypted.
pub(crate) fn by_any_key(message: SecretBytes, typ: Option<&'static str>) -> OpenTask {
    OpenTask {
        message,
        algorithms: Algorithm::SIGNATURES.into(),
        typ,
        keys: None,
        secret: None,
        decryption_key: None,
    }
}

impl Opening {
    pub(crate) const fn new(task: OpenTask, known: KnownKeys) -> Self {
        Self { task, known, asked: false, unknown: false, state: State::Begin }
    }

    /// Whether it is verified by the server's keys, and not by a secret.
    const fn by_keys(&self) -> bool {
        self.task.secret.is_none()
    }

    pub(crate) fn poll<T>(&mut self, client: &Client, now: Now) -> Output<T> {
        if matches!(self.state, State::Begin) {
            let fresh = self.known.as_ref().is_some_and(|known| known.fresh(now.mono).is_some());
            let asks = self.by_keys() && !fresh;
            self.state = if asks { State::Fetch } else { State::Open };
        }
        match self.state {
            State::Fetch => {
                self.asked = true;
                self.state = State::Fetching;
                // The endpoint was there when the flow was made.
                client.endpoint(Purpose::Keys).map_or(Output::Idle, |endpoint| {
                    Output::Send(Request::get(Purpose::Keys, Arc::clone(endpoint)))
                })
            }
            State::Open => {
                self.state = State::Opening;
                Output::Key(KeyTask::Open(self.task()))
            }
            State::Begin | State::Fetching | State::Opening | State::Over => Output::Idle,
        }
    }

    /// What was opened, once it is.
    pub(crate) fn handle(
        &mut self,
        input: Input,
        now: Now,
        learned: &mut Learned,
    ) -> Option<Result<Opened, Failure>> {
        match (core::mem::replace(&mut self.state, State::Over), input) {
            (State::Fetching, Input::Response(response)) => self.fetched(Ok(&response), now, learned),
            (State::Fetching, Input::Unreachable(why)) => {
                self.fetched(Err(Error::Unreachable(why).into()), now, learned)
            }
            (State::Opening, Input::Opened(opened)) => {
                Some(if self.task.algorithms.contains(&opened.algorithm) {
                    Ok(opened)
                } else {
                    Err(Error::Key(KeyFailed::new(KeyWhy::Bad)).into())
                })
            }
            (State::Opening, Input::KeyFailed(failed)) => {
                let others = failed.why == KeyWhy::UnknownKid && self.by_keys();
                if others
                    && !self.asked
                    && self.known.as_ref().is_none_or(|known| known.may_be_asked(now.mono))
                {
                    self.unknown = true;
                    self.state = State::Fetch;
                    return None;
                }
                Some(Err(Error::Key(failed).into()))
            }
            _ => Some(Err(Failure::misuse(Misuse::NotAsked))),
        }
    }

    fn fetched(
        &mut self,
        answer: Result<&crate::request::Response, Failure>,
        now: Now,
        learned: &mut Learned,
    ) -> Option<Result<Opened, Failure>> {
        let (known, fetched) = Known::after(self.known.as_deref(), answer, now);
        let none = known.keys().is_none();
        self.known = Some(Arc::new(known));
        learned.keys.clone_from(&self.known);
        self.state = State::Open;
        fetched.err().filter(|_| self.unknown || none).map(Err)
    }

    fn task(&self) -> OpenTask {
        let keys = self.known.as_deref().and_then(Known::keys);
        OpenTask { keys: keys.filter(|_| self.by_keys()).cloned(), ..self.task.clone() }
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("task", &self.task).finish_non_exhaustive()
    }
}
