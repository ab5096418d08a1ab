//! See `oauth_fuzz::token_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |answer: oauth_fuzz::token_response::Answer<'_>| oauth_fuzz::token_response::run(&answer)
);
