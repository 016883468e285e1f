//! The schema that editors use is the schema that is read.

use super::*;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/integration.json");

#[test]
fn the_schema_is_up_to_date() {
    let kept = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        kept == json_schema(),
        "run `cargo test -p catalog -- --ignored write_the_schema` and look at the change"
    );
}

#[test]
#[ignore = "writes schema/integration.json"]
#[expect(clippy::disallowed_methods, reason = "writes a file of the repository, by hand")]
fn write_the_schema() {
    std::fs::write(PATH, json_schema()).unwrap();
}
