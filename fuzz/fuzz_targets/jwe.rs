//! See `oauth_fuzz::jwe`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::jwe::run(input));
