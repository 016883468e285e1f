//! A program that reads Vault's token where HashiCorp's own does, signed in for one run at a stand-in for the server.
//!
//! The program is a script of this test, as HashiCorp's is not installed by the set-up.

use serde_json::{Value, json};
use testkit::Doorward;
use testkit::vendor::{Heard, Lease, Vault};

use super::{Watch, done, op, record, settings};
use crate::{has_sandbox, home, write_integration};

const NAME: &str = "tools-vault";

/// As the manual has it: the token is in `~/.vault-token`, the address in `VAULT_ADDR`, the answer on standard output.
const PROGRAM: &str = r#"#!/bin/sh
set -e
test "$1" != version || exec echo 'Vault v1.20.0 (a script), built 2025-06-23'
test "$1 $2 $3" = "kv get -format=json"
for last; do :; done
mount=$(printf '%s\n' "$@" | sed -n 's/^-mount=//p')
test "$(stat -c %a "$HOME/.vault-token")" = 600
{ printf 'X-Vault-Request: true\nX-Vault-Token: '; cat "$HOME/.vault-token"; echo; } |
    curl --silent --show-error --fail --header @- "$VAULT_ADDR/v1/$mount/data/$last"
"#;

fn integration(doorward: &Doorward, vault: &Vault, scheme: &str) {
    write_integration(
        doorward,
        &format!(
            "name: house\nextends: vault\nbase_url: {}\ndangerous_allow_private: true\nsecrets: {{proof: {{title: Proof}}}}\nauth: [{scheme}]\n",
            vault.url()
        ),
    );
}

fn token(call: &Heard) -> Option<&str> {
    call.header("x-vault-token")
}

/// The tokens that were given since then: each was used, and then taken back.
#[track_caller]
fn taken_back(calls: &[Heard]) -> usize {
    let mut given = 0;
    let mut rest = calls.iter();
    while let Some(call) = rest.next() {
        assert!(call.path.ends_with("/login"), "{}", call.path);
        let (used, back) = (rest.next().unwrap(), rest.next().unwrap());
        assert!(token(used).is_some() && token(used) == token(back));
        assert_eq!((back.method.as_str(), back.path.as_str()), ("POST", "/v1/auth/token/revoke-self"));
        given += 1;
    }
    given
}

#[test]
fn a_sign_in_at_vault_is_for_one_run_of_its_program() {
    if !has_sandbox(NAME) {
        return;
    }
    let doorward = home();
    let (secret_id, account) = (doorward.plant("secret-id"), doorward.plant("service-account"));
    let vault = Vault::start();
    vault.admit("approle", "role-1", &secret_id);
    vault.admit("clusters/one", "ops", &account);
    vault.put("secret", "app/db", &json!({ "password": doorward.plant("in-vault") }));
    let programs = doorward.folder().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let program = programs.join("vault");
    testkit::program(&program, PROGRAM);
    settings(&doorward, &[&programs], &[&programs]);
    integration(&doorward, &vault, "{scheme: vault_approle, role: role-1, key: proof}");
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "house/proof"], &secret_id).succeeded();
    let watch = Watch::for_secrets(&[&secret_id, &account, "hvs.CANARY-token-"]);
    let read = |path: &str| op(&doorward, "house.kv.read", &[("mount", "secret"), ("path", path)]);

    let (told, was_done) = read("app/db");
    assert!(was_done && told["used"] == "cli", "{told}");
    assert_eq!(told["evidence_fields"]["version"], "3");
    let kept = record(&doorward, &told);
    for part in ["minted=vault_approle ", "token=taken back", "version=3"] {
        assert!(kept.contains(part), "{part} in {kept}");
    }
    // Also where the program failed, and each run has its own.
    let (told, was_done) = read("app/none");
    assert!(!was_done && told["used"] == "cli", "{told}");
    assert!(record(&doorward, &told).contains("token=taken back"));
    assert_eq!(taken_back(&vault.calls()), 2);

    // By the token of a service account.
    integration(&doorward, &vault, "{scheme: vault_kubernetes, role: ops, key: proof, mount: clusters/one}");
    let _ = doorward.run(&["secret", "rotate", "house/proof"], &account).succeeded();
    let (told, was_done) = read("app/db");
    assert!(was_done, "{told}");
    assert_eq!(taken_back(&vault.calls()), 3);

    // A request has a token that others may use as well, so it is not taken back.
    settings(&doorward, &[], &[]);
    let told: Value = done(&doorward, "house.kv.read", &[("mount", "secret"), ("path", "app/db")]);
    assert_eq!((&told["used"], &told["evidence_fields"]["version"]), (&json!("http"), &json!("3")));
    assert!(!record(&doorward, &told).contains("token=taken back"));

    // Nothing is given for a wrong proof, or without an end, and nothing is run.
    let before = vault.calls().len();
    vault.give_tokens(Lease { seconds: 0, renewable: false });
    settings(&doorward, &[&programs], &[&programs]);
    let refused = doorward.run(&["op", "run", "house.kv.read", "--input", "path=app/db"], "").failed_with(1);
    assert!(refused.contains("a token that never ends"), "{refused}");
    let _ = doorward.run(&["secret", "rotate", "house/proof"], "no-service-account").succeeded();
    let refused = doorward.run(&["op", "run", "house.kv.read", "--input", "path=app/db"], "").failed_with(1);
    assert!(refused.contains("refused with 403"), "{refused}");
    assert!(vault.calls().iter().skip(before).all(|call| call.path.ends_with("/login")));
    watch.saw_nothing();
    doorward.assert_no_canary();
}
