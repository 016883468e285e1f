//! Versions of the interface.

use super::*;

#[test]
fn a_version_is_a_date_from_2018_02_01_on() {
    for good in ["2018-02-01", "2019-08-01", "2025-12-31"] {
        assert!(is_version(good), "{good}");
    }
    for bad in ["2018-01-31", "latest", "2018-2-1", "2018-02-01x", "20180201", ""] {
        assert!(!is_version(bad), "{bad}");
    }
}
