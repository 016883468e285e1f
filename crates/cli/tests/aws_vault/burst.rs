//! Many processes at once that need one session which is over: one call to AWS, and one code asked for.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use testkit::aws::{Fake, Options};

use crate::case::Environment;
use crate::run::{self, Binary, Place};
use crate::{Broker, program};

#[test]
fn two_hundred_at_once_make_one_call_and_ask_for_one_code() {
    crate::one_of_few(|| at_once(None));
}

#[test]
fn two_hundred_at_once_beside_a_running_broker_make_one_call_and_ask_for_one_code() {
    let broker = Broker::start();
    crate::one_of_few(|| at_once(Some(&broker.home())));
}

/// Starts them all, waits for them all, and counts.
fn at_once(home: Option<&Path>) {
    let fake = Fake::start(Options::from_json(&json!({"lenient": ["code-reuse"], "lifetime": 1})));
    let folder = tempfile::Builder::new().prefix("av-").tempdir_in("/tmp").unwrap();
    let binary = Binary::linked(&program());
    let place = Place { work: folder.path().to_owned(), endpoint: fake.url(), binary: binary.path.clone() };
    let profiles = "[profile boss]\nmfa_serial = arn:aws:iam::111111111111:mfa/boss\n\
                    mfa_process = echo asked >>{WORK}/asked; echo 123456\n";
    run::write(&place.work.join("config"), &place.filled(profiles));
    let mut variables = Environment::from([
        ("AWS_ENDPOINT_URL".to_owned(), Some(fake.url())),
        ("AWS_REGION".to_owned(), Some("us-east-1".to_owned())),
        ("PATH".to_owned(), Some(binary.search_path(&place.work))),
    ]);
    if let Some(home) = home {
        variables.insert("DOORWARD_HOME".to_owned(), Some(home.display().to_string()));
    }
    let started = |words: &[&str], more: &[(&str, &str)]| {
        let mut command = run::command(&binary.path, &place, &variables);
        command.args(words).envs(more.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let key = [("AWS_ACCESS_KEY_ID", "AKIACANARY0000000001"), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    assert!(started(&["add", "--env", "--no-add-config", "boss"], &key).wait().unwrap().success());
    let exec = ["exec", "boss", "--", "true"];
    assert!(started(&exec, &[]).wait().unwrap().success());
    fake.set(&json!({"lifetime": null}));
    let (calls, asked) = (sts(&fake), codes(&place.work));
    assert!(calls > 0 && asked > 0, "the session that is over was never there");

    let children: Vec<_> = (0..PROCESSES).map(|_| started(&exec, &[])).collect();
    let failed =
        children.into_iter().filter_map(|mut child| (!child.wait().unwrap().success()).then_some(()));
    assert_eq!(failed.count(), 0, "some of them failed");
    assert_eq!(sts(&fake) - calls, 1, "calls of STS");
    assert_eq!(codes(&place.work) - asked, 1, "codes asked for");
}

fn sts(fake: &Fake) -> usize {
    fake.calls().iter().filter(|call| call.api.starts_with("sts.")).count()
}

fn codes(work: &Path) -> usize {
    std::fs::read_to_string(work.join("asked")).map_or(0, |text| text.lines().count())
}

const PROCESSES: usize = 200;
const SECRET: &str = "secret-of-AKIACANARY0000000001";
