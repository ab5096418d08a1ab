//! The ways in which the browser may bring an authorization response.

/// How the authorization response comes, as the authorization request asked for it (`response_mode`).
///
/// A signed response (JARM) comes in the same ways: its one parameter is handed on like any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseMode {
    /// In the query of the redirect URI: the default for `code`.
    #[default]
    Query,
    /// As a form that the browser posts to the redirect URI (OAuth 2.0 Form Post Response Mode), and in no other way.
    ///
    /// A server on https posts to a listener on http, which a browser may warn of.
    FormPost,
    /// In the fragment of the redirect URI, which no browser sends: a page with a script hands it over.
    Fragment,
}

impl ResponseMode {
    /// The way in which responses of this registered mode come, signed (`query.jwt`, ...) or not.
    ///
    /// `None` for a mode that reaches no listener, and for a bare `jwt`, which leaves the way to the response type.
    #[must_use]
    pub fn of(registered: &oauth_core::ResponseMode) -> Option<Self> {
        let mode = registered.as_str();
        match mode.strip_suffix(".jwt").unwrap_or(mode) {
            "query" => Some(Self::Query),
            "form_post" => Some(Self::FormPost),
            "fragment" => Some(Self::Fragment),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ResponseMode;

    #[test]
    fn a_signed_response_comes_in_the_same_way() {
        for (registered, mode) in [
            ("query", Some(ResponseMode::Query)),
            ("form_post", Some(ResponseMode::FormPost)),
            ("form_post.jwt", Some(ResponseMode::FormPost)),
            ("fragment.jwt", Some(ResponseMode::Fragment)),
            ("jwt", None),
            ("web_message", None),
        ] {
            assert_eq!(
                ResponseMode::of(&oauth_core::ResponseMode::from_text(registered)),
                mode,
                "{registered}"
            );
        }
    }
}
