//! Reads beside a write: what they leave in its evidence, and that the write is what it is without them.

use serde_json::{Value, json};
use testkit::{Doorward, Upstream};

use crate::{home, write_integration};

/// A service whose write has a read before it and one behind it; `read` is the path of that read.
fn house(read: &str) -> (Doorward, Upstream) {
    let (doorward, upstream) = (home(), Upstream::start());
    doorward.watch(upstream.canary());
    write_integration(
        &doorward,
        &format!(
            r#"name: house
title: House
base_url: {}
dangerous_allow_private: true
secrets: {{token: {{title: T}}}}
auth: [{{scheme: bearer, secret: token}}]
limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s}}
operations:
  lamp.show:
    title: Show
    access: read
    risk: low
    match: {{method: GET, path: "/json/{read}/{{lamp}}"}}
    inputs: {{lamp: {{in: path}}, since: {{in: query}}}}
    evidence: {{version: version}}
  lamp.set:
    title: Set
    access: write
    risk: low
    match: {{method: PUT, path: "/json/lamps/{{lamp}}"}}
    body: json
    inputs: {{lamp: {{in: path}}, on: {{in: body, type: boolean}}}}
    evidence: {{answer: version}}
    before: [{{operation: lamp.show, inputs: {{lamp: "{{lamp}}"}}, fields: {{version_before: version}}}}]
    after: [{{operation: lamp.show, inputs: {{lamp: "{{lamp}}", since: "{{got_answer}}"}}, fields: {{version_after: version}}}}]
"#,
            upstream.url()
        ),
    );
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "house/token"], upstream.canary()).succeeded();
    (doorward, upstream)
}

fn set(doorward: &Doorward) -> (Value, bool) {
    let run = doorward
        .run(&["op", "run", "--json", "house.lamp.set", "--input", "lamp=hall", "--input", "on=true"], "");
    (serde_json::from_str(&run.stdout).unwrap(), run.status.success())
}

fn asked(upstream: &Upstream) -> Vec<String> {
    upstream.requests().iter().map(|request| format!("{} {}", request.method, request.target)).collect()
}

#[test]
fn what_is_read_beside_a_write_stands_in_its_evidence_and_in_an_export() {
    let (doorward, upstream) = house("lamps");
    upstream.answer_with("/lamps/hall", 200, json!({ "version": "7" }));
    let (told, done) = set(&doorward);
    assert!(done, "{told}");
    assert_eq!(
        told["evidence_fields"],
        json!({ "answer": "7", "version_before": "7", "version_after": "7" })
    );
    assert_eq!(
        asked(&upstream),
        ["GET /json/lamps/hall", "PUT /json/lamps/hall", "GET /json/lamps/hall?since=7"]
    );
    let id = told["evidence"].as_str().unwrap();
    let record = doorward.run(&["evidence", "show", id, "--json"], "").succeeded();
    for part in ["answer=7", "version_before=7", "version_after=7"] {
        assert!(record.contains(part), "{part} in {record}");
    }
    // The reads have records of their own that name the write, and whoever checks an export offline finds all of it.
    let _ = doorward.run(&["evidence", "export", "--out", "export.jsonl"], "").succeeded();
    let export = std::fs::read_to_string(doorward.folder().join("export.jsonl")).unwrap();
    assert!(export.contains("version_after") && export.contains("version_before"));
    let led =
        export.lines().filter(|line| line.contains("lamp.show") && line.contains("led") && line.contains(id));
    assert_eq!(led.count(), 2, "{export}");
    let shown = doorward.run(&["op", "show", "house.lamp.set", "--json"], "").json();
    assert_eq!(shown["before"], json!([{ "operation": "lamp.show", "fields": ["version_before"] }]));
    doorward.assert_no_canary();
}

#[test]
fn a_read_that_fails_is_missing_and_the_write_is_done_once() {
    let (doorward, upstream) = house("gone");
    upstream.answer_with("/lamps/hall", 200, json!({ "version": "7" }));
    upstream.answer_with("/gone/hall", 404, json!({ "message": "no" }));
    let (told, done) = set(&doorward);
    assert!(done, "{told}");
    let missing = "missing: the service refused";
    assert_eq!(
        told["evidence_fields"],
        json!({ "answer": "7", "version_before": missing, "version_after": missing })
    );
    let puts = asked(&upstream).iter().filter(|request| request.starts_with("PUT")).count();
    assert_eq!(puts, 1);
}

#[test]
fn nothing_is_read_behind_a_write_that_failed() {
    let (doorward, upstream) = house("lamps");
    upstream.answer_with("/lamps/hall", 500, json!({ "version": "7" }));
    let (told, done) = set(&doorward);
    assert!(!done, "{told}");
    assert_eq!(asked(&upstream), ["GET /json/lamps/hall", "PUT /json/lamps/hall"]);
    let record =
        doorward.run(&["evidence", "show", told["evidence"].as_str().unwrap(), "--json"], "").succeeded();
    assert!(record.contains("version_before=missing") && record.contains("failed"), "{record}");
}
