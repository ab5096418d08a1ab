//! A login on another device, without async.
//!
//! `cargo run --example device` signs in at a test server that it starts itself; a virtual browser plays the person.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use oauth::core::{OptOut, Policy, Registration};
use oauth::{Authorizer, HyperHost, Settings, blocking};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let server = oauth_testserver::TestServer::builder().device_interval(Duration::from_secs(1)).start()?;

    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let host = Arc::new(HyperHost::new(Settings::default())?);
    let authorizer = blocking::discover(server.issuer(), Registration::public("demo"), policy, host)?;

    let authorization = authorizer.blocking().sign_in_on_device(None, |prompt| {
        println!("open {} and enter {}", prompt.verification_uri, prompt.user_code);
        let (page, code) = (prompt.verification_uri.to_string(), prompt.user_code.clone());
        std::thread::spawn(move || oauth_testserver::Browser::new().approve_device(&page, &code));
    })?;
    println!("{}", authorization.header_value());
    drop::<Authorizer>(authorizer);
    Ok(())
}
