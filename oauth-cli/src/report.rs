//! Standard error: what a person sees. Standard output is for the result alone.

use crate::args::Verbosity;
use crate::exit::Problem;
use crate::explain::printable;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// When a wait has become long enough to say what may be wrong.
const LATE: Duration = Duration::from_secs(30);

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
    /// How much was typed that nobody sees.
    typed: usize,
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
        Self(Arc::new(Shared {
            live,
            to: Mutex::new(To { out, level, progress: false, typed: 0, steps: 0 }),
        }))
    }

    /// As much is told as the setting `LogLevel` says, where it is set and no flag says how much.
    pub(crate) fn log_level(&self, level: Option<&str>) {
        self.lock().level = match level {
            Some("0") => Level::Quiet,
            Some("2") => Level::Steps,
            Some("3") => Level::Wire,
            _ => return,
        };
    }

    /// From here on steps are told even without `-v`.
    pub(crate) fn tell_steps(&self) {
        let mut to = self.lock();
        if to.level == Level::Normal {
            to.level = Level::Steps;
        }
    }

    /// Whether steps are wanted.
    pub(crate) fn tells_steps(&self) -> bool {
        self.lock().level >= Level::Steps
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

    /// Shows that something goes on while the future runs, and says so much more when it takes long.
    pub(crate) async fn while_waiting<T>(
        &self,
        what: &str,
        late: impl FnOnce() -> Option<String>,
        future: impl Future<Output = T>,
    ) -> T {
        let begun = Instant::now();
        let mut late = Some(late);
        let mut future = std::pin::pin!(future);
        self.progress(what, Duration::ZERO);
        loop {
            match tokio::time::timeout(Duration::from_secs(1), future.as_mut()).await {
                Ok(outcome) => {
                    self.lock().wipe();
                    return outcome;
                }
                Err(_) if begun.elapsed() >= LATE => {
                    if let Some(hints) = late.take().and_then(|late| late()) {
                        self.note(hints);
                    }
                }
                Err(_) => {}
            }
            if self.0.live {
                self.progress(what, begun.elapsed());
            }
        }
    }

    /// So much was typed that nobody sees: the person learns that it arrived.
    pub(crate) fn typed(&self, length: usize) {
        let mut to = self.lock();
        to.typed = length;
        if self.0.live && length > 0 {
            to.live(format_args!("{length} characters, not shown: Enter uses them, Ctrl-U drops them"));
        }
    }

    fn progress(&self, what: &str, elapsed: Duration) {
        let mut to = self.lock();
        if to.level == Level::Quiet || to.typed > 0 {
            return;
        }
        if self.0.live {
            to.live(format_args!("{what} … {} s (Ctrl-C cancels)", elapsed.as_secs()));
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

    /// A line that the next one takes the place of.
    fn live(&mut self, text: fmt::Arguments<'_>) {
        self.wipe();
        // Nobody is left to hear of a standard error that is gone.
        let _gone = write!(self.out, "{text}").and_then(|()| self.out.flush());
        self.progress = true;
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
    fn after_half_a_minute_the_hints_are_told_once() {
        let (report, captured) = captured();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let wait = |time| tokio::time::sleep(Duration::from_secs(time));
            report.while_waiting("Waiting", || Some("a hint".to_owned()), wait(29)).await;
            assert_eq!(captured.text(), "Waiting …\n");
            report.while_waiting("Waiting", || Some("a hint".to_owned()), wait(90)).await;
            assert_eq!(captured.text(), "Waiting …\nWaiting …\na hint\n");
        });
    }

    #[test]
    fn what_is_typed_is_counted_and_not_shown() {
        let captured = Captured::default();
        let report = Report::new(Level::Normal, true, Box::new(captured.clone()));
        report.typed(3);
        report.progress("waiting", Duration::from_secs(2));
        report.note("a note");
        assert_eq!(
            captured.text(),
            "3 characters, not shown: Enter uses them, Ctrl-U drops them\r\x1b[Ka note\n"
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
