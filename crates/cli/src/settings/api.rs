//! `[api]`: by which names the API is known, where browsers find it, and where people sign in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use broker::Telling;
use broker::people::Provider;
use memory::Secret;
use model::{Authority, Scheme, SecretRef, parse_duration};
use serde::Deserialize;
use server::{Name, Names};

use super::{environment, store};
use crate::failure::{Failure, Outcome};

/// As it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
    sign_in: Option<WrittenSignIn>,
    webhooks: Option<WrittenWebhooks>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWebhooks {
    retry: Option<String>,
    #[serde(default)]
    dangerous_allow_private: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSignIn {
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    title: Option<String>,
    #[serde(default)]
    dangerous_allow_private: bool,
    roles: BTreeMap<String, BTreeSet<String>>,
}

/// What is said of the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Api {
    public: Option<Authority>,
    hosts: Vec<Name>,
    sign_in: Option<SignIn>,
    /// How webhooks are told.
    pub(crate) telling: Telling,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SignIn {
    written: WrittenSignIn,
    secret: Option<SecretRef>,
}

impl Written {
    /// Where it listens beside a gateway.
    pub(super) const fn listen(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// Sees that all of it can be used.
    pub(super) fn read(self) -> Outcome<Api> {
        let Self { listen: _, public_url, hosts, sign_in, webhooks } = self;
        let hosts = hosts
            .iter()
            .map(|host| host.parse().map_err(|error| Failure::usage(format!("`api.hosts`: {error}"))));
        Ok(Api {
            public: public_url.as_deref().map(public).transpose()?,
            hosts: hosts.collect::<Outcome<_>>()?,
            sign_in: sign_in.map(SignIn::read).transpose()?,
            telling: webhooks.unwrap_or_default().read()?,
        })
    }
}

impl WrittenWebhooks {
    fn read(self) -> Outcome<Telling> {
        let usual = Telling::default();
        let retry = self.retry.map(|text| {
            parse_duration(&text).map_err(|error| Failure::usage(format!("`api.webhooks.retry`: {error}")))
        });
        let retry = retry.transpose()?.unwrap_or(usual.retry);
        Ok(Telling { retry, dangerous_allow_private: self.dangerous_allow_private })
    }
}

impl SignIn {
    fn read(written: WrittenSignIn) -> Outcome<Self> {
        let secret = written.client_secret.as_deref().map(|text| {
            // What was written is not repeated: it may be the password itself.
            let wrong = || Failure::usage("`api.sign_in.client_secret` is `env:VARIABLE` or `file:PATH`");
            let read: SecretRef = text.parse().map_err(|_| wrong())?;
            if matches!((read.scheme(), read.field()), ("env" | "file", None)) {
                Ok(read)
            } else {
                Err(wrong())
            }
        });
        Ok(Self { secret: secret.transpose()?, written })
    }
}

impl Api {
    /// By which names a door is known that listens there.
    pub(crate) fn names(&self, listens: SocketAddr) -> Names {
        Names::new(listens, self.public.clone(), self.hosts.clone())
    }

    /// Whether browsers come to it by TLS, under a public name.
    pub(crate) const fn is_public(&self) -> bool {
        self.public.is_some()
    }

    /// Where people sign in, with our password there.
    pub(crate) fn provider(&self, listens: SocketAddr) -> Outcome<Option<Provider>> {
        let Some(SignIn { written, secret }) = &self.sign_in else { return Ok(None) };
        if self.public.is_none() && !listens.ip().is_loopback() {
            let message =
                format!("people can't be sent back from where they sign in: the API listens on `{listens}`");
            return Err(Failure::usage(message)
                .hint("`[api] public_url = \"https://doorward.example\"` says where browsers find it"));
        }
        let WrittenSignIn { issuer, client_id, client_secret: _, title, dangerous_allow_private, roles } =
            written;
        Ok(Some(Provider {
            issuer: issuer.clone(),
            client: client_id.clone(),
            secret: secret.as_ref().map(password).transpose()?,
            title: title.clone().unwrap_or_else(|| host_of(issuer)),
            url: self.names(listens).url(),
            roles: roles.clone(),
            dangerous_allow_private: *dangerous_allow_private,
        }))
    }
}

/// The address for people. A session over plain http in a network is everybody's who listens there.
fn public(text: &str) -> Outcome<Authority> {
    let example = "such as `https://doorward.example`: no path, no slash at the end";
    let read: Authority =
        text.parse().map_err(|error| Failure::usage(format!("`api.public_url`: {error}")).hint(example))?;
    let near = read.host() == "localhost"
        || read.host().parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if read.scheme() == Scheme::Http && !near {
        return Err(Failure::usage(format!("`api.public_url`: `{read}` would have sessions go unprotected"))
            .hint("put TLS in front of it and write `https://`"));
    }
    Ok(read)
}

fn password(reference: &SecretRef) -> Outcome<Secret> {
    let failed = |error: &std::io::Error| Failure::doing("could not read `api.sign_in.client_secret`", error);
    let bytes = match reference.scheme() {
        "env" => {
            environment(reference.path()).map(std::os::unix::ffi::OsStringExt::into_vec).ok_or_else(|| {
                Failure::usage(format!("`{reference}`, named by `api.sign_in.client_secret`, is not set"))
            })?
        }
        _ => store::read_small(Path::new(reference.path())).map_err(|error| failed(&error))?,
    };
    let secret = Secret::new(bytes.trim_ascii().to_vec()).map_err(secrets::Error::from)?;
    Ok(secret)
}

fn host_of(issuer: &str) -> String {
    let behind = issuer.split_once("://").map_or(issuer, |(_, behind)| behind);
    behind.split('/').next().unwrap_or(behind).to_owned()
}
