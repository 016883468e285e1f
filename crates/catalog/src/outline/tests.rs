//! What manifests say and how they differ, with nothing of what is secret in them.

use super::*;

const BEFORE: &str = "---
# Source: web/templates/secret.yaml
apiVersion: v1
kind: Secret
metadata: {name: web}
data: {password: Q0FOQVJZ}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - {name: web, image: web:1, env: [{name: DB_PASSWORD, value: CANARY}, {name: MODE, value: quick}]}
---
kind: ConfigMap
metadata: {name: web}
data:
  app.ini: |
    password = CANARY
  url: https://somebody:CANARY@db
";

fn difference(from: &str, to: &str) -> Option<String> {
    Outline::of(from).difference(&Outline::of(to))
}

#[test]
fn what_changed_is_told_line_by_line() {
    let after = BEFORE.replace("replicas: 2", "replicas: 3").replace(", {name: MODE, value: quick}", "");
    assert_eq!(
        difference(BEFORE, &after).unwrap(),
        "- Deployment/shop/web spec.replicas: 2 ⏎ + Deployment/shop/web spec.replicas: 3 ⏎ \
         - Deployment/shop/web spec.template.spec.containers[web].env[MODE].name: MODE ⏎ \
         - Deployment/shop/web spec.template.spec.containers[web].env[MODE].value: quick"
    );
    assert_eq!(difference(BEFORE, BEFORE), None);
    let written_otherwise = BEFORE.replace("replicas: 2", "\"replicas\": 2 # two");
    assert_eq!(difference(BEFORE, &written_otherwise), None);
}

#[test]
fn what_is_secret_is_told_by_digests() {
    let after = BEFORE.replace("CANARY", "CANARZ").replace("Q0FOQVJZ", "Q0FOQVJa");
    let told = difference(BEFORE, &after).unwrap();
    assert!(!told.contains("CANAR") && !told.contains("Q0FO"), "{told}");
    for place in
        ["Secret/web data.password", "env[DB_PASSWORD].value", "ConfigMap/web data.app.ini", "data.url"]
    {
        let place = format!("{place}: sha256:");
        assert_eq!(told.matches(&place).count(), 2, "{place} in {told}");
    }
}

#[test]
fn a_document_that_is_none_is_told_by_its_digest_and_lists_by_what_is_in_them() {
    let told = difference("kind: [", "kind: {").unwrap();
    assert!(told.starts_with("- document 1: sha256:"), "{told}");
    let list = |data: &str| {
        format!(
            "{{kind: SecretList, items: [{{kind: Secret, metadata: {{name: a}}, stringData: {{a: {data}}}}}]}}"
        )
    };
    let told = difference(&list("CANARY"), &list("CANARZ")).unwrap();
    assert!(told.starts_with("- Secret/a stringData.a: sha256:") && !told.contains("CANAR"), "{told}");
}

#[test]
fn no_more_is_told_than_there_is_room_for() {
    let long: String = (0..100).map(|n| format!("  key{n}: {}\n", "x".repeat(60))).collect();
    let told = difference("", &format!("kind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{long}")).unwrap();
    assert!(told.len() < 2_000 && told.ends_with(" more"), "{}: {told}", told.len());
    assert_eq!(difference("---\n# nothing\n", "\n"), None);
}
