//! What a capability for one thing does not reach: other namespaces, other people, what a release holds, writes under the name of a read.

use std::fs;

use serde_json::{Value, json};
use testkit::{Doorward, Running, Upstream};

use crate::network_wire::gateway;
use crate::{has_sandbox, home, write, write_integration};

/// A home with one service at this upstream, and a folder of programs for it.
pub(crate) fn staged(name: &str, more: &str, upstream: &Upstream) -> Doorward {
    let doorward = home();
    doorward.watch(upstream.canary());
    let programs = doorward.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    write(doorward.data().join("settings.toml"), &format!("[operations]\npath = [{programs:?}]\n"));
    write_integration(
        &doorward,
        &format!(
            "name: {name}\nextends: {name}\nbase_url: {}/json\ndangerous_allow_private: true\n{more}",
            upstream.url()
        ),
    );
    let _ = doorward.run(&["secret", "put", &format!("{name}/token")], upstream.canary()).succeeded();
    doorward
}

/// The same at an upstream of its own.
fn stage(name: &str, more: &str) -> (Doorward, Upstream) {
    let upstream = Upstream::start();
    (staged(name, more, &upstream), upstream)
}

pub(crate) fn program(doorward: &Doorward, name: &str, lines: &str) {
    testkit::program(doorward.folder().join("programs").join(name), &format!("#!/bin/sh\n{lines}\n"));
}

/// A capability with these limits, in the file `c`.
fn held(doorward: &Doorward, limits: &[&str]) -> String {
    let words = [&["capability", "request", "--for", "agent7", "--output", "c"], limits].concat();
    let _ = doorward.run(&words, "").succeeded();
    fs::read_to_string(doorward.folder().join("c")).unwrap().trim().to_owned()
}

fn run(doorward: &Doorward, operation: &str, inputs: &[&str]) -> Value {
    let inputs = inputs.iter().flat_map(|input| ["--input", *input]);
    let words: Vec<&str> =
        ["op", "run", operation, "--capability", "c", "--json"].into_iter().chain(inputs).collect();
    let output = doorward.run(&words, "");
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The status of a request at the gateway.
fn status(running: &Running, token: &str, head: &str, body: &str) -> u16 {
    let host = running.gateway_url.trim_start_matches("http://");
    let request = format!(
        "{head}\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap().status
}

#[test]
fn a_namespace_holds_for_what_has_none_too() {
    if !has_sandbox("bounds") {
        return;
    }
    let (doorward, upstream) = stage("kubernetes", "");
    program(&doorward, "kubectl", "printf '{\"kind\":\"List\",\"said\":\"%s\"}' \"$*\"");
    upstream.answer_with("/api/v1/namespaces/web/nodes", 404, json!({"kind": "Status"}));
    let _ = held(&doorward, &["--operations", "kubernetes/get", "--resources", "namespace:web"]);
    let pods = run(&doorward, "kubernetes.get", &["resource=pods", "namespace=web"]);
    assert_eq!(
        (pods["used"].as_str(), pods["output"]["kind"].as_str()),
        (Some("cli"), Some("List")),
        "{pods}"
    );
    // What kubectl would have read in spite of the namespace is asked for where it would be.
    let nodes = run(&doorward, "kubernetes.get", &["resource=nodes", "namespace=web"]);
    assert_eq!((nodes["used"].as_str(), nodes["status"].as_u64()), (Some("http"), Some(404)), "{nodes}");
    let dry = ["op", "run", "kubernetes.patch", "--dry-run", "--json", "--input", "resource=clusterroles"];
    let dry =
        [&dry[..], &["--input", "namespace=web", "--input", "name=view", "--input", "patch={}"]].concat();
    let dry = doorward.run(&dry, "").json();
    assert_eq!((dry["would_use"].as_str(), dry["cli"].is_null()), (Some("http"), true), "{dry}");
    doorward.assert_no_canary();
}

#[test]
fn nobody_is_impersonated_under_the_name_of_an_operation() {
    let (doorward, upstream) = stage("kubernetes", "");
    let running = doorward.start_up(&[]);
    let token = held(&doorward, &["--operations", "kubernetes/get"]);
    let pods = "GET /kubernetes/api/v1/namespaces/web/pods HTTP/1.1";
    upstream.answer_with("/api/v1/namespaces/web/pods", 200, json!({}));
    assert_eq!(status(&running, &token, pods, ""), 200);
    for header in [
        "Impersonate-User: admin",
        "impersonate-group: system:masters",
        "Impersonate-Uid: 1",
        "Impersonate-Extra-Scopes: all",
        "X-Remote-Extra-a: b",
    ] {
        assert_eq!(status(&running, &token, &format!("{pods}\r\n{header}"), ""), 400, "{header}");
    }
    assert_eq!(upstream.requests().len(), 1);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn another_organisation_and_a_query_are_no_read() {
    let (doorward, upstream) = stage("grafana", "");
    let running = doorward.start_up(&[]);
    let token = held(&doorward, &["--integrations", "grafana", "--access", "read"]);
    upstream.answer_with("/api/annotations", 200, json!([]));
    let list = "GET /grafana/api/annotations HTTP/1.1";
    assert_eq!(status(&running, &token, list, ""), 200);
    assert_eq!(status(&running, &token, &format!("{list}\r\nX-Grafana-Org-Id: 2"), ""), 400);
    let query = "POST /grafana/api/ds/query HTTP/1.1\r\nContent-Type: application/json";
    assert_eq!(status(&running, &token, query, "{\"queries\":[{\"rawSql\":\"DROP TABLE x\"}]}"), 403);
    assert_eq!(upstream.requests().len(), 1);
    assert!(running.stop().success());
}

#[test]
fn a_release_is_shown_without_what_it_holds_and_of_one_namespace() {
    if !has_sandbox("bounds") {
        return;
    }
    let (doorward, _upstream) = stage("helm", "");
    let printed = json!({
        "name": "r", "version": 3, "info": {"status": "deployed", "notes": "your password is PLAIN", "resources": {
            "v1/Secret": [{"kind": "Secret", "metadata": {"name": "db", "annotations": {"last": "PLAIN"}}, "data": {"pw": "PLAIN"}}],
        }},
        "manifest": "kind: Secret\ndata: PLAIN", "config": {"db": {"password": "PLAIN"}},
        "hooks": [{"name": "seed", "manifest": "PLAIN"}], "chart": {"metadata": {"name": "c"}, "values": {"a": "PLAIN"}},
    });
    program(&doorward, "helm", &format!("cat <<'END'\n{printed}\nEND"));
    let _ = held(&doorward, &["--integrations", "helm", "--resources", "namespace:web"]);
    let of = ["release=r", "namespace=web"];
    for (operation, more) in [("helm.release.status", None), ("helm.release.upgrade", Some("chart=a/b"))] {
        let inputs: Vec<&str> = of.into_iter().chain(more).collect();
        let shown = run(&doorward, operation, &inputs);
        assert_eq!(shown["output"]["info"]["status"], "deployed", "{shown}");
        assert_eq!(shown["output"]["chart"]["metadata"]["name"], "c", "{shown}");
        assert!(!shown["output"].to_string().contains("PLAIN"), "{shown}");
        assert_eq!(shown["output"]["info"]["resources"]["v1/Secret"][0]["metadata"]["name"], "db", "{shown}");
        // What it was is told by digests.
        assert_eq!(shown["evidence_fields"]["manifest"].as_str().map(str::len), Some(64), "{shown}");
    }
    let all = run(&doorward, "helm.releases.list", &["namespace=web", "all=true"]);
    assert!(all["error"]["message"].as_str().unwrap().contains("in place of the input `namespace`"), "{all}");
    let all = run(&doorward, "helm.releases.list", &["all=true"]);
    assert_eq!(all["error"]["code"], "denied", "{all}");
}

#[test]
fn a_request_is_what_its_words_ask_for_at_a_service_with_one_path() {
    let (doorward, upstream) = (home(), Upstream::start());
    doorward.watch(upstream.canary());
    upstream.answer_with("/", 200, json!({"Credentials": "PLAIN"}));
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    write_integration(
        &doorward,
        &format!(
            "name: iam\nextends: aws\nbase_url: {}/json\ndangerous_allow_private: true\nauth:\n  - {{scheme: sigv4, region: us-east-1, \
             service: iam, access_key_id: access_key_id, secret_access_key: secret_access_key}}\n",
            upstream.url()
        ),
    );
    let _ = doorward.run(&["secret", "put", "iam/access_key_id"], "AKIAIOSFODNN7EXAMPLE").succeeded();
    let _ = doorward.run(&["secret", "put", "iam/secret_access_key"], upstream.canary()).succeeded();
    let running = doorward.start_up(&[]);
    let token = held(&doorward, &["--integrations", "iam"]);
    let form = "\r\nContent-Type: application/x-www-form-urlencoded";
    let attach = "Action=AttachRolePolicy&Version=2010-05-08&RoleName=r&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess";
    for (head, body) in [
        (format!("POST /iam/ HTTP/1.1{form}"), attach),
        (format!("POST /iam/other HTTP/1.1{form}; charset=utf-8"), attach),
        ("POST /iam/ HTTP/1.1".to_owned(), attach),
        (format!("POST /iam/ HTTP/1.1{form}"), "Version=1&action=%41ttachrolepolicy"),
        (format!("POST /iam/ HTTP/1.1{form}"), "Action=ListRoles&Action=AttachRolePolicy"),
        (format!("GET /iam/?{attach} HTTP/1.1"), ""),
        (format!("POST /iam/ HTTP/1.1{form}\r\nConnection: upgrade\r\nUpgrade: x"), attach),
        // What changes rights and is described nowhere is held back as what is described.
        (format!("POST /iam/ HTTP/1.1{form}"), "Action=PutRolePolicy&Version=2010-05-08&RoleName=r"),
        (format!("POST /iam/ HTTP/1.1{form}"), "Action=AttachUserPolicy&Version=2010-05-08&UserName=u"),
        (format!("POST /iam/ HTTP/1.1{form}"), "Version=2010-05-08&Action=createaccesskey&UserName=u"),
        ("GET /iam/?Action=UpdateAssumeRolePolicy&RoleName=r HTTP/1.1".to_owned(), ""),
        ("POST /iam/ HTTP/1.1\r\nX-Amz-Target: AWSOrganizationsV20161128.AttachPolicy\r\nContent-Type: application/x-amz-json-1.1".to_owned(), "{}"),
        // What comes of it is a credential, which only a call by its name keeps back.
        (format!("POST /iam/ HTTP/1.1{form}"), "Action=AssumeRole&Version=2011-06-15&RoleSessionName=a"),
    ] {
        assert_eq!(status(&running, &token, &head, body), 403, "{head} {body}");
    }
    assert!(upstream.requests().is_empty());
    for (head, body) in [
        (format!("POST /iam/ HTTP/1.1{form}"), "Action=ListRoles&Version=2010-05-08"),
        (format!("POST /iam/ HTTP/1.1{form}"), "Action=SimulatePrincipalPolicy&PolicySourceArn=a"),
        (format!("POST /iam/ HTTP/1.1{form}"), "Action=RunInstances&Version=2016-11-15"),
        (
            "POST /iam/ HTTP/1.1\r\nContent-Type: application/x-amz-json-1.1".to_owned(),
            "{\"Action\":\"AttachRolePolicy\"}",
        ),
        ("PUT /iam/bucket/key HTTP/1.1".to_owned(), attach),
    ] {
        assert_ne!(status(&running, &token, &head, body), 403, "{head} {body}");
    }
    assert_eq!(upstream.requests().len(), 5);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn doctor_names_every_permission_seen_or_not() {
    let (doorward, upstream) = stage("grafana", "");
    upstream.answer_with("/api/search", 200, json!([]));
    upstream.answer_with("/api/datasources", 403, json!({"message": "no"}));
    upstream.answer_with("/api/annotations", 200, json!([]));
    let checked = doorward.run(&["doctor", "grafana", "--json"], "");
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    let of = |operation: &str| {
        let all = checked["permissions"].as_array().unwrap();
        all.iter()
            .find(|row| row["operation"] == operation)
            .unwrap_or_else(|| panic!("{operation}: {checked}"))
            .clone()
    };
    assert_eq!(of("dashboards.search")["granted"], true, "{checked}");
    assert_eq!(of("datasources.list")["granted"], false, "{checked}");
    // A write is not tried, and not passed over.
    let write = of("annotations.create");
    assert_eq!(
        (&write["granted"], &write["permissions"]),
        (&Value::Null, &json!(["annotations:create"])),
        "{checked}"
    );
    // Where the service tells what a credential may do, it is asked.
    upstream.answer_with(
        "/api/access-control/user/permissions",
        200,
        json!({"annotations:create": ["annotations:type:organization"]}),
    );
    let asked = doorward.run(&["doctor", "grafana", "--json"], "").stdout;
    let asked: Value = serde_json::from_str(&asked).unwrap();
    let row = |operation: &str, permission: &str| {
        let rows = asked["permissions"].as_array().unwrap().iter();
        let found = rows
            .into_iter()
            .find(|row| row["operation"] == operation && row["permissions"] == json!([permission]));
        found.unwrap_or_else(|| panic!("{operation}: {asked}"))["granted"].clone()
    };
    assert_eq!(row("permissions.show", "annotations:create"), true);
    assert_eq!(row("permissions.show", "annotations:read"), false);
    assert_eq!(row("annotations.create", "annotations:create"), true);
    let shown = doorward.run(&["doctor", "grafana"], "");
    assert!(shown.stdout.contains("not seen"), "{shown:?}");
}

#[test]
fn doctor_asks_a_cluster_about_each_permission() {
    let (doorward, upstream) = stage("kubernetes", "");
    let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    upstream.answer_with(review, 201, json!({"status": {"allowed": false, "reason": ""}}));
    let checked = doorward.run(&["doctor", "kubernetes", "--input", "namespace=shop", "--json"], "");
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    let denied = |operation: &str, permission: &str| {
        let permission = json!(permission);
        let mut rows = checked["permissions"].as_array().unwrap().iter();
        rows.any(|row| {
            row["operation"] == operation
                && row["granted"] == false
                && row["permissions"].as_array().unwrap().contains(&permission)
        })
    };
    for permission in ["list pods", "watch deployments.apps", "patch deployments.apps/scale"] {
        assert!(denied("access.review", permission), "{permission}: {checked}");
    }
    assert!(denied("scale", "patch deployments.apps/scale"), "{checked}");
    let asked: Vec<Value> = upstream
        .requests()
        .iter()
        .filter(|one| one.target.ends_with(review))
        .map(|one| serde_json::from_slice(&one.body).unwrap())
        .collect();
    let scale = json!({"verb": "patch", "resource": "deployments", "group": "apps", "subresource": "scale", "namespace": "shop"});
    assert!(asked.iter().any(|one| one["spec"]["resourceAttributes"] == scale), "{asked:?}");
    assert!(asked.iter().all(|one| one["kind"] == "SelfSubjectAccessReview"));
}

#[test]
fn doctor_fails_for_a_program_that_does_not_start() {
    if !has_sandbox("bounds") {
        return;
    }
    let (doorward, _upstream) = stage("helm", "");
    program(&doorward, "helm", "exit 127");
    let checked = doorward.run(&["doctor", "helm", "--json"], "");
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(
        (checked["ok"].as_bool(), checked["program"]["problem"].is_string()),
        (Some(false), true),
        "{checked}"
    );
}
