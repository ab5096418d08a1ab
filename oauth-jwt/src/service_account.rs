//! Key files of service accounts, in the form that Google gives out.

use crate::error::KeyError;
use crate::signing_key::SigningKey;
use crate::verify_error::shown;
use oauth_core::{JsonValue as Value, JwtBearer, KeyId, Malformed};
use std::error::Error as StdError;
use std::fmt;
use url::Url;

/// A service account: who it is, how it signs, and where its assertions go.
///
/// Read from the text of a key file. Nothing in the file is ever run, fetched or opened: files that name a program, an
/// address or another file as the source of a credential are refused by their kind.
///
/// ```no_run
/// use oauth_core::KeyId;
/// use oauth_jwt::{Keyring, ServiceAccount};
///
/// let account = ServiceAccount::from_json(std::fs::read("key.json")?)?;
/// let grant = account.grant(KeyId::new("service"));
/// let mut keyring = Keyring::new();
/// keyring.insert(KeyId::new("service"), account.into_key());
/// # let _grant = grant;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ServiceAccount {
    client_email: String,
    private_key_id: Option<String>,
    token_uri: String,
    project_id: Option<String>,
    key: SigningKey,
}

/// Where Google takes assertions, for files that do not say.
const GOOGLE: &str = "https://oauth2.googleapis.com/token";

impl ServiceAccount {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// It is no JSON object, of another kind, lacks a member, names a token endpoint that is not `https`, or its key
    /// cannot be used. No error holds a byte of the key.
    pub fn from_json(text: impl AsRef<[u8]>) -> Result<Self, ServiceAccountError> {
        let file = Value::read(text.as_ref()).map_err(ServiceAccountError::Json)?;
        let member = |name: &'static str| match file.member(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_str() {
                Some("") => Ok(None),
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(ServiceAccountError::Member(name)),
            },
        };
        let required = |name| member(name)?.ok_or(ServiceAccountError::Member(name));
        match required("type")?.as_str() {
            "service_account" => {}
            other => return Err(ServiceAccountError::Kind(other.to_owned())),
        }
        let token_uri = member("token_uri")?.unwrap_or_else(|| GOOGLE.to_owned());
        let https =
            Url::parse(&token_uri).is_ok_and(|url| url.scheme() == "https" && url.username().is_empty());
        if !https {
            return Err(ServiceAccountError::TokenUri(token_uri));
        }
        let private_key = file.member("private_key").and_then(Value::as_str);
        let private_key = private_key.ok_or(ServiceAccountError::Member("private_key"))?;
        Ok(Self {
            client_email: required("client_email")?,
            private_key_id: member("private_key_id")?,
            token_uri,
            project_id: member("project_id")?,
            key: SigningKey::from_pem(private_key).map_err(ServiceAccountError::Key)?,
        })
    }

    /// Who signs: the `iss` of its assertions.
    #[must_use]
    pub fn client_email(&self) -> &str {
        &self.client_email
    }

    /// The name of the key at the server: the `kid` of its assertions.
    #[must_use]
    pub fn private_key_id(&self) -> Option<&str> {
        self.private_key_id.as_deref()
    }

    /// Where its assertions go, and their `aud`.
    #[must_use]
    pub fn token_uri(&self) -> &str {
        &self.token_uri
    }

    /// The project that it belongs to.
    #[must_use]
    pub fn project_id(&self) -> Option<&str> {
        self.project_id.as_deref()
    }

    /// The grant of this account, to be signed by the key of this name. What the file says can be said anew on it.
    #[must_use]
    pub fn grant(&self, key: KeyId) -> JwtBearer {
        let grant = JwtBearer::new(key, self.key.algorithm(), &*self.client_email, &*self.token_uri);
        match &self.private_key_id {
            Some(kid) => grant.with_kid(&**kid),
            None => grant,
        }
    }

    /// The key, for a [`Keyring`](crate::Keyring).
    #[must_use]
    pub fn into_key(self) -> SigningKey {
        self.key
    }
}

/// Why a key file is of no use.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServiceAccountError {
    /// Not JSON, or with a member twice.
    Json(Malformed),
    /// A member is missing, or is no text.
    Member(&'static str),
    /// Not the key of a service account.
    Kind(String),
    /// The token endpoint is not `https`: whoever answers there would get what the key signs.
    TokenUri(String),
    /// The private key cannot be used.
    Key(KeyError),
}

impl fmt::Display for ServiceAccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(why) => write!(f, "the key file cannot be read: {why}"),
            Self::Member(name) => write!(
                f,
                "{name} of the key file is missing or no text: give the JSON file as it was downloaded"
            ),
            Self::Kind(kind) => {
                let hint = match kind.as_str() {
                    "authorized_user" => "it is a person's refresh token: use it with a refresh grant",
                    "external_account" | "external_account_authorized_user" => {
                        "it says where another credential comes from: obtain that, and use a token exchange"
                    }
                    "impersonated_service_account" => "it has no key: it borrows one by another credential",
                    "gdch_service_account" => "it is for another kind of server",
                    _ => "give the key file of a service account",
                };
                write!(f, "the key file is of type {}, and not service_account: {hint}", shown(kind))
            }
            Self::TokenUri(uri) => {
                write!(
                    f,
                    "token_uri of the key file is {}, which is no https address: do not use this file",
                    shown(uri)
                )
            }
            Self::Key(why) => write!(f, "private_key of the key file: {why}"),
        }
    }
}

impl StdError for ServiceAccountError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        if let Self::Key(why) = self { Some(why) } else { None }
    }
}
