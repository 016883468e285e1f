//! The template of a resource: `repo:{owner}/{repo}`, `*`.
//!
//! The text in front of the first input is never empty, so no input can make a call's resource `*`; and where several
//! inputs are joined, none may hold the separators, so two different calls never have one resource.

use model::{Code, Inputs, Refusal, Resource};

/// A text with `{name}`s in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    /// The resource of every call, where no input is in it.
    fixed: Option<Resource>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

impl Template {
    /// Reads a text with `{name}`s.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, behind) = behind.split_once('}').ok_or("a `{` is not closed")?;
            if !crate::path::is_word(name) {
                return Err(
                    "between `{` and `}` stands a name of lower-case letters, digits and `_`".to_owned()
                );
            }
            if before.contains('}') {
                return Err("a `}` was not opened".to_owned());
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = behind;
        }
        if rest.contains('}') {
            return Err("a `}` was not opened".to_owned());
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let fixed = if let [Part::Text(text)] = parts.as_slice() { text.parse().ok() } else { None };
        Ok(Self { parts, fixed })
    }

    /// The names in it.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Name(name) => Some(name.as_str()),
        })
    }

    /// Why this cannot be the template of a resource.
    pub(crate) fn resource_problem(&self) -> Option<&'static str> {
        let first = match self.parts.first() {
            Some(Part::Text(text)) => text.as_str(),
            Some(Part::Name(_)) | None => "",
        };
        let joined = self.parts.windows(2).any(|pair| matches!(pair, [Part::Name(_), Part::Name(_)]));
        if first == "*" && self.parts.len() == 1 {
            None
        } else if !first.contains(':') || first.starts_with('*') {
            Some("a resource is `*`, or a kind and what it is, such as `channel:{channel}`")
        } else if joined {
            Some("two inputs in a resource need something between them")
        } else {
            None
        }
    }

    /// The text with these values in it; `None` where one is missing.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.clone()),
                Part::Name(name) => value(name),
            })
            .collect()
    }

    /// The resource of a call with these inputs; `*` where an input that need not be there is not.
    pub(crate) fn resource(&self, inputs: &Inputs) -> Result<Resource, Refusal> {
        if let Some(fixed) = &self.fixed {
            return Ok(fixed.clone());
        }
        if self.names().count() > 1 {
            let clash = self
                .names()
                .find(|name| inputs.get(*name).is_some_and(|value| value.contains(['/', ':', '!'])));
            if let Some(name) = clash {
                let message = format!("the input `{name}` holds a separator of its resource");
                return Err(Refusal::new(Code::BadRequest, message));
            }
        }
        let Some(text) = self.fill(|name| inputs.get(name).filter(|value| !value.is_empty()).cloned()) else {
            return Ok(Resource::any());
        };
        text.parse().map_err(|_| {
            Refusal::new(
                Code::BadRequest,
                "the inputs that name the resource are empty, too long or hold white space",
            )
        })
    }
}

#[cfg(test)]
mod tests;
