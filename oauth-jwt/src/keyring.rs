//! The keys of a program, each under the name that its flows use.

use crate::error::SigningError;
use crate::signing_key::SigningKey;
use oauth_core::{Input, KeyFailed, KeyId, KeyTask, KeyWhy, SignTask};
use std::collections::HashMap;

/// Private keys by name: the key holder of a program that keeps its keys in memory.
///
/// It does no I/O and never waits, so it may be asked from async code: a signature by an RSA key of 2048 bits takes
/// about half a millisecond. One keyring serves any number of flows at once. A key in a token is the exception: its
/// signature takes as long as the token does, one after the other.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: HashMap<KeyId, SigningKey>,
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

    /// Does what a flow asked for by [`Output::Key`](oauth_core::Output::Key): the answer is for
    /// [`Flow::handle`](oauth_core::Flow::handle).
    ///
    /// It never fails otherwise than by [`Input::KeyFailed`], whose cause is a [`SigningError`]:
    /// [`KeyWhy::NoKey`] for an unknown name, [`KeyWhy::Unsupported`] for an algorithm that is not the key's own (a key
    /// is never used with two), [`KeyWhy::Busy`] when the signing engine fails, which another try may mend. A kind of
    /// task that is unknown here is answered as unsupported, without a cause.
    #[must_use]
    pub fn answer(&self, task: KeyTask) -> Input {
        match task {
            KeyTask::Sign(task) => match self.sign(task) {
                Ok(signature) => Input::Signature(signature),
                Err((why, error)) => Input::KeyFailed(KeyFailed::new(why).because(error)),
            },
            other => other.unsupported(),
        }
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
