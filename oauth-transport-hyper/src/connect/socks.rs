//! SOCKS, as bytes out and bytes in: version 4, its extension 4a, and version 5 (RFC 1928, RFC 1929).
//!
//! ```text
//! 4, 4a   request                                             reply
//! 5       methods → method ( → password → status ) → request → reply
//! ```

use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// Where the server is to connect to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// A name, for the server to resolve.
    Name(&'a str),
    /// An address.
    Address(IpAddr),
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// These bytes go to the server.
    Send(Zeroizing<Vec<u8>>),
    /// So many bytes are read from it, no more: what follows belongs to somebody else.
    Receive(usize),
    /// The server has connected us.
    Done,
}

/// Why a server does not connect us. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(String);

impl Refused {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One conversation with a server. `poll` says what to do, `handle` takes what was received.
pub(crate) struct Handshake {
    state: State,
    /// What goes out once the server knows who we are.
    request: Zeroizing<Vec<u8>>,
    /// What RFC 1929 has us say, where we have a user name.
    password: Option<Zeroizing<Vec<u8>>>,
}

#[derive(Clone, Copy)]
enum State {
    Methods,
    Method,
    Password,
    Status,
    Request4,
    Reply4,
    Request5,
    Reply5,
    /// The length of a name in the reply.
    BoundName,
    /// The rest of the reply, which says where the server connects from and is of no use.
    Bound(usize),
    Done,
}

const CONNECT: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const USER_NAME_AND_PASSWORD: u8 = 2;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

impl Handshake {
    /// Version 4, and 4a where the target is a name.
    pub(crate) fn version4(user: &str, target: Target<'_>, port: u16) -> Result<Self, Refused> {
        let user = user_id(user).map_err(Refused::new)?;
        let mut request = Zeroizing::new(vec![4, CONNECT]);
        request.extend(port.to_be_bytes());
        let name = match target {
            Target::Address(IpAddr::V4(address)) => {
                request.extend(address.octets());
                None
            }
            Target::Address(IpAddr::V6(_)) => {
                return Err(Refused::new("SOCKS4 reaches no IPv6 address; use SOCKS5"));
            }
            // An address that cannot be one: the name follows.
            Target::Name(name) => {
                request.extend([0, 0, 0, 1]);
                Some(name)
            }
        };
        request.extend(user);
        request.push(0);
        if let Some(name) = name {
            request.extend(name.bytes());
            request.push(0);
        }
        Ok(Self { state: State::Request4, request, password: None })
    }

    /// Version 5, with a user name and a password where there are any.
    pub(crate) fn version5(
        credentials: Option<(&str, &str)>,
        target: Target<'_>,
        port: u16,
    ) -> Result<Self, Refused> {
        // RFC 1929 section 2.
        let password = match credentials {
            None => None,
            Some((user, password)) => {
                let (user_length, password_length) =
                    user_and_password(user, password).map_err(Refused::new)?;
                let mut bytes = Zeroizing::new(Vec::with_capacity(3 + user.len() + password.len()));
                bytes.extend([1, user_length]);
                bytes.extend(user.bytes());
                bytes.push(password_length);
                bytes.extend(password.bytes());
                Some(bytes)
            }
        };
        // RFC 1928 section 4.
        let mut request = Zeroizing::new(vec![5, CONNECT, 0]);
        match target {
            Target::Address(IpAddr::V4(address)) => {
                request.push(IPV4);
                request.extend(address.octets());
            }
            Target::Address(IpAddr::V6(address)) => {
                request.push(IPV6);
                request.extend(address.octets());
            }
            Target::Name(name) => {
                let length = u8::try_from(name.len())
                    .map_err(|_| Refused::new("SOCKS5 takes names of 255 bytes at most"))?;
                request.extend([NAME, length]);
                request.extend(name.bytes());
            }
        }
        request.extend(port.to_be_bytes());
        Ok(Self { state: State::Methods, request, password })
    }

    /// What to do next. Asked again, it goes on where bytes were to be sent, and says the same where some are waited for.
    pub(crate) fn poll(&mut self) -> Step {
        let (next, step) = match self.state {
            State::Methods => {
                let mut methods = vec![5, 1, NO_AUTHENTICATION];
                if self.password.is_some() {
                    methods = vec![5, 2, NO_AUTHENTICATION, USER_NAME_AND_PASSWORD];
                }
                (State::Method, Step::Send(Zeroizing::new(methods)))
            }
            State::Method => (State::Method, Step::Receive(2)),
            State::Password => (State::Status, Step::Send(self.password.take().unwrap_or_default())),
            State::Status => (State::Status, Step::Receive(2)),
            State::Request4 => (State::Reply4, Step::Send(std::mem::take(&mut self.request))),
            State::Reply4 => (State::Reply4, Step::Receive(8)),
            State::Request5 => (State::Reply5, Step::Send(std::mem::take(&mut self.request))),
            State::Reply5 => (State::Reply5, Step::Receive(4)),
            State::BoundName => (State::BoundName, Step::Receive(1)),
            State::Bound(length) => (State::Bound(length), Step::Receive(length)),
            State::Done => (State::Done, Step::Done),
        };
        self.state = next;
        step
    }

    /// Takes the bytes that were asked for.
    pub(crate) fn handle(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.state = match (self.state, bytes) {
            (State::Method, &[5, method]) => self.chosen(method)?,
            // RFC 1929 section 2: any status but zero is a no.
            (State::Status, &[1, 0]) => State::Request5,
            (State::Status, &[1, _]) => {
                return Err(Refused::new("it does not accept the user name and the password"));
            }
            (State::Status, _) => {
                return Err(Refused::new("its answer to the password is not that of RFC 1929"));
            }
            (State::Reply4, &[0, code, ..]) => {
                granted(code)?;
                State::Done
            }
            (State::Reply5, &[5, code, _, kind]) => {
                succeeded(code)?;
                match kind {
                    IPV4 => State::Bound(4 + 2),
                    IPV6 => State::Bound(16 + 2),
                    NAME => State::BoundName,
                    _ => return Err(Refused::new("its reply names an address of an unknown kind")),
                }
            }
            (State::BoundName, &[length]) => State::Bound(usize::from(length) + 2),
            (State::Bound(_), _) => State::Done,
            (State::Reply4, _) => {
                return Err(Refused::new("it does not speak SOCKS4; check its kind and its port"));
            }
            _ => return Err(Refused::new("it does not speak SOCKS5; check its kind and its port")),
        };
        Ok(())
    }

    /// RFC 1928 section 3.
    fn chosen(&self, method: u8) -> Result<State, Refused> {
        match method {
            NO_AUTHENTICATION => Ok(State::Request5),
            USER_NAME_AND_PASSWORD if self.password.is_some() => Ok(State::Password),
            0xFF if self.password.is_some() => {
                Err(Refused::new("it accepts neither a user name and a password nor no authentication"))
            }
            0xFF => Err(Refused::new("it wants to know who we are; give it a user name and a password")),
            _ => Err(Refused::new(format!(
                "it chose the authentication method {method}, which was not offered"
            ))),
        }
    }
}

/// The user name of versions 4 and 4a, which ends with a zero byte.
pub(crate) fn user_id(user: &str) -> Result<impl Iterator<Item = u8>, &'static str> {
    if user.contains('\0') {
        return Err("a SOCKS4 user name has no zero byte");
    }
    Ok(user.bytes())
}

/// The lengths of a user name and a password (RFC 1929 section 2).
pub(crate) fn user_and_password(user: &str, password: &str) -> Result<(u8, u8), &'static str> {
    match (u8::try_from(user.len()), u8::try_from(password.len())) {
        (Ok(user @ 1..), Ok(password)) => Ok((user, password)),
        _ => Err("a SOCKS5 user name has 1 to 255 bytes, and a password 255 at most"),
    }
}

/// The reply of version 4.
fn granted(code: u8) -> Result<(), Refused> {
    Err(Refused::new(match code {
        90 => return Ok(()),
        91 => "it refused to connect to the server, or failed to".to_owned(),
        92 => "it refused, because it cannot ask this machine who we are (identd)".to_owned(),
        93 => "it refused, because this machine (identd) gives it another user name".to_owned(),
        _ => format!("it refused to connect to the server (SOCKS4 code {code})"),
    }))
}

/// The reply of version 5 (RFC 1928 section 6).
fn succeeded(code: u8) -> Result<(), Refused> {
    Err(Refused::new(match code {
        0 => return Ok(()),
        1 => "it failed",
        2 => "its rules do not allow the connection",
        3 => "it cannot reach the server's network",
        4 => "it cannot reach the server",
        5 => "the server refused its connection",
        6 => "the server is too many hops away from it (TTL expired)",
        7 => "it does not support connections to servers",
        8 => "it does not support this kind of address",
        _ => return Err(Refused::new(format!("it refused to connect to the server (SOCKS5 code {code})"))),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const NAMED: Target<'static> = Target::Name("as.example");
    const ADDRESS: Target<'static> = Target::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));
    const ADDRESS6: Target<'static> = Target::Address(IpAddr::V6(Ipv6Addr::LOCALHOST));

    /// Plays a server's bytes; what was sent, or why it ended. Not one byte more than the server's is asked for.
    fn play(mut handshake: Handshake, mut server: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let mut sent = Vec::new();
        loop {
            match handshake.poll() {
                Step::Send(bytes) => sent.push(bytes.to_vec()),
                Step::Receive(count) => {
                    assert_eq!(handshake.poll(), Step::Receive(count), "asking changes nothing");
                    let (bytes, rest) = server.split_at(count);
                    server = rest;
                    handshake.handle(bytes).map_err(|refused| refused.to_string())?;
                }
                Step::Done => {
                    assert_eq!(server, b"", "the reply was read to its end");
                    return Ok(sent);
                }
            }
        }
    }

    fn v5(credentials: Option<(&str, &str)>, target: Target<'_>) -> Handshake {
        Handshake::version5(credentials, target, 443).unwrap()
    }

    fn v4(user: &str, target: Target<'_>) -> Handshake {
        Handshake::version4(user, target, 443).unwrap()
    }

    #[test]
    fn version_4_sends_an_address_and_a_user_id() {
        let sent = play(v4("user", ADDRESS), &[0, 90, 1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(sent, [b"\x04\x01\x01\xbb\xc0\x00\x02\x07user\x00"]);
    }

    #[test]
    fn version_4a_sends_a_name_behind_an_impossible_address() {
        let sent = play(v4("", NAMED), &[0, 90, 0, 0, 0, 0, 0, 0]).unwrap();
        assert_eq!(sent, [b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00as.example\x00"]);
    }

    #[test]
    fn version_4_says_why_it_is_refused() {
        for (code, says) in [
            (91, "it refused to connect to the server, or failed to"),
            (92, "cannot ask this machine who we are (identd)"),
            (93, "gives it another user name"),
            (94, "(SOCKS4 code 94)"),
            (0, "(SOCKS4 code 0)"),
        ] {
            let why = play(v4("", ADDRESS), &[0, code, 0, 0, 0, 0, 0, 0]).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
        let why = play(v4("", ADDRESS), b"HTTP/1.1").unwrap_err();
        assert_eq!(why, "it does not speak SOCKS4; check its kind and its port");
    }

    #[test]
    fn version_4_knows_no_ipv6_and_no_zero_byte() {
        let why = |target, user| Handshake::version4(user, target, 1).err().unwrap().to_string();
        assert_eq!(why(ADDRESS6, ""), "SOCKS4 reaches no IPv6 address; use SOCKS5");
        assert_eq!(why(ADDRESS, "a\0b"), "a SOCKS4 user name has no zero byte");
    }

    /// RFC 1928 sections 3 and 4.
    #[test]
    fn version_5_without_authentication() {
        for (target, request) in [
            (NAMED, &b"\x05\x01\x00\x03\x0aas.example\x01\xbb"[..]),
            (ADDRESS, b"\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb"),
            (ADDRESS6, b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb"),
        ] {
            let sent = play(v5(None, target), b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00").unwrap();
            assert_eq!(sent, [&b"\x05\x01\x00"[..], request]);
        }
    }

    /// RFC 1929 section 2; a server that wants to know nothing is told nothing.
    #[test]
    fn version_5_with_a_password() {
        let reply = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
        let server = [&b"\x05\x02\x01\x00"[..], reply].concat();
        let sent = play(v5(Some(("user", "pass")), NAMED), &server).unwrap();
        assert_eq!(sent[..2], [&b"\x05\x02\x00\x02"[..], b"\x01\x04user\x04pass"]);
        assert_eq!(sent.len(), 3);
        let server = [&b"\x05\x00"[..], reply].concat();
        let sent = play(v5(Some(("user", "pass")), NAMED), &server).unwrap();
        assert_eq!((sent.len(), &sent[0][..]), (2, &b"\x05\x02\x00\x02"[..]));
    }

    #[test]
    fn version_5_reads_each_kind_of_reply_to_its_end() {
        for bound in [
            [&[1][..], &[0; 6]].concat(),
            [&[4][..], &[0; 18]].concat(),
            [&[3, 2][..], b"ab\0\0"].concat(),
            vec![3, 0, 0, 0],
        ] {
            let server = [&[5, 0, 5, 0, 0][..], &bound].concat();
            play(v5(None, NAMED), &server).unwrap();
        }
    }

    #[test]
    fn version_5_says_why_it_is_refused() {
        for (server, says) in [
            (&b"\x05\xff"[..], "give it a user name and a password"),
            (b"\x05\x02", "it chose the authentication method 2, which was not offered"),
            (b"\x05\x01", "method 1, which was not offered"),
            (b"HT", "it does not speak SOCKS5; check its kind and its port"),
            (b"\x05\x00\x04\x00\x00\x01", "it does not speak SOCKS5"),
            (b"\x05\x00\x05\x00\x00\x02", "an address of an unknown kind"),
            (b"\x05\x00\x05\x01\x00\x01", "it failed"),
            (b"\x05\x00\x05\x02\x00\x01", "its rules do not allow the connection"),
            (b"\x05\x00\x05\x03\x00\x01", "it cannot reach the server's network"),
            (b"\x05\x00\x05\x04\x00\x01", "it cannot reach the server"),
            (b"\x05\x00\x05\x05\x00\x01", "the server refused its connection"),
            (b"\x05\x00\x05\x06\x00\x01", "TTL expired"),
            (b"\x05\x00\x05\x07\x00\x01", "it does not support connections to servers"),
            (b"\x05\x00\x05\x08\x00\x01", "it does not support this kind of address"),
            (b"\x05\x00\x05\x09\x00\x01", "(SOCKS5 code 9)"),
        ] {
            let why = play(v5(None, NAMED), server).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
        for (server, says) in [
            (&b"\x05\xff"[..], "neither a user name and a password nor no authentication"),
            (b"\x05\x02\x01\x01", "it does not accept the user name and the password"),
            (b"\x05\x02\x05\x00", "not that of RFC 1929"),
        ] {
            let why = play(v5(Some(("user", "secret")), NAMED), server).unwrap_err();
            assert!(why.contains(says) && !why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn version_5_takes_what_fits_in_a_byte() {
        let long = "x".repeat(256);
        let why =
            |credentials, target| Handshake::version5(credentials, target, 1).err().unwrap().to_string();
        assert!(why(None, Target::Name(&long)).contains("255 bytes"));
        for credentials in [(&*long, ""), ("user", &*long), ("", "pass")] {
            assert!(why(Some(credentials), NAMED).contains("1 to 255 bytes"));
        }
    }
}
