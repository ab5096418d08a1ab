//! A key that is somewhere else, in a KMS or an HSM: a `Host` whose `key` awaits, and takes no for an answer.
//!
//! `cargo run --example remote_signer` gets a token from a test server that it starts itself, by an assertion that a signing
//! service signs: another port of this machine, HTTP and JSON, slow. Before that, the service refuses in each way there is.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

#[path = "support/signing_service.rs"]
mod signing_service;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauth::core::{
    Algorithm, Input, JwtBearer, KeyFailed, KeyId, KeyTask, KeyWhy, Mono, OptOut, Policy, Registration,
    Remedy, Request, Response, SignTask, Unreachable,
};
use oauth::host::BoxFuture;
use oauth::jwt::{Keyring, ecdsa_signature_from_der};
use oauth::{Authorizer, Host, HyperHost, Settings};
use serde_json::{Value, json};
use signing_service::SigningService;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// HTTP as it was, and keys that the service holds.
struct RemoteSigner {
    http: HyperHost,
    service: SocketAddr,
    /// Empty: what a server signed is verified by the server's keys.
    keyring: Keyring,
    /// What the operator of the service is told.
    reason: Mutex<&'static str>,
}

impl Host for RemoteSigner {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        self.http.send(request)
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        self.http.sleep_until(instant)
    }

    fn key(&self, task: KeyTask) -> BoxFuture<'_, Input> {
        Box::pin(async move {
            match task {
                KeyTask::Sign(task) => match self.sign(&task).await {
                    Ok(signature) => Input::Signature(signature),
                    Err(failed) => Input::KeyFailed(failed),
                },
                other => self.keyring.answer(other),
            }
        })
    }
}

impl RemoteSigner {
    /// What a program would copy: each outcome of the service is an answer of its own.
    async fn sign(&self, task: &SignTask) -> Result<Vec<u8>, KeyFailed> {
        let asked = json!({
            "key": task.key.as_str(),
            "algorithm": task.algorithm.as_str(),
            "message": STANDARD.encode(&task.input),
            "reason": *self.reason.lock().unwrap_or_else(PoisonError::into_inner),
        })
        .to_string();
        // Nobody waits for ever: a flow would, for the clock is the driver's.
        let answer = tokio::time::timeout(Duration::from_secs(5), post(self.service, &asked));
        let (status, answer) = match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(KeyFailed::new(KeyWhy::Busy).because(error)),
            Err(elapsed) => return Err(KeyFailed::new(KeyWhy::Busy).because(elapsed)),
        };
        let failed =
            |why| KeyFailed::new(why).because(answer["error"].as_str().unwrap_or("it does not say why"));
        match status {
            200 => {
                let der = STANDARD.decode(answer["signature"].as_str().unwrap_or_default());
                let der = der.map_err(|error| KeyFailed::new(KeyWhy::Unsupported).because(error))?;
                ecdsa_signature_from_der(&task.algorithm, &der)
                    .map_err(|error| KeyFailed::new(KeyWhy::Unsupported).because(error))
            }
            400 => Err(failed(KeyWhy::Unsupported)),
            403 => Err(failed(KeyWhy::Denied)),
            404 => Err(failed(KeyWhy::NoKey)),
            _ => Err(failed(KeyWhy::Busy)),
        }
    }
}

/// One request over one connection: enough for a service on this machine.
async fn post(service: SocketAddr, body: &str) -> io::Result<(u16, Value)> {
    let mut stream = TcpStream::connect(service).await?;
    let head = format!(
        "POST /sign HTTP/1.1\r\nHost: {service}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
    let mut answer = Vec::new();
    stream.take(64 << 10).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let read = || {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).ok()?))
    };
    read().ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "it hung up"))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    for line in tour().await? {
        println!("{line}");
    }
    Ok(())
}

/// Each way to be refused, and then a token: a line for each.
pub(crate) async fn tour() -> Result<Vec<String>, Box<dyn Error>> {
    let service = SigningService::start()?;
    let server =
        oauth_testserver::TestServer::builder().jwt_issuer("payroll", &*service.public_jwk).start()?;
    let signer = Arc::new(RemoteSigner {
        http: HyperHost::new(Settings::default())?,
        service: service.address,
        keyring: Keyring::new(),
        reason: Mutex::new("the monthly run"),
    });
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let registration = Registration::public("payroll");
    let authorizer =
        Authorizer::discover_with(server.issuer(), registration, policy, Arc::clone(&signer) as _).await?;
    let grant = |key: &str, algorithm| JwtBearer::new(KeyId::new(key), algorithm, "payroll", server.issuer());
    let because = |reason| *signer.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    let mut lines = Vec::new();

    // The setup is wrong, and no other try will help.
    for (key, algorithm) in [("payroll", Algorithm::ES384), ("pay-roll", Algorithm::ES256)] {
        lines.push(refused(&authorizer, grant(key, algorithm)).await?);
    }
    // A person said no.
    because("a run at midnight");
    lines.push(refused(&authorizer, grant("payroll", Algorithm::ES256)).await?);
    because("the monthly run");
    // Out of reach, which passes: the remedy says so.
    service.hang_up_once();
    let authorization = loop {
        match authorizer.exchange(grant("payroll", Algorithm::ES256)).await {
            Ok(authorization) => break authorization,
            Err(error) if matches!(error.remedy(), Remedy::TryAgain { .. }) => {
                lines.push(format!("{error}; {}", error.remedy()));
            }
            Err(error) => return Err(error.into()),
        }
    };
    lines.push(authorization.header_value().to_owned());
    Ok(lines)
}

async fn refused(authorizer: &Authorizer, grant: JwtBearer) -> Result<String, Box<dyn Error>> {
    match authorizer.exchange(grant).await {
        Ok(_) => Err("the service signed what it should refuse".into()),
        Err(error) => Ok(format!("{error}; {}", error.remedy())),
    }
}
