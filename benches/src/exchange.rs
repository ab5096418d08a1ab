//! A code exchanged for tokens (RFC 6749 sections 4.1.3 and 5.1): the request down to an `http::Request`, with PKCE and
//! `client_secret_basic`, and the answer, read and checked.
//!
//! Ours begins with the answer of the browser, of which it checks `state`, `iss` and what comes twice; that, and the reading
//! of a stored login before it, is a row of its own and is taken off, since the others begin with the code. The answer of
//! the server is made by copying bytes that are ready, the same for all, and is taken off as well.

use crate::authorization_url::{
    AUTHORIZATION_ENDPOINT, CLIENT_ID, REDIRECT_URI, STATE, TheirClient, VERIFIER, seed, their_client,
};
use http::{HeaderValue, Response};
use oauth_core::{
    AuthorizationResponse, Client, ClientSecret, Flow as _, Input, Mono, Now, Output, Pending, Policy,
    Redeem, RefreshToken, Registration, Server, ServerMemory, Tokens, Unix,
};
use oauth2::basic::BasicTokenResponse;
use oauth2::{
    AuthorizationCode, EndpointNotSet, EndpointSet, HttpRequest, PkceCodeVerifier, TokenResponse as _,
    TokenUrl,
};
use openidconnect::core::CoreTokenResponse;
use std::hint::black_box;
use std::io;

pub(crate) const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA8xLOxBtZp8";
pub(crate) const SECRET: &str = "7Fjfp0ZBr1KtDRbnfVdmIw";
pub(crate) const TOKEN_ENDPOINT: &str = "https://as.example/token";
const REFRESH_TOKEN: &str = "8xLOxBtZp8-1Tl2bQ5Yk9rWm0vNc3JdHfGsAeUiO";
pub(crate) const NOW: Now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };

/// Five members, compact: about 400 bytes.
pub(crate) fn small() -> Vec<u8> {
    let token = "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.".to_owned() + &"aB3-".repeat(50);
    format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600,"refresh_token":"{REFRESH_TOKEN}","scope":"profile email offline_access"}}"#
    )
    .into_bytes()
}

/// Twelve members, pretty-printed, with an ID token of 1,246 bytes and a nested value: 4,152 bytes.
pub(crate) fn large() -> Vec<u8> {
    let token = "aB3-".repeat(600);
    let body = |access: usize| {
        format!(
            "{{\n  \"access_token\": \"{}\",\n  \"token_type\": \"Bearer\",\n  \"expires_in\": 3600,\n  \"refresh_token\": \"{REFRESH_TOKEN}\",\n  \"scope\": \"profile email offline_access\",\n  \"id_token\": \"{}\",\n  \"session_state\": \"a1b2c3\",\n  \"not-before-policy\": 0,\n  \"refresh_expires_in\": 86400,\n  \"ext_expires_in\": 7200,\n  \"resource\": \"https://api.example/\",\n  \"authorization_details\": [\n    {{\n      \"type\": \"payment_initiation\",\n      \"locations\": [\"https://api.example/1\"],\n      \"instructedAmount\": {{ \"currency\": \"EUR\", \"amount\": \"123.50\" }},\n      \"creditorName\": \"Merchant\"\n    }}\n  ]\n}}\n",
            &token[..access],
            &token[..1246]
        )
    };
    let rest = body(0).len();
    body(4152 - rest).into_bytes()
}

pub(crate) fn response(status: u16, body: &[u8]) -> Response<Vec<u8>> {
    let mut response = Response::new(body.to_vec());
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer alone.
pub(crate) fn answer_small(times: u32) {
    repeat(times, || response(200, black_box(&SMALL.with(Clone::clone))));
}

thread_local! {
    static SMALL: Vec<u8> = small();
}

fn our_client() -> Client {
    let server = Server::new("https://as.example")
        .with_authorization_endpoint(AUTHORIZATION_ENDPOINT)
        .with_token_endpoint(TOKEN_ENDPOINT);
    let registration = Registration::with_secret(CLIENT_ID, ClientSecret::new(SECRET));
    Client::new(server, registration, Policy::strict()).expect("the setup is right")
}

/// A login of ours that waits, as it is stored.
fn stored() -> Vec<u8> {
    format!(
        "version=1&issuer=https%3A%2F%2Fas.example&client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}&scope=profile%20email%20offline_access&response_type=code&state={STATE}&verifier={VERIFIER}&nonce=&max_age=&begun=1700000000"
    )
    .into_bytes()
}

fn waiting(stored: &[u8]) -> Pending {
    Pending::from_store(black_box(stored), NOW.unix).expect("it was stored so")
}

/// A login read from its store: what is taken off ours.
pub(crate) fn our_login(times: u32) {
    let stored = stored();
    repeat(times, || waiting(&stored));
}

/// The answer of the browser, checked; nothing is sent yet.
fn our_checked() -> impl FnMut() -> Redeem {
    let (client, memory, stored) = (our_client(), ServerMemory::default(), stored());
    let query = format!("code={CODE}&state={STATE}");
    move || {
        let response = AuthorizationResponse::Query(black_box(&query));
        waiting(&stored).redeem(&response, &client, &memory, seed())
    }
}

pub(crate) fn ours_checked(times: u32) {
    repeat(times, our_checked());
}

/// The request on its way, to be answered.
fn our_request() -> impl FnMut() -> Redeem {
    let mut checked = our_checked();
    move || {
        let mut flow = checked();
        let Output::Send(request) = flow.poll(NOW) else { unreachable!("the first output is the request") };
        let _sent = black_box(request.into_http());
        flow
    }
}

fn our_exchange(body: Vec<u8>) -> impl FnMut() -> Tokens {
    let mut request = our_request();
    move || {
        let mut flow = request();
        flow.handle(Input::Response(response(200, &body).into()), NOW);
        match flow.poll(NOW) {
            Output::Done(Ok(granted)) => granted.tokens,
            output => unreachable!("{output:?}"),
        }
    }
}

pub(crate) fn ours_request(times: u32) {
    repeat(times, our_request());
}

pub(crate) fn ours_small(times: u32) {
    repeat(times, our_exchange(small()));
}

pub(crate) fn ours_large(times: u32) {
    repeat(times, our_exchange(large()));
}

type TheirTokenClient =
    oauth2::basic::BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn their_token_client() -> TheirTokenClient {
    let client: TheirClient = their_client();
    client
        .set_client_secret(oauth2::ClientSecret::new(SECRET.into()))
        .set_token_uri(TokenUrl::new(TOKEN_ENDPOINT.into()).expect("a URL"))
}

/// `None` is a transport that is not there: what remains is the request.
fn their_exchange(body: Option<Vec<u8>>) -> impl FnMut() -> Option<BasicTokenResponse> {
    let client = their_token_client();
    move || {
        let answer = |request: HttpRequest| {
            let _sent = black_box(request);
            body.as_ref().map(|body| response(200, body)).ok_or_else(|| io::Error::from(io::ErrorKind::Other))
        };
        let code = AuthorizationCode::new(black_box(CODE).into());
        let verifier = PkceCodeVerifier::new(black_box(VERIFIER).into());
        client.exchange_code(code).set_pkce_verifier(verifier).request(&answer).ok()
    }
}

pub(crate) fn oauth2_rs_request(times: u32) {
    repeat(times, their_exchange(None));
}

pub(crate) fn oauth2_rs_small(times: u32) {
    repeat(times, their_exchange(Some(small())));
}

pub(crate) fn oauth2_rs_large(times: u32) {
    repeat(times, their_exchange(Some(large())));
}

/// The same client, with the answer read as OpenID Connect's. The ID token has to be one there.
fn openid_read(body: &[u8]) -> CoreTokenResponse {
    serde_json::from_slice(black_box(body)).expect("the answer is right")
}

pub(crate) fn openidconnect_small(times: u32) {
    let body = small();
    repeat(times, || openid_read(&response(200, &body).into_body()));
}

fn repeat<T>(times: u32, mut one: impl FnMut() -> T) {
    for _ in 0..times {
        let _made = black_box(one());
    }
}

/// All send and read the same, else there is nothing to compare.
///
/// # Panics
/// They do not.
pub(crate) fn compare() {
    assert!(
        (350..450).contains(&small().len()) && large().len() == 4152,
        "{} {}",
        small().len(),
        large().len()
    );
    let client = our_client();
    let query = format!("code={CODE}&state={STATE}");
    let answer = AuthorizationResponse::Query(&query);
    let mut flow = waiting(&stored()).redeem(&answer, &client, &ServerMemory::default(), seed());
    let Output::Send(request) = flow.poll(NOW) else { unreachable!("the first output is the request") };
    let ours = request.into_http();
    let theirs = std::cell::RefCell::new(None);
    let refuse = |request: HttpRequest| {
        theirs.replace(Some(request));
        Err::<oauth2::HttpResponse, _>(io::Error::from(io::ErrorKind::Other))
    };
    let exchange = their_token_client();
    let exchange = exchange.exchange_code(AuthorizationCode::new(CODE.into()));
    assert!(exchange.set_pkce_verifier(PkceCodeVerifier::new(VERIFIER.into())).request(&refuse).is_err());
    let theirs = theirs.into_inner().expect("it was sent");
    let form = |body: &[u8]| {
        let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
        pairs.sort();
        pairs
    };
    assert_eq!(form(ours.body()), form(theirs.body()));
    assert_eq!(ours.headers()["authorization"], theirs.headers()["authorization"]);
    for body in [small(), large()] {
        let (ours, theirs) =
            (our_exchange(body.clone())(), their_exchange(Some(body.clone()))().expect("tokens"));
        assert_eq!(ours.access_token.expose(), theirs.access_token().secret());
        assert_eq!(
            ours.refresh_token.as_ref().map(RefreshToken::expose),
            theirs.refresh_token().map(|token| token.secret().as_str())
        );
        assert_eq!(
            ours.expires_at.map(|at| at.0),
            theirs.expires_in().map(|life| NOW.unix.0 + life.as_secs())
        );
        let scopes: Vec<_> = theirs.scopes().into_iter().flatten().map(|scope| scope.as_str()).collect();
        assert!(ours.scope.is_some_and(|scope| scope.iter().eq(scopes)));
    }
    assert_eq!(
        openid_read(&small()).access_token().secret(),
        their_exchange(Some(small()))().expect("tokens").access_token().secret()
    );
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_send_and_read_the_same() {
        super::compare();
    }

    #[test]
    fn each_bench_runs() {
        for bench in [
            super::answer_small,
            super::our_login,
            super::ours_checked,
            super::ours_request,
            super::ours_small,
            super::ours_large,
            super::oauth2_rs_request,
            super::oauth2_rs_small,
            super::oauth2_rs_large,
            super::openidconnect_small,
        ] {
            bench(2);
        }
    }
}
