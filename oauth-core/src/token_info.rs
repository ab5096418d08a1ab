//! What an access token is good for, asked of a server in the style of Google: a GET with the token in the query.
//!
//! Of no RFC. It answers one question that matters: was this token issued to this program, or did another one pass it on?

use crate::client::{Client, ConfigError};
use crate::failure::{Error, Failure, Malformed, Rejected};
use crate::flow::{Flow, Input, Output};
use crate::form::encode_into;
use crate::json::Value;
use crate::memory::Learned;
use crate::once::{Once, Reply};
use crate::policy::OptOut;
use crate::request::{Endpoint, Purpose, Request, Response};
use crate::scope::Scope;
use crate::secret::AccessToken;
use crate::text::is_vschar;
use crate::time::{Now, Unix};
use crate::token::{self, Scrub};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use http::header::{CACHE_CONTROL, HeaderValue};
use zeroize::Zeroizing;

/// What the server says of an access token that was issued to this client.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// What it is good for.
    pub scope: Option<Scope>,
    /// When it ends, counted from the receipt of the response; `None` when the server does not say.
    pub expires_at: Option<Unix>,
    /// Who granted it: `sub`, or `user_id` as older servers call it.
    pub sub: Option<String>,
    /// Every other member as it came.
    pub extra: Vec<(String, Value<'static>)>,
}

impl fmt::Debug for TokenInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who it is about is nobody's business in a log.
        f.debug_struct("TokenInfo").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Asks about one access token: `Flow<Outcome = TokenInfo>`.
///
/// A token that was issued to another client is rejected: a program that accepts it lets whoever runs that other one
/// sign in as the person (RFC 6819 section 4.4.2.6).
#[derive(Debug)]
pub struct FetchTokenInfo {
    client: Client,
    token: AccessToken,
    once: Once<TokenInfo>,
}

const PARAMETER: &str = "access_token";
const WAIVED: Option<OptOut> = Some(OptOut::TokenInQuery);

impl FetchTokenInfo {
    pub(crate) fn new(client: Client, token: AccessToken) -> Result<Self, ConfigError> {
        client.require(WAIVED)?;
        if !is_vschar(token.expose()) {
            return Err(ConfigError::Token);
        }
        let endpoint = client.endpoint(Purpose::TokenInfo)?.url();
        if endpoint.query_pairs().any(|(name, _)| name == PARAMETER) {
            return Err(ConfigError::Parameter(PARAMETER.into()));
        }
        let mut query = Zeroizing::new(String::with_capacity(256 + 3 * token.expose().len()));
        if let Some(own) = endpoint.query().filter(|own| !own.is_empty()) {
            query.push_str(own);
            query.push('&');
        }
        query.push_str(PARAMETER);
        query.push('=');
        encode_into(token.expose(), &mut query);
        let mut url = endpoint.clone();
        url.set_query(Some(&query));
        let place = Endpoint::new(url.as_str(), client.policy())
            .map_err(|why| ConfigError::Endpoint { name: "token_info_endpoint", why })?;
        // RFC 6750 section 2.3: what answers a token in a URL is for no cache.
        let request = Request::get(Purpose::TokenInfo, Arc::new(place))
            .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(Self { client, token, once: Once::plain(request) })
    }
}

fn read(client_id: &str, token: &AccessToken, response: &Response, now: Now) -> Result<TokenInfo, Failure> {
    let mut sent = Scrub::nothing();
    sent.add(Some(token.expose()));
    let mut reply = Reply::read(response.body());
    reply.check(response, now, &sent)?;
    token_info(reply, client_id, now).map_err(|error| Failure::from(error).with_status(response.status()))
}

fn token_info(mut reply: Reply<'_>, client_id: &str, now: Now) -> Result<TokenInfo, Error> {
    // Each by its name today, and by the one that it had first.
    let mut either = |name, older| match reply.text(name)? {
        Some(text) => Ok(Some(text)),
        None => reply.text(older),
    };
    let aud = either("aud", "audience")?.ok_or(Error::Malformed(Malformed::Missing("aud")))?;
    let azp = either("azp", "issued_to")?;
    let sub = either("sub", "user_id")?;
    if aud != client_id || azp.is_some_and(|azp| azp != client_id) {
        return Err(Error::Rejected(Rejected::Client));
    }
    Ok(TokenInfo {
        scope: reply.take("scope").and_then(|value| token::scope(value, None)),
        expires_at: reply.take("expires_in").and_then(token::seconds).map(|life| now.unix.after(life)),
        sub,
        extra: reply.rest().collect(),
    })
}

impl Flow for FetchTokenInfo {
    type Outcome = TokenInfo;

    fn poll(&mut self, _: Now) -> Output<TokenInfo> {
        self.once.poll_plain()
    }

    fn handle(&mut self, input: Input, now: Now) {
        let (client, token) = (&self.client, &self.token);
        self.once.handle(input, now, |_, response| read(client.client_id(), token, response, now));
    }

    fn take_learned(&mut self) -> Learned {
        self.once.take_learned()
    }

    fn waived(&self) -> Option<OptOut> {
        WAIVED
    }
}
