//! What opens a home: its key provider as the home remembers it, asked anew each time, because it may have been changed
//! meanwhile.

use std::sync::Arc;

use broker::Broker;
use memory::Secret;
use model::{Code, Refusal};
use secrets::{Facts, KeyChoice, KeyProvider, Keyring, Setup, provider_of};
use store::Storage;

use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::print::{Printer, problem};
use crate::{place, typed, wire};

/// Where the facts of the key provider are, and what asking it takes.
#[derive(Clone)]
pub(crate) struct KeySource {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) setup: Setup,
}

impl KeySource {
    /// That of a home, to look at it.
    pub(crate) fn of(home: &Home) -> Outcome<Self> {
        Self::over(home, place::reading(home)?)
    }

    /// That of a home that no broker has open, to change it. Whoever calls this has the lock of the home.
    pub(crate) fn to_change(home: &Home) -> Outcome<Self> {
        Self::over(home, place::writing(home)?)
    }

    fn over(home: &Home, storage: Arc<dyn Storage>) -> Outcome<Self> {
        let facts = secrets::provider_facts(&*storage)?;
        Ok(Self { setup: wire::setup(home, Some(&facts))?, storage })
    }

    /// What the home remembers now.
    pub(crate) fn facts(&self) -> Result<Facts, secrets::Error> {
        secrets::provider_facts(&*self.storage)
    }

    /// The provider, where nobody has to type anything for it.
    pub(crate) fn unattended(&self) -> Result<Option<Box<dyn KeyProvider>>, secrets::Error> {
        let facts = self.facts()?;
        if facts.asks().is_some() { Ok(None) } else { provider_of(&facts, &self.setup, None).map(Some) }
    }

    /// The provider; somebody is asked where it needs that.
    pub(crate) fn attended(&self) -> Outcome<Box<dyn KeyProvider>> {
        let facts = self.facts()?;
        let typed = facts.asks().map(typed::line).transpose()?;
        Ok(provider_of(&facts, &self.setup, typed)?)
    }

    /// The unlocked keys; somebody is asked where it needs that.
    pub(crate) fn keyring(&self) -> Outcome<Keyring> {
        Ok(secrets::unseal(&*self.storage, &*self.attended()?)?)
    }

    /// Gives a broker its keys, with what somebody typed for it. Blocks.
    pub(crate) fn unseal(&self, broker: &Broker, typed: Option<Secret>) -> Result<(), Refusal> {
        let refused = |error: secrets::Error| {
            let refusal = Refusal::new(error.code(), error.to_string());
            match error.hint() {
                Some(hint) => refusal.hint(hint),
                None => refusal,
            }
        };
        let facts = self.facts().map_err(refused)?;
        // What nobody asked for is not looked at.
        let typed = typed.filter(|_| facts.asks().is_some());
        broker.unseal(&*provider_of(&facts, &self.setup, typed).map_err(refused)?)
    }

    /// Unlocks a broker that starts: at once where nobody has to type anything, else with what somebody types or pipes. It
    /// starts sealed where nobody does, and where a service that has the key can't be asked now.
    pub(crate) fn unlock(&self, broker: &Broker) -> Outcome {
        let facts = self.facts()?;
        let typed = match facts.asks() {
            None => None,
            Some(prompt) => match typed::line_if_any(prompt)? {
                Some(typed) => Some(typed),
                None => return Ok(()),
            },
        };
        match self.unseal(broker, typed) {
            Ok(()) => Ok(()),
            // A service may answer again later; a file or a passphrase that is wrong stays wrong.
            Err(refusal) if facts.home().is_some() && refusal.code == Code::Sealed => {
                Printer::say(&problem::text(&Failure::from(refusal)));
                Printer::say("It starts sealed: every call is refused until `doorward unseal`.");
                Ok(())
            }
            Err(refusal) => Err(refusal.into()),
        }
    }
}

/// What somebody chose.
pub(crate) fn understood(choice: &str) -> Outcome<KeyChoice> {
    KeyChoice::parse(choice).map_err(|error| unclear(&error))
}

fn unclear(error: &secrets::WrongChoice) -> Failure {
    Failure::usage(error.to_string()).hint("`doorward key-provider list` shows all")
}

/// The provider that somebody chose, with what they have to type for it.
pub(crate) fn chosen(home: &Home, choice: &str) -> Outcome<Box<dyn KeyProvider>> {
    let choice = understood(choice)?;
    let typed = match choice.asks() {
        Some("Passphrase") => Some(typed::new_passphrase()?),
        Some(prompt) => Some(typed::line(prompt)?),
        None => None,
    };
    choice.provider(&wire::setup(home, None)?, typed).map_err(|error| unclear(&error))
}
