//! The commands for AWS as whole processes, beside an aws-vault that is installed here.
//!
//! Both programs get the same command lines, each with a home, a file keyring and a profile file of its own, and both speak to
//! one fake of AWS on loopback. Ours is started through a link called `aws-vault`, so that not even the words differ.
//!
//! # Invariants
//!
//! - A command that fails fails the bench: what does nothing is quick.
//! - Sessions are fetched before anything is timed, so that no figure but those of the burst holds a call to AWS.
//! - Programs see a fixed environment, nothing of whoever runs the bench.

mod beside;
mod burst;
mod fake;
mod place;
mod report;
mod served;
mod settings;
mod timed;

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::program::find;
use fake::Fake;
use place::{Place, Profiles, finish};
use report::Report;
use settings::Settings;
use timed::{COMMANDS, Rounds};

/// `bench aws [FLAGS]`.
pub(crate) fn run(root: &Path, flags: &[&str]) -> Outcome {
    if flags.contains(&"--help") {
        print!("{}", settings::HELP);
        return Ok(());
    }
    let settings = Settings::parse(flags)?;
    let program = program(root, &settings)?;
    let folder = root.join("target/bench/aws");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::doing("make `target/bench/aws`", &error))?;
    let mut fake = Fake::start(root)?;
    let mut places = vec![Place::ours(&folder, &program, fake.url())?];
    match beside(&settings, &program) {
        Some(peer) => places.push(Place::peer(&folder, &peer, fake.url())?),
        None => println!("note: no aws-vault but our own link is here, so nothing is measured beside it"),
    }
    let mut report = Report::new(root, &settings)?;
    for place in &places {
        place.fill()?;
    }
    let rounds = Rounds::of(&settings);
    for command in COMMANDS {
        for (place, cost) in places.iter().zip(rounds.measure(&places, command)?) {
            println!("{}, `{}`: {cost}", place.label(), command.name);
            report.cost(place.label(), command.name, cost);
        }
    }
    for place in &places {
        if let Some(load) = served::measure(place, &settings)? {
            println!("{}, ECS server: {:.0} requests/s", place.label(), load.per_second);
            report.served(place.label(), &load);
        }
        let burst = burst::measure(place, settings.parallel, &mut fake)?;
        println!("{}, {burst}", place.label());
        report.burst(place.label(), burst);
    }
    if let Some(ours) = places.first() {
        besides(ours, (program.as_path(), &rounds), &settings, (&mut fake, &mut report))?;
    }
    report.write(root)?;
    print!("{}", report.markdown());
    report.whole()
}

/// Does once what people do with the commands for AWS, for a profile of `program`; nothing is measured. A program that `exec`
/// becomes has no counters, so the server stands for it.
pub(super) fn train(root: &Path, folder: &Path, program: &Path) -> Outcome {
    let fake = Fake::start(root)?;
    let place = Place::ours(folder, program, fake.url())?;
    place.fill()?;
    for words in TRAINED {
        // The second time it is answered from what the first one kept, as most calls are.
        for _ in 0..2 {
            finish(&mut place.command(words, Profiles::Few), place.label())?;
        }
    }
    Ok(())
}

/// The same of our program while a broker runs over its home.
fn besides(
    place: &Place,
    (program, rounds): (&Path, &Rounds),
    settings: &Settings,
    (fake, report): (&mut Fake, &mut Report),
) -> Outcome {
    let broker = beside::Broker::start(place, program)?;
    for command in COMMANDS {
        for cost in rounds.measure(std::slice::from_ref(place), command)? {
            println!("{BESIDE}, `{}`: {cost}", command.name);
            report.cost(BESIDE, command.name, cost);
        }
    }
    if let Some(load) = served::measure(place, settings)? {
        println!("{BESIDE}, ECS server: {:.0} requests/s", load.per_second);
        report.served(BESIDE, &load);
    }
    let burst = burst::measure(place, settings.parallel, fake)?;
    println!("{BESIDE}, {burst}");
    report.burst(BESIDE, burst);
    drop(broker);
    Ok(())
}

/// The program under measurement: the one that was named, else the one that is shipped, built now.
fn program(root: &Path, settings: &Settings) -> Outcome<PathBuf> {
    let path = match &settings.program {
        Some(path) => root.join(path),
        None => crate::dist::shipped(root)?,
    };
    path.canonicalize().map_err(|error| Failure::doing(&format!("find `{}`", path.display()), &error))
}

/// What people do.
const TRAINED: &[&[&str]] = &[
    &["export", "alice"],
    &["export", "--format", "json", "role-a"],
    &["exec", "--ecs-server", "alice", "--", "true"],
    &["list"],
    &["version"],
];
const BESIDE: &str = "doorward, beside a broker";

/// An aws-vault that is not a link to ours.
fn beside(settings: &Settings, ours: &Path) -> Option<PathBuf> {
    let found = settings.beside.clone().or_else(|| find("aws-vault"))?;
    let real = found.canonicalize().ok()?;
    (real != ours && real.file_name()? != "doorward").then_some(real)
}
