//! `OAuth`: the component, with every property, method, event and configuration setting under its own name.
//!
//! It is a thin shell over what everybody else uses: [`Authorizer`](crate::Authorizer) for the protocol, a
//! [`Session`](crate::transport::Session) for HTTP, [`SignIn`](crate::SignIn) for the browser. Here are the values that are set
//! one by one (`values`), the table of the settings (`config`), the way from them to a transport (`network`, `engine`), and
//! the choice of the conversation (`run`).

mod config;
mod engine;
mod error;
mod network;
mod profile;
mod properties;
mod run;
mod values;

pub use config::{ConfigSetting, ConfigValue};
pub use error::ComponentError;
pub use profile::{ClientProfile, GrantType};

use crate::{Authorization, blocking};
use engine::Engine;
use oauth_transport::EventSink;
use oauth_transport::session::Interrupt;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use values::Values;

/// Authorizes a client and gives the string for the `Authorization` header: see the [module](self).
///
/// Every method takes `&self`: a component may be shared between threads, and `interrupt` be called from any of them, event
/// handlers included. It does one call at a time. What is set while one runs counts from the next on.
#[derive(Default)]
pub struct OAuth {
    values: Mutex<Values>,
    /// Made by the first call, and anew after a network setting.
    engine: Mutex<Option<Arc<Engine>>>,
    interrupt: Interrupt,
    running: AtomicBool,
}

impl OAuth {
    /// A component with every default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Obtains the authorization string of the profile and the grant: `Bearer 2YotnFZFEjr1zCsicMWpAA`.
    ///
    /// Blocks; [`get_authorization_async`](Self::get_authorization_async) is its twin. The string is a secret.
    ///
    /// # Errors
    /// The setup is wrong, the person or the server refuses, the server cannot be understood or reached, or the call was
    /// interrupted.
    pub fn get_authorization(&self) -> Result<Authorization, ComponentError> {
        let engine = self.engine()?;
        blocking::run(&*engine, self.get_authorization_async())
    }

    /// As [`get_authorization`](Self::get_authorization), without blocking. On hyper it runs inside tokio; on isahc, anywhere.
    ///
    /// # Errors
    /// As there.
    pub async fn get_authorization_async(&self) -> Result<Authorization, ComponentError> {
        let _running = self.begin()?;
        let engine = self.engine()?;
        let call = Box::pin(run::authorize(self, engine));
        self.interrupt.over(call, || Err(ComponentError::Interrupted)).await
    }

    /// Sets a configuration setting by `Name=Value`, or reads it by `Name`; gives its value.
    ///
    /// Names are in upper or lower case, and take an index where they are lists: `FormVarName[0]`.
    ///
    /// # Errors
    /// There is no such setting, the value is not of its form, there is nothing at the index, or it cannot be set. Each says
    /// what the setting takes.
    pub fn config(&self, text: &str) -> Result<ConfigValue, ComponentError> {
        let line = config::Line::read(text)?;
        let mut values = self.values();
        if let Some(value) = line.value {
            line.setting.set(&mut values, line.index, value)?;
            // Whatever it was, the next call asks for an engine anew.
            *self.engine_slot() = None;
        }
        line.setting.get(&values, line.index)
    }

    /// Ends the call that is under way, from any thread: it fails with [`ComponentError::Interrupted`].
    pub fn interrupt(&self) {
        self.interrupt.raise();
    }

    /// Puts every value back to its default, secrets wiped; handlers of events stay. A call that is under way is interrupted.
    pub fn reset(&self) {
        self.interrupt();
        *self.values() = Values::default();
        *self.engine_slot() = None;
    }

    /// Whether no call is under way.
    #[must_use]
    pub fn idle(&self) -> bool {
        !self.running.load(Ordering::Acquire)
    }

    fn begin(&self) -> Result<Running<'_>, ComponentError> {
        if self.running.swap(true, Ordering::AcqRel) {
            return Err(ComponentError::Busy);
        }
        Ok(Running(&self.running))
    }

    fn values(&self) -> MutexGuard<'_, Values> {
        // Each write is one assignment: a panic elsewhere leaves nothing half done.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn engine_slot(&self) -> MutexGuard<'_, Option<Arc<Engine>>> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn engine(&self) -> Result<Arc<Engine>, ComponentError> {
        let network = self.values().network.clone();
        let mut slot = self.engine_slot();
        if let Some(engine) = &*slot {
            return Ok(Arc::clone(engine));
        }
        let engine = Arc::new(Engine::new(&network, EventSink::none())?);
        *slot = Some(Arc::clone(&engine));
        Ok(engine)
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").field("idle", &self.idle()).finish_non_exhaustive()
    }
}

/// A call is under way for as long as this lives.
struct Running<'a>(&'a AtomicBool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
