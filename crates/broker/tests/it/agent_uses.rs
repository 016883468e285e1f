//! Capabilities of the agent in use: calls, revealed secrets, lines in the evidence, narrowings, the audit log.

use std::time::Duration;

use broker::agent::{AuditFile, Config, Mode, verify_audit};
use evidence::{Disclosure, What};
use model::Code;
use serde_json::{Value, json};
use store::{Storage, Table};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, OWNER, is};
use crate::service::{Service, Step, reply};

fn service() -> Service {
    Service::start(|seen| {
        let body = format!(r#"{{"said": "{}"}}"#, seen.target);
        vec![Step::Send(reply(200, &[("content-type", "application/json")], &body))]
    })
}

async fn at(service: &Service) -> (House, String) {
    let secret = canary::plant("agent");
    (House::at(&service.url(), &secret).await, secret)
}

const USE: &str = r#"{"resource": "secret:/house/token", "actions": ["execute"], "maxUses": 10}"#;

fn call(name: &str, path: &str) -> String {
    json!({ "capability_id": name, "request": { "integration": "house", "path": path } }).to_string()
}

#[tokio::test]
async fn a_capability_performs_a_call_without_showing_the_credential() {
    let service = service();
    let (house, secret) = at(&service).await;
    let name = house.name(USE).await;
    let answer = house.agent("agent.use", &call(&name, "/a")).await.unwrap();
    assert_eq!(
        (&answer["status"], &answer["http_status"], &answer["uses_left"]),
        (&json!("ok"), &json!(200), &json!(9))
    );
    assert_eq!(answer["body"], r#"{"said": "/a"}"#);
    assert!(!answer.to_string().contains(&secret));
    let id = answer["evidence"].as_str().unwrap().parse().unwrap();
    let entry = house.settled(id).await;
    let What::Call(intent) = entry.what else { panic!("not a call") };
    assert_eq!((intent.deed.integration.as_str(), intent.deed.operation.as_str()), ("house", "look"));
    assert_eq!(intent.narrowings.first().unwrap().to_string(), name);
    let post = json!({
        "capability_id": name, "action": "execute",
        "request": { "integration": "house", "method": "POST", "path": "/b", "body": { "a": 1 } },
    });
    assert_eq!(house.agent("agent.use", &post.to_string()).await.unwrap()["status"], "ok");
    house.spotless();
}

#[tokio::test]
async fn a_name_is_nothing_in_the_hands_of_another_user() {
    let service = service();
    let (house, _) = at(&service).await;
    let name = house.name(USE).await;
    for id in [name.as_str(), "cap_01j00000000000000000000000", "nothing"] {
        let answer = house.agent_as(OWNER + 1, "agent.use", &call(id, "/a")).await.unwrap();
        assert_eq!(
            (&answer["status"], &answer["reason"]),
            (&json!("denied"), &json!("CAP_NOT_FOUND")),
            "{answer}"
        );
        assert!(answer.get("uses_left").is_none());
    }
    let refusal = house.refused(Ask::get("/a").with(&name)).await;
    is(&refusal, Code::Unauthenticated);
    assert_eq!(service.seen().len(), 0);
}

#[tokio::test]
async fn a_capability_for_another_secret_or_action_reaches_nothing() {
    let service = service();
    let (house, _) = at(&service).await;
    for (resource, actions) in [
        ("secret:/house/other", "read"),
        ("secret:/house/token", "write"),
        ("secret:/house/token", "delete"),
        ("op:/house/change", "write"),
        ("op:/slack/*", "admin"),
        ("log:/house", "write"),
    ] {
        let name = house.name(&json!({ "resource": resource, "actions": [actions] }).to_string()).await;
        let answer = house.agent("agent.use", &call(&name, "/a")).await.unwrap();
        assert_eq!(
            (&answer["status"], &answer["reason"]),
            (&json!("denied"), &json!("CONSTRAINT_VIOLATION")),
            "{resource}"
        );
    }
    let name = house.name(r#"{"resource": "op:/house/look", "actions": ["read"]}"#).await;
    assert_eq!(house.agent("agent.use", &call(&name, "/a")).await.unwrap()["status"], "ok");
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn of_fifty_uses_at_once_of_ten_exactly_ten_are_made_also_by_narrowings_and_after_a_restart() {
    let service = service();
    let (house, _) = at(&service).await;
    let name = house.name(USE).await;
    let narrow = json!({ "capability_id": name, "maxUses": 9 }).to_string();
    let child = house.agent("agent.narrow", &narrow).await.unwrap();
    let child = child["capability"]["id"].as_str().unwrap().to_owned();
    let house = std::sync::Arc::new(house);
    let uses: Vec<_> = (0..50)
        .map(|nth| {
            let house = std::sync::Arc::clone(&house);
            let payload = call(if nth % 2 == 0 { &name } else { &child }, "/a");
            tokio::spawn(async move { house.agent("agent.use", &payload).await.unwrap() })
        })
        .collect();
    let mut ok = 0;
    for one in uses {
        let answer = one.await.unwrap();
        if answer["status"] == "ok" {
            ok += 1;
        } else {
            assert_eq!(answer["reason"], "USAGE_LIMIT_EXCEEDED", "{answer}");
        }
    }
    assert_eq!((ok, service.seen().len()), (10, 10));
    let house = std::sync::Arc::into_inner(house).unwrap().restarted().await;
    let answer = house.agent("agent.use", &call(&name, "/a")).await.unwrap();
    assert_eq!(answer["reason"], "USAGE_LIMIT_EXCEEDED");
    let answer = house.agent("agent.validate", &json!({ "capability_id": name }).to_string()).await.unwrap();
    assert_eq!(answer["errors"][0]["code"], "USAGE_LIMIT_EXCEEDED");
    assert_eq!(service.seen().len(), 10);
}

#[tokio::test]
async fn four_fifths_of_the_uses_are_worth_a_warning() {
    let service = service();
    let (house, _) = at(&service).await;
    let name = house.name(&USE.replace("10", "5")).await;
    for left in [4, 3, 2, 1] {
        let answer = house.agent("agent.use", &call(&name, "/a")).await.unwrap();
        assert_eq!(answer["uses_left"], left);
    }
    let answer = house.agent("agent.validate", &json!({ "capability_id": name }).to_string()).await.unwrap();
    assert_eq!((&answer["valid"], &answer["warnings"][0]["code"]), (&json!(true), &json!("USAGE_HIGH")));
}

#[tokio::test]
async fn a_secret_is_shown_only_where_it_was_stored_for_that_and_in_development_mode() {
    let secret = canary::plant("shown");
    let house = House::start(&[]).await;
    for (name, disclosable) in [("db/primary", "true"), ("db/hidden", "false")] {
        let put = Ask::named("doorward", "secret.put", &[("name", name), ("disclosable", disclosable)]);
        house.answer(put.payload(secret.clone())).await.unwrap();
    }
    let read = |path: &str| json!({ "resource": format!("secret:/{path}"), "actions": ["read"] }).to_string();
    let name = house.name(&read("db/primary")).await;
    let about = json!({ "capability_id": name }).to_string();
    let answer = house.agent("agent.reveal", &about).await.unwrap();
    assert_eq!((&answer["status"], &answer["value"]), (&json!("ok"), &json!(secret)));
    let entry = house.settled(answer["evidence"].as_str().unwrap().parse().unwrap()).await;
    let What::Call(intent) = entry.what else { panic!("not a call") };
    assert_eq!(intent.disclosure, Some(Disclosure::Reveal));
    let hidden = house.name(&read("db/hidden")).await;
    let execute = house.name(&read("db/primary").replace("read", "execute")).await;
    for id in [hidden, execute] {
        let answer = house.agent("agent.reveal", &json!({ "capability_id": id }).to_string()).await.unwrap();
        assert_eq!(answer["status"], "denied", "{answer}");
    }
    house.broker.configure_agent(Config::default()).unwrap();
    let answer = house.agent("agent.reveal", &about).await.unwrap();
    assert_eq!((&answer["status"], answer.get("value")), (&json!("denied"), None));
    house.spotless();
}

#[tokio::test]
async fn a_line_is_appended_to_a_stream_of_the_evidence() {
    let house = House::start(&[]).await;
    let name = house.name(r#"{"resource": "log:/deploy/*", "actions": ["write"], "maxUses": 2}"#).await;
    let line = |stream: &str| {
        json!({
            "capability_id": name, "resource": stream, "message": "released 1.2", "fields": { "build": 7 },
        })
        .to_string()
    };
    let answer = house.agent("agent.append", &line("log:/deploy/web")).await.unwrap();
    assert_eq!((&answer["status"], &answer["uses_left"]), (&json!("ok"), &json!(1)));
    let entry = house.settled(answer["evidence"].as_str().unwrap().parse().unwrap()).await;
    let What::Call(intent) = &entry.what else { panic!("not a call") };
    assert_eq!(
        (intent.deed.operation.as_str(), intent.deed.resource.as_str()),
        ("log.append", "log:/deploy/web")
    );
    let fields = entry.outcome.unwrap().fields;
    assert!(fields.contains(&("message".to_owned(), "released 1.2".to_owned())), "{fields:?}");
    assert!(fields.contains(&("field.build".to_owned(), "7".to_owned())), "{fields:?}");
    assert_eq!(house.agent("agent.append", &line("log:/other")).await.unwrap()["status"], "denied");
    let long = line("log:/deploy/web").replace("released 1.2", &"x".repeat(1_601));
    assert_eq!(house.agent("agent.append", &long).await.unwrap()["code"], "bad_request");
    let refusal = house
        .agent("agent.append", &json!({ "capability_id": name, "message": "x" }).to_string())
        .await
        .unwrap_err();
    is(&refusal, Code::BadRequest);
}

#[tokio::test]
async fn a_narrowing_is_never_wider_and_ends_with_its_parent() {
    let house = House::start(&[]).await;
    let request = r#"{"resource": "secret:/db/*", "actions": ["read", "write"], "ttl": 100, "maxUses": 5, "bearer": true}"#;
    let answer = house.agent("agent.request", request).await.unwrap();
    assert!(answer["capability"]["token"].as_str().unwrap().starts_with("cap1_"));
    let name = answer["capability"]["id"].as_str().unwrap().to_owned();
    let narrow = |more: Value| {
        let mut payload = json!({ "capability_id": name });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        payload.to_string()
    };
    for wider in [
        json!({ "actions": ["delete"] }),
        json!({ "actions": ["execute"] }),
        json!({ "resource": "secret:/*" }),
        json!({ "resource": "log:/a" }),
        json!({ "ttl": 3000 }),
        json!({ "max_uses": 6 }),
    ] {
        let answer = house.agent("agent.narrow", &narrow(wider.clone())).await.unwrap();
        assert_eq!(answer["status"], "denied", "{wider}: {answer}");
    }
    let less = narrow(json!({ "actions": ["read"], "resource": "secret:/db/a", "ttl": 10, "max_uses": 2 }));
    let child = house.agent("agent.narrow", &less).await.unwrap()["capability"].clone();
    assert_eq!(
        (&child["parent"], &child["max_uses"], &child["resource"]),
        (&json!(name), &json!(2), &json!("secret:/db/a"))
    );
    let id = child["id"].as_str().unwrap();
    let grandchild = house.agent("agent.narrow", &json!({ "capability_id": id }).to_string()).await.unwrap();
    let grandchild = grandchild["capability"]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.agent("agent.revoke", &narrow(json!({}))).await.unwrap()["revoked"], 3);
    for id in [name.as_str(), id, grandchild.as_str()] {
        let answer =
            house.agent("agent.validate", &json!({ "capability_id": id }).to_string()).await.unwrap();
        assert_eq!(answer["errors"][0]["code"], "REVOKED");
    }
    let house = house.restarted().await;
    let answer =
        house.agent("agent.validate", &json!({ "capability_id": grandchild }).to_string()).await.unwrap();
    assert_eq!(answer["valid"], false);
    assert_eq!(house.agent("agent.narrow", &narrow(json!({}))).await.unwrap()["status"], "denied");
}

#[tokio::test]
async fn a_bearer_works_at_the_gateway_and_ends_with_its_name() {
    let service = service();
    let (house, _) = at(&service).await;
    let request = USE.replace("\"maxUses\": 10", "\"bearer\": true");
    let capability = house.agent("agent.request", &request).await.unwrap()["capability"].clone();
    let (token, id) = (capability["token"].as_str().unwrap(), capability["id"].as_str().unwrap());
    assert_eq!(house.got(Ask::get("/a").with(token)).await.unwrap().status, 200);
    let about = json!({ "capability_id": id }).to_string();
    let listed = house.agent("agent.list", "{}").await.unwrap();
    assert_eq!(listed["capabilities"][0]["used_count"], 1);
    assert!(listed["capabilities"][0].get("token").is_none());
    house.agent("agent.revoke", &about).await.unwrap();
    is(&house.refused(Ask::get("/a").with(token)).await, Code::Revoked);
    let config = Config { mode: Mode::Development, bearers: false, ..Config::default() };
    house.broker.configure_agent(config).unwrap();
    assert_eq!(house.agent("agent.request", &request).await.unwrap()["status"], "denied");
}

#[tokio::test]
async fn the_audit_log_has_a_line_for_each_request_check_revocation_denial_and_use() {
    let service = service();
    let (house, secret) = at(&service).await;
    let path = house.folder.path().join("audit.log");
    let audit = Some(AuditFile::at(path.clone()));
    house.broker.configure_agent(Config { mode: Mode::Development, audit, ..Config::default() }).unwrap();
    let name = house.name(USE).await;
    let about = json!({ "capability_id": name }).to_string();
    house.agent("agent.validate", &about).await.unwrap();
    house.agent("agent.use", &call(&name, "/a")).await.unwrap();
    house.agent("agent.request", &USE.replace("\"maxUses\"", "\"ttl\": 9999, \"maxUses\"")).await.unwrap();
    house.agent("agent.revoke", &about).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (line["type"].as_str().unwrap(), line["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [
            ("capability_request", "success"),
            ("capability_validation", "success"),
            ("capability_use", "success"),
            ("capability_request", "denied"),
            ("capability_revocation", "success"),
        ]
    );
    assert_eq!(lines[0]["capability_id"], json!(name));
    for (line, action) in lines.iter().zip(["execute", "validate", "execute", "execute", "revoke"]) {
        let said = (&line["source_identity"], &line["target_resource"], &line["action"]);
        assert_eq!(
            said,
            (&json!(format!("uid:{OWNER}")), &json!("secret:/house/token"), &json!(action)),
            "{line}"
        );
    }
    assert_eq!(verify_audit(&path).unwrap().lines, 5);
    assert!(!text.contains(&secret) && !text.contains("cap1_"));
}

#[tokio::test]
async fn a_capability_whose_line_can_not_be_written_is_not_given() {
    let house = House::start(&[]).await;
    let folder = house.folder.path().join("audit");
    store::files::private_folder(&folder).unwrap();
    let audit = Some(AuditFile { path: folder.join("audit.log"), longest: 0, kept: 1 });
    house.broker.configure_agent(Config { mode: Mode::Development, audit, ..Config::default() }).unwrap();
    let request = r#"{"resource": "secret:/a", "actions": ["read"]}"#;
    house.name(request).await;
    // The next line begins a new file, in a folder that is gone.
    std::fs::remove_dir_all(&folder).unwrap();
    let refusal = house.agent("agent.request", request).await.unwrap_err();
    is_unwritten(&refusal);
    let listed = house.agent("agent.list", r#"{"filter": {"status": "active"}}"#).await.unwrap();
    assert_eq!(listed["count"], 1, "{listed}");
}

fn is_unwritten(refusal: &model::Refusal) {
    assert_eq!(refusal.code, Code::EvidenceUnavailable, "{refusal:?}");
    assert!(refusal.message.contains("audit log"), "{refusal:?}");
}

#[tokio::test]
async fn counters_say_how_many_there_are() {
    let house = House::start(&[]).await;
    let request = r#"{"resource": "secret:/a", "actions": ["read"], "ttl": 10}"#;
    let name = house.name(request).await;
    house.name(request).await;
    house.agent("agent.revoke", &json!({ "capability_id": name }).to_string()).await.unwrap();
    house.clock.advance(Duration::from_secs(10));
    house.name(request).await;
    let counters = house.agent("agent.counters", "").await.unwrap();
    let engine = &counters["capability_engine"];
    let counts = ["total", "active", "expired", "revoked"]
        .map(|word| engine[format!("{word}_capabilities")].as_u64().unwrap());
    assert_eq!(counts, [3, 1, 1, 1]);
    assert_eq!(counters["policy_engine"]["loaded_policies"], 1);
    assert_eq!(
        counters["policy_engine"]["cache_hits"].as_u64().unwrap()
            + counters["policy_engine"]["cache_misses"].as_u64().unwrap(),
        3
    );
    assert!(counters["audit_system"]["total_events"].as_u64().unwrap() >= 8);
}

#[tokio::test]
async fn what_is_long_over_is_forgotten() {
    let house = House::start(&[]).await;
    let old = house.name(r#"{"resource": "secret:/a", "actions": ["read"], "ttl": 10}"#).await;
    house.clock.advance(Duration::from_secs(8 * 86_400));
    let new = house.name(r#"{"resource": "secret:/a", "actions": ["read"], "ttl": 10}"#).await;
    house.broker.tidy();
    let broker = std::sync::Arc::clone(&house.broker);
    crate::house::eventually("it is forgotten", move || broker.known_capabilities() == 1).await;
    let house = house.restarted().await;
    let listed = house.agent("agent.list", "{}").await.unwrap();
    assert_eq!((&listed["count"], &listed["capabilities"][0]["id"]), (&json!(1), &json!(new)));
    let answer = house.agent("agent.validate", &json!({ "capability_id": old }).to_string()).await.unwrap();
    assert_eq!(answer["errors"][0]["code"], "CAP_NOT_FOUND");
}

#[tokio::test]
async fn the_counters_of_what_is_forgotten_go_with_it_and_nobody_has_a_use_more() {
    let service = service();
    let (house, _) = at(&service).await;
    let counters = |house: &House| {
        house.disk.scan(Table::Uses, &model::TenantName::local(), b"", None, usize::MAX).unwrap().len()
    };
    let name =
        house.name(r#"{"resource": "secret:/house/token", "actions": ["execute"], "maxUses": 1}"#).await;
    let child = house.agent("agent.narrow", &json!({ "capability_id": name }).to_string()).await.unwrap();
    let child = child["capability"]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.agent("agent.use", &call(&child, "/a")).await.unwrap()["status"], "ok");
    assert_eq!(house.agent("agent.use", &call(&name, "/a")).await.unwrap()["status"], "denied");
    assert_eq!(counters(&house), 2, "its own and that of the one it comes from");
    // Over, but listed: nothing is removed yet.
    house.clock.advance(Duration::from_secs(86_400));
    house.broker.tidy();
    house.clock.advance(Duration::from_secs(7 * 86_400));
    let house = house.restarted().await;
    assert_eq!(counters(&house), 2);
    house.broker.tidy();
    let disk = std::sync::Arc::clone(&house.disk);
    let gone = move || disk.scan(Table::Uses, &model::TenantName::local(), b"", None, 1).unwrap().is_empty();
    crate::house::eventually("the counters are gone", gone).await;
    for id in [&name, &child] {
        let answer = house.agent("agent.use", &call(id, "/a")).await.unwrap();
        assert_eq!(answer["reason"], "CAP_NOT_FOUND", "{answer}");
    }
    assert_eq!(service.seen().len(), 1);
    house.spotless();
    let key = secrets::evidence_public_key(&*house.state).unwrap();
    let disk = std::sync::Arc::clone(&house.disk);
    house.broker.close().unwrap();
    evidence::verify_store(&*disk, &key, &mut |_, _| {}).unwrap();
}

#[tokio::test]
async fn constraints_are_held_for_uses_and_shown_by_a_check() {
    let service = service();
    let (house, _) = at(&service).await;
    let request = |constraints: Value| {
        json!({ "resource": "secret:/house/token", "actions": ["execute"], "constraints": constraints })
            .to_string()
    };
    let span = |start: &str, end: &str| json!({ "timeWindow": { "blackoutPeriods": [{ "start": start, "end": end }] } });
    for (constraints, holds) in [
        // A Unix socket has no address, whatever a client says of itself.
        (json!({ "ipAddresses": ["0.0.0.0/0", "::/0"] }), false),
        (json!({ "environment": { "environment": "test" } }), true),
        (json!({ "environment": { "environment": "production" } }), false),
        (span("2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"), false),
        (span("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"), true),
        (json!({}), true),
    ] {
        let name = house.name(&request(constraints.clone())).await;
        let checked =
            house.agent("agent.validate", &json!({ "capability_id": name }).to_string()).await.unwrap();
        assert_eq!(checked["valid"], holds, "{constraints}: {checked}");
        let used = house.agent("agent.use", &call(&name, "/a")).await.unwrap();
        assert_eq!(used["status"] == "ok", holds, "{constraints}: {used}");
        if !holds {
            assert_eq!(checked["errors"][0]["code"], "CONSTRAINT_VIOLATION");
            assert_eq!(used["reason"], "CONSTRAINT_VIOLATION");
        }
    }
    let name = house.name(&request(json!({ "rateLimit": { "requestsPerSecond": 0.001, "burst": 2 } }))).await;
    for status in ["ok", "ok", "denied"] {
        let used = house.agent("agent.use", &call(&name, "/a")).await.unwrap();
        assert_eq!(used["status"], status, "{used}");
    }
    let refusal = house
        .agent("agent.request", &request(json!({ "geography": { "countries": ["DE"] } })))
        .await
        .unwrap_err();
    is(&refusal, Code::BadRequest);
    assert!(refusal.message.contains("geography"), "{refusal:?}");
}
