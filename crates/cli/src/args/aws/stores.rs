//! Flags of every command of `doorward aws`: where keys and sessions are stored, and who asks.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::compat::aws_vault::grammar::BACKENDS;

/// Flags of every command. Their forms are checked by the grammar of aws-vault ([`Stores::words`]).
#[derive(Debug, Args)]
#[command(next_help_heading = "Stores and prompts")]
pub(crate) struct Stores {
    /// Where keys are stored [default: the first that can be used]
    #[arg(long, global = true, value_name = "NAME", value_parser = PossibleValuesParser::new(BACKENDS), hide_possible_values = true)]
    pub(crate) backend: Option<String>,
    /// Where sessions are stored [default: where keys are]
    #[arg(long, global = true, value_name = "NAME", value_parser = PossibleValuesParser::new(BACKENDS), hide_possible_values = true)]
    pub(crate) session_backend: Option<String>,
    /// Who asks for MFA codes: `terminal`, `ykman`, `totp` and others
    #[arg(long, global = true, value_name = "DRIVER")]
    pub(crate) prompt: Option<String>,
    /// The macOS keychain [default: aws-vault]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) keychain: Option<String>,
    /// The collection of the Secret Service [default: awsvault]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) secret_service_collection: Option<String>,
    /// The folder of the pass or passage store
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub(crate) pass_dir: Option<String>,
    /// The pass or passage program
    #[arg(long, global = true, value_name = "PROGRAM", hide_short_help = true)]
    pub(crate) pass_cmd: Option<String>,
    /// What paths in pass begin with
    #[arg(long, global = true, value_name = "PREFIX", hide_short_help = true)]
    pub(crate) pass_prefix: Option<String>,
    /// The folder of encrypted files [default: ~/.awsvault/keys/]
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub(crate) file_dir: Option<String>,
    /// Longest time for one call to 1Password [default: 15s]
    #[arg(long, global = true, value_name = "DURATION", hide_short_help = true)]
    pub(crate) op_timeout: Option<String>,
    /// The vault in 1Password
    #[arg(long, global = true, value_name = "UUID", hide_short_help = true)]
    pub(crate) op_vault_id: Option<String>,
    /// What titles in 1Password begin with [default: aws-vault]
    #[arg(long, global = true, value_name = "PREFIX", hide_short_help = true)]
    pub(crate) op_item_title_prefix: Option<String>,
    /// The tag of items in 1Password [default: aws-vault]
    #[arg(long, global = true, value_name = "TAG", hide_short_help = true)]
    pub(crate) op_item_tag: Option<String>,
    /// The 1Password Connect server
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) op_connect_host: Option<String>,
    /// The account of the 1Password desktop application
    #[arg(long, global = true, value_name = "ID", hide_short_help = true)]
    pub(crate) op_desktop_account_id: Option<String>,
    /// The vault in Proton Pass
    #[arg(long, global = true, value_name = "ID", hide_short_help = true)]
    pub(crate) proton_pass_share_id: Option<String>,
    /// What titles in Proton Pass begin with [default: aws-vault]
    #[arg(long, global = true, value_name = "PREFIX", hide_short_help = true)]
    pub(crate) proton_pass_item_title_prefix: Option<String>,
    /// Another address of Proton's API
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) proton_pass_api_base: Option<String>,
    /// Longest time for one call to Proton Pass [default: 30s]
    #[arg(long, global = true, value_name = "DURATION", hide_short_help = true)]
    pub(crate) proton_pass_timeout: Option<String>,
    /// Ask for Touch ID before the keychain is opened
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) biometrics: bool,
}

impl Stores {
    /// The same in the words of aws-vault, so that one grammar gives both their defaults and their checks. Each word is of
    /// the form `--flag=value`, so that a value can't be read as a flag.
    pub(super) fn words(&self) -> Vec<String> {
        let texts = [
            ("backend", &self.backend),
            ("prompt", &self.prompt),
            ("keychain", &self.keychain),
            ("secret-service-collection", &self.secret_service_collection),
            ("pass-dir", &self.pass_dir),
            ("pass-cmd", &self.pass_cmd),
            ("pass-prefix", &self.pass_prefix),
            ("file-dir", &self.file_dir),
            ("op-timeout", &self.op_timeout),
            ("op-vault-id", &self.op_vault_id),
            ("op-item-title-prefix", &self.op_item_title_prefix),
            ("op-item-tag", &self.op_item_tag),
            ("op-connect-host", &self.op_connect_host),
            ("op-desktop-account-id", &self.op_desktop_account_id),
            ("proton-pass-share-id", &self.proton_pass_share_id),
            ("proton-pass-item-title-prefix", &self.proton_pass_item_title_prefix),
            ("proton-pass-api-base", &self.proton_pass_api_base),
            ("proton-pass-timeout", &self.proton_pass_timeout),
        ];
        let typed = texts
            .into_iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| format!("--{name}={value}")));
        typed.chain(self.biometrics.then(|| "--biometrics".to_owned())).collect()
    }
}
