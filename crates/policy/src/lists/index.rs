//! From integration, caller, method and path to the few rules that can matter.
//!
//! A lookup costs one step for each segment of the path and each pattern that still fits, however many rules, callers and
//! integrations there are. Patterns are a tree; a request walks all branches that fit at once, so that several `**` in one
//! pattern cost no more than its length.

use std::sync::Arc;

use model::{IntegrationName, Method, OperationName, QuickMap};

use super::condition::Condition;
use super::path::{Part, Segment};
use super::rule::Rule;

/// An entry, and where it stands. It is shared with the lists that were read before it was moved.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) entry: Arc<Entry>,
    pub(super) at: At,
}

/// Where the lines of an entry are counted from.
#[derive(Debug)]
pub(super) struct At {
    pub(super) file: Arc<str>,
    /// Lines of the file before the first of the entry's own.
    pub(super) before: usize,
}

impl At {
    /// File and line, as evidence names a rule.
    pub(super) fn place(&self, line: usize) -> Arc<str> {
        format!("{}:{}", self.file, self.before + line).into()
    }
}

/// What an entry was read from, so that it is not read again.
#[derive(Debug)]
pub(super) struct ReadFrom {
    pub(super) digest: crypto::Digest,
    /// The integration as it was written, in lower case, and as it was found.
    pub(super) written: Box<str>,
    pub(super) name: IntegrationName,
}

/// What one list says of one integration.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// By id; a stranger can't add any, but may choose the id that is looked up.
    pub(super) callers: std::collections::HashMap<Box<str>, Rules>,
    /// The entry `*`.
    pub(super) anybody: Option<Rules>,
    /// Whether what it denies is recorded only.
    pub(super) observe: bool,
    /// Whether ready-made capabilities are in it, which are what the integration's file says.
    pub(super) asks: bool,
    /// `None` where it was read together with all others.
    pub(super) read: Option<ReadFrom>,
}

impl Entry {
    pub(super) fn rules(&self) -> usize {
        self.callers.values().chain(&self.anybody).map(Rules::len).sum()
    }

    /// The rules for an id: its own, else those for anybody.
    pub(super) fn own_or_anybody(&self, id: Option<&str>) -> Option<&Rules> {
        id.and_then(|id| self.callers.get(id)).or(self.anybody.as_ref())
    }

    /// The rules for an id, and then those for anybody.
    pub(super) fn own_and_anybody<'a>(&'a self, id: Option<&str>) -> impl Iterator<Item = &'a Rules> {
        id.and_then(|id| self.callers.get(id)).into_iter().chain(&self.anybody)
    }
}

/// The rules of one caller.
#[derive(Debug)]
pub(super) struct Rules {
    /// The caller as it was written.
    pub(super) id: Arc<str>,
    /// The line that allows everything.
    pub(super) everything: Option<usize>,
    rules: Vec<Rule>,
    trees: Vec<(Method, Tree)>,
    /// Ready-made capabilities by operation, each with its line.
    ready: QuickMap<OperationName, Vec<(Condition, usize)>>,
}

impl Rules {
    pub(super) fn new(id: Arc<str>) -> Self {
        Self { id, everything: None, rules: Vec::new(), trees: Vec::new(), ready: QuickMap::default() }
    }

    pub(super) fn add(&mut self, methods: &[Method], pattern: &[Part], rule: Rule) {
        let at = self.rules.len();
        self.rules.push(rule);
        for method in methods {
            let place = match self.trees.iter().position(|(known, _)| known == method) {
                Some(place) => place,
                None => {
                    self.trees.push((*method, Tree::default()));
                    self.trees.len() - 1
                }
            };
            if let Some((_, tree)) = self.trees.get_mut(place) {
                tree.add(pattern, at);
            }
        }
    }

    pub(super) fn add_ready(&mut self, condition: Condition, line: usize) {
        self.ready.entry(condition.operation.clone()).or_default().push((condition, line));
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
            + self.ready.values().map(Vec::len).sum::<usize>()
            + usize::from(self.everything.is_some())
    }

    pub(super) fn ready(&self, operation: &OperationName) -> &[(Condition, usize)] {
        self.ready.get(operation).map_or(&[], Vec::as_slice)
    }

    /// The rules whose method and path fit, in the order in which they were written.
    pub(super) fn matching(&self, method: Method, segments: &[Segment<'_>], steps: &mut u64) -> Vec<&Rule> {
        let tree = self.trees.iter().find(|(known, _)| *known == method).map(|(_, tree)| tree);
        let mut found = tree.map(|tree| tree.find(segments, steps)).unwrap_or_default();
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| self.rules.get(at)).collect()
    }
}

/// Patterns of one method.
#[derive(Debug)]
struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    literals: QuickMap<Box<str>, usize>,
    one: Option<usize>,
    any: Option<usize>,
    /// Whether it is behind a `**`, which takes any number of segments.
    stays: bool,
    /// The rules that end here.
    rules: Vec<usize>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl Tree {
    fn add(&mut self, pattern: &[Part], rule: usize) {
        let mut here = 0;
        for part in pattern {
            here = self.child(here, part);
        }
        if let Some(node) = self.nodes.get_mut(here) {
            node.rules.push(rule);
        }
    }

    fn child(&mut self, here: usize, part: &Part) -> usize {
        let fresh = self.nodes.len();
        let Some(node) = self.nodes.get_mut(here) else { return here };
        let found = match part {
            Part::Literal(text) => *node.literals.entry(text.clone()).or_insert(fresh),
            Part::One => *node.one.get_or_insert(fresh),
            // `**/**` is `**`.
            Part::Any if node.stays => here,
            Part::Any => *node.any.get_or_insert(fresh),
        };
        if found == fresh {
            self.nodes.push(Node { stays: *part == Part::Any, ..Node::default() });
        }
        found
    }

    fn find(&self, segments: &[Segment<'_>], steps: &mut u64) -> Vec<usize> {
        let mut active = Vec::new();
        self.enter(0, &mut active);
        for segment in segments {
            let mut next = Vec::new();
            for at in &active {
                *steps += 1;
                let Some(node) = self.nodes.get(*at) else { continue };
                if let Some(child) = node.literals.get(&*segment.text) {
                    self.enter(*child, &mut next);
                }
                if segment.odd {
                    continue;
                }
                if let Some(child) = node.one {
                    self.enter(child, &mut next);
                }
                if node.stays {
                    self.enter(*at, &mut next);
                }
            }
            active = next;
            if active.is_empty() {
                break;
            }
        }
        active
            .iter()
            .filter_map(|at| self.nodes.get(*at))
            .flat_map(|node| node.rules.iter().copied())
            .collect()
    }

    /// A node, and that behind its `**`, which takes no segment at all.
    fn enter(&self, at: usize, active: &mut Vec<usize>) {
        if active.contains(&at) {
            return;
        }
        active.push(at);
        if let Some(behind) = self.nodes.get(at).and_then(|node| node.any) {
            self.enter(behind, active);
        }
    }
}
