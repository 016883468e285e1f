//! Programs that the tests start, and what ends them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A program that ends with its owner.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "tests look for programs where their own shell does")]
pub(crate) fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// Where a program is; fails the test where it isn't installed.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let found =
        std::env::split_paths(&search_path()).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not installed: the package `{package}` has it"))
}

/// A stand-in of this folder.
pub(crate) fn fake(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fakes").join(name)
}

/// The search path for stand-ins: the interpreter itself comes first, as what is called `python3` may be a slow script that
/// looks for it.
pub(crate) fn fake_path() -> OsString {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let mut ask = Command::new(program("python3", "python3"));
        let said = ask.args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
        PathBuf::from(String::from_utf8(said.stdout).unwrap().trim())
    });
    let first = python.parent().unwrap().to_owned();
    std::env::join_paths([first].into_iter().chain(std::env::split_paths(&search_path()))).unwrap()
}

/// A command without any session of the person who runs the tests.
pub(crate) fn command(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", search_path()).env("HOME", home).env("XDG_RUNTIME_DIR", home);
    command.env("LANG", "C.UTF-8").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Waits until something is there; fails the test after five minutes.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(300);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A session bus on which nothing is started by itself. The address is the second part.
pub(crate) fn bus(home: &Path) -> (Running, String) {
    let socket = home.join("bus");
    let address = format!("unix:path={}", socket.display());
    let config = home.join("bus.conf");
    let text = format!(
        "<busconfig><type>session</type><listen>{address}</listen><policy context=\"default\">\
         <allow send_destination=\"*\"/><allow own=\"*\"/><allow eavesdrop=\"false\"/></policy></busconfig>"
    );
    write(&config, &text);
    let mut command = command(&program("dbus-daemon", "dbus"), home);
    command.arg("--nofork").arg(format!("--config-file={}", config.display()));
    let running = Running(command.spawn().unwrap());
    wait_for("the bus", || socket.exists().then_some(()));
    (running, address)
}

#[expect(clippy::disallowed_methods, reason = "a file of the test's own folder")]
pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
