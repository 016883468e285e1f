//! Capabilities that are asked for at the start and kept ready: a file with a list of requests, each as a client would send it.
//!
//! They are asked for down the path in the owner's name, so policies decide and there is evidence. One that ends is asked for
//! anew before it does; one that is denied is said once and asked for again later, because policies change.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broker::{Outbound, Payload, Worker};
use model::{Inputs, Refusal};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::owner;
use crate::failure::{Failure, Outcome};
use crate::print::Printer;
use crate::print::table::{at, cell};

/// Requests, and when each is due.
#[derive(Debug, Default)]
pub(crate) struct Preauthorized {
    wanted: Vec<(Map<String, Value>, Instant)>,
}

impl Preauthorized {
    /// Reads the file. Every request in it is due at once.
    ///
    /// # Errors
    /// The line that is wrong.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::doing(format!("could not read `{shown}`"), &error))?;
        let read = catalog::yaml::read(&text, &shown);
        let requests: Vec<Map<String, Value>> = read.map_err(|error| Failure::from(error).hint(EXAMPLE))?;
        if requests.len() > MOST {
            return Err(Failure::usage(format!("`{shown}` has more than {MOST} requests")));
        }
        let now = Instant::now();
        Ok(Self { wanted: requests.into_iter().map(|request| (request, now)).collect() })
    }

    /// Waits until one is due; for ever where there is none.
    pub(super) async fn due(&self) {
        match self.wanted.iter().map(|(_, due)| *due).min() {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    /// Asks for those that are due.
    pub(super) async fn renew(&mut self, worker: &Arc<Worker>) {
        for (request, due) in &mut self.wanted {
            if *due > Instant::now() {
                continue;
            }
            let resource = request.get("resource").map(cell).unwrap_or_default();
            let after = match ask(worker, request).await {
                Ok(told) if at(&told, "status").as_str() == Some("granted") => {
                    let ttl = at(&told, "capability.ttl").as_u64().unwrap_or_default();
                    Duration::from_secs(ttl.saturating_mul(4) / 5).max(SHORTEST)
                }
                Ok(told) => {
                    Printer::say(&format!(
                        "Warning: `{resource}` was not granted in advance: {}",
                        cell(at(&told, "message"))
                    ));
                    AGAIN
                }
                Err(refusal) => {
                    Printer::say(&format!(
                        "Warning: `{resource}` was not granted in advance: {}",
                        refusal.message
                    ));
                    AGAIN
                }
            };
            *due = Instant::now() + after;
        }
    }
}

/// One request in the name of the owner.
async fn ask(worker: &Arc<Worker>, request: &Map<String, Value>) -> Result<Value, Refusal> {
    let text = Value::Object(request.clone()).to_string();
    let payload = Some(Payload::new(text.into_bytes())?);
    match owner::operate(worker, "agent.request", (Inputs::new(), payload), None).await? {
        Outbound::Answer(answer) => Ok(answer.value),
        Outbound::Reply(..) | Outbound::Lease(..) => {
            Err(Refusal::new(model::Code::UpstreamReply, "the operation gave something else than an answer"))
        }
    }
}

/// What such a file looks like.
const EXAMPLE: &str =
    "it is a list of requests, such as `- {resource: \"secret:/db/primary\", actions: [read]}`";
/// Most requests of a file.
const MOST: usize = 256;
/// The shortest time between two requests for the same.
const SHORTEST: Duration = Duration::from_secs(1);
/// When one that was not granted is asked for again.
const AGAIN: Duration = Duration::from_secs(60);
