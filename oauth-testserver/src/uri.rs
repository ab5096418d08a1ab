//! The little of RFC 3986 that redirect URIs and the browser need.

/// The parts of an absolute URI, as they were written.
#[derive(Clone, Copy)]
pub(crate) struct Uri<'a> {
    pub(crate) scheme: &'a str,
    /// Without the slashes; empty if the URI has none.
    pub(crate) authority: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) fragment: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Takes nothing but the characters of a URI, so what passes is safe in a header as well.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
        let (scheme, rest) = text.split_once(':')?;
        let scheme_is_one = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !scheme_is_one || !text.bytes().all(allowed) {
            return None;
        }
        let (rest, fragment) =
            rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
        let (authority, target) = rest
            .strip_prefix("//")
            .map_or(("", rest), |rest| rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())));
        Some(Self { scheme, authority, target, fragment })
    }

    /// Without port and without user information, which no URI here may have.
    pub(crate) fn host(&self) -> &'a str {
        self.split_authority().0
    }

    pub(crate) fn port(&self) -> Option<&'a str> {
        self.split_authority().1
    }

    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// An http URI whose host names this machine, with nothing odd in its authority.
    pub(crate) fn is_loopback(&self) -> bool {
        self.scheme == "http" && self.names_this_machine()
    }

    /// The same by https as well.
    pub(crate) fn names_this_machine(&self) -> bool {
        let port_is_one =
            |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0) && !port.starts_with('+');
        matches!(self.scheme, "http" | "https")
            && matches!(self.host(), "127.0.0.1" | "[::1]" | "localhost")
            && self.port().is_none_or(port_is_one)
    }

    fn split_authority(&self) -> (&'a str, Option<&'a str>) {
        match self.authority.rsplit_once(':') {
            // the colons inside of an IPv6 literal are no port's
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (self.authority, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Uri;

    #[test]
    fn parts_are_taken_apart() {
        let uri = Uri::parse("http://[::1]:80/a/b?c=d#e").unwrap();
        assert_eq!(
            (uri.scheme, uri.host(), uri.port(), uri.target, uri.fragment),
            ("http", "[::1]", Some("80"), "/a/b?c=d", Some("e"))
        );
        let bare = Uri::parse("http://[::1]").unwrap();
        assert_eq!((bare.host(), bare.port(), bare.target), ("[::1]", None, ""));
        let custom = Uri::parse("com.example.app:/cb").unwrap();
        assert_eq!((custom.scheme, custom.authority, custom.target), ("com.example.app", "", "/cb"));
    }

    #[test]
    fn what_no_uri_may_hold_is_refused() {
        for bad in
            ["", "no-colon", "1a:/b", ":x", "http://h/a b", "http://h/\r\nx", "http://h/é", "http://h/\"<"]
        {
            assert!(Uri::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_judged_by_the_whole_authority() {
        for (uri, is) in [
            ("http://127.0.0.1/", true),
            ("http://127.0.0.1:65535/", true),
            ("http://[::1]:1", true),
            ("http://localhost:8080/cb", true),
            ("https://127.0.0.1/", false),
            ("http://127.0.0.1:0/", false),
            ("http://127.0.0.1:99999/", false),
            ("http://127.0.0.1:/", false),
            ("http://127.0.0.1:+8/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("http://127.0.0.1@evil.example/", false),
            ("http://evil@127.0.0.1/", false),
            ("http://0.0.0.0/", false),
        ] {
            assert_eq!(Uri::parse(uri).unwrap().is_loopback(), is, "{uri}");
        }
    }
}
