//! Tokens that speak PKCS#11: their private keys stay in them, and sign there.
//!
//! A module is a library that this process loads: a program names it, never a file that is read.

use super::assemble::{Key, Named, Parts};
use super::certificate::{self, Certificate};
use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use crate::engine::digest;
use crate::error::KeyError;
use crate::jwk::PublicKey;
use crate::signing_key::SigningKey;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use oauth_core::{Algorithm, Password};
use pkcs8::ObjectIdentifier;
use pkcs8::der::Decode as _;
use pkcs8::der::asn1::OctetStringRef;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use url::form_urlencoded;

/// Modules that were loaded. They stay: to finish with one would end the sessions of all others who use it.
static MODULES: Mutex<Vec<(PathBuf, Pkcs11)>> = Mutex::new(Vec::new());

pub(super) fn open(
    kind: StoreKind,
    locator: &[u8],
    password: Option<&Password>,
) -> Result<Vec<Entry>, StoreError> {
    let locator = Locator::read(locator).ok_or(StoreError::Unrecognized {
        why: "it is neither the path of a PKCS#11 module nor a pkcs11: URI with its module-path, token and object",
    })?;
    let (session, mechanisms) = session(&locator, password)?;
    let parts = parts(&locator, &Arc::new(Mutex::new(session)), &mechanisms.into()).map_err(refused)?;
    parts.entries(kind)
}

/// The path of a module, or a URI of RFC 7512.
#[derive(Debug, PartialEq, Eq)]
struct Locator {
    module: PathBuf,
    token: Option<String>,
    object: Option<String>,
}

impl Locator {
    fn read(locator: &[u8]) -> Option<Self> {
        let text = str::from_utf8(locator).ok()?;
        let Some(uri) = text.strip_prefix("pkcs11:") else {
            let is_path = !text.is_empty() && !text.contains(char::is_control);
            return is_path.then(|| Self { module: text.into(), token: None, object: None });
        };
        let (path, query) = uri.split_once('?')?;
        let (mut module, mut token, mut object) = (None, None, None);
        for attribute in path.split(';').chain(query.split('&')).filter(|attribute| !attribute.is_empty()) {
            // A plus sign is itself there (RFC 7512 section 2.3).
            let attribute = attribute.replace('+', "%2B");
            let (name, value) = form_urlencoded::parse(attribute.as_bytes()).next()?;
            let value = Some(value.into_owned());
            let before = match &*name {
                "module-path" => module.replace(value?),
                "token" => token.replace(value?),
                "object" => object.replace(value?),
                "type" => continue,
                // What narrows the choice is not passed over; and a PIN has no place in a URI.
                _ => return None,
            };
            if before.is_some() {
                return None;
            }
        }
        Some(Self { module: module?.into(), token, object })
    }
}

/// A module that is ready, loaded once.
fn module(path: &Path) -> Result<Pkcs11, StoreError> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, module)) = modules.iter().find(|(known, _)| known == path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path).map_err(refused)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // By another part of the program.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(refused(error)),
    }
    modules.push((path.to_owned(), module.clone()));
    Ok(module)
}

/// A session that may sign, and the mechanisms of its token.
fn session(
    locator: &Locator,
    password: Option<&Password>,
) -> Result<(Session, Vec<MechanismType>), StoreError> {
    let module = module(&locator.module)?;
    let is_meant = |slot: &Slot| {
        let token = module.get_token_info(*slot);
        token.is_ok_and(|token| {
            token.token_initialized() && locator.token.as_ref().is_none_or(|label| label == token.label())
        })
    };
    let slots = module.get_slots_with_token().map_err(refused)?;
    let mut slots = slots.into_iter().filter(is_meant);
    // A PIN tried at the wrong token counts against it, until it locks itself.
    let slot = match (slots.next(), slots.next()) {
        (Some(slot), None) => slot,
        (None, _) => return Err(StoreError::Token { cause: "there is no such token".into() }),
        (Some(_), Some(_)) => {
            return Err(StoreError::Token {
                cause: "there are several tokens, so name one: pkcs11:token=…".into(),
            });
        }
    };
    let session = module.open_ro_session(slot).map_err(refused)?;
    match password {
        Some(pin) => match session.login(UserType::User, Some(&AuthPin::from(pin.expose()))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid, _)) => {
                return Err(StoreError::Password);
            }
            Err(error) => return Err(refused(error)),
        },
        None if module.get_token_info(slot).map_err(refused)?.login_required() => {
            return Err(StoreError::PasswordMissing);
        }
        None => {}
    }
    let mechanisms = module.get_mechanism_list(slot).map_err(refused)?;
    Ok((session, mechanisms))
}

fn refused(error: Error) -> StoreError {
    StoreError::Token { cause: error.into() }
}

fn parts(
    locator: &Locator,
    shared: &Arc<Mutex<Session>>,
    mechanisms: &Arc<[MechanismType]>,
) -> Result<Parts, Error> {
    let session = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let find = |class| {
        let label = locator.object.as_ref().map(|label| Attribute::Label(label.clone().into_bytes()));
        let template: Vec<_> = std::iter::once(Attribute::Class(class)).chain(label).collect();
        session.find_objects(&template)
    };
    let mut parts = Parts::default();
    for object in find(ObjectClass::CERTIFICATE)? {
        let Object { label, id, value, .. } = Object::read(&session, object)?;
        // One that cannot be read does not hide the others.
        if let Some(certificate) = value.and_then(|der| Certificate::read(&der)) {
            parts.certificates.push(Named { label, id, certificate });
        }
    }
    for handle in find(ObjectClass::PRIVATE_KEY)? {
        let Object { label, id, mut public, .. } = Object::read(&session, handle)?;
        if let (None, Some(id)) = (&public, &id) {
            // Of a key on a curve, another object has the public half, or the certificate.
            let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Id(id.clone())];
            for other in session.find_objects(&template)? {
                public = public.or(Object::read(&session, other)?.public);
            }
            let certificate = parts.certificates.iter().find(|named| named.id.as_ref() == Some(id));
            public = public.or_else(|| certificate?.certificate.public_key.clone());
        }
        let key = public
            .and_then(|public| {
                let (session, mechanisms) = (Arc::clone(shared), Arc::clone(mechanisms));
                SigningKey::from_token(TokenKey { session, mechanisms, handle, public })
            })
            .ok_or(KeyError::Unsupported { found: "on a token, and of no kind that signs" });
        parts.keys.push(Key { label, id, key });
    }
    Ok(parts)
}

/// What a token says of one of its objects.
#[derive(Default)]
struct Object {
    label: Option<String>,
    id: Option<Vec<u8>>,
    /// The DER of a certificate.
    value: Option<Vec<u8>>,
    public: Option<PublicKey>,
}

impl Object {
    fn read(session: &Session, handle: ObjectHandle) -> Result<Self, Error> {
        const ASKED: [AttributeType; 7] = [
            AttributeType::Label,
            AttributeType::Id,
            AttributeType::Value,
            AttributeType::Modulus,
            AttributeType::PublicExponent,
            AttributeType::EcParams,
            AttributeType::EcPoint,
        ];
        let (mut object, mut rsa, mut ec) = (Self::default(), (None, None), (None, None));
        // What an object has not, or does not tell, is left out of the answer.
        for attribute in session.get_attributes(handle, &ASKED)? {
            match attribute {
                Attribute::Label(label) => object.label = Some(String::from_utf8_lossy(&label).into_owned()),
                Attribute::Id(id) => object.id = Some(id).filter(|id| !id.is_empty()),
                Attribute::Value(value) => object.value = Some(value),
                Attribute::Modulus(n) => rsa.0 = Some(n),
                Attribute::PublicExponent(e) => rsa.1 = Some(e),
                Attribute::EcParams(curve) => ec.0 = ObjectIdentifier::from_der(&curve).ok(),
                Attribute::EcPoint(point) => ec.1 = Some(point),
                _ => {}
            }
        }
        object.public = match (rsa, ec) {
            ((Some(n), Some(e)), _) => PublicKey::from_rsa(&n, &e).ok(),
            (_, (Some(curve), Some(point))) => <&OctetStringRef>::from_der(&point)
                .ok()
                .and_then(|point| certificate::ec_public_key(curve, point.as_bytes())),
            _ => None,
        };
        Ok(object)
    }
}

/// A private key in a token. Its signatures are made one at a time.
pub(crate) struct TokenKey {
    session: Arc<Mutex<Session>>,
    mechanisms: Arc<[MechanismType]>,
    handle: ObjectHandle,
    public: PublicKey,
}

impl TokenKey {
    pub(crate) const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The algorithm that it signs with, unless it is told another.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        let known = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384];
        known.into_iter().find(|one| self.can(one))
    }

    /// Whether the token has the mechanism for it, and the key is of its kind.
    pub(crate) fn can(&self, algorithm: &Algorithm) -> bool {
        let has = |(mechanism, _): (Mechanism<'_>, _)| self.mechanisms.contains(&mechanism.mechanism_type());
        mechanism(algorithm).is_some_and(has) && self.public.fits(algorithm)
    }

    /// The signature as JWS spells it.
    pub(crate) fn sign(&self, algorithm: &Algorithm, input: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (mechanism, hash) = mechanism(algorithm).ok_or_else(|| refused(Error::NotSupported))?;
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        // More tokens know the bare ECDSA than one with a hash; its two numbers stand side by side, as in JWS.
        let hashed = hash.map(|hash| digest::digest(hash, input));
        session.sign(&mechanism, self.handle, hashed.as_ref().map_or(input, AsRef::as_ref)).map_err(refused)
    }
}

/// How PKCS#11 names an algorithm, and the hash that is made here.
fn mechanism(algorithm: &Algorithm) -> Option<(Mechanism<'static>, Option<&'static digest::Algorithm>)> {
    let pss = |hash_alg, mgf, length: u64| PkcsPssParams { hash_alg, mgf, s_len: length.into() };
    let known = [
        (Algorithm::RS256, Mechanism::Sha256RsaPkcs, None),
        (Algorithm::RS384, Mechanism::Sha384RsaPkcs, None),
        (Algorithm::RS512, Mechanism::Sha512RsaPkcs, None),
        (
            Algorithm::PS256,
            Mechanism::Sha256RsaPkcsPss(pss(MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32)),
            None,
        ),
        (
            Algorithm::PS384,
            Mechanism::Sha384RsaPkcsPss(pss(MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, 48)),
            None,
        ),
        (
            Algorithm::PS512,
            Mechanism::Sha512RsaPkcsPss(pss(MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64)),
            None,
        ),
        (Algorithm::ES256, Mechanism::Ecdsa, Some(&digest::SHA256)),
        (Algorithm::ES384, Mechanism::Ecdsa, Some(&digest::SHA384)),
    ];
    known.into_iter().find(|(name, ..)| name == algorithm).map(|(_, mechanism, hash)| (mechanism, hash))
}

#[cfg(test)]
mod tests {
    use super::Locator;

    /// RFC 7512 section 2.3.
    #[test]
    fn a_locator_is_a_path_or_a_uri() {
        let read = |text: &str| {
            Locator::read(text.as_bytes()).map(|found| (found.module, found.token, found.object))
        };
        let whole = ("/usr/lib/x+y.so".into(), Some("My token".to_owned()), Some("a;b".to_owned()));
        assert_eq!(read("/usr/lib/x.so"), Some(("/usr/lib/x.so".into(), None, None)));
        let uri = "pkcs11:token=My%20token;object=a%3Bb;type=private?module-path=/usr/lib/x+y.so";
        assert_eq!(read(uri), Some(whole));
        for wrong in [
            "",
            "pkcs11:token=a",
            "pkcs11:token=a;token=b?module-path=/m",
            "pkcs11:serial=1?module-path=/m",
            "pkcs11:?module-path=/m&pin-value=1",
            "a\0b",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
