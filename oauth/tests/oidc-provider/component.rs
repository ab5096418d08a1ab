//! The component against the same server.

use super::person;
use super::server::server;
use oauth::OAuth;
use oauth::component::{ClientProfile, GrantType};
use oauth::transport::{BrowserLaunch, EventHandler};
use std::path::Path;

/// A component that knows the server and its authority.
fn component(folder: &Path) -> OAuth {
    let authority = folder.join("ca.pem");
    std::fs::write(&authority, server().ca_pem()).unwrap();
    let oauth = OAuth::new();
    oauth.config(&format!("SSLCACertFilePaths={}", authority.display())).unwrap();
    let issuer = server().issuer();
    oauth.set_server_auth_url(format!("{issuer}/auth"));
    oauth.set_server_token_url(format!("{issuer}/token"));
    oauth
}

/// Opens what a browser would open, and asks for a token that outlives the login.
struct Person;

impl EventHandler for Person {
    fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {
        launch.command.clear();
        let url = launch.url.to_string();
        std::thread::spawn(move || person(&[&url]));
    }
}

fn asks_for_everything(oauth: &OAuth) {
    oauth.set_authorization_scope("openid offline_access");
    oauth.set_dangerously_unread_id_tokens(true);
    oauth.add_param("prompt", "consent");
}

fn param(oauth: &OAuth, wanted: &str) -> Option<String> {
    let index = (0..oauth.param_count()).find(|index| oauth.param_name(*index).unwrap() == wanted)?;
    Some(oauth.param_value(index).unwrap().as_str().to_owned())
}

#[test]
fn an_application_signs_a_person_in_and_renews() {
    let folder = tempfile::tempdir().unwrap();
    // A mobile app is told the address by the same event.
    for profile in [ClientProfile::Application, ClientProfile::Mobile] {
        let oauth = component(folder.path());
        oauth.set_client_profile(profile);
        oauth.set_client_id("native");
        oauth.set_return_url("http://127.0.0.1/callback");
        asks_for_everything(&oauth);
        oauth.set_event_handler(Person);
        let first = oauth.get_authorization().unwrap();
        assert_eq!(first.header_value(), format!("Bearer {}", oauth.access_token().expose()));
        assert_eq!(param(&oauth, "id_token").unwrap().split('.').count(), 3);
        let renewed = oauth.get_authorization().unwrap();
        assert_ne!(renewed.token(), first.token(), "nobody was asked");
    }
}

#[test]
fn a_program_in_a_browser_hands_in_the_address_that_it_came_back_to() {
    let folder = tempfile::tempdir().unwrap();
    let oauth = component(folder.path());
    oauth.set_client_profile(ClientProfile::Browser);
    oauth.set_client_id("native");
    oauth.set_return_url("http://127.0.0.1:9/callback");
    asks_for_everything(&oauth);
    let landing = person(&["--print", &oauth.get_authorization_url().unwrap()]);
    oauth.set_authorization_response(landing.trim_end());
    assert!(oauth.get_authorization().unwrap().refresh_token().is_some());
}

#[test]
fn a_web_site_finishes_what_another_process_began() {
    let folder = tempfile::tempdir().unwrap();
    let site = || {
        let oauth = component(folder.path());
        oauth.set_client_profile(ClientProfile::WebServer);
        oauth.set_client_id("site");
        oauth.set_client_secret("a secret for tests");
        oauth.set_return_url("https://site.example/callback");
        asks_for_everything(&oauth);
        oauth
    };
    let first = site();
    let landing = person(&["--print", &first.get_authorization_url().unwrap()]);
    let second = site();
    second.restore_pending(first.take_pending().unwrap().expose()).unwrap();
    second.set_authorization_response(landing.trim_end());
    assert!(second.get_authorization().unwrap().refresh_token().is_some());
}

#[test]
fn a_device_waits_until_the_person_approves() {
    let folder = tempfile::tempdir().unwrap();
    let oauth = component(folder.path());
    oauth.set_client_profile(ClientProfile::Device);
    oauth.set_client_id("native");
    oauth.set_server_auth_url(format!("{}/device/auth", server().issuer()));
    oauth.set_authorization_scope("openid");
    oauth.set_dangerously_unread_id_tokens(true);
    let page = oauth.get_authorization_url().unwrap();
    let code = oauth.config("DeviceUserCode").unwrap();
    assert!(page.contains(code.as_str()), "{page}");
    std::thread::scope(|scope| {
        let running = scope.spawn(|| oauth.get_authorization());
        person(&["--approve", &page]);
        running.join().unwrap().unwrap();
    });
}

#[test]
fn a_client_gets_in_with_its_secret_in_the_header_or_in_the_body() {
    let folder = tempfile::tempdir().unwrap();
    for (client_id, in_body) in [("basic", false), ("post", true)] {
        let oauth = component(folder.path());
        oauth.set_grant_type(GrantType::ClientCredentials);
        oauth.set_client_id(client_id);
        oauth.set_client_secret("a secret for tests");
        oauth.set_credentials_in_body(in_body);
        oauth.get_authorization().unwrap();
        oauth.set_client_secret("a guess");
        assert!(oauth.get_authorization().unwrap_err().to_string().contains("invalid_client"), "{client_id}");
    }
}

#[test]
fn a_service_signs_its_way_in() {
    let folder = tempfile::tempdir().unwrap();
    for (client_id, key) in
        [("service-RS256", super::server::RS256_KEY), ("service-ES256", super::server::ES256_KEY)]
    {
        let oauth = component(folder.path());
        oauth.set_client_profile(ClientProfile::Jwt);
        oauth.set_client_id(client_id);
        oauth.set_authorization_scope("jobs");
        let audience = format!("JWTAudience={}", server().issuer());
        let (subject, store) = (format!("JWTSubject={client_id}"), format!("JWTCertStore={key}"));
        for line in [&*audience, &*subject, "JWTCertStoreType=7", &*store, "JWTValidityTime=60"] {
            oauth.config(line).unwrap();
        }
        oauth.get_authorization().unwrap();
        assert_eq!(oauth.authorization_scope(), "jobs");
    }
}
