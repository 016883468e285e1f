//! Access tokens at a door for agents: whose they are, and what their scopes and groups give here.
//!
//! # Invariants
//!
//! - A token is believed where its signature, issuer, audience and times hold; see `path/identify/incoming/access_token.rs`.
//! - What it gives is said by the settings alone, and ends with the token, or after an hour.
//! - A token is not kept, shown, logged, or passed on.

use std::collections::BTreeSet;
use std::time::Duration;

use catalog::incoming::JwsAlgorithm;
use memory::Secret;
use model::{Code, Inputs, PrincipalName, Refusal, Timestamp};
use serde_json::{Map, Value};

use super::persons;
use crate::path::identify::incoming::access_token::{self, Expected, Unbelieved};
use crate::path::identify::incoming::id_token;
use crate::{Broker, Worker, caveats};

/// Whose access tokens are taken, and what they give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The issuer, exactly as its own document writes it.
    pub issuer: String,
    /// The resource that tokens have to be made for (RFC 8707): the address of our door.
    pub audience: String,
    /// Which signatures are taken; each has a public key.
    pub algorithms: Vec<JwsAlgorithm>,
    /// What tokens give, the first one first.
    pub grants: Vec<Given>,
    /// Whether the issuer may be asked over plain http and at a private address.
    pub dangerous_allow_private: bool,
}

/// A capability for tokens with this scope, of people in these groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The scope that the token has to have.
    pub scope: Option<String>,
    /// Groups, of which the token has to name one; empty for all.
    pub groups: BTreeSet<String>,
    /// What the capability may, in the words of `capability request`.
    pub limits: Inputs,
}

impl Given {
    /// What people know it by.
    pub(crate) fn label(&self) -> String {
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        match (&self.scope, groups.is_empty()) {
            (Some(scope), true) => format!("mcp: {scope}"),
            (Some(scope), false) => format!("mcp: {scope} of {}", groups.join(", ")),
            (None, _) => format!("mcp: {}", groups.join(", ")),
        }
    }

    fn fits(&self, scopes: &BTreeSet<String>, groups: &BTreeSet<String>) -> bool {
        self.scope.as_ref().is_none_or(|scope| scopes.contains(scope))
            && (self.groups.is_empty() || !self.groups.is_disjoint(groups))
    }
}

/// What a token that holds says.
pub(crate) struct Shown<'a> {
    /// The same person as at the sign-in of this issuer.
    pub(crate) principal: PrincipalName,
    /// The program that the token was made for, where it says so.
    pub(crate) client: Option<String>,
    /// When what it gives ends.
    pub(crate) until: Timestamp,
    /// What it gives; never nothing.
    pub(crate) given: Vec<&'a Given>,
}

impl Broker {
    /// Takes access tokens of this issuer from now on. Before any door opens, and once.
    ///
    /// # Errors
    /// `bad_request` where the issuer's address can't be asked, or what tokens give can't be read or is everything.
    pub fn takes_tokens_of(&self, issuer: Issuer) -> Result<(), Refusal> {
        let wrong = |why: &str| Refusal::new(Code::BadRequest, format!("`[mcp]`: {why}"));
        let _ = id_token::discovery(&issuer.issuer, issuer.dangerous_allow_private)
            .ok_or_else(|| wrong("the issuer is not an `https://` address"))?;
        if issuer.algorithms.is_empty() || issuer.algorithms.iter().any(|one| one.is_symmetric()) {
            return Err(wrong("tokens are verified with public keys only, such as those of `RS256`"));
        }
        for given in &issuer.grants {
            let label = given.label();
            let said = |why: &str| wrong(&format!("the grant `{label}` {why}"));
            if given.scope.is_none() && given.groups.is_empty() {
                return Err(wrong("a grant names a `scope` or `groups`, or it would be everybody's"));
            }
            if !["integrations", "operations"].iter().any(|word| given.limits.contains_key(*word)) {
                return Err(said("names no `integrations` and no `operations`"));
            }
            let _ = caveats::read(&given.limits, self.now())
                .map_err(|refusal| said(&format!("can't be read: {}", refusal.message)))?;
        }
        let _ = self.people().issuer.set(issuer);
        Ok(())
    }
}

/// Whose token this is, and what it gives.
///
/// # Errors
/// `unauthenticated` where it does not hold, `denied` where it gives nothing, `source_unavailable` where the issuer can't be asked.
#[expect(clippy::disallowed_methods, reason = "an access token is verified, and goes nowhere")]
pub(crate) async fn shown<'a>(
    worker: &Worker,
    issuer: &'a Issuer,
    token: &Secret,
) -> Result<Shown<'a>, Refusal> {
    let now = worker.broker().now();
    let expected = Expected {
        issuer: &issuer.issuer,
        audience: &issuer.audience,
        algorithms: &issuer.algorithms,
        private: issuer.dangerous_allow_private,
    };
    // Lent for as long as a closure runs, and the issuer may have to be asked meanwhile.
    let token = token.expose(|bytes| zeroize::Zeroizing::new(bytes.to_vec()));
    let claims = access_token::claims(worker, &token, expected, now).await.map_err(|error| {
        let (code, why) = match error {
            Unbelieved::Wrong(why) => (Code::Unauthenticated, why),
            Unbelieved::Unknown(why) => (Code::SourceUnavailable, why),
        };
        tracing::debug!(issuer = %issuer.issuer, why, "an access token was not believed");
        // Whoever tries learns nothing of the reason.
        let message = match code {
            Code::Unauthenticated => "the access token does not hold here",
            _ => "the access token can't be checked now",
        };
        Refusal::new(code, message)
    })?;
    let principal = claims.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty());
    let principal = principal.and_then(|sub| persons::named(&issuer.issuer, sub));
    let principal = principal
        .ok_or_else(|| Refusal::new(Code::Unauthenticated, "the access token does not say whose it is"))?;
    let (scopes, groups) = (scopes(&claims), listed(&claims, "groups"));
    let given: Vec<&Given> = issuer.grants.iter().filter(|given| given.fits(&scopes, &groups)).collect();
    if given.is_empty() {
        let message = "the scopes and groups of the access token give nothing here";
        return Err(Refusal::new(Code::Denied, message));
    }
    let client = ["client_id", "azp"].iter().find_map(|name| claims.get(*name)?.as_str());
    let client = client.map(|name| name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect());
    Ok(Shown { principal, client, until: ends(&claims, now)?, given })
}

/// When the token ends, or an hour from now.
fn ends(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let over = || Refusal::new(Code::Unauthenticated, "the access token does not hold here");
    let exp = claims.get("exp").and_then(Value::as_f64).ok_or_else(over)?;
    // In bounds before it is a number of our own: an `exp` may be far in the future.
    let left = exp - f64::from(u32::try_from(now.millis() / 1_000).map_err(|_| over())?);
    if left < 1.0 {
        return Err(over());
    }
    Ok(now.after(Duration::from_secs_f64(left.min(LONGEST.as_secs_f64()))))
}

/// The scopes: `scope` as one text (RFC 9068, section 2.2.3), or `scp` as a text or a list.
fn scopes(claims: &Map<String, Value>) -> BTreeSet<String> {
    let texts = ["scope", "scp"].iter().filter_map(|name| claims.get(*name)?.as_str());
    let mut scopes: BTreeSet<String> =
        texts.flat_map(str::split_ascii_whitespace).map(str::to_owned).collect();
    scopes.extend(listed(claims, "scp"));
    scopes
}

fn listed(claims: &Map<String, Value>, name: &str) -> BTreeSet<String> {
    let all = claims.get(name).and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// How long what a token gives lasts at most.
const LONGEST: Duration = Duration::from_secs(3_600);
const LONGEST_NAME: usize = 200;
