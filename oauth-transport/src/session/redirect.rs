//! Where a response leads: which redirects are followed, and with what.

use super::headers;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, COOKIE, IF_MODIFIED_SINCE, LOCATION, PROXY_AUTHORIZATION,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use oauth_core::{Endpoint, KeyId, OptOut, Policy, Purpose, Request, Response};
use std::sync::Arc;
use url::Url;

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redirects {
    /// None: a redirect is a response like any other, and what asked for something else takes it as a failure.
    #[default]
    Never,
    /// Those that are safe: see [`SessionSettings::redirects`](super::SessionSettings::redirects).
    Always,
    /// Of these, those that keep the scheme.
    SameScheme,
}

/// What a request was, so that it can be made again for another address.
pub(super) struct Blueprint {
    purpose: Purpose,
    method: Method,
    pub(super) endpoint: Endpoint,
    headers: Vec<(HeaderName, HeaderValue)>,
    certificate: Option<KeyId>,
    max_body: usize,
}

/// What a response leads to.
pub(super) enum Next {
    /// Nowhere: it is the response.
    Here,
    /// Elsewhere, if all agree.
    There {
        location: Url,
        /// The request for it; `Err` tells why there must be none.
        request: Result<Box<Request>, &'static str>,
        /// Whether the settings want it.
        wanted: bool,
    },
}

impl Blueprint {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            purpose: request.purpose(),
            method: request.method().clone(),
            endpoint: request.endpoint().clone(),
            headers: request.headers().map(|(name, value)| (name.clone(), value.clone())).collect(),
            certificate: request.client_certificate().cloned(),
            max_body: request.max_body(),
        }
    }

    /// Reads a response to this request.
    pub(super) fn next(&self, response: &Response, redirects: Redirects, get_on_302: bool) -> Next {
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Next::Here;
        }
        let mut locations = response.headers().get_all(LOCATION).iter();
        let (Some(location), None) = (locations.next(), locations.next()) else { return Next::Here };
        let Some(mut location) = location.to_str().ok().and_then(|text| self.endpoint.url().join(text).ok())
        else {
            return Next::Here;
        };
        location.set_fragment(None);
        let same_scheme = location.scheme() == self.endpoint.url().scheme();
        let wanted = match redirects {
            Redirects::Never => false,
            Redirects::Always => true,
            Redirects::SameScheme => same_scheme,
        };
        let request = self.request(&location, response.status(), get_on_302).map(Box::new);
        Next::There { location, request, wanted }
    }

    /// The request for another address, where one may be made.
    fn request(&self, location: &Url, status: StatusCode, get_on_302: bool) -> Result<Request, &'static str> {
        if self.purpose == Purpose::Token {
            return Err("a token request is not redirected");
        }
        if self.method != Method::GET {
            // What the body holds would go along with a 307 or 308, and a repeated POST with the others.
            let becomes_get = status == StatusCode::SEE_OTHER
                || (get_on_302 && matches!(status, StatusCode::FOUND | StatusCode::MOVED_PERMANENTLY));
            if self.purpose != Purpose::Resource || !becomes_get {
                return Err("a request with a body is not redirected");
            }
        }
        let was = self.endpoint.url();
        let policy = if was.scheme() == "http" {
            Policy::strict().waive(OptOut::PlainHttpOnLoopback)
        } else {
            Policy::strict()
        };
        let endpoint = Endpoint::new(location.as_str(), &policy)
            .map_err(|_| "its address is none that a request may go to")?;
        let leaves = was.origin() != endpoint.url().origin();
        if leaves && self.holds_credentials() {
            return Err("it carries a credential, and leads to another server");
        }
        let request = Request::get(self.purpose, Arc::new(endpoint)).with_max_body(self.max_body);
        let request = match &self.certificate {
            Some(name) => request.with_client_certificate(name.clone()),
            None => request,
        };
        let stays =
            |name: &HeaderName| !is_set_anew(name) && (self.method == Method::GET || !is_of_body(name));
        let kept: Vec<_> = self.headers.iter().filter(|(name, _)| stays(name)).cloned().collect();
        Ok(headers::replace(request, &kept))
    }

    fn holds_credentials(&self) -> bool {
        self.certificate.is_some()
            || self.headers.iter().any(|(name, value)| {
                value.is_sensitive()
                    || [AUTHORIZATION, PROXY_AUTHORIZATION].contains(name)
                    || name.as_str() == "dpop"
            })
    }
}

/// Headers that the session sets for each hop.
fn is_set_anew(name: &HeaderName) -> bool {
    [COOKIE, ACCEPT_ENCODING, IF_MODIFIED_SINCE].contains(name)
}

fn is_of_body(name: &HeaderName) -> bool {
    name.as_str().starts_with("content-")
}
