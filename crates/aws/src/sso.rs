//! IAM Identity Center: credentials of a role, and which accounts and roles there are.
//!
//! Source: the AWS SSO portal API reference. Nothing is signed: the access token of [`crate::oidc`] is what proves.

use http::{HeaderName, HeaderValue, Method};
use memory::Secret;
use model::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Lease;
use crate::wire::form::Form;
use crate::wire::json::SecretText;
use crate::wire::{Call, Endpoint, Error, Repeat, Reply, Wire, secret_header};

/// Asks the portal at one place, with one access token.
pub struct Portal<'a> {
    wire: &'a Wire,
    endpoint: &'a Endpoint,
    token: &'a Secret,
}

/// An account that the holder of a token may use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Its number.
    #[serde(rename = "accountId")]
    pub id: String,
    /// Its name.
    #[serde(rename = "accountName", default)]
    pub name: String,
    /// The address of its owner.
    #[serde(rename = "emailAddress", default)]
    pub email: String,
}

impl<'a> Portal<'a> {
    /// The portal at this endpoint, asked with this token.
    #[must_use]
    pub const fn new(wire: &'a Wire, endpoint: &'a Endpoint, token: &'a Secret) -> Self {
        Self { wire, endpoint, token }
    }

    /// `GetRoleCredentials`.
    ///
    /// # Errors
    /// See [`Error`]; [`was_signed_out`] tells whether to sign in again.
    pub async fn role_credentials(&self, account: &str, role: &str) -> Result<Lease, Error> {
        let query = Form::new().pair("role_name", role).pair("account_id", account);
        let reply = self.ask("sso:GetRoleCredentials", Method::GET, "/federation/credentials", query).await?;
        let answer: RoleCredentials = read(&reply)?;
        let Credentials { id, secret, token, expiration } = answer.credentials;
        if id.is_empty() || expiration == 0 {
            return Err(reply.wrong("has incomplete credentials in it"));
        }
        Ok(Lease {
            access_key_id: id,
            secret_access_key: secret.0,
            session_token: Some(token.0),
            expiration: Some(Timestamp::from_millis(expiration)),
        })
    }

    /// `ListAccounts`, all pages.
    ///
    /// # Errors
    /// As for [`Portal::role_credentials`].
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let query = Form::new().pair("max_result", "100").maybe("next_token", next.as_deref());
            let reply = self.ask("sso:ListAccounts", Method::GET, "/assignment/accounts", query).await?;
            let page: Accounts = read(&reply)?;
            all.extend(page.list);
            next = page.next.filter(|next| !next.is_empty());
            if next.is_none() {
                return Ok(all);
            }
        }
        Err(Error::Reply { operation: "sso:ListAccounts", what: "has no end" })
    }

    /// `ListAccountRoles`: the names of the roles in an account, all pages.
    ///
    /// # Errors
    /// As for [`Portal::role_credentials`].
    pub async fn roles(&self, account: &str) -> Result<Vec<String>, Error> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let query = Form::new()
                .pair("account_id", account)
                .pair("max_result", "100")
                .maybe("next_token", next.as_deref());
            let reply = self.ask("sso:ListAccountRoles", Method::GET, "/assignment/roles", query).await?;
            let page: Roles = read(&reply)?;
            all.extend(page.list.into_iter().map(|role| role.name));
            next = page.next.filter(|next| !next.is_empty());
            if next.is_none() {
                return Ok(all);
            }
        }
        Err(Error::Reply { operation: "sso:ListAccountRoles", what: "has no end" })
    }

    /// `Logout`: ends the sign-in at AWS, and with it all sessions that come from it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn logout(&self) -> Result<(), Error> {
        self.ask("sso:Logout", Method::POST, "/logout", Form::new()).await.map(|_| ())
    }

    async fn ask(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        query: Form,
    ) -> Result<Reply, Error> {
        let query = query.end();
        let mark = if query.is_empty() { "" } else { "?" };
        let token = secret_header(self.token)
            .map_err(|_| Error::Input { operation, what: "an access token that is not one line" })?;
        let call = Call {
            operation,
            endpoint: self.endpoint,
            method,
            target: Zeroizing::new(format!("{path}{mark}{}", *query)),
            headers: vec![
                (BEARER, token),
                (http::header::ACCEPT, HeaderValue::from_static("application/json")),
            ],
            body: Zeroizing::default(),
            signed_by: None,
            repeat: Repeat::Harmless,
        };
        self.wire.call(call).await
    }
}

/// Whether the token has ended or was ended: the answer is to drop it and sign in again.
#[must_use]
pub fn was_signed_out(error: &Error) -> bool {
    matches!(error, Error::Refused(fault) if fault.status() == 401)
}

fn read<T: for<'de> Deserialize<'de>>(reply: &Reply) -> Result<T, Error> {
    serde_json::from_slice(&reply.body).map_err(|_| reply.wrong("is not what the portal answers"))
}

#[derive(Deserialize)]
struct RoleCredentials {
    #[serde(rename = "roleCredentials")]
    credentials: Credentials,
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(rename = "accessKeyId")]
    id: String,
    #[serde(rename = "secretAccessKey")]
    secret: SecretText,
    #[serde(rename = "sessionToken")]
    token: SecretText,
    /// Milliseconds since the epoch.
    expiration: u64,
}

#[derive(Deserialize)]
struct Accounts {
    #[serde(rename = "accountList", default)]
    list: Vec<Account>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Roles {
    #[serde(rename = "roleList", default)]
    list: Vec<Role>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Role {
    #[serde(rename = "roleName")]
    name: String,
}

const BEARER: HeaderName = HeaderName::from_static("x-amz-sso_bearer_token");
const MOST_PAGES: usize = 200;

#[cfg(test)]
mod tests;
