//! From the text of one file to a policy.

use std::sync::Arc;

use super::condition;
use super::node::{self, Node, Value};
use super::rule::{Covered, Effect, Policy, Rule, Status, Wildcard};
use super::strict::{self, Fields, Mistake};
use super::{Action, Error, ResourceKind, ResourceName};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

/// Reads one file whole.
pub(super) fn policy(text: &str, format: Format, file: &str) -> Result<Policy, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tree = match format {
        Format::Json => node::json(text),
        Format::Yaml => node::yaml(text),
    };
    let located =
        |line, rule, problem, nearest| Error::Invalid { file: file.to_owned(), line, rule, problem, nearest };
    let tree = tree.map_err(|(line, problem)| located(line, None, problem, None))?;
    let mut within = None;
    read(&tree, file, &mut within)
        .map_err(|Mistake { line, problem, nearest }| located(line, within, problem, nearest))
}

/// `within` is the rule that is being read, for the message.
fn read(tree: &Node, file: &str, within: &mut Option<String>) -> Result<Policy, Mistake> {
    let fields = Fields::of(tree, "a policy file", &POLICY_KEYS)?;
    let id = id(fields.need("id")?, "id")?;
    let told = ["created_at", "updated_at", "created_by", "updated_by"].map(|key| (key, 256));
    for (key, longest) in [("name", 256), ("description", 4096), ("version", 64)].into_iter().chain(told) {
        described(&fields, key, longest)?;
    }
    metadata(&fields)?;
    let status =
        fields.find("status").map(|node| strict::word(node, "status", &Status::WORDS)).transpose()?;
    let rules = fields.need("rules")?;
    let Value::List(entries) = &rules.value else {
        return Err(Mistake::new(rules.line, "`rules` is a list"));
    };
    if entries.len() > MOST_RULES {
        return Err(Mistake::new(rules.line, format!("a file holds at most {MOST_RULES} rules")));
    }
    let mut read: Vec<Rule> = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        *within = Some(format!("number {}", at + 1));
        let rule = rule(entry, &id, file, within)?;
        if let Some(twin) = read.iter().find(|known| known.id == rule.id) {
            return Err(Mistake::new(entry.line, format!("the id is taken by the rule at {}", twin.place)));
        }
        read.push(rule);
    }
    *within = None;
    Ok(Policy { id, status: status.unwrap_or(Status::Active), rules: read, place: place(file, tree.line) })
}

fn rule(node: &Node, policy: &Arc<str>, file: &str, within: &mut Option<String>) -> Result<Rule, Mistake> {
    let fields = Fields::of(node, "a rule", &RULE_KEYS)?;
    let id = id(fields.need("id")?, "id")?;
    *within = Some(id.to_string());
    described(&fields, "name", 256)?;
    described(&fields, "description", 4096)?;
    metadata(&fields)?;
    let effect = strict::word(fields.need("effect")?, "effect", &Effect::WORDS)?;
    let resources = strict::list(fields.need("resources")?, "resources")?;
    let resources = resources.iter().map(covered).collect::<Result<_, _>>()?;
    let written = strict::list(fields.need("actions")?, "actions")?;
    let actions =
        written.iter().map(|node| strict::word(node, "actions", &Action::WORDS)).collect::<Result<_, _>>()?;
    let every_action = written.iter().any(|node| matches!(&node.value, Value::Text(text) if text == "*"));
    let identities = strict::list(fields.need("identities")?, "identities")?;
    let identities = identities.iter().map(identity).collect::<Result<_, _>>()?;
    let conditions = match fields.find("conditions") {
        None => Vec::new(),
        Some(Node { value: Value::List(entries), .. }) if entries.len() <= MOST_CONDITIONS => {
            entries.iter().map(condition::read).collect::<Result<_, _>>()?
        }
        Some(node) => {
            return Err(Mistake::new(
                node.line,
                format!("`conditions` is a list of at most {MOST_CONDITIONS}"),
            ));
        }
    };
    let priority = match fields.find("priority").map(|node| (&node.value, node.line)) {
        None => 0,
        Some((Value::Whole(number), _)) if number.abs() <= HIGHEST => *number,
        Some((_, line)) => {
            return Err(Mistake::new(
                line,
                format!("`priority` is a whole number from -{HIGHEST} to {HIGHEST}"),
            ));
        }
    };
    let (policy, place) = (Arc::clone(policy), place(file, node.line));
    let rule = Rule {
        policy,
        id,
        place,
        effect,
        resources,
        actions,
        every_action,
        identities,
        conditions,
        priority,
    };
    if rule.allows_by_program_alone() {
        let message = "`exe` and `sha256` only narrow, as any process of a user can run a program: name the callers \
                       in `identities`, or add a condition on `uid`, `gid`, `cgroup`, `unit` or `container`";
        return Err(Mistake::new(node.line, message));
    }
    Ok(rule)
}

/// `*`, `secret:*`, or the name of a resource, perhaps with a `*` at its end.
fn covered(node: &Node) -> Result<Covered, Mistake> {
    let text = strict::text(node, "resources")?;
    if text == "*" {
        return Ok(Covered::All);
    }
    let kind = text.split_once(':').map(|(kind, _)| kind);
    if let Some(kind) = kind.filter(|kind| ResourceKind::ALL.iter().all(|known| known.as_str() != *kind)) {
        let kinds = ResourceKind::ALL.map(ResourceKind::as_str);
        return Err(Mistake::unknown(node.line, "the kind of resource", kind, kinds));
    }
    text.parse::<ResourceName>()
        .map(Covered::Named)
        .map_err(|error| Mistake::new(node.line, error.to_string()))
}

fn identity(node: &Node) -> Result<Wildcard, Mistake> {
    let text = strict::text(node, "identities")?;
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Mistake::new(node.line, "an identity is written in visible ASCII characters"));
    }
    Wildcard::read(text).map_err(|problem| Mistake::new(node.line, problem))
}

fn id(node: &Node, what: &str) -> Result<Arc<str>, Mistake> {
    let text = strict::text(node, what)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if text.is_empty() || text.len() > 128 || !text.bytes().all(plain) {
        return Err(Mistake::new(
            node.line,
            format!("`{what}` is 1 to 128 letters, digits, `-`, `_` and `.`"),
        ));
    }
    Ok(text.into())
}

/// What is there for people only. It may have lines.
fn described(fields: &Fields<'_>, key: &str, longest: usize) -> Result<(), Mistake> {
    match fields.find(key) {
        Some(Node { value: Value::Text(text), .. }) if text.len() <= longest => Ok(()),
        None => Ok(()),
        Some(node) => Err(Mistake::new(node.line, format!("`{key}` is a text of at most {longest} bytes"))),
    }
}

/// Anything, as long as it is a map: nothing here reads it.
fn metadata(fields: &Fields<'_>) -> Result<(), Mistake> {
    match fields.find("metadata") {
        None | Some(Node { value: Value::Map(_), .. }) => Ok(()),
        Some(node) => Err(Mistake::new(node.line, "`metadata` is a map")),
    }
}

fn place(file: &str, line: usize) -> String {
    format!("{file}:{line}")
}

const POLICY_KEYS: [&str; 11] = [
    "id",
    "name",
    "description",
    "version",
    "status",
    "rules",
    "metadata",
    "created_at",
    "updated_at",
    "created_by",
    "updated_by",
];
const RULE_KEYS: [&str; 10] = [
    "id",
    "name",
    "description",
    "effect",
    "resources",
    "actions",
    "identities",
    "conditions",
    "priority",
    "metadata",
];
const MOST_RULES: usize = 1000;
const MOST_CONDITIONS: usize = 32;
const HIGHEST: i64 = 1_000_000;
