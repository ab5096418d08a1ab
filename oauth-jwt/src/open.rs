//! What a server signed, opened for the core.

use crate::jwk::PublicKey;
use crate::jws::{Accepted, Jws};
use crate::key_set::{KeySet, Verifier};
use crate::shared_key::SharedKey;
use crate::verify_error::JwsError;
use oauth_core::{KeyFailed, KeyWhy, OpenTask, Opened, SecretBytes, ServerKeys};
use std::sync::{Arc, Mutex, PoisonError};

/// Of how many servers the keys are kept. A program that signs people in at more of them reads keys more often.
const SERVERS: usize = 16;

/// The keys of servers that were read already, the oldest first.
#[derive(Default)]
pub(crate) struct KnownKeys(Mutex<Vec<(ServerKeys, Arc<KeySet<PublicKey>>)>>);

impl KnownKeys {
    /// Verifies a message: that of the task, or what was encrypted in it.
    pub(crate) fn open(&self, task: &OpenTask, message: &[u8]) -> Result<Opened, KeyFailed> {
        let message = std::str::from_utf8(message).map_err(|_| bad(JwsError::NotCompact))?;
        let jws = Jws::parse(message).map_err(bad)?;
        match (&task.secret, &task.keys) {
            (Some(secret), _) => {
                let hmacs = task.algorithms.iter().filter(|algorithm| algorithm.is_hmac());
                let keys = hmacs.map(|algorithm| SharedKey::from_secret(secret, algorithm.clone()));
                let keys: Result<Vec<_>, _> = keys.collect();
                let keys = keys.map_err(|why| KeyFailed::new(KeyWhy::NoKey).because(why))?;
                verify(&jws, &KeySet::new(keys), task)
            }
            (None, Some(keys)) => verify(&jws, &*self.read(keys)?, task),
            (None, None) => Err(KeyFailed::new(KeyWhy::NoKey)),
        }
    }

    /// The keys of this document, read once.
    fn read(&self, keys: &ServerKeys) -> Result<Arc<KeySet<PublicKey>>, KeyFailed> {
        // Every write leaves the list whole: a panic elsewhere is no harm.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, set)) = known.iter().find(|(known, _)| known.is(keys)) {
            return Ok(Arc::clone(set));
        }
        let set =
            KeySet::from_jwks(keys.document()).map_err(|why| KeyFailed::new(KeyWhy::Bad).because(why))?;
        let set = Arc::new(set);
        if known.len() == SERVERS {
            known.remove(0);
        }
        known.push((keys.clone(), Arc::clone(&set)));
        Ok(set)
    }
}

fn verify<K: Verifier>(jws: &Jws<'_>, keys: &KeySet<K>, task: &OpenTask) -> Result<Opened, KeyFailed> {
    let accepted = Accepted::new(&task.algorithms);
    let accepted = match task.typ {
        Some(typ) => accepted.with_typ(typ),
        None => accepted,
    };
    match jws.verify(keys, &accepted) {
        Ok(payload) => Ok(Opened::new(jws.header().alg.clone(), SecretBytes::new(payload))),
        // Keys without names change, too: then the signature alone tells.
        Err(why @ JwsError::Signature) if jws.header().kid.is_none() => Err(others(why)),
        Err(why @ (JwsError::UnknownKid(_) | JwsError::NoKey(_))) => Err(others(why)),
        Err(why) => Err(bad(why)),
    }
}

/// Other keys of the server might verify it.
fn others(why: JwsError) -> KeyFailed {
    KeyFailed::new(KeyWhy::UnknownKid).because(why)
}

pub(crate) fn bad(why: impl std::error::Error + Send + Sync + 'static) -> KeyFailed {
    KeyFailed::new(KeyWhy::Bad).because(why)
}
