//! The component in a desktop program: it opens the browser, waits for it, and gives the string for the `Authorization` header.
//!
//! `cargo run --example component_application --features component` signs in at a test server that it starts itself; a virtual
//! browser plays the person.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use oauth::OAuth;
use oauth::transport::{BrowserLaunch, EventHandler};
use std::error::Error;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let server = oauth_testserver::TestServer::start()?;
    println!("{}", authorize(server.issuer())?);
    Ok(())
}

/// The part that a program would copy.
fn authorize(issuer: &str) -> Result<String, Box<dyn Error>> {
    let component = OAuth::new();
    component.set_client_id("demo-basic");
    component.set_client_secret("demo-basic-secret");
    component.set_server_auth_url(format!("{issuer}/authorize"));
    component.set_server_token_url(format!("{issuer}/token"));
    // A server on this machine, without TLS, and a person who is none: a real program leaves these lines out, and the system's
    // browser opens.
    component.set_dangerously_plain_http_on_loopback(true);
    component.set_event_handler(Person);
    let authorization = component.get_authorization()?;
    Ok(authorization.header_value().to_owned())
}

/// Signs in where the system's browser would have been opened.
struct Person;

impl EventHandler for Person {
    fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {
        launch.command.clear();
        let url = launch.url.to_string();
        std::thread::spawn(move || oauth_testserver::Browser::new().sign_in("ada", &url));
    }
}
