//! From policy files and the catalogue to a set that can decide. All or nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::{
    ActionConstraint, Entities, Entity, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationMode,
    ValidationWarning, Validator,
};
use model::{IntegrationName, OperationName, QuickMap};

use super::cache::Cache;
use super::evaluate::{Types, uid};
use super::schema::{Behind, Descriptions, Listed, Shown};
use super::source::{Parsed, at, offset, parse};
use super::{Action, ActionSpec, Policies, Rule, Slice, Source, Version, schema, strangers};
use crate::Error;
use crate::table::Table;

impl Policies {
    /// Compiles policy files against a list of operations. An `unknown` operation is added for each integration, and one
    /// for Doorward itself.
    ///
    /// # Errors
    /// As [`Self::compile_for`]; and when an operation is described twice, differently.
    pub fn compile(sources: &[Source<'_>], actions: &[ActionSpec]) -> Result<Self, Error> {
        Self::compile_for(sources, Arc::new(Listed::new(actions)?))
    }

    /// Compiles policy files. Integrations that no policy names are not read before they are called.
    ///
    /// # Errors
    /// When a file is not Cedar, fails strict validation, names an id or annotation wrongly; the error names file and
    /// line.
    pub fn compile_for(sources: &[Source<'_>], described: Arc<dyn Descriptions>) -> Result<Self, Error> {
        let mut parsed = Vec::new();
        for (file, source) in sources.iter().enumerate() {
            parsed.extend(parse(file, source)?);
        }
        let types = Types::new()?;
        let shown = Shown::new(&*described, &named(&types, &parsed))?;
        let schema = read_schema(&shown.text)?;
        let (set, places) = gather(sources, &parsed)?;
        let mut warnings = validate(sources, &places, &schema, &set)?;
        warnings.extend(strangers::of(sources, &parsed, &types, &*described));
        let templates = templates(&schema, &types, &shown.actions, &parsed)?;
        let version = version(&shown.text, &described.digest(), sources);
        let actions = Actions { templates, behind: shown.into_behind(), described, known: Table::new() };
        let rules: HashMap<PolicyId, Rule> =
            parsed.into_iter().map(|one| (one.policy.id().clone(), one.rule)).collect();
        Ok(Self { version, schema, types, actions, rules, warnings, cache: Cache::new() })
    }
}

/// The actions behind operations. An integration is read when one of its operations is first called.
pub(super) struct Actions {
    templates: HashMap<String, Template>,
    behind: Behind,
    described: Arc<dyn Descriptions>,
    known: Table<IntegrationName, QuickMap<OperationName, Arc<Action>>>,
}

/// An action of the schema, with the policies that can apply to it.
struct Template {
    uid: EntityUid,
    entity: Entity,
    slice: Arc<Slice>,
}

impl Actions {
    /// `None` for an operation that nobody described, and where its description can't be read: then nothing is allowed.
    pub(super) fn find(
        &self,
        integration: &IntegrationName,
        operation: &OperationName,
    ) -> Option<Arc<Action>> {
        if let Some(known) = self.known.find(integration) {
            return known.get(operation).cloned();
        }
        let operations = schema::operations(&*self.described, integration).ok()?;
        let action = |spec: &ActionSpec| {
            let Template { uid, entity, slice } = self.templates.get(&self.behind.action(spec))?;
            let (uid, entity, slice) = (uid.clone(), entity.clone(), Arc::clone(slice));
            Some(Arc::new(Action { uid, entity, access: spec.access, risk: spec.risk, slice }))
        };
        let read: QuickMap<OperationName, Arc<Action>> = operations
            .iter()
            .filter_map(|(operation, spec)| action(spec).map(|action| (operation.clone(), action)))
            .collect();
        if read.is_empty() {
            // Not kept: whoever asks for names that do not exist must not fill the memory.
            return None;
        }
        // Another thread may have been quicker; the first one stays, as decisions are kept under its actions.
        let read = Arc::new(read);
        self.known.change(integration, |known| Some(Arc::clone(known.unwrap_or(&read))));
        self.known.find(integration)?.get(operation).cloned()
    }
}

/// The policy for whoever an allowlist lets.
const LISTED: &str = "listed";
/// The policy that asks for a broken glass.
const GLASS: &str = "only-with-a-broken-glass";

/// The ids of all actions that the policies name, in a scope or a condition.
fn named(types: &Types, parsed: &[Parsed]) -> BTreeSet<String> {
    let literals = parsed.iter().flat_map(|one| one.policy.entity_literals());
    let actions = literals.filter(|uid| *uid.type_name() == types.action);
    actions.map(|uid| uid.id().unescaped().to_owned()).collect()
}

/// Where each policy stands: file and offset.
type Places = HashMap<PolicyId, (usize, usize)>;

fn gather(sources: &[Source<'_>], parsed: &[Parsed]) -> Result<(PolicySet, Places), Error> {
    let (mut set, mut places) = (PolicySet::new(), Places::new());
    for Parsed { policy, rule, file, start } in parsed {
        let twice = places.insert(policy.id().clone(), (*file, *start)).is_some();
        if twice || set.add(policy.clone()).is_err() {
            let message = format!("the id `{}` is taken by another policy", rule.name);
            return Err(sources
                .get(*file)
                .map_or_else(|| schema::wrong(&message), |s| at(s, *start, message.clone())));
        }
    }
    Ok((set, places))
}

/// Strict validation. Odd characters are refused as well: they make a policy read otherwise than it works.
fn validate(
    sources: &[Source<'_>],
    places: &Places,
    schema: &Schema,
    set: &PolicySet,
) -> Result<Vec<String>, Error> {
    let locate = |policy: &PolicyId, found: Option<usize>, message: String| {
        let (file, start) = places.get(policy).copied().unwrap_or_default();
        match sources.get(file) {
            Some(source) => at(source, found.unwrap_or(start), message),
            None => schema::wrong(message),
        }
    };
    let result = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    if let Some(error) = result.validation_errors().next() {
        return Err(locate(error.policy_id(), offset(error), error.to_string()));
    }
    if !result.validation_passed() {
        return Err(schema::wrong("the policies did not pass validation"));
    }
    let mut warnings = Vec::new();
    for warning in result.validation_warnings() {
        let located = locate(warning.policy_id(), offset(warning), warning.to_string());
        match warning {
            ValidationWarning::ImpossiblePolicy(_) | ValidationWarning::InvalidActionApplication(_) => {
                warnings.push(located.to_string());
            }
            _ => return Err(located),
        }
    }
    Ok(warnings)
}

/// For each action the policies whose scope names it, one of its groups, or any action. The others can neither apply nor
/// fail: the scope is read before the conditions.
fn templates(
    schema: &Schema,
    types: &Types,
    actions: &[String],
    parsed: &[Parsed],
) -> Result<HashMap<String, Template>, Error> {
    let entities = schema.action_entities().map_err(schema::wrong)?;
    let scopes: Vec<ActionConstraint> = parsed.iter().map(|one| one.policy.action_constraint()).collect();
    let mut known: HashMap<Vec<usize>, Arc<Slice>> = HashMap::new();
    let mut templates = HashMap::new();
    for name in actions {
        let uid = uid(&types.action, name);
        let entity = entities.get(&uid).ok_or_else(|| Error::Schema(format!("no action `{name}`")))?.clone();
        let mine = |(at, scope): (usize, &ActionConstraint)| matches(scope, &uid, &entities).then_some(at);
        let chosen: Vec<usize> = scopes.iter().enumerate().filter_map(mine).collect();
        let slice = match known.get(&chosen) {
            Some(slice) => Arc::clone(slice),
            None => {
                let members = chosen.iter().filter_map(|at| parsed.get(*at));
                let slice = Arc::new(slice(members)?);
                known.insert(chosen, Arc::clone(&slice));
                slice
            }
        };
        templates.insert(name.clone(), Template { uid, entity, slice });
    }
    Ok(templates)
}

fn slice<'a>(members: impl Iterator<Item = &'a Parsed>) -> Result<Slice, Error> {
    let (mut policies, mut reads_context) = (PolicySet::new(), false);
    let (mut listed, mut more, mut restricted, mut guarded) = (false, false, false, false);
    for one in members {
        let Rule { name, standard, forbids, approvers, .. } = &one.rule;
        reads_context |= one.rule.reads_context;
        let (restricts, is_glass) = (*forbids || *approvers > 0, *standard && &**name == GLASS);
        listed |= *standard && &**name == LISTED;
        more |= !standard && restricts;
        restricted |= restricts && !is_glass;
        guarded |= is_glass;
        policies.add(Policy::clone(&one.policy)).map_err(schema::wrong)?;
    }
    Ok(Slice { policies, reads_context, restricted, guarded, left_to_lists: listed && !more })
}

fn matches(scope: &ActionConstraint, action: &EntityUid, entities: &Entities) -> bool {
    let within = |group: &EntityUid| group == action || entities.is_ancestor_of(group, action);
    match scope {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(one) => one == action,
        ActionConstraint::In(groups) => groups.iter().any(within),
    }
}

fn read_schema(text: &str) -> Result<Schema, Error> {
    let (schema, _) = Schema::from_cedarschema_str(text).map_err(schema::wrong)?;
    Ok(schema)
}

fn version(schema: &str, described: &crypto::Digest, sources: &[Source<'_>]) -> Version {
    let mut hasher = crypto::Hasher::new();
    let texts = sources.iter().flat_map(|source| [source.name, source.text]);
    for text in std::iter::once(schema).chain(texts) {
        hasher.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.update(described);
    Version(hasher.finish())
}
