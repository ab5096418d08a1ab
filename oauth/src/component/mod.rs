//! `OAuth`: the component, with every property, method, event and configuration setting under its own name.
//!
//! [`mod@reference`] has every setting, and [`migration`] the way here from the component of old, name by name.
//!
//! It is a thin shell over what everybody else uses: [`Authorizer`](crate::Authorizer) for the protocol, a
//! [`Session`](crate::transport::Session) for HTTP, [`SignIn`](crate::SignIn) for the browser. Here are the values that are set
//! one by one (`values`, `properties`), the table of the settings (`config`), the way from them to a transport (`network`,
//! `engine`), the choice of the conversation (`run`, `login`, `device`, `assertion`, `form_vars`, `office365`), the web server and the events;
//! `compatible` has the defaults of the original.

mod actions;
mod assertion;
mod compatible;
mod config;
mod device;
mod engine;
mod error;
mod events;
mod form_vars;
mod items;
mod login;
mod network;
mod office365;
mod profile;
mod properties;
mod run;
mod values;
mod web_server;

#[doc = include_str!("reference.md")]
pub mod reference {}

#[doc = include_str!("migration.md")]
pub mod migration {}

pub use config::{ConfigGroup, ConfigSetting, ConfigValue};
pub use error::ComponentError;
pub use events::Event;
pub use items::{ITEMS, Item, ItemKind};
pub use profile::{ClientProfile, GrantType};
pub use values::{ProxyScheme, ProxySsl};

use crate::host::BoxFuture;
use crate::{Authorization, blocking};
use engine::Engine;
use events::{Hub, Seen};
use oauth_transport::session::{Interrupt, Memory};
use oauth_transport::{EventHandler, EventSink, SessionSettings, Settings};
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;
use values::{NetworkValues, Secret, Values};

/// Authorizes a client and gives the string for the `Authorization` header: see the [module](self).
///
/// Every method takes `&self`: a component may be shared between threads, and [`interrupt`](Self::interrupt) be called from any
/// of them, event handlers included. It does one call at a time. What is set while one runs counts from the next on.
#[derive(Default)]
pub struct OAuth {
    values: Arc<Mutex<Values>>,
    engine: Mutex<Slot>,
    /// Cookies, and what went over the wire: they outlive engines.
    memory: Mutex<Arc<Memory>>,
    web_server: Mutex<Option<web_server::Started>>,
    events: Hub,
    interrupt: Interrupt,
    /// [`IDLE`], or what is with the call that is under way.
    state: AtomicU8,
}

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const INTERRUPTED: u8 = 2;

/// The engine: made by the first call, and anew after something was set.
#[derive(Default)]
struct Slot {
    engine: Option<Arc<Engine>>,
    /// How often something was set.
    changes: u64,
}

impl OAuth {
    /// A component with every default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Obtains the authorization of the profile and the grant; its
    /// [`header_value`](Authorization::header_value) is the authorization string, `Bearer 2YotnFZFEjr1zCsicMWpAA`.
    ///
    /// Blocks; [`get_authorization_async`](Self::get_authorization_async) is its twin. Where `authorization_code` is set, that is
    /// exchanged; where `refresh_token` is set, it is used; and nobody is asked in either case. What is brought by another way than a
    /// refresh token takes the one before away, even where no new one comes (RFC 6749 section 6 keeps it on a renewal alone). A login that
    /// [`get_authorization_url`](Self::get_authorization_url) began is waited for, while what it asked for is still what is set.
    ///
    /// # Errors
    /// The setup is wrong, the person or the server refuses, the server cannot be understood or reached, or the call was
    /// interrupted.
    pub fn get_authorization(&self) -> Result<Authorization, ComponentError> {
        let engine = self.engine()?;
        blocking::run(&*engine, self.authorize(Arc::clone(&engine)))
    }

    /// As [`get_authorization`](Self::get_authorization), without blocking: on hyper inside tokio, whose timers have to be enabled,
    /// on isahc anywhere.
    ///
    /// # Errors
    /// As there.
    pub async fn get_authorization_async(&self) -> Result<Authorization, ComponentError> {
        self.authorize(self.engine()?).await
    }

    async fn authorize(&self, engine: Arc<Engine>) -> Result<Authorization, ComponentError> {
        let resets = self.values().resets;
        let result = self.call(Box::pin(run::authorize(self, engine))).await;
        if let Err(error) = &result
            && let Some(token) = error.rescued()
        {
            // The only live one, perhaps.
            self.keep(resets, |values| values.oauth.refresh_token = Secret::new(token.expose()));
        }
        result
    }

    /// Builds the address at which the person signs in. For a device it asks the server for a code, which is in
    /// `DeviceUserCode` then. Blocks; [`get_authorization_url_async`](Self::get_authorization_url_async) is its twin.
    ///
    /// Where the embedded web server waits for the answer, a browser that is back before
    /// [`get_authorization`](Self::get_authorization) is called gets its page from that.
    ///
    /// # Errors
    /// The setup is wrong, or, for a device, the server refuses or cannot be understood or reached.
    pub fn get_authorization_url(&self) -> Result<String, ComponentError> {
        let engine = self.engine()?;
        blocking::run(&*engine, self.call(Box::pin(run::authorization_url(self, Arc::clone(&engine)))))
    }

    /// As [`get_authorization_url`](Self::get_authorization_url), without blocking.
    ///
    /// # Errors
    /// As there.
    pub async fn get_authorization_url_async(&self) -> Result<String, ComponentError> {
        self.call(Box::pin(run::authorization_url(self, self.engine()?))).await
    }

    /// Sets a configuration setting by `Name=Value`, or reads it by `Name`; gives its value.
    ///
    /// Names are in upper or lower case, and take an index where they are lists: `FormVarName[0]`. `ValidateToken` is an action:
    /// it asks at once, and blocks meanwhile.
    ///
    /// # Errors
    /// There is no such setting, the value is not of its form, there is nothing at the index, or it cannot be set. Each says
    /// what the setting takes.
    pub fn config(&self, text: &str) -> Result<ConfigValue, ComponentError> {
        let line = config::Line::read(text)?;
        if let (true, Some(token)) = (line.setting.is_action(), line.value) {
            self.validate_token(token)?;
            return Ok(ConfigValue::open(""));
        }
        if let Some(value) = line.value {
            line.setting.set(&mut self.values(), line.index, value)?;
            self.forget_engine();
        }
        self.refresh_results();
        line.setting.get(&self.values(), line.index)
    }

    /// What the network settings come to, for a program with an engine of its own: what a transport is told, with these events,
    /// and what a session around it is.
    ///
    /// # Errors
    /// Two settings contradict each other, or a file that one names cannot be read. What an engine cannot carry, it says itself.
    pub fn network_settings(&self, events: EventSink) -> Result<(Settings, SessionSettings), ComponentError> {
        let network = self.values().network.clone();
        network::settings(&network, events)
    }

    /// The settings of the network that, as they stand, put something at risk or are done in part only, each with what that is. A
    /// call tells them as events.
    #[must_use]
    pub fn network_warnings(&self) -> Vec<(&'static ConfigSetting, &'static str)> {
        let values = self.values();
        let danger = |setting: &'static ConfigSetting| {
            let value = setting.get(&values, None).ok()?;
            Some((setting, setting.danger_of(value.as_str())?))
        };
        let of_network = ConfigSetting::all().filter(|setting| setting.group() != ConfigGroup::OAuth);
        let left_out = network::left_out(&values.network)
            .filter_map(|(name, what)| Some((ConfigSetting::named(name).ok()?, what)));
        of_network.filter_map(danger).chain(left_out).collect()
    }

    /// Ends the call that is under way, from any thread: it fails with [`ComponentError::Interrupted`]. A device's login goes on with
    /// the next call; a code that was on its way to the token endpoint is spent.
    pub fn interrupt(&self) {
        // A call that has only just begun finds it there.
        let _either = self.state.compare_exchange(RUNNING, INTERRUPTED, Ordering::AcqRel, Ordering::Acquire);
        self.interrupt.raise();
    }

    /// Puts every value back to its default, with the secrets wiped, the cookies forgotten and the web server stopped. Handlers of
    /// events stay. A call that is under way is interrupted.
    pub fn reset(&self) {
        self.interrupt();
        {
            let mut values = self.values();
            *values = Values { resets: values.resets + 1, ..Values::default() };
        }
        // A call that is still on its way starts none after this.
        self.stop_web_server();
        *lock(&self.memory) = Arc::default();
        self.events.forget();
        self.forget_engine();
    }

    /// Whether no call is under way.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.state.load(Ordering::Acquire) == IDLE
    }

    /// Tells events to this handler, in place of the one before.
    ///
    /// It is called from within calls: one that blocks holds them up. One that panics is not called again, and as it might have
    /// refused them, servers' certificates are refused from then on until another is set. From inside it, properties can be read,
    /// and the call interrupted: through a [`Weak`](std::sync::Weak), for a handler that owns its component keeps it, its secrets
    /// and its web server alive for ever.
    ///
    /// It may refuse any certificate ([`on_ssl_server_authentication`](EventHandler::on_ssl_server_authentication)), and so no TLS
    /// session is taken up again where there is one, whatever `ReuseSSLSession` says: each connection shows a certificate.
    pub fn set_event_handler(&self, handler: impl EventHandler + 'static) {
        self.events.set_handler(Box::new(handler));
    }

    /// Everything that happens from now on, for whoever only looks on.
    ///
    /// What is not read waits without a bound: read it, or drop the receiver.
    #[must_use]
    pub fn observe(&self) -> Receiver<Event> {
        self.events.observe()
    }

    /// Whether the handler hears of events from [`do_events`](Self::do_events) alone, on the thread that calls it: for programs
    /// with a loop of their own. Those that it has a say in (the browser's launch and return, redirects, certificates) are told at
    /// once in any case.
    pub fn set_events_queued(&self, queued: bool) {
        self.events.set_queued(queued);
    }

    /// Tells the handler the events that have waited, on this thread, and says how many there were: none unless they are
    /// [queued](Self::set_events_queued), and none yet while another thread is in the handler, which may wait for this one.
    pub fn do_events(&self) -> usize {
        self.events.run_queue_now()
    }

    /// One call at a time, which `interrupt` can end.
    async fn call<T: Send>(
        &self,
        call: BoxFuture<'_, Result<T, ComponentError>>,
    ) -> Result<T, ComponentError> {
        let _running = self.begin()?;
        self.send_cookies();
        let call = Box::pin(async {
            if self.is_interrupted() {
                return Err(ComponentError::Interrupted);
            }
            self.tell_warnings();
            call.await
        });
        let result = self.interrupt.over(call, || Err(ComponentError::Interrupted)).await;
        self.refresh_results();
        match result {
            // It may have seen the web server stop before it saw why.
            Err(error) if self.is_interrupted() && error.rescued().is_none() => {
                Err(ComponentError::Interrupted)
            }
            result => result,
        }
    }

    fn begin(&self) -> Result<Running<'_>, ComponentError> {
        match self.state.compare_exchange(IDLE, RUNNING, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(Running(&self.state)),
            Err(_) => Err(ComponentError::Busy),
        }
    }

    fn is_interrupted(&self) -> bool {
        self.state.load(Ordering::Acquire) == INTERRUPTED
    }

    /// Sets something, which counts from the next call on.
    fn change(&self, set: impl FnOnce(&mut Values)) {
        set(&mut self.values());
        self.forget_engine();
    }

    /// Keeps what a call brought, unless everything was reset since it began.
    fn keep(&self, resets: u64, keep: impl FnOnce(&mut Values)) {
        let mut values = self.values();
        if values.resets == resets {
            keep(&mut values);
        }
    }

    /// What went over the wire, for the properties that show it.
    fn refresh_results(&self) {
        let transcript = self.memory().transcript();
        let seen = self.events.seen();
        let mut values = self.values();
        values.results.transcript = transcript;
        values.results.bytes_transferred = seen.bytes_received;
        values.results.local_port = seen.local_port;
    }

    fn send_cookies(&self) {
        let urls = {
            let values = self.values();
            [values.oauth.server_auth_url.clone(), values.oauth.server_token_url.clone()]
        };
        self.memory().forget_added_cookies();
        for url in &urls {
            self.send_cookies_to(url);
        }
    }

    /// The cookies that were added go to this address, too.
    fn send_cookies_to(&self, url: &str) {
        let Ok(url) = Url::parse(url) else { return };
        for (name, value) in &self.values().network.cookies.clone() {
            // One that no header can carry was refused when the engine was made.
            let _taken = self.memory().add_cookie(&url, name, value.expose());
        }
    }

    fn values(&self) -> MutexGuard<'_, Values> {
        // Each write is one assignment: a panic elsewhere leaves nothing half done.
        lock(&self.values)
    }

    fn memory(&self) -> Arc<Memory> {
        Arc::clone(&lock(&self.memory))
    }

    fn seen(&self) -> Seen {
        self.events.seen()
    }

    fn forget_engine(&self) {
        let mut slot = lock(&self.engine);
        slot.changes += 1;
        slot.engine = None;
    }

    fn engine(&self) -> Result<Arc<Engine>, ComponentError> {
        // A handler that is new sees the certificate of every server.
        if self.events.take_new() {
            self.forget_engine();
        }
        let changes = {
            let slot = lock(&self.engine);
            if let Some(engine) = &slot.engine {
                return Ok(Arc::clone(engine));
            }
            slot.changes
        };
        let network = self.values().network.clone();
        let engine = Arc::new(Engine::new(&network, self.sink(&network), self.memory())?);
        let mut slot = lock(&self.engine);
        // What was set meanwhile counts from the next call on.
        if slot.changes == changes {
            slot.engine = Some(Arc::clone(&engine));
        }
        Ok(engine)
    }

    fn sink(&self, network: &NetworkValues) -> EventSink {
        self.events.sink(network.log_level, network.tls.dangerously_handler_accepts)
    }

    fn tell_warnings(&self) {
        let sink = self.sink(&self.values().network.clone());
        for (setting, warning) in self.network_warnings() {
            run::warn(&sink, format_args!("{}: {warning}", setting.name()));
        }
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").field("idle", &self.idle()).finish_non_exhaustive()
    }
}

/// A call is under way for as long as this lives.
struct Running<'a>(&'a AtomicU8);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(IDLE, Ordering::Release);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
