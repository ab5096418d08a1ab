//! The terminal while something is pasted into it.

use std::io::{self, IsTerminal as _, stderr, stdin};

/// Whether a person sits at it, sees what is said, and what they type is for us.
pub(crate) fn is_attended() -> bool {
    stdin().is_terminal() && stderr().is_terminal() && in_the_foreground()
}

/// A terminal that hands on what is pasted as it comes, whole, and does not show it: in the usual mode it cuts lines off (after
/// 4095 bytes on Linux, 1023 on macOS), and the codes would stay on the screen. As it was before once this is dropped.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Silent(rustix::termios::Termios);

#[cfg(unix)]
impl Silent {
    pub(crate) fn new() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
        let before = tcgetattr(stdin())?;
        let mut silent = before.clone();
        // Ctrl-C and Ctrl-Z stay what they are.
        silent.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Now, &silent)?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _gone = rustix::termios::tcsetattr(stdin(), rustix::termios::OptionalActions::Now, &self.0);
    }
}

/// A program in the background is stopped when it reads from its terminal.
#[cfg(unix)]
fn in_the_foreground() -> bool {
    rustix::termios::tcgetpgrp(stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Elsewhere lines come as the system edits them.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Silent;

#[cfg(not(unix))]
impl Silent {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }
}

#[cfg(not(unix))]
fn in_the_foreground() -> bool {
    true
}
