//! The contract of every transport, on isahc, on a plain thread without any runtime.
#![allow(missing_docs, reason = "each case is described in the suite")]

mod engine;

struct PlainThread;

impl engine::Executor for PlainThread {
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        futures_lite::future::block_on(future)
    }
}

engine::contract_tests!(PlainThread);
