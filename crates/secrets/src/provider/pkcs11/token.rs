//! One conversation with a token: log in, find the key, seal or open, log out. In one thread of its own, because libraries
//! wait for devices and for networks without a limit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use memory::Secret;
use zeroize::Zeroizing;

use super::super::facts::TokenKey;
use super::super::private;
use crate::source::Trouble;

/// A question to a token.
pub(super) struct Asked {
    module: PathBuf,
    key: TokenKey,
    pin: Secret,
}

/// What it is to do.
enum Work {
    Seal(Zeroizing<Vec<u8>>),
    Open(Vec<u8>),
}

impl Asked {
    /// Sees that the library is one that we may load.
    pub(super) fn new(module: &Path, key: &TokenKey, pin: Secret) -> Result<Self, Trouble> {
        private::code(module)?;
        Ok(Self { module: module.to_owned(), key: key.clone(), pin })
    }

    /// Nonce and ciphertext.
    pub(super) fn seal(self, plain: &[u8], bound: String) -> Result<Vec<u8>, Trouble> {
        let work = Work::Seal(Zeroizing::new(plain.to_vec()));
        self.on_a_thread(work, bound).map(|mut sealed| std::mem::take(&mut *sealed))
    }

    /// The plaintext of nonce and ciphertext.
    pub(super) fn open(self, sealed: &[u8], bound: String) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        self.on_a_thread(Work::Open(sealed.to_vec()), bound)
    }

    fn on_a_thread(self, work: Work, bound: String) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let (send, receive) = mpsc::channel();
        // Not waited for when it takes too long: nothing can end a library that hangs.
        std::thread::Builder::new()
            .name("pkcs11".to_owned())
            .spawn(move || send.send(self.done(&work, &bound)))
            .map_err(|source| Trouble::System { what: "start a thread", source })?;
        receive.recv_timeout(WITHIN).unwrap_or_else(|_| Err(Trouble::late(TOKEN)))
    }

    fn done(&self, work: &Work, bound: &str) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        // A login holds for the whole process, so one conversation is over before the next one begins.
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        let library = loaded(&mut modules, &self.module)?;
        let slot = self.slot(library)?;
        let session = library.open_ro_session(slot).map_err(|error| trouble(&error))?;
        self.log_in(&session)?;
        let key = self.key(&session)?;
        let done = match work {
            Work::Seal(plain) => seal(&session, key, plain, bound.as_bytes()),
            Work::Open(sealed) => open(&session, key, sealed, bound.as_bytes()),
        };
        // The last session that closes logs out; another one of this process may have been left open by its library.
        let _ = session.logout();
        done
    }

    /// The one token that was named.
    fn slot(&self, library: &Pkcs11) -> Result<Slot, Trouble> {
        let mut found = None;
        for slot in library.get_slots_with_initialized_token().map_err(|error| trouble(&error))? {
            let token = library.get_token_info(slot).map_err(|error| trouble(&error))?;
            let is =
                |wanted: &Option<String>, known: &str| wanted.as_deref().is_none_or(|text| text == known);
            if !is(&self.key.token, token.label()) || !is(&self.key.serial, token.serial_number()) {
                continue;
            }
            if found.replace(slot).is_some() {
                return Err(Trouble::setting("several tokens are of this name; say its `serial` as well"));
            }
        }
        let slot = found.ok_or_else(|| Trouble::Unreachable {
            at: TOKEN.to_owned(),
            what: format!("is not there ({})", self.key),
        })?;
        let mechanisms = library.get_mechanism_list(slot).map_err(|error| trouble(&error))?;
        if mechanisms.contains(&MechanismType::AES_GCM) {
            return Ok(slot);
        }
        Err(Trouble::setting("the token does not know AES-GCM, and nothing weaker is used"))
    }

    #[expect(clippy::disallowed_methods, reason = "shows the PIN to the token")]
    fn log_in(&self, session: &Session) -> Result<(), Trouble> {
        let pin = self.pin.expose(|bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| Trouble::Wrong("the PIN is no text"))?;
            Ok::<_, Trouble>(cryptoki::types::AuthPin::from(text.to_owned()))
        })?;
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) => Ok(()),
            Err(error) => Err(trouble(&error)),
        }
    }

    /// The one AES key that was named. A key that could be read out would protect nothing.
    fn key(&self, session: &Session) -> Result<ObjectHandle, Trouble> {
        let mut wanted = vec![Attribute::Class(ObjectClass::SECRET_KEY), Attribute::KeyType(KeyType::AES)];
        if let Some(label) = &self.key.object {
            wanted.push(Attribute::Label(label.clone().into_bytes()));
        }
        if let Some(id) = &self.key.id {
            let id = crypto::from_hex(id).map_err(|_| Trouble::Wrong("the id of the key is not in hex"))?;
            wanted.push(Attribute::Id(id));
        }
        let found = session.find_objects(&wanted).map_err(|error| trouble(&error))?;
        let [key] = found.as_slice() else {
            let why =
                if found.is_empty() { "has no such AES key" } else { "has several such keys; say the `id`" };
            return Err(Trouble::setting(format!("{TOKEN} {why} ({})", self.key)));
        };
        let asked = [AttributeType::Extractable, AttributeType::Sensitive];
        let said = session.get_attributes(*key, &asked).map_err(|error| trouble(&error))?;
        let kept = [Attribute::Extractable(false), Attribute::Sensitive(true)];
        if kept.iter().all(|attribute| said.contains(attribute)) {
            return Ok(*key);
        }
        Err(Trouble::setting(
            "the key can be taken out of the token; make one that is sensitive and not extractable",
        ))
    }
}

/// The library, started once in this process.
fn loaded<'a>(modules: &'a mut BTreeMap<PathBuf, Pkcs11>, path: &Path) -> Result<&'a Pkcs11, Trouble> {
    if !modules.contains_key(path) {
        let library = Pkcs11::new(path)
            .map_err(|_| Trouble::setting(format!("`{}` is no PKCS #11 library", path.display())))?;
        match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(trouble(&error)),
        }
        modules.insert(path.to_owned(), library);
    }
    modules.get(path).ok_or(Trouble::Wrong("its library was not kept"))
}

fn seal(
    session: &Session,
    key: ObjectHandle,
    plain: &[u8],
    bound: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let mut nonce = crypto::array::<NONCE>().map_err(|_| Trouble::Wrong("the system has no random bytes"))?;
    let parameters = GcmParams::new(&mut nonce, bound, TAG_BITS.into()).map_err(|error| trouble(&error))?;
    let sealed =
        session.encrypt(&Mechanism::AesGcm(parameters), key, plain).map_err(|error| trouble(&error))?;
    // Read afterwards: some tokens choose the nonce themselves.
    Ok(Zeroizing::new([nonce.as_slice(), &sealed].concat()))
}

fn open(
    session: &Session,
    key: ObjectHandle,
    sealed: &[u8],
    bound: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let short = || Trouble::Wrong("what the token sealed is too short");
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or_else(short)?;
    let mut nonce = *nonce;
    let parameters = GcmParams::new(&mut nonce, bound, TAG_BITS.into()).map_err(|error| trouble(&error))?;
    let opened = session.decrypt(&Mechanism::AesGcm(parameters), key, sealed);
    opened.map(Zeroizing::new).map_err(|error| match error {
        Error::Pkcs11(rv, _) if !is_passing(&rv) => Trouble::Refused {
            at: TOKEN.to_owned(),
            why: "its key does not open it: it is another key, or something was changed".to_owned(),
        },
        error => trouble(&error),
    })
}

/// What a library said, in our words.
fn trouble(error: &Error) -> Trouble {
    let at = TOKEN.to_owned();
    let Error::Pkcs11(rv, function) = error else {
        return Trouble::setting(format!("{TOKEN} can't be used: {error}"));
    };
    let why = match rv {
        rv if is_passing(rv) => {
            return Trouble::Unreachable { at, what: "is not there, or does not answer".to_owned() };
        }
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => "the PIN is another one",
        RvError::PinLocked => "its PIN is locked, because a wrong one was tried too often",
        RvError::PinExpired => "its PIN has expired",
        RvError::UserPinNotInitialized => "it has no PIN yet",
        RvError::KeyFunctionNotPermitted => "the key may not encrypt and decrypt",
        RvError::UserAlreadyLoggedIn => "somebody else of this process is logged in there",
        rv => return Trouble::Refused { at, why: format!("{function} gave {rv:?}") },
    };
    Trouble::Refused { at, why: why.to_owned() }
}

const fn is_passing(rv: &RvError) -> bool {
    matches!(
        rv,
        RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::DeviceError
            | RvError::DeviceRemoved
            | RvError::DeviceMemory
            | RvError::SessionHandleInvalid
            | RvError::SessionClosed
    )
}

/// The libraries that were loaded. None is ever unloaded: others may have handles in it.
static MODULES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());
const TOKEN: &str = "the token";
const NONCE: usize = 12;
const TAG_BITS: u64 = 128;
/// A token behind a network takes its time.
const WITHIN: Duration = Duration::from_secs(20);
