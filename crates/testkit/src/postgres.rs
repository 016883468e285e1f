//! A real PostgreSQL of a test's own: made, started, stopped, killed and started again.
//!
//! Nothing but the standard library is used here and in `port.rs`: the tests of crate `store` and `cargo xtask bench api` include
//! this file as it is.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

#[path = "port.rs"]
pub mod port;

/// A server with the roles `doorward_owner` and `doorward_app`, and the database `doorward`. It ends with this value.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
    options: Vec<String>,
}

impl Postgres {
    /// Makes a server and starts it; none where the machine has no PostgreSQL.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same with a certificate and its key, both in PEM: it speaks TLS as well.
    #[must_use]
    pub fn start_tls(cert: &str, key: &str) -> Option<Self> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let mut server = Self::start()?;
        server.kill();
        for (name, text) in [("server.crt", cert), ("server.key", key)] {
            let path = server.folder.join(name);
            let file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(&path);
            file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the test kit works");
            if let Some((uid, gid)) = other_user() {
                std::os::unix::fs::chown(&path, Some(uid), Some(gid)).expect("root may give a file away");
            }
            let option = if name.ends_with("crt") { "ssl_cert_file" } else { "ssl_key_file" };
            server.options.push(format!("{option}={}", path.display()));
        }
        server.options.push("ssl=on".to_owned());
        server.up();
        Some(server)
    }

    /// The same with more options, as `name=value`.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Option<Self> {
        let programs = programs()?;
        let folder = own_folder();
        if let Some((uid, gid)) = other_user() {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).expect("root may give a folder away");
        }
        let port = port::port();
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { programs, folder, port, child: None, options };
        let data = server.data();
        let made = server
            .program("initdb")
            .arg("-D")
            .arg(&data)
            .args([
                "--username=admin",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .output()
            .expect("initdb can be started");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.up();
        let _ = server.sql(
            "postgres",
            &format!(
                "CREATE ROLE doorward_owner LOGIN PASSWORD '{OWNER_PASSWORD}'; CREATE ROLE doorward_app LOGIN PASSWORD '{APP_PASSWORD}';"
            ),
        );
        server.database("doorward");
        Some(server)
    }

    /// Makes another database.
    pub fn database(&self, name: &str) {
        let _ = self.sql("postgres", &format!("CREATE DATABASE {name} OWNER doorward_owner"));
    }

    /// Where `role` finds the database: over TCP, with a password.
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// The same with TLS, by this name.
    #[must_use]
    pub fn url_with_tls(&self, role: &str, host: &str) -> String {
        format!("postgres://{role}@{host}:{}/doorward?sslmode=verify-full", self.port)
    }

    /// The same over the socket, where nobody is asked for a password.
    #[must_use]
    pub fn socket_url(&self, role: &str) -> String {
        format!("postgres://{role}@/doorward?host={}&port={}", self.folder.display(), self.port)
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server, for files that it reads.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a superuser is answered, as `psql` prints it without alignment.
    #[track_caller]
    pub fn sql(&self, database: &str, text: &str) -> String {
        let port = self.port.to_string();
        let asked = self
            .program("psql")
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "admin",
                "-p",
                &port,
                "-d",
                database,
            ])
            .arg("-h")
            .arg(&self.folder)
            .args(["-c", text])
            .output()
            .expect("psql can be started");
        assert!(asked.status.success(), "{text}: {}", String::from_utf8_lossy(&asked.stderr));
        String::from_utf8_lossy(&asked.stdout).trim().to_owned()
    }

    /// A program of PostgreSQL, as the user who may run it.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.stdin(Stdio::null()).current_dir("/tmp");
        if let Some((uid, gid)) = other_user() {
            std::os::unix::process::CommandExt::uid(&mut command, uid);
            std::os::unix::process::CommandExt::gid(&mut command, gid);
        }
        command
    }

    /// Stops it as a crash of the machine does: nothing is written any more, and nobody is told.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // `immediate`: all its processes are ended at once, and the next start recovers from the log.
        let stopped = self
            .program("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .args(["-m", "immediate", "-s", "stop"])
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            let _ = child.kill();
        }
        let _ = child.wait();
    }

    /// Starts it again.
    pub fn up(&mut self) {
        let (data, port) = (self.data(), self.port.to_string());
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log"));
        let log = log.expect("the test kit works");
        let mut command = self.program("postgres");
        command.arg("-D").arg(&data).arg("-k").arg(&self.folder).args(["-p", &port]);
        command.args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "max_connections=60",
            "-c",
            "shared_buffers=64MB",
        ]);
        for option in &self.options {
            command.args(["-c", option]);
        }
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("postgres can be started");
        self.child = Some(child);
        let until = Instant::now() + Duration::from_secs(300);
        loop {
            let ready =
                self.program("pg_isready").arg("-q").arg("-h").arg(&self.folder).args(["-p", &port]).status();
            if ready.is_ok_and(|status| status.success()) {
                return;
            }
            if Instant::now() > until {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("PostgreSQL does not start: {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Holds all its processes as if the machine hung (`true`), or lets them go on.
    pub fn hold(&self, held: bool) {
        let Some(child) = &self.child else { return };
        let signal = if held { "-STOP" } else { "-CONT" };
        let children =
            std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap_or_default();
        for pid in
            std::iter::once(child.id().to_string()).chain(children.split_whitespace().map(str::to_owned))
        {
            let _ = Command::new("kill").args([signal, &pid]).stderr(Stdio::null()).status();
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.hold(false);
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A new folder with a short path, because the name of a socket has at most 107 bytes.
fn own_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(format!("/tmp/pg-{}-{nth}", std::process::id()));
        // One that is there was left by a process of the same number that was killed.
        if std::fs::DirBuilder::new().mode(0o700).create(&folder).is_ok() {
            return folder;
        }
    }
}

/// The folder of the programs: on `PATH`, or where Debian keeps them.
fn programs() -> Option<PathBuf> {
    let mut kept: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    kept.sort();
    let usual = ["/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"].map(PathBuf::from);
    kept.into_iter().rev().chain(usual).find(|folder| folder.join("initdb").is_file())
}

/// Whom the server runs as, where we are root: it refuses to be.
fn other_user() -> Option<(u32, u32)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let root =
        status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"));
    root.then_some((NOBODY, NOBODY))
}

const NOBODY: u32 = 65_534;
/// The password of the role that owns the schema.
pub const OWNER_PASSWORD: &str = "owner-CANARY-4d1f";
/// The password of the role that serves.
pub const APP_PASSWORD: &str = "app-CANARY-9b72";
