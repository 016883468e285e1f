//! `doorward backup FOLDER`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use store::{Embedded, Journal, Storage};

use super::key::Key;
use super::manifest::{FORMAT, Manifest, NAME, entries};
use crate::args::backup::Backup;
use crate::context::{self, Context};
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::place::{self, Place};
use crate::print;

/// Takes it.
pub(super) fn run(context: &Context, args: &Backup) -> Outcome {
    let home = context.home()?;
    if let Place::Server(store) = place::of(home)? {
        let message = format!("this home keeps its rows in PostgreSQL, `{}`", store.url.value);
        return Err(Failure::new(message)
            .hint("`pg_dump` takes a copy of them: docs/guide/postgres.md; or `doorward store copy` to a folder first"));
    }
    if !home.exists() {
        return Err(Failure::new(format!("there is no home in `{}`", home.folder().display())));
    }
    if args.folder.symlink_metadata().is_ok() {
        return Err(Failure::new(format!("`{}` is there already", args.folder.display()))
            .hint("a backup is a new folder each time"));
    }
    let database = Embedded::open(&home.database())?;
    let key = args.with_key.then(|| Key::of(home, &database)).transpose()?;
    let partial = beside(&args.folder)?;
    let taken = taken(home, &partial, &database, key.as_ref()).and_then(|manifest| {
        std::fs::rename(&partial, &args.folder)
            .and_then(|()| synced(&parent(&args.folder)))
            .map_err(|error| Failure::doing("could not put the backup in its place", &error))?;
        Ok(manifest)
    });
    // Half a backup would be taken for one.
    let manifest = taken.inspect_err(|_| drop(std::fs::remove_dir_all(&partial)))?;
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let document = json!({
        "status": "taken", "folder": print::path(&args.folder), "files": manifest.files.len(), "bytes": bytes,
        "records": manifest.records, "with_key": manifest.with_key,
    });
    context.printer.answer(&document, |_| {
        let key = if manifest.with_key {
            "What opens the home is in it: keep it as you keep your secrets."
        } else {
            "What opens the home is not in it: keep the key file, the passphrase or the recovery key elsewhere."
        };
        format!(
            "Took {} files with {} records of evidence to `{}`. {key}",
            manifest.files.len(),
            manifest.records,
            args.folder.display()
        )
    })
}

fn taken(home: &Home, partial: &Path, database: &Embedded, key: Option<&Key>) -> Outcome<Manifest> {
    store::files::private_folder(partial)?;
    // The database first: evidence of what came meanwhile does no harm, a capability without its uses would.
    database.copy_to(&partial.join("home.db"))?;
    // The copy itself is not opened: that would leave files beside it.
    let records = evidence(home, partial, database)?;
    for name in ["integrations", "lists", "policies"] {
        folder(&home.folder().join(name), &partial.join(name))?;
    }
    for name in ["settings.toml", "sources.toml", "providers.yaml", "agent.yaml"] {
        file(&home.folder().join(name), &partial.join(name))?;
    }
    if let Some(key) = key {
        let to = partial.join(&key.below);
        store::files::private_folder(&parent(&to))?;
        copied(&key.file, &to)?;
    }
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        taken: context::now(),
        with_key: key.is_some(),
        records,
        files: entries(partial)?,
    };
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| Failure::doing("could not write the manifest", &error))?;
    store::files::replace(&partial.join(NAME), (text + "\n").as_bytes(), 0o600)?;
    synced(partial).map_err(|error| Failure::doing("could not write the backup to the disk", &error))?;
    Ok(manifest)
}

/// Copies the segments and verifies the copy. A running broker may have written while the last one was read; then it is read
/// again.
fn evidence(home: &Home, partial: &Path, database: &Embedded) -> Outcome<u64> {
    let (from, to) = (home.evidence(), partial.join("evidence"));
    if !from.is_dir() {
        return Ok(0);
    }
    let key = secrets::evidence_public_key(database)?;
    let mut tries = 1;
    loop {
        folder(&from, &to)?;
        let verified = Journal::open(&to).map_err(Failure::from).and_then(|journal| {
            let journal: Arc<dyn Storage> = Arc::new(journal);
            evidence::verify_store(&*journal, &key, &mut |_, _| {}).map_err(|finding| {
                Failure::of(&finding).hint("`doorward doctor --thorough` looks at the home")
            })
        });
        match verified {
            Ok(report) => return Ok(report.records),
            Err(failure) if tries == TRIES => return Err(failure),
            Err(_) => tries += 1,
        }
        std::fs::remove_dir_all(&to)
            .map_err(|error| Failure::doing(format!("could not empty `{}`", to.display()), &error))?;
    }
}

/// Copies a folder with all that is in it, where there is one. Locks and sockets stay.
fn folder(from: &Path, to: &Path) -> Outcome {
    let failed = |error| Failure::doing(format!("could not look into `{}`", from.display()), &error);
    if !from.is_dir() {
        return Ok(());
    }
    store::files::private_folder(to)?;
    for found in std::fs::read_dir(from).map_err(failed)? {
        let found = found.map_err(failed)?;
        // Through a link: what it leads to belongs to the home.
        let kind = std::fs::metadata(found.path()).map_err(failed)?;
        if kind.is_dir() {
            folder(&found.path(), &to.join(found.file_name()))?;
        } else if kind.is_file() {
            file(&found.path(), &to.join(found.file_name()))?;
        }
    }
    synced(to).map_err(|error| Failure::doing(format!("could not write `{}`", to.display()), &error))
}

/// Copies a file, where there is one, and waits for the disk.
fn file(from: &Path, to: &Path) -> Outcome {
    if !from.exists() {
        return Ok(());
    }
    copied(from, to)
}

/// Copies a file that has to be there, for its owner alone.
pub(super) fn copied(from: &Path, to: &Path) -> Outcome {
    use std::os::unix::fs::OpenOptionsExt;
    let copy = || -> std::io::Result<()> {
        let mut read = File::open(from)?;
        let mut write = File::options().write(true).create_new(true).mode(0o600).open(to)?;
        std::io::copy(&mut read, &mut write)?;
        write.sync_all()
    };
    copy().map_err(|error| {
        Failure::doing(format!("could not copy `{}` to `{}`", from.display(), to.display()), &error)
    })
}

/// The name under which a folder is made before it is whole.
pub(super) fn beside(folder: &Path) -> Outcome<PathBuf> {
    let name = folder
        .file_name()
        .ok_or_else(|| Failure::usage(format!("`{}` is not the name of a new folder", folder.display())))?;
    let mut partial = name.to_owned();
    partial.push(format!(".partial-{}", std::process::id()));
    Ok(folder.with_file_name(partial))
}

pub(super) fn parent(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

pub(super) fn synced(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

const TRIES: usize = 5;
