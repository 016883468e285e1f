//! How providers are chosen, and the two that need nothing but this machine.

use super::super::*;
use super::suite::Stage;
use crate::Setup;

pub(super) fn a_passphrase() -> Stage {
    let mut stage = Stage::new(Setup::default(), "passphrase", "passphrase", ());
    stage.typed = Some("correct horse CANARY");
    stage
}

pub(super) fn a_key_file() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let choice = |name: &str| format!("key-file:{}", folder.path().join(name).display());
    let (one, other) = (choice("key"), choice("other"));
    Stage::new(Setup::default(), &one, &other, folder)
}

fn wrong(choice: &str) -> String {
    let read = KeyChoice::parse(choice).and_then(|choice| choice.provider(&Setup::default(), None));
    read.err().unwrap_or_else(|| panic!("`{choice}` was taken")).to_string()
}

#[test]
fn what_is_no_provider_or_not_of_its_form_is_refused_with_the_form() {
    assert!(wrong("awskms:x").contains("known are passphrase, key-file, os-keyring"));
    for (choice, part) in [
        ("passphrase", "nobody typed"),
        ("passphrase:correct horse", "nothing stands behind its name"),
        ("key-file", "the path of the file"),
        ("os-keyring:file", "none of `secret-service`"),
        ("os-keyring:secret-service?prompt=1", "no option `prompt`"),
        ("transit:doorward", "`MOUNT/KEY`"),
        ("transit:transit/../x", "`MOUNT/KEY`"),
        ("aws-kms", "the ARN"),
        ("aws-kms:key with blanks", "no ARN"),
        ("gcp-kms:projects/p/keys/k", "cryptoKeys/K"),
        ("azure-key-vault:acme", "`VAULT/KEY`"),
        ("azure-key-vault:acme/a.b", "letters, digits and dashes"),
        ("pkcs11:token=x;object=y", "`module-path`"),
        ("pkcs11:token=x?module-path=/lib/x.so&pin-source=prompt", "`object` or `id`"),
        ("pkcs11:object=y?module-path=/lib/x.so&pin-value=1234", "a PIN is not written here"),
        ("pkcs11:object=y?module-path=x.so&pin-source=prompt", "not absolute"),
        ("pkcs11:object=y?module-path=/lib/x.so", "where the PIN is"),
        ("pkcs11:object=y?module-path=/lib/x.so&pin-source=prompt", "nobody typed the PIN"),
        ("pkcs11:object=y;slot=1?module-path=/lib/x.so&pin-source=env:P", "its parts are"),
        ("tpm2:x", "this machine's TPM"),
        ("tpm2?pcrs=sha1:7", "such as `sha256:0,7`"),
        ("tpm2?pcrs=sha256:7&auth=/x", "can't be had together"),
        ("tpm2?pcrs=sha256:7&pcrs=sha256:7", "stands there twice"),
        ("age:age1x", "`identity`"),
        ("age:me?identity=/x", "a recipient is"),
    ] {
        assert!(wrong(choice).contains(part), "{choice}: {}", wrong(choice));
    }
}

#[test]
fn every_example_is_one_that_is_taken() {
    for listed in KEY_PROVIDERS {
        let choice = KeyChoice::parse(listed.example).unwrap();
        assert_eq!(choice.name(), listed.name);
        // A key file would be made.
        if listed.name != "key-file" {
            let typed = choice.asks().map(crate::tests::fixture::secret);
            assert!(choice.provider(&Setup::default(), typed).is_ok(), "{}", listed.example);
        }
    }
}

#[test]
fn a_library_that_others_may_write_is_not_loaded() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("module.so");
    store::files::replace(&path, b"no library", 0o600).unwrap();
    assert!(private::code(&path).is_ok());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o620)).unwrap();
    assert!(private::code(&path).unwrap_err().to_string().contains("another user"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(private::code(&path).unwrap_err().to_string().contains("another user"));
    assert!(
        private::code(std::path::Path::new("module.so")).unwrap_err().to_string().contains("not absolute")
    );
    assert!(private::code(folder.path()).is_err());
}
