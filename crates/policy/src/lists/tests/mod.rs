//! What the tests of the lists ask with: a catalogue of three integrations, and requests in plain sight.

mod again;
mod defects;
mod graphql;
mod language;
mod operators;
mod semantics;
mod size;
mod tricks;

use std::collections::{BTreeMap, BTreeSet};

use model::{Call, IntegrationName, Method, Target};

use super::*;
use crate::tests::Ask;

/// The catalogue of these tests.
pub(super) struct Catalogue;

impl Services for Catalogue {
    fn names(&self) -> Vec<IntegrationName> {
        ["slack", "github", "linear", "monday", "my-linear"].map(|name| name.parse().unwrap()).into()
    }

    fn kind(&self, integration: &IntegrationName) -> Option<IntegrationName> {
        Some(if integration.as_str() == "my-linear" {
            "linear".parse().unwrap()
        } else {
            integration.clone()
        })
    }

    fn capability(
        &self,
        integration: &IntegrationName,
        capability: &str,
        params: &Params,
    ) -> Result<Vec<Condition>, Unready> {
        if (integration.as_str(), capability) != ("slack", "post_as") {
            let known = if integration.as_str() == "slack" { vec!["post_as".to_owned()] } else { Vec::new() };
            return Err(Unready::Unknown(known));
        }
        let Some(Param::Text(name)) = params.get("username") else {
            return Err(Unready::Wrong("the parameter `username` is missing".to_owned()));
        };
        let inputs = BTreeMap::from([("username".to_owned(), BTreeSet::from([name.clone()]))]);
        Ok(vec![Condition { operation: "chat.post".parse().unwrap(), inputs, resources: BTreeSet::new() }])
    }
}

/// A request as it came and as it will be sent.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) integration: &'static str,
    pub(super) caller: Option<&'static str>,
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
}

/// `POST /path?query`, without a body.
pub(super) fn asks(line: &str) -> Sent {
    let (method, target) = line.split_once(' ').unwrap();
    Sent {
        integration: "slack",
        caller: None,
        method: method.parse().unwrap(),
        target: target.parse().unwrap(),
        headers: Vec::new(),
        body: Some(Vec::new()),
    }
}

impl Sent {
    pub(super) fn by(self, caller: &'static str) -> Self {
        Self { caller: Some(caller), ..self }
    }

    pub(super) fn to(self, integration: &'static str) -> Self {
        Self { integration, ..self }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn json(self, body: &str) -> Self {
        self.raw("application/json", body)
    }

    pub(super) fn form(self, body: &str) -> Self {
        self.raw("application/x-www-form-urlencoded", body)
    }

    pub(super) fn raw(self, kind: &str, body: &str) -> Self {
        Self { body: Some(body.as_bytes().to_vec()), ..self.header("content-type", kind) }
    }

    pub(super) fn request<'a>(&'a self, name: &'a IntegrationName) -> Request<'a> {
        Request {
            integration: name,
            caller: self.caller,
            method: self.method,
            path: self.target.path(),
            query: self.target.query(),
            headers: self,
        }
    }

    pub(super) fn call(&self) -> Call {
        Ask { integration: "slack", ..Ask::default() }.call()
    }

    pub(super) fn verdict(&self, lists: &Lists) -> Verdict {
        let name = self.integration.parse().unwrap();
        lists.check(&self.request(&name), &self.call(), self.body.as_deref())
    }

    /// `allowed`, `denied`, or the reason why the lists don't speak for it.
    pub(super) fn said(&self, lists: &Lists) -> String {
        let verdict = self.verdict(lists);
        match (verdict.allowed_by(), verdict.denied_by(), verdict.reason()) {
            (Some(_), ..) => "allowed".to_owned(),
            (_, Some(_), _) => "denied".to_owned(),
            (_, _, reason) => reason.map_or_else(|| "silent".to_owned(), ToString::to_string),
        }
    }
}

impl Headers for Sent {
    fn received(&self, name: &str) -> Vec<Vec<u8>> {
        let lines = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.as_bytes().to_vec()).collect()
    }

    fn sent(&self, name: &str) -> Vec<Vec<u8>> {
        if name == "x-hop" { Vec::new() } else { self.received(name) }
    }

    fn resembled(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known != name && known.replace('_', "-") == name)
    }
}

pub(super) fn read(files: &[(Side, &str)]) -> Result<Lists, Error> {
    let file = |(side, text): &(Side, &'static str)| File { side: *side, name: "list.yaml", text };
    let _ = file;
    let files: Vec<File<'_>> = files
        .iter()
        .map(|(side, text)| File {
            side: *side,
            name: if *side == Side::Allow { "allowlist.yaml" } else { "denylist.yaml" },
            text,
        })
        .collect();
    Lists::read(&files, &Catalogue)
}

/// An allowlist of slack for anybody: the lines of its rules.
pub(super) fn allow(rules: &str) -> Lists {
    lists(Side::Allow, rules)
}

pub(super) fn deny(rules: &str) -> Lists {
    lists(Side::Deny, rules)
}

fn lists(side: Side, rules: &str) -> Lists {
    let text = format!("- integration: slack\n  callers:\n  - id: '*'\n    rules: [{rules}]\n");
    read(&[(side, &text)]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub(super) fn mistake(side: Side, text: &str) -> String {
    read(&[(side, text)]).map(|_| "accepted").unwrap_err().to_string()
}
