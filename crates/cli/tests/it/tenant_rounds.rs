//! What happens to credentials by itself: validation that is due, the end of a grace, an age.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::{Batch, Storage, Table};
use testkit::{Demand, Upstream};

use crate::credential_api::{Api, moved};

const KEY: &str = "sk-0123456789abcdef";

fn openai() -> Upstream {
    let service = Upstream::demanding(Demand::Bearer(KEY.to_owned()));
    service.answer_with("/v1/models", 200, json!({"object": "list"}));
    service
}

fn laid(service: &Upstream, settings: &str) -> Api {
    Api::laid(&[moved("openai", &format!("{}/json", service.url()), "")], settings, &[])
}

/// Waits for something, with a limit.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + crate::HANG;
    while !holds() {
        assert!(Instant::now() < until, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn status(api: &Api) -> String {
    let shown = api.doorward.run(&["integration", "status", "acme_inc", "--json"], "").json();
    shown["integrations"]["OPENAI"]["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_credential_is_validated_again_when_it_is_due_and_a_restart_repeats_nothing() {
    let service = openai();
    let api = laid(&service, "tenants = { validate = \"1s\" }\n");
    assert_eq!(api.set_up("openai", &KEY.into()).0, "VALID");
    eventually("it was validated by itself", || service.requests().len() > 1);
    service.answer_with("/v1/models", 401, json!({"error": {"message": "revoked"}}));
    eventually("the refusal was seen", || status(&api) == "INVALID");
    service.answer_with("/v1/models", 200, json!({"object": "list"}));
    eventually("it works again", || status(&api) == "VALID");
    let listed = api
        .doorward
        .run(&["evidence", "list", "--operation", "credential.validate", "--json"], "")
        .succeeded();
    assert!(listed.contains("schedule"), "each is on record, with why: {listed}");
    let later = "tenants = { validate = \"1h\" }\n";
    let before = std::cell::Cell::new(0);
    let api = api.restarted(|doorward| {
        crate::write(doorward.data().join("settings.toml"), later);
        before.set(service.requests().len());
    });
    // The round at the start is over when the status is asked for after another one; nothing was due in it.
    let _ = status(&api);
    assert_eq!(service.requests().len(), before.get(), "what was validated a moment ago is not due");
}

#[test]
fn one_whose_provider_said_nothing_is_tried_again_by_itself() {
    let service = openai();
    service.answer_with("/v1/models", 503, json!({}));
    let api = laid(&service, "tenants = { validate = \"never\", pending = \"1s\" }\n");
    assert_eq!(api.set_up("openai", &KEY.into()).0, "PENDING");
    service.answer_with("/v1/models", 200, json!({"object": "list"}));
    eventually("the provider is asked again", || status(&api) == "VALID");
}

#[test]
fn the_bytes_of_one_that_was_replaced_go_when_its_grace_is_over() {
    let service = openai();
    let api = laid(&service, "tenants = { validate = \"never\", pending = \"never\", grace = \"1s\" }\n");
    assert_eq!(api.set_up("openai", &KEY.into()).0, "VALID");
    assert_eq!(api.set_up("openai", &KEY.into()).0, "VALID");
    let rows = || {
        let debug = api.doorward.run(&["integration", "debug", "acme_inc", "--json"], "").json();
        debug["credentials"].as_array().unwrap().clone()
    };
    let listed = rows();
    assert_eq!(listed.iter().filter(|row| row["is_active"] == true).count(), 1, "{listed:?}");
    let old = |row: &Value| row["is_active"] == false;
    assert!(listed.iter().find(|row| old(row)).unwrap()["deactivation_scheduled_at"].is_string());
    eventually("its bytes are gone", || rows().iter().any(|row| old(row) && row["bytes"] == false));
    assert!(rows().iter().any(|row| row["is_active"] == true && row["bytes"] == true));
}

#[test]
fn one_that_is_over_is_recorded_as_expired_once_and_its_provider_is_not_asked() {
    let service = openai();
    let api = laid(&service, "tenants = { validate = \"1h\", pending = \"1h\" }\n");
    assert_eq!(api.set_up("openai", &KEY.into()).0, "VALID");
    let asked = service.requests().len();
    let api = api.restarted(|doorward| {
        // As if it had been set up 91 days ago, by a version that kept no list of who is due.
        let storage = store::Embedded::open(&doorward.data().join("home.db")).unwrap();
        let tenant: model::TenantName = "acme_inc".parse().unwrap();
        let rows = storage.scan(Table::Credentials, &tenant, b"row/", None, 10).unwrap();
        let mut row: Value = serde_json::from_slice(&rows[0].value).unwrap();
        for member in ["created", "expires", "validated", "tried"] {
            row[member] = "2026-01-01T00:00:00.000Z".into();
        }
        row["tried"] = "2025-12-31T00:00:00.000Z".into();
        let value = serde_json::to_vec(&row).unwrap();
        let house = "local".parse().unwrap();
        let batch = Batch::new().delete(Table::Meta, &house, b"looks-listed");
        storage.commit(&batch.put(Table::Credentials, &tenant, &rows[0].key, value)).unwrap();
    });
    let shown = api.mine("GET", "integrations/acme_inc/openai", &Value::Null);
    assert_eq!(shown["status"], "EXPIRED");
    let listed = api.mine("GET", "integrations/acme_inc", &Value::Null);
    assert_eq!(listed["all_valid"], false);
    let list = ["evidence", "list", "--operation", "credential.validate", "--json"];
    let recorded = || {
        let listed = api.doorward.run(&list, "").json();
        let lines = listed["evidence"].as_array().unwrap().iter();
        lines.filter(|line| line["fields"]["status"] == "EXPIRED").count()
    };
    eventually("the evidence says that it is over", || recorded() > 0);
    let said = api.mine("POST", "integrations/acme_inc/openai/validate", &Value::Null);
    assert_eq!(
        (said["success"].as_bool(), said["validation_status"].as_str()),
        (Some(false), Some("EXPIRED"))
    );
    assert_eq!(recorded(), 1, "what somebody asks for stands in the chain of the tenant");
    assert_eq!(service.requests().len(), asked);
    let refused = crate::home();
    let _ = refused.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    crate::write(refused.data().join("settings.toml"), "tenants = { validate = \"often\" }\n");
    let said = refused.run(&["serve", "--addr", "127.0.0.1:0"], "").failed_with(2);
    assert!(said.contains("tenants.validate"), "{said}");
}
