//! Who the client is, and how it comes by its tokens: the component's two enumerations, with their numbers.

use super::error::ComponentError;
use std::fmt;

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident ($what:literal) { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[expect(clippy::exhaustive_enums, reason = "the component has these")]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $number,)+
        }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its number.
            #[must_use]
            pub const fn number(self) -> i32 {
                self as i32
            }

            /// The component's name for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl TryFrom<i32> for $name {
            type Error = ComponentError;

            fn try_from(number: i32) -> Result<Self, ComponentError> {
                Self::ALL.iter().copied().find(|known| known.number() == number).ok_or_else(|| {
                    ComponentError::value($what, concat!("one of", $(" ", $number, " (", $text, ")",)+))
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

numbered! {
    /// What kind of program the client is.
    ClientProfile ("client_profile") {
        /// A program on a person's machine: opens the browser, waits for it, and exchanges what it brings (RFC 8252).
        #[default]
        Application = 0 "cfApplication",
        /// A web site: it sends the person on and is told the code, perhaps in another process.
        WebServer = 1 "cfWebServer",
        /// A device without a browser: the person signs in on another one (RFC 8628).
        Device = 2 "cfDevice",
        /// As an application, but the browser is the program's to open: only the event tells it.
        Mobile = 3 "cfMobile",
        /// A public client that cannot listen: it is given the address that the browser came back to.
        Browser = 4 "cfBrowser",
        /// A service, by a signed assertion (RFC 7523). No person is asked.
        Jwt = 5 "cfJWT",
    }
}

numbered! {
    /// How an application obtains its tokens.
    GrantType ("grant_type") {
        /// By a code that the browser brings (RFC 6749 section 4.1), with PKCE.
        #[default]
        AuthorizationCode = 0 "ogtAuthorizationCode",
        /// In the answer that the browser brings (RFC 6749 section 4.2). RFC 9700 section 2.1.2 advises against it.
        Implicit = 1 "ogtImplicit",
        /// By a person's password (RFC 6749 section 4.3), which RFC 9700 section 2.4 forbids.
        Password = 2 "ogtPassword",
        /// For the client itself (RFC 6749 section 4.4).
        ClientCredentials = 3 "ogtClientCredentials",
    }
}
