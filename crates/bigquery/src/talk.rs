//! Statements: asked with parameters, waited for within a limit, read page by page.
//!
//! Source: the REST reference of BigQuery v2 (`jobs.query`, `jobs.getQueryResults`, `jobs.cancel`), and its table of error reasons.

use std::time::{Duration, Instant};

use secrets::{GoogleAnswer, GoogleApi, Setup};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Error, Place};

/// BigQuery, as far as one place of it goes.
pub(crate) struct Talk {
    api: GoogleApi,
    place: Place,
}

/// A statement and its parameters.
pub(crate) struct Statement<'a> {
    /// What it is for, as the end of "did not".
    pub(crate) what: &'static str,
    pub(crate) text: &'a str,
    pub(crate) parameters: Vec<Value>,
}

/// Cells of a row; each is a text or nothing.
pub(crate) type Cells = Vec<Option<String>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    job_reference: Option<Job>,
    #[serde(default)]
    job_complete: bool,
    #[serde(default)]
    rows: Vec<RowOf>,
    page_token: Option<String>,
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    job_id: String,
    location: Option<String>,
}

#[derive(Deserialize)]
struct RowOf {
    f: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    v: Value,
}

#[derive(Deserialize)]
struct Reason {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Failed {
    error: Errors,
}

#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<Reason>,
}

impl Talk {
    pub(crate) fn new(place: Place, setup: &Setup) -> Self {
        let api = GoogleApi::new("BigQuery", place.endpoint().to_owned(), setup, place.key.as_ref());
        Self { api, place }
    }

    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// A resource below the project; `None` where there is none.
    pub(crate) fn find(&self, what: &'static str, path: &str) -> Result<Option<Value>, Error> {
        let answer = self.api.ask(&format!("{}{path}", self.place.path()), None)?;
        if answer.status == 404 {
            return Ok(None);
        }
        document(what, &answer).map(Some)
    }

    /// Makes a resource; one that is there already is as good.
    pub(crate) fn make(&self, what: &'static str, path: &str, resource: &Value) -> Result<(), Error> {
        let body = resource.to_string();
        let answer = self.api.ask(&format!("{}{path}", self.place.path()), Some(body.as_bytes()))?;
        if answer.status == 409 {
            return Ok(());
        }
        document(what, &answer).map(drop)
    }

    /// Carries a statement out, and gives its rows. Asking twice is one statement: both have the same id.
    pub(crate) fn carry_out(&self, statement: Statement<'_>) -> Result<Vec<Cells>, Error> {
        let Statement { what, text, parameters } = statement;
        let id =
            crypto::array::<16>().map_err(|_| Error::Answer("could not be asked for: no random bytes"))?;
        let mut body = json!({
            "query": text, "useLegacySql": false, "parameterMode": "NAMED", "queryParameters": parameters,
            "timeoutMs": PATIENCE, "maxResults": PAGE, "requestId": crypto::to_hex(&id),
        });
        if let (Some(location), Some(body)) = (self.place.location(), body.as_object_mut()) {
            body.insert("location".to_owned(), location.into());
        }
        let until = Instant::now() + LONGEST;
        let body = body.to_string();
        let mut answer = self.api.ask(&format!("{}/queries", self.place.path()), Some(body.as_bytes()))?;
        let mut rows = Vec::new();
        let (mut job, mut page): (Option<Job>, Option<String>) = (None, None);
        loop {
            let answered = read(what, &answer)?;
            if let Some(reason) = answered.errors.first() {
                return Err(refused(what, reason.reason.as_deref(), 200));
            }
            job = answered.job_reference.or(job);
            if answered.job_complete {
                for row in answered.rows {
                    rows.push(row.f.into_iter().map(|cell| text_of(cell.v)).collect());
                }
                page = answered.page_token;
                if page.is_none() {
                    return Ok(rows);
                }
            }
            let job = job.as_ref().ok_or(Error::Answer("names no job"))?;
            if Instant::now() >= until {
                self.cancel(job);
                return Err(Error::Late(what));
            }
            if !answered.job_complete {
                std::thread::sleep(AGAIN);
            }
            answer = self.api.ask(&self.results(job, page.as_deref())?, None)?;
        }
    }

    /// Where the results of a job are.
    fn results(&self, job: &Job, page: Option<&str>) -> Result<String, Error> {
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.=".contains(&byte));
        let location = job.location.as_deref().or_else(|| self.place.location());
        let all = [Some(job.job_id.as_str()), location, page];
        if !all.into_iter().flatten().all(plain) {
            return Err(Error::Answer("names a job that can't be one"));
        }
        let mut target =
            format!("{}/queries/{}?timeoutMs={PATIENCE}&maxResults={PAGE}", self.place.path(), job.job_id);
        for (name, value) in [("location", location), ("pageToken", page)] {
            if let Some(value) = value {
                target.push_str(&format!("&{name}={}", value.replace('=', "%3D")));
            }
        }
        Ok(target)
    }

    /// Asks for the end of a job. Whether it comes is not waited for: what the job did is found out from the rows.
    fn cancel(&self, job: &Job) {
        let location = job.location.as_deref().or_else(|| self.place.location());
        let location = location.map_or_else(String::new, |location| format!("?location={location}"));
        let target = format!("{}/jobs/{}/cancel{location}", self.place.path(), job.job_id);
        let _ = self.api.ask(&target, Some(b"{}"));
    }
}

fn read(what: &'static str, answer: &GoogleAnswer) -> Result<Answered, Error> {
    let document = document(what, answer)?;
    serde_json::from_value(document).map_err(|_| Error::Answer("is not what a statement is answered with"))
}

fn document(what: &'static str, answer: &GoogleAnswer) -> Result<Value, Error> {
    if !(200..300).contains(&answer.status) {
        let failed: Option<Failed> = serde_json::from_slice(&answer.body).ok();
        let reason =
            failed.and_then(|failed| failed.error.errors.into_iter().next()).and_then(|one| one.reason);
        return Err(refused(what, reason.as_deref(), answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|_| Error::Answer("is no JSON"))
}

/// A reason of BigQuery's own list in our words.
fn refused(what: &'static str, reason: Option<&str>, status: u16) -> Error {
    let (said, passing) = match (reason, status) {
        (Some("quotaExceeded" | "billingTierLimitExceeded"), _) => {
            ("a quota of the project is used up (quotaExceeded)", true)
        }
        (Some("rateLimitExceeded" | "jobRateLimitExceeded" | "tableUnavailable"), _) => {
            ("it is asked too often just now (rateLimitExceeded)", true)
        }
        (Some("backendError" | "jobBackendError" | "internalError" | "jobInternalError" | "stopped"), _) => {
            ("it failed inside, or the job was stopped", true)
        }
        (Some("accessDenied"), _) | (None | Some(_), 403) => {
            ("our account may not do this (accessDenied)", false)
        }
        (_, 401) => ("it does not know our credential, or not any more (401)", false),
        (Some("notFound"), _) | (_, 404) => {
            ("project, dataset or table is not there, or in another location (notFound)", false)
        }
        (Some("billingNotEnabled"), _) => {
            ("billing is not enabled for the project (billingNotEnabled)", false)
        }
        (Some("invalidQuery" | "invalid"), _) => ("it does not take the statement (invalidQuery)", false),
        _ => ("for a reason that we do not know", false),
    };
    Error::Refused { what, said, passing }
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

// === parameters ===

/// A text.
pub(crate) fn text(name: &str, value: &str) -> Value {
    json!({ "name": name, "parameterType": { "type": "STRING" }, "parameterValue": { "value": value } })
}

/// Texts.
pub(crate) fn texts<'a>(name: &str, values: impl Iterator<Item = &'a str>) -> Value {
    let values: Vec<Value> = values.map(|value| json!({ "value": value })).collect();
    json!({
        "name": name, "parameterType": { "type": "ARRAY", "arrayType": { "type": "STRING" } },
        "parameterValue": { "arrayValues": values },
    })
}

/// How long BigQuery holds one answer back, in milliseconds; less than an answer may take.
const PATIENCE: u32 = 3_000;
/// Between two looks at a job that is not done.
const AGAIN: Duration = Duration::from_millis(250);
/// How long a statement may take.
const LONGEST: Duration = Duration::from_secs(60);
/// Rows of one answer.
const PAGE: u32 = 100;
