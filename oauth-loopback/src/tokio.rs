//! The driver for tokio.

use crate::callback::Callback;
use crate::desk::Judge;
use crate::engine::{Engine, Net};
use crate::listener::Listener;
use crate::options::{ReceiveError, ReceiveOptions};
use ::tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use ::tokio::net::{TcpListener, TcpStream};
use ::tokio::time::Sleep;
use oauth_core::{AuthorizationResponse, Recognised};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// Waits for the authorization response that `judge` calls ours, and answers everybody else.
///
/// `judge` is asked for each response that comes, until one is ours; `Pending::recognise` is meant for it. Dropping the
/// future frees the port. What is left to do after the callback runs as a task of the same runtime.
///
/// # Panics
/// Outside a tokio runtime with I/O and time enabled.
///
/// # Errors
/// Time ran out, it was cancelled, or the system gives no sockets.
pub async fn receive(
    listener: Listener,
    mut judge: impl FnMut(&AuthorizationResponse<'_>) -> Recognised + Send,
    options: ReceiveOptions,
) -> Result<Callback, ReceiveError> {
    let mut engine = Engine::new(Tokio { sleep: None }, listener, options)?;
    let judge: &mut Judge<'_> = &mut judge;
    let response = poll_fn(|cx| engine.poll_callback(cx, judge)).await?;
    let reply = engine.reply();
    ::tokio::spawn(async move { poll_fn(|cx| engine.poll_end(cx)).await });
    Ok(Callback { response, reply })
}

struct Tokio {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Net for Tokio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    fn listen(&mut self, socket: std::net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::from_std(socket)
    }

    fn poll_accept(
        &mut self,
        listener: &mut TcpListener,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<TcpStream>> {
        listener.poll_accept(cx).map_ok(|(stream, _)| stream)
    }

    fn poll_read(stream: &mut TcpStream, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(bytes);
        ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(stream: &mut TcpStream, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(stream).poll_write(cx, bytes)
    }

    fn half_close(stream: &mut TcpStream, cx: &mut Context<'_>) {
        // Never pending for TCP; an error means that the peer is gone.
        let _ = Pin::new(stream).poll_shutdown(cx);
    }

    fn share(listener: &Self::Listener) -> io::Result<std::net::TcpListener> {
        socket2::SockRef::from(listener).try_clone().map(Into::into)
    }

    fn now(&self) -> Instant {
        ::tokio::time::Instant::now().into_std()
    }

    fn poll_until(&mut self, instant: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let instant = ::tokio::time::Instant::from_std(instant);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(::tokio::time::sleep_until(instant)));
        if sleep.deadline() != instant {
            sleep.as_mut().reset(instant);
        }
        sleep.as_mut().poll(cx)
    }
}
