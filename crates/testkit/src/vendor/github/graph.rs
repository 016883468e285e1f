//! Its GraphQL, as far as `gh pr` asks: an operation is known by its name, and answered with what the schema calls those fields.

use serde_json::{Value, json};

use super::{Pull, Repository, State};
use crate::vendor::Said;

pub(super) fn answer(state: &mut State, asked: &Value) -> Said {
    let (query, given) = (asked["query"].as_str().unwrap_or_default(), &asked["variables"]);
    let named = |name: &str| query.contains(&format!(" {name}("));
    if named("PullRequestCreate") {
        return created(state, &given["input"]);
    }
    let text = |name: &str| given[name].as_str().unwrap_or_default();
    let short = if text("repo").is_empty() { text("name") } else { text("repo") };
    let Some(kept) = state.repositories.get(&format!("{}/{short}", text("owner"))) else {
        let why = format!("Could not resolve to a Repository with the name '{}/{short}'.", text("owner"));
        return failed("NOT_FOUND", &json!(["repository"]), &why);
    };
    let found = if named("RepositoryInfo") {
        json!({
            "id": id(kept), "name": kept.name, "owner": { "login": kept.owner }, "description": "", "parent": null,
            "hasIssuesEnabled": true, "hasWikiEnabled": true, "viewerPermission": "WRITE", "defaultBranchRef": { "name": "main" },
            "mergeCommitAllowed": true, "rebaseMergeAllowed": true, "squashMergeAllowed": true,
        })
    } else if named("PullRequestForBranch") || named("PullRequestList") {
        let head = if text("headRefName").is_empty() { text("headBranch") } else { text("headRefName") };
        let of = |pull: &&Pull| head.is_empty() || pull.head == head;
        let open = |pull: &&Pull| {
            !given["states"]
                .as_array()
                .or(given["state"].as_array())
                .is_some_and(|states| states.iter().all(|state| state == "OPEN"))
                || pull.merged.is_none()
        };
        let nodes: Vec<Value> =
            kept.pulls.iter().filter(of).filter(open).map(|pull| shown(kept, pull)).collect();
        json!({
            "pullRequests": { "totalCount": nodes.len(), "nodes": nodes, "pageInfo": { "hasNextPage": false, "endCursor": "" } },
            "defaultBranchRef": { "name": "main" },
        })
    } else if named("PullRequestByNumber") {
        let number = given["pr_number"].as_u64().unwrap_or_default();
        let Some(pull) = kept.pull(number) else {
            let why = format!("Could not resolve to a PullRequest with the number of {number}.");
            return failed("NOT_FOUND", &json!(["repository", "pullRequest"]), &why);
        };
        json!({ "pullRequest": shown(kept, pull) })
    } else {
        return failed("NOT_KNOWN_HERE", &json!([]), "this stand-in does not know the operation");
    };
    Said::new(200, json!({ "data": { "repository": found } }))
}

fn created(state: &mut State, input: &Value) -> Said {
    let of = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
    let wanted = of("repositoryId");
    let Some(kept) = state.repositories.values_mut().find(|kept| id(kept) == wanted) else {
        return failed("NOT_FOUND", &json!(["createPullRequest"]), "Could not resolve to a node");
    };
    let wanted = Pull {
        number: 0,
        title: of("title"),
        body: of("body"),
        head: of("headRefName"),
        base: of("baseRefName"),
        draft: input["draft"] == true,
        merged: None,
    };
    match kept.open(wanted) {
        Ok(pull) => {
            let made = json!({ "id": format!("PR_{}", pull.number), "url": kept.address(pull.number) });
            Said::new(200, json!({ "data": { "createPullRequest": { "pullRequest": made } } }))
        }
        Err(why) => failed("UNPROCESSABLE", &json!(["createPullRequest"]), &why),
    }
}

fn shown(kept: &Repository, pull: &Pull) -> Value {
    json!({
        "id": format!("PR_{}", pull.number), "number": pull.number, "url": kept.address(pull.number), "title": pull.title,
        "state": if pull.merged.is_some() { "MERGED" } else { "OPEN" }, "isDraft": pull.draft, "isCrossRepository": false,
        "headRefName": pull.head, "headRefOid": kept.commit_of(&pull.head), "baseRefName": pull.base,
        "headRepositoryOwner": { "id": "O_1", "login": kept.owner },
        "mergeCommit": pull.merged.as_ref().map(|commit| json!({ "oid": commit })),
    })
}

fn id(kept: &Repository) -> String {
    format!("R_{}_{}", kept.owner, kept.name)
}

fn failed(kind: &str, path: &Value, why: &str) -> Said {
    Said::new(200, json!({ "data": null, "errors": [{ "type": kind, "path": path, "message": why }] }))
}
