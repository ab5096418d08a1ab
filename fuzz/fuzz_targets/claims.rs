//! See `oauth_fuzz::claims`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::claims::run(input));
