//! A web server on many machines: one process sends the person away, another receives the answer.
//!
//! `cargo run --example web_server` runs both legs, the second in a process of its own. What goes between the two is what
//! a shared store would hold: the pending login as bytes, under its `state`. A test server and a virtual browser play the
//! rest.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use oauth::core::{
    AuthorizationRequest, AuthorizationResponse, ClientSecret, OptOut, Pending, Policy, Registration, Scope,
};
use oauth::{Authorizer, HyperHost, Settings, blocking};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const REDIRECT_URI: &str = "http://127.0.0.1:8080/signed-in";

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.as_slice() {
        [_, second, issuer, store, query] if second == "second-leg" => {
            second_leg(issuer, Path::new(store), query)
        }
        _ => first_leg(),
    }
}

fn first_leg() -> Result<(), Box<dyn Error>> {
    let server = oauth_testserver::TestServer::start()?;
    let store = tempfile::tempdir()?;

    // Somebody asks for a page that needs a login: send them away, and keep the pending login for whoever answers them.
    let request = AuthorizationRequest::new(REDIRECT_URI).with_scope(Scope::new("openid profile")?);
    let ready = authorizer(server.issuer())?.blocking().begin(request)?;
    fs::write(store.path().join(ready.pending.state()), ready.pending.to_store().expose())?;
    let location = ready.open.as_str();

    // The person signs in, and the browser is sent to whichever machine.
    let landing =
        oauth_testserver::Browser::new().without_visiting_redirect_uri().sign_in("ada", location)?;
    let query = url::Url::parse(&landing.url)?.query().unwrap_or_default().to_owned();
    let status = Command::new(example()?)
        .args(["second-leg", server.issuer()])
        .arg(store.path())
        .arg(query)
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("the second leg ended with {status}").into()) }
}

fn second_leg(issuer: &str, store: &Path, query: &str) -> Result<(), Box<dyn Error>> {
    let state = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state");
    let (_, state) = state.ok_or("the answer carries no state")?;
    if !state.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err("the answer's state is not one of ours".into());
    }
    // Taking it out of the store is one atomic step: a second answer finds nothing.
    let taken = store.join("taken");
    fs::rename(store.join(&*state), &taken)?;
    let pending = Pending::from_store(&fs::read(&taken)?, oauth::host::now().unix)?;
    let authorizer = authorizer(issuer)?;
    let authorization = authorizer.blocking().finish(pending, &AuthorizationResponse::Query(query))?;
    println!("{}", authorization.header_value());
    Ok(())
}

/// What every machine of the service has: the same configuration.
fn authorizer(issuer: &str) -> Result<Authorizer, Box<dyn Error>> {
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let registration = Registration::with_secret("demo-basic", ClientSecret::new("demo-basic-secret"));
    let host = Arc::new(HyperHost::new(Settings::default())?);
    Ok(blocking::discover(issuer, registration, policy, host)?)
}

/// This example's own executable, also when a test runs it.
pub(crate) fn example() -> Result<std::path::PathBuf, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    if own.file_stem().is_some_and(|name| name == "web_server") {
        return Ok(own);
    }
    let folder = own.parent().and_then(Path::parent).ok_or("the test is not where cargo puts tests")?;
    let example = folder.join("examples").join(format!("web_server{}", std::env::consts::EXE_SUFFIX));
    if example.exists() {
        Ok(example)
    } else {
        Err("build it first: cargo build -p oauth --example web_server".into())
    }
}
