//! See `oauth_fuzz::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::config::run(input));
