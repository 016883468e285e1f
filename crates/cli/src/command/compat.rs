//! `doorward compat`: links under whose names this program speaks the command line of another.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::args::compat::{Compat, Links, Where};
use crate::compat::environment;
use crate::compat::links::{self, PEERS, Peer, Speaks, There};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::path as shown;
use crate::print::table::{self, at};

/// Does one of them.
pub(crate) fn run(context: &Context, args: &Compat) -> Outcome {
    match args {
        Compat::Install(wanted) => install(context, wanted),
        Compat::Remove(wanted) => remove(context, wanted),
        Compat::List(place) => list(context, place),
    }
}

fn install(context: &Context, wanted: &Links) -> Outcome {
    let scene = Scene::look()?;
    let folder = absolute(&wanted.folder)?;
    let (mut planned, mut rows) = (Vec::new(), Vec::new());
    for peer in chosen(wanted)? {
        let path = folder.join(peer.name);
        match scene.there(&path)? {
            There::Foreign(target) => return Err(in_the_way(&path, target.as_deref())),
            There::Ours => rows.push(row(peer, &path, "there already", &scene)),
            there => match scene.shadowed(peer, &folder) {
                Some(other) if wanted.names.is_empty() => {
                    let state = format!("left out: it would hide `{}`", other.display());
                    rows.push(row(peer, &path, &state, &scene));
                }
                _ => planned.push((peer, path, there)),
            },
        }
    }
    std::fs::create_dir_all(&folder).map_err(|error| {
        Failure::doing(format!("could not make the folder `{}`", folder.display()), &error)
    })?;
    for (peer, path, there) in planned {
        links::make(&path, &scene.target, &there).map_err(|error| {
            Failure::doing(format!("could not make the link `{}`", path.display()), &error)
        })?;
        rows.push(row(peer, &path, "made", &scene));
    }
    rows.sort_by_key(position);
    let notes = scene.notes(&folder, &rows);
    answer(
        context,
        &json!({ "folder": shown(&folder), "target": shown(&scene.target), "links": rows, "notes": notes }),
    )
}

fn remove(context: &Context, wanted: &Links) -> Outcome {
    let scene = Scene::look()?;
    let folder = absolute(&wanted.folder)?;
    let mut rows = Vec::new();
    for peer in chosen(wanted)? {
        let path = folder.join(peer.name);
        let state = match scene.there(&path)? {
            There::Nothing => "not there",
            There::Foreign(_) => "left alone: it is not a link to this program",
            There::Ours | There::Stale => {
                std::fs::remove_file(&path).map_err(|error| {
                    Failure::doing(format!("could not take away `{}`", path.display()), &error)
                })?;
                "taken away"
            }
        };
        rows.push(row(peer, &path, state, &scene));
    }
    answer(context, &json!({ "folder": shown(&folder), "links": rows, "notes": [] }))
}

fn list(context: &Context, place: &Where) -> Outcome {
    let scene = Scene::look()?;
    let folders = match &place.folder {
        Some(folder) => vec![absolute(folder)?],
        None => scene.search.clone(),
    };
    let mut rows = Vec::new();
    for peer in PEERS {
        for folder in &folders {
            let path = folder.join(peer.name);
            let state = match scene.there(&path) {
                Ok(There::Ours) => "link to this program".to_owned(),
                Ok(There::Stale) => "link to a place where this program is no more".to_owned(),
                Ok(There::Foreign(Some(target))) => format!("link to `{}`", target.display()),
                Ok(There::Foreign(None)) => "another program".to_owned(),
                Ok(There::Nothing) | Err(_) => continue,
            };
            rows.push(row(peer, &path, &state, &scene));
        }
    }
    answer(context, &json!({ "links": rows, "notes": [] }))
}

/// What is looked at: this program and `PATH`.
struct Scene {
    real: PathBuf,
    target: PathBuf,
    search: Vec<PathBuf>,
}

impl Scene {
    fn look() -> Outcome<Self> {
        let path = environment("PATH").unwrap_or_default();
        let mut search: Vec<PathBuf> = Vec::new();
        for folder in std::env::split_paths(&path) {
            if folder.is_absolute() && !search.contains(&folder) {
                search.push(folder);
            }
        }
        let (real, target) = links::program(&search)
            .map_err(|error| Failure::doing("could not find out where this program is", &error))?;
        Ok(Self { real, target, search })
    }

    fn there(&self, path: &Path) -> Outcome<There> {
        links::look(path, &self.real)
            .map_err(|error| Failure::doing(format!("could not look at `{}`", path.display()), &error))
    }

    /// Another program of the same name that a link would hide, where the link could not do everything in its place.
    fn shadowed(&self, peer: Peer, folder: &Path) -> Option<PathBuf> {
        if peer.speaks == Speaks::Yes {
            return None;
        }
        let others = self.search.iter().filter(|other| *other != folder).map(|other| other.join(peer.name));
        others.filter(|path| path.exists()).find(|path| !matches!(self.there(path), Ok(There::Ours)))
    }

    /// What keeps the links from being run.
    fn notes(&self, folder: &Path, rows: &[Value]) -> Vec<String> {
        let is_it = |other: &PathBuf| {
            other == folder
                || folder.canonicalize().is_ok_and(|real| other.canonicalize().is_ok_and(|one| one == real))
        };
        if !self.search.iter().any(is_it) {
            let folder = folder.display();
            return vec![format!(
                "`{folder}` is not on PATH: `export PATH=\"{folder}:$PATH\"` puts it first"
            )];
        }
        let mine = |row: &&Value| matches!(at(row, "state").as_str(), Some("made" | "there already"));
        let hidden = rows.iter().filter(mine).filter_map(|row| {
            let name = at(row, "name").as_str()?;
            let first = links::first_on(&self.search, name)?;
            let ours = matches!(self.there(&first), Ok(There::Ours));
            (!ours).then(|| {
                let (folder, first) = (folder.display(), first.display());
                format!("`{name}` runs `{first}`, which comes before `{folder}` on PATH")
            })
        });
        hidden.collect()
    }
}

fn chosen(wanted: &Links) -> Outcome<Vec<Peer>> {
    if wanted.names.is_empty() {
        return Ok(PEERS.to_vec());
    }
    let known = |name: &String| {
        PEERS.into_iter().find(|peer| peer.name == name).ok_or_else(|| {
            let names: Vec<_> = PEERS.iter().map(|peer| format!("`{}`", peer.name)).collect();
            Failure::usage(format!("this program knows no peer `{name}`"))
                .hint(format!("the names are {}", names.join(", ")))
        })
    };
    wanted.names.iter().map(known).collect()
}

fn in_the_way(path: &Path, target: Option<&Path>) -> Failure {
    let what = match target {
        Some(target) => format!("a link to `{}`", target.display()),
        None => "a file that is no link".to_owned(),
    };
    Failure::new(format!("`{}` is {what}; it is left as it is, and no link was made", path.display()))
        .hint("take it away yourself if it may go, choose another folder, or say which links you want with `--name`")
}

fn row(peer: Peer, path: &Path, state: &str, scene: &Scene) -> Value {
    let first = links::first_on(&scene.search, peer.name);
    let speaks = match peer.speaks {
        Speaks::Yes => Value::Bool(true),
        Speaks::InPart => Value::from("in part"),
    };
    json!({
        "name": peer.name,
        "path": shown(path),
        "state": state,
        "speaks": speaks,
        "first_on_path": first.is_some_and(|first| first == *path),
    })
}

fn position(row: &Value) -> usize {
    let name = at(row, "name").as_str();
    PEERS.iter().position(|peer| Some(peer.name) == name).unwrap_or(PEERS.len())
}

fn answer(context: &Context, document: &Value) -> Outcome {
    context.printer.answer(document, |document| {
        let columns = [
            ("name", "name"),
            ("path", "path"),
            ("state", "state"),
            ("speaks it", "speaks"),
            ("first on PATH", "first_on_path"),
        ];
        let notes = at(document, "notes").as_array().cloned().unwrap_or_default();
        let notes: String = notes.iter().map(|note| format!("note: {}\n", table::cell(note))).collect();
        format!("{}{notes}", table::of(at(document, "links"), &columns, "There are none."))
    })
}

fn absolute(folder: &Path) -> Outcome<PathBuf> {
    std::path::absolute(folder)
        .map_err(|error| Failure::doing("could not tell which folder is meant", &error))
}

/// What this program says under a name whose command line it does not speak.
pub(crate) fn unspoken(peer: Peer) -> Failure {
    Failure::new(format!("this is doorward, which does not speak the command line of `{}` yet", peer.name))
        .hint(format!("`doorward --help` shows what it does; `doorward compat remove DIR --name {}` takes this link away", peer.name))
}
