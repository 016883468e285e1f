//! What only tests use.

pub(crate) mod fixture;
