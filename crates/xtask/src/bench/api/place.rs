//! A PostgreSQL, a home in it, and a broker that serves the API.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::super::process::{self, Server};
use crate::failure::{Failure, Outcome};

#[expect(
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "what the tests use, as it is"
)]
#[path = "../../../../testkit/src/postgres.rs"]
mod postgres;

use postgres::{APP_PASSWORD, OWNER_PASSWORD, Postgres};

/// See the module. What is last here is dropped last.
pub(super) struct Place {
    broker: Option<Server>,
    port: u16,
    program: PathBuf,
    home: PathBuf,
    log: PathBuf,
    database: Postgres,
}

impl Place {
    pub(super) fn make(program: &Path, folder: &Path) -> Outcome<Self> {
        let database = Postgres::start().ok_or_else(|| {
            Failure::new("there is no PostgreSQL here; `cargo xtask setup` installs it as root")
        })?;
        let home = folder.join("api-home");
        if home.exists() {
            std::fs::remove_dir_all(&home).map_err(|error| Failure::doing("remove the last home", &error))?;
        }
        let passwords = folder.join("api-passwords");
        std::fs::create_dir_all(&home).map_err(|error| Failure::doing("make the home", &error))?;
        std::fs::create_dir_all(&passwords).map_err(|error| Failure::doing("make a folder", &error))?;
        let (app, owner) = (passwords.join("app"), passwords.join("owner"));
        private(&app, APP_PASSWORD)?;
        private(&owner, OWNER_PASSWORD)?;
        let settings = format!(
            "[store]\nurl = \"{}\"\npassword = \"file:{}\"\nowner = \"{}\"\nowner_password = \"file:{}\"\nwait = \"30s\"\n",
            database.url("doorward_app", "doorward"),
            app.display(),
            database.url("doorward_owner", "doorward"),
            owner.display()
        );
        private(&home.join("settings.toml"), &settings)?;
        let (program, log) = (program.to_owned(), folder.join("api.log"));
        let mut place = Self { broker: None, port: process::free_port()?, program, home, log, database };
        let out = folder.join("api-recovery");
        // A run before this one left it: `init` writes over no recovery key.
        if out.exists() {
            std::fs::remove_file(&out)
                .map_err(|error| Failure::doing("remove the last recovery key", &error))?;
        }
        place.told(&["init", "--recovery-out", &out.display().to_string()])?;
        let _ = place.restart()?;
        Ok(place)
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Ends the broker and starts it again; how long that took until it answered.
    pub(super) fn restart(&mut self) -> Outcome<Duration> {
        self.broker = None;
        let (address, home) = (format!("127.0.0.1:{}", self.port), self.home.display().to_string());
        let began = Instant::now();
        let arguments = ["serve", "--addr", &address, "--home", &home];
        let mut server = Server::start(&self.program, &arguments, None, &self.log)?;
        loop {
            // Whatever is answered: it serves.
            if process::get(self.port, "/api/v1/integrations/nobody", &[])
                .is_ok_and(|answer| answer.status > 0)
            {
                break;
            }
            server.still_there(self.port)?;
            if began.elapsed() > PATIENCE {
                return Err(Failure::new("the broker does not answer; see target/bench/api.log"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.broker = Some(server);
        Ok(began.elapsed())
    }

    /// Fills the database while no broker serves; the keys of the tenants, in order, and how long that took.
    pub(super) fn fill(
        &mut self,
        filler: &Path,
        tenants: usize,
        credentials: usize,
    ) -> Outcome<(Vec<String>, Duration)> {
        self.broker = None;
        let began = Instant::now();
        let keys = self.home.with_file_name("api-keys");
        let mut command = Command::new(filler);
        command.arg(self.database.url("doorward_app", "doorward"));
        command.arg(self.home.with_file_name("api-passwords").join("app")).arg(&self.home);
        command.args([tenants.to_string(), credentials.to_string()]).arg(&keys);
        let filled = command.status().map_err(|error| Failure::doing("start the filler", &error))?;
        if !filled.success() {
            return Err(Failure::new("the database could not be filled"));
        }
        let text = std::fs::read_to_string(&keys).map_err(|error| Failure::doing("read the keys", &error))?;
        Ok((text.lines().map(str::to_owned).collect(), began.elapsed()))
    }

    pub(super) fn root_key(&self) -> Outcome<String> {
        self.told(&["key", "create", "--root"])
    }

    /// Resident memory of the broker, in KiB.
    pub(super) fn resident(&self) -> u64 {
        self.broker.as_ref().map_or(0, |broker| process::resident(broker.id()))
    }

    fn told(&self, arguments: &[&str]) -> Outcome<String> {
        let said = Command::new(&self.program).args(arguments).arg("--home").arg(&self.home).output();
        let said = said.map_err(|error| Failure::doing("run the program", &error))?;
        if !said.status.success() {
            return Err(Failure::new(String::from_utf8_lossy(&said.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    }
}

fn private(path: &Path, text: &str) -> Outcome {
    let file = std::fs::File::options().create(true).truncate(true).write(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::doing(&format!("write `{}`", path.display()), &error))
}

/// How long a broker may take to be ready.
const PATIENCE: Duration = Duration::from_secs(600);
