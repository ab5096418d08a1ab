//! See `oauth_fuzz::http_session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|story: oauth_fuzz::http_session::Story<'_>| oauth_fuzz::http_session::run(
    &story
));
