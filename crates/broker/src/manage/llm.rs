//! Sign-ins at services of language models go in, are chosen and forgotten. Nothing gives a token back.

use cloud::sign_in::{Error, Profile, Rank, Renew};
use model::{Code, Refusal};
use serde_json::{Value, json};

use super::Managing;
use crate::outgoing::place_of_profile;

/// Stores a sign-in under its name, in the place of one that has it already.
pub(super) async fn import(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    let (id, provider) = (managing.input("id")?.to_owned(), managing.input("provider")?.to_owned());
    let rank = match managing.inputs.get("default").map(String::as_str) {
        Some("false") => Rank::OneOfMany,
        _ => Rank::Default,
    };
    let payload = managing.payload()?.into_secret();
    #[expect(clippy::disallowed_methods, reason = "reads the sign-in that is stored")]
    let profile = payload.expose(|bytes| Profile::read(bytes, "what came with the operation"));
    let profile = profile.map_err(|error| refused(&error))?;
    // What is permitted and recorded is what is stored.
    if profile.id != id || profile.provider != provider {
        return Err(Refusal::new(
            Code::BadRequest,
            "the sign-in that came is another one than the inputs name",
        ));
    }
    let answer = json!({
        "id": profile.id, "provider": profile.provider, "account": profile.account, "expires_at": profile.ends,
        "renews": profile.renew == Renew::WhenDue, "default": rank == Rank::Default,
    });
    let proofs = (&managing.admitted.permit, managing.receipt);
    let stored = managing.unsealed.secrets().change_sign_ins(proofs, move |all| {
        all.put(profile, rank);
        Ok(())
    });
    done(stored.await)?;
    Ok(answer)
}

/// Every sign-in, without its tokens.
pub(super) async fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let now = managing.worker.broker().now();
    let proofs = (&managing.admitted.permit, managing.receipt);
    let secrets = managing.unsealed.secrets();
    let (mut listed, renewing) =
        done(secrets.sign_ins(proofs, move |all| Ok((all.list(now), all.renewing()?))).await)?;
    for (id, began) in renewing {
        let newest = secrets.newest_renewal(proofs, (&place_of_profile(&id), &began)).await;
        let newest = newest.map_err(|error| crate::broker::refused(&error, error.code(), error.hint()))?;
        let row = listed.as_array_mut().into_iter().flatten().find(|row| row["id"] == *id);
        if let (Some(newest), Some(row)) = (newest, row) {
            #[expect(clippy::disallowed_methods, reason = "reads when the sign-in ends that is in use")]
            let newest = newest.expose(|bytes| Profile::read(bytes, "the kept sign-in"));
            let newest = newest.map_err(|error| refused(&error))?;
            // It is this one that serves.
            row["expires_at"] = json!(newest.ends);
            row["expired"] = json!(newest.has_ended(now));
        }
    }
    Ok(json!({ "profiles": listed }))
}

/// Makes a sign-in the one that its provider takes, and says whether it is renewed.
pub(super) async fn use_it(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let id = managing.input("id")?.to_owned();
    let renew = managing.inputs.get("refresh").map(|word| match word.as_str() {
        "true" => Renew::WhenDue,
        _ => Renew::Never,
    });
    let proofs = (&managing.admitted.permit, managing.receipt);
    let changed = managing.unsealed.secrets().change_sign_ins(proofs, move |all| {
        let used = all.prefer(&id, renew)?;
        Ok(json!({ "id": used.id, "provider": used.provider, "renews": used.renew == Renew::WhenDue }))
    });
    done(changed.await)
}

/// Forgets a sign-in, and what its refresh token was exchanged for.
pub(super) async fn remove(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let id = managing.input("id")?.to_owned();
    let proofs = (&managing.admitted.permit, managing.receipt);
    let secrets = managing.unsealed.secrets();
    let owned = id.clone();
    done(secrets.change_sign_ins(proofs, move |all| all.take(&owned).map(drop)).await)?;
    let forgotten = secrets.forget_renewal(proofs, &place_of_profile(&id)).await;
    forgotten.map_err(|error| crate::broker::refused(&error, error.code(), error.hint()))?;
    Ok(json!({ "id": id, "state": "removed" }))
}

fn done<T>(result: Result<Result<T, Error>, secrets::Error>) -> Result<T, Refusal> {
    let result = result.map_err(|error| crate::broker::refused(&error, error.code(), error.hint()))?;
    result.map_err(|error| refused(&error))
}

fn refused(error: &Error) -> Refusal {
    let code = match error {
        Error::NoProfile(_) => Code::NotFound,
        Error::Unrenewable(..) => Code::SecretMissing,
        _ => Code::BadRequest,
    };
    crate::broker::refused(error, code, error.hint())
}
