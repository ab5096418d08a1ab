//! The examples run, as they are.
#![allow(
    missing_docs,
    clippy::duplicate_mod,
    reason = "a test; two examples bring the same few lines of HTTP"
)]

use std::error::Error;

type Outcome = Result<(), Box<dyn Error>>;

#[path = "../examples/by_hand.rs"]
mod by_hand;
#[path = "../examples/custom_runtime.rs"]
mod custom_runtime;
#[path = "../examples/device.rs"]
mod device;
#[cfg(feature = "loopback")]
#[path = "../examples/sign_in.rs"]
mod sign_in;
#[path = "../examples/web_server.rs"]
mod web_server;

#[test]
fn by_hand_completes() -> Outcome {
    by_hand::main()
}

#[test]
fn custom_runtime_completes() -> Outcome {
    custom_runtime::main()
}

#[test]
fn device_completes() -> Outcome {
    device::main()
}

#[cfg(feature = "loopback")]
#[test]
fn sign_in_completes() -> Outcome {
    sign_in::main()
}

#[test]
fn web_server_completes_in_two_processes() -> Outcome {
    // Its second leg is a process of the example itself, which a run of this test alone has not built.
    let build = ["build", "--quiet", "-p", "oauth", "--example", "web_server"];
    if web_server::example().is_err()
        && !std::process::Command::new(env!("CARGO")).args(build).status()?.success()
    {
        return Err("the example does not build".into());
    }
    web_server::main()
}
