//! What every command is given: where the home is, how to print, how to ask.

use broker::SystemClock;
use memory::Secret;
use model::{Clock, Inputs, Timestamp};

use crate::args::broker::Up;
use crate::args::{Command, Global};
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::logging::{self, Quiet};
use crate::management::{Answered, Management, Who};
use crate::print::Printer;
use crate::settings::{self, Settings};

/// What every command is given.
pub(crate) struct Context {
    home: Result<Home, Failure>,
    pub(crate) printer: Printer,
    /// Whether more was asked for than usual.
    pub(crate) verbose: bool,
}

impl Context {
    /// Settles where the home is and starts the log. A home that is not known matters only to commands that need one.
    pub(crate) fn new(global: &Global, command: &Command, printer: Printer) -> Outcome<Self> {
        let serves = match command {
            Command::Up(_) | Command::Gateway(_) | Command::Serve(_) => true,
            Command::Agent(agent) => matches!(**agent, crate::args::agent::Agent::Start(_)),
            _ => false,
        };
        let quiet = if serves { Quiet::Warnings } else { Quiet::Errors };
        let (mut format, mut verbose) = (settings::log(global, &settings::environment)?, global.verbose);
        if let Command::Gateway(gateway) = command {
            format = gateway.log_format()?.unwrap_or(format);
            verbose = verbose.max(gateway.verbosity().unwrap_or_default());
        }
        logging::start(format, verbose, quiet);
        let verbose = global.verbose > 0;
        Ok(Self { home: settings::home(global, &settings::environment), printer, verbose })
    }

    /// The home.
    pub(crate) fn home(&self) -> Outcome<&Home> {
        self.home.as_ref().map_err(|failure| Failure {
            kind: failure.kind,
            message: failure.message.clone(),
            causes: failure.causes.clone(),
            hint: failure.hint.clone(),
        })
    }

    /// The settings of the home where nothing was typed.
    pub(crate) fn settings(&self) -> Outcome<Settings> {
        Settings::load(self.home()?, &Up::default(), &settings::environment)
    }

    /// Performs one operation of Doorward itself, by the running broker or here.
    pub(crate) fn operate(
        &self,
        operation: &str,
        inputs: Inputs,
        payload: Option<Secret>,
    ) -> Outcome<Answered> {
        self.operate_as(&Who::default(), operation, inputs, payload)
    }

    /// The same, asked by somebody.
    pub(crate) fn operate_as(
        &self,
        who: &Who,
        operation: &str,
        inputs: Inputs,
        payload: Option<Secret>,
    ) -> Outcome<Answered> {
        Management::open(self)?.only(who, operation, inputs, payload)
    }

    /// The same with no more than inputs.
    pub(crate) fn ask(&self, operation: &str, inputs: &[(&str, &str)]) -> Outcome<Answered> {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.operate(operation, inputs, None)
    }
}

/// The time now.
pub(crate) fn now() -> Timestamp {
    SystemClock::default().now()
}
