//! The keys of a program, each under the name that its flows use, and the answers to what flows ask of them.

use crate::error::SigningError;
#[cfg(feature = "aws-lc-rs")]
use crate::jwe::{AcceptedEncryption, DecryptionKey, Jwe};
use crate::open::KnownKeys;
#[cfg(feature = "aws-lc-rs")]
use crate::open::bad;
use crate::signing_key::SigningKey;
use oauth_core::{Input, KeyFailed, KeyId, KeyTask, KeyWhy, OpenTask, Opened, SecretBytes, SignTask};
use std::collections::HashMap;
use std::fmt;

/// Private keys by name: the key holder of a program that keeps its keys in memory.
///
/// It also verifies what servers sign, by the keys that come with the task: an empty one does for that. What it reads of a
/// server's keys it keeps until there are others.
///
/// It does no I/O and never waits, so it may be asked from async code: a signature by an RSA key of 2048 bits takes
/// about half a millisecond. One keyring serves any number of flows at once. A key in a token is the exception: its
/// signature takes as long as the token does, one after the other.
#[derive(Default)]
pub struct Keyring {
    keys: HashMap<KeyId, SigningKey>,
    #[cfg(feature = "aws-lc-rs")]
    decryption_keys: HashMap<KeyId, DecryptionKey>,
    known: KnownKeys,
}

impl Keyring {
    /// A keyring without a key, which answers every task with [`KeyWhy::NoKey`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a key under a name, and hands back the key that had this name before.
    pub fn insert(&mut self, name: KeyId, key: SigningKey) -> Option<SigningKey> {
        self.keys.insert(name, key)
    }

    /// Puts a key under a name that opens what a server encrypts for this client, and hands back the key that had this name
    /// before. With which algorithms, the [default](AcceptedEncryption) says.
    #[cfg(feature = "aws-lc-rs")]
    pub fn insert_decryption_key(&mut self, name: KeyId, key: DecryptionKey) -> Option<DecryptionKey> {
        self.decryption_keys.insert(name, key)
    }

    /// Does what a flow asked for by [`Output::Key`](oauth_core::Output::Key): the answer is for
    /// [`Flow::handle`](oauth_core::Flow::handle).
    ///
    /// It never fails otherwise than by [`Input::KeyFailed`], whose cause is a [`SigningError`]:
    /// [`KeyWhy::NoKey`] for an unknown name, [`KeyWhy::Unsupported`] for an algorithm that is not the key's own (a key
    /// is never used with two), [`KeyWhy::Busy`] when the signing engine fails, which another try may mend. For a message
    /// that is to be opened, the cause is a [`JwsError`](crate::JwsError), or a `JweError`: [`KeyWhy::UnknownKid`] where other keys of the
    /// server might verify it, else [`KeyWhy::Bad`]. A kind of task that is unknown here is answered as unsupported, without
    /// a cause.
    #[must_use]
    pub fn answer(&self, task: KeyTask) -> Input {
        match task {
            KeyTask::Sign(task) => match self.sign(task) {
                Ok(signature) => Input::Signature(signature),
                Err((why, error)) => Input::KeyFailed(KeyFailed::new(why).because(error)),
            },
            KeyTask::Open(task) => match self.open(&task) {
                Ok(opened) => Input::Opened(opened),
                Err(failed) => Input::KeyFailed(failed),
            },
            other => other.unsupported(),
        }
    }

    fn open(&self, task: &OpenTask) -> Result<Opened, KeyFailed> {
        match &task.decryption_key {
            None => self.known.open(task, task.message.expose()),
            Some(name) => self.known.open(task, self.decrypt(task, name)?.expose()),
        }
    }

    #[cfg(feature = "aws-lc-rs")]
    fn decrypt(&self, task: &OpenTask, name: &KeyId) -> Result<SecretBytes, KeyFailed> {
        let key = self.decryption_keys.get(name);
        let key = key.ok_or_else(|| {
            KeyFailed::new(KeyWhy::NoKey).because(SigningError::NoKey { key: name.clone() })
        })?;
        let message = std::str::from_utf8(task.message.expose()).map_err(bad)?;
        Jwe::parse(message).and_then(|jwe| jwe.decrypt([key], &AcceptedEncryption::default())).map_err(bad)
    }

    #[cfg(not(feature = "aws-lc-rs"))]
    #[expect(clippy::unused_self, reason = "the other one has keys")]
    fn decrypt(&self, _: &OpenTask, _: &KeyId) -> Result<SecretBytes, KeyFailed> {
        let how = "build with the feature `aws-lc-rs`, which decrypts";
        Err(KeyFailed::new(KeyWhy::Unsupported).because(how))
    }

    fn sign(&self, task: SignTask) -> Result<Vec<u8>, (KeyWhy, SigningError)> {
        let Some(key) = self.keys.get(&task.key) else {
            return Err((KeyWhy::NoKey, SigningError::NoKey { key: task.key }));
        };
        // RFC 8725 section 3.1: each key MUST be used with exactly one algorithm.
        let own = key.algorithm();
        if task.algorithm != own {
            let error = SigningError::WrongAlgorithm { key: task.key, asked: task.algorithm, own };
            return Err((KeyWhy::Unsupported, error));
        }
        key.sign(&task.input).ok_or((KeyWhy::Busy, SigningError::Engine { key: task.key }))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("keys", &self.keys).finish_non_exhaustive()
    }
}
