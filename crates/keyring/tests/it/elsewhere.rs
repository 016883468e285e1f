//! The keyrings that only Linux has, on other systems: their tests are noted as skipped.

#[test]
fn the_keyrings_of_linux_are_refused_and_their_tests_noted() {
    use keyring::{Kind, Settings};

    let home = tempfile::TempDir::new().unwrap();
    let settings = Settings::new(home.path().to_owned(), crate::answers::Answers::nobody());
    for (check, kind) in [
        ("keyring-keyctl", Kind::Keyctl),
        ("keyring-kwallet", Kind::Kwallet),
        ("keyring-secret-service", Kind::SecretService),
    ] {
        assert!(keyring::open(kind, &settings).is_err(), "{kind}");
        skip(check, "it is a keyring of Linux");
    }
}

/// Notes that a check can't be made here; `docs/checks/not-here.toml` lists on which machines that may be.
#[expect(clippy::disallowed_methods, reason = "where skips are noted is told by `cargo xtask test`")]
fn skip(check: &str, reason: &str) {
    use std::io::Write;
    println!("skipped {check}: {reason}");
    if let Some(path) = std::env::var_os("DOORWARD_SKIPS") {
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "{check}\t{reason}").unwrap();
    }
}
