//! nginx: servers of every kind that a client may meet.

use crate::daemon::{self, Daemon, Launch, StartError};
use crate::{Authority, Identity, Log};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const PROGRAM: &str = "nginx";

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Site {
    /// HTTP/1.1 without TLS. Also serves the [list of the revoked](Authority::revocation_list).
    Plain,
    /// TLS 1.2 and 1.3, HTTP/1.1.
    Https,
    /// The same with HTTP/2 for who asks for it.
    Http2,
    /// Answers 400 to a client without a certificate that it trusts and that is not revoked.
    ClientRequired,
    /// Takes a client's certificate where one is shown.
    ClientOptional,
    /// TLS 1.2 alone.
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
    /// TLS 1.0 and 1.1 alone.
    OldTls,
    /// Its certificate was good in 2020.
    Expired,
    /// Its certificate is for `wrong.test`.
    WrongHost,
    /// Its certificate is its own authority.
    SelfSigned,
    /// Its certificate is on the list of the revoked.
    Revoked,
}

/// All of them, in the order of their ports.
const SITES: [Site; 12] = [
    Site::Plain,
    Site::Https,
    Site::Http2,
    Site::ClientRequired,
    Site::ClientOptional,
    Site::Tls12,
    Site::Tls13,
    Site::OldTls,
    Site::Expired,
    Site::WrongHost,
    Site::SelfSigned,
    Site::Revoked,
];

/// Stated for each site, since nginx offers other versions from release to release.
const NEW_TLS: &str = "ssl_protocols TLSv1.2 TLSv1.3;";

impl Site {
    /// What follows the port, and the lines of its own.
    const fn configuration(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain => ("", ""),
            Self::Http2 => (" ssl http2", NEW_TLS),
            Self::ClientRequired => (
                " ssl",
                "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate root.pem; \
                 ssl_crl list.pem;",
            ),
            Self::ClientOptional => (
                " ssl",
                "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client optional; ssl_client_certificate root.pem; \
                 ssl_crl list.pem;",
            ),
            Self::Tls12 => (" ssl", "ssl_protocols TLSv1.2;"),
            Self::Tls13 => (" ssl", "ssl_protocols TLSv1.3;"),
            // OpenSSL counts their ciphers among those that must not be used.
            Self::OldTls => (" ssl", "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"),
            Self::Https | Self::Expired | Self::WrongHost | Self::SelfSigned | Self::Revoked => {
                (" ssl", NEW_TLS)
            }
        }
    }

    /// The name of its certificate's file, and what is in it.
    const fn identity(self, authority: &Authority) -> (&'static str, &Identity) {
        match self {
            Self::Expired => ("expired", authority.expired()),
            Self::WrongHost => ("wrong-host", authority.wrong_host()),
            Self::SelfSigned => ("self-signed", authority.self_signed()),
            Self::Revoked => ("revoked", authority.revoked()),
            _ => ("server", authority.server()),
        }
    }
}

/// What every site answers. `always`: with whatever status.
const ANSWERS: &str = r#"
    add_header X-Tls $ssl_protocol always;
    add_header X-Cipher $ssl_cipher always;
    add_header X-Curve $ssl_curve always;
    add_header X-Resumed $ssl_session_reused always;
    add_header X-Client $ssl_client_verify always;
    add_header X-Client-Name $ssl_client_s_dn always;
    add_header X-Connection $connection always;
    add_header X-Http $server_protocol always;
    add_header X-Method $request_method always;
    add_header X-Host $http_host always;
    add_header X-Proxy-Authorization $http_proxy_authorization always;
    default_type application/json;
    location / { return 200 '{"answer":"nginx"}'; }
    location = /redirect/3 { return 302 /redirect/2; }
    location = /redirect/2 { return 307 /redirect/1; }
    location = /redirect/1 { return 301 /; }
    location = /redirect/loop { return 302 /redirect/loop; }
    location = /gzip { gzip on; gzip_min_length 1; gzip_types *; alias long.json; }
    location = /slow { limit_rate_after 1k; limit_rate 200; alias long.json; }
    location = /busy { add_header Retry-After 1 always; return 503; }
    location = /silent { return 444; }
    location = /list { default_type application/pkix-crl; alias list.der; }
"#;

/// nginx as a dozen servers with one [`Authority`].
///
/// Any path answers `{"answer":"nginx"}`; `/redirect/3` leads there in three steps, `/redirect/loop` nowhere. `/gzip` has a
/// body that is compressed for who accepts that, `/slow` one that takes 20 s, `/busy` answers 503, and `/silent` closes the
/// connection. Each answer says in its headers what the server saw: `X-Tls`, `X-Cipher`, `X-Curve`, `X-Resumed` (`r` or
/// `.`), `X-Client` (`NONE`, `SUCCESS` or why not), `X-Client-Name`, `X-Connection` (its number), `X-Http`, `X-Method`, `X-Host`, and
/// `X-Proxy-Authorization`, which no server should get to see.
#[derive(Debug)]
pub struct Nginx {
    _daemon: Daemon,
    log: Log,
    authority: Authority,
    ports: [u16; SITES.len()],
}

impl Nginx {
    /// Starts it, with an authority of its own.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start() -> Result<Self, StartError> {
        daemon::start(Self::attempt)
    }

    fn attempt() -> Result<Self, StartError> {
        let folder = daemon::folder()?;
        let ports: [u16; SITES.len()] = daemon::free_ports()?;
        let plain = ports[0];
        let authority = Authority::new(&format!("http://127.0.0.1:{plain}/list"));
        write(folder.path(), &authority, &ports)?;
        let here = folder.path().display();
        let launch = Launch {
            program: PROGRAM,
            package: "nginx",
            // -e: before it has read its configuration, it would write to the system's log.
            arguments: ["-p", &format!("{here}/"), "-c", "nginx.conf", "-e", "error.log"]
                .map(Into::into)
                .to_vec(),
            environment: Vec::new(),
        };
        let daemon = Daemon::start(folder, launch, &ports)?;
        Ok(Self { log: Log::new(daemon.folder().join("access.log")), _daemon: daemon, authority, ports })
    }

    /// Who signed the certificates.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A path at a site, by address.
    #[must_use]
    pub fn url(&self, site: Site, path: &str) -> String {
        self.url_at("127.0.0.1", site, path)
    }

    /// A path at a site, by a name: `localhost`, or another that a proxy is to look up.
    #[must_use]
    pub fn url_at(&self, host: &str, site: Site, path: &str) -> String {
        let scheme = if site == Site::Plain { "http" } else { "https" };
        format!("{scheme}://{host}:{}{path}", self.port(site))
    }

    /// The port of a site.
    #[must_use]
    pub fn port(&self, site: Site) -> u16 {
        let at = SITES.iter().position(|one| *one == site).expect("every site is in the list");
        self.ports[at]
    }

    /// A line for each request: port, request line, status, TLS version, how the client's certificate fared, user agent.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }
}

fn write(folder: &Path, authority: &Authority, ports: &[u16]) -> Result<(), StartError> {
    let mut servers = String::new();
    for (site, port) in SITES.into_iter().zip(ports) {
        let (listen, more) = site.configuration();
        let (name, identity) = site.identity(authority);
        fs::write(folder.join(format!("{name}.pem")), identity.certificate_pem())?;
        fs::write(folder.join(format!("{name}.key")), identity.key_pem())?;
        let certificate = match site {
            Site::Plain => String::new(),
            _ => format!("ssl_certificate {name}.pem; ssl_certificate_key {name}.key;"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            servers,
            "server {{ listen 127.0.0.1:{port}{listen}; {certificate} {more} include answers.conf; }}"
        );
    }
    // One process, so that it has no rights to give up and needs none to begin with.
    let text = format!(
        "daemon off;\n\
         master_process off;\n\
         pid nginx.pid;\n\
         error_log error.log;\n\
         events {{ worker_connections 256; }}\n\
         http {{\n\
         log_format seen '$server_port \"$request\" $status $ssl_protocol $ssl_client_verify \"$http_user_agent\"';\n\
         access_log access.log seen;\n\
         client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;\n\
         scgi_temp_path scgi;\n\
         absolute_redirect off;\n\
         {servers}}}\n"
    );
    let answers = ANSWERS.replace("alias ", &format!("alias {}/", folder.display()));
    let long = format!("{{\"long\":\"{}\"}}", "abcdefghij".repeat(400));
    for (name, text) in [
        ("nginx.conf", text.as_bytes()),
        ("answers.conf", answers.as_bytes()),
        ("long.json", long.as_bytes()),
        ("root.pem", authority.root_pem().as_bytes()),
        ("list.pem", authority.revocation_list_pem().as_bytes()),
        ("list.der", authority.revocation_list()),
    ] {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
