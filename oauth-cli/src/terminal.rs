//! The terminal while something is typed or pasted into it that nobody is to see.

use std::io::{IsTerminal as _, stderr, stdin};

/// What the system takes as one line at most.
pub(crate) const LONGEST_LINE: usize = if cfg!(target_os = "linux") { 4095 } else { 1023 };

/// Whether a person sits at it, sees what is said, and what they type is for us.
pub(crate) fn is_attended() -> bool {
    stdin().is_terminal() && stderr().is_terminal() && in_the_foreground()
}

/// How what is typed comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Line by line, as the system edits them.
    Lines,
    /// As it comes, whole, however long.
    Keys,
}

#[cfg(unix)]
pub(crate) use unix::{Silent, in_the_foreground, read, restore};

#[cfg(unix)]
mod unix {
    use super::Manner;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
    };
    use std::io::{self, IsTerminal as _, stdin};
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::thread;
    use std::time::Duration;

    /// How soon it is seen that a shell took the terminal, or gave it back.
    const TICK: Duration = Duration::from_millis(100);

    /// How the terminal was, and how it is wanted now. It is here, and not in [`Silent`], for the thread that reads may
    /// never come to its end.
    static TAKEN: Mutex<Option<(Termios, Manner)>> = Mutex::new(None);

    fn taken() -> MutexGuard<'static, Option<(Termios, Manner)>> {
        TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A terminal that does not show what is typed. As it was before once this is dropped.
    #[derive(Debug)]
    pub(crate) struct Silent(());

    impl Silent {
        pub(crate) fn new(manner: Manner) -> io::Result<Self> {
            *taken() = Some((tcgetattr(stdin())?, manner));
            let silent = Self(());
            keep()?;
            Ok(silent)
        }
    }

    impl Drop for Silent {
        fn drop(&mut self) {
            restore();
        }
    }

    /// Makes it silent, where it is ours to do: a shell that brings us back to the foreground has made it as it was.
    fn keep() -> io::Result<()> {
        let taken = taken();
        let Some((_, manner)) = *taken else { return Ok(()) };
        if !in_the_foreground() {
            return Ok(());
        }
        let mut modes = tcgetattr(stdin())?;
        let before = modes.local_modes;
        // Ctrl-C and Ctrl-Z stay what they are.
        modes.local_modes -= LocalModes::ECHO;
        if manner == Manner::Keys {
            modes.local_modes -= LocalModes::ICANON;
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        }
        if modes.local_modes != before {
            tcsetattr(stdin(), OptionalActions::Now, &modes)?;
        }
        Ok(())
    }

    /// Gives the terminal back as it was. In the background it is the shell's already, and whoever touches it is stopped.
    pub(crate) fn restore() {
        if let Some((before, _)) = taken().take()
            && in_the_foreground()
        {
            // A terminal that is gone needs no restoring.
            let _gone = tcsetattr(stdin(), OptionalActions::Now, &before);
        }
    }

    /// A program in the background is stopped when it reads from its terminal.
    pub(crate) fn in_the_foreground() -> bool {
        tcgetpgrp(stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
    }

    /// Reads what standard input has, and waits for it for as long as it is wanted. Nothing is read in the background: we
    /// would be stopped, and a browser that comes back then would hang.
    pub(crate) fn read(buffer: &mut [u8], is_wanted: impl Fn() -> bool) -> io::Result<usize> {
        let is_ours = || !stdin().is_terminal() || in_the_foreground();
        let tick = Timespec { tv_sec: 0, tv_nsec: i64::from(TICK.subsec_nanos()) };
        while is_wanted() {
            if !is_ours() {
                thread::sleep(TICK);
                continue;
            }
            keep()?;
            let input = stdin();
            let is_there = match poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&tick)) {
                Ok(count) => count > 0,
                Err(rustix::io::Errno::INTR) => false,
                Err(error) => return Err(error.into()),
            };
            // Meanwhile a shell may have taken the terminal.
            if is_there && is_ours() {
                return Ok(rustix::io::read(stdin(), buffer)?);
            }
        }
        Ok(0)
    }
}

#[cfg(not(unix))]
pub(crate) use elsewhere::{Silent, in_the_foreground, read, restore};

/// Elsewhere lines come as the system edits them.
#[cfg(not(unix))]
mod elsewhere {
    use super::Manner;
    use std::io::{self, Read as _, stdin};

    #[derive(Debug)]
    pub(crate) struct Silent;

    impl Silent {
        pub(crate) fn new(_: Manner) -> io::Result<Self> {
            Ok(Self)
        }
    }

    pub(crate) fn restore() {}

    pub(crate) fn in_the_foreground() -> bool {
        true
    }

    pub(crate) fn read(buffer: &mut [u8], _: impl Fn() -> bool) -> io::Result<usize> {
        stdin().lock().read(buffer)
    }
}
