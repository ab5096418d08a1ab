//! See `oauth_fuzz::store`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::store::run(input));
