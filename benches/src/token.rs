//! A token request and its answer (RFC 6749 sections 5.1 and 6): a refresh, since it needs no browser before it.
//!
//! The answer is made by copying bytes that are ready, the same on both sides, and is part of what is measured.

use crate::authorization_url::{TheirClient, our_client, seed};
use http::{HeaderValue, Response};
use oauth_core::{Flow as _, Input, Mono, Now, Output, Refresh, RefreshToken, ServerMemory, Tokens, Unix};
use oauth2::basic::BasicTokenResponse;
use oauth2::{EndpointNotSet, EndpointSet, HttpRequest, TokenResponse as _, TokenUrl};
use std::hint::black_box;

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

/// Twelve members, pretty-printed, with an ID token and a nested value: about 4 KB.
pub(crate) fn large() -> Vec<u8> {
    let token = "aB3-".repeat(300);
    let details = (0..8).map(|n| format!("    {{\n      \"type\": \"payment_initiation\",\n      \"locations\": [\"https://api.example/{n}\"],\n      \"instructedAmount\": {{ \"currency\": \"EUR\", \"amount\": \"123.50\" }},\n      \"creditorName\": \"Merchant {n}\"\n    }}"));
    let details = details.collect::<Vec<_>>().join(",\n");
    format!(
        "{{\n  \"access_token\": \"{}\",\n  \"token_type\": \"Bearer\",\n  \"expires_in\": 3600,\n  \"refresh_token\": \"{REFRESH_TOKEN}\",\n  \"scope\": \"profile email offline_access\",\n  \"id_token\": \"{token}\",\n  \"session_state\": \"a1b2c3\",\n  \"not-before-policy\": 0,\n  \"refresh_expires_in\": 86400,\n  \"ext_expires_in\": 7200,\n  \"resource\": \"https://api.example/\",\n  \"authorization_details\": [\n{details}\n  ]\n}}\n",
        &token[..920]
    )
    .into_bytes()
}

pub(crate) fn response(status: u16, body: &[u8]) -> Response<Vec<u8>> {
    let mut response = Response::new(body.to_vec());
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The request alone, down to an `http::Request`.
pub(crate) fn our_request(times: u32) {
    let (client, memory) = (our_client(), ServerMemory::default());
    for _ in 0..times {
        let grant = Refresh::new(RefreshToken::new(black_box(REFRESH_TOKEN)));
        let mut flow = client.exchange(grant, &memory, seed()).expect("the setup is right");
        let Output::Send(request) = flow.poll(NOW) else { unreachable!("the first output is the request") };
        let _made = black_box(request.into_http());
    }
}

pub(crate) fn their_request(times: u32) {
    let client = their_client();
    let token = oauth2::RefreshToken::new(REFRESH_TOKEN.into());
    for _ in 0..times {
        let refuse = |request: HttpRequest| {
            let _made = black_box(request);
            Err::<oauth2::HttpResponse, _>(std::io::Error::from(std::io::ErrorKind::Other))
        };
        let _refused = black_box(client.exchange_refresh_token(black_box(&token)).request(&refuse));
    }
}

fn our_tokens(body: &[u8]) -> impl FnMut() -> Tokens + '_ {
    let (client, memory) = (our_client(), ServerMemory::default());
    move || {
        let grant = Refresh::new(RefreshToken::new(black_box(REFRESH_TOKEN)));
        let mut flow = client.exchange(grant, &memory, seed()).expect("the setup is right");
        let Output::Send(request) = flow.poll(NOW) else { unreachable!("the first output is the request") };
        let _sent = black_box(request.into_http());
        flow.handle(Input::Response(response(200, body).into()), NOW);
        match flow.poll(NOW) {
            Output::Done(Ok(tokens)) => tokens,
            output => unreachable!("{output:?}"),
        }
    }
}

fn their_tokens(body: &[u8]) -> impl FnMut() -> BasicTokenResponse + '_ {
    let client = their_client();
    let token = oauth2::RefreshToken::new(REFRESH_TOKEN.into());
    move || {
        let answer = |request: HttpRequest| {
            let _sent = black_box(request);
            Ok::<_, std::io::Error>(response(200, body))
        };
        client.exchange_refresh_token(black_box(&token)).request(&answer).expect("the answer is right")
    }
}

pub(crate) fn our_exchange_small(times: u32) {
    repeat(times, our_tokens(&small()));
}

pub(crate) fn their_exchange_small(times: u32) {
    repeat(times, their_tokens(&small()));
}

pub(crate) fn our_exchange_large(times: u32) {
    repeat(times, our_tokens(&large()));
}

pub(crate) fn their_exchange_large(times: u32) {
    repeat(times, their_tokens(&large()));
}

fn repeat<T>(times: u32, mut one: impl FnMut() -> T) {
    for _ in 0..times {
        let _made = black_box(one());
    }
}

/// Both read the same, else there is nothing to compare.
///
/// # Panics
/// They do not.
pub(crate) fn compare() {
    assert!(
        (350..450).contains(&small().len()) && (3900..4400).contains(&large().len()),
        "{}",
        large().len()
    );
    for body in [small(), large()] {
        let (ours, theirs) = (our_tokens(&body)(), their_tokens(&body)());
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
}

type TheirTokenClient =
    oauth2::basic::BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn their_client() -> TheirTokenClient {
    let client: TheirClient = crate::authorization_url::their_client();
    client.set_token_uri(TokenUrl::new("https://as.example/token".into()).expect("a URL"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_read_the_same() {
        super::compare();
    }

    #[test]
    fn each_bench_runs() {
        for bench in [
            super::our_request,
            super::their_request,
            super::our_exchange_small,
            super::their_exchange_small,
            super::our_exchange_large,
            super::their_exchange_large,
        ] {
            bench(2);
        }
    }
}
