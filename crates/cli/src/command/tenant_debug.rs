//! `doorward integration debug`: what a tenant needs before anything can be set up, every credential that it has or had, and the
//! answers to what people ask who look for what is wrong.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use bigquery::Found;
use model::TenantName;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::failure::Outcome;
use crate::management::Running;
use crate::place;
use crate::print::table::{self, at, cell};

/// One thing that has to be there.
struct Needed {
    name: &'static str,
    there: bool,
    said: String,
}

/// Shows all of it.
pub(crate) fn run(context: &Context, tenant: &TenantName, api: Option<&str>) -> Outcome {
    let api = api.map_or_else(|| of_the_broker(context), |api| Ok(api.to_owned()))?;
    let shown = context.ask("tenant.show", &[("name", tenant.as_str())])?;
    let keys = context.ask("key.list", &[("tenant", tenant.as_str())])?;
    let answered = context.ask("credential.list", &[("tenant", tenant.as_str())])?;
    let rows = at(&answered.value, "credentials").as_array().cloned().unwrap_or_default();
    let several = several(&rows);
    let table = in_bigquery(context, tenant)?;
    let active = at(&keys.value, "keys").as_array().into_iter().flatten();
    let active = active.filter(|key| at(key, "state").as_str() == Some("active")).count();
    let needed = [
        running(context),
        answers(&api, tenant),
        Needed {
            name: "key of the tenant",
            there: active > 0,
            said: match active {
                0 => format!("no key is active: `doorward key create --tenant {tenant}`"),
                count => format!("{count} active"),
            },
        },
        own_aws(context)?,
    ];
    let listed: Vec<Value> = needed
        .iter()
        .map(|Needed { name, there, said }| json!({ "name": name, "ok": there, "note": said }))
        .collect();
    let document = json!({
        "tenant": shown.value, "prerequisites": listed, "active_keys": active, "credentials": rows,
        "several_in_use": several, "bigquery": table,
    });
    context.printer.answer(&document, |document| {
        let needed: Vec<(&str, String)> = needed
            .iter()
            .map(|one| (one.name, format!("{}{}", if one.there { "" } else { "MISSING: " }, one.said)))
            .collect();
        let columns = [
            ("provider", "provider"),
            ("in use", "is_active"),
            ("status", "validation_status"),
            ("name", "credential_name"),
            ("last validated", "last_validated_at"),
            ("last error", "last_error"),
            ("created", "created_at"),
            ("ends", "deactivation_scheduled_at"),
            ("id", "credential_id"),
            ("id in the credential API", "uuid"),
        ];
        let rows = table::of(at(document, "credentials"), &columns, "No credentials.\n");
        let asked =
            table.as_ref().map_or_else(|| questions(&several).to_vec(), |found| of_table(found, &several));
        format!("{}\n{rows}\n{}", table::facts(&needed), table::facts(&asked))
    })
}

/// The questions that people ask, answered.
fn questions(several: &[String]) -> [(&'static str, String); 4] {
    [
        ("rows of the tenant", "those above; what was replaced stays until its end, and its row for ever".to_owned()),
        ("several in use", if several.is_empty() { "none".to_owned() } else { several.join(", ") }),
        (
            "which one counts",
            "the one that is in use; one row of the tenant says it for all providers, so there is nothing to mend".to_owned(),
        ),
        (
            "missing columns",
            "none: the database has the format of this version, or nothing here would have been read".to_owned(),
        ),
    ]
}

/// What the table in BigQuery says beside the store, where credentials are there.
fn in_bigquery(context: &Context, tenant: &TenantName) -> Outcome<Option<Found>> {
    let home = context.home()?;
    let Some(remote) = place::credentials(home)? else { return Ok(None) };
    let storage = place::plain(home)?;
    Ok(Some(bigquery::compare(&*storage, &remote, (&TenantName::local(), tenant))?))
}

/// The same questions, of the table.
fn of_table(found: &Found, in_use: &[String]) -> Vec<(&'static str, String)> {
    let Found { table, rows, missing_columns, several_active, foreign, different, absent, open } = found;
    let or_none = |list: &[String], then: &str| match list {
        [] => "none".to_owned(),
        some => format!("{}{then}", some.join(", ")),
    };
    let different: Vec<String> =
        different.iter().map(|(id, columns)| format!("{id} ({})", columns.join(", "))).collect();
    let missing: Vec<String> = missing_columns.iter().map(|name| (*name).to_owned()).collect();
    let agrees = match (found.agrees(), open) {
        (true, false) => "table and store say the same",
        (true, true) => "yes; something is being written, or is finished with the next write",
        (false, _) => "NO, see below",
    };
    let several = if in_use.is_empty() { several_active } else { in_use };
    vec![
        ("table", format!("`{table}` in BigQuery")),
        ("rows of the tenant", rows.to_string()),
        (
            "several in use",
            or_none(several, ": the next setup of each leaves one; until then the one above counts"),
        ),
        (
            "which one counts",
            "the one that the store says, above; `is_active` in BigQuery repeats it".to_owned(),
        ),
        ("missing columns", or_none(&missing, ": a start of the broker adds them, `doorward serve`")),
        ("rows of others", or_none(foreign, ": not written by this home, and never used")),
        (
            "rows that differ",
            or_none(&different, ": changed by hand; `encrypted_credential` is then refused, set it up again"),
        ),
        ("rows that are gone", or_none(absent, ": set them up again")),
        ("in line", agrees.to_owned()),
    ]
}

/// The providers of which more than one credential is in use.
fn several(rows: &[Value]) -> Vec<String> {
    let mut counted: Map<String, Value> = Map::new();
    for row in rows.iter().filter(|row| at(row, "is_active").as_bool() == Some(true)) {
        let provider = cell(at(row, "provider"));
        let before = counted.get(&provider).and_then(Value::as_u64).unwrap_or_default();
        counted.insert(provider, (before + 1).into());
    }
    counted.iter().filter(|(_, count)| count.as_u64() > Some(1)).map(|(name, _)| name.clone()).collect()
}

fn running(context: &Context) -> Needed {
    let there = context.home().is_ok_and(crate::home::Home::is_served);
    let said = if there { "it runs, and its keys are open" } else { "none runs: `doorward serve`" };
    Needed { name: "broker", there, said: said.to_owned() }
}

/// Where the running broker has its API, else where one is usually.
fn of_the_broker(context: &Context) -> Outcome<String> {
    let status = Running::find(context)?.map(|running| running.status()).transpose()?;
    let place = status.as_ref().and_then(|status| at(status, "doors.api").as_str());
    Ok(place.unwrap_or(USUAL).to_owned())
}

/// Whether the API answers where it should, as it answers somebody without a key.
fn answers(api: &str, tenant: &TenantName) -> Needed {
    let there = unproven(api, tenant).is_some();
    let said = if there {
        format!("it answers at `{api}`")
    } else {
        format!("nothing that is it answers at `{api}`: `doorward serve`, or say where with `--api URL`")
    };
    Needed { name: "api", there, said }
}

/// Asks without a key, which is answered with 401 and what is missing.
fn unproven(api: &str, tenant: &TenantName) -> Option<()> {
    let place = api.strip_prefix("http://")?.trim_end_matches('/');
    let address = place.to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    write!(
        stream,
        "GET /api/v1/integrations/{tenant} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut head = String::new();
    stream.take(MOST).read_to_string(&mut head).ok()?;
    (head.starts_with("HTTP/1.1 401") && head.contains("X-API-Key header is required")).then_some(())
}

/// Whether the house has keys of its own by which it can assume the roles of its customers.
fn own_aws(context: &Context) -> Outcome<Needed> {
    let listed = context.ask("secret.list", &[])?;
    let all = at(&listed.value, "secrets").as_array().cloned().unwrap_or_default();
    let has = |name: &str| all.iter().any(|secret| at(secret, "name").as_str() == Some(name));
    let there = has("aws/access_key_id") && has("aws/secret_access_key");
    let said = if there {
        "the house has one"
    } else {
        "the house has none: `doorward secret put aws/access_key_id` and `doorward secret put aws/secret_access_key`, for customers \
         who give a role instead of keys"
    };
    Ok(Needed { name: "AWS identity", there, said: said.to_owned() })
}

const USUAL: &str = "http://127.0.0.1:8000";
const PATIENCE: Duration = Duration::from_secs(10);
const MOST: u64 = 64 * 1024;
