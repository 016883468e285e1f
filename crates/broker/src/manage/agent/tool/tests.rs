//! Tests of the module `tool`.

use super::meant;

#[test]
fn a_tool_is_an_operation_of_tools_or_of_the_integration_it_names() {
    for (name, integration, operation) in [
        ("backup", "tools", "backup"),
        ("/backup", "tools", "backup"),
        ("tool:/db.backup", "tools", "db.backup"),
        ("db/backup", "db", "backup"),
        ("tool:/db/backup", "db", "backup"),
    ] {
        let (found, named) = meant(name).unwrap();
        assert_eq!((found.as_str(), named.as_str()), (integration, operation), "{name}");
    }
    for name in [
        "",
        "tool:/",
        "*",
        "tool:/db/*",
        "a/b/c",
        "secret:/db",
        "../x",
        "Backup",
        "a//b",
        "doorward/secret.put",
    ] {
        assert!(meant(name).is_err(), "{name}");
    }
}
