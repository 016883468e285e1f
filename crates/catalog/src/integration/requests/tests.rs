//! What gets past rules that look at another form of a request than the one that is sent does not get past these.

use std::sync::Arc;

use model::Inputs;
use proptest::prelude::*;

use super::*;
use crate::Catalog;

fn integration(name: &str) -> Arc<Integration> {
    Catalog::builtin().get(&name.parse().unwrap()).unwrap()
}

fn id() -> EvidenceId {
    EvidenceId::from_bytes([0; 16])
}

fn post(path: &str, content_types: &[&str], body: &[u8]) -> Result<Call, Refusal> {
    let target: Target = path.parse().unwrap();
    let asked = Asked { method: Method::Post, target: &target, content_types, body: Some(body) };
    integration("slack").call(id(), &asked)
}

const MESSAGE: &str = "/api/chat.postMessage";
const JSON: &[&str] = &["application/json"];
const FORM: &[&str] = &["application/x-www-form-urlencoded"];

fn refused_with(result: Result<Call, Refusal>, words: &str) {
    let refusal = result.unwrap_err();
    assert_eq!(refusal.code, Code::BadRequest);
    assert!(refusal.message.contains(words), "{}", refusal.message);
}

#[test]
fn what_says_the_same_another_time_in_a_form_is_refused() {
    let said = |body: &str| post(MESSAGE, FORM, body.as_bytes());
    for rival in ["as_user=true", "As_User=1", "as_user[x]=true"] {
        refused_with(said(&format!("channel=C1&username=u&{rival}")), "in place of the input `username`");
        // Without the name nothing is said another time.
        assert_eq!(said(&format!("channel=C1&{rival}")).unwrap().operation().as_str(), "chat.post");
    }
    for beside in ["as_user=false", "as_users=true", "x=as_user"] {
        assert!(said(&format!("channel=C1&username=u&{beside}")).is_ok(), "{beside}");
    }
}

#[test]
fn a_body_of_another_content_type_is_refused() {
    let body = br#"{"channel":"C1"}"#;
    let wrong: &[&[&str]] = &[
        &["text/plain"],
        &[],
        &["text/json"],
        &["text/plain", "application/json"],
        &["application/json", "application/json"],
        &["application/json, text/plain"],
        &["application/+json"],
        &["application/json; charset=utf-16"],
        &["multipart/form-data; boundary=x"],
        &[""],
    ];
    for content_types in wrong {
        assert_eq!(
            post(MESSAGE, content_types, body).unwrap_err().code,
            Code::BadRequest,
            "{content_types:?}"
        );
    }
    for right in ["application/json", "Application/JSON; charset=\"UTF-8\"", "application/vnd.api+json"] {
        assert_eq!(post(MESSAGE, &[right], body).unwrap().resource().as_str(), "channel:C1");
    }
}

#[test]
fn a_key_written_twice_is_refused() {
    refused_with(post(MESSAGE, JSON, br#"{"channel":"C2","channel":"C1"}"#), "a key is written twice");
    refused_with(post(MESSAGE, JSON, br#"{"channel":"C1","x":[{"a":1,"a":2}]}"#), "a key is written twice");
    refused_with(post(MESSAGE, JSON, br#"{"channel":"C1","Channel":"C2"}"#), "in another case");
}

#[test]
fn a_parameter_written_twice_is_refused() {
    refused_with(post(MESSAGE, FORM, b"channel=C2&channel=C1"), "a name is written twice");
    refused_with(post(MESSAGE, FORM, b"channel=C1&channel[]=C2"), "in another way");
    refused_with(post(MESSAGE, FORM, b"channel=C1;channel=C2"), "a bare `;`");
    let target: Target = "/api/conversations.history?channel=C2&channel=C1".parse().unwrap();
    let asked = Asked { method: Method::Get, target: &target, content_types: &[], body: Some(b"") };
    refused_with(integration("slack").call(id(), &asked), "written twice");
}

#[test]
fn an_input_of_the_body_is_refused_in_the_query() {
    refused_with(
        post("/api/chat.postMessage?channel=C2", JSON, br#"{"channel":"C1"}"#),
        "not into the query",
    );
    refused_with(
        post("/api/chat.postMessage?ch%61nnel=C2", JSON, br#"{"channel":"C1"}"#),
        "not into the query",
    );
}

#[test]
fn a_query_that_servers_read_differently_is_refused() {
    let target: Target = "/api/conversations.history?channel=C1&limit=1;x=1".parse().unwrap();
    let asked = Asked { method: Method::Get, target: &target, content_types: &[], body: Some(b"") };
    let slack = integration("slack");
    // `1;x` is a value of `limit`, or a pair of its own.
    refused_with(slack.call(id(), &asked), "a bare `;`");
    assert!("/api/conversations.history?channel=C1%".parse::<Target>().is_err());
}

#[test]
fn a_query_name_that_is_not_described_makes_it_an_unknown_write() {
    let call = post("/api/chat.postMessage?pretty=1", JSON, br#"{"channel":"C1"}"#).unwrap();
    assert_eq!(
        (call.operation().as_str(), call.access(), call.risk()),
        ("unknown", Access::Write, Risk::High)
    );
    assert_eq!(call.resource().as_str(), "*");
}

#[test]
fn head_is_the_operation_of_get() {
    let target: Target = "/repos/octo/hello".parse().unwrap();
    let github = integration("github");
    assert_eq!(github.route(Method::Head, &target).operation().unwrap().name().as_str(), "repo.show");
    assert!(github.route(Method::Options, &target).operation().is_none());
    let asked = Asked { method: Method::Head, target: &target, content_types: &[], body: Some(b"") };
    assert_eq!(github.call(id(), &asked).unwrap().request().unwrap().0, Method::Head);
}

#[test]
fn bytes_behind_the_json_are_refused() {
    refused_with(post(MESSAGE, JSON, br#"{"channel":"C1"}{"channel":"C2"}"#), "behind the value");
    refused_with(post(MESSAGE, JSON, b"{\"channel\":\"C1\"}\0"), "behind the value");
    refused_with(post(MESSAGE, JSON, br#"[{"channel":"C1"}]"#), "not a JSON object");
}

#[test]
fn a_body_that_was_not_read_is_refused() {
    let target: Target = MESSAGE.parse().unwrap();
    let asked = Asked { method: Method::Post, target: &target, content_types: JSON, body: None };
    refused_with(integration("slack").call(id(), &asked), "was not read");
    let target: Target = "/api/conversations.history?channel=C1".parse().unwrap();
    let asked =
        Asked { method: Method::Get, target: &target, content_types: FORM, body: Some(b"channel=C2") };
    refused_with(integration("slack").call(id(), &asked), "takes no body");
}

#[test]
fn an_encoded_path_is_matched_as_it_is_sent() {
    let github = integration("github");
    for path in [
        "/repos%2Focto%2Fhello",
        "/repos/octo%2Fhello",
        "/repos/octo/hello;x=1",
        "//repos/octo/hello",
        "/Repos/octo/hello",
    ] {
        let target: Target = path.parse().unwrap();
        assert!(github.route(Method::Get, &target).operation().is_none(), "{path}");
    }
    for path in ["/secret/%2e%2e/repos/octo/hello", "/repos/octo/%2E%2E/secret", "/repos/octo/..%2Fsecret"] {
        assert!(path.parse::<Target>().is_err(), "{path}");
    }
    let target: Target = "/repos/oct%6f/hello".parse().unwrap();
    let asked = Asked { method: Method::Get, target: &target, content_types: &[], body: Some(b"") };
    let call = github.call(id(), &asked).unwrap();
    assert_eq!(call.resource().as_str(), "repo:octo/hello");
    assert_eq!(call.request().unwrap().2.as_str(), "/repos/octo/hello");
}

#[test]
fn a_large_number_is_not_another_number() {
    let target: Target = "/v1/images/generations".parse().unwrap();
    let body = br#"{"n":18446744073709551616}"#;
    let asked = Asked { method: Method::Post, target: &target, content_types: JSON, body: Some(body) };
    refused_with(integration("openai").call(id(), &asked), "64 bits");
}

#[test]
fn a_named_operation_takes_only_its_inputs() {
    let own = integration("doorward");
    let inputs = |pairs: &[(&str, &str)]| -> Inputs {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let named =
        |operation: &str, pairs: &[(&str, &str)]| own.named(id(), &operation.parse().unwrap(), inputs(pairs));
    let call = named("secret.put", &[("name", "slack/token")]).unwrap();
    assert_eq!((call.resource().as_str(), call.access()), ("secret:/slack/token", Access::Write));
    assert!(call.request().is_none());
    refused_with(named("secret.putt", &[]), "did you mean `secret.put`");
    refused_with(named("secret.put", &[("nam", "x")]), "did you mean `name`");
    refused_with(named("secret.put", &[]), "is missing");
    refused_with(named("secret.put", &[("name", "x"), ("disclosable", "maybe")]), "does not match");
    refused_with(named("secret.put", &[("name", "a b")]), "white space");
}

#[test]
fn a_named_operation_of_a_service_writes_its_request() {
    let gitlab = integration("gitlab");
    let inputs: Inputs = [("project", "group/app"), ("title", "Broken \"door\"")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
    let operation = "issues.create".parse().unwrap();
    let call = gitlab.named(id(), &operation, inputs.clone()).unwrap();
    assert_eq!(call.request().unwrap().2.as_str(), "/api/v4/projects/group%2Fapp/issues");
    let message = gitlab.named_body(&operation, inputs).unwrap();
    assert_eq!(message.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    assert_eq!(message.body.unwrap(), br#"{"title":"Broken \"door\""}"#);
    let github = integration("github");
    let inputs: Inputs =
        [("owner", "octo"), ("repo", "a/b")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    assert!(github.named(id(), &"repo.show".parse().unwrap(), inputs).is_err());
    let inputs: Inputs =
        [("owner", "octo"), ("repo", "..")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    assert!(github.named(id(), &"repo.show".parse().unwrap(), inputs).is_err());
}

fn method() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ])
}

proptest! {
    #[test]
    fn matching_never_panics_and_what_is_not_matched_is_a_write(
        method in method(),
        path in "(/(repos|octo|issues|[0-9]{1,3}|[a-z%2F;.]{0,6})){1,6}(\\?[a-z=&;%0-9]{0,12})?",
        body in prop::collection::vec(any::<u8>(), 0..64),
        content_type in "(application/json|application/x-www-form-urlencoded|[ -~]{0,20})",
    ) {
        for name in ["github", "gitlab", "slack"] {
            let integration = integration(name);
            let Ok(target) = path.parse::<Target>() else { continue };
            let route = integration.route(method, &target);
            let types = [content_type.as_str()];
            let asked = Asked { method, target: &target, content_types: &types, body: Some(&body) };
            match integration.call(id(), &asked) {
                Ok(call) if route.operation().is_none() => {
                    prop_assert_eq!(call.operation().as_str(), "unknown");
                    prop_assert_eq!((call.access(), call.risk()), (Access::Write, Risk::High));
                    prop_assert_eq!(call.resource().as_str(), "*");
                }
                Ok(call) => prop_assert_eq!(call.operation(), route.operation().unwrap().name()),
                Err(refusal) => prop_assert_eq!(refusal.code, Code::BadRequest),
            }
        }
    }

    #[test]
    fn bodies_of_any_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = crate::body::json::read(&body);
        let _ = crate::body::form::read(&body);
        let _ = post(MESSAGE, JSON, &body);
        let _ = post(MESSAGE, FORM, &body);
    }
}

#[test]
fn a_call_of_aws_goes_to_the_host_of_its_service_and_nowhere_else() {
    let aws = integration("aws");
    let region = |region: &str| Inputs::from([("region".to_owned(), region.to_owned())]);
    let name = "identity.show".parse().unwrap();
    let call = aws.named(id(), &name, region("eu-west-1")).unwrap();
    assert_eq!(call.request().unwrap().1.to_string(), "https://sts.eu-west-1.amazonaws.com");
    for odd in ["eu-west-1.evil.example", "eu-west-1/x", "evil.example#", "", "*"] {
        assert!(aws.named(id(), &name, region(odd)).is_err(), "{odd}");
    }
}

#[test]
fn defaults_are_for_calls_by_name_only() {
    let vault = crate::cases::integration(&"vault".parse().unwrap()).unwrap();
    let inputs = Inputs::from([("path".to_owned(), "db".to_owned())]);
    let call = vault.named(id(), &"kv.read".parse().unwrap(), inputs).unwrap();
    assert_eq!(call.inputs()["mount"], "secret");
    assert_eq!(call.request().unwrap().2.as_str(), "/v1/secret/data/db");
    let target: Target = "/v1/sys/health".parse().unwrap();
    let asked = Asked { method: Method::Get, target: &target, content_types: &[], body: Some(b"") };
    assert!(vault.call(id(), &asked).unwrap().inputs().is_empty());
}

#[test]
fn lists_and_json_have_one_reading() {
    let aws = integration("aws");
    let with = |name: &str, value: &str| -> Inputs {
        [("region", "eu-west-1"), (name, value)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    };
    let stop = "instances.stop".parse().unwrap();
    let one = "i-0123456789abcdef0";
    let call = aws.named(id(), &stop, with("instances", &format!("[ \"{one}\" ]"))).unwrap();
    assert_eq!(call.inputs()["instances"], format!("[\"{one}\"]"));
    let behind = format!("[\"{one}\"] []");
    for wrong in ["", "[", "[1]", "{}", "[\"x\"]", "[null]", &behind] {
        assert!(aws.named(id(), &stop, with("instances", wrong)).is_err(), "{wrong}");
    }
    let list = "resources.list".parse().unwrap();
    for wrong in ["1", "\"x\"", "[{\"a\": 1, \"a\": 2}]", "nonsense"] {
        assert!(aws.named(id(), &list, with("tags", wrong)).is_err(), "{wrong}");
    }
}
