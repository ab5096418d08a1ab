//! Standard error: what a person sees. Standard output is for the result alone.

use crate::args::Verbosity;
use crate::exit::Problem;
use crate::explain::printable;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where lines for people go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Report(Arc<Shared>);

struct Shared {
    /// Whether a line may be written over: only on a terminal.
    live: bool,
    to: Mutex<To>,
}

struct To {
    out: Box<dyn Write + Send>,
    level: Level,
    /// A progress line stands there and has to be wiped first.
    progress: bool,
    steps: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Quiet,
    Normal,
    Steps,
    Wire,
}

impl Report {
    pub(crate) fn to_stderr(verbosity: &Verbosity) -> Self {
        let level = match verbosity {
            Verbosity { quiet: true, .. } => Level::Quiet,
            Verbosity { verbose: 0, .. } => Level::Normal,
            Verbosity { verbose: 1, .. } => Level::Steps,
            Verbosity { .. } => Level::Wire,
        };
        Self::new(level, io::stderr().is_terminal(), Box::new(io::stderr()))
    }

    fn new(level: Level, live: bool, out: Box<dyn Write + Send>) -> Self {
        Self(Arc::new(Shared { live, to: Mutex::new(To { out, level, progress: false, steps: 0 }) }))
    }

    /// From here on steps are told even without `-v`.
    pub(crate) fn tell_steps(&self) {
        let mut to = self.lock();
        if to.level == Level::Normal {
            to.level = Level::Steps;
        }
    }

    /// Whether what goes over the wire is wanted.
    pub(crate) fn tells_wire(&self) -> bool {
        self.lock().level >= Level::Wire
    }

    /// Something of the wire: each of its lines after a mark that says which way it goes.
    pub(crate) fn wire(&self, mark: char, text: &str) {
        let mut to = self.lock();
        for line in text.lines() {
            to.line(format_args!("   {mark} {}", printable(line)));
        }
    }

    /// One numbered step of the conversation.
    pub(crate) fn step(&self, name: &str, text: impl fmt::Display) {
        let mut to = self.lock();
        if to.level < Level::Steps {
            return;
        }
        to.steps += 1;
        let number = to.steps;
        to.line(format_args!("{number:>2} {name:<10} {text}"));
    }

    /// Something the person needs to go on. Also said with `--quiet` where nothing works without it.
    pub(crate) fn instruction(&self, text: impl fmt::Display) {
        self.lock().line(format_args!("{text}"));
    }

    /// Something worth knowing.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        let mut to = self.lock();
        if to.level > Level::Quiet {
            to.line(format_args!("{text}"));
        }
    }

    /// What went wrong, what to do, and the exit code: three short lines.
    pub(crate) fn problem(&self, problem: &Problem) {
        let mut to = self.lock();
        to.line(format_args!("oauth: {}", problem.what));
        to.line(format_args!("  next: {}", problem.next));
        to.line(format_args!("  exit: {}", problem.exit));
    }

    /// Shows that something goes on while the future runs.
    pub(crate) async fn while_waiting<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let mut future = std::pin::pin!(future);
        self.progress(what, Duration::ZERO);
        loop {
            match tokio::time::timeout(Duration::from_secs(1), future.as_mut()).await {
                Ok(outcome) => {
                    self.lock().wipe();
                    return outcome;
                }
                Err(_) if self.0.live => self.progress(what, begun.elapsed()),
                Err(_) => {}
            }
        }
    }

    fn progress(&self, what: &str, elapsed: Duration) {
        let mut to = self.lock();
        if to.level == Level::Quiet {
            return;
        }
        if self.0.live {
            to.wipe();
            // Nobody is left to hear of a standard error that is gone.
            let _gone = write!(to.out, "{what} … {} s (Ctrl-C cancels)", elapsed.as_secs())
                .and_then(|()| to.out.flush());
            to.progress = true;
        } else {
            to.line(format_args!("{what} …"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, To> {
        self.0.to.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl To {
    fn line(&mut self, text: fmt::Arguments<'_>) {
        self.wipe();
        let _gone = writeln!(self.out, "{text}");
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.progress) {
            let _gone = write!(self.out, "\r\x1b[K");
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A report whose lines can be read afterwards.
    pub(crate) fn captured() -> (Report, Captured) {
        let captured = Captured::default();
        (Report::new(Level::Steps, false, Box::new(captured.clone())), captured)
    }

    #[derive(Clone, Default)]
    pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn steps_are_numbered_and_a_progress_line_is_wiped_before_the_next() {
        let captured = Captured::default();
        let report = Report::new(Level::Steps, true, Box::new(captured.clone()));
        report.step("discover", "done");
        report.progress("waiting", Duration::from_secs(2));
        report.step("token", "done");
        assert_eq!(
            captured.text(),
            " 1 discover   done\nwaiting … 2 s (Ctrl-C cancels)\r\x1b[K 2 token      done\n"
        );
    }

    #[test]
    fn quiet_leaves_instructions_and_problems() {
        let captured = Captured::default();
        let report = Report::new(Level::Quiet, false, Box::new(captured.clone()));
        report.step("discover", "done");
        report.note("a note");
        report.instruction("open this");
        assert_eq!(captured.text(), "open this\n");
    }
}
