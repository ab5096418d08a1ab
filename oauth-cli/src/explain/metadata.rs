//! `metadata`: of a server (RFC 8414, OpenID Connect Discovery), or of a protected resource (RFC 9728).

use super::case::{CASE, Case};
use super::client::{ISSUER, drive, now, once, policy, registration};
use super::http::Captured;
use super::kind::Kind;
use super::tokens::words;
use super::verdict::{Stop, Verdict};
use crate::exit::Exit;
use oauth::core::{
    AuthMethod, Client, ConfigError, Discover, DiscoverResource, Endpoint, Policy, Remedy, Resource, Server,
};
use serde_json::{Value, json};
use url::Url;

/// Where the metadata of resources is (RFC 9728 section 3).
const OF_RESOURCES: &str = "/.well-known/oauth-protected-resource";

pub(super) fn judge(case: &Case, captured: Captured, verdict: &mut Verdict) -> Result<(), Stop> {
    let policy = policy(case, verdict)?;
    let url = case.context.text("url")?;
    let of_resource =
        url.is_some_and(|url| Url::parse(url).is_ok_and(|url| url.path().starts_with(OF_RESOURCES)));
    match case.context.text("resource")? {
        Some(resource) => of_a_resource(case, captured, resource, policy, verdict),
        None if of_resource => {
            let resource = url.unwrap_or_default().replacen(OF_RESOURCES, "", 1);
            of_a_resource(case, captured, &resource, policy, verdict)
        }
        None => of_a_server(case, captured, url, policy, verdict),
    }
}

fn of_a_server(
    case: &Case,
    captured: Captured,
    url: Option<&str>,
    policy: Policy,
    verdict: &mut Verdict,
) -> Result<(), Stop> {
    let issuer = match (case.context.text("issuer")?, url.and_then(issuer_of)) {
        (Some(issuer), _) => issuer.to_owned(),
        (None, Some(issuer)) => issuer,
        (None, None) => {
            verdict.note(
                "RFC 8414 section 3.3",
                "The case does not say which issuer was asked: the one in the document was taken for it, unchecked.",
            );
            own_issuer(&captured).unwrap_or_else(|| ISSUER.to_owned())
        }
    };
    let registration = registration(&case.context)?;
    let flow = Discover::new(&*issuer, policy.clone()).map_err(|error| Stop::Url("issuer", error))?;
    let now = now(&case.context)?;
    let (mut places, mut found) = (Vec::new(), false);
    let result = drive(flow, now, |request| {
        let place = request.endpoint().url().as_str();
        places.push(json!({ "request": format!("{} {}", request.method(), request.endpoint()) }));
        // Before the place that the capture is of, there was nothing.
        found |= url.is_none_or(|url| url == place) || places.len() > 1;
        let nothing = Captured::new(404, &[], Vec::new());
        if found { captured.clone().input(&request) } else { nothing.input(&request) }
    });
    verdict.timeline = places;
    match result {
        Ok(server) => {
            fields(&server, verdict);
            // The next thing that a live flow does with it.
            match Client::new(server, registration, policy) {
                Ok(_client) => {}
                Err(error @ ConfigError::Parameter(_)) => verdict.refuse_as(
                    "rejected",
                    (
                        "RFC 6749 section 3.1",
                        "No parameter may come twice, and this one is the client's own.",
                    ),
                    format!("its authorization_endpoint may not be used: {error}"),
                    Remedy::ReportServer,
                    Exit::Network,
                ),
                Err(error) => return Err(error.into()),
            }
        }
        Err(failure) => verdict.refuse(failure, case.kind),
    }
    Ok(())
}

/// The issuer whose metadata is at this URL (RFC 8414 section 3.1, OpenID Connect Discovery section 4.1).
fn issuer_of(url: &str) -> Option<String> {
    const OPENID: &str = "/.well-known/openid-configuration";
    const OAUTH: &str = "/.well-known/oauth-authorization-server";
    match url.strip_suffix(OPENID) {
        Some(issuer) => Some(issuer.to_owned()),
        None => url.contains(OAUTH).then(|| url.replacen(OAUTH, "", 1)),
    }
}

/// Whom the document says that it is of: a guess at what was asked, which the flow then judges.
fn own_issuer(captured: &Captured) -> Option<String> {
    let body = &captured.parts()?.body;
    if body.len() > 64 << 10 {
        return None;
    }
    let document: Value = serde_json::from_slice(body).ok()?;
    document.get("issuer")?.as_str().map(str::to_owned)
}

fn fields(server: &Server, verdict: &mut Verdict) {
    verdict.field("issuer", server.issuer());
    for (name, url) in [
        ("authorization_endpoint", server.authorization_endpoint()),
        ("token_endpoint", server.token_endpoint()),
        ("device_authorization_endpoint", server.device_authorization_endpoint()),
        ("userinfo_endpoint", server.userinfo_endpoint()),
        ("jwks_uri", server.jwks_uri()),
        ("revocation_endpoint", server.revocation_endpoint()),
        ("introspection_endpoint", server.introspection_endpoint()),
        ("registration_endpoint", server.registration_endpoint()),
    ] {
        verdict.maybe(name, url);
    }
    let names =
        |methods: &[AuthMethod]| methods.iter().map(|method| method.as_str().to_owned()).collect::<Vec<_>>();
    for (name, methods) in [
        ("token_endpoint_auth_methods_supported", server.token_endpoint_auth_methods()),
        ("revocation_endpoint_auth_methods_supported", server.revocation_endpoint_auth_methods()),
        ("introspection_endpoint_auth_methods_supported", server.introspection_endpoint_auth_methods()),
    ] {
        verdict.maybe(name, methods.map(names));
    }
    let browser = server.authorization_endpoint().is_some();
    let flows: Vec<_> = [
        (browser && server.token_endpoint().is_some(), "a browser"),
        (
            server.device_authorization_endpoint().is_some() && server.token_endpoint().is_some(),
            "another device",
        ),
        (server.token_endpoint().is_some(), "the client itself"),
    ]
    .into_iter()
    .filter_map(|(possible, by)| possible.then_some(by))
    .collect();
    let text = match flows.as_slice() {
        [] => "No token endpoint: this client can obtain no token here.".to_owned(),
        flows => format!("With these endpoints, tokens can be had by {}.", flows.join(", ")),
    };
    verdict.note("RFC 8414 section 2", text);
}

fn of_a_resource(
    case: &Case,
    captured: Captured,
    resource: &str,
    policy: Policy,
    verdict: &mut Verdict,
) -> Result<(), Stop> {
    let asked = Resource::new(resource)
        .map_err(|error| Stop::Broken(super::context::Broken(format!("context.resource: {error}"))))?;
    let flow = match case.context.text("url")? {
        Some(url) => Endpoint::new(url, &policy).and_then(|url| DiscoverResource::at(url, asked, policy)),
        None => DiscoverResource::new(asked, policy),
    };
    let flow = flow.map_err(|error| Stop::Url("resource", error))?;
    match drive(flow, now(&case.context)?, once(captured)) {
        Ok(metadata) => {
            verdict.field("resource", metadata.resource.as_str());
            verdict.field("authorization_servers", metadata.authorization_servers);
            verdict.maybe("scopes_supported", metadata.scopes_supported.as_ref().map(words));
            let methods = metadata.bearer_methods_supported;
            verdict.maybe(
                "bearer_methods_supported",
                methods.map(|methods| {
                    methods.iter().map(|method| method.as_str().to_owned()).collect::<Vec<_>>()
                }),
            );
            verdict.maybe("resource_name", metadata.resource_name);
            verdict.maybe("jwks_uri", metadata.jwks_uri);
            for (name, flag) in [
                (
                    "tls_client_certificate_bound_access_tokens",
                    metadata.tls_client_certificate_bound_access_tokens,
                ),
                ("dpop_bound_access_tokens_required", metadata.dpop_bound_access_tokens_required),
            ] {
                verdict.maybe(name, flag.then_some(true));
            }
            super::endpoints::extra(
                metadata.extra.iter().map(|(name, value)| (name.as_str(), value)),
                verdict,
            );
        }
        Err(failure) => {
            verdict.refuse(failure, Kind::Metadata);
            verdict.note(CASE, format!("Read as the metadata of the protected resource {resource}."));
        }
    }
    Ok(())
}
