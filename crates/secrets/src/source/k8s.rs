//! `k8s:NAMESPACE/NAME#KEY`: one key of a secret of Kubernetes, with the service account of this pod or the one that
//! `sources.toml` names.
//!
//! The API of a cluster is never asked through a proxy. The token is read for each fetch, because Kubernetes replaces it.
//!
//! Source: the Kubernetes API reference, "Secret v1 core", and "Accessing the API from within a Pod".

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use memory::Secret;
use model::SecretRef;
use net::egress::{Proxies, Roots};
use zeroize::Zeroizing;

use super::config::Config;
use super::lender::own;
use super::web::{self, Asked, Way, Web};
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, of_scheme, pick};
use crate::Error;

/// A cluster.
pub(super) struct Kubernetes {
    config: Arc<Config>,
    environment: Environment,
    web: tokio::sync::OnceCell<Web>,
}

impl Kubernetes {
    pub(super) fn new(setup: &Setup) -> Self {
        let (config, environment) = (Arc::clone(&setup.config), setup.environment.clone());
        Self { config, environment, web: tokio::sync::OnceCell::new() }
    }

    fn web(&self) -> Result<Web, Trouble> {
        let own = &self.config.kubernetes;
        let here = || {
            let host = self.environment.text("KUBERNETES_SERVICE_HOST")?;
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            let port = self.environment.text("KUBERNETES_SERVICE_PORT").unwrap_or_else(|| "443".to_owned());
            Some(format!("https://{host}:{port}"))
        };
        let server = own.server.clone().or_else(here).ok_or_else(|| {
            Trouble::setting(
                "this is no pod of Kubernetes, and `sources.toml` has no `server` under `[kubernetes]`",
            )
        })?;
        let ca = match (&own.ca, &own.server) {
            (Some(ca), _) => Roots::Bundle(ca.clone()),
            (None, Some(_)) => Roots::Platform,
            (None, None) => Roots::Bundle(CA.into()),
        };
        Web::new("Kubernetes", &server, Way { roots: ca, proxies: Proxies::default() })
    }

    /// The document of a secret; `None` where there is none.
    async fn read(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Trouble> {
        of_scheme(reference, SCHEME)?;
        let form = "it is not `NAMESPACE/NAME#KEY`";
        let (namespace, name) = reference.path().split_once('/').ok_or(Trouble::Wrong(form))?;
        // RFC 1123, as Kubernetes takes names.
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        let named = |text: &str| {
            !text.is_empty() && text.len() <= 253 && text.bytes().all(plain) && !text.starts_with('.')
        };
        if !named(namespace) || !named(name) || reference.field().is_none() {
            return Err(Trouble::Wrong(form));
        }
        let web = self.web.get_or_try_init(|| async { self.web() }).await?;
        let token: Secret = match &self.config.kubernetes.token {
            Some(token) => own(lender, token).await?,
            None => {
                let mounted =
                    TOKEN.parse().map_err(|_| Trouble::Wrong("the mounted token is no reference"))?;
                own(lender, &mounted).await?
            }
        };
        let headers = vec![(http::header::AUTHORIZATION, web::credential("Bearer ", &token)?)];
        let target = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
        let reply = web
            .ask(Asked { method: Method::GET, target: &target, headers, json: Zeroizing::default() })
            .await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(reply.accepted()?.body))
    }
}

#[async_trait]
impl SecretSource for Kubernetes {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        let document = match self.read(reference, lender).await {
            Ok(Some(document)) => document,
            Ok(None) => return Err(Error::Missing(reference.to_string())),
            Err(why) => return Err(Error::source(reference, why)),
        };
        let key = reference.field().unwrap_or_default();
        let encoded = pick::member(reference, &document, &["data", key])?;
        let wrong =
            || Error::source(reference, Trouble::Answer { at: "Kubernetes".into(), what: "is not base 64" });
        super::aged(reference, super::guarded(pick::decoded(&encoded).ok_or_else(wrong)?)?)
    }
}

pub(super) const SCHEME: &str = "k8s";
const TOKEN: &str = "file:/var/run/secrets/kubernetes.io/serviceaccount/token";
const CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
