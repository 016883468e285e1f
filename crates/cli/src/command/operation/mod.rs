//! `doorward op`: list, show and perform operations by name.

mod dry;
mod perform;
mod show;

use catalog::{Catalog, Described, Integration, Operation};
use model::{Inputs, IntegrationName, OperationName};
use std::sync::Arc;

use crate::args::operation::{Op, Run};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::typed;

/// Does one of them.
pub(crate) fn run(context: &Context, args: Op) -> Outcome {
    match args {
        Op::List(args) => show::list(context, &args),
        Op::Show { name } => show::one(context, &name),
        Op::Run(args) if args.dry_run => dry::run(context, &args),
        Op::Run(args) => perform::run(context, &args),
    }
}

/// `SERVICE.OPERATION`, looked up to be shown.
fn described_as(catalog: &Catalog, written: &str) -> Outcome<(Described, OperationName)> {
    let (service, name) = split(written)?;
    let described = catalog
        .described(&service)
        .map_err(|error| Failure::of(&error).maybe_hint(error.hint().map(ToString::to_string)))?;
    if described.integration().internal() {
        return Err(no_such(described.integration(), &name));
    }
    Ok((described, name))
}

fn split(written: &str) -> Outcome<(IntegrationName, OperationName)> {
    let (service, operation) = written.split_once(['.', '/']).ok_or_else(|| {
        Failure::usage(format!("`{written}` names no operation"))
            .hint("write `SERVICE.OPERATION`, such as `kubernetes.version.show`; `doorward op list` has them")
    })?;
    Ok((service.parse()?, operation.parse()?))
}

fn no_such(integration: &Integration, operation: &OperationName) -> Failure {
    let service = integration.name();
    // Typed with the service twice: what was typed is said whole, or it would look like what is meant.
    let twice = operation.as_str().strip_prefix(service.as_str()).and_then(|rest| rest.strip_prefix('.'));
    let known = |name: &&str| !integration.internal() && integration.operations().contains_key(*name);
    if let Some(meant) = twice.filter(known) {
        return Failure::new(format!("there is no operation `{service}.{operation}`"))
            .hint(format!("did you mean `{service}.{meant}`?"));
    }
    let all = integration.operations().keys().map(OperationName::as_str);
    let near = (!integration.internal()).then(|| catalog::nearest_word(operation.as_str(), all)).flatten();
    let failure = Failure::new(format!("`{service}` has no operation `{operation}`"));
    match near {
        Some(near) => failure.hint(format!("did you mean `{service}.{near}`?")),
        None => failure.hint(format!("`doorward op list {service}` has them")),
    }
}

/// An operation that was named.
struct Named {
    integration: Arc<Integration>,
    name: OperationName,
}

impl Named {
    /// `SERVICE.OPERATION`, looked up to be performed.
    fn find(catalog: &Catalog, written: &str) -> Outcome<Self> {
        let (service, name) = split(written)?;
        let integration = catalog
            .get(&service)
            .map_err(|error| Failure::of(&error).maybe_hint(error.hint().map(ToString::to_string)))?;
        if integration.internal() || !integration.operations().contains_key(&name) {
            return Err(no_such(&integration, &name));
        }
        Ok(Self { integration, name })
    }

    fn operation(&self) -> Outcome<&Operation> {
        self.integration.operations().get(&self.name).ok_or_else(|| Failure::new("the operation is gone"))
    }

    fn shown(&self) -> String {
        format!("{}.{}", self.integration.name(), self.name)
    }

    /// The inputs that were typed.
    fn inputs(&self, args: &Run) -> Outcome<Inputs> {
        let operation = self.operation()?;
        let mut inputs = Inputs::new();
        let typed = args.inputs.iter().map(|pair| (pair, false));
        for (pair, file) in typed.chain(args.files.iter().map(|pair| (pair, true))) {
            let (name, value) = pair.split_once('=').ok_or_else(|| {
                // What stands there is not repeated: it may be a value that is nobody's business.
                Failure::usage("an input is written `NAME=VALUE`, or `NAME=PATH` behind `--input-file`")
            })?;
            let Some(field) = operation.inputs().get(name) else {
                let near = catalog::nearest_word(name, operation.inputs().keys().map(String::as_str));
                let failure = Failure::usage(format!("`{}` has no input `{name}`", self.shown()));
                return Err(match near {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint(format!("`doorward op show {}` lists them", self.shown())),
                });
            };
            let value = if file { typed::text(std::path::Path::new(value))? } else { value.to_owned() };
            let list = field.kind() == catalog::Kind::List;
            match inputs.entry(name.to_owned()) {
                std::collections::btree_map::Entry::Vacant(free) => {
                    let value = if list && !value.trim_start().starts_with('[') {
                        serde_json::json!([value]).to_string()
                    } else {
                        value
                    };
                    free.insert(value);
                }
                std::collections::btree_map::Entry::Occupied(mut taken) if list => {
                    let items: Result<Vec<String>, _> = serde_json::from_str(taken.get());
                    let mut items = items.map_err(|error| Failure::of(&error))?;
                    items.push(value);
                    taken.insert(serde_json::json!(items).to_string());
                }
                std::collections::btree_map::Entry::Occupied(_) => {
                    return Err(Failure::usage(format!("the input `{name}` is there more than once")));
                }
            }
        }
        Ok(inputs)
    }
}
