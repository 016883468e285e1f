//! Names in policies that nothing has: a `forbid` about a misspelt integration would never hold, and nobody would be told.

use model::IntegrationName;

use super::Source;
use super::evaluate::Types;
use super::schema::Descriptions;
use super::source::{Parsed, at};
use crate::Error;
use crate::files::strict::{nearest, shown};
use crate::principal::{Known, PrincipalKind, ROLES};

/// What is doubtful about the names that policies of the user's own speak of.
pub(super) fn of(
    sources: &[Source<'_>],
    parsed: &[Parsed],
    types: &Types,
    described: &dyn Descriptions,
) -> Vec<String> {
    let integrations = described.names();
    let mut found = Vec::new();
    for one in parsed.iter().filter(|one| !one.rule.standard) {
        for uid in one.policy.entity_literals() {
            let (kind, id) = (uid.type_name(), uid.id().unescaped().to_owned());
            let doubt = if *kind == types.integration {
                integration(&id, &integrations)
            } else if *kind == types.resource {
                integration(id.split('/').next().unwrap_or_default(), &integrations)
            } else if *kind == types.role {
                role(&id)
            } else {
                None
            };
            let source = sources.get(one.file);
            found.extend(doubt.zip(source).map(|(doubt, source)| at(source, one.start, doubt).to_string()));
        }
    }
    found
}

fn integration(name: &str, known: &[IntegrationName]) -> Option<String> {
    if known.iter().any(|known| known.as_str() == name) {
        return None;
    }
    let near = nearest(name, known.iter().map(IntegrationName::as_str));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Some(format!("there is no integration {}: for now this never applies to one{near}", shown(name)))
}

/// Other roles than the built-in ones are the user's own, and a policy is what makes them known.
fn role(name: &str) -> Option<String> {
    if ROLES.iter().any(|(known, _)| *known == name) {
        return None;
    }
    match Known::new(PrincipalKind::default(), [name]) {
        Ok(_) => {}
        // It says how somebody stands.
        Err(Error::ReservedRole(_)) => return None,
        Err(_) => {
            return Some(format!(
                "nobody can have the role {}: a role is a word of lower-case letters, digits, `-` and `_`",
                shown(name)
            ));
        }
    }
    let near = nearest(name, ROLES.iter().map(|(known, _)| *known))?;
    Some(format!("{} is a role of your own, which nobody has yet; did you mean `{near}`?", shown(name)))
}
