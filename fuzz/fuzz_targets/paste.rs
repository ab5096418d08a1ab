//! See `oauth_fuzz::paste`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::paste::run(input));
