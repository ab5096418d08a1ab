//! The properties: typed, each under its own name.

use super::OAuth;
use super::profile::{ClientProfile, GrantType};
use oauth_core::ClientSecret;

impl OAuth {
    /// The client's id, as the server registered it.
    #[must_use]
    pub fn client_id(&self) -> String {
        self.values().oauth.client_id.clone()
    }

    /// Sets the [client id](Self::client_id).
    pub fn set_client_id(&self, client_id: impl Into<String>) {
        self.values().oauth.client_id = client_id.into();
    }

    /// The client's secret; empty for a public client.
    #[must_use]
    pub fn client_secret(&self) -> ClientSecret {
        ClientSecret::new(self.values().oauth.client_secret.expose())
    }

    /// Sets the [client secret](Self::client_secret).
    pub fn set_client_secret(&self, secret: impl Into<String>) {
        self.values().oauth.client_secret = super::values::Secret::new(secret);
    }

    /// What kind of program the client is: an application, by default.
    #[must_use]
    pub fn client_profile(&self) -> ClientProfile {
        self.values().oauth.client_profile
    }

    /// Sets the [client profile](Self::client_profile).
    pub fn set_client_profile(&self, profile: ClientProfile) {
        self.values().oauth.client_profile = profile;
    }

    /// How an application obtains its tokens: by a code, by default.
    #[must_use]
    pub fn grant_type(&self) -> GrantType {
        self.values().oauth.grant_type
    }

    /// Sets the [grant type](Self::grant_type).
    pub fn set_grant_type(&self, grant: GrantType) {
        self.values().oauth.grant_type = grant;
    }
}
