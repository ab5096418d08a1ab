//! See `oauth_fuzz::signing_key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::signing_key::run(input));
