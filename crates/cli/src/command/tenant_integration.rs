//! `doorward integration status|debug|setup`: the credentials that a tenant keeps for providers.

use std::path::Path;

use memory::Secret;
use model::{Inputs, TenantName};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::args::integration::Setup;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::table::{self, at, cell};
use crate::typed;

/// Shows what a tenant keeps for each provider.
pub(crate) fn status(context: &Context, tenant: &TenantName) -> Outcome {
    let answered = context.ask("credential.list", &[("tenant", tenant.as_str())])?;
    context.printer.answer(&answered.value, |value| {
        let columns = [
            ("provider", "provider"),
            ("status", "status"),
            ("name", "credential_name"),
            ("last validated", "last_validated_at"),
            ("last error", "last_error"),
        ];
        let all = at(value, "integrations").as_object().map(|all| all.values().cloned().collect::<Vec<_>>());
        table::of(&Value::from(all.unwrap_or_default()), &columns, "There is none.")
    })
}

/// Answers what people ask who look for what is wrong: which credentials there are, whether two of a provider are in use,
/// which one counts, whether the database has all that is needed.
pub(crate) fn debug(context: &Context, tenant: &TenantName) -> Outcome {
    let shown = context.ask("tenant.show", &[("name", tenant.as_str())])?;
    let keys = context.ask("key.list", &[("tenant", tenant.as_str())])?;
    let answered = context.ask("credential.list", &[("tenant", tenant.as_str())])?;
    let rows = at(&answered.value, "credentials").as_array().cloned().unwrap_or_default();
    let mut counted: Map<String, Value> = Map::new();
    for row in rows.iter().filter(|row| at(row, "is_active").as_bool() == Some(true)) {
        let provider = cell(at(row, "provider"));
        let before = counted.get(&provider).and_then(Value::as_u64).unwrap_or_default();
        counted.insert(provider, (before + 1).into());
    }
    let several: Vec<String> =
        counted.iter().filter(|(_, count)| count.as_u64() > Some(1)).map(|(name, _)| name.clone()).collect();
    let active = at(&keys.value, "keys").as_array().into_iter().flatten();
    let active = active.filter(|key| at(key, "state").as_str() == Some("active")).count();
    let document = json!({
        "tenant": shown.value, "active_keys": active, "credentials": rows, "several_in_use": several,
    });
    context.printer.answer(&document, |document| {
        let columns = [
            ("provider", "provider"),
            ("in use", "is_active"),
            ("status", "validation_status"),
            ("name", "credential_name"),
            ("last validated", "last_validated_at"),
            ("created", "created_at"),
            ("ends", "deactivation_scheduled_at"),
            ("id", "credential_id"),
        ];
        let rows = table::of(at(document, "credentials"), &columns, "No credentials.\n");
        let keys = match active {
            0 => format!("no key is active: `doorward key create --tenant {tenant}`"),
            count => format!("{count} active"),
        };
        let facts = [
            ("keys", keys),
            ("several in use", if several.is_empty() { "none".to_owned() } else { several.join(", ") }),
            (
                "which one counts",
                "the one that is in use; one row of the tenant says it for all providers".to_owned(),
            ),
            (
                "database",
                "its format is that of this version, or nothing here would have been read".to_owned(),
            ),
        ];
        format!("{rows}\n{}", table::facts(&facts))
    })
}

/// Sets a credential up, from a file, from stdin, or typed without echo.
#[expect(clippy::disallowed_methods, reason = "writes the credential into the request that stores it")]
pub(crate) fn setup(context: &Context, args: Setup) -> Outcome {
    let Setup { provider, tenant, credential_file, name, metadata, skip_validation } = args;
    let credential = match credential_file.as_deref() {
        None => typed::secret(&format!("Credential for `{provider}` of `{tenant}`"))?,
        Some(path) if path == Path::new("-") => typed::secret("Credential")?,
        Some(path) => {
            let bytes = std::fs::read(path)
                .map_err(|error| Failure::doing(format!("could not read `{}`", path.display()), &error))?;
            Secret::new(bytes).map_err(secrets::Error::from)?
        }
    };
    let metadata: Option<Value> = metadata
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Failure::usage(format!("`--metadata` is not JSON: {error}")))?;
    let body = credential.expose(|bytes| {
        let text = std::str::from_utf8(bytes).map_err(|_| Failure::new("the credential is not text"))?;
        let written = Zeroizing::new(serde_json::to_string(text).unwrap_or_default());
        let rest =
            json!({ "credential_name": name, "metadata": metadata, "skip_validation": skip_validation });
        let rest = rest.to_string();
        let rest = rest.strip_prefix('{').unwrap_or_default();
        let body = Zeroizing::new(format!("{{\"credential\":{},{rest}", *written));
        Secret::new(body.as_bytes().to_vec()).map_err(|error| Failure::from(secrets::Error::from(error)))
    })?;
    let inputs = Inputs::from([("tenant".to_owned(), tenant.to_string()), ("provider".to_owned(), provider)]);
    let answered = context.operate("credential.setup", inputs, Some(body))?;
    if let Some(problem) = answered.value.get("problem") {
        let detail = at(problem, "detail");
        let message = detail.as_str().map_or_else(|| detail.to_string(), ToOwned::to_owned);
        return Err(Failure::new(message));
    }
    let state = cell(at(&answered.value, "validation_status"));
    context.printer.answer(&answered.value, |value| {
        let (message, why) = (cell(at(value, "message")), cell(at(value, "validation_error")));
        if ["FAILED", "PENDING"].contains(&state.as_str()) && !why.is_empty() {
            format!("{message}\n{why}")
        } else {
            message
        }
    })?;
    let failed = ["INVALID", "FAILED"].contains(&state.as_str());
    if failed { Err(Failure::silent()) } else { Ok(()) }
}
