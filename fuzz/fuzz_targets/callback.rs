//! See `oauth_fuzz::callback`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::callback::run(input));
