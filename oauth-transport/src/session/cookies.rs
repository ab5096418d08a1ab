//! Cookies: those that responses set, and those that the caller adds.

use crate::events::CookieSet;
use cookie_store::{Cookie as StoredCookie, CookieExpiration, CookieStore, RawCookie};
use http::HeaderValue;
use std::fmt;
use url::{Origin, Url};
use zeroize::Zeroizing;

/// A name, a value and the attributes of one cookie may have this many bytes together (RFC 6265 section 6.1).
const LONGEST: usize = 4096;
/// No server needs more of them.
const MOST: usize = 300;

/// The cookies of one session.
#[derive(Default)]
pub(super) struct Jar {
    store: CookieStore,
    outgoing: Vec<Outgoing>,
}

struct Outgoing {
    origin: Origin,
    name: String,
    value: Zeroizing<String>,
}

/// A cookie as the session knows it. `Debug` does not show its value.
#[derive(Clone)]
#[non_exhaustive]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value, which may be a credential.
    pub value: String,
    /// The domain it is for, its subdomains with it; empty for one that is for its server alone.
    pub domain: String,
    /// The path it is for.
    pub path: String,
    /// When it ends, as HTTP writes dates; empty where it lasts as long as the session.
    pub expires: String,
    /// Whether it goes over TLS alone.
    pub secure: bool,
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Jar {
    pub(super) fn is_empty(&self) -> bool {
        self.outgoing.is_empty() && self.store.iter_any().next().is_none()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets those that were added.
    pub(super) fn forget_added(&mut self) {
        self.outgoing.clear();
    }

    /// Adds one that goes to this origin. Says whether it can be sent at all.
    pub(super) fn add(&mut self, origin: Origin, name: &str, value: &str) -> bool {
        // RFC 6265 section 4.1.1: a token, and no separator in the value.
        let fits = http::HeaderName::try_from(name).is_ok()
            && value
                .bytes()
                .all(|byte| matches!(byte, 0x21..=0x7E) && !matches!(byte, b';' | b',' | b'"' | b'\\'));
        if fits {
            self.outgoing.retain(|known| known.origin != origin || known.name != name);
            self.outgoing.push(Outgoing {
                origin,
                name: name.to_owned(),
                value: Zeroizing::new(value.to_owned()),
            });
        }
        fits
    }

    /// The `Cookie` header for a request to this URL.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let mut kept: Vec<_> = self.store.matches(url);
        // Not even to this machine, which cookie_store holds to be as good as TLS.
        kept.retain(|cookie| url.scheme() == "https" || !cookie.secure().unwrap_or_default());
        // RFC 6265 section 5.4: longer paths first.
        kept.sort_by_key(|cookie| std::cmp::Reverse(cookie.path().map_or(0, str::len)));
        let origin = url.origin();
        let added = self
            .outgoing
            .iter()
            .filter(|cookie| cookie.origin == origin)
            .map(|cookie| (cookie.name.as_str(), cookie.value.as_str()));
        let mut text = Zeroizing::new(String::new());
        for (name, value) in kept.iter().map(|cookie| cookie.name_value()).chain(added) {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        let mut value = HeaderValue::from_str(&text).ok().filter(|value| !value.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Keeps what a response from this URL sets, as far as that server may set it.
    pub(super) fn keep(&mut self, line: &str, url: &Url) {
        if line.len() > LONGEST {
            return;
        }
        let Ok(raw) = RawCookie::parse(line) else { return };
        if !may_set(&raw, url) {
            return;
        }
        let Ok(cookie) = StoredCookie::try_from_raw_cookie(&raw, url) else { return };
        // A full jar still takes what replaces or ends one that is in it.
        let is_known = cookie
            .domain
            .as_cow()
            .is_some_and(|domain| self.store.contains_any(&domain, &cookie.path, cookie.name()));
        if is_known || self.store.iter_any().count() < MOST {
            // What does not fit the server is refused there.
            let _ = self.store.insert(cookie.into_owned(), url);
        }
    }

    pub(super) fn all(&self) -> Vec<Cookie> {
        let added = self.outgoing.iter().map(|cookie| Cookie {
            name: cookie.name.clone(),
            value: cookie.value.as_str().to_owned(),
            domain: String::new(),
            path: "/".to_owned(),
            expires: String::new(),
            secure: false,
        });
        self.received().into_iter().chain(added).collect()
    }

    /// Those that responses set.
    pub(super) fn received(&self) -> Vec<Cookie> {
        let kept = self.store.iter_unexpired().map(|cookie| Cookie {
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            domain: cookie.domain().unwrap_or_default().to_owned(),
            path: cookie.path.as_ref().to_owned(),
            expires: match &cookie.expires {
                CookieExpiration::AtUtc(moment) => httpdate::fmt_http_date((*moment).into()),
                CookieExpiration::SessionEnd => String::new(),
            },
            secure: cookie.secure().unwrap_or_default(),
        });
        kept.collect()
    }
}

/// Whether a server may set this cookie, as far as cookie_store does not ask that itself.
fn may_set(cookie: &RawCookie<'_>, url: &Url) -> bool {
    let tls = url.scheme() == "https";
    let secure = cookie.secure().unwrap_or_default();
    // RFC 6265bis section 5.7: no Secure cookie without TLS, and what the prefixes promise.
    let prefixes = if cookie.name().starts_with("__Host-") {
        secure && cookie.domain().is_none() && cookie.path() == Some("/")
    } else {
        secure || !cookie.name().starts_with("__Secure-")
    };
    let domain = cookie.domain().is_none_or(|domain| {
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        // RFC 6265 section 5.3, step 5: `Domain=com` would go to everybody.
        let is_public = psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix == domain.as_str());
        !is_public || url.host_str() == Some(&domain)
    });
    (tls || !secure) && prefixes && domain
}

/// What a line of `Set-Cookie` says, for the event.
pub(super) fn read<T>(line: &str, tell: impl FnOnce(&CookieSet<'_>) -> T) -> Option<T> {
    let cookie = RawCookie::parse(line).ok()?;
    let attribute = |name: &str| {
        line.split(';').skip(1).find_map(|part| {
            let (known, value) = part.split_once('=')?;
            known.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    Some(tell(&CookieSet {
        name: cookie.name(),
        value: cookie.value(),
        expires: attribute("expires").unwrap_or_default(),
        domain: cookie.domain().unwrap_or_default(),
        path: cookie.path().unwrap_or_default(),
        secure: cookie.secure().unwrap_or_default(),
        http_only: cookie.http_only().unwrap_or_default(),
        same_site: attribute("samesite").unwrap_or_default(),
    }))
}
