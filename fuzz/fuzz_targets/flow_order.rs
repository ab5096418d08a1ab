//! See `oauth_fuzz::flow_order`.
#![no_main]

libfuzzer_sys::fuzz_target!(|story: oauth_fuzz::flow_order::Story<'_>| oauth_fuzz::flow_order::run(&story));
