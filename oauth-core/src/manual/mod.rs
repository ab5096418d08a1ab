//! What binds a client, RFC by RFC, and the test that shows that it is kept.
//!
//! In scope: each MUST of an RFC that this crate speaks, where it binds a client, and the SHOULDs that matter. A row names a
//! transcript of `oauth-core/tests/transcripts` (`*.txt`), a test function of this repository, or the reason why there is
//! none. `oauth-core/tests/rfcs.rs` knows that each of them exists.

#[doc = include_str!("rfcs.md")]
pub mod rfcs {}
