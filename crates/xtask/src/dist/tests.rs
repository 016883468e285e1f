//! What can be told without a build.

use super::facts::Facts;
use super::{licences, sbom};

fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[test]
fn the_bill_and_the_licences_name_what_is_compiled_in_and_nothing_that_only_tests_use() {
    let facts = Facts::read(&root()).unwrap();
    let names: Vec<&str> = facts.packages.iter().map(|package| package.name.as_str()).collect();
    assert!(["rustls", "cedar-policy", "broker", "catalog"].iter().all(|name| names.contains(name)));
    assert!(["testkit", "xtask", "proptest"].iter().all(|name| !names.contains(name)));

    let out = std::env::temp_dir().join(format!("doorward-dist-{}", std::process::id()));
    std::fs::create_dir_all(&out).unwrap();
    let name = sbom::write(&out, &facts).unwrap();
    let bill: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(out.join(name)).unwrap()).unwrap();
    std::fs::remove_dir_all(&out).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    assert_eq!(bill["components"].as_array().unwrap().len(), names.len() - 1);

    let page = licences::page(&facts).unwrap();
    assert!(page.contains("## rustls ") && page.contains("Permission is hereby granted"));
    let without =
        facts.packages.iter().filter(|package| package.license.is_none() && package.source.is_some());
    assert_eq!(without.count(), 0, "each library says its licence");
}
