//! A page that the program brings along, and what its policy lets it do.

use std::fmt;

/// A page of one's own in place of the built-in one: HTML, and as much of a content security policy as it asks for.
///
/// As it is, it may show text and `data:` images, and nothing else: neither styles nor scripts nor anything from
/// elsewhere. Each method below opens one thing. The other headers stay as strict as they are for the built-in pages.
///
/// Nothing is escaped here: never put anything into the page that came with the response (its `error_description`, say),
/// nor tokens or claims.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnPage {
    html: String,
    styles: bool,
    scripts: bool,
    images: bool,
}

impl OwnPage {
    /// A whole document. It is sent as UTF-8.
    #[must_use]
    pub fn new(html: impl Into<String>) -> Self {
        Self { html: html.into(), styles: false, scripts: false, images: false }
    }

    /// Lets `<style>` elements and `style` attributes work.
    #[must_use]
    pub const fn with_inline_styles(mut self) -> Self {
        self.styles = true;
        self
    }

    /// Lets `<script>` elements and event handlers work, which still may load and send nothing.
    ///
    /// The address of the page holds the response until `history.replaceState` takes it out of there, as the built-in
    /// pages do: a page of one's own has to do that itself, and can with this alone.
    #[must_use]
    pub const fn with_inline_scripts(mut self) -> Self {
        self.scripts = true;
        self
    }

    /// Lets images be loaded by `https`, such as a logo. Whoever serves them learns that somebody signs in.
    #[must_use]
    pub const fn with_https_images(mut self) -> Self {
        self.images = true;
        self
    }

    pub(crate) fn html(&self) -> &str {
        &self.html
    }

    /// The directives that are its own; those that are everybody's follow.
    pub(crate) fn policy(&self) -> String {
        let styles = if self.styles { "style-src 'unsafe-inline'; " } else { "" };
        let scripts = if self.scripts { "script-src 'unsafe-inline'; " } else { "" };
        let images = if self.images { "img-src data: https:" } else { "img-src data:" };
        format!("{styles}{scripts}{images}")
    }
}

impl From<String> for OwnPage {
    fn from(html: String) -> Self {
        Self::new(html)
    }
}

impl From<&str> for OwnPage {
    fn from(html: &str) -> Self {
        Self::new(html)
    }
}

impl fmt::Debug for OwnPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnPage").field("bytes", &self.html.len()).field("policy", &self.policy()).finish()
    }
}
