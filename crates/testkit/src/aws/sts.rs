//! STS: sessions, roles, federation, and who signed a call.
//!
//! Source: API reference of STS, and "Compare AWS STS credentials" in the IAM User Guide for what which credentials may.

use std::time::Duration;

use model::Timestamp;

use super::Inner;
use super::answer::{Refused, Reply, Service, escaped};
use super::constraints::{self, Needed, Span};
use super::ledger::{Key, Kind};
use super::options::Rule;
use super::server::{Asked, Heard};

/// Answers one call.
///
/// # Errors
/// What AWS refuses.
pub(super) fn answered(inner: &mut Inner, heard: &Heard, asked: &Asked<'_>) -> Result<Reply, Refused> {
    let result = match asked.action {
        "GetSessionToken" => session_token(inner, heard, asked)?,
        "AssumeRole" => assume_role(inner, heard, asked)?,
        "AssumeRoleWithWebIdentity" => web_identity(inner, heard, asked)?,
        "GetFederationToken" => federation_token(inner, heard, asked)?,
        "GetCallerIdentity" => {
            signer(inner, heard, Service::Sts)?;
            let arn = &inner.options.caller_arn;
            format!("<UserId>AIDA</UserId><Account>111111111111</Account><Arn>{}</Arn>", escaped(arn))
        }
        other => return Err(Refused::new(400, "InvalidAction", other)),
    };
    Ok(Service::Sts.result(asked.action, Some(&result)))
}

/// The key that signed a call, after its signature, its session token and its end were checked. `None` only where
/// the rule about signatures is off and the key is unknown.
///
/// # Errors
/// In the words of AWS.
pub(super) fn signer(inner: &mut Inner, heard: &Heard, service: Service) -> Result<Option<Key>, Refused> {
    let invalid = || {
        Refused::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    };
    let strict = inner.options.demands(Rule::Signature);
    let Some(signed) = &heard.signed else {
        let missing =
            Refused::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
        return if strict { Err(missing) } else { Ok(None) };
    };
    let Some(key) = inner.ledger.find(&signed.key, &inner.options) else {
        return if strict { Err(invalid()) } else { Ok(None) };
    };
    if strict {
        if signed.service != service.name() {
            let message = format!("Credential should be scoped to correct service: '{}'.", service.name());
            return Err(Refused::new(403, "SignatureDoesNotMatch", message));
        }
        if heard.header("x-amz-security-token") != key.token.as_deref() {
            return Err(invalid());
        }
        signed.check(heard, &key.secret, heard.now)?;
    }
    if inner.ledger.is_too_fresh(&signed.key, &inner.options) {
        return Err(invalid());
    }
    let over = key.ends.is_some_and(|ends| ends <= heard.now);
    if over && inner.options.demands(Rule::Expired) {
        return Err(Refused::new(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        ));
    }
    inner.ledger.note_use(&signed.key);
    Ok(Some(key))
}

fn session_token(inner: &mut Inner, heard: &Heard, asked: &Asked<'_>) -> Result<String, Refused> {
    let signer = signer(inner, heard, Service::Sts)?;
    only_users(inner, signer.as_ref(), Rule::SessionFromSession, "GetSessionToken")?;
    let seconds = constraints::duration(asked, Span { usual: 43_200, most: 129_600 }, &inner.options)?;
    let mfa = device(inner, signer.as_ref(), asked)?;
    Ok(issued(inner, heard, asked, Kind::Session { mfa }, seconds))
}

fn assume_role(inner: &mut Inner, heard: &Heard, asked: &Asked<'_>) -> Result<String, Refused> {
    let signer = signer(inner, heard, Service::Sts)?;
    let kind = signer.as_ref().map(|key| key.kind);
    constraints::role(asked, &inner.options)?;
    constraints::name(asked, "RoleSessionName", Needed::Yes, &inner.options)?;
    constraints::name(asked, "SourceIdentity", Needed::No, &inner.options)?;
    let wanted = inner.options.external_id.as_deref();
    if wanted.is_some() && asked.text("ExternalId") != wanted {
        let role = asked.text("RoleArn").unwrap_or_default();
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {role}",
            inner.options.caller_arn
        );
        return Err(Refused::new(403, "AccessDenied", message));
    }
    let seconds = role_seconds(inner, asked)?;
    if kind == Some(Kind::Role) && seconds > CHAINED && inner.options.demands(Rule::Chaining) {
        let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
        return Err(Refused::new(400, "ValidationError", message));
    }
    if kind == Some(Kind::Federated) && inner.options.demands(Rule::FederationFromSession) {
        return Err(Refused::new(
            403,
            "AccessDenied",
            "Cannot call AssumeRole with federated user credentials",
        ));
    }
    device(inner, signer.as_ref(), asked)?;
    let credentials = issued(inner, heard, asked, Kind::Role, seconds);
    Ok(credentials + &assumed(asked))
}

fn web_identity(inner: &mut Inner, heard: &Heard, asked: &Asked<'_>) -> Result<String, Refused> {
    constraints::role(asked, &inner.options)?;
    constraints::name(asked, "RoleSessionName", Needed::Yes, &inner.options)?;
    let seconds = role_seconds(inner, asked)?;
    let token = asked.text("WebIdentityToken").unwrap_or_default();
    let whole = !token.is_empty() && !token.contains(char::is_whitespace);
    if !whole && inner.options.demands(Rule::Limits) {
        let message =
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
        return Err(Refused::new(400, "InvalidIdentityToken", message));
    }
    let credentials = issued(inner, heard, asked, Kind::Role, seconds);
    Ok(credentials + &assumed(asked))
}

fn federation_token(inner: &mut Inner, heard: &Heard, asked: &Asked<'_>) -> Result<String, Refused> {
    let signer = signer(inner, heard, Service::Sts)?;
    only_users(inner, signer.as_ref(), Rule::FederationFromSession, "GetFederationToken")?;
    let name = asked.text("Name").unwrap_or_default();
    if !(2..=32).contains(&name.chars().count()) && inner.options.demands(Rule::Limits) {
        return Err(constraints::limit("name", name, "length between 2 and 32"));
    }
    let seconds = constraints::duration(asked, Span { usual: 43_200, most: 129_600 }, &inner.options)?;
    let credentials = issued(inner, heard, asked, Kind::Federated, seconds);
    let name = escaped(name);
    Ok(format!(
        "{credentials}<FederatedUser><FederatedUserId>111111111111:{name}</FederatedUserId>\
         <Arn>arn:aws:sts::111111111111:federated-user/{name}</Arn></FederatedUser>"
    ))
}

fn role_seconds(inner: &Inner, asked: &Asked<'_>) -> Result<u64, Refused> {
    let seconds = constraints::duration(asked, Span { usual: 3_600, most: 43_200 }, &inner.options)?;
    if seconds > inner.options.role_max && inner.options.demands(Rule::Limits) {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Refused::new(400, "ValidationError", message));
    }
    Ok(seconds)
}

fn only_users(inner: &Inner, signer: Option<&Key>, rule: Rule, action: &str) -> Result<(), Refused> {
    if signer.is_none_or(|key| key.kind == Kind::User) || !inner.options.demands(rule) {
        return Ok(());
    }
    Err(Refused::new(403, "AccessDenied", format!("Cannot call {action} with session credentials")))
}

/// Checks the device and its code, where one was sent. Tells whether there was one.
fn device(inner: &mut Inner, signer: Option<&Key>, asked: &Asked<'_>) -> Result<bool, Refused> {
    let denied = |message: &str| Err(Refused::new(403, "AccessDenied", message));
    let (serial, code) = match (asked.text("SerialNumber"), asked.text("TokenCode")) {
        (None, None) => return Ok(false),
        (Some(serial), Some(code)) => (serial, code),
        _ => {
            let both = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
            return denied(both);
        }
    };
    let options = &inner.options;
    if options.demands(Rule::Limits) && (code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(constraints::limit(
            "tokenCode",
            code,
            "length 6 and satisfy regular expression pattern: [\\d]*",
        ));
    }
    if signer.is_some_and(|key| key.kind != Kind::User) && options.demands(Rule::MfaFromSession) {
        return denied("MultiFactorAuthentication failed, unable to validate MFA code.");
    }
    let wrong = options.mfa_code.as_ref().is_some_and(|right| right != code) && options.demands(Rule::Code);
    let fresh = inner.ledger.codes.insert((serial.to_owned(), code.to_owned()));
    if wrong || (!fresh && options.demands(Rule::CodeReuse)) {
        return denied("MultiFactorAuthentication failed with invalid MFA one time pass code.");
    }
    Ok(true)
}

fn issued(inner: &mut Inner, heard: &Heard, asked: &Asked<'_>, kind: Kind, seconds: u64) -> String {
    let seconds = inner.options.lifetime.unwrap_or_else(|| i64::try_from(seconds).unwrap_or(i64::MAX));
    let ends = later(heard.now, seconds);
    let id = inner.ledger.issue(asked.n, kind, ends);
    let n = asked.n;
    format!(
        "<Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>secret-{n}</SecretAccessKey>\
         <SessionToken>token-{n}</SessionToken><Expiration>{}</Expiration></Credentials>",
        to_seconds(ends)
    )
}

fn assumed(asked: &Asked<'_>) -> String {
    let role = escaped(asked.text("RoleArn").unwrap_or_default());
    let name = escaped(asked.text("RoleSessionName").unwrap_or_default());
    format!("<AssumedRoleUser><AssumedRoleId>AROA:{name}</AssumedRoleId><Arn>{role}</Arn></AssumedRoleUser>")
}

/// A time so many seconds from another; earlier where they are negative.
pub(super) fn later(now: Timestamp, seconds: i64) -> Timestamp {
    let span = Duration::from_secs(seconds.unsigned_abs());
    if seconds >= 0 {
        return now.after(span);
    }
    let back = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(now.millis().saturating_sub(back))
}

/// RFC 3339 without fractions, as AWS writes times.
pub(super) fn to_seconds(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

/// The longest session of a role that a role assumed: one hour.
const CHAINED: u64 = 3_600;
