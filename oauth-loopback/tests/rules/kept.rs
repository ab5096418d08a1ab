//! Ports that outlive a login, and sockets that were there before.

use crate::*;

over_every_driver! {
    a_kept_port_serves_one_login_after_the_other,
    the_next_login_ends_the_one_that_is_still_at_it,
    sockets_that_are_handed_in_serve_a_login,
}

fn a_kept_port_serves_one_login_after_the_other(driver: &dyn Driver) {
    let server = WebServer::start(&Address::new()).unwrap();
    let port = server.port();
    assert_eq!(server.redirect_uri().as_str(), format!("http://127.0.0.1:{port}/callback"));
    let stray = || {
        let mut tab = Tab::open(port);
        tab.send(&get(&tab, "/callback?state=s&code=old"));
        let page = tab.page();
        assert_eq!((page.status, page.title()), (400, "This is not the sign-in that is expected here"));
    };
    stray();
    for round in 0..3 {
        let listener = server.listener().unwrap();
        assert_eq!((listener.port(), listener.redirect_uri()), (port, server.redirect_uri()));
        let running = driver.start(listener, judge, quick().grace(Duration::ZERO));
        let tab = running.ask(&format!("/callback?state=s&code=c{round}"));
        let callback = running.callback();
        assert_eq!(query_of(&callback), format!("state=s&code=c{round}"));
        let delivery = callback.reply.success();
        assert_eq!(tab.page().status, 200);
        delivery.wait();
        // Between logins nobody waits for ever, and nothing that comes is kept for the next.
        stray();
        assert!(is_taken(port));
    }
    // A login that was begun and given up leaves the port to those who come.
    drop(server.listener().unwrap());
    stray();
    server.stop();
    assert!(becomes_free(port));
}

fn the_next_login_ends_the_one_that_is_still_at_it(driver: &dyn Driver) {
    let server = WebServer::start(&Address::new()).unwrap();
    let first = driver.start(server.listener().unwrap(), judge, quick());
    first.settle();
    let second = driver.start(server.listener().unwrap(), judge, quick());
    assert!(matches!(first.end(), Err(ReceiveError::Cancelled)));
    second.completes();
    // Stopping does the same.
    let third = driver.start(server.listener().unwrap(), judge, quick());
    let port = third.port;
    third.settle();
    drop(server);
    assert!(matches!(third.end(), Err(ReceiveError::Cancelled)));
    assert!(becomes_free(port));
}

fn sockets_that_are_handed_in_serve_a_login(driver: &dyn Driver) {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let listener = Listener::from_sockets(vec![socket], &Address::new().path("/cb").unwrap()).unwrap();
    assert_eq!(listener.redirect_uri().as_str(), format!("http://127.0.0.1:{port}/cb"));
    let running = driver.start(listener, judge, quick());
    let tab = running.ask("/cb?state=s&code=c");
    drop(running.callback().reply.success());
    assert_eq!(tab.page().status, 200);
    let server =
        WebServer::start_with(Listener::bind(&Address::new().host(Host::Localhost)).unwrap()).unwrap();
    assert_eq!(server.redirect_uri().host_str(), Some("localhost"), "what it is called is read back");
    driver.start(server.listener().unwrap(), judge, quick()).completes();
}

/// The shell hands a socket over as systemd does, to this very test in a process of its own.
#[cfg(all(feature = "systemd", unix))]
#[test]
fn sockets_of_systemd_are_taken() {
    const NAME: &str = "kept::sockets_of_systemd_are_taken";
    if std::env::var_os("LISTEN_FDS").is_some() {
        let listener = Listener::from_systemd(&Address::new()).unwrap();
        let callback = oauth_loopback::thread::receive(listener, judge, quick()).unwrap();
        return callback.reply.success().wait();
    }
    let none = Listener::from_systemd(&Address::new()).unwrap_err();
    assert!(matches!(&none, BindError::NotOnePort { ports } if ports.is_empty()), "{none}");
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut child = std::process::Command::new("sh")
        .args(["-c", "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .stdin(std::os::fd::OwnedFd::from(socket))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut tab = Tab::open(port);
    tab.send(&get(&tab, "/callback?state=s&code=c"));
    assert_eq!(tab.page().title(), "You are signed in");
    assert!(child.wait().unwrap().success());
}
