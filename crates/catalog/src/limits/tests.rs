//! Sizes are read with their unit.

use super::*;

#[test]
fn a_size_has_a_unit() {
    assert_eq!(parse_size("1MiB"), Some(1 << 20));
    assert_eq!(parse_size("10B"), Some(10));
    for wrong in
        ["", "1", "MiB", "1MB", "-1B", "0B", "1 MiB", "99999999999999999999B", "18446744073709551615GiB"]
    {
        assert_eq!(parse_size(wrong), None, "{wrong}");
    }
}
