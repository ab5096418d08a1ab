//! What a peer wrote down.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Some peers write a line only when a connection has ended.
const PATIENCE: Duration = Duration::from_secs(5);

/// The log of a peer.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    turn: Mutex<()>,
}

impl Log {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, turn: Mutex::new(()) }
    }

    /// Watches what is written from now on.
    ///
    /// One watch at a time: a test that asks for another one waits until this one is dropped, so that neither takes the
    /// other's lines for its own. A peer may write late: wait for every line that you cause, or the next one gets it.
    #[must_use]
    pub fn watch(&self) -> Watch<'_> {
        // A test that failed while it watched has not broken anything.
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        Watch { log: self, from: self.read().len(), _turn: turn }
    }

    /// All of it, so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.read()).into_owned()
    }

    /// A log that is not there yet is empty.
    fn read(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap_or_default()
    }
}

/// The lines that a peer writes while a test looks.
#[derive(Debug)]
pub struct Watch<'a> {
    log: &'a Log,
    from: usize,
    _turn: MutexGuard<'a, ()>,
}

impl Watch<'_> {
    /// The first new line that holds all of these words; waits for it.
    ///
    /// # Panics
    /// No such line comes within some seconds. The message holds the lines that came instead.
    #[must_use]
    #[track_caller]
    pub fn line(&self, words: &[&str]) -> String {
        self.lines(1, words).swap_remove(0)
    }

    /// The new lines that hold all of these words; waits until there are that many.
    ///
    /// # Panics
    /// Fewer come within some seconds. The message holds the lines that came instead.
    #[must_use]
    #[track_caller]
    pub fn lines(&self, at_least: usize, words: &[&str]) -> Vec<String> {
        let start = Instant::now();
        loop {
            let text = self.text();
            let lines: Vec<_> = text
                .lines()
                .filter(|line| words.iter().all(|word| line.contains(word)))
                .map(str::to_owned)
                .collect();
            if lines.len() >= at_least {
                return lines;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{} lines of {at_least} with {words:?} in {}, where these are new:\n{text}",
                lines.len(),
                self.log.path.display()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What is new so far.
    #[must_use]
    pub fn text(&self) -> String {
        let all = self.log.read();
        String::from_utf8_lossy(all.get(self.from..).unwrap_or_default()).into_owned()
    }
}
