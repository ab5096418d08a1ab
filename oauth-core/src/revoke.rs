//! A token that is no longer needed is given back (RFC 7009).
//!
//! ```text
//! Key(Sign)?   the client's assertion, where it authenticates by one
//! Send         the token and its kind, with the client's authentication (section 2.1)
//! Done         Revoked, or why not (section 2.2)
//! ```

use crate::call::Call;
use crate::client::Client;
use crate::failure::Failure;
use crate::flow::{Flow, Input, Output};
use crate::form::Form;
use crate::memory::{Learned, ServerMemory};
use crate::once::{Once, Reply};
use crate::request::{Purpose, Response};
use crate::secret::{AccessToken, RefreshToken};
use crate::seed::Seed;
use crate::time::Now;

/// A token that can be revoked (RFC 7009 section 2).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Revocable {
    /// Many servers cannot revoke these, and say `unsupported_token_type`: they end soon.
    Access(AccessToken),
    /// The server ends its access tokens as well, where it can.
    Refresh(RefreshToken),
}

impl Revocable {
    pub(crate) fn form(&self, form: &mut Form) {
        let (token, hint) = match self {
            Self::Access(token) => (token.expose(), "access_token"),
            Self::Refresh(token) => (token.expose(), "refresh_token"),
        };
        form.pair("token", token);
        form.pair("token_type_hint", hint);
    }
}

impl From<AccessToken> for Revocable {
    fn from(token: AccessToken) -> Self {
        Self::Access(token)
    }
}

impl From<RefreshToken> for Revocable {
    fn from(token: RefreshToken) -> Self {
        Self::Refresh(token)
    }
}

/// The token is of no use any more; also when it never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked;

/// Revokes one token: `Flow<Outcome = Revoked>`.
///
/// Asks once. Where the server is unavailable the token must be taken to be alive, and the failure says after which
/// time to ask again (RFC 7009 section 2.2.1).
#[derive(Debug)]
pub struct Revoke {
    client: Client,
    token: Revocable,
    once: Once<Revoked>,
}

impl Revoke {
    pub(crate) fn new(client: Client, token: Revocable, memory: &ServerMemory, seed: &Seed) -> Self {
        let call = Call::new(&client, memory.clock_offset(), seed);
        Self { client, token, once: Once::new(call) }
    }
}

fn read(
    client: &Client,
    token: &Revocable,
    call: &Call,
    response: &Response,
    now: Now,
) -> Result<Revoked, Failure> {
    // RFC 7009 section 2.2: the content of the body is ignored, the status says it all.
    if response.status().is_success() {
        return Ok(Revoked);
    }
    let mut form = Form::with_capacity(256);
    token.form(&mut form);
    let sent = call.secrets(client, Purpose::Revocation, form);
    Reply::read(response.body()).check(response, now, &sent).map(|()| Revoked)
}

impl Flow for Revoke {
    type Outcome = Revoked;

    fn poll(&mut self, now: Now) -> Output<Revoked> {
        let (client, token) = (&self.client, &self.token);
        self.once.poll(|call| call.poll(client, Purpose::Revocation, now.unix, |form| token.form(form)))
    }

    fn handle(&mut self, input: Input, now: Now) {
        let (client, token) = (&self.client, &self.token);
        self.once.handle(input, now, |call, response| read(client, token, call, response, now));
    }

    fn take_learned(&mut self) -> Learned {
        self.once.take_learned()
    }
}
