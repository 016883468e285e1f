//! `doorward llm auth` and `assistantctl llm auth`: sign-ins for language models, in our own store or in a file.
//!
//! Both command lines become one [`Ask`] here. What is printed is the name of the sign-in and nothing else, so that scripts can take it.
//!
//! # Invariants
//!
//! - A file that a sign-in is taken over from is read, and never written.
//! - No token is printed, and none is an argument of ours; the compatible command line takes some as arguments and says what
//!   that means.

mod endpoint;
mod file;
mod found;
mod login;
mod sink;

use std::path::PathBuf;

use cloud::sign_in::{self, CODEX, Found, Profile, Rank, Renew};
use memory::Secret;
use model::Timestamp;
use serde_json::{Value, json};

use crate::args::llm::{Auth, Import, Issuer, Kept, Llm, Login};
use crate::context::{self, Context};
use crate::failure::{Failure, Outcome};
use crate::print::Printer;
use crate::print::table::{self, at};
use crate::{start, typed};

pub(crate) use sink::{Sink, default_file};

/// Something to do with sign-ins.
pub(crate) enum Ask {
    /// Take one over.
    Import(From, How),
    /// Make one.
    Login(By, How),
    /// Show what there is.
    List,
    /// Choose one, and say whether it is renewed.
    Use(String, Option<Renew>),
    /// Forget one.
    Remove(String),
    /// Renew one of a file where it is due.
    Refresh(Option<String>, Issuer),
}

/// From where one is taken over.
pub(crate) enum From {
    /// A file of Codex; `None` is its usual place.
    Codex(Option<PathBuf>),
    /// A file of OpenClaw; `None` is the newest.
    OpenClaw(Option<PathBuf>),
    /// Tokens.
    Tokens {
        /// The access token.
        access: Secret,
        /// The refresh token.
        refresh: Option<Secret>,
        /// When the access token ends, as it was written.
        ends: Option<String>,
        /// Whose they are.
        provider: String,
    },
}

/// By what one is made.
pub(crate) enum By {
    /// By the program `codex`, and its file.
    Codex(Option<PathBuf>),
    /// By a browser that comes back to this port.
    Browser(Issuer, u16),
}

/// How one is kept.
pub(crate) struct How {
    pub(crate) id: Option<String>,
    pub(crate) rank: Rank,
    pub(crate) renew: Renew,
}

/// `doorward llm`.
pub(crate) fn run(context: &Context, llm: Llm) -> Outcome {
    let Llm::Auth(auth) = llm;
    let (ask, file) = match auth {
        Auth::Import(import) => {
            let file = import.kept.place.auth_path.clone();
            (imported(import)?, file)
        }
        Auth::Login(login) => {
            let Login { codex_auth, pkce, port, issuer, kept } = login;
            let file = kept.place.auth_path.clone();
            let by = if pkce { By::Browser(issuer, port) } else { By::Codex(codex_auth) };
            let mut how = kept_as(kept);
            if pkce {
                // Nobody else has its refresh token.
                how.renew = Renew::WhenDue;
            }
            (Ask::Login(by, how), file)
        }
        Auth::List(place) => (Ask::List, place.auth_path),
        Auth::Use(wanted) => {
            let renew = match (wanted.refresh, wanted.no_refresh) {
                (true, _) => Some(Renew::WhenDue),
                (_, true) => Some(Renew::Never),
                _ => None,
            };
            (Ask::Use(wanted.id, renew), wanted.place.auth_path)
        }
        Auth::Remove(wanted) => (Ask::Remove(wanted.id), wanted.place.auth_path),
        Auth::Refresh(wanted) => (Ask::Refresh(wanted.profile_id, wanted.issuer), Some(wanted.auth_path)),
    };
    let sink = file.map_or(Sink::Home(context), Sink::File);
    obey(ask, &sink, context.printer)
}

/// Does what was asked for.
pub(crate) fn obey(ask: Ask, sink: &Sink<'_>, printer: Printer) -> Outcome {
    match ask {
        Ask::Import(from, how) => {
            let (provider, found) = taken(from, how.renew)?;
            keep((provider, found), how, sink, printer)
        }
        Ask::Login(by, how) => {
            let found = match by {
                By::Codex(file) => login::with_codex(file.as_deref(), how.renew)?,
                By::Browser(issuer, port) => login::with_a_browser(&issuer, port)?,
            };
            keep((CODEX.to_owned(), found), how, sink, printer)
        }
        Ask::List => printer.answer(&json!({ "profiles": sink.list()? }), listed),
        Ask::Use(id, renew) => {
            sink.prefer(&id, renew)?;
            if renew == Some(Renew::WhenDue) {
                Printer::say(SIGNED_OUT);
            }
            told(&id, printer)
        }
        Ask::Remove(id) => {
            sink.remove(&id)?;
            told(&id, printer)
        }
        Ask::Refresh(id, issuer) => told(&sink.refresh(id.as_deref(), &issuer)?, printer),
    }
}

fn imported(import: Import) -> Outcome<Ask> {
    let Import { codex_auth, openclaw_auth, access_token, refresh_token, expires_at, provider, rest, kept } =
        import;
    if !rest.is_empty() {
        return Err(start::as_argument());
    }
    let from = if access_token {
        let (access, refresh) = typed::tokens(refresh_token)?;
        From::Tokens { access, refresh, ends: expires_at, provider }
    } else if provider != CODEX {
        return Err(Failure::usage(ONLY_CODEX));
    } else if let Some(file) = openclaw_auth {
        From::OpenClaw(Some(file).filter(|file| !file.as_os_str().is_empty()))
    } else {
        From::Codex(codex_auth)
    };
    Ok(Ask::Import(from, kept_as(kept)))
}

fn kept_as(kept: Kept) -> How {
    let Kept { profile_id, set_default, refresh, place: _ } = kept;
    How {
        id: profile_id,
        rank: if set_default { Rank::Default } else { Rank::OneOfMany },
        renew: if refresh { Renew::WhenDue } else { Renew::Never },
    }
}

/// Reads it where it is.
fn taken(from: From, renew: Renew) -> Outcome<(String, Found)> {
    let now = context::now();
    match from {
        From::Codex(file) => Ok((CODEX.to_owned(), found::codex(file.as_deref(), renew, now)?)),
        From::OpenClaw(file) => Ok((CODEX.to_owned(), found::openclaw(file.as_deref(), renew, now)?)),
        From::Tokens { access, refresh, ends, provider } => {
            let ends = ends.filter(|text| !text.is_empty()).map(|text| text.parse::<Timestamp>());
            let ends = ends.transpose().map_err(|_| {
                Failure::usage("invalid expires-at").hint("write it as `2027-01-01T00:00:00Z`")
            })?;
            let found = Profile::manual(access, refresh, ends);
            Ok((provider, found.fresh("codex", renew, now).map_err(|error| failed(&error))?))
        }
    }
}

fn keep((provider, found): (String, Found), how: How, sink: &Sink<'_>, printer: Printer) -> Outcome {
    let How { id, rank, renew } = how;
    let alone = found.source == "pkce" || found.refresh.is_none();
    let profile = found.named(&provider, id, renew).map_err(|error| failed(&error))?;
    let (id, ends) = (profile.id.clone(), profile.ends);
    sink.put(profile, rank)?;
    match (renew, alone) {
        (Renew::WhenDue, false) => Printer::say(SIGNED_OUT),
        (Renew::Never, false) => Printer::say(&left_alone(ends)),
        (_, true) => {}
    }
    told(&id, printer)
}

fn told(id: &str, printer: Printer) -> Outcome {
    printer.answer(&json!({ "id": id }), |_| id.to_owned())
}

fn listed(document: &Value) -> String {
    let columns = [
        ("id", "id"),
        ("provider", "provider"),
        ("default", "default"),
        ("ends", "expires_at"),
        ("over", "expired"),
        ("renewed here", "renews"),
        ("from", "source"),
    ];
    table::of(
        at(document, "profiles"),
        &columns,
        "No sign-ins yet. `llm auth import` takes one over from Codex.",
    )
}

/// A mistake of a sign-in, with what to do about it.
pub(crate) fn failed(error: &sign_in::Error) -> Failure {
    Failure::of(error).maybe_hint(error.hint())
}

fn left_alone(ends: Option<Timestamp>) -> String {
    let until = ends.map(|ends| format!(" until {ends}")).unwrap_or_default();
    format!(
        "note: this sign-in is used{until} as it is and not renewed; afterwards import it again, or let it be renewed here: `--refresh`"
    )
}

pub(crate) const ONLY_CODEX: &str = "only openai-codex import supported without access-token";
const SIGNED_OUT: &str = "note: this sign-in is renewed here from now on. A refresh token can be used once, so the program that it was taken over from will be signed out; sign in there once more for its own use";
