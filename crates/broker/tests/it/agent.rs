//! The agent: capabilities with names, asked for, looked at, listed, revoked.

use std::time::Duration;

use broker::agent::{Config, Mode};
use model::{Code, Holder, Naming, NamingRule, RunId, Sight, Wishes};
use serde_json::{Value, json};
use store::{Batch, Storage, Table};

use crate::asking::Ask;
use crate::house::{House, OWNER, is};

const READ: &str = r#"{"resource": "secret:/db/primary", "actions": ["read"], "ttl": 60, "maxUses": 3}"#;

fn about(name: &str) -> String {
    json!({ "capability_id": name }).to_string()
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_granted_capability_says_everything_in_the_words_of_the_documents() {
    let house = House::start(&[]).await;
    let answer = house.agent("agent.request", READ).await.unwrap();
    assert_eq!(answer["status"], "granted");
    assert_eq!(answer["message"], "Capability granted successfully");
    assert!(answer["request_id"].as_str().unwrap().starts_with("req_"));
    assert!(answer["processing_time"].as_str().unwrap().ends_with("ms"));
    assert_eq!(answer["policy_result"]["decision"], "allow");
    let capability = &answer["capability"];
    assert!(capability["id"].as_str().unwrap().starts_with("cap_"));
    assert_eq!(capability["type"], "read");
    assert_eq!(capability["resource"], "secret:/db/primary");
    assert_eq!(capability["actions"], json!(["read"]));
    assert_eq!(capability["identity"], format!("uid:{OWNER}"));
    assert_eq!(capability["issuer"], "aether-vault-agent");
    assert_eq!((capability["ttl"].as_u64(), capability["max_uses"].as_u64()), (Some(60), Some(3)));
    assert_eq!(capability["used_count"], 0);
    let expires = capability["expires_at"].as_str().unwrap();
    assert!(expires.len() == 20 && expires.ends_with('Z') && !expires.contains('.'), "{expires}");
    assert!(capability.get("token").is_none(), "a name is no bearer");
}

#[tokio::test]
async fn actions_in_one_word_or_in_several_give_the_same() {
    let house = House::start(&[]).await;
    for actions in [r#"["read,write"]"#, r#"["read", "write"]"#, r#"["write", "read", "read"]"#] {
        let request = format!(r#"{{"resource": "secret:/a", "actions": {actions}}}"#);
        let answer = house.agent("agent.request", &request).await.unwrap();
        assert_eq!(answer["capability"]["actions"], json!(["read", "write"]));
        assert_eq!(answer["capability"]["type"], "write");
        assert_eq!(answer["capability"]["ttl"], 300);
        assert_eq!(answer["capability"]["max_uses"], 100);
    }
}

#[tokio::test]
async fn more_than_an_hour_is_denied_in_an_answer_and_on_record() {
    let house = House::start(&[]).await;
    let ask = |ttl: u32| format!(r#"{{"resource": "secret:/a", "actions": ["read"], "ttl": {ttl}}}"#);
    assert_eq!(house.agent("agent.request", &ask(3600)).await.unwrap()["status"], "granted");
    let asked = Ask::named("doorward", "agent.request", &[]).payload(ask(3601));
    let (id, answer) = house.answer(asked).await.unwrap();
    assert_eq!(answer["status"], "denied");
    assert_eq!(answer["message"], "Invalid request: TTL exceeds maximum allowed: 3600 seconds");
    let entry = house.settled(id).await;
    let outcome = entry.outcome.unwrap();
    assert_eq!((outcome.ending, outcome.code), (evidence::Ending::Failed, Some(Code::Denied)));
    assert!(outcome.fields.iter().any(|(name, text)| name == "reason" && text.contains("3600")));
}

#[tokio::test]
async fn without_policies_everything_is_denied() {
    let house = House::start(&[]).await;
    let configured = house.broker.configure_agent(Config::default()).unwrap();
    assert_eq!(configured.warnings, ["No policies loaded - all requests will be denied"]);
    let answer = house.agent("agent.request", READ).await.unwrap();
    assert_eq!((&answer["status"], &answer["policy_result"]["decision"]), (&json!("denied"), &json!("deny")));
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_what_was_meant() {
    let house = House::start(&[]).await;
    for (request, says, hint) in [
        (r#"{"actions": ["read"]}"#, "resource cannot be empty", ""),
        (r#"{"resource": "secret:/a"}"#, "actions cannot be empty", ""),
        (r#"{"resource": "secret:/a", "actions": ["raed"]}"#, "raed", ""),
        (r#"{"resource": "file:/a", "actions": ["read"]}"#, "file:/a", ""),
        (r#"{"resource": "secret:/a", "actions": ["read"], "maxUse": 3}"#, "maxUse", "did you mean `max"),
        (
            r#"{"resource": "secret:/a", "actions": ["read"], "maxUses": 3, "max_uses": 4}"#,
            "duplicate field",
            "",
        ),
        (r#"{"resource": "secret:/a", "actions": ["read"], "ttl": -1}"#, "negative", ""),
        (
            r#"{"resource": "secret:/a", "actions": ["read"], "context": {"metadata": {"a": 1, "a": 2}}}"#,
            "twice",
            "",
        ),
        ("[1", "invalid payload format", ""),
    ] {
        let refusal = house.agent("agent.request", request).await.unwrap_err();
        is(&refusal, Code::BadRequest);
        assert!(refusal.message.contains(says), "{request}: {refusal:?}");
        assert!(refusal.hint.unwrap_or_default().contains(hint), "{request}");
    }
}

#[tokio::test]
async fn another_user_is_told_of_nothing_and_can_do_nothing() {
    let house = House::start(&[]).await;
    let name = house.name(READ).await;
    let unknown = "cap_01j00000000000000000000000";
    for id in [name.as_str(), unknown, "cap_1736330400_abc"] {
        let answer = house.agent_as(OWNER + 1, "agent.validate", &about(id)).await.unwrap();
        assert_eq!((answer["valid"].as_bool(), codes(&answer)), (Some(false), vec!["CAP_NOT_FOUND"]));
        assert_eq!(answer["errors"][0]["message"], "capability not found");
        let refusal = house.agent_as(OWNER + 1, "agent.revoke", &about(id)).await.unwrap_err();
        is(&refusal, Code::NotFound);
        assert_eq!(refusal.message, "capability not found");
    }
    let listed = house.agent_as(OWNER + 1, "agent.list", "{}").await.unwrap();
    assert_eq!((&listed["capabilities"], &listed["count"]), (&json!([]), &json!(0)));
    assert_eq!(house.agent("agent.validate", &about(&name)).await.unwrap()["valid"], true);
    // The owner of the home looks after everybody's.
    let theirs = house.agent_as(OWNER + 1, "agent.request", READ).await.unwrap();
    let theirs = theirs["capability"]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.agent("agent.list", "{}").await.unwrap()["total"], 2);
    assert_eq!(house.agent("agent.revoke", &about(&theirs)).await.unwrap()["status"], "revoked");
}

#[tokio::test]
async fn what_was_revoked_is_over_and_its_reason_is_listed() {
    let house = House::start(&[]).await;
    let (name, other) = (house.name(READ).await, house.name(READ).await);
    let revoke = json!({ "capability_id": name, "reason": "left the team", "revoked_by": "ada" }).to_string();
    let answer = house.agent("agent.revoke", &revoke).await.unwrap();
    assert_eq!(
        (&answer["status"], &answer["message"]),
        (&json!("revoked"), &json!("Capability revoked successfully"))
    );
    let answer = house.agent("agent.validate", &about(&name)).await.unwrap();
    assert_eq!((answer["valid"].as_bool(), codes(&answer)), (Some(false), vec!["REVOKED"]));
    assert_eq!(house.agent("agent.validate", &about(&other)).await.unwrap()["valid"], true);
    let listed = house.agent("agent.list", r#"{"filter": {"status": "revoked"}}"#).await.unwrap();
    assert_eq!(listed["count"], 1);
    let one = &listed["capabilities"][0];
    assert_eq!((&one["id"], &one["status"]), (&json!(name), &json!("revoked")));
    assert_eq!(one["revocation_reason"], "left the team");
    assert_eq!(one["revoked_by"], "owner (ada)");
}

#[tokio::test]
async fn what_has_ended_is_listed_as_expired() {
    let house = House::start(&[]).await;
    let name = house.name(READ).await;
    house.clock.advance(Duration::from_secs(60));
    let answer = house.agent("agent.validate", &about(&name)).await.unwrap();
    assert_eq!(codes(&answer), ["EXPIRED"]);
    assert_eq!(answer["errors"][0]["field"], "expires_at");
    assert!(answer["errors"][0]["message"].as_str().unwrap().starts_with("Capability expired at 2"));
    for (status, wanted) in [("expired", 1), ("active", 0), ("revoked", 0), ("", 1)] {
        let filter = json!({ "filter": { "status": status } }).to_string();
        assert_eq!(house.agent("agent.list", &filter).await.unwrap()["count"], wanted, "{status}");
    }
}

#[tokio::test]
async fn a_list_is_filtered_sorted_and_cut_into_pages() {
    let house = House::start(&[]).await;
    for (resource, identity, meta) in
        [("secret:/a", "zoe", "1"), ("secret:/b", "ada", "2"), ("log:/c", "ada", "2")]
    {
        let request = json!({
            "resource": resource, "identity": identity, "actions": ["write"],
            "context": { "metadata": { "run": meta } },
        });
        house.name(&request.to_string()).await;
        house.clock.advance(Duration::from_secs(1));
    }
    let resources = |listed: Value| -> Vec<String> {
        let all = listed["capabilities"].as_array().unwrap();
        all.iter().map(|one| one["resource"].as_str().unwrap().to_owned()).collect()
    };
    for (filter, wanted) in [
        (json!({}), vec!["log:/c", "secret:/b", "secret:/a"]),
        (json!({ "sortOrder": "asc" }), vec!["secret:/a", "secret:/b", "log:/c"]),
        (json!({ "sortBy": "resource", "sort_order": "asc" }), vec!["log:/c", "secret:/a", "secret:/b"]),
        (json!({ "identity": "ada", "limit": 1, "offset": 1 }), vec!["secret:/b"]),
        (json!({ "resource": "secret:*" }), vec!["secret:/b", "secret:/a"]),
        (json!({ "metadata": { "run": "1" } }), vec!["secret:/a"]),
        (json!({ "type": "read" }), vec![]),
        (json!({ "issuer": "somebody" }), vec![]),
        (json!({ "timeRange": { "start": "2999-01-01T00:00:00Z" } }), vec![]),
    ] {
        let listed = house.agent("agent.list", &json!({ "filter": filter }).to_string()).await.unwrap();
        assert_eq!(resources(listed), wanted, "{filter}");
    }
    for wrong in [
        r#"{"filter": {"identities": "a"}}"#,
        r#"{"filter": {"status": "gone"}}"#,
        r#"{"filter": {"limit": -1}}"#,
    ] {
        is(&house.agent("agent.list", wrong).await.unwrap_err(), Code::BadRequest);
    }
}

#[tokio::test]
async fn a_capability_outlives_the_process_and_a_changed_row_is_not_believed() {
    let house = House::start(&[]).await;
    let (good, changed, revoked) = (house.name(READ).await, house.name(READ).await, house.name(READ).await);
    house.agent("agent.revoke", &about(&revoked)).await.unwrap();
    let tenant = model::TenantName::local();
    let row = house.state.get(Table::Grants, &tenant, changed.as_bytes()).unwrap().unwrap();
    let text = String::from_utf8(row).unwrap();
    let wider = text.replace("\"uses\":3", "\"uses\":9");
    assert_ne!(text, wider);
    let batch = Batch::new().put(Table::Grants, &tenant, changed.as_bytes(), wider.into_bytes());
    house.state.commit(&batch).unwrap();
    let house = house.restarted().await;
    assert_eq!(house.agent("agent.validate", &about(&good)).await.unwrap()["valid"], true);
    assert_eq!(codes(&house.agent("agent.validate", &about(&changed)).await.unwrap()), ["INVALID_SIGNATURE"]);
    assert_eq!(codes(&house.agent("agent.validate", &about(&revoked)).await.unwrap()), ["REVOKED"]);
    let listed = house.agent("agent.list", r#"{"filter": {"status": "active"}}"#).await.unwrap();
    assert_eq!((&listed["count"], &listed["capabilities"][0]["id"]), (&json!(1), &json!(good)));
}

#[tokio::test]
async fn a_name_in_a_request_is_a_wish_that_the_configuration_grants() {
    let house = House::start(&[]).await;
    let rule = NamingRule { name: "app123".to_owned(), uid: Some(OWNER), ..NamingRule::default() };
    let identities = Naming::new(vec![rule], Wishes::Believed).unwrap();
    let ask =
        |name: &str| json!({ "resource": "secret:/a", "actions": ["read"], "identity": name }).to_string();
    let config = Config { mode: Mode::Development, identities, ..Config::default() };
    house.broker.configure_agent(config).unwrap();
    for (uid, asked, name, source) in [
        (OWNER, "", "app123", "mapped"),
        (OWNER, "app123", "app123", "mapped"),
        (OWNER + 1, "", "uid:1001", "kernel"),
        (OWNER + 1, "app123", "app123", "asked"),
    ] {
        let answer = house.agent_as(uid, "agent.request", &ask(asked)).await.unwrap();
        let capability = &answer["capability"];
        assert_eq!((&capability["identity"], &capability["identity_source"]), (&json!(name), &json!(source)));
    }
}

#[tokio::test]
async fn what_belongs_to_a_run_is_not_its_user() {
    let house = House::start(&[]).await;
    house.broker.configure_agent(Config { mode: Mode::Development, ..Config::default() }).unwrap();
    let of_user = house.name(READ).await;
    let inside = || Holder { uid: Some(OWNER), run: Some(RunId::from_bytes([7; 16])), ..Holder::default() };
    let ask = |operation: &str, payload: &str| {
        Ask::named("doorward", operation, &[]).held_by(inside()).payload(payload)
    };
    // Neither what its user holds, nor something new, nor what its user may do as the owner.
    let checked = house.answer(ask("agent.validate", &about(&of_user))).await;
    assert_ne!(checked.ok().map(|(_, answer)| answer["valid"].clone()), Some(json!(true)));
    let (_, listed) = house.answer(ask("agent.list", r#"{"filter": {}}"#)).await.unwrap();
    assert_eq!(listed["count"], 0);
    let (_, asked) = house.answer(ask("agent.request", READ)).await.unwrap();
    assert_eq!(asked["status"], "denied");
    let refusal =
        house.answer(Ask::named("doorward", "secret.list", &[]).held_by(inside())).await.unwrap_err();
    assert_eq!(refusal.code, Code::Denied);
    assert_eq!(house.agent("agent.validate", &about(&of_user)).await.unwrap()["valid"], true);
}

#[tokio::test]
async fn a_caller_in_another_container_is_not_the_owner_whatever_its_uid() {
    let house = House::start(&[]).await;
    for sight in [Sight::ForeignProcesses, Sight::ForeignUsers] {
        let there = Holder { uid: Some(OWNER), sight, ..Holder::default() };
        let refusal = house
            .answer(Ask::named("doorward", "secret.list", &[]).held_by(there.clone()))
            .await
            .unwrap_err();
        assert_eq!(refusal.code, Code::Denied);
        let asked =
            house.answer(Ask::named("doorward", "agent.request", &[]).held_by(there).payload(READ)).await;
        assert_eq!(asked.unwrap_err().code, Code::Unauthenticated);
    }
}
