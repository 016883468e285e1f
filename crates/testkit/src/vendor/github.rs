//! A server of GitHub Enterprise, as far as branches, commits, pull requests and statuses are made and looked at there: its REST API is
//! below `/api/v3`, its GraphQL at `/api/graphql`. Without a prefix the same paths are those of `api.github.com`.
//!
//! Source: GitHub REST API documentation ("Git database / References", "Pulls", "Repository contents", "Commit statuses",
//! "Troubleshooting" for the words of errors) and its GraphQL reference; which queries `gh` 2.23 sends was seen by recording them.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::jws::{Algorithm, VerifyingKey};
use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};

mod graph;
mod rest;

/// One that runs.
pub struct GitHub(Server<State>);

served!(GitHub);

#[derive(Default)]
struct State {
    /// Tokens, and what they are narrowed to.
    tokens: BTreeMap<String, Narrowed>,
    apps: BTreeMap<String, VerifyingKey>,
    repositories: BTreeMap<String, Repository>,
}

#[derive(Default, Clone)]
struct Narrowed {
    repositories: Option<Vec<String>>,
    permissions: Option<serde_json::Map<String, Value>>,
}

#[derive(Default)]
struct Repository {
    owner: String,
    name: String,
    /// Names such as `refs/heads/main`, and the commits that they are at.
    refs: BTreeMap<String, String>,
    /// Every commit that there is, whether or not a branch is at it.
    commits: BTreeSet<String>,
    pulls: Vec<Pull>,
    /// What was said of commits.
    statuses: Vec<Value>,
    made: u64,
}

#[derive(Clone)]
struct Pull {
    number: u64,
    title: String,
    body: String,
    head: String,
    base: String,
    draft: bool,
    merged: Option<String>,
}

impl GitHub {
    /// Starts one that has nothing.
    #[must_use]
    pub fn start() -> Self {
        Self(Server::start(State::default()))
    }

    /// Lets whoever has this token work on a repository `OWNER/NAME` that has one branch.
    pub fn repository(&self, token: &str, name: &str, (branch, commit): (&str, &str)) {
        self.0.change(|state| {
            state.tokens.insert(token.to_owned(), Narrowed::default());
            let (owner, short) = name.split_once('/').expect("the name of a repository is OWNER/NAME");
            let kept = state.repositories.entry(name.to_owned()).or_default();
            (kept.owner, kept.name) = (owner.to_owned(), short.to_owned());
            kept.refs.insert(format!("refs/heads/{branch}"), commit.to_owned());
            kept.commits.insert(commit.to_owned());
        });
    }

    /// Registers an app under this id that is installed as `1` and may read and write contents, pull requests and statuses of every
    /// repository; gives its private key.
    #[must_use]
    pub fn app(&self, id: &str) -> String {
        let (private, public) = crate::certificate::rsa_key();
        let key = VerifyingKey::from_pem(Algorithm::RS256, public.as_bytes()).expect("the test kit works");
        self.0.change(|state| state.apps.insert(id.to_owned(), key));
        private
    }

    /// Where a branch is.
    #[must_use]
    pub fn branch(&self, name: &str, branch: &str) -> Option<String> {
        let reference = format!("refs/heads/{branch}");
        self.0.change(|state| state.repositories.get(name)?.refs.get(&reference).cloned())
    }

    /// A pull request as the REST API shows it.
    #[must_use]
    pub fn pull(&self, name: &str, number: u64) -> Option<Value> {
        self.0.change(|state| {
            let kept = state.repositories.get(name)?;
            Some(rest::shown(kept, kept.pull(number)?))
        })
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        let told = heard.header("authorization").and_then(|text| text.split_once(' '));
        let told = told.filter(|(scheme, _)| matches!(*scheme, "token" | "Bearer")).map(|(_, token)| token);
        if heard.path.ends_with("/app/installations/1/access_tokens") && heard.method == "POST" {
            return self.installed(told.unwrap_or_default(), &heard.json());
        }
        let Some(narrowed) = told.and_then(|token| self.tokens.get(token)).cloned() else {
            return said(401, "Bad credentials");
        };
        if heard.path.ends_with("/graphql") {
            return graph::answer(self, &heard.json());
        }
        let path = heard.path.strip_prefix("/api/v3").unwrap_or(&heard.path).trim_start_matches('/');
        let mut parts = path.strip_prefix("repos/").unwrap_or_default().splitn(3, '/');
        let (Some(owner), Some(name), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return said(404, "Not Found");
        };
        if narrowed.repositories.is_some_and(|only| only.iter().all(|one| one != name)) {
            return said(404, "Not Found");
        }
        let (permission, level) = rest::permission(&heard.method, rest);
        if let Some(permissions) = &narrowed.permissions {
            let has = permissions.get(permission).and_then(Value::as_str);
            if has != Some("write") && has != Some(level) {
                return said(403, "Resource not accessible by integration");
            }
        }
        match self.repositories.get_mut(&format!("{owner}/{name}")) {
            Some(kept) => rest::answer(kept, heard, rest),
            None => said(404, "Not Found"),
        }
    }
}

impl State {
    /// A token of the installation, for whoever signed as the app ("Create an installation access token for an app").
    fn installed(&mut self, assertion: &str, asked: &Value) -> Said {
        if !self.signed(assertion) {
            return said(401, "A JSON web token could not be decoded");
        }
        let repositories: Option<Vec<String>> = asked["repositories"]
            .as_array()
            .map(|all| all.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect());
        let known = |name: &String| self.repositories.values().any(|kept| kept.name == *name);
        if !repositories.iter().flatten().all(known) {
            let why = "There is at least one repository that does not exist or is not accessible to the parent installation.";
            return said(422, why);
        }
        let permissions = asked["permissions"].as_object().cloned();
        let granted = ["contents", "pull_requests", "statuses", "metadata"];
        if permissions.iter().flatten().any(|(name, _)| !granted.contains(&name.as_str())) {
            return said(422, "The permissions requested are not granted to this installation.");
        }
        let token = format!("ghs_CANARY{:030}", self.tokens.len());
        let given =
            json!({ "token": token, "expires_at": "2099-01-01T00:00:00Z", "permissions": permissions });
        self.tokens.insert(token, Narrowed { repositories, permissions });
        Said::new(201, given)
    }

    fn signed(&self, assertion: &str) -> bool {
        let Some((message, signature)) = assertion.rsplit_once('.') else { return false };
        let claims = message.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims: Value = claims.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let short = claims.get("exp").and_then(Value::as_u64).zip(claims.get("iat").and_then(Value::as_u64));
        let short = short.is_some_and(|(ends, begins)| ends > begins && ends - begins <= 660);
        let key = self.apps.get(claims.get("iss").and_then(Value::as_str).unwrap_or_default());
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        short && key.is_some_and(|key| key.verify(message.as_bytes(), &signature).is_ok())
    }
}

impl Repository {
    fn pull(&self, number: u64) -> Option<&Pull> {
        self.pulls.iter().find(|pull| pull.number == number)
    }

    fn commit_of(&self, branch: &str) -> Option<&String> {
        self.refs.get(&format!("refs/heads/{branch}"))
    }

    /// The id of a commit that did not exist before.
    fn fresh(&mut self) -> String {
        self.made += 1;
        let id = format!("{:040x}", 0x00c0_ffee_0000_u64 + self.made);
        self.commits.insert(id.clone());
        id
    }

    fn address(&self, number: u64) -> String {
        format!("https://github.example/{}/{}/pull/{number}", self.owner, self.name)
    }

    /// Opens one, or says in the vendor's words why not.
    fn open(&mut self, mut wanted: Pull) -> Result<Pull, String> {
        let (Some(head), Some(base)) = (self.commit_of(&wanted.head), self.commit_of(&wanted.base)) else {
            return Err("Head sha can't be blank, Base sha can't be blank".to_owned());
        };
        if head == base {
            return Err(format!("No commits between {} and {}", wanted.base, wanted.head));
        }
        let same =
            |pull: &Pull| pull.head == wanted.head && pull.base == wanted.base && pull.merged.is_none();
        if self.pulls.iter().any(same) {
            return Err(format!("A pull request already exists for {}:{}.", self.owner, wanted.head));
        }
        wanted.number = u64::try_from(self.pulls.len()).unwrap_or_default() + 7;
        self.pulls.push(wanted.clone());
        Ok(wanted)
    }
}

fn said(status: u16, message: &str) -> Said {
    Said::new(status, json!({ "message": message, "documentation_url": "https://docs.github.com/rest" }))
}
