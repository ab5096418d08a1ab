//! From a protected resource to its metadata, and to the servers that issue tokens for it (RFC 9728).
//!
//! ```text
//! GET {origin}/.well-known/oauth-protected-resource{path}   section 3.1, or the URL that a challenge named (section 5.1)
//! ```

use crate::failure::{Error, Failure, Malformed, Rejected};
use crate::flow::{Flow, Input, Output};
use crate::json::Value;
use crate::memory::Learned;
use crate::once::{Once, Reply};
use crate::policy::Policy;
use crate::registry::BearerMethod;
use crate::request::{Endpoint, EndpointError, Purpose, Request, Response};
use crate::resource::Resource;
use crate::scope::Scope;
use crate::text::{escaped, printable};
use crate::time::Now;
use crate::token::Scrub;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What a protected resource says of itself (RFC 9728 section 2).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ResourceMetadata {
    /// Its identifier: what to name to the server as [`Resource`] when a token for it is requested.
    pub resource: Resource,
    /// The issuers whose tokens it takes, for [`Discover`](crate::Discover); empty when it does not say.
    ///
    /// Whoever runs the resource chose them: whether a person should sign in there is for the program to decide.
    pub authorization_servers: Vec<String>,
    /// The scope values that it knows, not all of which a client needs.
    pub scopes_supported: Option<Scope>,
    /// How it takes tokens; `None` when it does not say.
    pub bearer_methods_supported: Option<Vec<BearerMethod>>,
    /// Its name for people: printable characters only.
    pub resource_name: Option<String>,
    /// Where its public keys are.
    pub jwks_uri: Option<String>,
    /// Whether it takes no tokens but those bound to a client's certificate (RFC 8705).
    pub tls_client_certificate_bound_access_tokens: bool,
    /// Whether it takes no tokens but those bound to a client's key (RFC 9449).
    pub dpop_bound_access_tokens_required: bool,
    /// Every other member as it came.
    pub extra: Vec<(String, Value<'static>)>,
}

/// Fetches and checks the metadata of a protected resource: `Flow<Outcome = ResourceMetadata>`.
///
/// The resource in the metadata must be the one asked about, character by character, before anything else of it is used
/// (RFC 9728 section 3.3).
#[derive(Debug)]
pub struct DiscoverResource {
    resource: Resource,
    policy: Policy,
    once: Once<ResourceMetadata>,
}

impl DiscoverResource {
    /// Asks at the place that the resource's identifier leads to.
    ///
    /// # Errors
    /// The resource is not a URL that may be asked: the setup is at fault. It must be `https` (RFC 9728 section 1.2).
    pub fn new(resource: Resource, policy: Policy) -> Result<Self, EndpointError> {
        let mut url = Endpoint::new(resource.as_str(), &policy)?.url().clone();
        // RFC 9728 section 3.1: between host and path, and a path of a slash alone is taken off.
        let path = alloc::format!(
            "/.well-known/oauth-protected-resource{}",
            if url.path() == "/" { "" } else { url.path() }
        );
        url.set_path(&path);
        let place = Endpoint::new(url.as_str(), &policy)?;
        Ok(Self::asking(resource, policy, place))
    }

    /// Asks at the URL that the resource named in its challenge as `resource_metadata` (RFC 9728 section 5.1):
    /// the one that
    /// [`NextAction::ResourceMetadata`](crate::NextAction::ResourceMetadata) hands over.
    ///
    /// `resource` is the URL that the challenged request went to.
    ///
    /// # Errors
    /// The resource is not a URL that may be asked, or of another origin than its metadata: a resource that is not what it says
    /// could have this machine send requests anywhere (RFC 9728 section 7.7).
    pub fn at(metadata: Endpoint, resource: Resource, policy: Policy) -> Result<Self, EndpointError> {
        if metadata.url().origin() != Endpoint::new(resource.as_str(), &policy)?.url().origin() {
            return Err(EndpointError::Origin);
        }
        Ok(Self::asking(resource, policy, metadata))
    }

    fn asking(resource: Resource, policy: Policy, place: Endpoint) -> Self {
        let request = Request::get(Purpose::Discovery, Arc::new(place));
        Self { resource, policy, once: Once::plain(request) }
    }
}

fn read(
    resource: &Resource,
    policy: &Policy,
    response: &Response,
    now: Now,
) -> Result<ResourceMetadata, Failure> {
    let mut reply = Reply::read(response.body());
    reply.check(response, now, &Scrub::nothing())?;
    metadata(reply, resource, policy).map_err(|error| Failure::from(error).with_status(response.status()))
}

fn metadata(mut reply: Reply<'_>, resource: &Resource, policy: &Policy) -> Result<ResourceMetadata, Error> {
    // RFC 9728 section 3.3: identical, before anything else of the metadata is used. No normalisation: code points.
    let said = reply.text("resource")?.ok_or(Error::Malformed(Malformed::Missing("resource")))?;
    if said != resource.as_str() {
        let (expected, received) = (printable(resource.as_str(), 200), printable(&escaped(&said), 200));
        return Err(Error::Rejected(Rejected::Resource { expected, received }));
    }
    let check = |member, url: &String| match Endpoint::new(url, policy) {
        // RFC 8414 section 2: an issuer has no query.
        Ok(endpoint) if member == "authorization_servers" && endpoint.url().query().is_some() => {
            Err(Error::Rejected(Rejected::Endpoint { member, why: EndpointError::Query }))
        }
        Ok(_) => Ok(()),
        Err(why) => Err(Error::Rejected(Rejected::Endpoint { member, why })),
    };
    let authorization_servers = texts(&mut reply, "authorization_servers")?.unwrap_or_default();
    authorization_servers.iter().try_for_each(|issuer| check("authorization_servers", issuer))?;
    let jwks_uri = reply.text("jwks_uri")?;
    jwks_uri.iter().try_for_each(|url| check("jwks_uri", url))?;
    let scopes = texts(&mut reply, "scopes_supported")?;
    let methods = texts(&mut reply, "bearer_methods_supported")?;
    Ok(ResourceMetadata {
        resource: resource.clone(),
        authorization_servers,
        scopes_supported: scopes.and_then(|scopes| Scope::new(&scopes.join(" ")).ok()),
        bearer_methods_supported: methods
            .map(|methods| methods.iter().map(|method| BearerMethod::from_text(method)).collect()),
        resource_name: reply.text("resource_name")?.map(|name| printable(&name, 200)),
        jwks_uri,
        tls_client_certificate_bound_access_tokens: flag(
            &mut reply,
            "tls_client_certificate_bound_access_tokens",
        )?,
        dpop_bound_access_tokens_required: flag(&mut reply, "dpop_bound_access_tokens_required")?,
        extra: reply.rest().collect(),
    })
}

fn texts(reply: &mut Reply<'_>, member: &'static str) -> Result<Option<Vec<String>>, Error> {
    let Some(value) = reply.take(member) else { return Ok(None) };
    let invalid = || Error::Malformed(Malformed::Invalid(member));
    let Value::Array(values) = value else { return Err(invalid()) };
    let texts = values.into_iter().map(|value| value.into_string().map(Cow::into_owned).ok_or_else(invalid));
    texts.collect::<Result<_, _>>().map(Some)
}

fn flag(reply: &mut Reply<'_>, member: &'static str) -> Result<bool, Error> {
    match reply.take(member) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(value),
        Some(_) => Err(Error::Malformed(Malformed::Invalid(member))),
    }
}

impl Flow for DiscoverResource {
    type Outcome = ResourceMetadata;

    fn poll(&mut self, _: Now) -> Output<ResourceMetadata> {
        self.once.poll_plain()
    }

    fn handle(&mut self, input: Input, now: Now) {
        let (resource, policy) = (&self.resource, &self.policy);
        self.once.handle(input, now, |_, response| read(resource, policy, response, now));
    }

    fn take_learned(&mut self) -> Learned {
        self.once.take_learned()
    }
}
