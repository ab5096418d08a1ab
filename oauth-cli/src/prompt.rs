//! What a person pastes, read from standard input while the login waits for it.

use crate::report::Report;
use crate::terminal::{self, Manner, Silent};
use oauth::loopback::paste::LONGEST;
use std::io::{self, IsTerminal as _, stderr, stdin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// What is pasted comes in pieces, and a wrapped address with line ends in it: so much silence after a line end is its end.
const SILENCE: Duration = Duration::from_millis(300);

/// Pasted texts, one after the other; while it lives the terminal shows nothing of them.
#[derive(Debug)]
pub(crate) struct Prompt {
    texts: mpsc::Receiver<String>,
    _terminal: Option<Silent>,
}

impl Prompt {
    /// On a terminal at which a person sits; none elsewhere.
    pub(crate) fn beside_the_browser(report: &Report) -> Option<Self> {
        if terminal::is_attended() { Self::start(report).ok() } else { None }
    }

    /// On standard input, whatever it is.
    pub(crate) fn start(report: &Report) -> io::Result<Self> {
        let at_a_terminal = stdin().is_terminal() && stderr().is_terminal();
        let silent = at_a_terminal.then(|| Silent::new(Manner::Keys)).transpose()?;
        let (sender, pieces) = mpsc::channel(1);
        // Nobody waits for it: it ends soon after the prompt.
        std::thread::Builder::new().name("oauth-paste".into()).spawn(move || read(&sender))?;
        let (sender, texts) = mpsc::channel(1);
        tokio::spawn(gather(pieces, sender, silent.is_some().then(|| report.clone())));
        Ok(Self { texts, _terminal: silent })
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<String>> {
        self.texts.poll_recv(context)
    }
}

type Piece = Zeroizing<Vec<u8>>;

fn read(sender: &mpsc::Sender<Piece>) {
    let mut buffer = Zeroizing::new([0; 4096]);
    loop {
        match terminal::read(&mut *buffer, || !sender.is_closed()) {
            Ok(0) => return,
            Ok(length) => {
                let piece = Zeroizing::new(buffer.get(..length).unwrap_or_default().to_vec());
                if sender.blocking_send(piece).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Makes texts of pieces: at a terminal what comes at one go, elsewhere line by line.
async fn gather(mut pieces: mpsc::Receiver<Piece>, texts: mpsc::Sender<String>, terminal: Option<Report>) {
    let mut typed = Typed::default();
    loop {
        let piece = if terminal.is_some() && typed.is_line() {
            match tokio::time::timeout(SILENCE, pieces.recv()).await {
                Ok(piece) => piece,
                Err(_) if typed.hand_on(&texts, terminal.as_ref()).await => continue,
                Err(_) => return,
            }
        } else {
            pieces.recv().await
        };
        let Some(piece) = piece else { break };
        for &byte in &*piece {
            match (&terminal, byte) {
                // Ctrl-D ends a text, and without one all of them.
                (Some(_), 0x04) if typed.0.is_empty() => return,
                (Some(_), 0x04) | (None, b'\n') => {
                    if !typed.hand_on(&texts, terminal.as_ref()).await {
                        return;
                    }
                }
                (Some(_), _) => typed.edit(byte),
                (None, _) => typed.push(byte),
            }
        }
        if let Some(report) = &terminal {
            report.typed(typed.0.len());
        }
    }
    if !typed.0.is_empty() {
        // Whether anybody still wants it no longer matters.
        let _wanted = typed.hand_on(&texts, None).await;
    }
}

/// What was typed and not yet used.
#[derive(Default)]
struct Typed(Zeroizing<Vec<u8>>);

impl Typed {
    /// The keys that a terminal would otherwise act on.
    fn edit(&mut self, byte: u8) {
        match byte {
            0x08 | 0x7F => drop(self.0.pop()),
            // Ctrl-U
            0x15 => self.0.clear(),
            _ => self.push(byte),
        }
    }

    /// One more than is read at all: then it is refused as too long, and the rest needs no room. It ends with Enter all the same.
    fn push(&mut self, byte: u8) {
        let ends = matches!(byte, b'\r' | b'\n') && !self.is_line();
        if self.0.len() <= LONGEST || ends {
            self.0.push(byte);
        }
    }

    fn is_line(&self) -> bool {
        self.0.ends_with(b"\n") || self.0.ends_with(b"\r")
    }

    /// Whether somebody still wants it.
    async fn hand_on(&mut self, texts: &mpsc::Sender<String>, terminal: Option<&Report>) -> bool {
        let text = String::from_utf8_lossy(&self.0).into_owned();
        self.0.clear();
        if let Some(report) = terminal {
            report.typed(0);
        }
        texts.send(text).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::captured;

    /// What becomes of pieces that come this long after one another.
    fn gathered(at_a_terminal: bool, pieces: &'static [(u64, &'static [u8])]) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let (sender, receiver) = mpsc::channel(1);
            let (texts, mut read) = mpsc::channel(1);
            tokio::spawn(async move {
                for (pause, piece) in pieces {
                    tokio::time::sleep(Duration::from_millis(*pause)).await;
                    sender.send(Zeroizing::new(piece.to_vec())).await.unwrap();
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            });
            tokio::spawn(gather(receiver, texts, at_a_terminal.then(|| captured().0)));
            let mut all = Vec::new();
            while let Some(text) = read.recv().await {
                all.push(text);
            }
            all
        })
    }

    #[test]
    fn a_wrapped_address_is_one_text_at_a_terminal() {
        // In two pieces, a line end within it, and Enter a second later.
        assert_eq!(
            gathered(true, &[(0, b"http://h/cb?co"), (20, b"\nde=c"), (1000, b"\n")]),
            ["http://h/cb?co\nde=c\n"]
        );
        assert_eq!(gathered(true, &[(0, b"one\n"), (1000, b"two\n")]), ["one\n", "two\n"]);
        assert_eq!(gathered(true, &[(0, b"at the end")]), ["at the end"]);
    }

    #[test]
    fn what_was_typed_can_be_corrected() {
        assert_eq!(gathered(true, &[(0, b"ax\x7fb\n")]), ["ab\n"]);
        assert_eq!(gathered(true, &[(0, b"wrong\x15right\n")]), ["right\n"]);
        assert_eq!(
            gathered(true, &[(0, b"one\n\x04two\x04"), (1000, b"\x04"), (10, b"unread\n")]),
            ["one\n", "two"]
        );
    }

    #[test]
    fn what_is_longer_than_anything_that_is_read_ends_with_enter_too() {
        static PIECES: [(u64, &[u8]); 3] = [(0, &[b'x'; LONGEST + 10]), (5, b"\nmore\n"), (1000, b"next\n")];
        let texts = gathered(true, &PIECES);
        let lengths: Vec<_> = texts.iter().map(String::len).collect();
        assert_eq!(lengths, [LONGEST + 2, 5], "no more is kept");
    }

    #[test]
    fn elsewhere_each_line_is_a_text() {
        assert_eq!(gathered(false, &[(0, b"one\ntw"), (5, b"o\nthree")]), ["one", "two", "three"]);
    }
}
