//! A folder with programs, and sandboxes to run them in.

use std::fs;
use std::path::PathBuf;
use std::process::Command as Process;
use std::time::Duration;

use model::Authority;
use net::Private;
use runner::{Command, Error, Kind, Limits, Programs, Ran, Room, Rooms, Sandbox, Setup, Wanted, sandbox};
use zeroize::Zeroizing;

/// What programs run in here.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: tempfile::TempDir,
    programs: Programs,
    rooms: Rooms,
}

/// Our executable as the sandbox starts it.
pub(crate) fn own() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    this.parent().unwrap().parent().unwrap().join("examples/stage")
}

fn rooms(folder: &tempfile::TempDir) -> Rooms {
    Rooms::among(&["/dev/shm".into(), folder.path().to_owned()]).unwrap()
}

/// Every sandbox that works here. One that can't is left out only where the machine lacks it.
pub(crate) fn all() -> Vec<Stage> {
    let mut stages = vec![made(Wanted::None).unwrap()];
    let bubblewrap = sandbox::bubblewrap(&["/usr/bin".into()]);
    let namespaces = Process::new("unshare").args(["-Urn", "true"]).output();
    if namespaces.is_ok_and(|output| output.status.success()) {
        stages.push(made(Wanted::Landlock).unwrap());
        if bubblewrap.is_some() {
            stages.push(made(Wanted::Bwrap).unwrap());
        }
    } else {
        SAID.call_once(|| skip("user namespaces are forbidden here, so there is no sandbox"));
    }
    stages
}

/// Notes that programs were run without a sandbox only; `docs/checks/not-here.toml` lists on which machines that may be.
#[expect(clippy::disallowed_methods, reason = "where skips are noted is told by `cargo xtask test`")]
fn skip(reason: &str) {
    use std::io::Write;
    println!("skipped sandboxes: {reason}");
    if let Some(path) = std::env::var_os("DOORWARD_SKIPS") {
        let mut file = fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "sandboxes\t{reason}").unwrap();
    }
}

static SAID: std::sync::Once = std::sync::Once::new();

/// The same without the one that is none.
pub(crate) fn boxes() -> Vec<Stage> {
    all().into_iter().filter(|stage| stage.sandbox.kind() != Kind::None).collect()
}

pub(crate) fn made(wanted: Wanted) -> Result<Stage, Error> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("bin")).unwrap();
    let rooms = rooms(&folder);
    let setup = Setup {
        wanted,
        own: own(),
        bubblewrap: sandbox::bubblewrap(&["/usr/bin".into()]),
        ..Setup::default()
    };
    let sandbox = Sandbox::probe(setup, &rooms)?;
    let programs = Programs::on(vec![folder.path().join("bin"), "/usr/bin".into()], None);
    Ok(Stage { sandbox, folder, programs, rooms })
}

impl Stage {
    /// A script of this name, made of these lines.
    pub(crate) fn script(&self, name: &str, lines: &str) -> &Self {
        let path = self.folder.path().join("bin").join(name);
        executable(&path, &format!("#!/bin/sh\n{lines}\n"));
        self
    }

    pub(crate) fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    pub(crate) fn room(&self) -> Room {
        self.rooms.make().unwrap()
    }

    pub(crate) fn command(&self, name: &str, args: &[&str]) -> Command {
        Command {
            program: self.programs.find(name).unwrap(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            environment: Vec::new(),
            stdin: None,
            folder: None,
            changes: false,
            sockets: false,
            limits: Limits { time: Duration::from_secs(300), ..Limits::default() },
            hosts: Vec::new(),
            private: Private::Refused,
        }
    }

    pub(crate) fn run(&self, room: &Room, command: Command) -> Result<Ran, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.sandbox.run(room, command))
    }

    /// Runs a script and says what it printed.
    pub(crate) fn said(&self, lines: &str, change: impl FnOnce(&mut Command)) -> String {
        let mut command = self.script("script", lines).command("script", &[]);
        change(&mut command);
        let room = self.room();
        let ran = self.run(&room, command).unwrap();
        room.wipe().unwrap();
        text(&ran)
    }
}

pub(crate) fn text(ran: &Ran) -> String {
    String::from_utf8_lossy(&ran.stdout.bytes).into_owned() + &String::from_utf8_lossy(&ran.stderr.bytes)
}

pub(crate) fn host(address: std::net::SocketAddr) -> Authority {
    format!("http://{address}").parse().unwrap()
}

pub(crate) fn variable(name: &str, value: &str) -> (String, Zeroizing<String>) {
    (name.to_owned(), Zeroizing::new(value.to_owned()))
}

/// Writes a script that can be started. Another process does: what one of our threads has open for writing may be open in the child of
/// another for a moment, and such a program is not started (`ETXTBSY`).
pub(crate) fn executable(path: &std::path::Path, text: &str) {
    use std::io::Write;
    let mut writer = Process::new("/bin/sh");
    writer.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(path).stdin(std::process::Stdio::piped());
    let mut writer = writer.spawn().unwrap();
    writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}
