//! What the client does about known threats, one by one: the letter and the number name the threat.
//!
//! A: the authorization request and what comes back. T: the token endpoint and the other direct calls. R: refresh. D: the
//! device flow. J: what is signed. Those that a listener, a transport or a command answers have their tests there; `oauth/tests/house.rs`
//! knows that each has one.
#![allow(missing_docs, reason = "a test has no public API")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::{
    AccessToken, Algorithm, AuthMethod, AuthorizationCode, AuthorizationRequest, AuthorizationResponse,
    Challenges, Client, ClientCredentials, ClientSecret, ConfigError, DevicePrompt, Discover,
    DiscoverResource, Endpoint, EndpointError, Error, Failure, Flow, Input, KeyFailed, KeyId, KeyTask,
    KeyWhy, Malformed, Mono, Now, OptOut, Output, Pending, Policy, Purpose, Ready, Recognised, Refresh,
    RefreshToken, Registration, Rejected, Remedy, Request, Resource, Scope, Seed, Server, ServerMemory,
    Tokens, Unix,
};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use url::Url;

const ISSUER: &str = "https://as.example";
const START: Now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };

fn server() -> Server {
    Server::new(ISSUER)
        .with_authorization_endpoint("https://as.example/authorize")
        .with_token_endpoint("https://as.example/token")
        .with_device_authorization_endpoint("https://as.example/device")
        .with_jwks_uri("https://as.example/jwks")
}

fn client() -> Client {
    Client::new(server(), Registration::public("c1"), Policy::strict()).unwrap()
}

fn seed(number: u64) -> Seed {
    // Not random, and no two alike.
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
    Seed::new([(); Seed::LENGTH].map(|()| {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        u8::try_from(state >> 56).unwrap()
    }))
}

fn ready(client: &Client, number: u64) -> Ready {
    let request = AuthorizationRequest::new("http://127.0.0.1:9/cb");
    match client.authorize(request, &ServerMemory::default(), seed(number)).unwrap().poll(START) {
        Output::Done(Ok(ready)) => ready,
        output => panic!("{output:?}"),
    }
}

fn parameters(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// What the login made of an answer: what it sends, or why it sends nothing.
fn redeem(client: &Client, pending: Pending, answer: &str) -> Result<Request, Failure> {
    let answer = AuthorizationResponse::Query(answer);
    match pending.redeem(&answer, client, &ServerMemory::default(), seed(0)).poll(START) {
        Output::Send(request) => Ok(request),
        Output::Done(Err(failure)) => Err(failure),
        output => panic!("{output:?}"),
    }
}

fn response(status: u16, body: &str) -> Input {
    Input::Response(http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap().into())
}

/// What a refresh made of an answer.
fn refreshed(status: u16, body: &str) -> Result<Tokens, Failure> {
    let mut flow =
        client().exchange(Refresh::new(RefreshToken::new("old")), &ServerMemory::default(), seed(0)).unwrap();
    assert!(matches!(flow.poll(START), Output::Send(_)));
    flow.handle(response(status, body), START);
    match flow.poll(START) {
        Output::Done(result) => result,
        output => panic!("{output:?}"),
    }
}

fn discovered(body: &str) -> Result<Server, Failure> {
    let mut flow = Discover::new(ISSUER, Policy::strict()).unwrap();
    assert!(matches!(flow.poll(START), Output::Send(_)));
    flow.handle(response(200, body), START);
    match flow.poll(START) {
        Output::Done(result) => result,
        output => panic!("{output:?}"),
    }
}

fn prompted(body: &str) -> Result<DevicePrompt, Failure> {
    let mut flow = client().authorize_device(None, &ServerMemory::default(), seed(0)).unwrap();
    assert!(matches!(flow.poll(START), Output::Send(_)));
    flow.handle(response(200, body), START);
    match flow.poll(START) {
        Output::Done(result) => result,
        output => panic!("{output:?}"),
    }
}

fn error<T: std::fmt::Debug>(result: Result<T, Failure>) -> Error {
    *result.unwrap_err().error
}

#[test]
fn a1_state_is_256_bits_fresh_and_compared_exactly() {
    let client = client();
    let (first, second) = (ready(&client, 1).pending, ready(&client, 2).pending);
    assert_eq!(first.state().len(), 43, "256 bits in base64url");
    assert_ne!(first.state(), second.state());
    let state = first.state().to_owned();
    let wrong = [
        String::new(),
        second.state().to_owned(),
        state[..42].to_owned(),
        format!("{state}A"),
        state.to_uppercase(),
        format!("%20{state}"),
    ];
    for wrong in &wrong {
        let answer = format!("code=ac1&state={wrong}");
        assert_ne!(first.recognise(&AuthorizationResponse::Query(&answer)), Recognised::Ours, "{wrong}");
    }
    assert!(matches!(
        error(redeem(&client, second, &format!("code=ac1&state={state}"))),
        Error::Rejected(Rejected::State)
    ));
}

/// RFC 9700 section 4.7.1: PKCE stands in for a `state` that did not come along.
#[test]
fn a2_a_code_alone_is_redeemed_with_the_verifier_and_not_without_one() {
    let client = client();
    let redeem = |pending: Pending, client: &Client| {
        let code = AuthorizationCode::new("ac1");
        match pending.redeem_code(code, client, &ServerMemory::default(), seed(0)).poll(START) {
            Output::Send(request) => Ok(request),
            Output::Done(Err(failure)) => Err(failure),
            output => panic!("{output:?}"),
        }
    };
    let login = ready(&client, 1).pending;
    assert!(login.has_code_challenge());
    let request = redeem(login, &client).unwrap();
    let body = std::str::from_utf8(request.body()).unwrap();
    assert!(body.contains("code=ac1") && body.contains("&code_verifier="), "{body}");

    let policy = Policy::strict().waive(OptOut::ImplicitGrant);
    let implicit = Client::new(server(), Registration::public("c1"), policy).unwrap();
    let request = AuthorizationRequest::new("http://127.0.0.1:9/cb").implicit();
    let pending = match implicit.authorize(request, &ServerMemory::default(), seed(1)).unwrap().poll(START) {
        Output::Done(Ok(ready)) => ready.pending,
        output => panic!("{output:?}"),
    };
    assert!(!pending.has_code_challenge());
    assert!(matches!(error(redeem(pending, &implicit)), Error::Rejected(Rejected::State)));

    let other = Client::new(server(), Registration::public("c2"), Policy::strict()).unwrap();
    assert!(matches!(error(redeem(ready(&client, 1).pending, &other)), Error::Misuse(_)));
}

#[test]
fn a2_the_verifier_is_fresh_stays_here_and_proves_the_challenge() {
    let client = client();
    let (mut states, mut challenges) = (HashSet::new(), HashSet::new());
    for number in 0..100_000 {
        let ready = ready(&client, number);
        let url = ready.open.as_str();
        let challenge = url.split_once("code_challenge=").unwrap().1.split('&').next().unwrap();
        assert!(states.insert(ready.pending.state().to_owned()) && challenges.insert(challenge.to_owned()));
    }
    let ready = ready(&client, 1);
    let (open, state) = (ready.open.as_str().to_owned(), ready.pending.state().to_owned());
    let request = redeem(&client, ready.pending, &format!("code=ac1&state={state}")).unwrap();
    let body = std::str::from_utf8(request.body()).unwrap();
    let verifier = body.split_once("code_verifier=").unwrap().1.split('&').next().unwrap();
    assert_eq!(verifier.len(), 43);
    assert!(!open.contains(verifier) && !format!("{request:?}").contains(verifier));
    let expected =
        base64::Engine::encode(&URL_SAFE_NO_PAD, <sha2::Sha256 as sha2::Digest>::digest(verifier.as_bytes()));
    assert_eq!(parameters(&open)["code_challenge"], expected);
}

#[test]
fn a3_pkce_is_s256_whatever_the_metadata_says() {
    for methods in [r#"["plain"]"#, "[]", "null", r#""S256""#] {
        let server = discovered(&format!(
            r#"{{"issuer":"{ISSUER}","authorization_endpoint":"https://as.example/a","token_endpoint":"https://as.example/t","code_challenge_methods_supported":{methods}}}"#
        ))
        .unwrap();
        let client = Client::new(server, Registration::public("c1"), Policy::strict()).unwrap();
        let ready = ready(&client, 1);
        assert_eq!(parameters(ready.open.as_str())["code_challenge_method"], "S256", "{methods}");
        let answer = format!("code=ac1&state={}", ready.pending.state());
        let request = redeem(&client, ready.pending, &answer).unwrap();
        assert!(String::from_utf8_lossy(request.body()).contains("code_verifier="), "{methods}");
    }
    // Nor can a program set it.
    for name in ["code_challenge", "code_challenge_method"] {
        let request = AuthorizationRequest::new("http://127.0.0.1:9/cb").with_parameter(name, "plain");
        let refused = client().authorize(request, &ServerMemory::default(), seed(0)).unwrap_err();
        assert_eq!(refused, ConfigError::Parameter(name.into()));
    }
}

#[test]
fn a4_an_answer_of_another_issuer_sends_nothing() {
    let careful =
        Client::new(server().with_iss_in_responses(), Registration::public("c1"), Policy::strict()).unwrap();
    for (client, iss, redeemed) in [
        (client(), "", true),
        (client(), "&iss=https%3A%2F%2Fas.example", true),
        (client(), "&iss=https%3A%2F%2Fas.example%2F", false),
        (client(), "&iss=https%3A%2F%2FAS.example", false),
        (client(), "&iss=https%3A%2F%2Fevil.example", false),
        (careful.clone(), "", false),
        (careful.clone(), "&iss=https%3A%2F%2Fas.example", true),
    ] {
        let pending = ready(&client, 1).pending;
        let answer = format!("code=ac1&state={}{iss}", pending.state());
        assert_eq!(redeem(&client, pending, &answer).is_ok(), redeemed, "{iss}");
    }
    // A client that was told no issuer has nothing to compare.
    let by_hand = Server::new("")
        .with_authorization_endpoint("https://as.example/authorize")
        .with_token_endpoint("https://as.example/token");
    let by_hand = Client::new(by_hand, Registration::public("c1"), Policy::strict()).unwrap();
    let pending = ready(&by_hand, 1).pending;
    let answer = format!("code=ac1&state={}&iss=https%3A%2F%2Fas.example", pending.state());
    assert!(redeem(&by_hand, pending, &answer).is_ok());
    // An error answer is checked as well.
    let pending = ready(&careful, 1).pending;
    let answer = format!("error=access_denied&state={}&iss=https%3A%2F%2Fevil.example", pending.state());
    assert!(matches!(error(redeem(&careful, pending, &answer)), Error::Rejected(Rejected::Issuer { .. })));
}

#[test]
fn a5_nothing_comes_twice_and_empty_is_absent() {
    let client = client();
    for twice in
        ["code=ac1", "code=ac2", "iss=https%3A%2F%2Fas.example&iss=https%3A%2F%2Fas.example", "state=x"]
    {
        let pending = ready(&client, 1).pending;
        let answer = format!("code=ac1&state={}&{twice}", pending.state());
        assert!(redeem(&client, pending, &answer).is_err(), "{twice}");
    }
    let pending = ready(&client, 1).pending;
    let answer = format!("code=&code=ac1&error=&iss=&response=&state=&state={}", pending.state());
    assert!(redeem(&client, pending, &answer).is_ok());
    let pending = ready(&client, 1).pending;
    let answer = format!("error=a&error=b&state={}", pending.state());
    assert!(matches!(error(redeem(&client, pending, &answer)), Error::Malformed(Malformed::Duplicate(_))));
}

#[test]
fn a6_what_was_not_asked_for_is_not_taken() {
    let client = client();
    // A token in the callback is nobody's business.
    let pending = ready(&client, 1).pending;
    let answer = format!("access_token=stolen&token_type=bearer&state={}", pending.state());
    assert!(matches!(error(redeem(&client, pending, &answer)), Error::Malformed(Malformed::Missing("code"))));
    let pending = ready(&client, 1).pending;
    let answer = format!("code=ac1&access_token=stolen&state={}", pending.state());
    let request = redeem(&client, pending, &answer).unwrap();
    assert!(!String::from_utf8_lossy(request.body()).contains("stolen"));
    // A response object was not asked for.
    let pending = ready(&client, 1).pending;
    let answer = format!("code=ac1&response=eyJ&state={}", pending.state());
    assert!(matches!(error(redeem(&client, pending, &answer)), Error::Rejected(Rejected::NotAsked(_))));
}

#[test]
fn t2_no_endpoint_is_plain_http() {
    let policy = Policy::strict();
    for url in
        ["http://as.example/t", "http://127.0.0.1/t", "http://localhost/t", "ftp://as.example/t", "file:///t"]
    {
        assert!(Endpoint::new(url, &policy).is_err(), "{url}");
        let made = Client::new(server().with_token_endpoint(url), Registration::public("c1"), policy.clone());
        assert!(matches!(made, Err(ConfigError::Endpoint { .. })), "{url}");
    }
    let loopback = policy.waive(OptOut::PlainHttpOnLoopback);
    assert!(Endpoint::new("http://127.0.0.1/t", &loopback).is_ok());
    assert_eq!(Endpoint::new("http://as.example/t", &loopback), Err(EndpointError::NotHttps));
    let metadata = format!(r#"{{"issuer":"{ISSUER}","token_endpoint":"http://as.example/t"}}"#);
    assert!(matches!(
        error(discovered(&metadata)),
        Error::Rejected(Rejected::Endpoint { member: "token_endpoint", .. })
    ));
}

#[test]
fn t6_a_token_that_would_split_a_header_is_refused() {
    for bad in ["a\\r\\nb: c", "a\\nb", "a\\u0000b", "a\\tb", "a\\u00e4b", "a\\u007fb", ""] {
        let body = format!(r#"{{"access_token":"{bad}","token_type":"Bearer"}}"#);
        assert!(matches!(error(refreshed(200, &body)), Error::Malformed(_)), "{bad}");
        let body = format!(r#"{{"access_token":"at","token_type":"Bearer","refresh_token":"{bad}"}}"#);
        let result = refreshed(200, &body);
        assert_eq!(result.is_ok(), bad.is_empty(), "an empty one is as good as none: {bad}");
    }
    assert!(AccessToken::new("a\r\nb").bearer().is_err());
}

#[test]
fn t7_an_error_wins_at_any_status() {
    for status in [200, 201, 302, 400, 401, 403, 404] {
        let body = r#"{"access_token":"at","token_type":"Bearer","error":"invalid_grant"}"#;
        assert!(matches!(error(refreshed(status, body)), Error::Server(_)), "{status}");
    }
    for body in
        [r#"{"error":{"code":7,"message":"no\u001b[31m"}}"#, r#"{"errors":[{"message":"no"}]}"#, "<p>no</p>"]
    {
        let failure = refreshed(400, body).unwrap_err();
        let shown = failure.to_string();
        assert!(shown.contains("no") && !shown.chars().any(char::is_control), "{shown}");
    }
}

#[test]
fn t8_a_token_of_another_type_is_not_used() {
    for token_type in ["mac", "DPoP", "N_A", "bearer2", "Basic"] {
        let body = format!(r#"{{"access_token":"at","token_type":"{token_type}","refresh_token":"new"}}"#);
        let failure = refreshed(200, &body).unwrap_err();
        assert!(matches!(*failure.error, Error::Rejected(Rejected::TokenType(_))), "{token_type}");
        assert_eq!(failure.rescued.unwrap().expose(), "new");
    }
    assert!(refreshed(200, r#"{"access_token":"at","token_type":"bEaReR"}"#).is_ok());
    assert!(refreshed(200, r#"{"access_token":"at"}"#).is_err(), "and one without a type neither");
}

#[test]
fn t9_the_secret_goes_to_one_place_and_a_refusal_changes_nothing() {
    let secret = "s+1 &%";
    for (method, in_header) in
        [(AuthMethod::CLIENT_SECRET_BASIC, true), (AuthMethod::CLIENT_SECRET_POST, false)]
    {
        let registration =
            Registration::with_secret("c 1", ClientSecret::new(secret)).authenticated_by(method);
        let client = Client::new(server(), registration, Policy::strict()).unwrap();
        let mut flow = client.exchange(ClientCredentials::new(), &ServerMemory::default(), seed(0)).unwrap();
        let Output::Send(request) = flow.poll(START) else { panic!("nothing is sent") };
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let header =
            request.headers().find(|(name, _)| *name == "authorization").map(|(_, value)| value.clone());
        assert_eq!((header.is_some(), body.contains("client_secret=")), (in_header, !in_header));
        if let Some(header) = header {
            // RFC 6749 section 2.3.1: each part is form-encoded first.
            assert_eq!(header, "Basic YyUyMDE6cyUyQjElMjAlMjYlMjU=");
            assert!(header.is_sensitive());
        }
        flow.handle(response(401, r#"{"error":"invalid_client"}"#), START);
        assert!(matches!(flow.poll(START), Output::Done(Err(_))), "no second try with the secret elsewhere");
        assert!(matches!(flow.poll(START), Output::Idle));
    }
}

#[test]
fn t13_a_resource_names_no_address_that_may_not_be_asked() {
    let policy = Policy::strict();
    for url in
        ["http://169.254.169.254/latest", "http://10.0.0.1/x", "ftp://a.example/x", "https://u:p@a.example/x"]
    {
        let header = format!("Bearer resource_metadata=\"{url}\"");
        let headers = [(http::header::WWW_AUTHENTICATE, header.parse().unwrap())].into_iter().collect();
        let challenges = Challenges::read(&headers);
        assert!(challenges.iter().next().unwrap().resource_metadata(&policy).unwrap().is_err(), "{url}");
    }
    // Of another origin than the resource that named it.
    let elsewhere = Endpoint::new("https://evil.example/metadata", &policy).unwrap();
    let resource = Resource::new("https://api.example/v1").unwrap();
    let refused = DiscoverResource::at(elsewhere, resource.clone(), policy.clone()).unwrap_err();
    assert_eq!(refused, EndpointError::Origin);
    // And what is said there must be about this resource.
    let place = Endpoint::new("https://api.example/metadata", &policy).unwrap();
    let mut flow = DiscoverResource::at(place, resource, policy).unwrap();
    assert!(matches!(flow.poll(START), Output::Send(_)));
    flow.handle(response(200, r#"{"resource":"https://api.example/v2"}"#), START);
    let Output::Done(result) = flow.poll(START) else { panic!("no end") };
    assert!(matches!(error(result), Error::Rejected(Rejected::Resource { .. })));
}

#[test]
fn t14_the_issuer_is_the_one_that_was_asked_for_letter_by_letter() {
    for issuer in [
        "https://as.example/",
        "https://AS.example",
        "https://as.example:443",
        "https://evil.example",
        " https://as.example",
    ] {
        let metadata = format!(r#"{{"issuer":"{issuer}","token_endpoint":"https://as.example/t"}}"#);
        assert!(matches!(error(discovered(&metadata)), Error::Rejected(Rejected::Issuer { .. })), "{issuer}");
    }
    assert!(discovered(&format!(r#"{{"issuer":"{ISSUER}"}}"#)).is_ok());
    assert!(matches!(error(discovered("{}")), Error::Malformed(Malformed::Missing("issuer"))));
}

#[test]
fn t15_only_a_client_with_a_certificate_goes_to_the_aliases() {
    let metadata = format!(
        r#"{{"issuer":"{ISSUER}","token_endpoint":"https://as.example/t","mtls_endpoint_aliases":{{"token_endpoint":"https://mtls.as.example/t"}}}}"#
    );
    for (registration, endpoint, certificate) in [
        (Registration::public("c1"), "https://as.example/t", None),
        (
            Registration::with_certificate("c1", KeyId::new("tls")),
            "https://mtls.as.example/t",
            Some(KeyId::new("tls")),
        ),
    ] {
        let client = Client::new(discovered(&metadata).unwrap(), registration, Policy::strict()).unwrap();
        let mut flow = client.exchange(ClientCredentials::new(), &ServerMemory::default(), seed(0)).unwrap();
        let Output::Send(request) = flow.poll(START) else { panic!("nothing is sent") };
        assert_eq!(request.endpoint().url().as_str(), endpoint);
        assert_eq!(request.client_certificate(), certificate.as_ref());
        assert_eq!(request.purpose(), Purpose::Token);
    }
}

#[test]
fn r1_a_new_refresh_token_replaces_the_old_one_and_nothing_else_does() {
    for (member, kept) in [
        (r#","refresh_token":"new""#, "new"),
        (r#","refresh_token":null"#, "old"),
        (r#","refresh_token":"""#, "old"),
        ("", "old"),
    ] {
        let body = format!(r#"{{"access_token":"at","token_type":"Bearer"{member}}}"#);
        assert_eq!(refreshed(200, &body).unwrap().refresh_token.unwrap().expose(), kept, "{member}");
    }
    // A mistake beside it does not cost it.
    for mistake in [
        r#""expires_in":{}"#,
        r#""scope":7"#,
        r#""token_type":"mac""#,
        r#""access_token":"""#,
        r#""x":1,"x":2"#,
    ] {
        let body =
            format!(r#"{{{mistake},"refresh_token":"new","access_token":"at","token_type":"Bearer"}}"#);
        let kept = match refreshed(200, &body) {
            Ok(tokens) => tokens.refresh_token,
            Err(failure) => failure.rescued,
        };
        assert_eq!(kept.unwrap().expose(), "new", "{mistake}");
    }
}

#[test]
fn r4_trouble_is_no_verdict_about_a_credential() {
    let body = r#"{"error":"invalid_grant"}"#;
    for status in [429, 500, 502, 503, 504] {
        let failure = refreshed(status, body).unwrap_err();
        assert!(matches!(*failure.error, Error::Unavailable(_)), "{status}");
        assert!(matches!(failure.remedy(), Remedy::TryAgain { .. }), "{status}");
    }
    for (status, body) in [(404, ""), (404, "<html>"), (200, "<html>"), (403, "Forbidden"), (302, "")] {
        assert_ne!(refreshed(status, body).unwrap_err().remedy(), Remedy::SignInAgain, "{status} {body}");
    }
    assert_eq!(refreshed(400, body).unwrap_err().remedy(), Remedy::SignInAgain);
}

#[test]
fn r5_a_token_that_ends_at_once_is_told_so() {
    let tokens = refreshed(200, r#"{"access_token":"at","token_type":"Bearer","expires_in":0}"#).unwrap();
    assert_eq!(tokens.expires_at, Some(START.unix));
    let tokens = refreshed(200, r#"{"access_token":"at","token_type":"Bearer"}"#).unwrap();
    assert_eq!(tokens.expires_at, None, "not known is not over");
}

const PROMPT: &str = r#"{"device_code":"dc","user_code":"WDJB-MJHT","verification_uri":"https://as.example/d","expires_in":60}"#;

const fn after(seconds: u64) -> Now {
    Now { mono: Mono::from_nanos(seconds * 1_000_000_000), unix: Unix(1_700_000_000 + seconds) }
}

#[test]
fn d1_polls_keep_their_distance() {
    let mut poll = prompted(PROMPT).unwrap().poll;
    assert_eq!(
        poll.interval(),
        Duration::from_secs(5),
        "RFC 8628 section 3.2: unless the server says otherwise"
    );
    let mut at = 0;
    for (answer, next) in [
        (r#"{"error":"authorization_pending"}"#, 5),
        (r#"{"error":"slow_down"}"#, 10),
        (r#"{"error":"authorization_pending"}"#, 10),
        (r#"{"error":"slow_down","interval":3}"#, 15),
    ] {
        at += poll.interval().as_secs();
        assert!(
            matches!(poll.poll(after(at - 1)), Output::Wait(until) if until == after(at).mono),
            "{answer}"
        );
        assert!(matches!(poll.poll(after(at)), Output::Send(_)), "{answer}");
        poll.handle(response(400, answer), after(at));
        assert_eq!(poll.interval().as_secs(), next, "{answer}");
    }
    at += 15;
    assert!(matches!(poll.poll(after(at)), Output::Send(_)));
    poll.handle(response(400, r#"{"error":"invalid_grant"}"#), after(at));
    assert!(matches!(poll.poll(after(at)), Output::Done(Err(_))), "any other error stops");
}

#[test]
fn d2_what_a_person_is_shown_is_printable() {
    for code in ["A\\u001b[31mB", "A\\u202eB", "A\\u200bB", "A\\nB", &"A".repeat(65), ""] {
        let body = PROMPT.replace("WDJB-MJHT", code);
        assert!(
            matches!(error(prompted(&body)), Error::Malformed(Malformed::Invalid("user_code"))),
            "{code}"
        );
    }
    for uri in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://as.example/d",
        "https://as.example@evil.example/d",
    ] {
        let body = PROMPT.replace("https://as.example/d", uri);
        assert!(matches!(error(prompted(&body)), Error::Rejected(Rejected::Endpoint { .. })), "{uri}");
    }
}

#[test]
fn d4_waits_are_monotonic_and_the_end_is_when_either_clock_says() {
    let poll = || prompted(PROMPT).unwrap().poll;
    // The wall clock is set back and forth: nothing is early.
    let mut set_back = poll();
    assert!(matches!(set_back.poll(Now { unix: Unix(1), ..after(4) }), Output::Wait(_)));
    assert!(matches!(set_back.poll(Now { unix: Unix(1), ..after(5) }), Output::Send(_)));
    // The machine slept, and its monotonic clock stood still.
    let mut slept = poll();
    assert!(matches!(slept.poll(Now { unix: Unix(1_700_000_061), ..after(1) }), Output::Done(Err(_))));
    let mut woke = poll();
    assert!(matches!(woke.poll(after(59)), Output::Send(_)), "one poll after a long sleep, not twelve");
    woke.handle(response(400, r#"{"error":"authorization_pending"}"#), after(59));
    assert!(
        matches!(woke.poll(after(60)), Output::Done(Err(failure)) if matches!(*failure.error, Error::Expired))
    );
}

/// RFC 7517 section 5 and OpenID Connect Core section 10.1.1.
#[test]
fn j12_a_flood_of_unknown_keys_asks_the_server_once() {
    let client = client();
    let mut memory = ServerMemory::default();
    let id_token = r#"{"access_token":"at","token_type":"Bearer","id_token":"e30.e30.AA"}"#;
    let (fetched, opened) = (Cell::new(0), Cell::new(0));
    let sign_in = |memory: &mut ServerMemory, keys: &str, now: Now| {
        let request =
            AuthorizationRequest::new("http://127.0.0.1:9/cb").with_scope(Scope::new("openid").unwrap());
        let Output::Done(Ok(ready)) = client.authorize(request, memory, seed(1)).unwrap().poll(now) else {
            panic!("nothing is needed to be ready")
        };
        let answer = format!("code=ac1&state={}", ready.pending.state());
        let mut flow = ready.pending.redeem(&AuthorizationResponse::Query(&answer), &client, memory, seed(2));
        let failure = loop {
            let input = match flow.poll(now) {
                Output::Send(request) if request.purpose() == Purpose::Keys => {
                    fetched.set(fetched.get() + 1);
                    response(200, keys)
                }
                Output::Send(_) => response(200, id_token),
                Output::Key(KeyTask::Open(_)) => {
                    opened.set(opened.get() + 1);
                    Input::KeyFailed(KeyFailed::new(KeyWhy::UnknownKid))
                }
                Output::Done(result) => break result.unwrap_err(),
                other => panic!("{other:?}"),
            };
            flow.handle(input, now);
        };
        memory.learn(flow.take_learned());
        failure
    };
    for message in 0..1000_u64 {
        let now = Now { mono: START.mono.after(Duration::from_millis(29 * message)), unix: START.unix };
        let failure = sign_in(&mut memory, r#"{"keys":[]}"#, now);
        assert!(matches!(&*failure.error, Error::Key(failed) if failed.why == KeyWhy::UnknownKid));
    }
    assert_eq!((fetched.get(), opened.get()), (1, 1000));
    // Too many of them are as good as none, and those that are known stay.
    let later = Now { mono: START.mono.after(Duration::from_secs(40)), unix: START.unix };
    let flood = format!(r#"{{"keys":["{}"]}}"#, "A".repeat(256 * 1024));
    let failure = sign_in(&mut memory, &flood, later);
    assert!(matches!(*failure.error, Error::Malformed(Malformed::TooLarge)), "{failure}");
    assert_eq!(memory.keys().unwrap().document(), br#"{"keys":[]}"#);
}

#[test]
fn j14_a_client_assertion_is_for_the_issuer_short_lived_and_never_the_same_twice() {
    let server = server().with_revocation_endpoint("https://as.example/revoke");
    let registration = Registration::with_key("client", KeyId::new("k"), Algorithm::ES256);
    let client = Client::new(server, registration, Policy::strict()).unwrap();
    let claims = |number| {
        let mut flow =
            client.exchange(ClientCredentials::new(), &ServerMemory::default(), seed(number)).unwrap();
        let Output::Key(KeyTask::Sign(task)) = flow.poll(START) else { panic!("nothing is signed") };
        let input = String::from_utf8(task.input).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(input.split_once('.').unwrap().1).unwrap();
        serde_json::from_slice::<serde_json::Value>(&claims).unwrap()
    };
    let mut seen = HashSet::new();
    for number in 0..100 {
        let claims = claims(number);
        assert_eq!(claims["iss"], "client");
        assert_eq!(claims["sub"], "client");
        // One text, and no list: what another server accepts is not in it.
        assert_eq!(claims["aud"], "https://as.example");
        assert_eq!(claims["iat"], START.unix.0);
        assert!(claims["exp"].as_u64().unwrap() <= START.unix.0 + 60, "{claims}");
        assert!(seen.insert(claims["jti"].to_string()), "{claims}");
    }
}

#[test]
fn d4_a_key_holder_that_takes_longer_than_the_code_lives_ends_the_login() {
    let registration = Registration::with_key("client", KeyId::new("k"), Algorithm::ES256);
    let client = Client::new(server(), registration, Policy::strict()).unwrap();
    let mut flow = client.authorize_device(None, &ServerMemory::default(), seed(1)).unwrap();
    let signature = || Input::Signature(vec![0; 64]);
    assert!(matches!(flow.poll(START), Output::Key(_)));
    flow.handle(signature(), START);
    assert!(matches!(flow.poll(START), Output::Send(_)));
    flow.handle(response(200, PROMPT), START);
    let Output::Done(Ok(prompt)) = flow.poll(START) else { panic!("a right answer") };
    let mut poll = prompt.poll;
    assert!(matches!(poll.poll(after(59)), Output::Key(_)));
    poll.handle(signature(), after(60));
    // Nothing is sent for a code that is over.
    assert!(
        matches!(poll.poll(after(60)), Output::Done(Err(failure)) if matches!(*failure.error, Error::Expired))
    );
    assert!(matches!(poll.poll(after(61)), Output::Idle));
}
