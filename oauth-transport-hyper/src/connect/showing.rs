//! How an HTTP proxy is shown who we are.

use super::digest::Challenge;
#[cfg(all(feature = "negotiate", unix))]
use super::negotiate::Negotiate;
#[cfg(feature = "ntlm")]
use super::ntlm::Ntlm;
use http::Method;
use http::header::{HeaderMap, HeaderValue, PROXY_AUTHENTICATE, WWW_AUTHENTICATE};
use oauth_core::Challenges;
use oauth_transport::{Proxy, ProxyAuthentication};
use std::borrow::Cow;

/// Why a proxy is not answered.
pub(crate) type Why = Cow<'static, str>;

pub(super) const NOT_KNOWN: &str =
    "it wants to know who we are; give its user name and password in the proxy's URL";
pub(super) const NOT_ACCEPTED: &str = "it does not accept the user name and the password";

/// How a proxy is shown who we are, while one request is put to it.
///
/// Nothing but what is [`Fixed`](Self::Fixed) goes out before the proxy has asked.
pub(crate) enum Showing<'a> {
    /// The same from the start, or nothing; a challenge is not answered.
    Fixed(Option<HeaderValue>),
    /// By Digest.
    Digest(Digest<'a>),
    /// By NTLM, which authenticates a connection.
    #[cfg(feature = "ntlm")]
    Ntlm(Ntlm<'a>),
    /// By Negotiate, which may take several rounds on one connection.
    #[cfg(all(feature = "negotiate", unix))]
    Negotiate(Negotiate),
}

/// What has become of the challenges so far.
pub(crate) struct Digest<'a> {
    credentials: Option<(&'a str, &'a str)>,
    challenge: Option<Challenge>,
    renewed: bool,
}

impl<'a> Showing<'a> {
    pub(crate) fn to(proxy: &'a Proxy, authentication: &ProxyAuthentication) -> Self {
        match authentication {
            ProxyAuthentication::Basic => Self::Fixed(proxy.authorization()),
            ProxyAuthentication::Digest => {
                Self::Digest(Digest { credentials: proxy.credentials(), challenge: None, renewed: false })
            }
            ProxyAuthentication::Verbatim(value) => Self::Fixed(Some(value.clone())),
            #[cfg(feature = "ntlm")]
            ProxyAuthentication::Ntlm => Self::Ntlm(Ntlm::new(proxy.credentials())),
            #[cfg(all(feature = "negotiate", unix))]
            ProxyAuthentication::Negotiate { service } => {
                let host = proxy.url().host_str().unwrap_or_default().trim_matches(['[', ']']);
                Self::Negotiate(Negotiate::new(service.as_deref(), host))
            }
            // The others were refused when the transport was made.
            _ => Self::Fixed(None),
        }
    }

    /// The `Proxy-Authorization` of a request.
    pub(crate) fn authorization(&self, method: &Method, target: &str) -> Result<Option<HeaderValue>, Why> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Digest(Digest { challenge: None, .. } | Digest { credentials: None, .. }) => Ok(None),
            Self::Digest(Digest {
                challenge: Some(challenge), credentials: Some((user, password)), ..
            }) => Ok(challenge.answer(user, password, method, target).map(Some)?),
            #[cfg(feature = "ntlm")]
            Self::Ntlm(ntlm) => Ok(ntlm.message().cloned()),
            #[cfg(all(feature = "negotiate", unix))]
            Self::Negotiate(negotiate) => Ok(negotiate.token().cloned()),
        }
    }

    /// Takes what a status 407 asks for; says whether the request is to be sent again, or why not.
    pub(crate) async fn challenged(&mut self, headers: &HeaderMap) -> Result<bool, Why> {
        match self {
            Self::Fixed(_) => return Ok(false),
            Self::Digest(digest) => digest.challenged(headers)?,
            #[cfg(feature = "ntlm")]
            Self::Ntlm(ntlm) => ntlm.challenged(headers)?,
            #[cfg(all(feature = "negotiate", unix))]
            Self::Negotiate(negotiate) => negotiate.challenged(headers).await?,
        }
        Ok(true)
    }

    /// Whether the next request answers what was said on this connection, and is nonsense on any other.
    pub(crate) const fn is_bound(&self) -> bool {
        match self {
            Self::Fixed(_) | Self::Digest(_) => false,
            #[cfg(feature = "ntlm")]
            Self::Ntlm(ntlm) => ntlm.is_bound(),
            #[cfg(all(feature = "negotiate", unix))]
            Self::Negotiate(negotiate) => negotiate.is_bound(),
        }
    }

    /// Whether the next request is one that the proxy answers on the same connection, so that it must not be closed.
    pub(crate) fn goes_on(&self) -> bool {
        match self {
            Self::Fixed(_) | Self::Digest(_) => false,
            #[cfg(feature = "ntlm")]
            Self::Ntlm(ntlm) => ntlm.goes_on(),
            #[cfg(all(feature = "negotiate", unix))]
            Self::Negotiate(negotiate) => negotiate.goes_on(),
        }
    }
}

impl Digest<'_> {
    /// One challenge is answered. A second is, too, where the proxy says that the nonce of the first is too old
    /// (RFC 7616 section 3.3); after that the password is wrong, or the proxy is.
    fn challenged(&mut self, headers: &HeaderMap) -> Result<(), &'static str> {
        let challenge = Challenge::best(headers)?;
        if self.credentials.is_none() {
            return Err(NOT_KNOWN);
        }
        if self.challenge.is_some() {
            if self.renewed || !challenge.is_stale() {
                return Err(NOT_ACCEPTED);
            }
            self.renewed = true;
        }
        self.challenge = Some(challenge);
        Ok(())
    }
}

/// A proxy's challenges. The grammar is that of `WWW-Authenticate` (RFC 9110 section 11.7.1).
pub(super) fn challenges(headers: &HeaderMap) -> Challenges {
    let renamed: HeaderMap = headers
        .get_all(PROXY_AUTHENTICATE)
        .into_iter()
        .map(|value| (WWW_AUTHENTICATE, value.clone()))
        .collect();
    Challenges::read(&renamed)
}

/// What a scheme that speaks in tokens asks for: `None` where it is not offered, `Some(None)` where it asks to begin.
#[cfg(any(feature = "ntlm", all(feature = "negotiate", unix)))]
pub(super) fn token(scheme: &str, headers: &HeaderMap) -> Option<Option<String>> {
    let challenges = challenges(headers);
    let mut offered = challenges.iter().filter(|one| one.is_scheme(scheme)).map(|one| one.token68());
    let first = offered.next()?;
    Some(first.or_else(|| offered.flatten().next()).map(str::to_owned))
}

/// A token in the value of `Proxy-Authorization`.
#[cfg(any(feature = "ntlm", all(feature = "negotiate", unix)))]
pub(super) fn answer(scheme: &str, token: &[u8]) -> HeaderValue {
    use base64::Engine as _;
    let text = format!("{scheme} {}", base64::prelude::BASE64_STANDARD.encode(token));
    let mut value = HeaderValue::try_from(text).expect("Base64 is printable ASCII");
    value.set_sensitive(true);
    value
}
