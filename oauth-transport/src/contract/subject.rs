//! The requests that the cases send, and what they check of every failure.

use super::Engine;
use super::server::Server;
use crate::{Setting, Settings, SettingsError, Support, Transport};
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use oauth_core::{
    Delivered, Endpoint, OptOut, Policy, Purpose, Request, Response, SecretBytes, Unreachable,
    UnreachableKind,
};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Secrets that every request carries and no message may show.
const SECRETS: [&str; 6] = [
    "planted-code",
    "planted-verifier",
    "planted-basic",
    "planted-query",
    "planted-proxy",
    "dXNlcjpwbGFudGVk",
];
pub(super) const BODY: &[u8] =
    b"grant_type=authorization_code&code=planted-code&code_verifier=planted-verifier";

/// Short enough for a test, long enough for a busy machine.
pub(super) const SHORT: Duration = Duration::from_millis(400);
/// No case that ends a request early may take longer.
pub(super) const PROMPT: Duration = Duration::from_secs(10);

pub(super) fn endpoint(url: &str) -> Arc<Endpoint> {
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    Arc::new(Endpoint::new(url, &policy).expect("the case's URL is an endpoint"))
}

pub(super) fn get(url: &str) -> Request {
    Request::get(Purpose::Discovery, endpoint(url))
}

/// A one-shot request with a secret wherever one can be.
pub(super) fn post(url: &str) -> Request {
    let mut basic = HeaderValue::from_static("Basic planted-basic");
    basic.set_sensitive(true);
    Request::form(Purpose::Token, endpoint(&format!("{url}?hint=planted-query")), SecretBytes::new(BODY))
        .with_header(AUTHORIZATION, basic)
        .with_header(HeaderName::from_static("dpop"), HeaderValue::from_static("proof"))
}

impl Server {
    pub(super) fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub(super) fn https(&self, path: &str) -> String {
        format!("https://{}{path}", self.address())
    }
}

pub(super) fn transport<E: Engine>(settings: Settings) -> Box<dyn Transport> {
    E::transport(settings).expect("the transport can be made")
}

/// Whether the engine carries a setting that these settings use.
///
/// One that does not has to refuse them by the setting's name, before anything is sent.
#[track_caller]
pub(super) fn carries<E: Engine>(setting: Setting, settings: &Settings) -> bool {
    assert!(settings.used().contains(&setting), "{setting} is not used: {:?}", settings.used());
    if !matches!(E::supports(setting), Support::Unsupported(_)) {
        return true;
    }
    let error = E::transport(settings.clone()).err();
    let Some(SettingsError::Unsupported { setting: named, .. }) = error else {
        panic!("{setting} is not carried, and not refused either: {error:?}")
    };
    let first =
        settings.used().into_iter().find(|setting| matches!(E::supports(*setting), Support::Unsupported(_)));
    assert_eq!(Some(named), first.map(Setting::name));
    false
}

/// Sends over a fresh transport with the default settings.
pub(super) fn send<E: Engine>(request: Request) -> Result<Response, Unreachable> {
    send_with::<E>(Settings::new(), request)
}

pub(super) fn send_with<E: Engine>(settings: Settings, request: Request) -> Result<Response, Unreachable> {
    let transport = transport::<E>(settings);
    E::block_on(transport.send(request))
}

/// Checks a failure: its kind, whether the request may have arrived, and what people get to read of it.
#[track_caller]
pub(super) fn assert_fails(
    result: Result<Response, Unreachable>,
    kinds: &[UnreachableKind],
    delivered: Delivered,
) -> Unreachable {
    let error = result.expect_err("no whole, trustworthy response came");
    assert!(kinds.contains(&error.kind), "one of {kinds:?}: {error:?}");
    assert_eq!(error.delivered, delivered, "{error:?}");
    assert_presentable(&error);
    error
}

/// Checks that a message helps, is one line, and holds no secret.
#[track_caller]
pub(super) fn assert_presentable(error: &Unreachable) {
    let cause = error.cause.as_ref().expect("a transport says what it knows").to_string();
    assert!(!cause.trim().is_empty() && !cause.contains(char::is_control), "one line: {cause:?}");
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let text = error.to_string();
        assert!(!text.contains(char::is_control), "one line: {text:?}");
        shown.push_str(&text);
        source = error.source();
    }
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
    }
}

/// Runs a case that must not take long.
#[track_caller]
pub(super) fn promptly<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < PROMPT, "it took {:?}", start.elapsed());
    result
}

/// The same case in a process of its own, whose environment and memory are its own.
pub(super) fn again(case: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().expect("a test knows its program"));
    // A test runs on a thread of its name, unless there is only one thread.
    let name = thread::current().name().filter(|name| name.ends_with(case)).map(str::to_owned);
    match name {
        Some(name) => child.args([&name, "--exact"]),
        None => child.arg(case),
    };
    child.args(["--nocapture", "--test-threads=1"]);
    child
}

/// Tells what was measured, to whoever runs the case with `--nocapture`.
#[expect(clippy::print_stdout, reason = "a test runner shows it, or not")]
pub(super) fn figures(text: &str) {
    println!("{text}");
}
