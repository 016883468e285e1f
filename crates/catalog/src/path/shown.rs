//! A template as its file writes it, for people.

use super::{Segment, Template};

impl Template {
    /// Such as `/api/v1/{resource}`.
    pub(crate) fn shown(&self) -> String {
        let one = |segment: &Segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Input(name) => format!("/{{{name}}}"),
            Segment::Verb(name, verb) => format!("/{{{name}}}{verb}"),
            Segment::Rest(name) => format!("/{{{name}...}}"),
        };
        self.0.iter().map(one).collect()
    }
}

impl crate::Operation {
    /// The paths of its requests, as its file writes them.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.rule.iter().flat_map(|rule| &rule.paths).map(Template::shown).collect()
    }
}
