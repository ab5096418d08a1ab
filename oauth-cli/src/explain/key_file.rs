//! Files with keys: `key_file`. What is in them is told, and never a byte of a private key.

use super::case::{CASE, Case};
use super::verdict::{Stop, Verdict};
use crate::exit::Exit;
use oauth::core::{JsonValue, Password, Remedy};
use oauth::jwt::{
    CertificateStore, Entry, KeyError, PublicKey, ServiceAccount, ServiceAccountError, SigningKey,
    StoreError, StoreKind,
};
use serde_json::{Map, Value};

/// How many entries of a store are told.
const MAX_ENTRIES: usize = 100;

pub(super) fn judge(case: &Case, file: &[u8], verdict: &mut Verdict) -> Result<(), Stop> {
    let password = case.context.text("password")?.map(Password::new);
    let refused = if is_account(file) {
        account(file, verdict).map_err(|error| (of_account(&error), error.to_string()))
    } else {
        store(file, password.as_ref(), verdict).map_err(|error| {
            if let StoreError::PasswordMissing = error {
                let text =
                    "Give it as context.password; for a single file, in the environment as KEY_PASSWORD.";
                verdict.note(CASE, text);
            }
            (of_store(&error), error.to_string())
        })
    };
    if let Err((class, message)) = refused {
        let rule =
            ("RFC 7523 section 3", "The key that signs must be whole, of a kind that signs, and safe.");
        verdict.refuse_as(class, rule, message, Remedy::FixSetup, Exit::Configuration);
    }
    Ok(())
}

/// JSON that is neither a JWK nor a document of them.
fn is_account(file: &[u8]) -> bool {
    JsonValue::read(file).is_ok_and(|read| {
        matches!(read, JsonValue::Object(_)) && read.member("kty").is_none() && read.member("keys").is_none()
    })
}

fn account(file: &[u8], verdict: &mut Verdict) -> Result<(), ServiceAccountError> {
    let account = ServiceAccount::from_json(file)?;
    verdict.field("client_email", account.client_email());
    verdict.maybe("private_key_id", account.private_key_id());
    verdict.field("token_uri", account.token_uri());
    verdict.maybe("project_id", account.project_id());
    verdict.field("alg", account.into_key().algorithm().as_str());
    Ok(())
}

fn store(file: &[u8], password: Option<&Password>, verdict: &mut Verdict) -> Result<(), StoreError> {
    let store = CertificateStore::read(StoreKind::Auto, file, password)?;
    let kind = store.kind();
    let (mut told, mut key) = (Vec::new(), Err(StoreError::NoPrivateKey { kind }));
    let entries = store.into_entries();
    let count = entries.len();
    for entry in entries {
        let private = entry.has_private_key();
        let (entry, own) = tell(entry);
        // The first that signs; where none does, what is wrong with the last one that should.
        if private && key.is_err() {
            key = own;
        }
        if told.len() < MAX_ENTRIES {
            told.push(entry);
        }
    }
    if let Ok(key) = &key {
        verdict.maybe("thumbprint", key.public_key().map(|public| public.thumbprint()));
        verdict.field("alg", key.algorithm().as_str());
    }
    verdict.field("store", kind.to_string());
    verdict.field("entries", told);
    if count > MAX_ENTRIES {
        verdict.note(CASE, format!("{} more entries are not shown.", count - MAX_ENTRIES));
    }
    key.map(drop)
}

/// What may be seen of an entry, and its key.
fn tell(entry: Entry) -> (Value, Result<SigningKey, StoreError>) {
    let mut told = Map::new();
    let mut tell = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            told.insert(name.to_owned(), value);
        }
    };
    tell("label", entry.label().map(Value::from));
    tell("subject", Some(entry.subject()).filter(|subject| !subject.is_empty()).map(Value::from));
    tell("key", entry.public_key().map(kind).map(Value::from));
    tell("kid", entry.public_key().and_then(PublicKey::kid).map(Value::from));
    tell("thumbprint", entry.public_key().map(PublicKey::thumbprint).map(Value::from));
    tell("private", Some(entry.has_private_key().into()));
    tell("certificates", Some(entry.certificates().len().into()));
    let private = entry.has_private_key();
    let key = entry.into_signing_key();
    match &key {
        Ok(key) => tell("alg", Some(key.algorithm().as_str().into())),
        Err(error) if private => tell("refused", Some(error.to_string().into())),
        Err(_) => {}
    }
    (Value::Object(told), key)
}

/// `RSA`, or the curve.
fn kind(key: &PublicKey) -> String {
    let jwk = key.to_jwk();
    let read = JsonValue::read(jwk.as_bytes());
    let member = |name| read.as_ref().ok()?.member(name)?.as_str();
    member("crv").or_else(|| member("kty")).unwrap_or_default().to_owned()
}

const fn of_account(error: &ServiceAccountError) -> &'static str {
    match error {
        ServiceAccountError::Json(_) | ServiceAccountError::Member(_) => "parse",
        ServiceAccountError::Key(error) => of_key(error),
        _ => "rejected",
    }
}

const fn of_store(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unrecognized { .. } | StoreError::Malformed { .. } => "parse",
        StoreError::TooLarge | StoreError::TooManyEntries => "too_large",
        StoreError::Key(error) => of_key(error),
        _ => "rejected",
    }
}

const fn of_key(error: &KeyError) -> &'static str {
    match error {
        KeyError::NotPem | KeyError::Malformed { .. } | KeyError::Jwk(_) => "parse",
        _ => "rejected",
    }
}
