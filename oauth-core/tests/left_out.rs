#![allow(missing_docs, reason = "tests name what they check")]
//! Requests that leave something out: the challenge, S256, the redirect URI, the client. Each only as far as the policy or the
//! RFC says so.

use oauth_core::{
    AuthorizationCode, AuthorizationRequest, AuthorizationResponse, Client, ClientCredentials, CodeChallenge,
    ConfigError, Flow as _, Mono, Now, OptOut, Output, Pending, PendingError, Policy, Ready, Registration,
    Saml2Bearer, SecretBytes, Seed, Server, ServerMemory, Unix,
};

fn now() -> Now {
    Now { mono: Mono::from_duration(core::time::Duration::ZERO), unix: Unix(1_700_000_000) }
}

fn client(policy: Policy) -> Client {
    let server = Server::new("https://as.example")
        .with_authorization_endpoint("https://as.example/authorize")
        .with_token_endpoint("https://as.example/token");
    Client::new(server, Registration::public("c1"), policy).unwrap()
}

fn seed() -> Seed {
    Seed::new([7; Seed::LENGTH])
}

fn begin(client: &Client, request: AuthorizationRequest) -> Result<Ready, ConfigError> {
    match client.authorize(request, &ServerMemory::default(), seed())?.poll(now()) {
        Output::Done(Ok(ready)) => Ok(ready),
        output => panic!("{output:?}"),
    }
}

/// The form of the token request, after a night in a store.
fn redeemed(client: &Client, pending: &Pending) -> String {
    let pending = Pending::from_store(pending.to_store().expose(), now().unix).unwrap();
    let answer = format!("code=ac1&state={}", pending.state());
    let mut flow =
        pending.redeem(&AuthorizationResponse::Query(&answer), client, &ServerMemory::default(), seed());
    match flow.poll(now()) {
        Output::Send(request) => String::from_utf8(request.body().to_vec()).unwrap(),
        output => panic!("{output:?}"),
    }
}

fn parameter(text: &str, name: &str) -> Option<String> {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    let mut found = url::form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    let value = found.next().map(|(_, value)| value.into_owned());
    assert!(found.next().is_none(), "{name} comes twice");
    value
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest::new("http://127.0.0.1:9/cb")
}

#[test]
fn rfc7636_4_2_a_plain_challenge_is_the_verifier_and_a_rule_to_waive() {
    let plain = || request().with_code_challenge(CodeChallenge::Plain);
    let refused = begin(&client(Policy::strict()), plain()).unwrap_err();
    assert_eq!(refused, ConfigError::NotWaived(OptOut::PlainCodeChallenge));

    let client = client(Policy::strict().waive(OptOut::PlainCodeChallenge));
    let told = client.authorize(plain(), &ServerMemory::default(), seed()).unwrap().waived();
    assert_eq!(told, Some(OptOut::PlainCodeChallenge));
    let ready = begin(&client, plain()).unwrap();
    let url = ready.open.as_str();
    assert_eq!(parameter(url, "code_challenge_method").as_deref(), Some("plain"));
    assert!(ready.pending.has_code_challenge());
    assert_eq!(
        parameter(&redeemed(&client, &ready.pending), "code_verifier"),
        parameter(url, "code_challenge")
    );
}

#[test]
fn rfc9700_2_1_1_a_login_without_a_challenge_is_a_rule_to_waive_and_its_code_is_not_taken_alone() {
    let bare = || request().with_code_challenge(CodeChallenge::None);
    let refused = begin(&client(Policy::strict()), bare()).unwrap_err();
    assert_eq!(refused, ConfigError::NotWaived(OptOut::NoCodeChallenge));

    let client = client(Policy::strict().waive(OptOut::NoCodeChallenge));
    let told = client.authorize(bare(), &ServerMemory::default(), seed()).unwrap().waived();
    assert_eq!(told, Some(OptOut::NoCodeChallenge));
    let ready = begin(&client, bare()).unwrap();
    assert!(!ready.open.as_str().contains("code_challenge"), "{}", ready.open);
    let form = redeemed(&client, &ready.pending);
    assert_eq!(parameter(&form, "code").as_deref(), Some("ac1"));
    assert_eq!(parameter(&form, "code_verifier"), None);
    // RFC 9700 section 4.7.1: only PKCE stands in for a `state` that did not come along.
    assert!(!ready.pending.has_code_challenge());
    let mut alone =
        ready.pending.redeem_code(AuthorizationCode::new("ac1"), &client, &ServerMemory::default(), seed());
    assert!(matches!(alone.poll(now()), Output::Done(Err(_))));
}

#[test]
fn rfc6749_3_1_2_3_a_redirect_uri_may_be_left_to_the_server() {
    let client = client(Policy::strict());
    let ready = begin(&client, AuthorizationRequest::without_redirect_uri()).unwrap();
    assert_eq!(parameter(ready.open.as_str(), "redirect_uri"), None);
    // RFC 6749 section 4.1.3: then it is not in the token request either.
    let form = redeemed(&client, &ready.pending);
    assert_eq!(parameter(&form, "redirect_uri"), None);
    assert!(parameter(&form, "code_verifier").is_some());
}

#[test]
fn rfc6749_3_1_an_empty_redirect_uri_is_a_rule_to_waive() {
    let refused =
        begin(&client(Policy::strict()), AuthorizationRequest::with_empty_redirect_uri()).unwrap_err();
    assert_eq!(refused, ConfigError::NotWaived(OptOut::EmptyRedirectUri));
    let client = client(Policy::strict().waive(OptOut::EmptyRedirectUri));
    let ready = begin(&client, AuthorizationRequest::with_empty_redirect_uri()).unwrap();
    assert_eq!(parameter(ready.open.as_str(), "redirect_uri").as_deref(), Some(""));
    assert_eq!(parameter(&redeemed(&client, &ready.pending), "redirect_uri").as_deref(), Some(""));
}

#[test]
fn another_address_is_taken_where_it_carries_the_state_once() {
    let client = client(Policy::strict());
    let ready = begin(&client, request()).unwrap();
    let made = ready.open.as_str();
    let more = format!("{made}&prompt=login");
    assert_eq!(ready.pending.open_at(&more, &Policy::strict()).unwrap().as_str(), more);
    let state = ready.pending.state();
    for wrong in [
        "https://as.example/authorize".to_owned(),
        made.replace(state, "another"),
        format!("{made}&state={state}"),
        format!("https://as.example/authorize#state={state}"),
        format!("http://as.example/authorize?state={state}"),
        format!("javascript:alert(1)?state={state}"),
    ] {
        assert!(ready.pending.open_at(&wrong, &Policy::strict()).is_err(), "{wrong}");
    }
    assert_eq!(
        ready.pending.open_at("https://as.example/authorize?state=", &Policy::strict()),
        Err(ConfigError::StateNotCarried)
    );
}

#[test]
fn a_stored_login_whose_redirect_uri_or_verifier_was_cut_is_damaged() {
    let client = client(Policy::strict());
    let stored = begin(&client, request()).unwrap().pending.to_store();
    let text = String::from_utf8(stored.expose().to_vec()).unwrap();
    let (before, after) = text.split_once("&verifier=").unwrap();
    let cut = format!("{before}&verifier={}", &after[1..]);
    assert_eq!(Pending::from_store(cut.as_bytes(), now().unix).unwrap_err(), PendingError::Damaged);
}

/// RFC 7521 section 4.1: `client_id` is optional, for the assertion says who asks.
#[test]
fn rfc7521_4_1_an_assertion_is_sent_by_nobody_and_nothing_else_is() {
    let server = Server::new("https://as.example")
        .with_authorization_endpoint("https://as.example/authorize")
        .with_device_authorization_endpoint("https://as.example/device")
        .with_token_endpoint("https://as.example/token");
    let client = Client::new(server.clone(), Registration::unnamed(), Policy::strict()).unwrap();
    let memory = ServerMemory::default();
    let saml = Saml2Bearer::new(&SecretBytes::new(&b"<Assertion/>"[..]));
    match client.exchange(saml, &memory, seed()).unwrap().poll(now()) {
        Output::Send(request) => {
            let form = String::from_utf8(request.body().to_vec()).unwrap();
            assert!(form.contains("assertion=") && !form.contains("client_id"), "{form}");
        }
        output => panic!("{output:?}"),
    }
    assert_eq!(
        client.exchange(ClientCredentials::new(), &memory, seed()).unwrap_err(),
        ConfigError::ClientId
    );
    assert_eq!(client.authorize(request(), &memory, seed()).unwrap_err(), ConfigError::ClientId);
    assert_eq!(client.authorize_device(None, &memory, seed()).unwrap_err(), ConfigError::ClientId);
    let forgotten = Client::new(server, Registration::public(""), Policy::strict()).unwrap_err();
    assert_eq!(forgotten, ConfigError::ClientId, "one that was forgotten is not taken for none");
}
