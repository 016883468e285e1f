//! A role of AWS that is assumed with the stored key.

use std::time::Duration;

use model::parse_duration;

use super::{Entry, Plain};
use crate::Assume;
use crate::file::AuthEntry;

/// The role of an entry; `None` where it names none.
pub(super) fn role(entry: &Entry<'_>) -> Result<Option<Assume>, String> {
    let AuthEntry { role, session_name, external_id, sts_region, ttl, token_url, .. } = entry.entry;
    let Some(role) = role else {
        let more = [
            ("session_name", session_name),
            ("external_id", external_id),
            ("sts_region", sts_region),
            ("ttl", ttl),
            ("token_url", token_url),
        ];
        return match more.into_iter().find(|(_, given)| given.is_some()) {
            Some((key, _)) => Err(format!("`{key}` is for sessions of a `role`")),
            None => Ok(None),
        };
    };
    let partition = partition(role)
        .ok_or("`role` is the ARN of a role, such as `arn:aws:iam::123456789012:role/operations`")?;
    let session = session_name.as_deref().unwrap_or(USUAL_NAME);
    if !is_name(&session.replace(PRINCIPAL, "x"), 64) {
        return Err(
            "`session_name` is at most 64 letters, digits and `_+=,.@-`, with `{principal}` where whoever calls is named"
                .to_owned(),
        );
    }
    if external_id.as_ref().is_some_and(|id| !is_external_id(id)) {
        return Err("`external_id` is 2 to 1224 letters, digits and `_+=,.@:/-`".to_owned());
    }
    let region = sts_region.clone().unwrap_or_else(|| partition.region.to_owned());
    if region.is_empty() || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err("`sts_region` is a region, such as `eu-central-1`".to_owned());
    }
    let lasts = match ttl {
        None => SHORTEST,
        Some(text) => parse_duration(text).map_err(|error| error.to_string())?,
    };
    if !(SHORTEST..=LONGEST).contains(&lasts) {
        return Err("`ttl` of a session is 15 minutes to 12 hours".to_owned());
    }
    let usual = format!("https://sts.{region}.{}/", partition.domain);
    let endpoint = entry.endpoint("token_url", token_url.as_deref().unwrap_or(&usual), Plain::WithLeave)?;
    Ok(Some(Assume {
        role: role.clone(),
        session: session.to_owned(),
        lasts,
        external_id: external_id.clone(),
        endpoint,
        region,
    }))
}

struct Partition {
    domain: &'static str,
    region: &'static str,
}

/// The partition of a role's ARN.
fn partition(role: &str) -> Option<Partition> {
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts.as_slice() else { return None };
    let name = resource.strip_prefix("role/")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&b);
    if account.len() != 12
        || !account.bytes().all(|b| b.is_ascii_digit())
        || name.is_empty()
        || name.len() > 512
        || !name.bytes().all(plain)
    {
        return None;
    }
    match *partition {
        "aws" => Some(Partition { domain: "amazonaws.com", region: "us-east-1" }),
        "aws-us-gov" => Some(Partition { domain: "amazonaws.com", region: "us-gov-west-1" }),
        "aws-cn" => Some(Partition { domain: "amazonaws.com.cn", region: "cn-north-1" }),
        _ => None,
    }
}

fn is_name(text: &str, most: usize) -> bool {
    !text.is_empty()
        && text.len() <= most
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

fn is_external_id(text: &str) -> bool {
    (2..=1224).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b))
}

const PRINCIPAL: &str = "{principal}";
const USUAL_NAME: &str = "doorward-{principal}";
/// The AWS STS API reference, `AssumeRole`, `DurationSeconds`.
const SHORTEST: Duration = Duration::from_secs(900);
const LONGEST: Duration = Duration::from_secs(43_200);

#[cfg(test)]
mod tests;
