//! See `oauth_fuzz::profile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::profile::run(input));
