//! The embedded web server.

use crate::component::OAuth;
use crate::component::values::Secret;
use oauth_core::Password;
use oauth_jwt::StoreKind;

texts! {
    /// Which certificate of its store the embedded web server shows: a subject or a part of one, or `*` for any.
    web_server_ssl_cert_subject set_web_server_ssl_cert_subject = web_server.certificate.subject;
}

secrets! {
    /// The store of the embedded web server's certificate: a path, a name, or the contents. Empty for a certificate that is
    /// made for the occasion, which the browser warns of.
    web_server_ssl_cert_store set_web_server_ssl_cert_store: Password = web_server.certificate.store;
    /// The password of that store.
    web_server_ssl_cert_store_password set_web_server_ssl_cert_store_password: Password = web_server.certificate.password;
}

copied! {
    /// The kind of that store.
    web_server_ssl_cert_store_type set_web_server_ssl_cert_store_type: StoreKind = web_server.certificate.kind;
    /// Whether the embedded web server speaks TLS: no, by default.
    web_server_ssl_enabled set_web_server_ssl_enabled: bool = web_server.ssl;
}

impl OAuth {
    /// The port of the embedded web server: the one that it has while it runs, or else what was set; 0 is any free one.
    #[must_use]
    pub fn web_server_port(&self) -> u16 {
        self.listening_on().unwrap_or_else(|| self.values().web_server.port)
    }

    /// Sets the [port](Self::web_server_port), for the next time that the server is started.
    pub fn set_web_server_port(&self, port: u16) {
        self.change(|values| values.web_server.port = port);
    }
}
