//! Sources that need nothing of others.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use super::*;
use crate::Config;
use crate::tests::fixture::{EMPTY, secret};

pub(super) fn in_the_environment(bytes: Option<&[u8]>) -> Placed {
    let bytes = bytes.map(<[u8]>::to_vec);
    let read = move |name: &str| {
        if name == "SLACK" { bytes.clone().map(std::ffi::OsString::from_vec) } else { None }
    };
    Placed::new(Env::new(Environment::of(read)), "env:SLACK", Takes::Bytes, ())
}

pub(super) fn in_a_file(bytes: Option<&[u8]>) -> Placed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slack");
    if let Some(bytes) = bytes {
        store::files::replace(&path, bytes, 0o600).unwrap();
    }
    Placed::new(File::new(Vec::new()), &format!("file:{}", path.display()), Takes::Trimmed, folder)
}

fn declared(argv: &[&str], within: Option<u64>) -> Setup {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    let within = within.map(|millis| config::Span(std::time::Duration::from_millis(millis)));
    let command = config::Command { argv, environment: Vec::new(), within };
    let config = Config { command: BTreeMap::from([("slack".to_owned(), command)]), ..Config::default() };
    Setup { config: Arc::new(config), ..Setup::default() }
}

pub(super) fn by_a_command(bytes: Option<&[u8]>) -> Placed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slack");
    store::files::replace(&path, bytes.unwrap_or(b"{}"), 0o600).unwrap();
    let setup = declared(&["/bin/cat", path.to_str().unwrap()], None);
    let reference = if bytes.is_some() { "command:slack" } else { "command:slack#token" };
    Placed::new(crate::source::command::Command::new(&setup), reference, Takes::Bytes, folder)
}

pub(super) fn in_a_configuration(bytes: Option<&[u8]>) -> Placed {
    let literals = Arc::new(Literals::new().unwrap());
    let fits = bytes.and_then(|bytes| literals.keep(Secret::new(bytes.to_vec()).unwrap()).ok());
    // What could be no credential is refused when it is read, and is not there afterwards.
    let reference = fits.map_or("dangerousLiteral:00".to_owned(), |reference| reference.to_string());
    Placed::new(crate::source::literal::Literal(Some(literals)), &reference, Takes::Bytes, ())
}

async fn command(argv: &[&str], within: Option<u64>, reference: &str) -> Result<Fetched, Error> {
    crate::source::command::Command::new(&declared(argv, within))
        .fetch(&reference.parse().unwrap(), &EMPTY)
        .await
}

fn trouble(error: Error) -> String {
    let hint = error.hint().unwrap_or_default().to_owned();
    match error {
        Error::Source { why, .. } => format!("{why} / {hint}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_command_is_declared_by_its_absolute_path_and_started_without_a_shell_or_our_environment() {
    let environment = command(&["/usr/bin/env"], None, "command:slack").await;
    assert!(matches!(environment.err().unwrap(), Error::Unfit { .. }), "it inherits nothing");
    let shell = command(&["/bin/echo", "$HOME; CANARY"], None, "command:slack").await.unwrap();
    assert_eq!(crate::tests::fixture::shown(&shell.secret), b"$HOME; CANARY");
    for (argv, reference) in [
        (["echo", "x"], "command:slack"),
        (["/nowhere/echo", "x"], "command:slack"),
        (["/bin/echo", "x"], "command:other"),
    ] {
        let said = trouble(command(&argv, None, reference).await.err().unwrap());
        assert!(said.contains("sources.toml"), "{said}");
    }
}

#[tokio::test]
async fn a_command_that_fails_says_its_status_and_nothing_of_what_it_said() {
    let script = "echo CANARY-out; echo CANARY-err >&2; exit 3";
    let said = trouble(command(&["/bin/sh", "-c", script], None, "command:slack").await.err().unwrap());
    assert!(said.contains("status 3") && !said.contains("CANARY"), "{said}");
}

#[tokio::test]
async fn a_command_that_does_not_end_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; wait", file.display());
    let error = command(&["/bin/sh", "-c", &script], Some(300), "command:slack").await.err().unwrap();
    assert!(error.is_passing(), "{error}");
    let pid = std::fs::read_to_string(&file).unwrap().trim().parse::<i32>().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(120);
    let runs = || {
        let state =
            std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    };
    while runs() {
        assert!(std::time::Instant::now() < until, "what it started still runs");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_value_in_a_configuration_is_lent_only_where_it_was_taken_and_its_reference_tells_nothing() {
    let literals = Arc::new(Literals::new().unwrap());
    let reference = literals.keep(secret("CANARY-literal")).unwrap();
    assert_eq!(literals.keep(secret("CANARY-literal")).unwrap(), reference, "the same after a reload");
    assert_ne!(Literals::new().unwrap().keep(secret("CANARY-literal")).unwrap(), reference);
    assert!(!reference.to_string().contains("CANARY"));
    let allowed = crate::source::literal::Literal(Some(literals));
    assert!(allowed.fetch(&reference, &EMPTY).await.is_ok());
    assert_eq!(allowed.probe(&reference, &EMPTY).await.unwrap().1, [Doubt::InTheClear]);
    let said = trouble(crate::source::literal::Literal(None).fetch(&reference, &EMPTY).await.err().unwrap());
    assert!(said.contains("in the clear"), "{said}");
}
