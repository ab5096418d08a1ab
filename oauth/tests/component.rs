#![allow(
    missing_docs,
    unreachable_pub,
    reason = "tests name what they check, and their modules are seen by nobody else"
)]
//! The component, against the test server.

#[path = "component/authority.rs"]
mod authority;
#[path = "component/cookies.rs"]
mod cookies;
#[path = "component/coverage.rs"]
mod coverage;
#[path = "component/events.rs"]
mod events;
#[path = "component/handshake.rs"]
mod handshake;
#[path = "component/http2.rs"]
mod http2;
#[path = "component/legs.rs"]
mod legs;
#[path = "component/meanwhile.rs"]
mod meanwhile;
#[path = "component/network.rs"]
mod network;
#[path = "component/profiles.rs"]
mod profiles;
#[path = "component/properties.rs"]
mod properties;
#[path = "component/proxy_auth.rs"]
mod proxy_auth;
#[path = "component/rows.rs"]
mod rows;
#[path = "component/services.rs"]
mod services;
#[path = "component/settings.rs"]
mod settings;
#[path = "component/sockets.rs"]
mod sockets;
#[path = "component/tls.rs"]
mod tls;
#[path = "component/transcript.rs"]
mod transcript;
#[path = "component/way.rs"]
mod way;
#[path = "component/web_server.rs"]
mod web_server;
#[path = "component/wire.rs"]
mod wire;
#[path = "component/witness.rs"]
mod witness;

use oauth::OAuth;
use oauth::component::{ClientProfile, ConfigSetting, GrantType, ITEMS, ItemKind};
use oauth_testserver::TestServer;
use std::collections::BTreeSet;

/// Every name of the original, as this project's data.
const NAMES: &str = include_str!("component/names.txt");

#[test]
fn each_of_the_204_names_is_here_and_no_other() {
    let original: BTreeSet<_> = NAMES.lines().map(str::to_owned).collect();
    assert_eq!(original.len(), 204);
    let settings = ConfigSetting::all().map(|setting| {
        let index = if setting.is_indexed() { "[i]" } else { "" };
        format!("setting {}{index}", setting.name())
    });
    let items = ITEMS.iter().map(|item| {
        let kind = match item.kind {
            ItemKind::Property => "property",
            ItemKind::Method => "method",
            ItemKind::Event => "event",
            ItemKind::Profile => "profile",
            ItemKind::Grant => "grant",
            other => panic!("{other:?}"),
        };
        format!("{kind} {}", item.name)
    });
    let ours: BTreeSet<_> = settings.chain(items).collect();
    assert_eq!(ours.symmetric_difference(&original).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// A component that knows the test server.
fn component(server: &TestServer) -> OAuth {
    let oauth = OAuth::new();
    oauth.set_dangerously_plain_http_on_loopback(true);
    let issuer = server.issuer();
    oauth.set_server_auth_url(format!("{issuer}/authorize"));
    oauth.set_server_token_url(format!("{issuer}/token"));
    oauth
}

#[test]
fn client_credentials() {
    let server = TestServer::start().unwrap();
    let oauth = component(&server);
    oauth.set_client_id("demo-basic");
    oauth.set_client_secret("demo-basic-secret");
    oauth.set_grant_type(GrantType::ClientCredentials);
    let authorization = oauth.get_authorization().unwrap();
    assert!(authorization.header_value().starts_with("Bearer "));
    assert_eq!(oauth.access_token().expose(), authorization.token());
    assert_eq!(oauth.config("AuthorizationTokenType").unwrap().as_str(), "Bearer");
    assert_eq!(oauth.config("statusline").unwrap().as_str(), "HTTP/1.1 200 OK");
    assert!(oauth.param_count() >= 2);
    assert!(oauth.idle());
}

#[test]
fn an_application_signs_a_person_in() {
    let server = TestServer::start().unwrap();
    let oauth = component(&server);
    oauth.set_client_id("demo");
    oauth.set_client_profile(ClientProfile::Mobile);
    oauth.set_return_url("http://127.0.0.1/callback");
    let result = std::thread::scope(|scope| {
        let running = scope.spawn(|| oauth.get_authorization());
        let url = loop {
            let url = oauth.config("AuthorizationURL").unwrap();
            if !url.as_str().is_empty() {
                break url.as_str().to_owned();
            }
            assert!(!running.is_finished(), "{:?}", running.join());
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        let landing = oauth_testserver::Browser::new().sign_in("ada", &url).unwrap();
        let result = running.join().unwrap();
        assert!(landing.body.contains("You are signed in"), "{result:?} {}", landing.body);
        result
    });
    assert!(result.unwrap().header_value().starts_with("Bearer "));
}
