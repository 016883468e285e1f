//! The programs that do operations: where they are looked up, what they run in, whose turn it is.
//!
//! Nothing is looked at before the first operation by name asks for it, and the sandbox is tried when the first program was found.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use catalog::{Cli, Integration, Operation};
use model::{Code, Refusal};
use runner::{Program, Programs, Rooms, Sandbox, Setup, Turns, Wanted};
use tokio::sync::OnceCell;

/// How programs are run. Whoever opens the broker says it; without it there are none.
#[derive(Debug, Clone, Default)]
pub struct ProgramSetup {
    /// Where programs are looked up.
    pub path: Vec<PathBuf>,
    /// Our own executable: never found, and what starts programs in a sandbox.
    pub own: PathBuf,
    /// What they run in.
    pub sandbox: Wanted,
    /// What they may read besides what every system has.
    pub readable: Vec<PathBuf>,
    /// Folders of callers that a program may work in, with all that is in them.
    pub folders: Vec<PathBuf>,
    /// Folders of Doorward itself: no program works in one, in what is in it, or in what it is in.
    pub closed: Vec<PathBuf>,
    /// Where private folders may be, the best place first.
    pub rooms: Vec<PathBuf>,
    /// How many run at a time; 0 is a number that fits this machine.
    pub at_a_time: usize,
}

/// Everything that programs need.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    setup: OnceLock<ProgramSetup>,
    ready: OnceLock<Result<Ready, String>>,
    sandbox: OnceCell<Result<Arc<Sandbox>, String>>,
    /// Programs that were asked who they are, and whether they are meant.
    asked: tokio::sync::Mutex<Vec<(Program, Result<(), String>)>>,
}

#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) programs: Programs,
    pub(crate) rooms: Rooms,
    pub(crate) turns: Arc<Turns>,
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) closed: Vec<PathBuf>,
}

/// How an operation is done by its program.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) program: Program,
    pub(crate) sandbox: Arc<Sandbox>,
}

impl Machine {
    /// Says how programs are run; the first word holds.
    pub(crate) fn set_up(&self, setup: ProgramSetup) {
        let _ = self.setup.set(setup);
    }

    /// What is needed to run one.
    pub(crate) fn ready(&self) -> Result<&Ready, String> {
        let made = self.ready.get_or_init(|| {
            let setup = self.setup.get().ok_or("this broker runs no programs")?;
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
            let at_a_time = if setup.at_a_time == 0 { 4 * cores } else { setup.at_a_time };
            let programs = Programs::on(setup.path.clone(), Some(&setup.own));
            let rooms = Rooms::among(&setup.rooms).map_err(|error| error.to_string())?;
            let turns = Turns::new(at_a_time, MOST_WAITING);
            let closed = setup.closed.iter().cloned().chain([rooms.folder().to_owned()]).collect();
            Ok(Ready { programs, rooms, turns, folders: setup.folders.clone(), closed })
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// How this operation is done by its program, where that can be; else why not.
    pub(crate) async fn way(&self, integration: &Integration, cli: &Cli) -> Result<Way, String> {
        let lease = integration.program().and_then(catalog::Program::lease);
        if lease.is_some() && !integration.auth().iter().any(|scheme| scheme.assume().is_some()) {
            return Err(format!(
                "`{}` gets the session of a role and never a stored key, and the auth scheme of `{}` names no `role`",
                cli.program(),
                integration.name()
            ));
        }
        let ready = self.ready()?;
        let program = ready.programs.find(cli.program()).map_err(|absent| {
            let mut why = format!("`{}` is not on the path", cli.program());
            for (path, reason) in absent.passed_over {
                why.push_str(&format!("; `{}` was passed over: {reason}", path.display()));
            }
            why
        })?;
        let sandbox = self.sandbox.get_or_init(|| self.tried()).await;
        let sandbox = Arc::clone(sandbox.as_ref().map_err(Clone::clone)?);
        if integration.program().is_some_and(catalog::Program::unix_sockets) && !sandbox.shuts_in_sockets() {
            let name = cli.program();
            return Err(format!("`{name}` opens sockets of its own, which only bubblewrap can shut in"));
        }
        if let Some(known) =
            integration.program().filter(|known| known.is_doubtful() && known.program() == cli.program())
        {
            self.is_meant(ready, &sandbox, &program, known)
                .await
                .map_err(|why| format!("`{}`: {why}", program.path().display()))?;
        }
        Ok(Way { program, sandbox })
    }

    /// Asks a program who it is, once for each state of its file, in the sandbox and without a credential.
    async fn is_meant(
        &self,
        ready: &Ready,
        sandbox: &Sandbox,
        program: &Program,
        known: &catalog::Program,
    ) -> Result<(), String> {
        let mut asked = self.asked.lock().await;
        if let Some((_, answer)) = asked.iter().find(|(other, _)| other == program) {
            return answer.clone();
        }
        let room = ready.rooms.make().map_err(|error| error.to_string())?;
        let command = runner::Command {
            program: program.clone(),
            args: known.version().to_vec(),
            environment: Vec::new(),
            stdin: None,
            folder: None,
            changes: false,
            sockets: false,
            limits: runner::Limits { time: LONGEST_VERSION, stdout: 4096, ..runner::Limits::default() },
            hosts: Vec::new(),
            private: net::Private::Refused,
        };
        let ran = sandbox.run(&room, command).await;
        if let Err(error) = room.wipe() {
            tracing::error!(%error, "the private folder of a run could not be wiped");
        }
        let ran = ran.map_err(|error| error.to_string())?;
        let answer = match ran.exit {
            runner::Exit::Status(0) => known.is_meant(&String::from_utf8_lossy(&ran.stdout.bytes)),
            _ => Err("it could not say its version".to_owned()),
        };
        if let Err(why) = &answer {
            tracing::warn!(program = %program.path().display(), why, "a program is not the one that is meant, and is not used");
        }
        asked.retain(|(other, _)| other.path() != program.path());
        asked.push((program.clone(), answer.clone()));
        answer
    }

    async fn tried(&self) -> Result<Arc<Sandbox>, String> {
        let ready = self.ready()?;
        let setup = self.setup.get().ok_or("this broker runs no programs")?;
        let setup = Setup {
            wanted: setup.sandbox,
            readable: setup.readable.clone(),
            own: setup.own.clone(),
            bubblewrap: runner::sandbox::bubblewrap(&setup.path),
        };
        let rooms = ready.rooms.clone();
        let trying = tokio::task::spawn_blocking(move || Sandbox::probe(setup, &rooms)).await;
        let found = trying.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        if found.kind() == runner::Kind::None {
            tracing::warn!("programs run without a sandbox, as the settings say");
        }
        Ok(Arc::new(found))
    }
}

/// The refusal of an operation that only a program does, which is not here.
pub(crate) fn not_available(operation: &Operation, why: &str) -> Refusal {
    let name = operation.name();
    let refusal = Refusal::new(Code::SourceUnavailable, format!("cli not available: {why}"));
    match operation.why() {
        Some(only) => refusal.hint(format!(
            "`{name}` can only be done by a program ({only}); install it, or put its folder into `operations.path`"
        )),
        None => refusal.hint("install the program, or put its folder into `operations.path` of settings.toml"),
    }
}

/// How long a program may take to say its version.
const LONGEST_VERSION: std::time::Duration = std::time::Duration::from_secs(20);
/// Calls of one tenant that wait for their turn.
const MOST_WAITING: usize = 4096;
