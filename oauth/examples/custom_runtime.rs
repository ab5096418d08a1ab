//! A runtime of one's own: a `Host` whose requests and waits run on threads, and an executor of thirty lines.
//!
//! `cargo run --example custom_runtime` runs two conversations at once, on one thread, against a test server that it
//! starts itself.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

#[path = "support/http.rs"]
mod http_by_hand;

use oauth::core::{ClientSecret, Mono, OptOut, Policy, Registration, Request, Response, Unreachable};
use oauth::host::{BoxFuture, now};
use oauth::{Authorizer, Host};
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// Everything that waits, waits on a thread of its own.
struct Threads;

impl Host for Threads {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        Box::pin(on_thread(move || http_by_hand::send(&request)))
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        Box::pin(on_thread(move || thread::sleep(instant.since(now().mono))))
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let server = oauth_testserver::TestServer::builder().device_interval(Duration::from_secs(1)).start()?;
    let issuer = server.issuer();
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);

    let service = async {
        let registration = Registration::with_secret("demo-basic", ClientSecret::new("demo-basic-secret"));
        let authorizer =
            Authorizer::discover_with(issuer, registration, policy.clone(), Arc::new(Threads)).await?;
        let authorization = authorizer.client_credentials(None).await?;
        println!("the service: {}", authorization.header_value());
        Ok(())
    };
    let person = async {
        let registration = Registration::public("demo");
        let authorizer =
            Authorizer::discover_with(issuer, registration, policy.clone(), Arc::new(Threads)).await?;
        let sign_in = authorizer.sign_in_on_device(None, |prompt| {
            println!("open {} and enter {}", prompt.verification_uri, prompt.user_code);
            let (page, code) = (prompt.verification_uri.to_string(), prompt.user_code.clone());
            thread::spawn(move || oauth_testserver::Browser::new().approve_device(&page, &code));
        });
        println!("the person: {}", sign_in.await?.header_value());
        Ok(())
    };
    run(vec![Box::pin(service), Box::pin(person)])
}

type Task<'a> = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error>>> + 'a>>;

/// The executor: polls what was woken, parks when nothing was.
fn run(tasks: Vec<Task<'_>>) -> Result<(), Box<dyn Error>> {
    let mut tasks: Vec<_> = tasks.into_iter().map(|task| (task, Alarm::new())).collect();
    while !tasks.is_empty() {
        let mut left = Vec::new();
        for (mut task, alarm) in tasks {
            if alarm.rung.swap(false, Ordering::SeqCst) {
                let waker = Waker::from(Arc::clone(&alarm));
                if let Poll::Ready(result) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
                    result?;
                    continue;
                }
            }
            left.push((task, alarm));
        }
        tasks = left;
        if !tasks.is_empty() && !tasks.iter().any(|(_, alarm)| alarm.rung.load(Ordering::SeqCst)) {
            thread::park();
        }
    }
    Ok(())
}

struct Alarm {
    rung: AtomicBool,
    executor: Thread,
}

impl Alarm {
    fn new() -> Arc<Self> {
        Arc::new(Self { rung: AtomicBool::new(true), executor: thread::current() })
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        self.executor.unpark();
    }
}

/// What a thread works out, as a future.
fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = T> + Send {
    let shared = Arc::new(Mutex::new((None, None::<Waker>)));
    let told = Arc::clone(&shared);
    thread::spawn(move || {
        let outcome = work();
        let mut shared = told.lock().unwrap_or_else(PoisonError::into_inner);
        shared.0 = Some(outcome);
        if let Some(waker) = shared.1.take() {
            waker.wake();
        }
    });
    std::future::poll_fn(move |context| {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.1 = Some(context.waker().clone());
        shared.0.take().map_or(Poll::Pending, Poll::Ready)
    })
}
