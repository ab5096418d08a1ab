//! Any bytes as the answer of an introspection, a revocation and a token info endpoint.

use crate::document::{self, Read};
use crate::watch::{one_answer, response};
use oauth_core::{
    AccessToken, Client, ClientSecret, Introspection, IntrospectionRequest, OptOut, Policy, Registration,
    Revocable, Seed, Server, ServerMemory,
};
use serde_json::Value;

const TOKEN: &str = "the-token-that-is-asked-about";
const SECRET: &str = "the-secret-of-this-client";

/// Reads one answer. The first byte chooses the status and the endpoint.
///
/// # Panics
/// A token was taken for a good one that the server did not call so.
pub fn run(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let server = Server::new("https://as.example")
        .with_introspection_endpoint("https://as.example/introspect")
        .with_revocation_endpoint("https://as.example/revoke")
        .with_token_info_endpoint("https://as.example/info");
    let registration = Registration::with_secret("c1", ClientSecret::new(SECRET));
    let client = Client::new(server, registration, Policy::strict().waive(OptOut::TokenInQuery))
        .expect("a right setup");
    let (memory, seed) = (ServerMemory::default(), Seed::new([7; Seed::LENGTH]));
    let token = AccessToken::new(TOKEN);
    let response = response(*choice, body);
    let success = response.status().is_success();
    let sent = [TOKEN, SECRET];
    let document = match document::json(body) {
        Read::Document(document) => Some(document),
        Read::Neither => None,
        Read::CannotTell => return,
    };
    let first = |name: &str| document.as_ref().and_then(|document| document.first(name));
    match choice / 16 % 3 {
        0 => {
            let flow =
                client.introspect(IntrospectionRequest::access(token), &memory, seed).expect("an endpoint");
            if let Ok(told) = one_answer(flow, &["https://as.example/introspect"], response, &sent) {
                let active = matches!(told, Introspection::Active(_));
                assert!(success, "believed at a bad status");
                assert_eq!(first("active"), Some(&Value::Bool(active)));
                if let Introspection::Active(told) = told {
                    assert_eq!(
                        told.sub.as_deref(),
                        first("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty())
                    );
                    assert!(told.exp.is_some() || first("exp").is_none(), "an end that was overlooked");
                }
            }
        }
        1 => {
            let flow = client.revoke(Revocable::Access(token), &memory, seed).expect("an endpoint");
            let revoked = one_answer(flow, &["https://as.example/revoke"], response, &sent).is_ok();
            assert_eq!(revoked, success, "RFC 7009 section 2.2: the status says it all");
        }
        _ => {
            let flow = client.token_info(token).expect("an endpoint");
            let endpoint = &["https://as.example/info?access_token=the-token-that-is-asked-about"];
            if one_answer(flow, endpoint, response, &[TOKEN]).is_ok() {
                assert!(success, "believed at a bad status");
                let audience = ["aud", "audience"]
                    .into_iter()
                    .filter_map(first)
                    .find_map(|aud| aud.as_str().filter(|aud| !aud.is_empty()));
                assert_eq!(audience, Some("c1"), "a token of another program");
            }
        }
    }
}
