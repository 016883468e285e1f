//! Which keyring is taken when nobody names one.

use keyring::{Error, Kind, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{bus, fake, fake_path, write};
use crate::suite::store;

#[test]
fn without_anything_else_files_are_taken_and_nobody_is_asked() {
    let home = TempDir::new().unwrap();
    let answers = Answers::nobody();
    let mut settings = Settings::new(home.path().to_owned(), answers.clone());
    settings.keyctl.service = "doorward-test-of-nobody".to_owned();
    let (kind, keyring) = keyring::first_usable(&settings).unwrap();
    assert_eq!((kind, keyring.kind()), (Kind::File, Kind::File));
    assert!(answers.asked().is_empty());
    if cfg!(target_os = "linux") {
        let told = answers.told();
        assert!(told.len() == 1 && told[0].contains("`file`") && told[0].contains("session bus"), "{told:?}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_password_store_is_taken_only_where_there_is_one() {
    let home = TempDir::new().unwrap();
    let mut settings = Settings::new(home.path().to_owned(), Answers::nobody());
    settings.keyctl.service = "doorward-test-of-nobody".to_owned();
    settings.pass.command = Some(fake("passage.py"));
    settings.programs.path = fake_path();
    assert_eq!(keyring::first_usable(&settings).unwrap().0, Kind::File);
    std::fs::create_dir(home.path().join(".password-store")).unwrap();
    write(&home.path().join(".password-store/.gpg-id"), "canary@example.com");
    assert_eq!(keyring::first_usable(&settings).unwrap().0, Kind::Pass);
}

#[cfg(target_os = "linux")]
#[test]
fn the_kernel_s_keys_are_taken_only_where_entries_are_among_them() {
    let home = TempDir::new().unwrap();
    let mut settings = Settings::new(home.path().to_owned(), Answers::nobody());
    settings.keyctl.service = format!("doorward-test-{}", crypto::to_hex(&crypto::array::<8>().unwrap()));
    assert_eq!(keyring::first_usable(&settings).unwrap().0, Kind::File);
    let keys = keyring::open(Kind::Keyctl, &settings).unwrap();
    store(&*keys, "work", b"x");
    assert_eq!(keyring::first_usable(&settings).unwrap().0, Kind::Keyctl);
    keys.remove("work").unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_bus_without_a_keyring_is_passed_over() {
    let home = TempDir::new().unwrap();
    let (_bus, address) = bus(home.path());
    let mut settings = Settings::new(home.path().to_owned(), Answers::nobody());
    settings.keyctl.service = "doorward-test-of-nobody".to_owned();
    settings.bus.address = Some(address);
    assert_eq!(keyring::first_usable(&settings).unwrap().0, Kind::File);
}

#[test]
fn what_is_opened_elsewhere_or_never_says_so() {
    let settings = Settings::new("/nowhere".into(), Answers::nobody());
    for kind in [Kind::Doorward, Kind::Winhello] {
        assert!(matches!(keyring::open(kind, &settings), Err(Error::Unavailable { .. })));
    }
}
