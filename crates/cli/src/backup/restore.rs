//! `doorward restore FOLDER`.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use store::{Embedded, Journal, Storage};

use super::key;
use super::manifest::{Manifest, place};
use super::taking::{beside, copied, parent, synced};
use crate::args::backup::Restore;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::print;

/// Restores it.
pub(super) fn run(context: &Context, args: &Restore) -> Outcome {
    let home = context.home()?;
    let manifest = Manifest::read(&args.folder)?;
    manifest.check(&args.folder)?;
    if !args.check {
        unused(home)?;
    }
    let partial = beside(home.folder())?;
    let whole = made(&args.folder, &partial, &manifest).and_then(|found| {
        // An empty folder is replaced; one that is not, is not.
        let placed = if args.check { Ok(()) } else { std::fs::rename(&partial, home.folder()) };
        placed.map_err(|error| Failure::doing("could not put the home in its place", &error))?;
        Ok(found)
    });
    if args.check || whole.is_err() {
        let _ = std::fs::remove_dir_all(&partial);
    }
    let (records, with_key) = whole?;
    if !args.check {
        synced(&parent(home.folder()))
            .map_err(|error| Failure::doing("could not write the home to the disk", &error))?;
    }
    let status = if args.check { "whole" } else { "restored" };
    let document = json!({
        "status": status, "home": print::path(home.folder()), "taken": manifest.taken, "records": records,
        "with_key": with_key,
    });
    context.printer.answer(&document, |_| said(args, home, &manifest, (records, with_key)))
}

fn said(args: &Restore, home: &Home, manifest: &Manifest, (records, with_key): (u64, bool)) -> String {
    if args.check {
        return format!("Whole: taken {}, all {records} records of evidence are unchanged.", manifest.taken);
    }
    let next = if with_key {
        "`doorward up`"
    } else {
        "put the key file back or have the passphrase ready; without both, `doorward recovery restore`"
    };
    format!(
        "Restored `{}` as of {}, with {records} records of evidence. Uses and revocations since then are not known to it: \
         revoke what must not be used. Next: {next}.",
        home.folder().display(),
        manifest.taken
    )
}

/// A home is never written over.
fn unused(home: &Home) -> Outcome {
    let shown = home.folder().display();
    if home.folder().symlink_metadata().is_ok_and(|found| !found.is_dir()) {
        return Err(
            Failure::new(format!("`{shown}` is there and no folder")).hint("name a new folder with `--home`")
        );
    }
    let Ok(mut found) = std::fs::read_dir(home.folder()) else { return Ok(()) };
    if found.next().is_none() {
        return Ok(());
    }
    Err(Failure::new(format!("`{shown}` is not empty"))
        .hint("name a new folder with `--home`, or move the old home away first"))
}

/// A copy that opens and verifies, under another name; answers how many records it has, and whether what opens it is in it.
fn made(from: &Path, partial: &Path, manifest: &Manifest) -> Outcome<(u64, bool)> {
    store::files::private_folder(partial)?;
    for entry in &manifest.files {
        let to = place(partial, entry);
        store::files::private_folder(&parent(&to))?;
        copied(&place(from, entry), &to)?;
    }
    // What was copied is what was checked, also where somebody wrote meanwhile.
    manifest.check(partial)?;
    let database = Embedded::open(&partial.join("home.db"))?;
    let public = secrets::evidence_public_key(&database)?;
    let facts = secrets::provider_facts(&database)?;
    // Earlier versions wrote that it is, where it was only asked for.
    let with_key = manifest.with_key && key::is_in(partial, &facts);
    drop(database);
    let journal = partial.join("evidence");
    let records = if journal.is_dir() {
        let journal: Arc<dyn Storage> = Arc::new(Journal::open(&journal)?);
        let report = evidence::verify_store(&*journal, &public, &mut |_, _| {});
        let report = report
            .map_err(|finding| Failure::of(&finding).hint("use another backup; nothing was restored"))?;
        broker::forget_rows(&*journal)?;
        report.records
    } else {
        0
    };
    if records != manifest.records {
        let message = format!("the backup has {records} records of evidence and had {}", manifest.records);
        return Err(Failure::new(message).hint("use another backup; nothing was restored"));
    }
    synced(partial).map_err(|error| Failure::doing("could not write the home to the disk", &error))?;
    Ok((records, with_key))
}
