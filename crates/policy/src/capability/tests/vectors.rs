//! The tokens that the client libraries are tested with, `clients/conformance/tokens.json`: what they read, refuse, narrow
//! and check is what this crate reads, refuses, narrows and checks.

use crypto::MacKey;
use model::{Access, CapabilityId, Proof};
use serde_json::Value;

use super::super::{Token, verify};
use crate::Caveat;
use crate::caveat::Asked;
use crate::tests::Ask;

fn script() -> Value {
    serde_json::from_str(include_str!("../../../../../clients/conformance/tokens.json")).unwrap()
}

fn each(name: &str) -> Vec<Value> {
    script()[name].as_array().unwrap().clone()
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    crypto::from_hex(hex).unwrap().try_into().unwrap()
}

fn token(case: &Value) -> Token {
    let text = case["token"].as_str().unwrap();
    Token::parse(text).unwrap_or_else(|error| panic!("{error}: {case}"))
}

fn caveats(case: &Value) -> Result<Vec<Caveat>, serde_json::Error> {
    serde_json::from_value(case["caveats"].clone())
}

#[test]
fn clients_read_the_tokens_that_the_broker_makes() {
    let root = MacKey::new(bytes(script()["root_key"].as_str().unwrap()));
    for case in each("read") {
        let token = token(&case);
        assert!(verify(&token, &root).is_ok(), "{case}");
        let described = serde_json::to_value(token.describe()).unwrap();
        for key in ["tenant", "grant", "blocks"] {
            assert_eq!(described[key], case[key], "{case}");
        }
    }
}

#[test]
fn clients_refuse_what_the_broker_refuses() {
    for case in each("refuse") {
        assert!(Token::parse(case["token"].as_str().unwrap()).is_err(), "{}", case["why"]);
    }
}

#[test]
fn clients_narrow_to_the_bytes_of_the_broker_and_not_wider() {
    for case in each("narrow") {
        let id = CapabilityId::from_bytes(bytes(case["id"].as_str().unwrap()));
        let narrowed = match caveats(&case) {
            Ok(caveats) => token(&case).narrow(&caveats, id).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match narrowed {
            Ok(child) => {
                assert_eq!(child.expose(str::to_owned), case["text"].as_str().unwrap_or("an error"), "{case}")
            }
            Err(error) => {
                assert!(error.contains(case["error"].as_str().unwrap_or("a token")), "{error}: {case}")
            }
        }
    }
}

/// `secret:/slack/token` is `store:slack/token` in the catalogue.
fn stored(name: &Value) -> &'static str {
    name.as_str().unwrap().replace("secret:/", "store:").leak()
}

/// The call of a case. Texts of a test live as long as the test.
fn ask(facts: &Value) -> Ask {
    let fact = |key: &str| facts[key].as_str().map(|text| &*text.to_owned().leak());
    let named = |key: &str| fact(key).unwrap();
    let inputs = facts["inputs"].as_object().unwrap().iter();
    let leaked = |text: &str| &*text.to_owned().leak();
    Ask {
        integration: named("integration"),
        operation: named("operation"),
        access: if named("access") == "write" { Access::Write } else { Access::Read },
        resource: named("resource"),
        request: fact("method").zip(fact("host")).zip(fact("path")).map(|((a, b), c)| (a, b, c)),
        inputs: inputs.map(|(name, value)| (leaked(name), leaked(value.as_str().unwrap()))).collect(),
        now: named("now").parse::<model::Timestamp>().unwrap().millis(),
        address: fact("address").map(|text| text.parse().unwrap()),
        environment: fact("environment"),
        purpose: fact("purpose"),
        uid: facts["uid"].as_u64().map(|uid| u32::try_from(uid).unwrap()),
        cgroup: fact("cgroup"),
        key: fact("key").map(bytes),
        secrets: facts["secrets"].as_array().into_iter().flatten().map(stored).collect(),
        ..Ask::default()
    }
}

#[test]
fn clients_check_calls_as_the_broker_does() {
    for case in each("check") {
        let ask = ask(&case["facts"]);
        let (caller, call) = (ask.caller("ada", Proof::Kernel), ask.call());
        let asked = Asked { caller: &caller, call: &call, now: ask.now() };
        let token = token(&case);
        let broken = token
            .blocks()
            .iter()
            .flat_map(|block| &block.caveats)
            .find(|caveat| caveat.check(&asked).is_err());
        assert_eq!(broken.map(Caveat::kind), case["broken"].as_str(), "{case}");
    }
}
