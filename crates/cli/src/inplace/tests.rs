//! Which command lines are these.

use super::*;

fn found(words: &str) -> Option<(Tool, String)> {
    let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
    spoken(&words).map(|spoken| {
        let words: Vec<_> = spoken.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let format = if spoken.format == Format::Json { " as json" } else { "" };
        (spoken.tool, words.join(" ") + format)
    })
}

#[test]
fn what_is_about_a_file_is_told_from_what_is_about_a_home() {
    for words in [
        "doorward",
        "doorward --json",
        "doorward --home",
        "doorward --home h --home",
        "doorward --format=xml allowlist list",
        "doorward --home a --home b allowlist list",
        "doorward --json=true allowlist list",
        "doorward -vh allowlist list",
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
        ("doorward --json --home h integration update slack", "update slack as json"),
        ("doorward -vv --home=h integration -v update slack", "update slack"),
        ("doorward integration --log=json --format json delete slack --home=h", "delete slack as json"),
        (
            "doorward integration update slack --file c --home h -v --timeout 9s",
            "update slack --file c --timeout 9s",
        ),
        ("doorward integration update slack --header -v", "update slack --header -v"),
        ("doorward integration update -- --json", "update -- --json"),
    ] {
        assert_eq!(found(words), Some((Tool::Integrations, expected.to_owned())), "{words}");
    }
    assert_eq!(
        found("doorward --format json allowlist list"),
        Some((Tool::Allowlist, "list as json".to_owned()))
    );
}
