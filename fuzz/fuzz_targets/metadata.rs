//! See `oauth_fuzz::metadata`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::metadata::run(input));
