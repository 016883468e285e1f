//! Tests of the key providers, and the suite that each member passes.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use crypto::{Cost, Kind};

use super::*;
use crate::Setup;
use crate::tests::fixture::secret;

mod choices;
#[cfg(target_os = "linux")]
mod desktop;
mod devices;
mod remote;
mod suite;

use self::suite::conformance;

conformance!(a_passphrase, super::choices::a_passphrase);
conformance!(a_key_file, super::choices::a_key_file);
#[cfg(target_os = "linux")]
conformance!(os_keyring_secret_service, super::desktop::in_the_secret_service);
#[cfg(target_os = "linux")]
conformance!(os_keyring_kwallet, super::desktop::in_a_wallet);
#[cfg(target_os = "linux")]
conformance!(os_keyring_keyctl, super::desktop::in_the_kernel);
conformance!(os_keyring_pass, super::devices::in_a_password_store);
conformance!(transit_of_vault, super::remote::by_transit);
conformance!(aws_kms_key, super::remote::by_aws_kms);
conformance!(gcp_kms_key, super::remote::by_gcp_kms);
conformance!(azure_key, super::remote::by_azure_key_vault);
conformance!(pkcs11_token, super::devices::on_a_token, in "SOFTHSM2_CONF");
conformance!(tpm2_object, super::devices::by_a_tpm);
conformance!(age_recipients, super::devices::for_recipients);

const PLACE: Place<'_> = Place { tenant: "local", subject: "dek", version: 1, kind: Kind::Key };

pub(super) const HOME: HomeId = home_id::TEST;

fn cheap(text: &str) -> Passphrase {
    Passphrase::new(secret(text)).at(Cost::FLOOR)
}

fn written(bytes: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    store::files::replace(&path, bytes, mode).unwrap();
    (folder, path)
}

fn refused(provider: &dyn KeyProvider) -> String {
    let facts = Facts::KeyFile { path: "/somewhere/else".into() };
    provider.ready(&facts).err().unwrap().to_string()
}

/// What those that need no service have to pass on their own.
fn conforms(provider: &dyn KeyProvider) {
    let facts = provider.facts(&HOME).unwrap();
    assert_eq!(facts.provider(), provider.name());
    let key = DataKey::generate().unwrap();
    let sealed = key.seal(b"canary", &PLACE).unwrap();
    let wrapped = provider.ready(&facts).unwrap().wrap(&key, &PLACE, b"extra").unwrap();
    let again = provider.ready(&facts).unwrap();
    let opened = again.unwrap(&wrapped, &PLACE, b"extra").unwrap();
    assert!(opened.open(&sealed, &PLACE).is_ok());
    assert!(again.unwrap(&wrapped, &PLACE, b"other").is_err());
    assert!(again.unwrap(&wrapped, &Place { tenant: "other", ..PLACE }, b"extra").is_err());
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
}

#[test]
fn every_member_of_the_list_passes_the_suite() {
    let here = include_str!("tests.rs");
    for listed in KEY_PROVIDERS {
        let name = listed.name.replace('-', "_");
        let first = name.split('_').next().unwrap();
        let known = here.lines().filter(|line| line.starts_with("conformance!("));
        assert!(
            known.filter(|line| line.contains(&name) || line.contains(first)).count() > 0,
            "`{}` has no line `conformance!(..)`",
            listed.name
        );
    }
}

#[test]
fn every_provider_wraps_and_unwraps_in_one_place() {
    let (_folder, path) = written(&[b'7'; 64], 0o600);
    conforms(&KeyFile::at(path));
    conforms(&cheap("correct horse"));
}

#[test]
fn facts_with_unknown_fields_or_providers_are_errors() {
    assert!(serde_json::from_str::<Facts>(r#"{"provider":"key-file","path":"/k"}"#).is_ok());
    for wrong in [
        r#"{"provider":"key-file","path":"/k","cost":1}"#,
        r#"{"provider":"none"}"#,
        r#"{"provider":"passphrase","salt":"00"}"#,
    ] {
        assert!(serde_json::from_str::<Facts>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_passphrase_differs_by_salt_and_cost() {
    let provider = cheap("correct horse");
    let (one, two) = (provider.facts(&HOME).unwrap(), provider.facts(&HOME).unwrap());
    assert_ne!(one, two);
    let key = DataKey::generate().unwrap();
    let wrapped = provider.ready(&one).unwrap().wrap(&key, &PLACE, b"").unwrap();
    assert!(provider.ready(&two).unwrap().unwrap(&wrapped, &PLACE, b"").is_err());
}

#[test]
fn an_empty_passphrase_and_a_cost_below_the_floor_are_refused() {
    let facts = cheap("x").facts(&HOME).unwrap();
    assert!(cheap("").ready(&facts).is_err());
    let Facts::Passphrase { salt, passes, lanes, .. } = facts else { unreachable!() };
    let lowered = Facts::Passphrase { salt, memory: 8, passes, lanes };
    assert!(cheap("x").ready(&lowered).is_err());
    let short = Facts::Passphrase { salt: "00".into(), memory: 65_536, passes, lanes };
    assert!(cheap("x").ready(&short).is_err());
}

#[test]
fn facts_of_another_provider_are_refused() {
    let (_folder, path) = written(&[b'7'; 64], 0o600);
    assert!(KeyFile::at(path).ready(&cheap("x").facts(&HOME).unwrap()).is_err());
    assert!(cheap("x").ready(&Facts::KeyFile { path: "/k".into() }).is_err());
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    for mode in [0o604, 0o640, 0o620, 0o666] {
        let (_folder, path) = written(&[b'7'; 64], 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(refused(&KeyFile::at(path)).ends_with("other users may read or write it"), "{mode:o}");
    }
}

#[test]
fn a_key_file_holds_32_bytes_in_hex_or_base_64_and_not_zeros() {
    let good = [b"0123456789abcdef".repeat(4), crypto::to_base64(&[9; 32]).into_bytes()];
    for mut bytes in good {
        bytes.push(b'\n');
        let (_folder, path) = written(&bytes, 0o600);
        conforms(&KeyFile::at(path));
    }
    for wrong in [b"0".repeat(64), b"7".repeat(63), b"7".repeat(200), b"".to_vec(), b"z".repeat(64)] {
        let (_folder, path) = written(&wrong, 0o600);
        assert!(refused(&KeyFile::at(path)).contains("does not hold 32 bytes"), "{wrong:?}");
    }
}

#[test]
fn a_folder_or_a_missing_file_is_no_key_and_ones_own_link_is_followed() {
    let (folder, path) = written(&[b'7'; 64], 0o600);
    assert!(refused(&KeyFile::at(folder.path().to_owned())).contains("not a plain file"));
    assert!(refused(&KeyFile::at(folder.path().join("none"))).contains("not there"));
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    conforms(&KeyFile::at(link));
}

#[test]
fn a_fresh_key_file_is_private_and_never_replaces_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    conforms(&KeyFile::create(path.clone()).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&path).unwrap();
    assert!(KeyFile::create(path.clone()).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_key_file_in_a_home_is_remembered_by_its_place_there_and_found_where_the_home_is() {
    let place = tempfile::tempdir().unwrap();
    let (home, moved) = (place.path().join("a"), place.path().join("b"));
    std::fs::create_dir(&home).unwrap();
    let key = KeyFile::create(home.join("key")).unwrap().of(Some(&home));
    let facts = key.facts(&HOME).unwrap();
    assert_eq!(facts, Facts::KeyFile { path: "key".into() });
    let outside = KeyFile::create(place.path().join("outside")).unwrap().of(Some(&home));
    assert_eq!(outside.facts(&HOME).unwrap(), Facts::KeyFile { path: place.path().join("outside") });
    let ready = key.ready(&facts).unwrap();
    let data = DataKey::generate().unwrap();
    let wrapped = ready.wrap(&data, &PLACE, b"").unwrap();
    std::fs::rename(&home, &moved).unwrap();
    let setup = |home: &std::path::Path| Setup { home: Some(home.to_owned()), ..Setup::default() };
    let opens = |facts: &Facts, home: &std::path::Path| {
        let provider = provider_of(facts, &setup(home), None).unwrap();
        provider.ready(facts).and_then(|ready| Ok(ready.unwrap(&wrapped, &PLACE, b"")?)).is_ok()
    };
    assert!(opens(&facts, &moved) && !opens(&facts, &home));
    // Homes of before remember where it was.
    let was = Facts::KeyFile { path: home.join("key") };
    assert!(opens(&was, &moved));
    // Another key at either place does no harm: the one that opens counts.
    std::fs::create_dir(&home).unwrap();
    let other = KeyFile::create(home.join("key")).unwrap();
    assert!(opens(&was, &moved) && opens(&was, &moved));
    let third = place.path().join("c");
    std::fs::create_dir(&third).unwrap();
    std::fs::copy(home.join("key"), third.join("key")).unwrap();
    let there = Facts::KeyFile { path: moved.join("key") };
    let provider = provider_of(&there, &setup(&third), None).unwrap();
    let either = provider.ready(&there).unwrap();
    assert!(either.unwrap(&wrapped, &PLACE, b"").is_ok());
    let again = either.wrap(&data, &PLACE, b"").unwrap();
    assert!(ready.unwrap(&again, &PLACE, b"").is_ok() && other.ready(&facts).is_ok());
}
