//! Round after round: what waits is written where people look, what is over is changed there, and labels are looked at.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use model::{Code, Inputs, IntegrationName};
use serde_json::Value;

use super::kept::Kept;
use super::later::Later;
use crate::failure::{Kind, Outcome};
use crate::management::{Running, Who};
use crate::print::Printer;

/// Where people answer.
pub(super) struct Places {
    pub(super) slack: bool,
    /// The integration of Linear, where it is a place.
    pub(super) linear: Option<IntegrationName>,
}

impl Places {
    pub(super) const fn any(&self) -> bool {
        self.slack || self.linear.is_some()
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let linear = self.linear.is_some().then_some("linear");
        self.slack.then_some("slack").into_iter().chain(linear)
    }
}

/// What goes round.
pub(super) struct Rounds {
    running: Running,
    places: Places,
    kept: Kept,
    /// What failed.
    later: Later,
}

impl Rounds {
    pub(super) fn new(running: Running, places: Places, kept: Kept) -> Self {
        Self { running, places, kept, later: Later::default() }
    }

    /// Goes round until it is told to stop. Somebody who answered wakes it.
    pub(super) fn go(mut self, every: Duration, woken: &Receiver<()>, stopped: &Receiver<()>) -> Outcome {
        while stopped.try_recv().is_err() {
            if let Err(failure) = self.once() {
                // The broker may be restarting; what could not be written down is told again.
                Printer::say(&format!("warning: {failure}"));
            }
            match woken.recv_timeout(every) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(())
    }

    fn once(&mut self) -> Outcome {
        self.labels()?;
        let listed = self.running.look("approval.list", &[("state", "pending")])?;
        let pending: BTreeSet<String> = listed
            .get("approvals")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|one| Some(one.get("id")?.as_str()?.to_owned()))
            .collect();
        for place in self.places.names().collect::<Vec<_>>() {
            for id in &pending {
                if !self.kept.at(place).contains_key(id) {
                    self.tell(place, id, None)?;
                }
            }
            let over: Vec<(String, String)> = self
                .kept
                .at(place)
                .iter()
                .filter(|(id, _)| !pending.contains(*id))
                .map(|(id, at)| (id.clone(), at.clone()))
                .collect();
            for (id, at) in over {
                self.tell(place, &id, Some(&at))?;
            }
        }
        Ok(())
    }

    /// Writes a question, or over it what became of it. What fails is tried again a few times, ever later.
    fn tell(&mut self, place: &'static str, id: &str, at: Option<&str>) -> Outcome {
        let key = (place, id.to_owned());
        if self.later.rests(&key, Instant::now()) {
            return Ok(());
        }
        let mut inputs = vec![("id", id), ("via", place)];
        inputs.extend(at.map(|at| ("at", at)));
        match self.asked("approval.tell", &inputs) {
            Ok(value) => {
                self.later.forget(&key);
                let written = value.get("at").and_then(Value::as_str).map(str::to_owned);
                self.kept.put(place, id, written.filter(|_| at.is_none()))
            }
            Err(failure) => {
                let why = format!("warning: `{id}` was not told by {place}: {failure}");
                Printer::say(&why);
                let failed = self.later.failed(key.clone(), (Instant::now(), LONGEST_WAIT), why);
                if failed.failures >= MOST_TRIES && at.is_some() {
                    // It was decided all the same; only the place does not say so.
                    self.later.forget(&key);
                    return self.kept.put(place, id, None);
                }
                Ok(())
            }
        }
    }

    /// Looks which issues have a label that answers.
    fn labels(&mut self) -> Outcome {
        let Some(integration) = self.places.linear.clone() else { return Ok(()) };
        let kept: Vec<(String, String)> =
            self.kept.at("linear").iter().map(|(id, issue)| (id.clone(), issue.clone())).collect();
        if kept.is_empty() {
            return Ok(());
        }
        let waiting = self.unanswered(&integration)?;
        for (id, issue) in kept {
            let key = ("label", id.clone());
            if waiting.contains(&issue) {
                // Whatever did not count is not there any more.
                self.later.forget(&key);
                continue;
            }
            if self.later.rests(&key, Instant::now()) {
                continue;
            }
            let inputs = [("via", "linear"), ("id", id.as_str()), ("at", issue.as_str())];
            match self.asked("approval.answer", &inputs) {
                Ok(_) => self.later.forget(&key),
                Err(failure) => {
                    let what = match failure.kind {
                        Kind::Refused(Code::Denied, _) => "does not count",
                        _ => "could not be read, and is looked at again",
                    };
                    let why = format!("warning: the answer to `{id}` in Linear {what}: {failure}");
                    if self.later.failed(key, (Instant::now(), LONGEST_LEFT), why.clone()).is_news {
                        Printer::say(&why);
                    }
                }
            }
        }
        Ok(())
    }

    /// Issues that have the label of those that wait, and none that answers.
    fn unanswered(&self, integration: &IntegrationName) -> Outcome<BTreeSet<String>> {
        let (mut waiting, mut after) = (BTreeSet::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let mut inputs: Inputs = [("labels".to_owned(), r#"["approval:pending"]"#.to_owned())].into();
            inputs.extend(after.take().map(|after| ("after".to_owned(), after)));
            let done =
                self.running.perform((integration, &"issues.by_label".parse()?), &inputs, &Who::default())?;
            let issues = done.value.pointer("/output/data/issues").cloned().unwrap_or_default();
            for issue in issues.get("nodes").and_then(Value::as_array).into_iter().flatten() {
                let labels = issue.pointer("/labels/nodes").and_then(Value::as_array);
                let answers = labels.into_iter().flatten().filter_map(|label| label.get("name")?.as_str());
                let answered = answers.into_iter().any(|name| ANSWERS.contains(&name));
                if let (false, Some(id)) = (answered, issue.get("id").and_then(Value::as_str)) {
                    waiting.insert(id.to_owned());
                }
            }
            let more = issues.pointer("/pageInfo/hasNextPage").and_then(Value::as_bool) == Some(true);
            after = issues.pointer("/pageInfo/endCursor").and_then(Value::as_str).map(str::to_owned);
            if !more || after.is_none() {
                break;
            }
        }
        Ok(waiting)
    }

    fn asked(&self, operation: &str, inputs: &[(&str, &str)]) -> Outcome<Value> {
        self.running.look(operation, inputs)
    }
}

const ANSWERS: [&str; 2] = ["approval:approved", "approval:denied"];
/// Longest time between two tries of telling.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// How often something is tried.
const MOST_TRIES: u32 = 8;
/// Longest time between two looks at an answer. Somebody else may put a label that counts at any time, between two rounds too.
const LONGEST_LEFT: Duration = Duration::from_secs(60);
/// A hundred issues each.
const MOST_PAGES: usize = 50;
