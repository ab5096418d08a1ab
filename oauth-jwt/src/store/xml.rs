//! Keys in XML as .NET writes them: the `RSAKeyValue` of XML Signature (section 4.5.2.2), with private numbers beside.

use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use super::numbers::Rsa;
use crate::error::KeyError;
use crate::jwk::PublicKey;
use crate::pem;
use quick_xml::Reader;
use quick_xml::events::Event;
use zeroize::Zeroizing;

/// The numbers of a key, in the order of [`Rsa`]. DP and DQ are made anew from the others.
const NAMES: [&str; 6] = ["Modulus", "Exponent", "D", "P", "Q", "InverseQ"];

type Numbers = [Option<Zeroizing<Vec<u8>>>; NAMES.len()];

pub(super) fn read(kind: StoreKind, contents: &[u8]) -> Result<Vec<Entry>, StoreError> {
    let malformed = |why| StoreError::Malformed { kind, why };
    let text = str::from_utf8(contents).map_err(|_| malformed("it is not UTF-8"))?;
    match numbers(text).map_err(malformed)? {
        Found::Nothing => Err(malformed("there is no RSAKeyValue in it")),
        Found::Other => {
            Err(StoreError::Key(KeyError::Unsupported { found: "in XML, and of another kind than RSA" }))
        }
        Found::Rsa([Some(n), Some(e), Some(d), Some(p), Some(q), Some(q_inverse)]) => {
            let key = Rsa { n: &n, e: &e, d: &d, p: &p, q: &q, q_inverse: &q_inverse }.key();
            Ok(vec![Entry::private(kind, key)])
        }
        Found::Rsa([Some(n), Some(e), None, ..]) => {
            Ok(vec![Entry::public(kind, PublicKey::from_rsa(&n, &e).ok())])
        }
        Found::Rsa(_) => Err(malformed("a number of the key is missing")),
    }
}

enum Found {
    Nothing,
    Rsa(Numbers),
    /// A key of DSA or EC, which .NET does not write itself.
    Other,
}

/// No entity is looked up and no document type is read: there is neither in a key.
fn numbers(text: &str) -> Result<Found, &'static str> {
    let mut reader = Reader::from_str(text);
    let mut found = Found::Nothing;
    let (mut at, mut depth) = (None, 0_u32);
    loop {
        let event = reader.read_event().map_err(|_| "it is no XML")?;
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Eof if depth > 0 => return Err("it was cut short"),
            _ => {}
        }
        match event {
            Event::Start(element) => match element.local_name().as_ref() {
                "RSAKeyValue" if matches!(found, Found::Nothing) => found = Found::Rsa(Numbers::default()),
                "RSAKeyValue" => return Err("there is more than one key in it"),
                "DSAKeyValue" | "ECKeyValue" => found = Found::Other,
                name => at = NAMES.iter().position(|known| *known == name),
            },
            Event::Text(text) => {
                let (Some(at), Found::Rsa(numbers)) = (at, &mut found) else { continue };
                let number = pem::decode(text.as_bytes()).map_err(|_| "the Base64 of a number is broken")?;
                if numbers[at].replace(number).is_some() {
                    return Err("a number is in it twice");
                }
            }
            Event::End(_) => at = None,
            Event::DocType(_) | Event::GeneralRef(_) => return Err("there is more than a key in it"),
            Event::Eof => return Ok(found),
            Event::Empty(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}
