//! A server's public keys, as they were fetched, and how long they are good for (RFC 7517 section 5, RFC 9111 section 4.2).

use crate::failure::{Error, Failure, Malformed};
use crate::json::Value;
use crate::request::Response;
use crate::time::{Mono, Now};
use crate::token;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use http::header::{AGE, CACHE_CONTROL, HeaderMap};

/// How long keys are good for when the server does not say.
const LIFETIME: Duration = Duration::from_secs(3600);
/// The shortest and the longest time that is believed.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(86_400);
/// How long old keys do while the server gives no new ones.
const STALE: Duration = Duration::from_secs(86_400);
/// How long nobody asks again, whatever messages say: forged ones must not make this client flood its server.
const COOL_DOWN: Duration = Duration::from_secs(30);
/// How long the document may be.
const MAX_DOCUMENT: usize = 256 * 1024;

/// A server's public keys: a JWKS as it came (RFC 7517 section 5). Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKeys(Arc<Vec<u8>>);

impl ServerKeys {
    /// Keys that are known already: for the tests of key holders.
    #[must_use]
    pub fn new(document: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(document.into()))
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.0
    }

    /// Whether these are the very keys of the other, and not only the same: a key holder that reads them once keeps
    /// them, and compares.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for ServerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerKeys([{} bytes])", self.0.len())
    }
}

/// What is remembered of a server's keys; nothing before they were asked for.
pub(crate) type KnownKeys = Option<Arc<Known>>;

/// What came of asking a server for its keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known {
    keys: Option<(ServerKeys, Mono)>,
    /// When they were last asked for, whatever came of it.
    asked: Mono,
}

impl Known {
    /// The keys to begin with; `None` where the server has to be asked first.
    pub(crate) fn fresh(&self, now: Mono) -> Option<&ServerKeys> {
        let (keys, until) = self.keys.as_ref()?;
        (now < *until || !self.may_be_asked(now)).then_some(keys)
    }

    /// Whether the server may be asked again for the sake of one message.
    pub(crate) fn may_be_asked(&self, now: Mono) -> bool {
        now.since(self.asked) >= COOL_DOWN
    }

    pub(crate) const fn asked(&self) -> Mono {
        self.asked
    }

    pub(crate) fn keys(&self) -> Option<&ServerKeys> {
        self.keys.as_ref().map(|(keys, _)| keys)
    }

    /// Takes in what the server answered. Where that is nothing of use, the old keys do for a while.
    pub(crate) fn after(
        old: Option<&Self>,
        answer: Result<&Response, Failure>,
        now: Now,
    ) -> (Self, Result<(), Failure>) {
        let (keys, result) = match answer.and_then(|response| read(response, now)) {
            Ok((keys, lifetime)) => (Some((keys, now.mono.after(lifetime))), Ok(())),
            Err(failure) => {
                let old = old.and_then(|old| old.keys.clone());
                (old.filter(|(_, until)| now.mono < until.after(STALE)), Err(failure))
            }
        };
        (Self { keys, asked: now.mono }, result)
    }
}

fn read(response: &Response, now: Now) -> Result<(ServerKeys, Duration), Failure> {
    if let Some(outage) = token::outage(response, now) {
        return Err(outage);
    }
    let status = response.status();
    let wrong = if status.is_redirection() {
        Some(Malformed::Redirect)
    } else if !status.is_success() {
        Some(Malformed::Status)
    } else if response.body().len() > MAX_DOCUMENT {
        Some(Malformed::TooLarge)
    } else {
        match Value::read(response.body()) {
            Err(malformed) => Some(malformed),
            Ok(document) => match document.member("keys") {
                Some(Value::Array(_)) => None,
                Some(_) => Some(Malformed::Invalid("keys")),
                None => Some(Malformed::Missing("keys")),
            },
        }
    };
    match wrong {
        Some(malformed) => Err(Failure::from(Error::Malformed(malformed)).with_status(status)),
        None => Ok((ServerKeys::new(response.body()), lifetime(response.headers()))),
    }
}

/// How long a response is fresh, less how long it was on its way through caches.
fn lifetime(headers: &HeaderMap) -> Duration {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut lifetime = LIFETIME;
    for directive in values.flat_map(|value| value.split(',')).map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            lifetime = Duration::ZERO;
            break;
        }
        if name.eq_ignore_ascii_case("max-age") {
            lifetime = seconds(value.trim_matches('"')).unwrap_or(Duration::ZERO);
        }
    }
    let age = headers.get(AGE).and_then(|age| seconds(age.to_str().ok()?)).unwrap_or_default();
    lifetime.saturating_sub(age).clamp(SHORTEST, LONGEST)
}

/// Digits; more of them than fit are the largest number there is (RFC 9111 section 1.2.2).
fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn rfc9111_4_2_1_keys_are_fresh_for_as_long_as_the_server_says_within_bounds() {
        for (told, seconds) in [
            (&[][..], 3600),
            (&[(CACHE_CONTROL, "public, max-age=7200")], 7200),
            (&[(CACHE_CONTROL, "MAX-AGE=\"7200\"")], 7200),
            (&[(CACHE_CONTROL, "max-age=7200"), (AGE, "7000")], 200),
            (&[(CACHE_CONTROL, "max-age=7200"), (AGE, "9000")], 60),
            (&[(CACHE_CONTROL, "max-age=0")], 60),
            (&[(CACHE_CONTROL, "no-store, max-age=7200")], 60),
            (&[(CACHE_CONTROL, "no-cache")], 60),
            (&[(CACHE_CONTROL, "max-age=soon")], 60),
            (&[(CACHE_CONTROL, "max-age=99999999999999999999999")], 86_400),
            (&[(CACHE_CONTROL, "private"), (AGE, "x")], 3600),
        ] {
            assert_eq!(lifetime(&headers(told)).as_secs(), seconds, "{told:?}");
        }
    }
}
