//! Reads beside a write, read and refused.

use model::Inputs;

use crate::{Integration, Write, layer};

fn read(before: &str) -> Result<Integration, String> {
    let text = format!(
        "name: mine\nbase_url: https://api.example.com\nsecrets: {{token: {{title: T}}}}\nauth: [{{scheme: bearer, secret: token}}]\n\
         limits: {{connect: 5s, head: 5s, total: 5s, idle: 5s}}\noperations:\n\
         \x20 look: {{title: L, access: read, risk: low, match: {{method: GET, path: \"/things/{{name}}\"}}, inputs: {{name: {{in: path}}, since: {{in: query}}}}, evidence: {{version: version}}}}\n\
         \x20 put: {{title: P, access: write, risk: low, match: {{method: PUT, path: \"/things/{{name}}\"}}, inputs: {{name: {{in: path}}}}, {before}}}\n"
    );
    layer::integration(&text, "mine.yaml", "mine").map_err(|error| error.to_string())
}

#[test]
fn the_inputs_of_a_read_are_made_of_what_the_write_has() {
    let made = read("before: [{operation: look, inputs: {name: \"{name}\", since: \"{got_version}\"}, fields: {version_before: version}}]").unwrap();
    let put = made.operations().get("put").unwrap();
    let [around] = put.before() else { panic!("one") };
    let inputs = Inputs::from([("name".to_owned(), "a".to_owned())]);
    let began = model::Timestamp::from_millis(12_345);
    let none = Write { inputs: &inputs, evidence: &[], began };
    assert_eq!(around.inputs(none), Inputs::from([("name".to_owned(), "a".to_owned())]));
    let evidence = [("version".to_owned(), "7".to_owned())];
    assert_eq!(around.inputs(Write { evidence: &evidence, ..none })["since"], "7");
    assert_eq!(around.fields().collect::<Vec<_>>(), [("version_before", "version")]);
}

#[test]
fn what_is_no_read_of_the_file_is_refused() {
    for (before, problem) in [
        (
            "before: [{operation: lok, fields: {a: version}}]",
            "there is no operation `lok`; did you mean `look`",
        ),
        ("after: [{operation: put, fields: {a: version}}]", "beside a write stand reads only"),
        ("after: [{operation: look, inputs: {nam: x}, fields: {a: version}}]", "there is no input `nam`"),
        (
            "after: [{operation: look, inputs: {name: \"{nam}\"}, fields: {a: version}}]",
            "there is no input `nam`",
        ),
        ("after: [{operation: look, fields: {a: versio}}]", "has no `versio`"),
        ("after: [{operation: look, fields: {}}]", "made for nothing"),
        ("after: [{operation: look, fields: {A: version}}]", "lower-case letters"),
        ("after: [{operation: look, fields: {a: version}, waits: 1m}]", "at most 15 seconds"),
        ("after: [{integration: 'A b', operation: look, fields: {a: version}}]", "name"),
    ] {
        let error = read(before).unwrap_err();
        assert!(error.contains(problem), "{before}: {error}");
    }
}
