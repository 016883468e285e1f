//! A real Prometheus behind what asks for the credential: it has none of its own, so it would not notice one that is missing.

use std::process::Command;

use serde_json::json;
use testkit::{Doorward, port};

use super::{Started, done, has, op, record};
use crate::{home, write, write_integration};

const NAME: &str = "tools-prometheus";

fn start(doorward: &Doorward) -> (Started, String) {
    let (at, port) = (doorward.folder(), port());
    write(
        at.join("rules.yml"),
        "groups: [{name: house, rules: [{record: one, expr: vector(1)}, {alert: Always, expr: vector(1)}]}]\n",
    );
    write(
        at.join("prometheus.yml"),
        &format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\n\
             scrape_configs: [{{job_name: self, static_configs: [{{targets: [\"127.0.0.1:{port}\"]}}]}}]\n"
        ),
    );
    let mut command = Command::new("prometheus");
    command.current_dir(at).args(["--config.file=prometheus.yml", "--storage.tsdb.path=series"]);
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    (Started::new(at, "prometheus", command), format!("http://127.0.0.1:{port}"))
}

#[test]
fn prometheus_answers_queries_rules_and_mistakes() {
    if !has("prometheus", NAME) {
        return;
    }
    let doorward = home();
    let token = doorward.plant("prometheus");
    let (mut server, url) = start(&doorward);
    write_integration(
        &doorward,
        &format!("name: numbers\nextends: prometheus\nbase_url: {url}\ndangerous_allow_private: true\n"),
    );
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "numbers/token"], &token).succeeded();
    let ready = || doorward.run(&["op", "run", "--json", "numbers.query", "--input", "query=one"], "");
    server.until("prometheus", || ready().stdout.contains("\"results\":\"1\""));

    let told = done(&doorward, "numbers.query", &[("query", "one + 1")]);
    assert_eq!(told["output"]["data"]["result"][0]["value"][1], "2");
    assert_eq!((&told["used"], &told["status"]), (&json!("http"), &json!(200)));
    let fields = &told["evidence_fields"];
    assert_eq!((&fields["type"], &fields["results"]), (&json!("vector"), &json!("1")));
    assert!(fields["time"].as_str().unwrap().ends_with("GMT"), "{fields}");
    assert!(record(&doorward, &told).contains("results=1"));
    let told = done(&doorward, "numbers.rules.list", &[]);
    assert_eq!(told["evidence_fields"]["rules"], "one Always");
    let range = [
        ("query", "one"),
        ("start", "2020-01-01T00:00:00Z"),
        ("end", "2020-01-01T01:00:00Z"),
        ("step", "60"),
    ];
    assert_eq!(done(&doorward, "numbers.query.range", &range)["evidence_fields"]["results"], "0");

    let (told, was_done) = op(&doorward, "numbers.query", &[("query", "up{")]);
    assert!(!was_done && told["output"]["errorType"] == "bad_data", "{told}");
    assert!(record(&doorward, &told).contains("failed"));
    doorward.assert_no_canary();
}
