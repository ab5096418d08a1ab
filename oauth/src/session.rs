//! An authorization that is kept alive: asked for before each request, renewed once for all who ask.

use crate::authorization::Authorization;
use crate::authorizer::Authorizer;
use crate::error::Error;
use crate::host::BoxFuture;
use core::fmt;
use core::time::Duration;
use oauth_core::{Grant, IdTokenClaims, Mono, Now, Refresh, RefreshToken, Remedy, Unix};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Gives an authorization that is good for a while yet, and renews it in good time.
///
/// Shared by reference among any number of tasks and threads. However many of them find that the access token is about
/// to end, one request is made, and all who wait share what comes of it, a failure too. While a renewal fails for a
/// passing reason, the old token is given out for as long as it lives.
///
/// Dropping the future of whoever is renewing cancels the request, and the next in line asks again. A server that had
/// already answered has then replaced a refresh token that nobody received: where that matters, give the call a task of
/// its own.
pub struct Session {
    authorizer: Authorizer,
    renewal: Renewal,
    min_valid: Duration,
    refreshed: Box<dyn Fn(&RefreshToken) + Send + Sync>,
    held: Mutex<Held>,
    /// Held by whoever is renewing.
    flight: async_lock::Mutex<()>,
}

enum Renewal {
    RefreshToken,
    Grant(Ask),
}

type Ask = Box<dyn Fn(&Authorizer) -> BoxFuture<'_, Result<Authorization, Error>> + Send + Sync>;

/// What is known at the moment.
struct Held {
    authorization: Option<Authorization>,
    /// When it came.
    since: Now,
    /// When it ends, where that is known.
    ends: Option<Unix>,
    /// Of 255 parts, how many of a quarter of `min_valid` it is renewed earlier: not all machines of a fleet at once.
    jitter: u8,
    /// A resource turned it away.
    rejected: bool,
    refresh_token: Option<RefreshToken>,
    /// Who signed in: no renewal may be about anybody else (OpenID Connect Core section 12.2).
    signed_in: Option<IdTokenClaims>,
    failure: Option<Failed>,
    /// Counts the renewals, so that who waited for one knows that it was made.
    generation: u64,
}

struct Failed {
    error: Arc<Error>,
    /// When to ask again; `None` when asking again cannot help.
    retry_at: Option<Mono>,
}

impl Session {
    /// How long a token has to live to be given out, unless [`with_min_valid`](Self::with_min_valid) says otherwise.
    pub const MIN_VALID: Duration = Duration::from_secs(60);
    /// How long to leave a server alone that failed for a passing reason and did not say how long.
    const PAUSE: Duration = Duration::from_secs(5);
    /// A token is given out for this long at least: one that has ended when it comes would be renewed at every call.
    const LEAST: Duration = Duration::from_secs(1);

    /// Keeps an authorization alive by its refresh token, new or stored.
    #[must_use]
    pub fn new(authorizer: Authorizer, authorization: Authorization) -> Self {
        let mut session = Self::renewing(authorizer, Renewal::RefreshToken);
        session.held = Mutex::new(Held::holding(authorization, session.now(), Duration::ZERO));
        session
    }

    /// Begins with a refresh token alone: the first call renews.
    #[must_use]
    pub fn resume(authorizer: Authorizer, refresh_token: RefreshToken) -> Self {
        let mut session = Self::renewing(authorizer, Renewal::RefreshToken);
        session.held = Mutex::new(Held { refresh_token: Some(refresh_token), ..Held::empty(session.now()) });
        session
    }

    /// Obtains an authorization by a grant that needs nobody, and obtains another one by it again.
    ///
    /// [`ClientCredentials`](oauth_core::ClientCredentials) and [`JwtBearer`](oauth_core::JwtBearer) are such grants. The
    /// first call asks. A refresh token that comes along is not used.
    #[must_use]
    pub fn repeating<G: Grant + Send + 'static>(
        authorizer: Authorizer,
        grant: impl Fn() -> G + Send + Sync + 'static,
    ) -> Self {
        let ask: Ask = Box::new(move |authorizer| Box::pin(authorizer.exchange(grant())));
        Self::renewing(authorizer, Renewal::Grant(ask))
    }

    fn renewing(authorizer: Authorizer, renewal: Renewal) -> Self {
        let held = Mutex::new(Held::empty(authorizer.host().now()));
        Self {
            authorizer,
            renewal,
            min_valid: Self::MIN_VALID,
            refreshed: Box::new(|_| {}),
            held,
            flight: async_lock::Mutex::new(()),
        }
    }

    /// Renews a token that has less than this to live. One that lives shorter than twice this is renewed at its half.
    #[must_use]
    pub const fn with_min_valid(mut self, min_valid: Duration) -> Self {
        self.min_valid = min_valid;
        self
    }

    /// Calls this with each new refresh token, before anyone gets the access token that came with it: store it there.
    ///
    /// Also with one whose answer had to be refused otherwise, for the old one is dead by then.
    #[must_use]
    pub fn on_refresh_token(mut self, store: impl Fn(&RefreshToken) + Send + Sync + 'static) -> Self {
        self.refreshed = Box::new(store);
        self
    }

    /// The authorizer that it renews by.
    #[must_use]
    pub const fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// The same methods without async.
    #[must_use]
    pub fn blocking(&self) -> crate::blocking::Session<'_> {
        crate::blocking::Session::new(self)
    }

    /// The refresh token that is live now: the one to store at the end of a program.
    #[must_use]
    pub fn refresh_token(&self) -> Option<RefreshToken> {
        self.held().refresh_token.clone()
    }

    /// An authorization that is good for a while yet.
    ///
    /// # Errors
    /// The old one has ended, and no other could be had. Shared with everyone who waited for the same answer.
    pub async fn authorization(&self) -> Result<Authorization, Arc<Error>> {
        let generation = {
            let held = self.held();
            if let Some(answer) = self.answer(&held) {
                return answer;
            }
            held.generation
        };
        let _flight = self.flight.lock().await;
        let refresh_token = {
            let held = self.held();
            // What the one before got is for those who waited as well, whatever its age; so is its failure.
            let shared = held.usable().filter(|_| held.failure.is_none());
            if held.generation != generation && (shared.is_some() || held.failure.is_some()) {
                return shared.map_or_else(|| held.fallback(self.now()), Ok);
            }
            // It may have given up.
            if let Some(answer) = self.answer(&held) {
                return answer;
            }
            held.refresh_token.clone()
        };
        let renewed = match (&self.renewal, refresh_token) {
            (Renewal::Grant(ask), _) => ask(&self.authorizer).await,
            (Renewal::RefreshToken, Some(token)) => {
                let grant = Refresh::new(token);
                let grant = match self.held().signed_in.clone() {
                    Some(claims) => grant.signed_in(claims),
                    None => grant,
                };
                self.authorizer.exchange(grant).await
            }
            (Renewal::RefreshToken, None) => Err(Error::NoRefreshToken),
        };
        self.publish(renewed)
    }

    /// Another authorization than this one, which a resource turned away (`invalid_token`, RFC 6750 section 3.1).
    ///
    /// Where it was replaced in the meantime, the one that is there now.
    ///
    /// # Errors
    /// As [`authorization`](Self::authorization); the rejected one is not given out again.
    pub async fn replace(&self, rejected: &Authorization) -> Result<Authorization, Arc<Error>> {
        {
            let mut held = self.held();
            let same = held.authorization.as_ref().is_some_and(|current| current.token() == rejected.token());
            held.rejected |= same;
        }
        self.authorization().await
    }

    /// What can be said without asking the server.
    fn answer(&self, held: &Held) -> Option<Result<Authorization, Arc<Error>>> {
        let now = self.now();
        if held.is_fresh(now, self.min_valid) {
            return held.usable().map(Ok);
        }
        let waits = |failed: &Failed| failed.retry_at.is_none_or(|at| now.mono < at);
        let cannot = matches!(self.renewal, Renewal::RefreshToken) && held.refresh_token.is_none();
        (cannot || held.failure.as_ref().is_some_and(waits)).then(|| held.fallback(now))
    }

    fn publish(&self, renewed: Result<Authorization, Error>) -> Result<Authorization, Arc<Error>> {
        let now = self.now();
        let came = match &renewed {
            Ok(authorization) => authorization.refresh_token(),
            Err(error) => error.rescued(),
        };
        let came = came.filter(|_| matches!(self.renewal, Renewal::RefreshToken)).cloned();
        let old = self.refresh_token();
        let new = came.filter(|came| Some(came) != old.as_ref());
        if let Some(new) = &new {
            (self.refreshed)(new);
        }
        let for_good = new.is_none() && matches!(self.renewal, Renewal::RefreshToken);
        let mut held = self.held();
        held.generation += 1;
        held.refresh_token = new.or(old);
        match renewed {
            Ok(authorization) => {
                let (generation, refresh_token) = (held.generation, held.refresh_token.take());
                let holding = Held::holding(authorization.clone(), now, Self::LEAST);
                let signed_in = held.signed_in.take().or_else(|| authorization.id_token_claims().cloned());
                *held = Held { generation, refresh_token, signed_in, ..holding };
                Ok(authorization)
            }
            Err(error) => {
                let retry_at = match error.remedy() {
                    Remedy::SignInAgain if for_good => None,
                    Remedy::TryAgain { after: Some(after) } => Some(now.mono.after(after)),
                    _ => Some(now.mono.after(Self::PAUSE)),
                };
                held.failure = Some(Failed { error: Arc::new(error), retry_at });
                held.fallback(now)
            }
        }
    }

    fn now(&self) -> Now {
        self.authorizer.host().now()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing panics while it is held but an allocation that fails.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    const fn empty(now: Now) -> Self {
        Self {
            authorization: None,
            since: now,
            ends: None,
            jitter: 0,
            rejected: false,
            refresh_token: None,
            signed_in: None,
            failure: None,
            generation: 0,
        }
    }

    /// An authorization that is taken to live for `least`, whatever it says itself.
    fn holding(authorization: Authorization, now: Now, least: Duration) -> Self {
        let mut jitter = [0];
        // Without chance it is renewed at the very time.
        let _chance = getrandom::fill(&mut jitter);
        Self {
            ends: authorization.ends().map(|ends| ends.max(now.unix.after(least))),
            jitter: jitter[0],
            refresh_token: authorization.refresh_token().cloned(),
            signed_in: authorization.id_token_claims().cloned(),
            authorization: Some(authorization),
            ..Self::empty(now)
        }
    }

    fn usable(&self) -> Option<Authorization> {
        self.authorization.as_ref().filter(|_| !self.rejected).cloned()
    }

    fn is_fresh(&self, now: Now, min_valid: Duration) -> bool {
        if self.rejected || self.authorization.is_none() {
            return false;
        }
        let Some(ends) = self.ends else { return true };
        let life = Duration::from_secs(ends.0.saturating_sub(self.since.unix.0));
        let early = min_valid.saturating_add(min_valid / 4 * u32::from(self.jitter) / 255).min(life / 2);
        // By both clocks: one stands still while the machine sleeps, the other is set by whoever likes.
        now.mono.since(self.since.mono).saturating_add(early) < life && now.unix.after(early) < ends
    }

    /// The old token while it lives, when there is no new one.
    fn fallback(&self, now: Now) -> Result<Authorization, Arc<Error>> {
        match (self.usable(), &self.failure) {
            (Some(authorization), _) if self.ends.is_none_or(|ends| now.unix < ends) => Ok(authorization),
            (_, Some(failed)) => Err(Arc::clone(&failed.error)),
            (_, None) => Err(Arc::new(Error::NoRefreshToken)),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.held();
        f.debug_struct("Session")
            .field("authorizer", &self.authorizer)
            .field("authorization", &held.authorization)
            .field("refresh_token", &held.refresh_token.is_some())
            .finish_non_exhaustive()
    }
}
