//! Credentials of tenants in a table of BigQuery, through the binary, against an emulator that carries out real statements. In front of it
//! stands what the emulator does not do: who may, quotas, slow jobs, answers that are lost, processes that are killed.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::vendor::{BigQuery, Mishap};
use testkit::{Demand, Doorward, Upstream, port};

use crate::credential_api::{Api, Said, moved};
use crate::place::BIGQUERY;
use crate::tools::{Started, installed};
use crate::{home, write};

const PROJECT: &str = "saas-prod";
const ACCOUNT: &str = "doorward@saas-prod.iam.gserviceaccount.com";
const TABLE: &str = "organizations.org_integration_credentials";

/// A BigQuery, and a home that keeps credentials there.
struct House {
    bigquery: BigQuery,
    emulator: String,
    openai: Upstream,
    folder: tempfile::TempDir,
    _server: Started,
}

impl House {
    fn start() -> Option<Self> {
        let installed = installed(BIGQUERY, "bigquery")?;
        let folder = tempfile::tempdir().unwrap();
        let (rest, grpc) = (port(), port());
        let mut command = Command::new(installed.join("venv/bin/python"));
        command.arg(installed.join("emulator.py")).args([rest.to_string(), grpc.to_string()]);
        command.current_dir(folder.path());
        let mut server = Started::new(folder.path(), "emulator", command);
        let emulator = format!("127.0.0.1:{rest}");
        server.until("the emulator", || std::net::TcpStream::connect(&emulator).is_ok());
        let bigquery = BigQuery::in_front_of(emulator.parse().unwrap());
        let openai = Upstream::demanding(Demand::Bearer(KEY.to_owned()));
        openai.answer_with("/v1/models", 200, json!({"object": "list", "data": []}));
        Some(Self { bigquery, emulator, openai, folder, _server: server })
    }

    /// A home with tenants and their keys that keeps credentials in this project.
    fn api(&self, project: &str) -> Api {
        let doorward = home();
        let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
        self.dress(&doorward, project);
        crate::write_integration(&doorward, &moved("openai", &format!("{}/json", self.openai.url()), ""));
        Api::in_home(doorward)
    }

    fn dress(&self, doorward: &Doorward, project: &str) {
        let key = self.bigquery.account(ACCOUNT, project, "http://127.0.0.1:1/nobody");
        // Outside of the home, in which no canary may be: it is one.
        let file: PathBuf = self.folder.path().join(format!("{project}.json"));
        write(&file, &key.to_string());
        write(
            doorward.data().join("settings.toml"),
            &format!(
                "[store.credentials]\nurl = \"bigquery://{project}/organizations?location=EU\"\nendpoint = \"{}\"\nkey = \"file:{}\"\n",
                self.bigquery.url(),
                file.display()
            ),
        );
        write(
            doorward.data().join("sources.toml"),
            &format!("[gcp]\ntoken_endpoint = \"{}/token\"\n", self.bigquery.url()),
        );
    }

    /// What somebody with rights of their own does there, past Doorward.
    #[track_caller]
    fn by_hand(&self, project: &str, statement: &str) -> Vec<Vec<Value>> {
        let body = json!({ "query": statement, "useLegacySql": false, "timeoutMs": 60_000 }).to_string();
        let said = self.emulator("POST", &format!("/bigquery/v2/projects/{project}/queries"), &body);
        assert!(said.get("errors").is_none_or(Value::is_null), "{statement}: {said}");
        let rows = said["rows"].as_array().cloned().unwrap_or_default();
        let cells = |row: &Value| row["f"].as_array().unwrap().iter().map(|cell| cell["v"].clone()).collect();
        rows.iter().map(cells).collect()
    }

    #[track_caller]
    fn emulator(&self, method: &str, path: &str, body: &str) -> Value {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(&self.emulator).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: e\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {text}");
        serde_json::from_str(body).unwrap()
    }

    /// The rows of a tenant as they stand in the table: id, provider, status, whether active, and how long its bytes are.
    #[track_caller]
    fn rows(&self, project: &str, tenant: &str) -> Vec<Vec<Value>> {
        self.by_hand(
            project,
            &format!(
                "SELECT credential_id, provider, validation_status, is_active, LENGTH(encrypted_credential) FROM \
                 `{project}.{TABLE}` WHERE org_slug = '{tenant}' ORDER BY created_at, credential_id"
            ),
        )
    }

    /// Those that are active and have bytes.
    #[track_caller]
    fn active(&self, project: &str, tenant: &str) -> Vec<String> {
        let rows = self.rows(project, tenant).into_iter();
        let active = rows.filter(|row| row[3] == "true" && row[4] != "0");
        active.map(|row| row[0].as_str().unwrap().to_owned()).collect()
    }
}

#[track_caller]
fn debug(doorward: &Doorward) -> Value {
    doorward.run(&["integration", "debug", "acme_inc", "--json"], "").json()["bigquery"].clone()
}

/// Waits until nothing is being written, and looks that table and store say the same.
#[track_caller]
fn agrees(doorward: &Doorward) {
    let until = Instant::now() + crate::HANG;
    let found = loop {
        let found = debug(doorward);
        if found["open"] == json!(false) || Instant::now() > until {
            break found;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    for list in ["missing_columns", "several_active", "foreign", "absent"] {
        assert_eq!(found[list], json!([]), "{found}");
    }
    assert_eq!((&found["different"], &found["open"]), (&json!({}), &json!(false)), "{found}");
}

fn setup(api: &Api, credential: &str, skip: bool) -> Said {
    let body = json!({"credential": credential, "credential_name": "Production", "skip_validation": skip});
    api.ask(Some(&api.key), "POST", "integrations/acme_inc/openai/setup", &body)
}

#[expect(clippy::too_many_lines, reason = "one story, on a server that takes seconds to start")]
#[test]
fn a_table_in_bigquery_is_made_filled_mended_and_compared() {
    let Some(house) = House::start() else { return };
    let api = house.api(PROJECT);
    let secret = testkit::canary::plant("sk-bigquery");
    api.doorward.watch(&secret);
    agrees(&api.doorward);

    // One whose provider is asked, and one for which nobody is.
    let Said(status, _, said) = setup(&api, KEY, false);
    assert_eq!((status, &said["validation_status"]), (200, &json!("VALID")), "{said}");
    let first = in_table(&said["credential_id"]);
    let rows = house.rows(PROJECT, "acme_inc");
    assert_eq!(rows[0][..4], [json!(first), json!("OPENAI"), json!("VALID"), json!("true")]);
    agrees(&api.doorward);
    let other = json!({"credential": format!("sk-{secret}"), "skip_validation": true});
    let Said(status, _, said) =
        api.ask(Some(&api.key), "POST", "integrations/acme_inc/deepseek/setup", &other);
    assert_eq!(status, 200, "{said}");

    // Another one takes its place: the one before is not active any more, in the store and in the table.
    let Said(_, _, said) = setup(&api, KEY, false);
    let second = in_table(&said["credential_id"]);
    let active = house.active(PROJECT, "acme_inc");
    assert!(active.contains(&second) && active.len() == 2 && !active.contains(&first), "{active:?}");
    agrees(&api.doorward);

    // What is used comes from there: after a restart nothing of it is in memory, and the provider takes it.
    let api = api.restarted(|_| {});
    let asked = house.openai.requests().len();
    let said = api.mine("POST", "integrations/acme_inc/openai/validate", &Value::Null);
    assert_eq!((&said["validation_status"], house.openai.requests().len()), (&json!("VALID"), asked + 1));

    // Ciphertext of another row is not taken for it, nor a row that somebody put in.
    house.by_hand(
        PROJECT,
        &format!(
            "UPDATE `{PROJECT}.{TABLE}` SET encrypted_credential = (SELECT encrypted_credential FROM `{PROJECT}.{TABLE}` \
             WHERE provider = 'DEEPSEEK' LIMIT 1) WHERE credential_id = '{second}'"
        ),
    );
    house.by_hand(
        PROJECT,
        &format!(
            "INSERT INTO `{PROJECT}.{TABLE}` (credential_id, org_slug, provider, encrypted_credential, credential_type, \
             validation_status, is_active, created_at) VALUES ('by-hand', 'acme_inc', 'OPENAI', b'sk-by-hand', 'API_KEY', 'VALID', TRUE, \
             TIMESTAMP_MICROS(1))"
        ),
    );
    let api = api.restarted(|_| {});
    let found = debug(&api.doorward);
    assert_eq!(found["foreign"], json!(["by-hand"]), "{found}");
    assert_eq!(found["several_active"], json!(["OPENAI"]), "{found}");
    assert_eq!(found["different"][&second], json!(["encrypted_credential"]), "{found}");
    let shown = api.doorward.run(&["integration", "debug", "acme_inc"], "").succeeded();
    assert!(shown.contains("by-hand: not written by this home, and never used"), "{shown}");
    let asked = house.openai.requests().len();
    let said = api.mine("POST", "integrations/acme_inc/openai/validate", &Value::Null);
    assert_ne!(said["validation_error"], Value::Null, "{said}");
    assert_eq!(house.openai.requests().len(), asked, "nothing was sent");

    // The next setup puts it right: one is active, whoever else said so.
    let Said(_, _, said) = setup(&api, KEY, false);
    let third = in_table(&said["credential_id"]);
    assert_eq!(said["validation_status"], "VALID", "{said}");
    assert_eq!(debug(&api.doorward)["several_active"], json!([]));
    assert!(house.active(PROJECT, "acme_inc").contains(&third));

    // Deleted: the row stays, its bytes don't.
    let _ = api.mine("DELETE", "integrations/acme_inc/openai", &Value::Null);
    let rows = house.rows(PROJECT, "acme_inc");
    let left: Vec<_> = rows.iter().filter(|row| row[1] == "OPENAI" && row[0] != "by-hand").collect();
    assert!(left.len() == 3 && left.iter().all(|row| row[3] == "false" && row[4] == "0"), "{rows:?}");

    // Another data key: the rows are sealed anew, and still open.
    let _ = setup(&api, KEY, true);
    let before = house.by_hand(
        PROJECT,
        &format!("SELECT TO_HEX(encrypted_credential) FROM `{PROJECT}.{TABLE}` WHERE is_active"),
    );
    let _ = api.doorward.run(&["tenant", "rotate-key", "acme_inc"], "").succeeded();
    let after = house.by_hand(
        PROJECT,
        &format!("SELECT TO_HEX(encrypted_credential) FROM `{PROJECT}.{TABLE}` WHERE is_active"),
    );
    assert!(before.len() == 2 && after.len() == 2 && before.iter().all(|row| !after.contains(row)));
    let said = api.mine("POST", "integrations/acme_inc/openai/validate", &Value::Null);
    assert_eq!(said["validation_status"], "VALID", "{said}");

    // Neither the table nor what was sent there has any of it in the clear.
    let sent: Vec<u8> = house.bigquery.calls().iter().flat_map(|call| call.body.to_vec()).collect();
    testkit::canary::assert_free_of(&sent, &secret, "what was sent to BigQuery");
    testkit::canary::assert_free_of(&sent, KEY, "what was sent to BigQuery");
    let _ = api.doorward.run(&["tenant", "erase", "acme_inc", "--yes"], "").succeeded();
    assert!(house.rows(PROJECT, "acme_inc").iter().all(|row| row[0] == "by-hand" || row[4] == "0"));
    assert!(api.running.stop().success());
    let _ = api.doorward.run(&["evidence", "verify"], "").succeeded();
    api.doorward.assert_no_canary();
}

#[test]
fn what_bigquery_refuses_or_does_not_answer_is_a_refusal_and_never_a_half() {
    let Some(house) = House::start() else { return };
    let api = house.api(PROJECT);
    let Said(_, _, said) = setup(&api, KEY, false);
    let kept = in_table(&said["credential_id"]);
    let refused = [
        ("MERGE", Mishap::Refused(403, "accessDenied")),
        ("MERGE", Mishap::Refused(403, "quotaExceeded")),
        ("MERGE", Mishap::Refused(404, "notFound")),
        ("MERGE", Mishap::Refused(400, "invalidQuery")),
        // It was done, and nobody knows.
        ("MERGE", Mishap::Lost(403, "backendError")),
    ];
    for (words, mishap) in refused {
        house.bigquery.next(words, mishap);
        let Said(status, _, said) = setup(&api, KEY, true);
        assert_eq!(status, 503, "{mishap:?}: {said}");
        assert!(!said.to_string().contains("CANARY"), "nothing that BigQuery says is repeated: {said}");
        assert_eq!(house.bigquery.mishaps_left(), 0, "{mishap:?}");
        // The next write brings the table in line first. This one changes what stands beside the credential.
        let said = api.mine(
            "PUT",
            "integrations/acme_inc/openai",
            &json!({"credential_name": format!("{mishap:?}")}),
        );
        assert_eq!(in_table(&said["credential_id"]), kept, "the one before stays: {said}");
        assert_eq!(house.active(PROJECT, "acme_inc"), std::slice::from_ref(&kept), "{mishap:?}");
        agrees(&api.doorward);
    }
    // What passes is waited for: one that is too busy twice, a job that is looked at three times.
    house.bigquery.next("MERGE", Mishap::Refused(429, "rateLimitExceeded"));
    house.bigquery.next("MERGE", Mishap::Lost(503, "backendError"));
    house.bigquery.next("UNIX_MICROS", Mishap::Slow(3));
    let Said(status, _, said) = setup(&api, KEY, true);
    assert_eq!((status, house.bigquery.mishaps_left()), (200, 0), "{said}");
    let kept = in_table(&said["credential_id"]);
    assert_eq!(house.active(PROJECT, "acme_inc"), std::slice::from_ref(&kept));
    agrees(&api.doorward);

    // Out of reach: nothing is set up, nothing deleted, nothing lost; what needs no BigQuery goes on.
    house.bigquery.answer_instead(503, None);
    let Said(status, _, said) = setup(&api, KEY, true);
    assert_eq!(status, 503, "{said}");
    let Said(status, _, said) =
        api.ask(Some(&api.key), "DELETE", "integrations/acme_inc/openai", &Value::Null);
    assert_eq!(status, 503, "{said}");
    let shown = api.mine("GET", "integrations/acme_inc/openai", &Value::Null);
    assert_eq!(shown["status"], "PENDING", "{shown}");
    let api = api.restarted(|_| {});
    house.bigquery.recover();
    assert_eq!(house.active(PROJECT, "acme_inc"), [kept]);
    let said = api.mine("POST", "integrations/acme_inc/openai/validate", &Value::Null);
    assert_eq!(said["validation_status"], "VALID", "{said}");
    agrees(&api.doorward);
    assert!(api.running.stop().success());
    // Settings that say something else are no way around it.
    let settings = api.doorward.data().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    for (other, says) in [
        ("", "its settings name none"),
        (&*text.replace("/organizations", "/others"), "others.org_integration_credentials"),
    ] {
        write(&settings, other);
        let failed = api.doorward.run(&["serve", "--addr", "127.0.0.1:0"], "").failed_with(1);
        assert!(failed.contains(&format!("`{PROJECT}.{TABLE}`")) && failed.contains(says), "{failed}");
    }
}

#[test]
fn a_column_that_is_missing_is_added_and_one_of_another_type_stops_the_start_and_is_named() {
    let Some(house) = House::start() else { return };
    a_missing_column_is_added(&house);
    for (column, kind, said) in [
        (
            "is_active",
            "STRING",
            "the column `is_active` of `saas-prod.organizations.org_integration_credentials` is STRING, and BOOL is needed",
        ),
        ("metadata", "STRING", "is STRING, and JSON is needed"),
    ] {
        let doorward = home();
        let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
        house.dress(&doorward, PROJECT);
        let dataset = json!({"datasetReference": {"projectId": PROJECT, "datasetId": "organizations"}, "location": "EU"});
        let table = json!({
            "tableReference": {"projectId": PROJECT, "datasetId": "organizations", "tableId": "org_integration_credentials"},
            "schema": {"fields": [{"name": column, "type": kind, "mode": "NULLABLE"}]},
        });
        let datasets = format!("/bigquery/v2/projects/{PROJECT}/datasets");
        if column == "is_active" {
            let _ = house.emulator("POST", &datasets, &dataset.to_string());
        } else {
            house.by_hand(PROJECT, &format!("DROP TABLE `{PROJECT}.{TABLE}`"));
        }
        let _ = house.emulator("POST", &format!("{datasets}/organizations/tables"), &table.to_string());
        let failed = doorward.run(&["serve", "--addr", "127.0.0.1:0"], "").failed_with(1);
        assert!(failed.contains(said), "{failed}");
    }
}

/// A table of an earlier time: one column is not there, and a row that somebody else wrote is.
fn a_missing_column_is_added(house: &House) {
    const OLD: &str = "saas-old";
    let doorward = home();
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    house.dress(&doorward, OLD);
    let datasets = format!("/bigquery/v2/projects/{OLD}/datasets");
    let dataset =
        json!({"datasetReference": {"projectId": OLD, "datasetId": "organizations"}, "location": "EU"});
    let _ = house.emulator("POST", &datasets, &dataset.to_string());
    let columns = "credential_id org_slug provider credential_name credential_type validation_status last_error created_by_user_id \
                   updated_by_user_id default_x_hierarchy_entity_id default_x_hierarchy_entity_name default_x_hierarchy_level_code \
                   default_x_hierarchy_path default_x_hierarchy_path_names";
    let mut fields: Vec<Value> =
        columns.split_whitespace().map(|name| json!({"name": name, "type": "STRING"})).collect();
    for name in ["last_validated_at", "created_at", "updated_at", "expires_at"] {
        fields.push(json!({"name": name, "type": "TIMESTAMP"}));
    }
    fields.push(json!({"name": "encrypted_credential", "type": "BYTES"}));
    fields.push(json!({"name": "is_active", "type": "BOOLEAN"}));
    fields.push(json!({"name": "metadata", "type": "JSON"}));
    let table = json!({
        "tableReference": {"projectId": OLD, "datasetId": "organizations", "tableId": "org_integration_credentials"},
        "schema": {"fields": fields},
    });
    let _ = house.emulator("POST", &format!("{datasets}/organizations/tables"), &table.to_string());
    let _ = doorward.run(&["tenant", "create", "acme_inc"], "").succeeded();
    assert_eq!(debug(&doorward)["missing_columns"], json!(["deactivation_scheduled_at"]));
    let mut serve = doorward.command();
    serve.args(["serve", "--json", "--addr", "127.0.0.1:0"]);
    let running = doorward.start(serve);
    let rows = house.by_hand(OLD, &format!("SELECT deactivation_scheduled_at FROM `{OLD}.{TABLE}`"));
    assert!(rows.is_empty(), "it is there, and so is nothing else");
    assert!(running.stop().success());
}

#[test]
fn a_broker_that_is_killed_between_the_two_leaves_them_to_agree() {
    let Some(house) = House::start() else { return };
    let mut api = house.api(PROJECT);
    let Said(_, _, said) = setup(&api, KEY, true);
    let kept = in_table(&said["credential_id"]);
    let moments: [fn(u32) -> Mishap; 3] = [Mishap::KilledBefore, Mishap::KilledAndLate, Mishap::KilledAfter];
    for (moment, words) in
        moments.iter().flat_map(|moment| ["MERGE", "UNIX_MICROS"].map(|words| (moment, words)))
    {
        let mishap = moment(api.running.pid());
        house.bigquery.next(words, mishap);
        api = killed_in_setup(api);
        assert_eq!(house.bigquery.mishaps_left(), 0, "{mishap:?}");
        // The start brought the table in line; what arrives late changes nothing.
        agrees(&api.doorward);
        let before = house.rows(PROJECT, "acme_inc");
        let _late = house.bigquery.late();
        assert_eq!(house.rows(PROJECT, "acme_inc"), before, "{mishap:?}");
        assert_eq!(
            house.active(PROJECT, "acme_inc"),
            std::slice::from_ref(&kept),
            "{mishap:?}: nobody was told of another one"
        );
        let said = api.mine("POST", "integrations/acme_inc/openai/validate", &Value::Null);
        assert_eq!(said["validation_status"], "VALID", "{said}");
    }
    // A deletion goes to its end: what may be gone there is gone here.
    for moment in moments {
        let Said(_, _, said) = setup(&api, KEY, true);
        assert_eq!(said["validation_status"], "PENDING", "{said}");
        // The first statement takes it out of use, the second removes its bytes.
        house.bigquery.next("\"\"", moment(api.running.pid()));
        api = killed_in(api, "DELETE", "integrations/acme_inc/openai", &Value::Null);
        let _late = house.bigquery.late();
        let _ = api.mine("DELETE", "integrations/acme_inc/openai", &Value::Null);
        agrees(&api.doorward);
        assert!(house.rows(PROJECT, "acme_inc").iter().all(|row| row[3] == "false" && row[4] == "0"));
    }
    assert!(api.running.stop().success());
    let _ = api.doorward.run(&["evidence", "verify"], "").succeeded();
}

fn killed_in_setup(api: Api) -> Api {
    let body = json!({"credential": KEY, "skip_validation": true});
    killed_in(api, "POST", "integrations/acme_inc/openai/setup", &body)
}

/// Asks for something in which the broker is killed, and starts it again.
fn killed_in(api: Api, method: &str, path: &str, body: &Value) -> Api {
    let (place, key) = (api.place(), api.key.clone());
    let asked = std::thread::scope(|threads| {
        let asked = threads.spawn(|| crate::credential_api::ask(&place, Some(&key), (method, path), body));
        asked.join()
    });
    assert!(asked.is_err(), "it was killed before it answered");
    let Api { doorward, running, key, other } = api;
    let _status = running.kill9();
    Api::again(doorward, key, other)
}

const KEY: &str = "sk-0123456789-CANARY-abcdef";

/// The id of a credential as it stands in the table, for the UUID by which the credential API calls it: the same bits.
fn in_table(uuid: &Value) -> String {
    let digits = uuid.as_str().unwrap().replace('-', "");
    let bits = u128::from_str_radix(&digits, 16).unwrap();
    model::CredentialId::from_bytes(bits.to_be_bytes()).to_string()
}
