//! From an issuer to its metadata (RFC 8414 section 3, OpenID Connect Discovery section 4).
//!
//! ```text
//! GET {issuer}/.well-known/openid-configuration               OpenID Connect Discovery section 4.1
//! GET {origin}/.well-known/oauth-authorization-server{path}   RFC 8414 section 3.1, when the first is not there
//! ```

use crate::date;
use crate::failure::{Error, Failure, Malformed, Misuse, Rejected, Unreachable};
use crate::flow::{Flow, Input, Output};
use crate::json::{self, Value};
use crate::memory::Learned;
use crate::policy::Policy;
use crate::registry::{Algorithm, AuthMethod};
use crate::request::{Endpoint, EndpointError, Purpose, Request, Response};
use crate::server::{Endpoints, Server};
use crate::text::{escaped, printable};
use crate::time::Now;
use crate::token::{self, Scrub};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Fetches and checks a server's metadata.
///
/// The two places where it may be are asked in turn; the second only when the first says that there is nothing. The
/// issuer in the metadata must be the one asked for, character by character, before anything else of it is used
/// (RFC 8414 section 3.3).
#[derive(Debug)]
pub struct Discover {
    issuer: String,
    policy: Policy,
    /// The places left to ask, the next one last.
    places: Vec<Arc<Endpoint>>,
    /// What the first place answered, where that was not metadata.
    first: Option<Failure>,
    state: State,
    learned: Learned,
}

#[derive(Debug)]
enum State {
    Ask,
    Asking,
    Finish(Result<Server, Failure>),
    Over,
}

impl Discover {
    /// # Errors
    /// The issuer is not a URL that may be asked: the setup is at fault. It must be `https` without query or fragment
    /// (RFC 8414 section 2).
    pub fn new(issuer: impl Into<String>, policy: Policy) -> Result<Self, EndpointError> {
        let issuer = issuer.into();
        let checked = Endpoint::new(&issuer, &policy)?;
        if checked.url().query().is_some() {
            return Err(EndpointError::Query);
        }
        let url = checked.url();
        let path = url.path().trim_end_matches('/');
        let place = |path: String| {
            let mut place = url.clone();
            place.set_path(&path);
            Endpoint::new(place.as_str(), &policy).map(Arc::new)
        };
        let oauth = place(alloc::format!("/.well-known/oauth-authorization-server{path}"))?;
        let openid = place(alloc::format!("{path}/.well-known/openid-configuration"))?;
        Ok(Self {
            issuer,
            policy,
            places: Vec::from([oauth, openid]),
            first: None,
            state: State::Ask,
            learned: Learned::default(),
        })
    }

    fn receive(&mut self, response: &Response, now: Now) -> State {
        self.learned.clock(date::clock_offset(response.headers(), now.unix));
        let status = response.status();
        if let Some(outage) = token::outage(response, now) {
            return State::Finish(Err(outage));
        }
        let fail = |error: Error| Failure::from(error).with_status(status);
        let read = if status.is_redirection() {
            Err(fail(Error::Malformed(Malformed::Redirect)))
        } else if status.is_success() {
            read(response.body(), &self.issuer, &self.policy).map_err(|error| {
                let page = matches!(error, Error::Malformed(Malformed::NotJson));
                let page = page.then(|| token::told::page(response.body(), &Scrub::nothing())).flatten();
                fail(error).with_excerpt(page)
            })
        } else {
            let excerpt = token::excerpt(response.body(), &Scrub::nothing());
            Err(fail(Error::Malformed(Malformed::Status)).with_excerpt(excerpt))
        };
        match read {
            // A page that answers 200 to every path is a place without metadata, too.
            Err(failure) if is_elsewhere(&failure) => match self.first.take() {
                None => {
                    self.first = Some(failure);
                    State::Ask
                }
                // Neither place has any: metadata that was cut short says more than a place that has none.
                Some(first) if matches!(*first.error, Error::Malformed(Malformed::NotJson)) => {
                    State::Finish(Err(first))
                }
                Some(_) => State::Finish(Err(failure)),
            },
            result => State::Finish(result),
        }
    }
}

fn is_elsewhere(failure: &Failure) -> bool {
    matches!(*failure.error, Error::Malformed(Malformed::Status | Malformed::NotJson | Malformed::Redirect))
}

impl Flow for Discover {
    type Outcome = Server;

    fn poll(&mut self, _: Now) -> Output<Server> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Ask => match self.places.pop() {
                Some(place) => {
                    self.state = State::Asking;
                    Output::Send(Request::get(Purpose::Discovery, place))
                }
                None => Output::Idle,
            },
            State::Finish(result) => Output::Done(result),
            State::Asking => {
                self.state = State::Asking;
                Output::Idle
            }
            State::Over => Output::Idle,
        }
    }

    fn handle(&mut self, input: Input, now: Now) {
        self.state = match (core::mem::replace(&mut self.state, State::Over), input) {
            (State::Asking, Input::Response(response)) => self.receive(&response, now),
            (State::Asking, Input::Unreachable(why)) => unreachable(why),
            (State::Over, _) => State::Over,
            _ => State::Finish(Err(Error::Misuse(Misuse::NotAsked).into())),
        };
    }

    fn take_learned(&mut self) -> Learned {
        core::mem::take(&mut self.learned)
    }
}

fn unreachable(why: Unreachable) -> State {
    State::Finish(Err(Error::Unreachable(why).into()))
}

fn read(body: &[u8], issuer: &str, policy: &Policy) -> Result<Server, Error> {
    let mut server = Server::new(issuer);
    let mut said = None;
    let mut wrong = None;
    json::members(
        body,
        |_| Some(()),
        |(), name, value| match name {
            "issuer" => said = value.into_string(),
            "mtls_endpoint_aliases" => {
                if let Value::Object(aliases) = value {
                    for (name, value) in aliases {
                        endpoint(&mut server.mtls_aliases, &name, value, &mut wrong);
                    }
                }
            }
            "token_endpoint_auth_methods_supported" => server.token_endpoint_auth_methods = methods(value),
            "id_token_signing_alg_values_supported" => {
                server.id_token_signing_algs = names(value, Algorithm::from_text);
            }
            "revocation_endpoint_auth_methods_supported" => {
                server.revocation_endpoint_auth_methods = methods(value);
            }
            "introspection_endpoint_auth_methods_supported" => {
                server.introspection_endpoint_auth_methods = methods(value);
            }
            "authorization_response_iss_parameter_supported" => {
                server.response_iss = value == Value::Bool(true)
            }
            name => endpoint(&mut server.endpoints, name, value, &mut wrong),
        },
    )
    .map_err(Error::Malformed)?;
    // RFC 8414 section 3.3: identical, before anything else of the metadata is used. No normalisation: code points.
    match said {
        Some(said) if said == issuer => {}
        Some(said) => {
            let (expected, received) = (printable(issuer, 200), printable(&escaped(&said), 200));
            return Err(Error::Rejected(Rejected::Issuer { expected, received }));
        }
        None => return Err(Error::Malformed(Malformed::Missing("issuer"))),
    }
    if let Some(member) = wrong {
        return Err(Error::Malformed(Malformed::Invalid(member)));
    }
    for (member, url) in server.endpoints.iter().chain(server.mtls_aliases.iter()) {
        let _checked =
            Endpoint::new(url, policy).map_err(|why| Error::Rejected(Rejected::Endpoint { member, why }))?;
    }
    Ok(server)
}

fn endpoint(endpoints: &mut Endpoints, member: &str, value: Value<'_>, wrong: &mut Option<&'static str>) {
    let Some(name) = Endpoints::known(member) else { return };
    match value {
        Value::String(url) => endpoints.set(name, url.into_owned()),
        Value::Null => {}
        Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Float(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_) => {
            wrong.get_or_insert(name);
        }
    }
}

fn methods(value: Value<'_>) -> Option<Vec<AuthMethod>> {
    names(value, AuthMethod::from_text)
}

fn names<T>(value: Value<'_>, name: impl Fn(&str) -> T) -> Option<Vec<T>> {
    match value {
        Value::Array(values) => {
            let texts = values.into_iter().filter_map(Value::into_string);
            Some(texts.map(|text: Cow<'_, str>| name(&text)).collect())
        }
        Value::Null
        | Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Float(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_) => None,
    }
}
