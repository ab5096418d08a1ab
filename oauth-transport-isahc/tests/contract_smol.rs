//! The contract of every transport, on isahc, under smol.
#![allow(missing_docs, reason = "each case is described in the suite")]

mod engine;

struct Smol;

impl engine::Executor for Smol {
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        smol::block_on(future)
    }
}

engine::contract_tests!(Smol);
