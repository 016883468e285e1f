//! `doorward doctor`: checks everything that can be wrong with a home, and says what to mend.
//!
//! It changes nothing, and needs no running broker; where one runs, its socket is checked as well.

mod files;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;

use catalog::Catalog;
use model::TenantName;
use secrets::Secrets;
use serde_json::{Value, json};
use store::{HomeLock, Journal, Storage};

use crate::args::broker::Doctor;
use crate::context::{self, Context};
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::keys::KeySource;
use crate::management::Running;
use crate::place::{self, Place};
use crate::print::table::{at, cell};
use crate::print::{BAD, BOLD, GOOD, WARN, styled};
use crate::{aside, settings, wire};

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Fine,
    Doubtful,
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Check {
    level: Level,
    what: String,
    hint: Option<String>,
}

/// What was found so far.
#[derive(Default)]
struct Checks(Vec<Check>);

/// Checks everything.
pub(crate) fn run(context: &Context, args: &Doctor) -> Outcome {
    if let Some(service) = &args.service {
        return super::service::check(context, service, &args.inputs);
    }
    let home = context.home()?;
    let mut checks = Checks::default();
    if wire::is_there(home) {
        folder(&mut checks, home);
        configuration(&mut checks, context);
        let catalog = layer(&mut checks, home);
        match place::reading(home) {
            Ok(storage) => {
                let sound = files::sources(&mut checks, home);
                if sound {
                    keys(&mut checks, home, &storage);
                }
                if let Some(catalog) = &catalog {
                    files::policies(&mut checks, catalog, &storage);
                    files::check(&mut checks, home, catalog);
                    if sound {
                        references(&mut checks, catalog, (home, &storage))?;
                    }
                }
                chain(&mut checks, context, &storage, args);
            }
            Err(failure) => checks.failed("the database", &failure),
        }
        running(&mut checks, context);
    } else {
        checks.wrong(
            format!("there is no home in `{}`", home.folder().display()),
            "`doorward init`, or `doorward up`",
        );
    }
    clock(&mut checks);
    let failed = checks.0.iter().any(|check| check.level == Level::Wrong);
    let document =
        json!({ "ok": !failed, "checks": checks.0.iter().map(Check::document).collect::<Vec<_>>() });
    context.printer.answer(&document, |_| checks.0.iter().map(Check::text).collect())?;
    if failed { Err(Failure::silent()) } else { Ok(()) }
}

fn folder(checks: &mut Checks, home: &Home) {
    let owner = rustix::process::geteuid().as_raw();
    let private = [home.folder().to_owned(), home.database(), home.key()];
    for path in private.iter().filter(|path| path.exists()) {
        match std::fs::metadata(path) {
            Ok(seen) if seen.uid() != owner => {
                checks.wrong(
                    format!("`{}` belongs to another user", path.display()),
                    "run as the user who owns the home",
                );
            }
            Ok(seen) if seen.permissions().mode() & 0o077 != 0 => {
                let hint = format!("`chmod go= {}`", path.display());
                // Others who may read the key open the home; the rest is ciphertext.
                let level = if *path == home.key() { Level::Wrong } else { Level::Doubtful };
                checks.add(level, format!("others may look into `{}`", path.display()), Some(hint));
            }
            Ok(_) => {}
            Err(error) => checks.failed(
                "the home",
                &Failure::doing(format!("could not look at `{}`", path.display()), &error),
            ),
        }
    }
    checks.fine(format!("the home is `{}`", home.folder().display()));
    match rustix::fs::statvfs(home.folder()) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize) >> 20;
            match free {
                0..100 => checks.wrong(
                    format!("{free} MiB are free on its disk"),
                    "make room: without evidence nothing is done",
                ),
                100..1024 => {
                    checks.doubtful(format!("{free} MiB are free on its disk"), "make room before it is full")
                }
                _ => checks.fine(format!("{} GiB are free on its disk", free >> 10)),
            }
        }
        Err(error) => checks.failed("the disk", &Failure::doing("could not ask how much is free", &error)),
    }
}

fn configuration(checks: &mut Checks, context: &Context) {
    match context.settings() {
        Ok(settings) => {
            checks.fine(format!(
                "the settings are sound; the gateway is `{}`, {}",
                settings.gateway.value, settings.gateway.origin
            ));
            if settings.development.value {
                checks.doubtful(
                    format!("development mode is on ({})", settings.development.origin),
                    "leave it out where others can log in",
                );
            }
        }
        Err(failure) => checks.failed("the settings", &failure),
    }
}

fn layer(checks: &mut Checks, home: &Home) -> Option<Catalog> {
    let folder = Some(home.integrations()).filter(|folder| folder.is_dir());
    match Catalog::load(folder.as_deref()) {
        Ok(catalog) => {
            checks.fine(format!("{} integrations can be read", catalog.names().len()));
            Some(catalog)
        }
        Err(error) => {
            checks.failed("the integrations", &error.into());
            None
        }
    }
}

fn keys(checks: &mut Checks, home: &Home, storage: &Arc<dyn Storage>) {
    match secrets::provider_facts(&**storage) {
        Ok(facts) if facts.asks().is_some() => {
            checks
                .fine(format!("the key provider is `{}`, and somebody has to type for it", facts.provider()));
        }
        Ok(facts) => match opened(home, storage) {
            Err(failure) => checks.failed("the key provider", &failure),
            Ok(_) => checks.fine(format!("the key provider `{}` opens the home", facts.provider())),
        },
        Err(error) => checks.failed("the key provider", &error.into()),
    }
    checks.fine("`doorward recovery drill` proves that your recovery key opens it as well".to_owned());
}

/// The keys of the home, where nobody has to type anything for them.
fn opened(home: &Home, storage: &Arc<dyn Storage>) -> Outcome<Option<secrets::Keyring>> {
    let facts = secrets::provider_facts(&**storage)?;
    let keys = KeySource { storage: Arc::clone(storage), setup: wire::setup(home, Some(&facts))? };
    match keys.unattended()? {
        Some(provider) => Ok(Some(secrets::unseal(&**storage, &*provider)?)),
        None => Ok(None),
    }
}

/// The secrets of the home, with the keys where nobody has to type anything for them.
fn secrets(checks: &mut Checks, home: &Home, storage: &Arc<dyn Storage>) -> Option<Secrets> {
    let facts = secrets::provider_facts(&**storage).ok();
    let setup = match wire::setup(home, facts.as_ref()) {
        Ok(setup) => setup,
        Err(failure) => {
            checks.failed("the secret sources", &failure);
            return None;
        }
    };
    let secrets = Secrets::new(Arc::clone(storage), Arc::new(broker::SystemClock::default()), setup);
    if let Ok(Some(keyring)) = opened(home, storage) {
        secrets.unseal(keyring);
    }
    Some(secrets)
}

/// Every secret that an integration of the user's own, or one with secrets stored, needs.
fn references(
    checks: &mut Checks,
    catalog: &Catalog,
    (home, storage): (&Home, &Arc<dyn Storage>),
) -> Outcome {
    let runtime = wire::runtime()?;
    let Some(secrets) = secrets(checks, home, storage) else { return Ok(()) };
    let signed_in = !storage.scan(store::Table::Secrets, &TenantName::local(), b"llm/", None, 1)?.is_empty();
    for name in catalog.names() {
        let integration = match catalog.get(&name) {
            Ok(integration) => integration,
            // It lives at an address of the user's own, and is not used.
            Err(catalog::Error::Domain { .. }) => continue,
            Err(error) => {
                checks.failed(&format!("`{name}`"), &error.into());
                continue;
            }
        };
        if integration.dangerous_allow_private() {
            checks.doubtful(
                format!("`{name}` may reach private addresses"),
                "only as long as that is what you want",
            );
        }
        if integration.tls_insecure_skip_verify() {
            checks.doubtful(
                format!("`{name}` believes any certificate"),
                "only as long as that is what you want",
            );
        }
        for (named, field) in
            integration.secrets().iter().filter(|(_, field)| match field.reference.scheme() {
                "store" => false,
                // Where nobody has signed in, nobody wants to.
                "llm" => signed_in,
                _ => true,
            })
        {
            match runtime.block_on(
                secrets.probe(&TenantName::local(), (&field.reference, broker::stands(&integration, named))),
            ) {
                Ok(doubts) if doubts.is_empty() => {
                    checks.fine(format!("`{name}` finds `{}`", field.reference))
                }
                Ok(doubts) => {
                    for doubt in doubts {
                        checks.doubtful(
                            format!("`{}`: {}", field.reference, doubt.as_str()),
                            "`doorward secret put` keeps it encrypted",
                        );
                    }
                }
                Err(error) => checks.failed(&format!("`{name}`"), &error.into()),
            }
        }
    }
    let stored = storage.scan(store::Table::Secrets, &TenantName::local(), b"", None, 10_000)?.len();
    checks.fine(format!("{stored} secrets are stored"));
    Ok(())
}

/// Through the running broker where there is one: two never have the evidence open at once.
fn chain(checks: &mut Checks, context: &Context, storage: &Arc<dyn Storage>, args: &Doctor) {
    for file in context.home().map(aside::files).unwrap_or_default() {
        checks
            .doubtful(aside::said(&file), "look when it was made and what happened then; then move it away");
    }
    match Running::find(context) {
        Ok(None) => match own_chain(context, storage, args) {
            Ok(said) => checks.fine(said),
            Err(failure) => checks.failed("the evidence", &failure),
        },
        Ok(Some(running))
            if running.status().is_ok_and(|status| cell(at(&status, "state")) == "unsealed") =>
        {
            match context.ask("evidence.verify", &[]) {
                Ok(answered) if at(&answered.value, "verified").as_bool() == Some(true) => {
                    checks.fine(format!(
                        "all {} records of evidence are unchanged",
                        cell(at(&answered.value, "records"))
                    ));
                }
                Ok(answered) => {
                    checks.wrong(format!("the evidence: {}", cell(at(&answered.value, "finding"))), BACKUP);
                }
                Err(failure) => checks.failed("the evidence", &failure),
            }
        }
        Ok(Some(_)) => {
            checks.doubtful("the evidence was not looked at".to_owned(), "`doorward unseal`, then again")
        }
        Err(failure) => checks.failed("the socket", &failure),
    }
}

fn own_chain(context: &Context, storage: &Arc<dyn Storage>, args: &Doctor) -> Outcome<String> {
    let home = context.home()?;
    let key = secrets::evidence_public_key(&**storage)?;
    let _lock = HomeLock::take(home.folder())?;
    let journal: Arc<dyn Storage> = match place::of(home)? {
        Place::Server(_) => Arc::clone(storage),
        Place::Folder if !home.evidence().is_dir() => return Ok("no evidence was written yet".to_owned()),
        Place::Folder => Arc::new(Journal::open(&home.evidence())?),
    };
    if args.thorough {
        let report = evidence::verify_store(&*journal, &key, &mut |_, _| {})
            .map_err(|finding| Failure::of(&finding).hint(BACKUP))?;
        return Ok(format!("all {} records of evidence are unchanged", report.records));
    }
    let newest = evidence::Reader::new(journal, key).list(&evidence::Filter::of(TenantName::local()))?;
    Ok(format!("the newest {} records of evidence can be read; `--thorough` verifies all", newest.len()))
}

fn running(checks: &mut Checks, context: &Context) {
    match Running::find(context) {
        Ok(None) => checks.doubtful("no broker runs over this home".to_owned(), "`doorward up`"),
        Ok(Some(running)) => match running.status() {
            Ok(status) if status.get("state").and_then(Value::as_str) == Some("sealed") => {
                checks.doubtful("the running broker is sealed".to_owned(), "`doorward unseal`");
            }
            Ok(_) => checks.fine("the running broker answers".to_owned()),
            Err(failure) => checks.failed("the running broker", &failure),
        },
        Err(failure) => checks.failed("the socket", &failure),
    }
}

fn clock(checks: &mut Checks) {
    // Earlier than this program was written: capabilities would seem to hold for years.
    if context::now().millis() < WRITTEN {
        checks.wrong(format!("the clock says {}", context::now()), "set the clock; capabilities end by it");
    } else {
        checks.fine("the clock is plausible".to_owned());
    }
    if settings::environment("DOORWARD_HOME").is_some() {
        checks.fine("`DOORWARD_HOME` chooses the home".to_owned());
    }
}

impl Checks {
    fn add(&mut self, level: Level, what: String, hint: Option<String>) {
        self.0.push(Check { level, what, hint });
    }

    fn fine(&mut self, what: String) {
        self.add(Level::Fine, what, None);
    }

    fn doubtful(&mut self, what: String, hint: &str) {
        self.add(Level::Doubtful, what, Some(hint.to_owned()));
    }

    fn wrong(&mut self, what: String, hint: &str) {
        self.add(Level::Wrong, what, Some(hint.to_owned()));
    }

    fn failed(&mut self, what: &str, failure: &Failure) {
        self.add(Level::Wrong, format!("{what}: {failure}"), failure.hint.as_deref().map(str::to_owned));
    }
}

impl Check {
    fn document(&self) -> Value {
        let level = match self.level {
            Level::Fine => "ok",
            Level::Doubtful => "warn",
            Level::Wrong => "fail",
        };
        json!({ "level": level, "what": self.what, "hint": self.hint })
    }

    fn text(&self) -> String {
        let mark = match self.level {
            Level::Fine => styled(GOOD, "ok  "),
            Level::Doubtful => styled(WARN, "warn"),
            Level::Wrong => styled(BAD, "FAIL"),
        };
        let hint = self.hint.as_ref().map(|hint| format!("     {} {hint}\n", styled(BOLD, "hint:")));
        format!("{mark} {}\n{}", crate::print::problem::clean(&self.what), hint.unwrap_or_default())
    }
}

const BACKUP: &str = "keep a copy of the home as it is, and restore a backup";
/// 2026-01-01 in milliseconds.
const WRITTEN: u64 = 1_767_225_600_000;
