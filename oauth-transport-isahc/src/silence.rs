//! The limit for the time in which no byte moves.

use async_io::Timer;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Notes when bytes of a request move, and tells when none has for too long.
///
/// What it sees is what libcurl takes from the request's body, and what it hands over of the response: the head as a whole,
/// then the parts of the body.
#[derive(Clone)]
pub(crate) struct Silence(Option<Arc<State>>);

struct State {
    limit: Duration,
    /// `None` before a connection stands.
    until: Mutex<Option<Instant>>,
}

impl Silence {
    /// Counts from the first byte of the body on, which libcurl asks for once a connection stands.
    pub(crate) fn of_body(limit: Option<Duration>) -> Self {
        Self::new(limit, None)
    }

    /// Counts from the time when a connection stands at the latest.
    pub(crate) fn without_body(limit: Option<Duration>, connect_timeout: Duration) -> Self {
        let until = limit.and_then(|limit| Instant::now().checked_add(connect_timeout.checked_add(limit)?));
        Self::new(limit, until)
    }

    fn new(limit: Option<Duration>, until: Option<Instant>) -> Self {
        Self(limit.map(|limit| Arc::new(State { limit, until: Mutex::new(until) })))
    }

    /// Bytes have moved.
    pub(crate) fn broken(&self) {
        if let Some(state) = &self.0 {
            *state.until() = Instant::now().checked_add(state.limit);
        }
    }

    /// Ends when it has been silent for too long.
    pub(crate) async fn too_long(&self) {
        let Some(state) = &self.0 else { return std::future::pending().await };
        loop {
            let until = *state.until();
            match until {
                Some(until) if until <= Instant::now() => return,
                Some(until) => drop(Timer::at(until).await),
                // Where it begins to count in between, this ends before its time is up.
                None => drop(Timer::after(state.limit).await),
            }
        }
    }
}

impl State {
    fn until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
