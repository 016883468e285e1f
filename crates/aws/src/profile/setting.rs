//! The keys of a section, and how their values read.

use std::collections::BTreeMap;

/// The keys of a profile that mean something to us.
pub(super) const KNOWN: [&str; 33] = [
    "region",
    "mfa_serial",
    "mfa_process",
    "role_arn",
    "role_session_name",
    "external_id",
    "duration_seconds",
    "source_profile",
    INCLUDE,
    PARENT,
    "session_tags",
    "transitive_session_tags",
    "source_identity",
    "policy",
    "policy_arns",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
    "sso_registration_scopes",
    "web_identity_token_file",
    "web_identity_token_process",
    "credential_process",
    "credential_source",
    "sts_regional_endpoints",
    "endpoint_url",
    "ignore_configured_endpoint_urls",
    "services",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "ca_bundle",
    "login_command",
];

pub(super) const INCLUDE: &str = "include_profile";
/// The name that versions 4 and 5 of aws-vault had for the same thing.
pub(super) const PARENT: &str = "parent_profile";

/// Reads `k=v,k2=v2`; names and values are trimmed, the last of two with one name wins. None where an item has no `=`,
/// also after a trailing comma.
pub(super) fn tags(text: &str) -> Option<BTreeMap<String, String>> {
    let pair = |item: &str| {
        item.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
    };
    text.split(',').map(pair).collect()
}

/// Reads `a, b`; empty items are dropped.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Reads `true` or `false`.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}
