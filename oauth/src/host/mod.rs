//! The world as a driver needs it: HTTP, keys, sleep, clocks, chance. One trait, and a host per engine.

#[cfg(feature = "hyper")]
mod hyper;
#[cfg(all(feature = "stores", any(feature = "hyper", feature = "isahc")))]
mod identity;
#[cfg(feature = "isahc")]
mod isahc;
#[cfg(feature = "jwt")]
mod keys;
mod park;

#[cfg(feature = "hyper")]
pub use self::hyper::HyperHost;
#[cfg(all(feature = "stores", any(feature = "hyper", feature = "isahc")))]
pub use self::identity::identity;
#[cfg(feature = "isahc")]
pub use self::isahc::IsahcHost;
#[cfg(feature = "jwt")]
pub use self::keys::WithKeys;

use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use oauth_core::{
    Failure, Flow, Input, KeyTask, Learned, Mono, Now, Output, Request, Response, Seed, Unix, Unreachable,
};
use std::io;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A future behind a pointer, as a trait object needs it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a driver needs of the world.
///
/// Dyn-safe, so that the engine is chosen at run time. A blocking host does its work inside the call and returns a
/// ready future: the same driver serves it, and nothing is written twice. Only [`send`](Self::send) and
/// [`sleep_until`](Self::sleep_until) have to be written; a host for tests overrides the clock and the chance as well.
pub trait Host: Send + Sync {
    /// Performs a request once, as [`Request`] says it must be.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>>;

    /// Returns at this instant of [`now`](Self::now)'s monotonic clock.
    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()>;

    /// Gives a task to whoever holds the keys. A host without keys of its own verifies, with the feature `jwt`, what a
    /// server signed, and can do nothing else.
    fn key(&self, task: KeyTask) -> BoxFuture<'_, Input> {
        Box::pin(core::future::ready(without_keys(task)))
    }

    /// Both clocks of this machine.
    fn now(&self) -> Now {
        now()
    }

    /// Fresh chance from the operating system.
    ///
    /// # Errors
    /// The system has none to give.
    fn seed(&self) -> io::Result<Seed> {
        let mut bytes = [0; Seed::LENGTH];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Seed::new(bytes))
    }

    /// Runs a future to its end on this thread: what the blocking front is made of.
    ///
    /// The default parks the thread between wake-ups. A host whose futures live in a runtime enters it here.
    fn block_on(&self, future: BoxFuture<'_, ()>) {
        park::block_on(future);
    }

    /// Where the sign-in tells of the browser: by default nowhere. A host around another one passes the call on.
    #[cfg(any(feature = "hyper", feature = "isahc"))]
    fn events(&self) -> oauth_transport::EventSink {
        oauth_transport::EventSink::none()
    }

    /// Waits for the browser on a bound listener. The default runs the listener on threads of its own.
    #[cfg(feature = "loopback")]
    fn receive(&self, wait: crate::sign_in::Wait) -> BoxFuture<'_, crate::sign_in::Received> {
        crate::sign_in::receive_on_threads(wait)
    }
}

#[cfg(feature = "jwt")]
fn without_keys(task: KeyTask) -> Input {
    static EMPTY: OnceLock<oauth_jwt::Keyring> = OnceLock::new();
    EMPTY.get_or_init(oauth_jwt::Keyring::new).answer(task)
}

#[cfg(not(feature = "jwt"))]
fn without_keys(task: KeyTask) -> Input {
    use oauth_core::{KeyFailed, KeyWhy};
    match task {
        KeyTask::Open(_) => Input::KeyFailed(KeyFailed::new(KeyWhy::Unsupported).because(
            "build with the feature `jwt`, which verifies ID tokens, or leave openid out of the scope",
        )),
        other => other.unsupported(),
    }
}

/// Both clocks of this machine; the monotonic one counts from the first call in this process.
#[must_use]
pub fn now() -> Now {
    static START: OnceLock<Instant> = OnceLock::new();
    let mono = START.get_or_init(Instant::now).elapsed();
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Now { mono: Mono::from_duration(mono), unix: Unix(unix.as_secs()) }
}

/// How long it is from now to this instant on the clock of [`now`].
#[cfg(any(feature = "hyper", feature = "isahc"))]
pub(crate) fn until(instant: Mono) -> Duration {
    instant.since(now().mono)
}

/// Drives a flow to its end: the same dozen lines for every grant, async and blocking.
///
/// What the server taught on the way is lost; [`Authorizer`](crate::Authorizer) keeps it.
///
/// # Errors
/// What the flow ends with.
pub async fn drive<F: Flow>(flow: F, host: &dyn Host) -> Result<F::Outcome, Failure> {
    drive_and_learn(flow, host).await.0
}

pub(crate) async fn drive_and_learn<F: Flow>(
    mut flow: F,
    host: &dyn Host,
) -> (Result<F::Outcome, Failure>, Learned) {
    let result = loop {
        let input = match flow.poll(host.now()) {
            Output::Send(request) => Input::from(host.send(request).await),
            Output::Key(task) => host.key(task).await,
            Output::Wait(instant) => {
                host.sleep_until(instant).await;
                continue;
            }
            Output::Idle => break Err(Failure::idle()),
            Output::Done(result) => break result,
        };
        flow.handle(input, host.now());
    };
    (result, flow.take_learned())
}
