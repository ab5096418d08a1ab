//! The protected resource: who the person is (OpenID Connect Core section 5.3), for a bearer token in the header.

use crate::http::{Request, Response};
use crate::json::Object;
use crate::scope;
use crate::server::Server;

/// Answers with the claims that the token's scope opens.
pub(crate) fn userinfo(server: &Server, request: &Request) -> Response {
    if !matches!(request.method.as_str(), "GET" | "POST") {
        return Response::method_not_allowed("GET, POST");
    }
    // RFC 9700 section 4.3.2: access tokens are not taken from addresses, nor here from bodies
    let elsewhere = [request.query(), request.form()]
        .iter()
        .flatten()
        .any(|form| form.names().any(|name| name == "access_token"));
    if elsewhere {
        return challenge(
            400,
            Some(("invalid_request", "The access token goes into the Authorization header.")),
        );
    }
    let Some(authorization) = request.header("authorization") else {
        // RFC 6750 section 3.1: without any authentication, no error code either
        return challenge(401, None);
    };
    let token = authorization
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = token else {
        return challenge(401, None);
    };
    let now = server.clock.now();
    let state = server.state();
    let Some(found) = state.access_tokens.get(token).filter(|found| found.expires > now) else {
        return challenge(401, Some(("invalid_token", "The access token is unknown, expired or revoked.")));
    };
    let scope = &found.grant.scope;
    let person =
        found.grant.person.filter(|_| scope::has(scope, "openid")).map(|person| &server.people[person]);
    let Some(person) = person else {
        return challenge(403, Some(("insufficient_scope", "The access token has no openid scope.")));
    };
    let mut claims = Object::new().string("sub", &person.sub());
    if scope::has(scope, "profile") {
        claims = claims.string("name", &person.name).string("preferred_username", &person.username);
    }
    if scope::has(scope, "email") {
        claims = claims.string("email", &person.email()).boolean("email_verified", true);
    }
    Response::json(200, claims.finish())
}

/// RFC 6750 section 3.
fn challenge(status: u16, error: Option<(&str, &str)>) -> Response {
    let mut value = "Bearer realm=\"demo\"".to_owned();
    let mut json = Object::new();
    if let Some((error, description)) = error {
        value.push_str(&format!(", error=\"{error}\", error_description=\"{description}\""));
        json = json.string("error", error).string("error_description", description);
        if error == "insufficient_scope" {
            value.push_str(", scope=\"openid\"");
        }
    }
    Response::json(status, json.finish()).header("WWW-Authenticate", value)
}
