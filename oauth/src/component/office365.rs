//! Where a service of Office 365 is: asked of a discovery service, or looked up here.
//!
//! Microsoft ended the discovery service, and Microsoft Graph took the place of what it led to. A server of one's own that still
//! speaks its protocol is asked; without one, what is known by heart is told, and what is not is an error. The dead service itself
//! is never asked, and no answer is made up in its place.

use super::OAuth;
use super::engine::Engine;
use super::error::ComponentError;
use super::values::Office365Values;
use crate::Authorization;
use crate::host::Host as _;
use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION};
use oauth_core::{AccessToken, Endpoint, Failure, JsonValue, Policy, Purpose, Request, Response};
use std::sync::Arc;

/// What each service of old is called today.
const GRAPH: [(&str, &str); 5] = [
    ("Mail", "me/messages"),
    ("Calendar", "me/events"),
    ("Contacts", "me/contacts"),
    ("MyFiles", "me/drive"),
    ("RootSite", "sites/root"),
];

impl OAuth {
    /// Names a server that still speaks the protocol of Office 365's discovery service: where `Office365ServiceCapability` is
    /// set, it is asked for the endpoint with every new access token. `https`, but on this machine; empty, which is the default,
    /// for the endpoints of Microsoft Graph.
    pub fn set_office365_discovery_url(&self, url: impl Into<String>) {
        let url = url.into();
        self.change(|values| values.office365.discovery_url = url);
    }
}

/// How the endpoint is found.
pub(super) enum Way {
    Known(String),
    Ask(Arc<Endpoint>),
}

/// The way to the endpoint of the service that is asked for, where one is: known before anybody signs in.
///
/// # Errors
/// The discovery service may not be asked, or there is none and nothing is known of the service.
pub(super) fn way(values: &Office365Values, policy: &Policy) -> Result<Option<Way>, ComponentError> {
    if values.capability.is_empty() {
        return Ok(None);
    }
    if !values.discovery_url.is_empty() {
        let endpoint = Endpoint::new(&values.discovery_url, policy)
            .map_err(|why| ComponentError::refused("set_office365_discovery_url", why))?;
        return Ok(Some(Way::Ask(Arc::new(endpoint))));
    }
    let path = GRAPH.iter().find(|(name, _)| name.eq_ignore_ascii_case(&values.capability));
    // The last versions of the services of old are what Graph began with.
    let version = match values.api_version.to_ascii_lowercase().as_str() {
        "" | "v1.0" | "v2.0" => Some("v1.0"),
        "beta" => Some("beta"),
        _ => None,
    };
    match (path, version) {
        (Some((_, path)), Some(version)) => {
            Ok(Some(Way::Known(format!("https://graph.microsoft.com/{version}/{path}"))))
        }
        _ => Err(ComponentError::DiscoveryRetired {
            capability: values.capability.clone(),
            api_version: values.api_version.clone(),
        }),
    }
}

/// The endpoint.
///
/// # Errors
/// The discovery service cannot be reached or understood, or does not know the service.
pub(super) async fn endpoint(
    way: Way,
    values: &Office365Values,
    authorization: &Authorization,
    engine: &Engine,
    policy: &Policy,
) -> Result<String, ComponentError> {
    let place = match way {
        Way::Known(url) => return Ok(url),
        Way::Ask(place) => place,
    };
    let bearer = AccessToken::new(authorization.token())
        .bearer()
        .map_err(|error| ComponentError::refused("Office365ServiceEndpoint", error))?;
    let request = Request::get(Purpose::Resource, place)
        .with_header(ACCEPT, HeaderValue::from_static("application/json"))
        .with_header(AUTHORIZATION, bearer);
    let response = engine
        .send(request)
        .await
        .map_err(|why| crate::Error::Failure(Failure::from(oauth_core::Error::Unreachable(why))))?;
    let found = read(&response, values)?;
    Endpoint::new(&found, policy)
        .map_err(|why| not_told(format_args!("the endpoint that it tells may not be used: {why}")))?;
    Ok(found)
}

/// The endpoint in the answer: `value` lists the services, each with its `capability`, `serviceApiVersion` and
/// `serviceEndpointUri`, in upper or lower case.
fn read(response: &Response, values: &Office365Values) -> Result<String, ComponentError> {
    if !response.status().is_success() {
        return Err(not_told(format_args!("it answers with status {}", response.status().as_u16())));
    }
    let Ok(answer) = JsonValue::read(response.body()) else { return Err(not_told("its answer is no JSON")) };
    let Some(JsonValue::Array(services)) = member(&answer, "value") else {
        return Err(not_told("its answer has no list of services"));
    };
    let is = |service: &JsonValue<'_>, name, wanted: &str| {
        wanted.is_empty()
            || matches!(member(service, name), Some(JsonValue::String(text)) if text.eq_ignore_ascii_case(wanted))
    };
    let found = services.iter().find(|service| {
        is(service, "capability", &values.capability) && is(service, "serviceApiVersion", &values.api_version)
    });
    match found.and_then(|service| member(service, "serviceEndpointUri")) {
        Some(JsonValue::String(uri)) => Ok(uri.to_string()),
        _ => Err(not_told("it does not know this capability in this version")),
    }
}

fn member<'a>(object: &'a JsonValue<'_>, wanted: &str) -> Option<&'a JsonValue<'a>> {
    let JsonValue::Object(members) = object else { return None };
    members.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// The tokens are not lost by it.
fn not_told(why: impl std::fmt::Display) -> ComponentError {
    let why =
        format!("the discovery service does not tell it: {why}; the access token is there all the same");
    ComponentError::refused("Office365ServiceEndpoint", why)
}
