//! Running another program from the root of the repository, without standard input unless it is given some.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};

/// A program with its arguments, not yet started.
pub(crate) struct Program {
    command: Command,
    shown: String,
}

impl Program {
    /// `name`, found on `PATH`, to be run in `root`.
    pub(crate) fn new(root: &Path, name: &str, arguments: &[&str]) -> Self {
        Self::at(root, Path::new(name), arguments)
    }

    /// The program file `path`, to be run in `root`.
    pub(crate) fn at(root: &Path, path: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(path);
        command.args(arguments).current_dir(root).stdin(Stdio::null());
        // We run below `cargo run`, whose words about the package `xtask` must not reach another build.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let shown =
            std::iter::once(name.as_str()).chain(arguments.iter().copied()).collect::<Vec<_>>().join(" ");
        Self { command, shown }
    }

    /// The cargo that started us.
    pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Self {
        let path = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
        Self::at(root, &path, arguments)
    }

    /// With one more environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What a person would type.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Runs it, its output going where ours goes.
    pub(crate) fn run(mut self) -> Outcome {
        let status = self
            .command
            .status()
            .map_err(|error| Failure::doing(&format!("run `{}`", self.shown), &error))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("`{}` failed ({status})", self.shown)))
        }
    }

    /// Runs it and answers whether it succeeded; its output is dropped.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// Runs it and answers with its standard output.
    pub(crate) fn output(mut self) -> Outcome<String> {
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| Failure::doing(&format!("run `{}`", self.shown), &error))?;
        if !output.status.success() {
            return Err(Failure::new(format!("`{}` failed ({})", self.shown, output.status)));
        }
        String::from_utf8(output.stdout)
            .map_err(|error| Failure::doing(&format!("read `{}`", self.shown), &error))
    }

    /// Runs it with `input` on its standard input, which is never shown, and answers with its standard output.
    pub(crate) fn output_of(mut self, input: &[u8]) -> Outcome<String> {
        let doing = format!("run `{}`", self.shown);
        let failed = |error: io::Error| Failure::doing(&doing, &error);
        let mut child = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input).map_err(failed)?;
        }
        let output = child.wait_with_output().map_err(failed)?;
        if !output.status.success() {
            return Err(Failure::new(format!("`{}` failed ({})", self.shown, output.status)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it, passing its standard output on line by line while `each` reads along.
    pub(crate) fn read_along(mut self, mut each: impl FnMut(&str)) -> Outcome {
        let doing = format!("run `{}`", self.shown);
        let failed = |error: io::Error| Failure::doing(&doing, &error);
        let mut child = self.command.stdout(Stdio::piped()).spawn().map_err(failed)?;
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout);
            let mut bytes = Vec::new();
            while lines.read_until(b'\n', &mut bytes).map_err(failed)? > 0 {
                io::stdout().write_all(&bytes).map_err(failed)?;
                each(String::from_utf8_lossy(&bytes).trim_end());
                bytes.clear();
            }
        }
        let status = child.wait().map_err(failed)?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("`{}` failed ({status})", self.shown)))
        }
    }
}

/// Where `name` is, on `PATH` or in the folders where systems keep servers.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}
