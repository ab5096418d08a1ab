//! See `oauth_fuzz::challenge`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::challenge::run(input));
