//! IAM Identity Center: a person signs in with a browser, the token is kept and renewed, and roles are lent with it.

use std::time::Duration;

use aws::chain::At;
use aws::oidc::{Oidc, Registration, Token};
use aws::profile::Sso;
use aws::session::KeptToken;
use aws::sso::{Portal, was_signed_out};
use aws::wire::Service;
use keyring::{Fault, Item, Trust};
use memory::Secret;
use model::{Code, Refusal};

use super::needs::{Needs, Stop};
use super::{Minted, Minting, OfProfile};
use crate::Lease;

impl Minting {
    /// Credentials of a permission set. Where AWS says that the stored token was ended, it is dropped, and a person is needed.
    pub(super) async fn sso_credentials(
        &self,
        session: &OfProfile,
        sso: &Sso,
        at: &At,
    ) -> Result<Lease, Stop> {
        let (Some(account), Some(role)) = (&sso.account_id, &sso.role_name) else {
            let message = format!("profile `{}` names no SSO account or role", session.profile.name);
            let refusal = Refusal::new(Code::SecretMissing, message).hint("`aws configure sso` writes them");
            return Err(refusal.into());
        };
        let portal = self.endpoint(Service::Sso, "sso", at)?;
        let token = self.access_token(sso, at).await?;
        match Portal::new(&self.tools.wire, &portal, &token).role_credentials(account, role).await {
            Err(error) if self.given.signed_in.is_none() && was_signed_out(&error) => {
                self.forget_token(sso).await?;
                Err(lacking(sso))
            }
            other => other.map_err(|error| self.wire(&error).into()),
        }
    }

    /// The token of a sign-in: of a person who just did, kept, or renewed.
    async fn access_token(&self, sso: &Sso, at: &At) -> Result<Secret, Stop> {
        if let Some((token, registration)) = &self.given.signed_in {
            // Without scopes there is nothing to renew, and the entry stays as other programs write it.
            let registration = (!sso.scopes.is_empty()).then_some(registration);
            self.keep_token(sso, token, registration).await?;
            return Ok(super::token::again(&token.access)?);
        }
        let kept = self.kept_token(&sso.start_url).await?;
        let Some(kept) = kept else { return Err(lacking(sso)) };
        if kept.token.expires > self.tools.wire.now().after(NEARLY_OVER) {
            return Ok(kept.token.access);
        }
        self.renewed(sso, at, &kept).await?.ok_or_else(|| lacking(sso))
    }

    /// A token that was renewed without a person; `None` where it can't be.
    async fn renewed(&self, sso: &Sso, at: &At, kept: &KeptToken) -> Result<Option<Secret>, Stop> {
        let (Some(refresh), Some(registration)) = (&kept.token.refresh, &kept.registration) else {
            return Ok(None);
        };
        if registration.expires <= self.tools.wire.now() {
            return Ok(None);
        }
        let endpoint = self.endpoint(Service::Oidc, "sso_oidc", at)?;
        match Oidc::new(&self.tools.wire, &endpoint).refresh(registration, refresh).await {
            Ok(token) => {
                self.keep_token(sso, &token, Some(registration)).await?;
                Ok(Some(token.access))
            }
            Err(error) => {
                tracing::debug!(%error, "the sign-in could not be renewed");
                Ok(None)
            }
        }
    }

    /// Keeps a token under its start URL and gives the part that opens the portal.
    async fn keep_token(
        &self,
        sso: &Sso,
        token: &Token,
        registration: Option<&Registration>,
    ) -> Result<(), Stop> {
        let end = aws::session::rfc3339(token.expires);
        let item = Item {
            name: aws::session::sso_token_entry(&sso.start_url),
            secret: aws::session::token_to_json(token, registration).map_err(|error| self.form(&error))?,
            label: format!("aws-vault oidc token for {} (expires {end})", sso.start_url),
            description: "aws-vault oidc token".to_owned(),
            trust: Trust::Application,
        };
        self.tools.sessions.write(item).await.map_err(|error| self.keyring(&error).into())
    }

    /// The bytes of an entry, or nothing where there is none.
    async fn kept_token(&self, start_url: &str) -> Result<Option<KeptToken>, Stop> {
        let entry = aws::session::sso_token_entry(start_url);
        match self.tools.sessions.read(self.lending(), &entry).await {
            Ok(item) => Ok(super::token::read(&item.secret, aws::session::token_from_json).ok()),
            Err(error) if error.fault() == Fault::Missing => Ok(None),
            Err(error) => Err(self.keyring(&error).into()),
        }
    }

    async fn forget_token(&self, sso: &Sso) -> Result<(), Stop> {
        let entry = aws::session::sso_token_entry(&sso.start_url);
        let removed = self.tools.sessions.remove(vec![entry]).await;
        removed.map(|_| ()).map_err(|error| self.keyring(&error).into())
    }
}

/// The token of a sign-in in the form in which the AWS CLI keeps it. It goes out in the place of a secret key.
pub(super) async fn token_file(minting: &Minting, start_url: &str) -> Result<Minted, Stop> {
    let Some(kept) = minting.kept_token(start_url).await? else {
        let message = format!("nobody is signed in at `{start_url}`");
        return Err(Refusal::new(Code::SecretMissing, message).into());
    };
    let end = kept.token.expires;
    let secret = aws::session::cli_token_json(&kept.token).map_err(|error| minting.form(&error))?;
    let lease = Lease {
        access_key_id: String::new(),
        secret_access_key: secret,
        session_token: None,
        expiration: Some(end),
    };
    let fields = vec![
        ("start_url".to_owned(), start_url.to_owned()),
        ("expiration".to_owned(), aws::session::rfc3339(end)),
    ];
    Ok(Minted { lease: Some(Box::new(lease)), value: serde_json::Value::Null, fields })
}

/// That a person has to sign in.
fn lacking(sso: &Sso) -> Stop {
    Stop::Needs(Needs::SignIn { start_url: sso.start_url.clone() })
}

/// A token that ends so soon would end under the call that it is for.
const NEARLY_OVER: Duration = Duration::from_secs(30);
