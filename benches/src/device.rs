//! One poll of a device login that is still pending (RFC 8628 section 3.5): the request, the answer, the decision.

use crate::authorization_url::{our_device_client, seed};
use crate::exchange::response;
use oauth_core::{Client, DevicePrompt, Flow as _, Input, Mono, Now, Output, ServerMemory, Unix};
use oauth2::basic::{BasicClient, BasicTokenType};
use oauth2::{
    AuthUrl, ClientId, DeviceAuthorizationUrl, EmptyExtraTokenFields, HttpRequest,
    StandardDeviceAuthorizationResponse, StandardTokenResponse, TokenUrl,
};
use std::cell::Cell;
use std::hint::black_box;
use std::time::Duration;

const PROMPT: &[u8] = br#"{"device_code":"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS","user_code":"WDJB-MJHT","verification_uri":"https://as.example/device","expires_in":86400,"interval":1}"#;
const PENDING: &[u8] = br#"{"error":"authorization_pending"}"#;
const DENIED: &[u8] = br#"{"error":"access_denied"}"#;

const fn at(second: u64) -> Now {
    Now { mono: Mono::from_nanos(second * 1_000_000_000), unix: Unix(1_700_000_000 + second) }
}

fn prompt() -> DevicePrompt {
    prompt_of(&our_device_client())
}

fn prompt_of(client: &Client) -> DevicePrompt {
    let mut flow =
        client.authorize_device(None, &ServerMemory::default(), seed()).expect("the setup is right");
    let Output::Send(_) = flow.poll(at(0)) else { unreachable!("the first output is the request") };
    flow.handle(Input::Response(response(200, PROMPT).into()), at(0));
    match flow.poll(at(0)) {
        Output::Done(Ok(prompt)) => prompt,
        output => unreachable!("{output:?}"),
    }
}

/// So many pending answers, in as many seconds.
pub(crate) fn ours(times: u32) {
    let mut flow = prompt().poll;
    for second in 1..=u64::from(times) {
        let Output::Send(request) = flow.poll(at(second)) else { unreachable!("a second has passed") };
        let _sent = black_box(request.into_http());
        flow.handle(Input::Response(response(400, PENDING).into()), at(second));
        let Output::Wait(_) = black_box(flow.poll(at(second))) else {
            unreachable!("the answer was to wait")
        };
    }
}

pub(crate) fn oauth2_rs(times: u32) {
    let client = BasicClient::new(ClientId::new("s6BhdRkqt3".into()))
        .set_auth_uri(AuthUrl::new("https://as.example/authorize".into()).expect("a URL"))
        .set_token_uri(TokenUrl::new("https://as.example/token".into()).expect("a URL"))
        .set_device_authorization_url(
            DeviceAuthorizationUrl::new("https://as.example/device".into()).expect("a URL"),
        );
    let details: StandardDeviceAuthorizationResponse = serde_json::from_slice(PROMPT).expect("a prompt");
    let left = Cell::new(times);
    let answer = |request: HttpRequest| {
        let _sent = black_box(request);
        let more = left.get();
        left.set(more.saturating_sub(1));
        Ok::<_, std::io::Error>(response(400, if more > 0 { PENDING } else { DENIED }))
    };
    let result: Result<StandardTokenResponse<EmptyExtraTokenFields, BasicTokenType>, _> =
        client.exchange_device_access_token(&details).request(&answer, |_: Duration| {}, None);
    assert!(black_box(result).is_err(), "the last answer is a refusal");
}

/// What a waiting login takes, in bytes: the flow, and the code that it keeps.
pub(crate) fn waiting() -> usize {
    size_of_val(&prompt().poll) + "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS".len()
}

/// What a hundred thousand of them take in one process, on one thread: the growth of its resident memory, in bytes.
pub(crate) fn resident_memory_of_waiting_logins() -> u64 {
    const LOGINS: usize = 100_000;
    // What is made once, and what the first one leaves behind, is there before.
    let client = our_device_client();
    let mut waiting = Vec::with_capacity(LOGINS);
    let _first = prompt_of(&client);
    let before = resident_memory();
    for _ in 0..LOGINS {
        waiting.push(prompt_of(&client).poll);
    }
    let after = resident_memory();
    drop(black_box(waiting));
    after - before
}

/// What is in memory of this process, in bytes.
pub(crate) fn resident_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(u64::MAX / 2048) * 1024
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_bench_runs() {
        super::ours(3);
        super::oauth2_rs(3);
        assert!(super::waiting() <= crate::WAITING_LOGIN);
    }
}
