//! Any bytes as what comes back from the browser, in any response mode, and as a login that was stored.

use crate::document::pairs;
use crate::watch::{NOW, Watch};
use oauth_core::{
    AuthorizationRequest, AuthorizationResponse, Client, Flow as _, OptOut, Output, Pending, Policy,
    Recognised, Registration, Seed, Server, ServerMemory,
};
use serde_json::Value;

const ISSUER: &str = "https://as.example";
const TOKEN: &[&str] = &["https://as.example/token"];
/// What stands for the state of the login in an input, which a fuzzer cannot guess.
const STATE: &str = "{state}";

/// Recognises and redeems one answer. The first byte chooses the mode, the grant and whether the server sends `iss`.
///
/// # Panics
/// An answer was redeemed that may not be, or another code than the one that came.
pub fn run(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else { return };
    if choice / 32 == 7 {
        return stored(text);
    }
    let (implicit, iss_due) = (choice / 4 % 2 == 1, choice / 8 % 2 == 1);
    let mut server = Server::new(ISSUER)
        .with_authorization_endpoint("https://as.example/authorize")
        .with_token_endpoint(TOKEN[0]);
    if iss_due {
        server = server.with_iss_in_responses();
    }
    let policy = Policy::strict().waive(OptOut::ImplicitGrant);
    let client = Client::new(server, Registration::public("c1"), policy).expect("a right setup");
    let request = AuthorizationRequest::new("http://127.0.0.1:9/cb");
    let request = if implicit { request.implicit() } else { request };
    let (memory, seed) = (ServerMemory::default(), || Seed::new([7; Seed::LENGTH]));
    let Output::Done(Ok(ready)) = client.authorize(&request, &memory, seed()).expect("a request").poll(NOW)
    else {
        panic!("nothing is needed to be ready");
    };
    let state = ready.pending.state().to_owned();
    let text = String::from_utf8_lossy(text).replace(STATE, &state);
    let response = match choice % 4 {
        0 | 1 => AuthorizationResponse::Query(&text),
        2 => AuthorizationResponse::Fragment(&text),
        _ => AuthorizationResponse::Form(text.as_bytes()),
    };

    let said = pairs(text.as_bytes());
    let values = |name: &str| -> Vec<&Value> {
        let named = said.iter().filter(|(own, _)| own == name).map(|(_, value)| value);
        named.filter(|value| value.as_str() != Some("")).collect()
    };
    let only = |name: &str| match *values(name).as_slice() {
        [Value::String(value)] => Some(value.as_str()),
        _ => None,
    };
    let ours = only("state") == Some(&*state);
    assert_eq!(ready.pending.recognise(&response) == Recognised::Ours, ours, "{text:?}");
    let iss = values("iss").is_empty() && !iss_due || only("iss") == Some(ISSUER);
    let clean = ours && iss && values("error").is_empty() && values("response").is_empty();

    let mut flow = ready.pending.redeem(&response, &client, &memory, seed());
    let mut watch = Watch::new(1, TOKEN);
    let output = flow.poll(NOW);
    watch.output(&output, NOW);
    match output {
        Output::Send(request) => {
            assert!(clean && !implicit, "redeemed: {text:?}");
            let sent = pairs(request.body());
            let code = sent.iter().find(|(name, _)| name == "code").and_then(|(_, code)| code.as_str());
            assert_eq!(code, only("code"), "another code");
        }
        Output::Done(Ok(granted)) => {
            assert!(clean && implicit && choice % 4 > 1, "taken: {text:?}");
            assert_eq!(Some(granted.tokens.access_token.expose()), only("access_token"));
        }
        Output::Done(Err(failure)) => {
            let shown = format!("{failure} {failure:?}");
            assert!(!shown.contains(&*state), "{shown}");
            // A short code may be a word of the sentence, and a longer one what another parameter says.
            let named =
                |code: &str| said.iter().filter(|(name, _)| name != "code").any(|pair| holds(pair, code));
            let code = only("code").filter(|code| code.len() >= 20 && !ISSUER.contains(code) && !named(code));
            assert!(code.is_none_or(|code| !shown.contains(code)), "{shown}");
            let twice = ["error_description", "error_uri"].into_iter().any(|name| values(name).len() > 1);
            assert!(implicit || !clean || twice || only("code").is_none(), "refused: {failure}");
        }
        output => panic!("{output:?}"),
    }
}

fn holds((name, value): &(String, Value), text: &str) -> bool {
    name.contains(text) || value.as_str().is_some_and(|value| value.contains(text))
}

fn stored(bytes: &[u8]) {
    match Pending::from_store(bytes, NOW.unix) {
        Ok(pending) => {
            let again = pending.to_store();
            let again = Pending::from_store(again.expose(), NOW.unix)
                .expect("what was read is written so that it is read");
            assert_eq!(again.state(), pending.state());
        }
        Err(error) => assert!(!error.to_string().chars().any(char::is_control)),
    }
}
