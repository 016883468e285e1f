//! Measures what the log costs a call: `cargo run --release --package evidence --example speed -- FOLDER [SECONDS]`.
//!
//! 32 tasks on one runtime record an intent and an outcome in a loop, on a journal in an empty folder. Printed are calls in a
//! second and the CPU of the whole process for each call, evidence thread included. Pin it to one core to compare numbers.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crypto::SigningKey;
use evidence::{Deed, Ending, Intent, Lane, Log, Outcome, Request, Use, Wait};
use model::{
    Access, CapabilityId, Clock, Door, EvidenceId, GrantId, Method, Proof, Risk, TenantName, Timestamp,
};
use store::Journal;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("say in which folder")?;
    let seconds = arguments.next().map_or(Ok(3), |seconds| seconds.parse())?;
    let journal = Arc::new(Journal::open(Path::new(&folder))?);
    let log = Log::open(journal, SigningKey::generate()?, "doorward.example".to_owned(), Arc::new(Wall))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (cpu, begin) = (cpu()?, Instant::now());
    let calls = runtime.block_on(all(&log, Duration::from_secs(seconds)))?;
    let (took, used) = (begin.elapsed(), self::cpu()? - cpu);
    log.close()?;
    let calls = f64::from(calls);
    let (speed, cost) = (calls / took.as_secs_f64(), used.as_secs_f64() * 1e6 / calls);
    writeln!(std::io::stdout(), "{speed:.0} calls/s, {cost:.2} us of CPU for each")?;
    Ok(())
}

async fn all(log: &Log, time: Duration) -> Result<u32, Box<dyn Error>> {
    let (lane, until, template) = (log.lane(), Instant::now() + time, intent()?);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| tokio::spawn(calls(lane.clone(), template.clone(), u64::from(task) << 32, until)))
        .collect();
    let mut calls = 0;
    for task in tasks {
        calls += task.await??;
    }
    Ok(calls)
}

/// Calls one after the other until it is time.
async fn calls(lane: Lane, template: Intent, mut nth: u64, until: Instant) -> Result<u32, evidence::Error> {
    let mut calls = 0;
    while Instant::now() < until {
        nth += 1;
        calls += 1;
        let mut random = [0; 10];
        for (to, from) in random.iter_mut().zip(nth.to_be_bytes()) {
            *to = from;
        }
        let id = EvidenceId::new(Timestamp::from_millis(1_760_000_000_000), random);
        let receipt = lane.intend(Intent { id, ..template.clone() }).await?;
        let outcome = Outcome { status: Some(200), bytes_out: 1_024, ..Outcome::bare(Ending::Done) };
        lane.settle(receipt, outcome, Wait::Appended).await?;
    }
    Ok(calls)
}

/// What a request of an agent at the gateway looks like.
fn intent() -> Result<Intent, Box<dyn Error>> {
    let grant = GrantId::from_bytes([7; 16]);
    let authority = "https://slack.com".parse()?;
    let request = Request::new(Method::Post, &authority, &"/api/chat.postMessage".parse()?);
    Ok(Intent {
        id: EvidenceId::from_bytes([0; 16]),
        tenant: TenantName::local(),
        principal: "ci-bot".parse()?,
        proof: Proof::Capability(grant),
        door: Door::Gateway,
        grant: Some(grant),
        narrowings: vec![CapabilityId::from_bytes([8; 16])],
        deed: Deed {
            integration: "slack".parse()?,
            operation: "chat.post".parse()?,
            access: Access::Write,
            risk: Risk::Medium,
            resource: "channel:C1".parse()?,
            request: Some(request),
        },
        inputs: [1; 32],
        secrets: vec!["store:slack/token".parse()?],
        policy: [2; 32],
        purpose: None,
        uses: vec![Use { id: [7; 16], most: u64::MAX }],
        disclosure: None,
    })
}

/// CPU of all threads of this process so far.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in the statistics")?;
    let ticks: Vec<u64> = fields.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 1_000 / TICKS))
}

struct Wall;

impl Clock for Wall {
    #[expect(clippy::disallowed_methods, reason = "the one clock of this measurement")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

const TASKS: u32 = 32;
/// Ticks of the statistics in a second, on every Linux.
const TICKS: u64 = 100;
