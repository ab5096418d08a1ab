//! The defaults of the component that this one is named after, where ours are others.

use super::OAuth;
use super::values::Values;
use oauth_transport::Addresses;

impl OAuth {
    /// A component with the defaults of the original, where ours are others: for programs that rely on them.
    ///
    /// | setting | here | [`new`](Self::new) | why that is otherwise |
    /// |---|---|---|---|
    /// | `IncludeEmptyRedirectURI` | `true` | `false` | a parameter without a value counts as none (RFC 6749 section 3.1) |
    /// | `WebServerHost` | `localhost` | `127.0.0.1` | a name may be resolved to another machine (RFC 8252 section 8.3) |
    /// | `BrowserResponseTimeout` | 0, for ever | 300 | whoever closes the browser's window would be waited for without end |
    /// | `UseIPv6` | 0, IPv4 alone | 1, both | some networks have nothing else |
    /// | `UseIDNs` | `false` | `true` | names are typed as people write them |
    ///
    /// Some defaults of the original would refuse more here than they did there, and are not among them. `MaxLineLength` was 2048,
    /// and some servers' heads have longer lines. `TLS12SupportedGroups` had P-521, which no engine here has. `TcpNoDelay` was
    /// `false`, which isahc refuses. Nor is `JWTSignatureAlgorithm`: it was RS256, which is what an RSA key does by itself.
    ///
    /// Three defaults of the original put something at risk, and are not among them. `SSLEnabledProtocols` leaves out TLS 1.0 and
    /// 1.1, which RFC 8996 ended. `TransferredDataLimit` has a limit: set it to 0 to have none. And PKCE is S256, whatever
    /// `CodeChallengeMethod` was.
    #[must_use]
    pub fn compatible() -> Self {
        let oauth = Self::new();
        oauth.change(original);
        oauth
    }
}

fn original(values: &mut Values) {
    values.oauth.include_empty_redirect_uri = true;
    "localhost".clone_into(&mut values.web_server.host);
    values.web_server.browser_response_timeout = None;
    values.network.tcp.addresses = Addresses::V4;
    values.network.idns = false;
}
