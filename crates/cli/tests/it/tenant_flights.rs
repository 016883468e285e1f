//! What is done to a credential while its provider is asked about it: that counts, whatever the provider says in the end.

use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::{Storage, Table};
use testkit::{Demand, Upstream};

use crate::credential_api::{Api, Said, ask, moved};
use crate::tenant_rounds::eventually;

const KEY: &str = "sk-0123456789abcdef";
const PATH: &str = "integrations/acme_inc/openai";

fn laid(settings: &str) -> (Upstream, Api) {
    let service = Upstream::demanding(Demand::Bearer(KEY.to_owned()));
    service.answer_with("/v1/models", 200, json!({"object": "list"}));
    let api = Api::laid(&[moved("openai", &format!("{}/json", service.url()), "")], settings, &[]);
    (service, api)
}

fn set_up(api: &Api, name: &str) -> Value {
    api.mine("POST", &format!("{PATH}/setup"), &json!({"credential": KEY, "credential_name": name}))
}

/// Who is in use, by its name, and what is said of it.
fn shown(api: &Api) -> (String, String) {
    let shown = api.mine("GET", PATH, &Value::Null);
    (
        shown["credential_name"].as_str().unwrap_or_default().to_owned(),
        shown["status"].as_str().unwrap().to_owned(),
    )
}

fn pair(name: &str, status: &str) -> (String, String) {
    (name.to_owned(), status.to_owned())
}

/// Does something while a request of the tenant waits for its provider; gives what that request was answered.
fn meanwhile(
    (service, api): (&Upstream, &Api),
    (key, path, body): (&str, &str, &Value),
    done: impl FnOnce(),
) -> Said {
    let (place, held) = (api.place(), service.hold_next("/v1/models"));
    std::thread::scope(|scope| {
        let waiting: ScopedJoinHandle<'_, Said> =
            scope.spawn(|| ask(&place, Some(key), ("POST", path), body));
        eventually("the provider is asked", || !service.awaits("/v1/models"));
        // What begins now has a later time in its id.
        let begun = Instant::now();
        eventually("the clock moves", || begun.elapsed() > Duration::from_millis(2));
        done();
        drop(held);
        waiting.join().unwrap()
    })
}

fn validate<'a>(api: &'a Api, path: &'a str) -> (&'a str, &'a str, &'a Value) {
    (&api.key, path, &Value::Null)
}

#[test]
fn a_validation_that_ends_late_brings_nothing_back_and_undoes_nothing() {
    let (service, api) = laid("");
    let path = format!("{PATH}/validate");
    assert_eq!(set_up(&api, "old key")["validation_status"], "VALID");
    let Said(status, _, said) = meanwhile((&service, &api), validate(&api, &path), || {
        assert_eq!(set_up(&api, "new key")["validation_status"], "VALID");
    });
    assert_eq!(
        (status, said["detail"].as_str().unwrap().contains("was replaced meanwhile")),
        (409, true),
        "{said}"
    );
    assert_eq!(shown(&api), pair("new key", "VALID"));
    let debug = api.doorward.run(&["integration", "debug", "acme_inc", "--json"], "").json();
    let rows = debug["credentials"].as_array().unwrap();
    let ends: Vec<_> = rows.iter().map(|row| row["deactivation_scheduled_at"].is_string()).collect();
    assert_eq!(ends, [true, false], "{debug}");

    let given = json!({"credential_name": "another name", "metadata": {"notes": "new"}});
    let Said(status, _, said) = meanwhile((&service, &api), validate(&api, &path), || {
        let _ = api.mine("PUT", PATH, &given);
    });
    assert_eq!((status, said["validation_status"].as_str()), (200, Some("VALID")), "{said}");
    let known = api.mine("GET", PATH, &Value::Null);
    assert_eq!(
        (&known["credential_name"], &known["metadata"]["notes"]),
        (&json!("another name"), &json!("new"))
    );

    let Said(status, _, said) = meanwhile((&service, &api), validate(&api, &path), || {
        let _ = api.mine("DELETE", PATH, &Value::Null);
    });
    assert_eq!((status, said["validation_status"].as_str()), (200, Some("NOT_CONFIGURED")), "{said}");
    assert_eq!(shown(&api), pair("", "NOT_CONFIGURED"));
}

#[test]
fn a_round_that_validates_brings_nothing_back() {
    let (service, api) = laid("tenants = { validate = \"1s\", pending = \"never\" }\n");
    assert_eq!(set_up(&api, "old key")["validation_status"], "VALID");
    let held = service.hold_next("/v1/models");
    eventually("the provider is asked", || !service.awaits("/v1/models"));
    assert_eq!(set_up(&api, "new key")["validation_status"], "VALID");
    drop(held);
    let refused = || {
        let list = ["evidence", "list", "--operation", "credential.validate", "--json"];
        api.doorward.run(&list, "").succeeded().contains("conflict")
    };
    eventually("the round is told that it came late", refused);
    assert_eq!(shown(&api), pair("new key", "VALID"));
}

#[test]
fn of_two_set_ups_the_one_that_was_begun_later_is_in_use_and_the_other_is_told() {
    let (service, api) = laid("");
    let path = format!("{PATH}/setup");
    let older = json!({"credential": KEY, "credential_name": "older"});
    let Said(status, _, said) = meanwhile((&service, &api), (&api.key, &path, &older), || {
        assert_eq!(set_up(&api, "newer")["validation_status"], "VALID");
    });
    assert_eq!(
        (status, said["detail"].as_str().unwrap().contains("another one was set up")),
        (409, true),
        "{said}"
    );
    let Said(status, _, said) = meanwhile((&service, &api), (&api.key, &path, &older), || {
        let _ = api.mine("DELETE", PATH, &Value::Null);
    });
    assert_eq!((status, said["detail"].as_str().unwrap().contains("was deleted")), (409, true), "{said}");
    assert_eq!(shown(&api), pair("", "NOT_CONFIGURED"));
    // Neither left its bytes.
    let kept = api.doorward.run(&["integration", "debug", "acme_inc", "--json"], "").json();
    assert_eq!(kept["credentials"].as_array().unwrap().iter().filter(|row| row["bytes"] == true).count(), 0);
    assert!(api.running.stop().success());
    let storage = store::Embedded::open(&api.doorward.data().join("home.db")).unwrap();
    let bytes =
        storage.scan(Table::Versions, &"acme_inc".parse().unwrap(), b"credentials/", None, 10).unwrap();
    assert!(bytes.is_empty(), "{bytes:?}");
}

#[test]
fn a_tenant_that_is_erased_while_a_credential_is_set_up_is_left_with_no_row() {
    let (service, api) = laid("");
    let key = api.tenant("gone_inc", "starter");
    let body = json!({"credential": KEY, "metadata": {"notes": "of a person"}});
    let Said(status, _, said) =
        meanwhile((&service, &api), (&key, "integrations/gone_inc/openai/setup", &body), || {
            let _ = api.doorward.run(&["tenant", "erase", "gone_inc", "--yes"], "").succeeded();
        });
    assert_eq!((status, said["detail"].as_str()), (404, Some("there is no tenant `gone_inc`")), "{said}");
    assert!(api.running.stop().success());
    let storage = store::Embedded::open(&api.doorward.data().join("home.db")).unwrap();
    for table in [Table::Credentials, Table::Secrets, Table::Versions, Table::Keys] {
        let rows = storage.scan(table, &"gone_inc".parse().unwrap(), b"", None, 10).unwrap();
        assert!(rows.is_empty(), "{table:?}: {rows:?}");
    }
}
