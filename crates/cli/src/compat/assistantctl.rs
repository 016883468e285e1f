//! The link `assistantctl`: the commands `llm auth …` of that program. Its token sink is a file.
//!
//! Tokens are arguments there, so they are taken, and it is said what that means. Nothing else of the program is spoken.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use cloud::sign_in::{CLIENT, CODEX, ISSUER, Rank, Renew};
use foreign::flags::{Flag, Given, Words, shown, table};
use memory::Secret;

use crate::args::Format;
use crate::args::llm::Issuer;
use crate::failure::{Failure, Outcome};
use crate::llm::{self, Ask, By, From, How, Sink};
use crate::print::{Printer, problem};
use crate::typed;

/// Does what was typed behind the link.
pub(crate) fn linked(words: &[OsString]) -> ExitCode {
    let printer = Printer::new(Format::Table);
    let done = memory::conceal().map_err(|error| Failure::of(&error)).and_then(|()| obey(words, printer));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            problem::print(&failure, printer);
            ExitCode::from(failure.exit_status().min(1))
        }
    }
}

fn obey(typed: &[OsString], printer: Printer) -> Outcome {
    let text = |word: &OsString| word.to_str().map(str::to_owned);
    let typed: Option<Vec<String>> = typed.iter().map(text).collect();
    let typed = typed.ok_or_else(|| Failure::usage("a word of the command line is not UTF-8"))?;
    let parted = Words::split(&typed, &SWITCHES);
    let words: Vec<&str> = parted.words.iter().map(String::as_str).collect();
    if parted.wants_help() || words.is_empty() {
        return Printer::text(&help());
    }
    let (Some(&"llm"), Some(&"auth")) = (words.first(), words.get(1)) else {
        return Err(Failure::usage("this is doorward, which speaks `assistantctl llm auth` only")
            .hint("`doorward --help` shows what it does; `doorward compat remove DIR --name assistantctl` takes this link away"));
    };
    let command = words.get(2).copied().unwrap_or_default();
    let known = flags_of(command).ok_or_else(|| {
        Failure::usage(format!("unknown llm auth command: {}", shown(command).trim_matches('`')))
    })?;
    let wrong = |error: foreign::flags::Error| Failure::usage(error.to_string()).maybe_hint(error.hint);
    let given = parted.check(&known).map_err(wrong)?;
    let names_one = matches!(command, "use" | "remove");
    if let Some(extra) = words.get(if names_one { 4 } else { 3 }) {
        return Err(Failure::usage(format!("the word {} is too much", shown(extra))));
    }
    let id = || {
        let id = words.get(3).map(|id| (*id).to_owned());
        id.ok_or_else(|| {
            Failure::usage("the name of a profile is missing").hint("`llm auth list` shows them")
        })
    };
    let renew = given.one("refresh").map(|word| if word == "true" { Renew::WhenDue } else { Renew::Never });
    let ask = match command {
        "import" => Ask::Import(from(&given)?, how(&given)),
        "login" => login(&given)?,
        "list" => Ask::List,
        "use" => Ask::Use(id()?, renew),
        "remove" => Ask::Remove(id()?),
        _ => Ask::Refresh(given.one("profile-id").map(str::to_owned), issuer(&given)),
    };
    let file = given.one("auth-path").filter(|path| !path.is_empty()).map(PathBuf::from);
    llm::obey(ask, &Sink::File(file.map_or_else(llm::default_file, Ok)?), printer)
}

fn from(given: &Given) -> Outcome<From> {
    let path = |name: &str| {
        given.one(name).map(|path| Some(path).filter(|path| !path.is_empty()).map(PathBuf::from))
    };
    let provider = given.one("provider").filter(|name| !name.is_empty()).unwrap_or(CODEX).to_owned();
    if let Some(access) = given.one("access-token").filter(|token| !token.is_empty()) {
        let refresh = given.one("refresh-token").filter(|token| !token.is_empty());
        if access != "-" || refresh.is_some_and(|token| token != "-") {
            Printer::say(IN_THE_OPEN);
        }
        let (access, refresh) = if access == "-" {
            typed::tokens(refresh == Some("-"))?
        } else {
            (guarded(access)?, refresh.map(guarded).transpose()?)
        };
        let ends = given.one("expires-at").map(str::to_owned);
        return Ok(From::Tokens { access, refresh, ends, provider });
    }
    for name in ["refresh-token", "expires-at"] {
        if given.one(name).is_some_and(|value| !value.is_empty()) {
            return Err(Failure::usage(format!("`--{name}` is for `--access-token`, which is not there")));
        }
    }
    if provider != CODEX {
        return Err(Failure::usage(llm::ONLY_CODEX));
    }
    // Named without a value, it is looked for where it usually is.
    Ok(match path("openclaw-auth") {
        Some(file) => From::OpenClaw(file),
        None => From::Codex(path("codex-auth").flatten()),
    })
}

fn login(given: &Given) -> Outcome<Ask> {
    let mut how = how(given);
    let by = if given.one("pkce") == Some("true") {
        how.renew = Renew::WhenDue;
        let port = given.one("port").unwrap_or("1455").parse();
        By::Browser(issuer(given), port.map_err(|_| Failure::usage("`-port` is the number of a port"))?)
    } else {
        By::Codex(given.one("codex-auth").filter(|path| !path.is_empty()).map(PathBuf::from))
    };
    Ok(Ask::Login(by, how))
}

fn how(given: &Given) -> How {
    How {
        id: given.one("profile-id").filter(|id| !id.is_empty()).map(str::to_owned),
        rank: if given.one("set-default") == Some("false") { Rank::OneOfMany } else { Rank::Default },
        renew: if given.one("refresh") == Some("true") { Renew::WhenDue } else { Renew::Never },
    }
}

fn issuer(given: &Given) -> Issuer {
    let text = |name: &str, usual: &str| given.one(name).unwrap_or(usual).to_owned();
    Issuer { issuer: text("issuer", ISSUER), client_id: text("client-id", CLIENT) }
}

fn guarded(token: &str) -> Outcome<Secret> {
    Secret::new(token.as_bytes().to_vec()).map_err(|error| Failure::of(&error))
}

/// The flags of a command; nothing for one that is not there.
fn flags_of(command: &str) -> Option<Vec<Flag>> {
    let path = || Flag::new("auth-path", "FILE", "the file of profiles");
    let id = || Flag::new("profile-id", "ID", "the name of the profile");
    let codex = || Flag::new("codex-auth", "FILE", "the file of Codex");
    let default =
        || Flag::switch("set-default", "whether the provider takes it from now on; true without it");
    let refresh = || {
        Flag::switch("refresh", "renew it when it is due; whoever it was taken over from will be signed out")
    };
    let issuer = || {
        [Flag::new("issuer", "URL", "who signs people in"), Flag::new("client-id", "ID", "as which client")]
    };
    Some(match command {
        "import" => vec![
            codex(),
            Flag::new("openclaw-auth", "FILE", "the file of OpenClaw; empty: the newest of its agents"),
            Flag::new("access-token", "TOKEN", "an access token; `-` reads it from stdin"),
            Flag::new("refresh-token", "TOKEN", "a refresh token; `-` reads it as the second line"),
            Flag::new("expires-at", "DATE", "when the access token ends"),
            Flag::new("provider", "NAME", "whose it is; openai-codex without it"),
            id(),
            default(),
            refresh(),
            path(),
        ],
        "login" => {
            let own = [
                codex(),
                Flag::switch("pkce", "sign in with a browser, without Codex"),
                Flag::new("port", "PORT", "where the browser comes back to"),
            ];
            own.into_iter().chain(issuer()).chain([id(), default(), refresh(), path()]).collect()
        }
        "list" | "remove" => vec![path()],
        "use" => vec![refresh(), path()],
        "refresh" => issuer().into_iter().chain([id(), path()]).collect(),
        _ => return None,
    })
}

fn help() -> String {
    let mut text =
        "doorward, as assistantctl: sign-ins for language models in ~/.carapulse/auth-profiles.json\n"
            .to_owned();
    for (command, about) in [
        ("import", "take a sign-in over"),
        ("login", "sign in with `codex login`, or with a browser"),
        ("list", "list profiles, without their tokens"),
        ("use", "make a profile the default of its provider: `use ID`"),
        ("remove", "forget a profile: `remove ID`"),
        ("refresh", "renew a profile where it is due"),
    ] {
        let flags = flags_of(command).unwrap_or_default();
        text.push_str(&format!("\nassistantctl llm auth {command}: {about}\n{}", table(&flags)));
    }
    text
}

const SWITCHES: [&str; 5] = ["set-default", "refresh", "pkce", "help", "h"];
const IN_THE_OPEN: &str = "warning: a token on the command line is seen by every user of this machine in the list of processes, and the shell keeps it; `-` reads it from stdin";
