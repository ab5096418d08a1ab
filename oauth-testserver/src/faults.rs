//! Misbehaviour on demand: what a broken or hostile server would answer.

use std::collections::HashMap;
use std::time::Duration;

use crate::http::Response;

/// Where a request arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/.well-known/oauth-authorization-server` and `/.well-known/openid-configuration`.
    Metadata,
    /// `/jwks`, the keys that ID tokens are signed with.
    Jwks,
    /// `/authorize`, where a browser is sent first.
    Authorize,
    /// `/login`, the page on which a person is chosen.
    Login,
    /// `/consent`, the page on which that person agrees or declines.
    Consent,
    /// `/token`.
    Token,
    /// `/device_authorization`.
    DeviceAuthorization,
    /// `/device`, the page on which a user code is entered.
    Device,
    /// `/userinfo`, the protected resource.
    Userinfo,
    /// Every path that has nothing behind it.
    Unknown,
}

impl Endpoint {
    pub(crate) fn at(path: &str) -> Self {
        match path {
            "/.well-known/oauth-authorization-server" | "/.well-known/openid-configuration" => Self::Metadata,
            "/jwks" => Self::Jwks,
            "/authorize" => Self::Authorize,
            "/login" => Self::Login,
            "/consent" => Self::Consent,
            "/token" => Self::Token,
            "/device_authorization" => Self::DeviceAuthorization,
            "/device" => Self::Device,
            "/userinfo" => Self::Userinfo,
            _ => Self::Unknown,
        }
    }
}

/// One way for an endpoint to misbehave.
///
/// Those of the authorization response happen when the browser is sent back to the client, those of the token response
/// only to an answer that would have been a success. All others happen to the next request, whatever it asks, and of
/// these only [`Truncated`](Self::Truncated), [`Slow`](Self::Slow) and [`LostResponse`](Self::LostResponse) still carry
/// it out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Refuses although the person agreed, with `access_denied` ([`Authorize`](Endpoint::Authorize),
    /// [`Device`](Endpoint::Device)).
    Denied,
    /// Answers with a `state` that is not the client's ([`Authorize`](Endpoint::Authorize)).
    WrongState,
    /// Answers with another server's `iss` ([`Authorize`](Endpoint::Authorize)).
    WrongIssuer,
    /// Leaves out the `iss` that the metadata promises ([`Authorize`](Endpoint::Authorize)).
    MissingIssuer,
    /// Answers with this parameter twice, two values ([`Authorize`](Endpoint::Authorize)).
    DuplicateParameter(String),
    /// Gives `expires_in` as a word ([`Token`](Endpoint::Token)).
    ExpiresInWord,
    /// Leaves out `token_type` ([`Token`](Endpoint::Token)).
    NoTokenType,
    /// Puts a line break and a header line into the access token ([`Token`](Endpoint::Token)).
    AccessTokenWithCrLf,
    /// Adds `error` to tokens that were issued all the same, status 200 ([`Token`](Endpoint::Token)).
    ErrorWith200,
    /// Gives an issuer that differs by a slash at its end ([`Metadata`](Endpoint::Metadata)).
    IssuerMismatch,
    /// Answers this status with this body, as JSON if it begins with a brace.
    Status(u16, String),
    /// Answers 200 with a page of HTML.
    NotJson,
    /// Carries the request out, announces the whole answer, and sends the first half of it.
    Truncated,
    /// Answers 200 with 50 MB of JSON whose length is not announced.
    HugeBody,
    /// Waits this long, by the system's time, and then answers as usual.
    Slow(Duration),
    /// Closes the connection without having looked at the request.
    CloseBeforeResponse,
    /// Carries the request out and closes the connection without a word of an answer.
    LostResponse,
    /// Redirects here with 307, which asks for the same request, secrets and all.
    Redirect(String),
    /// Answers 500 with a page of HTML.
    ServerError,
}

impl Fault {
    /// Whether the endpoint's own code brings this about, rather than whatever stands in front of it.
    fn is_in_answer(&self) -> bool {
        self.only_at().is_some()
    }

    fn only_at(&self) -> Option<&'static [Endpoint]> {
        match self {
            Self::Denied => Some(&[Endpoint::Authorize, Endpoint::Device]),
            Self::WrongState | Self::WrongIssuer | Self::MissingIssuer | Self::DuplicateParameter(_) => {
                Some(&[Endpoint::Authorize])
            }
            Self::ExpiresInWord | Self::NoTokenType | Self::AccessTokenWithCrLf | Self::ErrorWith200 => {
                Some(&[Endpoint::Token])
            }
            Self::IssuerMismatch => Some(&[Endpoint::Metadata]),
            _ => None,
        }
    }

    /// What is answered in place of the endpoint's own answer, for those faults that do so.
    pub(crate) fn response(&self) -> Option<Response> {
        const HTML: &str = "text/html; charset=utf-8";
        match self {
            Self::Status(status, body) if body.starts_with('{') => {
                Some(Response::json(*status, body.clone()))
            }
            Self::Status(status, body) => Some(Response::text(*status, body)),
            Self::NotJson => Some(Response::new(200, HTML, "<!doctype html><title>Hello</title>It works.\n")),
            Self::ServerError => {
                Some(Response::new(500, HTML, "<!doctype html><title>Error</title>Something went wrong.\n"))
            }
            Self::Redirect(to) => {
                let mut response = Response::see_other(to.clone());
                response.status = 307;
                Some(response)
            }
            _ => None,
        }
    }
}

/// The faults that are waiting, by endpoint, in the order in which they were asked for.
#[derive(Default)]
pub(crate) struct Faults(HashMap<Endpoint, Vec<(Fault, Repeat)>>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Once,
    Always,
}

impl Faults {
    #[track_caller]
    pub(crate) fn add(&mut self, endpoint: Endpoint, fault: Fault, repeat: Repeat) {
        assert!(
            fault.only_at().is_none_or(|endpoints| endpoints.contains(&endpoint)),
            "{fault:?} never happens at {endpoint:?}, so what waits for it there would prove nothing"
        );
        if let Fault::Redirect(to) = &fault {
            assert!(!to.contains(['\r', '\n']), "a Location header has one line");
        }
        self.0.entry(endpoint).or_default().push((fault, repeat));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The next fault to happen in front of the endpoint.
    pub(crate) fn take_before(&mut self, endpoint: Endpoint) -> Option<Fault> {
        self.take(endpoint, false)
    }

    /// The next fault to happen in the endpoint's answer.
    pub(crate) fn take_in_answer(&mut self, endpoint: Endpoint) -> Option<Fault> {
        self.take(endpoint, true)
    }

    fn take(&mut self, endpoint: Endpoint, in_answer: bool) -> Option<Fault> {
        let waiting = self.0.get_mut(&endpoint)?;
        let at = waiting.iter().position(|(fault, _)| fault.is_in_answer() == in_answer)?;
        match waiting[at].1 {
            Repeat::Once => Some(waiting.remove(at).0),
            Repeat::Always => Some(waiting[at].0.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_happen_in_order_once_or_always() {
        let mut faults = Faults::default();
        faults.add(Endpoint::Token, Fault::NotJson, Repeat::Once);
        faults.add(Endpoint::Token, Fault::NoTokenType, Repeat::Once);
        faults.add(Endpoint::Token, Fault::ServerError, Repeat::Always);
        assert_eq!(faults.take_before(Endpoint::Userinfo), None);
        assert_eq!(faults.take_before(Endpoint::Token), Some(Fault::NotJson));
        assert_eq!(faults.take_in_answer(Endpoint::Token), Some(Fault::NoTokenType));
        assert_eq!(faults.take_in_answer(Endpoint::Token), None);
        assert_eq!(faults.take_before(Endpoint::Token), Some(Fault::ServerError));
        assert_eq!(faults.take_before(Endpoint::Token), Some(Fault::ServerError));
        faults.clear();
        assert_eq!(faults.take_before(Endpoint::Token), None);
    }

    #[test]
    #[should_panic(expected = "WrongState never happens at Token")]
    fn a_fault_that_cannot_happen_is_refused() {
        Faults::default().add(Endpoint::Token, Fault::WrongState, Repeat::Once);
    }
}
