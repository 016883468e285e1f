//! Its REST API, below one repository.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Pull, Repository, said};
use crate::vendor::{Heard, Said};

pub(super) fn answer(kept: &mut Repository, heard: &Heard, rest: &str) -> Said {
    let asked = heard.json();
    let parts: Vec<&str> = rest.split('/').collect();
    match (heard.method.as_str(), parts.as_slice()) {
        ("GET", ["git", "ref", name @ ..]) => {
            let name = format!("refs/{}", name.join("/"));
            kept.refs
                .get(&name)
                .map_or_else(|| said(404, "Not Found"), |at| Said::new(200, reference(&name, at)))
        }
        ("POST", ["git", "refs"]) => branch(kept, &asked),
        ("GET", ["pulls"]) => {
            let all: Vec<Value> = kept.pulls.iter().map(|pull| shown(kept, pull)).collect();
            Said::new(200, all.into())
        }
        ("POST", ["pulls"]) => opened(kept, &asked),
        ("GET", ["pulls", number]) => {
            let found = number.parse().ok().and_then(|number| kept.pull(number));
            found.map_or_else(|| said(404, "Not Found"), |pull| Said::new(200, shown(kept, pull)))
        }
        ("PUT", ["pulls", number, "merge"]) => merged(kept, number.parse().unwrap_or_default(), &asked),
        ("PUT", ["contents", path @ ..]) => written(kept, &path.join("/"), &asked),
        ("POST", ["statuses", commit]) => status(kept, commit, &asked),
        _ => said(404, "Not Found"),
    }
}

/// Which permission an app needs for a request below a repository.
pub(super) fn permission(method: &str, rest: &str) -> (&'static str, &'static str) {
    let level = if method == "GET" { "read" } else { "write" };
    match rest.split('/').next() {
        Some("pulls") if rest.ends_with("/merge") => ("contents", "write"),
        Some("pulls") => ("pull_requests", level),
        Some("statuses") => ("statuses", level),
        _ => ("contents", level),
    }
}

/// A pull request as it is shown.
pub(super) fn shown(kept: &Repository, pull: &Pull) -> Value {
    json!({
        "id": 1_000_000 + pull.number, "number": pull.number, "title": pull.title, "body": pull.body, "draft": pull.draft,
        "state": if pull.merged.is_some() { "closed" } else { "open" }, "html_url": kept.address(pull.number),
        "merge_commit_sha": pull.merged, "merged": pull.merged.is_some(),
        "head": { "ref": pull.head, "sha": kept.commit_of(&pull.head) }, "base": { "ref": pull.base, "sha": kept.commit_of(&pull.base) },
    })
}

fn branch(kept: &mut Repository, asked: &Value) -> Said {
    let (Some(name), Some(commit)) = (asked["ref"].as_str(), asked["sha"].as_str()) else {
        return said(422, "Invalid request.");
    };
    if !name.starts_with("refs/") || name.matches('/').count() < 2 {
        return said(422, "Reference name must start with 'refs' and have at least two slashes.");
    }
    if !kept.commits.contains(commit) {
        return said(422, "Object does not exist");
    }
    if kept.refs.contains_key(name) {
        return said(422, "Reference already exists");
    }
    kept.refs.insert(name.to_owned(), commit.to_owned());
    Said::new(201, reference(name, commit))
}

fn opened(kept: &mut Repository, asked: &Value) -> Said {
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let wanted = Pull {
        number: 0,
        title: text("title"),
        body: text("body"),
        head: text("head"),
        base: text("base"),
        draft: asked["draft"] == true,
        merged: None,
    };
    match kept.open(wanted) {
        Ok(pull) => Said::new(201, shown(kept, &pull)),
        Err(why) => invalid(&json!([{ "resource": "PullRequest", "code": "custom", "message": why }])),
    }
}

fn merged(kept: &mut Repository, number: u64, asked: &Value) -> Said {
    let Some(pull) = kept.pull(number).cloned() else { return said(404, "Not Found") };
    if pull.merged.is_some() || pull.draft {
        return said(405, "Pull Request is not mergeable");
    }
    let head = kept.commit_of(&pull.head).cloned();
    if asked["sha"].as_str().is_some_and(|sha| Some(sha) != head.as_deref()) {
        return said(409, "Head branch was modified. Review and try the merge again.");
    }
    let commit = kept.fresh();
    kept.refs.insert(format!("refs/heads/{}", pull.base), commit.clone());
    if let Some(pull) = kept.pulls.iter_mut().find(|pull| pull.number == number) {
        pull.merged = Some(commit.clone());
    }
    Said::new(200, json!({ "sha": commit, "merged": true, "message": "Pull Request successfully merged" }))
}

fn written(kept: &mut Repository, path: &str, asked: &Value) -> Said {
    let content = asked["content"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let Some(branch) = asked["branch"].as_str().filter(|branch| kept.commit_of(branch).is_some()) else {
        return said(404, "Branch not found");
    };
    if content.is_none() {
        return said(422, "content is not valid Base64");
    }
    if asked["message"].as_str().is_none_or(str::is_empty) {
        return invalid(&json!([{ "resource": "Commit", "field": "message", "code": "missing_field" }]));
    }
    let (commit, blob) = (kept.fresh(), kept.fresh());
    kept.refs.insert(format!("refs/heads/{branch}"), commit.clone());
    let url = format!("https://github.example/{}/{}/commit/{commit}", kept.owner, kept.name);
    Said::new(
        201,
        json!({ "content": { "path": path, "sha": blob }, "commit": { "sha": commit, "html_url": url } }),
    )
}

fn status(kept: &mut Repository, commit: &str, asked: &Value) -> Said {
    if !kept.commits.contains(commit) {
        return said(422, &format!("No commit found for SHA: {commit}"));
    }
    let id = 500 + kept.statuses.len();
    let url = format!("https://github.example/api/v3/repos/{}/{}/statuses/{commit}", kept.owner, kept.name);
    let made = json!({ "id": id, "url": url, "state": asked["state"], "context": asked["context"] });
    kept.statuses.push(made.clone());
    Said::new(201, made)
}

fn reference(name: &str, commit: &str) -> Value {
    json!({ "ref": name, "object": { "type": "commit", "sha": commit } })
}

fn invalid(errors: &Value) -> Said {
    Said::new(
        422,
        json!({ "message": "Validation Failed", "errors": errors, "documentation_url": "https://docs.github.com/rest" }),
    )
}
