//! What the library makes of an agent that is away, slow, wrong or unwilling: `clients/conformance/faults.json`.

mod replay;

use serde_json::{Value, json};

fn play(scenario: &Value) {
    let mut scripted = replay::Scripted::play(scenario);
    let agent = replay::agent(&scripted.path, scenario["timeout"].as_f64().unwrap_or(120.0));
    for step in scenario["calls"].as_array().unwrap() {
        let name = step["call"].as_str().unwrap();
        let found = replay::outcome(&agent, name, step.get("args").unwrap_or(&json!({})));
        match step.get("error") {
            Some(error) => replay::agrees(&json!({ "error": error }), &found, name),
            None => {
                assert_eq!(found.get("error"), None, "{name}");
                replay::agrees(&step["expect"], &found, name);
            }
        }
        if let Some(word) = step["then"].as_str() {
            scripted.wait(word);
        }
    }
    agent.close();
    let got = scripted.end();
    assert_eq!(got["wrong"], json!([]), "{}", scenario["name"]);
    assert_eq!(got["messages"], scenario["received"], "{}", scenario["name"]);
}

#[test]
fn every_scenario_of_the_script_ends_as_it_says() {
    let script = replay::read("faults.json");
    for scenario in script["scenarios"].as_array().unwrap() {
        println!("{}", scenario["name"]);
        play(scenario);
    }
}
