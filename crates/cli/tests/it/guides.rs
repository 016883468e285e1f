//! Every command in the pages is run as a reader would run it, or the page says why not: see `docs/checks/README.md`.
//!
//! The blocks of a page are run one behind the other by one shell, in a home that is thrown away. What a page says a command
//! tells has to be told, and no secret may be in anything that is.

mod page;
mod shell;

use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::json;
use testkit::{Demand, Upstream};

use crate::home;
use crate::written::{below, root};
use page::{Block, Way};
use shell::Shell;

#[test]
fn every_command_in_the_pages_is_run_or_says_why_not() {
    let upstream = upstream();
    let pages = Mutex::new(pages().into_iter());
    let done = Mutex::new((0, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let _ = scope.spawn(|| {
                loop {
                    let Some(page) = pages.lock().unwrap().next() else { return };
                    let (run, failed) = walk(&page, &upstream);
                    let mut done = done.lock().unwrap();
                    done.0 += run;
                    done.1.extend(failed);
                }
            });
        }
    });
    let (run, failed) = done.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(run > 40, "only {run} blocks were run: they are no longer recognised");
}

#[test]
fn a_mark_that_is_misspelt_or_says_no_reason_is_an_error() {
    for (mark, wrong) in [
        ("not run: needs a cluster", None),
        ("not run", Some("says no reason")),
        ("not run: ", Some("says no reason")),
        ("nto run: needs a cluster", Some("is no mark")),
        ("where: a", Some("`NAME = COMMAND`")),
        ("not run: needs a cluster --><!-- says: x", Some("is not run")),
    ] {
        let read = page::blocks("p.md", &format!("<!-- {mark} -->\n```sh\ndoorward up\n```\n"));
        match wrong {
            None => assert_eq!(read.unwrap().len(), 1),
            Some(wrong) => assert!(read.unwrap_err().contains(wrong), "{mark}"),
        }
    }
    // A mark stands directly above its block, else it is none.
    let lost = page::blocks("p.md", "<!-- not run: needs a cluster -->\n\ntext\n\n```sh\ndoorward up\n```\n");
    assert!(lost.unwrap_err().contains("p.md:1"));
}

#[test]
fn a_command_that_fails_or_does_not_say_what_the_page_says_is_found() {
    let upstream = upstream();
    let fails = |text: &str| {
        let (_, failed) = run("p.md", &page::blocks("p.md", text).unwrap(), &upstream);
        failed.join("\n")
    };
    assert_eq!(fails("```sh\nx=1\n```\n\n<!-- says: 1 -->\n```console\n$ echo \"$x\"\n1\n```\n"), "");
    assert!(fails("text\n\n```sh\nfalse\ntrue\n```\n").starts_with("p.md:3"));
    assert!(fails("```sh\nfalse | true\n```\n").starts_with("p.md:1"));
    assert!(fails("<!-- says: 2 -->\n```sh\necho 1\n```\n").contains("does not say `2`"));
    assert!(fails("<!-- refused: no -->\n```sh\ntrue\n```\n").contains("was not refused"));
    assert_eq!(fails("<!-- refused: no -->\n```sh\necho no; false\n```\n"), "");
    assert!(fails("<!-- stays: ready -->\n```sh\necho x\n```\n").contains("ended before it said `ready`"));
    assert!(fails("```sh\necho \"$CANARY\"\n```\n").contains("shows a secret"));
}

/// All pages with commands.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md", "clients/README.md"]
            .iter()
            .map(|name| root().join(name))
            .collect();
    pages.extend(below("docs"));
    pages.retain(|page| page.extension().is_some_and(|kind| kind == "md"));
    pages
}

/// How many blocks of a page were run, and what failed.
fn walk(page: &std::path::Path, upstream: &Upstream) -> (usize, Vec<String>) {
    let shown = page.strip_prefix(root()).unwrap().display().to_string();
    let text = std::fs::read_to_string(page).unwrap();
    match page::blocks(&shown, &text) {
        Ok(blocks) => run(&shown, &blocks, upstream),
        Err(problem) => (0, vec![problem]),
    }
}

fn run(page: &str, blocks: &[Block], upstream: &Upstream) -> (usize, Vec<String>) {
    let wanted: Vec<&Block> = blocks.iter().filter(|block| !matches!(block.way, Way::Not)).collect();
    if wanted.is_empty() {
        return (0, Vec::new());
    }
    let doorward = home();
    doorward.watch(upstream.canary());
    let mut shell = Shell::start(&doorward, upstream, page);
    for (done, block) in wanted.iter().enumerate() {
        if let Err(problem) = shell.run(block) {
            // What stands behind it builds on it.
            return (done, vec![format!("{page}:{}: {problem}\n{}", block.line, block.text)]);
        }
    }
    (wanted.len(), Vec::new())
}

/// The service behind the gateway, as far as pages call it.
fn upstream() -> Upstream {
    // The form of a key of OpenAI, which is the one that is checked before it is kept.
    let upstream =
        Upstream::demanding(Demand::Bearer(format!("sk-proj-CANARY-guides-{:028}", std::process::id())));
    for path in ["/api/auth.test", "/api/chat.postMessage"] {
        upstream.answer_with(
            path,
            200,
            json!({"ok": true, "channel": "C1", "ts": "1.2", "url": "https://x.example"}),
        );
    }
    upstream.answer_with(
        "/repos/octocat/hello-world",
        200,
        json!({"full_name": "octocat/hello-world", "id": 1}),
    );
    upstream.answer_with("/repos/acme/shop/issues", 201, json!({"number": 7, "id": 1, "title": "x"}));
    upstream.answer_with("/repos/acme/shop", 204, json!({}));
    upstream.answer_with("/v1/models", 200, json!({"object": "list", "data": []}));
    let deployment = json!({
        "kind": "Deployment", "metadata": {"name": "shop", "generation": 2}, "spec": {"replicas": 3},
        "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
    });
    for path in [
        "/apis/apps/v1/namespaces/shop/deployments/shop",
        "/apis/apps/v1/namespaces/shop/deployments/shop/scale",
        "/apis/apps/v1/namespaces/prod/deployments/api",
    ] {
        upstream.answer_with(path, 200, deployment.clone());
    }
    let value = json!({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}]}});
    upstream.answer_with("/api/v1/query", 200, value);
    upstream.answer_with("/api/v1/namespaces/web/pods", 200, json!({"kind": "PodList", "items": []}));
    upstream
}

/// Pages at a time. A broker starts in a fraction of a second, so more would only make each other slow.
const THREADS: usize = 3;
