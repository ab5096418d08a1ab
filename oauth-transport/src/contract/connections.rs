//! How connections are shared, left and given up.

use super::Engine;
use super::firewalls::firewall;
use super::server::{Connection, Server};
use super::subject::{carries, endpoint, get, post, transport};
use crate::{BoxFuture, FirewallKind, Proxies, Proxy, Setting, Settings};
use oauth_core::{Delivered, Purpose, Request, Response, SecretBytes, Unreachable, UnreachableKind};
use std::future::poll_fn;
use std::io::{self, Read as _, Write as _};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Five GETs to a server that keeps the connection open.
pub fn sequential_requests_share_a_connection<E: Engine>() {
    let server = Server::answering(OK);
    let transport = transport::<E>(Settings::new());
    E::block_on(async {
        for _ in 0..5 {
            transport.send(get(&server.http("/"))).await.expect("the server answers");
        }
    });
    assert_eq!((server.received().len(), server.connections()), (5, 1));
}

/// A connection to one server serves no other.
pub fn each_server_has_connections_of_its_own<E: Engine>() {
    let servers = [Server::answering(OK), Server::answering(OK)];
    let transport = transport::<E>(Settings::new());
    E::block_on(async {
        for server in servers.iter().cycle().take(4) {
            transport.send(get(&server.http("/"))).await.expect("the server answers");
        }
    });
    for server in servers {
        assert_eq!(server.received().len(), 2);
    }
}

/// Five POSTs, over as many connections as the transport likes.
pub fn one_shot_requests_go_through_one_after_another<E: Engine>() {
    let server = Server::answering(OK);
    let transport = transport::<E>(Settings::new());
    E::block_on(async {
        for _ in 0..5 {
            transport.send(post(&server.http("/token"))).await.expect("the server answers");
        }
    });
    assert_eq!(server.received().len(), 5);
}

/// A server that hangs up between two requests, without having said so.
pub fn connection_closed_while_idle_does_not_matter<E: Engine>() {
    let closed = Signal::default();
    let (close, hung_up) = (Signal::default(), closed.clone());
    let go = close.clone();
    let server = Server::new(move |connection| {
        connection.request()?;
        connection.write_all(OK)?;
        if connection.number() == 0 {
            go.wait_on_this_thread();
            connection.shut_down();
            hung_up.set();
        }
        Ok(())
    });
    let transport = transport::<E>(Settings::new());
    E::block_on(async {
        transport.send(get(&server.http("/"))).await.expect("the server answers");
        close.set();
        closed.wait().await;
        let response = transport.send(post(&server.http("/token"))).await;
        response.expect("a connection that is known to be closed is not used");
    });
    assert_eq!(server.received().len(), 2, "nothing was sent twice");
}

/// A server that hangs up on the second request of a connection: it may have acted on it, so no second copy follows.
pub fn dead_connection_costs_no_second_copy<E: Engine>() {
    let server = Server::new(|connection| {
        connection.request()?;
        connection.write_all(OK)?;
        connection.request()?;
        Ok(())
    });
    let transport = transport::<E>(Settings::new());
    let result = E::block_on(async {
        transport.send(get(&server.http("/"))).await.expect("the server answers");
        transport.send(post(&server.http("/token"))).await
    });
    let copies = server.received().iter().filter(|request| request.line.starts_with("POST")).count();
    assert_eq!(copies, 1, "a one-shot request is sent once: {result:?}");
    if let Err(error) = result {
        assert_eq!((error.kind, error.delivered), (UnreachableKind::Broken, Delivered::Unknown), "{error:?}");
    }
}

/// `Connection: close` is obeyed (RFC 9112 section 9.6), and so is HTTP/1.0.
pub fn closed_connection_is_not_used_again<E: Engine>() {
    for answer in [
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ] {
        let server = Server::answering(answer);
        let transport = transport::<E>(Settings::new());
        E::block_on(async {
            for _ in 0..3 {
                transport.send(post(&server.http("/token"))).await.expect("the server answers");
            }
        });
        assert_eq!((server.received().len(), server.connections()), (3, 3));
    }
}

/// Dropping the future in the middle of a request closes its connection.
pub fn dropping_the_future_closes_the_connection<E: Engine>() {
    for beginning in ["", "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{"] {
        let server = closed_in_time::<E>(
            move |connection| {
                connection.request()?;
                connection.write_all(beginning.as_bytes())
            },
            |server| (Settings::new(), post(&server.http("/token"))),
        );
        server.only();
    }
}

/// Dropping it before there is a connection to the server closes what there is: in the handshakes of TLS, of a proxy and of a
/// firewall.
pub fn dropping_the_future_closes_what_is_half_made<E: Engine>() {
    let first_bytes = |connection: &mut Connection| connection.read_exact(&mut [0; 3]);
    closed_in_time::<E>(first_bytes, |server| (Settings::new(), post(&server.https("/token"))));

    let proxied = |server: &Server| {
        let proxy = Proxy::new(&format!("http://127.0.0.1:{}", server.port())).expect("it is a proxy");
        (Settings::new().with_proxies(Proxies::through(proxy)), post("https://as.example/token"))
    };
    closed_in_time::<E>(|connection| connection.request().map(drop), proxied);
    // With the tunnel open, in the handshake of TLS.
    closed_in_time::<E>(
        |connection| {
            connection.request()?;
            connection.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            connection.read_exact(&mut [0; 3])
        },
        proxied,
    );

    let walled = |server: &Server| {
        let firewall = firewall(FirewallKind::Socks5, server);
        (Settings::new().with_firewall(firewall), post("https://as.example/token"))
    };
    let settings = Settings::new().with_firewall(firewall(FirewallKind::Socks5, &Server::answering(OK)));
    if carries::<E>(Setting::FirewallSocks5, &settings) {
        closed_in_time::<E>(first_bytes, walled);
    }
}

/// Dropping it while a request is still on its way, to a server that does not read it, closes the connection as well: the
/// rest of the request never comes.
pub fn dropping_the_future_sends_no_more_of_the_request<E: Engine>() {
    const BYTES: usize = 64 << 20;
    let request = |server: &Server| {
        Request::form(Purpose::Token, endpoint(&server.http("/token")), SecretBytes::new(vec![b'x'; BYTES]))
    };
    let server = closed_in_time::<E>(
        |connection| {
            connection.read_exact(&mut [0; 20])?;
            // The system's buffers fill up, and the transport waits.
            thread::sleep(Duration::from_millis(300));
            Ok(())
        },
        |server| (Settings::new(), request(server)),
    );
    assert!(server.drained() < BYTES / 2, "{} bytes came", server.drained());
}

/// Sends, drops the future when the server's script is through, and waits until its connection is closed.
fn closed_in_time<E: Engine>(
    script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    about: impl FnOnce(&Server) -> (Settings, Request),
) -> Server {
    let (arrived, dropped, closed) = (Signal::default(), Signal::default(), Signal::default());
    let (tell_arrived, go_on, tell_closed) = (arrived.clone(), dropped.clone(), closed.clone());
    let in_time = Arc::new(AtomicBool::new(false));
    let remember = Arc::clone(&in_time);
    let server = Server::new(move |connection| {
        script(connection)?;
        tell_arrived.set();
        go_on.wait_on_this_thread();
        remember.store(connection.wait_until_closed(), Ordering::SeqCst);
        tell_closed.set();
        Ok(())
    });
    let (settings, request) = about(&server);
    let transport = transport::<E>(settings);
    E::block_on(async {
        let mut sending = transport.send(request);
        let mut waiting = Box::pin(arrived.wait());
        poll_fn(|context| {
            assert!(sending.as_mut().poll(context).is_pending(), "the server has not answered");
            waiting.as_mut().poll(context)
        })
        .await;
        drop(sending);
        dropped.set();
        closed.wait().await;
    });
    assert!(in_time.load(Ordering::SeqCst), "the connection stayed open");
    server
}

/// Each gets its own response.
pub fn many_requests_at_once_keep_apart<E: Engine>() {
    let server = Server::new(|connection| {
        while let Some(request) = connection.request()? {
            let path = request.line.split(' ').nth(1).unwrap_or_default().to_owned();
            write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{path}", path.len())?;
        }
        Ok(())
    });
    let transport = transport::<E>(Settings::new());
    for _ in 0..2 {
        let sent = (0..32).map(|number| transport.send(get(&server.http(&format!("/{number}"))))).collect();
        for (number, response) in E::block_on(all(sent)).into_iter().enumerate() {
            assert_eq!(response.expect("the server answers").body(), format!("/{number}").as_bytes());
        }
    }
    assert_eq!(server.received().len(), 64);
}

pub(super) type Sending<'a> = BoxFuture<'a, Result<Response, Unreachable>>;

/// Sends all at once.
pub(super) async fn all(mut sending: Vec<Sending<'_>>) -> Vec<Result<Response, Unreachable>> {
    let mut responses: Vec<_> = sending.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (sending, response) in sending.iter_mut().zip(&mut responses) {
            if response.is_none()
                && let Poll::Ready(result) = sending.as_mut().poll(context)
            {
                *response = Some(result);
            }
        }
        if responses.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    responses.into_iter().flatten().collect()
}

/// Set once by one side, waited for by the other: a thread or a future, on any runtime.
#[derive(Clone, Default)]
pub(super) struct Signal(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    set: bool,
    waker: Option<Waker>,
}

impl Signal {
    pub(super) fn set(&self) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.set = true;
        self.0.1.notify_all();
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn wait(&self) -> impl Future<Output = ()> + use<> {
        Waiting(self.clone())
    }

    pub(super) fn wait_on_this_thread(&self) {
        let state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.1.wait_while(state, |state| !state.set));
    }
}

struct Waiting(Signal);

impl Future for Waiting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.set {
            return Poll::Ready(());
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
