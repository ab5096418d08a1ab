//! The second leg of a login on another device.

use super::OAuth;
use super::error::ComponentError;
use crate::{Authorization, Authorizer, Error};
use oauth_core::{
    Delivered, Flow, Input, Learned, Now, OptOut, Output, PollDevice, Tokens, Unreachable, UnreachableKind,
};

/// Polls for the login that was begun. One that is left in the middle, by an interrupt or by whoever awaits it, goes on with the
/// next call.
pub(super) async fn poll(
    oauth: &OAuth,
    authorizer: &Authorizer,
    resets: u64,
) -> Result<Authorization, ComponentError> {
    let (poll, slower) = {
        let mut kept = oauth.values();
        (kept.results.device.take(), kept.oauth.polling_interval)
    };
    let Some(poll) = poll else {
        return Err(ComponentError::Setup(
            "no login of a device is waited for: call get_authorization_url, and show what it gives".into(),
        ));
    };
    let poll = match slower {
        Some(interval) => poll.no_faster_than(interval),
        None => poll,
    };
    let tokens =
        authorizer.drive(Resumable { oauth, resets, poll: Some(poll), is_owed: false, is_over: false }).await;
    Ok(Authorization::new(tokens.map_err(Error::from)?)?)
}

/// A device's login, which is put back where it is left in the middle.
struct Resumable<'a> {
    oauth: &'a OAuth,
    resets: u64,
    /// There until it is put back.
    poll: Option<PollDevice>,
    /// Whether it waits for the answer to a request.
    is_owed: bool,
    is_over: bool,
}

impl Flow for Resumable<'_> {
    type Outcome = Tokens;

    fn poll(&mut self, now: Now) -> Output<Tokens> {
        let output = self.poll.as_mut().map_or(Output::Idle, |poll| poll.poll(now));
        self.is_owed |= matches!(output, Output::Send(_));
        self.is_over |= matches!(output, Output::Done(_));
        output
    }

    fn handle(&mut self, input: Input, now: Now) {
        self.is_owed = false;
        if let Some(poll) = &mut self.poll {
            poll.handle(input, now);
        }
    }

    fn take_learned(&mut self) -> Learned {
        self.poll.as_mut().map_or_else(Learned::default, Flow::take_learned)
    }

    fn waived(&self) -> Option<OptOut> {
        self.poll.as_ref()?.waived()
    }
}

impl Drop for Resumable<'_> {
    fn drop(&mut self) {
        let Some(mut poll) = self.poll.take().filter(|_| !self.is_over) else { return };
        if self.is_owed {
            // Whether the answer had come, nobody knows any more.
            let gone = Unreachable::new(UnreachableKind::Broken, Delivered::Unknown);
            poll.handle(Input::Unreachable(gone), crate::host::now());
        }
        self.oauth.keep(self.resets, |kept| {
            kept.results.device.get_or_insert(poll);
        });
    }
}
