//! The command lines of the page that people already use, unchanged.

use std::process::Command;

use serde_json::{Value, json};
use testkit::vendor::BigQuery;
use testkit::{Demand, Upstream};

use crate::credential_api::{Api, moved};

/// As they stand on that page; `{org_slug}`, the path of the file and the key are filled in, as the page says.
const COMMANDS: [&str; 4] = [
    r#"# Read SA JSON file
SA_JSON=$(cat /path/to/service-account.json | jq -c .)

# Setup via API
curl -X POST "http://localhost:8000/api/v1/integrations/{org_slug}/gcp/setup" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: $ORG_API_KEY" \
  -d "{
    \"credential\": $SA_JSON,
    \"credential_name\": \"GCP Production SA\"
  }"
"#,
    r#"curl -X POST "http://localhost:8000/api/v1/integrations/{org_slug}/openai/setup" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: $ORG_API_KEY" \
  -d '{
    "credential": "sk-...",
    "credential_name": "OpenAI Production Key"
  }'
"#,
    r#"curl -X POST "http://localhost:8000/api/v1/integrations/{org_slug}/{provider}/validate" \
  -H "X-API-Key: $ORG_API_KEY"
"#,
    r#"curl -X DELETE "http://localhost:8000/api/v1/integrations/{org_slug}/{provider}" \
  -H "X-API-Key: $ORG_API_KEY"
"#,
];

#[test]
fn the_four_command_lines_of_the_page_do_what_it_says() {
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !there("curl") || !there("jq") {
        crate::skip("tenants.curl", "curl or jq is not installed");
        return;
    }
    let google = BigQuery::start();
    let account =
        google.account("robot@acme-prod.example", "acme-prod", "https://oauth2.googleapis.com/token");
    let openai = Upstream::demanding(Demand::Bearer("sk-0123456789abcdef".to_owned()));
    openai.answer_with("/v1/models", 200, json!({"object": "list"}));
    let auth = format!(
        "auth: [{{scheme: google_service_account, key: key, scope: \"https://www.googleapis.com/auth/bigquery\", token_url: \"{}/token\"}}]\n",
        google.url()
    );
    let files =
        [moved("bigquery", &google.url(), &auth), moved("openai", &format!("{}/json", openai.url()), "")];
    let api = Api::laid(&files, "", &[]);
    let folder = api.doorward.folder();
    let file = folder.join("service-account.json");
    crate::write(&file, &serde_json::to_string_pretty(&account).unwrap());
    // Port 8000 of the page is another one here; nothing else of it is.
    crate::write(
        folder.join(".curlrc"),
        &format!("silent\nconnect-to = \"localhost:8000:{}\"\n", api.place()),
    );
    let run = |command: &str, provider: &str| -> Value {
        let command = command
            .replace("{org_slug}", "acme_inc")
            .replace("{provider}", provider)
            .replace("/path/to/service-account.json", &file.display().to_string())
            .replace("sk-...", "sk-0123456789abcdef");
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(command)
            .env("ORG_API_KEY", &api.key)
            .env("HOME", folder)
            .env("CURL_HOME", folder);
        let output = shell.output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    };
    let [gcp, key, validate, delete] = COMMANDS;
    let said = run(gcp, "gcp");
    assert_eq!((&said["success"], &said["validation_status"]), (&true.into(), &"VALID".into()), "{said}");
    assert_eq!(run(key, "openai")["validation_status"], "VALID");
    let shown = api.mine("GET", "integrations/acme_inc/gcp", &Value::Null);
    assert_eq!(shown["credential_name"], "GCP Production SA");
    assert_eq!(run(validate, "gcp")["validation_status"], "VALID");
    assert_eq!(run(validate, "openai")["validation_status"], "VALID");
    assert_eq!(run(delete, "openai")["message"], "OPENAI integration deleted");
    assert_eq!(run(delete, "gcp")["success"], true);
    assert_eq!(api.mine("GET", "integrations/acme_inc/gcp", &Value::Null)["status"], "NOT_CONFIGURED");
}
