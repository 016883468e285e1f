//! `import`: takes keys over from a keyring of aws-vault, a credentials file, or the file that the console gives.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws::file::File;
use broker::Lease;
use broker::mint::What;
use keyring::Kind;
use serde_json::json;

use super::csv;
use super::desk::{self, Desk};
use super::keys::{self, guarded};
use super::speech::{self, Wrong};
use crate::compat::aws_vault::command::{Global, Import, ImportFrom, Migrate};
use crate::compat::environment;
use crate::failure::Failure;

/// Takes them over.
pub(super) fn run(global: Global, import: &Import) -> Result<ExitCode, Wrong> {
    let found = match &import.from {
        ImportFrom::AwsVault => return keyring(&global, import),
        ImportFrom::CredentialsFile(path) => credentials_file(path.clone(), &import.profiles)?,
        ImportFrom::Csv(path) => csv(path, &import.profiles)?,
    };
    if let Some(missing) =
        import.profiles.iter().find(|wanted| !found.iter().any(|(name, _)| name == *wanted))
    {
        return Err(Wrong::new(format!("the file holds no key for `{missing}`; nothing was stored"))
            .hint("without `--profile`, `--dry-run` shows which keys it holds"));
    }
    let desk = Desk::open(global)?;
    let (mut taken, mut states) = (0_u32, Vec::new());
    for (name, key) in found {
        if desk.stored(&name) && !import.overwrite {
            speech::progress(&format!("{name}: skipped, stored already"));
            states.push(json!({ "profile": name, "state": "skipped" }));
            continue;
        }
        if !import.dry_run {
            let what = What::Add { profile: name.clone(), key };
            let tools = desk.tools(None)?;
            desk.ask("key.add", desk::input(&name), what, tools)?;
        }
        taken += 1;
        let state = if import.dry_run { "would be taken over" } else { "taken over" };
        speech::progress(&format!("{name}: {state}"));
        states.push(json!({ "profile": name, "state": state }));
    }
    if import.delete_source && !import.dry_run && taken > 0 {
        speech::say("the source was left as it is: delete it once you have seen that the keys work");
    }
    speech::told(&format!("{taken} keys\n"), || json!({ "dry_run": import.dry_run, "profiles": states }))
}

/// From the keyring where aws-vault keeps its keys to the one that is used from now on.
fn keyring(global: &Global, import: &Import) -> Result<ExitCode, Wrong> {
    let to = import.to.clone().unwrap_or_else(|| Kind::Doorward.name().to_owned());
    let from = match &global.backend {
        Some(named) => named.clone(),
        None => desk::first_name(global)?,
    };
    let each: Vec<Option<String>> = match import.profiles.is_empty() {
        true => vec![None],
        false => import.profiles.iter().cloned().map(Some).collect(),
    };
    let mut moved = Vec::new();
    for profile in each {
        let migrate = Migrate {
            from: from.clone(),
            to: to.clone(),
            profile,
            dry_run: import.dry_run,
            overwrite: import.overwrite,
            delete_source: import.delete_source,
        };
        moved.extend(keys::moved(Global { session_backend: None, ..global.clone() }, &migrate)?);
    }
    let done = keys::summary(import.dry_run, &moved)?;
    if !import.dry_run {
        speech::say(&format!("`--backend {to}` or AWS_VAULT_BACKEND={to} uses them from now on"));
    }
    Ok(done)
}

/// Whether a key is to be taken over; who names none wants all.
fn is_wanted(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|one| one == name)
}

fn credentials_file(path: Option<PathBuf>, wanted: &[String]) -> Result<Vec<(String, Lease)>, Wrong> {
    let path = path
        .or_else(|| environment("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from))
        .unwrap_or_else(|| desk::home().join(".aws").join("credentials"));
    let text = read(&path)?;
    // The sections of this file have bare names; those of the profile file say `profile` in front. The first one may stand
    // behind a byte order mark.
    let named: String = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(|line| match line.trim().strip_prefix('[') {
            Some(rest) if rest != "default]" => format!("[profile {rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let file =
        File::parse(&named, &path).map_err(|error| Wrong(Failure::of(&error).maybe_hint(error.hint())))?;
    let mut found = Vec::new();
    for name in file.profiles().filter(|name| is_wanted(wanted, name)) {
        let Some(section) = file.section(name) else { continue };
        let lacks = match (section.get("aws_access_key_id"), section.get("aws_secret_access_key")) {
            (Some(id), Some(secret)) => {
                let token = section.get("aws_session_token");
                found.push((name.to_owned(), key(name, (id, secret), token)?));
                continue;
            }
            (Some(_), None) => "has no aws_secret_access_key",
            (None, Some(_)) => "has no aws_access_key_id",
            (None, None) => "holds no key",
        };
        speech::say(&format!("{name}: left out, it {lacks}"));
    }
    Ok(found)
}

/// `User name,…,Access key ID,Secret access key,…`: the columns differ between versions of the console.
fn csv(path: &Path, wanted: &[String]) -> Result<Vec<(String, Lease)>, Wrong> {
    let text = read(path)?;
    let shown = path.display();
    let refused = |what: String| Wrong::new(format!("`{shown}`: {what}")).hint("nothing was stored");
    let mut rows = csv::rows(&text)
        .map_err(|error| {
            refused(error.to_string())
                .hint("a value with a comma or a quote in it stands in quotes; nothing was stored")
        })?
        .into_iter();
    let head = rows.next().map(|row| row.cells).unwrap_or_default();
    let column = |name: &str| head.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
    let (Some(id), Some(secret)) = (column("access key id"), column("secret access key")) else {
        return Err(Wrong::new(format!("`{shown}` has no columns `Access key ID` and `Secret access key`")));
    };
    let user = column("user name");
    let (mut found, mut lines) = (Vec::new(), BTreeMap::new());
    for csv::Row { line, cells } in rows {
        let cell = |at: usize| cells.get(at).map(|cell| cell.trim()).unwrap_or_default();
        let name = user.map(cell).filter(|name| !name.is_empty()).unwrap_or("default");
        if !is_wanted(wanted, name) {
            continue;
        }
        if name.contains(char::is_control) {
            return Err(refused(format!("line {line}: the user name is none")));
        }
        if let Some(before) = lines.insert(name.to_owned(), line) {
            return Err(refused(format!("`{name}` is there twice, in lines {before} and {line}"))
                .hint("a profile has one key: delete the line of the other one; nothing was stored"));
        }
        if !is_key_id(cell(id)) {
            return Err(refused(format!("line {line}: the access key id of `{name}` is none")));
        }
        found.push((name.to_owned(), key(name, (cell(id), cell(secret)), None)?));
    }
    Ok(found)
}

/// Whether IAM could have given it, by the pattern of its API.
fn is_key_id(text: &str) -> bool {
    (16..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A key of a file, unless part of it is missing or can't be one: then nothing of the file is stored.
fn key(name: &str, (id, secret): (&str, &str), token: Option<&str>) -> Result<Lease, Wrong> {
    let part = |what: &str, text: &str| keys::one_word(&format!("{what} of `{name}`"), text.to_owned());
    Ok(Lease {
        access_key_id: part("the access key id", id)?,
        secret_access_key: guarded(part("the secret access key", secret)?)?,
        session_token: token.map(|token| guarded(part("the session token", token)?)).transpose()?,
        expiration: None,
    })
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<String>, Wrong> {
    std::fs::read_to_string(path)
        .map(zeroize::Zeroizing::new)
        .map_err(|error| Wrong(Failure::doing(format!("could not read `{}`", path.display()), &error)))
}
