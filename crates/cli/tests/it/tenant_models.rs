//! Keys of language models, tried at their providers, and all of a tenant's at once.

use std::net::TcpListener;

use serde_json::{Value, json};
use testkit::vendor::Anthropic;
use testkit::{Demand, Upstream};

use crate::credential_api::{Api, moved};

#[test]
fn a_key_for_anthropic_counts_tokens_and_a_model_that_is_gone_says_nothing_of_it() {
    let secret = testkit::canary::plant("anthropic");
    let key = format!("sk-ant-{secret}");
    let service = Anthropic::start(&key, &["claude-haiku-4-5"]);
    let api = Api::laid(&[moved("anthropic", &service.url(), "")], "", &[]);
    api.doorward.watch(&secret);
    assert_eq!(api.set_up("claude", &key.clone().into()).0, "VALID");
    let paths = |service: &Anthropic| service.calls().into_iter().map(|call| call.path).collect::<Vec<_>>();
    assert_eq!(paths(&service), ["/v1/messages/count_tokens"], "one request, and none that is billed");
    let asked = api.mine("GET", "integrations/acme_inc/anthropic", &Value::Null);
    let first = asked["last_validated_at"].as_str().unwrap().to_owned();

    service.change_key("sk-ant-another-key-0123456789");
    let (status, why, _) = api.validated("anthropic");
    assert_eq!((status.as_str(), why.as_str()), ("INVALID", "Invalid API key"));
    let asked = api.mine("GET", "integrations/acme_inc/anthropic", &Value::Null);
    assert_eq!(
        (asked["status"].as_str(), asked["last_validated_at"].as_str()),
        (Some("INVALID"), Some(first.as_str())),
        "the time is that of the last success"
    );
    service.change_key(&key);
    assert_eq!(api.validated("anthropic").0, "VALID", "one that was refused is tried again");
    let asked = api.mine("GET", "integrations/acme_inc/anthropic", &Value::Null);
    assert!(asked["last_validated_at"].as_str().unwrap() >= first.as_str() && asked["last_error"].is_null());

    api.doorward.assert_no_canary();
    let empty = Anthropic::start(&key, &[]);
    let api = Api::laid(&[moved("anthropic", &empty.url(), "")], "", &[]);
    assert_eq!(api.set_up("anthropic", &key.into()).0, "VALID");
    assert_eq!(paths(&empty), ["/v1/messages/count_tokens", "/v1/models"]);
    assert_eq!(api.set_up("anthropic", &"sk-ant-wrong-0123456789".into()).0, "INVALID");
}

/// What a key has to look like at each provider, and where its models are.
const KEYS: [(&str, &str, &str, &str); 3] = [
    ("openai", "sk-0123456789abcdef", "/v1/models", "authorization"),
    ("gemini", "AIza0123456789abcdef", "/v1beta/models", "x-goog-api-key"),
    ("deepseek", "sk-fedcba9876543210", "/models", "authorization"),
];

#[test]
fn a_provider_that_refuses_is_believed_and_one_that_is_busy_broken_or_away_says_nothing() {
    for (provider, key, path, header) in KEYS {
        let demand = match header {
            "authorization" => Demand::Bearer(key.to_owned()),
            name => Demand::Header(name.to_owned(), key.to_owned()),
        };
        let service = Upstream::demanding(demand);
        service.answer_with(path, 200, json!({"object": "list", "data": [], "models": []}));
        let api = Api::with(&[(provider, &service)]);
        assert_eq!(api.set_up(provider, &key.into()).0, "VALID", "{provider}");
        service.answer_with(path, 429, json!({"error": {"message": "later"}}));
        let (found, why, message) = api.validated(provider);
        assert_eq!((found.as_str(), why.as_str()), ("VALID", "API error: 429"), "{provider}: as it was");
        assert!(!message.contains("successfully") && message.contains("gave no answer"), "{message}");
        service.answer_with(path, 200, json!({"object": "list", "data": [], "models": []}));
        let other = format!("{key}-other");
        assert_eq!(api.set_up(provider, &other.into()).0, "INVALID", "{provider}");
        for status in [429, 500, 503] {
            service.answer_with(path, status, json!({"error": {"message": "later"}}));
            let (found, why, _) = api.set_up(provider, &key.into());
            assert_eq!((found.as_str(), why), ("PENDING", format!("API error: {status}")), "{provider}");
        }
        let shown = api.mine("GET", &format!("integrations/acme_inc/{provider}"), &Value::Null);
        assert_eq!(shown["status"], "VALID", "{provider}: the one that works stays in use");
        service.answer_with(path, 403, json!({"error": {"message": "no"}}));
        assert_eq!(api.validated(provider).1, "API key lacks required permissions", "{provider}");
    }
}

#[test]
fn a_provider_that_never_answers_or_is_not_there_leaves_the_key_pending() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let limits = "limits: {connect: 1s, head: 1s, total: 2s, idle: 1s}\n";
    let url = format!("http://{}", silent.local_addr().unwrap());
    let api = Api::laid(&[moved("openai", &url, limits)], "", &[]);
    let (status, why, _) = api.set_up("openai", &"sk-0123456789abcdef".into());
    assert_eq!(status, "PENDING", "{why}");
    drop(silent);
    let (status, why, _) = api.set_up("openai", &"sk-0123456789abcdef".into());
    assert_eq!(status, "PENDING", "{why}");
    assert!(!why.is_empty());
}

#[test]
fn all_keys_of_a_tenant_are_set_up_from_lines_as_an_environment_file_has_them() {
    let services: Vec<(&str, Upstream)> = KEYS
        .iter()
        .map(|(provider, key, path, header)| {
            let demand = match *header {
                "authorization" => Demand::Bearer((*key).to_owned()),
                name => Demand::Header(name.to_owned(), (*key).to_owned()),
            };
            let service = Upstream::demanding(demand);
            service.answer_with(path, 200, json!({"object": "list"}));
            (*provider, service)
        })
        .collect();
    let moved: Vec<(&str, &Upstream)> = services.iter().map(|(name, service)| (*name, service)).collect();
    let api = Api::with(&moved);
    let lines = format!(
        "# keys of acme\nOPENAI_API_KEY=\"{}\"\nexport GEMINI={}\n\ndeepseek = {}\nANTHROPIC_API_KEY=\n",
        KEYS[0].1, KEYS[1].1, KEYS[2].1
    );
    let words = ["integration", "setup", "genai", "acme_inc", "--json"];
    let done = api.doorward.run(&words, &lines).json();
    assert_eq!(done["success"], true, "{done}");
    assert_eq!(done["providers"].as_array().unwrap().len(), 3, "an empty one is left as it is");
    let status = api.doorward.run(&["integration", "status", "acme_inc", "--json"], "").json();
    assert_eq!(status["providers_configured"], json!(["DEEPSEEK", "GEMINI", "OPENAI"]));
    let wrong = api.doorward.run(&words[..4], "OPENAI=sk-wrong-0123456789\n");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(wrong.stdout.contains("INVALID"), "{wrong:?}");
    for (lines, wanted) in [
        ("GCP={}\n", "stdin:1: the name is none of a language model's provider"),
        ("OPENAI=a\nOPENAI_KEY=b\n", "stdin:2: there is another key for the same provider above"),
        ("sk-pasted-without-a-name\n", "stdin:1: there is no `=`"),
    ] {
        let said = api.doorward.run(&words[..4], lines).failed_with(2);
        assert!(said.contains(wanted) && !said.contains("sk-pasted"), "{said}");
    }
    let nothing = api.doorward.run(&words[..4], "\n").failed_with(1);
    assert!(nothing.contains("no key was given"), "{nothing}");
}

#[test]
fn a_list_of_providers_of_ones_own_counts_after_a_restart_and_a_wrong_one_stops_the_start() {
    let service = Upstream::demanding(Demand::Bearer("co-0123456789".to_owned()));
    service.answer_with("/v1/models", 200, json!({"object": "list"}));
    let api = Api::with(&[("openai", &service)]);
    let list = "providers:\n  COHERE:\n    title: Cohere API Key\n    label: Cohere\n    help: https://cohere.com\n    kind: API_KEY\n    group: genai\n    aliases: [cohere]\n    \
                integration: openai\n    prefixes: [co-]\n    metadata: GenAi\n";
    let api = api.restarted(|doorward| crate::write(doorward.data().join("providers.yaml"), list));
    assert_eq!(api.set_up("Cohere", &"co-0123456789".into()).0, "VALID");
    let listed = api.mine("GET", "integrations/acme_inc", &Value::Null);
    assert_eq!(listed["integrations"].as_object().unwrap().len(), 9);
    let shown = api.doorward.run(&["integration", "show"], "").succeeded();
    assert!(shown.contains("COHERE") && shown.contains("There is no second copy"), "{shown}");
    assert!(api.running.stop().success());
    crate::write(api.doorward.data().join("providers.yaml"), &list.replace("prefixes", "prefixs"));
    let said = api.doorward.run(&["serve", "--addr", "127.0.0.1:0"], "").failed_with(2);
    assert!(said.contains("providers.yaml:") && said.contains("prefixs"), "{said}");
}

#[test]
fn what_is_needed_before_anything_can_be_set_up_is_checked() {
    let api = Api::with(&[]);
    let needed = |api: &Api, place: &str| -> Vec<(String, bool)> {
        let words = ["integration", "debug", "acme_inc", "--api", place, "--json"];
        let debug = api.doorward.run(&words, "").json();
        let all = debug["prerequisites"].as_array().unwrap().iter();
        all.map(|one| (one["name"].as_str().unwrap().to_owned(), one["ok"].as_bool().unwrap())).collect()
    };
    let is = |found: &[(String, bool)], wanted: [bool; 4]| {
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["broker", "api", "key of the tenant", "AWS identity"]);
        assert_eq!(found.iter().map(|(_, ok)| *ok).collect::<Vec<_>>(), wanted, "{found:?}");
    };
    let place = format!("http://{}", api.place());
    is(&needed(&api, &place), [true, true, true, false]);
    for name in ["aws/access_key_id", "aws/secret_access_key"] {
        let _ = api.doorward.run(&["secret", "put", name], "AKIAHOUSEHOUSEHOUSE1").succeeded();
    }
    // Somebody else who answers there is not the API.
    let other = Upstream::start();
    is(&needed(&api, &other.url()), [true, false, true, true]);
    let Api { doorward, running, key, other } = api;
    assert!(running.stop().success());
    let stopped = doorward.run(&["integration", "debug", "acme_inc", "--api", &place], "").succeeded();
    assert!(
        stopped.contains("MISSING: none runs") && stopped.contains("MISSING: nothing that is it answers"),
        "{stopped}"
    );
    assert!(!stopped.contains(&key) && !stopped.contains(&other));
}
