//! Identity and Access Management: the user of a key, and rotation.
//!
//! Source: the AWS IAM API reference, version 2010-05-08.

use http::{HeaderValue, Method, header};
use memory::Secret;
use model::Timestamp;
use zeroize::Zeroizing;

use crate::Lease;
use crate::wire::form::Form;
use crate::wire::xml::Element;
use crate::wire::{Call, Endpoint, Error, Repeat, Reply, Wire};

/// Asks IAM at one place, with one key.
pub struct Iam<'a> {
    wire: &'a Wire,
    endpoint: &'a Endpoint,
    lease: &'a Lease,
}

/// A user of IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamUser {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The unique id.
    pub id: String,
}

/// A key that was just created. AWS shows its secret this once.
pub struct NewKey {
    /// The id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: Secret,
    /// Whose it is.
    pub user_name: String,
}

/// A key of a user, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The id.
    pub access_key_id: String,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// When it was created, where AWS says so.
    pub created: Option<Timestamp>,
}

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// It may.
    Active,
    /// It may not, until it is made active again.
    Inactive,
}

/// How a key came to be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// This call deleted it.
    Now,
    /// It was not there any more: an earlier attempt whose answer was lost, or somebody else.
    Before,
}

impl<'a> Iam<'a> {
    /// IAM at this endpoint, asked with this key.
    #[must_use]
    pub const fn new(wire: &'a Wire, endpoint: &'a Endpoint, lease: &'a Lease) -> Self {
        Self { wire, endpoint, lease }
    }

    /// `GetUser`: the user of this name, or the one whose key signs. The latter fails for the session of a role.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn user(&self, name: Option<&str>) -> Result<IamUser, Error> {
        let form = Form::of_action("GetUser", VERSION).maybe("UserName", name);
        let reply = self.ask("iam:GetUser", form, Repeat::Harmless).await?;
        let found = reply.result("GetUser")?;
        let user = found.child("User").ok_or_else(|| reply.wrong("names no user"))?;
        let text = |name| user.text_of(name).map(ToOwned::to_owned);
        Ok(IamUser {
            name: text("UserName").ok_or_else(|| reply.wrong("has a user without a name in it"))?,
            arn: text("Arn").unwrap_or_default(),
            id: text("UserId").unwrap_or_default(),
        })
    }

    /// `CreateAccessKey`, for this user or the one whose key signs. Sent again only when it surely was not performed:
    /// a second key that nobody knows would be left behind.
    ///
    /// # Errors
    /// See [`Error`]. After one that is not [`Error::Refused`] a key may exist that nobody knows: compare
    /// [`Iam::access_keys`].
    pub async fn create_access_key(&self, user: Option<&str>) -> Result<NewKey, Error> {
        let form = Form::of_action("CreateAccessKey", VERSION).maybe("UserName", user);
        let reply = self.ask("iam:CreateAccessKey", form, Repeat::Unperformed).await?;
        let found = reply.result("CreateAccessKey")?;
        let key = found.child("AccessKey").ok_or_else(|| reply.wrong("has no key in it"))?;
        let part = |name| key.text_of(name).ok_or_else(|| reply.wrong("has an incomplete key in it"));
        Ok(NewKey {
            access_key_id: part("AccessKeyId")?.to_owned(),
            secret_access_key: Secret::new(part("SecretAccessKey")?.as_bytes().to_vec())?,
            user_name: key.text_of("UserName").unwrap_or_default().to_owned(),
        })
    }

    /// `DeleteAccessKey`. A key that is gone already is no error.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_access_key(&self, id: &str, user: Option<&str>) -> Result<Deleted, Error> {
        let form =
            Form::of_action("DeleteAccessKey", VERSION).pair("AccessKeyId", id).maybe("UserName", user);
        match self.ask("iam:DeleteAccessKey", form, Repeat::Harmless).await {
            Ok(_) => Ok(Deleted::Now),
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(Deleted::Before),
            Err(error) => Err(error),
        }
    }

    /// `UpdateAccessKey`: makes a key usable or not.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn update_access_key(
        &self,
        id: &str,
        status: KeyStatus,
        user: Option<&str>,
    ) -> Result<(), Error> {
        let status = match status {
            KeyStatus::Active => "Active",
            KeyStatus::Inactive => "Inactive",
        };
        let form = Form::of_action("UpdateAccessKey", VERSION)
            .pair("AccessKeyId", id)
            .pair("Status", status)
            .maybe("UserName", user);
        self.ask("iam:UpdateAccessKey", form, Repeat::Harmless).await.map(|_| ())
    }

    /// `ListAccessKeys`, of this user or the one whose key signs; all pages.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn access_keys(&self, user: Option<&str>) -> Result<Vec<KeyFacts>, Error> {
        let mut keys = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let form = Form::of_action("ListAccessKeys", VERSION)
                .maybe("UserName", user)
                .maybe("Marker", marker.as_deref());
            let reply = self.ask("iam:ListAccessKeys", form, Repeat::Harmless).await?;
            let found = reply.result("ListAccessKeys")?;
            let list = found.child("AccessKeyMetadata").ok_or_else(|| reply.wrong("has no list in it"))?;
            for member in list.members() {
                keys.push(facts(&reply, member)?);
            }
            if found.text_of("IsTruncated") != Some("true") {
                return Ok(keys);
            }
            let next = found.text_of("Marker").ok_or_else(|| reply.wrong("has more to come and no mark"))?;
            marker = Some(next.to_owned());
        }
        Err(Error::Reply { operation: "iam:ListAccessKeys", what: "has no end" })
    }

    /// `GetAccessKeyLastUsed`: when a key of any user of the account was used last; `None`, if it never was. AWS knows that
    /// some minutes late.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn last_used(&self, id: &str) -> Result<Option<Timestamp>, Error> {
        let form = Form::of_action("GetAccessKeyLastUsed", VERSION).pair("AccessKeyId", id);
        let reply = self.ask("iam:GetAccessKeyLastUsed", form, Repeat::Harmless).await?;
        let found = reply.result("GetAccessKeyLastUsed")?;
        let used = found.child("AccessKeyLastUsed").ok_or_else(|| reply.wrong("has no last use in it"))?;
        // A key that was never used has no date.
        let Some(date) = used.text_of("LastUsedDate") else { return Ok(None) };
        date.parse().map(Some).map_err(|_| reply.wrong("has a last use that is no time"))
    }

    async fn ask(&self, operation: &'static str, form: Form, repeat: Repeat) -> Result<Reply, Error> {
        let call = Call {
            operation,
            endpoint: self.endpoint,
            method: Method::POST,
            target: Zeroizing::new("/".to_owned()),
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static(FORM))],
            body: form.into_body(),
            signed_by: Some((self.lease, "iam")),
            repeat,
        };
        self.wire.call(call).await
    }
}

fn facts(reply: &Reply, member: &Element) -> Result<KeyFacts, Error> {
    let id = member.text_of("AccessKeyId").ok_or_else(|| reply.wrong("has a key without an id in it"))?;
    let status = match member.text_of("Status") {
        Some("Active") => KeyStatus::Active,
        // `Expired`, and whatever comes: it may not be used.
        Some(_) => KeyStatus::Inactive,
        None => return Err(reply.wrong("has a key without a status in it")),
    };
    let created = member.text_of("CreateDate").and_then(|text| text.parse().ok());
    Ok(KeyFacts { access_key_id: id.to_owned(), status, created })
}

const VERSION: &str = "2010-05-08";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const MOST_PAGES: usize = 100;

#[cfg(test)]
mod tests;
