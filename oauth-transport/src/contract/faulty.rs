//! A socket that fails at a byte of one's choice.

use super::connections::Signal;
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Long enough for whoever reads to come and look.
const PAUSE: Duration = Duration::from_micros(300);

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is reset.
    Reset,
    /// It is closed for writing; what comes is still read.
    Fin,
    /// Nothing moves any more.
    Stall,
    /// One byte goes by itself.
    OneByte,
    /// Each byte goes by itself, from here on.
    EachByte,
}

impl Fault {
    /// Whether all bytes get through in the end.
    pub(super) const fn is_harmless(self) -> bool {
        matches!(self, Self::OneByte | Self::EachByte)
    }
}

/// Which bytes are counted: those that the server reads, or those that it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// What is to happen, and when: before this byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) side: Side,
    pub(super) offset: usize,
    pub(super) fault: Fault,
}

/// What went over the socket.
#[derive(Default)]
pub(super) struct Wire {
    read: AtomicUsize,
    written: AtomicUsize,
    /// What had been written when something was read after that: a TLS server's first flight.
    flight: AtomicUsize,
    drained: AtomicUsize,
    struck: AtomicBool,
    disarmed: AtomicBool,
    /// Ends a stall.
    pub(super) release: Signal,
}

impl Wire {
    pub(super) fn read(&self) -> usize {
        self.read.load(Ordering::SeqCst)
    }

    pub(super) fn written(&self) -> usize {
        self.written.load(Ordering::SeqCst)
    }

    pub(super) fn flight(&self) -> usize {
        self.flight.load(Ordering::SeqCst)
    }

    /// How many bytes came after the fault.
    pub(super) fn drained(&self) -> usize {
        self.drained.load(Ordering::SeqCst)
    }

    /// Whether the fault has happened.
    pub(super) fn is_struck(&self) -> bool {
        self.struck.load(Ordering::SeqCst)
    }

    pub(super) fn is_disarmed(&self) -> bool {
        self.disarmed.load(Ordering::SeqCst)
    }

    /// Nothing happens any more that has not happened yet.
    pub(super) fn disarm(&self) {
        self.disarmed.store(true, Ordering::SeqCst);
    }
}

/// The socket. Without a plan it counts and does no harm.
pub(super) struct Faulty {
    socket: TcpStream,
    plan: Option<Plan>,
    wire: Arc<Wire>,
}

impl Faulty {
    pub(super) const fn new(socket: TcpStream, plan: Option<Plan>, wire: Arc<Wire>) -> Self {
        Self { socket, plan, wire }
    }

    /// How many of so many bytes may move now.
    fn room(&self, side: Side, moved: usize, wanted: usize) -> io::Result<usize> {
        let Some(plan) = self.plan else { return Ok(wanted) };
        if self.wire.is_struck() && !plan.fault.is_harmless() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if plan.side != side || moved > plan.offset && plan.fault != Fault::EachByte {
            return Ok(wanted);
        }
        if moved < plan.offset {
            return Ok(wanted.min(plan.offset - moved));
        }
        if self.wire.is_disarmed() {
            return Ok(wanted);
        }
        self.wire.struck.store(true, Ordering::SeqCst);
        self.strike(plan.fault)?;
        Ok(wanted.min(1))
    }

    fn strike(&self, fault: Fault) -> io::Result<()> {
        match fault {
            // Takes effect when the socket is dropped, which the error leads to.
            Fault::Reset => SockRef::from(&self.socket).set_linger(Some(Duration::ZERO))?,
            Fault::Fin => {
                self.socket.shutdown(Shutdown::Write)?;
                let mut rest = [0; 4096];
                while let Ok(count @ 1..) = (&self.socket).read(&mut rest) {
                    self.wire.drained.fetch_add(count, Ordering::SeqCst);
                }
            }
            Fault::Stall => self.wire.release.wait_on_this_thread(),
            Fault::OneByte | Fault::EachByte => {
                thread::sleep(PAUSE);
                return Ok(());
            }
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// The byte that goes by itself has gone.
    fn pause(&self, side: Side, moved: usize) {
        if let Some(Plan { side: planned, offset, fault: Fault::OneByte }) = self.plan
            && (planned, offset) == (side, moved)
        {
            thread::sleep(PAUSE);
        }
    }
}

impl Read for Faulty {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let moved = self.wire.read();
        let room = self.room(Side::Request, moved, buffer.len())?;
        let count = self.socket.read(&mut buffer[..room])?;
        if self.wire.written() > 0 && self.wire.flight() == 0 {
            self.wire.flight.store(self.wire.written(), Ordering::SeqCst);
        }
        self.wire.read.fetch_add(count, Ordering::SeqCst);
        self.pause(Side::Request, moved);
        Ok(count)
    }
}

impl Write for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let moved = self.wire.written();
        let room = self.room(Side::Response, moved, bytes.len())?;
        let count = self.socket.write(&bytes[..room])?;
        self.wire.written.fetch_add(count, Ordering::SeqCst);
        self.pause(Side::Response, moved);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
