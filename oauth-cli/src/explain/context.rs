//! What the client knew: read member by member, so that none is passed over in silence.

use oauth::core::{OptOut, Policy, Scope};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// A case that is none: what is wrong with it.
#[derive(Debug)]
pub(super) struct Broken(pub(super) String);

/// The members of `context`; those of `old` go by `old.refresh_token` and the like.
#[derive(Debug, Default)]
pub(super) struct Context {
    members: BTreeMap<String, Value>,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// Every member that a context may have, whether this build has a use for it or not.
const KNOWN: [&str; 39] = [
    "access_token",
    "acr_essential",
    "alg",
    "client_id",
    "client_secret",
    "clock_tolerance",
    "code",
    "decryption_key",
    "endpoint",
    "expires_in",
    "grant",
    "interval",
    "iss_supported",
    "issuer",
    "jwks",
    "jwks_after_refetch",
    "leniency",
    "max_age",
    "method",
    "nonce",
    "now",
    "old.access_token",
    "old.id_token_claims",
    "old.refresh_token",
    "old.scope",
    "password",
    "provider",
    "redirect_uri",
    "requested_token_type",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token_type",
    "url",
    "userinfo",
    "variables",
    "verifier",
];

/// Members whose values nobody should see.
const SECRET: [&str; 10] = [
    "access_token",
    "client_secret",
    "code",
    "decryption_key",
    "nonce",
    "old.access_token",
    "old.refresh_token",
    "password",
    "state",
    "verifier",
];

impl Context {
    pub(super) fn new(members: Map<String, Value>) -> Result<Self, Broken> {
        let mut context = Self::default();
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::Object(old) if name == "old" => {
                    for (name, value) in old.into_iter().filter(|(_, value)| !value.is_null()) {
                        context.members.insert(format!("old.{name}"), value);
                    }
                }
                _ if name == "old" => return Err(Broken("context.old is not an object".into())),
                value => drop(context.members.insert(name, value)),
            }
        }
        Ok(context)
    }

    pub(super) fn value(&self, name: &'static str) -> Option<&Value> {
        self.asked.borrow_mut().insert(name);
        self.members.get(name)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Broken> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Broken(format!("context.{name} is not a text"))),
        }
    }

    /// A whole number, of seconds mostly; as a text, too, as a command line has it.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, Broken> {
        let number = match self.value(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64(),
        };
        number.map(Some).ok_or_else(|| Broken(format!("context.{name} is not a whole number")))
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Broken> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
            Some(_) => Err(Broken(format!("context.{name} is neither true nor false"))),
        }
    }

    /// Scope values, in one text or in a list. An empty one is none.
    pub(super) fn scope(&self, name: &'static str) -> Result<Option<Scope>, Broken> {
        let Some(words) = self.words(name, ' ')? else { return Ok(None) };
        if words.is_empty() {
            return Ok(None);
        }
        let scope = Scope::new(&words.join(" "));
        scope.map(Some).map_err(|error| Broken(format!("context.{name}: {error}")))
    }

    /// The policy that `leniency` leaves, and the names in it that this client has nothing of.
    pub(super) fn policy(&self) -> Result<(Policy, Vec<String>), Broken> {
        let opt_outs = [
            OptOut::PlainHttpOnLoopback,
            OptOut::UnencodedBasic,
            OptOut::TokenInQuery,
            OptOut::PasswordGrant,
            OptOut::ImplicitGrant,
        ];
        let (mut policy, mut unknown) = (Policy::strict(), Vec::new());
        for name in self.words("leniency", ',')?.unwrap_or_default() {
            let letters = |name: &str| name.replace(['_', '-', ' '], "").to_ascii_lowercase();
            match opt_outs.iter().find(|opt_out| letters(&leniency(**opt_out)) == letters(&name)) {
                Some(opt_out) => policy = policy.waive(*opt_out),
                None => unknown.push(name),
            }
        }
        Ok((policy, unknown))
    }

    fn words(&self, name: &'static str, separator: char) -> Result<Option<Vec<String>>, Broken> {
        let wrong = || Broken(format!("context.{name} is neither a text nor a list of texts"));
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => {
                let words = text.split(separator).map(str::trim).filter(|word| !word.is_empty());
                Ok(Some(words.map(str::to_owned).collect()))
            }
            Some(Value::Array(words)) => words
                .iter()
                .map(|word| word.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(wrong()),
        }
    }

    /// The case is decided: what was not asked for so far might have been.
    pub(super) fn decided(&self) {
        self.asked.borrow_mut().extend(KNOWN);
    }

    /// What nobody asked for: each member, and whether it is one at all.
    pub(super) fn unused(&self) -> impl Iterator<Item = (&str, bool)> {
        let asked = self.asked.borrow().clone();
        let names = self.members.keys().map(String::as_str);
        names.filter(move |name| !asked.contains(name)).map(|name| (name, KNOWN.contains(&name)))
    }

    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        SECRET.iter().filter_map(|name| self.members.get(*name)?.as_str())
    }
}

/// What a waiver is called in a case: `plain_http_on_loopback`.
pub(super) fn leniency(opt_out: OptOut) -> String {
    let mut name = String::new();
    for c in format!("{opt_out:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}
