//! The server's time: the system's, or a test's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What the server takes for the time; every copy is the same clock.
///
/// Codes, tokens and device codes expire by it, and early polls are judged by it. Waits that a fault asks for are real.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Dial>>);

#[derive(Debug)]
struct Dial {
    /// Time since the Unix epoch when the clock was made, plus what it was advanced by.
    set: Duration,
    /// Set on a clock that runs; a manual one stands still.
    started: Option<Instant>,
}

impl Clock {
    /// Runs with the system's time.
    #[must_use]
    pub fn system() -> Self {
        Self::with(unix_now(), Some(Instant::now()))
    }

    /// Stands still, at the moment of the call, until it is advanced.
    #[must_use]
    pub fn manual() -> Self {
        Self::manual_at(unix_now())
    }

    /// Stands still at this time since the Unix epoch until it is advanced.
    #[must_use]
    pub fn manual_at(unix: Duration) -> Self {
        Self::with(unix, None)
    }

    /// Jumps forward; a clock that runs keeps running from there.
    pub fn advance(&self, by: Duration) {
        let mut dial = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        dial.set = dial.set.saturating_add(by);
    }

    /// Time since the Unix epoch; it never goes back.
    #[must_use]
    pub fn now(&self) -> Duration {
        let dial = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        dial.set.saturating_add(dial.started.map_or(Duration::ZERO, |started| started.elapsed()))
    }

    fn with(set: Duration, started: Option<Instant>) -> Self {
        Self(Arc::new(Mutex::new(Dial { set, started })))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

fn unix_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The `Date` header's form (RFC 9110 section 5.6.7).
pub(crate) fn http_date(unix: Duration) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (unix.as_secs() / 86_400, unix.as_secs() % 86_400);
    // Howard Hinnant's days-to-civil: years begin in March, so that the leap day comes last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    let year = year_of_era + era * 400 + u64::from(month < 2);
    format!(
        "{}, {day:02} {} {year} {:02}:{:02}:{:02} GMT",
        DAYS[(days % 7) as usize],
        MONTHS[month as usize],
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_its_copies_with_it() {
        let clock = Clock::manual_at(Duration::from_secs(7));
        let copy = clock.clone();
        assert_eq!(clock.now(), Duration::from_secs(7));
        copy.advance(Duration::from_secs(3));
        assert_eq!(clock.now(), Duration::from_secs(10));
    }

    #[test]
    fn a_running_clock_can_be_advanced_as_well() {
        let clock = Clock::system();
        let before = clock.now();
        clock.advance(Duration::from_secs(3_600));
        assert!(clock.now() >= before + Duration::from_secs(3_600));
    }

    #[test]
    fn dates_are_written_as_http_wants_them() {
        for (unix, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        ] {
            assert_eq!(http_date(Duration::from_secs(unix)), date);
        }
    }
}
