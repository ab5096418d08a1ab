#![allow(missing_docs, reason = "tests name what they check")]
//! The rules of the listener, each over every driver.

/// Every rule, under every driver that is built.
macro_rules! over_every_driver {
    ($($rule:ident,)+) => {
        mod with_threads { $(#[test] fn $rule() { super::$rule(&crate::drivers::Threads); })+ }
        #[cfg(feature = "tokio")]
        mod with_tokio { $(#[test] fn $rule() { super::$rule(&crate::drivers::Tokio); })+ }
        #[cfg(feature = "async-io")]
        mod with_async_io { $(#[test] fn $rule() { super::$rule(&crate::drivers::AsyncIo); })+ }
        #[cfg(feature = "smol")]
        mod with_smol { $(#[test] fn $rule() { super::$rule(&crate::drivers::Smol); })+ }
        #[cfg(feature = "async-std")]
        mod with_async_std { $(#[test] fn $rule() { super::$rule(&crate::drivers::AsyncStd); })+ }
    };
}

mod accepting;
mod answering;
mod bad_input;
mod browser;
mod deciding;
mod drivers;
mod ending;
#[cfg(feature = "tls")]
mod https;
mod kept;
mod login;
mod modes;

use browser::{Tab, get, request};
use drivers::{Driver, Running};
use login::Login;
use oauth_core::{AuthorizationResponse, NotOurs, Recognised};
use oauth_loopback::{
    Address, BindError, Delivery, Host, Listener, Note, OwnPage, ReceiveError, ReceiveOptions, ResponseMode,
    WebServer,
};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

const FORM: &str = "application/x-www-form-urlencoded";

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(20);

fn quick() -> ReceiveOptions {
    ReceiveOptions::new()
        .timeout(LONG)
        .hold_at_most(LONG)
        .head_timeout(Duration::from_secs(5))
        .drain_at_most(Duration::from_millis(100))
        .grace(Duration::from_millis(20))
}

fn start(driver: &dyn Driver, options: ReceiveOptions) -> Running {
    driver.start(Listener::bind(&Address::new()).unwrap(), judge, options)
}

/// Ours is what carries the state `s`.
fn judge(response: &AuthorizationResponse<'_>) -> Recognised {
    let text = match response {
        AuthorizationResponse::Query(text) | AuthorizationResponse::Fragment(text) => text.as_bytes(),
        AuthorizationResponse::Form(body) => body,
        _ => b"",
    };
    let mut parameters = text.split(|byte| *byte == b'&');
    match parameters.find(|parameter| parameter.starts_with(b"state=")) {
        Some(b"state=s") => Recognised::Ours,
        Some(_) => Recognised::NotOurs(NotOurs::OtherState),
        None => Recognised::NotOurs(NotOurs::NoState),
    }
}

fn query_of(callback: &oauth_loopback::Callback) -> String {
    match callback.response.as_response() {
        AuthorizationResponse::Query(query) => query.to_owned(),
        other => panic!("{other:?} is no query"),
    }
}

fn form(running: &Running, content_type: &str, body: &str) -> String {
    let host = format!("Host: 127.0.0.1:{}\r\n", running.port);
    let headers =
        format!("{host}Origin: null\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
    request("POST", "/callback", &headers) + body
}

fn is_pending(delivery: &mut Delivery) -> bool {
    Pin::new(delivery).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

fn is_taken(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err()
}

fn is_free(port: u16) -> bool {
    !is_taken(port)
}

/// For what happens in the background: asks until it is so.
fn becomes_free(port: u16) -> bool {
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        if is_free(port) {
            return true;
        }
        std::thread::yield_now();
    }
    false
}
