//! The one interface every grant speaks: answer, then poll.

use crate::failure::{Failure, KeyFailed, Unreachable};
use crate::memory::Learned;
use crate::policy::OptOut;
use crate::registry::Algorithm;
use crate::request::{Request, Response};
use crate::secret::{ClientSecret, SecretBytes};
use crate::server_keys::ServerKeys;
use crate::time::{Mono, Now};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A conversation with the server that needs no human: it runs from one human act to the next.
///
/// Invariant, *answer, then poll*: every [`Output::Send`] and every [`Output::Key`] is answered by exactly one
/// [`handle`](Self::handle); [`poll`](Self::poll) is called after the flow is made, after `handle`, and when a wait
/// ends. Dropping a flow cancels it.
///
/// The whole driver, for every grant:
///
/// ```
/// use oauth_core::{Failure, Flow, Input, Now, Output, Request};
///
/// fn drive<F: Flow>(
///     mut flow: F,
///     now: impl Fn() -> Now,
///     mut answer: impl FnMut(Request) -> Input,
///     mut wait_until: impl FnMut(oauth_core::Mono),
/// ) -> Result<F::Outcome, Failure> {
///     loop {
///         let input = match flow.poll(now()) {
///             Output::Send(request) => answer(request),
///             Output::Key(task) => task.unsupported(),
///             Output::Wait(until) => { wait_until(until); continue }
///             Output::Idle => return Err(Failure::idle()),
///             Output::Done(result) => return result,
///         };
///         flow.handle(input, now());
///     }
/// }
/// ```
pub trait Flow {
    /// What a finished flow hands back.
    type Outcome;

    /// Says what the caller must do next.
    fn poll(&mut self, now: Now) -> Output<Self::Outcome>;

    /// Answers the last `Send` or `Key`.
    ///
    /// Never fails: a bad answer, or one that nobody asked for, comes out of [`poll`](Self::poll) as `Done`.
    fn handle(&mut self, input: Input, now: Now);

    /// What the server taught us meanwhile, also when the flow failed: give it to
    /// [`ServerMemory::learn`](crate::ServerMemory::learn).
    fn take_learned(&mut self) -> Learned {
        Learned::default()
    }

    /// The rule that was waived for this conversation to be had at all: warn whoever runs the client of it.
    ///
    /// Known from the start. A driver asks before its first [`poll`](Self::poll).
    fn waived(&self) -> Option<OptOut> {
        None
    }
}

/// What a flow asks of its driver.
#[must_use]
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a driver that ignores a variant is wrong: a new one is a major release"
)]
pub enum Output<T> {
    /// Perform this request once; answer [`Input::Response`] or [`Input::Unreachable`].
    Send(Request),
    /// Give this to whoever holds the keys: this process, an HSM, a KMS.
    Key(KeyTask),
    /// Nothing before this instant; polling early is harmless.
    Wait(Mono),
    /// An answer is owed, or the flow is over.
    Idle,
    /// Over; every failure is final.
    Done(Result<T, Failure>),
}

impl<T> Output<T> {
    /// The same, where another flow's end is only a step of this one.
    pub(crate) fn map<U>(self, end: impl FnOnce(Result<T, Failure>) -> Output<U>) -> Output<U> {
        match self {
            Self::Done(result) => end(result),
            Self::Send(request) => Output::Send(request),
            Self::Key(task) => Output::Key(task),
            Self::Wait(until) => Output::Wait(until),
            Self::Idle => Output::Idle,
        }
    }
}

/// What a driver answers.
#[non_exhaustive]
pub enum Input {
    /// The response to the last [`Output::Send`], whatever its status.
    Response(Response),
    /// There was no response.
    Unreachable(Unreachable),
    /// The signature for the last [`KeyTask::Sign`], as JWS spells it: for ECDSA the two numbers side by side
    /// (RFC 7518 section 3.4), not DER.
    Signature(Vec<u8>),
    /// What is in the message of the last [`KeyTask::Open`].
    Opened(Opened),
    /// The key holder could not do it.
    KeyFailed(KeyFailed),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(response) => f.debug_tuple("Response").field(response).finish(),
            Self::Unreachable(why) => f.debug_tuple("Unreachable").field(why).finish(),
            // It makes a credential of the assertion that it signs.
            Self::Signature(bytes) => write!(f, "Signature([{} bytes])", bytes.len()),
            Self::Opened(opened) => f.debug_tuple("Opened").field(opened).finish(),
            Self::KeyFailed(failed) => f.debug_tuple("KeyFailed").field(failed).finish(),
        }
    }
}

impl From<Result<Response, Unreachable>> for Input {
    fn from(result: Result<Response, Unreachable>) -> Self {
        match result {
            Ok(response) => Self::Response(response),
            Err(unreachable) => Self::Unreachable(unreachable),
        }
    }
}

/// Work for a key holder, which does no I/O of the protocol's.
///
/// One that does not know a task answers [`unsupported`](Self::unsupported).
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyTask {
    /// Sign these bytes; answer [`Input::Signature`].
    Sign(SignTask),
    /// Decrypt this message, where it is encrypted, and verify it; answer [`Input::Opened`].
    Open(OpenTask),
}

impl KeyTask {
    /// The answer of a driver that holds no keys, or does not know this kind of task.
    #[must_use]
    pub const fn unsupported(&self) -> Input {
        Input::KeyFailed(KeyFailed::new(crate::failure::KeyWhy::Unsupported))
    }
}

/// The core wrote header and claims; what is left is the signature.
#[derive(Clone)]
#[non_exhaustive]
pub struct SignTask {
    /// Which key.
    pub key: KeyId,
    /// The algorithm that the header names.
    pub algorithm: Algorithm,
    /// What to sign: the encoded header, a dot and the encoded claims (RFC 7515 section 5.1).
    pub input: Vec<u8>,
}

impl SignTask {
    /// A task as the core makes it: for the tests of key holders.
    #[must_use]
    pub const fn new(key: KeyId, algorithm: Algorithm, input: Vec<u8>) -> Self {
        Self { key, algorithm, input }
    }
}

impl fmt::Debug for SignTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An assertion is a credential once it is signed: its bytes are not shown.
        f.debug_struct("SignTask")
            .field("key", &self.key)
            .field("algorithm", &self.algorithm)
            .field("input", &format_args!("[{} bytes]", self.input.len()))
            .finish()
    }
}

/// A compact JOSE message of the server's, to be verified: the core looks at its claims afterwards.
///
/// Whoever does it says [`KeyWhy::UnknownKid`](crate::KeyWhy::UnknownKid) where no key has the name that the message says:
/// the core then asks the server for its keys as they are now, and makes the task again. Nobody else fetches anything.
#[derive(Clone)]
#[non_exhaustive]
pub struct OpenTask {
    /// The message: a signed one (RFC 7515 section 7.1), or an encrypted one with a signed one in it (RFC 7519 section 5.2).
    pub message: SecretBytes,
    /// By which algorithms it may be signed. Any other is refused.
    pub algorithms: Vec<Algorithm>,
    /// Of which kind it must say that it is (`typ`); `None` for an ID token, whose kind is `JWT` or not told.
    pub typ: Option<&'static str>,
    /// The server's public keys.
    pub keys: Option<ServerKeys>,
    /// What verifies HS256 and its like (OpenID Connect Core section 10.1).
    pub secret: Option<ClientSecret>,
    /// The key that it is encrypted for. Without one, an encrypted message is refused.
    pub decryption_key: Option<KeyId>,
}

impl OpenTask {
    /// A task as the core makes it, for a message that is signed by one of the server's keys.
    #[must_use]
    pub const fn new(message: SecretBytes, algorithms: Vec<Algorithm>, keys: ServerKeys) -> Self {
        Self { message, algorithms, typ: None, keys: Some(keys), secret: None, decryption_key: None }
    }
}

impl fmt::Debug for OpenTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who it is about is nobody's business in a log.
        f.debug_struct("OpenTask")
            .field("message", &format_args!("[{} bytes]", self.message.expose().len()))
            .field("algorithms", &self.algorithms)
            .field("typ", &self.typ)
            .field("keys", &self.keys)
            .field("decryption_key", &self.decryption_key)
            .finish_non_exhaustive()
    }
}

/// What was in a message whose signature is right.
#[derive(Clone)]
#[non_exhaustive]
pub struct Opened {
    /// By which algorithm it is signed.
    pub algorithm: Algorithm,
    /// Its claims, as they came.
    pub payload: SecretBytes,
}

impl Opened {
    /// The answer of a key holder.
    #[must_use]
    pub const fn new(algorithm: Algorithm, payload: SecretBytes) -> Self {
        Self { algorithm, payload }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The name that a program gives one of its keys.
///
/// It stays between the core and the key holder; what the server sees is the `kid`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(Cow<'static, str>);

impl KeyId {
    /// A name of the program's choosing.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(Cow::Owned(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
