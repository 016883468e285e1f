//! 1Password by its program `op`: with the token of a service account, or with the desktop application.
//!
//! Items are written through standard input (1Password CLI, "Create items with a JSON template"); the token is in the
//! program's environment, which is the only place where it reads one.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use memory::Secret;
use zeroize::Zeroizing;

use super::{Listed, Shelf};
use crate::program::{Call, Program};
use crate::{Ask, Error, Item, Keyring, Kind, Question, Settings, name};

/// Items of a vault, by the program.
pub(crate) struct Cli {
    shelf: Shelf,
    program: Program,
    timeout: Duration,
    access: Access,
}

enum Access {
    ServiceAccount { ask: Arc<dyn Ask>, token: OnceCell<Secret> },
    Desktop { account: String },
}

impl Cli {
    /// Looks for the program. The token is asked for when it is needed.
    pub(crate) fn open(kind: Kind, settings: &Settings) -> Result<Self, Error> {
        let shelf = Shelf::new(kind, settings)?;
        let access = if kind == Kind::OpDesktop {
            let account = settings.op.account.clone().filter(|account| is_account(account));
            let account = account.ok_or(Error::Setting {
                kind,
                what: "the account that the desktop application signs in to (`--op-desktop-account-id`)",
            })?;
            Access::Desktop { account }
        } else {
            Access::ServiceAccount { ask: Arc::clone(&settings.ask), token: OnceCell::new() }
        };
        let chosen = settings.op.program.as_deref();
        let program = Program::find(kind, chosen, "op", &settings.programs)?;
        Ok(Self { shelf, program, timeout: settings.op.timeout, access })
    }

    fn op(
        &self,
        arguments: &[&str],
        input: Option<&[u8]>,
        what: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut call = Call {
            arguments: ["item"].iter().chain(arguments).map(OsString::from).collect(),
            without: OTHER_ACCESS,
            input,
            within: Some(self.timeout),
            ..Call::default()
        };
        call.arguments.extend(["--vault", &self.shelf.vault, "--format", "json"].map(OsString::from));
        match &self.access {
            Access::Desktop { account } => {
                call.arguments.extend(["--account", account].map(OsString::from));
            }
            Access::ServiceAccount { ask, token } => {
                call.environment.push((TOKEN, self.token(&**ask, token)?));
            }
        }
        let ran = self.program.run(&call)?;
        ran.succeeded(self.shelf.kind, what)
    }

    fn token(&self, ask: &dyn Ask, kept: &OnceCell<Secret>) -> Result<OsString, Error> {
        let kind = self.shelf.kind;
        if kept.get().is_none() {
            let answer = ask.ask(&Question::OpServiceAccountToken);
            let _ = kept.set(answer.map_err(|source| Error::Ask { kind, source })?);
        }
        let token = kept.get().ok_or(Error::Setting { kind, what: "a token" })?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the program reads its token from its environment only"
        )]
        let text =
            token.expose(|bytes| std::str::from_utf8(bytes).ok().map(|text| OsString::from(text.trim())));
        match text {
            Some(text) if !text.is_empty() && !text.as_encoded_bytes().contains(&0) => Ok(text),
            _ => Err(Error::Setting { kind, what: "a token that is text" }),
        }
    }

    fn list(&self) -> Result<Vec<Listed>, Error> {
        let text = self.op(&["list", "--tags", &self.shelf.tag], None, "list its entries")?;
        // Without items some versions say nothing at all.
        if text.trim_ascii().is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_slice(&text)
            .map_err(|_| Error::refused(self.shelf.kind, "list its entries", "the list is not understood"))
    }

    fn id(&self, name: &str) -> Result<String, Error> {
        let _valid = name::check(name)?;
        self.shelf.find(name, self.list()?)?.ok_or_else(|| Error::missing(self.shelf.kind, name))
    }
}

impl Keyring for Cli {
    fn kind(&self) -> Kind {
        self.shelf.kind
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        self.shelf.names(self.list()?)
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        let id = self.id(name)?;
        self.shelf.entry(name, &self.op(&["get", &id], None, "read an entry")?)
    }

    fn set(&self, item: Item) -> Result<(), Error> {
        match self.id(&item.name) {
            Ok(id) => {
                let text = self.shelf.document(&item, Some(&id))?;
                self.op(&["edit", &id], Some(&text), "store an entry").map(drop)
            }
            Err(Error::NotFound { .. }) => {
                let text = self.shelf.document(&item, None)?;
                self.op(&["create", "-"], Some(&text), "store an entry").map(drop)
            }
            Err(error) => Err(error),
        }
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let id = self.id(name)?;
        self.op(&["delete", &id], None, "remove an entry").map(drop)
    }
}

/// An account is an id or a sign-in address.
fn is_account(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'@' | b'+');
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain)
}

const TOKEN: &str = "OP_SERVICE_ACCOUNT_TOKEN";
/// Other ways in, which would come before the one that was chosen.
const OTHER_ACCESS: &[&str] =
    &["OP_CONNECT_HOST", "OP_CONNECT_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN", "OP_ACCOUNT"];
