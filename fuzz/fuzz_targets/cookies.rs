//! See `oauth_fuzz::cookies`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::cookies::run(input));
