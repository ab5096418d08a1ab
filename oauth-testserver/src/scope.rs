//! Scopes: which are asked for, and what follows from them.

use crate::builder::Settings;
use crate::form::Form;

/// What is granted to a request that asks for nothing in particular (RFC 6749 section 3.3 wants this documented).
const DEFAULT: &str = "read";

/// The scope of a request, in its order and without repetition, if the server knows every part.
pub(crate) fn asked(settings: &Settings, form: &Form) -> Result<Vec<String>, &'static str> {
    let scope = parse(form.value("scope").unwrap_or(DEFAULT)).ok_or("The scope is malformed.")?;
    if scope.iter().all(|part| settings.scopes.contains(part)) {
        Ok(scope)
    } else {
        Err("The scope has a part that this server does not know.")
    }
}

/// RFC 6749 section 3.3: tokens with single spaces between them.
pub(crate) fn parse(text: &str) -> Option<Vec<String>> {
    let mut scope: Vec<String> = Vec::new();
    for part in text.split(' ') {
        if part.is_empty() || !part.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~')) {
            return None;
        }
        if !scope.iter().any(|other| other == part) {
            scope.push(part.to_owned());
        }
    }
    Some(scope)
}

pub(crate) fn has(scope: &[String], part: &str) -> bool {
    scope.iter().any(|other| other == part)
}

/// OpenID Connect Core section 11 gives refresh tokens to those who ask for `offline_access`; plain OAuth has no such
/// scope, so its clients always get one.
pub(crate) fn gives_refresh_token(scope: &[String]) -> bool {
    !has(scope, "openid") || has(scope, "offline_access")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_tokens_with_single_spaces() {
        assert_eq!(parse("a b:c a").unwrap(), ["a", "b:c"]);
        for bad in ["", " a", "a ", "a  b", "a\"b", "a\\b", "a\tb", "\u{e9}"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn openid_clients_ask_for_refresh_tokens() {
        for (scope, gives) in [("read", true), ("openid", false), ("openid offline_access", true)] {
            assert_eq!(gives_refresh_token(&parse(scope).unwrap()), gives, "{scope}");
        }
    }
}
