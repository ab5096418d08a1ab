//! The peer that does the most, over the same bytes. Its futures never wait: each is polled once.
//!
//! It draws its own chance for the URL, which the others are given, so that its row there has the cost of it.

use crate::authorization_url::{AUTHORIZATION_ENDPOINT, CLIENT_ID, REDIRECT_URI, VERIFIER};
use crate::exchange::{CODE, SECRET, TOKEN_ENDPOINT, large, small};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use huskarl::core::Error;
use huskarl::core::client_auth::{ClientSecret, NoAuth};
use huskarl::core::error::RetryAdvice;
use huskarl::core::http::{HttpClient, HttpResponse, Idempotency};
use huskarl::core::platform::MaybeSendBoxFuture;
use huskarl::core::secrets::{ProvidedSecret, SecretString};
use huskarl::grant::authorization_code::{
    AuthorizationCodeGrant, AuthorizationCodeGrantParameters, StartInput,
};
use huskarl::grant::core::{OAuth2ExchangeGrant as _, TokenResponse};
use huskarl::grant::device_authorization::{DeviceAuthorizationGrant, PendingState, PollResult};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// A server that always says the same; `None` is one that is not there.
struct Canned {
    status: StatusCode,
    body: Option<Vec<u8>>,
}

impl HttpClient for Canned {
    fn execute(
        &self,
        request: Request<Bytes>,
        _: Idempotency,
    ) -> MaybeSendBoxFuture<'_, Result<HttpResponse, Error>> {
        let _sent = black_box(request);
        Box::pin(std::future::ready(match &self.body {
            None => Err(Error::new(RetryAdvice::No, std::io::Error::from(std::io::ErrorKind::Other))),
            Some(body) => {
                let mut headers = HeaderMap::new();
                headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Ok(HttpResponse { status: self.status, headers, body: Bytes::copy_from_slice(body) })
            }
        }))
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing is waited for"),
    }
}

fn grant(body: Option<Vec<u8>>) -> AuthorizationCodeGrant {
    let secret = ProvidedSecret::new(SecretString::new(SECRET));
    now(AuthorizationCodeGrant::builder()
        .client_id(CLIENT_ID)
        .http_client(Canned { status: StatusCode::OK, body })
        .client_auth(ClientSecret::builder().client_secret(secret).prefer_basic_auth(true).build())
        .token_endpoint(TOKEN_ENDPOINT.parse().expect("a URL"))
        .authorization_endpoint(AUTHORIZATION_ENDPOINT.parse().expect("a URL"))
        .redirect_uri(REDIRECT_URI)
        .oidc(false)
        .build())
    .expect("the setup is right")
}

pub(crate) fn url(times: u32) {
    let grant = grant(None);
    for _ in 0..times {
        let scopes = ["profile", "email", "offline_access"].map(String::from);
        let started = now(grant.start(StartInput::scope(scopes.into()))).expect("nothing is sent");
        let _made = black_box(started.authorization_url.to_string());
    }
}

fn exchange(grant: &AuthorizationCodeGrant) -> Result<TokenResponse, Error> {
    let parameters = AuthorizationCodeGrantParameters::builder()
        .code(black_box(CODE))
        .pkce_verifier(black_box(VERIFIER))
        .build();
    now(grant.exchange(parameters))
}

fn exchanges(times: u32, body: Option<Vec<u8>>) {
    let grant = grant(body);
    for _ in 0..times {
        let _made = black_box(exchange(&grant).is_ok());
    }
}

pub(crate) fn request(times: u32) {
    exchanges(times, None);
}

pub(crate) fn exchange_small(times: u32) {
    exchanges(times, Some(small()));
}

pub(crate) fn exchange_large(times: u32) {
    exchanges(times, Some(large()));
}

pub(crate) fn device_poll(times: u32) {
    let body = Some(br#"{"error":"authorization_pending"}"#.to_vec());
    let grant = DeviceAuthorizationGrant::builder()
        .client_id(CLIENT_ID)
        .http_client(Canned { status: StatusCode::BAD_REQUEST, body })
        .client_auth(NoAuth)
        .token_endpoint(TOKEN_ENDPOINT.parse().expect("a URL"))
        .device_authorization_endpoint("https://as.example/device".parse().expect("a URL"))
        .build();
    let code = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS";
    let mut pending = PendingState::builder().device_code(code).interval_secs(1).build();
    for _ in 0..times {
        let polled = now(grant.poll(&mut pending, None));
        assert!(matches!(black_box(polled), Ok(PollResult::Pending)), "the answer was to wait");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_the_others_read() {
        let token = exchange(&grant(Some(small())))
            .expect("tokens")
            .access_token()
            .token()
            .expose_secret()
            .to_owned();
        assert!(String::from_utf8(small()).expect("text").contains(&token) && token.len() > 200);
    }

    #[test]
    fn each_bench_runs() {
        for bench in [url, request, exchange_small, exchange_large, device_poll] {
            bench(2);
        }
    }
}
