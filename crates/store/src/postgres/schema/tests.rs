//! The versions of the schema.

use super::*;

#[test]
fn every_table_stands_in_exactly_one_version() {
    let mut listed: Vec<&str> =
        VERSIONS.iter().flat_map(|version| version.iter()).map(|table| table.as_str()).collect();
    listed.sort_unstable();
    let mut all: Vec<&str> = Table::ALL.iter().map(|table| table.as_str()).collect();
    all.sort_unstable();
    assert_eq!(listed, all, "a new table is a new version of the schema");
}

#[test]
fn a_name_of_a_role_can_not_end_its_quotes() {
    assert_eq!(quoted("app"), "\"app\"");
    assert_eq!(quoted("a\"; DROP"), "\"a\"\"; DROP\"");
}
