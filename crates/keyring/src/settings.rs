//! Everything that says where the keyrings are and how they are opened. Read from flags and the environment by whoever
//! calls; nothing here looks into the environment itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::{Ask, Kind};

/// The settings of all keyrings. [`Settings::new`] has the defaults of aws-vault, so that its entries are found.
#[derive(Clone)]
pub struct Settings {
    /// The home folder of the person: defaults lie below it, and a leading `~/` stands for it.
    pub home: PathBuf,
    /// macOS.
    pub keychain: Keychain,
    /// Windows.
    pub wincred: Wincred,
    /// The bus of the desktop session.
    pub bus: Bus,
    /// The Secret Service.
    pub secret_service: SecretService,
    /// KDE's wallet.
    pub kwallet: Kwallet,
    /// The kernel's keys.
    pub keyctl: Keyctl,
    /// `pass` and `passage`.
    pub pass: Pass,
    /// Encrypted files.
    pub file: File,
    /// 1Password.
    pub op: OnePassword,
    /// Proton Pass.
    pub proton_pass: ProtonPass,
    /// The programs that some of them start.
    pub programs: Programs,
    /// Who is asked.
    pub ask: Arc<dyn Ask>,
}

/// Where the keychain is.
#[derive(Debug, Clone)]
pub struct Keychain {
    /// The name of the file without `.keychain` (`--keychain`).
    pub name: String,
    /// What opens it (`--biometrics`).
    pub unlock: Unlock,
    /// Another `security` program, for tests and other systems.
    pub program: Option<PathBuf>,
}

/// What opens a keychain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unlock {
    /// Its password, which the system asks for.
    #[default]
    Password,
    /// Touch ID. The system's program `security` can't ask for it, so it is refused.
    Biometrics,
}

/// How the Credential Manager is reached.
#[derive(Debug, Clone)]
pub struct Wincred {
    /// The service in the names of credentials, `SERVICE:PREFIX:ENTRY`.
    pub service: String,
    /// The prefix in the names of credentials.
    pub prefix: String,
    /// Another `powershell.exe`, for tests and for Linux under Windows.
    pub program: Option<PathBuf>,
}

/// The bus of the desktop session.
#[derive(Debug, Clone, Default)]
pub struct Bus {
    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub address: Option<String>,
    /// `XDG_RUNTIME_DIR`: without an address, the socket `bus` in it is used where there is one.
    pub runtime: Option<PathBuf>,
}

/// Where entries are in the Secret Service.
#[derive(Debug, Clone)]
pub struct SecretService {
    /// The collection (`--secret-service-collection`), made with the first entry.
    pub collection: String,
    /// How long a person has for a prompt of the desktop.
    pub prompt: Duration,
}

/// Where entries are in KDE's wallets.
#[derive(Debug, Clone)]
pub struct Kwallet {
    /// The wallet.
    pub wallet: String,
    /// The folder in it.
    pub folder: String,
    /// `DISABLE_KWALLET=1`: it is passed over when the first usable keyring is looked for, and refused by name.
    pub disabled: bool,
    /// How long a person has for a prompt of the desktop.
    pub prompt: Duration,
}

/// Where entries are among the kernel's keys.
#[derive(Debug, Clone)]
pub struct Keyctl {
    /// What the descriptions of our keys begin with.
    pub service: String,
}

/// Where `pass` and `passage` keep their files.
#[derive(Debug, Clone, Default)]
pub struct Pass {
    /// The program (`--pass-cmd`); `pass` or `passage` without it.
    pub command: Option<PathBuf>,
    /// The folder (`--pass-dir`), for both.
    pub folder: Option<PathBuf>,
    /// The folder inside of it (`--pass-prefix`).
    pub prefix: String,
    /// `PASSWORD_STORE_DIR`; `~/.password-store` without it.
    pub password_store: Option<PathBuf>,
    /// `PASSAGE_DIR`; `~/.passage/store` without it.
    pub passage_store: Option<PathBuf>,
}

/// Where the encrypted files are.
#[derive(Debug, Clone, Default)]
pub struct File {
    /// The folder (`--file-dir`); `~/.awsvault/keys/` without it.
    pub folder: Option<PathBuf>,
}

/// Where entries are in 1Password.
#[derive(Debug, Clone)]
pub struct OnePassword {
    /// The id of the vault (`--op-vault-id`), needed by all three.
    pub vault: Option<String>,
    /// What titles begin with, before `: ` (`--op-item-title-prefix`).
    pub title_prefix: String,
    /// The tag of our items (`--op-item-tag`).
    pub tag: String,
    /// Longest time for one call (`--op-timeout`).
    pub timeout: Duration,
    /// The address of the Connect server (`--op-connect-host`).
    pub host: Option<String>,
    /// The account that the desktop application signs in to (`--op-desktop-account-id`).
    pub account: Option<String>,
    /// Another `op` program.
    pub program: Option<PathBuf>,
}

/// Where entries are in Proton Pass.
#[derive(Debug, Clone)]
pub struct ProtonPass {
    /// The share id of the vault (`--proton-pass-share-id`).
    pub share: Option<String>,
    /// What titles begin with, before `/` (`--proton-pass-item-title-prefix`).
    pub title_prefix: String,
    /// Another address of the service (`--proton-pass-api-base`). Proton's own program knows none, so it is refused.
    pub api_base: Option<String>,
    /// Longest time for one call (`--proton-pass-timeout`).
    pub timeout: Duration,
    /// Another `pass-cli` program.
    pub program: Option<PathBuf>,
}

/// The programs that some keyrings start. They inherit the environment without our own secrets and credentials of AWS.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    /// `PATH`: where programs are looked for.
    pub path: OsString,
    /// More variables for them, over what they inherit.
    pub environment: Vec<(OsString, OsString)>,
}

impl Settings {
    /// The defaults: those of aws-vault.
    #[must_use]
    pub fn new(home: PathBuf, ask: Arc<dyn Ask>) -> Self {
        let product = || "aws-vault".to_owned();
        let prompt = Duration::from_secs(120);
        Self {
            home,
            keychain: Keychain { name: product(), unlock: Unlock::Password, program: None },
            wincred: Wincred { service: product(), prefix: product(), program: None },
            bus: Bus::default(),
            secret_service: SecretService { collection: "awsvault".to_owned(), prompt },
            kwallet: Kwallet { wallet: product(), folder: product(), disabled: false, prompt },
            keyctl: Keyctl { service: product() },
            pass: Pass::default(),
            file: File::default(),
            op: OnePassword {
                vault: None,
                title_prefix: product(),
                tag: product(),
                timeout: Duration::from_secs(15),
                host: None,
                account: None,
                program: None,
            },
            proton_pass: ProtonPass {
                share: None,
                title_prefix: product(),
                api_base: None,
                timeout: Duration::from_secs(30),
                program: None,
            },
            programs: Programs::default(),
            ask,
        }
    }

    /// Which of all places of a kind is meant, as a text that is the same for the same place. It is not secret.
    #[must_use]
    pub fn place(&self, kind: Kind) -> String {
        let parts: Vec<&str> = match kind {
            Kind::Doorward | Kind::Winhello => Vec::new(),
            Kind::Wincred => vec![&self.wincred.service, &self.wincred.prefix],
            Kind::Keychain => vec![&self.keychain.name],
            Kind::SecretService => vec![&self.secret_service.collection],
            Kind::Kwallet => vec![&self.kwallet.wallet, &self.kwallet.folder],
            Kind::Keyctl => vec![&self.keyctl.service],
            Kind::Pass | Kind::Passage => vec![&self.pass.prefix],
            Kind::File => Vec::new(),
            Kind::OpConnect | Kind::Op | Kind::OpDesktop => {
                let OnePassword { vault, title_prefix, tag, host, account, .. } = &self.op;
                let maybe = [vault, host, account].map(|part| part.as_deref().unwrap_or_default());
                maybe.into_iter().chain([title_prefix.as_str(), tag]).collect()
            }
            Kind::ProtonPass => {
                vec![self.proton_pass.share.as_deref().unwrap_or_default(), &self.proton_pass.title_prefix]
            }
        };
        let folder = match kind {
            Kind::Pass => Some(self.store(&self.pass.password_store, ".password-store")),
            Kind::Passage => Some(self.store(&self.pass.passage_store, ".passage/store")),
            Kind::File => Some(self.files()),
            _ => None,
        };
        // Two spellings of one folder are one place.
        let whole = |folder: PathBuf| {
            std::fs::canonicalize(&folder).or_else(|_| std::path::absolute(&folder)).unwrap_or(folder)
        };
        let folder = folder.map(|folder| whole(folder).display().to_string()).unwrap_or_default();
        format!("{folder}\n{}", parts.join("\n"))
    }

    /// The folder of the encrypted files.
    pub(crate) fn files(&self) -> PathBuf {
        match &self.file.folder {
            Some(folder) => self.expanded(folder),
            None => self.home.join(".awsvault").join("keys"),
        }
    }

    /// The folder of a password store.
    pub(crate) fn store(&self, own: &Option<PathBuf>, usual: &str) -> PathBuf {
        match self.pass.folder.as_ref().or(own.as_ref()) {
            Some(folder) => self.expanded(folder),
            None => self.home.join(usual),
        }
    }

    /// A path with a leading `~/` read as the home folder.
    pub(crate) fn expanded(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("~") {
            Ok(rest) => self.home.join(rest),
            Err(_) => path.to_owned(),
        }
    }
}
