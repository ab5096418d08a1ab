//! See `oauth_fuzz::registration`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::registration::run(input));
