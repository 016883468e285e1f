//! Tenants and the keys of their API, as an operator makes and erases them.

use store::{Storage, Table};

use crate::home;

/// A home that is set up, with a tenant.
fn with_tenant(name: &str) -> testkit::Doorward {
    let doorward = home();
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let _ = doorward.run(&["tenant", "create", name], "").succeeded();
    doorward
}

#[test]
fn a_tenant_is_made_while_a_broker_runs_and_has_keys_of_its_own() {
    let doorward = home();
    let running = doorward.start_up(&[]);
    let made = doorward.run(&["tenant", "create", "acme_inc", "--plan", "scale", "--json"], "").json();
    assert_eq!((made["plan"].as_str(), made["providers"].as_u64()), (Some("SCALE"), Some(10)));
    let again = doorward.run(&["tenant", "create", "acme_inc"], "").failed_with(1);
    assert!(again.contains("there is a tenant `acme_inc` already"), "{again}");
    for wrong in ["ab", "Acme", "../x", "a-b", "_-a"] {
        let refused = doorward.run(&["tenant", "create", wrong], "").failed_with(2);
        assert!(refused.contains("can't be the name of a tenant"), "{refused}");
    }
    let made = doorward.run(&["tenant", "create", "_ab"], "").succeeded();
    assert!(made.contains("_ab"), "{made}");
    let key = doorward.run(&["key", "create", "--tenant", "_ab"], "").succeeded();
    assert!(key.starts_with("_ab_api_"), "{key}");
    let key = doorward.run(&["key", "create", "--tenant", "acme_inc", "--label", "ci"], "").succeeded();
    assert!(key.starts_with("acme_inc_api_"), "{key}");
    let listed = doorward.run(&["key", "list", "--tenant", "acme_inc"], "").succeeded();
    assert!(listed.contains("active") && listed.contains("ci") && !listed.contains(key.trim()), "{listed}");
    assert!(running.stop().success());
    let listed = doorward.run(&["tenant", "list", "--json"], "").json();
    assert_eq!(
        (&listed["tenants"][0]["name"], &listed["tenants"][1]["name"]),
        (&"_ab".into(), &"acme_inc".into())
    );
    assert_eq!(listed["tenants"][1]["keys"], 1);
    let drilled = doorward.run(&["recovery", "drill", "--recovery-file", "recovery.txt"], "");
    assert!(!drilled.stdout.contains(key.trim()));
    doorward.watch(key.trim());
    // What was printed once was printed; the files must not have it.
    let database = std::fs::read(doorward.data().join("home.db")).unwrap();
    testkit::canary::assert_free_of(&database, key.trim(), "the database");
}

#[test]
fn a_key_is_rotated_with_an_overlap_and_revoked_at_once() {
    let doorward = with_tenant("acme_inc");
    let first = doorward.run(&["key", "create", "--tenant", "acme_inc", "--json"], "").json();
    let id = first["id"].as_str().unwrap();
    let next =
        doorward.run(&["key", "rotate", id, "--tenant", "acme_inc", "--overlap", "10m", "--json"], "").json();
    assert_eq!(next["scopes"], first["scopes"]);
    assert_ne!(next["key"], first["key"]);
    let listed = doorward.run(&["key", "list", "--tenant", "acme_inc", "--json"], "").json();
    assert!(listed["keys"][0]["expires"].is_string() && listed["keys"][1]["expires"].is_null(), "{listed}");
    let _ = doorward.run(&["key", "revoke", id, "--tenant", "acme_inc"], "").succeeded();
    let refused = doorward.run(&["key", "rotate", id, "--tenant", "acme_inc"], "").failed_with(1);
    assert!(refused.contains("is revoked"), "{refused}");
    let elsewhere = doorward.run(&["key", "revoke", id, "--tenant", "local"], "").failed_with(1);
    assert!(elsewhere.contains("has no such key"), "{elsewhere}");
}

#[test]
fn the_root_key_is_the_houses_and_no_tenant_has_one() {
    let doorward = with_tenant("acme_inc");
    let root = doorward.run(&["key", "create", "--root", "--json"], "").json();
    assert_eq!((root["tenant"].as_str(), root["scopes"][0].as_str()), (Some("local"), Some("root")));
    for scopes in ["root", "credentials:read,root", "manager"] {
        let refused =
            doorward.run(&["key", "create", "--tenant", "acme_inc", "--scopes", scopes], "").failed_with(2);
        assert!(refused.contains("root") || refused.contains("no scope"), "{refused}");
    }
    let refused = doorward.run(&["key", "create", "--tenant", "nobody"], "").failed_with(1);
    assert!(refused.contains("there is no tenant `nobody`"), "{refused}");
}

#[test]
fn erasing_a_tenant_destroys_its_wrapped_keys_in_the_file_and_leaves_the_evidence() {
    let doorward = with_tenant("acme_inc");
    let _ = doorward.run(&["key", "create", "--tenant", "acme_inc"], "").succeeded();
    let database = doorward.data().join("home.db");
    let tenant: model::TenantName = "acme_inc".parse().unwrap();
    let wrapped: Vec<Vec<u8>> = {
        let storage = store::Embedded::open(&database).unwrap();
        let rows = storage.scan(Table::Keys, &tenant, b"", None, 100).unwrap();
        rows.into_iter().map(|row| row.value).collect()
    };
    assert!(wrapped.len() >= 4, "two wrappers, a root, a sentinel");
    let file = |path: &std::path::Path| std::fs::read(path).unwrap_or_default();
    let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(wrapped.iter().all(|row| holds(&file(&database), row)), "they are there before");

    let _ = doorward.run(&["tenant", "erase", "acme_inc", "--yes"], "").succeeded();
    for name in ["home.db", "home.db-wal"] {
        let bytes = file(&doorward.data().join(name));
        assert!(!wrapped.iter().any(|row| holds(&bytes, row)), "{name} still has a wrapped key");
    }
    let shown = doorward.run(&["tenant", "show", "acme_inc", "--json"], "").json();
    assert_eq!((shown["status"].as_str(), shown["keys"].as_u64()), (Some("erased"), Some(0)));
    let again = doorward.run(&["tenant", "create", "acme_inc"], "").failed_with(1);
    assert!(again.contains("there is a tenant `acme_inc` already"), "{again}");
    let evidence = doorward.run(&["evidence", "list", "--json"], "").succeeded();
    assert!(evidence.contains("tenant:acme_inc") && evidence.contains("tenant.erase"), "{evidence}");
    let _ = doorward.run(&["evidence", "verify"], "").succeeded();
    let refused = doorward.run(&["tenant", "erase", "local", "--yes"], "").failed_with(1);
    assert!(refused.contains("there is no tenant `local`"), "{refused}");
}

#[test]
fn an_operator_sets_a_credential_up_and_sees_what_could_be_wrong() {
    let doorward = with_tenant("acme_inc");
    let secret = doorward.plant("operator");
    let words = ["integration", "setup", "openai", "acme_inc", "--skip-validation", "--name", "Production"];
    let said = doorward.run(&words, format!("sk-{secret}")).succeeded();
    assert!(said.contains("OPENAI integration configured (validation pending)"), "{said}");
    let status = doorward.run(&["integration", "status", "acme_inc", "--json"], "").json();
    assert_eq!(status["integrations"]["OPENAI"]["credential_name"], "Production");
    let debug = doorward.run(&["integration", "debug", "acme_inc", "--json"], "").json();
    assert_eq!(
        (debug["active_keys"].as_u64(), debug["several_in_use"].as_array().unwrap().len()),
        (Some(0), 0)
    );
    assert_eq!(debug["credentials"][0]["is_active"], true);
    let shown = doorward.run(&["integration", "debug", "acme_inc"], "").succeeded();
    assert!(shown.contains("no key is active: `doorward key create --tenant acme_inc`"), "{shown}");
    let wrong = doorward.run(&["integration", "setup", "gemini", "acme_inc"], format!("xx{secret}"));
    assert!(wrong.stdout.contains("Gemini API Key should start with 'AIza'"), "{wrong:?}");
    assert_eq!(wrong.status.code(), Some(1));
    let unknown = doorward.run(&["integration", "setup", "cohere", "acme_inc"], "0123456789").failed_with(1);
    assert!(unknown.contains("Invalid provider specified"), "{unknown}");
    let nobody = doorward.run(&["integration", "status", "nobody_inc"], "").failed_with(1);
    assert!(nobody.contains("there is no tenant `nobody_inc`"), "{nobody}");
    doorward.assert_no_canary();
}

#[test]
fn the_doctor_finds_what_would_stop_the_next_start() {
    let doorward = with_tenant("acme_inc");
    let file = doorward.data().join("providers.yaml");
    for (text, says) in [
        ("providers:\n  X: [\n", "providers.yaml"),
        (
            "providers:\n  X: {title: X, label: X, help: \"javascript:alert(1)\", kind: API_KEY, group: genai, aliases: [x], integration: null, metadata: GenAi}\n",
            "`help` is an `https://` address",
        ),
    ] {
        crate::write(&file, text);
        let found = doorward.run(&["doctor"], "");
        assert!(!found.status.success() && found.stdout.contains(says), "{found:?}");
        assert!(found.stdout.contains("Providers of your own"), "{found:?}");
    }
}
