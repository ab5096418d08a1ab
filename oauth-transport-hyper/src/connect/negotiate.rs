//! Negotiate towards a proxy (RFC 4559): SPNEGO, by the system's Kerberos library.
//!
//! In scope: the tickets of whoever runs the program. Out of scope: a password of our own, delegation, and the proxy's own
//! proof, which is not asked for.

use super::showing::{Why, answer, token};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{HeaderMap, HeaderValue};
use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext as _};
use libgssapi::error::Error;
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_SPNEGO, GSS_NT_HOSTBASED_SERVICE, GSS_NT_KRB5_PRINCIPAL};

const SCHEME: &str = "Negotiate";
/// Kerberos takes one round, and two where clocks differ.
const MAX_ROUNDS: usize = 4;
const NOT_ACCEPTED: &str = "it does not accept the Kerberos ticket";

/// How far a proxy and we are.
pub(crate) struct Negotiate {
    service: String,
    context: Option<ClientCtx>,
    token: Option<HeaderValue>,
    rounds: usize,
}

impl Negotiate {
    pub(crate) fn new(service: Option<&str>, host: &str) -> Self {
        let service = service.map_or_else(|| format!("HTTP@{host}"), str::to_owned);
        Self { service, context: None, token: None, rounds: 0 }
    }

    pub(crate) const fn token(&self) -> Option<&HeaderValue> {
        self.token.as_ref()
    }

    pub(crate) async fn challenged(&mut self, headers: &HeaderMap) -> Result<(), Why> {
        let Some(token) = token(SCHEME, headers) else {
            return Err("it asks for another authentication than Negotiate, and is not answered".into());
        };
        let told = match (self.rounds, token) {
            // There is nothing yet that it could answer.
            (0, _) => None,
            (_, None) => return Err(NOT_ACCEPTED.into()),
            (MAX_ROUNDS.., Some(_)) => return Err("it asks for ever more rounds of Negotiate".into()),
            (_, Some(token)) => {
                Some(BASE64_STANDARD.decode(token).map_err(|_| "its answer in Negotiate cannot be read")?)
            }
        };
        let context = self.context.take();
        let service = self.service.clone();
        // It may ask a server for a ticket, and waits.
        let step = tokio::task::spawn_blocking(move || step(context, &service, told.as_deref()));
        let (context, token) = step.await.map_err(|_| "the call of Kerberos broke off")??;
        self.context = Some(context);
        self.token = Some(answer(SCHEME, &token));
        self.rounds += 1;
        Ok(())
    }

    pub(crate) const fn is_bound(&self) -> bool {
        self.rounds > 1
    }

    pub(crate) fn goes_on(&self) -> bool {
        self.context.as_ref().is_some_and(|context| !context.is_complete())
    }
}

fn step(context: Option<ClientCtx>, service: &str, told: Option<&[u8]>) -> Result<(ClientCtx, Vec<u8>), Why> {
    let begins = context.is_none();
    let mut context = match context {
        Some(context) => context,
        None => {
            let name = name(service).map_err(|error| {
                Why::from(format!("{service} is no name of a Kerberos service: {}", text(&error)))
            })?;
            ClientCtx::new(None, name, CtxFlags::empty(), Some(GSS_MECH_SPNEGO))
        }
    };
    match context.step(told, None) {
        Ok(Some(token)) if !token.is_empty() => Ok((context, token.to_vec())),
        // There is nothing more to say, and it is not content.
        Ok(_) => Err(NOT_ACCEPTED.into()),
        Err(error) if begins => Err(Why::from(format!(
            "there is no Kerberos ticket for {service}: {}; sign in first, as kinit does, and see whether the service is named right",
            text(&error)
        ))),
        Err(error) => Err(Why::from(format!("its answer in Negotiate is not accepted: {}", text(&error)))),
    }
}

/// `HTTP/proxy.example` and `HTTP@proxy.example` leave the realm to the library; a name with both signs is a whole
/// principal.
fn name(service: &str) -> Result<Name, Error> {
    match service.split_once('/') {
        Some((_, host)) if host.contains('@') => Name::new(service.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL)),
        Some((kind, host)) => Name::new(format!("{kind}@{host}").as_bytes(), Some(GSS_NT_HOSTBASED_SERVICE)),
        None => Name::new(service.as_bytes(), Some(GSS_NT_HOSTBASED_SERVICE)),
    }
}

/// On one line.
fn text(error: &Error) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
