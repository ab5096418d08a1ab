//! Readers and state machines under a fuzzer: what must hold, whatever comes.
//!
//! In scope: inputs of any shape, and the invariants that they may not break. A new target is a module here and three
//! lines in `fuzz_targets`. Out of scope: what a right answer is; that is told by the tests of `oauth-core`.
//!
//! From the root of the project (the sanitizers come with the stable compiler, behind a switch meant for nightly):
//!
//! ```text
//! cargo install cargo-fuzz --locked
//! RUSTC_BOOTSTRAP=1 cargo fuzz run flow_order -- -max_total_time=60
//! RUSTC_BOOTSTRAP=1 cargo fuzz run token_response fuzz/corpus/token_response fuzz/seeds/token_response \
//!     -- -dict=fuzz/token_response.dict -max_total_time=60
//! ```
//!
//! What a run finds of interest goes to `corpus`, an input that broke a promise to `artifacts`; neither is kept in git.

pub mod callback;
pub mod challenge;
pub mod claims;
pub mod config;
pub mod cookies;
pub mod device_authorization;
mod document;
pub mod flow_order;
pub mod http_session;
pub mod introspection;
pub mod jwe;
pub mod jws;
pub mod listener;
pub mod metadata;
pub mod paste;
pub mod profile;
pub mod registration;
pub mod settings_text;
pub mod signing_key;
pub mod store;
pub mod token_response;
mod watch;
