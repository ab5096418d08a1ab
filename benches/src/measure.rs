//! What one run costs: counted by valgrind, and by the clock.

use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
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
    /// How many times the instructions of another row of this name it may cost, and how many allocations more.
    pub(crate) most_times: Option<(f64, &'static str, f64)>,
    /// Nanoseconds that the batch in the middle may take.
    pub(crate) within: Option<f64>,
    /// The two runs whose difference is counted: what is done once drops out.
    few: u32,
    many: u32,
    /// How often it is done between two looks at the clock.
    batch: u32,
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

/// Instructions and allocations.
type Counts = (Option<f64>, Option<f64>);

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

/// Prints a table, and says whether each row stays within what it may cost.
pub(crate) fn table(benches: &[&Bench]) -> bool {
    let counts = counts(benches);
    let measured: Vec<Measured> =
        benches.iter().zip(counts).map(|(bench, counts)| bench.measure(counts)).collect();
    let find = |row| benches.iter().position(|bench| bench.is(row)).map(|at| measured[at]);
    let mut within = true;
    println!(
        "{:<34}{:<22}{:>14}{:>13}{:>11}{:>11}",
        "", "", "instructions", "allocations", "ns (min)", "ns (med)"
    );
    for (bench, row) in benches.iter().zip(&measured) {
        let net =
            bench.minus.iter().fold(*row, |net, other| find(*other).map_or(net, |other| net.minus(&other)));
        let floor = bench.most_times.and_then(|(_, who, _)| find((bench.name, who)));
        let counted = |count: Option<f64>, digits| {
            count.map_or_else(|| "no valgrind".into(), |count| format!("{count:.digits$}"))
        };
        let over = bench.over(&net, floor.as_ref());
        within &= over.is_empty();
        println!(
            "{:<34}{:<22}{:>14}{:>13}{:>11.0}{:>11.0}{over}",
            bench.name,
            bench.who,
            counted(net.instructions, 0),
            counted(net.allocations, 1),
            net.fastest,
            net.median,
        );
    }
    within
}

/// What valgrind counts for each, as many at a time as there are processors: one does not change what another counts.
fn counts(benches: &[&Bench]) -> Vec<Counts> {
    let (next, counts) = (AtomicUsize::new(0), benches.iter().map(|_| OnceLock::new()).collect::<Vec<_>>());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((bench, counts)) = benches.get(at).zip(counts.get(at)) else { break };
            counts.get_or_init(|| bench.counts());
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    counts.into_iter().map(|counts| counts.into_inner().unwrap_or_default()).collect()
}

/// The number that this program prints when it is run so.
pub(crate) fn child_says(argument: &str) -> Option<u64> {
    let output = Command::new(std::env::current_exe().ok()?).arg(argument).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

impl Bench {
    pub(crate) const fn new(
        name: &'static str,
        who: &'static str,
        run: fn(u32),
        minus: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            name,
            who,
            run,
            minus,
            most: None,
            most_times: None,
            within: None,
            few: 100,
            many: 1100,
            batch: 1000,
        }
    }

    /// How often it is done, for what takes long.
    pub(crate) const fn runs(mut self, few: u32, many: u32, batch: u32) -> Self {
        (self.few, self.many, self.batch) = (few, many, batch);
        self
    }

    pub(crate) const fn at_most(mut self, instructions: f64, allocations: f64) -> Self {
        self.most = Some((instructions, allocations));
        self
    }

    pub(crate) const fn at_most_times(mut self, times: f64, who: &'static str) -> Self {
        self.most_times = Some((times, who, 3.0));
        self
    }

    /// The same, with so many allocations more.
    pub(crate) const fn beside(mut self, times: f64, who: &'static str, allocations: f64) -> Self {
        self.most_times = Some((times, who, allocations));
        self
    }

    pub(crate) const fn within(mut self, nanoseconds: f64) -> Self {
        self.within = Some(nanoseconds);
        self
    }

    pub(crate) fn is(&self, (name, who): (&str, &str)) -> bool {
        self.name == name && self.who == who
    }

    fn counts(&self) -> Counts {
        (
            self.count(&["--tool=callgrind", "--callgrind-out-file=/dev/null"], "Collected : "),
            self.count(&["--tool=memcheck", "--undef-value-errors=no"], "total heap usage: "),
        )
    }

    fn measure(&self, (instructions, allocations): Counts) -> Measured {
        let (fastest, median) = self.time();
        Measured { instructions, allocations, fastest, median }
    }

    /// What to say where it costs more than it may.
    fn over(&self, row: &Measured, floor: Option<&Measured>) -> String {
        let times = self.most_times.map(|(times, _, more)| {
            let most = |count: fn(&Measured) -> Option<f64>| floor.and_then(count).unwrap_or_default();
            // Chance is drawn on both sides, and decides how long some numbers are.
            (most(|floor| floor.instructions) * times, most(|floor| floor.allocations) + more + 0.4)
        });
        // Counted in two runs whose difference is divided: a tenth of an allocation is none.
        let more = |count: Option<f64>, most: f64| count.is_none_or(|count| count > most + 0.1);
        for (instructions, allocations) in self.most.into_iter().chain(times) {
            if more(row.instructions, instructions) || more(row.allocations, allocations) {
                return format!("  over {instructions:.0}, {allocations:.0}");
            }
        }
        match self.within {
            Some(most) if row.median > most => format!("  over {most:.0} ns"),
            _ => String::new(),
        }
    }

    /// Nanoseconds, over 60 batches; what is made once is taken off.
    fn time(&self) -> (f64, f64) {
        let took = |times: u32| {
            let begun = Instant::now();
            (self.run)(times);
            begun.elapsed().as_secs_f64() * 1e9
        };
        let prepared = (0..10).map(|_| took(0)).fold(f64::INFINITY, f64::min);
        let mut batches: Vec<f64> =
            (0..60).map(|_| (took(self.batch) - prepared) / f64::from(self.batch)).collect();
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
        Some((once(self.many)? - once(self.few)?) / f64::from(self.many - self.few))
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
