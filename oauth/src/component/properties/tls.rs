//! The client's certificate, and the server's.

use crate::component::OAuth;
use crate::component::error::ComponentError;
use crate::component::network;
use crate::component::values::Secret;
use oauth_core::Password;
use oauth_jwt::StoreKind;

secrets! {
    /// The store of the client's certificate: a path, a name, or the contents.
    ssl_cert_store set_ssl_cert_store: Password = network.certificate.store;
    /// The password of that store.
    ssl_cert_store_password set_ssl_cert_store_password: Password = network.certificate.password;
}

copied! {
    /// The kind of that store.
    ssl_cert_store_type set_ssl_cert_store_type: StoreKind = network.certificate.kind;
    /// Whether the event handler may accept a server's certificate that the checks refuse. It may refuse any without this.
    /// **Dangerous**: a handler that accepts too much lets anybody on the way read along.
    dangerously_decide_on_certificates set_dangerously_decide_on_certificates: bool = network.tls.dangerously_handler_accepts;
}

impl OAuth {
    /// The server's certificate that is accepted whatever is wrong with its chain, its name and its dates; as PEM.
    #[must_use]
    pub fn ssl_accept_server_cert_encoded(&self) -> String {
        self.values().network.tls.accepted_certificate.as_deref().map_or_else(String::new, network::pem)
    }

    /// Sets the [accepted certificate](Self::ssl_accept_server_cert_encoded), as PEM or Base64; empty for none. **Dangerous**
    /// unless it is known to be the server's.
    ///
    /// # Errors
    /// It is no certificate.
    pub fn set_ssl_accept_server_cert_encoded(&self, certificate: &str) -> Result<(), ComponentError> {
        let der = network::certificate("ssl_accept_server_cert_encoded", certificate)?;
        self.change(|values| values.network.tls.accepted_certificate = der);
        Ok(())
    }

    /// Which certificate of the store is shown: a subject or a part of one, `*` for any, empty for none.
    #[must_use]
    pub fn ssl_cert_subject(&self) -> String {
        self.values().network.certificate.subject.clone()
    }

    /// Sets [`ssl_cert_subject`](Self::ssl_cert_subject). It chooses anew: what
    /// [`ssl_cert_encoded`](Self::set_ssl_cert_encoded) chose counts no longer.
    pub fn set_ssl_cert_subject(&self, subject: impl Into<String>) {
        let subject = subject.into();
        self.change(|values| {
            values.network.certificate.subject = subject;
            values.network.certificate_der = None;
        });
    }

    /// The client's certificate as PEM, where it was set as such.
    #[must_use]
    pub fn ssl_cert_encoded(&self) -> String {
        self.values().network.certificate_der.as_deref().map_or_else(String::new, network::pem)
    }

    /// Shows this certificate, PEM or Base64, whose private key is looked for in the store; empty for none.
    ///
    /// # Errors
    /// It is no certificate, or the store cannot be opened or does not have it with its key.
    pub fn set_ssl_cert_encoded(&self, certificate: &str) -> Result<(), ComponentError> {
        let der = network::certificate("ssl_cert_encoded", certificate)?;
        let subject = match &der {
            None => String::new(),
            Some(der) => network::subject_of(&self.values().network.certificate, der)?,
        };
        self.change(|values| {
            values.network.certificate_der = der;
            values.network.certificate.subject = subject;
        });
        Ok(())
    }

    /// The certificate of the server that was spoken to last, as PEM; empty where none was seen.
    ///
    /// # Errors
    /// With `UsePlatformHTTPClient`, which does not show certificates to anybody.
    pub fn ssl_server_cert_encoded(&self) -> Result<String, ComponentError> {
        if self.values().network.platform_client {
            return Err(ComponentError::refused(
                "ssl_server_cert_encoded",
                "isahc does not show certificates to anybody; set UsePlatformHTTPClient to false",
            ));
        }
        Ok(self.seen().server_certificate.as_deref().map_or_else(String::new, network::pem))
    }

    /// Whether a connection is open.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.seen().connections > 0
    }

    /// Closes the connections that are kept for further requests. What a call is using stays until its end: `interrupt` ends it.
    pub fn disconnect(&self) {
        self.forget_engine();
    }
}
