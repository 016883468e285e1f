//! Tests of the policy files.
