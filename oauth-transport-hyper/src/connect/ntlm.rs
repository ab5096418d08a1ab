//! NTLM towards a proxy (MS-NLMP, in HTTP as MS-NTHT has it): three messages on one connection, which is authenticated by
//! them.
//!
//! In scope: NTLMv2. Out of scope: the versions before it, whose answers give the password away, signing, sealing, the
//! integrity code over the messages, and whoever is signed in to Windows.

use super::showing::{NOT_ACCEPTED, NOT_KNOWN, answer, token};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{HeaderMap, HeaderValue};
use ntlmclient::{Credentials, Flags, Message, NegotiateMessage, OsVersion, TargetInfoType};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroize as _;

const SCHEME: &str = "NTLM";
const NONSENSE: &str = "its NTLM challenge cannot be read";
/// Between 1601, where its time begins, and 1970, in seconds.
const EPOCH: u64 = 11_644_473_600;
/// MS-NLMP section 2.2.1.2: signature, type, target name, flags, the server's challenge. Windows NT ended here.
const FLAGS: usize = 20;
const CHALLENGE: usize = 24;

/// How far a proxy and we are.
pub(crate) struct Ntlm<'a> {
    credentials: Option<(&'a str, &'a str)>,
    message: Step,
}

/// What the next request carries.
enum Step {
    Nothing,
    Negotiate(HeaderValue),
    Authenticate(HeaderValue),
}

impl<'a> Ntlm<'a> {
    pub(crate) const fn new(credentials: Option<(&'a str, &'a str)>) -> Self {
        Self { credentials, message: Step::Nothing }
    }

    pub(crate) const fn message(&self) -> Option<&HeaderValue> {
        match &self.message {
            Step::Nothing => None,
            Step::Negotiate(value) | Step::Authenticate(value) => Some(value),
        }
    }

    pub(crate) fn challenged(&mut self, headers: &HeaderMap) -> Result<(), &'static str> {
        let (user, password) = self.credentials.ok_or(NOT_KNOWN)?;
        let token = token(SCHEME, headers)
            .ok_or("it asks for another authentication than NTLM, and is not answered")?;
        self.message = match self.message {
            Step::Nothing => Step::Negotiate(negotiate()?),
            Step::Negotiate(_) => {
                let token = token.ok_or("it asks for NTLM, and does not go on with it")?;
                let challenge = BASE64_STANDARD.decode(token).map_err(|_| NONSENSE)?;
                Step::Authenticate(authenticate(&challenge, user, password)?)
            }
            Step::Authenticate(_) => return Err(NOT_ACCEPTED),
        };
        Ok(())
    }

    pub(crate) const fn is_bound(&self) -> bool {
        matches!(self.message, Step::Authenticate(_))
    }

    pub(crate) const fn goes_on(&self) -> bool {
        matches!(self.message, Step::Negotiate(_))
    }
}

/// The first message tells nothing of us, this machine's name neither.
fn negotiate() -> Result<HeaderValue, &'static str> {
    let message = Message::Negotiate(NegotiateMessage {
        flags: Flags::NEGOTIATE_UNICODE
            | Flags::REQUEST_TARGET
            | Flags::NEGOTIATE_NTLM
            | Flags::NEGOTIATE_ALWAYS_SIGN
            | Flags::NEGOTIATE_NTLM2_KEY,
        supplied_domain: String::new(),
        supplied_workstation: String::new(),
        os_version: OsVersion::default(),
    });
    let bytes = message.to_bytes().map_err(|_| "the first message of NTLM cannot be written")?;
    Ok(answer(SCHEME, &bytes))
}

/// The third, with the proof that we know the password.
fn authenticate(challenge: &[u8], user: &str, password: &str) -> Result<HeaderValue, &'static str> {
    let challenge = Challenge::read(challenge).ok_or(NONSENSE)?;
    let (domain, user) = user.split_once('\\').unwrap_or(("", user));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = (now.as_secs() + EPOCH) * 10_000_000 + u64::from(now.subsec_nanos() / 100);
    let time = challenge.time.unwrap_or_else(|| i64::try_from(now).unwrap_or_default());
    let mut credentials =
        Credentials { username: user.to_owned(), password: password.to_owned(), domain: domain.to_owned() };
    let mut response = ntlmclient::respond_challenge_ntlm_v2(
        challenge.nonce,
        &challenge.target_information,
        time,
        &credentials,
    );
    credentials.password.zeroize();
    // A key that nothing is signed with has no business on the wire.
    response.session_key.zeroize();
    response.session_key.clear();
    if challenge.time.is_some() {
        // MS-NLMP section 3.1.5.1.2: where the server tells the time there is no answer of the old kind.
        response.lm_response = vec![0; 24];
    }
    let encoding = if challenge.flags.contains(Flags::NEGOTIATE_UNICODE) {
        Flags::NEGOTIATE_UNICODE
    } else {
        Flags::NEGOTIATE_OEM
    };
    let taken = challenge.flags & (Flags::NEGOTIATE_NTLM2_KEY | Flags::NEGOTIATE_ALWAYS_SIGN);
    let message = response.to_message(&credentials, "", encoding | Flags::NEGOTIATE_NTLM | taken);
    let bytes =
        message.to_bytes().map_err(|_| "the user name cannot be written in the way that it asks for")?;
    Ok(answer(SCHEME, &bytes))
}

/// What counts of the second message.
struct Challenge {
    flags: Flags,
    nonce: [u8; 8],
    target_information: Vec<u8>,
    /// What the server takes for the time.
    time: Option<i64>,
}

impl Challenge {
    fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..CHALLENGE + 8)?;
        if !head.starts_with(b"NTLMSSP\0\x02\0\0\0") {
            return None;
        }
        let flags = Flags::from_bits_retain(u32::from_le_bytes(head.get(FLAGS..CHALLENGE)?.try_into().ok()?));
        if !flags.contains(Flags::NEGOTIATE_TARGET_INFO) {
            // The reader takes what Windows 2000 and later say, and no less.
            let nonce = head.get(CHALLENGE..)?.try_into().ok()?;
            return Some(Self { flags, nonce, target_information: Vec::new(), time: None });
        }
        let Ok(Message::Challenge(challenge)) = Message::try_from(bytes) else { return None };
        let time =
            challenge.target_information.iter().find(|one| one.entry_type == TargetInfoType::Timestamp);
        let time = time.and_then(|one| one.data.as_slice().try_into().ok()).map(i64::from_le_bytes);
        let target_information = challenge.target_information.iter().flat_map(|one| one.to_bytes()).collect();
        Some(Self { flags, nonce: challenge.challenge, target_information, time })
    }
}
