//! The properties: typed, each under its own name. A file for each group.
//!
//! A getter shows what is set, or what the last call left behind; its setter counts from the next call on.

/// Properties that are texts.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $set:ident = $($path:ident).+;)+) => {
        impl OAuth {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> String {
                self.values().$($path).+.clone()
            }

            #[doc = concat!("Sets [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            pub fn $set(&self, text: impl Into<String>) {
                let text = text.into();
                self.change(|values| values.$($path).+ = text);
            }
        )+}
    };
}

/// Properties that are secrets, each of a type whose `Debug` is blind.
macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident $set:ident: $type:ident = $($path:ident).+;)+) => {
        impl OAuth {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> $type {
                $type::new(self.values().$($path).+.expose())
            }

            #[doc = concat!("Sets [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            pub fn $set(&self, secret: impl Into<String>) {
                let secret = Secret::new(secret);
                self.change(|values| values.$($path).+ = secret);
            }
        )+}
    };
}

/// Properties that are values of other types, which are copied.
macro_rules! copied {
    ($($(#[$doc:meta])* $name:ident $set:ident: $type:ty = $($path:ident).+;)+) => {
        impl OAuth {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> $type {
                self.values().$($path).+
            }

            #[doc = concat!("Sets [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            pub fn $set(&self, value: $type) {
                self.change(|values| values.$($path).+ = value);
            }
        )+}
    };
}

/// How long a list can be made by its count, as `FormVarCount` has it; one by one more can be added.
const MOST_BY_COUNT: usize = 100;

mod cookies;
mod network;
mod oauth;
mod tls;
mod web_server;
