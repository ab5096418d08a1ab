//! How an HTTP proxy is shown who we are.

use super::digest::Challenge;
use http::Method;
use http::header::{HeaderMap, HeaderValue};
use oauth_transport::{Proxy, ProxyAuthentication};

/// How a proxy is shown who we are, while one request is put to it.
pub(crate) enum Showing<'a> {
    /// The same from the start, or nothing; a challenge is not answered.
    Fixed(Option<HeaderValue>),
    /// By Digest, once it has asked.
    Digest(Digest<'a>),
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
            // The others were refused when the transport was made.
            _ => Self::Fixed(None),
        }
    }

    /// The `Proxy-Authorization` of a request.
    pub(crate) fn authorization(
        &self,
        method: &Method,
        target: &str,
    ) -> Result<Option<HeaderValue>, &'static str> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Digest(Digest { challenge: None, .. } | Digest { credentials: None, .. }) => Ok(None),
            Self::Digest(Digest {
                challenge: Some(challenge), credentials: Some((user, password)), ..
            }) => challenge.answer(user, password, method, target).map(Some),
        }
    }

    /// Takes what a status 407 asks for; says whether the request is to be sent again, or why not.
    ///
    /// One challenge is answered. A second is, too, where the proxy says that the nonce of the first is too old
    /// (RFC 7616 section 3.3); after that the password is wrong, or the proxy is.
    pub(crate) fn challenged(&mut self, headers: &HeaderMap) -> Result<bool, &'static str> {
        let Self::Digest(digest) = self else { return Ok(false) };
        let challenge = Challenge::best(headers)?;
        if digest.credentials.is_none() {
            return Err("it wants to know who we are; give its user name and password in the proxy's URL");
        }
        if digest.challenge.is_some() {
            if digest.renewed || !challenge.is_stale() {
                return Err("it does not accept the user name and the password");
            }
            digest.renewed = true;
        }
        digest.challenge = Some(challenge);
        Ok(true)
    }
}
