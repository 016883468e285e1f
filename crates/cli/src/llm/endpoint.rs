//! The issuer of sign-ins, as it is asked from the command line.

use std::path::Path;

use cloud::Talk;
use cloud::sign_in::{self, CODEX, Endpoint, Rank, Renew};
use memory::Secret;

use super::failed;
use super::file::Held;
use crate::args::llm::Issuer;
use crate::aws::desk;
use crate::context;
use crate::failure::{Failure, Outcome};
use crate::wire;

/// The endpoints of an issuer.
pub(super) fn of(issuer: &Issuer) -> Outcome<Endpoint> {
    Endpoint::of(&issuer.issuer, &issuer.client_id).map_err(|error| asked(&error))
}

/// How it is reached.
pub(super) fn talk() -> Outcome<Talk> {
    let egress = desk::reach(None).egress();
    egress.map(Talk::new).map_err(|error| Failure::of(&error).maybe_hint(error.hint()))
}

/// Renews a sign-in of a file where it is due. The file is locked from before it is read until it is replaced, so that whoever asks at
/// the same time finds the new one and asks nobody; the new refresh token is in the file before anybody is told.
pub(super) fn refresh(path: &Path, id: Option<&str>, issuer: &Issuer) -> Outcome<String> {
    let endpoint = of(issuer)?;
    let mut held = Held::open(path)?;
    let chosen = held.profiles.select(CODEX, id).map_err(|error| failed(&error))?;
    let chosen = chosen.ok_or_else(|| failed(&sign_in::Error::Required))?;
    if chosen.renew == Renew::Never {
        let message = format!("the profile `{}` is not renewed here", chosen.id);
        return Err(Failure::new(message).hint(
            "`llm auth use ID --refresh` says that it is; whoever it was taken over from will be signed out",
        ));
    }
    let now = context::now();
    if chosen.is_good(now) {
        return Ok(chosen.id.clone());
    }
    let talk = talk()?;
    let renewed = wire::runtime()?.block_on(endpoint.renew(&talk, chosen, now));
    let renewed = renewed.map_err(|error| {
        let spent = matches!(&error, cloud::Error::Refused(fault) if sign_in::is_spent(fault));
        let failure = asked_without(&error, chosen.refresh.iter().chain([&chosen.access]));
        if spent {
            failure.hint("somebody else has used the refresh token: sign in once more with `llm auth login`")
        } else {
            failure
        }
    })?;
    let id = renewed.id.clone();
    held.profiles.put(renewed, Rank::OneOfMany);
    held.write()?;
    Ok(id)
}

/// What went wrong while an issuer was asked, searched for what it was sent: some repeat it.
pub(super) fn asked_without<'a>(error: &cloud::Error, sent: impl Iterator<Item = &'a Secret>) -> Failure {
    let mut failure = asked(error);
    for secret in sent {
        let Ok(mask) = secrets::Mask::new(secret) else {
            // Too short to be found, so nothing that may have it in it is shown.
            failure.message = "the issuer refused".to_owned();
            failure.causes.clear();
            continue;
        };
        for text in std::iter::once(&mut failure.message).chain(&mut failure.causes) {
            if let Some(masked) = mask.text(text.as_bytes()) {
                *text = String::from_utf8_lossy(&masked.bytes).into_owned();
            }
        }
    }
    failure
}

/// What went wrong before an issuer was asked.
pub(super) fn asked(error: &cloud::Error) -> Failure {
    Failure::of(error).maybe_hint(error.hint())
}
