//! The open registries of OAuth: a newtype each, with constants for the known values, so that unknown ones survive.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

macro_rules! registry {
    ($(#[$doc:meta])* $name:ident { $($(#[$entry_doc:meta])* $entry:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            $($(#[$entry_doc])* pub const $entry: Self = Self(Cow::Borrowed($text));)*

            /// A value that has no constant here.
            #[must_use]
            pub fn other(text: impl Into<String>) -> Self {
                Self(Cow::Owned(text.into()))
            }

            /// The registered spelling.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The constant for a known spelling, without an allocation; else [`other`](Self::other).
            #[must_use]
            pub fn from_text(text: &str) -> Self {
                match text {
                    $($text => Self::$entry,)*
                    unknown => Self::other(unknown),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), &*self.0)
            }
        }
    };
}

registry! {
    /// An OAuth error code (RFC 6749 sections 4.1.2.1 and 5.2, and the registry "OAuth Extensions Errors").
    ErrorCode {
        /// RFC 6749 section 5.2.
        INVALID_REQUEST = "invalid_request",
        /// RFC 6749 section 5.2.
        INVALID_CLIENT = "invalid_client",
        /// RFC 6749 section 5.2.
        INVALID_GRANT = "invalid_grant",
        /// RFC 6749 section 5.2.
        UNAUTHORIZED_CLIENT = "unauthorized_client",
        /// RFC 6749 section 5.2.
        UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type",
        /// RFC 6749 section 5.2.
        INVALID_SCOPE = "invalid_scope",
        /// RFC 6749 section 4.1.2.1.
        ACCESS_DENIED = "access_denied",
        /// RFC 6749 section 4.1.2.1.
        UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type",
        /// RFC 6749 section 4.1.2.1.
        SERVER_ERROR = "server_error",
        /// RFC 6749 section 4.1.2.1.
        TEMPORARILY_UNAVAILABLE = "temporarily_unavailable",
        /// RFC 6750 section 3.1.
        INVALID_TOKEN = "invalid_token",
        /// RFC 6750 section 3.1.
        INSUFFICIENT_SCOPE = "insufficient_scope",
        /// RFC 9449 sections 8 and 9.
        USE_DPOP_NONCE = "use_dpop_nonce",
        /// RFC 9470 section 3.
        INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication",
        /// The claims challenge of Microsoft Entra.
        INSUFFICIENT_CLAIMS = "insufficient_claims",
        /// RFC 8693 section 2.2.2 and RFC 8707 section 2.
        INVALID_TARGET = "invalid_target",
        /// RFC 8628 section 3.5.
        AUTHORIZATION_PENDING = "authorization_pending",
        /// RFC 8628 section 3.5.
        SLOW_DOWN = "slow_down",
        /// RFC 8628 section 3.5.
        EXPIRED_TOKEN = "expired_token",
        /// RFC 7009 section 2.2.1.
        UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type",
        /// RFC 7591 section 3.2.2.
        INVALID_REDIRECT_URI = "invalid_redirect_uri",
        /// RFC 7591 section 3.2.2.
        INVALID_CLIENT_METADATA = "invalid_client_metadata",
        /// RFC 7591 section 3.2.2.
        INVALID_SOFTWARE_STATEMENT = "invalid_software_statement",
        /// RFC 7591 section 3.2.2.
        UNAPPROVED_SOFTWARE_STATEMENT = "unapproved_software_statement",
        /// OpenID Connect Core section 3.1.2.6.
        INTERACTION_REQUIRED = "interaction_required",
        /// OpenID Connect Core section 3.1.2.6.
        LOGIN_REQUIRED = "login_required",
        /// OpenID Connect Core section 3.1.2.6.
        ACCOUNT_SELECTION_REQUIRED = "account_selection_required",
        /// OpenID Connect Core section 3.1.2.6.
        CONSENT_REQUIRED = "consent_required",
    }
}

registry! {
    /// How a client proves who it is at the token endpoint (registry "OAuth Token Endpoint Authentication Methods").
    AuthMethod {
        /// A public client: `client_id` alone (RFC 7591 section 2).
        NONE = "none",
        /// HTTP Basic with form-encoded parts (RFC 6749 section 2.3.1).
        CLIENT_SECRET_BASIC = "client_secret_basic",
        /// The secret in the form (RFC 6749 section 2.3.1).
        CLIENT_SECRET_POST = "client_secret_post",
        /// An assertion with an HMAC by the secret (OpenID Connect Core section 9).
        CLIENT_SECRET_JWT = "client_secret_jwt",
        /// An assertion that a private key signs (OpenID Connect Core section 9).
        PRIVATE_KEY_JWT = "private_key_jwt",
        /// A certificate of an authority (RFC 8705 section 2.1).
        TLS_CLIENT_AUTH = "tls_client_auth",
        /// A certificate that the client signed itself and registered (RFC 8705 section 2.2).
        SELF_SIGNED_TLS_CLIENT_AUTH = "self_signed_tls_client_auth",
    }
}

registry! {
    /// How an access token is presented (RFC 6749 section 7.1). Compared without regard to case, as the RFC says.
    TokenType {
        /// RFC 6750.
        BEARER = "Bearer",
        /// Not an access token: it cannot be presented to a resource (RFC 8693 section 2.2.1).
        N_A = "N_A",
    }
}

registry! {
    /// What a token is, in a token exchange (RFC 8693 section 3).
    TokenTypeIdentifier {
        /// An OAuth access token of the server that is asked.
        ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token",
        /// An OAuth refresh token of the server that is asked.
        REFRESH_TOKEN = "urn:ietf:params:oauth:token-type:refresh_token",
        /// An ID Token (OpenID Connect Core section 2).
        ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token",
        /// A SAML 1.1 assertion, as base64url.
        SAML1 = "urn:ietf:params:oauth:token-type:saml1",
        /// A SAML 2.0 assertion, as base64url.
        SAML2 = "urn:ietf:params:oauth:token-type:saml2",
        /// A JWT of any use (RFC 7519).
        JWT = "urn:ietf:params:oauth:token-type:jwt",
    }
}

registry! {
    /// A JOSE algorithm name (RFC 7518 section 3.1).
    Algorithm {
        /// HMAC with SHA-256.
        HS256 = "HS256",
        /// HMAC with SHA-384.
        HS384 = "HS384",
        /// HMAC with SHA-512.
        HS512 = "HS512",
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        RS256 = "RS256",
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        RS384 = "RS384",
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        RS512 = "RS512",
        /// RSASSA-PSS with SHA-256.
        PS256 = "PS256",
        /// RSASSA-PSS with SHA-384.
        PS384 = "PS384",
        /// RSASSA-PSS with SHA-512.
        PS512 = "PS512",
        /// ECDSA with P-256 and SHA-256.
        ES256 = "ES256",
        /// ECDSA with P-384 and SHA-384.
        ES384 = "ES384",
        /// ECDSA with P-521 and SHA-512.
        ES512 = "ES512",
        /// ECDSA with secp256k1 and SHA-256 (RFC 8812 section 3.2).
        ES256K = "ES256K",
        /// Ed25519, by the older name that most servers use (RFC 8037 section 3.1).
        EDDSA = "EdDSA",
        /// Ed25519 (RFC 9864 section 2.2).
        ED25519 = "Ed25519",
    }
}

registry! {
    /// A `grant_type` value (RFC 6749 section 4.5, and the registry "OAuth Parameters").
    GrantType {
        /// RFC 6749 section 4.1.3.
        AUTHORIZATION_CODE = "authorization_code",
        /// RFC 6749 section 6.
        REFRESH_TOKEN = "refresh_token",
        /// RFC 6749 section 4.4.2.
        CLIENT_CREDENTIALS = "client_credentials",
        /// RFC 8628 section 3.4.
        DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code",
        /// RFC 7523 section 2.1.
        JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        /// RFC 7522 section 2.1.
        SAML2_BEARER = "urn:ietf:params:oauth:grant-type:saml2-bearer",
        /// RFC 8693 section 2.1.
        TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange",
        /// RFC 6749 section 4.3.2, which RFC 9700 section 2.4 forbids.
        PASSWORD = "password",
    }
}

registry! {
    /// How a protected resource takes an access token (RFC 9728 section 2).
    BearerMethod {
        /// In the `Authorization` header (RFC 6750 section 2.1).
        HEADER = "header",
        /// In a form (RFC 6750 section 2.2).
        BODY = "body",
        /// In the URL (RFC 6750 section 2.3).
        QUERY = "query",
    }
}

registry! {
    /// How an authorization response travels back (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1).
    ResponseMode {
        /// In the query of the redirect URI: the default for `code`.
        QUERY = "query",
        /// In the fragment of the redirect URI, which no server sees.
        FRAGMENT = "fragment",
        /// As a form that the browser posts to the redirect URI.
        FORM_POST = "form_post",
    }
}

impl Algorithm {
    /// Whether the one who signs and the one who verifies share the key.
    #[must_use]
    pub fn is_hmac(&self) -> bool {
        [Self::HS256, Self::HS384, Self::HS512].contains(self)
    }

    /// Those that sign by a private key.
    pub(crate) const SIGNATURES: [Self; 12] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::ES256K,
        Self::EDDSA,
        Self::ED25519,
    ];
}
