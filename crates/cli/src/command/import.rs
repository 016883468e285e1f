//! `doorward import`: another gateway's files as files of the home. All of them are written, or none.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use authtranslator::{Config, Integration, Options, Untaken};
use broker::WrittenList;
use catalog::Catalog;
use policy::lists::Side;
use serde_json::{Value, json};

use crate::args::import::{Authtranslator, Import};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::gateway::read_lists;
use crate::print::table::{self, at, cell};
use crate::print::{self, Printer, WARN, styled};

/// Takes the files over.
pub(crate) fn run(context: &Context, args: &Import) -> Outcome {
    match args {
        Import::Authtranslator(args) => authtranslator(context, args),
    }
}

fn authtranslator(context: &Context, args: &Authtranslator) -> Outcome {
    let home = context.home()?;
    if !args.dry_run && !crate::wire::is_there(home) {
        let message = format!("there is no home in `{}`", home.folder().display());
        return Err(Failure::new(message).hint("`doorward init` makes one"));
    }
    let Read { integrations, untaken } = translated(args)?;
    let folder = home.integrations();
    let lists = lists(args)?;
    let mut files = planned(&folder, &integrations);
    files.extend(planned_lists(&home.lists(), &lists)?);
    let counted = match checked(&folder, &integrations, &lists) {
        // Lists about what is not taken make no sense by themselves.
        Err(_) if !untaken.is_empty() => (0, 0),
        counted => counted?,
    };
    let read = Read { integrations, untaken };
    let document = described(&read, &files, (&lists, counted), args.dry_run);
    let standing: Vec<&str> = files
        .iter()
        .filter(|file| file.becomes == Becomes::Replaced)
        .map(|file| file.name.as_str())
        .collect();
    if !standing.is_empty() && !args.overwrite && !args.dry_run {
        let message = format!("the home has other files for `{}`", standing.join("`, `"));
        return Err(Failure::new(message)
            .hint("`--overwrite` replaces them; `--dry-run` shows what would be written"));
    }
    if !args.dry_run {
        write(&[&folder, &home.lists()], &files)?;
    }
    context.printer.answer(&document, |document| for_people(document, args.dry_run))?;
    if read.untaken.is_empty() { Ok(()) } else { Err(Failure::silent()) }
}

/// The entries of a configuration.
struct Read {
    integrations: Vec<Integration>,
    /// Those that can't be taken over, where that is asked and nothing is written.
    untaken: Vec<Untaken>,
}

fn translated(args: &Authtranslator) -> Outcome<Read> {
    let Authtranslator { config, dangerous_allow_private, dry_run, .. } = args;
    let name = config.display().to_string();
    let text = fs::read_to_string(config)
        .map_err(|error| Failure::doing(format!("could not read `{name}`"), &error))?;
    let options = Options {
        dangerous_allow_private: *dangerous_allow_private,
        managed_identity: crate::gateway::managed_identity(),
        ..Options::default()
    };
    let mut keep = |place: &str, _: &str| -> Result<model::SecretRef, String> {
        Err(format!(
            "a secret in the file itself is not taken over: store it with `doorward secret put {place}`, and write `store:{place}`"
        ))
    };
    let read = Config::read(&text, &name).map_err(crate::gateway::wrong)?;
    if *dry_run {
        let (translated, untaken) = read.translate_each(&options, &mut keep);
        return Ok(Read { integrations: translated.integrations, untaken });
    }
    let translated = read.translate(&options, &mut keep).map_err(crate::gateway::wrong)?;
    Ok(Read { integrations: translated.integrations, untaken: Vec::new() })
}

/// One file that is to be.
struct Planned {
    name: String,
    path: PathBuf,
    text: String,
    becomes: Becomes,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Becomes {
    New,
    Unchanged,
    Replaced,
}

impl Becomes {
    /// What becomes of the file at this path when it is to have this text.
    fn of(path: &Path, wanted: &str) -> Self {
        match fs::read_to_string(path) {
            Ok(text) if text == wanted => Self::Unchanged,
            Ok(_) => Self::Replaced,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::New,
            // What can't be read is there all the same.
            Err(_) => Self::Replaced,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Replaced => "replaced",
        }
    }
}

fn planned(folder: &Path, integrations: &[Integration]) -> Vec<Planned> {
    let plan = |one: &Integration| {
        let path = folder.join(format!("{}.yaml", one.written.name));
        let text = one.document();
        let becomes = Becomes::of(&path, &text);
        Planned { name: one.written.name.to_string(), path, text, becomes }
    };
    integrations.iter().map(plan).collect()
}

/// The home with all of them in it makes sense; says how many integrations and rules the lists have.
fn checked(folder: &Path, integrations: &[Integration], lists: &[WrittenList]) -> Outcome<(usize, usize)> {
    let written: Vec<_> = integrations.iter().map(|one| one.written.clone()).collect();
    let folder = folder.is_dir().then_some(folder);
    let catalog = Catalog::layered(folder, &written, &[])?;
    Ok(read_lists(&catalog, lists)?.counts())
}

/// The lists as they stand.
fn lists(args: &Authtranslator) -> Outcome<Vec<WrittenList>> {
    let both = [(Side::Allow, &args.allowlist), (Side::Deny, &args.denylist)];
    let named = both.into_iter().filter_map(|(side, path)| Some((side, path.as_ref()?)));
    named
        .map(|(side, path)| {
            let name = path.display().to_string();
            let text = fs::read_to_string(path)
                .map_err(|error| Failure::doing(format!("could not read `{name}`"), &error))?;
            Ok(WrittenList { side, name, text })
        })
        .collect()
}

/// How a list is called among files; no integration has such a name.
fn list_name(list: &WrittenList) -> String {
    format!("the {}", list.side.as_str())
}

/// Where lists go: under their usual names, the text as it is.
fn planned_lists(folder: &Path, lists: &[WrittenList]) -> Outcome<Vec<Planned>> {
    let plan = |list: &WrittenList| {
        let endings = ["yaml", "yml", "json"];
        let ending = if list.name.ends_with(".json") { "json" } else { "yaml" };
        let at = |ending: &str| folder.join(format!("{}.{ending}", list.side.as_str()));
        if let Some(other) =
            endings.into_iter().filter(|other| *other != ending).map(at).find(|path| path.exists())
        {
            let message = format!("the home has the list `{}`", other.display());
            return Err(Failure::new(message).hint("move it away: two files of one list would not be read"));
        }
        let path = at(ending);
        let becomes = Becomes::of(&path, &list.text);
        Ok(Planned { name: list_name(list), path, text: list.text.clone(), becomes })
    };
    lists.iter().map(plan).collect()
}

/// Writes every file beside its place first, so that what can fail fails before anything is changed.
fn write(folders: &[&Path], files: &[Planned]) -> Outcome {
    for folder in folders {
        store::files::private_folder(folder)?;
    }
    let changed = || files.iter().filter(|file| file.becomes != Becomes::Unchanged);
    let staged = |file: &Planned| {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        file.path.with_file_name(format!(".{name}.import"))
    };
    let result = changed().try_for_each(|file| {
        store::files::replace(&staged(file), file.text.as_bytes(), 0o600).map_err(Failure::from)
    });
    let result = result.and_then(|()| {
        changed().try_for_each(|file| {
            fs::rename(staged(file), &file.path)
                .map_err(|error| Failure::doing(format!("could not write `{}`", file.path.display()), &error))
        })
    });
    if result.is_err() {
        for file in changed() {
            let _ = fs::remove_file(staged(file));
        }
    }
    result
}

fn described(
    Read { integrations, untaken }: &Read,
    files: &[Planned],
    (lists, (listed, rules)): (&[WrittenList], (usize, usize)),
    dry_run: bool,
) -> Value {
    let becomes: BTreeMap<&str, &Planned> = files.iter().map(|file| (file.name.as_str(), file)).collect();
    let mut rows: Vec<Value> = integrations
        .iter()
        .map(|one| {
            let file = becomes.get(one.written.name.as_str());
            json!({
                "entry": one.theirs, "line": one.written.line, "name": one.written.name,
                "extends": one.extends, "destination": one.destination,
                "becomes": file.map(|file| file.becomes.as_str()), "file": file.map(|file| print::path(&file.path)),
                "notes": one.notes.iter().map(|note| &note.0).collect::<Vec<_>>(),
                "text": dry_run.then(|| one.document()),
            })
        })
        .collect();
    rows.extend(untaken.iter().map(|one| {
        json!({ "entry": one.theirs, "line": one.line, "becomes": "not taken", "problem": one.why.to_string() })
    }));
    rows.sort_by_key(|row| at(row, "line").as_u64());
    let lists: Vec<Value> = lists
        .iter()
        .map(|list| {
            let file = becomes.get(list_name(list).as_str());
            json!({
                "list": list.side.as_str(), "from": list.name, "becomes": file.map(|file| file.becomes.as_str()),
                "file": file.map(|file| print::path(&file.path)),
            })
        })
        .collect();
    json!({
        "written": !dry_run, "integrations": rows, "lists": lists, "listed_integrations": listed, "rules": rules,
    })
}

fn for_people(document: &Value, dry_run: bool) -> String {
    let columns = [
        ("line", "line"),
        ("entry", "entry"),
        ("becomes", "becomes"),
        ("name", "name"),
        ("extends", "extends"),
        ("destination", "destination"),
    ];
    let rows = at(document, "integrations");
    for row in rows.as_array().into_iter().flatten() {
        if let Some(problem) = at(row, "problem").as_str() {
            Printer::say(&styled(WARN, &format!("not taken: `{}`: {problem}", cell(at(row, "entry")))));
        }
        for note in at(row, "notes").as_array().into_iter().flatten() {
            Printer::say(&styled(WARN, &format!("note: `{}`: {}", cell(at(row, "entry")), cell(note))));
        }
    }
    let end = if dry_run {
        "Nothing was written."
    } else {
        "A running broker reads them when it is told to: `kill -HUP`, or start it: `doorward gateway`."
    };
    let lists = [("list", "list"), ("from", "from"), ("becomes", "becomes"), ("file", "file")];
    let lists = table::of(at(document, "lists"), &lists, "");
    let rules = match at(document, "rules").as_u64() {
        None | Some(0) => String::new(),
        Some(rules) => {
            format!("{rules} rules for {} integrations.\n", cell(at(document, "listed_integrations")))
        }
    };
    let integrations = table::of(rows, &columns, "The configuration has no integrations.\n");
    format!("{integrations}{lists}{rules}{end}\n")
}
