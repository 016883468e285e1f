//! A keyring that is with the program at the other end: each call is a question, and waits for the answer.
//!
//! What opens a keyring (a bus, a program such as `gpg`, a person who types a passphrase) is where the person is. A broker
//! starts no program of the user's and holds no passphrase of a keyring.

use keyring::{Error, Fault, Item, Keyring, Kind, Trust};
use tokio::sync::{mpsc, oneshot};

use super::letter::{Enclosed, Letter, Malformed};
use super::words::{Deed, Entry, Kept, Said, Staged, Which};
use crate::mint::{Progress, Stage};

/// The way to the program at the other end, for whoever waits on a thread.
#[derive(Clone)]
pub(super) struct Line(pub(super) mpsc::UnboundedSender<Post>);

/// Something to be said to the program.
pub(super) enum Post {
    /// A question, with the bytes of an entry that is to be kept, and who waits for the answer.
    Ask(Which, Deed, Option<Item>, oneshot::Sender<Letter>),
    /// How far a rotation is.
    Stage(Staged),
}

/// A keyring at the other end.
pub(super) struct Distant {
    pub(super) which: Which,
    pub(super) kind: Kind,
    pub(super) line: Line,
}

impl Distant {
    fn ask(&self, deed: Deed, item: Option<Item>) -> Result<(Kept, Letter), Error> {
        let (answer, waiting) = oneshot::channel();
        self.line.0.send(Post::Ask(self.which, deed, item, answer)).map_err(|_| gone())?;
        let letter = waiting.blocking_recv().map_err(|_| gone())?;
        match letter.head().map_err(|error| strange(&error))? {
            Kept::Failed { fault, message, hint } => Err(Error::Elsewhere { fault, message, hint }),
            kept => Ok((kept, letter)),
        }
    }

    fn told(&self, deed: Deed, item: Option<Item>) -> Result<(), Error> {
        match self.ask(deed, item)? {
            (Kept::Done, _) => Ok(()),
            _ => Err(another()),
        }
    }
}

impl Keyring for Distant {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        match self.ask(Deed::Names, None)? {
            (Kept::Names(names), _) => Ok(names),
            _ => Err(another()),
        }
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        match self.ask(Deed::Get { name: name.to_owned() }, None)? {
            // Who may answer for one entry could otherwise pass it for another.
            (Kept::Entry(entry), letter) if entry.name == name => {
                item(entry, letter).map_err(|e| strange(&e))
            }
            _ => Err(another()),
        }
    }

    fn set(&self, item: Item) -> Result<(), Error> {
        self.told(Deed::Set(entry(&item)), Some(item))
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        self.told(Deed::Remove { name: name.to_owned() }, None)
    }
}

/// An entry without its bytes.
pub(super) fn entry(item: &Item) -> Entry {
    Entry {
        name: item.name.clone(),
        label: item.label.clone(),
        description: item.description.clone(),
        trusted: item.trust == Trust::Application,
    }
}

/// An entry with the bytes that are enclosed.
pub(super) fn item(entry: Entry, mut letter: Letter) -> Result<Item, Malformed> {
    let Entry { name, label, description, trusted } = entry;
    let secret = letter.secret()?;
    letter.done()?;
    let trust = if trusted { Trust::Application } else { Trust::Nobody };
    Ok(Item { name, secret, label, description, trust })
}

impl Post {
    /// What is said, and what is enclosed.
    pub(super) fn split(self) -> (Said, Option<Item>, Option<oneshot::Sender<Letter>>) {
        match self {
            Self::Ask(which, deed, item, answer) => (Said::Ask(which, deed), item, Some(answer)),
            Self::Stage(stage) => (Said::Stage(stage), None, None),
        }
    }
}

/// What goes along with an entry.
pub(super) fn enclosed(item: Option<&Item>) -> Option<Enclosed<'_>> {
    item.map(|item| Enclosed::Secret(&item.secret))
}

impl Progress for Line {
    fn say(&self, stage: Stage<'_>) {
        // Whoever hung up is told nothing; the rotation goes on.
        let _ = self.0.send(Post::Stage(match stage {
            Stage::Begun { master, session } => Staged::Begun { master: master.to_owned(), session },
            Stage::Mending(id) => Staged::Mending(id.to_owned()),
            Stage::Left(id) => Staged::Left(id.to_owned()),
            Stage::Creating => Staged::Creating,
            Stage::Created(id) => Staged::Created(id.to_owned()),
            Stage::Forgotten(count, profile) => Staged::Forgotten(count, profile.to_owned()),
            Stage::Deactivated(id) => Staged::Deactivated(id.to_owned()),
            Stage::Deleting(id) => Staged::Deleting(id.to_owned()),
            Stage::Deleted(id) => Staged::Deleted(id.to_owned()),
            Stage::Finished => Staged::Finished,
        }));
    }
}

impl Staged {
    /// The same, borrowed.
    pub(super) fn stage(&self) -> Stage<'_> {
        match self {
            Self::Begun { master, session } => Stage::Begun { master, session: *session },
            Self::Mending(id) => Stage::Mending(id),
            Self::Left(id) => Stage::Left(id),
            Self::Creating => Stage::Creating,
            Self::Created(id) => Stage::Created(id),
            Self::Forgotten(count, profile) => Stage::Forgotten(*count, profile),
            Self::Deactivated(id) => Stage::Deactivated(id),
            Self::Deleting(id) => Stage::Deleting(id),
            Self::Deleted(id) => Stage::Deleted(id),
            Self::Finished => Stage::Finished,
        }
    }
}

fn elsewhere(message: String) -> Error {
    Error::Elsewhere { fault: Fault::Else, message, hint: None }
}

fn gone() -> Error {
    elsewhere("the program that has the keyring went away".to_owned())
}

fn another() -> Error {
    elsewhere("the program that has the keyring answered something else".to_owned())
}

fn strange(error: &Malformed) -> Error {
    elsewhere(format!("the program that has the keyring can't be understood: {error}"))
}
