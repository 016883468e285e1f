//! How the agent is set up: its limits, its names for callers, its policy files.
//!
//! The operations `agent.*` are in `manage/agent`; this is what they decide from. It is swapped whole when the configuration
//! is read again, and where that fails the former one stays.

mod audit;
mod identity;
mod refused;
mod rows;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// For doors that look at a program.
pub use crypto::sha256_of;
use model::{Code, Naming, Needs, Refusal, Timestamp};
use policy::files::Set;

pub use audit::{AuditFile, Audited, Ended, verify_audit, verify_audit_end};
pub(crate) use audit::{AuditLog, Deed, MOST_WAITING};
pub(crate) use identity::Called;
pub(crate) use refused::Lately;
pub(crate) use rows::Rows;

use crate::broker::{Broker, refused};

/// How the agent is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// How strict it is.
    pub mode: Mode,
    /// The folder of the policy files; `None` for none.
    pub policies: Option<PathBuf>,
    /// How long a capability lasts where nobody says.
    pub usual_ttl: Duration,
    /// How long one may last.
    pub longest_ttl: Duration,
    /// How often one may be used where nobody says.
    pub usual_uses: u32,
    /// Who is named as the issuer.
    pub issuer: String,
    /// Names for callers; the first rule that fits gives the usual one.
    pub identities: Naming,
    /// How long what is over stays in lists.
    pub retention: Duration,
    /// Whether a capability may be made that works for whoever holds its token.
    pub bearers: bool,
    /// A view of what the agent did as lines of JSON; `None` for none.
    pub audit: Option<AuditFile>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Standard,
            policies: None,
            usual_ttl: Duration::from_secs(300),
            longest_ttl: Duration::from_secs(3_600),
            usual_uses: 100,
            issuer: "aether-vault-agent".to_owned(),
            identities: Naming::default(),
            retention: Duration::from_secs(7 * 86_400),
            bearers: true,
            audit: None,
        }
    }
}

/// How strict the agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// What policy files allow.
    Standard,
    /// The same, and a requested name has to be one that the configuration gives.
    Hardened,
    /// Without policy files everything that is asked for on this machine, and a name as it is asked for.
    Development,
}

impl Mode {
    /// The word used in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Hardened => "hardened",
            Self::Development => "development",
        }
    }
}

/// What was read of a configuration.
#[derive(Debug, Clone)]
pub struct Configured {
    /// How many policy files are in force.
    pub policies: usize,
    /// What somebody should know.
    pub warnings: Vec<String>,
}

/// The agent as it is now.
pub(crate) struct Agent {
    pub(crate) config: Config,
    pub(crate) set: Set,
    /// When the policy files were read.
    pub(crate) loaded: Timestamp,
    /// Which facts about a caller's program somebody asks for.
    pub(crate) needs: Needs,
}

impl Agent {
    /// Reads the policy files of a configuration.
    pub(crate) fn read(config: Config, now: Timestamp) -> Result<(Self, Vec<String>), Refusal> {
        let mut set = match &config.policies {
            Some(folder) => Set::load(folder).map_err(|error| {
                let hint = error.hint();
                refused(&error, Code::BadRequest, hint)
            })?,
            None => Set::empty().map_err(|error| refused(&error, Code::BadRequest, error.hint()))?,
        };
        let mut warnings = set.warnings().to_vec();
        if set.is_empty() {
            match config.mode {
                Mode::Development => {
                    set = Set::built_in_development()
                        .map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
                    warnings.push(
                        "development mode without policy files: every capability that is asked for on this machine is granted"
                            .to_owned(),
                    );
                }
                Mode::Standard | Mode::Hardened => {
                    warnings.push("No policies loaded - all requests will be denied".to_owned());
                }
            }
        }
        let needs = set.needs().and(config.identities.needs());
        Ok((Self { config, set, loaded: now, needs }, warnings))
    }
}

impl Broker {
    /// The audit log that is open already, where it is the same one; else a new one.
    fn audit_for(&self, wanted: Option<&AuditFile>) -> Result<Option<Arc<AuditLog>>, Refusal> {
        let Some(wanted) = wanted else { return Ok(None) };
        match self.audit().filter(|log| log.settings() == wanted) {
            Some(log) => Ok(Some(log)),
            None => {
                let storage = Arc::clone(self.storage());
                AuditLog::open(wanted.clone(), storage).map(|log| Some(Arc::new(log)))
            }
        }
    }

    /// Sets the agent up, or sets it up anew. On an error the former configuration stays. Blocks.
    ///
    /// # Errors
    /// The file and line of a policy file that is wrong, or the setting.
    pub fn configure_agent(&self, config: Config) -> Result<Configured, Refusal> {
        let writing = self.writing();
        let read = Agent::read(config, self.now());
        self.set_policy_trouble(read.as_ref().err().map(|refusal| refusal.message.clone()));
        let (mut agent, warnings) = read?;
        agent.set = agent.set.after(&self.agent().set);
        let audit = self.audit_for(agent.config.audit.as_ref())?;
        self.set_reveals(agent.config.mode == Mode::Development, &writing)?;
        let policies = agent.set.len();
        self.set_agent(agent);
        self.set_audit(audit);
        Ok(Configured { policies, warnings })
    }
}
