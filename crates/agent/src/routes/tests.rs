//! The routes of the socket.

use super::*;

fn routed(method: &Method, target: &str) -> Result<Route, String> {
    read(method, &target.parse().unwrap()).map_err(|unrouted| match unrouted {
        Unrouted::Refused(refusal) => refusal.code.to_string(),
        Unrouted::Method(allowed) => format!("only {allowed}"),
    })
}

#[test]
fn an_operation_has_a_name_and_inputs() {
    let route =
        routed(&Method::POST, "/v1/operations/doorward/secret.put?name=slack%2Ftoken&overlap=10m&note=a+b");
    let Ok(Route::Operate(integration, operation, inputs)) = route else { panic!("{route:?}") };
    assert_eq!((integration.as_str(), operation.as_str()), ("doorward", "secret.put"));
    assert_eq!(inputs["name"], "slack/token");
    assert_eq!(inputs["overlap"], "10m");
    assert_eq!(inputs["note"], "a b");
    assert_eq!(inputs.len(), 3);
    assert!(matches!(routed(&Method::POST, "/v1/operations/slack/chat.post"), Ok(Route::Operate(..))));
}

#[test]
fn the_state_is_asked_and_changed_under_fixed_paths() {
    assert_eq!(routed(&Method::GET, "/v1/status"), Ok(Route::Status));
    assert_eq!(routed(&Method::GET, "/v1/metrics"), Ok(Route::Metrics));
    assert_eq!(routed(&Method::POST, "/v1/unseal"), Ok(Route::Unseal));
    assert_eq!(routed(&Method::POST, "/v1/drain"), Ok(Route::Drain));
    assert_eq!(routed(&Method::POST, "/v1/wish"), Ok(Route::Wish));
}

#[test]
fn another_method_is_told_which_one_is_served() {
    for (method, target, expected) in [
        (Method::GET, "/v1/operations/slack/chat.post", "only POST"),
        (Method::POST, "/v1/status", "only GET"),
        (Method::HEAD, "/v1/status", "only GET"),
        (Method::GET, "/v1/unseal", "only POST"),
        (Method::GET, "/v1/drain", "only POST"),
    ] {
        assert_eq!(routed(&method, target), Err(expected.to_owned()), "{target}");
    }
}

#[test]
fn nothing_else_is_served() {
    for target in [
        "/",
        "/v1",
        "/v1/",
        "/v1/status/",
        "/v1/operations/slack",
        "/v1/operations/slack/a/b",
        "/v1/runs/run_01j00000000000000000000000",
        "/v1/runs/run_01j00000000000000000000000/start",
        "/Slack/api",
    ] {
        assert_eq!(routed(&Method::POST, target), Err("not_found".to_owned()), "{target}");
    }
}

#[test]
fn a_request_with_two_readings_is_refused() {
    for target in [
        "/v1/operations/Slack/chat.post",
        "/v1/operations/slack/Chat.Post",
        "/v1/operations/slack%2Fx/chat.post",
        "/v1/operations/slack/",
        "/v1/operations/slack/chat.post?a=1&a=1",
        "/v1/operations/slack/chat.post?=1",
        "/v1/drain?now=1",
    ] {
        assert_eq!(routed(&Method::POST, target), Err("bad_request".to_owned()), "{target}");
    }
}

#[test]
fn what_stood_in_an_input_is_not_repeated() {
    let target = "/v1/operations/slack/chat.post?value=xoxb-CANARY&value=x".parse().unwrap();
    let Err(Unrouted::Refused(refusal)) = read(&Method::POST, &target) else { panic!("it was routed") };
    assert!(!refusal.message.contains("CANARY"));
}

#[test]
fn a_run_is_opened_with_a_name_and_ended_by_it() {
    let (run, capability) = ("run_01j00000000000000000000000", "cap_01j00000000000000000000000");
    let Ok(Route::Open(wanted)) =
        routed(&Method::POST, &format!("/v1/runs?run={run}&capability={capability}&keep=group"))
    else {
        panic!("it was not routed")
    };
    assert_eq!((wanted.run.to_string(), wanted.keep), (run.to_owned(), Keep::InItsGroup));
    assert_eq!(wanted.capability.map(|name| name.to_string()).as_deref(), Some(capability));
    assert_eq!(routed(&Method::POST, &format!("/v1/runs/{run}/end")), Ok(Route::End(wanted.run)));
    for wrong in [
        "/v1/runs",
        "/v1/runs?run=x",
        "/v1/runs?run=run_01j00000000000000000000000&keep=forever",
        "/v1/runs?run=run_01j00000000000000000000000&capability=cap1_x",
        "/v1/runs?run=run_01j00000000000000000000000&uid=0",
        "/v1/runs/x/end",
    ] {
        assert_eq!(routed(&Method::POST, wrong), Err("bad_request".to_owned()), "{wrong}");
    }
    assert_eq!(routed(&Method::GET, "/v1/runs"), Err("only POST".to_owned()));
}

#[test]
fn what_is_no_path_of_ours_is_for_the_integration_that_it_names() {
    for (target, integration, rest) in
        [("/slack/chat.postMessage?a=1", "slack", "/chat.postMessage?a=1"), ("/v2/status", "v2", "/status")]
    {
        let Ok(Route::Forward(name, behind)) = routed(&Method::GET, target) else { panic!("{target}") };
        assert_eq!((name.as_str(), behind.to_string()), (integration, rest.to_owned()));
    }
}
