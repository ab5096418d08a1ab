//! A browser without a screen: it follows redirects, keeps cookies, and fills in the server's forms.

mod fetch;
mod forms;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::time::Duration;

use crate::form;
use crate::uri::Uri;
use fetch::{Outgoing, Page};
use forms::HtmlForm;

/// So many pages and redirects are taken before it must be a loop.
const STEP_LIMIT: usize = 20;

/// Signs in as a person would, in the pages of a [`TestServer`](crate::TestServer).
///
/// It speaks plain HTTP to whatever address it is sent to, so it should be sent to this machine alone. Cookies are kept
/// by host, as browsers do, across every call on the same value.
#[derive(Clone)]
pub struct Browser {
    cookies: HashMap<String, BTreeMap<String, String>>,
    visit_redirect_uri: bool,
    timeout: Duration,
}

/// Where the browser ended up.
#[derive(Clone)]
#[non_exhaustive]
pub struct Landing {
    /// The address that was reached, with its fragment: the client's redirect URI and its answer, if all went well.
    pub url: String,
    /// What was posted there, or would be, if the answer is a form (`response_mode=form_post`).
    pub form: Vec<(String, String)>,
    /// What that address answered; `None` if the browser was told not to visit it, or cannot because it is no `http`.
    pub status: Option<u16>,
    /// The page at that address; empty without a visit.
    pub body: String,
}

/// Why the browser got stuck.
#[derive(Debug)]
#[non_exhaustive]
pub enum BrowserError {
    /// An address is not one that this browser can open; it opens `http` alone.
    Address,
    /// A connection could not be made or broke off.
    Io {
        /// The origin it was made to; the rest of the address has secrets in it.
        origin: String,
        /// What the system said.
        source: io::Error,
    },
    /// An answer is not HTTP/1.1, or is over 8 MiB.
    NotHttp {
        /// The origin it came from.
        origin: String,
    },
    /// The login page has no such person.
    NoSuchPerson {
        /// The user name that was looked for.
        username: String,
    },
    /// There were 20 pages and redirects, and no end.
    TooManySteps,
}

/// What the browser does on the pages that it comes to.
struct Intent<'a> {
    /// Whoever is first on the page, if it does not matter.
    person: Option<&'a str>,
    decision: &'a str,
    user_code: Option<&'a str>,
}

impl Browser {
    /// Without any cookie; it visits the redirect URI at the end, and waits 30 seconds for any answer.
    #[must_use]
    pub fn new() -> Self {
        Self { cookies: HashMap::new(), visit_redirect_uri: true, timeout: Duration::from_secs(30) }
    }

    /// Stops short of the redirect URI and only tells what it would have been.
    #[must_use]
    pub fn without_visiting_redirect_uri(mut self) -> Self {
        self.visit_redirect_uri = false;
        self
    }

    /// Waits so long for a connection and for each piece of an answer.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Opens the authorization URL, signs this person in and approves.
    ///
    /// A page of the server's own that leads nowhere, an error page for one, is a landing too.
    ///
    /// # Errors
    ///
    /// If a page cannot be fetched or the person is not on it.
    pub fn sign_in(&mut self, username: &str, authorize_url: &str) -> Result<Landing, BrowserError> {
        self.walk(authorize_url, &Intent { person: Some(username), decision: "approve", user_code: None })
    }

    /// Opens the authorization URL, signs the first person in and denies.
    ///
    /// # Errors
    ///
    /// If a page cannot be fetched.
    pub fn deny(&mut self, authorize_url: &str) -> Result<Landing, BrowserError> {
        self.walk(authorize_url, &Intent { person: None, decision: "deny", user_code: None })
    }

    /// Opens the page of the device flow, enters the code, signs the first person in and approves.
    ///
    /// The landing is the server's last page: status 200, or 400 if it does not know the code.
    ///
    /// # Errors
    ///
    /// If a page cannot be fetched.
    pub fn approve_device(
        &mut self,
        verification_uri: &str,
        user_code: &str,
    ) -> Result<Landing, BrowserError> {
        let intent = Intent { person: None, decision: "approve", user_code: Some(user_code) };
        self.walk(verification_uri, &intent)
    }

    /// Opens the page of the device flow, enters the code, signs the first person in and denies.
    ///
    /// # Errors
    ///
    /// If a page cannot be fetched.
    pub fn deny_device(&mut self, verification_uri: &str, user_code: &str) -> Result<Landing, BrowserError> {
        let intent = Intent { person: None, decision: "deny", user_code: Some(user_code) };
        self.walk(verification_uri, &intent)
    }

    fn walk(&mut self, start: &str, intent: &Intent<'_>) -> Result<Landing, BrowserError> {
        let origin = Uri::parse(start).ok_or(BrowserError::Address)?.origin();
        let mut next = Outgoing::get(start);
        for _ in 0..STEP_LIMIT {
            let at_home = Uri::parse(&next.url).ok_or(BrowserError::Address)?.origin() == origin;
            if !at_home {
                return self.land(next);
            }
            let page = self.fetch(&next)?;
            if let Some(location) = page.redirect() {
                let url = resolve(&next.url, location).ok_or(BrowserError::Address)?;
                next = next.redirected(page.status, url);
                continue;
            }
            let filled = if page.status == 200 { fill(&page.body, intent)? } else { None };
            let Some((html_form, values)) = filled else { return Ok(next.landing(Some(page))) };
            let url = resolve(&next.url, &html_form.action).ok_or(BrowserError::Address)?;
            next = Outgoing::submit(html_form.post, url, values);
        }
        Err(BrowserError::TooManySteps)
    }

    /// Arrives at the client: in one step, whatever it answers, for a redirect from there is the client's affair.
    fn land(&mut self, last: Outgoing) -> Result<Landing, BrowserError> {
        let can_visit = Uri::parse(&last.url).is_some_and(|uri| uri.scheme == "http");
        let page = if self.visit_redirect_uri && can_visit { Some(self.fetch(&last)?) } else { None };
        Ok(last.landing(page))
    }

    fn fetch(&mut self, outgoing: &Outgoing) -> Result<Page, BrowserError> {
        let uri =
            Uri::parse(&outgoing.url).filter(|uri| uri.scheme == "http").ok_or(BrowserError::Address)?;
        let jar = self.cookies.entry(uri.host().to_owned()).or_default();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let page = fetch::fetch(outgoing, &uri, &cookies.join("; "), self.timeout)?;
        for (name, value, ended) in page.cookies() {
            if ended {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(page)
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Landing {
    /// A parameter of the answer, decoded: from the form, the fragment or the query, in this order.
    ///
    /// The first one if it is there more than once.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        if let Some((_, value)) = self.form.iter().find(|(found, _)| found == name) {
            return Some(value.clone());
        }
        let (rest, fragment) = self.url.split_once('#').unwrap_or((&self.url, ""));
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        [fragment, query].iter().flat_map(|encoded| encoded.split('&')).find_map(|pair| {
            let (found, value) = pair.split_once('=')?;
            let found = form::decode(found.as_bytes()).ok()?;
            if found == name { form::decode(value.as_bytes()).ok() } else { None }
        })
    }
}

/// Blind to all that can hold a secret.
impl fmt::Debug for Landing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("Landing").field("place", &place).field("status", &self.status).finish_non_exhaustive()
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("visit_redirect_uri", &self.visit_redirect_uri)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for BrowserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => {
                f.write_str("the browser was sent to an address it cannot open: give it an http:// address")
            }
            Self::Io { origin, source } => {
                write!(f, "{origin} did not answer to the end ({source}): see whether it is still running")
            }
            Self::NotHttp { origin } => {
                write!(
                    f,
                    "{origin} answered with something else than HTTP/1.1 below 8 MiB: check the address"
                )
            }
            Self::NoSuchPerson { username } => {
                write!(f, "nobody called {username:?} is on the login page: add them to the server's people")
            }
            Self::TooManySteps => {
                write!(
                    f,
                    "there was no end after {STEP_LIMIT} pages: the server sends the browser in a circle"
                )
            }
        }
    }
}

impl std::error::Error for BrowserError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

type Filled = (HtmlForm, Vec<(String, String)>);

/// Finds the page's form and what this browser would send with it.
fn fill(html: &str, intent: &Intent<'_>) -> Result<Option<Filled>, BrowserError> {
    let Some(html_form) = HtmlForm::first(html) else { return Ok(None) };
    let mut values = html_form.inputs.clone();
    for (name, value) in &mut values {
        if let ("user_code", Some(user_code)) = (name.as_str(), intent.user_code) {
            user_code.clone_into(value);
        }
    }
    let offers = |name: &str| html_form.buttons.iter().any(|(found, _)| found == name);
    let wanted = if offers("person") {
        intent.person
    } else if offers("decision") {
        Some(intent.decision)
    } else {
        None
    };
    let button = html_form.buttons.iter().find(|(_, value)| wanted.is_none_or(|wanted| wanted == value));
    if let (None, Some(username)) = (button, wanted) {
        return Err(BrowserError::NoSuchPerson { username: username.to_owned() });
    }
    values.extend(button.filter(|(name, _)| !name.is_empty()).cloned());
    Ok(Some((html_form, values)))
}

/// The address that a link on a page means; of relative ones, those that begin with a slash.
fn resolve(base: &str, link: &str) -> Option<String> {
    if link.starts_with('/') && !link.starts_with("//") {
        return Some(format!("{}{link}", Uri::parse(base)?.origin()));
    }
    Uri::parse(link).map(|_| link.to_owned())
}

#[cfg(test)]
mod tests;
