//! What one run costs: counted by valgrind, and by the clock.

use std::process::Command;
use std::time::Instant;

/// Something that can be done any number of times.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    pub(crate) who: &'static str,
    /// Prepares what is made once, then does it so many times.
    pub(crate) run: fn(u32),
    /// Rows whose cost is in this one, and is taken off.
    pub(crate) minus: &'static [(&'static str, &'static str)],
    /// Instructions and allocations that it may cost.
    pub(crate) most: Option<(f64, f64)>,
}

/// The cost of one time.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    /// User instructions; nothing without valgrind.
    pub(crate) instructions: Option<f64>,
    /// Calls of the allocator, a growing buffer counted each time; nothing without valgrind.
    pub(crate) allocations: Option<f64>,
    /// Nanoseconds of the fastest batch.
    pub(crate) fastest: f64,
    /// Nanoseconds of the batch in the middle.
    pub(crate) median: f64,
}

impl Measured {
    pub(crate) fn minus(&self, other: &Self) -> Self {
        let less = |own: Option<f64>, other: Option<f64>| Some(own? - other?);
        Self {
            instructions: less(self.instructions, other.instructions),
            allocations: less(self.allocations, other.allocations),
            fastest: self.fastest - other.fastest,
            median: self.median - other.median,
        }
    }
}

/// What to say where a row costs more than it may.
pub(crate) fn most(most: Option<(f64, f64)>, row: &Measured) -> String {
    let Some((instructions, allocations)) = most else { return String::new() };
    // Counted in two runs whose difference is divided: a tenth of an allocation is none.
    let over = |count: Option<f64>, most: f64| count.is_none_or(|count| count > most + 0.1);
    if over(row.instructions, instructions) || over(row.allocations, allocations) {
        return format!("  over {instructions:.0}, {allocations:.0}");
    }
    String::new()
}

/// The number that this program prints when it is run so.
pub(crate) fn child_says(argument: &str) -> Option<u64> {
    let output = Command::new(std::env::current_exe().ok()?).arg(argument).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The two runs whose difference is counted: what is done once drops out.
const FEW: u32 = 100;
const MANY: u32 = 1100;

impl Bench {
    pub(crate) const fn new(
        name: &'static str,
        who: &'static str,
        run: fn(u32),
        minus: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { name, who, run, minus, most: None }
    }

    pub(crate) const fn at_most(mut self, instructions: f64, allocations: f64) -> Self {
        self.most = Some((instructions, allocations));
        self
    }

    pub(crate) fn is(&self, (name, who): (&str, &str)) -> bool {
        self.name == name && self.who == who
    }

    pub(crate) fn measure(&self) -> Measured {
        let (fastest, median) = self.time();
        Measured {
            instructions: self.count(&["--tool=callgrind", "--callgrind-out-file=/dev/null"], "Collected : "),
            allocations: self.count(&["--tool=memcheck", "--undef-value-errors=no"], "total heap usage: "),
            fastest,
            median,
        }
    }

    /// Nanoseconds, over 60 batches of about a millisecond.
    fn time(&self) -> (f64, f64) {
        const TIMES: u32 = 1000;
        let mut batches: Vec<f64> = (0..60)
            .map(|_| {
                let begun = Instant::now();
                (self.run)(TIMES);
                begun.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES)
            })
            .collect();
        batches.sort_by(f64::total_cmp);
        (batches[0], batches[batches.len() / 2])
    }

    /// The number behind `label` in what valgrind says, for one time.
    fn count(&self, tool: &[&str], label: &str) -> Option<f64> {
        let once = |times: u32| {
            let run = Command::new("valgrind")
                .args(tool)
                .arg(std::env::current_exe().ok()?)
                .args(["--once", &times.to_string(), self.name, self.who])
                .output()
                .ok()?;
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            number_behind(label, &String::from_utf8_lossy(&run.stderr))
        };
        Some((once(MANY)? - once(FEW)?) / f64::from(MANY - FEW))
    }
}

/// Valgrind writes thousands with a comma, and more words behind the number.
fn number_behind(label: &str, text: &str) -> Option<f64> {
    let number = text.split_once(label)?.1;
    let digits: String =
        number.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_valgrind_says_is_read() {
        let text = "==7== total heap usage: 1,234 allocs, 9 frees\n==7== Collected : 5678\n";
        assert_eq!(number_behind("total heap usage: ", text), Some(1234.0));
        assert_eq!(number_behind("Collected : ", text), Some(5678.0));
        assert_eq!(number_behind("missing: ", text), None);
    }
}
