//! Tokens, TPMs and programs: a real `SoftHSM`, a real software TPM, the real `age` and `pass`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use super::super::*;
use super::suite::{MARK, Stage, with_variable};
use crate::source::tests::programs::{PasswordStore, environment, program, run, search_path, setup, write};
use crate::source::tests::rings::{Running, wait_for};
use crate::{Config, Environment, Setup};

pub(super) fn in_a_password_store() -> Stage {
    let store = PasswordStore::shared();
    let choice = "os-keyring:pass";
    Stage::new(store.setup(), choice, choice, store)
}

// === a token ===

/// The stage in the inner process; the outer one makes the token, whose library reads its configuration from the
/// environment of the whole process.
pub(super) fn on_a_token(variable: &str, test: &str) -> Option<Stage> {
    let folder = Environment::default().raw(MARK).map(PathBuf::from);
    let Some(folder) = folder else {
        let made = token();
        with_variable(variable, &made.path().join("softhsm2.conf"), test)?;
        return None;
    };
    let choice = |object: &str| token_choice(&folder, object, "pin");
    let away = folder.join("tokens");
    Some(
        Stage::new(Setup::default(), &choice("doorward"), &choice("other"), ())
            .out_of_reach(move || std::fs::rename(&away, away.with_extension("away")).unwrap()),
    )
}

fn token_choice(folder: &Path, object: &str, pin: &str) -> String {
    let (module, pin) = (module(), folder.join(pin));
    format!(
        "pkcs11:token=canary;object={object}?module-path={}&pin-source=file:{}",
        module.display(),
        pin.display()
    )
}

/// Where Debian and others have the library.
fn module() -> PathBuf {
    let places = ["/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm"];
    let found =
        places.into_iter().map(|place| Path::new(place).join("libsofthsm2.so")).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("SoftHSM is not installed: the package `softhsm2` has it"))
}

/// A token with two good keys, one that can be taken out, and a file with its PIN.
fn token() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    store::files::private_folder(&tokens).unwrap();
    let config = folder.path().join("softhsm2.conf");
    write(
        &config,
        format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display()).as_bytes(),
    );
    write(&folder.path().join("pin"), b"4711-canary\n");
    write(&folder.path().join("wrong"), b"0815-canary\n");
    let command = |name: &str, package: &str, words: &[&str]| {
        let mut command = Command::new(program(name, package));
        command.env_clear().env("PATH", search_path()).env("SOFTHSM2_CONF", &config).args(words);
        run(&mut command, b"");
    };
    let init =
        ["--init-token", "--free", "--label", "canary", "--so-pin", "so-canary", "--pin", "4711-canary"];
    command("softhsm2-util", "softhsm2", &init);
    let module = module().display().to_string();
    for (label, id, more) in [
        ("doorward", "01", &["--sensitive"][..]),
        ("other", "02", &["--sensitive"][..]),
        ("loose", "03", &["--extractable"][..]),
    ] {
        let mut words =
            vec!["--module", &module, "--token-label", "canary", "--login", "--pin", "4711-canary"];
        words.extend(["--keygen", "--key-type", "AES:32", "--label", label, "--id", id]);
        words.extend(more);
        command("pkcs11-tool", "opensc", &words);
    }
    folder
}

#[test]
fn a_wrong_pin_a_missing_key_and_one_that_can_be_taken_out_are_refused() {
    let test =
        "provider::tests::devices::a_wrong_pin_a_missing_key_and_one_that_can_be_taken_out_are_refused";
    let Some(folder) = Environment::default().raw(MARK).map(PathBuf::from) else {
        let made = token();
        assert!(with_variable("SOFTHSM2_CONF", &made.path().join("softhsm2.conf"), test).is_some());
        return;
    };
    let refused = |choice: &str| {
        let provider = KeyChoice::parse(choice).unwrap().provider(&Setup::default(), None).unwrap();
        provider.facts(&super::HOME).unwrap_err().to_string()
    };
    for (choice, part) in [
        (token_choice(&folder, "doorward", "wrong"), "the token refused: the PIN is another one"),
        (token_choice(&folder, "none", "pin"), "has no such AES key (token=canary;object=none)"),
        (token_choice(&folder, "loose", "pin"), "the key can be taken out of the token"),
        (token_choice(&folder, "doorward", "pin").replace("canary;", "nobody;"), "the token is not there"),
        (token_choice(&folder, "doorward", "no-file"), "it can't be opened"),
        (token_choice(&folder, "doorward", "pin").replace("libsofthsm2", "libnone"), "it is not there"),
    ] {
        let said = refused(&choice);
        assert!(said.contains(part) && !said.contains("4711"), "{choice}: {said}");
    }
    std::fs::set_permissions(folder.join("pin"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();
    assert!(refused(&token_choice(&folder, "doorward", "pin")).contains("other users may read"));
}

// === a TPM ===

/// A software TPM of its own.
struct Tpm {
    running: std::sync::Mutex<Option<Running>>,
    folder: TempDir,
}

impl Tpm {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (state, socket) = (folder.path().join("state"), folder.path().join("tpm"));
        store::files::private_folder(&state).unwrap();
        let mut command = Command::new(program("swtpm", "swtpm"));
        command.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"]);
        command.arg("--tpmstate").arg(format!("dir={}", state.display()));
        command.arg("--server").arg(format!("type=unixio,path={}", socket.display()));
        command.arg("--ctrl").arg(format!("type=unixio,path={}.ctrl", socket.display()));
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        let running = Running(command.stderr(std::process::Stdio::null()).spawn().unwrap());
        wait_for("the TPM", || socket.exists().then_some(()));
        store::files::private_folder(&folder.path().join("work")).unwrap();
        write(&folder.path().join("auth"), b"CANARY-auth-value");
        write(&folder.path().join("other"), b"CANARY-other-value");
        let _ = program("tpm2_create", "tpm2-tools");
        Self { running: std::sync::Mutex::new(Some(running)), folder }
    }

    fn place(&self) -> String {
        format!("swtpm:path={}", self.folder.path().join("tpm").display())
    }

    fn setup(&self) -> Setup {
        let (place, work) = (self.place(), self.folder.path().join("work").display().to_string());
        let variables = [("TPM2TOOLS_TCTI", place.as_str()), ("TMPDIR", &work)];
        setup(Config::default(), environment(self.folder.path(), &variables))
    }

    fn extend(&self, register: &str) {
        let mut command = Command::new(program("tpm2_pcrextend", "tpm2-tools"));
        command.env("TPM2TOOLS_TCTI", self.place());
        run(command.arg(format!("{register}:sha256={}", "01".repeat(32))), b"");
    }

    fn choice(&self, name: &str) -> String {
        format!("tpm2?auth={}", self.folder.path().join(name).display())
    }
}

pub(super) fn by_a_tpm() -> Stage {
    let tpm = Arc::new(Tpm::start());
    let away = Arc::clone(&tpm);
    Stage::new(tpm.setup(), &tpm.choice("auth"), &tpm.choice("other"), tpm)
        .out_of_reach(move || drop(away.running.lock().unwrap().take()))
}

fn chosen(setup: &Setup, choice: &str) -> Box<dyn KeyProvider> {
    KeyChoice::parse(choice).unwrap().provider(setup, None).unwrap()
}

#[test]
fn a_tpm_opens_only_with_its_value_with_its_registers_and_for_itself() {
    let tpm = Tpm::start();
    let plain = chosen(&tpm.setup(), "tpm2");
    let facts = plain.facts(&super::HOME).unwrap();
    assert!(plain.ready(&facts).is_ok());
    let bound = chosen(&tpm.setup(), "tpm2?pcrs=sha256:7,15");
    let bound_facts = bound.facts(&super::HOME).unwrap();
    assert!(bound.ready(&bound_facts).is_ok());
    tpm.extend("15");
    let error = bound.ready(&bound_facts).err().unwrap().to_string();
    assert!(error.contains("its registers are not as they were"), "{error}");
    // Sessions and objects that were refused are not left in the TPM.
    assert!(plain.ready(&facts).is_ok());
    let valued = chosen(&tpm.setup(), &tpm.choice("auth"));
    let Facts::Tpm2 { home, pcrs, public, private, .. } = valued.facts(&super::HOME).unwrap() else {
        panic!("other facts")
    };
    let wrong = Facts::Tpm2 { home, pcrs, auth: Some(tpm.folder.path().join("other")), public, private };
    let error = valued.ready(&wrong).err().unwrap().to_string();
    assert!(error.contains("the value in the `auth` file is another one"), "{error}");
    let another = Tpm::start();
    let error = chosen(&another.setup(), "tpm2").ready(&facts).err().unwrap().to_string();
    assert!(error.contains("sealed by another TPM"), "{error}");
    let left = std::fs::read_dir(tpm.folder.path().join("work")).unwrap().count();
    assert_eq!(left, 0, "nothing is left behind");
}

// === age ===

/// Identities of the real program.
struct Identities(TempDir);

impl Identities {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn recipient(&self, name: &str) -> String {
        let path = self.0.path().join(name);
        run(Command::new(program("age-keygen", "age")).arg("-o").arg(&path), b"");
        let said = run(Command::new(program("age-keygen", "age")).arg("-y").arg(&path), b"");
        String::from_utf8(said).unwrap().trim().to_owned()
    }

    fn choice(&self, recipients: &str, name: &str) -> String {
        format!("age:{recipients}?identity={}", self.0.path().join(name).display())
    }

    fn setup(&self) -> Setup {
        setup(Config::default(), environment(self.0.path(), &[]))
    }
}

pub(super) fn for_recipients() -> Stage {
    let identities = Identities::new();
    let (one, other) = (identities.recipient("one"), identities.recipient("other"));
    let choice = identities.choice(&format!("{one},{other}"), "one");
    let another = identities.choice(&other, "other");
    let away = identities.0.path().join("one");
    Stage::new(identities.setup(), &choice, &another, identities)
        .out_of_reach(move || std::fs::remove_file(&away).unwrap())
}

#[test]
fn each_recipient_of_age_opens_the_home_and_nobody_else() {
    let identities = Identities::new();
    let recipients: Vec<String> =
        ["one", "two", "three"].iter().map(|name| identities.recipient(name)).collect();
    let both = recipients[..2].join(",");
    let facts = chosen(&identities.setup(), &identities.choice(&both, "one")).facts(&super::HOME).unwrap();
    assert!(chosen(&identities.setup(), &identities.choice(&both, "two")).ready(&facts).is_ok());
    let error = chosen(&identities.setup(), &identities.choice(&both, "three")).ready(&facts).err().unwrap();
    assert!(error.to_string().contains("the program `age` refused"), "{error}");
    let path = identities.0.path().join("one");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let error = chosen(&identities.setup(), &identities.choice(&both, "one")).ready(&facts).err().unwrap();
    assert!(error.to_string().contains("other users may read"), "{error}");
}

#[test]
fn recipients_of_plugins_and_keys_of_ssh_are_taken() {
    let identities = Identities::new();
    let key = identities.0.path().join("id");
    let mut made = Command::new(program("ssh-keygen", "openssh-client"));
    run(made.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key), b"");
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let public: Vec<&str> = public.split_whitespace().take(2).collect();
    let choice = identities.choice(&public.join("%20").replace('+', "%2B"), "id");
    // What stands in front of `?` is taken as it is, so the blank is one.
    let choice = choice.replace("%20", " ").replace("%2B", "+");
    let provider = chosen(&identities.setup(), &choice);
    let facts = provider.facts(&super::HOME).unwrap();
    assert!(provider.ready(&facts).is_ok());
    let absent = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t";
    let error =
        chosen(&identities.setup(), &identities.choice(absent, "id")).facts(&super::HOME).unwrap_err();
    assert!(error.to_string().contains("the program `age` refused"), "{error}");
}
