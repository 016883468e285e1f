//! The capability that a run is to have: brought by name, brought in a file, or asked for now.

use std::path::Path;

use memory::Secret;
use model::{CapabilityId, RunId};
use policy::{Caveat, HolderIs, Token};
use serde_json::{Value, json};

use super::broker::Agent;
use crate::args::run::Run;
use crate::failure::{Failure, Outcome};
use crate::{context, typed};

/// What a run is to have.
pub(super) enum Brought {
    /// A capability of the agent, by its name; the run gets a narrowing of it.
    Name(CapabilityId),
    /// The same, asked for by this command, and revoked by it in the end.
    Requested(CapabilityId),
    /// A bearer, narrowed to the run by this command.
    Bearer(Secret),
}

impl Brought {
    /// What was typed, resolved.
    pub(super) fn of(run: &Run, agent: &Agent, id: RunId) -> Outcome<Self> {
        match (&run.capability, &run.resource) {
            (_, Some(resource)) => request(run, resource, agent),
            (Some(written), None) => match written.parse::<CapabilityId>() {
                Ok(name) => Ok(Self::Name(name)),
                Err(_) => read(Path::new(written), id),
            },
            (None, None) => Err(Failure::usage("nothing was said that the program may do")
                .hint("`--capability NAME` or FILE, or `--resource op:/slack/chat.post --action write`")),
        }
    }

    /// Revokes what was asked for by this command.
    pub(super) fn revoke(&self, agent: &Agent, keep: bool) {
        if let Self::Requested(id) = self
            && !keep
            && let Err(failure) = agent.revoke(*id)
        {
            // It is bound to a run that has ended, and over in minutes.
            tracing::warn!(capability = %id, error = %failure.message, "the capability could not be revoked");
        }
    }
}

/// Asks for a capability now.
fn request(run: &Run, resource: &str, agent: &Agent) -> Outcome<Brought> {
    let mut wanted = json!({ "resource": resource, "actions": run.actions, "purpose": "doorward run" });
    if let Some(fields) = wanted.as_object_mut() {
        if let Some(ttl) = run.ttl {
            fields.insert("ttl".to_owned(), ttl.into());
        }
        if let Some(uses) = run.max_uses {
            fields.insert("max_uses".to_owned(), uses.into());
        }
    }
    let answer = agent.operate("agent.request", &wanted)?;
    if answer.get("status").and_then(Value::as_str) != Some("granted") {
        return Err(not_granted(&answer, run, resource));
    }
    name_in(&answer).map(Brought::Requested).ok_or_else(|| {
        Failure::new("the broker's answer names no capability")
            .hint("is the running broker of another version? `doorward status`")
    })
}

/// What the answer says of it. It is the agent's policy files that say who may have a capability, and not the policies of calls.
fn not_granted(answer: &Value, run: &Run, resource: &str) -> Failure {
    let message = answer.get("message").and_then(Value::as_str).unwrap_or("the capability was not granted");
    let mut failure = Failure::new(message);
    let Some(decided) = answer.get("policy_result") else { return failure };
    failure.causes.extend(decided.get("reasoning").and_then(Value::as_str).map(ToOwned::to_owned));
    let actions = run.actions.join(",");
    failure.hint(format!(
        "the agent's policy files say who may have a capability (the folder `policies` of the home): `doorward policy check-files \
         FOLDER --resource {resource} --action {actions} --as IDENTITY` asks them"
    ))
}

/// Reads a file: a bearer as text, or the answer of a request with one or with a name.
fn read(path: &Path, id: RunId) -> Outcome<Brought> {
    let text = typed::text(path)?;
    let text = text.trim();
    if !text.starts_with('{') {
        return bearer(text, id);
    }
    let document: Value = serde_json::from_str(text).map_err(|error| {
        Failure::doing(format!("`{}` is neither a capability nor JSON with one", path.display()), &error)
    })?;
    let token = ["/capability/token", "/token"].iter().find_map(|place| document.pointer(place)?.as_str());
    match (token, name_in(&document)) {
        (Some(token), _) => bearer(token, id),
        (None, Some(name)) => Ok(Brought::Name(name)),
        (None, None) => Err(Failure::new(format!("there is no capability in `{}`", path.display()))
            .hint("`doorward capability request --output FILE` writes one")),
    }
}

/// A bearer, narrowed to the run: taken from the broker's memory, it would be of no use to anybody else.
fn bearer(text: &str, id: RunId) -> Outcome<Brought> {
    let token = Token::parse(text)?;
    let narrowing = CapabilityId::new(context::now(), crypto::array().map_err(|error| Failure::of(&error))?);
    let narrowed = token.narrow(&[Caveat::Holder(HolderIs::of_run(id))], narrowing)?;
    Secret::new(narrowed.expose(|text| text.as_bytes().to_vec()))
        .map(Brought::Bearer)
        .map_err(|error| Failure::of(&error))
}

fn name_in(document: &Value) -> Option<CapabilityId> {
    let places = ["/capability/id", "/capability_id", "/id"];
    places.iter().find_map(|place| document.pointer(place)?.as_str()?.parse().ok())
}
