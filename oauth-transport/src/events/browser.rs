//! What a handler hears of the browser, which leaves before a login and comes back after it.

use http::HeaderMap;
use std::fmt;
use url::Url;

/// A browser that is about to be opened. What is set here is what happens.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrowserLaunch {
    /// Where it goes. It is checked again afterwards: nothing but `https`, or `http` that stays on this machine, is opened.
    pub url: Url,
    /// The command that opens it; `%s` stands for the URL. Empty: none is opened, and the person opens the URL. It comes
    /// empty where the program wanted none.
    ///
    /// No shell reads it. Left as it is, it stands for whatever the program had chosen, the system's own way among it.
    pub command: String,
}

impl BrowserLaunch {
    /// A launch; what it consists of can be set afterwards.
    #[must_use]
    pub const fn new(url: Url, command: String) -> Self {
        Self { url, command }
    }
}

impl fmt::Debug for BrowserLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL holds a `state`.
        f.debug_struct("BrowserLaunch").field("command", &self.command).finish_non_exhaustive()
    }
}

/// A browser that came back to the listener with the answer of this login, which is going to be checked. What is set here
/// is what it is shown if the login succeeds.
#[derive(Clone)]
#[non_exhaustive]
pub struct BrowserReturn<'a> {
    /// The path that it came to.
    pub path: &'a str,
    query: &'a str,
    /// Headers for the response, beside those that keep its page from harm.
    pub headers: HeaderMap,
    /// The page, as HTML in UTF-8; `None` leaves the program's own.
    pub body: Option<String>,
}

impl<'a> BrowserReturn<'a> {
    /// A return that changes nothing.
    #[must_use]
    pub fn new(path: &'a str, query: &'a str) -> Self {
        Self { path, query, headers: HeaderMap::new(), body: None }
    }

    /// The parameters that it brought, by name, without their values. Those of a fragment or of a form that it posted are
    /// given in the same way.
    #[must_use]
    pub fn query(&self) -> String {
        let mut redacted = String::new();
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            redacted.push_str(if redacted.is_empty() { "" } else { "&" });
            if let Some((name, _)) = pair.split_once('=') {
                redacted.push_str(name);
                redacted.push('=');
            }
            redacted.push_str("[redacted]");
        }
        redacted
    }

    /// The parameters with their values: the code among them. Whoever calls this keeps it out of logs and pages.
    #[must_use]
    pub const fn expose_query(&self) -> &'a str {
        self.query
    }
}

impl fmt::Debug for BrowserReturn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserReturn")
            .field("path", &self.path)
            .field("query", &self.query())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{BrowserLaunch, BrowserReturn};
    use crate::{EventHandler, EventSink, LogLevel};
    use http::{HeaderMap, HeaderValue, header};
    use url::Url;

    #[test]
    fn a13_the_query_of_a_return_is_redacted_unless_it_is_asked_for() {
        let query = "code=s3cret&state=s3cret&&s3cret&a=b=s3cret";
        let back = BrowserReturn::new("/callback", query);
        assert_eq!(back.query(), "code=[redacted]&state=[redacted]&[redacted]&a=[redacted]");
        assert_eq!(BrowserReturn::new("/", "").query(), "");
        assert_eq!(back.expose_query(), query);
        let launch = BrowserLaunch::new(Url::parse("https://as.example/?state=s3cret").unwrap(), "x".into());
        for shown in [format!("{back:?}"), format!("{launch:?}")] {
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }

    /// Changes everything, and panics afterwards when it is told to.
    struct Rewrite {
        panics: bool,
    }

    impl EventHandler for Rewrite {
        fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {
            launch.command = "other".into();
            assert!(!self.panics);
        }

        fn on_return_url(&mut self, back: &mut BrowserReturn<'_>) {
            back.body = Some(back.path.to_owned());
            back.headers.insert(header::EXPIRES, HeaderValue::from_static("0"));
        }
    }

    #[test]
    fn a_handler_has_the_last_word_unless_it_panics_and_is_then_not_called_again() {
        let launch = BrowserLaunch::new(Url::parse("https://as.example/").unwrap(), "x".into());
        let back = |events: &EventSink| {
            let mut back = BrowserReturn::new("/callback", "code=c");
            events.return_url(&mut back);
            (back.headers, back.body)
        };

        let events = EventSink::new(Rewrite { panics: false }, LogLevel::None);
        assert_eq!(events.launch_browser(launch.clone()).command, "other");
        let (headers, body) = back(&events);
        assert_eq!((headers[header::EXPIRES].as_bytes(), body.as_deref()), (&b"0"[..], Some("/callback")));

        let events = EventSink::new(Rewrite { panics: true }, LogLevel::None);
        assert_eq!(events.launch_browser(launch.clone()), launch);
        assert_eq!(back(&events), (HeaderMap::new(), None));
        assert_eq!(EventSink::none().launch_browser(launch.clone()), launch);
    }
}
