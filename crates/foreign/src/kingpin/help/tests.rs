//! Tests of the module `help`.

use super::super::tests::{SAMPLE, said};
use super::*;

#[test]
fn the_overview_shows_flags_and_commands_but_nothing_hidden() {
    let text = overview(&SAMPLE);
    assert!(
        text.starts_with(
            "usage: sample [<flags>] <command> [<args> ...]\n\nA program for tests.\n\nFlags:\n"
        ),
        "{text}"
    );
    for line in [
        "  -v, --version     Show application version.\n",
        "      --form=plain  How to print [plain rich] ($SAMPLE_FORM)\n",
        "run [<flags>] [<who>] [<cmd>] [<args>...]\n    Run something.\n",
        "copy --from=FROM --to=TO <what>\n    Copy something.\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for hidden in ["secret-sauce", "secretly", "help-man", "completion"] {
        let shown = text.replace("(also try --help-long and --help-man)", "");
        assert!(!shown.contains(hidden), "{hidden}\n{text}");
    }
}

#[test]
fn the_help_of_a_command_has_its_flags_and_arguments() {
    let text = said(&["help", "r"]).text;
    assert!(
        text.starts_with("usage: sample run [<flags>] [<who>] [<cmd>] [<args>...]\n\nRun something.\n"),
        "{text}"
    );
    assert!(
        text.contains("  -d, --duration=DURATION  How long ($SAMPLE_LONG, $SAMPLE_DURATION)\n"),
        "{text}"
    );
    assert!(text.contains("\nArgs:\n  [<who>]      For whom\n"), "{text}");
    assert!(said(&["help", "secretly"]).text.contains("Hidden."));
}

#[test]
fn the_long_help_has_everything() {
    let text = long(&SAMPLE);
    assert!(text.contains("  copy --from=FROM --to=TO <what>\n    Copy something.\n\n        "), "{text}");
    assert!(text.contains("--to=TO      Where to [a b]\n"), "{text}");
}

#[test]
fn the_page_for_man_escapes_what_roff_reads() {
    let text = man(&SAMPLE);
    assert!(text.contains(".TP\n\\fB\\-d, \\-\\-duration=DURATION\\fR\nHow long "), "{text}");
    assert_eq!(roff(".a\\b-c"), "\\&.a\\\\b\\-c");
}
