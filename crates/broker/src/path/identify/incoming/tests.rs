//! Names of callers: never the same for two ids, always valid.

use proptest::prelude::*;

use super::*;

fn hooks() -> std::sync::Arc<Integration> {
    catalog::Catalog::builtin().get(&"slack".parse().unwrap()).unwrap()
}

fn name(id: &str) -> String {
    principal(&hooks(), Some(id)).unwrap().to_string()
}

#[test]
fn an_id_that_is_a_word_is_its_own_name() {
    assert_eq!(name("billing"), "in.slack.billing");
    assert_eq!(name("a_b-1"), "in.slack.a_b-1");
    assert_eq!(principal(&hooks(), None).unwrap().as_str(), "in.slack.caller");
}

#[test]
fn nobody_can_choose_an_id_with_the_name_of_another() {
    let ann = name("Ann@example.com");
    assert!(ann.starts_with("in.slack.ann-example-com-"), "{ann}");
    // The word that the other one became.
    assert_ne!(name(ann.strip_prefix("in.slack.").unwrap()), ann);
    assert_ne!(name("caller"), "in.slack.caller");
    assert_ne!(name("ANN"), name("Ann"));
    assert_ne!(name("ann"), name("ann-"));
}

proptest! {
    #[test]
    fn every_id_has_a_name(id in "\\PC{1,300}") {
        prop_assert!(name(&id).len() <= 127);
    }

    #[test]
    fn two_ids_have_two_names(one in "[a-cA-C-]{1,6}", two in "[a-cA-C-]{1,6}") {
        prop_assume!(one != two);
        prop_assert_ne!(name(&one), name(&two));
    }
}
