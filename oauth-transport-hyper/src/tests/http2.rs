//! HTTP/2 against hyper's own server.

use super::*;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use oauth_transport::Http;
use oauth_transport::HttpVersion;
use std::convert::Infallible;
use std::sync::atomic::AtomicUsize;
use tokio::sync::Notify;

/// What a server saw, and what it waits for.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    open: AtomicUsize,
    requests: AtomicUsize,
    arrived: Notify,
    go: Notify,
}

type Answer = fn(&Seen, &str) -> http::Response<Full<Bytes>>;

fn fine(_: &Seen, path: &str) -> http::Response<Full<Bytes>> {
    http::Response::new(Full::from(path.to_owned()))
}

/// A server that speaks HTTP/2 where it is offered; a path with `wait` in it is answered when the case says so.
async fn server(protocols: &[&str], answer: Answer) -> (HyperTransport, String, Arc<Seen>) {
    let (root, acceptor) = self_signed();
    let mut config = (**acceptor.config()).clone();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, port) = listen().await;
    let seen = Arc::new(Seen::default());
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&shared));
            seen.connections.fetch_add(1, Ordering::SeqCst);
            seen.open.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.unwrap();
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let service = service_fn(|request: http::Request<Incoming>| {
                    let seen = Arc::clone(&seen);
                    async move {
                        let path = request.uri().path().to_owned();
                        let _ = request.into_body().collect().await;
                        seen.requests.fetch_add(1, Ordering::SeqCst);
                        if path.contains("wait") {
                            seen.arrived.notify_one();
                            seen.go.notified().await;
                        }
                        Ok::<_, Infallible>(answer(&seen, &path))
                    }
                });
                let io = TokioIo::new(stream);
                if is_http2 {
                    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(io, service).await;
                } else {
                    let builder = hyper::server::conn::http1::Builder::new();
                    let _ = builder.serve_connection(io, service).await;
                }
                seen.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    let mut http = Http::default();
    http.version = HttpVersion::Http2;
    let settings = Settings::new().with_http(http).with_extra_root_der(root).without_platform_roots();
    (HyperTransport::new(settings).unwrap(), format!("https://127.0.0.1:{port}"), seen)
}

impl Seen {
    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn all_closed(&self) {
        timeout(Duration::from_secs(10), async {
            while self.open.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("a connection stays open");
    }
}

#[tokio::test]
async fn the_first_requests_share_one_connection() {
    let (transport, url, seen) = server(&["h2", "http/1.1"], fine).await;
    let transport = Arc::new(transport);
    let sent: Vec<_> = (0..16)
        .map(|number| {
            let (transport, url) = (Arc::clone(&transport), format!("{url}/{number}"));
            tokio::spawn(async move { transport.send(post(&url)).await.unwrap() })
        })
        .collect();
    for (number, response) in sent.into_iter().enumerate() {
        let response = response.await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(response.body(), format!("/{number}").as_bytes());
    }
    assert_eq!((seen.connections(), seen.requests.load(Ordering::SeqCst)), (1, 16));
}

/// A server of HTTP/1.1 costs whoever wants HTTP/2 one connection made alone, and no more.
#[tokio::test]
async fn a_server_of_http_1_is_waited_for_once() {
    let (transport, url, seen) = server(&["http/1.1"], fine).await;
    transport.send(post(&format!("{url}/first"))).await.unwrap();
    let one = transport.send(post(&format!("{url}/wait")));
    let other = transport.send(post(&format!("{url}/wait")));
    let both = async {
        let (mut one, mut other) = (pin!(one), pin!(other));
        for _ in 0..2 {
            let arrived = seen.arrived.notified();
            let busy = poll_fn(|context| {
                assert!(one.as_mut().poll(context).is_pending() && other.as_mut().poll(context).is_pending());
                Poll::<()>::Pending
            });
            unless(arrived, busy).await.unwrap();
        }
        seen.go.notify_one();
        seen.go.notify_one();
        seen.go.notify_waiters();
        one.await.unwrap();
        other.await.unwrap();
    };
    timeout(Duration::from_secs(10), both).await.expect("one waits for the other");
    assert_eq!(seen.connections(), 2);
}

#[tokio::test]
async fn a_request_that_is_given_up_takes_its_connection_along_and_no_other_request() {
    let (transport, url, seen) = server(&["h2"], fine).await;
    let (given_up, stays) = (format!("{url}/wait"), format!("{url}/wait"));
    let mut given_up = Box::pin(transport.send(post(&given_up)));
    let mut stays = Box::pin(transport.send(post(&stays)));
    for _ in 0..2 {
        let busy = poll_fn(|context| {
            assert!(
                given_up.as_mut().poll(context).is_pending() && stays.as_mut().poll(context).is_pending()
            );
            Poll::<()>::Pending
        });
        unless(seen.arrived.notified(), busy).await.unwrap();
    }
    assert_eq!(seen.connections(), 1);
    drop(given_up);
    // It serves nobody new.
    transport.send(post(&format!("{url}/new"))).await.unwrap();
    assert_eq!(seen.connections(), 2);
    seen.go.notify_waiters();
    stays.await.unwrap();
    drop(transport);
    seen.all_closed().await;
}

#[tokio::test]
async fn a_given_up_request_alone_closes_its_connection() {
    let (transport, url, seen) = server(&["h2"], fine).await;
    let url = format!("{url}/wait");
    let mut sending = Box::pin(transport.send(post(&url)));
    let busy = poll_fn(|context| {
        assert!(sending.as_mut().poll(context).is_pending());
        Poll::<()>::Pending
    });
    unless(seen.arrived.notified(), busy).await.unwrap();
    drop(sending);
    // The transport is still here, and nobody asks anything of it.
    seen.all_closed().await;
    drop(transport);
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_time() {
    let (mut transport, url, seen) = server(&["h2"], fine).await;
    transport.pool = Arc::new(Pool::new(Duration::from_millis(50)));
    transport.send(post(&format!("{url}/one"))).await.unwrap();
    seen.all_closed().await;
    transport.send(post(&format!("{url}/two"))).await.unwrap();
    assert_eq!(seen.connections(), 2);
}

#[tokio::test]
async fn a_connection_for_each_request_is_closed_after_it() {
    let (mut transport, url, seen) = server(&["h2"], fine).await;
    let mut http = transport.settings.http().clone();
    http.reuse_connections = false;
    transport.settings = transport.settings.with_http(http);
    for _ in 0..2 {
        transport.send(post(&format!("{url}/"))).await.unwrap();
        seen.all_closed().await;
    }
    assert_eq!(seen.connections(), 2);
}

#[tokio::test]
async fn too_much_is_too_much_in_http_2_as_well() {
    let (mut transport, url, _) = server(&["h2"], |_, path| {
        let response = http::Response::builder();
        match path {
            "/body" => response.body(Full::from(vec![b' '; (1 << 20) + 1])),
            "/head" => response.header("x-long", "x".repeat(100_000)).body(Full::default()),
            _ => response.header("x-line", "x".repeat(1000)).body(Full::default()),
        }
        .unwrap()
    })
    .await;
    let error = transport.send(post(&format!("{url}/body"))).await.unwrap_err();
    assert_eq!((error.kind, error.delivered), (UnreachableKind::TooLarge, Delivered::Unknown), "{error:?}");
    let error = transport.send(post(&format!("{url}/head"))).await.unwrap_err();
    assert_eq!((error.kind, error.delivered), (UnreachableKind::NotHttp, Delivered::Unknown), "{error:?}");
    transport.send(post(&format!("{url}/line"))).await.unwrap();
    let mut http = transport.settings.http().clone();
    http.max_line = NonZeroUsize::new(500);
    transport.settings = transport.settings.with_http(http);
    let error = transport.send(post(&format!("{url}/line"))).await.unwrap_err();
    assert_eq!((error.kind, error.delivered), (UnreachableKind::TooLarge, Delivered::Unknown), "{error:?}");
}

/// A server that gives all the room there is, and then reads nothing. What became of the socket Linux tells.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_given_up_request_does_not_wait_for_a_server_that_does_not_read() {
    let (root, acceptor) = self_signed();
    let mut config = (**acceptor.config()).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move {
        let (stream, peer) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        // SETTINGS_INITIAL_WINDOW_SIZE, and the connection's window beside it (RFC 9113 sections 6.5.2 and 6.9).
        let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff];
        let window = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0];
        stream.write_all(&[&settings[..], &window].concat()).await.unwrap();
        stream.flush().await.unwrap();
        (stream, peer.port())
    });
    let mut http = Http::default();
    http.version = HttpVersion::Http2;
    let settings = Settings::new().with_http(http).with_extra_root_der(root).without_platform_roots();
    let transport = HyperTransport::new(settings).unwrap();
    let endpoint = Endpoint::new(&format!("https://127.0.0.1:{port}/"), &Policy::strict()).unwrap();
    let body = SecretBytes::new(vec![b'x'; 64 << 20]);
    let request = Request::form(Purpose::Token, Arc::new(endpoint), body);
    let sending = timeout(Duration::from_millis(700), transport.send(request)).await;
    assert!(sending.is_err(), "{sending:?}");
    let (_stream, peer) = server.await.unwrap();
    // Number, local and remote address, state: 01 is an open connection.
    let ends = format!("{peer:04X} 0100007F:{port:04X} 01");
    let is_open = || std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&format!(":{ends}"));
    let closed = async {
        while is_open() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(5), closed).await.expect("the connection stays open");
}
