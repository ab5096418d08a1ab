//! A desktop program: listen, open the browser, wait, use the token.
//!
//! `cargo run --example sign_in` signs in at a test server that it starts itself; a virtual browser plays the person.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use oauth::core::{OptOut, Policy, Registration, Scope};
use oauth::{Authorizer, HyperHost, Settings, SignIn, Step};
use std::error::Error;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let server = oauth_testserver::TestServer::start()?;

    // A server on this machine, without TLS: two lines that a program with a real server does not have.
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let host = Arc::new(HyperHost::new(Settings::default())?);
    let authorizer =
        Authorizer::discover_with(server.issuer(), Registration::public("demo"), policy, host).await?;

    let sign_in = SignIn::new()
        .scope(Scope::new("openid profile offline_access")?)
        .application("the example")
        // A real program leaves this line out, and the system's browser opens.
        .browser(None)
        .on_step(|step| {
            if let Step::Open { url } = step {
                eprintln!("open {url}");
                let url = url.to_string();
                std::thread::spawn(move || oauth_testserver::Browser::new().sign_in("ada", &url));
            }
        });
    let authorization = authorizer.sign_in(sign_in).await?;
    println!("{}", authorization.header_value());

    // Later, when it has expired:
    if let Some(refresh_token) = authorization.refresh_token() {
        let renewed = authorizer.refresh(refresh_token.clone()).await?;
        println!("{}", renewed.header_value());
    }
    Ok(())
}
