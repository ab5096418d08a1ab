//! A browser that lives in this terminal, which nothing else may use until the person has quit it.

use crate::report::Report;
use oauth::loopback::browser::{self, Browser, Launch, Opening};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use url::Url;

/// Cheap to clone: it is one browser.
#[derive(Clone, Debug)]
pub(crate) struct TextBrowser {
    browser: Browser,
    running: Arc<Mutex<Option<Opening>>>,
}

impl TextBrowser {
    pub(crate) fn new(browser: Browser) -> Self {
        Self { browser, running: Arc::default() }
    }

    pub(crate) fn open(&self, url: &str, report: &Report) {
        // Any other is ready before it ends.
        let opening = Url::parse(url).map_err(|error| error.to_string()).and_then(|url| {
            browser::open_within(&url, &self.browser, Duration::MAX).map_err(|refused| refused.to_string())
        });
        match opening {
            Ok(opening) => *self.running() = Some(opening),
            Err(error) => report.note(format_args!("note: {error}")),
        }
    }

    /// What came of it, once.
    pub(crate) fn has_quit(&self, context: &mut Context<'_>) -> Option<Launch> {
        let mut running = self.running();
        match Pin::new(running.as_mut()?).poll(context) {
            Poll::Ready(launch) => {
                *running = None;
                Some(launch)
            }
            Poll::Pending => None,
        }
    }

    /// Waits until the person has quit it: what we print before that is lost on its screen, and so is a shell.
    pub(crate) async fn quit(self) {
        let running = self.running().take();
        if let Some(opening) = running {
            let _launch = opening.await;
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Opening>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
