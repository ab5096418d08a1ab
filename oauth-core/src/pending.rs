//! While the browser is away: what is kept, and whether what came back belongs to it.

use crate::answer::{AuthorizationResponse, NotOurs, Recognised};
use crate::authorize::{AuthorizationUrl, text};
use crate::client::{Client, ConfigError};
use crate::form::{self, Form};
use crate::memory::ServerMemory;
use crate::policy::Policy;
use crate::redeem::Redeem;
use crate::request::Endpoint;
use crate::scope::Scope;
use crate::secret::{AuthorizationCode, SecretBytes, same};
use crate::seed::{Seed, TEXT};
use crate::time::Unix;
use alloc::borrow::ToOwned as _;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;
use zeroize::Zeroize as _;

/// What must survive until the browser returns.
///
/// Not `Clone` and not `Serialize`: [`redeem`](Self::redeem) consumes it, so that a code cannot be redeemed twice by
/// mistake. [`to_store`](Self::to_store) gives secret, versioned bytes for a server with many replicas; single use is
/// then the store's atomic take.
pub struct Pending {
    pub(crate) issuer: Arc<str>,
    pub(crate) client_id: Arc<str>,
    /// As it was sent: `None` where it was left out.
    pub(crate) redirect_uri: Option<Arc<str>>,
    pub(crate) scope: Option<Scope>,
    /// An access token was asked for, and no code (RFC 6749 section 4.2).
    pub(crate) implicit: bool,
    pub(crate) state: [u8; TEXT],
    /// `None` where the code is bound to nobody ([`OptOut::NoCodeChallenge`](crate::OptOut::NoCodeChallenge)).
    pub(crate) verifier: Option<[u8; TEXT]>,
    pub(crate) nonce: Option<[u8; TEXT]>,
    /// How many seconds ago the person may have signed in (OpenID Connect Core section 3.1.2.1).
    pub(crate) max_age: Option<u32>,
    pub(crate) begun: Unix,
}

/// How long a stored login may be picked up again.
const LIFETIME: Duration = Duration::from_secs(3600);

/// The layout of the stored bytes.
const VERSION: &str = "1";

/// In place of a redirect URI that was left out. None is spelled so: they are absolute.
const NO_REDIRECT_URI: &str = "none";

impl Pending {
    /// Says whether an authorization response belongs to this login.
    ///
    /// By reference, so that a stranger's hit on the redirect URI costs nothing: the wait goes on. `state` decides, for
    /// success and for error alike, compared in constant time (RFC 9700 section 4.7).
    #[must_use]
    pub fn recognise(&self, response: &AuthorizationResponse<'_>) -> Recognised {
        recognise(&self.state, response)
    }

    /// The part of this login that a listener needs, to be given to another thread.
    #[must_use]
    pub const fn recogniser(&self) -> Recogniser {
        Recogniser { state: self.state }
    }

    /// Checks the response and exchanges its code: `Flow<Outcome = Granted>`.
    ///
    /// Nothing is sent unless the response is of this login (`state`), of the server that was asked (`iss`, RFC 9207),
    /// unambiguous, and a success. `client` must be the one that began the login, here or on another replica.
    #[must_use]
    pub fn redeem(
        self,
        response: &AuthorizationResponse<'_>,
        client: &Client,
        memory: &ServerMemory,
        seed: Seed,
    ) -> Redeem {
        Redeem::new(self, response, client, memory, seed)
    }

    /// Exchanges a code that a person carried over by hand, and nothing else of the response: `Flow<Outcome = Granted>`.
    ///
    /// Neither `state` nor `iss` came with it, so neither is checked. That it is the code of this login is then for the
    /// server to find, by the `code_verifier` (RFC 7636 section 4.6; RFC 9700 section 4.7.1 takes PKCE for that): a login
    /// without PKCE, which is an implicit one, is refused. A response that came whole is for [`redeem`](Self::redeem).
    #[must_use]
    pub fn redeem_code(
        self,
        code: AuthorizationCode,
        client: &Client,
        memory: &ServerMemory,
        seed: Seed,
    ) -> Redeem {
        Redeem::by_hand(self, code, client, memory, seed)
    }

    /// Whether the code of this login is tied to it by PKCE (RFC 7636): an implicit one has no code, and a
    /// [challenge](crate::CodeChallenge::None) may have been left out.
    #[must_use]
    pub const fn has_code_challenge(&self) -> bool {
        !self.implicit && self.verifier.is_some()
    }

    /// Another address for the person to open in place of the one that was made: the same with one more parameter, say.
    ///
    /// # Errors
    /// It is no address that a person may be sent to, or it does not carry the `state` of this login, exactly once: what
    /// came back would not be recognised.
    pub fn open_at(&self, url: &str, policy: &Policy) -> Result<AuthorizationUrl, ConfigError> {
        let endpoint = Endpoint::new(url, policy)
            .map_err(|why| ConfigError::Endpoint { name: "authorization_endpoint", why })?;
        let url = endpoint.url();
        let mut states = url.query_pairs().filter(|(name, _)| name == "state").map(|(_, value)| value);
        let carried = states.next().is_some_and(|state| same(state.as_bytes(), &self.state));
        if !carried || states.next().is_some() {
            return Err(ConfigError::StateNotCarried);
        }
        Ok(AuthorizationUrl(url.as_str().to_owned()))
    }

    /// Secret, versioned bytes for a store. Whoever reads them can finish this login, so encrypt them at rest.
    #[must_use]
    pub fn to_store(&self) -> SecretBytes {
        let mut form = Form::with_capacity(512);
        form.pair("version", VERSION);
        form.pair("issuer", &self.issuer);
        form.pair("client_id", &self.client_id);
        form.pair("redirect_uri", self.redirect_uri.as_deref().unwrap_or(NO_REDIRECT_URI));
        form.pair("scope", self.scope.as_ref().map_or("", Scope::as_str));
        form.pair("response_type", if self.implicit { "token" } else { "code" });
        form.pair("state", text(&self.state));
        form.pair("verifier", self.verifier.as_ref().map_or("", text));
        form.pair("nonce", self.nonce.as_ref().map_or("", text));
        let max_age = self.max_age.map(|age| alloc::format!("{age}"));
        form.pair("max_age", max_age.as_deref().unwrap_or(""));
        form.pair("begun", &alloc::format!("{}", self.begun.0));
        form.finish()
    }

    /// Reads what [`to_store`](Self::to_store) gave. The store must hand it out once.
    ///
    /// # Errors
    /// Bytes of another version, damaged ones, or a login begun more than an hour ago: the person starts anew.
    pub fn from_store(bytes: &[u8], now: Unix) -> Result<Self, PendingError> {
        let mut stored = form::pairs(bytes);
        let mut next = |name: &str| match stored.next() {
            Some(Ok((found, value))) if found == name => Ok(value),
            _ => Err(PendingError::Damaged),
        };
        if next("version")? != VERSION {
            return Err(PendingError::Version);
        }
        let pending = Self {
            issuer: (*next("issuer")?).into(),
            client_id: (*next("client_id")?).into(),
            redirect_uri: Some(next("redirect_uri")?)
                .filter(|uri| uri != NO_REDIRECT_URI)
                .map(|uri| (*uri).into()),
            scope: Some(next("scope")?)
                .filter(|scope| !scope.is_empty())
                .map(|scope| Scope::new(&scope).map_err(|_| PendingError::Damaged))
                .transpose()?,
            implicit: match &*next("response_type")? {
                "code" => false,
                "token" => true,
                _ => return Err(PendingError::Damaged),
            },
            state: exactly(&next("state")?)?,
            verifier: Some(next("verifier")?)
                .filter(|verifier| !verifier.is_empty())
                .map(|verifier| exactly(&verifier))
                .transpose()?,
            nonce: Some(next("nonce")?)
                .filter(|nonce| !nonce.is_empty())
                .map(|nonce| exactly(&nonce))
                .transpose()?,
            max_age: Some(next("max_age")?)
                .filter(|age| !age.is_empty())
                .map(|age| age.parse().map_err(|_| PendingError::Damaged))
                .transpose()?,
            begun: Unix(next("begun")?.parse().map_err(|_| PendingError::Damaged)?),
        };
        if stored.next().is_some() {
            return Err(PendingError::Damaged);
        }
        if now.since(pending.begun) > LIFETIME {
            return Err(PendingError::Expired);
        }
        Ok(pending)
    }

    /// The `state` of this login: a key to find the stored bytes by when the browser returns.
    #[must_use]
    pub fn state(&self) -> &str {
        text(&self.state)
    }
}

/// Recognises the answer to one login, and can do nothing else: made by [`Pending::recogniser`].
pub struct Recogniser {
    state: [u8; TEXT],
}

impl Recogniser {
    /// Says whether an authorization response belongs to the login, as [`Pending::recognise`] does.
    #[must_use]
    pub fn recognise(&self, response: &AuthorizationResponse<'_>) -> Recognised {
        recognise(&self.state, response)
    }
}

impl Drop for Recogniser {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

impl fmt::Debug for Recogniser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recogniser([redacted])")
    }
}

fn recognise(own: &[u8; TEXT], response: &AuthorizationResponse<'_>) -> Recognised {
    let mut state = None;
    for (name, value) in form::readable(response.bytes()) {
        if name != "state" {
            continue;
        }
        let Ok(value) = value else { return Recognised::NotOurs(NotOurs::Ambiguous) };
        // RFC 6749 section 3.1: a parameter may not come twice, and an empty one is as good as none.
        if !value.is_empty() && state.replace(value).is_some() {
            return Recognised::NotOurs(NotOurs::Ambiguous);
        }
    }
    match state {
        None => Recognised::NotOurs(NotOurs::NoState),
        Some(state) if same(state.as_bytes(), own) => Recognised::Ours,
        Some(_) => Recognised::NotOurs(NotOurs::OtherState),
    }
}

fn exactly(value: &str) -> Result<[u8; TEXT], PendingError> {
    value.as_bytes().try_into().map_err(|_| PendingError::Damaged)
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.state.as_mut_slice().zeroize();
        if let Some(verifier) = &mut self.verifier {
            verifier.as_mut_slice().zeroize();
        }
        if let Some(nonce) = &mut self.nonce {
            nonce.as_mut_slice().zeroize();
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// Why stored bytes are not a pending login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PendingError {
    /// Written by another version of this crate.
    Version,
    /// Not what was stored.
    Damaged,
    /// Begun more than an hour ago.
    Expired,
}

impl fmt::Display for PendingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "the stored login was written by another version: sign in again",
            Self::Damaged => "the stored login is damaged: sign in again",
            Self::Expired => "the stored login is more than an hour old: sign in again",
        })
    }
}

impl core::error::Error for PendingError {}
