//! The engines, what differs between them, and what is checked of every outcome.

use crate::peers::nginx;
use oauth_core::{
    Delivered, Endpoint, OptOut, Policy, Purpose, Request, Response, SecretBytes, Unreachable,
    UnreachableKind,
};
use oauth_transport::contract::Engine;
use oauth_transport::{Proxies, Proxy, Setting, Settings, SettingsError, Support, Transport};
use oauth_transport_hyper::HyperTransport;
use oauth_transport_isahc::IsahcTransport;
use std::error::Error as _;
use std::sync::Arc;

/// What no message may hold: how every password here begins, and what Basic makes of it.
const SECRETS: [&str; 3] = ["planted", "dXNlcjpwbGFudGVk", "cGxhbnRlZ"];

/// An engine, and how much it knows of a failure.
pub(crate) trait Subject: Engine {
    /// Whether it tells with which status a proxy refused.
    const TELLS_STATUS: bool;

    /// The words by which it names what is wrong with a server.
    fn words(flaw: Flaw) -> &'static str;
}

/// What is wrong with a server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flaw {
    Expired,
    WrongName,
    UnknownRoot,
    SelfSigned,
    OldTls,
    Revoked,
}

pub(crate) struct Hyper;

impl Engine for Hyper {
    fn transport(settings: Settings) -> Result<Box<dyn Transport>, SettingsError> {
        Ok(Box::new(HyperTransport::new(settings)?))
    }

    fn supports(setting: Setting) -> Support {
        HyperTransport::supports(setting)
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }
}

impl Subject for Hyper {
    const TELLS_STATUS: bool = true;

    fn words(flaw: Flaw) -> &'static str {
        match flaw {
            Flaw::Expired => "has expired",
            Flaw::WrongName => "is for another name",
            Flaw::UnknownRoot => "issued by an authority that is not trusted",
            Flaw::SelfSigned => "is self-signed",
            Flaw::OldTls => "it must offer TLS 1.2 or 1.3",
            Flaw::Revoked => "was revoked",
        }
    }
}

pub(crate) struct Isahc;

impl Engine for Isahc {
    fn transport(settings: Settings) -> Result<Box<dyn Transport>, SettingsError> {
        Ok(Box::new(IsahcTransport::new(settings)?))
    }

    fn supports(setting: Setting) -> Support {
        IsahcTransport::supports(setting)
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        futures_lite::future::block_on(future)
    }
}

/// libcurl's codes do not tell one flaw of a certificate from another: its words name all of them.
impl Subject for Isahc {
    const TELLS_STATUS: bool = false;

    fn words(flaw: Flaw) -> &'static str {
        match flaw {
            Flaw::Expired => "out of date",
            Flaw::WrongName => "for another name",
            Flaw::UnknownRoot | Flaw::SelfSigned => "of an authority that is not trusted",
            Flaw::OldTls => "it does not speak TLS 1.2 or later",
            Flaw::Revoked => "revoked",
        }
    }
}

/// Settings that trust nginx's authority, beside the platform's.
pub(crate) fn trusting() -> Settings {
    Settings::new().with_extra_roots_pem(nginx().authority().root_pem().as_bytes()).unwrap()
}

/// The same through one proxy for everything.
pub(crate) fn through(url: &str) -> Settings {
    trusting().with_proxies(proxies(url))
}

pub(crate) fn proxies(url: &str) -> Proxies {
    Proxies::through(Proxy::new(url).unwrap())
}

/// A transport with these settings; `None` where the engine said, before anything was sent, that it does not carry one.
#[track_caller]
pub(crate) fn transport<E: Engine>(settings: Settings) -> Option<Box<dyn Transport>> {
    let lacking =
        settings.used().into_iter().find(|setting| matches!(E::supports(*setting), Support::Unsupported(_)));
    match (E::transport(settings), lacking) {
        (Ok(transport), None) => Some(transport),
        (Err(SettingsError::Unsupported { setting, .. }), Some(lacking)) if setting == lacking.name() => None,
        (Ok(_), Some(lacking)) => panic!("{lacking} is not carried, and was not refused"),
        (Err(error), _) => panic!("{error}"),
    }
}

/// What came of one request over a transport that is dropped right after; `None` as for [`transport`].
#[track_caller]
pub(crate) fn send<E: Engine>(settings: Settings, request: Request) -> Option<Result<Response, Unreachable>> {
    let transport = transport::<E>(settings)?;
    Some(E::block_on(transport.send(request)))
}

/// The answer to a POST that nothing stood in the way of; `None` as for [`transport`].
#[track_caller]
pub(crate) fn succeeds<E: Engine>(settings: Settings, url: &str) -> Option<Response> {
    let response = send::<E>(settings, post(url))?.unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!((response.status().as_u16(), response.body()), (200, &br#"{"answer":"nginx"}"#[..]), "{url}");
    assert_eq!((seen(&response, "x-method"), seen(&response, "x-proxy-authorization")), ("POST", ""));
    Some(response)
}

/// What people get to read of a POST that failed as it should, and of which nothing arrived; `None` as for [`transport`].
#[track_caller]
pub(crate) fn fails<E: Engine>(settings: Settings, url: &str, kind: UnreachableKind) -> Option<String> {
    let Err(error) = send::<E>(settings, post(url))? else { panic!("{url} answered") };
    assert_eq!((error.kind, error.delivered), (kind, Delivered::No), "{url}: {error:?}");
    Some(presentable(&error))
}

/// The message of an error, which holds no secret in any way of showing it.
#[track_caller]
pub(crate) fn presentable(error: &Unreachable) -> String {
    let mut shown = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        shown.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
    }
    error.to_string()
}

/// Checks that a proxy's refusal is told with its status, where the engine knows it.
#[track_caller]
pub(crate) fn tells_status<E: Subject>(message: &str, status: u16) {
    assert!(!E::TELLS_STATUS || message.contains(&status.to_string()), "{status} is told: {message}");
}

/// What the server saw, which it says in a header; empty where it says nothing.
pub(crate) fn seen<'a>(response: &'a Response, header: &str) -> &'a str {
    response.headers().get(header).map_or("", |value| value.to_str().unwrap())
}

pub(crate) fn get(url: &str) -> Request {
    Request::get(Purpose::Discovery, endpoint(url))
}

/// A request that is sent once at most, with a secret in its body.
pub(crate) fn post(url: &str) -> Request {
    Request::form(Purpose::Token, endpoint(url), SecretBytes::new(*b"grant_type=x&code=planted-code"))
}

fn endpoint(url: &str) -> Arc<Endpoint> {
    Arc::new(Endpoint::new(url, &Policy::strict().waive(OptOut::PlainHttpOnLoopback)).unwrap())
}
