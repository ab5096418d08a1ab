//! This project beside its peers, in one run: the same inputs, the results compared, then what each of them costs.
//!
//! In scope: what a login costs the processor and the allocator, counted, so that two machines agree. Out of scope: the
//! network. `cargo run -p oauth-benches --release` prints the table. Instructions and allocations are counted by
//! valgrind, where it is installed, as the difference of two runs of this program; the time is this machine's, and noisy.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

mod authorization_url;
mod device;
mod measure;
mod token;

use measure::{Bench, Measured};
use std::process::ExitCode;

/// Every row of the table. What is compared stands together, ours first.
const BENCHES: [Bench; 10] = [
    Bench { name: "authorization URL: oauth-core", run: authorization_url::ours },
    Bench { name: "authorization URL: oauth2-rs 5", run: authorization_url::oauth2_rs },
    Bench { name: "token request: oauth-core", run: token::our_request },
    Bench { name: "token request: oauth2-rs 5", run: token::their_request },
    Bench { name: "whole exchange, 400 B: oauth-core", run: token::our_exchange_small },
    Bench { name: "whole exchange, 400 B: oauth2-rs 5", run: token::their_exchange_small },
    Bench { name: "whole exchange, 4 KB: oauth-core", run: token::our_exchange_large },
    Bench { name: "whole exchange, 4 KB: oauth2-rs 5", run: token::their_exchange_large },
    Bench { name: "pending device poll: oauth-core", run: device::ours },
    Bench { name: "pending device poll: oauth2-rs 5", run: device::oauth2_rs },
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => table(),
        // What valgrind is given to run: one bench, so many times.
        ["--once", times, name] => {
            let (Ok(times), Some(bench)) = (times.parse(), BENCHES.iter().find(|bench| bench.name == *name))
            else {
                return ExitCode::from(2);
            };
            (bench.run)(times);
        }
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

fn table() {
    authorization_url::compare();
    token::compare();
    println!("{:<34} {:>14} {:>12} {:>10} {:>10}", "", "instructions", "allocations", "ns (min)", "ns (med)");
    for bench in &BENCHES {
        let Measured { instructions, allocations, fastest, median } = bench.measure();
        let counted = |count: Option<f64>, digits| {
            count.map_or_else(|| "no valgrind".into(), |count| format!("{count:.digits$}"))
        };
        println!(
            "{:<34} {:>14} {:>12} {fastest:>10.0} {median:>10.0}",
            bench.name,
            counted(instructions, 0),
            counted(allocations, 1)
        );
    }
    println!("\na device login that waits: {} bytes", device::waiting());
}
