//! The published test suite, the published examples of Amazon S3, and what a check of a signature refuses.

use super::*;

mod checking;
mod examples;
mod suite;

pub(super) const EXAMPLE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec()).unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    parse_amz_date(text).unwrap()
}
