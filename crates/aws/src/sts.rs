//! Security Token Service: sessions, roles, federation, and who a key belongs to.
//!
//! Source: the AWS STS API reference, version 2011-06-15.

use std::time::Duration;

use http::{HeaderValue, Method, header};
use memory::Secret;
use model::Timestamp;
use zeroize::Zeroizing;

use crate::Lease;
use crate::wire::form::Form;
use crate::wire::xml::Element;
use crate::wire::{Call, Endpoint, Error, Fault, Repeat, Reply, Wire};

/// Asks STS at one place.
pub struct Sts<'a> {
    wire: &'a Wire,
    endpoint: &'a Endpoint,
}

/// A one-time code of a device.
#[derive(Clone, Copy)]
pub struct Mfa<'a> {
    /// The device's serial number or ARN.
    pub serial: &'a str,
    /// The digits.
    pub code: &'a str,
}

/// What is asked for with `AssumeRole`. What is empty is not sent.
#[derive(Clone, Copy, Default)]
pub struct AssumeRole<'a> {
    /// The role's ARN.
    pub role_arn: &'a str,
    /// The name of the session.
    pub session_name: &'a str,
    /// How long, in whole seconds; AWS decides where it is not said.
    pub duration: Option<Duration>,
    /// What the role's owner demands of a third party.
    pub external_id: Option<&'a str>,
    /// Session tags.
    pub tags: &'a [(String, String)],
    /// Which of them the next role in a chain sees.
    pub transitive_tags: &'a [String],
    /// Whom the session is for, through all roles of a chain.
    pub source_identity: Option<&'a str>,
    /// A policy that narrows the session, in JSON.
    pub policy: Option<&'a str>,
    /// ARNs of managed policies that narrow the session.
    pub policy_arns: &'a [String],
    /// A one-time code.
    pub mfa: Option<Mfa<'a>>,
}

/// What is asked for with `AssumeRoleWithWebIdentity`. Nobody signs it: the token is what proves.
#[derive(Clone, Copy)]
pub struct WebIdentity<'a> {
    /// The role's ARN.
    pub role_arn: &'a str,
    /// The name of the session.
    pub session_name: &'a str,
    /// The token of the identity provider.
    pub token: &'a Secret,
    /// How long, in whole seconds.
    pub duration: Option<Duration>,
    /// A policy that narrows the session, in JSON.
    pub policy: Option<&'a str>,
    /// ARNs of managed policies that narrow the session.
    pub policy_arns: &'a [String],
}

/// What is asked for with `GetFederationToken`.
#[derive(Clone, Copy)]
pub struct Federation<'a> {
    /// The name of the federated user; AWS takes 2 to 32 characters.
    pub name: &'a str,
    /// How long, in whole seconds.
    pub duration: Option<Duration>,
    /// A policy, in JSON; without one the session may do nothing by itself.
    pub policy: Option<&'a str>,
    /// ARNs of managed policies.
    pub policy_arns: &'a [String],
}

/// The session of a role.
pub struct Assumed {
    /// Its credentials.
    pub lease: Lease,
    /// The ARN of the session; empty where AWS did not say.
    pub arn: String,
}

impl CallerIdentity {
    /// The name of the IAM user, without its path; `None` for whoever is none.
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        self.arn.split_once(":user/").and_then(|(_, path)| path.rsplit('/').next())
    }
}

/// Who a key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account's number.
    pub account: String,
    /// The ARN of the user, role session or federated user.
    pub arn: String,
    /// The unique id.
    pub id: String,
}

/// The body of `AssumeRole`, for whoever sends it by other means than a [`Wire`]: a form, as its content type [`FORM`] says.
#[must_use]
pub fn assume_role_body(ask: &AssumeRole<'_>) -> Zeroizing<Vec<u8>> {
    assume_role_form(ask).into_body()
}

/// Reads the answer to that.
///
/// # Errors
/// [`Error::Refused`] with AWS' own words, or [`Error::Reply`] for what is no answer to it.
pub fn assumed_from(status: http::StatusCode, body: &[u8]) -> Result<Assumed, Error> {
    let body = Zeroizing::new(body.to_vec());
    if status.is_success() {
        return assumed(&Reply::new("sts:AssumeRole", body), "AssumeRole");
    }
    let mut reply = http::Response::new(body);
    *reply.status_mut() = status;
    Err(Error::Refused(Box::new(Fault::read("sts:AssumeRole", &reply))))
}

fn assume_role_form(ask: &AssumeRole<'_>) -> Form {
    let mut form = Form::of_action("AssumeRole", VERSION)
        .pair("RoleArn", ask.role_arn)
        .pair("RoleSessionName", ask.session_name)
        .maybe("DurationSeconds", seconds(ask.duration).as_deref())
        .maybe("ExternalId", ask.external_id.filter(|id| !id.is_empty()))
        .maybe("SourceIdentity", ask.source_identity.filter(|name| !name.is_empty()))
        .list("TransitiveTagKeys", ask.transitive_tags);
    for (index, (key, value)) in (1..).zip(ask.tags) {
        form = form
            .pair(&format!("Tags.member.{index}.Key"), key)
            .pair(&format!("Tags.member.{index}.Value"), value);
    }
    with_mfa(narrowed(form, ask.policy, ask.policy_arns), ask.mfa)
}

impl<'a> Sts<'a> {
    /// STS at this endpoint.
    #[must_use]
    pub const fn new(wire: &'a Wire, endpoint: &'a Endpoint) -> Self {
        Self { wire, endpoint }
    }

    /// `GetSessionToken`: a session of a long-lived key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn session_token(
        &self,
        lease: &Lease,
        duration: Option<Duration>,
        mfa: Option<Mfa<'_>>,
    ) -> Result<Lease, Error> {
        let form = Form::of_action("GetSessionToken", VERSION)
            .maybe("DurationSeconds", seconds(duration).as_deref());
        let reply = self.ask("sts:GetSessionToken", with_mfa(form, mfa), Some(lease), once(mfa)).await?;
        credentials(&reply, &reply.result("GetSessionToken")?)
    }

    /// `AssumeRole`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn assume_role(&self, lease: &Lease, ask: &AssumeRole<'_>) -> Result<Assumed, Error> {
        let form = assume_role_form(ask);
        let reply = self.ask("sts:AssumeRole", form, Some(lease), once(ask.mfa)).await?;
        assumed(&reply, "AssumeRole")
    }

    /// `AssumeRoleWithWebIdentity`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn assume_role_with_web_identity(&self, ask: &WebIdentity<'_>) -> Result<Assumed, Error> {
        let operation = "sts:AssumeRoleWithWebIdentity";
        let form = Form::of_action("AssumeRoleWithWebIdentity", VERSION)
            .pair("RoleArn", ask.role_arn)
            .pair("RoleSessionName", ask.session_name)
            .maybe("DurationSeconds", seconds(ask.duration).as_deref());
        let form = narrowed(form, ask.policy, ask.policy_arns)
            .secret("WebIdentityToken", ask.token)
            .ok_or(Error::Input { operation, what: "a token that is not text" })?;
        let reply = self.ask(operation, form, None, Repeat::Harmless).await?;
        assumed(&reply, "AssumeRoleWithWebIdentity")
    }

    /// `GetFederationToken`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn federation_token(&self, lease: &Lease, ask: &Federation<'_>) -> Result<Lease, Error> {
        let form = Form::of_action("GetFederationToken", VERSION)
            .pair("Name", ask.name)
            .maybe("DurationSeconds", seconds(ask.duration).as_deref());
        let form = narrowed(form, ask.policy, ask.policy_arns);
        let reply = self.ask("sts:GetFederationToken", form, Some(lease), Repeat::Harmless).await?;
        credentials(&reply, &reply.result("GetFederationToken")?)
    }

    /// `GetCallerIdentity`: who a key belongs to. Needs no right.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn caller_identity(&self, lease: &Lease) -> Result<CallerIdentity, Error> {
        let form = Form::of_action("GetCallerIdentity", VERSION);
        let reply = self.ask("sts:GetCallerIdentity", form, Some(lease), Repeat::Harmless).await?;
        let found = reply.result("GetCallerIdentity")?;
        let text = |name| found.text_of(name).map(ToOwned::to_owned);
        let arn = text("Arn").ok_or_else(|| reply.wrong("names nobody"))?;
        let account = text("Account").ok_or_else(|| reply.wrong("names no account"))?;
        Ok(CallerIdentity { account, arn, id: text("UserId").unwrap_or_default() })
    }

    async fn ask(
        &self,
        operation: &'static str,
        form: Form,
        lease: Option<&Lease>,
        repeat: Repeat,
    ) -> Result<Reply, Error> {
        let call = Call {
            operation,
            endpoint: self.endpoint,
            method: Method::POST,
            target: Zeroizing::new("/".to_owned()),
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static(FORM))],
            body: form.into_body(),
            signed_by: lease.map(|lease| (lease, "sts")),
            repeat,
        };
        self.wire.call(call).await
    }
}

/// Whole seconds, as AWS counts.
fn seconds(duration: Option<Duration>) -> Option<String> {
    duration.map(|duration| duration.as_secs().to_string())
}

/// A code is good once, so a request with one is not sent again when it may have been performed.
const fn once(mfa: Option<Mfa<'_>>) -> Repeat {
    if mfa.is_some() { Repeat::Unperformed } else { Repeat::Harmless }
}

fn with_mfa(form: Form, mfa: Option<Mfa<'_>>) -> Form {
    match mfa {
        Some(Mfa { serial, code }) => form.pair("SerialNumber", serial).pair("TokenCode", code),
        None => form,
    }
}

fn narrowed(mut form: Form, policy: Option<&str>, arns: &[String]) -> Form {
    form = form.maybe("Policy", policy.filter(|policy| !policy.is_empty()));
    for (index, arn) in (1..).zip(arns) {
        form = form.pair(&format!("PolicyArns.member.{index}.arn"), arn);
    }
    form
}

fn assumed(reply: &Reply, action: &str) -> Result<Assumed, Error> {
    let found = reply.result(action)?;
    let arn = found.child("AssumedRoleUser").and_then(|user| user.text_of("Arn")).unwrap_or_default();
    Ok(Assumed { lease: credentials(reply, &found)?, arn: arn.to_owned() })
}

/// Credentials of STS are temporary: all four parts have to be there.
fn credentials(reply: &Reply, found: &Element) -> Result<Lease, Error> {
    let given = found.child("Credentials").ok_or_else(|| reply.wrong("has no credentials in it"))?;
    let part = |name| given.text_of(name).ok_or_else(|| reply.wrong("has incomplete credentials in it"));
    let secret = |name| part(name).and_then(|text| Ok(Secret::new(text.as_bytes().to_vec())?));
    let ends: Timestamp =
        part("Expiration")?.parse().map_err(|_| reply.wrong("has an end that is no time in it"))?;
    Ok(Lease {
        access_key_id: part("AccessKeyId")?.to_owned(),
        secret_access_key: secret("SecretAccessKey")?,
        session_token: Some(secret("SessionToken")?),
        expiration: Some(ends),
    })
}

const VERSION: &str = "2011-06-15";
/// The content type of every request to STS.
pub const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

#[cfg(test)]
mod tests;
