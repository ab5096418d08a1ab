//! Any bytes as the profile of a provider, and a login and a refresh at whatever it describes.

use crate::watch::{NOW, is_one_line};
use oauth_core::{
    AuthorizationRequest, Client, ClientSecret, Flow as _, Input, OptOut, Output, Policy, Provider, Refresh,
    RefreshToken, Registration, Scope, Seed, ServerMemory,
};
use std::time::{Duration, Instant};
use url::Url;

const SECRET: &str = "the-secret-of-this-client";

/// Reads a profile, and the answer of its server behind a zero byte.
///
/// # Panics
/// A profile broke out of its place: a request to another host, a header that splits, a secret in a message.
pub fn run(input: &[u8]) {
    let begun = Instant::now();
    let end = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (profile, answer) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let provider = match Provider::from_json(profile) {
        Ok(provider) => provider,
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.chars().any(char::is_control) && shown.len() < 2000, "{shown:?}");
            return;
        }
    };
    let weak = provider.knobs().filter(|knob| knob.weakens.is_some()).count();
    assert!(weak <= provider.knobs().count());
    let variables: Vec<_> = provider.variables().into_iter().map(String::from).collect();
    let values: Vec<_> = variables.iter().map(|name| (&**name, "x1")).collect();
    let Ok(server) = provider.server(&values) else { return };
    let policy = Policy::strict().waive(OptOut::CredentialsInQuery);
    let registration = Registration::with_secret("c1", ClientSecret::new(SECRET));
    let Ok(client) = Client::new(server, registration, policy) else { return };
    let (memory, seed) = (ServerMemory::default(), || Seed::new([7; Seed::LENGTH]));
    let request =
        AuthorizationRequest::new("https://app.example/cb").with_scope(Scope::new("a:b c").expect("a scope"));
    if let Ok(mut flow) = client.authorize(&request, &memory, seed()) {
        let Output::Done(Ok(ready)) = flow.poll(NOW) else { panic!("nothing is needed to be ready") };
        let open = Url::parse(ready.open.as_str()).expect("a URL");
        assert!(open.scheme() == "https" && open.as_str().is_ascii());
        assert!(open.query_pairs().any(|(_, value)| value == ready.pending.state()), "{open}");
        assert!(
            open.query_pairs().any(|(name, _)| name == "code_challenge"
                || provider.knobs().any(|knob| knob.name == "parameters"))
        );
    }
    if let Ok(mut flow) =
        client.exchange(Refresh::new(RefreshToken::new("rt-that-was-sent")), &memory, seed())
    {
        let Output::Send(request) = flow.poll(NOW) else { panic!("the first output is the request") };
        assert_eq!(request.endpoint().url().scheme(), "https");
        assert!(request.one_shot());
        flow.handle(Input::Response(http::Response::new(answer.to_vec()).into()), NOW);
        match flow.poll(NOW) {
            Output::Done(Ok(tokens)) => assert!(!format!("{tokens:?}").contains("rt-that-was-sent")),
            Output::Done(Err(failure)) => {
                is_one_line(&failure);
                let shown = format!("{failure} {failure:?}");
                assert!(!shown.contains(SECRET) && !shown.contains("rt-that-was-sent"), "{shown}");
            }
            output => panic!("{output:?}"),
        }
    }
    assert!(input.len() > 65_536 || begun.elapsed() < Duration::from_secs(2), "slow");
}
