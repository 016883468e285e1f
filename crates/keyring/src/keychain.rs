//! `keychain`: a keychain of macOS, by the system's program `security`.
//!
//! An entry is a generic password in `aws-vault.keychain-db`: service `aws-vault`, account = name, the bare bytes as the
//! password. Bytes are written through standard input (`security -i`), because arguments can be seen by others; a line there
//! has at most 4,096 characters, so long values are in parts ([`crate::parts`]).
//!
//! The keychain knows `security` and not us as the program that stored an entry. So [`Trust::Application`] means that any
//! program of this user can read it through `security` while the keychain is unlocked.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::parts::{About, Cells};
use crate::program::{Call, Program, Ran};
use crate::settings::Unlock;
use crate::{Error, Kind, Settings, Trust};

/// A keychain.
#[derive(Debug)]
pub(crate) struct Keychain {
    program: Program,
    file: PathBuf,
}

impl Keychain {
    /// Looks for the program. The keychain is made with the first entry.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let own = &settings.keychain;
        if own.program.is_none() && !cfg!(target_os = "macos") {
            return Err(Error::unavailable(KIND, "it is a part of macOS"));
        }
        if own.unlock == Unlock::Biometrics {
            return Err(Error::unavailable(
                KIND,
                "Touch ID can't be asked for by the system's program `security`",
            ));
        }
        if own.name.is_empty()
            || own.name.contains(['/', '"', '\\'])
            || own.name.chars().any(char::is_control)
        {
            return Err(Error::Setting { kind: KIND, what: "a name that is no path (`--keychain`)" });
        }
        let usual = Path::new("/usr/bin/security");
        let chosen = own.program.as_deref().unwrap_or(usual);
        let program = Program::find(KIND, Some(chosen), "security", &settings.programs)?;
        let file = settings.home.join("Library").join("Keychains").join(format!("{}.keychain-db", own.name));
        Ok(Self { program, file })
    }

    /// Runs one command. There is no time limit: the system asks a person for the password.
    fn security(&self, arguments: &[&str]) -> Result<Ran, Error> {
        let mut arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        arguments.push(self.file.clone().into_os_string());
        self.program.run(&Call { arguments, ..Call::default() })
    }

    /// Makes the keychain where there is none; the system asks for its password in a window of its own.
    fn made(&self) -> Result<(), Error> {
        if self.file.is_file() {
            return Ok(());
        }
        self.security(&["create-keychain", "-P"])?.succeeded(KIND, "make the keychain").map(drop)
    }
}

impl Cells for Keychain {
    fn kind(&self) -> Kind {
        KIND
    }

    fn most(&self) -> usize {
        MOST
    }

    fn read(&self, cell: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        if !self.file.is_file() {
            return Ok(None);
        }
        let ran = self.security(&["find-generic-password", "-a", cell, "-s", SERVICE, "-g"])?;
        if ran.status.code() == Some(NOT_FOUND) {
            return Ok(None);
        }
        // The attributes go to the standard output and the password to the other one.
        let complaint = Zeroizing::new(ran.complaint);
        if !ran.status.success() {
            return Err(Error::refused(KIND, "read an entry", &complaint));
        }
        let line = complaint.lines().find_map(|line| line.strip_prefix("password:"));
        let bytes = line.and_then(|line| shown(line.trim_start()));
        bytes.map(Some).ok_or_else(|| Error::malformed(KIND, cell, "`security` shows it in an unknown form"))
    }

    fn write(&self, cell: &str, bytes: &[u8], about: About<'_>) -> Result<(), Error> {
        self.made()?;
        let mut line = Zeroizing::new(String::with_capacity(LINE * 2));
        let wrong = |_| Error::refused(KIND, "store an entry", "the command could not be written");
        write!(line, "add-generic-password -U -a {} -s {}", quoted(cell), quoted(SERVICE)).map_err(wrong)?;
        write!(line, " -l {} -D {}", quoted(about.label), quoted(about.description)).map_err(wrong)?;
        if about.trust == Trust::Nobody {
            // No program is trusted, so the system asks each time.
            line.push_str(" -T \"\"");
        }
        if bytes.is_empty() {
            line.push_str(" -w \"\"");
        } else {
            line.push_str(" -X ");
            line.push_str(&Zeroizing::new(crypto::to_hex(bytes)));
        }
        let file =
            self.file.to_str().ok_or(Error::Setting { kind: KIND, what: "a home whose path is UTF-8" })?;
        writeln!(line, " {}", quoted(file)).map_err(wrong)?;
        if line.len() > LINE {
            return Err(Error::Name {
                name: cell.to_owned(),
                why: "with its label it is too long for a keychain",
            });
        }
        let call = Call { arguments: vec!["-i".into()], input: Some(line.as_bytes()), ..Call::default() };
        let ran = self.program.run(&call)?;
        // Reading commands, its status is not that of a single one, so what it says counts.
        if ran.complaint.lines().any(|line| line.starts_with("security: ")) {
            return Err(Error::refused(KIND, "store an entry", &ran.complaint));
        }
        ran.succeeded(KIND, "store an entry").map(drop)
    }

    fn erase(&self, cell: &str) -> Result<(), Error> {
        let ran = self.security(&["delete-generic-password", "-a", cell, "-s", SERVICE])?;
        if ran.status.code() == Some(NOT_FOUND) {
            return Err(Error::missing(KIND, cell));
        }
        ran.succeeded(KIND, "remove an entry").map(drop)
    }

    fn list(&self) -> Result<Vec<String>, Error> {
        if !self.file.is_file() {
            return Ok(Vec::new());
        }
        let dump = self.security(&["dump-keychain"])?.succeeded(KIND, "list its entries")?;
        Ok(accounts(&String::from_utf8_lossy(&dump)))
    }
}

/// The accounts of our generic passwords in the output of `security dump-keychain`, which shows no secrets.
fn accounts(dump: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in dump.split("keychain: ").skip(1) {
        let value = |attribute: &str| {
            let wanted = format!("\"{attribute}\"<blob>=");
            let shown_value = block.lines().find_map(|line| line.trim_start().strip_prefix(&wanted))?;
            String::from_utf8(shown(shown_value)?.to_vec()).ok()
        };
        let generic = block.lines().any(|line| line.trim() == "class: \"genp\"");
        if generic && value("svce").as_deref() == Some(SERVICE) {
            found.extend(value("acct"));
        }
    }
    found
}

/// Bytes as `security` shows them: `"text"`, or `0x` and hex where they are not plain ASCII, followed by a second reading.
fn shown(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.is_empty() {
        return Some(Zeroizing::new(Vec::new()));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        let digits = hex.split(' ').next().unwrap_or_default().to_ascii_lowercase();
        return crypto::from_hex(&Zeroizing::new(digits)).ok().map(Zeroizing::new);
    }
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    Some(Zeroizing::new(inner.as_bytes().to_vec()))
}

/// An argument on a line that `security -i` reads.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

const KIND: Kind = Kind::Keychain;
const SERVICE: &str = "aws-vault";
/// `errSecItemNotFound` as an exit status.
const NOT_FOUND: i32 = 44;
/// Most bytes of one password: twice as many digits, a name and a label fit into a line.
const MOST: usize = 1_200;
/// Longest line that `security -i` reads.
const LINE: usize = 4_000;

#[cfg(test)]
mod tests;
