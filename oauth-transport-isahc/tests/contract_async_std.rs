//! The contract of every transport, on isahc, under async-std.
#![allow(missing_docs, reason = "each case is described in the suite")]

mod engine;

struct AsyncStd;

impl engine::Executor for AsyncStd {
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        async_std::task::block_on(future)
    }
}

engine::contract_tests!(AsyncStd);
