//! What stands in front of an emulator of BigQuery: it lets nobody through without a token, and does what a real BigQuery does on bad days.
//!
//! Source: the REST reference of BigQuery (`jobs.query`, `jobs.getQueryResults`) and its table of error reasons.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::vendor::{Heard, Said};

/// What becomes of a statement that holds some words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It is refused with this status and reason; it is not carried out.
    Refused(u16, &'static str),
    /// It is carried out, and the answer is this instead, as one that was lost on its way.
    Lost(u16, &'static str),
    /// It is carried out as a job that is done after it was looked at so many times.
    Slow(u32),
    /// The process that asks is killed before it is carried out, which never happens.
    KilledBefore(u32),
    /// The process that asks is killed before it is carried out, and it is carried out when [`super::BigQuery::late`] says so.
    KilledAndLate(u32),
    /// It is carried out, and then the process that asks is killed.
    KilledAfter(u32),
}

/// An emulator and what stands in front of it.
pub(super) struct Warehouse {
    emulator: SocketAddr,
    mishaps: VecDeque<(String, Mishap)>,
    jobs: BTreeMap<String, (u32, Value)>,
    late: Vec<Heard>,
}

impl Warehouse {
    pub(super) const fn new(emulator: SocketAddr) -> Self {
        Self { emulator, mishaps: VecDeque::new(), jobs: BTreeMap::new(), late: Vec::new() }
    }

    pub(super) fn next(&mut self, words: &str, mishap: Mishap) {
        self.mishaps.push_back((words.to_owned(), mishap));
    }

    /// How many that were told are still to come.
    pub(super) fn left(&self) -> usize {
        self.mishaps.len()
    }

    /// Carries out what is late, and gives how much it was.
    pub(super) fn late(&mut self) -> usize {
        let late = std::mem::take(&mut self.late);
        late.iter().map(|heard| self.carried_out(heard)).filter(|said| said.status == 200).count()
    }

    pub(super) fn answer(&mut self, heard: &Heard) -> Said {
        if let Some(job) = self.job_of(heard) {
            return self.looked_at(&job);
        }
        let body = String::from_utf8_lossy(&heard.body).into_owned();
        let is_it = |(words, _): &(String, Mishap)| body.contains(words) || heard.path.contains(words);
        let Some(at) = self.mishaps.iter().position(is_it) else { return self.carried_out(heard) };
        let (_, mishap) = self.mishaps.remove(at).expect("it was just there");
        match mishap {
            Mishap::Refused(status, reason) => failed(status, reason),
            Mishap::Lost(status, reason) => {
                let _done = self.carried_out(heard);
                failed(status, reason)
            }
            Mishap::Slow(looks) => self.slow(heard, looks),
            Mishap::KilledBefore(pid) => killed(pid),
            Mishap::KilledAndLate(pid) => {
                self.late.push(heard.clone());
                killed(pid)
            }
            Mishap::KilledAfter(pid) => {
                let done = self.carried_out(heard);
                assert_eq!(done.status, 200, "{}", done.document);
                killed(pid)
            }
        }
    }

    /// The job that is asked for, where it is one of ours.
    fn job_of(&self, heard: &Heard) -> Option<String> {
        let (_, job) = heard.path.rsplit_once("/queries/")?;
        self.jobs.contains_key(job).then(|| job.to_owned())
    }

    fn slow(&mut self, heard: &Heard, looks: u32) -> Said {
        let done = self.carried_out(heard);
        let job = format!("job_slow_{}", self.jobs.len());
        let mut document = done.document;
        let reference = json!({ "projectId": "p", "jobId": job, "location": "EU" });
        if let Some(members) = document.as_object_mut() {
            members.insert("jobReference".to_owned(), reference.clone());
        }
        let waits =
            json!({ "kind": "bigquery#queryResponse", "jobReference": reference, "jobComplete": false });
        self.jobs.insert(job, (looks, document));
        Said::new(200, waits)
    }

    fn looked_at(&mut self, job: &str) -> Said {
        let (left, document) = self.jobs.get_mut(job).expect("it was just there");
        if *left == 0 {
            return Said::new(200, document.clone());
        }
        *left -= 1;
        let reference = document.get("jobReference").cloned();
        Said::new(200, json!({ "jobReference": reference, "jobComplete": false }))
    }

    /// Passes a request on to the emulator.
    fn carried_out(&self, heard: &Heard) -> Said {
        let passed = || -> std::io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(self.emulator)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let Heard { method, path, query, body, .. } = heard;
            let query = if query.is_empty() { String::new() } else { format!("?{query}") };
            write!(
                stream,
                "{method} {path}{query} HTTP/1.1\r\nHost: emulator\r\nConnection: close\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n",
                body.len()
            )?;
            stream.write_all(body)?;
            let mut reply = Vec::new();
            stream.read_to_end(&mut reply)?;
            Ok(reply)
        };
        let reply = passed().expect("the emulator answers");
        let text = String::from_utf8_lossy(&reply).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("the emulator speaks HTTP");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Said::new(status, serde_json::from_str(body).unwrap_or_default())
    }
}

/// Kills a process of the test and answers nobody.
fn killed(pid: u32) -> Said {
    let done = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    assert!(done.is_ok_and(|status| status.success()), "the process that asks can be killed");
    failed(503, "backendError")
}

/// An error as BigQuery writes it.
pub(super) fn failed(status: u16, reason: &str) -> Said {
    let message = format!("CANARY-of-the-vendor {reason}");
    Said::new(
        status,
        json!({ "error": {
            "code": status, "message": message, "status": "FAILED",
            "errors": [{ "domain": "global", "reason": reason, "message": message }],
        } }),
    )
}

const PATIENCE: Duration = Duration::from_secs(120);
