//! The core alone: no driver, no async, one blocking `TcpStream` for each request.
//!
//! `cargo run --example by_hand` signs in at a test server that it starts itself; a virtual browser plays the person.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

#[path = "support/http.rs"]
mod http_by_hand;

use oauth::core::{
    AuthorizationRequest, AuthorizationResponse, Client, Discover, Failure, Flow, Input, Mono, Now, OptOut,
    Output, Policy, Registration, Scope, Seed, ServerMemory, Unix,
};
use oauth::jwt::Keyring;
use std::error::Error;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let server = oauth_testserver::TestServer::start()?;
    let begun = Instant::now();

    // Where are the endpoints?
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let metadata = drive(Discover::new(server.issuer(), policy.clone())?, begun)?;
    let client = Client::new(metadata, Registration::public("demo"), policy)?;

    // Where does the person sign in?
    let memory = ServerMemory::default();
    let request =
        AuthorizationRequest::new("http://127.0.0.1/callback").with_scope(Scope::new("openid profile")?);
    let ready = drive(client.authorize(request, &memory, seed()?)?, begun)?;

    // The person signs in, and the browser comes back.
    let landing = oauth_testserver::Browser::new()
        .without_visiting_redirect_uri()
        .sign_in("ada", ready.open.as_str())?;
    let answer = url::Url::parse(&landing.url)?;
    let answer = AuthorizationResponse::Query(answer.query().unwrap_or_default());

    // The code becomes a token.
    let granted = drive(ready.pending.redeem(&answer, &client, &memory, seed()?), begun)?;
    println!("Bearer {}", granted.tokens.access_token.expose());
    Ok(())
}

/// The whole driver.
fn drive<F: Flow>(mut flow: F, begun: Instant) -> Result<F::Outcome, Failure> {
    loop {
        let input = match flow.poll(now(begun)) {
            Output::Send(request) => Input::from(http_by_hand::send(&request)),
            // It has no key of its own, and verifies by those of the server: the ID token is signed.
            Output::Key(task) => Keyring::new().answer(task),
            Output::Wait(until) => {
                std::thread::sleep(until.since(now(begun).mono));
                continue;
            }
            Output::Idle => return Err(Failure::idle()),
            Output::Done(result) => return result,
        };
        flow.handle(input, now(begun));
    }
}

fn now(begun: Instant) -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Now { mono: Mono::from_duration(begun.elapsed()), unix: Unix(unix.as_secs()) }
}

fn seed() -> io::Result<Seed> {
    let mut bytes = [0; Seed::LENGTH];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(Seed::new(bytes))
}
