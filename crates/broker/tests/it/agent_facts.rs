//! What policy files may ask about the process of a caller.

use broker::agent::Config;
use model::{Container, Exe, Holder};
use serde_json::json;

use crate::asking::Ask;
use crate::house::{House, OWNER, write};

/// Who is at the other end in these tests.
fn caller() -> Holder {
    Holder {
        uid: Some(OWNER),
        gid: Some(77),
        cgroup: Some("/system.slice/billing.service".to_owned()),
        unit: Some("billing.service".to_owned()),
        container: Some(Box::new(Container {
            runtime: "docker",
            id: "a".repeat(64),
            pod: None,
            rootless: None,
        })),
        exe: Some(Box::new(Exe { path: "/usr/bin/psql".to_owned(), sha256: None })),
        ..Holder::default()
    }
}

#[tokio::test]
async fn rules_see_every_strong_fact_of_the_process_and_no_weak_one() {
    let house = House::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let container = "a".repeat(64);
    for (key, value, status) in [
        ("uid", OWNER.to_string().as_str(), "granted"),
        ("gid", "77", "granted"),
        ("gid", "78", "denied"),
        ("cgroup", "/system.slice/*", "granted"),
        ("unit", "billing.service", "granted"),
        ("unit", "web.service", "denied"),
        ("container", &container, "granted"),
        ("container", "b*", "denied"),
        // Proven by nothing here, and a program that anybody with the same user could run.
        ("service_account", "*", "denied"),
        ("exe", "/usr/bin/*", "denied"),
        ("sha256", "*", "denied"),
    ] {
        let condition = json!({ "type": "identity", "key": key, "operator": "in", "value": [value] });
        let rule = json!({
            "id": "r", "effect": "allow", "resources": ["secret:*"], "actions": ["read"], "identities": ["*"],
            "conditions": [condition],
        });
        write(&folder.path().join("p.json"), &json!({ "id": "p", "rules": [rule] }).to_string());
        let policies = Some(folder.path().to_owned());
        house.broker.configure_agent(Config { policies, ..Config::default() }).unwrap();
        let ask = Ask::named("doorward", "agent.request", &[]).held_by(caller());
        let payload = r#"{"resource": "secret:/db/primary", "actions": ["read"]}"#;
        let (_, answer) = house.answer(ask.payload(payload)).await.unwrap();
        assert_eq!(answer["status"], status, "{key} {value}: {answer}");
    }
}
