//! How people are asked: for passphrases of keyrings and codes of devices; and how pages are shown to them.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use aws::chain::Mfa;
use aws::mfa::{self, Code, Driver, Facts, Prompt, Serving, YkmanSettings};
use broker::mint::{Browser, SignIn};

use keyring::{Ask, NoAnswer, Question};
use memory::Secret;
use zeroize::Zeroizing;

use super::getting::Prompts;
use super::speech::say;
use crate::compat::aws_vault::OUR_SECRETS;
use crate::compat::aws_vault::command::{Global, Wanted};
use crate::compat::{environment, opener};
use crate::typed::{asking, unseen};

/// What a keyring asks for: the environment first, then the terminal.
pub(super) struct Terminal;

impl Ask for Terminal {
    fn ask(&self, question: &Question) -> Result<Secret, NoAnswer> {
        let variables: &[&str] = match question {
            Question::Passphrase { .. } => &["AWS_VAULT_FILE_PASSPHRASE"],
            Question::OpConnectToken => &["AWS_VAULT_OP_CONNECT_TOKEN", "OP_CONNECT_TOKEN"],
            Question::OpServiceAccountToken => {
                &["AWS_VAULT_OP_SERVICE_ACCOUNT_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN"]
            }
            Question::ProtonPassToken => &["PROTON_PASS_PERSONAL_ACCESS_TOKEN"],
            _ => &[],
        };
        for name in variables {
            if let Some(value) = given(name) {
                return guarded(value);
            }
        }
        let text = match question {
            Question::Passphrase { folder } => {
                format!("Enter passphrase to unlock \"{}\"", folder.display())
            }
            other => format!("Enter {other}"),
        };
        if !std::io::stdin().is_terminal() {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "{text}: ").and_then(|()| stderr.flush());
            return Err(NoAnswer::Nobody);
        }
        guarded(asking(|| unseen(&text)).map_err(NoAnswer::Failed)?)
    }

    fn tell(&self, line: &str) {
        super::speech::log(|| line.to_owned());
    }
}

/// A variable that may be set and empty.
#[expect(
    clippy::disallowed_methods,
    reason = "an empty passphrase is one, and only here it makes a difference"
)]
fn given(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().map(Zeroizing::new)
}

fn guarded(mut text: Zeroizing<String>) -> Result<Secret, NoAnswer> {
    let bytes = std::mem::take(&mut *text).into_bytes();
    Secret::new(bytes).map_err(|error| NoAnswer::Failed(std::io::Error::other(error.to_string())))
}

/// The names of the drivers that can ask here.
pub(super) fn drivers() -> Vec<String> {
    // A seed may be stored; only the broker knows.
    let facts = Facts { seed: true, ..facts(Serving::No) };
    mfa::available(&facts).into_iter().map(|driver| driver.name().to_owned()).collect()
}

/// What has to be known about this machine.
pub(super) fn facts(serving: Serving) -> Facts {
    let path = environment("PATH").unwrap_or_default();
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| environment(name).is_some());
    Facts {
        search: std::env::split_paths(&path).collect(),
        terminal: Facts::has_terminal(),
        stdout_is_terminal: std::io::stdout().is_terminal(),
        screen,
        serving,
        seed: false,
        system_root: environment("SystemRoot").map(PathBuf::from),
    }
}

/// How codes are asked for.
pub(super) fn prompts(global: &Global, session: &Wanted, serving: Serving) -> Arc<Prompts> {
    let named: Option<Driver> = global.prompt.as_deref().and_then(|name| name.parse().ok());
    let token = session.mfa_token.clone();
    Arc::new(move |device: &Mfa| -> Result<Box<dyn Prompt>, mfa::Error> {
        let settings = mfa::Settings {
            code: token.as_ref().map(|token| Code::given(token.typed())).transpose()?,
            process: device.process.clone(),
            driver: named,
            title: "aws-vault".to_owned(),
            ykman: YkmanSettings {
                account: environment("YKMAN_OATH_CREDENTIAL_NAME"),
                device: environment("YKMAN_OATH_DEVICE_SERIAL"),
                version: environment("AWS_VAULT_YKMAN_VERSION"),
            },
            seed: None,
            withheld: OUR_SECRETS.iter().map(|name| (*name).to_owned()).collect(),
        };
        mfa::prompt(settings, &facts(serving))
    })
}

/// Shows pages of sign-ins.
pub(super) struct Pages {
    /// Only the address is wanted.
    pub(super) printed: bool,
    /// No browser is opened, whatever page it is.
    pub(super) no_browser: bool,
    /// The browser comes back to this machine.
    pub(super) comes_back: bool,
    /// The command of the profile that opens pages.
    pub(super) command: Option<String>,
}

impl Browser for Pages {
    fn show(&self, sign_in: &SignIn<'_>) {
        let opens = !self.printed && !self.no_browser;
        if opens {
            say("Opening the SSO authorization page in your default browser (use Ctrl-C to abort)");
        } else {
            say("Open the SSO authorization page in a browser (use Ctrl-C to abort)");
        }
        say(sign_in.page);
        if let (Some(code), false) = (sign_in.code, opens) {
            // The browser here has the code in its address; elsewhere it has to be compared.
            say(&format!("code: {code}"));
        }
        if opens {
            let variable = environment("BROWSER");
            let browsers =
                opener::Browsers { template: self.command.as_deref(), variable: variable.as_deref() };
            if let Err(error) = opener::open(sign_in.page, browsers) {
                super::speech::log(|| format!("{error}"));
            }
        }
    }

    fn comes_back(&self) -> bool {
        self.comes_back
    }
}
