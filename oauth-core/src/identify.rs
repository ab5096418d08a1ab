//! The ID token that came with tokens, looked at before anybody gets them (OpenID Connect Core section 3.1.3.7).

use crate::claims::{ClaimsError, IdTokenRules};
use crate::client::{Client, ConfigError};
use crate::exchange::Grant;
use crate::failure::{Error, Failure, KeyFailed, KeyWhy, Malformed, Rejected};
use crate::flow::{Input, KeyId, OpenTask, Opened, Output};
use crate::json::Value;
use crate::memory::{ClockOffset, Learned};
use crate::open::Opening;
use crate::policy::{OptOut, Policy};
use crate::registry::Algorithm;
use crate::secret::{ClientSecret, SecretBytes};
use crate::server_keys::KnownKeys;
use crate::time::{Now, Unix};
use crate::token::Tokens;
use alloc::boxed::Box;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt;

/// How the ID tokens of one client are verified.
pub(crate) struct IdTokens {
    /// What they may be signed by.
    pub(crate) algorithms: Vec<Algorithm>,
    /// The client secret, where that is what verifies them.
    pub(crate) secret: Option<ClientSecret>,
    /// What they are encrypted for.
    pub(crate) decryption_key: Option<KeyId>,
    /// Whether their signature is of no interest ([`OptOut::UnverifiedIdTokens`]).
    unverified: bool,
    /// Whether nothing of them is ([`OptOut::UnreadIdTokens`]).
    unread: bool,
}

/// What a client registered, and what is accepted where it says nothing: signatures by keys that nobody shares.
impl IdTokens {
    pub(crate) fn new(
        registered: Option<&Algorithm>,
        supported: Option<&[Algorithm]>,
        secret: Option<&ClientSecret>,
        decryption_key: Option<KeyId>,
        policy: &Policy,
    ) -> Result<Self, ConfigError> {
        let wrong = |why| Err(ConfigError::Value { parameter: "id_token_signed_response_alg", why });
        let (algorithms, secret) = match registered {
            Some(hmac) if hmac.is_hmac() => match secret {
                Some(secret) => ([hmac.clone()].into(), Some(secret.clone())),
                None => return wrong("a client without a secret has nothing to verify it by"),
            },
            Some(none) if none.as_str() == "none" => return wrong("anybody can write such a token"),
            Some(one) => ([one.clone()].into(), None),
            None => {
                let signs = |algorithm: &&Algorithm| Algorithm::SIGNATURES.contains(algorithm);
                let offered: Vec<_> = supported.unwrap_or_default().iter().filter(signs).cloned().collect();
                // OpenID Connect Dynamic Client Registration section 2: what is registered where nothing is said.
                (if offered.is_empty() { [Algorithm::RS256].into() } else { offered }, None)
            }
        };
        let unverified = policy.allows(OptOut::UnverifiedIdTokens);
        let unread = policy.allows(OptOut::UnreadIdTokens);
        Ok(Self { algorithms, secret, decryption_key, unverified, unread })
    }

    /// A message that is signed and encrypted as ID tokens are, to be opened.
    pub(crate) fn task(&self, message: SecretBytes, typ: Option<&'static str>) -> OpenTask {
        OpenTask {
            message,
            algorithms: self.algorithms.clone(),
            typ,
            keys: None,
            secret: self.secret.clone(),
            decryption_key: self.decryption_key.clone(),
        }
    }

    pub(crate) const fn verified_by_keys(&self) -> bool {
        self.secret.is_none() && !self.unverified && !self.unread
    }
}

/// Tokens whose ID token is being looked at.
pub(crate) struct Identify {
    tokens: Tokens,
    rules: IdTokenRules,
    now: Unix,
    opening: Opening,
}

/// What becomes of tokens.
#[derive(Debug)]
pub(crate) enum Identified {
    Done(Result<Tokens, Failure>),
    /// There is more to ask.
    Asking(Box<Identify>),
}

impl Identified {
    /// Begins, where the grant asked for an ID token and one came. `now` is the server's time as far as it is known.
    pub(crate) fn new(
        tokens: Tokens,
        client: &Client,
        grant: &impl Grant,
        known: &KnownKeys,
        clock: ClockOffset,
        now: Now,
    ) -> Self {
        // An empty one is as good as none.
        let id_token = tokens.id_token.as_ref().filter(|token| !token.expose().is_empty());
        let settings = client.id_tokens();
        let Some(id_token) = id_token.filter(|_| !settings.unread) else { return Self::Done(Ok(tokens)) };
        let Some(rules) = grant.id_token(client.id_token_rules()) else { return Self::Done(Ok(tokens)) };
        let message = SecretBytes::new(id_token.expose().as_bytes());
        let now = clock.server_time(now.unix);
        // Section 3.1.3.7, rule 1. Five parts are encrypted (RFC 7516 section 9).
        let encrypted = message.expose().iter().filter(|byte| **byte == b'.').count() == 4;
        if settings.decryption_key.is_some() && !encrypted {
            return Self::Done(Err(rejected(Error::Rejected(Rejected::NotEncrypted), tokens)));
        }
        if settings.unverified {
            // Rule 6: straight from the token endpoint, TLS says who wrote it.
            return Self::Done(match unverified(message.expose()) {
                Ok(opened) => believe(tokens, rules, &opened, now),
                Err(error) => Err(rejected(error, tokens)),
            });
        }
        let opening = Opening::new(settings.task(message, None), known.clone());
        Self::Asking(Box::new(Identify { tokens, rules, now, opening }))
    }
}

impl Identify {
    pub(crate) fn poll<T>(&mut self, client: &Client, now: Now) -> Output<T> {
        self.opening.poll(client, now)
    }

    pub(crate) fn handle(mut self: Box<Self>, input: Input, now: Now, learned: &mut Learned) -> Identified {
        match self.opening.handle(input, now, learned) {
            None => Identified::Asking(self),
            Some(Ok(opened)) => Identified::Done(believe(self.tokens, self.rules, &opened, self.now)),
            Some(Err(failure)) => Identified::Done(Err(failure.with_rescued(self.tokens.refresh_token))),
        }
    }
}

impl fmt::Debug for Identify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identify").finish_non_exhaustive()
    }
}

fn believe(mut tokens: Tokens, rules: IdTokenRules, opened: &Opened, now: Unix) -> Result<Tokens, Failure> {
    let rules = rules.with_access_token(&tokens.access_token, &opened.algorithm);
    match rules.check(opened.payload.expose(), now) {
        Ok(claims) => {
            tokens.id_token_claims = Some(Box::new(claims));
            Ok(tokens)
        }
        Err(why) => Err(rejected(Error::Rejected(Rejected::Claims(why)), tokens)),
    }
}

/// The refresh token that came along is good all the same.
fn rejected(error: Error, tokens: Tokens) -> Failure {
    Failure::from(error).with_rescued(tokens.refresh_token)
}

/// What a signed message says, its signature not looked at.
fn unverified(message: &[u8]) -> Result<Opened, Error> {
    let bad = |malformed| Error::Rejected(Rejected::Claims(ClaimsError::Malformed(malformed)));
    let mut parts = message.split(|byte| *byte == b'.');
    let (Some(header), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Error::Key(
            KeyFailed::new(KeyWhy::Bad).because("it is no signed message, or an encrypted one"),
        ));
    };
    let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| bad(Malformed::Invalid("id_token")));
    let header = decode(header)?;
    let header = Value::read(&header).map_err(bad)?;
    let algorithm = header.member("alg").and_then(Value::as_str);
    let algorithm = algorithm.ok_or_else(|| bad(Malformed::Missing("alg")))?;
    Ok(Opened::new(Algorithm::from_text(algorithm), SecretBytes::new(decode(payload)?)))
}
