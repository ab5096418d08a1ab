//! One request, and what its answer means: all there is to most flows.

use crate::call::{Asked, Call};
use crate::date;
use crate::failure::{Error, Failure, Malformed, Misuse, Refusal};
use crate::flow::{Input, Output};
use crate::json::{self, Value};
use crate::memory::Learned;
use crate::registry::ErrorCode;
use crate::request::{Request, Response};
use crate::time::Now;
use crate::token::{self, Scrub, told};
use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use http::StatusCode;

/// The states of such a flow.
pub(crate) struct Once<T> {
    state: State<T>,
    learned: Learned,
    /// Saves what must not be lost of an outcome when an answer too many makes a failure of it.
    rescue: fn(T, Failure) -> Failure,
}

enum State<T> {
    /// A request without the client's authentication: with a token, say.
    Plain(Box<Request>),
    Calling(Call),
    Finish(Result<T, Failure>),
    Over,
}

impl<T> Once<T> {
    pub(crate) fn new(call: Call) -> Self {
        Self::beginning(State::Calling(call))
    }

    /// A request that carries what authorizes it.
    pub(crate) fn plain(request: Request) -> Self {
        Self::beginning(State::Plain(Box::new(request)))
    }

    fn beginning(state: State<T>) -> Self {
        Self { state, learned: Learned::default(), rescue: |_, failure| failure }
    }

    pub(crate) fn rescuing(mut self, rescue: fn(T, Failure) -> Failure) -> Self {
        self.rescue = rescue;
        self
    }

    pub(crate) fn poll(&mut self, ask: impl FnOnce(&mut Call) -> Asked) -> Output<T> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Plain(request) => {
                self.state = State::Calling(Call::sent());
                Output::Send(*request)
            }
            State::Calling(mut call) => {
                let asked = ask(&mut call);
                self.state = State::Calling(call);
                asked.into()
            }
            State::Finish(result) => Output::Done(result),
            State::Over => Output::Idle,
        }
    }

    /// [`poll`](Self::poll) of a [`plain`](Self::plain) request.
    pub(crate) fn poll_plain(&mut self) -> Output<T> {
        self.poll(|_| Asked::Nothing)
    }

    pub(crate) fn handle(
        &mut self,
        input: Input,
        now: Now,
        read: impl FnOnce(&Call, &Response) -> Result<T, Failure>,
    ) {
        self.state = match core::mem::replace(&mut self.state, State::Over) {
            State::Calling(mut call) => match call.handle(input).response() {
                Ok(None) => State::Calling(call),
                Ok(Some(response)) => {
                    self.learned.clock(date::clock_offset(response.headers(), now.unix));
                    State::Finish(read(&call, &response))
                }
                Err(failure) => State::Finish(Err(failure)),
            },
            State::Finish(Ok(outcome)) => {
                State::Finish(Err((self.rescue)(outcome, Failure::misuse(Misuse::NotAsked))))
            }
            // The failure that is due says more than a misuse would.
            State::Finish(Err(failure)) => State::Finish(Err(failure)),
            State::Plain(_) => State::Finish(Err(Failure::misuse(Misuse::NotAsked))),
            State::Over => State::Over,
        };
    }

    pub(crate) fn take_learned(&mut self) -> Learned {
        core::mem::take(&mut self.learned)
    }
}

impl<T> fmt::Debug for Once<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

/// The members of an answer, before any rule is applied.
pub(crate) struct Reply<'a> {
    members: Vec<(String, Value<'a>)>,
    syntax: Result<(), Malformed>,
}

impl<'a> Reply<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Self {
        let mut members: Vec<(String, Value<'a>)> = Vec::new();
        let syntax = json::members(
            body,
            |_| Some(()),
            |(), name, value| {
                // One with too many is refused, and what manages a registration is saved of it all the same.
                let saved = || {
                    ["registration_access_token", "registration_client_uri"].contains(&name)
                        && members.iter().all(|(known, _)| known != name)
                };
                // A null is a member that is not there.
                if value != Value::Null && (members.len() < json::MAX_MEMBERS || saved()) {
                    members.push((name.to_owned(), value));
                }
            },
        );
        Self { members, syntax }
    }

    /// Members that came in another way than as the body of a response.
    pub(crate) fn of(members: Vec<(String, Value<'a>)>) -> Self {
        let members = members.into_iter().filter(|(_, value)| *value != Value::Null).collect();
        Self { members, syntax: Ok(()) }
    }

    /// Of two, the first; the document is refused.
    pub(crate) fn find(&self, name: &str) -> Option<&Value<'a>> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.remove(at).1)
    }

    /// A text; an empty one is as good as none.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let text = value.into_string().ok_or(Error::Malformed(Malformed::Invalid(name)))?;
        Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
    }

    /// What nobody took.
    pub(crate) fn rest(self) -> impl Iterator<Item = (String, Value<'static>)> {
        self.members.into_iter().map(|(name, value)| (name, value.into_owned()))
    }

    /// Why this is no success, if it is none. `sent` is what no message may show.
    pub(crate) fn check(&mut self, response: &Response, now: Now, sent: &Scrub) -> Result<(), Failure> {
        let status = response.status();
        if let Some(outage) = token::outage(response, now) {
            return Err(outage);
        }
        let fail = |error: Error| Err(Failure::from(error).with_status(status));
        self.members.retain(|(name, value)| name != "error" || value.as_str() != Some(""));
        // RFC 6749 section 5.2, and what the field does: an error counts at any status, 200 included.
        if let (Some(Value::String(code)), Ok(())) = (self.find("error").cloned(), &self.syntax) {
            let (description, uri) = (self.take("error_description"), self.take("error_uri"));
            return fail(Error::Server(token::refusal(&code, description, uri, sent)));
        }
        if status.is_redirection() {
            return fail(Error::Malformed(Malformed::Redirect));
        }
        if !status.is_success() {
            // What says no in another dialect.
            if let Some(refusal) = told::refusal(response, sent) {
                return fail(Error::Server(refusal));
            }
            let excerpt = token::excerpt(response.body(), sent);
            return fail(Error::Malformed(Malformed::Status))
                .map_err(|failure| failure.with_excerpt(excerpt));
        }
        if let Err(malformed) = &self.syntax {
            return fail(Error::Malformed(sent.malformed(malformed.clone())));
        }
        if self.find("error").is_some() {
            return fail(Error::Malformed(Malformed::Invalid("error")));
        }
        Ok(())
    }
}

/// RFC 6750 section 3.1: what status 401 says of the token that a request presented. Its body need not say more.
pub(crate) fn token_refused(failure: Failure) -> Failure {
    match (&*failure.error, failure.status) {
        (Error::Malformed(Malformed::Status), Some(StatusCode::UNAUTHORIZED)) => Failure {
            error: Error::Server(Refusal { code: ErrorCode::INVALID_TOKEN, description: None, uri: None })
                .into(),
            ..failure
        },
        _ => failure,
    }
}
