//! Closing lines, as test programs print them.

use super::*;

fn counted(lines: &[&str]) -> String {
    let mut tally = Tally::default();
    lines.iter().for_each(|line| tally.read(line));
    tally.to_string()
}

#[test]
fn the_closing_lines_of_all_test_programs_are_summed() {
    let lines = [
        "running 3 tests",
        "test a ... ok",
        "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        "",
        "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.20s",
    ];
    assert_eq!(counted(&lines), "14 passed, 3 failed, 1 skipped");
}

#[test]
fn a_line_that_only_looks_like_one_counts_nothing() {
    for line in [
        "result: ok. 3 passed;",
        "  test result: ok. 3 passed; 0 failed",
        "test result: odd",
        "test result: . ",
    ] {
        assert_eq!(counted(&[line]), "0 passed, 0 failed, 0 skipped", "{line}");
    }
}

#[test]
fn a_closing_line_of_our_own_is_read_back() {
    let tally = Tally { passed: 4, failed: 1, skipped: 2 };
    assert_eq!(Tally::closing(&tally.to_string()), Some(tally));
    for line in
        ["4 passed, 1 failed", "4 passed, 1 failed, 2 skipped, 3 more", "4 passed, x failed, 0 skipped", ""]
    {
        assert_eq!(Tally::closing(line), None, "{line}");
    }
}

#[test]
fn counts_add_up() {
    let mut tally = Tally { passed: 1, failed: 2, skipped: 3 };
    tally.add(Tally { passed: 10, failed: 20, skipped: 30 });
    assert_eq!(tally, Tally { passed: 11, failed: 22, skipped: 33 });
}
