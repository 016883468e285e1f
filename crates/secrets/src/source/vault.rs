//! `vault:PATH#KEY`: a secret of HashiCorp Vault or `OpenBao`, read at `/v1/PATH`.
//!
//! The path is that of the API, so for the second version of the key-value engine it has `data/` in it
//! (`vault:secret/data/slack#token`). Without a key it is the member `value`. Other members may be of any kind. What comes
//! with a lease is renewed while Vault lets it be, and never used behind its end; all keys of one path come from one lease.
//!
//! A home may know several. The usual one is under `[vault]` in `sources.toml`, or where the variables of Vault say; each further one is
//! under `[vaults.NAME]` and nowhere else, and its secrets are `vault:@NAME/PATH#KEY`. No mount of Vault begins with `@`.
//!
//! Source: the HTTP API of Vault, "KV secrets engine", "Auth methods", `/sys/leases`, `/auth/token/renew-self`.

pub(crate) mod login;
pub(crate) mod talk;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use memory::Secret;
use model::{SecretRef, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use self::login::Login;
use self::talk::Talk;
use super::{
    Environment, Fetched, Lender, SecretSource, Setup, Trouble, config, guarded, of_scheme, pick, web,
};
use crate::Error;

/// All that the home knows.
pub(super) struct Vault {
    usual: Place,
    named: BTreeMap<String, Place>,
}

/// One Vault.
struct Place {
    config: config::Vault,
    environment: Environment,
    /// Made with the first use.
    open: tokio::sync::OnceCell<Open>,
}

struct Open {
    talk: Talk,
    login: Login,
    /// What was read with a lease, by path. Locked while one is renewed, so that keys of one path get one lease.
    leased: tokio::sync::Mutex<BTreeMap<String, Leased>>,
}

/// The document of a path that Vault gave for a time.
struct Leased {
    id: String,
    document: Secret,
    ends: Timestamp,
    renewable: bool,
}

/// What Vault answers a read with, as far as it is looked at here.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    lease_id: String,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
}

/// The shape of the second version of the key-value engine.
#[derive(Deserialize)]
struct Versioned {
    #[serde(rename = "data")]
    _data: VersionedData,
}

#[derive(Deserialize)]
struct VersionedData {
    #[serde(rename = "data")]
    _data: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(rename = "metadata")]
    _metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "version")]
    _version: u64,
}

impl Vault {
    pub(super) fn new(setup: &Setup) -> Self {
        let (usual, further) = (&setup.config.vault, &setup.config.vaults);
        // What the variables say of a Vault they say of the usual one: its token must not go to another.
        let variables = setup.environment.clone();
        let without =
            Environment::of(move |name| variables.raw(name).filter(|_| !name.starts_with("VAULT_")));
        let named = further.iter().map(|(name, config)| (name.clone(), Place::new(config, &without)));
        Self { usual: Place::new(usual, &setup.environment), named: named.collect() }
    }

    /// The Vault that a path names, and the path there.
    fn place<'a>(&self, path: &'a str) -> Result<(&Place, &'a str), Trouble> {
        let Some(named) = path.strip_prefix('@') else { return Ok((&self.usual, path)) };
        let (name, path) =
            named.split_once('/').ok_or(Trouble::Wrong("there is no path behind the Vault's name"))?;
        let place = self.named.get(name).ok_or_else(|| {
            Trouble::setting(format!(
                "no Vault is called `{name}`: `[vaults.{name}]` in `sources.toml` would say where it is"
            ))
        })?;
        if place.config.address.is_none() || place.config.auth.is_none() {
            let why = format!(
                "the Vault `{name}` needs `address` and `auth` under `[vaults.{name}]` in `sources.toml`"
            );
            return Err(Trouble::setting(why));
        }
        Ok((place, path))
    }
}

impl Place {
    fn new(config: &config::Vault, environment: &Environment) -> Self {
        let open = tokio::sync::OnceCell::new();
        Self { config: config.clone(), environment: environment.clone(), open }
    }

    async fn open(&self) -> Result<&Open, Trouble> {
        let make = || async {
            let talk = Talk::new(&self.config, &self.environment)?;
            let login = Login::new(&self.config, &self.environment)?;
            Ok(Open { talk, login, leased: tokio::sync::Mutex::default() })
        };
        self.open.get_or_try_init(make).await
    }

    async fn document(&self, path: &str, lender: &dyn Lender) -> Result<Read, Trouble> {
        let open = self.open().await?;
        let path = web::safe_path(path)?;
        let token = open.login.token(&open.talk, lender).await?;
        let mut leased = open.leased.lock().await;
        if let Some(held) = leased.get_mut(path) {
            if open.renewed(held, &token, lender.now()).await? {
                let document = pick::plain(&held.document);
                return Ok(Read::Found { document, ends: Some(held.ends) });
            }
            leased.remove(path);
        }
        // What has no lease need not wait for what has.
        drop(leased);
        let reply = match open.talk.read(path, &token).await {
            // The token may have been revoked before its end: one that we got by signing in is got again, once.
            Err(Trouble::Refused { .. }) if open.login.forget().await => {
                let token = open.login.token(&open.talk, lender).await?;
                open.talk.read(path, &token).await?
            }
            read => read?,
        };
        let Some(reply) = reply else { return Ok(Read::Missing) };
        let answer: Answer = reply.json()?;
        if answer.lease_id.is_empty() {
            return Ok(Read::Found { document: reply.body, ends: None });
        }
        let ends = lender.now().after(Duration::from_secs(answer.lease_duration));
        let Answer { lease_id: id, renewable, .. } = answer;
        let kept = guarded(Zeroizing::new(reply.body.to_vec()));
        let kept = kept.map_err(|_| Trouble::Wrong("there is no guarded memory for it"))?;
        let mut leased = open.leased.lock().await;
        // Two that read one path at the same time keep the first lease; the other one ends by itself.
        let held = leased.entry(path.to_owned()).or_insert(Leased { id, document: kept, ends, renewable });
        Ok(Read::Found { document: pick::plain(&held.document), ends: Some(held.ends) })
    }
}

enum Read {
    Missing,
    Found { document: Zeroizing<Vec<u8>>, ends: Option<Timestamp> },
}

impl Open {
    /// Whether a lease still holds; one that can be is renewed.
    async fn renewed(&self, held: &mut Leased, token: &Secret, now: Timestamp) -> Result<bool, Trouble> {
        if now >= held.ends {
            return Ok(false);
        }
        if !held.renewable {
            // As long as it has not ended it is the same; shortly before, another one is asked for.
            return Ok(held.ends.since(now) > ALMOST);
        }
        match self.talk.renew_lease(&held.id, token).await {
            Ok(Some(more)) if more > ALMOST => {
                held.ends = now.after(more);
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) if error.is_passing() => Err(error),
            // Revoked, or at the end of what Vault allows.
            Err(_) => Ok(false),
        }
    }
}

#[async_trait]
impl SecretSource for Vault {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        of_scheme(reference, SCHEME).map_err(failed)?;
        let (place, path) = self.place(reference.path()).map_err(failed)?;
        let (document, ends) = match place.document(path, lender).await.map_err(failed)? {
            Read::Missing => return Err(Error::Missing(reference.to_string())),
            Read::Found { document, ends } => (document, ends),
        };
        let key = reference.field().unwrap_or("value");
        let versioned = serde_json::from_slice::<Versioned>(&document).is_ok();
        let path: &[&str] = if versioned { &["data", "data", key] } else { &["data", key] };
        let secret = pick::member(reference, &document, path)?;
        Ok(Fetched { ends, ..super::aged(reference, secret)? })
    }
}

pub(super) const SCHEME: &str = "vault";
/// A lease that ends sooner is not worth using.
const ALMOST: Duration = Duration::from_secs(5);
