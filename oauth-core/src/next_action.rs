//! From the answer of a protected resource to what its client does next.

use crate::challenge::{Challenge, Challenges};
use crate::failure::{Refusal, Remedy};
use crate::json::{self, Value};
use crate::policy::Policy;
use crate::registry::{ErrorCode, TokenType};
use crate::request::{Endpoint, EndpointError};
use crate::scope::Scope;
use crate::secret::AccessToken;
use crate::text::json_or_base64;
use crate::token::{self, Scrub};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use http::StatusCode;

/// The scheme of a token that is bound to a key (RFC 9449 section 7.1).
const DPOP: &str = "DPoP";

/// One request to a protected resource over all its attempts: what it presents, and what was advised before.
///
/// Each action is advised once, a nonce and more scope twice: no resource sends its client in circles. Make one for each
/// request, tell it what each attempt [`present`](Self::present)s, and ask it about each answer.
///
/// ```
/// use oauth_core::{AccessToken, Attempts, Challenges, NextAction, Policy, TokenType};
/// use http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE};
///
/// let token = AccessToken::new("mF_9.B5f-4.1JqM");
/// let mut attempts = Attempts::new();
/// attempts.present(TokenType::BEARER, &token, None);
/// // … send the request with `token.bearer()` in its `Authorization` header. The resource answers:
/// let mut headers = HeaderMap::new();
/// headers.insert(WWW_AUTHENTICATE, r#"Bearer realm="example", error="invalid_token""#.parse()?);
/// let challenges = Challenges::read(&headers);
///
/// let mut ask = || attempts.next_action(StatusCode::UNAUTHORIZED, &challenges, &Policy::strict());
/// assert!(matches!(ask(), Some(NextAction::Refresh)));
/// // A fresh token is no better.
/// assert!(matches!(ask(), Some(NextAction::SignIn { .. })));
/// assert!(matches!(ask(), Some(NextAction::GiveUp(_))));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Attempts {
    presented: Option<Presented>,
    advised: Vec<Kind>,
}

#[derive(Clone, Debug)]
struct Presented {
    token_type: TokenType,
    access_token: AccessToken,
    scope: Option<Scope>,
}

/// What is advised a limited number of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nonce,
    Refresh,
    MoreScope,
    StepUp,
    Claims,
    ResourceMetadata,
    SignIn,
}

impl Kind {
    const fn limit(self) -> usize {
        match self {
            // A nonce may end between two attempts; a resource may name one scope after the other.
            Self::Nonce | Self::MoreScope => 2,
            Self::Refresh | Self::StepUp | Self::Claims | Self::ResourceMetadata | Self::SignIn => 1,
        }
    }
}

impl Attempts {
    /// A request that presents no token.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next attempt presents this token. `scope` is what it was granted, where that is known.
    pub fn present(&mut self, token_type: TokenType, access_token: &AccessToken, scope: Option<Scope>) {
        self.presented = Some(Presented { token_type, access_token: access_token.clone(), scope });
    }

    /// What to do about an answer of the resource; `None` where the answer is not about the token.
    ///
    /// Of several challenges those of the presented token's own scheme count, and among them those that name an error:
    /// the first of them that something can be done about. No scheme is traded for another: a token that is bound to a
    /// key is never presented as a bearer token (RFC 9449 section 7.2). A 5xx is never about the token, whatever its
    /// headers say.
    pub fn next_action(
        &mut self,
        status: StatusCode,
        challenges: &Challenges,
        policy: &Policy,
    ) -> Option<NextAction> {
        // RFC 6750 section 3.1: these carry its errors.
        if ![StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status) {
            return None;
        }
        let unauthorized = status == StatusCode::UNAUTHORIZED;
        let own: Vec<_> = challenges.iter().filter(|challenge| self.is_own(challenge)).collect();
        let named = own.iter().any(|challenge| challenge.error().is_some());
        let mut given_up = None;
        for challenge in own.iter().filter(|challenge| challenge.error().is_some() == named) {
            let advised = match challenge.error() {
                Some(error) => self.error(&error, unauthorized, challenge, challenges.dpop_nonce(), policy),
                // RFC 6750 section 3.1: a request without a token gets no error. Some resources never name one.
                None if unauthorized => self.unauthorized(Some(challenge), policy),
                None => return None,
            };
            match advised {
                Ok(action) => return Some(action),
                Err(why) => {
                    given_up.get_or_insert(why);
                }
            }
        }
        if given_up.is_none() && unauthorized {
            // RFC 9110 section 15.5.2 requires a challenge. Without one that can be read, the status alone speaks.
            let silent = challenges.invalid().is_some() || challenges.iter().next().is_none();
            let advised =
                if silent { self.unauthorized(None, policy) } else { Err(self.other_schemes(challenges)) };
            return Some(advised.unwrap_or_else(NextAction::GiveUp));
        }
        given_up.map(NextAction::GiveUp)
    }

    /// Whether a challenge is of the scheme that was presented, or of any that OAuth has.
    fn is_own(&self, challenge: &Challenge) -> bool {
        match &self.presented {
            Some(presented) => challenge.is_scheme(presented.token_type.as_str()),
            None => challenge.is_scheme(TokenType::BEARER.as_str()) || challenge.is_scheme(DPOP),
        }
    }

    fn error(
        &mut self,
        error: &ErrorCode,
        unauthorized: bool,
        challenge: &Challenge,
        nonce: Option<&str>,
        policy: &Policy,
    ) -> Result<NextAction, GiveUp> {
        if *error == ErrorCode::INVALID_TOKEN {
            return self.unauthorized(Some(challenge), policy);
        }
        if *error == ErrorCode::INSUFFICIENT_USER_AUTHENTICATION {
            return self.once(Kind::StepUp).map(|()| NextAction::StepUp {
                acr_values: challenge.acr_values().map(String::from),
                max_age: challenge.max_age(),
                scope: challenge.scope(),
            });
        }
        if *error == ErrorCode::INSUFFICIENT_CLAIMS {
            let claims = challenge.param("claims").and_then(claims).ok_or(GiveUp::Claims)?;
            return self.once(Kind::Claims).map(|()| NextAction::Claims(claims));
        }
        let Some(presented) = &self.presented else {
            // Whatever is wrong with no token: one is needed.
            return if unauthorized || *error == ErrorCode::INSUFFICIENT_SCOPE {
                self.unauthorized(Some(challenge), policy)
            } else {
                Err(GiveUp::Refused(refusal(error, challenge, &self.sent())))
            };
        };
        let bound = presented.token_type.as_str().eq_ignore_ascii_case(DPOP);
        if *error == ErrorCode::USE_DPOP_NONCE && bound {
            // RFC 9449 sections 8 and 9: the nonce comes in a header of its own.
            let nonce = nonce.ok_or(GiveUp::NoNonce)?;
            return self.once(Kind::Nonce).map(|()| NextAction::Nonce(nonce.into()));
        }
        if *error == ErrorCode::INSUFFICIENT_SCOPE {
            return match (challenge.scope(), &presented.scope) {
                (Some(needed), Some(granted)) if granted.covers(&needed) => Err(GiveUp::ScopeGranted(needed)),
                (Some(needed), granted) => {
                    let scope = together(granted.as_ref(), needed);
                    self.once(Kind::MoreScope).map(|()| NextAction::MoreScope(scope))
                }
                // The metadata of the resource may say which scopes there are (RFC 9728 section 2).
                (None, _) => self.resource_metadata(challenge, policy).unwrap_or(Err(GiveUp::NoScope)),
            };
        }
        Err(GiveUp::Refused(refusal(error, challenge, &self.sent())))
    }

    /// The token is not good, or there is none: from the cheapest remedy to the one that takes a person.
    fn unauthorized(&mut self, challenge: Option<&Challenge>, policy: &Policy) -> Result<NextAction, GiveUp> {
        if self.presented.is_some() && self.once(Kind::Refresh).is_ok() {
            return Ok(NextAction::Refresh);
        }
        // RFC 9728 section 5.2: the resource may have moved to another authorization server.
        if let Some(metadata) = challenge.and_then(|challenge| self.resource_metadata(challenge, policy))
            && !matches!(metadata, Err(GiveUp::Exhausted))
        {
            return metadata;
        }
        let scope = challenge.and_then(Challenge::scope);
        self.once(Kind::SignIn).map(|()| NextAction::SignIn { scope })
    }

    fn resource_metadata(
        &mut self,
        challenge: &Challenge,
        policy: &Policy,
    ) -> Option<Result<NextAction, GiveUp>> {
        let url = challenge.resource_metadata(policy)?;
        Some(url.map_err(GiveUp::ResourceMetadata).and_then(|url| {
            self.once(Kind::ResourceMetadata)?;
            Ok(NextAction::ResourceMetadata { url, scope: challenge.scope() })
        }))
    }

    fn other_schemes(&self, challenges: &Challenges) -> GiveUp {
        let mut schemes = String::new();
        for challenge in challenges.iter() {
            if !schemes.is_empty() {
                schemes.push_str(", ");
            }
            schemes.push_str(challenge.scheme());
        }
        GiveUp::Schemes(self.sent().shown(&schemes, 80))
    }

    /// What no message may repeat.
    fn sent(&self) -> Scrub {
        let mut sent = Scrub::nothing();
        sent.add(self.presented.as_ref().map(|presented| presented.access_token.expose()));
        sent
    }

    fn once(&mut self, kind: Kind) -> Result<(), GiveUp> {
        if self.advised.iter().filter(|advised| **advised == kind).count() == kind.limit() {
            return Err(GiveUp::Exhausted);
        }
        self.advised.push(kind);
        Ok(())
    }
}

/// What a client does about the answer of a protected resource, before it sends the request again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextAction {
    /// The token has ended or was revoked: obtain the next one by [`Refresh`](crate::Refresh), or by the grant that
    /// needs no person (RFC 6750 section 3.1). Without a refresh token, sign in.
    Refresh,
    /// Sign the DPoP proof again with this nonce; the token is still good (RFC 9449 section 9).
    Nonce(String),
    /// Request a token with this scope: what the resource needs, and what the token has (RFC 6750 section 3.1).
    MoreScope(Scope),
    /// A person signs in again, in a stronger way or more recently (RFC 9470 section 4).
    #[non_exhaustive]
    StepUp {
        /// The `acr_values` of the authorization request.
        acr_values: Option<String>,
        /// Its `max_age`.
        max_age: Option<Duration>,
        /// The scope that the resource needs beside it.
        scope: Option<Scope>,
    },
    /// Request a token with these claims, a JSON object: the `claims` of the authorization and the token request
    /// (OpenID Connect Core section 5.5). Microsoft Entra asks so.
    Claims(String),
    /// Fetch the metadata of the resource, and sign in where it says (RFC 9728 section 5).
    ///
    /// The resource chose the URL. Its `resource` must be the URL that was asked for (RFC 9728 section 3.3).
    #[non_exhaustive]
    ResourceMetadata {
        /// Where it is. No credential belongs there.
        url: Endpoint,
        /// The scope that the resource needs.
        scope: Option<Scope>,
    },
    /// A token is needed, or the one that was presented is beyond repair: a person signs in.
    #[non_exhaustive]
    SignIn {
        /// The scope that the resource needs (RFC 6750 section 3).
        scope: Option<Scope>,
    },
    /// Nothing that this client may do will help.
    GiveUp(GiveUp),
}

/// Why nothing is left to do about the answer of a protected resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GiveUp {
    /// The resource refused the request for a reason that no other token cures.
    Refused(Refusal),
    /// The resource takes these schemes, and not the one that was presented.
    Schemes(String),
    /// The scope does not suffice, and the resource does not say what would.
    NoScope,
    /// The scope does not suffice, and the token has all that the resource asks for.
    ScopeGranted(Scope),
    /// A DPoP nonce is needed, and none came that a proof may carry.
    NoNonce,
    /// More claims are needed, and cannot be read.
    Claims,
    /// The URL of the resource's metadata may not be asked.
    ResourceMetadata(EndpointError),
    /// All that the answer asks for was done before.
    Exhausted,
}

impl GiveUp {
    /// What to do about it.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Refused(_) | Self::Schemes(_) => Remedy::FixSetup,
            Self::NoScope
            | Self::ScopeGranted(_)
            | Self::NoNonce
            | Self::Claims
            | Self::ResourceMetadata(_)
            | Self::Exhausted => Remedy::ReportServer,
        }
    }
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the resource does not take the token: ")?;
        match self {
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::Schemes(schemes) => write!(f, "it takes {schemes} only"),
            Self::NoScope => f.write_str("it needs more scope and does not say which"),
            Self::ScopeGranted(scope) => write!(f, "it needs the scope {scope}, which the token has"),
            Self::NoNonce => f.write_str("it needs a DPoP nonce and sends none"),
            Self::Claims => f.write_str("it needs more claims, and they cannot be read"),
            Self::ResourceMetadata(why) => write!(f, "the URL of its metadata may not be used: {why}"),
            Self::Exhausted => f.write_str("what it asks for was done before, and did not help"),
        }?;
        write!(f, "; {}", self.remedy())
    }
}

impl core::error::Error for GiveUp {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::ResourceMetadata(why) => Some(why),
            Self::Refused(_)
            | Self::Schemes(_)
            | Self::NoScope
            | Self::ScopeGranted(_)
            | Self::NoNonce
            | Self::Claims
            | Self::Exhausted => None,
        }
    }
}

fn refusal(error: &ErrorCode, challenge: &Challenge, sent: &Scrub) -> Refusal {
    let text = |name| challenge.param(name).map(|text| Value::String(Cow::Borrowed(text)));
    token::refusal(error.as_str(), text("error_description"), text("error_uri"), sent)
}

/// RFC 6750 section 3.1 leaves open whether the old scope is implied: it is asked for again, so that nothing is lost.
fn together(granted: Option<&Scope>, needed: Scope) -> Scope {
    let Some(granted) = granted else { return needed };
    let mut both = String::from(granted.as_str());
    for value in needed.iter().filter(|value| !granted.contains(value)) {
        both.push(' ');
        both.push_str(value);
    }
    Scope::new(&both).unwrap_or(needed)
}

/// A JSON object, plain or as base64 of either alphabet.
fn claims(text: &str) -> Option<String> {
    let claims = json_or_base64(text.as_bytes())?;
    json::members(&claims, |_| None::<()>, |_, _, _| {}).ok()?;
    String::from_utf8(claims.into_owned()).ok()
}

#[cfg(test)]
mod tests;
