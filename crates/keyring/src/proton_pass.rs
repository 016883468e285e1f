//! `proton-pass`: Proton Pass, by its program `pass-cli` (protonpass.github.io/pass-cli, "item command").
//!
//! An entry is a note titled `aws-vault/NAME` in one vault, whose text is the bare bytes where they are text, else base 64
//! behind a mark. The program takes a new value for an existing item as an argument only, where other users of the machine
//! can read it, so an entry is replaced by a new item, after which the old one is deleted.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::item::{bare, with_bytes};
use crate::program::{Call, Program, Ran};
use crate::{Ask, Error, Item, Keyring, Kind, NoAnswer, Question, Settings, name};

/// Notes of a vault.
pub(crate) struct ProtonPass {
    program: Program,
    share: String,
    prefix: String,
    timeout: Duration,
    ask: Arc<dyn Ask>,
}

impl ProtonPass {
    /// Looks for the program. A person who has signed in with it needs no token.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let needs = |what| Error::Setting { kind: KIND, what };
        let own = &settings.proton_pass;
        let share = own.share.clone().filter(|share| is_id(share));
        let share = share.ok_or_else(|| needs("the share id of a vault (`--proton-pass-share-id`)"))?;
        if own.api_base.as_ref().is_some_and(|base| !base.is_empty()) {
            return Err(needs("no address of its service: `pass-cli` knows only Proton's own"));
        }
        if own.timeout.is_zero() {
            return Err(needs("a time limit that is not zero (`--proton-pass-timeout`)"));
        }
        Ok(Self {
            program: Program::find(KIND, own.program.as_deref(), "pass-cli", &settings.programs)?,
            share,
            prefix: format!("{}/", own.title_prefix),
            timeout: own.timeout,
            ask: Arc::clone(&settings.ask),
        })
    }

    fn run(
        &self,
        arguments: &[&str],
        input: Option<&[u8]>,
        what: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let first = self.once(arguments, input, Vec::new())?;
        if first.status.success() || !is_signed_out(&first.complaint) {
            return first.succeeded(KIND, what);
        }
        self.sign_in()?;
        self.once(arguments, input, Vec::new())?.succeeded(KIND, what)
    }

    fn once(
        &self,
        arguments: &[&str],
        input: Option<&[u8]>,
        environment: Vec<(&'static str, OsString)>,
    ) -> Result<Ran, Error> {
        let mut call = Call {
            arguments: arguments.iter().map(OsString::from).collect(),
            environment,
            input,
            within: Some(self.timeout),
            without: &[],
        };
        // A token of the kind for agents has to say why, which goes into its owner's log.
        call.environment.push(("PROTON_PASS_AGENT_REASON", "credentials of AWS for a command".into()));
        self.program.run(&call)
    }

    fn sign_in(&self) -> Result<(), Error> {
        let token = self.ask.ask(&Question::ProtonPassToken).map_err(|source| match source {
            NoAnswer::Nobody => Error::Locked { kind: KIND, why: "nobody is signed in (`pass-cli login`)" },
            source => Error::Ask { kind: KIND, source },
        })?;
        #[expect(clippy::disallowed_methods, reason = "the program reads its token from its environment")]
        let text =
            token.expose(|bytes| std::str::from_utf8(bytes).ok().map(|text| OsString::from(text.trim())));
        let text = text.filter(|text| !text.is_empty() && !text.as_encoded_bytes().contains(&0));
        let text = text.ok_or(Error::Setting { kind: KIND, what: "a token that is text" })?;
        let ran = self.once(&["login"], None, vec![(TOKEN, text)])?;
        if ran.status.success() {
            Ok(())
        } else {
            Err(Error::Locked { kind: KIND, why: "the token was not accepted" })
        }
    }

    /// The notes that are there, with the names of the entries.
    fn list(&self) -> Result<Vec<(String, Listed)>, Error> {
        let share = format!("--share-id={}", self.share);
        let text = self.run(&["item", "list", &share, "--output=json"], None, "list its entries")?;
        let list: List = serde_json::from_slice(&text)
            .map_err(|_| Error::refused(KIND, "list its entries", "the list is not understood"))?;
        let active = list.items.into_iter().filter(|item| item.state != "Trashed");
        Ok(active
            .filter_map(|item| {
                let name = item.title()?.strip_prefix(&self.prefix)?.to_owned();
                Some((name, item))
            })
            .collect())
    }

    /// The ids of the notes of one entry; more than one where a replacement was stopped in the middle.
    fn ids(&self, name: &str) -> Result<Vec<String>, Error> {
        let _valid = name::check(name)?;
        let found = self.list()?.into_iter().filter(|(found, _)| found == name);
        found
            .map(|(_, item)| match is_id(&item.id) {
                true => Ok(item.id),
                false => Err(Error::malformed(KIND, name, "its note has no proper id")),
            })
            .collect()
    }

    fn delete(&self, id: &str) -> Result<(), Error> {
        let (share, id) = (format!("--share-id={}", self.share), format!("--item-id={id}"));
        self.run(&["item", "delete", &share, &id], None, "remove an entry").map(drop)
    }
}

impl Keyring for ProtonPass {
    fn kind(&self) -> Kind {
        KIND
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let mut names: Vec<String> = self.list()?.into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        let ids = self.ids(name)?;
        let id = match ids.as_slice() {
            [] => return Err(Error::missing(KIND, name)),
            [id] => id,
            _ => return Err(Error::malformed(KIND, name, "two notes have its title; store it again")),
        };
        let (share, id) = (format!("--share-id={}", self.share), format!("--item-id={id}"));
        let text = self.run(&["item", "view", &share, &id, "--output=json"], None, "read an entry")?;
        let seen: Seen = serde_json::from_slice(&text)
            .map_err(|_| Error::malformed(KIND, name, "its note is not in the form of Proton Pass"))?;
        let note = Zeroizing::new(seen.item.content.note);
        let bytes = match note.strip_prefix(ENCODED) {
            Some(encoded) => crypto::from_base64(encoded)
                .map_err(|_| Error::malformed(KIND, name, "its note is not base 64"))?,
            None => note.as_bytes().to_vec(),
        };
        bare(name, bytes)
    }

    fn set(&self, item: Item) -> Result<(), Error> {
        let before = self.ids(&item.name)?;
        let note = with_bytes(&item.secret, written);
        let title = format!("{}{}", self.prefix, item.name);
        let template = Template { title: &title, note: &note };
        let mut text = Zeroizing::new(Vec::with_capacity(6 * note.len() + 6 * title.len() + 64));
        serde_json::to_writer(&mut *text, &template)
            .map_err(|_| Error::malformed(KIND, &item.name, "it can't be written as JSON"))?;
        let share = format!("--share-id={}", self.share);
        let arguments = ["item", "create", "note", &share, "--from-template", "-"];
        let _said = self.run(&arguments, Some(&text), "store an entry")?;
        before.iter().try_for_each(|id| self.delete(id))
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let ids = self.ids(name)?;
        if ids.is_empty() {
            return Err(Error::missing(KIND, name));
        }
        ids.iter().try_for_each(|id| self.delete(id))
    }
}

/// The text of a note: the bytes where they are plain text that comes back as it was, else base 64.
fn written(bytes: &[u8]) -> Zeroizing<String> {
    let plain = std::str::from_utf8(bytes).ok().filter(|text| {
        !text.is_empty()
            && !text.starts_with(ENCODED)
            && text.trim() == *text
            && !text.chars().any(|c| c.is_control() && c != '\n')
    });
    Zeroizing::new(match plain {
        Some(text) => text.to_owned(),
        None => format!("{ENCODED}{}", *Zeroizing::new(crypto::to_base64(bytes))),
    })
}

/// Whether the program says that nobody is signed in.
fn is_signed_out(complaint: &str) -> bool {
    let complaint = complaint.to_ascii_lowercase();
    ["authenticated", "logged in", "log in", "session"].iter().any(|word| complaint.contains(word))
}

/// Ids are base 64 for URLs. They may begin with a dash, so they are given as `--option=ID`.
fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=');
    !text.is_empty() && text.len() <= 256 && text.bytes().all(plain)
}

#[derive(Deserialize)]
struct List {
    items: Vec<Listed>,
}

/// A note in a list. Its title is in its content, or beside it where a list has no contents.
#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    content: Option<Titled>,
}

impl Listed {
    fn title(&self) -> Option<&str> {
        self.content.as_ref().map(|content| content.title.as_str()).or(self.title.as_deref())
    }
}

#[derive(Deserialize)]
struct Titled {
    title: String,
}

#[derive(Deserialize)]
struct Seen {
    item: SeenItem,
}

#[derive(Deserialize)]
struct SeenItem {
    content: Noted,
}

#[derive(Deserialize)]
struct Noted {
    note: String,
}

#[derive(Serialize)]
struct Template<'a> {
    title: &'a str,
    note: &'a str,
}

const KIND: Kind = Kind::ProtonPass;
const TOKEN: &str = "PROTON_PASS_PERSONAL_ACCESS_TOKEN";
/// What stands before bytes that are no text.
const ENCODED: &str = "doorward-base64:";
