//! What a service is told to answer while a case is tried.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use crate::service::{Seen, Service, Step, reply};

use super::{Case, built_in, sent_path};

/// What the service is to answer to one case.
#[derive(Clone)]
pub(super) struct Script {
    answer: Vec<u8>,
    /// Whether reads are made beside it.
    beside: bool,
    method: String,
    path: String,
    body: Vec<u8>,
}

impl Script {
    pub(super) fn of(name: &str, case: &Case, secrets: &BTreeMap<String, String>) -> Self {
        let integration = built_in(name);
        let operation = case.named.as_ref().map(|named| &integration.operations()[named.as_str()]);
        let beside = operation.is_some_and(|one| {
            // Another service's are not asked of this one.
            one.before().iter().chain(one.after()).any(|read| read.integration().is_none())
        });
        let written = if beside && case.is_sent() { case.written(name) } else { None };
        let (method, path, body) = match written {
            Some((method, _, message)) => {
                (method, sent_path(case, secrets), message.body.unwrap_or_default().to_vec())
            }
            None => Default::default(),
        };
        Self { answer: case.answers(), beside, method, path, body }
    }

    fn is_for(&self, seen: &Seen) -> bool {
        !self.beside || (&self.method, &self.path, &self.body) == (&seen.method, &seen.target, &seen.body)
    }

    /// The one request of the case among those that it led to.
    pub(super) fn own<'a>(&self, seen: &'a [Seen], about: &str) -> &'a Seen {
        assert!(seen.len() == 1 || self.beside, "{about}: {seen:?}");
        let own: Vec<_> = seen.iter().filter(|seen| self.is_for(seen)).collect();
        assert_eq!(own.len(), 1, "{about}: {seen:?}");
        own[0]
    }
}

/// A service that answers one case behind the other.
pub(super) fn service(scripts: Arc<Mutex<VecDeque<Script>>>) -> Service {
    Service::start(move |seen| {
        let mut scripts = scripts.lock().unwrap();
        // A read beside the write is a request of its own, and of no interest here.
        let answer = match scripts.front() {
            Some(script) if script.is_for(seen) => scripts.pop_front().unwrap().answer,
            Some(_) | None => reply(200, &[], "{}"),
        };
        vec![Step::Send(answer)]
    })
}
