//! The issuer of sign-ins, as it is asked from the command line.

use std::path::Path;

use cloud::Talk;
use cloud::sign_in::{self, CODEX, Endpoint, Rank, Renew};

use super::failed;
use super::file::Held;
use crate::args::llm::Issuer;
use crate::aws::reach::reach;
use crate::context;
use crate::failure::{Failure, Outcome};
use crate::wire;

/// The endpoints of an issuer.
pub(super) fn of(issuer: &Issuer) -> Outcome<Endpoint> {
    Endpoint::of(&issuer.issuer, &issuer.client_id).map_err(|error| asked(&error))
}

/// How it is reached.
pub(super) fn talk() -> Outcome<Talk> {
    let egress = reach(None).egress();
    egress
        .map(|egress| Talk::new(egress, secrets::said_without))
        .map_err(|error| Failure::of(&error).maybe_hint(error.hint()))
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
        let failure = asked(&error);
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

/// What went wrong while a code was exchanged. What an issuer does not take there is the code, and no key.
pub(super) fn exchanged(error: &cloud::Error) -> Failure {
    match error {
        cloud::Error::Refused(fault) if fault.code == "invalid_grant" => asked(error)
            .hint("the code was too old, used already, or made for another client: sign in once more"),
        _ => asked(error),
    }
}

/// What went wrong before an issuer was asked, or while it was.
pub(super) fn asked(error: &cloud::Error) -> Failure {
    Failure::of(error).maybe_hint(error.hint())
}
