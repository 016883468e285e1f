//! Tests of the module `reach`.

use super::*;
use crate::tests::Ask;

fn reach(actions: &str, resource: &str) -> Reach {
    Reach::new(actions.split(',').map(|word| word.parse().unwrap()), resource.parse().unwrap()).unwrap()
}

fn own(operation: &'static str, resource: &'static str) -> Ask {
    Ask { integration: "doorward", operation, resource, request: None, secrets: vec![], ..Ask::default() }
}

#[test]
fn a_secret_reaches_the_calls_on_which_nothing_else_is_put() {
    let slack = reach("execute", "secret:/slack/token");
    assert!(slack.allows(&Ask::default().call()));
    let look = Ask { access: Access::Read, ..Ask::default() };
    assert!(slack.allows(&look.call()));
    for secrets in
        [vec![], vec!["store:slack/admin"], vec!["store:slack/token", "store:db"], vec!["env:TOKEN"]]
    {
        assert!(!slack.allows(&Ask { secrets: secrets.clone(), ..Ask::default() }.call()), "{secrets:?}");
    }
    for other in [
        reach("read,write,delete", "secret:/slack/token"),
        reach("execute", "secret:/slack"),
        reach("read", "log:/*"),
    ] {
        assert!(!other.allows(&Ask::default().call()), "{other}");
    }
}

#[test]
fn to_read_with_a_secret_is_no_write_with_it() {
    let read = reach("read", "secret:/slack/*");
    let look = Ask { access: Access::Read, ..Ask::default() };
    assert!(read.allows(&look.call()));
    assert!(!read.allows(&Ask::default().call()) && read.lacks_execute(&Ask::default().call()));
    assert!(!reach("read", "secret:/db").lacks_execute(&Ask::default().call()));
    assert!(!reach("write,delete", "secret:/slack/*").allows(&look.call()));
}

#[test]
fn to_be_shown_a_secret_takes_more_than_to_use_it() {
    let reveal = own("secret.reveal", "secret:/db/primary").call();
    assert!(reach("read", "secret:/db/primary").allows(&reveal));
    assert!(reach("admin", "secret:/db/*").allows(&reveal));
    for other in [reach("execute,write,delete", "secret:/db/primary"), reach("read", "secret:/db/second")] {
        assert!(!other.allows(&reveal), "{other}");
    }
    assert!(reach("delete", "secret:/db/primary").allows(&own("secret.forget", "secret:/db/primary").call()));
    assert!(!reach("admin", "secret:/*").allows(&own("evidence.list", "*").call()));
    assert!(!reach("read", "secret:/*").allows(&own("secret.reveal", "secret:/*").call()));
}

#[test]
fn an_operation_is_reached_within_its_own_access() {
    let call = Ask::default().call();
    assert!(reach("write", "op:/slack/chat.post").allows(&call));
    assert!(reach("execute", "op:/slack/*").allows(&call));
    assert!(!reach("read", "op:/slack/chat.post").allows(&call));
    assert!(!reach("write", "op:/slack/chat.delete").allows(&call));
    assert!(
        reach("read", "op:/slack/chat.post").allows(&Ask { access: Access::Read, ..Ask::default() }.call())
    );
    assert!(!reach("admin", "op:/*").allows(&own("secret.reveal", "secret:/a").call()));
}

#[test]
fn a_log_is_only_appended_to() {
    let append = own("log.append", "log:/deploy").call();
    assert!(reach("write", "log:/deploy").allows(&append));
    assert!(!reach("read", "log:/deploy").allows(&append));
    assert!(!reach("write", "log:/other").allows(&append));
    assert!(!reach("admin", "tool:/*").allows(&append));
}

#[test]
fn a_tool_is_run_and_is_nothing_else() {
    let backup = Ask { integration: "tools", operation: "backup", secrets: vec![], ..Ask::default() }.call();
    assert!(reach("execute", "tool:/backup").allows(&backup));
    assert!(reach("admin", "tool:/*").allows(&backup));
    for other in [
        reach("read,write,delete", "tool:/backup"),
        reach("execute", "tool:/restore"),
        reach("execute", "tool:/tools/backup"),
        reach("execute", "tool:/db/*"),
    ] {
        assert!(!other.allows(&backup), "{other}");
    }
    let of_db = Ask { integration: "db", operation: "backup", ..Ask::default() }.call();
    assert!(reach("execute", "tool:/db/backup").allows(&of_db));
    assert!(!reach("execute", "tool:/backup").allows(&of_db));
    assert!(!reach("admin", "tool:/*").allows(&own("secret.reveal", "secret:/a").call()));
}

#[test]
fn less_is_within_and_more_is_not() {
    let parent = reach("read,write", "secret:/db/*");
    for within in [
        reach("read", "secret:/db/primary"),
        reach("write", "secret:/db/a/*"),
        reach("read,write", "secret:/db/*"),
    ] {
        assert!(within.is_within(&parent), "{within}");
    }
    for wider in [
        reach("delete", "secret:/db/primary"),
        reach("execute", "secret:/db/primary"),
        reach("read", "secret:/d*"),
        reach("read", "log:/db/a"),
    ] {
        assert!(!wider.is_within(&parent), "{wider}");
    }
    assert!(!reach("execute", "op:/slack/chat.post").is_within(&reach("read", "op:/slack/chat.post")));
}
