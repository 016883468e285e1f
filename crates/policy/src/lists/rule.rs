//! One rule, as it is kept.

use std::sync::Arc;

use super::decimal::Decimal;
use super::pairs::Pair;
use super::test::Test;

/// A rule for one path and method.
#[derive(Debug)]
pub(super) struct Rule {
    /// The path as it was written.
    pub(super) path: Arc<str>,
    /// The line, counted from where the entry's own lines are.
    pub(super) line: usize,
    pub(super) wants: Constraints,
}

/// What a request has to be beyond its path and method. All of it has to hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Constraints {
    pub(super) headers: Vec<Pair>,
    pub(super) query: Vec<Pair>,
    pub(super) body: Option<Fields>,
    pub(super) graphql: Option<Graphql>,
    pub(super) jsonrpc: Option<Box<[Test]>>,
    pub(super) aws_action: Option<Box<[Test]>>,
}

impl Constraints {
    /// Whether it can't be judged without the body.
    pub(super) const fn wants_body(&self) -> bool {
        self.body.is_some() || self.graphql.is_some() || self.jsonrpc.is_some() || self.aws_action.is_some()
    }
}

/// Fields of a JSON object or a form.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) json: Vec<(Box<str>, Wanted)>,
    /// The same as the fields of a form; `None` where a form can't say it.
    pub(super) form: Option<Vec<Pair>>,
}

/// What is wanted of a JSON value.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    Null,
    Bool(bool),
    /// The number, and as it is shown.
    Number(Decimal, Box<str>),
    Text(Box<str>),
    /// A text of this kind.
    Test(Test),
    /// One of these.
    OneOf(Vec<Wanted>),
    /// It is not there.
    Absent,
    /// A list in which each of these is.
    List(Vec<Wanted>),
    /// An object in which each of these is.
    Map(Vec<(Box<str>, Wanted)>),
}

/// What is wanted of a GraphQL request. At least one of these is there.
#[derive(Debug, Clone, Default)]
pub(super) struct Graphql {
    pub(super) kinds: Option<Box<[Box<str>]>>,
    pub(super) names: Option<Box<[Test]>>,
    pub(super) fields: Option<Box<[Test]>>,
}
