//! From the text of one file to entries.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::{IntegrationName, Method, QuickMap};
use serde_saphyr::Budget;

use super::index::{At, Entry, Laid, Rules};
use super::rule::Rule;
use super::services::{Param, Params, Services, Unready};
use super::{Error, File, Side, again, check, path, ready, wants};
use crate::files::node::{self, Node, Value};
use crate::files::strict::{self, Fields, Mistake};

/// What names mean.
pub(super) struct Known<'a> {
    pub(super) services: &'a dyn Services,
    pub(super) names: &'a [IntegrationName],
    /// What was read before, of the same side.
    pub(super) former: again::Former<'a>,
}

/// Reads one file whole into the entries of its side.
pub(super) fn file(
    file: &File<'_>,
    known: &Known<'_>,
    entries: &mut QuickMap<IntegrationName, Laid>,
) -> Result<(), Error> {
    let located = |line, problem, nearest| Error { file: file.name.to_owned(), line, problem, nearest };
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(file.text);
    if is_blank(text) {
        return Ok(());
    }
    let reader = Reader { file, known, words: known.names.iter().map(IntegrationName::as_str).collect() };
    if let Some(read) = again::items(&reader, text, entries) {
        entries.extend(read);
        return Ok(());
    }
    // What can't be read item by item is read whole; so is what is wrong, for the line that is.
    let tree = match file.name.ends_with(".json") {
        true => node::json_within(text, budget()),
        false => node::yaml_within(text, budget()),
    };
    let tree = tree.map_err(|(line, problem)| located(line, problem, None))?;
    reader
        .entries(&tree, entries)
        .map_err(|Mistake { line, problem, nearest }| located(line, problem, nearest))
}

/// Nothing but comments and the marks of a document.
pub(super) fn is_blank(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---")
}

pub(super) struct Reader<'a> {
    pub(super) file: &'a File<'a>,
    pub(super) known: &'a Known<'a>,
    words: HashSet<&'a str>,
}

impl Reader<'_> {
    /// One item of the list, read by itself: the integration as it was written and as it was found, and what is said of it.
    pub(super) fn item(&self, text: &str) -> Option<(String, IntegrationName, Entry)> {
        let tree = node::yaml_within(text, budget()).ok()?;
        let Value::List(list) = &tree.value else { return None };
        let [node] = list.as_slice() else { return None };
        let fields = Fields::of(node, "an entry", &ENTRY_KEYS).ok()?;
        let written = fields.need("integration").ok()?;
        let name = self.integration(written).ok()?;
        let entry = self.entry(&fields, &name).ok()?;
        Some((wants::text(written, "integration").ok()?.to_lowercase(), name, entry))
    }

    /// The integration of this name, in lower case.
    pub(super) fn named(&self, written: &str) -> Option<IntegrationName> {
        if let Some(name) = self.known.services.aliased(written) {
            return Some(name);
        }
        self.words.contains(written).then(|| written.parse().ok()).flatten()
    }

    fn entries(&self, tree: &Node, entries: &mut QuickMap<IntegrationName, Laid>) -> Result<(), Mistake> {
        let file: Arc<str> = self.file.name.into();
        let list = match &tree.value {
            Value::Null => return Ok(()),
            Value::List(list) => list,
            _ => return Err(Mistake::new(tree.line, "the file is a list of `{integration, callers}`")),
        };
        for node in list {
            let fields = Fields::of(node, "an entry", &ENTRY_KEYS)?;
            let written = fields.need("integration")?;
            let name = self.integration(written)?;
            if entries.contains_key(&name) {
                let problem = format!("`{name}` has an entry already; write its callers into that one");
                return Err(Mistake::new(written.line, problem));
            }
            let entry = self.entry(&fields, &name)?;
            let at = At { file: Arc::clone(&file), before: 0 };
            entries.insert(name, Laid { entry: Arc::new(entry), at });
        }
        Ok(())
    }

    fn integration(&self, node: &Node) -> Result<IntegrationName, Mistake> {
        let written = wants::text(node, "integration")?.to_lowercase();
        self.named(&written).ok_or_else(|| {
            let near = strict::nearest(&written, self.words.iter().copied());
            let problem = format!("there is no integration {}", strict::shown(&written));
            Mistake { line: node.line, problem, nearest: near }
        })
    }

    fn entry(&self, fields: &Fields<'_>, name: &IntegrationName) -> Result<Entry, Mistake> {
        let mut entry = Entry::default();
        if let Some(mode) = fields.find("mode") {
            if self.file.side == Side::Allow {
                let problem = "`mode` stands in a denylist only: an allowlist that only observes would allow everything";
                return Err(Mistake::new(mode.line, problem));
            }
            entry.observe = strict::word(mode, "mode", &[("enforce", false), ("observe", true)])?;
        }
        let callers = fields.need("callers")?;
        let list = match &callers.value {
            Value::List(list) if !list.is_empty() => list,
            Value::List(_) => {
                let what = match self.file.side {
                    Side::Allow => {
                        "nobody would be allowed anything; leave the entry out for that, or write \
                        `[{id: \"*\", rules: [{path: /v1/**, methods: {GET: {}}}]}]` to let anybody read below /v1"
                    }
                    Side::Deny => "nobody would be denied anything; leave the entry out",
                };
                return Err(Mistake::new(callers.line, format!("`callers` is empty: {what}")));
            }
            _ => return Err(Mistake::new(callers.line, "`callers` is a list")),
        };
        for node in list {
            let rules = self.caller(node, name, &mut entry.asks)?;
            let taken = match &*rules.id {
                "*" => entry.anybody.is_some(),
                id => entry.callers.contains_key(id),
            };
            if taken {
                let problem = format!("the caller `{}` has an entry already", rules.id);
                return Err(Mistake::new(node.line, problem));
            }
            match &*rules.id {
                "*" => entry.anybody = Some(rules),
                id => drop(entry.callers.insert(id.into(), rules)),
            }
        }
        Ok(entry)
    }

    fn caller(&self, node: &Node, name: &IntegrationName, asks: &mut bool) -> Result<Rules, Mistake> {
        let keys: &[&str] = match self.file.side {
            Side::Allow => &["id", "capabilities", "rules"],
            Side::Deny => &["id", "rules"],
        };
        let fields = Fields::of(node, "a caller", keys)?;
        let id = match fields.find("id").map(|node| wants::scalar(node, "id")).transpose()? {
            None => "*".to_owned(),
            Some(id) if id.is_empty() => "*".to_owned(),
            Some(id) => id,
        };
        let mut rules = Rules::new(id.into());
        if let Some(capabilities) = fields.find("capabilities") {
            *asks = true;
            for node in wants::entries(capabilities, "capabilities")? {
                self.capability(node, name, &mut rules)?;
            }
        }
        if let Some(list) = fields.find("rules") {
            let mut seen = HashMap::new();
            for node in wants::entries(list, "rules")? {
                self.rule(node, &mut rules, &mut seen)?;
            }
        }
        if rules.len() == 0 {
            let id = &rules.id;
            let problem = match self.file.side {
                Side::Allow => format!("the caller `{id}` has neither `rules` nor `capabilities`"),
                Side::Deny => format!("the caller `{id}` has no `rules`"),
            };
            return Err(Mistake::new(node.line, problem));
        }
        Ok(rules)
    }

    fn rule(&self, node: &Node, rules: &mut Rules, seen: &mut HashMap<String, usize>) -> Result<(), Mistake> {
        let fields = Fields::of(node, "a rule", &["path", "methods"])?;
        let written = fields.need("path")?;
        let shown = wants::text(written, "path")?;
        let pattern = path::pattern(shown).map_err(|problem| Mistake::new(written.line, problem))?;
        let methods = fields.need("methods")?;
        let Value::Map(entries) = &methods.value else {
            return Err(Mistake::new(methods.line, "`methods` is a map such as `{GET: {}}`"));
        };
        if entries.is_empty() {
            return Err(Mistake::new(methods.line, "`methods` is empty, so the rule matches nothing"));
        }
        for (word, line, node) in entries {
            let method = method(word, *line)?;
            let wants = wants::constraints(node)?;
            let (key, methods) = match self.file.side {
                Side::Allow => (format!("{method} {pattern:?} {wants:?}"), std::slice::from_ref(&method)),
                Side::Deny => (format!("{method} {pattern:?}"), check::denied_methods(method)),
            };
            if let Some(first) = seen.insert(key, *line) {
                let problem = format!("the same rule for {method} stands at line {first} already");
                return Err(Mistake::new(*line, problem));
            }
            let rule = Rule { path: shown.into(), line: *line, wants };
            let pattern = match self.file.side {
                Side::Allow => pattern.clone(),
                Side::Deny => pattern.iter().map(path::Part::folded).collect(),
            };
            rules.add(methods, &pattern, rule);
        }
        Ok(())
    }

    fn capability(&self, node: &Node, name: &IntegrationName, rules: &mut Rules) -> Result<(), Mistake> {
        let fields = Fields::of(node, "a capability", &["name", "params"])?;
        let written = fields.need("name")?;
        let capability = wants::text(written, "name")?;
        let params = fields.find("params").map(params).transpose()?.unwrap_or_default();
        let line = node.line;
        let wrong = |problem| Mistake::new(node.line, problem);
        if capability == ready::EVERYTHING {
            if !params.is_empty() {
                return Err(wrong(format!("`{capability}` takes no parameters")));
            }
            rules.everything = Some(line);
            return Ok(());
        }
        let known = match self.known.services.capability(name, capability, &params) {
            Ok(conditions) if conditions.is_empty() => {
                return Err(wrong(format!("the capability `{capability}` of `{name}` allows nothing")));
            }
            Ok(conditions) => {
                conditions.into_iter().for_each(|condition| rules.add_ready(condition, line));
                return Ok(());
            }
            Err(Unready::Wrong(problem)) => return Err(wrong(problem)),
            Err(Unready::Unknown(known)) => known,
        };
        let kind = self.known.services.kind(name).unwrap_or_else(|| name.clone());
        match ready::rule(&kind, capability, &params) {
            Some(Ok(made)) => {
                let (path, method) = (made.path.into(), made.method);
                rules.add(&[method], &made.pattern, Rule { path, line, wants: made.wants });
                Ok(())
            }
            Some(Err(Unready::Wrong(problem))) => Err(wrong(problem)),
            Some(Err(Unready::Unknown(_))) | None => {
                let own = ready::names(&kind);
                let words = known.iter().map(String::as_str).chain(own).chain([ready::EVERYTHING]);
                let words: Vec<&str> = words.collect();
                let what = format!("the capability of `{name}`");
                Err(Mistake::unknown(written.line, &what, capability, words))
            }
        }
    }
}

fn params(node: &Node) -> Result<Params, Mistake> {
    let Value::Map(entries) = &node.value else {
        return Err(Mistake::new(node.line, "`params` is a map of names and values"));
    };
    let mut params = Params::new();
    for (name, _, node) in entries {
        let value = match &node.value {
            Value::Null => continue,
            Value::List(list) => {
                Param::List(list.iter().map(|node| wants::scalar(node, name)).collect::<Result<_, _>>()?)
            }
            _ => Param::Text(wants::scalar(node, name)?),
        };
        params.insert(name.clone(), value);
    }
    Ok(params)
}

fn method(word: &str, line: usize) -> Result<Method, Mistake> {
    let words = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let upper = word.to_uppercase();
    upper.parse().map_err(|_| Mistake::unknown(line, "the method", &upper, words))
}

/// Lists are of their owner's making, and may be large: ten thousand integrations with ten rules each.
fn budget() -> Option<Budget> {
    serde_saphyr::budget! {
        max_depth: 32,
        max_events: 40_000_000,
        max_nodes: 20_000_000,
        max_documents: 1,
    }
}

const ENTRY_KEYS: [&str; 3] = ["integration", "callers", "mode"];
