//! The tables.

use super::*;

#[test]
fn each_reason_has_a_place_and_a_word_of_its_own() {
    let mut words: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    for (place, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, place, "{}", reason.as_str());
    }
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Reason::ALL.len());
}
