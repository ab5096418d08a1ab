//! A login on another device (RFC 8628).
//!
//! ```text
//! Send         the device authorization request (section 3.1)
//! Done         DevicePrompt: a person enters a code elsewhere (sections 3.2 and 3.3)
//! (Wait Send)+ the token request, never early: section 3.5 says when to slow down and when to stop
//! Key(Open)?   the ID token that came along, and Send? for the keys that verify it
//! Done         tokens
//! ```

use crate::body::{self, member_fields};
use crate::call::{Call, Heard};
use crate::claims::IdTokenRules;
use crate::client::Client;
use crate::date;
use crate::exchange::{self, Grant};
use crate::failure::{Error, Failure, Malformed, Misuse, Rejected, Unreachable, UnreachableKind};
use crate::flow::{Flow, Input, Output};
use crate::form::Form;
use crate::identify::Identified;
use crate::json::{Value, Wanted};
use crate::memory::{ClockOffset, Learned, ServerMemory};
use crate::policy::OptOut;
use crate::registry::ErrorCode;
use crate::request::{Endpoint, Purpose, Response};
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::DeviceCode;
use crate::seed::Seed;
use crate::server_keys::KnownKeys;
use crate::text::{is_vschar, printable};
use crate::time::{Mono, Now, Unix};
use crate::token::{self, Answer, Scrub, Tokens};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use http::StatusCode;
use url::Url;

/// Asks the server for a code to show: `Flow<Outcome = DevicePrompt>`.
#[derive(Debug)]
pub struct AuthorizeDevice {
    client: Client,
    scope: Option<Scope>,
    resources: Vec<Resource>,
    keys: KnownKeys,
    clock: ClockOffset,
    call: Call,
    state: Asking,
    learned: Learned,
}

#[derive(Debug)]
enum Asking {
    Calling,
    Finish(Box<Result<DevicePrompt, Failure>>),
    Over,
}

/// The human seam: show the address and the code, then drive [`poll`](Self::poll).
///
/// Polling begins at once; it does not wait for the person to say that the code was entered.
#[derive(Debug)]
#[non_exhaustive]
pub struct DevicePrompt {
    /// Where the person goes, on any device.
    pub verification_uri: Url,
    /// The same with the code in it, for a QR code or a click.
    pub verification_uri_complete: Option<Url>,
    /// What the person enters there: printable characters only.
    pub user_code: String,
    /// When the code ends.
    pub expires_at: Unix,
    /// Waits for the person: `Flow<Outcome = Tokens>`.
    pub poll: PollDevice,
}

/// RFC 8628 section 3.2: five seconds unless the server says otherwise.
const INTERVAL: Duration = Duration::from_secs(5);
/// What a code lives when the server leaves that out, which it may not: the shortest life in the field.
const LIFETIME: Duration = Duration::from_secs(300);
/// The longest life of a code that is believed, so that every wait ends.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);
/// The shortest interval that is believed. A long one is kept: the life of the code bounds it.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// RFC 8628 section 3.5: what `slow_down` adds.
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// How far doubling goes while the server cannot be reached.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

impl AuthorizeDevice {
    pub(crate) fn new(client: Client, scope: Option<Scope>, memory: &ServerMemory, seed: Seed) -> Self {
        let call = Call::new(&client, memory.clock_offset(), &seed);
        Self {
            client,
            scope,
            resources: Vec::new(),
            keys: memory.known_keys(),
            clock: memory.clock_offset(),
            call,
            state: Asking::Calling,
            learned: Learned::default(),
        }
    }

    /// Asks for an access token for this resource (RFC 8707 section 2), both when the person is asked and when the token
    /// is. May be called again; to be called before the flow is polled.
    #[must_use]
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    fn receive(&mut self, response: &Response, now: Now) -> Result<DevicePrompt, Failure> {
        self.learned.clock(date::clock_offset(response.headers(), now.unix));
        let status = response.status();
        if let Some(outage) = token::outage(response, now) {
            return Err(outage);
        }
        let mut sent =
            self.call.secrets(&self.client, Purpose::DeviceAuthorization, Form::with_capacity(128));
        self.read(response, now, &mut sent).map_err(|error| {
            let excerpt = if let Error::Malformed(Malformed::Status) = error {
                token::excerpt(response.body(), &sent)
            } else if let Error::Malformed(Malformed::NotJson) = error {
                token::told::page(response.body(), &sent)
            } else {
                None
            };
            Failure::from(error).with_status(status).with_excerpt(excerpt)
        })
    }

    fn read(&mut self, response: &Response, now: Now, sent: &mut Scrub) -> Result<DevicePrompt, Error> {
        let mut members = Members::default();
        let syntax = members.read(response.body());
        if let (Some(Value::String(code)), Ok(())) = (&members.error, &syntax)
            && !code.is_empty()
        {
            sent.add(members.device_code.and_then(Value::into_string));
            return Err(Error::Server(token::refusal(
                code,
                members.error_description,
                members.error_uri,
                sent,
            )));
        }
        if response.status().is_redirection() {
            return Err(Error::Malformed(Malformed::Redirect));
        }
        if !response.status().is_success() {
            return Err(Error::Malformed(Malformed::Status));
        }
        syntax.map_err(|malformed| Error::Malformed(sent.malformed(malformed)))?;
        let device_code = text(members.device_code, "device_code")?;
        if !is_vschar(&device_code) {
            return Err(Error::Malformed(Malformed::Invalid("device_code")));
        }
        let user_code = text(members.user_code, "user_code")?;
        let shown = printable(&user_code, 64);
        // A code that has to be cleaned before it can be shown is not the code that the server will accept.
        if shown.is_empty() || shown != user_code {
            return Err(Error::Malformed(Malformed::Invalid("user_code")));
        }
        let verification_uri =
            self.page(members.verification_uri.or(members.verification_url), "verification_uri")?;
        let verification_uri =
            verification_uri.ok_or(Error::Malformed(Malformed::Missing("verification_uri")))?;
        let life = members.expires_in.and_then(token::seconds).unwrap_or(LIFETIME).min(LONGEST_LIFE);
        let interval = members.interval.and_then(token::seconds).unwrap_or(INTERVAL).max(SHORTEST_INTERVAL);
        Ok(DevicePrompt {
            verification_uri,
            verification_uri_complete: self
                .page(members.verification_uri_complete, "verification_uri_complete")?,
            user_code,
            expires_at: now.unix.after(life),
            poll: PollDevice {
                client: self.client.clone(),
                grant: Code { code: DeviceCode::new(device_code), asked: self.asked() },
                call: self.call.next(),
                interval: milliseconds(interval),
                failures: 0,
                next: now.mono.after(interval),
                expires: (now.mono.after(life), now.unix.after(life)),
                state: Polling::Waiting,
                finished: None,
                clock: None,
            },
        })
    }

    /// What the token request has to know of this one.
    fn asked(&self) -> Option<Box<Asked>> {
        let asked = || Asked {
            scope: self.scope.clone(),
            resources: self.resources.clone(),
            keys: self.keys.clone(),
            clock: self.clock,
        };
        (self.scope.is_some() || !self.resources.is_empty()).then(|| Box::new(asked()))
    }

    /// A page that a person is sent to: no `javascript:`, no `file:`, no plain http beyond this machine.
    fn page(&self, value: Option<Value<'_>>, member: &'static str) -> Result<Option<Url>, Error> {
        let Some(value) = value else { return Ok(None) };
        let url = text(Some(value), member)?;
        let endpoint = Endpoint::new(&url, self.client.policy())
            .map_err(|why| Error::Rejected(Rejected::Endpoint { member, why }))?;
        Ok(Some(endpoint.url().clone()))
    }
}

fn text(value: Option<Value<'_>>, member: &'static str) -> Result<String, Error> {
    let value = value.ok_or(Error::Malformed(Malformed::Missing(member)))?;
    match value.into_string() {
        Some(text) if !text.is_empty() => Ok(text.into_owned()),
        _ => Err(Error::Malformed(Malformed::Invalid(member))),
    }
}

member_fields! {
    /// The members of a device authorization response (RFC 8628 section 3.2), and of an error.
    Members {
        device_code,
        user_code,
        verification_uri,
        /// The draft's name for it, which some servers kept.
        verification_url,
        verification_uri_complete,
        expires_in,
        interval,
        error,
        error_description,
        error_uri,
    }
}

impl Flow for AuthorizeDevice {
    type Outcome = DevicePrompt;

    fn poll(&mut self, now: Now) -> Output<DevicePrompt> {
        match core::mem::replace(&mut self.state, Asking::Over) {
            Asking::Calling => {
                self.state = Asking::Calling;
                let (scope, resources) = (self.scope.as_ref(), &self.resources);
                let asked = self.call.poll(&self.client, Purpose::DeviceAuthorization, now.unix, |form| {
                    if let Some(scope) = scope {
                        form.pair("scope", scope.as_str());
                    }
                    Resource::write(resources, form);
                });
                asked.into()
            }
            Asking::Finish(result) => Output::Done(*result),
            Asking::Over => Output::Idle,
        }
    }

    fn handle(&mut self, input: Input, now: Now) {
        self.state = match core::mem::replace(&mut self.state, Asking::Over) {
            Asking::Calling => match self.call.handle(input).response() {
                Ok(None) => Asking::Calling,
                Ok(Some(response)) => Asking::Finish(Box::new(self.receive(&response, now))),
                Err(failure) => Asking::Finish(Box::new(Err(failure))),
            },
            Asking::Finish(_) => Asking::Finish(Box::new(Err(Failure::misuse(Misuse::NotAsked)))),
            Asking::Over => Asking::Over,
        };
    }

    fn take_learned(&mut self) -> Learned {
        core::mem::take(&mut self.learned)
    }

    fn waived(&self) -> Option<OptOut> {
        self.client.waived_for_id_token(self.scope.as_ref().is_some_and(Scope::asks_for_id_token))
    }
}

/// Waits until the person has signed in elsewhere: `Flow<Outcome = Tokens>`.
///
/// Never polls before the server allows it, slows down when told to, backs off while the server cannot be reached, and
/// ends when the code does, by whichever clock says so first: a machine that slept may have a monotonic clock that
/// stood still.
#[derive(Debug)]
pub struct PollDevice {
    client: Client,
    grant: Code,
    call: Call,
    next: Mono,
    expires: (Mono, Unix),
    finished: Option<Box<Finished>>,
    /// What was learned; what there is of keys is in `finished`, for want of room here.
    clock: Option<ClockOffset>,
    /// In milliseconds: with a [`Duration`], a hundred thousand waiting logins would not fit where they do.
    interval: u32,
    /// How many times in a row there was no verdict.
    failures: u8,
    state: Polling,
}

/// The verdict, and what is learned while the ID token that came with it is looked at.
#[derive(Debug)]
struct Finished {
    identified: Option<Identified>,
    learned: Learned,
}

#[derive(Debug)]
enum Polling {
    Waiting,
    Calling,
    /// What is in `finished` is to be handed out, or looked at first.
    Finish,
    Over,
}

/// The device access token request (RFC 8628 section 3.4).
#[derive(Debug)]
struct Code {
    code: DeviceCode,
    /// What was asked for beyond the server's default, which most programs leave it at.
    asked: Option<Box<Asked>>,
}

#[derive(Debug)]
struct Asked {
    scope: Option<Scope>,
    resources: Vec<Resource>,
    keys: KnownKeys,
    clock: ClockOffset,
}

impl Grant for Code {
    fn form(&self, form: &mut Form) {
        // `GrantType::DEVICE_CODE`, escaped once: a program may poll for many people.
        form.spelled("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code");
        form.pair("device_code", self.code.expose());
        if let Some(asked) = &self.asked {
            Resource::write(&asked.resources, form);
        }
    }

    fn scope(&self) -> Option<&Scope> {
        self.asked.as_ref()?.scope.as_ref()
    }

    fn id_token(&self, rules: IdTokenRules) -> Option<IdTokenRules> {
        self.scope().filter(|scope| scope.asks_for_id_token()).map(|_| rules)
    }
}

/// Rounded up: never early.
fn milliseconds(interval: Duration) -> u32 {
    u32::try_from(interval.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

impl PollDevice {
    /// How long this waits between two polls, as the server last had it, while the server can be reached.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        Duration::from_millis(self.interval as u64)
    }

    /// Waits at least this long between two polls. Never less than the server asks for, whatever is said here.
    #[must_use]
    pub fn no_faster_than(mut self, interval: Duration) -> Self {
        self.interval = self.interval.max(milliseconds(interval));
        self
    }

    fn call(&mut self, now: Now) -> Output<Tokens> {
        self.state = Polling::Calling;
        let grant = &self.grant;
        self.call.poll(&self.client, Purpose::Token, now.unix, |form| grant.form(form)).into()
    }

    fn hear(&mut self, input: Input, now: Now) -> Polling {
        if let Some(response) = self.call.response(&input) {
            return self.receive(response, now);
        }
        let heard = self.call.handle(input);
        if let Heard::Unreachable(why) = heard {
            return self.unreachable(why, now);
        }
        match heard.response() {
            Ok(None) => Polling::Calling,
            Ok(Some(response)) => self.receive(&response, now),
            Err(failure) => self.finish(Err(failure)),
        }
    }

    fn finish(&mut self, result: Result<Tokens, Failure>) -> Polling {
        self.identified(Identified::Done(result))
    }

    fn identified(&mut self, identified: Identified) -> Polling {
        let learned = self.take_learned();
        self.finished = Some(Box::new(Finished { identified: Some(identified), learned }));
        Polling::Finish
    }

    fn accept(&mut self, mut tokens: Tokens, now: Now) -> Polling {
        match (exchange::accept(&self.grant, &mut tokens), &self.grant.asked) {
            (Ok(()), Some(asked)) => {
                let clock = self.clock.unwrap_or(asked.clock);
                let identified = Identified::new(tokens, &self.client, &self.grant, &asked.keys, clock, now);
                self.identified(identified)
            }
            (accepted, _) => self.finish(accepted.map(|()| tokens)),
        }
    }

    fn receive(&mut self, response: &Response, now: Now) -> Polling {
        self.clock = date::clock_offset(response.headers(), now.unix).or(self.clock);
        let answer = exchange::read(&self.client, &self.call, &self.grant, response, now);
        match answer {
            Answer::Tokens(tokens) => self.accept(tokens, now),
            Answer::NotYet(code, interval) => self.not_yet(&code, interval, now),
            Answer::Refused(failure) if is_expired(&failure) => {
                self.finish(Err(Failure::from(Error::Expired).with_status(response.status())))
            }
            Answer::Refused(failure) => self.finish(Err(failure)),
            Answer::Failed(failure) => {
                // A server in trouble is not a verdict about the code.
                if let Error::Unavailable(unavailable) = &*failure.error {
                    // RFC 8628 section 3.5: slow_down counts for all polls to come, whatever status carries it.
                    if unavailable.status == StatusCode::TOO_MANY_REQUESTS
                        && token::error_code(response).is_some_and(|code| code == ErrorCode::SLOW_DOWN)
                    {
                        self.slow_down();
                    }
                    return self.back_off(unavailable.retry_after, now);
                }
                self.finish(Err(failure))
            }
        }
    }

    /// RFC 8628 section 3.5: two errors mean "go on", every other one is the end.
    fn not_yet(&mut self, code: &ErrorCode, interval: Option<Duration>, now: Now) -> Polling {
        if *code == ErrorCode::SLOW_DOWN {
            self.slow_down();
            // Some servers name the new interval; one that is shorter would be polled too early.
            self.interval = self.interval.max(milliseconds(interval.unwrap_or_default()));
        }
        self.wait(self.interval(), now)
    }

    fn slow_down(&mut self) {
        self.interval = milliseconds(self.interval().saturating_add(SLOW_DOWN));
    }

    fn unreachable(&mut self, why: Unreachable, now: Now) -> Polling {
        match why.kind {
            UnreachableKind::Timeout
            | UnreachableKind::Name
            | UnreachableKind::Connect
            | UnreachableKind::Broken => self.back_off(None, now),
            // What will not change by waiting: a certificate, a proxy, a transport that cannot do it.
            UnreachableKind::Tls
            | UnreachableKind::Proxy
            | UnreachableKind::TooLarge
            | UnreachableKind::NotHttp
            | UnreachableKind::Unsupported
            | UnreachableKind::Cancelled
            | UnreachableKind::Other => self.finish(Err(Error::Unreachable(why).into())),
        }
    }

    /// RFC 8628 section 3.5 asks for an exponential back-off on a connection timeout. It ends with the next verdict.
    fn back_off(&mut self, retry_after: Option<Duration>, now: Now) -> Polling {
        let failures = self.failures.saturating_add(1);
        let interval = self.interval();
        let doubled = interval.saturating_mul(1_u32.checked_shl(failures.into()).unwrap_or(u32::MAX));
        let wait = doubled.min(LONGEST_BACK_OFF.max(interval)).max(retry_after.unwrap_or(Duration::ZERO));
        let waiting = self.wait(wait, now);
        self.failures = failures;
        waiting
    }

    fn wait(&mut self, wait: Duration, now: Now) -> Polling {
        self.failures = 0;
        self.next = now.mono.after(wait);
        Polling::Waiting
    }

    fn expired(&self, now: Now) -> bool {
        now.mono >= self.expires.0 || now.unix >= self.expires.1
    }
}

fn is_expired(failure: &Failure) -> bool {
    matches!(&*failure.error, Error::Server(refusal) if refusal.code == ErrorCode::EXPIRED_TOKEN)
}

impl Flow for PollDevice {
    type Outcome = Tokens;

    fn poll(&mut self, now: Now) -> Output<Tokens> {
        match core::mem::replace(&mut self.state, Polling::Over) {
            Polling::Waiting if self.expired(now) => Output::Done(Err(Error::Expired.into())),
            Polling::Waiting if now.mono < self.next => {
                self.state = Polling::Waiting;
                Output::Wait(self.next.min(self.expires.0))
            }
            Polling::Waiting => {
                self.call.begin();
                self.call(now)
            }
            // Whoever holds the key may have taken longer than the code lives.
            Polling::Calling if self.call.is_signed() && self.expired(now) => {
                Output::Done(Err(Error::Expired.into()))
            }
            Polling::Calling => self.call(now),
            Polling::Finish => {
                let Some(finished) = &mut self.finished else { return Output::Idle };
                if let Some(Identified::Asking(identify)) = &mut finished.identified {
                    self.state = Polling::Finish;
                    return identify.poll(&self.client, now);
                }
                match finished.identified.take() {
                    Some(Identified::Done(result)) => Output::Done(result),
                    Some(Identified::Asking(_)) | None => Output::Idle,
                }
            }
            Polling::Over => Output::Idle,
        }
    }

    fn handle(&mut self, input: Input, now: Now) {
        self.state = match core::mem::replace(&mut self.state, Polling::Over) {
            Polling::Calling => self.hear(input, now),
            Polling::Finish => {
                let Some(finished) = &mut self.finished else { return };
                finished.identified = match finished.identified.take() {
                    Some(Identified::Asking(identify)) => {
                        Some(identify.handle(input, now, &mut finished.learned))
                    }
                    Some(Identified::Done(result)) => Some(Identified::Done(Err(exchange::unasked(result)))),
                    None => None,
                };
                Polling::Finish
            }
            Polling::Over => Polling::Over,
            Polling::Waiting => self.finish(Err(Failure::misuse(Misuse::NotAsked))),
        };
    }

    fn take_learned(&mut self) -> Learned {
        let mut learned = match &mut self.finished {
            Some(finished) => core::mem::take(&mut finished.learned),
            None => Learned::default(),
        };
        learned.clock(self.clock.take());
        learned
    }

    fn waived(&self) -> Option<OptOut> {
        self.client.waived()
    }
}
