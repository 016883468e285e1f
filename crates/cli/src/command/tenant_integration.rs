//! `doorward integration status|setup`, and `show` without a name: the credentials that a tenant keeps for providers.

use std::path::Path;
use std::sync::Arc;

use catalog::{Group, Providers};
use memory::Secret;
use model::{Inputs, TenantName};
use serde_json::{Value, json};
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

/// Shows where the credentials of tenants are, who sees them, and which providers there are.
pub(crate) fn architecture(context: &Context) -> Outcome {
    let catalog = super::integration::catalog(context)?;
    let own = context.home().ok().map(crate::home::Home::providers);
    let providers = match own {
        Some(path) => Providers::load(&path, &catalog)?,
        None => Arc::clone(Providers::builtin()?),
    };
    let rows: Vec<Value> = providers
        .all()
        .map(|(code, provider)| {
            let group = if provider.group == Group::Cloud { "cloud" } else { "genai" };
            json!({
                "provider": code, "title": provider.title, "kind": provider.kind, "group": group,
                "names": provider.aliases, "integration": provider.integration,
            })
        })
        .collect();
    let document = json!({ "providers": rows });
    context.printer.answer(&document, |document| {
        let columns = [
            ("provider", "provider"),
            ("group", "group"),
            ("kind", "kind"),
            ("names", "names"),
            ("validated by", "integration"),
        ];
        format!("{ARCHITECTURE}\n{}", table::of(at(document, "providers"), &columns, "There is none."))
    })
}

/// Sets a credential up, from a file, from stdin, or typed without echo.
pub(crate) fn setup(context: &Context, args: &Setup) -> Outcome {
    if args.provider.eq_ignore_ascii_case(super::tenant_group::GENAI) {
        return super::tenant_group::setup(context, args);
    }
    let Setup { provider, tenant, credential_file, .. } = args;
    let credential = match credential_file.as_deref() {
        None => typed::secret(&format!("Credential for `{provider}` of `{tenant}`"))?,
        Some(path) if path == Path::new("-") => typed::secret("Credential")?,
        Some(path) => {
            let bytes = std::fs::read(path)
                .map_err(|error| Failure::doing(format!("could not read `{}`", path.display()), &error))?;
            Secret::new(bytes).map_err(secrets::Error::from)?
        }
    };
    let answer = one(context, args, provider, &credential)?;
    if let Some(problem) = answer.get("problem") {
        return Err(Failure::new(told(problem)));
    }
    let state = cell(at(&answer, "validation_status"));
    context.printer.answer(&answer, |value| {
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

/// Sets one credential up, and gives what came of it.
#[expect(clippy::disallowed_methods, reason = "writes the credential into the request that stores it")]
pub(super) fn one(context: &Context, args: &Setup, provider: &str, credential: &Secret) -> Outcome<Value> {
    let Setup { tenant, name, metadata, skip_validation, .. } = args;
    let metadata: Option<Value> = metadata
        .as_ref()
        .map(|text| serde_json::from_str(text))
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
    let inputs = Inputs::from([
        ("tenant".to_owned(), tenant.to_string()),
        ("provider".to_owned(), provider.to_owned()),
    ]);
    Ok(context.operate("credential.setup", inputs, Some(body))?.value)
}

/// What is wrong with a request, for people.
pub(super) fn told(problem: &Value) -> String {
    let detail = at(problem, "detail");
    detail.as_str().map_or_else(|| detail.to_string(), ToOwned::to_owned)
}

const ARCHITECTURE: &str = include_str!("tenant_integration/architecture.txt");
