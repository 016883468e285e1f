//! `llm:openai-codex` and `llm:openai`: the credential for language models, wherever it is, in a fixed order.
//!
//! | | first | then | then | last |
//! |---|---|---|---|---|
//! | `openai-codex` | `access_token` of `sources.toml` | our own store, `openai-codex/profile` | a profile | `OPENAI_ACCESS_TOKEN` |
//! | `openai` | `OPENAI_API_KEY` | `api_key` of `sources.toml` | a profile | our own store, `openai/token` |
//!
//! Profiles are in our own store, or in a file where `auth_path` or `CARAPULSE_AUTH_PATH` says so. One of a file is never renewed here: the
//! file has an owner of its own. What is given of a profile is the whole of it, as a document of one; `#account_id` is its account.

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use cloud::sign_in::{self, CODEX, OPENAI, Profile, Profiles, Renew};
use memory::Secret;
use model::SecretRef;

use super::config::Config;
use super::lender::own;
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, aged, copied, guarded, of_scheme};
use crate::Error;

/// The credentials for language models.
pub(super) struct Llm {
    environment: Environment,
    config: Arc<Config>,
}

impl Llm {
    pub(super) fn new(setup: &Setup) -> Self {
        Self { environment: setup.environment.clone(), config: Arc::clone(&setup.config) }
    }

    /// The key of the provider `openai`.
    async fn key(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Secret, Error> {
        // One that is empty is none: that is how a variable is switched off.
        if let Some(key) = self.environment.raw("OPENAI_API_KEY").filter(|key| !key.is_empty()) {
            return Ok(Secret::new(key.into_vec())?);
        }
        let wrong = |why| Error::source(reference, why);
        if let Some(named) = &self.config.llm.api_key {
            return own(lender, named).await.map_err(wrong);
        }
        if let Some(profile) = self.profile_of(OPENAI, lender).await.map_err(wrong)? {
            return Ok(profile.access);
        }
        let stored = maybe(lender, "store:openai/token").await.map_err(wrong)?;
        stored.ok_or_else(|| Error::Missing(reference.to_string()))
    }

    /// The sign-in of the provider `openai-codex`.
    async fn sign_in(&self, lender: &dyn Lender) -> Result<Profile, Trouble> {
        let named = |secret, account: Option<String>, id: &str| {
            let mut found = Profile::manual(secret, None, None);
            found.account = account.or(found.account);
            found.named(CODEX, Some(format!("{CODEX}:{id}")), Renew::Never).map_err(|error| said(&error))
        };
        let llm = &self.config.llm;
        if let Some(reference) = &llm.access_token {
            return named(own(lender, reference).await?, llm.account_id.clone(), "configured");
        }
        if let Some(stored) = maybe(lender, &format!("store:{STORED}")).await? {
            let account = maybe(lender, &format!("store:{STORED_ACCOUNT}")).await?;
            let account = account.map(|account| text(&account)).transpose()?;
            return named(stored, account.or_else(|| llm.account_id.clone()), "stored");
        }
        if let Some(profile) = self.profile_of(CODEX, lender).await? {
            return Ok(profile);
        }
        match self.environment.raw("OPENAI_ACCESS_TOKEN").filter(|token| !token.is_empty()) {
            Some(token) => {
                let token =
                    Secret::new(token.into_vec()).map_err(|_| Trouble::Wrong("there is no memory for it"))?;
                named(token, llm.account_id.clone(), "environment")
            }
            None => Err(said(&sign_in::Error::Required)),
        }
    }

    /// The profile that a provider takes; none where there is no document, or none of this provider in it.
    async fn profile_of(&self, provider: &str, lender: &dyn Lender) -> Result<Option<Profile>, Trouble> {
        let llm = &self.config.llm;
        let file =
            llm.auth_path.clone().or_else(|| self.environment.raw("CARAPULSE_AUTH_PATH").map(PathBuf::from));
        let file = file.filter(|path| !path.as_os_str().is_empty());
        let from = match &file {
            Some(path) => format!("file:{}", path.display()),
            None => format!("store:{PROFILES}"),
        };
        let Some(document) = maybe(lender, &from).await? else { return self.none(provider) };
        #[expect(clippy::disallowed_methods, reason = "reads the document of profiles")]
        let all = document.expose(|bytes| Profiles::read(bytes, &from)).map_err(|error| said(&error))?;
        let preferred = self.preferred(provider);
        let chosen = all.select(provider, preferred.as_deref()).map_err(|error| said(&error))?;
        let Some(chosen) = chosen else { return Ok(None) };
        let mut chosen = copy(chosen)?;
        if file.is_some() {
            chosen.renew = Renew::Never;
        }
        Ok(Some(chosen))
    }

    /// Without a document there is no profile; one that was asked for by name is missed.
    fn none(&self, provider: &str) -> Result<Option<Profile>, Trouble> {
        match self.preferred(provider) {
            None => Ok(None),
            Some(id) => {
                Profiles::default().select(provider, Some(&id)).map(|_| None).map_err(|error| said(&error))
            }
        }
    }

    /// The profile that somebody named. Its name says whose it is, and no provider takes that of another.
    fn preferred(&self, provider: &str) -> Option<String> {
        let named =
            self.config.llm.auth_profile.clone().or_else(|| self.environment.text("CARAPULSE_AUTH_PROFILE"));
        named.filter(|id| provider == CODEX || id.starts_with(&format!("{provider}:")))
    }
}

#[async_trait]
impl SecretSource for Llm {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        let wrong = |why| Error::source(reference, why);
        of_scheme(reference, SCHEME).map_err(wrong)?;
        match (reference.path(), reference.field()) {
            (OPENAI, None) => aged(reference, self.key(reference, lender).await?),
            (CODEX, None) => {
                let profile = self.sign_in(lender).await.map_err(wrong)?;
                let document = profile.write().map_err(|error| wrong(said(&error)))?;
                aged(reference, guarded(document)?)
            }
            (CODEX, Some("account_id")) => {
                let profile = self.sign_in(lender).await.map_err(wrong)?;
                let missing = "neither the profile nor its access token names an account; `account_id` below `[llm]` does";
                let account = profile.account().ok_or_else(|| wrong(Trouble::setting(missing)))?;
                aged(reference, Secret::new(account.into_bytes())?)
            }
            _ => Err(wrong(Trouble::Wrong(
                "there are `llm:openai`, `llm:openai-codex` and `llm:openai-codex#account_id`",
            ))),
        }
    }
}

/// Whether what a reference names is no secret, as it stands in the names of profiles, which are listed.
pub(crate) fn is_no_secret(reference: &SecretRef) -> bool {
    reference.scheme() == SCHEME && reference.field() == Some("account_id")
}

/// The references whose secrets are made from this one of our own store; they have to be read again when it changes.
pub(crate) fn made_from(stored: &str) -> &'static [&'static str] {
    match stored {
        PROFILES => &["llm:openai-codex", "llm:openai-codex#account_id", "llm:openai"],
        STORED | STORED_ACCOUNT => &["llm:openai-codex", "llm:openai-codex#account_id"],
        "openai/token" => &["llm:openai"],
        _ => &[],
    }
}

/// A secret that may be missing.
async fn maybe(lender: &dyn Lender, reference: &str) -> Result<Option<Secret>, Trouble> {
    let parsed: SecretRef =
        reference.parse().map_err(|_| Trouble::Wrong("the path of the profiles can't be read"))?;
    match lender.lend(&parsed).await {
        Err(Error::Missing(_)) => Ok(None),
        Ok(secret) => Ok(Some(secret)),
        Err(_) => own(lender, &parsed).await.map(Some),
    }
}

fn copy(profile: &Profile) -> Result<Profile, Trouble> {
    let memory = |_| Trouble::Wrong("there is no memory for it");
    Ok(Profile {
        id: profile.id.clone(),
        provider: profile.provider.clone(),
        account: profile.account.clone(),
        access: copied(&profile.access).map_err(memory)?,
        refresh: profile.refresh.as_ref().map(copied).transpose().map_err(memory)?,
        ends: profile.ends,
        source: profile.source.clone(),
        renew: profile.renew,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "an account's name is sent in a header, and is no secret elsewhere"
)]
fn text(secret: &Secret) -> Result<String, Trouble> {
    secret.expose(|bytes| {
        str::from_utf8(bytes)
            .map(|text| text.trim().to_owned())
            .map_err(|_| Trouble::Wrong("the stored account is no text"))
    })
}

fn said(error: &sign_in::Error) -> Trouble {
    let hint = error.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
    Trouble::setting(format!("{error}{hint}"))
}

pub(super) const SCHEME: &str = "llm";
/// The document of profiles in our own store.
pub(crate) const PROFILES: &str = "llm/auth-profiles";
const STORED: &str = "openai-codex/profile";
const STORED_ACCOUNT: &str = "openai-codex/account";
