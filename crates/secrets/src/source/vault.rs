//! `vault:PATH#KEY`: a secret of HashiCorp Vault or `OpenBao`, read at `/v1/PATH`.
//!
//! The path is that of the API, so for the second version of the key-value engine it has `data/` in it
//! (`vault:secret/data/slack#token`). Without a key it is the member `value`. Other members may be of any kind. What comes
//! with a lease is renewed while Vault lets it be, and never used behind its end; all keys of one path come from one lease, which
//! is kept until shortly before its end also where it can't be renewed, as long as Vault doesn't say that it is gone.
//!
//! A home may know several. The usual one is under `[vault]` in `sources.toml`, or where the variables of Vault say; each further one is
//! under `[vaults.NAME]` and nowhere else, and its secrets are `vault:@NAME/PATH#KEY`. No mount of Vault begins with `@`.
//!
//! Source: the HTTP API of Vault, "KV secrets engine", "Auth methods", `/sys/leases`, `/auth/token/renew-self`.

pub(crate) mod login;
pub(crate) mod talk;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use memory::Secret;
use model::{SecretRef, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use self::login::Login;
use self::talk::{Renewal, Talk};
use super::web::Reply;
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
    /// What is known of a path.
    paths: std::sync::Mutex<BTreeMap<String, Slot>>,
}

/// Locked while its path is read or its lease renewed, so that keys of one path get one lease.
type Slot = Arc<tokio::sync::Mutex<Known>>;

#[derive(Default)]
enum Known {
    #[default]
    Nothing,
    /// The last answer had no lease, so that nobody has to wait for another's.
    Plain,
    Leased(Leased),
}

/// The document of a path that Vault gave for a time.
struct Leased {
    id: String,
    document: Secret,
    /// When it is no longer used: shortly before its end. All keys are given back then, so that none is left of it when there
    /// is another one.
    until: Timestamp,
    /// How long before its end that is: the same for each key, however often it is renewed.
    margin: Duration,
    /// When Vault spoke of it last.
    asked: Timestamp,
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
            Ok(Open { talk, login, paths: std::sync::Mutex::default() })
        };
        self.open.get_or_try_init(make).await
    }

    async fn document(&self, path: &str, lender: &dyn Lender) -> Result<Read, Trouble> {
        let open = self.open().await?;
        let path = web::safe_path(path)?;
        let token = open.login.token(&open.talk, lender).await?;
        let slot = open.slot(path);
        let mut known = slot.lock().await;
        match &mut *known {
            Known::Leased(held) => {
                if open.holds(held, &token, lender.now()).await {
                    return Ok(held.read());
                }
                *known = Known::Nothing;
            }
            Known::Nothing => {}
            Known::Plain => {
                // What has no lease need not wait for what has.
                drop(known);
                let Some(read) = open.read(path, token, lender).await? else { return Ok(Read::Missing) };
                let (reply, leased) = read;
                let Some(leased) = leased else { return Ok(Read::plain(reply)) };
                let mut known = slot.lock().await;
                if let Known::Leased(held) = &*known {
                    return Ok(held.read());
                }
                let read = leased.read();
                *known = Known::Leased(leased);
                return Ok(read);
            }
        }
        let Some((reply, leased)) = open.read(path, token, lender).await? else { return Ok(Read::Missing) };
        let read = leased.as_ref().map_or_else(|| Read::plain(reply), Leased::read);
        *known = leased.map_or(Known::Plain, Known::Leased);
        Ok(read)
    }
}

enum Read {
    Missing,
    Found { document: Zeroizing<Vec<u8>>, ends: Option<Timestamp> },
}

impl Read {
    fn plain(reply: Reply) -> Self {
        Self::Found { document: reply.body, ends: None }
    }
}

impl Leased {
    fn read(&self) -> Read {
        Read::Found { document: pick::plain(&self.document), ends: Some(self.until) }
    }

    /// It lasts for so long from now on.
    fn lasts(&mut self, term: Duration, now: Timestamp) {
        (self.until, self.asked) = (now.after(term.saturating_sub(self.margin)), now);
    }
}

impl Open {
    fn slot(&self, path: &str) -> Slot {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(paths.entry(path.to_owned()).or_default())
    }

    /// Reads a path; what came with a lease is kept for the keys that are asked for next.
    async fn read(
        &self,
        path: &str,
        token: Secret,
        lender: &dyn Lender,
    ) -> Result<Option<(Reply, Option<Leased>)>, Trouble> {
        let reply = match self.talk.read(path, &token).await {
            // The token may have been revoked before its end: one that we got by signing in is got again, once.
            Err(Trouble::Refused { .. }) if self.login.forget().await => {
                let token = self.login.token(&self.talk, lender).await?;
                self.talk.read(path, &token).await?
            }
            read => read?,
        };
        let Some(reply) = reply else { return Ok(None) };
        let answer: Answer = reply.json()?;
        if answer.lease_id.is_empty() {
            return Ok(Some((reply, None)));
        }
        let Answer { lease_id: id, lease_duration, renewable } = answer;
        let kept = guarded(Zeroizing::new(reply.body.to_vec()));
        let document = kept.map_err(|_| Trouble::Wrong("there is no guarded memory for it"))?;
        let now = lender.now();
        let term = Duration::from_secs(lease_duration);
        let margin = ALMOST.min(term / 4);
        let mut leased = Leased { id, document, until: now, margin, asked: now, renewable };
        leased.lasts(term, now);
        Ok(Some((reply, Some(leased))))
    }

    /// Whether a lease still holds; one that can be is renewed. That it can't be renewed doesn't end it: another lease would be
    /// another user, beside a password of the one before that is still lent.
    async fn holds(&self, held: &mut Leased, token: &Secret, now: Timestamp) -> bool {
        if now >= held.until {
            return false;
        }
        // The second key of a path, right behind the first.
        if !held.renewable || now.since(held.asked) < ALMOST {
            return true;
        }
        match self.talk.renew_lease(&held.id, token).await {
            Ok(Renewal::Until(term)) => held.lasts(term, now),
            Ok(Renewal::Refused) => held.renewable = false,
            Ok(Renewal::Gone) => return false,
            // It is asked for again a little later.
            Err(_) => held.asked = now,
        }
        now < held.until
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
/// So long before its end a lease is not used any more.
const ALMOST: Duration = Duration::from_secs(5);
