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
pub(super) const ACTIONS: &[&str] =
    &["GetUser", "CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey", "ListAccessKeys"];

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
            let (id, secret) = inner.ledger.create(asked.n, &inner.options)?;
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
        _ => Some(listed(inner, heard, &name)),
    };
    Ok(Service::Iam.result(asked.action, result.as_deref()))
}

/// The user's keys: those that the fake made, and the one that signed where it is the user's own.
fn listed(inner: &Inner, heard: &Heard, name: &str) -> String {
    let own = heard.signed.iter().map(|signed| signed.key.clone()).filter(|key| key.starts_with("AKIA"));
    let mut keys: Vec<String> = own.chain(inner.ledger.created_keys()).collect();
    keys.sort();
    keys.dedup();
    let members: String = keys
        .iter()
        .map(|key| {
            format!(
                "<member><UserName>{name}</UserName><AccessKeyId>{}</AccessKeyId><Status>Active</Status>\
                 <CreateDate>2020-01-01T00:00:00Z</CreateDate></member>",
                escaped(key)
            )
        })
        .collect();
    format!("<IsTruncated>false</IsTruncated><AccessKeyMetadata>{members}</AccessKeyMetadata>")
}
