//! A browser as the listener sees it: connections that send bytes and read pages.

use crate::LONG;
use crate::drivers::Running;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::Duration;

/// One connection.
pub(crate) struct Tab {
    stream: TcpStream,
    port: u16,
}

impl Tab {
    pub(crate) fn open(port: u16) -> Self {
        Self::over(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_nodelay(true).unwrap();
        let port = stream.peer_addr().unwrap().port();
        Self { stream, port }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Whether the other side still takes it.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Whether nothing comes, not even the end, for so many milliseconds.
    pub(crate) fn is_quiet(&self, milliseconds: u64) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(milliseconds))).unwrap();
        let quiet = match self.stream.peek(&mut [0]) {
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            Ok(_) => false,
        };
        self.stream.set_read_timeout(Some(LONG)).unwrap();
        quiet
    }

    /// Whatever comes until the end.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
        }
        bytes
    }

    /// The page, then the connection is closed.
    pub(crate) fn page(mut self) -> Page {
        self.read_page()
    }

    /// The page, to its end, which the listener marks with a half-close.
    pub(crate) fn read_page(&mut self) -> Page {
        let mut text = String::new();
        self.stream.read_to_string(&mut text).unwrap();
        Page::read(&text)
    }

    pub(crate) fn close(self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Closes with a RST.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// An HTTP response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        Self {
            status: status[..3].parse().unwrap(),
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} comes twice");
        value
    }

    pub(crate) fn title(&self) -> &str {
        let (_, rest) = self.body.split_once("<title>").unwrap();
        rest.split_once("</title>").unwrap().0
    }
}

impl Running {
    pub(crate) fn tab(&self) -> Tab {
        Tab::open(self.port)
    }

    pub(crate) fn ask(&self, target: &str) -> Tab {
        self.ask_as("GET", target)
    }

    pub(crate) fn ask_as(&self, method: &str, target: &str) -> Tab {
        let mut tab = self.tab();
        tab.send(&request(method, target, &host(self.port)));
        tab
    }

    pub(crate) fn ask_with(&self, target: &str, headers: &str) -> Tab {
        let mut tab = self.tab();
        tab.send(&request("GET", target, &format!("{}{headers}\r\n", host(self.port))));
        tab
    }

    /// The listener is past everything that came before.
    pub(crate) fn settle(&self) {
        assert_eq!(self.ask("/favicon.ico").page().status, 204);
    }

    /// The right callback still ends the wait.
    pub(crate) fn completes(&self) {
        let tab = self.ask("/callback?state=s&code=c");
        drop(self.callback().reply.success());
        assert_eq!(tab.page().title(), "You are signed in");
    }
}

pub(crate) fn get(tab: &Tab, target: &str) -> String {
    request("GET", target, &host(tab.port))
}

/// Headers end with a line break each.
pub(crate) fn request(method: &str, target: &str, headers: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\n{headers}\r\n")
}

fn host(port: u16) -> String {
    format!("Host: 127.0.0.1:{port}\r\n")
}
