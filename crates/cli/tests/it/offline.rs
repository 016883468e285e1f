//! What needs no home, no broker and no network.

use crate::home;

#[test]
fn a_capability_is_narrowed_without_a_home() {
    let (first, second) = (home(), home());
    let _ = first.run(&["init"], "").succeeded();
    let words =
        ["capability", "request", "--for", "ada", "--operations", "slack/chat.post,slack/channels.list"];
    let whole = first.run(&words, "").succeeded();
    assert!(whole.starts_with("cap1_") && whole.lines().count() == 1, "{whole}");
    let narrower =
        second.run(&["capability", "narrow", "--operations", "slack/chat.post"], &whole).succeeded();
    assert!(narrower.starts_with("cap1_"), "{narrower}");
    assert!(!second.data().exists());
    let said = second.run(&["capability", "narrow", "--operations", "slack/*"], &narrower).failed_with(1);
    assert!(said.contains("wider"), "{said}");
    assert_eq!(second.run(&["capability", "narrow"], &whole).status.code(), Some(2));
    assert_eq!(second.run(&["capability", "narrow", "--uses", "1"], "cap1_nonsense").status.code(), Some(1));
    let shown = first.run(&["capability", "validate", "--json"], &narrower).json();
    assert_eq!(shown["blocks"].as_array().unwrap().len(), 2, "{shown}");
}

#[test]
fn evidence_is_verified_with_the_public_key_alone_and_a_change_is_found() {
    let (first, second) = (home(), home());
    let _ = first.run(&["init"], "").succeeded();
    let _ = first.run(&["secret", "put", "slack/token"], first.plant("kept")).succeeded();
    let key = first.run(&["evidence", "key"], "").succeeded();
    let export = first.run(&["evidence", "export"], "").succeeded();
    let words = ["evidence", "verify", "-", "--key", key.trim()];
    let said = second.run(&words, &export).succeeded();
    assert!(said.starts_with("unchanged"), "{said}");
    let changed = export.replacen("secret.put", "secret.pug", 1);
    let output = second.run(&words, changed);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.contains("line "), "{}", output.stdout);
    let cut: String = export.lines().take(3).map(|line| format!("{line}\n")).collect();
    assert_eq!(second.run(&words, cut).status.code(), Some(1));
    assert_eq!(second.run(&["evidence", "verify", "-", "--key", "nonsense"], &export).status.code(), Some(2));
    assert_eq!(second.run(&["evidence", "verify", "-"], &export).status.code(), Some(2));
}

#[test]
fn a_new_integration_passes_its_cases_as_it_is() {
    let doorward = home();
    let _ = doorward.run(&["integration", "new", "mine", "--dir", "own"], "").succeeded();
    let said = doorward.run(&["integration", "test", "mine", "--dir", "own"], "").succeeded();
    assert!(said.contains("mine"), "{said}");
    let all = doorward.run(&["integration", "test", "--json"], "").json();
    assert_eq!(all["ok"], true, "{all}");
}

#[test]
fn policies_are_tested_without_a_home() {
    let doorward = home();
    let policy =
        "@id(\"no-posts\")\nforbid (principal, action == Doorward::Action::\"slack/chat.post\", resource);\n";
    crate::write(doorward.folder().join("own.cedar"), policy);
    let questions = "[{\"principal\": \"ada\", \"roles\": [\"holder\"], \"operation\": \"slack/chat.post\", \"expect\": \"deny\"}]";
    crate::write(doorward.folder().join("questions.json"), questions);
    let words = ["policy", "test", "own.cedar", "--questions", "questions.json"];
    let said = doorward.run(&words, "");
    assert!(said.status.success(), "{said:?}");
    crate::write(
        doorward.folder().join("own.cedar"),
        "permit (principal, action, resource) when { nonsense };",
    );
    let said = doorward.run(&words, "").failed_with(1);
    assert!(said.contains("own.cedar:1"), "{said}");
}

#[test]
fn the_reference_pages_are_always_the_same() {
    let doorward = home();
    for folder in ["one", "two"] {
        let _ = doorward.run(&["generate", folder], "").succeeded();
    }
    let read = |folder: &str| {
        let mut pages: Vec<_> = std::fs::read_dir(doorward.folder().join(folder))
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name(), std::fs::read(entry.path()).unwrap())
            })
            .collect();
        pages.sort();
        pages
    };
    assert_eq!(read("one"), read("two"));
    assert!(read("one").len() >= 6);
}
