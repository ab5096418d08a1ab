//! What the server remembers: logins under way, codes, tokens, and what it was asked.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::faults::Endpoint;
use crate::keys::{random_text, user_code};

/// So many requests are remembered; older ones are forgotten.
const LOG_LIMIT: usize = 10_000;

/// One request that the server received, without any value it carried.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// Where it arrived.
    pub endpoint: Endpoint,
    /// As it was sent.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The names in the query and then in a form body, in their order, repeated ones repeated.
    pub parameters: Vec<String>,
}

/// How much the server has given out, and how often it caught a credential that was spent already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Authorization codes.
    pub codes: usize,
    /// Access tokens, by any grant.
    pub access_tokens: usize,
    /// Refresh tokens, the first and all that followed by rotation.
    pub refresh_tokens: usize,
    /// ID tokens.
    pub id_tokens: usize,
    /// Device codes.
    pub device_codes: usize,
    /// `slow_down` answers to a device that polled too early.
    pub slow_downs: usize,
    /// Codes and refresh tokens that came a second time, each of which ended what was issued from the first.
    pub replays: usize,
}

/// What a person, or a client for itself, has agreed to.
#[derive(Clone)]
pub(crate) struct Grant {
    /// Everything issued from one consent falls together.
    pub(crate) family: u64,
    pub(crate) client_id: String,
    /// An index into the people of the server; a client on its own has none.
    pub(crate) person: Option<usize>,
    pub(crate) scope: Vec<String>,
    pub(crate) auth_time: u64,
}

pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) expires: Duration,
    pub(crate) spent: bool,
}

pub(crate) struct AccessToken {
    pub(crate) grant: Grant,
    pub(crate) expires: Duration,
}

pub(crate) struct RefreshToken {
    pub(crate) grant: Grant,
    pub(crate) expires: Duration,
    pub(crate) spent: bool,
}

pub(crate) struct Device {
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    pub(crate) scope: Vec<String>,
    pub(crate) expires: Duration,
    pub(crate) interval: Duration,
    pub(crate) polled: Option<Duration>,
    pub(crate) decision: Decision,
}

pub(crate) enum Decision {
    Pending,
    Approved(Grant),
    Denied,
    Spent,
}

/// One person's way through the pages.
pub(crate) struct Interaction {
    /// Known to one browser, which is how a link that was sent to somebody else leads nowhere.
    pub(crate) cookie: String,
    pub(crate) expires: Duration,
    pub(crate) person: Option<usize>,
    pub(crate) auth_time: u64,
    pub(crate) purpose: Purpose,
}

#[derive(Clone)]
pub(crate) enum Purpose {
    Authorize(Authorize),
    Device { device_code: String },
}

/// An authorization request that was found to be in order.
#[derive(Clone)]
pub(crate) struct Authorize {
    pub(crate) client_id: String,
    pub(crate) reply: Reply,
    pub(crate) scope: Vec<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: String,
}

/// Where the answer to an authorization request goes.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) redirect_uri: String,
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<String>,
}

#[derive(Clone, Copy)]
pub(crate) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) access_tokens: HashMap<String, AccessToken>,
    pub(crate) refresh_tokens: HashMap<String, RefreshToken>,
    pub(crate) devices: HashMap<String, Device>,
    pub(crate) interactions: HashMap<String, Interaction>,
    /// The issuer and the `jti` of each assertion that was taken, and when it ends by itself.
    pub(crate) assertions: HashMap<(String, String), f64>,
    pub(crate) counters: Counters,
    /// Every secret ever issued or configured.
    pub(crate) secrets: Vec<String>,
    pub(crate) log: VecDeque<Received>,
    pub(crate) arrived: HashMap<Endpoint, usize>,
    families: u64,
}

impl State {
    /// Begins with the secrets that were configured.
    pub(crate) fn new(secrets: Vec<String>) -> Self {
        Self { secrets, ..Self::default() }
    }

    pub(crate) fn record(&mut self, received: Received) {
        *self.arrived.entry(received.endpoint).or_default() += 1;
        if self.log.len() == LOG_LIMIT {
            self.log.pop_front();
        }
        self.log.push_back(received);
    }

    /// Makes a secret and remembers that it was made.
    pub(crate) fn secret(&mut self, prefix: &str) -> String {
        let secret = random_text(prefix);
        self.secrets.push(secret.clone());
        secret
    }

    pub(crate) fn next_family(&mut self) -> u64 {
        self.families += 1;
        self.families
    }

    /// Ends every token that was issued from one consent.
    pub(crate) fn revoke(&mut self, family: u64) {
        self.access_tokens.retain(|_, token| token.grant.family != family);
        self.refresh_tokens.retain(|_, token| token.grant.family != family);
    }

    /// Begins a person's way through the pages; gives its identifier and the cookie of the browser it belongs to.
    pub(crate) fn begin(&mut self, purpose: Purpose, now: Duration, expires: Duration) -> (String, String) {
        self.interactions.retain(|_, interaction| interaction.expires > now);
        let (id, cookie) = (random_text(""), random_text(""));
        self.interactions.insert(
            id.clone(),
            Interaction { cookie: cookie.clone(), expires, person: None, auth_time: 0, purpose },
        );
        (id, cookie)
    }

    /// A user code that no device waits with.
    pub(crate) fn fresh_user_code(&self) -> String {
        loop {
            let code = user_code();
            if !self.devices.values().any(|device| device.user_code == code) {
                return code;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_forgets_but_the_count_does_not() {
        let mut state = State::default();
        for number in 0..=LOG_LIMIT {
            state.record(Received {
                endpoint: Endpoint::Token,
                method: "POST".to_owned(),
                path: number.to_string(),
                parameters: Vec::new(),
            });
        }
        assert_eq!(state.log.len(), LOG_LIMIT);
        assert_eq!(state.log[0].path, "1");
        assert_eq!(state.arrived[&Endpoint::Token], LOG_LIMIT + 1);
    }

    #[test]
    fn a_family_falls_together_and_alone() {
        let mut state = State::default();
        let grant = |family| Grant {
            family,
            client_id: "c".to_owned(),
            person: None,
            scope: Vec::new(),
            auth_time: 0,
        };
        for family in [1, 2] {
            let expires = Duration::from_secs(60);
            state.access_tokens.insert(format!("a{family}"), AccessToken { grant: grant(family), expires });
            let token = RefreshToken { grant: grant(family), expires, spent: false };
            state.refresh_tokens.insert(format!("r{family}"), token);
        }
        state.revoke(1);
        assert_eq!(state.access_tokens.keys().collect::<Vec<_>>(), ["a2"]);
        assert_eq!(state.refresh_tokens.keys().collect::<Vec<_>>(), ["r2"]);
    }

    #[test]
    fn ways_that_were_left_are_forgotten() {
        let mut state = State::default();
        let purpose = || Purpose::Device { device_code: String::new() };
        let (left, _) = state.begin(purpose(), Duration::ZERO, Duration::from_secs(5));
        let (kept, _) = state.begin(purpose(), Duration::from_secs(5), Duration::from_secs(10));
        assert!(!state.interactions.contains_key(&left) && state.interactions.contains_key(&kept));
    }
}
