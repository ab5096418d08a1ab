//! The contract of every transport, on hyper: once on a runtime of one thread, once on several.
#![allow(missing_docs, reason = "each case is described in the suite")]

use oauth_transport::contract::Engine;
use oauth_transport::{Setting, Settings, SettingsError, Support, Transport};
use oauth_transport_hyper::HyperTransport;
use tokio::runtime::Builder;

fn make(settings: Settings) -> Result<Box<dyn Transport>, SettingsError> {
    Ok(Box::new(HyperTransport::new(settings)?))
}

mod current_thread {
    use super::*;

    struct Hyper;

    impl Engine for Hyper {
        fn transport(settings: Settings) -> Result<Box<dyn Transport>, SettingsError> {
            make(settings)
        }

        fn supports(setting: Setting) -> Support {
            HyperTransport::supports(setting)
        }

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
        }
    }

    oauth_transport::contract_tests!(Hyper);
}

mod multi_thread {
    use super::*;

    struct Hyper;

    impl Engine for Hyper {
        fn transport(settings: Settings) -> Result<Box<dyn Transport>, SettingsError> {
            make(settings)
        }

        fn supports(setting: Setting) -> Support {
            HyperTransport::supports(setting)
        }

        fn block_on<T>(future: impl Future<Output = T>) -> T {
            Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
        }
    }

    oauth_transport::contract_tests!(Hyper);
}
