//! Ports of logins that are over, and that tell reloads so for a moment more: the next login of this program takes them over.

use crate::callback::Cancel;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, MutexGuard, PoisonError};

static ENDED: Mutex<Vec<Ended>> = Mutex::new(Vec::new());

struct Ended {
    sockets: Vec<TcpListener>,
    login: Cancel,
}

/// What a login has of it that is in its grace: dropped, it takes its sockets back.
pub(crate) struct Offer(Cancel);

/// Leaves these sockets of a login to whoever wants to bind their addresses.
pub(crate) fn offer(sockets: Vec<TcpListener>, login: Cancel) -> Offer {
    lock().push(Ended { sockets, login: login.clone() });
    Offer(login)
}

impl Drop for Offer {
    fn drop(&mut self) {
        lock().retain(|ended| !ended.login.is(&self.0));
    }
}

/// The socket of a login that is over, which ends its grace: whoever is accepted from now on is the next one's.
pub(crate) fn take(address: SocketAddr) -> Option<TcpListener> {
    let is_it = |socket: &TcpListener| socket.local_addr().is_ok_and(|bound| bound == address);
    let (socket, login) = lock().iter_mut().find_map(|ended| {
        let at = ended.sockets.iter().position(is_it)?;
        Some((ended.sockets.swap_remove(at), ended.login.clone()))
    })?;
    login.cancel();
    Some(socket)
}

fn lock() -> MutexGuard<'static, Vec<Ended>> {
    ENDED.lock().unwrap_or_else(PoisonError::into_inner)
}
