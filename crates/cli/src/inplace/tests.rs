//! Which command lines are these.

use super::*;

fn found(words: &str) -> Option<(Tool, String)> {
    let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
    spoken(&words).map(|spoken| {
        let words: Vec<_> = spoken.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        (spoken.tool, words.join(" "))
    })
}

#[test]
fn what_is_about_a_file_is_told_from_what_is_about_a_home() {
    for words in [
        "doorward",
        "doorward --json",
        "doorward status",
        "doorward integration add slack",
        "doorward integration list --json",
        "doorward run -- allowlist",
    ] {
        assert_eq!(found(words), None, "{words}");
    }
    for (words, expected) in [
        ("doorward integration add slack -file c.yaml", "add slack -file c.yaml"),
        ("doorward integration list --file=c.yaml", "list --file=c.yaml"),
        ("doorward --json --home h integration update slack", "update slack --json"),
    ] {
        assert_eq!(found(words), Some((Tool::Integrations, expected.to_owned())), "{words}");
    }
    assert_eq!(
        found("doorward --format json allowlist list"),
        Some((Tool::Allowlist, "list --json".to_owned()))
    );
}
