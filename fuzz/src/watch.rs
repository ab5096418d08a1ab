//! What holds for every flow, whatever is done to it.

use oauth_core::{Error, Failure, Flow, Input, KeyTask, Mono, Now, Output, Unix};

/// When a flow of one request is played.
pub(crate) const NOW: Now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };

/// What a flow has asked for, and was not given yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Owed {
    Nothing,
    Response,
    Signature,
    Opened,
}

/// Sees every output and every input of one flow.
pub(crate) struct Watch {
    pub(crate) owed: Owed,
    pub(crate) over: bool,
    misused: bool,
    sends: u32,
    most: u32,
    endpoints: &'static [&'static str],
}

impl Watch {
    /// A flow that sends at most so many requests, to these endpoints.
    pub(crate) const fn new(most: u32, endpoints: &'static [&'static str]) -> Self {
        Self { owed: Owed::Nothing, over: false, misused: false, sends: 0, most, endpoints }
    }

    pub(crate) fn output<T>(&mut self, output: &Output<T>, now: Now) {
        assert!(!self.over || matches!(output, Output::Idle), "an output after the flow was over");
        let in_order = self.owed == Owed::Nothing && !self.misused;
        match output {
            Output::Send(request) => {
                assert!(in_order, "sent, out of order");
                assert!(self.endpoints.contains(&request.endpoint().url().as_str()), "{request:?}");
                self.sends += 1;
                assert!(self.sends <= self.most, "sent too often");
                self.owed = Owed::Response;
            }
            Output::Key(task) => {
                assert!(in_order, "asked for a key, out of order");
                self.owed = if matches!(task, KeyTask::Open(_)) { Owed::Opened } else { Owed::Signature };
            }
            Output::Wait(until) => {
                assert!(in_order, "waits, out of order");
                assert!(*until > now.mono, "a wait that is over makes a driver spin");
            }
            Output::Idle => assert!(self.over || self.owed != Owed::Nothing, "idle, and owes an output"),
            Output::Done(result) => {
                assert!(!self.misused || result.is_err(), "a misuse that nobody hears of");
                self.over = true;
                if let Err(failure) = result {
                    is_one_line(failure);
                }
            }
        }
    }

    /// Notes an input that is about to be handed over.
    pub(crate) fn input(&mut self, input: &Input) {
        if self.over {
            return;
        }
        let asked = matches!(
            (self.owed, input),
            (Owed::Response, Input::Response(_) | Input::Unreachable(_))
                | (Owed::Signature, Input::Signature(_) | Input::KeyFailed(_))
                | (Owed::Opened, Input::Opened(_) | Input::KeyFailed(_))
        );
        self.misused |= !asked;
        self.owed = Owed::Nothing;
    }
}

/// Runs a flow of one request: sends it, answers it, and hands over the end. `sent` is what no message may show.
pub(crate) fn one_answer<F: Flow>(
    mut flow: F,
    endpoint: &'static [&'static str],
    response: http::Response<Vec<u8>>,
    sent: &[&str],
) -> Result<F::Outcome, Failure> {
    let mut watch = Watch::new(1, endpoint);
    watch.output(&flow.poll(NOW), NOW);
    let outage = response.status().is_server_error() || response.status() == 429;
    let input = Input::Response(response.into());
    watch.input(&input);
    flow.handle(input, NOW);
    let output = flow.poll(NOW);
    watch.output(&output, NOW);
    let Output::Done(result) = output else { panic!("one answer is all that it needs") };
    watch.output(&flow.poll(NOW), NOW);
    if let Err(failure) = &result {
        let shown = format!("{failure} {failure:?}");
        assert!(sent.iter().all(|secret| !shown.contains(secret)), "{shown}");
        assert_eq!(matches!(*failure.error, Error::Unavailable(_)), outage, "{failure}");
    }
    result
}

/// Whole statuses, and more often those that mean something.
pub(crate) fn response(choice: u8, body: &[u8]) -> http::Response<Vec<u8>> {
    let status = [200, 200, 200, 200, 201, 204, 302, 400, 400, 401, 403, 404, 418, 429, 500, 503]
        [usize::from(choice % 16)];
    let response = http::Response::builder().status(status);
    response.body(body.to_vec()).expect("a right response")
}

/// A failure is one line that a terminal can show, of a length that a person can read.
pub(crate) fn is_one_line(failure: &Failure) {
    let text = failure.to_string();
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(text.chars().count() < 1500, "{text:?}");
}
