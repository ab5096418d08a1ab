//! A host that tells what goes over the wire, without a secret in it.

use crate::report::Report;
use oauth::core::{Input, KeyTask, Mono, Now, Request, Response, Seed, Unreachable};
use oauth::host::BoxFuture;
use oauth::{Host, Received, Wait};
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Tells each request as a step: what it is for, where it goes, what came, how long it took.
pub(crate) struct Observed {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) report: Report,
}

impl Host for Observed {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        let line = format!("{} {}", request.method(), request.endpoint());
        let purpose = match request.purpose() {
            oauth::core::Purpose::Discovery => "discover",
            oauth::core::Purpose::DeviceAuthorization => "device",
            oauth::core::Purpose::Resource => "resource",
            _ => "token",
        };
        Box::pin(async move {
            let begun = Instant::now();
            let result = self.host.send(request).await;
            let took = begun.elapsed().as_millis();
            match &result {
                Ok(response) => {
                    self.report
                        .step(purpose, format_args!("{line}   {}   {took} ms", response.status().as_u16()));
                }
                Err(unreachable) => {
                    self.report.step(purpose, format_args!("{line}   {unreachable}   {took} ms"))
                }
            }
            result
        })
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        self.host.sleep_until(instant)
    }

    fn key(&self, task: KeyTask) -> BoxFuture<'_, Input> {
        match &task {
            KeyTask::Open(_) => self.report.step("verify", "the ID token, with the server's keys"),
            _ => self.report.step("sign", "an assertion, with the key given"),
        }
        self.host.key(task)
    }

    fn now(&self) -> Now {
        self.host.now()
    }

    fn seed(&self) -> io::Result<Seed> {
        self.host.seed()
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) {
        self.host.block_on(future);
    }

    fn events(&self) -> oauth::transport::EventSink {
        self.host.events()
    }

    fn receive(&self, wait: Wait) -> BoxFuture<'_, Received> {
        self.host.receive(wait)
    }
}
