//! What the end of the command has to wait for: an answer that may carry the only refresh token that is good.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long an end that is asked for waits for that answer.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// The thread that waits for signals has to know it while the one that works may be stuck.
static AT_STAKE: AtomicBool = AtomicBool::new(false);

/// A refresh token that may be on the wire: the server may have put another one in its place, which is not kept yet. So it is
/// until this is dropped.
#[derive(Debug)]
pub(crate) struct OnTheWire(());

impl OnTheWire {
    /// From here on the end waits.
    pub(crate) fn begin() -> Self {
        AT_STAKE.store(true, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for OnTheWire {
    fn drop(&mut self) {
        AT_STAKE.store(false, Ordering::SeqCst);
    }
}

/// Whether a refresh token would be lost by an end at once.
pub(crate) fn is_waited_for() -> bool {
    AT_STAKE.load(Ordering::SeqCst)
}
