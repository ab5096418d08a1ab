//! See `oauth_fuzz::introspection`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::introspection::run(input));
