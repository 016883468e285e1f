//! Fills a home in PostgreSQL with tenants and their credentials, for `cargo xtask bench api`: through the API alone a million takes hours.
//!
//! Every row is made by the functions that the product makes it with: tenants with their data keys and both wrappers, keys of the API as MACs,
//! credentials sealed under the data key of their tenant, and evidence through the log, with its chains and checkpoints. What is left out is
//! the path: nobody asks, so nothing is decided. Rows are made in memory, some tenants at a time, and each such part is one commit.
//!
//! ```text
//! fill_tenants URL PASSWORD_FILE HOME TENANTS CREDENTIALS KEYS_FILE
//! ```

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use broker::SystemClock;
use evidence::{Deed, Ending, Intent, Lane, Log, Outcome, Wait};
use memory::Secret;
use model::{
    Access, Clock, CredentialId, Door, EvidenceId, KeyId, Proof, Risk, SecretName, TenantName, Timestamp,
};
use secrets::{Disclosure, KeyFile, Keyring, Stored};
use serde_json::Map;
use store::postgres::{Setup, Target};
use store::{Batch, Embedded, Postgres, Row, Step, Storage, Table};
use tenancy::{CredentialRow, Credentials, Fresh, How, Plan, Scope, Status, TenantRow, Unvalidated};

type Done<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What all threads share.
struct Filling {
    server: Arc<dyn Storage>,
    house: Keyring,
    log: Log,
    clock: SystemClock,
    /// The rows of the house that a part in memory needs to make tenants.
    rows: Vec<(Table, Row)>,
    provider: KeyFile,
    tenants: usize,
    credentials: usize,
    next: AtomicUsize,
    keys: Mutex<Vec<(usize, String)>>,
}

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, password, home, tenants, credentials, keys] = arguments.as_slice() else {
        return Err("say URL PASSWORD_FILE HOME TENANTS CREDENTIALS KEYS_FILE".into());
    };
    let filling = Filling::begin(url, password, Path::new(home), (tenants.parse()?, credentials.parse()?))?;
    let wrong = Mutex::new(None);
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                if let Err(error) = filling.work() {
                    filling.next.store(filling.tenants, Ordering::SeqCst);
                    *wrong.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            });
        }
    });
    if let Some(error) = wrong.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    filling.log.close()?;
    let mut made = filling.keys.into_inner().unwrap_or_else(PoisonError::into_inner);
    made.sort();
    let mut file = std::fs::File::options().create(true).truncate(true).write(true).mode(0o600).open(keys)?;
    for (_, key) in made {
        writeln!(file, "{key}")?;
    }
    Ok(())
}

impl Filling {
    fn begin(url: &str, password: &str, home: &Path, (tenants, credentials): (usize, usize)) -> Done<Self> {
        let password = std::fs::read(password)?;
        let target = Target::parse(url, None, Arc::new(move |_| Ok(Some(password.clone()))))?;
        let (timeout, who) = (Duration::from_secs(60), "fill_tenants".to_owned());
        let setup = Setup { target, owner: None, connections: THREADS, timeout, who };
        let server: Arc<dyn Storage> = Arc::new(Postgres::leader(&setup, |_| false)?);
        let provider = KeyFile::at(home.join("key"));
        let house = secrets::unseal_on_demand(&server, &provider)?;
        let key = house.house().evidence_key()?;
        let clock = SystemClock::default();
        let log = Log::open(Arc::clone(&server), key, ORIGIN.to_owned(), Arc::new(SystemClock::default()))?;
        let mut rows = Vec::new();
        for table in [Table::Meta, Table::Keys] {
            store::each(&*server, &TenantName::local(), (table, b""), &mut |row| {
                rows.push((table, row));
                Ok(())
            })?;
        }
        let (next, keys) = (AtomicUsize::new(0), Mutex::default());
        Ok(Self { server, house, log, clock, rows, provider, tenants, credentials, next, keys })
    }

    fn work(&self) -> Done {
        let lane = self.log.lane();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        loop {
            let first = self.next.fetch_add(PART, Ordering::SeqCst);
            if first >= self.tenants {
                return Ok(());
            }
            let part = first..(first + PART).min(self.tenants);
            self.part(part.clone())?;
            for nth in part {
                runtime.block_on(self.recorded(&lane, &named(nth)?))?;
            }
            if first.is_multiple_of(PART * 100) {
                writeln!(std::io::stderr(), "  {first} tenants")?;
            }
        }
    }

    /// Makes some tenants in memory, and writes their rows in one commit.
    fn part(&self, part: std::ops::Range<usize>) -> Done {
        let memory: Arc<dyn Storage> = Arc::new(Embedded::in_memory()?);
        let local = TenantName::local();
        let house = self
            .rows
            .iter()
            .fold(Batch::new(), |batch, (table, row)| batch.put(*table, &local, &row.key, row.value.clone()));
        memory.commit(&house)?;
        let mut keyring = secrets::unseal_on_demand(&memory, &self.provider)?;
        let mut batch = Batch::new();
        for nth in part {
            let tenant = named(nth)?;
            keyring = self.tenant(&*memory, &keyring, &tenant, nth)?;
            for nth in 0..self.credentials {
                self.credential(&*memory, &keyring, &tenant, nth)?;
            }
            for table in OF_A_TENANT {
                store::each(&*memory, &tenant, (table, b""), &mut |row| {
                    batch.push(Step::Insert(table, tenant.clone(), row));
                    Ok(())
                })?;
            }
        }
        Ok(self.server.commit(&batch)?)
    }

    fn tenant(
        &self,
        memory: &dyn Storage,
        keyring: &Keyring,
        tenant: &TenantName,
        nth: usize,
    ) -> Done<Keyring> {
        let now = self.clock.now();
        let fresh = Fresh::make(tenant, &self.house.house().hashing_key()).map_err(|error| error.message)?;
        let id = KeyId::new(now, crypto::array()?);
        let key = fresh.row(id, Scope::usual(), "owner".parse()?, now);
        let row = TenantRow { plan: Plan::Enterprise, created: now, erased: None };
        let batch = store::put(Batch::new(), tenant, TenantRow::KEY, &row)?;
        let batch = store::put(batch, tenant, &id.to_string(), &key)?;
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push((nth, fresh.text.to_string()));
        Ok(keyring.add_tenant(memory, tenant, batch)?)
    }

    fn credential(&self, memory: &dyn Storage, keyring: &Keyring, tenant: &TenantName, nth: usize) -> Done {
        let now = self.clock.now();
        let (provider, integration) = *PROVIDERS.get(nth % PROVIDERS.len()).ok_or("there are providers")?;
        let text = format!("sk-bench-{nth}-0123456789-0123456789");
        let id = CredentialId::new(now, crypto::array()?);
        let secret: SecretName = format!("credentials/{integration}/{id}").parse()?;
        let bytes = Secret::new(text.clone().into_bytes())?;
        let stored = Stored::new(memory, keyring, tenant);
        let _version = stored.put(&secret, &bytes, Disclosure::Never, now)?;
        let row = row((id, provider, secret), &text, now)?;
        let rows = Credentials::new(memory, tenant);
        let how = How { unvalidated: Unvalidated::Replaces, begun: None, now };
        let _settled = rows.settle(&row, Plan::Enterprise, how).map_err(|error| error.message)?;
        Ok(())
    }

    /// An intent and an outcome for each credential, in the chain of its tenant.
    async fn recorded(&self, lane: &Lane, tenant: &TenantName) -> Done {
        let mut tasks = Vec::new();
        for _ in 0..self.credentials {
            let (lane, intent) = (lane.clone(), intent(tenant, self.clock.now())?);
            tasks.push(async move {
                match lane.intend(intent).await {
                    Ok(receipt) => {
                        lane.settle(receipt, Outcome::bare(Ending::Done), Wait::Durable).await.map(drop)
                    }
                    // A machine that is busy: the log gives the intent up by itself.
                    Err(evidence::Error::Slow) => Ok(()),
                    Err(error) => Err(error),
                }
            });
        }
        let local = tokio::task::LocalSet::new();
        let tasks: Vec<_> = tasks.into_iter().map(|task| local.spawn_local(task)).collect();
        local
            .run_until(async {
                for task in tasks {
                    task.await??;
                }
                Ok(())
            })
            .await
    }
}

fn row(
    (id, provider, secret): (CredentialId, &str, SecretName),
    text: &str,
    now: Timestamp,
) -> Done<CredentialRow> {
    Ok(CredentialRow {
        id,
        provider: provider.to_owned(),
        kind: "API_KEY".to_owned(),
        secret,
        name: provider.to_owned(),
        status: Status::Pending,
        created: now,
        expires: now.after(Duration::from_secs(365 * 86_400)),
        validated: None,
        error: None,
        tried: None,
        facts: BTreeMap::new(),
        metadata: Map::new(),
        by: "owner".parse()?,
        fingerprint: crypto::to_hex(crypto::sha256(&[text.as_bytes()]).get(..4).unwrap_or_default()),
        ends: None,
        gone: false,
    })
}

fn intent(tenant: &TenantName, now: Timestamp) -> Done<Intent> {
    Ok(Intent {
        id: EvidenceId::new(now, crypto::array()?),
        tenant: tenant.clone(),
        principal: "owner".parse()?,
        proof: Proof::Kernel,
        door: Door::Server,
        grant: None,
        narrowings: Vec::new(),
        deed: Deed {
            integration: "doorward".parse()?,
            operation: "credential.setup".parse()?,
            access: Access::Write,
            risk: Risk::Medium,
            resource: format!("tenant:{tenant}").parse()?,
            request: None,
        },
        inputs: [0; 32],
        secrets: Vec::new(),
        policy: [0; 32],
        purpose: None,
        uses: Vec::new(),
        disclosure: None,
    })
}

fn named(nth: usize) -> Done<TenantName> {
    Ok(format!("bench_{nth}").parse()?)
}

/// Codes of providers and the integrations that their credentials are bound to. Beyond these, a credential takes the place of an earlier one.
const PROVIDERS: [(&str, &str); 4] =
    [("OPENAI", "openai"), ("ANTHROPIC", "anthropic"), ("DEEPSEEK", "deepseek"), ("GEMINI", "gemini")];
/// Where the rows of a tenant are.
const OF_A_TENANT: [Table; 6] =
    [Table::Tenants, Table::ApiKeys, Table::Keys, Table::Secrets, Table::Versions, Table::Credentials];
/// Tenants that are made in memory and written at once.
const PART: usize = 50;
const THREADS: usize = 8;
/// What the program calls itself in its checkpoints.
const ORIGIN: &str = "doorward/local";
