//! What stands between tenants and the house: whose evidence is read by whom, and by which name a policy knows a credential.

use serde_json::{Value, json};
use testkit::{Demand, Upstream};

use crate::credential_api::{Api, Said, at};
use crate::write;

const KEY: &str = "sk-proj-0123456789abcdefghijklmnopqrstuv";

fn laid() -> (Api, Upstream) {
    let upstream = Upstream::demanding(Demand::Bearer(KEY.to_owned()));
    upstream.answer_with("/v1/models", 200, json!({"object": "list", "data": []}));
    (Api::with(&[("openai", &upstream)]), upstream)
}

#[test]
fn the_house_reads_the_evidence_of_a_tenant_and_nobody_else_does() {
    let (api, _upstream) = laid();
    assert_eq!(api.set_up("openai", &KEY.into()).0, "VALID");
    let list = ["evidence", "list", "--tenant", "acme_inc", "--json"];
    let listed = api.doorward.run(&list, "").json();
    let lines = listed["evidence"].as_array().unwrap();
    let setup = lines
        .iter()
        .find(|line| line["operation"] == "credential.setup")
        .unwrap_or_else(|| panic!("{listed}"));
    let id = setup["id"].as_str().unwrap();
    let shown = api.doorward.run(&["evidence", "show", id, "--tenant", "acme_inc", "--json"], "").json();
    assert!(shown["records"].as_array().is_some_and(|records| records.len() > 1), "{shown}");
    let missing = api.doorward.run(&["evidence", "show", id], "").failed_with(1);
    assert!(missing.contains("--tenant"), "{missing}");

    // An export of its chain verifies by itself.
    let _ = api
        .doorward
        .run(&["evidence", "export", "--tenant", "acme_inc", "--out", "acme.jsonl"], "")
        .succeeded();
    let key = api.doorward.run(&["evidence", "key"], "").succeeded();
    let verified =
        api.doorward.run(&["evidence", "verify", "acme.jsonl", "--key", key.trim(), "--json"], "").json();
    assert_eq!(verified["verified"], true, "{verified}");
    for name in ["nobody_inc", "Acme", "*"] {
        let refused = api.doorward.run(&["evidence", "list", "--tenant", name], "").failed_with(1);
        assert!(refused.contains("there is no such tenant"), "{refused}");
    }

    // A tenant's key is no way to another chain, or to learn that there is one.
    let policy = "@id(\"reads\") permit (principal, action == Doorward::Action::\"read\", resource);";
    write(api.doorward.folder().join("reads.cedar"), policy);
    let _ = api.doorward.run(&["policy", "put", "reads", "reads.cedar"], "").succeeded();
    let asked = |path: &str| {
        let Said(status, _, value) = v1(&api, &api.key, path);
        (status, value)
    };
    for whose in ["other_inc", "local", "nobody_inc"] {
        let (status, value) = asked(&format!("evidence?tenant={whose}"));
        assert!(status == 404 || status == 403, "{whose}: {status} {value}");
        assert!(!value.to_string().contains("credential.setup"), "{value}");
    }
}

fn v1(api: &Api, key: &str, path: &str) -> Said {
    // The API of the house stands beside that of the seed.
    let place = api.place();
    let place = place.split('/').next().unwrap();
    at(place, ("GET", &format!("/v1/{path}")), &format!("X-API-Key: {key}\r\n"), "")
}

#[test]
fn a_policy_about_a_provider_holds_whatever_it_is_called() {
    let (api, upstream) = laid();
    let policy = "@id(\"no-openai\") forbid (principal, action, resource == Doorward::Resource::\"doorward/credential:acme_inc/openai\");\n\
                  @id(\"no-gcp\") forbid (principal, action, resource == Doorward::Resource::\"doorward/credential:acme_inc/gcp_sa\");";
    write(api.doorward.folder().join("walls.cedar"), policy);
    let _ = api.doorward.run(&["policy", "put", "walls", "walls.cedar"], "").succeeded();
    for name in ["openai", "OPENAI", "OpenAI", "gcp", "GCP", "gcp_sa", "GCP_SA"] {
        for (method, path, body) in [
            ("POST", format!("integrations/acme_inc/{name}/setup"), json!({"credential": KEY})),
            ("GET", format!("integrations/acme_inc/{name}"), Value::Null),
            ("DELETE", format!("integrations/acme_inc/{name}"), Value::Null),
        ] {
            let Said(status, _, value) = api.ask(Some(&api.key), method, &path, &body);
            assert_eq!(status, 403, "{method} {path}: {value}");
        }
    }
    assert!(upstream.requests().is_empty());
    // The other tenant is not meant.
    let Said(status, _, value) =
        api.ask(Some(&api.other), "POST", "integrations/other_inc/OpenAI/setup", &json!({"credential": KEY}));
    assert_eq!((status, value["validation_status"].as_str()), (200, Some("VALID")), "{value}");
}
