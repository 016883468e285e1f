//! The floors, held against made-up workspaces.

use super::*;

const TABLE: &str = r#"
[floors]
model = 0
memory = 0
crypto = 1
net = 1
store = 1
broker = 4
proxy = 5
agent = 5
cli = 6
[outside]
testkit = "dev"
xtask = "nobody"
[doors]
floor = 5
see = ["broker", "net", "model"]
[dependencies]
serde = ["*"]
rusqlite = ["store"]
[dev]
proptest = ["*"]
[mirror]
dependencies = ["rusqlite"]
"#;

const DENY: &str = r#"
[licenses]
allow = ["MIT"]
[bans]
deny = [{ crate = "ring" }, { crate = "rusqlite", wrappers = ["store", "r2d2"] }]
"#;

fn table() -> Table {
    Table::read(TABLE).unwrap()
}

/// A workspace with the import `line`: `crate -> other`, with `[dev]` for tests and `*` before one from outside.
fn workspace(line: &str) -> Metadata {
    let (line, kind) = match line.strip_suffix(" [dev]") {
        Some(line) => (line, r#""dev""#),
        None => (line, "null"),
    };
    let (name, other) = line.split_once(" -> ").unwrap();
    let (other, path) = match other.strip_prefix('*') {
        Some(other) => (other, "null"),
        None => (other, r#""there""#),
    };
    let text = format!(
        r#"{{"packages": [{{"name": "{name}", "version": "0", "dependencies":
            [{{"name": "{other}", "kind": {kind}, "path": {path}, "req": "*"}}]}}]}}"#
    );
    Metadata::read(&text).unwrap()
}

fn problems(line: &str) -> Vec<String> {
    imports(&workspace(line), &table())
}

#[test]
fn a_crate_may_import_a_lower_floor() {
    for line in ["crypto -> model", "broker -> store", "proxy -> net", "cli -> proxy", "store -> *rusqlite"] {
        assert_eq!(problems(line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn a_crate_may_not_import_its_own_floor_or_a_higher_one() {
    assert_eq!(
        problems("crypto -> net"),
        ["crypto: is on floor 1 and imports `net` on floor 1; imports go downward"]
    );
    for line in
        ["memory -> model", "model -> memory", "net -> broker", "proxy -> agent", "store -> net [dev]"]
    {
        assert_eq!(problems(line).len(), 1, "{line}");
    }
}

#[test]
fn a_door_sees_only_broker_net_and_model() {
    assert_eq!(
        problems("proxy -> store"),
        ["proxy: is a door and imports `store`; a door sees broker, net, model"]
    );
    assert_eq!(problems("proxy -> store [dev]"), Vec::<String>::new());
}

#[test]
fn a_crate_without_a_floor_is_a_problem_for_itself_and_for_who_imports_it() {
    assert_eq!(problems("extra -> model").len(), 1);
    assert_eq!(problems("broker -> extra"), ["broker: imports `extra`, which has no floor"]);
}

#[test]
fn the_testkit_is_for_tests_only_and_the_tasks_are_for_nobody() {
    assert_eq!(problems("broker -> testkit [dev]"), Vec::<String>::new());
    assert_eq!(problems("broker -> testkit"), ["broker: imports `testkit`, which is a dev-dependency only"]);
    assert_eq!(problems("testkit -> broker"), Vec::<String>::new());
    assert_eq!(problems("testkit -> xtask [dev]").len(), 1);
    assert_eq!(problems("xtask -> model").len(), 1);
}

#[test]
fn a_dependency_is_for_the_crates_of_its_line() {
    assert_eq!(problems("broker -> *serde"), Vec::<String>::new());
    assert_eq!(problems("broker -> *rusqlite"), ["broker: uses `rusqlite`, which is for store"]);
    assert_eq!(
        problems("broker -> *leftpad"),
        ["broker: uses `leftpad`, which has no line in crates/xtask/layers.toml"]
    );
    assert_eq!(problems("broker -> *proptest [dev]"), Vec::<String>::new());
    assert_eq!(problems("broker -> *proptest").len(), 1);
}

#[test]
fn deny_and_layers_say_the_same() {
    let store = workspace("store -> *rusqlite");
    assert_eq!(mirrored(&store, &table(), &Bans::read(DENY).unwrap()), Vec::<String>::new());

    let wider = DENY.replace(r#"wrappers = ["store""#, r#"wrappers = ["#);
    assert_eq!(mirrored(&store, &table(), &Bans::read(&wider.replace("[,", "[")).unwrap()).len(), 1);
    let gone = DENY.replace("rusqlite", "other");
    assert_eq!(mirrored(&store, &table(), &Bans::read(&gone).unwrap()).len(), 1);
}

#[test]
fn a_table_with_an_unknown_key_or_crate_is_refused() {
    assert!(Table::read(&TABLE.replace("[mirror]", "[mirrors]")).is_err());
    assert!(Table::read(&TABLE.replace(r#"["store"]"#, r#"["stroe"]"#)).is_err());
    assert!(Table::read(&TABLE.replace(r#""nobody""#, r#""anybody""#)).is_err());
}

#[test]
fn the_tables_of_this_repository_can_be_read() {
    let table = Table::read(include_str!("../../layers.toml")).unwrap();
    let bans = Bans::read(include_str!("../../../../deny.toml")).unwrap();
    assert!(table.mirror.dependencies.iter().all(|name| bans.wrappers(name).is_some()));
}
