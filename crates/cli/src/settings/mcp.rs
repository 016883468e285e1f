//! `[mcp]`: whose access tokens the door for agents takes over HTTP, and what they give.

use std::collections::{BTreeMap, BTreeSet};

use broker::people::{Given, Issuer};
use catalog::incoming::JwsAlgorithm;
use mcp::Entrance;
use model::Inputs;
use serde::Deserialize;

use crate::failure::{Failure, Outcome};

/// As it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    resource: String,
    issuer: String,
    #[serde(default = "usual")]
    algorithms: Vec<JwsAlgorithm>,
    #[serde(default)]
    dangerous_allow_private: bool,
    grants: Vec<WrittenGrant>,
}

/// What tokens give, with the limits of `capability request`. There are no uses among them: they would count anew with each token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGrant {
    scope: Option<String>,
    #[serde(default)]
    groups: BTreeSet<String>,
    #[serde(default)]
    integrations: Vec<String>,
    #[serde(default)]
    operations: Vec<String>,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    environment: Vec<String>,
    access: Option<String>,
    hours: Option<String>,
    rate: Option<String>,
    approval: Option<String>,
}

/// Whose tokens are taken, where any are.
pub(crate) type Mcp = Option<Issuer>;

impl Written {
    /// What a broker is told.
    pub(super) fn read(self) -> Outcome<Issuer> {
        let Self { resource, issuer, algorithms, dangerous_allow_private, grants } = self;
        if grants.is_empty() {
            return Err(Failure::usage("`mcp.grants` is empty, so no token would give anything")
                .hint("`[[mcp.grants]]` with `scope = \"...\"` and `integrations = [\"github\"]`"));
        }
        let grants = grants.into_iter().map(WrittenGrant::read).collect::<Outcome<_>>()?;
        let issuer = Issuer { issuer, audience: resource, algorithms, grants, dangerous_allow_private };
        // The door would find out as well, but only when it is opened.
        let _ = entrance(&issuer, Vec::new())?;
        Ok(issuer)
    }
}

impl WrittenGrant {
    fn read(self) -> Outcome<Given> {
        let Self {
            scope,
            groups,
            integrations,
            operations,
            resources,
            environment,
            access,
            hours,
            rate,
            approval,
        } = self;
        // RFC 6749, section 3.3.
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
        if let Some(scope) = scope.as_ref().filter(|scope| scope.is_empty() || !scope.chars().all(plain)) {
            return Err(Failure::usage(format!("`mcp.grants.scope`: `{scope}` is no scope")));
        }
        let lists: BTreeMap<&str, Vec<String>> = [
            ("integrations", integrations),
            ("operations", operations),
            ("resources", resources),
            ("environment", environment),
        ]
        .into();
        let mut limits: Inputs = lists
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(word, list)| (word.to_owned(), list.join(",")))
            .collect();
        let texts = [("access", access), ("hours", hours), ("rate", rate), ("approval", approval)];
        limits.extend(texts.into_iter().filter_map(|(word, text)| Some((word.to_owned(), text?))));
        Ok(Given { scope, groups, limits })
    }
}

/// The entrance of the door that is called by these names, for tokens of this issuer as well.
pub(crate) fn entrance(issuer: &Issuer, hosts: Vec<String>) -> Outcome<Entrance> {
    let scopes: BTreeSet<String> = issuer.grants.iter().filter_map(|given| given.scope.clone()).collect();
    let scopes: Vec<String> = scopes.into_iter().collect();
    Entrance::new(hosts)
        .with_issuer(&issuer.audience, &issuer.issuer, &scopes)
        .map_err(|why| Failure::usage(format!("`mcp.resource`: {why}")))
}

fn usual() -> Vec<JwsAlgorithm> {
    vec![JwsAlgorithm::RS256, JwsAlgorithm::ES256, JwsAlgorithm::EdDSA]
}
