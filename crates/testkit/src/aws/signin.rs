//! Console sign-in: a token for temporary credentials.
//!
//! Source: IAM User Guide, "Enable custom identity broker access to the AWS console". Long-lived keys and sessions of
//! `GetSessionToken` can't sign in.

use serde_json::{Map, Value, json};

use super::Inner;
use super::answer::{self, Refused, Reply};
use super::ledger::Kind;
use super::options::Rule;
use super::server::{Asked, Family, Heard};

/// The name of the call; the host becomes a parameter, because it says which partition was asked.
pub(super) fn named(heard: &Heard) -> (String, Map<String, Value>, Family) {
    let mut params = heard.query_params();
    params.insert("host".to_owned(), Value::from(heard.host.clone()));
    let action = params.get("Action").and_then(Value::as_str).unwrap_or("?").to_owned();
    (format!("signin.{action}"), params, Family::Signin)
}

/// Answers one call.
///
/// # Errors
/// When the credentials can't sign in, or [`super::Options::signin_status`] says so.
pub(super) fn answered(inner: &Inner, asked: &Asked<'_>) -> Result<Reply, Refused> {
    let status = inner.options.signin_status;
    if status != 200 {
        return Err(Refused::new(status, "", "fake refusal"));
    }
    if inner.options.demands(Rule::Signin) {
        let said: Value = serde_json::from_str(asked.text("Session").unwrap_or_default()).unwrap_or_default();
        let field = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let key = inner.ledger.find(field("sessionId"), &inner.options);
        let fits = key.is_some_and(|key| {
            matches!(key.kind, Kind::Role | Kind::Federated)
                && key.secret == field("sessionKey")
                && key.token.as_deref() == Some(field("sessionToken"))
        });
        if !fits {
            return Err(Refused::new(400, "", "The session is not one that can sign in"));
        }
    }
    Ok(answer::json(200, &json!({"SigninToken": inner.options.signin_token})))
}
