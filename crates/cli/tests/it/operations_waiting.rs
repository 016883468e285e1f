//! Reads that wait for something, programs that are another of the same name, and what is read again with the files of a home.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Demand, Doorward, Upstream};

use crate::gateway_reasons::printed_with;
use crate::operations_bounds::{program, staged};
use crate::{has_sandbox, home, write, write_integration};

/// A home with one service at an upstream, and with these programs.
fn stage(name: &str, upstream: &Upstream, programs: &[(&str, &str)]) -> Doorward {
    let doorward = staged(name, "", upstream);
    for (one, lines) in programs {
        program(&doorward, one, lines);
    }
    doorward
}

fn op(doorward: &Doorward, operation: &str, inputs: &[&str]) -> (Value, bool) {
    let inputs = inputs.iter().flat_map(|input| ["--input", *input]);
    let words: Vec<&str> = ["op", "run", operation, "--json"].into_iter().chain(inputs).collect();
    let output = doorward.run(&words, "");
    let value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (value, output.status.success())
}

const API: &str = "/apis/apps/v1/namespaces/web/deployments/api";
const ROLLOUT: [&str; 3] = ["namespace=web", "resource=deployments", "name=api"];

fn deployment(status: &Value) -> Value {
    json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status})
}

#[test]
fn a_rollout_is_waited_for_by_a_request_as_by_the_program() {
    let upstream = Upstream::start();
    let doorward = stage("kubernetes", &upstream, &[]);
    let there = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
    upstream.answer_with(API, 200, deployment(&json!({})));
    let (told, was_done) = std::thread::scope(|scope| {
        let waits = scope.spawn(|| op(&doorward, "kubernetes.rollout.status", &ROLLOUT));
        // The second request comes after the first answer: what is there by then was looked for twice at least.
        let _ = upstream.wait_for(2);
        upstream.answer_with(API, 200, deployment(&there));
        waits.join().unwrap()
    });
    assert!(was_done && told["failed"].is_null(), "{told}");
    assert_eq!(
        (told["used"].as_str(), told["evidence_fields"]["available"].as_str()),
        (Some("http"), Some("2"))
    );
    let record =
        doorward.run(&["evidence", "show", told["evidence"].as_str().unwrap(), "--json"], "").succeeded();
    let looks = record.split("\"looks=").nth(1).and_then(|rest| rest.split('"').next());
    assert!(looks.is_some_and(|looks| looks.parse::<u32>().unwrap() >= 2), "{record}");

    // In time, or not at all.
    upstream.answer_with(
        API,
        200,
        deployment(
            &json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}),
        ),
    );
    let (told, was_done) =
        op(&doorward, "kubernetes.rollout.status", &[&ROLLOUT[..], &["timeout=1"]].concat());
    assert!(!was_done, "{told}");
    assert_eq!(
        told["failed"], "after 1 s not yet `status.observedGeneration >= metadata.generation`",
        "{told}"
    );

    // What will never be there is not waited for.
    let late = json!({"observedGeneration": 2, "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]});
    upstream.answer_with(API, 200, deployment(&late));
    let before = Instant::now();
    let (told, was_done) = op(&doorward, "kubernetes.rollout.status", &ROLLOUT);
    assert!(!was_done && told["failed"].as_str().unwrap().contains("ProgressDeadlineExceeded"), "{told}");
    assert!(before.elapsed() < Duration::from_secs(200));
    doorward.assert_no_canary();
}

#[test]
fn a_plan_that_verifies_a_rollout_fails_where_nothing_came_up() {
    let upstream = Upstream::start();
    let doorward = stage("kubernetes", &upstream, &[]);
    upstream.answer_with(API, 200, deployment(&json!({})));
    let scale = format!("{API}/scale");
    upstream.answer_with(&scale, 200, json!({"kind": "Scale", "spec": {"replicas": 2}}));
    write(
        doorward.folder().join("plan.yaml"),
        "summary: Scale\non_failure: rollback\nsteps:\n  - id: scale\n    operation: kubernetes/scale\n    inputs: {namespace: web, \
         resource: deployments, name: api, replicas: 2}\n    verify: [{operation: kubernetes/rollout.status, inputs: {namespace: web, \
         resource: deployments, name: api, timeout: 1}}]\n    rollback: {operation: kubernetes/scale, inputs: {namespace: web, \
         resource: deployments, name: api, replicas: 1}}\n",
    );
    let running = doorward.start_up(&[]);
    let _ = doorward.run(&["role", "grant", "bob", "manager"], "").succeeded();
    let answer = crate::network_wire::answer(&running, "capability.request?for=bob", b"");
    write(doorward.folder().join("bob"), answer["token"].as_str().unwrap());
    let made = doorward.run(&["plan", "create", "plan.yaml", "--json", "--as", "bob"], "").json();
    let id = made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let approved = doorward.run(&["plan", "approve", &id], "");
    assert!(approved.status.success(), "{approved:?}");
    let ran = doorward.run(&["plan", "run", &id, "--json", "--as", "bob"], "");
    assert!(!ran.status.success(), "{ran:?}");
    let bodies: Vec<String> = upstream
        .requests()
        .iter()
        .filter(|one| one.target.ends_with("/scale"))
        .map(|one| String::from_utf8_lossy(&one.body).into_owned())
        .collect();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies[1].contains(":1}"), "{bodies:?}");
    assert!(running.stop().success());
}

#[test]
fn an_application_is_waited_for_without_the_program() {
    let upstream = Upstream::start();
    let doorward = stage("argocd", &upstream, &[]);
    let app = |phase: &str| json!({"metadata": {"name": "web"}, "status": {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}, "operationState": {"phase": phase}}});
    upstream.answer_with("/api/v1/applications/web", 200, app("Running"));
    let (told, was_done) = op(&doorward, "argocd.app.wait", &["app=web", "timeout=1"]);
    assert!(!was_done && told["failed"].as_str().unwrap().starts_with("after 1 s not yet"), "{told}");
    upstream.answer_with("/api/v1/applications/web", 200, app("Succeeded"));
    let (told, was_done) = op(&doorward, "argocd.app.wait", &["app=web"]);
    assert!(was_done && told["evidence_fields"]["health"] == "Healthy", "{told}");
}

#[test]
fn what_changed_in_a_cluster_is_a_list_by_a_request_too() {
    let upstream = Upstream::start();
    let doorward = stage("kubernetes", &upstream, &[]);
    let event = json!({"type": "ADDED", "object": {"metadata": {"resourceVersion": "7"}}});
    upstream.answer_with("/api/v1/namespaces/web/pods", 200, event.clone());
    let (told, _) = op(&doorward, "kubernetes.watch", &["namespace=web", "resource=pods", "seconds=1"]);
    assert_eq!(told["output"], json!([event]), "{told}");
    assert_eq!(
        told["evidence_fields"],
        json!({"events": "1", "resource_version": "7", "types": "ADDED"}),
        "{told}"
    );
}

#[test]
fn another_program_of_the_same_name_is_not_given_the_token() {
    if !has_sandbox("waiting") {
        return;
    }
    let upstream =
        Upstream::demanding(Demand::Header("x-vault-token".to_owned(), testkit::canary::plant("waiting")));
    let other = "[ \"$1\" = version ] && echo 'Aether Vault CLI 1.0.0' || cat \"$HOME/.vault-token\"";
    let doorward = stage("vault", &upstream, &[("vault", other)]);
    upstream.answer_with(
        "/v1/secret/data/app/db",
        200,
        json!({"request_id": "r1", "data": {"data": {"a": "x"}, "metadata": {"version": 1}}}),
    );
    let (told, was_done) = op(&doorward, "vault.kv.read", &["path=app/db"]);
    assert!(was_done, "{told}");
    assert_eq!(
        (told["used"].as_str(), told["evidence_fields"]["version"].as_str()),
        (Some("http"), Some("1")),
        "{told}"
    );
    let checked = doorward.run(&["doctor", "vault", "--json"], "");
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    let problem = checked["program"]["problem"].as_str().unwrap_or_else(|| panic!("{checked}"));
    assert!(problem.contains("Aether Vault CLI 1.0.0") && problem.contains("`Vault v…`"), "{problem}");

    // It is another file now, and the one that is meant.
    let meant = "[ \"$1\" = version ] && echo 'Vault v1.20.0 (x)' || echo '{\"request_id\": \"r2\", \"data\": {\"data\": {}}}'";
    testkit::program(doorward.folder().join("programs/vault"), &format!("#!/bin/sh\n{meant}\n"));
    let (told, was_done) = op(&doorward, "vault.kv.read", &["path=app/db"]);
    assert!(was_done && told["used"] == "cli", "{told}");
    assert_eq!(told["evidence_fields"]["request"], "r2", "{told}");
    doorward.assert_no_canary();
}

#[test]
fn a_reload_reads_the_authorities_of_an_unchanged_file_again() {
    let doorward = home();
    let bundle = doorward.folder().join("ca.pem");
    write(&bundle, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    write_integration(
        &doorward,
        &format!(
            "name: own\nbase_url: https://own.example\ntls: {{ca: {}}}\nsecrets: {{token: {{title: T}}}}\nauth: [{{scheme: bearer, secret: token}}]\nlimits: {{connect: 5s, head: 5s, total: 9s, idle: 5s}}\n",
            bundle.display()
        ),
    );
    let running = doorward.start_up(&[]);
    std::fs::remove_file(&bundle).unwrap();
    running.reload();
    let _ = printed_with(&doorward, "could not read `");
    assert!(running.stop().success());
}
