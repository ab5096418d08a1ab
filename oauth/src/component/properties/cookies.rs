//! The cookies: those that servers set, and after them those that the program adds.

use super::MOST_BY_COUNT;
use crate::component::OAuth;
use crate::component::config::ConfigValue;
use crate::component::error::ComponentError;
use crate::component::values::Secret;
use oauth_transport::session::Cookie;

impl OAuth {
    /// How many cookies there are: those of servers, and those that were [added](Self::add_cookie).
    #[must_use]
    pub fn cookie_count(&self) -> usize {
        self.memory().received_cookies().len() + self.values().network.cookies.len()
    }

    /// Makes the list of cookies this long: 0 forgets all of them, and otherwise there are empty ones, or without the last, of those
    /// that were [added](Self::add_cookie).
    ///
    /// # Errors
    /// There are more of servers, which go together; or more than 100 would be added ones, and more than there are.
    pub fn set_cookie_count(&self, count: usize) -> Result<(), ComponentError> {
        let received = self.memory().received_cookies().len();
        if count == 0 {
            self.memory().clear_cookies();
            self.change(|values| values.network.cookies.clear());
            return Ok(());
        }
        let Some(own) = count.checked_sub(received) else {
            return Err(ComponentError::value(
                "cookie_count",
                format!("0, or {received} at least, which are of servers"),
            ));
        };
        let most = self.values().network.cookies.len().max(MOST_BY_COUNT);
        if own > most {
            return Err(ComponentError::value(
                "cookie_count",
                format!("0, or a whole number from {received} to {}", received.saturating_add(most)),
            ));
        }
        self.change(|values| values.network.cookies.resize_with(own, || (String::new(), Secret::new(""))));
        Ok(())
    }

    /// The domain that a cookie is for; empty for one that was added.
    ///
    /// # Errors
    /// There is none at this index, counted from 0.
    pub fn cookie_domain(&self, index: usize) -> Result<String, ComponentError> {
        self.cookie("cookie_domain", index, |cookie| cookie.domain, |_| String::new())
    }

    /// When a cookie ends, as HTTP writes dates; empty where it lasts as long as the session.
    ///
    /// # Errors
    /// As [`cookie_domain`](Self::cookie_domain).
    pub fn cookie_expiration(&self, index: usize) -> Result<String, ComponentError> {
        self.cookie("cookie_expiration", index, |cookie| cookie.expires, |_| String::new())
    }

    /// The name of a cookie.
    ///
    /// # Errors
    /// As [`cookie_domain`](Self::cookie_domain).
    pub fn cookie_name(&self, index: usize) -> Result<String, ComponentError> {
        self.cookie("cookie_name", index, |cookie| cookie.name, |(name, _)| name.clone())
    }

    /// The path that a cookie is for; empty for one that was added.
    ///
    /// # Errors
    /// As [`cookie_domain`](Self::cookie_domain).
    pub fn cookie_path(&self, index: usize) -> Result<String, ComponentError> {
        self.cookie("cookie_path", index, |cookie| cookie.path, |_| String::new())
    }

    /// Whether a cookie goes over TLS alone.
    ///
    /// # Errors
    /// As [`cookie_domain`](Self::cookie_domain).
    pub fn cookie_secure(&self, index: usize) -> Result<bool, ComponentError> {
        self.cookie("cookie_secure", index, |cookie| cookie.secure, |_| false)
    }

    /// The value of a cookie, which may be a credential.
    ///
    /// # Errors
    /// As [`cookie_domain`](Self::cookie_domain).
    pub fn cookie_value(&self, index: usize) -> Result<ConfigValue, ComponentError> {
        let secret = |text: &str| ConfigValue::secret(Secret::new(text));
        self.cookie(
            "cookie_value",
            index,
            |cookie| secret(&cookie.value),
            |(_, value)| secret(value.expose()),
        )
    }

    /// Renames a cookie that was [added](Self::add_cookie).
    ///
    /// # Errors
    /// There is none at this index, or a server set it.
    pub fn set_cookie_name(&self, index: usize, name: impl Into<String>) -> Result<(), ComponentError> {
        let name = name.into();
        self.added("cookie_name", index, |cookie| cookie.0 = name)
    }

    /// Gives a cookie that was [added](Self::add_cookie) another value.
    ///
    /// # Errors
    /// As [`set_cookie_name`](Self::set_cookie_name).
    pub fn set_cookie_value(&self, index: usize, value: impl Into<String>) -> Result<(), ComponentError> {
        let value = Secret::new(value);
        self.added("cookie_value", index, |cookie| cookie.1 = value)
    }

    fn cookie<T>(
        &self,
        name: &'static str,
        index: usize,
        received: impl FnOnce(Cookie) -> T,
        added: impl FnOnce(&(String, Secret)) -> T,
    ) -> Result<T, ComponentError> {
        let mut cookies = self.memory().received_cookies();
        let count = cookies.len();
        if index < count {
            return Ok(received(cookies.swap_remove(index)));
        }
        let values = self.values();
        let own = &values.network.cookies;
        own.get(index - count).map(added).ok_or(ComponentError::Index {
            name,
            index,
            count: count + own.len(),
        })
    }

    fn added(
        &self,
        name: &'static str,
        index: usize,
        set: impl FnOnce(&mut (String, Secret)),
    ) -> Result<(), ComponentError> {
        let count = self.memory().received_cookies().len();
        if index < count {
            return Err(ComponentError::ReadOnly {
                name,
                how: "a server set this cookie; add one of your own",
            });
        }
        let mut values = self.values();
        let own = &mut values.network.cookies;
        let all = count + own.len();
        let cookie = own.get_mut(index - count).ok_or(ComponentError::Index { name, index, count: all })?;
        set(cookie);
        drop(values);
        self.forget_engine();
        Ok(())
    }
}
