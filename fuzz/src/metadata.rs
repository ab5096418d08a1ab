//! Any bytes as the metadata of a server (RFC 8414, OpenID Connect Discovery) and of a resource (RFC 9728).

use crate::document::{self, Read};
use crate::watch::{NOW, Watch, one_answer, response};
use oauth_core::{
    Client, Discover, DiscoverResource, Flow, Input, Output, Policy, Registration, Resource, Server,
};
use url::Url;

const ISSUER: &str = "https://as.example/tenant";
const PLACES: &[&str] = &[
    "https://as.example/tenant/.well-known/openid-configuration",
    "https://as.example/.well-known/oauth-authorization-server/tenant",
];
const RESOURCE: &str = "https://api.example/v1";
const PLACE: &[&str] = &["https://api.example/.well-known/oauth-protected-resource/v1"];

/// Reads one answer. The first byte chooses the status, and whether it is a server's or a resource's.
///
/// # Panics
/// Metadata of another issuer was believed, or an endpoint that no credential may be sent to.
pub fn run(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let said = |name: &str| match document::json(body) {
        Read::Document(document) => document.text(name).map(String::from),
        Read::Neither => None,
        Read::CannotTell => Some(if name == "issuer" { ISSUER.into() } else { RESOURCE.into() }),
    };
    if choice / 16 % 2 == 0 {
        if let Some(server) = discover(*choice, body) {
            assert_eq!(said("issuer").as_deref(), Some(ISSUER));
            assert_eq!(server.issuer(), ISSUER);
            let endpoints = [
                server.authorization_endpoint(),
                server.token_endpoint(),
                server.device_authorization_endpoint(),
                server.userinfo_endpoint(),
                server.jwks_uri(),
                server.revocation_endpoint(),
                server.introspection_endpoint(),
                server.registration_endpoint(),
            ];
            endpoints.into_iter().flatten().for_each(is_safe);
            // What was read makes a client, or is refused with a reason.
            if let Err(error) = Client::new(server, Registration::public("c1"), Policy::strict()) {
                assert!(!error.to_string().chars().any(char::is_control));
            }
        }
        return;
    }
    let resource = Resource::new(RESOURCE).expect("a resource");
    let flow = DiscoverResource::new(resource, Policy::strict()).expect("it may be asked");
    let response = response(*choice, body);
    let success = response.status().is_success();
    if let Ok(metadata) = one_answer(flow, PLACE, response, &[]) {
        assert!(success, "believed at a bad status");
        assert_eq!(said("resource").as_deref(), Some(RESOURCE));
        metadata.authorization_servers.iter().map(String::as_str).for_each(is_safe);
        metadata.jwks_uri.iter().map(String::as_str).for_each(is_safe);
    }
}

/// The first place gives the answer, the second has nothing.
fn discover(choice: u8, body: &[u8]) -> Option<Server> {
    let mut flow = Discover::new(ISSUER, Policy::strict()).expect("it may be asked");
    let mut watch = Watch::new(2, PLACES);
    let mut answers = [response(choice, body), response(11, b"")].into_iter();
    loop {
        let output = flow.poll(NOW);
        watch.output(&output, NOW);
        match output {
            Output::Send(_) => {
                let input = Input::Response(answers.next().expect("two places").into());
                watch.input(&input);
                flow.handle(input, NOW);
            }
            Output::Done(result) => return result.ok(),
            output => panic!("{output:?}"),
        }
    }
}

fn is_safe(url: &str) {
    let url = Url::parse(url).expect("it was checked");
    assert_eq!((url.scheme(), url.username(), url.password()), ("https", "", None), "{url}");
    assert!(url.host().is_some() && url.fragment().is_none(), "{url}");
}
