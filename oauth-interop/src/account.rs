//! Who may use a proxy.

use std::fmt::Write as _;

/// The user name and the password that a proxy accepts.
///
/// The passwords begin with `planted`, so that a test can look for them where none may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    user: &'static str,
    password: &'static str,
}

impl Account {
    /// An account; that it is one no proxy knows may be the point.
    #[must_use]
    pub const fn new(user: &'static str, password: &'static str) -> Self {
        Self { user, password }
    }

    /// The user name.
    #[must_use]
    pub const fn user(&self) -> &'static str {
        self.user
    }

    /// The password, which may hold spaces, colons and more.
    #[must_use]
    pub const fn password(&self) -> &'static str {
        self.password
    }

    /// The same user with a password that is wrong.
    #[must_use]
    pub const fn with_wrong_password(self) -> Self {
        Self { password: "planted-wrong", ..self }
    }

    /// A proxy's URL with this account in it, percent-encoded.
    #[must_use]
    pub fn at(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        format!("{scheme}://{}:{}@{rest}", encoded(self.user), encoded(self.password))
    }
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            out.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_would_take_for_its_own_is_encoded() {
        let account = Account::new("a b", "p:@/é");
        assert_eq!(account.at("http://127.0.0.1:1"), "http://a%20b:p%3A%40%2F%C3%A9@127.0.0.1:1");
    }
}
