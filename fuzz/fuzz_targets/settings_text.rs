//! See `oauth_fuzz::settings_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oauth_fuzz::settings_text::run(input));
