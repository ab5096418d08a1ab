//! See `oauth_fuzz::jws`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::jws::run(input));
