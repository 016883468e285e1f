//! As many as are asked for.

use super::*;

#[test]
fn there_are_as_many_integrations_and_rules_as_were_asked_for() {
    let (config, allowlist) = texts(Size { integrations: 50, rules: 500 }, 8099);
    assert_eq!(config.matches("  - name: ").count(), 50);
    assert_eq!(config.matches("  - name: bench\n").count(), 1);
    assert_eq!(allowlist.matches("- integration: ").count(), 50);
    assert_eq!(allowlist.matches("methods:").count(), 500);
}

#[test]
fn one_integration_has_the_rules_that_it_needs() {
    let (config, allowlist) = texts(Size::ONE, 8099);
    assert!(config.contains("name: bench\n") && config.contains("http://127.0.0.1:8099\n"));
    assert!(allowlist.contains("\"/\"") && allowlist.contains("\"/__auth\""));
}
