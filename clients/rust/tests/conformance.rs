//! The scripts of `clients/conformance`, against the real agent that `house.py` starts.

mod replay;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use doorward_client::Agent;
use doorward_client::token::{Caveat, Token};
use serde_json::{Value, json};

/// A script under way: what was kept of its answers.
struct Script {
    agent: Agent,
    kept: BTreeMap<String, Value>,
}

impl Script {
    fn play(&mut self, step: &Value) {
        if let Some(word) = step["agent"].as_str() {
            control(word);
        } else if step["token"].is_string() {
            self.narrow(step);
        } else if let Some(times) = step["parallel"].as_u64() {
            self.parallel(step, times);
        } else {
            let name = step["call"].as_str().unwrap();
            let found =
                replay::outcome(&self.agent, name, &self.filled(step.get("args").unwrap_or(&json!({}))));
            self.expect(step, &found, name);
        }
    }

    fn expect(&mut self, step: &Value, found: &Value, place: &str) {
        match step.get("error") {
            Some(error) => replay::agrees(&json!({ "error": error }), found, place),
            None => {
                assert_eq!(found.get("error"), None, "{place}");
                replay::agrees(&self.filled(&step["expect"]), found, place);
            }
        }
        for (name, path) in step["keep"].as_object().into_iter().flatten() {
            let value = path.as_str().unwrap().split('.').fold(found, |value, part| &value[part]);
            self.kept.insert(name.clone(), value.clone());
        }
    }

    fn narrow(&self, step: &Value) {
        let text = self.filled(&step["token"]);
        let caveats =
            step["narrow"].as_array().unwrap().iter().map(|written| Caveat::of_json(written).unwrap());
        let child = Token::parse(text.as_str().unwrap()).unwrap().narrow(&caveats.collect::<Vec<_>>());
        match step["error"]["contains"].as_str() {
            Some(words) => assert!(child.unwrap_err().to_string().contains(words)),
            None => assert_eq!(json!(child.unwrap().blocks().len()), step["blocks"]),
        }
    }

    fn parallel(&self, step: &Value, times: u64) {
        let (name, args) = (step["call"].as_str().unwrap(), self.filled(&step["args"]));
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        thread::scope(|scope| {
            let begun: Vec<_> =
                (0..times).map(|_| scope.spawn(|| replay::outcome(&self.agent, name, &args))).collect();
            for one in begun {
                let found = one.join().unwrap();
                *counts.entry(found["status"].as_str().unwrap_or("error").to_owned()).or_default() += 1;
            }
        });
        assert_eq!(json!(counts), step["counts"], "{name}");
    }

    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => self.kept[name].clone(),
                None => value.clone(),
            },
            Value::Array(list) => list.iter().map(|each| self.filled(each)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, member)| (key.clone(), self.filled(member))).collect()
            }
            other => other.clone(),
        }
    }
}

/// Stops or starts the agent.
fn control(word: &str) {
    let path = std::env::var_os("DOORWARD_CONTROL").unwrap();
    let mut line = UnixStream::connect(path).unwrap();
    writeln!(line, "{word}").unwrap();
    let mut answer = String::new();
    BufReader::new(line).read_line(&mut answer).unwrap();
    assert_eq!(answer, "done\n");
}

#[test]
fn the_scripts_hold_against_a_real_agent() {
    let Some(path) = std::env::var_os("VAULT_AGENT_SOCKET_PATH") else {
        println!("not made: clients/conformance/house.py starts the agent for it");
        return;
    };
    for name in replay::read("replayed.json")["scripts"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        let agent = replay::agent(path.as_ref(), 20.0);
        let mut script = Script { agent, kept: BTreeMap::new() };
        for (at, step) in replay::read(name)["steps"].as_array().unwrap().iter().enumerate() {
            println!("{name}, step {}", at + 1);
            script.play(step);
        }
    }
}
