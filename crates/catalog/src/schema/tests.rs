//! The schema that editors use is the schema that is read.

use super::*;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/integration.json");

#[test]
fn the_schema_is_up_to_date() {
    let kept = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        kept == json_schema(),
        "run `doorward integration schema > crates/catalog/schema/integration.json` and look at the change"
    );
}
