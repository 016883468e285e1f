//! A peer's files, read whole and laid over the home. On an error everything stays as it was.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authtranslator::{Before, Options, Translated};
use broker::{Broker, Overlay, WrittenList};
use catalog::Catalog;
use policy::lists::{File, Lists, Side};
use serde_json::{Value, json};

use super::meaning::Files;
use super::source::Source;
use crate::args::gateway::Gateway;
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::print::{Printer, WARN, styled};

/// A peer's files.
#[derive(Debug)]
pub(crate) struct Peer {
    files: Files,
    options: Options,
    allow_all: bool,
    fetch: Duration,
    poll: Duration,
    pub(crate) watches: bool,
    /// A digest of what was read last, whatever came of it.
    read: Mutex<Option<crypto::Digest>>,
    /// What the configuration in force was translated to, so that only what changed is read.
    before: Mutex<Before>,
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) config: String,
    pub(crate) integrations: usize,
    /// The lists, by their files.
    pub(crate) rules: Vec<String>,
    /// What is not quite the same, one line each.
    pub(crate) notes: Vec<String>,
    /// What everybody who starts it should know.
    pub(crate) warnings: Vec<String>,
}

impl Peer {
    /// The files that flags name; `None` where they name none.
    pub(crate) fn named(args: &Gateway) -> Outcome<Option<Arc<Self>>> {
        let Some(files) = args.files()? else { return Ok(None) };
        let (fetch, poll) = args.times()?;
        let body = args.max_body_size.filter(|size| *size > 0).and_then(|size| u64::try_from(size).ok());
        let options = Options {
            dangerous_allow_private: args.private(),
            body,
            managed_identity: super::managed_identity(),
            asks_for_certificates: args.tls_client_ca.is_some(),
        };
        let watches = args.watch == Some(true);
        let allow_all = args.allow_all == Some(true);
        let (read, before) = (Mutex::default(), Mutex::default());
        Ok(Some(Arc::new(Self { files, options, allow_all, fetch, poll, watches, read, before })))
    }

    /// Reads everything, and says what it is. Blocks.
    pub(crate) fn overlay(&self, home: &Home, former: Option<&Catalog>) -> Outcome<(Overlay, Told)> {
        let texts = self.texts(&|source| source.text(self.fetch));
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(texts.digest());
        let Texts { config, lists } = texts;
        let config = config?;
        let lists = lists
            .into_iter()
            .map(|(side, name, text)| text.map(|text| WrittenList { side, name, text }))
            .collect::<Outcome<Vec<_>>>()?;
        let name = self.files.config.name();
        let mut keep = |_: &str, value: &str| -> Result<model::SecretRef, String> {
            crate::wire::literal(value).map_err(|failure| failure.to_string())
        };
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let (Translated { integrations }, now) =
            authtranslator::translated((&config, &name), &self.options, &mut keep, &before)
                .map_err(super::wrong)?;
        *before = now;
        drop(before);
        let literal: usize = integrations.iter().map(|one| one.literals).sum();
        let mut told = Told { config: name, integrations: integrations.len(), ..Told::default() };
        for one in &integrations {
            told.notes.extend(one.notes.iter().map(|note| format!("`{}`: {}", one.theirs, note.0)));
        }
        told.hidden(home, &integrations);
        if literal > 0 {
            told.warnings.push(format!(
                "{literal} secrets stand in `{}` in the clear (`dangerousLiteral:`): whoever reads the file has them",
                told.config
            ));
        }
        if self.options.dangerous_allow_private {
            told.warnings
                .push("credentials may go to private addresses (`--dangerous-allow-private`)".to_owned());
        }
        let lists = self.rules(lists, &integrations, &mut told);
        let integrations: Vec<_> = integrations.into_iter().map(|one| one.written).collect();
        // Read here, so that what is wrong is said before anything is made; the broker reads none of it again.
        let former: Vec<&Catalog> = former.into_iter().collect();
        let read = Catalog::layered(None, &integrations, &former).map_err(super::wrong)?;
        let mut read_lists = None;
        if former.is_empty() {
            let folder = home.integrations();
            let whole = Catalog::layered(folder.is_dir().then_some(&*folder), &integrations, &[&read])?;
            read_lists = Some(Arc::new(self::read_lists(&whole, &lists)?));
        }
        Ok((Overlay { integrations, read: Some(read), read_lists, lists: Some(lists) }, told))
    }

    /// The lists that count, and what whoever starts it should know of them.
    fn rules(
        &self,
        mut lists: Vec<WrittenList>,
        integrations: &[authtranslator::Integration],
        told: &mut Told,
    ) -> Vec<WrittenList> {
        if self.allow_all {
            told.warnings
                .push("every caller may do everything that no rule denies (`--allow-all`)".to_owned());
            let (name, text) = ("--allow-all".to_owned(), everything(integrations));
            lists.push(WrittenList { side: Side::Allow, name, text });
        } else if !lists.iter().any(|list| list.side == Side::Allow) {
            told.warnings.push(
                "there is no allowlist, so nothing is allowed but what capabilities and policies allow; \
                 `--allowlist FILE` names one, `--allow-all` allows everything"
                    .to_owned(),
            );
        }
        told.rules = lists.iter().map(|list| list.name.clone()).collect();
        lists
    }

    /// What stands in every file. A list that nobody named counts from when it is there.
    fn texts<E>(&self, read: &dyn Fn(&Source) -> Result<String, E>) -> Texts<E> {
        let Files { config, allowlist, denylist } = &self.files;
        let allowing = allowlist.iter().map(|source| (Side::Allow, source));
        let lists = allowing
            .chain([(Side::Deny, denylist)])
            .filter(|(_, source)| source.counts())
            .map(|(side, source)| (side, source.name(), read(source)))
            .collect();
        Texts { config: read(config), lists }
    }

    /// Reads everything again and swaps it in at once. Blocks.
    pub(crate) fn lay(&self, broker: &Broker, home: &Home) -> Outcome<Told> {
        let (overlay, told) = self.overlay(home, Some(&broker.catalog()))?;
        if let Some(read) = &overlay.read {
            crate::sources::refuse_worse(broker, read)?;
        }
        broker.lay(overlay)?;
        Ok(told)
    }

    /// Whether anything that was named is not what it was when it was read last. Blocks.
    pub(crate) fn changed(&self) -> bool {
        let mut now = self.look();
        let known = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if Some(now) == known {
            return false;
        }
        // Whoever writes slowly is waited for, but not for ever.
        for _ in 0..MOST_WAITS {
            std::thread::sleep(SETTLE);
            let again = self.look();
            if again == now {
                break;
            }
            now = again;
        }
        // Told once: whoever hears it reads it, and may take a while.
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        Some(now) != known
    }

    /// A digest of what stands there now. That a file is gone is a change as well, which whoever reads it again is told; so is that
    /// it is back.
    fn look(&self) -> crypto::Digest {
        self.texts(&|source| source.look(self.fetch, self.poll).ok_or(())).digest()
    }
}

/// What stands in the files, or why one of them can't be read.
struct Texts<E> {
    config: Result<String, E>,
    lists: Vec<(Side, String, Result<String, E>)>,
}

impl<E> Texts<E> {
    fn digest(&self) -> crypto::Digest {
        let mut hasher = crypto::Hasher::new();
        let mut part = |text: Option<&str>| {
            let length = text.and_then(|text| u64::try_from(text.len()).ok()).unwrap_or(u64::MAX);
            hasher.update(&length.to_be_bytes());
            hasher.update(text.unwrap_or_default().as_bytes());
        };
        part(self.config.as_deref().ok());
        for (_, name, text) in &self.lists {
            part(Some(name));
            part(text.as_deref().ok());
        }
        hasher.finish()
    }
}

impl Told {
    /// Integrations of the home that one of the configuration hides.
    fn hidden(&mut self, home: &Home, integrations: &[authtranslator::Integration]) {
        for one in integrations {
            let name = &one.written.name;
            if home.integrations().join(format!("{name}.yaml")).exists() {
                self.warnings
                    .push(format!("`{name}` of `{}` counts, the home's own file does not", self.config));
            }
        }
    }

    /// For people, on stderr.
    pub(crate) fn say(&self) {
        let Self { config, integrations, rules, notes, warnings } = self;
        Printer::say(&format!("Ready: {integrations} integrations of `{config}`."));
        if !rules.is_empty() {
            Printer::say(&format!("Rules of `{}`.", rules.join("` and `")));
        }
        for warning in warnings {
            Printer::say(&styled(WARN, &format!("warning: {warning}")));
        }
        for note in notes.iter().take(MOST_NOTES) {
            Printer::say(&format!("note: {note}"));
        }
        if notes.len() > MOST_NOTES {
            Printer::say(&format!(
                "note: and {} more, which `doorward import authtranslator --dry-run {config}` shows",
                notes.len() - MOST_NOTES
            ));
        }
    }

    /// For programs.
    pub(crate) fn document(&self) -> Value {
        let Self { config, integrations, rules, notes, warnings } = self;
        json!({ "config": config, "integrations": integrations, "rules": rules, "notes": notes, "warnings": warnings })
    }
}

/// Lists against a catalogue. What is wrong with a file is no mistake of whoever typed its name.
pub(crate) fn read_lists(catalog: &Catalog, lists: &[WrittenList]) -> Outcome<Lists> {
    let files: Vec<File<'_>> =
        lists.iter().map(|list| File { side: list.side, name: &list.name, text: &list.text }).collect();
    broker::read_lists(catalog, &files)
        .map_err(|refusal| Failure::new(refusal.message).maybe_hint(refusal.hint))
}

/// An allowlist that lets every caller do everything.
fn everything(integrations: &[authtranslator::Integration]) -> String {
    let entry = |one: &authtranslator::Integration| {
        format!(
            "- {{integration: {}, callers: [{{id: \"*\", capabilities: [{{name: dangerously_allow_full_access}}]}}]}}\n",
            one.written.name
        )
    };
    integrations.iter().map(entry).collect()
}

/// As long a file has to stay as it is to be taken for whole.
const SETTLE: Duration = Duration::from_millis(100);
const MOST_WAITS: usize = 10;
/// Notes that are said at the start.
const MOST_NOTES: usize = 20;
