//! A login on another device (RFC 8628): `device_authorization`, and `device_poll` under virtual time.

use super::case::{CASE, Case, Step};
use super::client::{client, drive, now, once, seed};
use super::context::Broken;
use super::http::Captured;
use super::kind::Kind;
use super::tokens;
use super::verdict::{Stop, Verdict};
use crate::exit::Exit;
use oauth::core::{
    Client, DevicePrompt, Failure, Flow as _, Input, Mono, Now, Output, PollDevice, Purpose, Remedy,
    ServerMemory, Unix, UnreachableKind,
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The answer to a device authorization request.
pub(super) fn judge_prompt(case: &Case, captured: Captured, verdict: &mut Verdict) -> Result<(), Stop> {
    let client = client(case, Purpose::DeviceAuthorization, verdict)?;
    let now = now(&case.context)?;
    match prompt(case, &client, captured, now)? {
        Ok(prompt) => {
            verdict.field("user_code", prompt.user_code.as_str());
            verdict.field("verification_uri", prompt.verification_uri.as_str());
            verdict.maybe(
                "verification_uri_complete",
                prompt.verification_uri_complete.as_ref().map(|uri| uri.as_str()),
            );
            verdict.field("expires_in", prompt.expires_at.since(now.unix).as_secs());
            verdict.field("interval", prompt.poll.interval().as_secs());
        }
        Err(failure) => verdict.refuse(failure, case.kind),
    }
    Ok(())
}

fn prompt(
    case: &Case,
    client: &Client,
    captured: Captured,
    now: Now,
) -> Result<Result<DevicePrompt, Failure>, Stop> {
    let scope = case.context.scope("scope")?;
    let flow = client.authorize_device(scope, &ServerMemory::default(), seed(&[]))?;
    Ok(drive(flow, now, once(captured)))
}

/// The answers to a device's polls, in order.
pub(super) fn judge_poll(case: &Case, steps: &[Step], verdict: &mut Verdict) -> Result<(), Stop> {
    let client = client(case, Purpose::Token, verdict)?;
    let begun = now(&case.context)?;
    let prompt = match prompt(case, &client, begin(case)?, begun)? {
        Ok(prompt) => prompt,
        Err(failure) => {
            verdict.refuse(failure, Kind::DeviceAuthorization);
            return Ok(());
        }
    };
    let mut wait = Wait { begun, now: begun, steps, polls: 0, timeline: Vec::new() };
    let ended = wait.for_the_person(prompt.poll);
    match ended {
        Ended::By(Ok(tokens)) => {
            tokens::granted(&tokens, wait.now, verdict);
        }
        Ended::By(Err(failure)) => tokens::refused(failure, case.kind, verdict),
        Ended::Cancelled => {
            verdict.refuse_as(
                "cancelled",
                ("RFC 8628 section 3.4", "Nothing is sent any more; the code ends by itself."),
                "whoever waited gave up",
                Remedy::SignInAgain,
                Exit::Interrupted,
            );
        }
        Ended::Unfinished(interval) => {
            let seconds = interval.as_secs();
            let says = format!("The captured answers end here. The client polls again, every {seconds} s.");
            verdict.refuse_as(
                "unfinished",
                ("RFC 8628 section 3.5", &says),
                "the answers end, and the person has not signed in yet",
                Remedy::TryAgain { after: None },
                Exit::Other,
            );
        }
    }
    if !wait.steps.is_empty() {
        let left = wait.steps.len();
        verdict.note(CASE, format!("The login was over before {left} of the responses."));
    }
    verdict.field("polls", wait.polls);
    verdict.timeline = wait.timeline;
    Ok(())
}

/// An answer to the device authorization request, as the case has it.
fn begin(case: &Case) -> Result<Captured, Broken> {
    let mut members = Map::new();
    for (name, value) in [
        ("device_code", json!(super::client::UNTOLD)),
        ("user_code", json!("ABCD-EFGH")),
        ("verification_uri", json!("https://as.example/device")),
    ] {
        members.insert(name.into(), value);
    }
    for name in ["interval", "expires_in"] {
        match case.context.value(name) {
            None => {}
            // As a server would say it: what it means is for the core to read.
            Some(seconds @ (Value::Number(_) | Value::String(_))) => {
                members.insert(name.into(), seconds.clone());
            }
            Some(_) => return Err(Broken(format!("context.{name} is no number"))),
        }
    }
    Ok(Captured::new(200, &[], Value::Object(members).to_string().into_bytes()))
}

/// Virtual time while the person is elsewhere.
struct Wait<'a> {
    begun: Now,
    now: Now,
    steps: &'a [Step],
    polls: u64,
    timeline: Vec<Value>,
}

/// How a wait ends.
enum Ended {
    By(Result<oauth::core::Tokens, Failure>),
    Cancelled,
    /// There is no answer left.
    Unfinished(Duration),
}

impl Wait<'_> {
    fn for_the_person(&mut self, mut flow: PollDevice) -> Ended {
        loop {
            match flow.poll(self.now) {
                Output::Done(result) => return Ended::By(result),
                // What happens meanwhile comes first.
                Output::Wait(_) if !matches!(self.steps.first(), None | Some(Step::Answer(_))) => {
                    if self.meanwhile() {
                        return Ended::Cancelled;
                    }
                }
                Output::Wait(until) => self.wait(until),
                Output::Send(request) => {
                    let asked = format!("{} {}", request.method(), request.endpoint());
                    let Some((Step::Answer(captured), later)) = self.steps.split_first() else {
                        return Ended::Unfinished(flow.interval());
                    };
                    self.steps = later;
                    self.polls += 1;
                    let input = captured.clone().input(&request);
                    self.tell(json!({ "request": asked, "answer": told(&input) }));
                    flow.handle(input, self.now);
                }
                // No key is needed for a client like this.
                Output::Key(_) | Output::Idle => return Ended::By(Err(Failure::idle())),
            }
        }
    }

    fn wait(&mut self, until: Mono) {
        let wait = until.since(self.now.mono);
        self.tell(json!({ "wait": seconds(wait) }));
        self.now = Now { mono: until, unix: self.now.unix.after(wait) };
    }

    /// Takes the next thing that happens while nothing is on its way; whether it is the end.
    fn meanwhile(&mut self) -> bool {
        let Some((step, later)) = self.steps.split_first() else { return false };
        self.steps = later;
        let (event, ahead) = match step {
            Step::WallClock(by) => (format!("the wall clock jumps by {by} s"), *by),
            Step::Suspend(by) => {
                (format!("the machine sleeps for {by} s"), i64::try_from(*by).unwrap_or(i64::MAX))
            }
            Step::Cancel => ("whoever waits gives up".to_owned(), 0),
            Step::Answer(_) => return false,
        };
        self.tell(json!({ "event": event }));
        self.now.unix = Unix(self.now.unix.0.saturating_add_signed(ahead));
        matches!(step, Step::Cancel)
    }

    fn tell(&mut self, event: Value) {
        let at = seconds(self.now.mono.since(self.begun.mono));
        let mut told = json!({ "at": at });
        if let (Some(told), Value::Object(event)) = (told.as_object_mut(), event) {
            told.extend(event);
        }
        self.timeline.push(told);
    }
}

/// Whole seconds as a whole number.
fn seconds(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 { duration.as_secs().into() } else { duration.as_secs_f64().into() }
}

fn told(input: &Input) -> String {
    match input {
        Input::Response(response) => response.status().as_u16().to_string(),
        Input::Unreachable(unreachable) if unreachable.kind == UnreachableKind::Broken => "reset".to_owned(),
        Input::Unreachable(unreachable) => unreachable.kind.to_string(),
        _ => String::new(),
    }
}
