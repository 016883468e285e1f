//! Tests of the module `id`.

use super::*;

#[test]
fn an_id_reads_back_as_it_was_written() {
    let id = GrantId::new(Timestamp::from_millis(1_792_000_000_000), [7; 10]);
    assert_eq!(id.to_string().parse::<GrantId>().unwrap(), id);
    assert_eq!(GrantId::from_bytes(id.to_bytes()), id);
}

#[test]
fn two_kinds_of_id_never_mix() {
    let id = GrantId::new(Timestamp::from_millis(1), [0; 10]).to_string();
    assert!(id.parse::<EvidenceId>().is_err());
}

#[test]
fn ids_sort_by_time() {
    let early = EvidenceId::new(Timestamp::from_millis(1_000), [255; 10]).to_string();
    let late = EvidenceId::new(Timestamp::from_millis(1_001), [0; 10]).to_string();
    assert!(early < late);
}

#[test]
fn only_the_canonical_spelling_parses() {
    let id = GrantId::new(Timestamp::from_millis(5), [1; 10]).to_string();
    assert!(id.to_uppercase().parse::<GrantId>().is_err());
    assert!(format!("{id} ").parse::<GrantId>().is_err());
    assert!("grt_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<GrantId>().is_err());
}
