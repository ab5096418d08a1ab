//! The metadata (RFC 8414, OpenID Connect Discovery, RFC 9207) and the keys.

use crate::assertion::JWT_BEARER;
use crate::faults::{Endpoint, Fault};
use crate::http::{Request, Response};
use crate::json::Object;
use crate::pages;
use crate::server::Server;
use crate::token::DEVICE_CODE;

/// Answers the same at both well-known addresses.
pub(crate) fn metadata(server: &Server, request: &Request) -> Response {
    if request.method != "GET" {
        return Response::method_not_allowed("GET");
    }
    let settings = &server.settings;
    if !settings.openid && request.path.ends_with("openid-configuration") {
        return pages::message(404, "Nothing here", "This demo server does not speak OpenID Connect.");
    }
    let at = |path: &str| format!("{}{path}", server.issuer);
    let issuer = match server.fault_in_answer(Endpoint::Metadata) {
        Some(Fault::IssuerMismatch) => at("/"),
        _ => server.issuer.clone(),
    };
    let methods = ["none", "client_secret_basic", "client_secret_post"];
    let mut json = Object::new()
        .string("issuer", &issuer)
        .string("authorization_endpoint", &at("/authorize"))
        .string("token_endpoint", &at("/token"))
        .string("device_authorization_endpoint", &at("/device_authorization"))
        .string("jwks_uri", &at("/jwks"))
        .strings("scopes_supported", &settings.scopes)
        .strings("response_types_supported", &["code"])
        .strings("response_modes_supported", &["query", "fragment", "form_post"])
        .strings(
            "grant_types_supported",
            &["authorization_code", "refresh_token", "client_credentials", DEVICE_CODE, JWT_BEARER],
        )
        .strings("token_endpoint_auth_methods_supported", &methods)
        .strings("code_challenge_methods_supported", &["S256"])
        .boolean("authorization_response_iss_parameter_supported", settings.issuer_parameter);
    if settings.openid {
        json = json
            .string("userinfo_endpoint", &at("/userinfo"))
            .strings("subject_types_supported", &["public"])
            .strings("id_token_signing_alg_values_supported", &["EdDSA"])
            .strings(
                "claims_supported",
                &["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "name", "email"],
            )
            .boolean("claims_parameter_supported", false)
            .boolean("request_parameter_supported", false)
            .boolean("request_uri_parameter_supported", false);
    }
    Response::json(200, json.finish())
}

/// Answers with the public half of the signing key (RFC 7517).
pub(crate) fn jwks(server: &Server, request: &Request) -> Response {
    if request.method != "GET" {
        return Response::method_not_allowed("GET");
    }
    Response::json(200, server.key.jwks())
}
