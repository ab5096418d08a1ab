//! The driver for async-io: under smol, async-std, or any other executor.

use crate::callback::Callback;
use crate::desk::Judge;
use crate::engine::{Engine, Net};
use crate::listener::Listener;
use crate::options::{ReceiveError, ReceiveOptions};
use ::async_io::{Async, Timer};
use oauth_core::{AuthorizationResponse, Recognised};
use std::future::poll_fn;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// Waits for the authorization response that `judge` calls ours, and answers everybody else.
///
/// `judge` is asked for each response that comes, until one is ours; `Pending::recognise` is meant for it. Dropping the
/// future frees the port. What is left to do after the callback runs on a thread, since there is no executor to give it
/// to.
///
/// # Errors
/// Time ran out, it was cancelled, or the system gives no sockets or no thread.
pub async fn receive(
    listener: Listener,
    mut judge: impl FnMut(&AuthorizationResponse<'_>) -> Recognised + Send,
    options: ReceiveOptions,
) -> Result<Callback, ReceiveError> {
    let mut engine = Engine::new(AsyncIo { timer: Timer::never(), until: None }, listener, options)?;
    let judge: &mut Judge<'_> = &mut judge;
    let response = poll_fn(|cx| engine.poll_callback(cx, judge)).await?;
    let reply = engine.reply();
    std::thread::Builder::new()
        .name("oauth-loopback".to_owned())
        .spawn(move || ::async_io::block_on(poll_fn(|cx| engine.poll_end(cx))))
        .map_err(ReceiveError::Io)?;
    Ok(Callback { response, reply })
}

struct AsyncIo {
    timer: Timer,
    until: Option<Instant>,
}

impl Net for AsyncIo {
    type Listener = Async<TcpListener>;
    type Stream = Async<TcpStream>;

    fn listen(&mut self, socket: TcpListener) -> io::Result<Async<TcpListener>> {
        Async::new(socket)
    }

    fn poll_accept(
        &mut self,
        listener: &mut Async<TcpListener>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Async<TcpStream>>> {
        loop {
            match listener.get_ref().accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(listener.poll_readable(cx))?
                }
                accepted => return Poll::Ready(accepted.and_then(|(stream, _)| Async::new(stream))),
            }
        }
    }

    fn poll_read(
        stream: &mut Async<TcpStream>,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match stream.get_ref().read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(stream.poll_readable(cx))?,
                read => return Poll::Ready(read),
            }
        }
    }

    fn poll_write(
        stream: &mut Async<TcpStream>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match stream.get_ref().write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(stream.poll_writable(cx))?,
                written => return Poll::Ready(written),
            }
        }
    }

    fn half_close(stream: &mut Async<TcpStream>, _: &mut Context<'_>) {
        // An error means that the peer is gone.
        let _ = stream.get_ref().shutdown(Shutdown::Write);
    }

    fn share(listener: &Self::Listener) -> io::Result<TcpListener> {
        socket2::SockRef::from(listener).try_clone().map(Into::into)
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn poll_until(&mut self, instant: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if self.until != Some(instant) {
            self.timer.set_at(instant);
            self.until = Some(instant);
        }
        Pin::new(&mut self.timer).poll(cx).map(|_| ())
    }
}
