//! See `oauth_fuzz::device_authorization`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::device_authorization::run(input));
