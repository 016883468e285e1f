//! Where keys and sessions are stored, and who asks: what holds for every command.

use std::path::PathBuf;
use std::time::Duration;

use super::command::Manner;

/// What holds for every command: where keys are stored, and who asks.
#[derive(Debug, Clone)]
pub struct Global {
    /// In whose words.
    pub manner: Manner,
    /// Log to stderr.
    pub debug: bool,
    /// The store of keys, one of [`super::grammar::BACKENDS`]; the first usable one without it.
    pub backend: Option<String>,
    /// The store of sessions; the same as that of the keys without it.
    pub session_backend: Option<String>,
    /// The prompt driver, known to be there.
    pub prompt: Option<String>,
    /// The macOS keychain.
    pub keychain: String,
    /// The collection of the Secret Service.
    pub secret_service_collection: String,
    /// The folder of `pass` or `passage`.
    pub pass_dir: Option<PathBuf>,
    /// The program.
    pub pass_cmd: Option<PathBuf>,
    /// What paths in it begin with.
    pub pass_prefix: Option<String>,
    /// The folder of encrypted files; a leading `~/` stands for the home.
    pub file_dir: PathBuf,
    /// 1Password.
    pub op: OnePassword,
    /// Proton Pass.
    pub proton_pass: ProtonPass,
    /// Touch ID before the keychain is opened.
    pub biometrics: bool,
}

/// Where items are in 1Password.
#[derive(Debug, Clone)]
pub struct OnePassword {
    /// Longest time for one call. Zero is refused by the store.
    pub timeout: Duration,
    /// The vault.
    pub vault_id: Option<String>,
    /// What titles begin with.
    pub item_title_prefix: String,
    /// The tag of our items.
    pub item_tag: String,
    /// The Connect server.
    pub connect_host: Option<String>,
    /// The account of the desktop application.
    pub desktop_account_id: Option<String>,
}

/// Where items are in Proton Pass.
#[derive(Debug, Clone)]
pub struct ProtonPass {
    /// The vault.
    pub share_id: Option<String>,
    /// What titles begin with.
    pub item_title_prefix: String,
    /// Another address of the API.
    pub api_base: Option<String>,
    /// Longest time for one call.
    pub timeout: Duration,
}

impl Global {
    /// Whether the words of aws-vault are spoken.
    #[must_use]
    pub fn compatible(&self) -> bool {
        self.manner == Manner::AwsVault
    }
}
