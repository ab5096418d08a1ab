//! This project beside its peers, in one run: the same inputs, the results compared, then what each of them costs.
//!
//! In scope: what a login costs the processor and the allocator, counted, so that two machines agree, and what a request over
//! an engine costs beside the engine alone, how long a browser waits for its page. Out of scope: the network between machines. `cargo run -p oauth-benches --release` prints the table, and with `-- --gate` ends with 1 where ours costs more
//! than it may. Instructions and allocations are counted by valgrind, where it is installed, as the difference of two runs
//! of this program; it does not know the processor's instructions for SHA-256, which counts 3,400 there and is in each row
//! of the authorization URL. The time is this machine's, and noisy.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

mod authorization_url;
mod device;
mod engines;
mod exchange;
mod huskarl;
mod listener;
mod measure;
mod signatures;

use measure::{Bench, table};
use std::process::ExitCode;

const URL: &str = "authorization URL";
const REQUEST: &str = "code exchange, the request";
const SMALL: &str = "code exchange, 400 B";
const LARGE: &str = "code exchange, 4 KB";
const POLL: &str = "pending device poll";
const OURS: &str = "oauth-core";
const OAUTH2: &str = "oauth2-rs 5";
const OPENID: &str = "openidconnect 4";
const HUSKARL: &str = "huskarl 0.11";

/// Every row of the table, what is compared together. What a row has in it and should not is named last: it is taken off.
static BENCHES: [Bench; 24] = [
    Bench::new("a canned answer", "alone", exchange::answer_small, &[]),
    Bench::new("a login from its store", OURS, exchange::our_login, &[]),
    Bench::new("the browser's answer, checked", OURS, exchange::ours_checked, &[LOGIN]),
    Bench::new("authorization URL, request kept", OURS, authorization_url::ours, &[]).at_most(5_500.0, 3.0),
    Bench::new(URL, OURS, authorization_url::ours_made_anew, &[]),
    Bench::new(URL, OAUTH2, authorization_url::oauth2_rs, &[]),
    Bench::new(URL, OPENID, authorization_url::openidconnect, &[]),
    Bench::new(URL, HUSKARL, huskarl::url, &[]),
    Bench::new(REQUEST, OURS, exchange::ours_request, &[CHECKED]).at_most(4_800.0, 4.0),
    Bench::new(REQUEST, OAUTH2, exchange::oauth2_rs_request, &[]),
    Bench::new(REQUEST, HUSKARL, huskarl::request, &[]),
    Bench::new(SMALL, OURS, exchange::ours_small, &[CHECKED, ANSWER]).at_most(12_000.0, 10.0),
    Bench::new(SMALL, OAUTH2, exchange::oauth2_rs_small, &[ANSWER]),
    Bench::new(SMALL, HUSKARL, huskarl::exchange_small, &[ANSWER]),
    Bench::new(LARGE, OURS, exchange::ours_large, &[CHECKED, ANSWER]),
    Bench::new(LARGE, OAUTH2, exchange::oauth2_rs_large, &[ANSWER]),
    Bench::new(LARGE, HUSKARL, huskarl::exchange_large, &[ANSWER]),
    Bench::new("400 B read", OURS, exchange::ours_small, &[(REQUEST, OURS), ANSWER]).at_most(5_800.0, 3.0),
    Bench::new("400 B read", OPENID, exchange::openidconnect_small, &[ANSWER]),
    Bench::new("4 KB read", OURS, exchange::ours_large, &[(REQUEST, OURS), ANSWER]).at_most(28_000.0, 4.0),
    Bench::new("4 KB read", OAUTH2, exchange::oauth2_rs_large, &[(REQUEST, OAUTH2), ANSWER]),
    Bench::new(POLL, OURS, device::ours, &[ANSWER]).at_most(4_000.0, 3.0),
    Bench::new(POLL, OAUTH2, device::oauth2_rs, &[ANSWER]),
    Bench::new(POLL, HUSKARL, huskarl::device_poll, &[ANSWER]),
];

const ANSWER: (&str, &str) = ("a canned answer", "alone");
const LOGIN: (&str, &str) = ("a login from its store", OURS);
const CHECKED: (&str, &str) = ("the browser's answer, checked", OURS);

/// What a device login that waits may take, and a hundred thousand of them together.
const WAITING_LOGIN: usize = 160;
const WAITING_LOGINS: u64 = 16 << 20;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            let _within = tables();
            ExitCode::SUCCESS
        }
        ["--gate"] if tables() => ExitCode::SUCCESS,
        ["--gate"] => ExitCode::FAILURE,
        // What valgrind is given to run: one bench, so many times.
        ["--once", times, name, who] => {
            let bench = BENCHES
                .iter()
                .chain(signatures::benches())
                .chain(engines::benches())
                .find(|bench| bench.is((*name, *who)));
            let (Ok(times), Some(bench)) = (times.parse(), bench) else { return ExitCode::from(2) };
            (bench.run)(times);
            ExitCode::SUCCESS
        }
        ["--engines"] if table(&engines::benches().collect::<Vec<_>>()) => ExitCode::SUCCESS,
        ["--engines"] => ExitCode::FAILURE,
        ["--listener"] if listener::measure() => ExitCode::SUCCESS,
        ["--listener"] => ExitCode::FAILURE,
        ["--idle-connection"] => {
            println!("{}", listener::bytes_of_an_idle_connection());
            ExitCode::SUCCESS
        }
        ["--serve"] => {
            engines::serve();
            ExitCode::SUCCESS
        }
        ["--waiting"] => {
            println!("{}", device::resident_memory_of_waiting_logins());
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(2),
    }
}

/// Prints the tables, and says whether ours stays within what it may cost.
fn tables() -> bool {
    authorization_url::compare();
    exchange::compare();
    signatures::compare();
    signatures::engine_is_as_told();
    let flows = table(&BENCHES.iter().collect::<Vec<_>>());
    println!();
    let signatures = table(&signatures::benches().collect::<Vec<_>>());
    println!();
    let engines = table(&engines::benches().collect::<Vec<_>>());
    let (one, all) = (device::waiting(), measure::child_says("--waiting"));
    println!(
        "\na device login that waits: {one} bytes; 100,000 of them: {} KB of memory",
        all.unwrap_or_default() / 1000
    );
    let waiting = one <= WAITING_LOGIN && all.is_some_and(|all| all <= WAITING_LOGINS);
    let listener = listener::measure();
    flows && signatures && engines && waiting && listener
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_off_is_there() {
        for bench in &BENCHES {
            for other in bench.minus {
                assert!(BENCHES.iter().any(|bench| bench.is(*other)), "{other:?}");
            }
        }
    }
}
