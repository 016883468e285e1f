//! What is asked of the broker: to open a run, to end it, and operations for its capability.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use model::{CapabilityId, Code, Refusal, RunId};
use net::Body;
use net::plain::{Place, Plain};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::Brought;
use crate::args::Global;
use crate::failure::{Failure, Outcome};
use crate::{settings, wire};

/// A broker that answers.
pub(super) struct Agent {
    plain: Plain,
    runtime: tokio::runtime::Runtime,
}

/// A run that is open.
#[derive(Deserialize)]
pub(super) struct Opened {
    /// Its name.
    pub(super) run: RunId,
    /// Where it is heard.
    pub(super) socket: PathBuf,
    /// The name of its capability, where it has one.
    #[serde(default)]
    pub(super) capability: Option<CapabilityId>,
}

#[derive(Deserialize)]
struct Told {
    answer: Value,
}

/// A refusal as the door prints it (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
    hint: Option<String>,
}

impl Agent {
    /// The broker at this socket: what was typed, the variable of the environment, else the home's.
    pub(super) fn find(typed: Option<&Path>, global: &Global) -> Outcome<Self> {
        let told = || settings::environment(SOCKET).map(PathBuf::from);
        let socket = match typed.map(Path::to_owned).or_else(told) {
            Some(path) => path,
            None => settings::home(global, &settings::environment)?.socket(),
        };
        if let Err(error) = std::os::unix::net::UnixStream::connect(&socket) {
            return Err(Failure::doing(format!("no agent answers at `{}`", socket.display()), &error)
                .hint("start one with `doorward agent start` or `doorward up`, or name its socket with `--socket-path`"));
        }
        Ok(Self {
            plain: Plain::new(Place::Unix(socket), PATIENCE, LARGEST_ANSWER),
            runtime: wire::runtime()?,
        })
    }

    /// Opens a run.
    #[expect(clippy::disallowed_methods, reason = "hands the bearer to the broker over its socket")]
    pub(super) fn open(&self, run: RunId, brought: &Brought, keep: bool) -> Outcome<Opened> {
        let mut path = format!("/v1/runs?run={run}");
        let mut body = Bytes::new();
        match brought {
            Brought::Name(id) | Brought::Requested(id) => path.push_str(&format!("&capability={id}")),
            Brought::Bearer(token) => body = token.expose(Bytes::copy_from_slice),
        }
        if let Brought::Requested(_) = brought {
            // Where this process is killed, the broker does what it would have done.
            path.push_str("&after=revoke");
        }
        if keep {
            path.push_str("&keep=group");
        }
        serde_json::from_value(self.post(&path, body)?).map_err(|error| strange(&error))
    }

    /// Ends a run.
    pub(super) fn end(&self, run: RunId) -> Outcome {
        self.post(&format!("/v1/runs/{run}/end"), Bytes::new()).map(drop)
    }

    /// Performs one operation of the agent; what it wants is JSON.
    pub(super) fn operate(&self, operation: &str, wanted: &Value) -> Outcome<Value> {
        let told =
            self.post(&format!("/v1/operations/doorward/{operation}"), Bytes::from(wanted.to_string()))?;
        let told: Told = serde_json::from_value(told).map_err(|error| strange(&error))?;
        Ok(told.answer)
    }

    /// Revokes a capability by its name.
    pub(super) fn revoke(&self, id: CapabilityId) -> Outcome {
        let wanted = json!({ "capability_id": id, "reason": "the run that it was asked for has ended" });
        self.operate("agent.revoke", &wanted).map(drop)
    }

    fn post(&self, path: &str, body: Bytes) -> Outcome<Value> {
        let request = Request::post(path).header(http::header::CONTENT_TYPE, "application/octet-stream");
        let request = request
            .body(Body::full(body))
            .map_err(|error| Failure::doing("could not write the request", &error))?;
        let reply = self.runtime.block_on(self.plain.send(request))?;
        if reply.status().is_success() {
            return serde_json::from_slice(reply.body()).map_err(|error| strange(&error));
        }
        let problem: Problem = serde_json::from_slice(reply.body()).map_err(|error| strange(&error))?;
        let code = Code::from_word(&problem.code).ok_or_else(|| {
            Failure::new(format!("the broker refused with `{}`", problem.code)).hint(VERSIONS)
        })?;
        let mut refusal = Refusal::new(code, problem.detail);
        refusal.hint = problem.hint;
        Err(refusal.into())
    }
}

fn strange(error: &serde_json::Error) -> Failure {
    Failure::doing("the broker's answer can't be understood", error).hint(VERSIONS)
}

const VERSIONS: &str = "is the running broker of another version? `doorward status`";
/// The variable by which programs find the agent.
pub(super) const SOCKET: &str = "VAULT_AGENT_SOCKET_PATH";
const PATIENCE: Duration = Duration::from_secs(60);
const LARGEST_ANSWER: usize = 1 << 20;
