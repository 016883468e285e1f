//! IAM, as far as the rotation of a key and the name of a user need it.
//!
//! Source: API reference of IAM. Credentials of `GetSessionToken` may call IAM only with MFA.

use super::Inner;
use super::answer::{Refused, Reply, Service, escaped};
use super::ledger::Kind;
use super::options::Rule;
use super::server::{Asked, Heard};
use super::sts::signer;

/// The operations that are here.
pub(super) const ACTIONS: &[&str] = &[
    "GetUser",
    "CreateAccessKey",
    "DeleteAccessKey",
    "UpdateAccessKey",
    "ListAccessKeys",
    "GetAccessKeyLastUsed",
];

/// Answers one call.
///
/// # Errors
/// What AWS refuses.
pub(super) fn answered(inner: &mut Inner, heard: &Heard, asked: &Asked<'_>) -> Result<Reply, Refused> {
    let kind = signer(inner, heard, Service::Iam)?.map(|key| key.kind);
    if kind == Some(Kind::Session { mfa: false }) && inner.options.demands(Rule::IamWithoutMfa) {
        let message = "The security token included in the request is invalid";
        return Err(Refused::new(403, "InvalidClientTokenId", message));
    }
    if kind == Some(Kind::Federated) && inner.options.demands(Rule::FederationFromSession) {
        let message = "The security token included in the request is invalid";
        return Err(Refused::new(403, "InvalidClientTokenId", message));
    }
    let stranger = kind == Some(Kind::Role) && asked.text("UserName").is_none();
    if stranger && inner.options.demands(Rule::UserFromRole) {
        let message = "Must specify userName when calling with non-User credentials";
        return Err(Refused::new(400, "ValidationError", message));
    }
    let name = asked.text("UserName").unwrap_or(&inner.options.user_name).to_owned();
    let name = escaped(&name);
    let result = match asked.action {
        "GetUser" => Some(format!(
            "<User><Path>/</Path><UserName>{name}</UserName><UserId>AIDA</UserId>\
             <Arn>arn:aws:iam::111111111111:user/{name}</Arn><CreateDate>2020-01-01T00:00:00Z</CreateDate></User>"
        )),
        "CreateAccessKey" => {
            let (id, secret) = inner.ledger.create(asked.n, heard.now, &inner.options)?;
            Some(format!(
                "<AccessKey><UserName>{name}</UserName><AccessKeyId>{id}</AccessKeyId><Status>Active</Status>\
                 <SecretAccessKey>{secret}</SecretAccessKey></AccessKey>"
            ))
        }
        "DeleteAccessKey" => {
            inner.ledger.delete(asked.text("AccessKeyId").unwrap_or_default(), &inner.options)?;
            None
        }
        "UpdateAccessKey" => None,
        "GetAccessKeyLastUsed" => {
            let id = asked.text("AccessKeyId").unwrap_or_default();
            let date = if inner.ledger.was_used(id) {
                format!("<LastUsedDate>{}</LastUsedDate>", heard.now)
            } else {
                String::new()
            };
            Some(format!(
                "<UserName>{name}</UserName><AccessKeyLastUsed>{date}<Region>N/A</Region>\
                 <ServiceName>N/A</ServiceName></AccessKeyLastUsed>"
            ))
        }
        _ => Some(listed(inner, &name)),
    };
    Ok(Service::Iam.result(asked.action, result.as_deref()))
}

/// The user's keys, as far as the fake has heard of them.
fn listed(inner: &Inner, name: &str) -> String {
    let member = |(id, made): (String, Option<model::Timestamp>)| {
        let made = made.map_or_else(|| "2020-01-01T00:00:00Z".to_owned(), |at| at.to_string());
        format!(
            "<member><UserName>{name}</UserName><AccessKeyId>{}</AccessKeyId><Status>Active</Status>\
             <CreateDate>{made}</CreateDate></member>",
            escaped(&id)
        )
    };
    let members: String = inner.ledger.users_keys().into_iter().map(member).collect();
    format!("<IsTruncated>false</IsTruncated><AccessKeyMetadata>{members}</AccessKeyMetadata>")
}
