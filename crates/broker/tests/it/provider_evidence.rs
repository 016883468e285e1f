//! The evidence of operations at each provider, compared with what a service that keeps a record gave out: every id in it is made
//! for that one call, so nothing can be right by chance or by being written down twice.
//!
//! The services want their credential and refuse what they do not know. Helm has no interface but its program, and is tested where programs run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use evidence::Ending;
use serde_json::{Value, json};
use testkit::canary;

use crate::asking::Ask;
use crate::cases;
use crate::house::{House, moved};
use crate::service::{Seen, Service, Step, reply};

/// What a service says, and what evidence has to have of it.
struct Said {
    headers: Vec<(&'static str, String)>,
    body: String,
    facts: Vec<(&'static str, String)>,
}

fn said(body: &Value, facts: &[(&'static str, &str)]) -> Option<Said> {
    let facts = facts.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Some(Said {
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.to_string(),
        facts,
    })
}

impl Said {
    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// One operation at one provider: the fields that evidence has to have, and the service.
struct Provider {
    name: &'static str,
    operation: &'static str,
    inputs: &'static [(&'static str, &'static str)],
    fields: &'static [&'static str],
    answers: fn(&Seen, usize) -> Option<Said>,
}

fn body(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.body).unwrap_or_default()
}

/// Whether a request asks for this.
fn is(seen: &Seen, method: &str, path: &str) -> bool {
    seen.method == method && seen.target.split('?').next() == Some(path)
}

fn aws_instances(seen: &Seen, n: usize) -> Option<Said> {
    let form = String::from_utf8_lossy(&seen.body).into_owned();
    if !form.contains("Action=StopInstances") || !form.contains("InstanceId.1=i-0123abcd") {
        return None;
    }
    let request = format!("req-{n}");
    let xml = "<StopInstancesResponse><instancesSet><item><instanceId>i-0123abcd</instanceId><currentState><name>stopping</name></currentState></item></instancesSet></StopInstancesResponse>";
    let facts = [
        ("request", request.clone()),
        ("instances", "i-0123abcd".to_owned()),
        ("states", "stopping".to_owned()),
    ];
    let said = Said {
        headers: vec![("content-type", "text/xml".to_owned())],
        body: xml.to_owned(),
        facts: facts.to_vec(),
    };
    Some(said.header("x-amzn-requestid", &request))
}

fn aws_events(seen: &Seen, n: usize) -> Option<Said> {
    if seen.all("x-amz-target") != ["CloudTrail_20131101.LookupEvents"]
        && !seen.all("x-amz-target").iter().any(|target| target.ends_with(".LookupEvents"))
    {
        return None;
    }
    let (one, two) = (format!("event-{n}"), format!("event-{n}-b"));
    let events = json!([{ "EventId": one, "EventName": "StopInstances" }, { "EventId": two, "EventName": "StartInstances" }]);
    said(
        &json!({ "Events": events }),
        &[("events", &format!("{one} {two}")), ("names", "StopInstances StartInstances")],
    )
}

fn vault(seen: &Seen, n: usize) -> Option<Said> {
    let (request, version) = (format!("audit-{n}"), (n + 3).to_string());
    let right = is(seen, "POST", "/v1/secret/data/app") && body(seen)["data"]["a"] == "b";
    let reply = json!({ "request_id": request, "data": { "version": n + 3, "created_time": "2026-11-30T00:00:00Z" } });
    right.then(|| said(&reply, &[("request", &request), ("version", &version)]))?
}

/// The version of the object goes up with each change, and is another one for who looks before and after.
fn kubernetes(seen: &Seen, n: usize) -> Option<Said> {
    let deployment = "/apis/apps/v1/namespaces/shop/deployments/web";
    let version = (1_000 + n).to_string();
    if is(seen, "GET", deployment) {
        let field = if n == 0 { "version_before" } else { "version_after" };
        let object =
            json!({ "kind": "Deployment", "metadata": { "name": "web", "resourceVersion": version } });
        return said(&object, &[(field, &version)]);
    }
    let right = is(seen, "PATCH", &format!("{deployment}/scale")) && body(seen)["spec"]["replicas"] == 3;
    let scale =
        json!({ "kind": "Scale", "metadata": { "resourceVersion": version }, "spec": { "replicas": 3 } });
    right.then(|| said(&scale, &[("resource_version", &version), ("replicas", "3")]))?
}

fn boundary(seen: &Seen, n: usize) -> Option<Said> {
    let session = format!("s_{n}");
    let right = is(seen, "POST", "/v1/targets/ttcp_1:authorize-session");
    let reply = json!({ "session_id": session, "target_id": "ttcp_1", "expiration": "2026-11-30T01:00:00Z" });
    right.then(|| said(&reply, &[("session", &session), ("target", "ttcp_1")]))?
}

fn argocd(seen: &Seen, n: usize) -> Option<Said> {
    let (revision, history) = (format!("rev{n}"), (40 + n).to_string());
    let state = |sync: &str, health: &str| {
        json!({
            "metadata": { "name": "shop" },
            "status": {
                "sync": { "status": sync, "revision": revision }, "health": { "status": health }, "history": [{ "id": 1 }, { "id": 40 + n }],
                "operationState": { "phase": "Running", "startedAt": "2026-11-30T00:00:00Z", "syncResult": { "revision": revision } },
            },
        })
    };
    if is(seen, "GET", "/api/v1/applications/shop") {
        let (one, two) =
            if n == 0 { ("revision_before", "history_before") } else { ("revision_after", "history_after") };
        return said(&state("Synced", "Healthy"), &[(one, &revision), (two, &history)]);
    }
    let right = is(seen, "POST", "/api/v1/applications/shop/sync");
    right.then(|| {
        said(
            &state("OutOfSync", "Progressing"),
            &[("sync", "OutOfSync"), ("health", "Progressing"), ("revision", &revision)],
        )
    })?
}

fn promql(seen: &Seen, n: usize) -> Option<Said> {
    let right = is(seen, "GET", "/api/v1/query") && seen.target.contains("query=up");
    let results: Vec<Value> =
        (0..=n + 1).map(|at| json!({ "metric": { "n": at.to_string() }, "value": [1, "1"] })).collect();
    let count = results.len().to_string();
    let reply = json!({ "status": "success", "data": { "resultType": "vector", "result": results } });
    let date = "Mon, 30 Nov 2026 00:00:07 GMT";
    right.then(|| {
        said(&reply, &[("type", "vector"), ("results", &count), ("time", date)])
            .map(|said| said.header("date", date))
    })?
}

fn grafana(seen: &Seen, n: usize) -> Option<Said> {
    let id = 700 + n;
    let right = is(seen, "POST", "/api/annotations") && body(seen)["text"] == "deployed";
    right.then(|| {
        said(&json!({ "message": "Annotation added", "id": id }), &[("annotation", &id.to_string())])
    })?
}

fn tempo(seen: &Seen, n: usize) -> Option<Said> {
    let (one, two) = (format!("{n:032x}a"), format!("{n:032x}b"));
    let set = |id: &str, matched: usize| json!({ "traceID": id, "spanSets": [{ "matched": matched, "spans": [] }] });
    let right = is(seen, "GET", "/api/search") && seen.target.contains("q=");
    let reply = json!({ "traces": [set(&one, n + 3), set(&two, n + 5)] });
    let facts = [("traces", format!("{one} {two}")), ("spans", format!("{} {}", n + 3, n + 5))];
    right.then(|| said(&reply, &[(facts[0].0, &facts[0].1), (facts[1].0, &facts[1].1)]))?
}

fn github(seen: &Seen, n: usize) -> Option<Said> {
    let (url, sha) = (format!("https://github.example/acme/shop/pull/{n}"), format!("{n:040x}"));
    if seen.method == "GET" && seen.target.starts_with("/repos/acme/shop/git/ref/heads") {
        let sha = format!("{n:040x}");
        return said(
            &json!({ "ref": "refs/heads/fix", "object": { "sha": sha, "type": "commit" } }),
            &[("commit", &sha)],
        );
    }
    let right = is(seen, "POST", "/repos/acme/shop/pulls") && body(seen)["head"] == "fix";
    right.then(|| {
        said(
            &json!({ "number": n + 90, "html_url": url, "head": { "sha": sha } }),
            &[("url", &url), ("pull", &(n + 90).to_string())],
        )
    })?
}

fn gitlab(seen: &Seen, n: usize) -> Option<Said> {
    let (url, sha) = (format!("https://gitlab.example/acme/shop/-/merge_requests/{n}"), format!("{n:040x}"));
    let right =
        is(seen, "POST", "/projects/acme%2Fshop/merge_requests") && body(seen)["source_branch"] == "fix";
    right.then(|| {
        said(
            &json!({ "iid": n + 30, "web_url": url, "sha": sha }),
            &[("url", &url), ("commit", &sha), ("merge_request", &(n + 30).to_string())],
        )
    })?
}

fn linear(seen: &Seen, n: usize) -> Option<Said> {
    let query = body(seen)["query"].as_str().unwrap_or_default().to_owned();
    if query.contains("history(") {
        let (change, actor) = (format!("h{n}"), format!("ada-{n}@example.com"));
        let node = json!({
            "id": change, "createdAt": "2026-11-30T00:00:00Z", "actor": { "email": actor },
            "addedLabels": [{ "name": "approval:approved" }], "removedLabels": [{ "name": "approval:pending" }],
        });
        let issue = json!({ "data": { "issue": { "id": "i1", "history": { "nodes": [node] } } } });
        return said(
            &issue,
            &[
                ("changes", &change),
                ("actors", &actor),
                ("added", "approval:approved"),
                ("removed", "approval:pending"),
            ],
        );
    }
    let right = is(seen, "POST", "/graphql")
        && query.contains("issueUpdate(")
        && body(seen)["variables"]["id"] == "i1";
    let issue = json!({ "id": format!("i1-{n}"), "labels": { "nodes": [{ "name": "approval:approved" }] } });
    let reply = json!({ "data": { "issueUpdate": { "success": true, "issue": issue } } });
    right.then(|| said(&reply, &[("issue", &format!("i1-{n}")), ("labels", "approval:approved")]))?
}

fn pagerduty(seen: &Seen, n: usize) -> Option<Said> {
    let event = body(seen);
    let right = is(seen, "POST", "/v2/enqueue")
        && event["event_action"] == "trigger"
        && event["payload"]["severity"] == "error";
    let key = format!("incident-{n}");
    right.then(|| {
        said(
            &json!({ "status": "success", "message": "Event processed", "dedup_key": key }),
            &[("incident", &key)],
        )
    })?
}

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "aws",
        operation: "instances.stop",
        inputs: &[("region", "eu-west-1"), ("instances", r#"["i-0123abcd"]"#)],
        fields: &["request", "instances", "states"],
        answers: aws_instances,
    },
    Provider {
        name: "aws",
        operation: "events.lookup",
        inputs: &[("region", "eu-west-1")],
        fields: &["events", "names"],
        answers: aws_events,
    },
    Provider {
        name: "vault",
        operation: "kv.write",
        inputs: &[("path", "app"), ("data", r#"{"a": "b"}"#)],
        fields: &["request", "version"],
        answers: vault,
    },
    Provider {
        name: "kubernetes",
        operation: "scale",
        inputs: &[("namespace", "shop"), ("resource", "deployments"), ("name", "web"), ("replicas", "3")],
        fields: &["version_before", "resource_version", "replicas", "version_after"],
        answers: kubernetes,
    },
    Provider {
        name: "boundary",
        operation: "sessions.open",
        inputs: &[("target", "ttcp_1")],
        fields: &["session", "target"],
        answers: boundary,
    },
    Provider {
        name: "argocd",
        operation: "app.sync",
        inputs: &[("app", "shop")],
        fields: &[
            "sync",
            "health",
            "revision",
            "revision_before",
            "history_before",
            "revision_after",
            "history_after",
        ],
        answers: argocd,
    },
    Provider {
        name: "prometheus",
        operation: "query",
        inputs: &[("query", "up")],
        fields: &["type", "results", "time"],
        answers: promql,
    },
    Provider {
        name: "thanos",
        operation: "query",
        inputs: &[("query", "up")],
        fields: &["type", "results", "time"],
        answers: promql,
    },
    Provider {
        name: "grafana",
        operation: "annotations.create",
        inputs: &[("text", "deployed")],
        fields: &["annotation"],
        answers: grafana,
    },
    Provider {
        name: "tempo",
        operation: "traces.search",
        inputs: &[("query", "{}")],
        fields: &["traces", "spans"],
        answers: tempo,
    },
    Provider {
        name: "github",
        operation: "pulls.create",
        inputs: &[
            ("owner", "acme"),
            ("repo", "shop"),
            ("head", "fix"),
            ("base", "main"),
            ("title", "Mend it"),
        ],
        fields: &["url", "pull", "commit"],
        answers: github,
    },
    Provider {
        name: "gitlab",
        operation: "merge_requests.create",
        inputs: &[("project", "acme/shop"), ("source", "fix"), ("target", "main"), ("title", "Mend it")],
        fields: &["url", "commit", "merge_request"],
        answers: gitlab,
    },
    Provider {
        name: "linear",
        operation: "issues.label",
        inputs: &[("issue", "i1"), ("add", r#"["l1"]"#)],
        fields: &["issue", "labels", "changes", "actors", "added", "removed"],
        answers: linear,
    },
    Provider {
        name: "pagerduty-events",
        operation: "events.trigger",
        inputs: &[("summary", "down"), ("source", "shop"), ("severity", "error")],
        fields: &["incident"],
        answers: pagerduty,
    },
];

/// What the service gave out, by its own record.
type Given = Arc<Mutex<Vec<(&'static str, String)>>>;

/// A service that keeps a record, and refuses everybody when it is told to.
fn recording(provider: &Provider, secret: String) -> (Service, Given, Arc<AtomicBool>) {
    let (given, refuses) = (Given::default(), Arc::<AtomicBool>::default());
    let (kept, closed, asked) = (Arc::clone(&given), Arc::clone(&refuses), AtomicUsize::new(0));
    let (answers, signed) = (provider.answers, provider.name == "aws");
    let service = Service::start(move |seen| {
        let shown = seen.headers.iter().any(|(_, value)| value.contains(&secret));
        let shown = shown || String::from_utf8_lossy(&seen.body).contains(&secret);
        let shown = shown
            || (signed && seen.all("authorization").iter().any(|text| text.starts_with("AWS4-HMAC-SHA256 ")));
        let json = [("content-type", "application/json")];
        if closed.load(Ordering::SeqCst) {
            return vec![Step::Send(reply(403, &json, r#"{"message": "forbidden"}"#))];
        }
        if !shown {
            return vec![Step::Send(reply(401, &json, r#"{"message": "unauthorized"}"#))];
        }
        let Some(Said { headers, body, facts }) = answers(seen, asked.fetch_add(1, Ordering::SeqCst)) else {
            return vec![Step::Send(reply(404, &json, r#"{"message": "not found"}"#))];
        };
        kept.lock().unwrap().extend(facts);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        vec![Step::Send(reply(200, &headers, body))]
    });
    (service, given, refuses)
}

#[tokio::test]
async fn evidence_has_what_each_provider_gave_out_and_nothing_of_what_it_refused() {
    for provider in PROVIDERS {
        let about = format!("{}/{}", provider.name, provider.operation);
        let secret = canary::plant(&format!("evidence-{}", provider.name));
        let (service, given, refuses) = recording(provider, secret.clone());
        let address = format!("{}{}", service.url(), cases::built_in(provider.name).base_path());
        let house =
            House::opened(vec![(provider.name.to_owned(), moved(provider.name, &address))], |_| {}).await;
        for field in cases::built_in(provider.name).secrets().keys() {
            house.put(&format!("{}/{field}", provider.name), &cases::planted(field, || secret.clone())).await;
        }
        let ask = || Ask::named(provider.name, provider.operation, provider.inputs);
        let (evidence, value) = house.answer(ask()).await.unwrap();
        let operation = &cases::built_in(provider.name).operations()[provider.operation];
        // What is read beside a write stands in a record that closes the first.
        let beside = !operation.before().is_empty() || !operation.after().is_empty();
        let entry =
            house.entry_when(
                evidence,
                |entry| {
                    if beside { entry.close.is_some() } else { entry.outcome.is_some() }
                },
            );
        let entry = entry.await;
        let outcome = entry.outcome.unwrap();
        assert_eq!(outcome.ending, Ending::Done, "{about}: {value}");
        let fields = [outcome.fields, entry.close.map(|close| close.fields).unwrap_or_default()].concat();
        let given = given.lock().unwrap().clone();
        for field in provider.fields {
            // Of one that was given out twice, such as a version before and after, the last counts.
            let wanted = given.iter().rev().find(|(name, _)| name == field);
            let (_, wanted) =
                wanted.unwrap_or_else(|| panic!("{about}: the service gave no `{field}`: {given:?}"));
            let had = fields.iter().rev().find(|(name, _)| name == field).map(|(_, value)| value);
            assert_eq!(had, Some(wanted), "{about}: `{field}` of {fields:?}");
        }
        refuses.store(true, Ordering::SeqCst);
        let failed = match house.answer(ask()).await {
            Ok((evidence, _)) => evidence,
            Err(refusal) => refusal.evidence.unwrap(),
        };
        let outcome = house.settled(failed).await.outcome.unwrap();
        assert_eq!(outcome.ending, Ending::Failed, "{about}: a refusal is no success");
        let kept = outcome.fields.iter().find(|(name, value)| {
            provider.fields.contains(&name.as_str()) && given.iter().any(|(_, given)| given == value)
        });
        assert_eq!(kept, None, "{about}");
        house.spotless();
    }
}
