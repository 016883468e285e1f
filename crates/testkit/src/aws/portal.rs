//! The SSO portal: role credentials, the accounts and roles of a person, and the end of a session.

use serde_json::{Map, Value, json};

use super::Inner;
use super::answer::{self, Refused, Reply};
use super::ledger::Kind;
use super::options::Rule;
use super::server::{Asked, Family, Heard};
use super::sts::later;

/// The name of the call; the bearer token becomes a parameter.
pub(super) fn named(heard: &Heard) -> (String, Map<String, Value>, Family) {
    let action = match heard.path.as_str() {
        "/assignment/accounts" => "ListAccounts",
        "/assignment/roles" => "ListAccountRoles",
        "/logout" => "Logout",
        _ => "GetRoleCredentials",
    };
    let mut params = heard.query_params();
    let bearer = heard.header("x-amz-sso_bearer_token").map_or(Value::Null, Value::from);
    params.insert("bearer".to_owned(), bearer);
    (format!("sso.{action}"), params, Family::Portal)
}

/// Answers one call.
///
/// # Errors
/// What AWS refuses, and what [`super::Options::sso_status_sequence`] says.
pub(super) fn answered(inner: &mut Inner, heard: &Heard, asked: &Asked<'_>) -> Result<Reply, Refused> {
    if asked.action == "GetRoleCredentials" {
        due(inner)?;
    }
    let bearer = asked.text("bearer").unwrap_or_default();
    if !inner.ledger.bearers.contains(bearer) && inner.options.demands(Rule::Bearer) {
        return Err(Refused::new(401, "UnauthorizedException", "Session token not found or invalid"));
    }
    let body = match asked.action {
        "ListAccounts" => {
            let accounts: Vec<Value> = inner
                .options
                .sso_accounts
                .keys()
                .map(
                    |id| json!({"accountId": id, "accountName": format!("account {id}"), "emailAddress": ""}),
                )
                .collect();
            json!({"accountList": accounts})
        }
        "ListAccountRoles" => {
            let account = asked.text("account_id").unwrap_or_default();
            let roles = inner.options.sso_accounts.get(account).cloned().unwrap_or_default();
            let roles: Vec<Value> =
                roles.iter().map(|role| json!({"accountId": account, "roleName": role})).collect();
            json!({"roleList": roles})
        }
        "Logout" => {
            inner.ledger.bearers.remove(bearer);
            json!({})
        }
        _ => {
            let ends = later(heard.now, inner.options.sso_lifetime);
            let id = inner.ledger.issue(asked.n, Kind::Role, ends);
            let n = asked.n;
            json!({"roleCredentials": {"accessKeyId": id, "secretAccessKey": format!("secret-{n}"),
                    "sessionToken": format!("token-{n}"), "expiration": ends.millis()}})
        }
    };
    Ok(answer::json(200, &body))
}

/// The status that is due for role credentials, counted.
fn due(inner: &mut Inner) -> Result<(), Refused> {
    let status = inner.options.sso_status_sequence.get(inner.ledger.portal_calls).copied().unwrap_or(200);
    inner.ledger.portal_calls += 1;
    let code = match status {
        200 => return Ok(()),
        401 => "UnauthorizedException",
        403 => "ForbiddenException",
        429 => "TooManyRequestsException",
        _ => "X",
    };
    Err(Refused::new(status, code, format!("fake {code}")))
}
