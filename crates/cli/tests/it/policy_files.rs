//! The policy files of an agent, checked without one: the examples of the guide, as they stand there.

use std::path::Path;

use crate::home;

const GUIDE: &str = include_str!("../../../../docs/guide/agent-policies.md");

/// The fenced blocks of one language.
fn blocks(language: &str) -> impl Iterator<Item = &'static str> {
    let opening = format!("```{language}\n");
    let mut rest = GUIDE;
    std::iter::from_fn(move || {
        let start = rest.find(&opening)? + opening.len();
        let block = &rest[start..];
        let end = block.find("```").unwrap();
        rest = &block[end + 3..];
        Some(&block[..end])
    })
}

fn put(folder: &Path, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::set_permissions(path.parent().unwrap(), std::fs::Permissions::from_mode(0o700)).unwrap();
    crate::write(path.clone(), text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn the_guide_to_policy_files_says_what_the_program_says() {
    let doorward = home();
    for block in blocks("yaml") {
        let name = block.lines().next().unwrap().trim_start_matches("# ");
        put(doorward.folder(), name, block);
    }
    let mut asked = 0;
    for block in blocks("console") {
        let mut lines = block.lines();
        while let Some(command) = lines.next() {
            let expected = lines.next().unwrap();
            let words: Vec<&str> = command.trim_start_matches("$ doorward ").split(' ').collect();
            let said = doorward.run(&words, "");
            assert!(said.stdout.lines().any(|line| line == expected), "{command}\n{expected}\n{said:?}");
            assert_eq!(said.status.success(), expected.starts_with("allow"), "{command}");
            asked += 1;
        }
    }
    assert_eq!(asked, 6);
}

#[test]
fn a_folder_with_a_mistake_is_refused_with_file_line_and_rule() {
    let doorward = home();
    put(
        doorward.folder(),
        "policies/a.json",
        "{\"id\": \"a\",\n\"rules\": [{\"id\": \"r\", \"efect\": \"allow\"}]}",
    );
    let said = doorward.run(&["policy", "check-files", "policies"], "").failed_with(1);
    assert!(said.contains("policies/a.json:2: rule `number 1`: the key `efect` is unknown"), "{said}");
    assert!(said.contains("hint: did you mean `effect`?"), "{said}");
    put(doorward.folder(), "policies/a.json", "{\"id\": \"a\", \"rules\": []}");
    let shown = doorward.run(&["policy", "check-files", "policies", "--json"], "").json();
    assert_eq!((&shown["ok"], &shown["policies"]), (&true.into(), &1.into()));
    let said = doorward.run(&["policy", "check-files", "policies", "--action", "read"], "");
    assert_eq!(said.status.code(), Some(2));
    let words = ["policy", "check-files", "policies", "--resource", "secret:/a/../b", "--action", "read"];
    assert_eq!(doorward.run(&words, "").status.code(), Some(2));
    let said = doorward.run(&["policy", "check-files", "missing"], "").failed_with(1);
    assert!(said.contains("could not read `missing`"), "{said}");
}
