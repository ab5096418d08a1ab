//! What the server signed and somebody else brought: logout tokens, access tokens that are JWTs.
//!
//! ```text
//! Send?  Key(Open)  Send?  Key(Open)?   as in `open`
//! Done                                  what it says, its claims checked
//! ```

use crate::claims::{AccessTokenClaims, AccessTokenRules, ClaimsError, LogoutTokenClaims, LogoutTokenRules};
use crate::client::{Client, ConfigError};
use crate::failure::{Error, Failure, Misuse, Rejected};
use crate::flow::{Flow, Input, Output};
use crate::memory::{ClockOffset, Learned, ServerMemory};
use crate::open::{self, Opening};
use crate::request::Purpose;
use crate::secret::SecretBytes;
use crate::time::{Now, Unix};
use core::fmt;

/// The rules by which one kind of message is believed: [`LogoutTokenRules`], [`AccessTokenRules`], or your own.
pub trait MessageRules {
    /// What such a message says.
    type Claims;

    /// What it has to say that it is (`typ`, RFC 8725 section 3.11); `None` for `JWT`, or nothing at all.
    fn typ(&self) -> Option<&'static str>;

    /// Whether it is signed and encrypted as the ID tokens of this client are
    /// ([`with_id_token_signed_response_alg`](crate::Registration::with_id_token_signed_response_alg)). Else any public key of
    /// the server verifies it, and it may not be encrypted.
    fn as_id_tokens(&self) -> bool {
        false
    }

    /// Checks the claims of a message whose signature is right. `now` is the server's time as far as it is known.
    ///
    /// # Errors
    /// Which claim is missing, of the wrong type, or wrong, and in what way.
    fn check(&self, payload: &[u8], now: Unix) -> Result<Self::Claims, ClaimsError>;
}

impl<R: MessageRules> MessageRules for &R {
    type Claims = R::Claims;

    fn typ(&self) -> Option<&'static str> {
        (**self).typ()
    }

    fn as_id_tokens(&self) -> bool {
        (**self).as_id_tokens()
    }

    fn check(&self, payload: &[u8], now: Unix) -> Result<R::Claims, ClaimsError> {
        (**self).check(payload, now)
    }
}

impl MessageRules for LogoutTokenRules {
    type Claims = LogoutTokenClaims;

    fn typ(&self) -> Option<&'static str> {
        Some("logout+jwt")
    }

    /// OpenID Connect Back-Channel Logout section 2.6, steps 1 and 2.
    fn as_id_tokens(&self) -> bool {
        true
    }

    fn check(&self, payload: &[u8], now: Unix) -> Result<LogoutTokenClaims, ClaimsError> {
        self.check(payload, now)
    }
}

impl MessageRules for AccessTokenRules {
    type Claims = AccessTokenClaims;

    fn typ(&self) -> Option<&'static str> {
        Some("at+jwt")
    }

    fn check(&self, payload: &[u8], now: Unix) -> Result<AccessTokenClaims, ClaimsError> {
        self.check(payload, now)
    }
}

/// Verifies one message of the server's: made by [`Client::verify`].
pub struct Verify<R> {
    client: Client,
    rules: R,
    clock: ClockOffset,
    state: State,
    learned: Learned,
}

enum State {
    Opening(Opening),
    Finish(Result<SecretBytes, Failure>),
    Over,
}

impl<R: MessageRules> Verify<R> {
    pub(crate) fn new(
        client: Client,
        message: SecretBytes,
        rules: R,
        memory: &ServerMemory,
    ) -> Result<Self, ConfigError> {
        let task = match rules.as_id_tokens() {
            true => client.id_tokens().task(message, rules.typ()),
            false => open::by_any_key(message, rules.typ()),
        };
        if task.secret.is_none() {
            let _keys = client.endpoint(Purpose::Keys)?;
        }
        let state = State::Opening(Opening::new(task, memory.known_keys()));
        Ok(Self { client, rules, clock: memory.clock_offset(), state, learned: Learned::default() })
    }
}

impl<R: MessageRules> Flow for Verify<R> {
    type Outcome = R::Claims;

    fn poll(&mut self, now: Now) -> Output<R::Claims> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Opening(mut opening) => {
                let output = opening.poll(&self.client, now);
                self.state = State::Opening(opening);
                output
            }
            State::Finish(Ok(payload)) => {
                let checked = self.rules.check(payload.expose(), self.clock.server_time(now.unix));
                Output::Done(checked.map_err(|why| Error::Rejected(Rejected::Claims(why)).into()))
            }
            State::Finish(Err(failure)) => Output::Done(Err(failure)),
            State::Over => Output::Idle,
        }
    }

    fn handle(&mut self, input: Input, now: Now) {
        self.state = match core::mem::replace(&mut self.state, State::Over) {
            State::Opening(mut opening) => match opening.handle(input, now, &mut self.learned) {
                None => State::Opening(opening),
                Some(result) => State::Finish(result.map(|opened| opened.payload)),
            },
            State::Finish(Ok(_)) => State::Finish(Err(Failure::misuse(Misuse::NotAsked))),
            // The failure that is due says more than a misuse would.
            state @ (State::Finish(Err(_)) | State::Over) => state,
        };
    }

    fn take_learned(&mut self) -> Learned {
        core::mem::take(&mut self.learned)
    }
}

impl<R> fmt::Debug for Verify<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verify").field("client", &self.client).finish_non_exhaustive()
    }
}
