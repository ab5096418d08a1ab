//! Who signed in (OpenID Connect Core sections 2, 3.1.3.7, 3.3.2.11 and 12.2).

use super::{Claims, ClaimsError, LEEWAY};
use crate::json::Value;
use crate::registry::Algorithm;
use crate::secret::same;
use crate::time::Unix;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt;
use core::time::Duration;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The rules by which the claims of one ID token are believed: whose it must be, for whom, and for which login.
///
/// ```
/// use oauth_core::{IdTokenRules, Unix};
///
/// let rules = IdTokenRules::new("https://as.example", "client").with_nonce("n-0S6_WzA2Mj");
/// // The payload of a token whose signature is right.
/// let payload = br#"{"iss":"https://as.example","aud":"client","sub":"alice","nonce":"n-0S6_WzA2Mj",
///     "iat":1700000000,"exp":1700000600}"#;
/// let claims = rules.check(payload, Unix(1_700_000_010))?;
/// assert_eq!(claims.sub, "alice");
/// # Ok::<(), oauth_core::ClaimsError>(())
/// ```
#[derive(Clone)]
pub struct IdTokenRules {
    issuer: Arc<str>,
    client_id: Arc<str>,
    trusted: Vec<String>,
    nonce: Option<String>,
    /// What came along, and the claims that bind the token to it.
    bound: Vec<Bound>,
    max_age: Option<Duration>,
    acr_values: Vec<String>,
    leeway: Duration,
    before: Option<IdTokenClaims>,
}

#[derive(Clone)]
struct Bound {
    claim: &'static str,
    /// By which algorithm the token is signed, and the left half of the hash that goes with it; `None` for an algorithm
    /// that goes with none that is known.
    hash: Option<String>,
    required: bool,
}

impl IdTokenRules {
    /// A token of this issuer for this client.
    #[must_use]
    pub fn new(issuer: impl Into<Arc<str>>, client_id: impl Into<Arc<str>>) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            trusted: Vec::new(),
            nonce: None,
            bound: Vec::new(),
            max_age: None,
            acr_values: Vec::new(),
            leeway: LEEWAY,
            before: None,
        }
    }

    /// A token of the login that sent this nonce. Without one, a token that has a nonce is of another login.
    #[must_use]
    pub fn with_nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// Others that the token may be for, too. Without this a token for several is refused (section 3.1.3.7, rule 3).
    #[must_use]
    pub fn with_trusted_audience(mut self, audience: impl Into<String>) -> Self {
        self.trusted.push(audience.into());
        self
    }

    /// The access token that came along: `at_hash` must be its hash, where it is there (section 3.1.3.8).
    ///
    /// `algorithm` is the one that the ID token is signed by. Through the browser it has to be there (section 3.3.2.11):
    /// [`requiring_hashes`](Self::requiring_hashes).
    #[must_use]
    pub fn with_access_token(self, token: &crate::AccessToken, algorithm: &Algorithm) -> Self {
        self.bound_to("at_hash", token.expose(), algorithm)
    }

    /// The code that came along: `c_hash` must be its hash, where it is there (section 3.3.2.11).
    #[must_use]
    pub fn with_code(self, code: &crate::AuthorizationCode, algorithm: &Algorithm) -> Self {
        self.bound_to("c_hash", code.expose(), algorithm)
    }

    /// The `state` that came along: `s_hash` must be its hash, where it is there (FAPI 1.0 part 2 section 5.1.1).
    #[must_use]
    pub fn with_state(self, state: &str, algorithm: &Algorithm) -> Self {
        self.bound_to("s_hash", state, algorithm)
    }

    fn bound_to(mut self, claim: &'static str, text: &str, algorithm: &Algorithm) -> Self {
        self.bound.push(Bound { claim, hash: left_half(text, algorithm), required: false });
        self
    }

    /// Each of the hashes of what came along must be there.
    #[must_use]
    pub fn requiring_hashes(mut self) -> Self {
        self.bound.iter_mut().for_each(|bound| bound.required = true);
        self
    }

    /// The person must have signed in no longer ago than this: what was asked for by `max_age` (section 3.1.2.1).
    #[must_use]
    pub const fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The person must have signed in in one of these ways (`acr`). May be called again.
    #[must_use]
    pub fn with_acr_value(mut self, acr: impl Into<String>) -> Self {
        self.acr_values.push(acr.into());
        self
    }

    /// How far the two clocks may differ, either way: half a minute unless it is said here.
    #[must_use]
    pub const fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// A token that came with a refresh: it must be about the person whom the first one was about (section 12.2).
    #[must_use]
    pub fn after_refresh(mut self, first: IdTokenClaims) -> Self {
        self.nonce.clone_from(&first.nonce);
        self.before = Some(first);
        self
    }

    /// Checks the claims of a token whose signature was verified. `now` is the server's time as far as it is known.
    ///
    /// # Errors
    /// Which claim is missing, of the wrong type, or wrong, and in what way.
    pub fn check(&self, payload: &[u8], now: Unix) -> Result<IdTokenClaims, ClaimsError> {
        let mut claims = Claims::read(payload)?;
        let iss = claims.issuer(&self.issuer)?;
        let sub = claims.required("sub")?;
        // Section 2: at most 255 ASCII characters.
        if sub.len() > 255 || !sub.is_ascii() {
            return Err(ClaimsError::wrong("sub", "it is longer than 255 characters, or not ASCII"));
        }
        let aud = claims.audience(&self.client_id)?;
        let known = |aud: &String| **aud == *self.client_id || self.trusted.contains(aud);
        if !aud.iter().all(known) {
            return Err(ClaimsError::wrong("aud", "it is for others as well, who are not trusted"));
        }
        let azp = claims.text("azp")?;
        if azp.as_ref().is_some_and(|azp| **azp != *self.client_id) {
            return Err(ClaimsError::wrong("azp", "it was issued to another client"));
        }
        let (iat, exp) = claims.times(now, self.leeway)?;
        let nonce = claims.text("nonce")?;
        self.check_nonce(nonce.as_deref())?;
        let auth_time = claims.moment("auth_time")?;
        self.check_age(auth_time, now)?;
        let acr = claims.text("acr")?;
        if !self.acr_values.is_empty() && !acr.as_ref().is_some_and(|acr| self.acr_values.contains(acr)) {
            return Err(ClaimsError::wrong("acr", "the person signed in in another way than was asked for"));
        }
        for bound in &self.bound {
            bound.check(claims.text(bound.claim)?.as_deref())?;
        }
        let amr = match claims.take("amr") {
            None => Vec::new(),
            Some(list @ Value::Array(_)) => list.texts().map(ToOwned::to_owned).collect(),
            Some(_) => return Err(ClaimsError::WrongType("amr")),
        };
        let claims =
            IdTokenClaims { iss, sub, aud, azp, iat, exp, auth_time, nonce, acr, amr, extra: claims.rest() };
        self.check_continuity(&claims)?;
        Ok(claims)
    }

    fn check_nonce(&self, nonce: Option<&str>) -> Result<(), ClaimsError> {
        match (&self.nonce, nonce) {
            (None, None) => Ok(()),
            // Section 12.2: after a refresh it may be left out.
            (Some(_), None) if self.before.is_some() => Ok(()),
            (Some(_), None) => Err(ClaimsError::Missing("nonce")),
            (Some(sent), Some(nonce)) if same(sent.as_bytes(), nonce.as_bytes()) => Ok(()),
            (_, Some(_)) => Err(ClaimsError::wrong("nonce", "it is of another login")),
        }
    }

    fn check_age(&self, auth_time: Option<Unix>, now: Unix) -> Result<(), ClaimsError> {
        let Some(max_age) = self.max_age else { return Ok(()) };
        let since = auth_time.ok_or(ClaimsError::Missing("auth_time"))?;
        if since.after(max_age).after(self.leeway) < now {
            return Err(ClaimsError::wrong("auth_time", "the person signed in too long ago"));
        }
        Ok(())
    }

    fn check_continuity(&self, claims: &IdTokenClaims) -> Result<(), ClaimsError> {
        let Some(first) = &self.before else { return Ok(()) };
        let wrong = |claim| Err(ClaimsError::wrong(claim, "it is not that of the first token of this login"));
        if claims.sub != first.sub {
            return wrong("sub");
        }
        if claims.iss != first.iss {
            return wrong("iss");
        }
        if claims.auth_time.is_some() && first.auth_time.is_some() && claims.auth_time != first.auth_time {
            return wrong("auth_time");
        }
        Ok(())
    }
}

impl Bound {
    fn check(&self, said: Option<&str>) -> Result<(), ClaimsError> {
        match (said, &self.hash) {
            (None, _) if self.required => Err(ClaimsError::Missing(self.claim)),
            (None, _) => Ok(()),
            (Some(said), Some(hash)) if same(said.as_bytes(), hash.as_bytes()) => Ok(()),
            (Some(_), _) => Err(ClaimsError::wrong(self.claim, "it is the hash of something else")),
        }
    }
}

/// The left half of a hash, base64url: which hash, the signature's algorithm says (section 3.1.3.6).
fn left_half(text: &str, algorithm: &Algorithm) -> Option<String> {
    let half = |hash: &[u8]| hash.get(..hash.len() / 2).map(|half| URL_SAFE_NO_PAD.encode(half));
    match algorithm.as_str() {
        "ES256K" => half(&Sha256::digest(text)),
        name if name.ends_with("256") => half(&Sha256::digest(text)),
        name if name.ends_with("384") => half(&Sha384::digest(text)),
        // Ed25519 hashes with SHA-512 itself.
        "EdDSA" | "Ed25519" => half(&Sha512::digest(text)),
        name if name.ends_with("512") => half(&Sha512::digest(text)),
        _ => None,
    }
}

impl fmt::Debug for IdTokenRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenRules")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("leeway", &self.leeway)
            .finish_non_exhaustive()
    }
}

/// What an ID token says about the person who signed in, and about the sign-in.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct IdTokenClaims {
    /// Who says it.
    pub iss: String,
    /// Who signed in: unique at this issuer, and never given to another person.
    pub sub: String,
    /// For whom it is said.
    pub aud: Vec<String>,
    /// To whom it was issued, where that is told.
    pub azp: Option<String>,
    /// When it was issued.
    pub iat: Unix,
    /// When it ends. A session of yours may be longer.
    pub exp: Unix,
    /// When the person signed in, where that is told.
    pub auth_time: Option<Unix>,
    /// What binds it to a login.
    pub nonce: Option<String>,
    /// In which way the person signed in.
    pub acr: Option<String>,
    /// By which means.
    pub amr: Vec<String>,
    /// Everything else: `email`, `name`, `sid` and so on, as it came.
    pub extra: Vec<(String, Value<'static>)>,
}

impl IdTokenClaims {
    /// A claim of [`extra`](Self::extra).
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value<'static>> {
        self.extra.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl fmt::Debug for IdTokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who it is about is nobody's business in a log.
        f.debug_struct("IdTokenClaims")
            .field("iss", &self.iss)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}
