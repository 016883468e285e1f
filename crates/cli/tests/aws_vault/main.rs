//! The binary under the name `aws-vault`: the cases of `cases.json`, `cases_more.json` and `cases_own.json`, one test per group.
//!
//! All cases of a group run, two at a time over all groups; what differs is printed at the end. `DOORWARD_CASES=TEXT` runs only
//! the cases whose id contains the text; `DOORWARD_CASES_PROGRAM=PATH` runs another program with the same command line.
//! [`case`] says what a case is, [`run`] how it is run.

#[cfg(test)]
mod burst;
#[cfg(test)]
mod case;
#[cfg(test)]
mod expect;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod run;
#[cfg(test)]
mod runner;
#[cfg(test)]
mod terminal;

#[cfg(test)]
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Condvar, Mutex, PoisonError},
};

#[cfg(test)]
use case::{Case, Need, Verdict};
#[cfg(test)]
use run::Binary;

/// Makes one test for each group, and the list of them.
#[cfg(test)]
macro_rules! groups {
    ($($test:ident: $group:literal,)*) => {
        $(#[test] fn $test() { hold($group, Way::Alone); })*
        const GROUPS: &[&str] = &[$($group),*];

        /// The same cases once more, in a home over which a broker runs.
        mod beside_a_running_broker {
            $(#[test] fn $test() { super::hold($group, super::Way::Beside); })*
        }
    };
}

/// How the home of a case is reached.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Each command opens it.
    Alone,
    /// A broker has it open.
    Beside,
}

/// Groups whose commands open no home, so that a broker makes no difference.
#[cfg(test)]
const HOMELESS: [&str; 6] = ["config", "env", "region", "list", "backend", "cli"];

#[cfg(test)]
groups! {
    the_profile_file_is_read_and_edited_as_the_cases_say: "config",
    variables_of_the_environment_come_before_the_file: "env",
    the_region_is_the_one_that_the_cases_say: "region",
    endpoints_are_the_ones_that_the_cases_say: "endpoint",
    exec_runs_commands_as_the_cases_say: "exec",
    sessions_are_kept_and_reused_as_the_cases_say: "session",
    codes_of_mfa_are_asked_for_as_the_cases_say: "mfa",
    roles_are_assumed_as_the_cases_say: "role",
    chains_of_roles_are_walked_as_the_cases_say: "chain",
    single_sign_on_goes_as_the_cases_say: "sso",
    web_identities_are_used_as_the_cases_say: "webid",
    credential_processes_are_run_as_the_cases_say: "credproc",
    export_prints_what_the_cases_say: "export",
    add_stores_what_the_cases_say: "add",
    list_shows_what_the_cases_say: "list",
    clear_forgets_what_the_cases_say: "clear",
    remove_deletes_what_the_cases_say: "remove",
    migrate_copies_what_the_cases_say: "migrate",
    rotate_never_loses_a_key: "rotate",
    login_makes_the_addresses_that_the_cases_say: "login",
    the_ecs_server_answers_as_the_cases_say: "ecs",
    the_ec2_server_answers_as_the_cases_say: "ec2",
    the_file_keyring_is_the_one_of_the_cases: "file",
    the_pass_keyring_is_the_one_of_the_cases: "pass",
    a_keyring_is_chosen_as_the_cases_say: "backend",
    the_command_line_is_read_as_the_cases_say: "cli",
}

#[test]
fn every_case_has_a_name_of_its_own_and_a_group_that_is_run() {
    let mut seen = BTreeSet::new();
    for case in case::all() {
        assert!(GROUPS.contains(&case.group()), "{}: no test runs the group", case.id);
        assert!(seen.insert(case.id.clone()), "{} is there twice", case.id);
        assert!(!case.title.is_empty() && !case.steps.is_empty(), "{} is empty", case.id);
        let noted = case.note.as_ref().is_some_and(|note| !note.is_empty());
        assert!(
            noted || case.verdict == Verdict::Keep,
            "{}: `improve` says in a note what is better",
            case.id
        );
        let changes = case.steps.iter().filter_map(|step| step.server.as_ref());
        for options in changes.cloned().chain([serde_json::Value::Object(case.server.clone())]) {
            let _ = testkit::aws::Options::from_json(&options);
        }
        for pattern in case.steps.iter().flat_map(|step| step.patterns()) {
            assert!(regex::Regex::new(pattern).is_ok(), "{}: {pattern}", case.id);
        }
    }
}

/// Runs all cases of a group; fails with everything that differs.
#[cfg(test)]
fn hold(group: &str, way: Way) {
    if way == Way::Beside && HOMELESS.contains(&group) {
        return;
    }
    let wanted = wanted();
    let cases: Vec<Case> = case::all()
        .into_iter()
        .filter(|case| case.group() == group && wanted.as_ref().is_none_or(|text| case.id.contains(text)))
        .filter(can_be_run)
        .collect();
    let binary = Binary::linked(&program());
    // Old keys that could not be deleted, seeds and keys of our own store are remembered in the home, by names which cases share.
    let apart = ["rotate", "mfa", "migrate", "add"].contains(&group);
    let shared = (way == Way::Beside && !apart && !cases.is_empty()).then(Broker::start);
    let one = |case: &Case| {
        let own = (way == Way::Beside && apart).then(Broker::start);
        run::run(case, &binary, own.as_ref().or(shared.as_ref()).map(Broker::home).as_deref())
    };
    let failures = Mutex::new(Vec::new());
    let next = Mutex::new(cases.iter());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let case = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(case) = case else { return };
                    let differences = one_of_few(|| one(case));
                    if !differences.is_empty() {
                        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                        failures.push((case.id.clone(), differences));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort();
    let shown: String =
        failures.iter().map(|(id, lines)| format!("\nFAIL {id}\n     {}", lines.join("\n     "))).collect();
    assert!(failures.is_empty(), "{} of {} cases differ:{shown}", failures.len(), cases.len());
}

/// A broker over a home of its own.
#[cfg(test)]
struct Broker {
    home: testkit::Doorward,
    _running: Mutex<testkit::Running>,
}

#[cfg(test)]
impl Broker {
    fn start() -> Self {
        let home = testkit::Doorward::home(program());
        let running = Mutex::new(home.start_up(&["--threads", "1"]));
        Self { home, _running: running }
    }

    fn home(&self) -> PathBuf {
        self.home.data()
    }
}

/// Waits until fewer than [`AT_ONCE`] cases run in this process.
#[cfg(test)]
fn one_of_few<R>(work: impl FnOnce() -> R) -> R {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    while *running >= AT_ONCE {
        running = ENDED.wait(running).unwrap_or_else(PoisonError::into_inner);
    }
    *running += 1;
    drop(running);
    // A case that panics must not keep the others waiting for its place.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    ENDED.notify_one();
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Whether the machine has what a case needs; notes what it has not.
#[cfg(test)]
fn can_be_run(case: &Case) -> bool {
    case.needs.iter().all(|need| match need {
        Need::OwnNetwork => {
            let root = rustix::process::geteuid().is_root() && cfg!(target_os = "linux");
            if !root {
                skip("own-network", "only root may make a network of its own");
            }
            root
        }
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "which cases are run is told by whoever runs the test")]
fn wanted() -> Option<String> {
    std::env::var("DOORWARD_CASES").ok()
}

/// The program under test: the one that was just built, unless another one with the same command line is to be compared.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "another program is named by whoever runs the test")]
fn program() -> PathBuf {
    std::env::var_os("DOORWARD_CASES_PROGRAM").map_or(env!("CARGO_BIN_EXE_doorward").into(), PathBuf::from)
}

/// Notes that a check can't be made here; `docs/checks/not-here.toml` lists on which machines that may be.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "where skips are noted is told by `cargo xtask test`")]
fn skip(check: &str, reason: &str) {
    use std::io::Write;
    println!("skipped {check}: {reason}");
    if let Some(path) = std::env::var_os("DOORWARD_SKIPS") {
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "{check}\t{reason}").unwrap();
    }
}

#[cfg(test)]
const AT_ONCE: usize = 2;
#[cfg(test)]
static RUNNING: Mutex<usize> = Mutex::new(0);
#[cfg(test)]
static ENDED: Condvar = Condvar::new();
