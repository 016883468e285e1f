//! The suite of secret sources, and the list of them.

mod conformance;
mod llm;
mod local;
mod machines;
pub(crate) mod moto;
pub(crate) mod programs;
pub(crate) mod remote;
pub(crate) mod rings;
mod services;
mod several;

use self::conformance::{Placed, Takes, conformance};
use super::*;

conformance!(env, super::local::in_the_environment);
conformance!(file, super::local::in_a_file);
conformance!(command, super::local::by_a_command);
conformance!(literal, super::local::in_a_configuration);
conformance!(llm_key, super::llm::in_the_environment);
conformance!(vault_kv_2, super::remote::in_a_vault);
conformance!(vault_kv_1, super::remote::in_an_old_vault);
conformance!(aws_secrets_manager, super::remote::in_secrets_manager);
conformance!(aws_parameter_store, super::remote::in_parameter_store);
conformance!(aws_kms_ciphertext, super::remote::sealed_by_aws);
conformance!(aws_of_a_peer, super::remote::sealed_with_a_local_key);
conformance!(gcp_secret_manager, super::remote::in_secret_manager);
conformance!(gcp_kms_ciphertext, super::remote::in_gcp_kms);
conformance!(gcp_of_a_peer, super::remote::in_gcp_kms_of_a_peer);
conformance!(azure_key_vault, super::remote::in_key_vault);
conformance!(azure_of_a_peer, super::remote::in_key_vault_of_a_peer);
conformance!(kubernetes, super::remote::in_kubernetes);
conformance!(one_password_connect, super::remote::in_one_password_connect);
conformance!(one_password_program, super::programs::by_op);
conformance!(bitwarden_program, super::programs::by_bws);
conformance!(sops_file, super::programs::in_a_sops_file);
conformance!(age_file, super::programs::in_an_age_file);
conformance!(pass_store, super::programs::in_a_password_store);
conformance!(keychain_of_macos, super::programs::in_a_keychain);
conformance!(credential_of_windows, super::programs::in_windows);
#[cfg(target_os = "linux")]
conformance!(secret_service, super::rings::in_the_secret_service);
#[cfg(target_os = "linux")]
conformance!(entry_of_a_keyring, super::rings::in_a_keyring);
#[cfg(target_os = "linux")]
conformance!(wallet_of_kde, super::rings::in_a_wallet);

#[test]
fn every_scheme_that_a_reference_may_have_is_a_source() {
    for source in SOURCES {
        assert!(format!("{}:x", source.scheme).parse::<SecretRef>().is_ok(), "{}", source.scheme);
        let example: SecretRef = source.example.parse().unwrap();
        assert_eq!(example.scheme(), source.scheme);
    }
    for scheme in
        ["", "http", "https", "Vault", "cmd", "exec", "stdin", "house", "dangerousliteral", "kv", "aws_sm"]
    {
        assert!(
            format!("{scheme}:x").parse::<SecretRef>().is_err(),
            "`{scheme}` parses, but no source answers to it"
        );
    }
}

#[test]
fn every_source_passes_the_suite() {
    let here = include_str!("tests.rs");
    let suites = here.lines().filter(|line| line.starts_with("conformance!(")).count();
    // Our own store and sessions of AWS, which are documents, have tests of their own; Vault and 1Password pass in two forms each.
    assert_eq!(suites, SOURCES.len() - 2 + 2, "each line of the list has one line here");
}

#[test]
fn the_members_of_the_list_are_what_they_say() {
    for source in SOURCES {
        if let Some(make) = source.make {
            assert_eq!(make(&Setup::default()).scheme(), source.scheme);
        }
    }
}
