//! See `oauth_fuzz::listener`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::listener::run(input));
