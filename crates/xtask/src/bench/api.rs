//! The API for tenants over PostgreSQL: few tenants and many, in one run on one machine.
//!
//! Everything is made through the API itself, or by a filler that uses the functions of the product, so that each row is one that the product
//! writes: tenants with the root key, credentials with the tenant's own and without a call to the provider. Calls go round many tenants, because
//! each has limits of its own.
//!
//! # Invariants
//!
//! - Every answer is looked at; one other than 200 ends the run.
//! - The database is one of this run alone, as durable as it is by default.

mod load;
mod place;
mod settings;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::program::Program;
use load::{Call, Measured};
use place::Place;
use settings::{By, Settings};

/// `bench api [FLAGS]`.
pub(crate) fn run(root: &Path, flags: &[&str]) -> Outcome {
    if flags.contains(&"--help") {
        print!("{}", settings::HELP);
        return Ok(());
    }
    let settings = Settings::parse(flags)?;
    let program = match &settings.program {
        Some(program) => program.clone(),
        None => crate::dist::shipped(root)?,
    };
    let folder = root.join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::doing("make `target/bench`", &error))?;
    let filler = match settings.by {
        By::Api => None,
        By::Filler => Some(settings.filler.clone().map_or_else(|| filler(root), Ok)?),
    };
    let few = house(&program, &folder, FEW, &settings, filler.as_deref())?;
    let many = house(&program, &folder, settings.tenants, &settings, filler.as_deref())?;
    let setups = many.setup.median.as_secs_f64() / few.setup.median.as_secs_f64().max(f64::MIN_POSITIVE);
    let ratio = many.status.median.as_secs_f64() / few.status.median.as_secs_f64().max(f64::MIN_POSITIVE);
    let document = json!({
        "few": few.document(), "many": many.document(), "status_median_ratio": ratio, "setup_median_ratio": setups,
    });
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    let file = folder.join("api.json");
    std::fs::write(&file, text).map_err(|error| Failure::doing("write the report", &error))?;
    println!("\n| | {FEW} tenants | {} tenants |\n|---|---|---|", settings.tenants);
    for (what, one, other) in few.lines().into_iter().zip(many.lines()).map(|(a, b)| (a.0, a.1, b.1)) {
        println!("| {what} | {one} | {other} |");
    }
    println!(
        "\nstatus list, many beside few: {ratio:.2}, setup {setups:.2}; the report is `{}`",
        file.display()
    );
    Ok(())
}

/// Builds what fills a database.
fn filler(root: &Path) -> Outcome<std::path::PathBuf> {
    let arguments = ["build", "--quiet", "--package", "broker", "--example", "fill_tenants"];
    Program::cargo(root, &arguments).run()?;
    Ok(root.join("target/debug/examples/fill_tenants"))
}

/// What was measured with so many tenants.
struct Figures {
    tenants: usize,
    /// Through the API, where it was.
    made: Option<Measured>,
    setup: Measured,
    /// The first call of each tenant, and later ones.
    first: Measured,
    status: Measured,
    ready: Duration,
    resident: u64,
}

/// A database, a home and a broker of their own, filled, measured, and started again.
fn house(
    program: &Path,
    folder: &Path,
    tenants: usize,
    settings: &Settings,
    filler: Option<&Path>,
) -> Outcome<Figures> {
    println!("{tenants} tenants");
    let mut place = Place::make(program, folder)?;
    let names: Vec<String> = (0..tenants).map(|nth| format!("bench_{nth}")).collect();
    let (keys, made) = match filler {
        Some(filler) => {
            let (keys, took) = place.fill(filler, tenants, settings.credentials)?;
            println!("filled in {:.0} s", took.as_secs_f64());
            (keys, None)
        }
        None => onboarded(&place, &names, settings)?,
    };
    let ready = place.restart()?;
    println!("ready in {} ms", ready.as_millis());
    let some: Vec<(&String, &String)> = names.iter().zip(&keys).take(SAMPLE).collect();
    let ask =
        |calls: Vec<Call>| load::all(place.port(), &calls, settings.threads).map(|(measured, _)| measured);
    let first = ask(some.iter().map(|(name, key)| Call::status(key, name)).collect())?;
    let rounds = READS.div_ceil(some.len()).clamp(1, MOST_READS);
    let calls = (0..rounds).flat_map(|_| some.iter().map(|(name, key)| Call::status(key, name)));
    let status = ask(calls.take(READS).collect())?;
    let setups = SETUPS.div_ceil(some.len()).clamp(1, MOST_SETUPS);
    let calls =
        (0..setups).flat_map(|nth| some.iter().map(move |(name, key)| Call::setup(key, name, nth % 4)));
    let setup = ask(calls.take(SETUPS).collect())?;
    let resident = place.resident();
    let ready = place.restart()?;
    Ok(Figures { tenants, made, setup, first, status, ready, resident })
}

/// Makes the tenants through the API; their keys, and how long each took.
fn onboarded(
    place: &Place,
    names: &[String],
    settings: &Settings,
) -> Outcome<(Vec<String>, Option<Measured>)> {
    let root_key = place.root_key()?;
    let made: Vec<Call> = names.iter().map(|name| Call::onboard(&root_key, name)).collect();
    let (made, answers) = load::all(place.port(), &made, settings.threads)?;
    let key = |answer: &Value| answer.get("api_key").and_then(Value::as_str).map(str::to_owned);
    let keys: Option<Vec<String>> = answers.iter().map(key).collect();
    let keys = keys.ok_or_else(|| Failure::new("a tenant was made without a key"))?;
    let calls = (0..settings.credentials)
        .flat_map(|nth| names.iter().zip(&keys).map(move |(name, key)| Call::setup(key, name, nth)));
    load::all(place.port(), &calls.collect::<Vec<_>>(), settings.threads)?;
    Ok((keys, Some(made)))
}

impl Figures {
    fn document(&self) -> Value {
        let Self { tenants, made, setup, first, status, ready, resident } = self;
        json!({
            "tenants": tenants, "made": made.map(|made| made.document()), "setup": setup.document(),
            "first_status": first.document(), "status": status.document(),
            "ready_ms": ready.as_millis(), "resident_kib": resident,
        })
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let Self { tenants: _, made, setup, first, status, ready, resident } = self;
        let made =
            made.map_or_else(|| "by the filler".to_owned(), |made| format!("{:.0}", made.per_second()));
        vec![
            ("tenants made, a second", made),
            ("setups, a second", format!("{:.0}", setup.per_second())),
            ("setup, p50 and p99", setup.shown()),
            ("first status list of a tenant, p50 and p99", first.shown()),
            ("status list, p50 and p99", status.shown()),
            ("status lists, a second", format!("{:.0}", status.per_second())),
            ("ready again", format!("{} ms", ready.as_millis())),
            ("resident", format!("{} MiB", resident / 1_024)),
        ]
    }
}

/// What many tenants are compared with.
const FEW: usize = 10;
/// Status lists that are asked for.
const READS: usize = 20_000;
/// Setups that are asked for.
const SETUPS: usize = 10_000;
/// Tenants that ask, of all that there are.
const SAMPLE: usize = 10_000;
/// How often one tenant sets something up in a minute: its limit is ten, and the making of it counts.
const MOST_SETUPS: usize = 5;
/// How often one tenant is asked in a minute: its limit is a hundred.
const MOST_READS: usize = 90;
