//! Roles of principals: given, taken back, listed. They hold at once.

use std::sync::Arc;

use model::{Code, PrincipalName, Refusal, TenantName};
use policy::{OWNER, PrincipalKind};
use serde_json::{Value, json};

use super::{Managing, waiting};
use crate::broker::{Broker, PrincipalRow};
use crate::people::PREFIX;

pub(super) async fn grant(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let Asked { broker, tenant, principal, role } = Asked::of(managing)?;
    if principal.as_str().starts_with(PREFIX) {
        let message = format!("the roles of `{principal}` are those of its groups at the identity provider");
        return Err(Refusal::new(Code::BadRequest, message).hint("`[api.sign_in.roles]` in `settings.toml`"));
    }
    let kind = managing.inputs.get("kind").map(|word| kind(word)).transpose()?;
    waiting(move || {
        broker.known_role(&tenant, &role)?;
        let row = broker.change_roles(&tenant, &principal, |row| {
            row.kind = kind.unwrap_or(row.kind);
            row.roles.insert(role);
            Ok(())
        })?;
        Ok(shown(&principal, &row))
    })
    .await
}

pub(super) async fn revoke(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let Asked { broker, tenant, principal, role } = Asked::of(managing)?;
    waiting(move || {
        if principal == *broker.owner() && role == OWNER {
            let message = format!("`{principal}` is the owner of this home, and stays it");
            return Err(Refusal::new(Code::BadRequest, message));
        }
        let row = broker.change_roles(&tenant, &principal, |row| match row.roles.remove(&role) {
            true => Ok(()),
            false => {
                let message = format!("`{principal}` has not the role `{role}`");
                Err(Refusal::new(Code::NotFound, message).hint("`doorward role list`"))
            }
        })?;
        Ok(shown(&principal, &row))
    })
    .await
}

pub(super) async fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let tenant = managing.admitted.permit.tenant().clone();
    waiting(move || {
        let rows = broker.roles_of(&tenant)?;
        let shown: Vec<Value> = rows.iter().map(|(principal, row)| shown(principal, row)).collect();
        let known: Vec<Value> =
            policy::ROLES.iter().map(|(role, about)| json!({ "role": role, "about": about })).collect();
        Ok(json!({ "principals": shown, "known": known }))
    })
    .await
}

struct Asked {
    broker: Arc<Broker>,
    tenant: TenantName,
    principal: PrincipalName,
    role: String,
}

impl Asked {
    fn of(managing: &Managing<'_>) -> Result<Self, Refusal> {
        let principal = managing
            .input("principal")?
            .parse()
            .map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))?;
        Ok(Self {
            broker: Arc::clone(managing.worker.broker()),
            tenant: managing.admitted.permit.tenant().clone(),
            principal,
            role: managing.input("role")?.to_owned(),
        })
    }
}

fn kind(word: &str) -> Result<PrincipalKind, Refusal> {
    let all = [PrincipalKind::Person, PrincipalKind::Service, PrincipalKind::Workload, PrincipalKind::Agent];
    all.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
        Refusal::new(Code::BadRequest, "a principal is a `person`, `service`, `workload` or `agent`")
    })
}

fn shown(principal: &PrincipalName, row: &PrincipalRow) -> Value {
    json!({ "principal": principal, "kind": row.kind, "roles": row.roles, "changed": row.changed })
}
