//! Which keys a range covers.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_range_covers_the_keys_with_the_prefix_behind_the_last_one(
        prefix in proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(254), Just(255)], 0..4),
        after in proptest::option::of(proptest::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(254), Just(255)], 0..5)),
        key in proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(254), Just(255)], 0..5),
    ) {
        let range = Range::of(&prefix, after.as_deref(), 1);
        let covered = key >= range.from && range.until.as_ref().is_none_or(|until| key < *until);
        let wanted = key.starts_with(&prefix) && after.as_ref().is_none_or(|after| key > *after);
        prop_assert_eq!(covered, wanted, "{:?}", range);
    }
}
