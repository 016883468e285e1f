//! Where one program is measured: a home, a keyring, profile files, and nothing of the environment of the bench.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};

/// How many profiles the large profile file has.
const MANY: usize = 1000;
/// The keys of the profiles that have one. They are no secret of anybody's.
const KEYS: &[(&str, &str)] = &[("alice", "AKIACANARY0000000001"), ("boss", "AKIACANARY0000000002")];

/// One program with its home, which is removed when this is dropped.
pub(super) struct Place {
    label: &'static str,
    home: PathBuf,
    program: PathBuf,
    url: String,
}

impl Place {
    /// Our program, through a link called `aws-vault`.
    pub(super) fn ours(folder: &Path, program: &Path, url: &str) -> Outcome<Self> {
        Self::make(folder, "doorward", program, url)
    }

    /// An aws-vault.
    pub(super) fn peer(folder: &Path, program: &Path, url: &str) -> Outcome<Self> {
        Self::make(folder, "aws-vault", program, url)
    }

    fn make(folder: &Path, label: &'static str, program: &Path, url: &str) -> Outcome<Self> {
        let home = folder.join(format!("{label}-{}", std::process::id()));
        let place = Self { label, program: home.join("bin/aws-vault"), home, url: url.to_owned() };
        let failed = |error: std::io::Error| Failure::doing(&format!("make a home for {label}"), &error);
        std::fs::create_dir_all(place.home.join("bin")).map_err(failed)?;
        symlink(program, &place.program).map_err(failed)?;
        // Stands for a prompt program, which some programs want to see before they start a server. It is never run.
        let prompt = place.home.join("bin/zenity");
        std::fs::write(&prompt, "#!/bin/sh\nexit 1\n").map_err(failed)?;
        std::fs::set_permissions(&prompt, std::fs::Permissions::from_mode(0o755)).map_err(failed)?;
        std::fs::write(place.home.join("config"), place.profiles(0)).map_err(failed)?;
        std::fs::write(place.home.join("config-many"), place.profiles(MANY)).map_err(failed)?;
        Ok(place)
    }

    pub(super) fn label(&self) -> &'static str {
        self.label
    }

    /// Stores the keys.
    pub(super) fn fill(&self) -> Outcome {
        for (profile, key) in KEYS {
            let mut command = self.command(&["add", "--env", "--no-add-config", profile], Profiles::Few);
            command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", format!("secret-of-{key}"));
            finish(&mut command, self.label)?;
        }
        Ok(())
    }

    /// The program with these words, not yet started; its output goes nowhere but for errors.
    pub(super) fn command(&self, words: &[&str], profiles: Profiles) -> Command {
        self.inside(&self.program, words, profiles)
    }

    /// Another program in the environment of this place.
    pub(super) fn inside(&self, program: &Path, words: &[&str], profiles: Profiles) -> Command {
        let config = match profiles {
            Profiles::Few => "config",
            Profiles::Many => "config-many",
        };
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(&self.home)
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", format!("{}:/usr/bin:/bin", self.home.join("bin").display()))
            .env("SHELL", "/bin/sh")
            .env("AWS_CONFIG_FILE", self.home.join(config))
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_VAULT_BACKEND", "file")
            .env("AWS_VAULT_FILE_DIR", self.home.join("keys"))
            .env("AWS_VAULT_FILE_PASSPHRASE", "pass phrase")
            // Without an address some programs start a bus.
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Our link to the program.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// The file with one line for each code that was asked for.
    pub(super) fn asked(&self) -> PathBuf {
        self.home.join("asked")
    }

    /// A file for what a tool says.
    pub(super) fn notes(&self) -> PathBuf {
        self.home.join("notes")
    }

    /// The profile file, with `more` profiles that nobody uses.
    fn profiles(&self, more: usize) -> String {
        let device = "arn:aws:iam::111111111111:mfa/boss";
        let asked = self.asked();
        let mut text = format!(
            "[profile alice]\nregion = us-east-1\n\n\
             [profile boss]\nmfa_serial = {device}\nmfa_process = echo asked >> '{}'; echo 123456\n\n\
             [profile role-a]\nsource_profile = boss\nmfa_serial = {device}\n\
             role_arn = arn:aws:iam::222222222222:role/a\n",
            asked.display()
        );
        for number in 0..more {
            text.push_str(&format!(
                "\n[profile p{number}]\nsource_profile = alice\nregion = eu-west-1\n\
                 role_arn = arn:aws:iam::222222222222:role/r{number}\n"
            ));
        }
        text
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.home) {
            println!("note: could not remove `{}`: {error}", self.home.display());
        }
    }
}

/// Which profile file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profiles {
    /// Three profiles.
    Few,
    /// A thousand more.
    Many,
}

/// Runs a command to its end; one that fails is a failure with its last words.
pub(super) fn finish(command: &mut Command, label: &str) -> Outcome {
    let output = command.output().map_err(|error| Failure::doing(&format!("start {label}"), &error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("{label} failed ({}): {}", output.status, said.trim())))
}
