//! GraphQL: what a request does is in the root fields of its one operation; all else is in doubt.

use super::*;
use crate::lists::graphql::{Operation, read as document};

const RULE: &str = "{path: /graphql, methods: {POST: {graphql: {type: mutation, fields: [issueCreate]}}, GET: {graphql: {type: query}}}}";

fn body(document: &str) -> String {
    serde_json::json!({ "query": document }).to_string()
}

fn post(body: &str) -> Sent {
    asks("POST /graphql").json(body)
}

#[test]
fn a_document_is_read_for_kind_name_and_root_fields() {
    let read = document(
        "# a comment { }\nmutation Make($i: In = {a: [\"}\", 1.5e3]}) @x(y: \"\"\"a \\\"\"\" { \"\"\") { a: issueCreate(input: $i) @include(if: true) { issue { id } } b }\nfragment F on Issue { id }",
    );
    let fields = vec!["issueCreate".to_owned(), "b".to_owned()];
    assert_eq!(read, Some(Operation { kind: "mutation".to_owned(), name: Some("Make".to_owned()), fields }));
    assert_eq!(document("{ viewer { id } }").unwrap().kind, "query");
    for doubtful in [
        "",
        "{ }",
        "{ ...F }",
        "{ ... on X { a } }",
        "query A { a } query B { b }",
        "{ a ",
        "{ a } }",
        "mutation { a(b: [}) }",
        "extend type X { a: Int }",
        "{ a \u{a0} }",
        "query A B { a }",
        "{ a(x: \"\n\") }",
        "{ a: }",
    ] {
        assert_eq!(document(doubtful), None, "{doubtful}");
    }
}

#[test]
fn what_a_mutation_does_counts_and_not_what_it_is_called() {
    let rules = allow(RULE);
    assert_eq!(
        post(&body("mutation issueCreate { issueCreate(input: {}) { success } }")).said(&rules),
        "allowed"
    );
    for other in [
        "mutation issueCreate { issueDelete(id: 1) { success } }",
        "mutation { issueCreate: issueDelete(id: 1) { ok } }",
        "mutation { issueCreate { a } issueDelete(id: 1) { ok } }",
    ] {
        assert_eq!(post(&body(other)).said(&rules), "graphql field mismatch", "{other}");
    }
    assert_eq!(post(&body("query { issueCreate }")).said(&rules), "graphql type mismatch");
}

#[test]
fn a_rule_about_the_name_needs_the_document_and_the_request_to_agree() {
    let rules = allow("{path: /graphql, methods: {POST: {graphql: {operation: Make}}}}");
    let named =
        |name: &str| serde_json::json!({ "query": "mutation Make { a }", "operationName": name }).to_string();
    assert_eq!(post(&named("Make")).said(&rules), "allowed");
    assert_eq!(post(&named("Other")).said(&rules), "graphql operation is ambiguous");
    assert_eq!(post(&body("mutation { a }")).said(&rules), "graphql operation mismatch");
}

#[test]
fn persisted_batched_and_odd_requests_never_pass_and_never_escape() {
    let (allows, denies) = (allow(RULE), deny(RULE));
    let good = "mutation { issueCreate { a } }";
    let odd = [
        format!("[{}]", body(good)),
        r#"{"extensions":{"persistedQuery":{"sha256Hash":"x"}}}"#.to_owned(),
        format!(r#"{{"query":"{good}","extensions":{{"persistedQuery":{{}}}}}}"#),
        format!(r#"{{"query":"{good}","Query":"mutation {{ issueDelete }}"}}"#),
        format!(r#"{{"query":"{good}","documentId":"1"}}"#),
        format!(r#"{{"query":"{good}","query":"{good}"}}"#),
        r#"{"query":1}"#.to_owned(),
        body("mutation { ...F } fragment F on M { issueCreate }"),
    ];
    for body in odd {
        assert_ne!(post(&body).said(&allows), "allowed", "{body}");
        assert_eq!(post(&body).said(&denies), "denied", "{body}");
    }
    let twice = asks("POST /graphql?query=%7Ba%7D").json(&body(good));
    assert_eq!(twice.said(&allows), "graphql request is ambiguous");
    assert_eq!(asks("GET /graphql?query=%7B%20viewer%20%7D").said(&allows), "allowed");
    assert_eq!(asks("GET /graphql?query=mutation%20%7B%20a%20%7D").said(&allows), "graphql type mismatch");
    assert_eq!(
        asks("GET /graphql?query=%7Ba%7D&query=%7Bb%7D").said(&allows),
        "graphql request is ambiguous"
    );
    assert_eq!(asks("POST /graphql").raw("application/graphql", good).said(&denies), "denied");
}

#[test]
fn capabilities_of_services_with_graphql_alone_are_root_fields() {
    let text = "- integration: my-linear\n  callers: [{capabilities: [{name: create_task}]}]\n\
                - integration: monday\n  callers: [{capabilities: [{name: create_item, params: {operationName: Add}}]}]\n";
    let lists = read(&[(Side::Allow, text)]).unwrap();
    let create = body("mutation { issueCreate(input: {}) { success } }");
    assert_eq!(post(&create).to("my-linear").said(&lists), "allowed");
    assert_eq!(
        post(&body("mutation { issueDelete }")).to("my-linear").said(&lists),
        "graphql field mismatch"
    );
    let item = |name: &str| {
        asks("POST /").to("monday").json(&body(&format!("mutation {name} {{ create_item {{ id }} }}")))
    };
    assert_eq!(item("Add").said(&lists), "allowed");
    assert_eq!(item("Other").said(&lists), "graphql operation mismatch");
    let wrong = "- integration: my-linear\n  callers: [{capabilities: [{name: create_task, params: {path: '/**'}}]}]\n";
    assert!(mistake(Side::Allow, wrong).contains("takes no such parameter"));
}
